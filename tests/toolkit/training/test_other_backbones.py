"""Backbones with preparations of their own, the whole way on the included set."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest

from stimuli import open_set
from tests.commands import Cli
from tests.toolkit.subjects.backbone_models import make_ast, make_patches, make_whisper
from toolkit.subjects.backbones.hearing import Hearing
from toolkit.subjects.backbones.seeing import Seeing
from toolkit.subjects.backbones.stored import StoredFeatures

ALL_SHORT = ("n_updates=3", "warmup_updates=1", "validate_every=3", "word_views=1",
             "picture_views=1")  # fmt: skip


@pytest.mark.parametrize(
    ("ear", "eye"),
    [
        ("whisper", "dinov2_with_registers"),
        pytest.param("ast", "siglip", marks=pytest.mark.slow),
    ],
)
def test_extracted_trained_and_asked(ear: str, eye: str, tmp_path: Path, cli: Cli) -> None:
    make = make_whisper if ear == "whisper" else make_ast
    make(tmp_path / ear)
    make_patches(tmp_path / eye, eye)
    both = ("--hearing", ear, "--seeing", eye)
    some = ("--split", "test", "--language", "en", "--out", "features")
    assert cli("extract-features", "mini", *both, *some).code == 0
    mini, hearing, seeing = open_set("mini"), Hearing(tmp_path / ear), Seeing(tmp_path / eye)
    words = mini.select(kind="word", split="test", language="en").index[:5]
    pictures = mini.select(kind="picture", split="test").index[:5]
    clips = [mini.read_clip(name) for name in words]
    stored = StoredFeatures(tmp_path / "features" / f"{ear}.h5").features(clips)
    for one, other in zip(stored, hearing.features(clips), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)
    seen = [mini.read_picture(name) for name in pictures]
    stored = StoredFeatures(tmp_path / "features" / f"{eye}.h5").features(seen)
    np.testing.assert_allclose(stored, seeing.features(seen), atol=1e-5)
    assert stored.shape[1:] == (12, 4, 4)
    with h5py.File(tmp_path / "features" / f"{ear}.h5") as file:
        assert file.attrs["backbone_sha256"] == hearing.checksum
        assert file.attrs["frames_per_s"] == {"whisper": "50", "ast": "10"}[ear]
    settings = [part for one in ALL_SHORT for part in ("--set", one)]
    asked = ("--languages", "en", "--seeds", "1", *settings, "--jobs", "1", "--out", "trained")
    said = cli("train", *both, *asked)
    assert said.code == 0, said.err
    told = json.loads((tmp_path / "trained" / "monolingual-en" / "config.json").read_text())
    assert told["network"]["word_dim"] == hearing.dim
    assert told["network"]["picture_dim"] == seeing.channels
    said = cli(
        *("run-paradigm", "familiar", "--subject", "trained/monolingual-en"),
        *("--trials-per-class", "2", "--no-report", "--out", "runs"),
    )
    assert said.code == 0, said.err


@pytest.mark.parametrize("command", ["train", "extract-features"])
@pytest.mark.parametrize(
    ("option", "folder", "part"),
    [
        ("--hearing", "whisper", "no preprocessor_config.json"),
        ("--hearing", "dinov2", "type 'dinov2', which hears no waveform"),
        ("--hearing", "text", "type 'bert', which hears no waveform"),
        ("--seeing", "dinov2", "no preprocessor_config.json"),
        ("--seeing", "whisper", "type 'whisper', which gives no patches of pictures"),
        ("--seeing", "text", "type 'bert', which gives no patches of pictures"),
    ],
)
def test_a_folder_of_another_model_is_one_message(
    command: str, option: str, folder: str, part: str, tmp_path: Path, cli: Cli
) -> None:
    make_whisper(tmp_path / "whisper")
    make_patches(tmp_path / "dinov2", "dinov2")
    for name in ("whisper", "dinov2"):
        (tmp_path / name / "preprocessor_config.json").unlink()
    (tmp_path / "text").mkdir()
    text = {"model_type": "bert", "hidden_size": 8, "num_attention_heads": 2, "vocab_size": 9}
    (tmp_path / "text" / "config.json").write_text(json.dumps(text))
    weights = tmp_path / "dinov2" / "model.safetensors"
    (tmp_path / "text" / "model.safetensors").write_bytes(weights.read_bytes())
    given = ("mini", "--split", "valid", "--language", "en")
    other = ("--seeing", "seeing") if option == "--hearing" else ("--hearing", "hearing")
    if option == "--seeing" and command == "extract-features":
        given += ("--only", "pictures")
    elif command == "train":
        given = ("--languages", "en", "--seeds", "1", "--set", "word_views=1")
        given += ("--set", "picture_views=1", "--jobs", "1")
    said = cli(command, *given, *other, option, folder, "--out", "out")
    assert said.code == 2
    assert part in said.err.replace("\n", " ")
    assert said.err.count("Error") == 1
    assert "unreadable.csv" not in said.err
    assert not list((tmp_path / "out").rglob("*.h5")) + list((tmp_path / "out").rglob("*.toml"))
