"""Accuracy over seeds against values worked out by hand and with SciPy."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import special, stats

from toolkit.statistics.choices.describe import accuracy_over_seeds, seed_accuracy
from toolkit.tables.trials import table_faults


def trials(answers: dict[str, list[int]], ties: int = 0) -> pd.DataFrame:
    rows = [
        {
            "paradigm": "me", "paradigm_version": 1, "population": "p", "test_language": "en",
            "condition": "novel-familiar", "seed": seed, "correct": correct, "n_choices": 2,
            "tie": number < ties,
        }
        for seed, given in answers.items()
        for number, correct in enumerate(given)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_seed_accuracy_counts() -> None:
    table = seed_accuracy(trials({"a": [0, 1, 1, 1], "b": [0, 0, 0, 1]}, ties=1))
    assert table["accuracy"].tolist() == [0.75, 0.25]
    assert table["n_correct"].tolist() == [3, 1]
    assert table["n_ties"].tolist() == [1, 1]
    assert table["chance"].tolist() == [0.5, 0.5]


def test_interval_is_a_t_interval_on_the_logit_scale() -> None:
    rng = np.random.default_rng(0)
    answers = {seed: rng.integers(0, 2, 50).tolist() for seed in "abcdefg"}
    row = accuracy_over_seeds(seed_accuracy(trials(answers))).iloc[0]
    means = [np.mean(given) for given in answers.values()]
    mean, error = np.mean(means), stats.sem(means)
    interval = special.expit(
        stats.t.interval(0.95, 6, special.logit(mean), error / (mean * (1 - mean)))
    )
    assert row["mean"] == pytest.approx(mean, abs=1e-12)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(interval), abs=1e-12)
    # With little spread it is nearly the interval of the mean itself.
    symmetric = stats.ttest_1samp(means, 0.5).confidence_interval(0.95)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx(tuple(symmetric), abs=0.005)


@pytest.mark.parametrize("right", [[20, 20, 19], [0, 1], [20, 0], [19, 20, 20, 20, 20]])
def test_interval_ends_within_0_and_1(right: list[int]) -> None:
    answers = {str(seed): [1] * n + [0] * (20 - n) for seed, n in enumerate(right)}
    row = accuracy_over_seeds(seed_accuracy(trials(answers))).iloc[0]
    assert 0 <= row["ci_low"] < row["mean"] < row["ci_high"] <= 1


@pytest.mark.parametrize("right", [0, 7, 20])
def test_seeds_that_answer_alike_have_no_interval(right: int) -> None:
    answers = {seed: [1] * right + [0] * (20 - right) for seed in "abc"}
    row = accuracy_over_seeds(seed_accuracy(trials(answers))).iloc[0]
    assert row["mean"] == pytest.approx(right / 20)
    assert np.isnan(row[["ci_low", "ci_high"]].astype(float)).all()


def test_one_seed_has_no_interval() -> None:
    row = accuracy_over_seeds(seed_accuracy(trials({"a": [1, 1, 0]}))).iloc[0]
    assert row["mean"] == pytest.approx(2 / 3)
    assert np.isnan(row[["sd", "std_error", "ci_low", "ci_high"]].astype(float)).all()


def test_table_faults_are_listed_together() -> None:
    table = trials({"a": [1, 2]}).rename(columns={"seed": "sed"})
    table["tie"] = True
    faults = table_faults(table)
    assert any("column seed is missing (is it sed?)" in fault for fault in faults)
    assert any("column correct holds [2]" in fault for fault in faults)
    assert "a tie is counted as correct" in faults
    assert any("score_target is missing" in fault for fault in faults)


def test_text_scores_and_duplicates_are_faults() -> None:
    table = trials({"a": [1, 0]}).assign(trial=[3, 3], margin=["high", "low"])
    faults = table_faults(table)
    assert "column margin holds text, expected numbers" in faults
    assert any("1 row occurs twice" in fault for fault in faults)
