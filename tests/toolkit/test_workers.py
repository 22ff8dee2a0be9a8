"""Processes that share the work: all of it is done, and errors and deaths are told."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from stimuli import open_set
from tests.process_groups import started
from toolkit.errors import ToolkitError
from toolkit.workers import workers


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


SCRIPT = """
import signal, sys, time
from pathlib import Path
from stimuli.files import write_atomic
from toolkit.workers import workers

def work(folder):
    with write_atomic(Path(folder) / "file.txt") as path:
        path.write_text("half of it")
        time.sleep(60)

if __name__ == "__main__":
    signal.signal(signal.SIGINT, getattr(signal, sys.argv[2]))
    try:
        with workers(2) as submit:
            for _ in range(3):
                submit(work, sys.argv[1])
            print("at work", flush=True)
    except KeyboardInterrupt:
        sys.exit(130)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals to groups of processes")
@pytest.mark.parametrize("n_begun", [0, 2])
def test_ctrl_c_ends_all_at_once_silently_and_leaves_nothing_half_written(
    tmp_path: Path, n_begun: int
) -> None:
    """With none begun, the processes are still loading what they need."""
    script, folder = tmp_path / "script.py", tmp_path / "folder"
    script.write_text(SCRIPT)
    folder.mkdir()
    with started([sys.executable, str(script), str(folder), "default_int_handler"]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "at work\n"
        deadline = time.monotonic() + 60
        while len(list(folder.iterdir())) < n_begun:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=30)
    assert (process.returncode, said) == (130, "")
    assert not list(folder.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="signals to groups of processes")
def test_what_a_script_put_into_the_background_goes_on(tmp_path: Path) -> None:
    script, folder = tmp_path / "script.py", tmp_path / "folder"
    script.write_text(SCRIPT.replace("sleep(60)", "sleep(1)"))
    folder.mkdir()
    with started([sys.executable, str(script), str(folder), "SIG_IGN"]) as process:
        deadline = time.monotonic() + 60
        while not list(folder.iterdir()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (0, "")
    assert [path.name for path in folder.iterdir()] == ["file.txt"]


HELD_BACK = """
import os, signal, subprocess, sys
from toolkit.workers import uninterrupted

look = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))"
signal.signal(signal.SIGINT, signal.default_int_handler)
try:
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        print("held back from a new process:", end=" ", flush=True)
        subprocess.run([sys.executable, "-c", look], check=True)
    print("lost")
except KeyboardInterrupt:
    print("heard behind the block, where it is held back:", end=" ")
    print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, []))
"""


@pytest.mark.skipif(not hasattr(signal, "pthread_sigmask"), reason="signals cannot be held back")
def test_ctrl_c_is_held_back_and_not_lost() -> None:
    # In a process of its own, whose threads no other test has started: any of them may hear it.
    command = [sys.executable, "-c", HELD_BACK]
    told = subprocess.run(command, capture_output=True, check=True, text=True).stdout.splitlines()
    assert told == [
        "held back from a new process: True",
        "heard behind the block, where it is held back: False",
    ]
