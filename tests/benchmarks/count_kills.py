"""Counts kills that commands survive: nothing is lost, and the same command again finishes.

Every command runs in a process of its own, which is killed (SIGKILL) at a moment that a seed
decides: before or after any of the renamings that put files in their place, or after a share of the
time that the command takes. Then the same command is given again. It has survived if that ends
with exit code 0, all tables are those of an undisturbed run, byte by byte, nothing temporary is
left, and no process is.

    python -m tests.benchmarks.count_kills --kills 300

Where the system cannot fork, there is nothing to count.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import typer

from stimuli import open_set
from stimuli.files import ABANDONED_AFTER_S, CHECKSUM_SUFFIX, checksum_file, is_sound
from tests.conftest import LANGUAGES, SUBJECT_CODE, tiny_rows, write_scenes, write_set

LONGEST_S = 600.0
"""Many times what any command takes here; one that takes longer has failed."""
CIRCUMSTANCES = ("started", "ended", "energy", "command", "machine", "git", "packages")
"""What a manifest says of when and where."""
RENAMED = "renamed"
"""File in which a process that was not disturbed leaves the number of its renamings."""

Act = Callable[[Path], object]


@dataclass(frozen=True)
class Command:
    """What is killed."""

    name: str
    """As it is told."""
    act: Act
    """Does it, in a folder; a command line ends in `SystemExit`."""
    prepare: Act
    """Puts what it needs into an empty folder."""
    share: int
    """Kills of it, of every hundred."""
    by_renaming: bool = True
    """Whether all renamings happen in its own process."""
    victim: str = "itself"
    """Who is killed: itself, a child, or one of two that do the same."""


@dataclass
class Count:
    """What came of the kills of a command."""

    tried: int = 0
    ended_before: int = 0
    survived: int = 0
    faults: list[str] = field(default_factory=list)


def command_line(*words: str) -> Act:
    """Gives the command line in a folder."""

    def act(folder: Path) -> None:
        from toolkit.cli import main

        os.chdir(folder)
        sys.argv = ["mevgs-toolkit", *words]
        main()

    return act


def _choices(folder: Path) -> None:
    write_set(folder / "tiny", tiny_rows(), LANGUAGES)
    own = folder / "subjects" / "hasher"
    own.mkdir(parents=True)
    (own / "hasher_subject.py").write_text(SUBJECT_CODE)
    (own / "population.toml").write_text(
        'name = "hasher"\ndescription = "A small subject."\nlanguages = ["en", "nl"]\n'
        'seeds = ["a", "b", "c"]\nfactory = "hasher_subject:load"\n'
    )


def _maps(folder: Path) -> None:
    write_scenes(folder / "scenes")


def _run_maps(folder: Path) -> None:
    from tests.colours import population
    from toolkit.api.running import run_paradigm

    run_paradigm(
        "dense-grounding", population(seeds="ab"), stimuli=folder / "scenes", out=folder / "runs"
    ).analyse()


def _training(folder: Path) -> None:
    from tests.toolkit.training.test_train_cli import GRID, write_features, write_small_set

    write_small_set(folder / "set")
    write_features(folder / "out", open_set(folder / "set"), "float32")
    grid = GRID.replace("seeds = 2", "seeds = 1").replace(', ["fr"]', "")
    grid = grid.replace("epochs = 12", "epochs = 4\nwarmup_epochs = 1")
    (folder / "grid.toml").write_text(grid)


def _extraction(folder: Path) -> None:
    write_set(folder / "tiny", tiny_rows(), LANGUAGES)


def _extract(folder: Path, jobs: int = 1) -> None:
    from tests.toolkit.subjects.test_features import NAMES, Counting
    from toolkit.subjects.features import extraction
    from toolkit.subjects.features.sources import find_jobs

    extraction.PORTION.update(word=8, picture=10)
    extraction.TOGETHER.update(word=4, picture=5)
    for job in find_jobs(str(folder / "tiny"), folder / "out", NAMES, splits=("train",)):
        extraction.extract(job, Counting(job.kind), jobs=jobs)


def _published_data(folder: Path) -> None:
    from tests.stimuli.published_layout import write_published_data

    write_published_data(folder / "me-vgs")


def _published_networks(folder: Path) -> None:
    from tests.toolkit.subjects.test_import_mevgs import write_config

    for seed in "ab":
        write_config(folder / "output", f"en-nl_links-no_size-xsm_{seed}")


def _import_networks(folder: Path) -> None:
    from toolkit.subjects.vgs.importing import import_output

    import_output(folder / "output", folder / "out", hearing="hearing", seeing="seeing")


def _study(folder: Path) -> None:
    rows = [f"{child},{item},NF,{(child + item) % 2}" for child in range(9) for item in range(40)]
    (folder / "study.csv").write_text("\n".join(["child,item,type,correct", *rows]) + "\n")


ME = (
    *("run-paradigm", "me", "--subject", "hasher", "--subjects", "subjects", "--stimuli", "tiny"),
    *("--trials-per-class", "4", "--out", "runs", "--no-report"),
)
TRAIN = ("train", "--grid", "grid.toml", "--out", "out", "--jobs")
STUDY = (
    *("import-trials", "study.csv", "-o", "long/table.parquet"),
    *("--columns", "seed=child,word_concept=item,condition=type"),
    *("--set", "population=children,test_language=en,n_choices=2"),
)
COMMANDS = (
    Command("run-paradigm me", command_line(*ME), _choices, 20),
    Command("run-paradigm me --jobs 2", command_line(*ME, "--jobs", "2"), _choices, 7, False),
    Command("run-paradigm dense-grounding", _run_maps, _maps, 18),
    Command("train", command_line(*TRAIN, "1"), _training, 15),
    Command("extract-features", _extract, _extraction, 12),
    Command("extract-features --jobs 2", partial(_extract, jobs=2), _extraction, 4, False),
    Command("import-data", command_line("import-data", "me-vgs", "--out", "out"),
            _published_data, 8),
    Command("import-mevgs", _import_networks, _published_networks, 6),
    Command("import-trials", command_line(*STUDY), _study, 5),
    Command("one worker of run-paradigm me", command_line(*ME, "--jobs", "2"), _choices, 4,
            False, "a child"),
    Command("one of two trainings into a folder", command_line(*TRAIN, "1"), _training, 5,
            True, "one of two"),
)  # fmt: skip


class Begun:
    """A process that does something in a folder."""

    def __init__(self, act: Act, folder: Path, kill_at: tuple[int, bool] | None = None) -> None:
        self.log = folder / "log"
        self.pid = os.fork()
        if self.pid:
            return
        code = 1
        try:
            os.setsid()
            log = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            os.dup2(log, 1)
            os.dup2(log, 2)
            counted = _counting(kill_at)
            try:
                act(folder)
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
            (folder / RENAMED).write_text(str(counted[0]))
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            with suppress(OSError, ValueError):
                sys.stdout.flush()
                sys.stderr.flush()
            os._exit(code)

    def has_ended(self) -> bool:
        """Whether it has, without waiting; it stays to be asked for its code."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def code(self) -> int:
        """Wait for its end, and that of all its children; exit code, or minus a signal."""
        limit = time.monotonic() + LONGEST_S
        while not self.has_ended():
            if time.monotonic() > limit:
                os.killpg(self.pid, signal.SIGKILL)
                raise RuntimeError("it never ended")
            time.sleep(0.01)
        code = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        while True:
            with suppress(ChildProcessError):
                os.waitpid(-self.pid, os.WNOHANG)
            try:
                os.killpg(self.pid, 0)
            except ProcessLookupError:
                return code
            if time.monotonic() > limit:
                os.killpg(self.pid, signal.SIGKILL)
                raise RuntimeError("a process is left")
            time.sleep(0.01)

    def children(self) -> list[int]:
        """Processes that it has started; Linux alone tells."""
        told = []
        for thread in Path(f"/proc/{self.pid}/task").glob("*/children"):
            with suppress(OSError):  # it has just ended
                told += [int(word) for word in thread.read_text().split()]
        return sorted(told)


