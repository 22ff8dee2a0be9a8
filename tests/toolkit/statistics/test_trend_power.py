"""Planning a trend: what more seeds and words bring, and what a user may type wrongly."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

import pytest

from tests.commands import Cli
from toolkit.statistics.power.formula import power_of_words
from toolkit.statistics.power.trend import TrendModel, plan_trend, trend_power

MODEL = TrendModel((0, 1, 2, 3), 0.9, 0.75, 0.3, 0.15, word_sd=0.6, slope_sd=0.25)
STATED = (
    *("power", "--levels", "0,1,2,3", "--odds-ratio", 0.75, "--base-accuracy", 0.9),
    *("--seed-sd", 0.3, "--seed-slope-sd", 0.15),
)


def test_seeds_words_and_spread_count_as_they_must() -> None:
    power = trend_power(MODEL, 6)
    assert power < trend_power(MODEL, 12)
    assert power < trend_power(replace(MODEL, n_words=40), 6)
    assert power > trend_power(replace(MODEL, slope_sd=0.5), 6)
    assert power > trend_power(replace(MODEL, seed_slope_sd=0.4), 6)
    assert power > trend_power(replace(MODEL, trials_per_word=2), 6)
    assert trend_power(replace(MODEL, odds_ratio=1 / 0.75, base_accuracy=0.5), 6) == pytest.approx(
        trend_power(replace(MODEL, base_accuracy=0.5), 6)
    ), "a rise is found as easily as a fall"
    assert trend_power(replace(MODEL, levels=(5, 6, 7, 8)), 6) == power


def test_without_a_trend_false_alarms_are_planned() -> None:
    assert trend_power(replace(MODEL, odds_ratio=1.0), 8, 0.05) == pytest.approx(0.05)


def test_words_are_the_ceiling_of_many_seeds() -> None:
    few = replace(MODEL, n_words=8, trials_per_word=10_000)
    ceiling = power_of_words(8, few.slope, few.slope_sd)
    assert trend_power(few, 5_000) == pytest.approx(ceiling, abs=0.03)


def test_the_answer_is_the_fewest_seeds() -> None:
    plan = plan_trend(MODEL, target=0.9)
    assert trend_power(MODEL, plan.n_seeds) == plan.power >= 0.9
    assert trend_power(MODEL, plan.n_seeds - 1) < 0.9
    assert f"{plan.n_seeds} seeds reach" in repr(plan)


def test_all_formats_agree(cli: Cli) -> None:
    told = cli(*STATED, "--trials-per-word", 20, "--trials-per-word", 50).out
    plans = json.loads(cli(*STATED, "--format", "json").out)["trends"]
    rows = list(csv.DictReader(io.StringIO(cli(*STATED, "--format", "csv").out)))
    (answer,) = (row for row in rows if row["is_answer"] == "1")
    assert int(answer["n_seeds"]) == plans[0]["n_seeds"]
    assert float(answer["power"]) == plans[0]["power"]
    assert f"{plans[0]['n_seeds']} seeds reach" in told
    assert "20 words x 20 trials" in told


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (("--levels", "0,one"), "levels are no numbers"),
        (("--levels", "0,2,1"), "levels cannot be used"),
        (("--levels", "1"), "levels cannot be used"),
        (("--odds-ratio", 1), "no trend to find"),
        (("--odds-ratio", 0.99, "--slope-sd", 0.5), "20 words allow 0.0"),
        (("--words", 3), "number of words cannot be used"),
        (("--seed-slope-sd", 0), "SD of the slope over seeds cannot be used"),
        (("--test", "mixed"), "--test goes with two groups"),
        (("--difference", 2), "--difference goes with two groups"),
    ],
)
def test_wrong_input_is_one_clear_error(
    cli: Cli, changes: tuple[object, ...], expected: str
) -> None:
    said = cli(*STATED, *changes)
    assert said.code == 2
    assert expected in said.err
    assert said.out == ""


def test_what_a_trend_needs_is_named(cli: Cli) -> None:
    assert "--seed-sd and --seed-slope-sd are missing" in cli(*STATED[:7]).err
    assert "--seed-slope-sd goes with --levels" in cli(*("power", *STATED[3:])).err
