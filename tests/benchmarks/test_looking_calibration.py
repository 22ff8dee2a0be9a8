"""False alarms of the tests of looking where nobody has a preference, with 5 and with 10 seeds.

The window test speaks about further seeds and further items: every experiment draws seeds, words
and distractors anew, with standard deviations as in the populations that are included. The cluster
test speaks about further seeds and the same items, whose pairs are yoked: every experiment draws
the courses of its seeds, which wander around chance. A script by hand:
``python tests/benchmarks/test_looking_calibration.py EXPERIMENTS``.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from paradigms.looking_while_listening import LookingWhileListening
from toolkit.statistics.looking.clusters import find_clusters
from toolkit.statistics.looking.models import window_test

pytestmark = pytest.mark.benchmark
N_WORDS = 13
SDS = {"seed": 0.01, "word": 0.14, "distractor": 0.08, "rest": 0.19}
"""Shares of looking within the window; of the order found behind a carrier."""
MEMORY, WANDER = 0.9, 0.02
"""How much of a seed's distance from chance is left at the next gate, and how far it wanders."""
EXPERIMENTS = 400


def alarms_of_window(n_seeds: int, n: int, rng: np.random.Generator) -> float:
    """Share of experiments in which the window test finds a preference."""
    cells = [
        (seed, word, other)
        for seed in range(n_seeds)
        for word in range(N_WORDS)
        for other in range(N_WORDS)
        if word != other
    ]
    seed, word, other = np.array(cells).T
    found = 0
    for _ in range(n):
        looking = 0.5 + rng.normal(0, SDS["rest"], len(cells))
        for name, levels, size in (
            ("seed", seed, n_seeds), ("word", word, N_WORDS), ("distractor", other, N_WORDS),
        ):  # fmt: skip
            looking += rng.normal(0, SDS[name], size)[levels]
        rows = pd.DataFrame(
            {
                "seed": seed.astype(str), "word_concept": word.astype(str),
                "distractor_concept": other.astype(str), "looking": looking,
            }
        )  # fmt: skip
        test = window_test(rows, LookingWhileListening.formula, 0.5)
        found += test.model.p_value < 0.05
    return found / n


def alarms_of_clusters(n_seeds: int, n: int, rng: np.random.Generator) -> float:
    """Share of experiments in which any cluster is significant."""
    gates = LookingWhileListening.gates_ms
    found = 0
    for _ in range(n):
        steps = rng.normal(0, WANDER, (n_seeds, len(gates)))
        courses = steps.copy()
        for place in range(1, len(gates)):
            courses[:, place] += MEMORY * courses[:, place - 1]
        found += any(one.p_value < 0.05 for one in find_clusters(courses, gates))
    return found / n


@pytest.mark.parametrize("n_seeds", [5, 10])
def test_false_alarms_are_as_many_as_the_level_says(n_seeds: int) -> None:
    # With 5 seeds there are 32 turnings: the smallest p is .031, and the next .0625.
    assert 0.02 <= alarms_of_clusters(n_seeds, EXPERIMENTS, np.random.default_rng(n_seeds)) <= 0.07
    assert 0.02 <= alarms_of_window(n_seeds, EXPERIMENTS, np.random.default_rng(n_seeds)) <= 0.07


if __name__ == "__main__":
    number = int(sys.argv[1])
    for seeds in (5, 10):
        for what, alarms in (("clusters", alarms_of_clusters), ("window", alarms_of_window)):
            share = alarms(seeds, number, np.random.default_rng(seeds))
            sys.stdout.write(f"{seeds} seeds, {what}: {100 * share:.1f} % of {number}\n")
            sys.stdout.flush()
