"""Speed and memory of the measures of dense grounding, at the size of the study."""

from __future__ import annotations

import sys
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from paradigms.maps.agreement import compare, pairwise_iou, read_maps
from paradigms.maps.masks import (
    ELIGIBLE_PERCENTILE,
    find_clusters,
    find_peaks,
    percentile_mask,
    upsample,
)
from paradigms.registry import get_paradigm
from stimuli import StimulusSet, open_set
from tests.benchmarks.taken import measured
from tests.paradigms import literal_maps as literal
from toolkit.running.maps import run_maps
from toolkit.subjects.population import Population
from toolkit.tables.trials import read_trials

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


def measure(patches: np.ndarray, texts: np.ndarray) -> None:
    """All maps and measures of some pictures."""
    for picture in patches:
        for concept in texts:
            stack = read_maps(upsample(np.moveaxis(picture @ concept.T, -1, 0)))
            compare(stack, reference=3)
            pairwise_iou(stack.clusters)
            pairwise_iou(stack.top[95])


class Drawn:
    """Answers of the size of a published network, without the network."""

    def __init__(self, grid: int) -> None:
        self.patches, self.texts = features(PICTURES, grid)

    def embed_text(self, texts: list[str]) -> np.ndarray:
        """The texts are named by their numbers."""
        places = np.array([text.split("-") for text in texts], dtype=int)
        return self.texts[places[:, 0], places[:, 1]]

    def count_tokens(self, texts: list[str]) -> list[int]:
        return [1] * len(texts)

    def embed_patches(self, pictures: list[np.ndarray]) -> np.ndarray:
        """A picture bears its number as the colour of its first pixel."""
        return self.patches[[int(picture[0, 0, 0]) for picture in pictures]]


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    """As many pictures, concepts and languages as in the study."""
    folder = tmp_path_factory.mktemp("study")
    pictures = folder / "pictures"
    pictures.mkdir()
    for number in range(PICTURES):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(pictures / f"{number:03d}.png")
    codes = [f"a{letter}" for letter in "abcdefghijklm"]
    lines = [f'reference = "{codes[0]}"']
    for code in codes:
        lines += [f"[languages.{code}]", f'name = "{code}"', 'resource = "high"']
        lines += ['templates = { bare = "{word}" }']
    for concept in range(CONCEPTS):
        lines += [f"[words.thing{concept}]"]
        lines += [f'{code} = {{ word = "{concept}-{n}" }}' for n, code in enumerate(codes)]
    words = folder / "words.toml"
    words.write_text("\n".join(lines), encoding="utf-8")
    return open_set(str(pictures), words=words)


@pytest.mark.parametrize("grid", [7, 16])
def test_the_study_on_two_cores(grid: int, study: StimulusSet, tmp_path: Path) -> None:
    load: Any = lambda own, seed: Drawn(grid)  # noqa: E731
    subject = Population("drawn", tuple(study.words.languages), ("a",), "Random.", load)
    with measured() as taken:
        done = run_maps(get_paradigm("dense-grounding"), [subject], study, root=tmp_path, jobs=2)
    maps = len(read_trials(done.directory.trials_path))
    assert maps == LANGUAGES * CONCEPTS * PICTURES == 30_030
    sys.stdout.write(
        f"\n{grid} x {grid} patches: {maps} maps, all measures and the table with two processes: "
        f"{taken.told}, {taken.processor_s / maps * 1000:.2f} ms of a core per map\n"
    )
    assert taken.processor_s / 2 < 60


@pytest.mark.parametrize("grid", [7, 16])
def test_clusters_against_the_literal_loop(grid: int) -> None:
    patches, texts = features(2, grid)
    maps = upsample(np.einsum("pijd,ctd->pctij", patches, texts[:1]).reshape(-1, grid, grid))
    ours = theirs = 0.0
    find_clusters(maps[0])  # loads what it needs
    for values in maps[::2]:
        eligible, peaks = percentile_mask(values, ELIGIBLE_PERCENTILE), find_peaks(values)
        lowest = float(values[eligible].min())
        with measured() as own:
            found = find_clusters(values, lowest)  # finds the peaks as well
        with measured() as loop:
            places = [tuple(place) for place in np.argwhere(peaks & eligible).tolist()]
            expected = literal.grow(values.astype(np.float64), eligible, places)
        ours, theirs = ours + own.processor_s, theirs + loop.processor_s
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
