"""The hearing backbone: any WavLM folder, features that depend on nothing but the clip."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from stimuli.errors import ToolkitError
from toolkit.subjects.backbones.hearing import SHIPPED, Hearing

DIM = 6
HOP, SHORTEST = 4, 8


def make_model(seed: int = 0, **changes: Any) -> Any:
    """A WavLM model of a few hundred weights: one frame per 4 samples."""
    import torch
    from transformers.models.wavlm import WavLMConfig, WavLMModel

    torch.manual_seed(seed)
    settings = {
        "hidden_size": DIM,
        "num_hidden_layers": 2,
        "num_attention_heads": 3,
        "intermediate_size": 7,
        "conv_dim": (3, 5),
        "conv_kernel": (4, 3),
        "conv_stride": (2, 2),
        "num_feat_extract_layers": 2,
        "feat_extract_norm": "layer",
        "num_conv_pos_embeddings": 5,
        "num_conv_pos_embedding_groups": 2,
        "num_buckets": 8,
        "max_bucket_distance": 16,
    }
    return WavLMModel(WavLMConfig(**{**settings, **changes})).eval()


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wavlm")
    make_model().save_pretrained(folder)
    return folder


@pytest.fixture
def broken_folder(model_folder: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    for path in model_folder.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    return tmp_path


@pytest.fixture(scope="module")
def hearing(model_folder: Path) -> Hearing:
    return Hearing(model_folder)


def clips_of(*lengths: int, seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.normal(0, 0.1, length).astype(np.float32) for length in lengths]


def test_shapes_order_and_type(hearing: Hearing) -> None:
    clips = clips_of(40, 24, 40, 80, 24)
    frames = hearing.features(clips)
    assert [f.shape for f in frames] == [(9, DIM), (5, DIM), (9, DIM), (19, DIM), (5, DIM)]
    assert all(f.dtype == np.float32 and np.isfinite(f).all() for f in frames)
    assert (hearing.dim, hearing.sample_rate_hz, hearing.shortest_clip) == (DIM, 16_000, SHORTEST)
    assert hearing.features([]) == []


def test_features_do_not_depend_on_the_other_clips(hearing: Hearing) -> None:
    clips = clips_of(*[40] * 37, 24, 80, 24)
    together = hearing.features(clips)
    for clip, frames in zip(clips, together, strict=True):
        np.testing.assert_allclose(hearing.features([clip])[0], frames, atol=2e-6)


def test_same_numbers_as_the_library_and_silence_matters(
    model_folder: Path, hearing: Hearing
) -> None:
    import torch

    (clip,) = clips_of(56)
    with torch.inference_mode():
        expected = make_model()(torch.from_numpy(clip)[None]).last_hidden_state[0].numpy()
    np.testing.assert_allclose(hearing.features([clip])[0], expected, atol=1e-6)
    longer = hearing.features([np.append(clip, np.zeros(8, np.float32))])[0]
    assert np.abs(longer[: len(expected)] - expected).max() > 1e-4


def test_half_precision_folder_computes_in_float32(tmp_path: Path, hearing: Hearing) -> None:
    make_model().half().save_pretrained(tmp_path)
    half = Hearing(tmp_path)
    (frames,), (expected,) = half.features(clips_of(48)), hearing.features(clips_of(48))
    assert frames.dtype == np.float32
    np.testing.assert_allclose(frames, expected, atol=0.02)
    assert not np.array_equal(frames, expected)
    assert half.checksum != hearing.checksum


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preprocess.json", {"sample_rate_hz": 16_000, "normalise": True}),
        ("preprocessor_config.json", {"sampling_rate": 16_000, "do_normalize": True}),
        ("processor_config.json", {"feature_extractor": {"do_normalize": True}}),
    ],
)
def test_normalisation_takes_away_loudness_and_offset(
    broken_folder: Path, hearing: Hearing, name: str, content: dict[str, Any]
) -> None:
    (broken_folder / name).write_text(json.dumps(content))
    normalising = Hearing(broken_folder)
    (clip,) = clips_of(64)
    (plain,), (louder,) = normalising.features([clip]), normalising.features([clip * 3 + 0.2])
    np.testing.assert_allclose(plain, louder, atol=1e-3)
    assert np.abs(hearing.features([clip])[0] - plain).max() > 1e-4


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("preprocess.json", {"sample_rate_hz": 8_000}),
        ("preprocessor_config.json", {"sampling_rate": 48_000}),
    ],
)
def test_models_of_another_rate_are_refused(
    broken_folder: Path, name: str, content: dict[str, Any]
) -> None:
    """Clips have 16 kHz, and nothing would tell a model that they are slower than it thinks."""
    (broken_folder / name).write_text(json.dumps(content))
    with pytest.raises(ToolkitError, match="samples per second, and clips have 16,000"):
        Hearing(broken_folder)


def test_what_one_file_leaves_open_the_other_decides(broken_folder: Path) -> None:
    (broken_folder / "preprocessor_config.json").write_text('{"do_normalize": true}')
    (broken_folder / "preprocess.json").write_text('{"layer": 2}')
    (clip,) = clips_of(64)
    plain, louder = Hearing(broken_folder).features([clip, clip * 3 + 0.2])
    np.testing.assert_allclose(plain, louder, atol=1e-3)
    (broken_folder / "preprocess.json").write_text('{"normalise": false}')
    plain, louder = Hearing(broken_folder).features([clip, clip * 3 + 0.2])
    assert np.abs(plain - louder).max() > 1e-3


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_states_of_a_layer(broken_folder: Path, layer: int) -> None:
    import torch

    (broken_folder / "preprocess.json").write_text(json.dumps({"layer": layer}))
    (clip,) = clips_of(64)
    with torch.inference_mode():
        states = make_model()(torch.from_numpy(clip)[None], output_hidden_states=True).hidden_states
    np.testing.assert_allclose(
        Hearing(broken_folder).features([clip])[0], states[layer][0], atol=1e-6
    )


def test_a_layer_that_the_model_does_not_have(broken_folder: Path) -> None:
    (broken_folder / "preprocess.json").write_text('{"layer": 3}')
    with pytest.raises(ToolkitError, match="has 2 layers, and layer 3 is asked for"):
        Hearing(broken_folder)


def test_an_extractor_that_does_not_say_so_normalises(broken_folder: Path) -> None:
    (broken_folder / "preprocessor_config.json").write_text('{"sampling_rate": 16000}')
    (clip,) = clips_of(64)
    plain, louder = Hearing(broken_folder).features([clip, clip * 3 + 0.2])
    np.testing.assert_allclose(plain, louder, atol=1e-3)


def as_published(folder: Path, prefix: str = "", **changes: Any) -> Any:
    """A folder like that of microsoft/wavlm-base-plus: pickled weights under the older names."""
    import torch

    # Normalising over time in the first layer, as the base models do, is what padding would hurt.
    model = make_model(feat_extract_norm="group", **changes)
    folder.mkdir(exist_ok=True)
    model.config.save_pretrained(folder)
    new, old = "parametrizations.weight.original", {"0": "weight_g", "1": "weight_v"}
    state = {}
    for key, value in model.state_dict().items():
        stem, found, part = key.partition(new)
        state[prefix + (stem + old[part] if found else key)] = value
    torch.save(state, folder / "pytorch_model.bin")
    extractor = {"do_normalize": False, "sampling_rate": 16_000, "return_attention_mask": True}
    (folder / "preprocessor_config.json").write_text(json.dumps(extractor))
    return model


@pytest.mark.parametrize("prefix", ["", "wavlm."])
def test_folder_in_the_format_of_the_published_backbone(tmp_path: Path, prefix: str) -> None:
    import torch

    model = as_published(tmp_path, prefix)
    clips = clips_of(40, 80, 40)
    for clip, frames in zip(clips, Hearing(tmp_path).features(clips), strict=True):
        with torch.inference_mode():
            expected = model(torch.from_numpy(clip)[None]).last_hidden_state[0].numpy()
        np.testing.assert_allclose(frames, expected, atol=2e-6)


def test_other_models_of_the_waveform(tmp_path: Path) -> None:
    import torch
    from transformers.models.hubert import HubertConfig, HubertModel

    same = {key: getattr(make_model().config, key) for key in ("conv_dim", "conv_kernel")}
    same |= {"conv_stride": (2, 2), "num_feat_extract_layers": 2, "hidden_size": DIM}
    same |= {"num_hidden_layers": 2, "num_attention_heads": 3, "intermediate_size": 7}
    same |= {"num_conv_pos_embeddings": 5, "num_conv_pos_embedding_groups": 2}
    torch.manual_seed(0)
    model = HubertModel(HubertConfig(**same)).eval()
    model.save_pretrained(tmp_path)
    (clip,) = clips_of(56)
    with torch.inference_mode():
        expected = model(torch.from_numpy(clip)[None]).last_hidden_state[0].numpy()
    np.testing.assert_allclose(Hearing(tmp_path).features([clip])[0], expected, atol=2e-6)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_weights_with_a_pickled_object_are_refused(tmp_path: Path) -> None:
    import torch

    as_published(tmp_path)
    weights = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)
    torch.save({**weights, "trap": Trap(tmp_path / "sprung")}, tmp_path / "pytorch_model.bin")
    with pytest.raises(ToolkitError, match="cannot be loaded"):
        Hearing(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_checksum_follows_weights_and_settings(
    model_folder: Path, broken_folder: Path, hearing: Hearing
) -> None:
    assert len(hearing.checksum) == 64
    assert Hearing(model_folder).checksum == Hearing(broken_folder).checksum == hearing.checksum
    (broken_folder / "preprocess.json").write_text('{"sample_rate_hz": 16000, "normalise": true}')
    with_settings = Hearing(broken_folder).checksum
    make_model(seed=1).save_pretrained(broken_folder)
    assert len({hearing.checksum, with_settings, Hearing(broken_folder).checksum}) == 3


@pytest.mark.parametrize(
    ("clip", "message"),
    [
        (np.zeros((2, 50), np.float32), "shape"),
        (np.zeros(50, np.int16), "int16"),
        (np.zeros(SHORTEST - 1, np.float32), "too few"),
        (np.zeros(0, np.float32), "too few"),
        (np.full(50, np.nan, np.float32), "not finite"),
        (np.append(np.zeros(50), np.inf), "not finite"),
    ],
)
def test_wrong_clips_are_named(hearing: Hearing, clip: np.ndarray, message: str) -> None:
    with pytest.raises(ToolkitError, match=f"Clip number 1 .*{message}") as caught:
        hearing.features([*clips_of(50), clip])
    assert caught.value.next_command


def test_shortest_clip_gives_one_frame(hearing: Hearing) -> None:
    assert hearing.features(clips_of(SHORTEST))[0].shape == (1, DIM)


def test_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="is not a folder"):
        Hearing(tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_missing_file(broken_folder: Path, name: str) -> None:
    (broken_folder / name).unlink()
    with pytest.raises(ToolkitError, match=name.replace(".", r"\.")):
        Hearing(broken_folder)


def test_unreadable_files(broken_folder: Path) -> None:
    weights = broken_folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    with pytest.raises(ToolkitError, match="cannot be loaded"):
        Hearing(broken_folder)
    (broken_folder / "config.json").write_text("[1, 2]")
    with pytest.raises(ToolkitError, match=r"config\.json cannot be read"):
        Hearing(broken_folder)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "hubert"}, "which a 'hubert' does not have"),
        ({"model_type": "bert"}, "type 'bert', which hears no waveform"),
        ({"model_type": "wavlm2"}, "cannot be loaded"),
        ({"hidden_size": 12}, "lacks fitting weights|cannot be loaded"),
        ({"num_hidden_layers": 3}, "lacks fitting weights"),
        ({"num_attention_heads": 5}, "cannot be loaded"),
    ],
)
def test_wrong_configuration(broken_folder: Path, change: dict[str, Any], message: str) -> None:
    config = broken_folder / "config.json"
    config.write_text(json.dumps({**json.loads(config.read_text()), **change}))
    with pytest.raises(ToolkitError, match=message) as caught:
        Hearing(broken_folder)
    assert str(broken_folder) in str(caught.value)


def test_wrong_preprocessing(broken_folder: Path) -> None:
    (broken_folder / "preprocess.json").write_text('{"sample_rate_hz": "fast"}')
    with pytest.raises(ToolkitError, match="sample_rate_hz is of the wrong type"):
        Hearing(broken_folder)


def test_weights_that_are_not_finite(tmp_path: Path) -> None:
    import torch

    model = make_model()
    with torch.no_grad():
        model.feature_projection.projection.weight[2, 3] = torch.nan
    model.save_pretrained(tmp_path)
    with pytest.raises(ToolkitError, match="not finite"):
        Hearing(tmp_path)


def test_shipped_backbone_is_small_and_hears_differences() -> None:
    hearing = Hearing()
    time = np.arange(9_600, dtype=np.float32) / 16_000
    tones = [np.sin(2 * np.pi * pitch * time) for pitch in (200, 2_000)]
    low, high = hearing.features(tones)
    assert low.shape == (28, hearing.dim)
    assert np.abs(low - high).mean() > 0.01
    assert (SHIPPED / "model.safetensors").stat().st_size < 5_000_000


def test_settings_of_a_network_larger_than_its_weights_are_refused(broken_folder: Path) -> None:
    told = json.loads((broken_folder / "config.json").read_text())
    (broken_folder / "config.json").write_text(json.dumps(told | {"hidden_size": 6_000}))
    with pytest.raises(ToolkitError, match="which cannot lie in"):
        Hearing(broken_folder)
