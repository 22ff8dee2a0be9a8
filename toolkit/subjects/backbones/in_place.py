"""Features read where they lie: single ones out of a file that may be larger than memory.

A file is gone through once: all of it is read, one piece after another, for its checksum, and for
one of each feature that is wanted. From then on only the features that are asked for are read, each
held against its own checksum every time. As long as size and time of the last change are those of
the file that was gone through, it need not be gone through again; whatever happens to it all the
same, on the disk or on the way, is found when a feature is read.

Files are read and not mapped into memory: of a mapped file every page that was touched counts as
memory of the process, and one that is cut short meanwhile ends it without a word.
"""

from __future__ import annotations

import hashlib
import math
import threading
import weakref
import zlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stimuli.files import require_sound, require_sum
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.listing import CHECKSUM, COPY_AGAIN, EXTRACT_AGAIN, unreadable
from toolkit.subjects.backbones.stored import FeatureFile

THROUGH_HDF5 = -1
"""Stands for where a feature begins that does not lie in its file as it is."""
_PIECE = 1 << 23


class Place(NamedTuple):
    """A feature in its file."""

    offset: int
    """Where it begins, or `THROUGH_HDF5`."""
    crc: int
    """CRC-32 of its numbers, float32."""
    shape: tuple[int, ...]
    """As it is stored."""


@dataclass(frozen=True)
class GoneThrough:
    """A file of features as it was when it was gone through."""

    path: str
    """The file."""
    size: int
    """In bytes."""
    mtime_ns: int
    """When it was last changed."""
    sha256: str
    """Of its content."""


def state_of(path: Path) -> tuple[str, int, int]:
    """What tells whether a file is the one that was gone through: path, size, time of change.

    Args:
        path: a file.

    Raises:
        ToolkitError: it is not there, or cannot be looked at.
    """
    try:
        told = path.stat()
    except OSError as error:
        raise ToolkitError(f"{path} cannot be read: {error.strerror}.") from error
    return str(path.absolute()), told.st_size, told.st_mtime_ns


def go_through(
    path: Path, names: Sequence[str], progress: Callable[[int], None] = lambda _: None
) -> tuple[GoneThrough, list[Place], Mapping[str, str]]:
    """Read a whole file of features, for its checksum and those of some features.

    Args:
        path: an HDF5 file, one of ours or a published one.
        names: of clips or pictures.
        progress: called with the bytes that were read, piece after piece.

    Returns:
        The file as it was; where each feature lies; what the file says about all of them.

    Raises:
        ToolkitError: the file is missing, damaged, cut short, or no HDF5, is not what its checksum
            tells, or lacks one of the features.
    """
    try:
        file = FeatureFile(path, sound=False)
    except ToolkitError:
        # Where there is a checksum, it tells best what became of the file.
        require_sound(path, EXTRACT_AGAIN)
        raise
    shapes = [file.shape(name) for name in names]
    places = [file.place(name) for name in names]
    begins = [place[0] if place else THROUGH_HDF5 for place in places]
    absolute, size, mtime_ns = state_of(path)
    sums, sha256 = _summed(path, begins, shapes, progress)
    kept = CHECKSUM in file.attributes
    sure = require_sum(path, sha256, EXTRACT_AGAIN, kept=kept)
    # HDF5 has not looked at what was read past it.
    unsure = [
        number for number, place in enumerate(places) if place is None or (place[1] and not sure)
    ]
    read = file.read([names[number] for number in unsure])
    for number, feature in zip(unsure, read, strict=True):
        own = _crc(np.ascontiguousarray(feature))
        if begins[number] == THROUGH_HDF5:
            sums[number] = own
        elif sums[number] != own:
            raise unreadable(path, f"the feature {names[number]!r} is not where the file says")
    if state_of(path)[1:] != (size, mtime_ns):
        raise unreadable(path, "it was changed meanwhile")
    gone = GoneThrough(absolute, size, mtime_ns, sha256)
    return gone, [Place(*one) for one in zip(begins, sums, shapes, strict=True)], file.attributes


