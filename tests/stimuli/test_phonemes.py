"""Consonants by their features, and words with one consonant changed."""

from __future__ import annotations

import itertools

import pytest

from stimuli.phonemes import (
    CONSONANTS,
    FEATURES,
    VARIANTS,
    changed_features,
    mispronunciations,
    onset,
)


def test_consonants_are_told_apart_by_what_phonetics_says() -> None:
    """A few that every textbook has; the table is not read back."""
    for one, other, features in (
        ("p", "b", "voice"), ("t", "d", "voice"), ("f", "v", "voice"), ("S", "Z", "voice"),
        ("b", "d", "place"), ("t", "k", "place"), ("m", "n", "place"), ("f", "s", "place"),
        ("b", "m", "manner"), ("d", "n", "manner"), ("t", "s", "manner"), ("d", "l", "manner"),
        ("k", "d", "place+voice"), ("p", "s", "place+manner"), ("t", "z", "voice+manner"),
        ("k", "z", "place+voice+manner"), ("p", "n", "place+voice+manner"),
    ):  # fmt: skip
        assert changed_features(one, other) == changed_features(other, one) == features


def test_every_change_is_of_the_features_it_is_named_after() -> None:
    for name in CONSONANTS:
        for variant, word in mispronunciations(f"'{name}a").items():
            found = onset(word)
            assert found is not None
            assert found[0] == "'"
            assert found[2] == "a"
            assert changed_features(name, found[1]) == variant


def test_variants_are_all_ways_to_change_features_each_feature_in_as_many() -> None:
    assert len(VARIANTS) == len(set(VARIANTS)) == 7
    for feature in FEATURES:
        assert sum(feature in variant.split("+") for variant in VARIANTS) == 4


def test_stops_and_fricatives_can_be_changed_in_every_way() -> None:
    for name in "pbtdkgfvszSZ":
        assert tuple(mispronunciations(f"{name}a")) == VARIANTS
    for name in "mnlwj":
        assert "voice" not in mispronunciations(f"{name}a")


def test_consonants_of_the_language_come_first_and_real_words_never() -> None:
    assert mispronunciations("ka")["manner"] == "xa"
    assert mispronunciations("ka", native="h")["manner"] == "ha"
    for taken in itertools.accumulate((["ta"], ["pa"]), lambda one, more: [*one, *more]):
        assert mispronunciations("ka", taken=taken).get("place") not in taken


@pytest.mark.parametrize(
    ("said", "found"),
    [
        ("tS'e@", ("", "tS", "'e@")),
        ("_!'bVuto:", ("_!'", "b", "Vuto:")),
        ("'VUto:", None),
        ("r'At", None),
        ("t#'A", None),
        ("k", None),
        ("(en)k'at(nl)", None),
        ("", None),
    ],
)
def test_onsets(said: str, found: tuple[str, str, str] | None) -> None:
    assert onset(said) == found
    assert bool(mispronunciations(said)) == (found is not None)
