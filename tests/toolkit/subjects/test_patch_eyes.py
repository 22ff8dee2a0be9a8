"""Eyes of patches: the numbers of `transformers`, every patch at its place, no other tokens."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.toolkit.subjects.backbone_models import (
    PATCH,
    PATCHES,
    SIDE,
    change_json,
    make_patches,
    make_whisper,
)
from tests.toolkit.subjects.test_hearing import make_model as make_wavlm
from tests.toolkit.subjects.test_seeing import pictures
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.hearing import Hearing
from toolkit.subjects.backbones.seeing import SHIPPED, Seeing

SETTINGS = "preprocessor_config.json"
GIVEN = [*pictures(2, 40, 40), *pictures(1, 90, 55), *pictures(1, 31, 200)]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("eyes")
    for name in PATCHES:
        make_patches(place / name, name)
    return {path.name: path for path in place.iterdir()}


@pytest.fixture
def folder(folders: dict[str, Path], tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A copy of one that a test may damage."""
    name = getattr(request, "param", "dinov2")
    return Path(shutil.copytree(folders[name], tmp_path / name))


def by_the_library(folder: Path, given: list[np.ndarray], layer: int = -1) -> torch.Tensor:
    """All tokens, by the automatic classes and nothing else, one picture at a time."""
    from transformers import AutoImageProcessor, AutoModel

    processor = AutoImageProcessor.from_pretrained(folder)
    model = AutoModel.from_pretrained(folder).eval()
    model = getattr(model, "vision_model", model)
    states = []
    with torch.inference_mode():
        for one in given:
            pixels = processor(images=one, return_tensors="pt")["pixel_values"]
            output = model(pixel_values=pixels, output_hidden_states=True)
            states.append(output.last_hidden_state if layer < 0 else output.hidden_states[layer])
    return torch.cat(states)


@pytest.mark.parametrize("layer", [-1, 0, 1])
@pytest.mark.parametrize("folder", PATCHES, indirect=True)
def test_maps_are_the_patches_of_the_library(folder: Path, layer: int) -> None:
    (folder / "preprocess.json").write_text(json.dumps({"layer": layer}))
    expected = by_the_library(folder, GIVEN, layer)
    ahead = PATCHES[folder.name][-1]
    side = SIDE // PATCH
    assert expected.shape == (4, ahead + side * side, 12)
    seeing = Seeing(folder)
    assert (seeing.channels, seeing.map_size, seeing.input_size_px) == (12, (side, side), SIDE)
    maps = seeing.features(GIVEN)
    assert maps.dtype == np.float32
    for row in range(side):
        for column in range(side):
            token = expected[:, ahead + row * side + column]
            np.testing.assert_allclose(maps[:, :, row, column], token, atol=2e-5)


@pytest.mark.parametrize("folder", ["dinov2", "dinov2_with_registers", "siglip"], indirect=True)
def test_a_change_in_a_corner_is_seen_there(folder: Path) -> None:
    """Where nothing but patches and positions is computed: in front of the first layer."""
    (folder / "preprocess.json").write_text('{"layer": 0}')
    change_json(folder / SETTINGS, do_resize=folder.name == "siglip")
    seeing = Seeing(folder)
    plain, changed = pictures(1, SIDE, SIDE)[0], pictures(1, SIDE, SIDE)[0]
    changed[:PATCH, -PATCH:] = 255 - changed[:PATCH, -PATCH:]
    before, after = seeing.features([plain, changed])
    moved = np.abs(before - after).max(0) > 1e-3
    expected = np.zeros((4, 4), dtype=bool)
    expected[0, -1] = True
    assert (moved == expected).all()


def test_only_the_half_that_sees_is_loaded(folders: dict[str, Path]) -> None:
    for name in ("siglip", "clip"):
        network = Seeing(folders[name])._eye.network
        assert not any("text" in key for key in network.state_dict())


@pytest.mark.parametrize("folder", ["dinov2", "siglip"], indirect=True)
def test_settings_in_the_file_of_the_whole_processor(folder: Path) -> None:
    before = Seeing(folder)
    checksum = before.checksum
    alone = folder / SETTINGS
    (folder / "processor_config.json").write_text(
        json.dumps({"image_processor": json.loads(alone.read_text())})
    )
    alone.unlink()
    after = Seeing(folder)
    assert np.array_equal(before.features(GIVEN), after.features(GIVEN))
    assert after.checksum != checksum