def _summed(
    path: Path,
    begins: Sequence[int],
    shapes: Sequence[tuple[int, ...]],
    progress: Callable[[int], None],
) -> tuple[list[int], str]:
    """CRC-32 of each feature that lies in place, and SHA-256 of the file; read once."""
    sums = [0] * len(begins)
    spans = sorted(
        (begin, begin + 4 * math.prod(shape), number)
        for number, (begin, shape) in enumerate(zip(begins, shapes, strict=True))
        if begin != THROUGH_HDF5
    )
    waiting, within, whole, start = deque(spans), list[tuple[int, int, int]](), hashlib.sha256(), 0
    with path.open("rb", buffering=0) as file:
        piece = memoryview(bytearray(_PIECE))
        while n := file.readinto(piece):
            whole.update(piece[:n])
            end = start + n
            while waiting and waiting[0][0] < end:
                within.append(waiting.popleft())
            for begin, stop, number in within:
                part = piece[max(begin, start) - start : min(stop, end) - start]
                sums[number] = zlib.crc32(part, sums[number])
            within = [span for span in within if span[1] > end]
            start = end
            progress(n)
    if waiting or within:
        raise unreadable(path, "it was cut short; its end is missing")
    return sums, whole.hexdigest()


def _crc(feature: NDArray[np.float32]) -> int:
    return zlib.crc32(feature.data)


class OpenedFile:
    """A file that was gone through, read feature by feature.

    Args:
        file: as it was then.

    Raises:
        ToolkitError: it is not there any more, or was changed.
    """

    def __init__(self, file: GoneThrough) -> None:
        self._told, self._path = file, Path(file.path)
        self._raw: BinaryIO | None = None
        self._hdf5: FeatureFile | None = None
        self._within: Any = None
        self._buffer: NDArray[np.float32] = np.empty(0, dtype=np.float32)
        self.lock = threading.Lock()
        """To be held while what was read is looked at: the next one takes its place."""
        if state_of(self._path)[1:] != (file.size, file.mtime_ns):
            raise self._changed("size or time of the last change are others")

    def read(self, name: str, place: Place) -> NDArray[np.float32]:
        """A feature, which is there until the next one is read.

        Args:
            name: of the clip or picture.
            place: where it lies.

        Raises:
            ToolkitError: it is not what it was when the file was gone through, or cannot be read.
        """
        read = self._through_hdf5 if place.offset == THROUGH_HDF5 else self._as_it_is
        feature = read(name, place)
        if feature.shape != place.shape or _crc(feature) != place.crc:
            raise self._changed(f"the feature {name!r} is another")
        return feature

    def _as_it_is(self, name: str, place: Place) -> NDArray[np.float32]:
        n = math.prod(place.shape)
        if len(self._buffer) < n:
            self._buffer = np.empty(n, dtype=np.float32)
        feature = self._buffer[:n]
        into = feature.view(np.uint8).data
        done = 0
        try:
            if self._raw is None:
                self._raw = self._path.open("rb", buffering=0)
                weakref.finalize(self, self._raw.close)
            self._raw.seek(place.offset)
            while done < len(into):
                read: int | None = self._raw.readinto(into[done:])  # type: ignore[attr-defined]
                if not read:
                    raise self._changed("its end is missing")
                done += read
        except OSError as error:
            raise unreadable(self._path, f"{error.strerror} at the feature {name!r}") from error
        return feature.reshape(place.shape)

    def _through_hdf5(self, name: str, _: Place) -> NDArray[np.float32]:
        if self._hdf5 is None:
            self._hdf5 = FeatureFile(self._path, sound=False)
            opened = ExitStack()
            self._within = opened.enter_context(self._hdf5.opened())
            weakref.finalize(self, opened.close)
        return np.ascontiguousarray(self._hdf5.read_from(self._within, name))

    def _changed(self, what: str) -> ToolkitError:
        return ToolkitError(
            f"{self._path} is not what it was when its features were gone through: {what}.",
            next_command=f"{COPY_AGAIN}; then the same command again",
        )
