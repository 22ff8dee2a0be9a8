"""Statistics of looking on courses whose answers are known."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from paradigms.looking_while_listening import LookingWhileListening
from toolkit.statistics.looking.children import looking_by_age
from toolkit.statistics.looking.clusters import find_clusters
from toolkit.statistics.looking.courses import CHANCE, multiverse, time_course
from toolkit.statistics.looking.data import Curves
from toolkit.statistics.looking.models import (
    WindowTest,
    decided,
    growth_curve,
    orthogonal,
    window_rows,
    window_test,
)

GATES = (-40, 0, 40, 80, 120)
LOOKING = LookingWhileListening


def curves(n: int = 7, rise: float = 0.0, seed: int = 0) -> Curves:
    shares = np.random.default_rng(seed).normal(CHANCE, 0.05, (n, len(GATES)))
    shares[:, 3:] += rise
    return Curves(GATES, tuple("abcdefgh"[:n]), shares)


def looks(n_seeds: int = 5, above: float = 0.0) -> pd.DataFrame:
    """One row per trial and gate, with variation of seeds, words and distractors."""
    rng = np.random.default_rng(1)
    words = [f"word{number}" for number in range(7)]
    effects = [dict(zip(words, rng.normal(0, 0.05, 7), strict=True)) for _ in range(2)]
    rows = []
    for seed in "abcdefghij"[:n_seeds]:
        own = rng.normal(0, 0.02)
        for trial, (word, other) in enumerate(itertools.permutations(words, 2)):
            for gate in GATES:
                mean = CHANCE + own + (effects[0][word] + effects[1][other] + above) * (gate > 0)
                rows.append((seed, trial, word, other, gate, mean + rng.normal(0, 0.05)))
    names = ["seed", "trial", "word_concept", "distractor_concept", "gate_ms", "looking"]
    return pd.DataFrame(rows, columns=names)


def test_the_window_is_the_mean_of_its_gates() -> None:
    own = curves()
    assert own.within(40, 80) == pytest.approx(own.shares[:, 2:4].mean(axis=1))


def test_every_window_is_a_t_test_over_seeds() -> None:
    own = curves(rise=0.05)
    found = multiverse(own, 0.05)
    assert len(found.windows) == 6  # pairs of the four gates from 0 on
    for one in found.windows:
        values = own.within(one.start_ms, one.end_ms)
        assert one.mean == pytest.approx(values.mean())
        assert one.p_value == pytest.approx(stats.ttest_1samp(values, CHANCE).pvalue)
    hits = [one for one in found.windows if one.p_value < 0.05]
    assert found.n_above == sum(one.mean > CHANCE for one in hits)
    assert found.n_below == sum(one.mean < CHANCE for one in hits)


def test_a_single_seed_has_a_course_without_intervals() -> None:
    own = curves(n=1)
    assert all(np.isnan(gate.ci_low) for gate in time_course(own))
    assert all(np.isnan(one.p_value) for one in multiverse(own, 0.05).windows)
    assert find_clusters(own.shares - CHANCE, GATES) == ()


def test_clusters_are_found_by_turning_every_seed() -> None:
    own = curves(n=5, rise=0.3).shares - CHANCE
    (found,) = find_clusters(own, GATES)
    assert (found.start_ms, found.end_ms) == (80, 120)
    threshold = stats.t.ppf(0.95, 4)
    masses = []
    for signs in itertools.product((1, -1), repeat=5):
        ts = stats.ttest_1samp(np.array(signs)[:, None] * own, 0).statistic
        runs = [
            list(part) for above, part in itertools.groupby(ts, lambda t: t > threshold) if above
        ]
        masses.append(max((sum(part) for part in runs), default=0.0))
    assert found.mass == pytest.approx(masses[0])
    assert found.p_value == np.mean(np.array(masses) >= masses[0] - 1e-9)


def test_many_seeds_are_turned_at_random_and_the_same_way_each_time() -> None:
    shares = np.random.default_rng(0).normal(0.02, 0.05, (20, len(GATES)))
    shares[:, 3:] += 0.1
    first, again = (find_clusters(shares, GATES) for _ in range(2))
    assert first == again
    assert first[-1].p_value < 0.01


def test_the_window_test_is_about_the_mean_over_participants() -> None:
    rows = window_rows(looks(above=0.2), (40, 120))
    (test,) = decided([window_test(rows, LOOKING.formula, CHANCE)], 0.05)
    by_seed = rows.groupby("seed")["looking"].mean()
    assert test.mean == pytest.approx(by_seed.mean())
    assert test.model.value == pytest.approx(test.mean, abs=1e-6)
    assert test.p_seeds == pytest.approx(stats.ttest_1samp(by_seed, CHANCE).pvalue)
    assert test.model.ci_low < test.mean < test.model.ci_high
    assert test.verdict == "more"
    assert test.p_holm == test.model.p_value


def test_less_looking_is_less() -> None:
    rows = window_rows(looks(above=-0.2), (40, 120))
    (test,) = decided([window_test(rows, LOOKING.formula, CHANCE)], 0.05)
    assert test.verdict == "less"


def test_tests_of_a_family_are_corrected_for_each_other() -> None:
    tests = [
        window_test(window_rows(looks(above=above), (40, 120)), LOOKING.formula, CHANCE)
        for above in (0.0, 0.2)
    ]
    judged = decided(tests, 0.05)
    ps = sorted(test.model.p_value for test in tests)
    assert sorted(test.p_holm for test in judged) == pytest.approx(
        [2 * ps[0], max(2 * ps[0], ps[1])]
    )


def test_two_seeds_are_too_few_to_judge() -> None:
    rows = window_rows(looks(n_seeds=2, above=0.2), (40, 120))
    (test,) = decided([window_test(rows, LOOKING.formula, CHANCE)], 0.05)
    assert test.verdict == "few"
    assert "2 participants" in test.problem
    assert np.isnan(test.p_holm)


def test_looks_that_are_all_the_same_decide_nothing() -> None:
    rows = window_rows(looks().assign(looking=1.0), (40, 120))
    test: WindowTest
    (test,) = decided([window_test(rows, LOOKING.formula, CHANCE)], 0.05)
    assert test.verdict == "undecided"
    assert "all looks are the same" in test.problem


def test_time_is_orthogonal() -> None:
    linear, quadratic = orthogonal(np.arange(0, 801, 40))
    assert (linear[0], linear[-1]) == (-1, 1)
    assert quadratic.sum() == pytest.approx(0, abs=1e-12)
    assert linear @ quadratic == pytest.approx(0, abs=1e-12)


def test_growth_is_that_of_the_means() -> None:
    own = looks(above=0.2)
    found = growth_curve(own, LOOKING.growth)
    after = own[own["gate_ms"] >= 0].groupby("gate_ms")["looking"].mean()
    design = np.column_stack([np.ones(len(after)), *orthogonal(after.index.to_numpy())])
    expected = np.linalg.lstsq(design, after.to_numpy(), rcond=None)[0]
    values = [found.intercept.value, found.linear.value, found.quadratic.value]
    assert values == pytest.approx(expected, abs=1e-6)


def test_children_are_told_by_age() -> None:
    table = looking_by_age()
    assert table["age_months"].is_monotonic_increasing
    assert ((table["ci_low"] <= table["mean"]) & (table["mean"] <= table["ci_high"])).all()
    assert table["n_children"].sum() > 2_555  # some were seen at several ages
