"""Features that stay in the files they came in, of which each update reads what it needs.

They are read by one thread of their own, so that the next update's can be fetched while this one
is computed. What is handed out is what would lie in memory, to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from threading import Event
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from toolkit.subjects.backbones.in_place import GoneThrough, OpenedFile, Place

Made = TypeVar("Made")
Rows = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the features of all clips, or of all pictures, lie: row by row."""

    file: Rows
    """Number of the file, shape (n,)."""
    offset: Rows
    """See `Place.offset`, shape (n,)."""
    crc: Rows
    """See `Place.crc`, shape (n,)."""
    lengths: Rows | None
    """Of clips, frames of each row, shape (n,)."""
    shape: tuple[int, ...]
    """Of all rows; what follows the frames of clips."""

    @classmethod
    def of(cls, files: Sequence[int], places: Sequence[Place], *, clips: bool) -> Places:
        """Places of features in files of some numbers, all alike but for the lengths of clips."""
        columns = files, [one.offset for one in places], [one.crc for one in places]
        file, offset, crc = (np.array(column, dtype=np.int64) for column in columns)
        shape = places[0].shape if places else ()
        if not clips:
            return cls(file, offset, crc, None, shape)
        lengths = np.array([one.shape[0] for one in places], dtype=np.int64)
        return cls(file, offset, crc, lengths, shape[1:])

    def tensor(self) -> Tensor:
        """As it is written, without shapes, (n, 3)."""
        return torch.from_numpy(np.column_stack([self.file, self.offset, self.crc]))

    @classmethod
    def read(cls, tensor: Tensor, lengths: Rows | None, shape: tuple[int, ...]) -> Places:
        """What `tensor` was made of."""
        file, offset, crc = np.ascontiguousarray(tensor.numpy().T)
        return cls(file, offset, crc, lengths, shape)

    def some(self, rows: Rows) -> list[tuple[int, Place]]:
        """Number of the file and place of some rows."""
        numbers = (column[rows].tolist() for column in (self.file, self.offset, self.crc))
        lengths = [()] * len(rows) if self.lengths is None else self.lengths[rows, None].tolist()
        return [
            (file, Place(offset, crc, (*length, *self.shape)))
            for file, offset, crc, length in zip(*numbers, lengths, strict=True)
        ]


@dataclass(frozen=True, eq=False)
class OnDisk:
    """Features of all rows of a bank, in their files."""

    files: tuple[GoneThrough, ...]
    """All files, as they were when they were gone through."""
    words: Places
    """Of the word views."""
    pictures: Places
    """Of the picture views."""

    def read(
        self,
        places: Sequence[tuple[int, Place]],
        names: Sequence[str],
        outs: Sequence[Tensor],
        room: Event | None = None,
    ) -> None:
        """Read some features, each into a tensor of its shape.

        Args:
            places: number of the file of each, and where it lies there.
            names: what each is called.
            outs: where each is put, of any precision.
            room: waited for when a quarter of them is read; None for not at all. What has not been
                written to takes no memory yet.

        Raises:
            ToolkitError: a feature is not what it was when its file was gone through.
        """
        quarter = len(places) // 4
        for number, ((file, place), name, out) in enumerate(zip(places, names, outs, strict=True)):
            if room and number == quarter:
                room.wait()
            opened = self._opened[file]
            with opened.lock:
                out.copy_(torch.from_numpy(opened.read(name, place)))

    def begin(self, make: Callable[[], Made]) -> Future[Made]:
        """Have something made by the thread that reads.

        Args:
            make: reads, and gives what was made of it.
        """
        return self._reader.submit(make)

    @cached_property
    def _opened(self) -> tuple[OpenedFile, ...]:
        return tuple(map(OpenedFile, self.files))

    @cached_property
    def _reader(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(1, "reading", initializer=torch.set_num_threads, initargs=(1,))
