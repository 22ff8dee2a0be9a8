"""Features gathered for one update: looked up, in single precision, scaled, side by side."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from toolkit.devices import Device

_AT_ONCE = 1 << 23
"""Bytes that are looked up at once: they are still in the processor's cache when converted."""


@dataclass(frozen=True)
class Scale:
    """Brings every channel to mean 0 and deviation 1."""

    mean: Tensor
    """Mean of each channel, (channels,)."""
    deviation: Tensor
    """Standard deviation of each channel, (channels,)."""

    @classmethod
    def of(cls, values: Tensor) -> Scale:
        """The scale of some values, (n, channels)."""
        deviation, mean = torch.std_mean(values, dim=0)
        # A channel that never changes says nothing, whatever it is divided by.
        return cls(mean, deviation.clamp(min=1e-3))

    def apply(self, values: Tensor) -> Tensor:
        """Scale values in place, (..., channels)."""
        return values.sub_(self.mean).div_(self.deviation)

    def on(self, device: Device) -> Scale:
        """The same scale, for values on a device."""
        return Scale(device.to(self.mean), device.to(self.deviation))


@dataclass
class Buffers:
    """Memory that the features of one update after the other are put into.

    Laying out as much anew each time takes longer than filling it.

    Example:
        >>> buffers = Buffers()
        >>> first, second = buffers.empty(2, 3), buffers.empty(3)
        >>> buffers.again()
        >>> buffers.empty(4).data_ptr() == first.data_ptr()
        True
    """

    _kept: list[Tensor] = field(default_factory=list)
    _n_taken: int = 0

    def again(self) -> None:
        """Begin anew: what was taken is not needed any more."""
        self._n_taken = 0

    def empty(self, *shape: int) -> Tensor:
        """Float32 numbers of any value, of that shape."""
        n = math.prod(shape)
        if self._n_taken == len(self._kept):
            self._kept.append(torch.empty(n))
        elif len(self._kept[self._n_taken]) < n:
            self._kept[self._n_taken] = torch.empty(n)
        self._n_taken += 1
        return self._kept[self._n_taken - 1][:n].view(shape)


def gather(table: Tensor, rows: Tensor, out: Tensor) -> Tensor:
    """Look up rows of a table of less precision.

    Args:
        table: shape (m, ...).
        rows: shape (n,).
        out: where they are put, (n, ...), in any order of its own.
    """
    at_once = max(1, _AT_ONCE // max(1, table[:1].nbytes))
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        out[start : start + at_once].copy_(table.index_select(0, some))
    return out
