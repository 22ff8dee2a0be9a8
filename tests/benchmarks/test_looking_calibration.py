"""False alarms of the tests of looking where nobody has a preference, with 5 and with 10 seeds.

The window test speaks about further seeds and further items: every experiment draws seeds, words
and distractors anew, with standard deviations as in the populations that are included. The cluster
test speaks about further seeds and the same items, whose pairs are yoked: every experiment draws
the courses of its seeds, which wander around chance. A script by hand:
``python -m tests.benchmarks.test_looking_calibration EXPERIMENTS``.
"""

from __future__ import annotations

import sys

import numpy as np
import pandas as pd
import pytest

from paradigms.looking_while_listening import LookingWhileListening
from toolkit.statistics.looking.clusters import find_clusters
from toolkit.statistics.looking.models import growth_curve, orthogonal, window_test

pytestmark = pytest.mark.benchmark
N_WORDS = 13
SDS = {"seed": 0.01, "word": 0.14, "distractor": 0.08, "rest": 0.19}
"""Shares of looking within the window; of the order found behind a carrier."""
MEMORY, WANDER = 0.9, 0.02
"""How much of a seed's distance from chance is left at the next gate, and how far it wanders."""
GROWTH = {"seed": (0.01, 0.005, 0.009), "word": (0.14, 0.145, 0.09)}
"""Shares of looking: mean, linear and quadratic term of growth, as found behind a carrier."""
PAIR_WANDER = 0.04
"""How far the course of one word with one seed wanders."""
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


def alarms_of_growth(
    n_seeds: int, n: int, rng: np.random.Generator, formula: str = LookingWhileListening.growth
) -> dict[str, float]:
    """Share of experiments in which a term of growth is found; NaN counts as none."""
    gates = [gate for gate in LookingWhileListening.gates_ms if gate >= 0]
    shapes = np.stack([np.ones(len(gates)), *orthogonal(np.array(gates))])
    seed, word, gate = (
        index.ravel() for index in np.indices((n_seeds, N_WORDS, len(gates)))
    )  # fmt: skip
    found = {"linear": 0, "quadratic": 0}
    for _ in range(n):
        own, items = (
            rng.normal(0, GROWTH[name], (size, len(shapes))) @ shapes
            for name, size in (("seed", n_seeds), ("word", N_WORDS))
        )
        courses = 0.5 + own[:, None] + items[None] + _wandering((n_seeds, N_WORDS, len(gates)), rng)
        rows = pd.DataFrame(
            {
                "seed": seed.astype(str), "word_concept": word.astype(str),
                "gate_ms": np.array(gates)[gate], "looking": courses.ravel(),
            }
        )  # fmt: skip
        curve = growth_curve(rows, formula)
        for name in found:
            found[name] += getattr(curve, name).p_value < 0.05
    return {name: count / n for name, count in found.items()}


def _wandering(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    """What is left at a gate, much of it from the gate before."""
    courses = rng.normal(0, PAIR_WANDER, shape)
    for place in range(1, shape[-1]):
        courses[..., place] += MEMORY * courses[..., place - 1]
    return courses


@pytest.mark.parametrize("n_seeds", [5, 10])
def test_false_alarms_are_as_many_as_the_level_says(n_seeds: int) -> None:
    # With 5 seeds there are 32 turnings: the smallest p is .031, and the next .0625.
    assert 0.02 <= alarms_of_clusters(n_seeds, EXPERIMENTS, np.random.default_rng(n_seeds)) <= 0.07
    assert 0.02 <= alarms_of_window(n_seeds, EXPERIMENTS, np.random.default_rng(n_seeds)) <= 0.07
    growth = alarms_of_growth(n_seeds, EXPERIMENTS, np.random.default_rng(n_seeds))
    assert all(0.02 <= share <= 0.07 for share in growth.values())


if __name__ == "__main__":
    number = int(sys.argv[1])
    for seeds in (5, 10):
        for what, alarms in (("clusters", alarms_of_clusters), ("window", alarms_of_window)):
            share = alarms(seeds, number, np.random.default_rng(seeds))
            sys.stdout.write(f"{seeds} seeds, {what}: {100 * share:.1f} % of {number}\n")
            sys.stdout.flush()
        for name, share in alarms_of_growth(seeds, number, np.random.default_rng(seeds)).items():
            sys.stdout.write(f"{seeds} seeds, {name} growth: {100 * share:.1f} % of {number}\n")
            sys.stdout.flush()
