"""How the README's first command ends, counted under load; and how refused commands do.

Each run has a fresh folder, and must end with exit code 0 and a whole page, say nothing on standard
error (progress is drawn on terminals only), and leave no process and no temporary file. Refused
commands must end with exit code 2 and one message; the time from that to the end of the process is
told. ``stress`` keeps all cores busy meanwhile, where it is installed:

    python -m tests.benchmarks.count_first_command 100 100
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-c", "from toolkit.cli import command; command()"]
FIRST = ["run-paradigm", "me", "--subject", "bilingual-en-nl"]
MARK = "COUNTED_COMMAND"
"""Variable of the environment by which the processes of a command are known."""
LIMIT_S = 1800


class Ended(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str
    lasted_s: float
    after_message_s: float
    """From the first word on standard error to the end of the process."""
    faults: list[str]
    """What it left behind."""


def call(arguments: Sequence[str], cwd: Path, scratch: Path) -> Ended:
    """Call the toolkit, wait for its end, and look what it left.

    Args:
        arguments: of the command.
        cwd: folder it is called in.
        scratch: an empty folder for temporary files.
    """
    mark = uuid.uuid4().hex
    settings = {**os.environ, "PYTHONPATH": str(ROOT), "TMPDIR": str(scratch), MARK: mark}
    began = time.monotonic()
    with subprocess.Popen(
        [*COMMAND, *arguments], cwd=cwd, env=settings, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        out, err = _Read(process.stdout), _Read(process.stderr)
        code = process.wait(LIMIT_S)
        ended = time.monotonic()
        out.join()
        err.join()
    faults = [f"process left: {name}" for name in _marked(mark)]
    # The folder in which torch keeps what it compiles is made when torch is imported, one per user.
    left = [
        path for path in scratch.rglob("*") if not path.match(f"{scratch.name}/torchinductor_*")
    ]
    faults += [f"left in TMPDIR: {path.relative_to(scratch)}" for path in left]
    faults += [f"temporary file left: {path.relative_to(cwd)}" for path in cwd.rglob(".*")]
    after = ended - (err.first_s or ended)
    return Ended(code, out.text, err.text, ended - began, after, faults)


class _Read(threading.Thread):
    """Reads a pipe to its end, and notes when the first word came."""

    def __init__(self, pipe: object) -> None:
        super().__init__(daemon=True)
        self._pipe, self.first_s, self._parts = pipe, None, list[bytes]()
        self.start()

    def run(self) -> None:
        while part := os.read(self._pipe.fileno(), 1 << 16):
            self.first_s = self.first_s or time.monotonic()
            self._parts.append(part)

    @property
    def text(self) -> str:
        return b"".join(self._parts).decode()


def _marked(mark: str) -> Iterator[str]:
    """Processes that were started by a command, by what stands in their environment."""
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark.encode() in path.read_bytes():
                yield (path.parent / "cmdline").read_text().replace("\0", " ")
        except OSError:  # of another user, or ended meanwhile
            continue


def faults_of_run(ended: Ended, cwd: Path) -> list[str]:
    """What is wrong with a run of the first command."""
    faults = [*ended.faults]
    if ended.code != 0:
        faults.append(f"exit code {ended.code}")
    if ended.err:
        faults.append(f"standard error: {ended.err[:500]}")
    pages = list(cwd.glob("mevgs-runs/*/report.html"))
    if len(pages) != 1 or not pages[0].read_text(encoding="utf-8").rstrip().endswith("</html>"):
        faults.append(f"{len(pages)} pages, or half of one")
    if not ended.out.rstrip().endswith("report.html"):
        faults.append(f"last words: {ended.out[-200:]}")
    return faults


def faults_of_refusal(ended: Ended) -> list[str]:
    """What is wrong with how a command was refused."""
    faults = [*ended.faults]
    if ended.code != 2:
        faults.append(f"exit code {ended.code}")
    if "Traceback" in ended.err + ended.out:
        faults.append("a traceback")
    if len([line for line in ended.err.splitlines() if line.startswith("Error: ")]) != 1:
        faults.append(f"not one message: {ended.err[:500]}")
    return faults


def refused(place: Path) -> list[list[str]]:
    """Commands that are refused: early and late, before and after slow imports, by workers, too."""
    occupied = place / "occupied"
    _ran(["run-paradigm", "familiar", "--subject", "perfect", "--out", str(occupied)], place)
    run = next(occupied.glob("familiar-*"))
    shutil.rmtree(run)
    run.write_text("a file where the run's folder belongs")
    _ran(["new-paradigm", "mine", "--out", str(place / "mine")], place)
    damaged = place / "subjects" / "damaged"
    shutil.copytree(ROOT / "toolkit" / "subjects" / "weights" / "bilingual-en-nl", damaged)
    card = damaged / "population.toml"
    card.write_text(card.read_text(encoding="utf-8").replace("bilingual-en-nl", "damaged"))
    for file in damaged.rglob("*.safetensors"):
        file.write_bytes(file.read_bytes()[:1000])
    (place / "a-file").write_text("no folder")
    (place / "words.toml").write_text("not = [valid")
    ours = ["--subjects", str(place / "subjects")]
    return [
        ["run-paradigm", "me", "--subject", "bilingual-en-xx"],
        ["run-paradigm", "mee", "--subject", "bilingual-en-nl"],
        ["run-paradigm", "me", "--subject", "bilingual-en-nl/zz"],
        [*FIRST, "--trials-per-class", "0"],
        [*FIRST, "--trials-per-class", "many"],
        [*FIRST, "--stimuli", "nowhere"],
        [*FIRST, "--language", "xx"],
        [*FIRST, "--out", str(place / "a-file")],
        [*FIRST, "--out", "/proc/nowhere"],
        [*FIRST, "--no-such-option"],
        ["run-paradigm", "me"],
        ["run-paradigm", "familiar", "--subject", "perfect", "--out", str(occupied)],
        ["run-paradigm", "me", "--subject", "damaged", *ours],
        ["run-paradigm", "me", "--subject", "damaged", "--jobs", "2", *ours],
        ["run-paradigm", "dense-grounding", "--subject", "multilingual-clip", "--template", "no"],
        [*FIRST, "--words", str(place / "words.toml")],
        ["run-paradigm", "dense-grounding", "--subject", "openclip:ViT-B-32/none"],
        ["analyze", str(place / "a-file")],
        ["report", str(place / "nowhere")],
        ["train", "--hearing", "nowhere"],
        ["new-paradigm", "mine", "--out", str(place / "mine")],
    ]


def _ran(arguments: list[str], place: Path) -> None:
    settings = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([*COMMAND, *arguments], cwd=place, env=settings, check=True, capture_output=True)


@contextmanager
def load(*, wanted: bool) -> Iterator[str]:
    """All cores busy, where ``stress`` is installed."""
    program, cores = shutil.which("stress"), os.cpu_count() or 1
    if program is None or not wanted:
        yield "without load of its own"
        return
    # It ends by itself, should this process be killed.
    command = [program, "-c", str(cores), "-t", str(6 * 3600)]
    busy = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"with stress -c {cores}"
    finally:
        busy.terminate()
        busy.wait()


def spread(values: Sequence[float]) -> str:
    """Median, 95 per cent and most of some times."""
    ordered = sorted(values)
    at = ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))]
    return f"median {statistics.median(ordered):.2f} s, 95 % {at:.2f} s, most {ordered[-1]:.2f} s"


def count(n_runs: int, n_refused: int, place: Path) -> int:
    """Count, tell, and give the number of commands that ended badly."""
    bad, lasted, after = 0, list[float](), list[float]()
    say = sys.stdout.write
    for n in range(n_runs):
        cwd, scratch = place / f"run-{n}", place / f"tmp-{n}"
        cwd.mkdir()
        scratch.mkdir()
        ended = call(FIRST, cwd, scratch)
        faults = faults_of_run(ended, cwd)
        lasted.append(ended.lasted_s)
        bad += bool(faults)
        say(f"run {n + 1}: {ended.lasted_s:.1f} s {'; '.join(faults)}\n")
        sys.stdout.flush()
        shutil.rmtree(cwd)
    if n_runs:
        say(f"{n_runs} runs, {bad} ended badly; each lasted {spread(lasted)}\n")
    kinds, bad_refusals = refused(place) if n_refused else [], 0
    for n in range(n_refused):
        cwd, scratch = place / f"refused-{n}", place / f"tmp-refused-{n}"
        cwd.mkdir()
        scratch.mkdir()
        ended = call(kinds[n % len(kinds)], cwd, scratch)
        faults = faults_of_refusal(ended)
        after.append(ended.after_message_s)
        bad_refusals += bool(faults)
        told = f"{ended.after_message_s:.3f} s after the message, {ended.lasted_s:.1f} s in all"
        say(f"refused {n + 1}: {told}, {' '.join(kinds[n % len(kinds)])} {'; '.join(faults)}\n")
        sys.stdout.flush()
    if n_refused:
        slow = sum(value > 1 for value in after)
        say(f"{n_refused} refused in {len(kinds)} ways, {bad_refusals} ended badly\n")
        say(f"from message to end: {spread(after)}; {slow} took more than a second\n")
    return bad + bad_refusals


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("runs", type=int, nargs="?", default=3, help="runs of the first command")
    parser.add_argument("refused", type=int, nargs="?", default=20, help="refused commands")
    parser.add_argument("--no-load", action="store_true", help="for several counts at a time")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, load(wanted=not given.no_load) as how:
        sys.stdout.write(f"Counted {how}, on {os.cpu_count()} cores.\n")
        sys.exit(bool(count(given.runs, given.refused, Path(folder))))
