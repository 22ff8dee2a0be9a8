"""Puts clips and pictures through a frozen backbone once, and keeps the features on disk.

Work is done in portions, so that memory does not grow with the number of files; a few at a time go
through the backbone and are written whole, so that a stopped extraction goes on where it was.

A backbone takes clips of equal length together, so those of a portion are sorted by length. How
many share a batch may change the last digits of features (less than 1e-5). It hangs on the order
and the sizes of the files alone: neither on how many processes read them, nor on whether and where
an extraction was stopped.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Generator, Sequence, Set
from concurrent.futures import Future
from contextlib import closing
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from stimuli.cells import csv_text
from stimuli.files import checksum_file, is_sound, remove_abandoned, write_atomic
from toolkit.devices import CPU, Device, NoRoomError
from toolkit.errors import ToolkitError
from toolkit.processes.alone import alone_with
from toolkit.processes.threads import one_thread
from toolkit.processes.workers import Begin
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.finding import open_backbone
from toolkit.subjects.backbones.listing import list_features
from toolkit.subjects.backbones.stored import (
    FRAMES_PER_S,
    SUFFIX,
    FeatureFile,
    Media,
    group_name,
    join_files,
    write_features,
)
from toolkit.subjects.features.reading import (
    Found,
    Prepare,
    Reader,
    Unreadable,
    helpers,
    read_ahead,
)
from toolkit.subjects.features.sources import Job

PORTION = {"word": 1024, "picture": 128}
"""Clips and pictures that are in memory at once, at most; see `reading.MOST_BYTES`."""
TOGETHER = {"word": 128, "picture": 32}
"""Clips and pictures that go through the backbone, and are written, together."""
ON_CARD = 4
"""Times as many of both for a card, which computes many at the speed of a few."""
DEVICE = "device"
"""Attribute of files of features made on a card: its kind and precision."""
_BACKBONE_KIND = {"word": "hearing", "picture": "seeing"}

Progress = Callable[[str, int, int], None]
_Feature = NDArray[np.float32]
_Made = dict[str, tuple[_Feature, str]]
"""Features by name, with the checksum of what each was made of."""


class Maker(Protocol):
    """Where features come from."""

    sha256: str
    """Equal for makers that give the same features."""
    device: Device
    """Where they compute."""

    def make(self, media: dict[str, Media]) -> list[_Feature]:
        """Features of clips or pictures, by name, in their order."""
        ...


@runtime_checkable
class Prepares(Protocol):
    """A maker part of whose work can be done ahead, where clips or pictures are read."""

    def preparation(self) -> Prepare | None:
        """What `make` also takes in a clip's or picture's place; can be told to processes."""
        ...


class Computed:
    """Features computed by a backbone, which is loaded when first needed.

    Args:
        kind: `word` or `picture`.
        place: the backbone's folder or weights file.
        device: where it computes.
    """

    def __init__(self, kind: str, place: Path, device: Device = CPU) -> None:
        self.sha256 = backbone_checksum(place)
        self.device = device
        self._kind, self._place = kind, place

    @property
    def told(self) -> dict[str, str]:
        """What files of its features say of it beside its checksum."""
        # Neither pictures nor features that stand in a backbone's place have any.
        rate = getattr(self.backbone, FRAMES_PER_S, None)
        return {} if rate is None else {FRAMES_PER_S: f"{rate:g}"}

    def make(self, media: dict[str, Media]) -> list[_Feature]:
        """Features of clips or pictures, by name, in their order."""
        return list(self.backbone.features(list(media.values())))

    def preparation(self) -> Prepare | None:
        """What the backbone does to each before anything is computed, if it tells."""
        prepare: Prepare | None = getattr(self.backbone, "preparation", None)
        return prepare

    @cached_property
    def backbone(self) -> Any:
        """The backbone, loaded when it is first asked for."""
        return open_backbone(_BACKBONE_KIND[self._kind], self._place, self.device)


@one_thread()
def extract(
    job: Job, maker: Maker, progress: Progress = lambda *_: None, *, jobs: int = 1
) -> list[Unreadable]:
    """Make what a job's file still lacks.

    Args:
        job: clips or pictures, and the file.
        maker: gives the features.
        progress: called with what is being done, how much of it is done, and how much there is.
        jobs: processes that read, decode and write beside the backbone; 1 for threads of this
            one. The file is the same to the byte however many there are.

    Returns:
        The clips and pictures that have no features, and why; all others are in the file.

    Raises:
        ToolkitError: the file is of another backbone or another set, or another process makes it.
    """
    lock = job.path.with_name(f"{job.path.name}.lock")
    with alone_with(lock, f"{job.path} is being made by another process."):
        return _extract(job, maker, progress, jobs)


def _extract(job: Job, maker: Maker, progress: Progress, jobs: int) -> list[Unreadable]:
    attributes = {"kind": job.kind, "source": job.source, "backbone_sha256": maker.sha256}
    if facts := maker.device.facts:
        attributes[DEVICE] = ", ".join(facts["device"])
    parts = job.path.with_name(f"{job.path.name}.parts")
    _refuse_others(job.path, attributes)
    parts.mkdir(parents=True, exist_ok=True)
    for folder in (parts, job.path.parent):
        remove_abandoned(folder)
    finished = [job.path] if is_sound(job.path) else []
    finished += _usable(parts, attributes)
    known = {name for path in finished for name in FeatureFile(path).names}
    waiting = {name for name in job.names if group_name(name) not in known}
    faults: list[Unreadable] = []
    done, what = len(job.names) - len(waiting), job.path.stem
    number = max((int(path.stem) for path in parts.glob(f"[0-9]*{SUFFIX}")), default=0)
    progress(what, done, len(job.names))
    if waiting and isinstance(maker, Computed):
        # One that cannot be loaded is no fault of each clip's, and is told before any is read.
        _ = maker.backbone
        attributes |= maker.told
    written: deque[Future[None]] = deque()
    with helpers(jobs) as begin:
        try:
            with closing(_some_together(job, maker, waiting, begin, jobs)) as given:
                for some, unread in given:
                    features, refused = _made(job, maker, some)
                    faults += unread + refused
                    if features:
                        number += 1
                        finished.append(parts / f"{number:06d}{SUFFIX}")
                        written.append(begin(write_features, finished[-1], features, attributes))
                    while len(written) > jobs:
                        written.popleft().result()
                    done += len(some) + len(unread)
                    progress(what, done, len(job.names))
        finally:  # what was made is kept, whatever happened
            for last in written:
                last.result()
        begin(_finish, job.path, finished, attributes, parts).result()
    return faults


def _finish(path: Path, finished: list[Path], attributes: dict[str, str], parts: Path) -> None:
    """Make one file of the portions, and take them away."""
    if finished not in ([], [path]):
        join_files(path, finished, attributes)
    shutil.rmtree(parts)


def write_faults(folder: Path, faults: Sequence[Unreadable]) -> Path:
    """Write the table of what has no features, `unreadable.csv`.

    Args:
        folder: where to.
        faults: what to write.
    """
    path = folder / "unreadable.csv"
    rows = ((str(one.path), one.name, one.reason) for one in faults)
    with write_atomic(path) as unfinished:
        unfinished.write_text(csv_text([("features", "name", "reason"), *rows]), encoding="utf-8")
    return path


def _refuse_others(path: Path, attributes: dict[str, str]) -> None:
    """Keep a file that was made by another backbone, or from another set; a damaged one is not."""
    if not path.is_file() or (checksum_file(path).is_file() and not is_sound(path)):
        return
    told = list_features(path, kept=False).attributes
    for key, what in (
        ("backbone_sha256", "by another backbone"),
        ("source", "from other files"),
        (DEVICE, "on another kind of device, or in another precision"),
    ):
        if told.get(key) != attributes.get(key):
            raise ToolkitError(
                f"{path} was made {what}; it is left as it is.",
                given=attributes.get(key, CPU.kind),
                allowed=told.get(key, CPU.kind if key == DEVICE else "(it does not tell)"),
                next_command="choose another folder with --out DIR, or remove the file",
            )


def _usable(parts: Path, attributes: dict[str, str]) -> list[Path]:
    """Portions that a stopped extraction left, unless damaged, or of another backbone or set."""
    usable = []
    for path in sorted(parts.glob(f"[0-9]*{SUFFIX}")):
        if is_sound(path) and attributes.items() <= FeatureFile(path).attributes.items():
            usable.append(path)
        else:
            path.unlink()
            checksum_file(path).unlink(missing_ok=True)
    return usable


def _some_together(
    job: Job, maker: Maker, waiting: Set[str], begin: Begin, jobs: int
) -> Generator[tuple[dict[str, Found], list[Unreadable]]]:
    """What has no features yet: what goes through the backbone together, and what is unreadable.

    Of portions that an extraction was stopped in, all is read again: what went through the backbone
    together would go so again.
    """
    times = 1 if maker.device.kind == "cpu" else ON_CARD
    size, together = PORTION[job.kind] * times, TOGETHER[job.kind] * times
    portions = [job.names[start : start + size] for start in range(0, len(job.names), size)]
    portions = [portion for portion in portions if not waiting.isdisjoint(portion)]
    prepare = maker.preparation() if portions and isinstance(maker, Prepares) else None
    for found, unread in read_ahead(Reader(job, prepare), portions, begin, jobs):
        names = list(found)
        if job.kind == "word":
            names.sort(key=lambda name: len(found[name].media))
        faults = [one for one in unread if one.name in waiting]
        for start in range(0, max(1, len(names)), together):
            some = [name for name in names[start : start + together] if name in waiting]
            yield {name: found[name] for name in some}, faults
            faults = []


def _made(job: Job, maker: Maker, some: dict[str, Found]) -> tuple[_Made, list[Unreadable]]:
    """Features of some that go through the backbone together; if one is refused, each alone."""
    if not some:
        return {}, []
    try:
        made = maker.make({name: one.media for name, one in some.items()})
    except NoRoomError:
        raise  # this is no fault of the clip's or picture's
    except ToolkitError as error:
        if len(some) == 1:
            return {}, [Unreadable(job.path, name, error.message) for name in some]
        features, faults = {}, []
        for name, one in some.items():
            good, bad = _made(job, maker, {name: one})
            features.update(good)
            faults += bad
        return features, faults
    features, faults = {}, []
    for (name, one), feature in zip(some.items(), made, strict=True):
        if np.isfinite(feature).all():
            features[name] = np.ascontiguousarray(feature, dtype=np.float32), one.sha256
        else:
            faults.append(Unreadable(job.path, name, "its features are not finite"))
    return features, faults
