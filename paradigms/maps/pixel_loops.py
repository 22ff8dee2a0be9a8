"""Loops over the pixels of a map, as their definitions read; Numba compiles them at first use.

Each is plain Python and runs as it stands, only a few hundred times slower: call one without
`compiled` to step through it in a debugger.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt

UP, DOWN = 5, 4
"""Pixels that the window of a peak reaches up and left, and down and right."""
GROWTH = 0.8
"""Share of the peak down to which its cluster grows."""
SMALLEST = 3
"""Pixels that a cluster must have."""
DIGIT_BITS = 13
"""Bits that a pass of the sort looks at: two passes do for most maps."""
LOW_DIGIT = (1 << DIGIT_BITS) - 1
"""Those bits, at the low end."""

Floats = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.int64]
Singles = npt.NDArray[np.float32]
Loop = TypeVar("Loop", bound=Callable[..., Any])


@functools.cache
def compiled(loop: Loop) -> Loop:
    """A loop as machine code, kept on disk where there is a folder to keep it in.

    Sums may be taken in any order (only `correlate` has any): four at a time are faster.
    """
    import numba

    try:
        made = numba.njit(cache=True, fastmath={"reassoc"})(loop)
    except RuntimeError:  # neither this folder nor the user's cache can be written
        made = numba.njit(fastmath={"reassoc"})(loop)
    return cast("Loop", made)


def mark_peaks(values: Floats, lowest: float) -> Mask:
    """Pixels at or above a value that no other in their window exceeds.

    Args:
        values: (h, w) a map.
        lowest: least value of a peak.

    Returns:
        (h, w) true at a peak.
    """
    height, width = values.shape
    peaks = np.zeros((height, width), np.bool_)
    for row in range(height):
        up, down = max(row - 1, 0), min(row + 1, height - 1)
        for column in range(width):
            left, right = max(column - 1, 0), min(column + 1, width - 1)
            value = values[row, column]
            # Nearly every pixel is passed over here, because one beside it is higher.
            if (
                value < lowest
                or max(values[up, column], values[down, column]) > value
                or max(values[row, left], values[row, right]) > value
            ):
                continue
            highest = True
            for y in range(max(row - UP, 0), min(row + DOWN + 1, height)):
                for x in range(max(column - UP, 0), min(column + DOWN + 1, width)):
                    if values[y, x] > value:
                        highest = False
                        break
                if not highest:
                    break
            peaks[row, column] = highest
    return peaks


def walk_clusters(values: Floats, lowest: float, peaks: Places) -> tuple[Places, Places]:
    """Walk from each peak over what touches it and was not walked before.

    Args:
        values: (h, w) a map.
        lowest: least value of an eligible pixel.
        peaks: (n,) flat places of the peaks, in the order of their turns.

    Returns:
        Flat places of the pixels of all clusters, one after the other, each from its peak on; and
        (k,) where each starts. Pixels of clusters that are too small are walked, but not among
        them.
    """
    height, width = values.shape
    free = values >= lowest
    walked = np.empty(height * width, np.int64)
    starts = np.empty(len(peaks), np.int64)
    n_clusters = n_kept = 0
    for peak in peaks:
        if not free[peak // width, peak % width]:
            continue
        floor = GROWTH * np.float64(values[peak // width, peak % width])
        free[peak // width, peak % width] = False
        walked[n_kept] = peak
        n_seen, n_walked = n_kept, n_kept + 1
        while n_seen < n_walked:
            row, column = walked[n_seen] // width, walked[n_seen] % width
            n_seen += 1
            for y in range(max(row - 1, 0), min(row + 2, height)):
                for x in range(max(column - 1, 0), min(column + 2, width)):
                    if free[y, x] and values[y, x] >= floor:
                        free[y, x] = False
                        walked[n_walked] = y * width + x
                        n_walked += 1
        if n_walked - n_kept >= SMALLEST:
            starts[n_clusters] = n_kept
            n_clusters += 1
            n_kept = n_walked
    return walked[:n_kept], starts[:n_clusters]


def rank_pixels(values: Singles) -> tuple[Singles, npt.NDArray[np.uint16]]:
    """Rank each pixel, by a radix sort of the bits.

    Once the sign is dealt with, the bits of floats rise as the floats do.

    Args:
        values: (n,) at most 65,536 pixels.

    Returns:
        (n,) rank of each from 0, equal ones at their mean, exact; and (n,) places of the pixels
        from the lowest up, equal ones in order.
    """
    n = len(values)
    bits = (values + np.float32(0)).view(np.uint32)  # adding zero makes -0 and 0 the same
    for place in range(n):
        bits[place] = ~bits[place] if bits[place] >> 31 else bits[place] | np.uint32(1 << 31)
    least = bits.min()
    keys = np.empty(n, np.uint64)  # a pixel's height, and its place in the lowest 16 bits
    for place in range(n):
        keys[place] = np.uint64(bits[place] - least) << np.uint64(16) | np.uint64(place)
    other = np.empty(n, np.uint64)
    shift, span = 16, np.uint64(bits.max() - least) << np.uint64(16)
    while span >> shift:
        starts = np.zeros(LOW_DIGIT + 2, np.int32)
        for key in keys:
            starts[(key >> shift & LOW_DIGIT) + 1] += 1
        starts = np.cumsum(starts)
        for key in keys:
            digit = key >> shift & LOW_DIGIT
            other[starts[digit]] = key
            starts[digit] += 1
        keys, other = other, keys
        shift += DIGIT_BITS

    ranks, order = np.empty(n, np.float32), np.empty(n, np.uint16)
    first = 0
    while first < n:
        end = first + 1
        while end < n and keys[end] >> 16 == keys[first] >> 16:
            end += 1
        for turn in range(first, end):
            order[turn] = keys[turn] & 0xFFFF
            ranks[order[turn]] = (first + end - 1) / 2
        first = end
    return ranks, order


def correlate(first: Singles, second: Singles) -> float:
    """Pearson correlation, summed in double precision.

    Args:
        first: (n,) values, not all the same.
        second: (n,) values, not all the same.
    """
    n = len(first)
    mean_first = mean_second = 0.0
    for place in range(n):
        mean_first += np.float64(first[place])
        mean_second += np.float64(second[place])
    mean_first /= n
    mean_second /= n
    across = of_first = of_second = 0.0
    for place in range(n):
        own = np.float64(first[place]) - mean_first
        other = np.float64(second[place]) - mean_second
        across += own * other
        of_first += own * own
        of_second += other * other
    return across / (math.sqrt(of_first) * math.sqrt(of_second))
