"""Clips and pictures, read and decoded ahead of the work on them, by other processes if asked for.

What is in memory at once hangs on the order and the sizes of the files alone: not on how many
processes read, nor on how quickly.
"""

from __future__ import annotations

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.processes.workers import Begin, processes
from toolkit.subjects.backbones.stored import Media, media_sha256
from toolkit.subjects.features.sources import Job

MOST_BYTES = 1 << 28
"""Samples or pixels that are in memory at once; about as much again is read ahead."""
AT_ONCE = 32
"""Files that one process reads before it hands them on."""

Prepare = Callable[[Media], Media]
"""Makes of a clip or picture what a backbone can take in its place, to the same effect."""


@dataclass(frozen=True)
class Unreadable:
    """A clip or picture that has no features."""

    path: Path
    """The file of features that it is missing from."""
    name: str
    """What it is called."""
    reason: str
    """What is wrong with it."""


@dataclass(frozen=True, eq=False)
class Found:
    """A clip or picture that could be read."""

    media: Media
    """What a backbone takes."""
    sha256: str
    """See `media_sha256`; of the clip or picture before it was prepared."""


Read = tuple[dict[str, Found], list[Unreadable]]
"""What could be read, by name, and what could not."""


class Reader:
    """Reads clips or pictures; other processes can be told of it, which open what it reads once.

    Args:
        job: whose clips or pictures.
        prepare: what is done to each where it is read; None for nothing.
    """

    def __init__(self, job: Job, prepare: Prepare | None) -> None:
        self._path, self._read, self._prepare = job.path, job.read, prepare

    def __call__(self, names: Sequence[str]) -> Read:
        """Read some."""
        found: dict[str, Found] = {}
        faults = []
        for name in names:
            try:
                media = self._read(name)
            except ToolkitError as error:
                faults.append(Unreadable(self._path, name, error.message))
            except OSError as error:
                faults.append(Unreadable(self._path, name, f"{error.filename}: {error.strerror}"))
            else:
                prepared = self._prepare(media) if self._prepare else media
                found[name] = Found(prepared, media_sha256(media))
        return found, faults

    @cached_property
    def _told(self) -> bytes:
        return pickle.dumps(vars(self))

    def __reduce__(self) -> tuple[Callable[[bytes], Reader], tuple[bytes]]:
        """The same reader in a process whenever it is told of it again."""
        return _reader, (self._told,)


@lru_cache(maxsize=1)
def _reader(told: bytes) -> Reader:
    reader = object.__new__(Reader)
    vars(reader).update(pickle.loads(told))  # nosec B301 # from the process that tells of it
    return reader


@contextmanager
def helpers(jobs: int) -> Iterator[Begin]:
    """Give a function that begins work beside this thread: in processes, or in threads of this one.

    When the block is left, in whatever way, work that is not begun is left undone.

    Args:
        jobs: processes; 1 for threads, one to read and one to write.

    Raises:
        ProcessEndedError: out of the futures, see `toolkit.processes.workers.processes`.
    """
    if jobs > 1:
        with processes(jobs) as begin:
            yield begin
        return
    threads = ThreadPoolExecutor(max_workers=2)
    try:
        yield threads.submit
    finally:
        threads.shutdown(cancel_futures=True)


def read_ahead(
    reader: Reader, portions: Sequence[Sequence[str]], begin: Begin, jobs: int
) -> Iterator[Read]:
    """Read portion after portion, the next one while one is worked on.

    Args:
        reader: reads.
        portions: names of those that may be in memory at once.
        begin: as `helpers` gives it.
        jobs: how many read at the same time.

    Yields:
        What was read of each portion, in its order; in several parts where it takes more memory
        than `MOST_BYTES`.
    """
    pieces = [
        (portion[start : start + AT_ONCE], start + AT_ONCE >= len(portion))
        for portion in portions
        for start in range(0, len(portion), AT_ONCE)
    ]
    in_portion = -(-max(map(len, portions), default=0) // AT_ONCE)
    waiting: deque[Future[Read]] = deque()
    found: dict[str, Found] = {}
    faults: list[Unreadable] = []
    largest = n_bytes = 0
    try:
        for place, (_, ends) in enumerate(pieces):
            # Nothing is known of sizes before the first piece is there.
            ahead = max(jobs, min(in_portion, MOST_BYTES // largest)) if largest else jobs
            for names, _ in pieces[place + len(waiting) : place + 1 + ahead]:
                waiting.append(begin(reader, names))
            some, unread = waiting.popleft().result()
            own_bytes = sum(one.media.nbytes for one in some.values())
            largest, n_bytes = max(largest, own_bytes), n_bytes + own_bytes
            found |= some
            faults += unread
            if ends or n_bytes >= MOST_BYTES:
                yield found, faults
                found, faults, n_bytes = {}, [], 0
    finally:
        for one in waiting:
            one.cancel()
