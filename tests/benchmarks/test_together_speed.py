"""Seeds in one pass against one at a time, side by side. Run with --run-benchmarks."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.benchmarks.taken import measured
from toolkit.training.features import FeatureBank
from toolkit.training.fit import Training
from toolkit.training.recipe import Recipe
from toolkit.training.together import Together, step

pytestmark = pytest.mark.benchmark
SEEDS, UPDATES, ROUNDS = 10, 5, 12


def included_bank() -> FeatureBank:
    """Random features in the sizes of the included stimuli, views and backbones."""
    rng = np.random.default_rng(0)
    concepts = tuple(f"class-{number:02}" for number in range(13))
    splits = ["train"] * 4000 + ["valid"] * 400
    lengths = rng.integers(12, 36, size=len(splits))
    return FeatureBank(
        concepts=concepts,
        word_table=tuple((f"w{r}", s, concepts[r % 13], "en") for r, s in enumerate(splits)),
        picture_table=tuple((f"p{r}", s, concepts[r % 13]) for r, s in enumerate(splits)),
        frames=torch.randn(int(lengths.sum()), 192).half(),
        word_start=np.concatenate([[0], np.cumsum(lengths)]),
        maps=torch.randn(len(splits), 5, 5, 256).half().movedim(-1, 1),
    )


def test_ten_seeds_of_the_included_recipe() -> None:
    """Updates alone and together take turns, so that whatever else runs slows both."""
    torch.set_num_threads(1)
    bank, recipe = included_bank().standardised(["en"]), Recipe()
    alone = [Training(bank, ["en"], recipe, seed) for seed in range(SEEDS)]
    together = [Together(bank, ["en"], recipe, seed) for seed in range(SEEDS)]

    def one_at_a_time() -> None:
        for training in alone:
            for _ in range(UPDATES):
                training.step()

    def in_one_pass() -> None:
        for _ in range(UPDATES):
            step(together)

    ways: dict[str, Callable[[], None]] = {"alone": one_at_a_time, "together": in_one_pass}
    for way in ways.values():
        way()
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, way in ways.items():
            with measured() as taken:
                way()
            cpu[name].append(taken.processor_s)
    one, other = (1000 * np.median(cpu[name]) / (SEEDS * UPDATES) for name in ways)
    sys.stdout.write(
        f"\nprocessor time, ms per update of a seed: {one:.2f} alone, {other:.2f} together, "
        f"{one / other:.2f} times as fast\n"
    )
    assert np.median(np.divide(cpu["alone"], cpu["together"])) > 1.7
