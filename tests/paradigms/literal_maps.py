"""The measures of dense grounding read off their definitions, one pixel at a time."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

Pixel = tuple[int, int]


def at_percentile(values: np.ndarray, percentile: float) -> np.ndarray:
    return values >= np.percentile(values, percentile)


def is_peak(values: np.ndarray, pixel: Pixel) -> bool:
    """No pixel from five up and left to four down and right is higher."""
    (row, column), (height, width) = pixel, values.shape
    for down in range(max(0, row - 5), min(height, row + 5)):
        for right in range(max(0, column - 5), min(width, column + 5)):
            if values[down, right] > values[pixel]:
                return False
    return True


def clusters(values: np.ndarray) -> list[tuple[Pixel, set[Pixel]]]:
    """Centre and pixels of every cluster."""
    values = values.astype(np.float64)
    eligible = at_percentile(values, 75)
    pixels = [(row, column) for row, column in np.ndindex(*values.shape)]
    peaks = [pixel for pixel in pixels if eligible[pixel] and is_peak(values, pixel)]
    return grow(values, eligible, peaks)


def grow(
    values: np.ndarray, eligible: np.ndarray, peaks: list[Pixel]
) -> list[tuple[Pixel, set[Pixel]]]:
    """Centre and pixels of every cluster, by walking from pixel to pixel."""
    height, width = values.shape
    used: set[Pixel] = set()
    found = []
    for peak in sorted(peaks, key=lambda pixel: -values[pixel]):
        if peak in used:
            continue
        floor = 0.8 * float(values[peak])
        members: set[Pixel] = set()
        to_see = [peak]
        while to_see:
            pixel = to_see.pop()
            if pixel in used or not eligible[pixel] or values[pixel] < floor:
                continue
            used.add(pixel)
            members.add(pixel)
            for row in range(max(0, pixel[0] - 1), min(height, pixel[0] + 2)):
                for column in range(max(0, pixel[1] - 1), min(width, pixel[1] + 2)):
                    if (row, column) != pixel:
                        to_see.append((row, column))
        if len(members) >= 3:
            found.append((min(members, key=lambda p: (-values[p], p != peak, p)), members))
    return found


def cluster_mask(values: np.ndarray) -> np.ndarray:
    mask = np.zeros(values.shape, dtype=bool)
    for _, members in clusters(values):
        for pixel in members:
            mask[pixel] = True
    return mask


def iou(first: np.ndarray, second: np.ndarray) -> float:
    both = either = 0
    for a, b in zip(first.ravel(), second.ravel(), strict=True):
        both += bool(a and b)
        either += bool(a or b)
    return both / either if either else 1.0


def mean_ranks(values: list[float]) -> list[float]:
    return [
        sum(other < value for other in values) + (sum(other == value for other in values) - 1) / 2
        for value in values
    ]


def pearson(first: list[float], second: list[float]) -> float:
    a, b = math.fsum(first) / len(first), math.fsum(second) / len(second)
    across = math.fsum((x - a) * (y - b) for x, y in zip(first, second, strict=True))
    of_first = math.fsum((x - a) ** 2 for x in first)
    of_second = math.fsum((y - b) ** 2 for y in second)
    if len(set(first)) == 1 or len(set(second)) == 1:
        return math.nan
    return across / math.sqrt(of_first * of_second)


def centre_distance(first: list[Pixel], second: list[Pixel]) -> float:
    if not first or not second:
        return math.nan
    there = [min(math.dist(a, b) for b in second) for a in first]
    back = [min(math.dist(a, b) for a in first) for b in second]
    return (sum(there) / len(there) + sum(back) / len(back)) / 2


def compare(map_: np.ndarray, reference: np.ndarray, truth: np.ndarray | None) -> dict[str, Any]:
    """All measures of one map against the reference."""
    one, other = map_.astype(np.float64), reference.astype(np.float64)
    ours, theirs = one.ravel().tolist(), other.ravel().tolist()
    out = {"iou_cluster": iou(cluster_mask(one), cluster_mask(other))}
    for percentile in (90, 95, 99):
        masks = at_percentile(one, percentile), at_percentile(other, percentile)
        out[f"iou_p{percentile}"] = iou(*masks)
    for threshold in (15, 20, 25):
        out[f"iou_t{threshold}"] = iou(one >= threshold / 100, other >= threshold / 100)
    out["spearman"] = pearson(mean_ranks(ours), mean_ranks(theirs))
    out["pearson"] = pearson(ours, theirs)
    out["peak_ratio"] = max(ours) / max(theirs) if max(theirs) > 1e-9 else math.nan
    out["centre_distance_px"] = centre_distance(
        [centre for centre, _ in clusters(one)], [centre for centre, _ in clusters(other)]
    )
    out |= {"iou_true": math.nan, "score_target": max(ours), "score_distractor": math.nan}
    if truth is not None:
        out["iou_true"] = iou(cluster_mask(one), truth)
        out["score_target"] = max(one[truth].tolist(), default=math.nan)
        out["score_distractor"] = max(one[~truth].tolist(), default=math.nan)
    return out
