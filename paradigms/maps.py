"""Similarity maps of one picture: enlarged, cut at a percentile, and gathered into clusters.

The definitions are those of the multilingual CLIP study (arXiv 2605.09060 and the code published
with it), written anew. Sources and small print:

- A map of patches is enlarged bilinearly to 224 x 224 pixels, patch centres aligned (the outer
  half of a border patch is constant).
- *Eligible* pixels are those at or above the map's 75th percentile.
- A *peak* is an eligible pixel that no pixel in its 10 x 10 window exceeds; the window reaches five
  pixels up and left and four down and right, as a window of even size does in SciPy.
- Peaks are visited from the highest down, equal ones in reading order. One that no cluster has
  taken yet grows a cluster: the eligible, untaken pixels that touch it, diagonals included, at or
  above 0.8 times the peak. Clusters below three pixels are dropped, their pixels stay taken. A
  negative peak lies below 0.8 times itself and grows nothing.
- A cluster's centre is its highest pixel: the peak where none is higher, else the first in reading
  order. (Among equally high pixels the published code takes the one its walk meets first.)

Percentiles interpolate linearly, and pixels are compared with the exact value, so that rounding
never decides whether a pixel is in: the mask of a percentile is that of the next larger pixel.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

SIZE = 224
"""Height and width of an enlarged map in pixels."""
ELIGIBLE_PERCENTILE = 75
"""Pixels below this percentile of their map belong to no cluster."""
WINDOW = 10
"""Side of the square in which a peak is highest, in pixels."""
GROWTH = 0.8
"""Share of the peak down to which its cluster grows."""
SMALLEST = 3
"""Pixels that a cluster must have."""

Floats = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]
Places = npt.NDArray[np.intp]
_TOUCHING = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True, eq=False)
class Clusters:
    """The clusters of one map."""

    mask: Mask
    """(h, w), true in every cluster."""
    centres: npt.NDArray[np.int64]
    """(k, 2) row and column of the highest pixel of each, from the highest peak down."""


def upsample(maps: Floats, size: int = SIZE) -> Floats:
    """Enlarge maps bilinearly, patch centres aligned, as `align_corners=False` does in torch.

    Every pixel is computed by the same few operations in the same order, so that pixels equal by
    definition are equal on every machine and peaks do not depend on a matrix library.

    Args:
        maps: (..., h, w).
        size: height and width of the result in pixels.

    Returns:
        (..., size, size) in the precision of `maps`.

    Example:
        >>> upsample(np.array([[0.0, 1.0]]), 4)[0]
        array([0.  , 0.25, 0.75, 1.  ])
    """
    enlarged = maps
    for axis in (-2, -1):
        below, above, share = _places(maps.shape[axis], size, maps.dtype)
        share = share[:, None] if axis == -2 else share
        lower = np.take(enlarged, below, axis) * (1 - share)
        enlarged = np.take(enlarged, above, axis) * share + lower
    return enlarged


def _places(patches: int, size: int, dtype: npt.DTypeLike) -> tuple[Any, Any, Any]:
    """The two patches between which each pixel lies, and the share of the second."""
    place = np.clip((np.arange(size) + 0.5) * patches / size - 0.5, 0, patches - 1)
    below = np.minimum(place.astype(np.intp), max(patches - 2, 0))
    above = np.minimum(below + 1, patches - 1)
    return below, above, (place - below).astype(dtype)


def percentile_place(pixels: int, percentile: float) -> int:
    """Place of the smallest sorted pixel that is in the mask of a percentile.

    Args:
        pixels: how many there are.
        percentile: between 0 and 100.

    Example:
        >>> percentile_place(5, 75), percentile_place(6, 75)
        (3, 4)
    """
    # The rounding keeps a place that is whole by definition from being pushed to the next one.
    return math.ceil(round((pixels - 1) * percentile / 100, 9))


def percentile_mask(values: Floats, percentile: float) -> Mask:
    """Pixels at or above a percentile of their own map.

    Args:
        values: (h, w) a map.
        percentile: between 0 and 100.

    Returns:
        (h, w) bool; all of a flat map.

    Example:
        >>> percentile_mask(np.array([[1.0, 2.0, 3.0, 4.0]]), 50)
        array([[False, False,  True,  True]])
    """
    place = percentile_place(values.size, percentile)
    mask: Mask = values >= np.partition(values, place, axis=None)[place]
    return mask


def find_peaks(values: Floats) -> Mask:
    """Pixels that no other in their window exceeds; all of a flat map.

    Args:
        values: (h, w) a map.

    Returns:
        (h, w) bool.

    Example:
        >>> find_peaks(np.array([[3.0, 1.0, 2.0]]))
        array([[ True, False, False]])
    """
    before, after = WINDOW // 2, WINDOW - WINDOW // 2 - 1
    highest = np.pad(values, (before, after), constant_values=-np.inf)
    covered = 1
    while covered < WINDOW:  # the stretch that is covered doubles, so that few passes are needed
        step = min(covered, WINDOW - covered)
        highest = np.maximum(highest[:-step], highest[step:])
        highest = np.maximum(highest[:, :-step], highest[:, step:])
        covered += step
    peaks: Mask = values == highest
    return peaks


def cluster_mask(values: Floats) -> Mask:
    """Pixels of a map that belong to a cluster, see the module's text.

    Args:
        values: (h, w) a map.

    Returns:
        (h, w) bool.

    Example:
        >>> hill = np.full((20, 20), -1.0)
        >>> hill[4:6, 4:7] = [[0.9, 1.0, 0.7], [0.8, 0.9, 0.5]]
        >>> cluster_mask(hill).sum()
        np.int64(4)
    """
    return find_clusters(values).mask


def find_clusters(
    values: Floats, eligible: Mask | None = None, peaks: Mask | None = None
) -> Clusters:
    """Grow the clusters of a map, see the module's text.

    No cluster leaves its connected region of eligible pixels. Where 0.8 times a region's first
    peak lies below the whole region, its cluster is the region; the others are grown each in its
    own small rectangle.

    Args:
        values: (h, w) a map.
        eligible: (h, w) its eligible pixels; None to find them.
        peaks: (h, w) its peaks; None to find them.
    """
    eligible = percentile_mask(values, ELIGIBLE_PERCENTILE) if eligible is None else eligible
    peaks = find_peaks(values) if peaks is None else peaks
    flat, width = values.ravel(), values.shape[1]
    waiting = np.flatnonzero(peaks & eligible)
    waiting = waiting[flat[waiting] >= 0]
    waiting = waiting[np.argsort(-flat[waiting], kind="stable")]
    labels = _label(eligible).ravel()
    of_peak = labels[waiting]
    places = np.flatnonzero(eligible)
    of_place = labels[places].astype(np.min_scalar_type(labels.max()))  # short ones sort faster
    places = places[np.argsort(of_place, kind="stable")]
    ends = np.cumsum(np.bincount(of_place))
    lowest = np.minimum.reduceat(flat[places], ends[:-1])
    mask = np.zeros(values.shape, dtype=bool)
    found: dict[int, int] = {}
    for label, first in zip(*np.unique(of_peak, return_index=True), strict=True):
        region = places[ends[label - 1] : ends[label]]
        grown = [(first, region)] if len(region) >= SMALLEST else []
        if GROWTH * float(flat[waiting[first]]) > float(lowest[label - 1]):
            ranks = np.flatnonzero(of_peak == label)
            parts = _grow(values, region, waiting[ranks])
            grown = [(ranks[place], members) for place, members in parts]
        for rank, members in grown:
            mask.ravel()[members] = True
            found[int(rank)] = _centre(flat, members, waiting[rank])
    centres = np.array([found[rank] for rank in sorted(found)], dtype=np.int64)
    return Clusters(mask, np.stack([centres // width, centres % width], axis=1))


def _centre(flat: Floats, members: Places, peak: int) -> int:
    """The highest pixel of a cluster: its peak where none is higher, else the first."""
    heights = flat[members]
    top = heights.argmax()
    return int(members[top] if heights[top] > flat[peak] else peak)


def _grow(values: Floats, region: Places, peaks: Places) -> Iterator[tuple[int, Places]]:
    """Grow the clusters of one connected region from its peaks, the highest first.

    Args:
        values: (h, w) the map.
        region: flat places of the region's pixels.
        peaks: flat places of its peaks, from the highest down.

    Yields:
        Place of a cluster's peak in `peaks`, and flat places of its pixels.
    """
    width = values.shape[1]
    rows, columns = region // width, region % width
    top, left = int(rows.min()), int(columns.min())
    free = np.zeros((int(rows.max()) - top + 1, int(columns.max()) - left + 1), dtype=bool)
    free[rows - top, columns - left] = True
    window = values[top : top + free.shape[0], left : left + free.shape[1]]
    down, right = peaks // width - top, peaks % width - left
    for place in range(len(peaks)):
        if not free[down[place], right[place]]:
            continue
        floor = GROWTH * float(window[down[place], right[place]])
        labels = _label(free & _at_least(window, floor))
        mask = labels == labels[down[place], right[place]]
        free &= ~mask
        rows, columns = np.nonzero(mask)
        if len(rows) >= SMALLEST:
            yield place, (rows + top) * width + columns + left


def _at_least(values: Floats, floor: float) -> Mask:
    """Pixels whose exact value reaches the exact floor, whatever the precision of the map."""
    cut = values.dtype.type(floor)
    if float(cut) < floor:
        cut = np.nextafter(cut, values.dtype.type(np.inf))
    mask: Mask = values >= cut
    return mask


def _label(mask: Mask) -> npt.NDArray[np.integer[Any]]:
    """Number the regions of touching pixels, diagonals included; 0 outside."""
    from scipy import ndimage

    labels: npt.NDArray[np.integer[Any]] = ndimage.label(mask, _TOUCHING)[0]
    return labels
