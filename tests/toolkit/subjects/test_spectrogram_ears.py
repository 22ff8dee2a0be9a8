"""Ears that take spectrograms: the numbers of `transformers`, and the clip's own frames alone."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.toolkit.subjects.backbone_models import SECONDS, change_json, make_ast, make_whisper
from tests.toolkit.subjects.test_hearing import clips_of
from tests.toolkit.subjects.test_hearing import make_model as make_wavlm
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.hearing import Hearing

RATE = 16_000
WORDS = (9_600, 16_000, 400, 8_321)
"""Lengths of clips in samples: words, the shortest that AST takes, one that ends within a frame."""


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("ears")
    make_whisper(place / "whisper")
    make_ast(place / "ast")
    make_wavlm().save_pretrained(place / "wavlm")
    return {path.name: path for path in place.iterdir()}


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of one that a test may damage."""
    return Path(shutil.copytree(folders[request.param], tmp_path / request.param))


def by_the_library(folder: Path, clip: np.ndarray, layer: int = -1) -> torch.Tensor:
    """All states of one clip, by the automatic classes and nothing else."""
    from transformers import AutoFeatureExtractor, AutoModel

    extractor = AutoFeatureExtractor.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    model = getattr(model, "encoder", model) if "whisper" in folder.name else model
    with torch.inference_mode():
        output = model(
            **extractor(clip, sampling_rate=RATE, return_tensors="pt"), output_hidden_states=True
        )
    states: torch.Tensor = output.last_hidden_state if layer < 0 else output.hidden_states[layer]
    return states[0]


@pytest.mark.parametrize("layer", [-1, 0, 1, 2])
@pytest.mark.parametrize("folder", ["whisper"], indirect=True)
def test_whisper_is_its_own_encoder_up_to_the_end_of_the_clip(folder: Path, layer: int) -> None:
    (folder / "preprocess.json").write_text(json.dumps({"layer": layer}))
    hearing = Hearing(folder)
    clips = clips_of(*WORDS)
    for clip, frames in zip(clips, hearing.features(clips), strict=True):
        expected = by_the_library(folder, clip, layer)
        assert len(expected) == 100
        # One frame for 20 ms: that of the extractor's own mask, halved.
        assert len(frames) == math.ceil(len(clip) / 320)
        np.testing.assert_allclose(frames, expected[: len(frames)], atol=2e-6)
    assert (hearing.dim, hearing.frames_per_s) == (8, 50)
    assert (hearing.shortest_clip, hearing.longest_clip) == (1, SECONDS * RATE)


@pytest.mark.parametrize("n_samples", [1, 159, 160, 161, 320, 321, 8_321, 31_999, 32_000])
def test_frames_of_whisper_are_those_that_its_extractor_does_not_mask(
    folders: dict[str, Path], n_samples: int
) -> None:
    from transformers import AutoFeatureExtractor
    from transformers.models.whisper.modeling_whisper import WhisperEncoder

    extractor = AutoFeatureExtractor.from_pretrained(folders["whisper"])
    (clip,) = clips_of(n_samples)
    mask = extractor(
        clip, sampling_rate=RATE, return_attention_mask=True, return_tensors="pt"
    ).attention_mask
    kept = WhisperEncoder._get_feat_extract_output_lengths(None, mask.sum())
    assert len(Hearing(folders["whisper"]).features([clip])[0]) == int(kept)


@pytest.mark.parametrize("kind", ["WhisperModel", "WhisperForAudioClassification"])
def test_encoders_of_other_whispers(tmp_path: Path, kind: str) -> None:
    model = make_whisper(tmp_path / "whisper", kind)
    hearing = Hearing(tmp_path / "whisper")
    held = sum(weight.numel() for weight in hearing._ear.model.parameters())
    assert held == sum(weight.numel() for weight in model.encoder.parameters())
    (clip,) = clips_of(9_600)
    from transformers import AutoFeatureExtractor

    extractor = AutoFeatureExtractor.from_pretrained(tmp_path / "whisper")
    with torch.inference_mode():
        made = extractor(clip, sampling_rate=RATE, return_tensors="pt").input_features
        expected = model.encoder(made).last_hidden_state[0]
    np.testing.assert_allclose(hearing.features([clip])[0], expected[:30], atol=2e-6)


