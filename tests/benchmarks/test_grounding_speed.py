"""Speed and memory of the measures of dense grounding, at the size of the study."""

from __future__ import annotations

import sys
import time
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import numpy as np
import pytest

from paradigms.agreement import compare, pairwise_iou, read_maps
from paradigms.maps import ELIGIBLE_PERCENTILE, find_clusters, find_peaks, percentile_mask, upsample
from tests.paradigms import literal_maps as literal

pytestmark = pytest.mark.benchmark
LANGUAGES, CONCEPTS, PICTURES, WIDTH = 13, 11, 210, 512


def features(pictures: int, grid: int) -> tuple[np.ndarray, np.ndarray]:
    """Patches (pictures, grid, grid, d) and texts (concepts, languages, d) of length one.

    Similarities lie about .14 with a spread of .025, as those of the published networks do.
    """
    rng = np.random.default_rng(0)
    shared = np.zeros(WIDTH)
    shared[0] = 1
    concepts = rng.normal(size=(CONCEPTS, 1, WIDTH))
    texts = concepts + 0.6 * rng.normal(size=(CONCEPTS, LANGUAGES, WIDTH))
    patches = rng.normal(size=(pictures, grid, grid, WIDTH))
    for vectors in (texts, patches):
        vectors[..., 0] = 0
        vectors *= np.sqrt(0.86) / np.linalg.norm(vectors, axis=-1, keepdims=True)
        vectors += np.sqrt(0.14) * shared
    return patches.astype(np.float32), texts.astype(np.float32)


def measure(patches: np.ndarray, texts: np.ndarray) -> tuple[int, float]:
    """All maps and measures of some pictures: how many maps, and the processor's seconds."""
    start = time.process_time()
    maps = 0
    for picture in patches:
        for concept in texts:
            similarity = np.moveaxis(picture @ concept.T, -1, 0)
            stack = read_maps(upsample(similarity))
            compare(stack, reference=3)
            pairwise_iou(stack.clusters)
            pairwise_iou(stack.top[95])
            maps += len(similarity)
    return maps, time.process_time() - start


@pytest.mark.parametrize("grid", [7, 16])
def test_the_study_on_two_cores(grid: int) -> None:
    patches, texts = features(PICTURES, grid)
    start = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        done = list(pool.map(partial(measure, texts=texts), np.array_split(patches, 2)))
    wall = time.perf_counter() - start
    maps, seconds = (sum(part) for part in zip(*done, strict=True))
    assert maps == LANGUAGES * CONCEPTS * PICTURES == 30_030
    sys.stdout.write(
        f"\n{grid} x {grid} patches: {maps} maps and all measures in {wall:.1f} s on two cores, "
        f"{seconds / maps * 1000:.2f} ms of a core per map\n"
    )
    # The clock of the processor, because the wall's also counts what else the machine does.
    assert seconds / 2 < 60


@pytest.mark.parametrize("grid", [7, 16])
def test_clusters_against_the_literal_loop(grid: int) -> None:
    patches, texts = features(2, grid)
    maps = upsample(np.einsum("pijd,ctd->pctij", patches, texts[:1]).reshape(-1, grid, grid))
    ours = theirs = 0.0
    find_clusters(maps[0])  # loads what it needs
    for values in maps[::2]:
        eligible, peaks = percentile_mask(values, ELIGIBLE_PERCENTILE), find_peaks(values)
        start = time.process_time()
        found = find_clusters(values, eligible, peaks)
        ours += time.process_time() - start
        start = time.process_time()
        places = [tuple(place) for place in np.argwhere(peaks & eligible).tolist()]
        expected = literal.grow(values.astype(np.float64), eligible, places)
        theirs += time.process_time() - start
        assert found.mask.sum() == sum(len(members) for _, members in expected)
    sys.stdout.write(
        f"\n{grid} x {grid} patches: {len(maps[::2])} maps clustered in {ours:.3f} s, by the "
        f"literal loop in {theirs:.2f} s: {theirs / ours:.0f} times\n"
    )
    assert theirs > 10 * ours


def test_memory_does_not_grow_with_pictures() -> None:
    peak = {}
    measure(*features(1, 2))  # loads what it needs
    for pictures in (1, 12):
        patches, texts = features(pictures, 7)
        tracemalloc.start()
        measure(patches, texts)
        peak[pictures] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    sys.stdout.write(f"\nmost memory beside the features: {peak} MB\n")
    assert peak[12] < 1.1 * peak[1]
