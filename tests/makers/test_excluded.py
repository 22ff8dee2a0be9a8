"""The frozen backbones may not meet the concepts that are tested later."""

import pytest

from makers.backbones.excluded import (
    CONCEPTS,
    LANGUAGES,
    PATTERNS,
    UNRELATED,
    is_excluded,
    words_of,
)
from stimuli.errors import ToolkitError
from toolkit.subjects.backbones.hearing import SHIPPED


def test_every_concept_has_a_list_in_every_language() -> None:
    assert len(CONCEPTS) == 33
    assert CONCEPTS.keys() == PATTERNS.keys()
    assert all(
        all(patterns.split()) and len(row) == len(LANGUAGES)
        for row in PATTERNS.values()
        for patterns in row
    )


@pytest.mark.parametrize("concept", CONCEPTS)
def test_plain_words_and_their_plurals_are_excluded(concept: str) -> None:
    for word, language in zip(CONCEPTS[concept], LANGUAGES, strict=True):
        assert is_excluded(word, language)
        assert is_excluded(word.upper(), language)
        assert is_excluded(f"{word}s", language)
        assert is_excluded(f"little-{word}_2", language)


@pytest.mark.parametrize(
    ("language", "names"),
    [
        (
            "en",
            "polar bear|teddy bear|sailboat|police car|doghouse|cupcake|hot-dog|wild cat|taxi|"
            "baby_chick|mantelpiece clock|alarm|ox|goat|unicorn|pan cake|wheelchair|keyboard|"
            "motorcycle|palm tree|football|tropical fish|bunny|teacup without handle|ewe|"
            "pencil|butterflies|camera with flash|prince|autobus",
        ),
        (
            "nl",
            "ijsbeer|teddybeer|zeilboot|politieauto|autobus|hondenhok|katten|poes|wekker|goudvis|"
            "verjaardagstaart|rolstoel|loofboom|kerstbomen|ooi|paddenstoelen|balpen|voetbal|"
            "motorfiets|sleutelgat|fototoestel|kopje|koeien|haas|ballon",
        ),
        (
            "fr",
            "ours|ourson|voilier|voiture de police|chaton|chatte|réveil|bœuf|brebis|licorne|"
            "parapluie ouvert|ballon de football|gâteau d’anniversaire|appareil photo|fauteuil|"
            "couronnes|thé|poissons|clé|clef|crayon|arbre à feuilles caduques|lièvre|autocar|"
            "chevaux|oiseaux|mini-bus|hippocampe",
        ),
    ],
)
def test_near_synonyms_kinds_and_compounds_are_excluded(language: str, names: str) -> None:
    kept = [name for name in names.split("|") if not is_excluded(name, language)]
    assert kept == []


@pytest.mark.parametrize(
    ("language", "names"),
    [
        ("en", "violin|carrot|street|beard|planet|owl|monkey|education|house|open|scarf|cathedral"),
        ("nl", "viool|wortel|straat|baard|uil|aap|huis|lepel|ballet|visite"),
        ("fr", "violon|carotte|rue|barbe|hibou|singe|maison|château|montrer|fenêtre"),
    ],
)
def test_words_alike_only_in_spelling_are_kept(language: str, names: str) -> None:
    lost = [name for name in names.split("|") if is_excluded(name, language)]
    assert lost == []


def test_unrelated_words_are_needed_and_used() -> None:
    for language, words in UNRELATED.items():
        assert not any(is_excluded(word, language) for word in words)


def test_words_of_splits_and_folds() -> None:
    assert words_of("Œuf à-la_coque 3") == ("oeuf", "a", "la", "coque")
    assert words_of("🐻") == ()
    assert not is_excluded("", "en")


def test_unknown_language_says_what_is_known() -> None:
    with pytest.raises(ToolkitError, match="'de'") as caught:
        is_excluded("Bär", "de")
    assert caught.value.allowed == "en, nl, fr"


def test_shipped_names_hold_nothing_excluded() -> None:
    lines = (SHIPPED / "names.txt").read_text(encoding="utf-8").splitlines()
    names = [line.split("\t") for line in lines]
    assert {language for language, _ in names} == {"en", "nl", "fr"}
    assert len(names) > 3_000
    assert [name for language, name in names if is_excluded(name, language)] == []
