"""How far maps of one picture agree: with a reference map, with each other, and with the truth.

The measures are those of the multilingual CLIP study (arXiv 2605.09060 and the code published
with it), written anew; `paradigms.maps.masks` holds the masks and clusters that they stand on. Of
two masks the intersection over union is 1 where both are empty and 0 where one is.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from paradigms.maps.masks import ELIGIBLE_PERCENTILE, Clusters, find_clusters, percentile_place
from paradigms.maps.pixel_loops import Floats, Mask, compiled, correlate, rank_pixels
from stimuli.errors import ToolkitError

PERCENTILES = (90, 95, 99)
"""Percentiles of a map above which its pixels are compared."""
THRESHOLDS = {"t15": 0.15, "t20": 0.20, "t25": 0.25}
"""Fixed similarities above which pixels are compared."""
SMALLEST_PEAK = 1e-9
"""A reference whose peak is no higher gives no peak ratio."""

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MapStack:
    """Maps of one picture with everything that is needed of each, worked out once."""

    values: npt.NDArray[np.float32]
    """(n, h, w) similarities."""
    clusters: Mask
    """(n, h, w) union of each map's clusters."""
    centres: tuple[npt.NDArray[np.int64], ...]
    """For each map (k, 2), row and column of its clusters' centres."""
    top: dict[int, Mask]
    """Percentile -> (n, h, w) pixels at or above it."""
    ranks: npt.NDArray[np.float32]
    """(n, h * w) rank of each pixel in its map from 0, equal ones at their mean; exact."""

    @property
    def n_clusters(self) -> npt.NDArray[np.int64]:
        """(n,) number of clusters."""
        return np.array([len(centres) for centres in self.centres], dtype=np.int64)


def read_maps(maps: Floats) -> MapStack:
    """Work out masks, clusters and ranks of maps, from one sort of each.

    Args:
        maps: (n, h, w) similarities, at most 65,536 pixels each; compared in single precision.

    Raises:
        ToolkitError: a similarity that is not finite, or a map that is too large.

    Example:
        >>> read_maps(np.eye(4)[None]).n_clusters
        array([1])
    """
    n, height, width = maps.shape
    pixels = height * width
    if pixels > 1 << 16:
        raise ToolkitError(
            "These similarity maps are too large.",
            given=f"{height} x {width} pixels",
            allowed="65,536 pixels, such as 256 x 256",
        )
    values = np.ascontiguousarray(maps, dtype=np.float32)
    ranks = np.empty((n, pixels), dtype=np.float32)
    top = {percentile: np.empty(values.shape, dtype=bool) for percentile in PERCENTILES}
    found: list[Clusters] = []
    for place, one in enumerate(values):
        flat = one.ravel()
        ranks[place], order = compiled(rank_pixels)(flat)
        if not (np.isfinite(flat[order[0]]) and np.isfinite(flat[order[-1]])):
            raise ToolkitError("A similarity map holds values that are not finite.")
        for percentile, masks in top.items():
            lowest = flat[order[percentile_place(pixels, percentile)]]
            np.greater_equal(one, lowest, out=masks[place])
        lowest = flat[order[percentile_place(pixels, ELIGIBLE_PERCENTILE)]]
        found.append(find_clusters(one, float(lowest)))
    clusters = np.stack([one.mask for one in found])
    return MapStack(values, clusters, tuple(one.centres for one in found), top, ranks)


def compare(
    maps: Floats | MapStack, reference: int, truth: Mask | None = None
) -> dict[str, Doubles]:
    """Compare the maps of one picture with one of them, and with the truth where it is known.

    Args:
        maps: (n, h, w) similarities, or what `read_maps` made of them.
        reference: which map is the reference.
        truth: (h, w) the pixels that show what was asked for; None where nobody knows.

    Returns:
        For each measure (n,) values, NaN where undefined:

        - `iou_cluster`, `iou_p90`, `iou_p95`, `iou_p99`, `iou_t15`, `iou_t20`, `iou_t25`:
          intersection over union with the reference's mask of the same kind;
        - `spearman`, `pearson` over all pixels; undefined where a map is flat;
        - `peak_ratio`: highest similarity over the reference's;
        - `centre_distance_px`: mean distance from each cluster's centre to the nearest of the
          other map, averaged over both directions; undefined where a map has no cluster;
        - `iou_true`: the clusters against the truth;
        - `score_target`, `score_distractor`: highest similarity inside and outside the truth;
          without it the peak, and NaN.

    Raises:
        ToolkitError: a similarity that is not finite.
        ValueError: a truth of another shape than the maps.

    Example:
        >>> maps = np.arange(32, dtype=np.float32).reshape(2, 4, 4) % 17
        >>> compare(maps, 0)["spearman"].round(2)
        array([1.  , 0.65])
    """
    stack = maps if isinstance(maps, MapStack) else read_maps(maps)
    values = stack.values
    n = len(values)
    if truth is not None and truth.shape != values.shape[1:]:
        raise ValueError(f"truth has shape {truth.shape}, the maps {values.shape[1:]}")
    peaks = values.max(axis=(1, 2)).astype(np.float64)
    undefined = np.full(n, np.nan)
    out = {"iou_cluster": _iou_with(stack.clusters, stack.clusters[reference])}
    for percentile, masks in stack.top.items():
        out[f"iou_p{percentile}"] = _iou_with(masks, masks[reference])
    for name, threshold in THRESHOLDS.items():
        masks = values >= np.float32(threshold)
        out[f"iou_{name}"] = _iou_with(masks, masks[reference])
    flat = values.min(axis=(1, 2)) == values.max(axis=(1, 2))
    out["spearman"] = _correlations(stack.ranks, reference, flat)
    out["pearson"] = _correlations(values.reshape(n, -1), reference, flat)
    out["peak_ratio"] = undefined
    if peaks[reference] > SMALLEST_PEAK:
        out["peak_ratio"] = peaks / peaks[reference]
    out["centre_distance_px"] = np.array(
        [centre_distance(stack.centres[reference], centres) for centres in stack.centres]
    )
    if truth is None:
        out |= {"iou_true": undefined, "score_target": peaks, "score_distractor": undefined}
    else:
        out["iou_true"] = _iou_with(stack.clusters, truth)
        out["score_target"] = _highest(values, truth)
        out["score_distractor"] = _highest(values, ~truth)
    return {name: column.copy() for name, column in out.items()}


