"""Enlarging, percentiles, peaks, clusters: by hand on small maps, and against definitions."""

from __future__ import annotations

import numpy as np
import pytest

from paradigms.maps.masks import (
    cluster_mask,
    find_clusters,
    find_peaks,
    percentile_mask,
    upsample,
)
from tests.paradigms import literal_maps as literal


def canvas(height: int, width: int, **pixels: float) -> np.ndarray:
    """A map of -1 with single pixels set: `r3c4=0.5`."""
    values = np.full((height, width), -1.0)
    for name, value in pixels.items():
        row, column = name[1:].split("c")
        values[int(row), int(column)] = value
    return values


def places(mask: np.ndarray) -> list[tuple[int, int]]:
    return [tuple(place) for place in np.argwhere(mask).tolist()]


def test_enlarging_by_hand() -> None:
    # Pixel centres of a row of four lie at -.25, .25, .75 and 1.25 patches; outside is constant.
    enlarged = upsample(np.array([[0.0, 4.0], [8.0, 12.0]]), 4)
    row = np.array([0.0, 1.0, 3.0, 4.0])
    np.testing.assert_array_equal(enlarged, row[None, :] + 2 * row[:, None])


def test_enlarging_keeps_what_has_the_size_already() -> None:
    values = np.random.default_rng(0).normal(size=(2, 3, 5, 5)).astype(np.float32)
    np.testing.assert_array_equal(upsample(values, 5), values)
    np.testing.assert_array_equal(upsample(values[..., :1, :1], 3)[0, 0], values[0, 0, 0, 0])


@pytest.mark.parametrize("shape", [(7, 7), (3, 5), (16, 16), (1, 2)])
def test_enlarging_does_what_torch_does(shape: tuple[int, int]) -> None:
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(1).normal(size=(2, *shape))
    by_torch = torch.nn.functional.interpolate(
        torch.from_numpy(values)[None], size=(224, 224), mode="bilinear", align_corners=False
    )
    np.testing.assert_allclose(upsample(values), by_torch[0].numpy(), atol=1e-13)


def test_equal_rows_stay_equal() -> None:
    values = np.random.default_rng(2).normal(size=(7, 7)).astype(np.float32)
    enlarged = upsample(values)
    assert (enlarged[:16] == enlarged[0]).all()
    assert (enlarged[:, -16:] == enlarged[:, -1:]).all()


@pytest.mark.parametrize(
    ("values", "percentile", "expected"),
    [
        ([1, 2, 3, 4], 75, [False, False, False, True]),  # the percentile is 3.25
        ([1, 2, 3, 4, 5], 75, [False, False, False, True, True]),  # it is 4, which is in
        ([1, 2, 2, 2], 50, [False, True, True, True]),  # it is 2, and so are three pixels
        ([4, 4, 4, 4], 99, [True] * 4),
        ([3, 1, 2], 0, [True] * 3),
        ([3, 1, 2], 100, [True, False, False]),
    ],
)
def test_percentiles_by_hand(values: list[float], percentile: float, expected: list[bool]) -> None:
    mask = percentile_mask(np.array([values], dtype=np.float32), percentile)
    assert mask[0].tolist() == expected


def test_window_reaches_further_up_and_left() -> None:
    # Left of the lower one there are five pixels in its window, right of it only four.
    hidden = find_peaks(canvas(1, 12, r0c0=2, r0c5=1))
    free = find_peaks(canvas(1, 12, r0c5=1, r0c10=2))
    assert not hidden[0, 5]
    assert free[0, 5]
    assert not find_peaks(canvas(12, 1, r0c0=2, r5c0=1))[5, 0]


def test_two_hills_make_two_clusters_down_to_four_fifths() -> None:
    values = canvas(
        16, 16, r2c2=1.0, r2c3=0.8, r2c4=0.79, r3c2=0.85, r12c12=0.5, r12c13=0.4, r13c12=0.45
    )
    found = find_clusters(values)
    assert places(found.mask) == [(2, 2), (2, 3), (3, 2), (12, 12), (12, 13), (13, 12)]
    assert found.centres.tolist() == [[2, 2], [12, 12]]


