"""Lists for children: the models' own trials, no concept twice, and balance over children."""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest

from paradigms import Paradigm, WordLearning
from paradigms.registry import find_paradigms, get_paradigm
from stimuli import StimulusSet, open_set
from toolkit.children.columns import LIST_COLUMNS
from toolkit.children.lists import Asked, Lists, coverage, make_lists, williams_square
from toolkit.errors import ToolkitError
from toolkit.running.choices import trial_rng

SHIPPED = {
    "familiar": {"familiar"},
    "me": {"me", "familiar"},
    "me-across-languages": {"me-across-languages", "familiar"},
    "mispronunciation": {"mispronunciation", "familiar"},
}
ASKED = [
    ("familiar", Asked("en")),
    ("familiar", Asked("nl", familiar_twice=True)),
    ("me", Asked("en")),
    ("me", Asked("fr", n_test=16, familiar_twice=True)),
    ("me", Asked("en", conditions=("novel-familiar",), n_test=5, n_practice=2)),
    ("me", Asked("en", conditions=("novel-familiar", "novel-novel"), n_test=8)),
    ("me", Asked("nl", conditions=("absent-familiar", "novel*-familiar"), n_test=2)),
    ("me-across-languages", Asked("en")),
    ("mispronunciation", Asked("en")),
]


@pytest.fixture(scope="module")
def mini() -> StimulusSet:
    return open_set("mini")


@pytest.fixture(scope="module", params=range(len(ASKED)), ids=lambda n: f"{ASKED[n][0]}-{n}")
def made(request: pytest.FixtureRequest) -> tuple[str, Asked, Lists]:
    name, asked = ASKED[request.param]
    return name, asked, make_lists(get_paradigm(name), set_of(name), asked)


def set_of(paradigm: str) -> StimulusSet:
    return open_set(get_paradigm(paradigm).default_set)


def test_every_shipped_paradigm_of_choices_between_pictures_is_among_those_that_are_balanced() -> (
    None
):
    shown = {
        name
        for name, cls in find_paradigms().items()
        if issubclass(cls, Paradigm) and cls.shows_pictures and not issubclass(cls, WordLearning)
    }
    assert shown == set(SHIPPED) == {name for name, _ in ASKED}


def test_children_are_asked_rows_of_the_list_that_models_are_asked(
    made: tuple[str, Asked, Lists],
) -> None:
    asked_for, asked, lists = made
    shown, own = set_of(asked_for), {}
    for name in {item.paradigm for item in lists.items}:
        paradigm: Any = get_paradigm(name)
        rng = trial_rng(paradigm, shown, asked.language, asked.trial_seed)
        own[name] = paradigm.trials(
            shown, asked.language, rng, per_class=50, languages=[asked.language]
        )
    for item in lists.items:
        trials, row = own[item.paradigm], item.trial
        options = [trials.option_ids[place] for place in trials.options[row]]
        assert trials.word_ids[trials.word[row]] == item.word_id
        assert options[trials.target_position[row]] == item.target_id
        assert {item.target_id, item.distractor_id} == set(options)
        assert trials.conditions[trials.condition[row]] == item.condition


def test_no_child_meets_a_concept_twice(made: tuple[str, Asked, Lists]) -> None:
    name, asked, lists = made
    table = set_of(name).table
    status = dict(zip(table["concept"], table["status"], strict=True))
    for one in lists.lists:
        met = Counter(concept for item, _ in one for concept in set(item.concepts))
        named = Counter(item.concepts[0] for item, _ in one)
        assert max(named.values()) == 1
        allowed = dict.fromkeys(met, 1)
        if asked.familiar_twice:
            allowed = {c: 2 if status[c] == "familiar" else 1 for c in met}
        assert all(met[concept] <= allowed[concept] for concept in met)


