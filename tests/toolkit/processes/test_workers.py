"""Processes that share the work: all of it is done, and errors and deaths are told."""

from __future__ import annotations

import errno
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from stimuli import open_set
from tests.process_groups import next_line, started
from toolkit.errors import ToolkitError
from toolkit.processes.workers import ProcessEndedError, processes, tell, workers


@pytest.mark.parametrize("jobs", [1, 2])
def test_all_work_is_done_before_the_block_ends(jobs: int, tmp_path: Path) -> None:
    done: list[int] = []
    with workers(jobs, lambda: done.append(1)) as submit:
        for number in range(7):
            submit(Path.touch, tmp_path / str(number))
    assert sorted(path.name for path in tmp_path.iterdir()) == list("0123456")
    assert len(done) == 7


def test_an_error_comes_back_as_it_was_and_a_death_is_told() -> None:
    with pytest.raises(ToolkitError, match="no stimulus set") as caught, workers(2) as submit:
        submit(open_set, "mimi")
    assert caught.value.nearest == "mini"
    with pytest.raises(ToolkitError, match="ended by itself") as caught:
        _end_many()
    assert "--jobs 1" in (caught.value.next_command or "")


def _end_many() -> None:
    """More than are handed on before the first end is noticed."""
    with workers(2) as submit:
        for _ in range(50):
            submit(os._exit, 1)


def test_each_keeps_to_one_thread(tmp_path: Path) -> None:
    path = tmp_path / "threads.json"
    look = "import json, pathlib, threadpoolctl as t; pathlib.Path(%r).write_text(json.dumps(%s))"
    with workers(2) as submit:
        submit(exec, look % (str(path), "[one['num_threads'] for one in t.threadpool_info()]"))
    threads = json.loads(path.read_text())
    assert threads
    assert set(threads) == {1}


def test_what_cannot_be_handed_over_is_an_error_and_the_process_goes_on() -> None:
    with processes(1) as begin:
        one = begin(os.getpid).result()
        with pytest.raises(TypeError, match="cannot pickle"):
            begin(threading.Lock).result()
        with pytest.raises(RuntimeError, match="BadOptionUsage: it needs two arguments"):
            begin(
                exec, "import click; raise click.BadOptionUsage('x', 'it needs two arguments')"
            ).result()
        with pytest.raises(ValueError, match="invalid literal") as caught:
            begin(int, "x").result()
        assert "in _serve" in caught.value.__notes__[0], "where it arose is told"
        assert begin(os.getpid).result() == one


def test_work_is_handed_on_as_it_was_when_it_was_begun() -> None:
    numbers = [2, 3]
    with processes(1) as begin:
        begin(abs, -7)
        waiting = begin(sum, numbers)
        numbers.append(5)
        assert waiting.result() == 5


def test_work_tells_how_far_it_is() -> None:
    heard: list[int] = []
    with processes(1, hear=heard.append) as begin:
        for number in (2, 3, 5):
            begin(tell, number)
        assert begin(abs, -7).result() == 7
        assert heard == [2, 3, 5]


def test_no_work_is_begun_once_a_process_has_ended() -> None:
    with processes(1) as begin:
        with pytest.raises(ProcessEndedError):
            begin(os._exit, 1).result()
        with pytest.raises(ProcessEndedError):
            begin(abs, -7).result()


def test_a_process_that_cannot_be_started_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("multiprocessing.context.SpawnProcess.start", _no_memory)
    with pytest.raises(ProcessEndedError), workers(2) as submit:
        submit(abs, -7)


def _no_memory(process: object) -> None:
    raise OSError(errno.ENOMEM, "Cannot allocate memory")


SCRIPT = """
import os, signal, sys, threading
from pathlib import Path
from stimuli.files import write_atomic
from tests.waiting import wait_until
from toolkit.errors import ToolkitError

folder, way, on_interrupt = Path(sys.argv[1]), sys.argv[2], sys.argv[3]

def say(what):
    os.write(1, f"{what}\\n".encode())  # in one piece: several processes speak

def work(name):
    with write_atomic(folder / f"{name}.txt") as path:
        path.write_text("half of it")
        say(os.getpid())
        if on_interrupt == "default_int_handler":
            threading.Event().wait()
        wait_until((folder.parent / "go on").exists)

def work_list():
    from toolkit.processes.workers import workers
    with workers(2) as submit:
        for name in "abc":
            submit(work, name)
        say("all is given")

def work_map():
    from toolkit.processes.workers import mapping
    with mapping(2) as mapped:
        list(mapped(work, "abc"))

def training():
    from toolkit.training.workers import train_all
    for _ in train_all("abc", 2, print):
        pass

if way == "training":
    import toolkit.training.workers
    toolkit.training.workers._train = lambda group, watch: [work(*group)]
    toolkit.training.workers.grouped = lambda jobs, n_processes: list(jobs)
if __name__ == "__main__":
    signal.signal(signal.SIGINT, getattr(signal, on_interrupt))
    try:
        globals()[way]()
    except KeyboardInterrupt:
        sys.exit(130)
    except ToolkitError as error:
        sys.exit(error.message)
"""
"""Work that begins to write a file, says so, and never comes to an end."""
N_AT_WORK = {"work_list": 2, "work_map": 2, "training": 2}
"""Processes at work at the same time, by the way in which it is shared."""
ENDED = "A process that shared the work ended by itself; it may have run out of memory."

