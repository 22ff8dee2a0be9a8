"""Graded factors: the slope that was put in is found, told, and held to what was planned."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paradigms import Condition, Graded, PairCondition, PicturePairs, paradigm
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.cautions import named_tests
from toolkit.statistics.choices.counts import count_trials
from toolkit.statistics.choices.trends import TrendTest
from toolkit.statistics.settings import Settings

STEPS = {"none": 0, "one": 1, "two": 2, "also-two": 2}


@paradigm("steps", version=1)
class Steps(PicturePairs):
    """A paradigm with one graded factor."""

    question = "?"
    source = "this test"
    conditions = tuple(PairCondition(name, "", headline=name == "none") for name in STEPS)
    graded = (Graded("steps taken", STEPS, "Do steps matter?", "step"),)
    formula = (
        "correct ~ level + (1 + level | seed) + (1 + level | word_concept)"
        " + (1 | distractor_concept)"
    )


def trials(slope: float, base: float = 1.0, seeds: str = "abcde", n_words: int = 7) -> pd.DataFrame:
    """Trials whose log odds fall on a line over the steps, but for noise of seeds and words."""
    rng = np.random.default_rng(3)
    of_word = rng.normal(0, 0.4, n_words)
    rows: list[tuple[Any, ...]] = []
    for seed in seeds:
        of_seed = rng.normal(0, 0.2)
        for word in range(n_words):
            for name, step in STEPS.items():
                p = 1 / (1 + math.exp(-(base + of_seed + of_word[word] + slope * step)))
                for distractor in range(4):
                    right = rng.random(8) < p
                    rows += [(seed, name, f"w{word}", f"d{distractor}", int(r)) for r in right]
    names = ["seed", "condition", "word_concept", "distractor_concept", "correct"]
    return pd.DataFrame(rows, columns=names).assign(
        paradigm="steps", paradigm_version=1, population="p", n_languages=1, train_languages="en",
        test_language="en", n_choices=2, tie=False,
    )  # fmt: skip


def trend(table: pd.DataFrame) -> TrendTest:
    found = analyse(count_trials(table), Steps(), Settings(n_bootstrap=0))
    (test,) = found.trends
    return test


@pytest.mark.parametrize(("slope", "verdict"), [(-1.0, "lower"), (0.0, "open"), (0.8, "higher")])
def test_the_slope_that_was_put_in_is_found(slope: float, verdict: str) -> None:
    test = trend(trials(slope))
    assert test.slope_low < slope < test.slope_high
    assert test.verdict == verdict
    assert [own.level for own in test.levels] == [0, 1, 2]
    assert (test.n_seeds, test.n_words) == (5, 7)
    assert test.contrast is not None
    assert test.contrast.estimate == pytest.approx(2 * test.slope)


def test_means_at_levels_are_those_of_the_trials() -> None:
    table = trials(-0.5)
    test = trend(table)
    for own in test.levels:
        at = table[table["condition"].map(STEPS) == own.level]
        assert own.n_trials == len(at)
        assert own.accuracy == pytest.approx(at.groupby("seed")["correct"].mean().mean())


def test_what_is_held_against_chance_is_the_same_model_without_the_level() -> None:
    table = trials(-0.5)
    found = analyse(count_trials(table), Steps(), Settings(n_bootstrap=0))
    (chance,) = found.chance
    assert chance.condition == "none"
    assert chance.fit is not None
    assert "level" not in chance.fit.fitted_formula
    question, answer = found.answers[1]
    assert question == "Do steps matter?"
    assert answer == found.sentences[-1]
    assert "odds ratio per step" in answer
    assert "trend over a graded factor: one test" in found.families


def test_certain_answers_decide_no_slope() -> None:
    for right in (0, 1):
        test = trend(trials(0.0).assign(correct=right))
        assert test.verdict == "undecided"
        assert test.problem
        assert [own.accuracy for own in test.levels] == [right] * 3


def test_too_few_seeds_and_a_single_level() -> None:
    few = trend(trials(-1.0, seeds="ab"))
    assert few.verdict == "few"
    table = trials(-1.0)
    one = table[table["condition"] == "none"]
    assert analyse(count_trials(one), Steps(), Settings(n_bootstrap=0)).trends == ()


def test_a_gate_that_nobody_passes_counts_all_the_same() -> None:
    class Gated(Steps):
        gate = ("none", 0.99)

    found = analyse(count_trials(trials(-1.0)), Gated(), Settings(n_bootstrap=0))
    (test,) = found.trends
    assert test.problem == "nobody passed the gate"
    assert found.trends_all_seeds[0].verdict == "lower"
    names = [own.name for own in named_tests(found.chance, (), (), found.trends)]
    assert names == ["p in en", "p in en, steps taken"]


def test_conditions_know_their_role() -> None:
    roles = [Condition("a", "", True).role, Condition("a", "").role]
    assert [*roles, Condition("a", "", practice=True).role] == ["test", "control", "practice"]
