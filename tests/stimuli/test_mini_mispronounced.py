"""The included set of mispronounced words: small, of `mini`, and changed as it says."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from stimuli import StimulusSet, open_set
from stimuli.checks import table_faults
from stimuli.columns import columns_csv
from stimuli.phonemes import FEATURES, VARIANTS, changed_features, onset

LIMIT_BYTES = 3_000_000


@pytest.fixture(scope="module")
def mispronounced() -> StimulusSet:
    return open_set("mini-mispronounced")


def test_the_table_and_every_file(mispronounced: StimulusSet) -> None:
    folder = mispronounced.folder
    assert table_faults(mispronounced.table.reset_index()) == []
    assert (folder / "columns.csv").read_text(encoding="utf-8") == columns_csv()
    for path, checksum in zip(
        mispronounced.table["path"], mispronounced.table["sha256"], strict=True
    ):
        assert hashlib.sha256((folder / path).read_bytes()).hexdigest() == checksum, path
    media = {*folder.rglob("*.webp"), *folder.rglob("*.opus")}
    assert len(media) == len(mispronounced.table)
    assert sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) < LIMIT_BYTES


def test_pictures_and_words_as_they_are_are_those_of_mini(mispronounced: StimulusSet) -> None:
    mini, table = open_set("mini").table, mispronounced.table
    plain = table[table["variant"] == ""]
    assert set(plain["split"]) == {"test"}
    same = ["kind", "concept", "status", "language", "sha256", "licence", "author", "path", "voice"]
    assert (plain[same] == mini.loc[plain.index, same]).all(axis=None)


def test_words_are_changed_as_they_say_and_nothing_else(mispronounced: StimulusSet) -> None:
    words = mispronounced.select(kind="word", variant=None)
    item = ["language", "concept", "voice", "take"]
    for _, own in words.groupby(item):
        (plain,) = own["phonemes"][own["variant"] == ""]
        before, consonant, rest = onset(plain) or ("", "", "")
        assert own["source"].nunique() == 1
        for row in own[own["variant"] != ""].itertuples():
            found = onset(row.phonemes)
            assert found is not None
            assert (found[0], found[2]) == (before, rest)
            assert changed_features(consonant, found[1]) == row.variant
            assert int(row.features_changed) == row.variant.count("+") + 1
    assert set(words["features_changed"]) == {"0", "1", "2", "3"}


def test_every_feature_is_changed_alike_in_every_language(mispronounced: StimulusSet) -> None:
    words = mispronounced.select(kind="word", variant=None)
    for language in mispronounced.languages:
        own = words[words["language"] == language]
        n = own.groupby("variant")["concept"].nunique()
        assert set(n.index) == {"", *VARIANTS}
        assert own["concept"].nunique() >= 10
        # A nasal without voice there is not, wherever it is made: two French words lack it.
        lacking = ["voice", "place+voice"]
        assert n.drop(lacking).nunique() == 1
        assert (n[lacking] >= n[""] - 2).all()
        for feature in FEATURES:
            assert n[[feature in name for name in n.index]].sum() >= 4 * n[""] - 4


def test_a_changed_word_is_no_word_of_the_set(mispronounced: StimulusSet) -> None:
    words = mispronounced.select(kind="word", variant=None)
    for _, own in words.groupby("language"):
        plain = set(own["phonemes"][own["variant"] == ""])
        assert not plain & set(own["phonemes"][own["variant"] != ""])


def test_the_notice_names_the_set() -> None:
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    assert "stimuli/mini-mispronounced" in notice