def test_other_sizes_of_pictures_are_those_of_the_processor(folder: Path) -> None:
    """DINOv2 takes any number of patches; its positions are drawn out."""
    change_json(
        folder / SETTINGS,
        size={"shortest_edge": 42},
        crop_size={"height": 42, "width": 42},
        image_mean=[0.1, 0.2, 0.3],
        resample=2,
    )
    seeing = Seeing(folder)
    assert (seeing.map_size, seeing.input_size_px) == ((6, 6), 42)
    expected = by_the_library(folder, GIVEN)[:, 1:].transpose(1, 2).unflatten(2, (6, 6))
    np.testing.assert_allclose(seeing.features(GIVEN), expected, atol=2e-5)


def test_features_do_not_depend_on_the_other_pictures(folders: dict[str, Path]) -> None:
    seeing = Seeing(folders["dinov2_with_registers"])
    given = [*pictures(11, 60, 45), *GIVEN]
    together = seeing.features(given)
    for one, expected in zip(given, together, strict=True):
        np.testing.assert_allclose(seeing.features([one])[0], expected, atol=2e-6)
    assert seeing.features([]).shape == (0, 12, 4, 4)


def test_pictures_that_cannot_be_written_to_are_no_cause_for_warnings(
    folders: dict[str, Path], recwarn: pytest.WarningsRecorder, request: pytest.FixtureRequest
) -> None:
    request.addfinalizer(lambda: torch.set_warn_always(False))
    torch.set_warn_always(True)
    (picture,) = pictures(1, 40, 40)
    picture.setflags(write=False)
    Seeing(folders["dinov2"]).features([picture])
    assert not [one for one in recwarn if "not writable" in str(one.message)]


def test_loading_leaves_the_random_state(folders: dict[str, Path]) -> None:
    state = torch.random.get_rng_state()
    Seeing(folders["vit"])
    assert torch.equal(state, torch.random.get_rng_state())


def refused(folder: Path, *said: str) -> ToolkitError:
    with pytest.raises(ToolkitError) as caught:
        Seeing(folder)
    for part in (str(folder), *said):
        assert part in str(caught.value)
    assert caught.value.next_command
    return caught.value


def test_without_settings_of_a_processor(folder: Path) -> None:
    (folder / SETTINGS).unlink()
    refused(folder, "no preprocessor_config.json, which says how pictures are prepared")


@pytest.mark.parametrize(
    ("folder", "changes", "said"),
    [
        ("dinov2", {"image_processor_type": "NoSuchProcessor"}, "unusable preprocessor_config"),
        ("dinov2", {"image_std": [0.5, 0.5, 0]}, "image_std"),
        ("dinov2", {"image_mean": "grey"}, "image_mean"),
        ("dinov2", {"size": {"shortest_edge": 10**7}}, "too many pixels (size)"),
        ("dinov2", {"crop_size": {"height": 10**7, "width": 3}}, "too many pixels (crop_size)"),
        ("dinov2", {"do_center_crop": False}, "squares of one size"),
        ("dinov2", {"crop_size": {"height": 28, "width": 35}}, "squares of one size"),
        ("dinov2", {"crop_size": {"height": 3, "width": 3}}, "cannot see a picture"),
        ("siglip", {"size": {"height": 56, "width": 56}}, "cannot see a picture"),
        ("vit", {"size": {"height": 56, "width": 56}}, "cannot see a picture"),
        ("dinov2", {"resample": 99}, "cannot prepare a picture"),
        (
            "dinov2",
            {"image_processor_type": None, "feature_extractor_type": "WhisperFeatureExtractor",
             "image_mean": None},
            "prepares sounds, not pictures",
        ),
    ],
    indirect=["folder"],
)  # fmt: skip
def test_settings_of_another_processor(folder: Path, changes: dict[str, Any], said: str) -> None:
    change_json(folder / SETTINGS, **changes)
    refused(folder, said)


