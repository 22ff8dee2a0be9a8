"""What came of chunks: a file of lines for each, written by whoever does it and read by all."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from stimuli.schemas import Source, checked
from toolkit.errors import ToolkitError
from toolkit.running.folder import working_folder
from toolkit.studies.durations import Took, added, core_s

ATTEMPTS = "attempts"
"""In the folder of a study's results: what came of chunks, one file each."""
MOST = 3
"""Attempts after which a chunk that always failed is not handed over again."""


@dataclass(frozen=True)
class Attempts:
    """What came of a chunk so far, as its own file tells."""

    failed: int = 0
    """Attempts that ended neither well nor when told to, since one last ended well."""
    running: int = 0
    """Attempts that were begun and have not said how they ended, since then."""
    logs: tuple[str, ...] = ()
    """Names of the jobs, as far as they have one."""
    last: str = ""
    """What the last of them failed at."""
    took: Mapping[str, Took] = field(default_factory=dict)
    """What the things that were done took, by what was done."""

    @property
    def is_given_up(self) -> bool:
        """Whether it failed too often to be handed over again."""
        return self.failed + self.running >= MOST


def attempts_file(out: Path, chunks: str, number: int) -> Path:
    """Where a chunk tells what came of it.

    Args:
        out: folder of the study's results.
        chunks: name of the list of chunks.
        number: of the chunk.
    """
    return out / ATTEMPTS / chunks / f"{number // 256}" / f"{number}.jsonl"


def attempts_in(file: Path) -> Attempts:
    """What came of a chunk so far; of a line that a crash cut short nothing is known.

    Args:
        file: see `attempts_file`.

    Example:
        >>> attempts_in(Path("no/such/file")).is_given_up
        False
    """
    failed = begun = 0
    jobs, last, took = list[str](), "", dict[str, Took]()
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    for line in lines:
        try:
            told = json.loads(line)
            what = told["what"]
        except (ValueError, TypeError, KeyError):
            continue
        if what == "begun":
            begun += 1
            jobs.append(str(told.get("job", "")))
            continue
        begun = max(0, begun - 1)
        if what == "failed":
            failed, last = failed + 1, str(told.get("why", ""))
        else:
            failed = begun = 0
            with suppress(ToolkitError):
                took = added(took, checked(dict[str, Took], told.get("took", {}), Source("took")))
    return Attempts(failed, begun, tuple(filter(None, jobs)), last, took)


@contextmanager
def attempt(file: Path) -> Iterator[Done]:
    """Write that an attempt begins and how it ends, one line each.

    A line is appended in one piece, so that two processes at the same chunk do not mix theirs.

    Args:
        file: see `attempts_file`.
    """
    done = Done()

    def write(what: str, **more: Any) -> None:
        with working_folder(file.parent), file.open("a", encoding="utf-8") as lines:
            lines.write(json.dumps({"what": what, **more}) + "\n")
            lines.flush()
            os.fsync(lines.fileno())

    write("begun", job=own_task() or "")
    try:
        yield done
    except BaseException as error:
        write("failed", why=str(error) or type(error).__name__)
        raise
    write("ended", took={name: asdict(one) for name, one in done.took.items()})


class Done:
    """What a chunk has done, and the processor time that it took."""

    def __init__(self) -> None:
        self.took: dict[str, Took] = {}
        self._core_s = core_s()

    def add(self, name: str, n: int) -> None:
        """Add things that were done since the last time."""
        now = core_s()
        if n:
            self.took = added(self.took, {name: Took(n, now - self._core_s)})
        self._core_s = now


def took_by_workers(out: Path) -> dict[str, Took]:
    """What workers measured, those of all lists of chunks together.

    Args:
        out: folder of the study's results.

    Example:
        >>> took_by_workers(Path("no/such/folder"))
        {}
    """
    took: dict[str, Took] = {}
    for file in sorted(out.glob(f"{ATTEMPTS}/*/*/*.jsonl")):
        took = added(took, attempts_in(file).took)
    return {name: one for name, one in took.items() if one.n}


def own_task() -> str | None:
    """Number of the task that this process is, as SLURM knows it; None outside of it."""
    job, task = (os.environ.get(f"SLURM_ARRAY_{part}_ID") for part in ("JOB", "TASK"))
    return f"{job}_{task}" if job and task else None
