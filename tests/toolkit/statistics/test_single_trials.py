"""Single trials that a report keeps: true to the table, balanced, bounded."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from toolkit.statistics.choices import single_trials
from toolkit.statistics.choices.digest import digest
from toolkit.statistics.choices.single_trials import NOT_ASKED, OTHER, TARGET, TIE

WORDS = ("dax", "wug", "fep")


def table(n: int = 14) -> pd.DataFrame:
    """Two conditions of ``n`` trials per word; seed b of the second population missed the last."""
    rng = np.random.default_rng(3)
    rows = []
    for population, seeds in (("mono", "abc"), ("untaught", "ab")):
        for seed in seeds:
            for place, condition in enumerate(("novel-familiar", "familiar-novel")):
                for number in range(n * len(WORDS)):
                    word = WORDS[number % len(WORDS)]
                    margin = float(rng.integers(-3, 4)) * (10 if seed == "b" else 1)
                    rows.append((population, seed, condition, 100 * place + number, word, margin))
    made = pd.DataFrame(
        rows, columns=["population", "seed", "condition", "trial", "word_concept", "margin"]
    ).assign(
        test_language="en", paradigm="me", n_choices=2, target_position=0, distractor_id="d",
        distractor_concept="other", score_distractor=0.0, train_languages="en",
    )  # fmt: skip
    made["n_languages"] = (made["population"] == "mono").astype(int)
    made["word_id"] = made["target_id"] = made["target_concept"] = made["word_concept"]
    made["score_target"] = made["margin"]
    made["correct"], made["tie"] = (made["margin"] > 0).astype(int), made["margin"] == 0
    return made.iloc[:-1]


def kept(folder: Path, rows: pd.DataFrame, n_picked: int = 6) -> single_trials.SingleTrials:
    rows.sample(frac=1, random_state=0).to_parquet(folder / "trials.parquet")
    return digest([folder / "trials.parquet"], ["novel-familiar"], n_picked, "me").single


def test_answers_are_those_of_the_table(tmp_path: Path) -> None:
    rows = table()
    single = kept(tmp_path, rows)
    assert len(single.trials) == single.n_all == 2 * 14 * 3
    sd = rows.groupby(["population", "seed"])["margin"].std(ddof=0)
    at = {tuple(names): n for n, names in enumerate(single.subjects[["population", "seed"]].values)}
    keyed = {(row["condition"], row["trial"]): n for n, row in single.trials.iterrows()}
    for row in rows.to_dict("records"):
        where = keyed[row["condition"], row["trial"]], at[row["population"], row["seed"]]
        expected = TARGET if row["correct"] else TIE if row["tie"] else OTHER
        assert single.chosen[where] == expected
        unit = sd[row["population"], row["seed"]]
        assert single.margins[where] == pytest.approx(row["margin"] / unit, abs=1e-6)
        assert single.concepts[single.rivals[where]] == "other"
    assert (single.chosen == NOT_ASKED).sum() == 1
    # Those that learnt nothing have no say in what is easy.
    trained = rows[rows["population"] == "mono"].groupby(["condition", "trial"])["correct"].mean()
    own = single.trials.set_index(["condition", "trial"])["share_correct"]
    assert np.allclose(own, trained.reindex(own.index))


def test_picked_are_the_extremes_and_the_divided_of_the_test(tmp_path: Path) -> None:
    single = kept(tmp_path, table())
    picked = single.trials.head(single.n_picked)
    assert picked["kind"].tolist() == ["easiest"] * 2 + ["hardest"] * 2 + ["most disagreed"] * 2
    assert set(picked["condition"]) == {"novel-familiar"}
    asked = single.trials[single.trials["condition"] == "novel-familiar"]
    share = picked.groupby("kind", sort=False)["share_correct"]
    assert share.max()["easiest"] == asked["share_correct"].max()
    assert share.min()["hardest"] == asked["share_correct"].min()
    assert share.min()["most disagreed"] > 0
    assert (picked.groupby("kind")["word_concept"].nunique() == 2).all()


def test_what_does_not_fit_is_left_out_evenly(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_trials, "MOST_ANSWERS", 5 * 40)
    single = kept(tmp_path, table())
    assert single.n_all == 84
    assert len(single.trials) == 40
    rest = single.trials.iloc[single.n_picked :]
    sizes = rest.groupby(["condition", "word_concept"]).size()
    assert len(sizes) == 6
    assert sizes.max() - sizes.min() <= 1
    for _, own in rest.groupby(["condition", "word_concept"]):
        assert own["trial"].is_monotonic_increasing
    assert not len(kept(tmp_path, table(), n_picked=0).trials)


def test_where_nobody_was_trained_all_have_a_say(tmp_path: Path) -> None:
    rows = table()
    rows = rows[rows["population"] == "untaught"]
    single = kept(tmp_path, rows)
    assert single.n_picked == 6
    share = rows.groupby(["condition", "trial"])["correct"].mean()
    own = single.trials.set_index(["condition", "trial"])["share_correct"]
    assert np.allclose(own, share.reindex(own.index))