@pytest.mark.parametrize(
    ("folder", "changes", "said"),
    [
        ("dinov2", {"model_type": "bert"}, "type 'bert', which gives no patches of pictures"),
        ("dinov2", {"model_type": "resnet"}, "type 'resnet', which gives no patches"),
        ("dinov2", {"model_type": "vit_mae"}, "type 'vit_mae', which gives no patches"),
        ("dinov2", {"num_hidden_layers": 3}, "lacks fitting weights"),
        ("dinov2", {"num_hidden_layers": 1}, "cannot be loaded: out_features"),
        ("siglip_vision_model", {"num_hidden_layers": 1}, "which a 'siglip_vision_model' does not"),
        ("dinov2", {"hidden_size": 6_000}, "which cannot lie in"),
        ("dinov2", {"num_hidden_layers": 10**7}, "num_hidden_layers is out of range"),
        ("dinov2_with_registers", {"num_register_tokens": 2}, "embeddings.register_tokens"),
        ("siglip", {"vision_config": {"num_hidden_layers": 10**7}}, "out of range"),
        ("vit", {"model_type": "deit"}, "lacks fitting weights"),
        ("vit", {"patch_size": 14}, "lacks fitting weights|cannot be loaded"),
    ],
    indirect=["folder"],
)
def test_settings_of_another_model(folder: Path, changes: dict[str, Any], said: str) -> None:
    change_json(folder / "config.json", **changes)
    with pytest.raises(ToolkitError) as caught:
        Seeing(folder)
    assert any(part in str(caught.value) for part in said.split("|"))


def test_a_layer_that_the_model_does_not_have(folder: Path) -> None:
    (folder / "preprocess.json").write_text('{"layer": 3}')
    refused(folder, "has 2 layers, and layer 3 is asked for")
    (folder / "preprocess.json").write_text('{"normalise": true}')
    with pytest.raises(ToolkitError, match="normalise is not known"):
        Seeing(folder)


def test_models_of_sound_do_not_see_and_those_of_pictures_do_not_hear(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    make_wavlm().save_pretrained(tmp_path / "wavlm")
    make_whisper(tmp_path / "whisper")
    for name in ("wavlm", "whisper"):
        refused(tmp_path / name, f"type {name!r}, which gives no patches of pictures")
    for name in ("dinov2", "siglip"):
        with pytest.raises(ToolkitError, match=f"type '{name}', which hears no waveform"):
            Hearing(folders[name])
    with pytest.raises(ToolkitError, match="'resnet10t' of timm, which sees pictures"):
        Hearing(SHIPPED)


def test_weights_with_a_pickled_object_are_refused(folder: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file

    from tests.toolkit.subjects.test_seeing import Trap

    weights = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save({**weights, "trap": Trap(tmp_path / "sprung")}, folder / "pytorch_model.bin")
    refused(folder, "cannot be loaded")
    assert not (tmp_path / "sprung").exists()


def test_no_weights_and_not_finite_ones(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    path = folder / "model.safetensors"
    weights = load_file(path)
    weights["embeddings.cls_token"][:] = torch.nan
    save_file(weights, path, metadata={"format": "pt"})
    refused(folder, "not finite")
    path.unlink()
    refused(folder, "holds no weights")


def test_a_strip_is_refused_before_it_is_enlarged(folders: dict[str, Path]) -> None:
    """The shorter side of one pixel would become 32: 32 x 32 x 40,000 pixels."""
    strip = np.zeros((1, 40_000, 3), dtype=np.uint8)
    with pytest.raises(ToolkitError, match=r"Picture number 1 .* enlarged until") as caught:
        Seeing(folders["dinov2"]).features([*pictures(1), strip])
    assert "at most 33,554,432 pixels" in str(caught.value)
    assert Seeing(folders["siglip"]).features([strip]).shape == (1, 12, 4, 4)


def test_a_card_sees_the_same(folders: dict[str, Path]) -> None:
    from tests.fake_card import FakeCard

    card = FakeCard(longest=3)
    seeing = Seeing(folders["dinov2"], card)
    np.testing.assert_allclose(
        seeing.features(GIVEN), Seeing(folders["dinov2"]).features(GIVEN), atol=2e-6
    )
    assert card.log.networks == ["Dinov2Model"]
