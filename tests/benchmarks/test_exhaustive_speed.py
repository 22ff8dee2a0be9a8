"""Speed and memory of counting all triples, side by side with asking them. --run-benchmarks."""

from __future__ import annotations

import sys
import tracemalloc

import numpy as np
import pytest

from tests.benchmarks.taken import measured
from toolkit.running.exhaustive import count_wins

pytestmark = pytest.mark.benchmark
CLIPS, TARGETS, RIVALS, DIMENSIONS = 200, 400, 5000, 256
NOVEL, FAMILIAR = 20, 13


def test_four_hundred_million_triples() -> None:
    rng = np.random.default_rng(0)
    words = rng.normal(size=(CLIPS, DIMENSIONS)).astype(np.float32)
    pictures = rng.normal(size=(TARGETS + RIVALS, DIMENSIONS)).astype(np.float32)
    of_target, of_rival = np.arange(TARGETS) % NOVEL, np.arange(RIVALS) % FAMILIAR
    with measured() as by_ranks:
        scores = words @ pictures.T
        wins = count_wins(
            scores[:, :TARGETS], of_target, scores[:, TARGETS:], of_rival, (NOVEL, FAMILIAR)
        )
    assert wins.triples.sum() == CLIPS * TARGETS * RIVALS == 4e8

    # All comparisons of a clip at once, summed per class, for a tenth of the clips.
    with measured() as of_a_tenth:
        correct = np.zeros((NOVEL, FAMILIAR), dtype=np.int64)
        order = np.argsort(of_rival, kind="stable")
        starts = np.searchsorted(of_rival[order], np.arange(FAMILIAR))
        for clip in scores[: CLIPS // 10]:
            won = clip[:TARGETS, None] > clip[TARGETS:][order]
            per_target = np.add.reduceat(won, starts, axis=1, dtype=np.int64)
            np.add.at(correct, of_target, per_target)
    some = count_wins(
        scores[: CLIPS // 10, :TARGETS], of_target, scores[: CLIPS // 10, TARGETS:], of_rival,
        (NOVEL, FAMILIAR),
    )  # fmt: skip
    assert (some.correct == correct).all()

    with measured() as of_some:
        for clip, target, rival in rng.integers(0, [CLIPS, TARGETS, RIVALS], (100_000, 3)).tolist():
            _ = scores[clip, target] > scores[clip, TARGETS + rival]
    all_at_once = of_a_tenth.processor_s * 10 / by_ranks.processor_s
    one_by_one = of_some.processor_s / 100_000 * 4e8 / by_ranks.processor_s
    sys.stdout.write(
        f"\nscores and counts by ranks {by_ranks.told}; comparisons as arrays take "
        f"{all_at_once:.0f} times as long, one by one {one_by_one:.0f} times\n"
    )
    assert all_at_once > 2


def test_memory_does_not_grow_with_pictures() -> None:
    rng = np.random.default_rng(0)
    peak = {}
    for factor in (1, 20):
        scores = rng.random((2, 400 * factor), dtype=np.float32)
        rivals = rng.random((2, 5000 * factor), dtype=np.float32)
        classes = np.arange(400 * factor) % 20, np.arange(5000 * factor) % 13
        tracemalloc.start()
        count_wins(scores, classes[0], rivals, classes[1], (20, 13))
        peak[factor] = tracemalloc.get_traced_memory()[1] / 1e6
        tracemalloc.stop()
    sys.stdout.write(f"\npeak beyond the scores: {peak} MB\n")
    assert peak[20] < 60
