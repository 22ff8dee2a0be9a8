"""Trials are counterbalanced, depend on nothing but what they should, and use test items only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from paradigms import PairCondition, Responses, Trials
from paradigms.choices.counterbalance import _crossed
from paradigms.registry import get_paradigm
from paradigms.translation_published import PublishedTranslation, RawTranslation
from stimuli import StimulusSet
from stimuli.errors import ToolkitError
from toolkit.running.choices import trial_rng
from toolkit.tables.trials import answers_table


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


@pytest.mark.parametrize("per_class", [1, 3, 4, 12, 13, 50])
@pytest.mark.parametrize("condition", ["novel*-familiar", "absent-familiar"])
def test_targets_that_the_word_does_not_name_are_crossed_with_words_and_distractors(
    tiny_set: StimulusSet, condition: str, per_class: int
) -> None:
    table = listed(make("me", tiny_set, n=per_class))
    rows = table[table["condition"] == condition]
    word, target, distractor = (
        rows[f"{part}_concept"].astype(str) for part in ("word", "target", "distractor")
    )
    for first, second, allowed in (
        (word, target, lambda one, other: one != other),
        (word, distractor, lambda one, other: one != other),
        (target, distractor, lambda one, other: True),
    ):
        counts = pd.crosstab(first, second)
        cells = counts.stack()
        possible = cells[[allowed(*pair) for pair in cells.index]]
        assert possible.sum() == len(rows)
        # A word's own class is left out, which leaves pairs of other classes uneven by one more.
        assert possible.max() - possible.min() <= (2 if first is target else 1)
    within_word = rows.groupby([word, target, distractor]).size()
    assert within_word.max() <= -(-per_class // (8 if condition == "novel*-familiar" else 6))


def answered(trials: Trials, table: pd.DataFrame) -> pd.Series:
    """Share of correct answers per condition of a subject that knows nothing but classes.

    Args:
        trials: the list.
        table: score of every word class (rows) for every picture class (columns).
    """
    word = table.index.get_indexer([trials.concept_of[name] for name in trials.word_ids])
    option = table.columns.get_indexer([trials.concept_of[name] for name in trials.option_ids])
    scores = table.to_numpy(np.float32)[word[trials.word][:, None], option[trials.options]]
    target = scores[np.arange(len(trials)), trials.target_position]
    right = target > scores[np.arange(len(trials)), 1 - trials.target_position]
    named = np.array(trials.conditions)[trials.condition]
    return pd.Series(right).groupby(named).mean()


@pytest.mark.parametrize(
    ("condition", "right", "share"),
    [
        # One word likes one picture, one picture beats one other whatever is said.
        ("novel*-familiar", {"ball": {"cake": 2}}, 1 / 20),
        ("absent-familiar", {"bear": {"cake": 2}}, 1 / 15),
        ("novel*-familiar", {"*": {"cake": 0.5, "car": 0}}, 1 / 15),
        ("absent-familiar", {"*": {"cake": 0.5, "car": 0}}, 1 / 15),
        ("familiar-novel", {"bear": {"bear": 0.5, "cake": 0}}, 1 / 15),
        ("novel-familiar", {"ball": {"ball": 0.5, "car": 0}}, 1 / 15),
        ("novel-novel", {"ball": {"ball": 2, "fish": 3, "key": 3, "tree": 3}}, 1 / 20),
    ],
)
def test_no_list_hangs_on_the_classes_that_it_happened_to_bring_together(
    tiny_set: StimulusSet, condition: str, right: dict[str, dict[str, float]], share: float
) -> None:
    status = dict(zip(tiny_set.table["concept"], tiny_set.table["status"], strict=True))
    counted = "familiar" if condition.startswith("familiar") else "novel"
    # Unless said otherwise the target loses to every distractor.
    table = pd.DataFrame(
        [[-1.0 if status[shown] == counted else 1.0 for shown in status]] * len(status),
        index=list(status),
        columns=list(status),
    )
    for word, liked in right.items():
        for shown, score in liked.items():
            table.loc[list(status) if word == "*" else [word], shown] = score
    for seed in range(12):
        found = answered(make("me", tiny_set, n=48, seed=seed), table)[condition]
        assert found == pytest.approx(share, abs=0.006), seed


def test_over_all_lists_every_triple_of_classes_comes_equally_often(tiny_set: StimulusSet) -> None:
    lists = pd.concat(
        listed(make(name, tiny_set, n=7, seed=seed))
        for name in ("familiar", "me")
        for seed in range(40)
    )
    classes = [f"{part}_concept" for part in ("word", "target", "distractor")]
    for condition, rows in lists.groupby("condition", observed=True):
        counts = rows.astype(str).groupby(classes).size()
        mean = counts.mean()
        assert (counts - mean).abs().max() < 5 * mean**0.5, condition
    asked = lists.groupby("condition", observed=True)[classes].agg(
        lambda column: column.astype(str).nunique()
    )
    assert asked.loc["absent-familiar"].tolist() == [3, 5, 3]
    assert asked.loc["novel*-familiar"].tolist() == [5, 5, 3]


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


@pytest.mark.parametrize("name", ["familiar", "me", "translation", "translation-published"])
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


def test_published_translation_takes_few_clips_and_the_same_in_both_directions(
    tiny_set: StimulusSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make("translation", tiny_set, language="nl")
    few = make("translation-published", tiny_set, language="nl")
    assert whole.option_words == few.option_words  # no class has as many clips as are allowed
    monkeypatch.setattr("paradigms.translation_published.CLIPS", 3)
    there, back = (make("translation-published", tiny_set, language=code) for code in ("nl", "en"))
    for one, other in ((there, back), (back, there)):
        assert {len(words) for words in one.option_words.values()} == {3}
        centroids = {word for words in one.option_words.values() for word in words}
        assert centroids == {other.word_ids[index] for index in other.word}
        assert set(one.word_ids) == centroids | {one.word_ids[index] for index in one.word}


def test_raw_translation_scales_centroids_alone(tiny_set: StimulusSet) -> None:
    """Long vectors weigh more in the mean: the two measures are not the same."""
    trials = make("translation-published-raw", tiny_set, language="nl")
    rng = np.random.default_rng(0)
    shape = len(trials.word_ids), 3
    words = (rng.normal(size=shape) * rng.uniform(0.1, 9, (shape[0], 1))).astype(np.float32)
    asked = Responses(words, np.zeros((0, 0), np.float32), lambda w, p: w @ p.T)
    found = RawTranslation().measure(trials, asked)
    row_of = {word: row for row, word in enumerate(trials.word_ids)}
    for trial in range(len(trials)):
        heard = words[trials.word[trial]].astype(float)
        for place, option in enumerate(trials.options[trial]):
            if option < 0:
                continue
            own = [row_of[w] for w in trials.option_words[trials.option_ids[option]]]
            mean = words[own].astype(float).mean(axis=0)
            distance = np.linalg.norm(heard - mean / np.linalg.norm(mean))
            assert found[trial, place] == pytest.approx(-distance, rel=1e-6)
    scaled = PublishedTranslation().measure(trials, asked)
    assert (found.argmax(axis=1) != scaled.argmax(axis=1)).any()


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8, 13])
@pytest.mark.parametrize(
    ("said", "pictured"), [("wa", "wab"), ("wab", "wab"), ("wab", "wabcde"), ("wabc", "wabc")]
)
def test_a_class_never_stands_beside_itself_however_few_there_are(
    said: str, pictured: str, n: int
) -> None:
    design = PairCondition("two others", "", word="novel", mismatched=True, distractor="novel")
    shown = design.classes(dict.fromkeys(pictured, "novel"), said, pictured)["w"]
    codes = [np.array([ord(name) for name in names], np.int32) for names in shown]
    seen = np.zeros((128, 128))
    pairs = _crossed(*codes, n, seen, np.random.default_rng(n))
    assert pairs.shape == (n, 2)
    assert (pairs[:, 0] != pairs[:, 1]).all()
    counts = [np.sum(pairs[:, 0] == code) for code in codes[0]]
    assert max(counts) - min(counts) <= 1
