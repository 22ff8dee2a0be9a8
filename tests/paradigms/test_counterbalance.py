"""Trials are counterbalanced, depend on nothing but what they should, and use test items only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paradigms import Trials
from paradigms.registry import get_paradigm
from stimuli import StimulusSet
from stimuli.errors import ToolkitError
from toolkit.runner import trial_rng
from toolkit.trials import answers_table


def listed(trials: Trials) -> pd.DataFrame:
    """The trial list with names instead of indices."""
    return pd.concat(answers_table(trials, np.zeros(trials.options.shape, np.float32), {}))


def make(
    name: str, stimuli: StimulusSet, language: str = "en", n: int = 50, seed: int = 0
) -> Trials:
    paradigm = get_paradigm(name)
    rng = trial_rng(paradigm, stimuli, language, seed)
    return paradigm.trials(stimuli, language, rng, per_class=n, languages=stimuli.languages)


@pytest.mark.parametrize("per_class", [1, 2, 3, 7, 50])
def test_every_class_is_asked_equally_often(tiny_set: StimulusSet, per_class: int) -> None:
    table = listed(make("me", tiny_set, n=per_class))
    for condition, rows in table.groupby("condition", observed=True):
        by = "target_concept" if condition == "preference" else "word_concept"
        counts = rows[by].value_counts()
        assert set(counts[counts > 0]) == {per_class}, condition
        familiar = condition in ("familiar-novel", "absent-familiar")
        assert (counts > 0).sum() == (3 if familiar else 5), condition


@pytest.mark.parametrize("name", ["familiar", "me"])
def test_distractor_classes_are_balanced_within_word_and_over_words(
    tiny_set: StimulusSet, name: str
) -> None:
    table = listed(make(name, tiny_set))
    for condition, rows in table.groupby("condition", observed=True):
        if condition == "preference":
            continue
        crossed = pd.crosstab(
            rows["word_concept"].astype(str), rows["distractor_concept"].astype(str)
        )
        used = crossed.where(crossed > 0)
        assert (used.max(axis=1) - used.min(axis=1)).max() <= 1, condition
        total = crossed.sum()
        # Classes that cannot be distractors of themselves allow for one more of difference.
        assert total.max() - total.min() <= 2, condition


def test_target_stands_left_and_right_equally_often_per_word(tiny_set: StimulusSet) -> None:
    table = listed(make("me", tiny_set))
    rows = table[table["condition"] == "novel-familiar"]
    left = rows.groupby("word_concept", observed=True)["target_position"].mean()
    assert (left == 0.5).all()


def test_voices_clips_and_pictures_are_spread_evenly(tiny_set: StimulusSet) -> None:
    table = listed(make("me", tiny_set))
    rows = table[table["condition"] == "novel-familiar"]
    voice = rows["word_id"].astype(str).map(tiny_set.table["voice"])
    per_voice = pd.crosstab(rows["word_concept"].astype(str), voice)
    assert int(per_voice.to_numpy().max() - per_voice.to_numpy().min()) <= 1
    for column in ("word_id", "target_id"):
        counts = rows[column].value_counts()
        counts = counts[counts > 0]
        assert counts.max() - counts.min() <= 1, column
    shown = rows["distractor_id"].astype(str).value_counts()
    table = tiny_set.table.loc[shown.index]
    spread = shown.groupby([table["concept"], table["style"]])
    assert (spread.max() - spread.min()).max() <= 1


def test_both_pictures_share_their_style(tiny_set: StimulusSet) -> None:
    table = listed(make("me", tiny_set))
    style = tiny_set.table["style"]
    target, distractor = (table[c].astype(str).map(style) for c in ("target_id", "distractor_id"))
    assert (target == distractor).all()


def test_conditions_show_what_they_promise(tiny_set: StimulusSet) -> None:
    table = listed(make("me", tiny_set))
    status = tiny_set.table["status"]
    of = {c: table[f"{c}_id"].astype(str).map(status) for c in ("target", "distractor")}
    expected = {
        "novel-familiar": ("novel", "familiar", True),
        "familiar-novel": ("familiar", "novel", True),
        "novel*-familiar": ("novel", "familiar", False),
        "absent-familiar": ("novel", "familiar", False),
        "novel-novel": ("novel", "novel", True),
    }
    for condition, (target, distractor, named) in expected.items():
        rows = table["condition"] == condition
        assert set(of["target"][rows]) == {target}
        assert set(of["distractor"][rows]) == {distractor}
        match = table["word_concept"].astype(str) == table["target_concept"].astype(str)
        assert set(match[rows]) == {named}
    heard = table["word_id"].astype(str).map(status)
    assert set(heard[table["condition"] == "absent-familiar"]) == {"familiar"}
    rivals = table["distractor_concept"].astype(str)
    for other in ("word_concept", "target_concept"):
        assert (table[other].astype(str) != rivals).all()


def test_preference_shows_the_pairs_of_the_me_test(tiny_set: StimulusSet) -> None:
    table = listed(make("me", tiny_set))
    pairs = ["target_id", "distractor_id", "target_position"]
    test = table.loc[table["condition"] == "novel-familiar", pairs].reset_index(drop=True)
    again = table.loc[table["condition"] == "preference", pairs].reset_index(drop=True)
    pd.testing.assert_frame_equal(test, again)
    assert set(table.loc[table["condition"] == "preference", "word_id"].astype(str)) == {"*"}


@pytest.mark.parametrize("name", ["familiar", "me", "translation"])
def test_only_test_items_are_used(tiny_set: StimulusSet, name: str) -> None:
    trials = make(name, tiny_set)
    table = tiny_set.table
    ids = set(trials.word_ids) | {name for name in trials.option_ids if name in table.index}
    assert set(table.loc[sorted(ids), "split"]) == {"test"}


def test_list_depends_on_language_and_seed_only(tiny_set: StimulusSet) -> None:
    assert make("me", tiny_set).checksum == make("me", tiny_set).checksum
    assert make("me", tiny_set, seed=1).checksum != make("me", tiny_set).checksum
    assert make("me", tiny_set, language="nl").checksum != make("me", tiny_set).checksum


def test_no_trials_per_class_is_refused(tiny_set: StimulusSet) -> None:
    with pytest.raises(ToolkitError, match="0 trials per class"):
        make("me", tiny_set, n=0)


def test_translation_names_every_class_of_the_other_language(tiny_set: StimulusSet) -> None:
    trials = make("translation", tiny_set, language="nl")
    assert sorted(set(trials.n_choices.tolist())) == [3, 5]
    assert all(option.startswith("en/") for option in trials.option_ids)
    heard = {trials.word_ids[index] for index in trials.word}
    assert set(tiny_set.table.loc[sorted(heard), "language"]) == {"nl"}
