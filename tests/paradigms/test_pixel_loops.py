"""Loops over pixels: the same as Python and as machine code, kept on disk or not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
import numpy as np
import pytest

from paradigms.maps import pixel_loops
from paradigms.maps.pixel_loops import compiled


def uneven(seed: int) -> np.ndarray:
    """A small map with ties, negative values and slopes."""
    rng = np.random.default_rng(seed)
    rough: np.ndarray = rng.normal(0.1, 0.1, (13, 17)).round(2).astype(np.float32)
    return rough


@pytest.mark.parametrize("seed", range(5))
def test_python_and_machine_code_agree(seed: int) -> None:
    values = uneven(seed)
    lowest = float(np.percentile(values, 60))
    peaks = pixel_loops.mark_peaks(values, lowest)
    np.testing.assert_array_equal(compiled(pixel_loops.mark_peaks)(values, lowest), peaks)
    places = np.flatnonzero(peaks)
    assert len(places)
    walked = pixel_loops.walk_clusters(values, lowest, places)
    for ours, theirs in zip(
        compiled(pixel_loops.walk_clusters)(values, lowest, places), walked, strict=True
    ):
        np.testing.assert_array_equal(ours, theirs)
    flat = values.ravel()
    ranks, order = pixel_loops.rank_pixels(flat)
    for ours, theirs in zip(compiled(pixel_loops.rank_pixels)(flat), (ranks, order), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_array_equal(order, np.argsort(flat, kind="stable"))
    expected = pixel_loops.correlate(flat, ranks)
    by_machine = compiled(pixel_loops.correlate)(flat, ranks)
    assert by_machine == pytest.approx(expected, abs=1e-12)  # summed in another order
    assert expected == pytest.approx(np.corrcoef(flat, ranks)[0, 1], abs=1e-12)


def test_ranks_over_the_whole_range_of_floats() -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=401) * 10.0 ** rng.integers(-30, 30, 401)).astype(np.float32)
    values[:3] = [np.finfo(np.float32).max, np.finfo(np.float32).min, 0]
    ranks, order = compiled(pixel_loops.rank_pixels)(values)
    np.testing.assert_array_equal(order, np.argsort(values, kind="stable"))
    np.testing.assert_array_equal(ranks[order], np.arange(401))


def test_where_nothing_can_be_kept_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    njit = numba.njit

    def nowhere(cache: bool = False, **options: Any) -> Callable[..., Any]:
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        made: Callable[..., Any] = njit(**options)
        return made

    monkeypatch.setattr(numba, "njit", nowhere)
    fresh = compiled.__wrapped__(pixel_loops.mark_peaks)
    values = uneven(0)
    np.testing.assert_array_equal(fresh(values, 0.1), pixel_loops.mark_peaks(values, 0.1))
