"""What the embedded set promises: concepts, splits, styles, families, licences, checksums, size."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from scipy.fft import dctn

from makers.sets.build_mini import source_name
from stimuli import StimulusSet, open_set
from stimuli.checks import table_faults
from stimuli.columns import columns_csv
from stimuli.speech import VOICES, jitter

FAMILIAR = {
    "bear", "bird", "boat", "car", "cat", "clock", "cow", "dog", "elephant", "horse", "scissors",
    "sheep", "umbrella",
}  # fmt: skip
NOVEL = {
    "airplane", "ball", "bicycle", "bus", "butterfly", "cactus", "cake", "camera", "chair", "crown",
    "cup", "fish", "guitar", "hammer", "helicopter", "key", "mushroom", "pen", "rabbit", "tree",
}  # fmt: skip
LICENCES = {
    "Apache-2.0", "CC-BY-3.0", "CC-BY-4.0", "CC-PDDC", "CC0-1.0", "ISC", "MIT", "OFL-1.1",
    "Unlicense",
}  # fmt: skip
LIMIT_BYTES = 15_000_000


@pytest.fixture(scope="module")
def mini() -> StimulusSet:
    return open_set("mini")


@pytest.fixture(scope="module")
def pictures(mini: StimulusSet) -> pd.DataFrame:
    return mini.select(kind="picture")


@pytest.fixture(scope="module")
def words(mini: StimulusSet) -> pd.DataFrame:
    return mini.select(kind="word")


def rows_of(name: str) -> list[dict[str, str]]:
    with (open_set("mini").folder / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_table_has_no_faults(mini: StimulusSet) -> None:
    assert table_faults(mini.table.reset_index()) == []
    assert (mini.folder / "columns.csv").read_text(encoding="utf-8") == columns_csv()


def test_every_checksum_and_no_file_too_many(mini: StimulusSet) -> None:
    total = 0
    for path, checksum in zip(mini.table["path"], mini.table["sha256"], strict=True):
        data = (mini.folder / path).read_bytes()
        total += len(data)
        assert hashlib.sha256(data).hexdigest() == checksum, path
    assert not mini.table["sha256"].duplicated().any()
    media = {*mini.folder.rglob("*.webp"), *mini.folder.rglob("*.opus")}
    assert len(media) == len(mini.table)
    assert total <= LIMIT_BYTES


def test_concepts(mini: StimulusSet) -> None:
    assert set(mini.select(status="familiar")["concept"]) == FAMILIAR
    assert set(mini.select(status="novel")["concept"]) == NOVEL


def test_words_are_the_same_in_list_and_table(words: pd.DataFrame) -> None:
    for row in rows_of("words.csv"):
        for language in ("en", "nl", "fr"):
            said = words[(words["concept"] == row["concept"]) & (words["language"] == language)]
            assert set(said["word"]) == {row[language]}
            assert set(said["status"]) == {row["status"]}


def test_hand_checked_words() -> None:
    said = {row["concept"]: row for row in rows_of("words.csv")}
    assert said["sheep"]["nl"] == "schaap"
    assert said["boat"]["fr"] == "bateau"
    assert said["clock"]["fr"] == "horloge"


def test_voices_and_takes(words: pd.DataFrame) -> None:
    assert dict(zip(words["voice"], words["split"], strict=True)) == VOICES
    assert pd.Series(VOICES).value_counts().to_dict() == {"train": 15, "valid": 3, "test": 6}
    takes = words.groupby(["language", "concept", "voice"]).size()
    novel = takes.index.get_level_values("concept").isin(NOVEL)
    assert set(takes[~novel]) == {3}
    assert set(takes[novel]) == {2}
    assert len(takes[~novel]) == 3 * 13 * 24
    assert len(takes[novel]) == 3 * 20 * 6


def test_pitch_and_rate_are_those_of_the_jitter(words: pd.DataFrame) -> None:
    for row in words.itertuples():
        pitch, rate_wpm = jitter(row.language, row.concept, row.voice, int(row.take))
        assert row.source.endswith(f": {row.voice}, pitch {pitch}, {rate_wpm} words per minute")


def test_clips_last_a_whole_number_of_steps(words: pd.DataFrame) -> None:
    n_samples = words["duration_s"].astype(float) * 16_000
    assert (n_samples.round() % 640 == 0).all()
    assert n_samples.max() <= 17_600


def test_families(pictures: pd.DataFrame) -> None:
    assert pictures.groupby("family")["split"].nunique().max() == 1
    assert pictures.groupby("family")["concept"].nunique().max() == 1
    assert pictures.groupby("concept")["family"].nunique().min() >= 24
    held_out = pictures[pictures["split"] != "train"]
    assert not held_out["family"].duplicated().any()


def test_style_does_not_tell_novel_from_familiar(pictures: pd.DataFrame) -> None:
    test = pictures[pictures["split"] == "test"]
    colour = (
        test["style"].eq("colour").groupby([test["status"], test["concept"]]).agg(["sum", "size"])
    )
    familiar, novel = colour.loc["familiar"], colour.loc["novel"]
    assert (2 * familiar["sum"] == familiar["size"]).all()
    assert familiar["size"].min() >= 8
    assert novel["size"].min() >= 24
    assert ((novel["sum"] / novel["size"]) >= 0.37).all()
    assert abs(novel["sum"].sum() / novel["size"].sum() - 0.5) < 0.02
    valid = pictures[pictures["split"] == "valid"].groupby(["concept", "style"]).size()
    assert set(valid) == {2}
    assert len(valid) == 2 * len(FAMILIAR)


def hashes(grey: NDArray[np.float64]) -> NDArray[np.bool_]:
    """64-bit perceptual hashes of pictures (n, 96, 96)."""
    small = grey.reshape(len(grey), 32, 3, 32, 3).mean((2, 4))
    low = dctn(small, axes=(1, 2))[:, :8, :8].reshape(len(grey), 64)
    return low > np.median(low[:, 1:], axis=1, keepdims=True)


def flat(grey: NDArray[np.float64]) -> NDArray[np.float64]:
    """Pictures at 24 x 24, centred and of length 1, so that products are correlations."""
    small = grey.reshape(len(grey), 24, 4, 24, 4).mean((2, 4)).reshape(len(grey), -1)
    small -= small.mean(axis=1, keepdims=True)
    return small / np.linalg.norm(small, axis=1, keepdims=True)


def test_no_near_duplicates_between_splits(mini: StimulusSet, pictures: pd.DataFrame) -> None:
    for concept in sorted(FAMILIAR):
        mine = pictures[pictures["concept"] == concept]
        grey = np.stack([mini.read_picture(name).mean(axis=2) for name in mine.index])
        split = mine["split"].to_numpy()
        for one, other in (("train", "valid"), ("train", "test"), ("valid", "test")):
            a, b = grey[split == one], grey[split == other]
            for b_or_mirrored in (b, b[:, :, ::-1]):
                distance = (hashes(a)[:, None] != hashes(b_or_mirrored)[None]).sum(axis=2)
                alike = (distance <= 4) | (flat(a) @ flat(b_or_mirrored).T > 0.94)
                assert not alike.any(), (concept, one, other, np.argwhere(alike))


def test_reading_a_few(mini: StimulusSet, pictures: pd.DataFrame, words: pd.DataFrame) -> None:
    for name in pictures.index[::250]:
        picture = mini.read_picture(name)
        assert picture.shape == (96, 96, 3)
        assert (picture[[0, 0, -1, -1], [0, -1, 0, -1]] > 240).all(), "the corners are white"
    for name in words.index[::250]:
        clip = mini.read_clip(name)
        assert 0.5 < np.abs(clip).max() <= 1
        assert len(clip) % 640 == 0


def test_every_picture_is_attributed(pictures: pd.DataFrame) -> None:
    assert set(pictures["licence"]) <= LICENCES
    assert (pictures["author"] != "").all()
    notice = (Path(__file__).parents[2] / "NOTICE").read_text(encoding="utf-8")
    counts = pictures["source"].str.extract(r"(?:iconify:)?([a-z0-9-]+)[:/]")[0].value_counts()
    assert f"Clip art ({counts.pop('openclipart')} pictures)" in notice
    for set_name, n_pictures in counts.items():
        lines = [line for line in notice.splitlines() if line.startswith(f"- {set_name}: ")]
        assert len(lines) == 1, set_name
        assert lines[0].endswith(f"({n_pictures})"), set_name


def test_nothing_rejected_is_in() -> None:
    rejected = {(row["concept"], row["source"]) for row in rows_of("rejected.csv")}
    assert all(row["reason"] for row in rows_of("rejected.csv"))
    chosen = {(row["concept"], row["source"]) for row in rows_of("selection.csv")}
    assert not rejected & chosen


def test_the_selection_is_what_was_built(pictures: pd.DataFrame) -> None:
    chosen = pd.DataFrame(rows_of("selection.csv")).set_index("stimulus_id")
    chosen["source"] = chosen["source"].map(source_name)
    built = pictures[list(chosen.columns)]
    pd.testing.assert_frame_equal(built, chosen, check_names=False)
