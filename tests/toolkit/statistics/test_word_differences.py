"""Differences between populations word by word, beside SciPy's tests of each word."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ttest_ind, ttest_rel

import toolkit
from toolkit.errors import ToolkitError
from toolkit.statistics.choices.word_differences import Asked, word_differences, word_seeds

EN, NL = Asked("bi", "en"), Asked("bi", "nl")
MONO = Asked("mono", "en")


@pytest.fixture
def trials() -> pd.DataFrame:
    """Five bilingual and three monolingual networks; one word is asked of the bilingual alone."""
    rng = np.random.default_rng(5)
    rows = []
    for side, seeds in ((EN, "abcde"), (NL, "abcde"), (MONO, "abc")):
        for seed in seeds:
            for word, p in (("dax", 0.6), ("wug", 0.8), ("fep", 0.5)):
                if (side, word) != (MONO, "fep"):
                    own = rng.random(20) < p + 0.1 * (side == EN)
                    rows += [(*side, seed, word, int(right)) for right in own]
    columns = ["population", "test_language", "seed", "word_concept", "correct"]
    return pd.DataFrame(rows, columns=columns).assign(
        condition="novel-familiar", paradigm="me", paradigm_version=1, train_languages="en",
        n_languages=1, n_choices=2, tie=False, distractor_concept="other", trial=range(len(rows)),
    )  # fmt: skip


def shares(trials: pd.DataFrame, side: Asked, word: str) -> pd.Series:
    own = trials[
        (trials["population"] == side.population)
        & (trials["test_language"] == side.test_language)
        & (trials["word_concept"] == word)
    ]
    return own.groupby("seed")["correct"].mean()


@pytest.mark.parametrize(("second", "test"), [(MONO, ttest_ind), (NL, ttest_rel)])
def test_intervals_are_those_of_welch_and_of_pairs(
    trials: pd.DataFrame, second: Asked, test: object
) -> None:
    found = word_differences(word_seeds(trials), EN, second)
    assert set(found["word_concept"]) == (
        {"dax", "wug"} if second == MONO else {"dax", "wug", "fep"}
    )
    assert found["difference"].is_monotonic_decreasing
    for row in found.to_dict("records"):
        a, b = (shares(trials, side, row["word_concept"]) for side in (EN, second))
        known = {"equal_var": False} if test is ttest_ind else {}
        interval = test(a, b, **known).confidence_interval(0.95)  # type: ignore[operator]
        assert row["first"] == pytest.approx(a.mean())
        assert row["difference"] == pytest.approx(a.mean() - b.mean())
        ends = max(-1, interval.low), min(1, interval.high)
        assert (row["ci_low"], row["ci_high"]) == pytest.approx(ends)
        assert (row["n_first"], row["n_second"]) == (len(a), len(b))


def test_the_other_way_round_is_the_same_with_another_sign(trials: pd.DataFrame) -> None:
    words = word_seeds(trials)
    there = word_differences(words, EN, MONO).set_index("word_concept").sort_index()
    back = word_differences(words, MONO, EN).set_index("word_concept").sort_index()
    assert np.allclose(there["difference"], -back["difference"])
    assert np.allclose(there["ci_low"], -back["ci_high"])


def test_there_is_no_interval_without_seeds_that_vary(trials: pd.DataFrame) -> None:
    alike = trials.assign(correct=1)
    row = word_differences(word_seeds(alike), EN, MONO).iloc[0]
    assert row["difference"] == 0
    assert math.isnan(row["ci_low"])
    single = trials[(trials["population"] == "bi") | (trials["seed"] == "a")]
    assert word_differences(word_seeds(single), EN, MONO)["ci_high"].isna().all()


def test_from_python_the_same_of_a_table(trials: pd.DataFrame, tmp_path: Path) -> None:
    trials.to_parquet(tmp_path / "trials.parquet")
    found = toolkit.compare_words(tmp_path / "trials.parquet", "bi", "mono", "en")
    assert np.allclose(found["ci_low"], word_differences(word_seeds(trials), EN, MONO)["ci_low"])
    own = toolkit.compare_words(tmp_path / "trials.parquet", "bi", "bi", "en", "nl")
    assert len(own) == 3
    with pytest.raises(ToolkitError, match="no population and language 'mono in nl'") as error:
        toolkit.compare_words(tmp_path / "trials.parquet", "bi", "mono", "nl")
    assert "mono in en" in str(error.value)
    with pytest.raises(ToolkitError, match="not compared with itself"):
        toolkit.compare_words(tmp_path / "trials.parquet", "bi", "bi", "en")
    both = pd.concat([trials, trials.assign(paradigm="familiar")])
    both.to_parquet(tmp_path / "both.parquet")
    with pytest.raises(ToolkitError, match="within one paradigm"):
        toolkit.compare_words(tmp_path / "both.parquet", "bi", "mono", "en")