def _counting(kill_at: tuple[int, bool] | None) -> list[int]:
    """Count renamings in this process, and kill it before or after one of them."""
    counted = [0]
    rename = Path.replace

    def counting(self: Path, target: Path) -> Path:
        counted[0] += 1
        if kill_at == (counted[0], True):
            os.kill(os.getpid(), signal.SIGKILL)
        moved = rename(self, target)
        if kill_at == (counted[0], False):
            os.kill(os.getpid(), signal.SIGKILL)
        return moved

    Path.replace = counting  # type: ignore[method-assign, assignment]
    return counted


def results(folder: Path) -> Mapping[str, object]:
    """What must be the same in the end, by name."""
    made: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if not path.is_file() or name in ("log", RENAMED) or path.suffix == CHECKSUM_SUFFIX:
            continue
        if path.name == "manifest.json":
            told = json.loads(path.read_text("utf-8"))
            made[name] = {key: value for key, value in told.items() if key not in CIRCUMSTANCES}
        elif path.suffix == ".h5":
            made[name] = _features(path)
        elif path.parent.parent.name != "embeddings":  # they hold what was needed, in that order
            made[name] = path.read_bytes()
        if checksum_file(path).is_file() and not is_sound(path):
            made[name] = "does not fit its checksum"
    return made


def _features(path: Path) -> object:
    """What a file of features holds, in whatever order it was written."""
    import h5py

    with h5py.File(path) as file:
        one_by_one = {name: (file[name]["feature"][()].tobytes(), file[name].attrs["media_sha256"])
                      for name in file}  # fmt: skip
        return dict(file.attrs), one_by_one


