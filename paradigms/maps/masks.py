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
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paradigms.maps.pixel_loops import Floats, Mask, compiled, mark_peaks, walk_clusters

SIZE = 224
"""Height and width of an enlarged map in pixels."""
ELIGIBLE_PERCENTILE = 75
"""Pixels below this percentile of their map belong to no cluster."""


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
    for axis in (-1, -2):  # rows last, because whole rows are copied faster
        below, above, share = _places(maps.shape[axis], size, maps.dtype)
        share = share[:, None] if axis == -2 else share
        lower, enlarged = np.take(enlarged, below, axis), np.take(enlarged, above, axis)
        lower *= 1 - share
        enlarged *= share
        enlarged += lower
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


def find_peaks(values: Floats, lowest: float = -math.inf) -> Mask:
    """Pixels that no other in their window exceeds; all of a flat map.

    Args:
        values: (h, w) a map.
        lowest: least value of a peak.

    Returns:
        (h, w) bool.

    Example:
        >>> find_peaks(np.array([[3.0, 1.0, 2.0]]))
        array([[ True, False, False]])
    """
    peaks: Mask = compiled(mark_peaks)(values, lowest)
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


def find_clusters(values: Floats, lowest: float | None = None) -> Clusters:
    """Grow the clusters of a map, see the module's text.

    Args:
        values: (h, w) a map.
        lowest: the least value of an eligible pixel; None to find it.
    """
    flat, width = values.ravel(), values.shape[1]
    if lowest is None:
        in_order = percentile_place(flat.size, ELIGIBLE_PERCENTILE)
        lowest = float(np.partition(flat, in_order)[in_order])
    # A negative peak lies below the floor of its own cluster.
    peaks = np.flatnonzero(find_peaks(values, max(lowest, 0.0)))
    peaks = peaks[np.argsort(-flat[peaks], kind="stable")]
    walked, starts = compiled(walk_clusters)(values, lowest, peaks)
    mask = np.zeros(values.shape, dtype=bool)
    mask.ravel()[walked] = True
    centres = walked[starts]  # the peaks; where a cluster climbs above its own, it is mended
    if len(starts):
        ends = np.append(starts[1:], len(walked))
        highest = np.maximum.reduceat(flat[walked], starts)
        for place in np.flatnonzero(highest > flat[centres]):
            members = walked[starts[place] : ends[place]]
            centres[place] = members[flat[members] == highest[place]].min()
    return Clusters(mask, np.stack([centres // width, centres % width], axis=1))


def fit_mask(mask: Mask, size: int) -> Mask:
    """A mask at another size.

    Every new pixel takes the value of the old one below its centre.

    Args:
        mask: (height, width).
        size: new height and width.

    Returns:
        (size, size).

    Example:
        >>> fit_mask(np.array([[True, False], [False, False]]), 4)[:3]
        array([[ True,  True, False, False],
               [ True,  True, False, False],
               [False, False, False, False]])
    """
    rows, columns = (
        ((np.arange(size) + 0.5) * length / size).astype(np.int64) for length in mask.shape
    )
    return mask[np.ix_(rows, columns)]
