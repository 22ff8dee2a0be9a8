"""The trial list refuses what does not hold together, and places targets evenly."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from paradigms import ALL_WORDS, Trials
from paradigms.choices.trials import balanced_cycles, balanced_places
from stimuli.errors import ToolkitError

CONCEPTS = {"w": "ball", "p": "ball", "q": "cat", "r": "dog"}


def rows(n: int, **change: object) -> list[dict[str, object]]:
    row = {"condition": "test", "word_id": "w", "target_id": "p", "distractor_ids": ["q", "r"]}
    return [row | change for _ in range(n)]


def make(n: int, **change: object) -> Trials:
    return Trials.from_rows(rows(n, **change), concept_of=CONCEPTS, rng=np.random.default_rng(0))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 7])
def test_places_are_balanced_to_within_one(n: int) -> None:
    for places in (2, 3, 5):
        counts = np.bincount(balanced_places(n, places, np.random.default_rng(n)), minlength=places)
        assert counts.max() - counts.min() <= 1


def test_cycles_do_not_fall_into_step() -> None:
    rng = np.random.default_rng(0)
    pairs = set(zip(balanced_cycles(60, 2, rng), balanced_cycles(60, 4, rng), strict=True))
    assert len(pairs) == 8


def test_rows_become_indices_that_point_back(tmp_path: object) -> None:
    trials = make(7)
    assert [trials.option_ids[index] for index in trials.target] == ["p"] * 7
    assert trials.n_choices.tolist() == [3] * 7
    assert set(trials.target_position.tolist()) == {0, 1, 2}


def test_trials_of_different_size_stand_in_one_list() -> None:
    mixed = [*rows(2), *rows(3, distractor_ids=["q"])]
    trials = Trials.from_rows(mixed, concept_of=CONCEPTS, rng=np.random.default_rng(0))
    assert trials.n_choices.tolist() == [3, 3, 2, 2, 2]
    assert trials.options[2:, 2].tolist() == [-1, -1, -1]


def test_all_words_have_index_minus_one() -> None:
    trials = Trials.from_rows(
        [*rows(1), *rows(1, word_id=ALL_WORDS)], concept_of=CONCEPTS, rng=np.random.default_rng(0)
    )
    assert trials.word.tolist() == [0, -1]
    assert trials.asks_all_words


def test_checksum_changes_with_any_part() -> None:
    trials = make(3)
    other = replace(trials, conditions=("other",))
    turned = replace(trials, target_position=np.roll(trials.target_position, 1))
    assert len({trials.checksum, other.checksum, turned.checksum}) == 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"word": np.array([5], np.int32)}, "word index"),
        ({"options": np.array([[0, 0]], np.int32)}, "same option twice"),
        ({"options": np.array([[0, -1]], np.int32)}, "fewer than two|empty place"),
        ({"target_position": np.array([2], np.int16)}, "target position"),
        ({"condition": np.array([0, 0], np.int16)}, "differ in length"),
        ({"options": np.zeros((2, 2), np.int32)}, "shape"),
        ({"concept_of": {"w": "ball"}}, "no concept is given for p, q"),
        ({"option_words": {"p": ("w",)}}, "some options only"),
    ],
)
def test_lists_that_do_not_hold_together_are_refused(
    change: dict[str, object], message: str
) -> None:
    good = make(1, distractor_ids=["q"])
    with pytest.raises(ToolkitError, match=message):
        replace(good, **change)


def test_missing_keys_and_empty_lists_are_refused() -> None:
    with pytest.raises(ToolkitError, match="Trial 0 lacks target_id"):
        Trials.from_rows([{"condition": "c", "word_id": "w", "distractor_ids": []}],
                         concept_of=CONCEPTS, rng=np.random.default_rng(0))  # fmt: skip
    with pytest.raises(ToolkitError, match="no trials"):
        Trials.from_rows([], concept_of=CONCEPTS, rng=np.random.default_rng(0))
    with pytest.raises(ToolkitError, match="averages over all words"):
        make(2, word_id=ALL_WORDS)