@pytest.mark.parametrize("n_children", [24, 48, 96])
def test_items_sides_and_places_are_balanced_over_children(
    made: tuple[str, Asked, Lists], n_children: int
) -> None:
    _, _, lists = made
    rows = [row for row in coverage(lists, n_children) if row["part"] == "test"]
    met = [int(row["n_children"]) for row in rows]
    assert sum(met) == n_children * lists.n_test
    assert max(met) - min(met) <= 1
    for row in rows:
        assert abs(int(row["n_target_left"]) - int(row["n_target_right"])) <= 1
        assert int(row["n_target_left"]) + int(row["n_target_right"]) == row["n_children"]
    by_condition = Counter()  # type: Counter[str]
    for row in rows:
        by_condition[str(row["condition"])] += int(row["n_children"])
    assert max(by_condition.values()) - min(by_condition.values()) <= 1
    places: dict[Any, Counter[int]] = {item: Counter() for item in lists.items}
    for child in range(n_children):
        for place, (item, _) in enumerate(lists.lists[child % len(lists.lists)]):
            places[item][place] += 1
    for block in lists.blocks:
        for item in block:
            counts = [places[item][len(lists.practice) + p] for p in range(lists.n_test)]
            assert max(counts) - min(counts) <= 1, counts


def test_every_child_has_targets_on_both_sides_equally_often(
    made: tuple[str, Asked, Lists],
) -> None:
    _, _, lists = made
    for one in lists.lists:
        sides = Counter(side for item, side in one if item.part == "test")
        assert abs(sides["left"] - sides["right"]) <= 1


def test_the_same_facts_make_the_same_lists(mini: StimulusSet) -> None:
    paradigm = get_paradigm("me")
    one, again = (make_lists(paradigm, mini, Asked("en", n_test=4)) for _ in range(2))
    other = make_lists(paradigm, mini, Asked("en", n_test=4, trial_seed=1))
    assert one.csv() == again.csv() != other.csv()


def test_the_file_has_the_columns_that_are_declared(mini: StimulusSet) -> None:
    lists = make_lists(get_paradigm("me"), mini, Asked("en", n_test=2))
    rows = list(csv.DictReader(io.StringIO(lists.csv())))
    assert list(rows[0]) == [column.name for column in LIST_COLUMNS]
    assert len(rows) == len(lists.lists) * (2 + 3)
    for row in rows:
        assert row[f"{row['target_side']}_id"] == row["target_id"]
        assert {row["left_id"], row["right_id"]} == {row["target_id"], row["distractor_id"]}


@pytest.mark.parametrize("n", [2, 3, 5, 8, 16])
def test_a_williams_square_balances_places_and_neighbours(n: int) -> None:
    square = williams_square(n)
    assert len(square) == (2 * n if n % 2 else n)
    for place in range(n):
        assert set(np.bincount(square[:, place])) == {len(square) // n}
    behind = Counter((a, b) for row in square.tolist() for a, b in itertools.pairwise(row))
    assert len(behind) == n * (n - 1)
    assert len(set(behind.values())) == 1


@pytest.mark.parametrize("n_test", [8, 14])
def test_too_few_concepts_are_told_with_the_number_that_works(
    mini: StimulusSet, n_test: int
) -> None:
    with pytest.raises(ToolkitError) as told:
        make_lists(get_paradigm("me"), mini, Asked("en", n_test=n_test))
    assert f"too few concepts for {n_test} test trials" in told.value.message
    assert str(told.value.allowed).startswith("6 test trials; ")
    assert "--familiar-twice" in str(told.value.allowed)
    assert str(told.value.next_command).endswith("--trials 6")
    assert make_lists(get_paradigm("me"), mini, Asked("en", n_test=6)).n_test == 6


def test_where_nothing_works_no_number_is_promised(mini: StimulusSet) -> None:
    with pytest.raises(ToolkitError, match="too few concepts") as told:
        make_lists(get_paradigm("familiar"), mini, Asked("en", n_test=1, n_practice=20))
    assert "fewer trials for practice" in str(told.value.allowed)


@pytest.mark.parametrize(
    ("name", "asked", "said"),
    [
        ("translation", Asked("en"), "no pictures that a child could point to"),
        ("dense-grounding", Asked("en"), "asks for maps"),
        ("me", Asked("en", conditions=("preference",)), "averages over all words"),
        ("me", Asked("en", conditions=("novel-familar",)), "novel-familar"),
        ("me", Asked("de"), "'de'"),
        ("me", Asked("en", n_test=5), "cannot be shared out equally among 2 conditions"),
    ],
)
def test_what_children_cannot_be_asked_is_told(
    mini: StimulusSet, name: str, asked: Asked, said: str
) -> None:
    with pytest.raises(ToolkitError) as told:
        make_lists(get_paradigm(name), mini, asked)
    assert said in str(told.value)
    assert told.value.next_command or told.value.allowed
