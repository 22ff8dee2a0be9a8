"""Training of the hearing backbone, on noise bursts instead of speech."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from makers.backbones import hearing, spoken_names
from makers.backbones.hearing import Pairs, Settings, augment, average_features, contrast
from makers.backbones.spoken_names import Corpus, Name, voices_of
from stimuli.errors import ToolkitError
from toolkit.subjects.backbones.hearing import Hearing

VOICES_USED = (*voices_of("train")[:2], voices_of("valid")[0])


@pytest.fixture(scope="module")
def names() -> list[Name]:
    splits = ["train"] * 5 + ["valid"] * 3
    words = ["one", "two", "three", "two", "five", "six", "seven", "eight"]
    languages = ["en"] * 3 + ["nl"] * 2 + ["fr"] * 3
    return [Name(*row) for row in zip(words, languages, splits, strict=True)]


@pytest.fixture(scope="module")
def corpus(names: list[Name]) -> Corpus:
    """Every name in three voices, 700 to 1,700 samples."""
    random = np.random.default_rng(0)
    clips, owners, voices = [], [], []
    for index in range(len(names)):
        for voice in VOICES_USED:
            if voice in voices_of("train") or names[index].split == "valid":
                clips.append(random.normal(0, 3_000, 700 + 140 * index).astype(np.int16))
                owners.append(index)
                voices.append(voice)
    starts = np.cumsum([0, *map(len, clips)])
    return Corpus(np.concatenate(clips), starts, np.array(owners), np.array(voices))


@pytest.fixture
def tiny(monkeypatch: pytest.MonkeyPatch, names: list[Name], corpus: Corpus) -> None:
    """A model of a few hundred weights on the made-up corpus."""
    from transformers.models.wavlm import WavLMConfig, WavLMModel

    def build(seed: int) -> Any:
        torch.manual_seed(seed)
        config = WavLMConfig(
            hidden_size=6,
            num_hidden_layers=1,
            num_attention_heads=3,
            intermediate_size=5,
            conv_dim=(3, 5),
            conv_kernel=(20, 8),
            conv_stride=(16, 5),
            num_feat_extract_layers=2,
            feat_extract_norm="layer",
            num_conv_pos_embeddings=3,
            num_conv_pos_embedding_groups=2,
            layerdrop=0.0,
            mask_time_prob=0.0,
        )
        return WavLMModel(config)

    monkeypatch.setattr(hearing, "build_model", build)
    monkeypatch.setattr(hearing, "read_or_speak", lambda *_: (names, corpus))
    monkeypatch.setattr(hearing, "CANDIDATES", 3)


SETTINGS = Settings(steps=4, pairs=3, warmup=2, cooldown=2)


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
def test_an_interrupted_run_ends_with_the_same_weights(
    tiny: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, names: list[Name]
) -> None:
    (tmp_path / "whole").mkdir()
    (tmp_path / "parts").mkdir()
    whole = hearing.train(tmp_path / "whole", tmp_path, SETTINGS)

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(hearing, "CHECKPOINT_EVERY", 2)
        patch.setattr(hearing, "VALIDATE_EVERY", 3)
        patch.setattr(hearing, "retrieval", interrupt)
        with pytest.raises(KeyboardInterrupt):
            hearing.train(tmp_path / "parts", tmp_path, SETTINGS)
    parts = hearing.train(tmp_path / "parts", tmp_path, SETTINGS)
    for key, weight in whole.state_dict().items():
        torch.testing.assert_close(parts.state_dict()[key], weight, rtol=0, atol=0)
    log = (tmp_path / "parts" / "training_log.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in log] == ["step", "1", "2", "3", "4"]

    folder = hearing.export(whole, tmp_path / "whole", names)
    assert Hearing(folder).features([np.ones(640, np.float32)])[0].shape[1] == 6
    assert (folder / "names.txt").read_text().splitlines()[3] == "nl\ttwo"
    assert len((folder / "names.txt").read_text().splitlines()) == 5


def test_training_never_hears_held_out_names_or_voices(names: list[Name], corpus: Corpus) -> None:
    pairs = Pairs(names, corpus)
    random = np.random.default_rng(1)
    first, second = pairs.train(5, random)
    assert len(first) == len(second) == 4, "the word spelled alike in two languages counts once"
    longest = 1.14 * (700 + 140 * 4) + 2 * 1280
    assert all(len(clip) <= longest and clip.dtype == np.float32 for clip in first + second)
    old, new = pairs.valid(voices_of("valid"))
    for index, (a, b) in enumerate(zip(old, new, strict=True)):
        np.testing.assert_array_equal(a, corpus.clip(10 + 3 * index))
        np.testing.assert_array_equal(b, corpus.clip(12 + 3 * index))


@pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")
def test_averages_keep_order_and_ignore_padding(tiny: None) -> None:
    model = hearing.build_model(0).eval()
    random = np.random.default_rng(2)
    clips = [random.normal(0, 1, n).astype(np.float32) for n in (1_900, 640, 1_300, 700)]
    together = average_features(model, clips)
    assert together.shape == (4, 6)
    for row, clip in zip(together, clips, strict=True):
        torch.testing.assert_close(average_features(model, [clip])[0], row, atol=0.02, rtol=0)


def test_contrast_is_low_for_matching_views() -> None:
    views = torch.eye(5)
    loss, accuracy = contrast(views, views, 0.1)
    assert accuracy == 1
    assert loss < 0.01
    assert contrast(views, views.roll(1, 0), 0.1)[0] > 5


def test_augmentation_depends_on_the_generator_alone() -> None:
    clip = np.sin(np.arange(2_000, dtype=np.float32) / 9)
    same = [augment(clip, np.random.default_rng(3)) for _ in range(2)]
    np.testing.assert_array_equal(*same)
    assert len(augment(clip, np.random.default_rng(4))) != len(same[0])


def test_annotations_that_are_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spoken_names, "_sound", lambda _, words: ["x"] * len(words))
    with pytest.raises(ToolkitError, match="emoji names"):
        spoken_names.choose_names(tmp_path)


def test_names_are_single_words_that_are_neither_excluded_nor_sound_alike(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ["lemon", "bare", "cat", "polar bear", "Olive", "TV", "ox", "summer", "sa"]
    for language in ("en", "nl", "fr"):
        (tmp_path / language).mkdir()
        entries = str([{"default": words, "tts": ["lemon"]}]).replace("'", '"')
        (tmp_path / language / "annotations.json").write_text(
            f'{{"annotations": {{"annotations": {{"x": {entries[1:-1]}}}}}}}'
        )
    monkeypatch.setattr(
        spoken_names, "_sound", lambda _, given: [word.replace("bare", "bear") for word in given]
    )
    chosen = spoken_names.choose_names(tmp_path)
    assert [n.text for n in chosen if n.language == "en"] == ["lemon", "olive", "summer"]
    assert {n.split for n in chosen} == {"train"}
