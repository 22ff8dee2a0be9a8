"""Tries inputs in a process of its own, so that one that crashes or never ends is known by name.

`Trier` starts that process and asks it; the process prints a line of JSON for every input. What is
a failure is told in `README.md`.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import resource
import signal
import subprocess
import sys
import tempfile
import traceback
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from types import TracebackType
from typing import Any

from stimuli.characters import shown
from stimuli.files import checksum_file
from tests.fuzz.targets import Ready, all_targets
from toolkit.errors import ToolkitError

ROOT = Path(__file__).parents[2]
CPU_S = 30
"""Seconds of work after which an input has not been read."""
WALL_S = 900
"""Seconds after which the process is ended in any case, whatever it waits for."""
GROWTH = 2**30
"""Bytes by which reading an input may make the process larger."""
ROOM = 3 * 2**30
"""Bytes that may be asked for beyond what is there; more raises MemoryError."""
LONGEST = 2_000
"""Characters of an error message."""
_MEMORY = re.compile("MemoryError|bad_alloc|[aA]llocat|malloc")
REFUSED, ACCEPTED, FAILED = "refused", "accepted", "failed"


@dataclass(frozen=True)
class Outcome:
    """What came of one input."""

    result: str
    """`refused`, `accepted` or `failed`."""
    why: str
    """The first line of the message, or what went wrong; the same for the same fault."""
    data: bytes = b""
    """The input, where it failed."""


class Trier:
    """Tries inputs, one after the other; a context manager."""

    def __enter__(self) -> Trier:
        self._folder = tempfile.TemporaryDirectory()
        self._process: subprocess.Popen[str] | None = None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()
        self._folder.cleanup()

    def fresh(self, name: str, numbers: range, seed: int) -> Iterator[Outcome]:
        """Inputs made anew: which, is decided by the number of each and the seed alone."""
        left = list(numbers)
        while left:
            done = 0
            for outcome in self._ask({"target": name, "numbers": left, "seed": seed}):
                done += 1
                yield outcome
            left = left[done:]

    def given(self, name: str, data: bytes) -> Outcome:
        """One input that is there."""
        self._input.write_bytes(data)
        return next(self._ask({"target": name, "numbers": [0]}))

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "log"

    @property
    def _input(self) -> Path:
        return Path(self._folder.name) / "input"

    def _ask(self, question: dict[str, Any]) -> Iterator[Outcome]:
        process = self._started()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps(question) + "\n")
        process.stdin.flush()
        for _ in question["numbers"]:
            line = process.stdout.readline()
            if not line:
                # The input lies where the process has put it before it began.
                code = process.wait()
                self._process = None
                if code > 0:
                    raise RuntimeError(f"{question['target']}: {self._log.read_text()[-5000:]}")
                yield Outcome(FAILED, _death(code), self._input.read_bytes())
                return
            result, why, data = json.loads(line)
            yield Outcome(result, why, base64.b64decode(data))

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, self._folder.name],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log.open("w"),
                text=True,
                env={**os.environ, "OMP_NUM_THREADS": "1", "MEVGS_BACKBONES": self._folder.name},
            )
        return self._process

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


def _death(code: int) -> str:
    names = {signal.SIGPROF: f"more than {CPU_S} s of work", signal.SIGALRM: "no end"}
    return names.get(-code, f"the process died of {signal.Signals(-code).name}")


def _serve(folder: Path) -> None:
    """Answer questions until there are no more."""
    answers = os.fdopen(os.dup(1), "w")
    nothing = os.open(os.devnull, os.O_RDWR)
    questions = os.fdopen(os.dup(0))
    for number in (0, 1):
        os.dup2(nothing, number)
    os.chdir(folder)
    ready: dict[str, Ready] = {}
    unread: dict[str, str] = {}
    for line in questions:
        question = json.loads(line)
        name = question["target"]
        if name not in ready:
            own = Path(tempfile.mkdtemp(dir=folder))
            ready[name] = all_targets()[name].prepare(own)
            unread[name] = _unread(ready[name])
        one, file = ready[name], folder / "input"
        expected = _expected(one)
        for number in question["numbers"]:
            if "seed" in question:
                rng = Random(zlib.crc32(f"{name} {question['seed']} {number}".encode()))
                file.write_bytes(one.mutate(rng.choice(one.originals), rng))
            result, why = _tried(one, file.read_bytes(), expected)
            if unread[name]:
                result, why = FAILED, unread[name]
            kept = base64.b64encode(file.read_bytes()).decode() if result == FAILED else ""
            answers.write(json.dumps([result, why.replace(str(folder), ""), kept]) + "\n")
            answers.flush()


def _unread(ready: Ready) -> str:
    """What is wrong with the sound files; nothing must be.

    It is not measured: what the toolkit imports when it first reads belongs to no input.
    """
    for data in ready.originals:
        _place(ready, data)
        result, why = _tried(ready, data, _expected(ready), measured=False)
        if result != ACCEPTED:
            return f"the sound file is refused: {why}"
    return ""


def _expected(ready: Ready) -> Any:
    if ready.same is None:
        return None
    _place(ready, ready.originals[0])
    return ready.same(ready.read(ready.place))


def _place(ready: Ready, data: bytes) -> None:
    ready.before()
    ready.place.parent.mkdir(parents=True, exist_ok=True)
    ready.place.write_bytes(data)
    if ready.fits:
        told = f"{hashlib.sha256(data).hexdigest()}  {ready.place.name}\n"
        checksum_file(ready.place).write_text(told, encoding="utf-8")


def _tried(ready: Ready, data: bytes, expected: Any, *, measured: bool = True) -> tuple[str, str]:
    """What comes of one input, with all that it may take limited."""
    _place(ready, data)
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_memory("VmSize") + ROOM if measured else hard, hard))
    signal.setitimer(signal.ITIMER_PROF, CPU_S * (1 if measured else 20))
    signal.alarm(WALL_S)
    try:
        made = ready.read(ready.place)
        result, why = _judged(ready, made, expected)
    except ToolkitError as error:
        result, why = _message(str(error))
        # Below the first line torch lists functions, some of which allocate.
        cause = repr(error.__cause__).partition("\\n")[0]
        if _MEMORY.search(cause):
            # Refused for want of memory here; elsewhere it would have been laid out.
            result, why = FAILED, f"too much memory was asked for: {cause:.200}"
    except BaseException as error:
        result, why = FAILED, _traceback(error)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    grown = _memory("VmHWM") - before
    if measured and grown > GROWTH:
        return FAILED, f"more than {GROWTH >> 20} MB of memory ({result}: {why})"
    return result, why


def _judged(ready: Ready, made: Any, expected: Any) -> tuple[str, str]:
    if ready.same is not None and ready.same(made) != expected:
        return FAILED, "another result than that of the sound file"
    return (ACCEPTED, "") if ready.sound(made) else (FAILED, "a result that cannot be")


def _message(text: str) -> tuple[str, str]:
    if len(text) > LONGEST:
        return FAILED, f"a message of {len(text) // 1000} thousand characters: {text[:200]}"
    if shown(text, keep="\n\t") != text:
        return FAILED, f"control characters in the message: {text!r:.200}"
    return REFUSED, text.partition("\n")[0]


def _traceback(error: BaseException) -> str:
    """The error and where in the toolkit it came from; the same for the same fault."""
    own = [
        f"{Path(one.filename).name}:{one.lineno} {one.name}"
        for one in traceback.extract_tb(error.__traceback__)
        if one.filename.startswith(str(ROOT)) and "/tests/" not in one.filename
    ]
    return f"{type(error).__name__}: {str(error)[:160]!r} at {own[-1] if own else '?'}"


def _memory(what: str) -> int:
    """Bytes, as the system tells of this process."""
    found = re.search(rf"{what}:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


if __name__ == "__main__":
    _serve(Path(sys.argv[1]))
