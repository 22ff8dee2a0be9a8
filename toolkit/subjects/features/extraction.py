"""Puts clips and pictures through a frozen backbone once, and keeps the features on disk.

Work is done in portions, so that memory does not grow with the number of files; each portion is
written whole before the next one is begun, so that a stopped extraction goes on where it was.
"""

from __future__ import annotations

import shutil
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from stimuli.cells import csv_text
from stimuli.files import checksum_file, is_sound, remove_abandoned, write_atomic
from toolkit.devices import CPU, Device, NoRoomError
from toolkit.errors import ToolkitError
from toolkit.processes.alone import alone_with
from toolkit.processes.threads import one_thread
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.finding import open_backbone
from toolkit.subjects.backbones.listing import list_features
from toolkit.subjects.backbones.stored import (
    SUFFIX,
    FeatureFile,
    Media,
    group_name,
    join_files,
    media_sha256,
    write_features,
)
from toolkit.subjects.features.sources import Job

PORTION = {"word": 128, "picture": 32}
"""Clips and pictures that are in memory at once."""
DEVICE = "device"
"""Attribute of files of features made on a card: its kind and precision."""
FRAMES_PER_S = "frames_per_s"
"""Attribute of backbones that hear, and of files of their features: frames for a second."""
_BACKBONE_KIND = {"word": "hearing", "picture": "seeing"}

Progress = Callable[[str, int, int], None]
_Read = tuple[dict[str, Media], list["Unreadable"]]


@dataclass(frozen=True)
class Unreadable:
    """A clip or picture that has no features."""

    path: Path
    """The file of features that it is missing from."""
    name: str
    """What it is called."""
    reason: str
    """What is wrong with it."""


class Maker(Protocol):
    """Where features come from."""

    sha256: str
    """Equal for makers that give the same features."""
    device: Device
    """Where they compute."""

    def make(self, media: dict[str, Media]) -> list[NDArray[np.float32]]:
        """Features of clips or pictures, by name, in their order."""
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

    @cached_property
    def backbone(self) -> Any:
        """The backbone, loaded when it is first asked for."""
        return open_backbone(_BACKBONE_KIND[self._kind], self._place, self.device)

    def make(self, media: dict[str, Media]) -> list[NDArray[np.float32]]:
        """Features of clips or pictures, by name, in their order."""
        return list(self.backbone.features(list(media.values())))


@one_thread()
def extract(job: Job, maker: Maker, progress: Progress = lambda *_: None) -> list[Unreadable]:
    """Make what a job's file still lacks.

    Args:
        job: clips or pictures, and the file.
        maker: gives the features.
        progress: called with what is being done, how much of it is done, and how much there is.

    Returns:
        The clips and pictures that have no features, and why; all others are in the file.

    Raises:
        ToolkitError: the file is of another backbone or another set, or another process makes it.
    """
    lock = job.path.with_name(f"{job.path.name}.lock")
    with alone_with(lock, f"{job.path} is being made by another process."):
        return _extract(job, maker, progress)


def _extract(job: Job, maker: Maker, progress: Progress) -> list[Unreadable]:
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
    waiting = [name for name in job.names if group_name(name) not in known]
    faults: list[Unreadable] = []
    done, what = len(job.names) - len(waiting), job.path.stem
    number = max((int(path.stem) for path in parts.glob(f"[0-9]*{SUFFIX}")), default=0)
    progress(what, done, len(job.names))
    if waiting and isinstance(maker, Computed):
        # One that cannot be loaded is no fault of each clip's, and is told before any is read.
        _ = maker.backbone
        attributes |= maker.told
    for media, unread in _portions(job, waiting):
        features, refused = _made(job, maker, media)
        faults += unread + refused
        if features:
            number += 1
            part = parts / f"{number:06d}{SUFFIX}"
            write_features(part, features, attributes)
            finished.append(part)
        done += len(media) + len(unread)
        progress(what, done, len(job.names))
    if finished not in ([], [job.path]):
        join_files(job.path, finished, attributes)
    shutil.rmtree(parts)
    return faults


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


def _portions(job: Job, waiting: Sequence[str]) -> Iterator[_Read]:
    """What was read of each portion; the next one is read while one is worked on."""
    size = PORTION[job.kind]
    portions = [waiting[start : start + size] for start in range(0, len(waiting), size)]
    with ThreadPoolExecutor(max_workers=1) as ahead:
        following = deque(ahead.submit(_read, job, portion) for portion in portions[:1])
        for portion in [*portions[1:], None]:
            if following:
                read = following.popleft().result()
                if portion is not None:
                    following.append(ahead.submit(_read, job, portion))
                yield read


def _read(job: Job, names: Sequence[str]) -> _Read:
    media, faults = {}, []
    for name in names:
        try:
            media[name] = job.read(name)
        except ToolkitError as error:
            faults.append(Unreadable(job.path, name, error.message))
        except OSError as error:
            faults.append(Unreadable(job.path, name, f"{error.filename}: {error.strerror}"))
    return media, faults


def _made(
    job: Job, maker: Maker, media: dict[str, Media]
) -> tuple[dict[str, tuple[NDArray[np.float32], str]], list[Unreadable]]:
    """Features of a portion; when one of it is refused, each is tried alone."""
    if not media:
        return {}, []
    try:
        made = maker.make(media)
    except NoRoomError:
        raise  # this is no fault of the clip's or picture's
    except ToolkitError as error:
        if len(media) == 1:
            return {}, [Unreadable(job.path, name, error.message) for name in media]
        features, faults = {}, []
        for name, one in media.items():
            good, bad = _made(job, maker, {name: one})
            features.update(good)
            faults += bad
        return features, faults
    features, faults = {}, []
    for (name, one), feature in zip(media.items(), made, strict=True):
        if np.isfinite(feature).all():
            features[name] = np.ascontiguousarray(feature, dtype=np.float32), media_sha256(one)
        else:
            faults.append(Unreadable(job.path, name, "its features are not finite"))
    return features, faults
