"""The included set in which any concept can be familiar: equal in everything, and of `mini`."""

from __future__ import annotations

import hashlib

import pandas as pd
import pytest

from makers.sets.build_mini_draws import N_PICTURES, TAKES, divided
from stimuli import StimulusSet, open_set
from stimuli.checks import table_faults
from stimuli.columns import columns_csv
from stimuli.speech import VOICES, jitter

LIMIT_BYTES = 8_500_000


@pytest.fixture(scope="module")
def draws() -> StimulusSet:
    return open_set("mini-draws")


def test_the_table_and_every_file(draws: StimulusSet) -> None:
    assert table_faults(draws.table.reset_index()) == []
    assert (draws.folder / "columns.csv").read_text(encoding="utf-8") == columns_csv()
    total = 0
    for path, checksum in zip(draws.table["path"], draws.table["sha256"], strict=True):
        data = (draws.folder / path).read_bytes()
        total += len(data)
        assert hashlib.sha256(data).hexdigest() == checksum, path
    media = {*draws.folder.rglob("*.webp"), *draws.folder.rglob("*.opus")}
    assert len(media) == len(draws.table)
    assert total < LIMIT_BYTES


def test_every_concept_has_as_much_as_any_other(draws: StimulusSet) -> None:
    assert set(draws.table["status"]) == {"familiar"}
    assert draws.table["concept"].nunique() == 33
    pictures = draws.select(kind="picture").groupby(["split", "concept"]).size()
    for split, n in N_PICTURES.items():
        assert set(pictures[split]) == {n}
    voices = pd.Series(VOICES).value_counts()
    words = draws.select(kind="word").groupby(["split", "language", "concept"]).size()
    for split, n in voices.items():
        assert set(words[split]) == {n * TAKES}
        assert len(words[split]) == 2 * 33


def test_held_out_styles_are_even_and_no_family_is_in_two_splits(draws: StimulusSet) -> None:
    pictures = draws.select(kind="picture")
    held_out = pictures[pictures["split"] != "train"]
    styles = held_out.groupby(["split", "concept", "style"]).size()
    assert set(styles["test"]) == {4}
    assert set(styles["valid"]) == {2}
    assert not pictures["family"].duplicated().any()


def test_files_are_those_of_mini(draws: StimulusSet) -> None:
    mini, table = open_set("mini").table, draws.table
    both = table.index.intersection(mini.index)
    assert set(table.index[table["kind"] == "picture"]) <= set(both)
    same = ["concept", "sha256", "licence", "author", "source", "path"]
    assert (table.loc[both, same] == mini.loc[both, same]).all(axis=None)
    # What is held out there for familiar concepts is never trained on here.
    familiar = both[mini.loc[both, "status"] == "familiar"]
    assert (table.loc[familiar, "split"] == mini.loc[familiar, "split"]).all()


def test_words_are_said_as_in_mini(draws: StimulusSet) -> None:
    words = draws.select(kind="word")
    assert dict(zip(words["voice"], words["split"], strict=True)) == VOICES
    for row in words.iloc[::7].itertuples():
        pitch, rate_wpm = jitter(row.language, row.concept, row.voice, int(row.take))
        assert row.source.endswith(f": {row.voice}, pitch {pitch}, {rate_wpm} words per minute")


def test_the_division_is_what_was_built(draws: StimulusSet) -> None:
    mini = open_set("mini").select(kind="picture").reset_index()
    for concept in ("bear", "helicopter", "key"):
        made = divided(mini[mini["concept"] == concept])
        own = draws.select(kind="picture", concept=concept)
        for split, rows in made.items():
            assert list(own.index[own["split"] == split]) == list(rows["stimulus_id"])