def test_a_decoder_is_not_loaded(folders: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers.models.whisper import modeling_whisper

    monkeypatch.delattr(modeling_whisper, "WhisperDecoder")
    ear = Hearing(folders["whisper"])._ear.model
    assert not any("decoder" in name for name, _ in ear.named_parameters())


@pytest.mark.parametrize("layer", [-1, 1])
@pytest.mark.parametrize("folder", ["ast"], indirect=True)
def test_frames_of_ast_are_means_over_frequency(folder: Path, layer: int) -> None:
    (folder / "preprocess.json").write_text(json.dumps({"layer": layer}))
    hearing = Hearing(folder)
    clips = clips_of(*WORDS)
    for clip, frames in zip(clips, hearing.features(clips), strict=True):
        states = by_the_library(folder, clip, layer)
        # A class and a distillation token, then 3 frequencies x 9 times.
        assert len(states) == 2 + 3 * 9
        expected = torch.stack([states[2 + time :: 9].mean(0) for time in range(9)])
        np.testing.assert_allclose(frames, expected[: len(frames)], atol=2e-6)
    assert (hearing.dim, hearing.frames_per_s) == (12, 10)
    assert (hearing.shortest_clip, hearing.longest_clip) == (400, 400 + 160 * 104 - 1)


@pytest.mark.parametrize(
    ("n_samples", "n_frames"),
    # Columns of 25 ms every 10 ms; patches of 16 columns every 10, so with the middle at 8, 18, ...
    [(400, 1), (1_840, 1), (400 + 160 * 17, 1), (400 + 160 * 18, 2), (8_000, 4), (17_039, 9)],
)
def test_frames_of_ast_end_with_the_clip(
    folders: dict[str, Path], n_samples: int, n_frames: int
) -> None:
    frames = Hearing(folders["ast"]).features(clips_of(n_samples))[0]
    assert len(frames) == n_frames


@pytest.mark.parametrize("name", ["whisper", "ast"])
def test_features_do_not_depend_on_the_other_clips(folders: dict[str, Path], name: str) -> None:
    hearing = Hearing(folders[name])
    clips = clips_of(*[4_000] * 5, *WORDS, 4_000)
    for clip, frames in zip(clips, hearing.features(clips), strict=True):
        np.testing.assert_allclose(hearing.features([clip])[0], frames, atol=2e-6)
        assert frames.dtype == np.float32


def test_what_is_made_of_the_silence_behind_a_clip_is_not_kept(folders: dict[str, Path]) -> None:
    for frames in Hearing(folders["whisper"]).features(clips_of(4_000, 3_000, 2_000)):
        assert frames.base is None or frames.base.shape[-2] == math.ceil(4_000 / 320)


@pytest.mark.parametrize("folder", ["whisper", "ast"], indirect=True)
def test_settings_in_the_file_of_the_whole_processor(folder: Path) -> None:
    (clip,) = clips_of(9_600)
    before = Hearing(folder)
    alone = folder / "preprocessor_config.json"
    together = {"feature_extractor": json.loads(alone.read_text()), "processor_class": "Processor"}
    alone.unlink()
    (folder / "processor_config.json").write_text(json.dumps(together))
    after = Hearing(folder)
    assert np.array_equal(before.features([clip])[0], after.features([clip])[0])
    kept = after.checksum
    change_json(folder / "processor_config.json", processor_class="Other")
    assert Hearing(folder).checksum != kept


def refused(folder: Path, *said: str) -> None:
    with pytest.raises(ToolkitError) as caught:
        Hearing(folder)
    for part in (str(folder), *said):
        assert part in str(caught.value)
    assert caught.value.next_command
    assert caught.value.message.count("\n") <= 4


SETTINGS = "preprocessor_config.json"


@pytest.mark.parametrize("folder", ["whisper", "ast"], indirect=True)
def test_without_settings_of_an_extractor(folder: Path) -> None:
    (folder / SETTINGS).unlink()
    refused(folder, "no preprocessor_config.json, which says how its spectrograms are made")


@pytest.mark.parametrize(
    ("folder", "changes", "said"),
    [
        ("whisper", {"feature_extractor_type": "ASTFeatureExtractor"}, "feature_extractor_type"),
        ("ast", {"feature_extractor_type": "WhisperFeatureExtractor"}, "feature_extractor_type"),
        ("whisper", {"chunk_length": 30}, "10 bands x 3000 columns, and its model takes 10 x 200"),
        ("whisper", {"feature_size": 80}, "80 bands x 200 columns, and its model takes 10 x 200"),
        ("whisper", {"chunk_length": 10**9}, "chunk_length is out of range"),
        ("whisper", {"dither": 0.1}, "dither is out of range"),
        ("whisper", {"hop_length": "160"}, "hop_length is of the wrong type"),
        ("whisper", {"padding_value": None}, "cannot hear a clip"),
        ("whisper", {"sampling_rate": 8_000}, "hears 8,000 samples per second"),
        ("whisper", {"mel_filters": [[0.5]]}, None),
        ("ast", {"max_length": 1_024}, "36 bands x 1024 columns, and its model takes 36 x 104"),
        ("ast", {"num_mel_bins": 128}, "128 bands x 104 columns, and its model takes 36 x 104"),
        ("ast", {"std": 0}, "std is out of range"),
        ("ast", {"mean": "low"}, "mean is of the wrong type"),
        ("ast", {"sampling_rate": 44_100}, "hears 44,100 samples per second"),
    ],
    indirect=["folder"],
)
def test_settings_of_another_extractor(
    folder: Path, changes: dict[str, Any], said: str | None
) -> None:
    (clip,) = clips_of(9_600)
    before = Hearing(folder).features([clip])[0]
    told = json.loads((folder / SETTINGS).read_text())
    (folder / SETTINGS).write_text(json.dumps(told | changes))
    if said is None:
        assert np.array_equal(Hearing(folder).features([clip])[0], before)
    else:
        refused(folder, said)


@pytest.mark.parametrize("folder", ["whisper", "ast"], indirect=True)
@pytest.mark.parametrize("told", [{"normalise": True}, {"sample_rate_hz": 16_000}])
def test_what_the_extractor_decides_cannot_be_asked_for(folder: Path, told: Any) -> None:
    (folder / "preprocess.json").write_text(json.dumps(told))
    refused(folder, "which preprocessor_config.json decides")


@pytest.mark.parametrize(
    ("folder", "changes", "said"),
    [
        ("whisper", {"encoder_layers": 3}, "lacks fitting weights for layers.2"),
        ("whisper", {"encoder_layers": 1}, "holds layers.1"),
        ("whisper", {"d_model": 12}, "lacks fitting weights|cannot be loaded"),
        ("whisper", {"encoder_layers": 10**6}, "encoder_layers is out of range"),
        ("whisper", {"max_source_positions": 10**9}, "max_source_positions is out of range"),
        ("whisper", {"d_model": 60_000, "encoder_layers": 99}, "too many numbers in the weights"),
        ("whisper", {"dropout": 1e9}, "cannot hear a clip"),
        ("ast", {"num_hidden_layers": 3}, "lacks fitting weights"),
        ("ast", {"num_hidden_layers": 1}, "does not have"),
        ("ast", {"patch_size": 60}, "cannot be loaded|columns"),
        ("ast", {"model_type": "whisper"}, "feature_extractor_type"),
        ("wavlm", {"model_type": "whisper"}, "no preprocessor_config.json"),
        ("wavlm", {"model_type": "bert"}, "type 'bert', which hears no waveform"),
        ("wavlm", {"model_type": "dinov2"}, "type 'dinov2', which hears no waveform"),
        ("wavlm", {"model_type": "clap"}, "type 'clap', which hears no waveform"),
        ("wavlm", {"model_type": None}, "does not say what it holds (model_type)"),
        (
            "wavlm",
            {"model_type": None, "architecture": "resnet10t"},
            "the network 'resnet10t' of timm, which sees pictures",
        ),
    ],
    indirect=["folder"],
)
def test_settings_of_another_model(folder: Path, changes: dict[str, Any], said: str) -> None:
    change_json(folder / "config.json", **changes)
    with pytest.raises(ToolkitError) as caught:
        Hearing(folder)
    assert any(part in str(caught.value) for part in said.split("|"))


@pytest.mark.parametrize("name", ["whisper", "ast"])
def test_clips_that_would_be_cut_are_refused(folders: dict[str, Path], name: str) -> None:
    hearing = Hearing(folders[name])
    assert hearing.longest_clip is not None
    longest, longer = clips_of(hearing.longest_clip, hearing.longest_clip + 1)
    assert len(hearing.features([longest])[0]) == {"whisper": 100, "ast": 9}[name]
    with pytest.raises(
        ToolkitError, match=r"Clip number 1 .* more than the hearing backbone"
    ) as no:
        hearing.features([longest, longer])
    assert f"at most {hearing.longest_clip}" in str(no.value)


@pytest.mark.parametrize("name", ["whisper", "ast"])
def test_a_card_hears_the_same(folders: dict[str, Path], name: str) -> None:
    from tests.fake_card import FakeCard

    card = FakeCard(longest=3)
    clips = clips_of(*[4_000] * 7)
    hearing = Hearing(folders[name], card)
    for one, other in zip(
        Hearing(folders[name]).features(clips), hearing.features(clips), strict=True
    ):
        np.testing.assert_allclose(one, other, atol=2e-6)
    assert card.log.networks == [type(hearing._ear.model).__name__]
    assert sum(card.log.batches) == 1 + 7