def test_diagonal_pixels_touch() -> None:
    found = find_clusters(canvas(9, 9, r1c1=1.0, r2c2=0.9, r3c3=0.9, r5c5=0.9))
    assert places(found.mask) == [(1, 1), (2, 2), (3, 3)]


def test_clusters_of_two_pixels_are_dropped_and_their_pixels_stay_taken() -> None:
    # The second peak would reach three pixels if the first had not taken two of them.
    values = canvas(4, 16, r0c0=1.0, r0c1=0.9, r0c2=0.5, r0c7=0.6, r0c6=0.55, r0c3=0.5)
    values[0, 4:6] = 0.5
    assert places(find_clusters(values).mask) == [(0, c) for c in range(2, 8)]
    values[0, 4:6] = -1
    assert places(find_clusters(values).mask) == []


def test_only_the_upper_quarter_is_eligible() -> None:
    values = np.linspace(1.0, 0.9, 16).reshape(4, 4)
    assert places(cluster_mask(values)) == [(0, 0), (0, 1), (0, 2), (0, 3)]


@pytest.mark.parametrize(("level", "filled"), [(0.3, True), (0.0, True), (-0.3, False)])
def test_flat_maps_are_one_cluster_unless_negative(level: float, filled: bool) -> None:
    found = find_clusters(np.full((5, 7), level, dtype=np.float32))
    assert found.mask.all() == found.mask.any() == filled
    assert found.centres.tolist() == ([[0, 0]] if filled else [])


def test_equal_peaks_come_in_reading_order_and_a_plateau_is_one() -> None:
    values = canvas(16, 16)
    values[10:12, 1:3] = 0.7
    values[1:3, 10:12] = 0.7
    assert find_clusters(values).centres.tolist() == [[1, 10], [10, 1]]


def test_a_lower_peak_takes_the_slope_that_a_higher_one_left() -> None:
    # 1.0 takes down to .8; .75 on its slope is too near to be a peak, but higher than peak .7.
    values = canvas(4, 24, r0c0=1.0, r0c1=0.9, r0c2=0.8, r0c3=0.75, r0c9=0.7)
    values[0, 4:9] = 0.6
    found = find_clusters(values)
    assert found.centres.tolist() == [[0, 0], [0, 3]]
    assert places(found.mask) == [(0, c) for c in range(10)]


def _random_maps() -> list[np.ndarray]:
    rng = np.random.default_rng(3)
    maps = []
    for place in range(60):
        mean, spread = [(0.14, 0.03), (0, 0.2), (0.3, 0.01), (0, 1), (-0.1, 0.1)][place % 5]
        patches = rng.normal(mean, spread, rng.integers(1, 9, 2))
        if place % 3 == 0:
            patches = patches.round(1)
        size = int(rng.integers(8, 32))
        rough = rng.normal(0.1, 0.1, (size, size + 3)).round(2)
        values = upsample(patches, size) if place % 4 else rough
        maps.append(values.astype((np.float32, np.float64)[place % 2]))
    return maps


@pytest.mark.parametrize("values", _random_maps())
def test_random_maps_cluster_as_defined(values: np.ndarray) -> None:
    found, expected = find_clusters(values), literal.clusters(values)
    np.testing.assert_array_equal(found.mask, literal.cluster_mask(values))
    assert [tuple(centre) for centre in found.centres.tolist()] == [c for c, _ in expected]


def test_floor_is_exact_in_single_precision() -> None:
    # 0.8 x peak lies between two neighbouring singles here; rounding down would let the lower in.
    rng = np.random.default_rng(4)
    for peak in rng.uniform(0.1, 1, 200).astype(np.float32):
        floor = 0.8 * float(peak)
        near = np.float32(floor)
        low = near if float(near) < floor else np.nextafter(near, np.float32(0))
        high = np.nextafter(low, np.float32(1))
        values = np.full((4, 4), -1, dtype=np.float32)
        values[0] = [high, peak, high, low]
        assert places(cluster_mask(values)) == [(0, 0), (0, 1), (0, 2)]
