"""The included set whose words have onsets: each word alone and behind a carrier."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from makers.sets.build_mini_carrier import CARRIERS, SUFFIX, VOICES
from stimuli import StimulusSet, open_set
from stimuli.checks import table_faults
from stimuli.columns import columns_csv
from stimuli.speech import VOICES as ALL_VOICES

LIMIT_BYTES = 4_000_000


@pytest.fixture(scope="module")
def carrier() -> StimulusSet:
    return open_set("mini-carrier")


def test_the_table_and_every_file(carrier: StimulusSet) -> None:
    assert table_faults(carrier.table.reset_index()) == []
    assert (carrier.folder / "columns.csv").read_text(encoding="utf-8") == columns_csv()
    total = 0
    for path, checksum in zip(carrier.table["path"], carrier.table["sha256"], strict=True):
        data = (carrier.folder / path).read_bytes()
        total += len(data)
        assert hashlib.sha256(data).hexdigest() == checksum, path
    assert total < LIMIT_BYTES
    assert set(carrier.table["split"]) == {"test"}


def test_pictures_and_words_alone_are_those_of_other_sets(carrier: StimulusSet) -> None:
    mini, draws = open_set("mini").table, open_set("mini-draws").table
    own = carrier.table
    pictures = own[own["kind"] == "picture"]
    test = draws[(draws["kind"] == "picture") & (draws["split"] == "test")]
    assert dict(pictures["sha256"]) == dict(test["sha256"])
    alone = own[(own["kind"] == "word") & ~own.index.str.endswith(SUFFIX)]
    assert (mini.loc[alone.index, "sha256"] == alone["sha256"]).all()
    status = dict(zip(mini["concept"], mini["status"], strict=True))
    assert (own["concept"].map(status) == own["status"]).all()


def test_every_word_is_said_by_the_same_test_voices_both_ways(carrier: StimulusSet) -> None:
    words = carrier.select(kind="word")
    assert {ALL_VOICES[voice] for voice in VOICES} == {"test"}
    behind = words.index.str.endswith(SUFFIX)
    for own in (words[behind], words[~behind]):
        counts = own.groupby(["language", "concept"])["voice"].agg(sorted)
        assert {tuple(voices) for voices in counts} == {tuple(sorted(VOICES))}
        assert len(counts) == len(CARRIERS) * 33
    onsets = words["onset_s"].astype(float)
    assert set(onsets[~behind]) == {0.02}
    # A voice says its carrier once, before all its words.
    assert (words[behind].groupby(["language", "voice"])["onset_s"].nunique() == 1).all()


@pytest.mark.parametrize("language", sorted(CARRIERS))
def test_the_word_begins_at_its_onset(language: str, carrier: StimulusSet) -> None:
    words = carrier.select(kind="word", language=language)
    for name in words.index[words.index.str.endswith(SUFFIX)][::17]:
        onset_s = float(words.loc[name, "onset_s"])
        clip = carrier.read_clip(name)
        alone = carrier.read_clip(str(name).removesuffix(SUFFIX))
        start = round(16_000 * (onset_s - 0.02))
        assert len(clip) == start + len(alone)
        # Encoded apart, the same sound is the same to the ear, not to the bit.
        assert np.corrcoef(clip[start:], alone)[0, 1] > 0.9
