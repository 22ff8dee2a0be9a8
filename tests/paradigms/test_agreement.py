"""Measures between maps: by hand on small ones, and against the definitions on random ones."""

from __future__ import annotations

import math

import numpy as np
import pytest

from paradigms.maps.agreement import centre_distance, compare, iou, pairwise_iou, read_maps
from paradigms.maps.masks import percentile_mask, upsample
from stimuli.errors import ToolkitError
from tests.paradigms import literal_maps as literal

MEASURES = {
    "iou_cluster", "iou_p90", "iou_p95", "iou_p99", "iou_t15", "iou_t20", "iou_t25", "spearman",
    "pearson", "peak_ratio", "centre_distance_px", "iou_true", "score_target", "score_distractor",
}  # fmt: skip


def two(first: list[float], second: list[float]) -> np.ndarray:
    """Two maps of one row each; the first is the reference."""
    return np.array([[first], [second]], dtype=np.float32)


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [([0, 0, 0], [0, 0, 0], 1), ([0, 0, 0], [0, 1, 0], 0), ([1, 1, 0], [0, 1, 1], 1 / 3)],
)
def test_overlap_by_hand(first: list[int], second: list[int], expected: float) -> None:
    masks = np.array([[first], [second]], dtype=bool)
    assert iou(masks[0], masks[1]) == iou(masks[1], masks[0]) == expected
    np.testing.assert_array_equal(pairwise_iou(masks), [[1, expected], [expected, 1]])


def test_ranks_of_ties_by_hand() -> None:
    # Ranks 0, 1.5, 1.5, 3 against 0, 1, 2, 3: 4.5 / sqrt(4.5 x 5).
    found = compare(two([1, 2, 3, 4], [1, 2, 2, 9]), 0)
    assert found["spearman"].tolist() == pytest.approx([1, math.sqrt(0.9)], abs=1e-15)
    # Deviations -1.5, -.5, .5, 1.5 and -2.5, -1.5, -1.5, 5.5: 12 / sqrt(5 x 41).
    assert found["pearson"][1] == pytest.approx(12 / math.sqrt(205), abs=1e-15)
    reverse = compare(two([1, 2, 3, 4], [4, 3, 2, 1]), 0)
    assert reverse["spearman"][1] == pytest.approx(-1, abs=1e-15)
    assert reverse["pearson"][1] == pytest.approx(-1, abs=1e-15)


def test_minus_zero_is_zero() -> None:
    found = compare(two([0.0, -0.0, 1.0, 2.0], [-0.0, 0.0, 1.0, 2.0]), 0)
    assert found["spearman"].tolist() == pytest.approx([1, 1], abs=1e-15)
    assert read_maps(two([0.0, -0.0, 1, 2], [1, 2, 3, 4])).ranks[0].tolist() == [0.5, 0.5, 2, 3]


def test_flat_maps_have_no_correlation() -> None:
    found = compare(two([1, 2, 3, 4], [0.5] * 4), 0)
    assert np.isnan(found["spearman"][1])
    assert np.isnan(found["pearson"][1])
    assert np.isnan(compare(two([0.5] * 4, [1, 2, 3, 4]), 0)["spearman"]).all()
    # All of the flat map is above each of its percentiles, a quarter of the other.
    assert found["iou_p90"].tolist() == [1, 0.25]


def test_fixed_thresholds_include_their_value() -> None:
    found = compare(two([0.15, 0.2, 0.25, 0], [0.15, 0.15, 0.2, 0]), 0)
    assert found["iou_t15"][1] == 1
    assert found["iou_t20"][1] == 0.5
    assert found["iou_t25"][1] == 0
    assert compare(two([0.1, 0.1, 0, 0], [0, 0, 0.1, 0]), 0)["iou_t25"][1] == 1


def test_peak_ratio_by_hand() -> None:
    assert compare(two([0, 0, 0, 0.5], [0.25, 0, 0, 0]), 0)["peak_ratio"].tolist() == [1, 0.5]
    assert compare(two([0, 0, 0, 0.5], [-0.25] * 4), 0)["peak_ratio"][1] == -0.5
    assert np.isnan(compare(two([-1, -2, 0, -1], [1, 2, 3, 4]), 0)["peak_ratio"]).all()


