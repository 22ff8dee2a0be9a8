"""Helpers that designs share: changed words within items, practice trials, graded factors."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from paradigms import Graded, PairCondition, PicturePairs, paradigm
from paradigms.choices.counterbalance import picture_pairs
from paradigms.choices.paradigm import word_weights
from paradigms.choices.trials import Trials
from paradigms.registry import get_paradigm
from stimuli import StimulusSet, open_set
from stimuli.errors import ToolkitError
from tests.conftest import tiny_rows, write_set
from toolkit.running.choices import run
from toolkit.running.score_all import score_all
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import read_trials

BASE = PairCondition("as-it-is", "", headline=True, pairs_of="")
CHANGED = PairCondition("changed", "", pairs_of="as-it-is", variant="place")
PRACTICE = PairCondition("practice", "", practice=True)


@pytest.fixture(scope="module")
def changed_set(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    """The small set with changed words, but for one class, and with a validation split."""
    rows, more = tiny_rows(), []
    lacking = next(row["concept"] for row in rows if row["status"] == "familiar")
    for row in rows:
        name = row["stimulus_id"]
        own = {"stimulus_id": f"{name}-x", "path": f"x-{row['path']}"}
        if row["kind"] == "word" and row["split"] == "test" and row["concept"] != lacking:
            more.append(row | own | {"variant": "place", "data": row["data"] + b"\0\0"})
        if row["split"] == "train":
            more.append(row | own | {"split": "valid", "voice": row.get("voice", "") and "v"})
    folder = write_set(tmp_path_factory.mktemp("sets") / "changed", rows + more, ("en", "nl"))
    return open_set(folder)


def make(stimuli: StimulusSet, *conditions: PairCondition, per_class: int = 6) -> Trials:
    return picture_pairs(stimuli, "en", np.random.default_rng(0), conditions, per_class)


def asked(trials: Trials, condition: str) -> list[tuple[str, ...]]:
    rows = np.flatnonzero(trials.condition == trials.conditions.index(condition))
    return [
        (trials.word_ids[trials.word[row]], *(trials.option_ids[o] for o in trials.options[row]))
        for row in rows
    ]


def test_a_change_is_made_within_items(changed_set: StimulusSet) -> None:
    trials = make(changed_set, BASE, CHANGED)
    table = changed_set.table
    whole = asked(trials, "as-it-is")
    kept = [
        row
        for row in whole
        if (table["variant"][table["concept"] == table["concept"][row[0]]] != "").any()
    ]
    again = asked(trials, "changed")
    assert 0 < len(again) == len(kept) < len(whole)
    for (word, *shown), (changed, *shown_again) in zip(kept, again, strict=True):
        assert shown == shown_again
        assert table["variant"][word] == ""
        assert table["variant"][changed] == "place"
        for column in ("concept", "voice", "language"):
            assert table[column][word] == table[column][changed]
    assert set(trials.variant_of) == set(
        table.index[(table["variant"] != "") & (table["language"] == "en")]
    )


def test_words_that_are_changed_are_said_nowhere_else(changed_set: StimulusSet) -> None:
    plain = make(changed_set, BASE)
    assert not set(plain.word_ids) & set(
        changed_set.table.index[changed_set.table["variant"] != ""]
    )
    assert make(changed_set, BASE, CHANGED).checksum != plain.checksum
    every = changed_set.select(kind="word", split="test", language="en", variant=None)
    assert len(every) == len(plain.word_ids) + (every["variant"] == "place").sum()
    with pytest.raises(ToolkitError, match="with the variant 'plaice'") as caught:
        changed_set.select(kind="word", variant="plaice")
    assert caught.value.nearest == "place"


def test_practice_shows_what_no_test_shows(changed_set: StimulusSet) -> None:
    trials = make(changed_set, BASE, PRACTICE)
    split = changed_set.table["split"]
    for condition, only in (("as-it-is", "test"), ("practice", "valid")):
        assert {split[name] for row in asked(trials, condition) for name in row} == {only}
    assert trials.is_practice.sum() == len(asked(trials, "practice"))
    assert make(changed_set, BASE).options.tolist() == trials.options[~trials.is_practice].tolist()


def test_a_mean_over_all_words_leaves_changed_and_practised_words_out(
    changed_set: StimulusSet,
) -> None:
    every = PairCondition("all", "", all_words=True, pairs_of="as-it-is")
    trials = make(changed_set, BASE, CHANGED, PRACTICE, every)
    plain = make(changed_set, BASE, every)
    weights = dict(zip(trials.word_ids, word_weights(trials).tolist(), strict=True))
    expected = dict(zip(plain.word_ids, word_weights(plain).tolist(), strict=True))
    assert {name: weight for name, weight in weights.items() if weight} == expected
    assert Counter(map(bool, weights.values()))[False] > 0


def test_sets_without_changed_words_or_practice_are_told(
    tiny_set: StimulusSet, changed_set: StimulusSet
) -> None:
    with pytest.raises(ToolkitError, match="has none: it has no column 'variant'"):
        make(tiny_set, BASE, CHANGED)
    with pytest.raises(ToolkitError, match="has no words and pictures to practise with"):
        make(tiny_set, BASE, PRACTICE)
    other = PairCondition("other", "", pairs_of="as-it-is", variant="voice")
    with pytest.raises(ToolkitError, match="no words in language 'en' that are changed"):
        make(changed_set, BASE, other)


LEVELS = {"as-it-is": 0.0, "changed": 1.0}


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ({"graded": (Graded("g", LEVELS, "?"),)}, "its fixed effect must be 'level'"),
        ({"formula": "correct ~ level + (1 | seed)"}, "'level' cannot be a fixed effect"),
        (
            {"graded": (Graded("g", {"as-it-is": 0, "chnged": 1}, "?"),)},
            "no condition of 'mine' is called 'chnged'|Unknown|unknown|chnged",
        ),
        ({"graded": (Graded("g", {"as-it-is": 1, "changed": 1}, "?"),)}, "has one level only"),
        (
            {"conditions": (PairCondition("changed", "", variant="place"),)},
            "says changed words, and not whose trials",
        ),
        (
            {
                "graded": (Graded("g", LEVELS, "?"),),
                "formula": "correct ~ level + (1 + levle | seed)",
            },
            "has a slope, which nothing varies for",
        ),
    ],
)
def test_designs_that_cannot_be_kept_are_refused(declared: dict[str, object], said: str) -> None:
    own = {
        "question": "?", "source": "me", "conditions": (BASE, CHANGED),
        "formula": "correct ~ 1 + (1 | seed)",
    }  # fmt: skip
    with pytest.raises(ToolkitError, match=said):
        paradigm("mine", version=1)(type("Mine", (PicturePairs,), own | declared))


@paradigm("changed", version=1)
class Changed(PicturePairs):
    """Words as they are, changed, and practised."""

    question = "?"
    source = "this test"
    conditions = (BASE, CHANGED, PRACTICE)
    formula = "correct ~ 1 + (1 | seed)"


def test_every_triple_of_changed_words_is_counted_and_none_of_practice(
    changed_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    asked = [open_population("hasher/a", subjects_dir)], changed_set
    exact = score_all(Changed(), *asked, languages=["en"], root=tmp_path).table
    assert set(exact["condition"]) == {"as-it-is", "changed"}
    drawn = read_trials(
        run(Changed(), *asked, languages=["en"], per_class=400, root=tmp_path).directory.trials_path
    )
    share = drawn.groupby("condition", observed=True)["correct"].mean()
    counted = exact.groupby("condition", observed=True)[["n_correct", "n_triples"]].sum()
    for condition, row in counted.iterrows():
        assert share[condition] == pytest.approx(row["n_correct"] / row["n_triples"], abs=0.06)
    keys = ["condition", "word_concept", "target_concept", "distractor_concept"]
    listed = set(drawn[keys].astype(str).itertuples(index=False, name=None))
    triples = set(exact[keys].astype(str).itertuples(index=False, name=None))
    assert {one for one in listed if one[0] != "practice"} == triples


def test_a_foreign_word_is_of_no_language_that_is_tested(tiny_set: StimulusSet) -> None:
    across = get_paradigm("me-across-languages")
    rng = np.random.default_rng(0)
    trials = across.trials(tiny_set, "en", rng, per_class=6, languages=["en"])
    table = tiny_set.table
    for condition in trials.conditions:
        foreign = condition.startswith("foreign") or condition == "translation"
        for word, *shown in asked(trials, condition):
            assert table["language"][word] == ("nl" if foreign else "en")
            assert {table["status"][name] for name in shown} == {"familiar", "novel"}
            concepts = {table["concept"][name] for name in shown}
            named = table["concept"][word] in concepts
            assert named == (condition != "foreign-absent")
    targets = trials.target
    novel = [table["status"][trials.option_ids[target]] for target in targets]
    assert set(novel) == {"novel"}
    with pytest.raises(ToolkitError, match="in a language in which the subject is not tested"):
        across.trials(tiny_set, "en", rng, per_class=6, languages=["en", "nl"])


def test_lists_of_subjects_with_other_languages_are_not_shared(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    across, populations = get_paradigm("me-across-languages"), [open_population("perfect/a")]
    assert across.asks_across_languages
    assert not get_paradigm("me").asks_across_languages
    with pytest.raises(ToolkitError, match="all of them tested"):
        run(across, populations, tiny_set, root=tmp_path)


def test_a_set_is_written_with_its_variants(changed_set: StimulusSet, tmp_path: Path) -> None:
    assert changed_set.check() == []
