"""Features of training stimuli: what is read, how it is altered, scaled, kept and handed out."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from stimuli import open_set
from stimuli.files import write_checked
from tests.toolkit.training.training_bank import CONCEPTS, Ear, Eye, SmallSet, make_bank
from toolkit.training import views
from toolkit.training.bank_files import load_bank, save_bank
from toolkit.training.features import SPLITS, FeatureBank, build_bank, outline


@pytest.fixture(scope="module")
def bank() -> FeatureBank:
    return make_bank()


def test_standardised_features(bank: FeatureBank) -> None:
    scaled = make_bank(n_words=40, n_pictures=40).standardised(["en"])
    rows = np.concatenate([scaled.word_rows("train", concept, "en") for concept in CONCEPTS])
    features, lengths = scaled.words(rows)
    heard = torch.cat([one[:n] for one, n in zip(features, lengths, strict=True)])
    rows = np.concatenate([scaled.picture_rows("train", concept) for concept in CONCEPTS])
    seen = scaled.pictures(rows).movedim(1, -1).flatten(0, 2)
    for values in (heard, seen):
        assert values.mean(dim=0).abs().max() < 0.3
        assert (values.std(dim=0) - 1).abs().max() < 0.3


def test_bank_survives_the_disk(bank: FeatureBank, tmp_path: Path) -> None:
    save_bank(bank, tmp_path / "bank.safetensors")
    again = load_bank(tmp_path / "bank.safetensors")
    assert again.word_table == bank.word_table
    assert again.picture_table == bank.picture_table
    assert again.concepts == bank.concepts
    assert torch.equal(again.frames, bank.frames)
    assert torch.equal(again.maps, bank.maps)
    assert (again.word_start == bank.word_start).all()


def test_a_bank_of_an_earlier_version_hands_out_the_same(bank: FeatureBank, tmp_path: Path) -> None:
    """It kept pictures channel after channel."""
    path, rows = tmp_path / "bank.safetensors", np.array([3, 1, 3])
    save_bank(bank, path)
    expected = load_bank(path).pictures(rows)
    with safe_open(path, framework="pt") as file:
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        told = file.metadata()
    tensors["maps"] = tensors.pop("maps_by_place").movedim(-1, 1).contiguous()
    with write_checked(path) as unfinished:
        save_file(tensors, unfinished, metadata=told)
    assert torch.equal(load_bank(path).pictures(rows), expected)
    assert torch.equal(bank.pictures(rows), expected)


def test_words_are_padded_behind_their_ends(bank: FeatureBank) -> None:
    rows = np.array([2, 0])
    features, lengths = bank.words(rows)
    assert lengths.tolist() == [4, 2]
    start = bank.word_start[0]
    assert torch.equal(features[1, :2], bank.frames[start : start + 2].float())
    assert features.shape == (2, 4, 5)


def test_no_test_stimulus_and_no_novel_one_is_ever_read() -> None:
    small = SmallSet()
    bank = build_bank(small, Ear(), Eye(), word_views=2, picture_views=3)  # type: ignore[arg-type]
    read = small.table.loc[small.read]
    assert set(read["split"]) == {"train", "valid"}
    assert set(read["status"]) == {"familiar"}
    assert {row[0] for row in (*bank.word_table, *bank.picture_table)} == set(small.read)
    assert len(bank.word_table) == 3 * 2 * (2 + 1)
    assert len(bank.picture_table) == 3 * 2 * (3 + 1)
    assert len(bank.maps) == len(bank.picture_table)


def test_trained_stimuli_of_mini_are_no_test_stimuli() -> None:
    """By kind, no picture family and no voice is both learnt or chosen by and tested on."""
    table = open_set("mini").table
    for column, kind in (("family", "picture"), ("voice", "word")):
        rows = table[table["kind"] == kind]
        seen = rows[rows["split"].isin(SPLITS) & (rows["status"] == "familiar")]
        tested = rows[rows["split"] == "test"]
        assert len(seen)
        assert not set(seen[column]) & set(tested[column])


def test_views_are_the_same_every_time_and_differ_from_one_another() -> None:
    picture = np.full((20, 20, 3), 255, dtype=np.uint8)
    picture[3:9, 5:17] = (200, 30, 90)
    clip = np.sin(np.arange(3200) / 9).astype(np.float32) / 2
    for make, stimulus in ((views.picture_view, picture), (views.clip_view, clip)):
        first, again, other = (make(stimulus, "one", view) for view in (1, 1, 2))
        assert np.array_equal(first, again)
        assert not np.array_equal(first, other)
        assert make(stimulus, "one", 0) is stimulus
        assert first.dtype == stimulus.dtype


def test_picture_views_keep_size_and_white_ground() -> None:
    picture = np.full((21, 21, 3), 255, dtype=np.uint8)
    picture[8:13, 8:13] = 0
    for view in range(1, 20):
        altered = views.picture_view(picture, "square", view)
        assert altered.shape == picture.shape
        assert (altered[[0, 0, -1, -1], [0, -1, 0, -1]] == 255).all()
        assert altered.min() < 200


def test_outline_names_what_a_bank_would_hold() -> None:
    small = SmallSet()
    told, whole = outline(small), build_bank(small, Ear(), Eye(), word_views=1, picture_views=1)  # type: ignore[arg-type]
    assert not small.read[: -len(whole.word_table) - len(whole.picture_table)]
    assert told.concepts == whole.concepts
    assert told.word_table == whole.word_table
    assert told.picture_table == whole.picture_table