def test_centres_by_hand() -> None:
    one, far = np.array([[0, 0]]), np.array([[0, 0], [3, 4]])
    assert centre_distance(one, far) == centre_distance(far, one) == 1.25
    assert math.isnan(centre_distance(one, one[:0]))
    assert math.isnan(centre_distance(one[:0], one[:0]))


def test_empty_clusters() -> None:
    # A negative map has no cluster, one without spread is all one.
    maps = np.stack([np.full((4, 4), -0.5), np.full((4, 4), 0.5), np.full((4, 4), -0.1)])
    found = compare(maps, 0, truth=np.zeros((4, 4), dtype=bool))
    assert found["iou_cluster"].tolist() == [1, 0, 1]
    assert np.isnan(found["centre_distance_px"]).all()
    assert found["iou_true"].tolist() == [1, 0, 1]
    assert read_maps(maps).n_clusters.tolist() == [0, 1, 0]


def test_truth_by_hand() -> None:
    maps = two([0.9, 0.8, 0.1, 0.2], [0.1, 0.2, 0.7, 0.3])
    found = compare(maps, 0, truth=np.array([[True, True, False, False]]))
    np.testing.assert_allclose(found["score_target"], [0.9, 0.2], rtol=1e-7)
    np.testing.assert_allclose(found["score_distractor"], [0.2, 0.7], rtol=1e-7)
    # Only one pixel of four is eligible, too few for a cluster.
    assert found["iou_true"].tolist() == [0, 0]
    without = compare(maps, 0)
    np.testing.assert_allclose(without["score_target"], [0.9, 0.7], rtol=1e-7)
    assert np.isnan([without["score_distractor"], without["iou_true"]]).all()
    everywhere = compare(maps, 0, truth=np.ones((1, 4), dtype=bool))
    assert np.isnan(everywhere["score_distractor"]).all()


def _random_stacks() -> list[np.ndarray]:
    rng = np.random.default_rng(5)
    stacks = []
    for place in range(12):
        mean, spread = [(0.15, 0.03), (0, 0.2), (0.2, 0.05), (-0.1, 0.1)][place % 4]
        patches = rng.normal(mean, spread, (3, *rng.integers(2, 7, 2)))
        if place % 3 == 0:
            patches = patches.round(1)
        patches[2] = 0.7 * patches[0] + 0.3 * patches[2]
        stacks.append(upsample(patches, 17).astype(np.float32))
    return stacks


@pytest.mark.parametrize("place", range(12))
def test_random_maps_compare_as_defined(place: int) -> None:
    maps = _random_stacks()[place]
    rng = np.random.default_rng(place)
    truth = rng.random(maps.shape[1:]) < 0.2 if place % 2 else None
    found = compare(maps, 1, truth)
    assert set(found) == MEASURES
    for one, map_ in enumerate(maps):
        expected = literal.compare(map_, maps[1], truth)
        for measure in MEASURES:
            assert found[measure][one] == pytest.approx(expected[measure], abs=1e-9, nan_ok=True)


def test_what_was_read_once_serves_all() -> None:
    maps = _random_stacks()[0]
    stack = read_maps(maps)
    for measure, values in compare(stack, 2).items():
        np.testing.assert_array_equal(values, compare(maps, 2)[measure])
    for place, map_ in enumerate(maps):
        np.testing.assert_array_equal(stack.clusters[place], literal.cluster_mask(map_))
        for percentile, masks in stack.top.items():
            np.testing.assert_array_equal(masks[place], percentile_mask(map_, percentile))
    together = pairwise_iou(stack.clusters)
    for place in range(3):
        np.testing.assert_array_equal(together[place], compare(stack, place)["iou_cluster"])


def test_faults_are_named() -> None:
    maps = np.zeros((2, 4, 4), dtype=np.float32)
    maps[1, 2, 2] = np.nan
    with pytest.raises(ToolkitError, match="not finite"):
        compare(maps, 0)
    maps[1, 2, 2] = -np.inf
    with pytest.raises(ToolkitError, match="not finite"):
        read_maps(maps)
    with pytest.raises(ToolkitError, match="too large"):
        read_maps(np.zeros((1, 257, 256), dtype=np.float32))
    with pytest.raises(ValueError, match="truth has shape"):
        compare(np.ones((1, 4, 4)), 0, truth=np.ones((4, 5), dtype=bool))