def iou(first: Mask, second: Mask) -> float:
    """Intersection over union of two masks; 1 where both are empty.

    Args:
        first: pixels of one.
        second: pixels of the other, same shape.

    Example:
        >>> iou(np.array([True, True, False]), np.array([False, True, True]))
        0.3333333333333333
    """
    return float(_iou_with(first[None], second)[0])


def pairwise_iou(masks: Mask) -> Doubles:
    """Intersection over union of every two masks.

    Args:
        masks: (n, h, w).

    Returns:
        (n, n), symmetric, ones on the diagonal.

    Example:
        >>> pairwise_iou(np.array([[[True, True]], [[True, False]]]))
        array([[1. , 0.5],
               [0.5, 1. ]])
    """
    bits = _packed(masks)
    return _share(bits[:, None] & bits[None, :], bits[:, None] | bits[None, :])


def _share(both: npt.NDArray[np.uint64], either: npt.NDArray[np.uint64]) -> Doubles:
    """Number of bits in the last axis of one over that of the other; 1 where there are none."""
    n_both, n_either = (np.bitwise_count(bits).sum(axis=-1, dtype=float) for bits in (both, either))
    out: Doubles = np.divide(n_both, n_either, out=np.ones(n_both.shape), where=n_either > 0)
    return out


def _packed(masks: Mask) -> npt.NDArray[np.uint64]:
    """(n, words) the bits of (n, h, w) masks, 64 pixels in each word."""
    bits = np.packbits(masks.reshape(len(masks), -1), axis=1)
    words = np.zeros((len(bits), -(-bits.shape[1] // 8)), dtype=np.uint64)
    words.view(np.uint8)[:, : bits.shape[1]] = bits
    return words


def centre_distance(first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
    """Mean distance to the nearest centre of the other map, averaged over both directions.

    Args:
        first: (k, 2) row and column of one map's cluster centres.
        second: (l, 2) those of the other.

    Returns:
        Pixels; NaN where either has none.

    Example:
        >>> centre_distance(np.array([[0, 0]]), np.array([[3, 4], [0, 0]]))
        1.25
    """
    if not (len(first) and len(second)):
        return float("nan")
    apart = first[:, None].astype(np.float64) - second[None, :]
    far = np.sqrt((apart**2).sum(axis=2))
    return float((far.min(axis=1).mean() + far.min(axis=0).mean()) / 2)


def _iou_with(masks: Mask, reference: Mask) -> Doubles:
    """Intersection over union of each of (n, h, w) masks with one."""
    bits, other = _packed(masks), _packed(reference[None])
    return _share(bits & other, bits | other)


def _correlations(rows: npt.NDArray[np.float32], reference: int, flat: Mask) -> Doubles:
    """Pearson correlation of every row with one of them; NaN where either is flat."""
    out = np.full(len(rows), np.nan)
    if not flat[reference]:
        for place in np.flatnonzero(~flat):
            out[place] = compiled(correlate)(rows[place], rows[reference])
    np.clip(out, -1, 1, out=out)  # rounding may step over
    return out


def _highest(values: npt.NDArray[np.float32], mask: Mask) -> Doubles:
    """Highest value of each of (n, h, w) maps inside a mask; NaN where it is empty."""
    inside = values[:, mask]
    if not inside.shape[1]:
        return np.full(len(values), np.nan)
    highest: Doubles = inside.max(axis=1).astype(np.float64)
    return highest