def left_over(folder: Path) -> list[str]:
    """Files and folders that a finished command does not leave."""
    return [
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if path.name.startswith(".")
        or path.suffix in (".lock", ".parts")
        or path.name == "unfinished"
    ]


def age(folder: Path) -> None:
    """Make files as old as those that nobody writes to any more."""
    then = time.time() - 2 * ABANDONED_AFTER_S
    for path in folder.rglob(".*"):
        os.utime(path, (then, then))


def kill_once(
    command: Command, folder: Path, rng: random.Random, n_renamings: int, length_s: float
) -> tuple[bool, str]:
    """Begin a command, and kill; whether it was killed, and what is wrong with that."""
    by_renaming = command.by_renaming and n_renamings and rng.random() < 0.5
    state = (rng.randint(1, n_renamings), rng.random() < 0.5) if by_renaming else None
    begun = Begun(command.act, folder, state)
    other = Begun(command.act, folder) if command.victim == "one of two" else None
    after_s = rng.random() * length_s
    start = time.monotonic()
    killed = False
    while state is None and not begun.has_ended() and not killed:
        if time.monotonic() - start >= after_s:
            whom = begun.children() if command.victim == "a child" else [begun.pid]
            if whom:
                with suppress(ProcessLookupError):
                    os.kill(rng.choice(whom), signal.SIGKILL)
                killed = True
        time.sleep(0.002)
    code = begun.code()
    fault = ""
    if command.victim == "a child" and killed and code not in (0, 2):
        fault = f"exit code {code} after a worker was killed: {begun.log.read_text()[-300:]}"
    if other is not None and (second := other.code()) not in (0, 2):
        fault = f"exit code {second} of the other: {begun.log.read_text()[-300:]}"
    return killed or code == -signal.SIGKILL, fault


def count_kills(
    commands: Sequence[Command],
    n_kills: int,
    seed: int,
    root: Path,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Count]:
    """Kill commands, and give them again.

    Args:
        commands: what is killed.
        n_kills: kills in all, shared out among the commands.
        seed: decides the moments.
        root: an empty folder.
        say: told of every fault, and when a command is done.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(36, 1)  # children of the killed come here to be asked for
    counts = {}
    total = sum(command.share for command in commands)
    for command in commands:
        rng = random.Random(f"{seed} {command.name}")
        count = counts[command.name] = Count()
        folder = _fresh(root / "work", command)
        start = time.monotonic()
        code = Begun(command.act, folder).code()
        length_s = time.monotonic() - start
        if code:
            raise RuntimeError(f"{command.name}: {(folder / 'log').read_text()}")
        expected, n_renamings = results(folder), int((folder / RENAMED).read_text())
        while count.tried < max(1, round(n_kills * command.share / total)):
            folder = _fresh(root / "work", command)
            killed, fault = kill_once(command, folder, rng, n_renamings, length_s)
            if not killed:
                count.ended_before += 1
                length_s *= 0.8  # the machine is faster now
                continue
            count.tried += 1
            age(folder)
            start = time.monotonic()
            code = Begun(command.act, folder).code()
            length_s = (length_s + max(length_s, time.monotonic() - start)) / 2
            found = results(folder)
            if code:
                fault = f"exit code {code} again: {(folder / 'log').read_text()[-500:]}"
            elif found != expected:
                names = [n for n in {*found, *expected} if found.get(n) != expected.get(n)]
                fault = f"other results: {', '.join(sorted(names))}"
            elif left := left_over(folder):
                fault = f"left over: {', '.join(left)}"
            if fault:
                count.faults.append(fault)
                say(f"{command.name}: {fault}")
            count.survived += not fault
        say(f"{command.name}: {count.tried} tried, {count.survived} survived "
            f"({n_renamings} renamings, {length_s:.1f} s)")  # fmt: skip
    return counts


def _fresh(folder: Path, command: Command) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "long").mkdir()
    command.prepare(folder)
    return folder


def main() -> int:
    """Count, and print a table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="commands whose names hold this")
    asked = parser.parse_args()
    commands = [command for command in COMMANDS if asked.only in command.name]
    for name in ("toolkit.cli.app", "toolkit.statistics.analysis", "pandas", "pyarrow.parquet",
                 "toolkit.training.populations", "h5py", "statsmodels.api"):  # fmt: skip
        __import__(name)  # once, and not in every process
    with tempfile.TemporaryDirectory() as folder:
        counts = count_kills(
            commands, asked.kills, asked.seed, Path(folder), lambda line: typer.echo(line)
        )
    typer.echo(f"\n{'command':36} {'tried':>6} {'survived':>9}")
    for name, count in counts.items():
        typer.echo(f"{name:36} {count.tried:6} {count.survived:9}")
    tried, survived = (sum(getattr(c, n) for c in counts.values()) for n in ("tried", "survived"))
    typer.echo(f"{'all':36} {tried:6} {survived:9}")
    return int(survived != tried)


if __name__ == "__main__":
    sys.exit(main())