not_windows = pytest.mark.skipif(sys.platform == "win32", reason="signals to groups of processes")


@contextmanager
def sharing(
    folder: Path, way: str, on_interrupt: str = "default_int_handler"
) -> Iterator[subprocess.Popen[str]]:
    """The script, begun; it writes into a folder in the given one."""
    (folder / "out").mkdir(exist_ok=True)
    script = folder / "script.py"
    script.write_text(SCRIPT)
    command = [sys.executable, script, folder / "out", way, on_interrupt]
    with started(command) as process:
        yield process


def at_work(process: subprocess.Popen[str], n: int) -> list[int]:
    """The processes that have begun to write, once there are some."""
    found: list[int] = []
    while len(found) < n:
        line = next_line(process)
        found += [int(line)] if line.isdigit() else []
    return found


def written(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "out").iterdir())


@not_windows
@pytest.mark.parametrize("way", N_AT_WORK)
def test_ctrl_c_ends_all_at_once_silently_and_leaves_nothing_half_written(
    tmp_path: Path, way: str
) -> None:
    with sharing(tmp_path, way) as process:
        at_work(process, N_AT_WORK[way])
        assert len(written(tmp_path)) == N_AT_WORK[way]
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()
    assert (process.returncode, said) == (130, "")
    assert written(tmp_path) == []


@not_windows
def test_ctrl_c_while_processes_are_loading(tmp_path: Path) -> None:
    with sharing(tmp_path, "work_list") as process:
        while next_line(process) != "all is given":
            pass
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate()
    assert (process.returncode, said) == (130, "")
    assert written(tmp_path) == []


@not_windows
@pytest.mark.parametrize(
    ("way", "nth"),
    [
        ("work_list", 0),
        ("work_list", 1),
        ("work_map", 0),
        pytest.param("training", 0, marks=pytest.mark.slow),
    ],
)
def test_a_process_killed_in_the_middle_of_a_file_leaves_nothing_of_it(
    tmp_path: Path, way: str, nth: int
) -> None:
    """Nor do the others, which are given up."""
    with sharing(tmp_path, way) as process:
        os.kill(at_work(process, N_AT_WORK[way])[nth], signal.SIGKILL)
        _, said = process.communicate()
    assert process.returncode == 1
    assert said == f"{ENDED}\n"
    assert written(tmp_path) == []


@not_windows
def test_what_others_write_in_the_same_folder_is_left_alone(tmp_path: Path) -> None:
    with sharing(tmp_path, "work_list") as other:
        at_work(other, 2)
        theirs = written(tmp_path)
        with sharing(tmp_path, "work_list") as process:
            at_work(process, 2)
            assert len(written(tmp_path)) == 4
            os.killpg(process.pid, signal.SIGINT)
            process.communicate()
        assert written(tmp_path) == theirs
        os.killpg(other.pid, signal.SIGINT)
        other.communicate()
    assert written(tmp_path) == []


@not_windows
def test_what_a_script_put_into_the_background_goes_on(tmp_path: Path) -> None:
    with sharing(tmp_path, "work_list", "SIG_IGN") as process:
        at_work(process, 2)
        os.killpg(process.pid, signal.SIGINT)
        (tmp_path / "go on").touch()
        _, said = process.communicate()
    assert (process.returncode, said) == (0, "")
    assert written(tmp_path) == ["a.txt", "b.txt", "c.txt"]


STARTING = """
import os, signal
from toolkit.processes.workers import workers

if __name__ == "__main__":
    with workers(2) as submit:
        submit(abs, 1)
        submit(abs, 1)
else:
    held_back = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, [])
    os.write(1, f"{held_back}\\n".encode())
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be held back")
def test_processes_that_are_just_starting_hear_no_ctrl_c(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(STARTING)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"True"}
