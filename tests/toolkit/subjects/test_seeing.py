"""The frozen eye: shapes, independence of pictures, faults of folders and pictures."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
import torchvision
from PIL import Image
from safetensors.torch import load_file, save_file
from torchvision import transforms

from stimuli.errors import ToolkitError
from stimuli.files import sha256_of_files
from toolkit.subjects.backbones.seeing import SHIPPED, Seeing

CONFIG: dict[str, Any] = {
    "architecture": "resnet10t",
    "model_args": {"stem_width": 8, "channels": [3, 5, 7, 8]},
    "out_index": 3,
    "input_size_px": 32,
    "mean": [0.5, 0.5, 0.5],
    "std": [0.25, 0.25, 0.25],
}


def write_backbone(folder: Path, **changes: object) -> Path:
    torch.manual_seed(0)
    model = timm.create_model(
        "resnet10t", features_only=True, out_indices=(3,), **CONFIG["model_args"]
    )
    weights = {k: v.half() for k, v in model.state_dict().items() if v.is_floating_point()}
    folder.mkdir(exist_ok=True)
    save_file(weights, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(CONFIG | changes))
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_backbone(tmp_path_factory.mktemp("seeing"))


@pytest.fixture(scope="module")
def seeing(folder: Path) -> Seeing:
    return Seeing(folder)


def pictures(n: int, height: int = 32, width: int = 32) -> list[np.ndarray]:
    rng = np.random.default_rng(n)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(n)]


@pytest.mark.parametrize("n", [2, 3, 5, 7])
def test_one_map_per_picture(seeing: Seeing, n: int) -> None:
    maps = seeing.features(pictures(n))
    assert maps.shape == (n, seeing.channels, *seeing.map_size) == (n, 7, 2, 2)
    assert maps.dtype == np.float32
    assert np.isfinite(maps).all()


def test_networks_that_put_features_aside_take_one_batch_after_the_other(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hooked = {**CONFIG["model_args"], "feature_cls": "hook"}
    batches: list[int | None] = []

    def told(function: Any, items: Any, at_once: int | None = None) -> list[Any]:
        batches.append(at_once)
        return [function(item) for item in items]

    place = write_backbone(tmp_path / "hooked", model_args=hooked)
    model = timm.create_model("resnet10t", features_only=True, out_indices=(3,), **hooked)
    save_file(model.state_dict(), place / "model.safetensors")
    eyes = [Seeing(one) for one in (place, folder)]
    monkeypatch.setattr("toolkit.devices.side_by_side", told)
    for eye in eyes:
        eye.features(pictures(2))
    assert batches == [1, None]


def test_no_pictures_no_maps(seeing: Seeing) -> None:
    assert seeing.features([]).shape == (0, 7, 2, 2)


def test_other_pictures_do_not_matter(seeing: Seeing) -> None:
    mixed = [*pictures(2), *pictures(3, 50, 21), *pictures(70)]
    together = seeing.features(mixed)
    for place in (0, 2, 4, 63, 64, 74):
        alone = seeing.features([mixed[place]])[0]
        np.testing.assert_allclose(together[place], alone, rtol=1e-4, atol=1e-5)


def test_same_pictures_same_bits(seeing: Seeing, folder: Path) -> None:
    again = Seeing(folder)
    assert (seeing.features(pictures(5)) == again.features(pictures(5))).all()
    assert seeing.checksum == again.checksum
    assert len(seeing.checksum) == 64


def test_checksum_follows_settings_and_weights(seeing: Seeing, tmp_path: Path) -> None:
    other = write_backbone(tmp_path, mean=[0.4, 0.5, 0.5])
    first = Seeing(other).checksum
    weights = load_file(other / "model.safetensors")
    weights["conv1.0.weight"][0, 0, 0, 0] += 1
    save_file(weights, other / "model.safetensors")
    assert len({seeing.checksum, first, Seeing(other).checksum}) == 3


def test_rows_and_columns_are_not_swapped(seeing: Seeing) -> None:
    left = np.full((32, 32, 3), 255, dtype=np.uint8)
    left[:, :8] = 0
    ground = seeing.features([np.full_like(left, 255)])[0]
    change = np.abs(seeing.features([left])[0] - ground).sum(0)
    assert change[:, 0].sum() > change[:, 1].sum()


def test_big_pictures_are_averaged_not_skipped(seeing: Seeing) -> None:
    fine = np.zeros((128, 128, 3), dtype=np.uint8)
    fine[::2] = 255
    grey = np.full((128, 128, 3), 128, dtype=np.uint8)
    a, b = seeing.features([fine, grey])
    assert np.abs(a - b).max() < 0.2 * np.abs(b).max() + 0.05


def test_loading_leaves_the_random_state(folder: Path) -> None:
    state = torch.random.get_rng_state()
    Seeing(folder)
    assert torch.equal(state, torch.random.get_rng_state())


@pytest.mark.parametrize(
    "picture",
    [
        np.zeros((32, 32), dtype=np.uint8),
        np.zeros((3, 32, 32), dtype=np.uint8),
        np.zeros((32, 32, 4), dtype=np.uint8),
        np.zeros((32, 32, 3), dtype=np.float32),
        np.zeros((0, 32, 3), dtype=np.uint8),
    ],
)
def test_wrong_pictures_are_named(seeing: Seeing, picture: np.ndarray) -> None:
    with pytest.raises(ToolkitError, match="Picture number 1 ") as caught:
        seeing.features([*pictures(1), picture])
    assert caught.value.allowed
    assert caught.value.next_command


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"architecture": "resnet10"}, "timm architecture 'resnet10'"),
        ({"architecture": 3}, "architecture"),
        ({"out_index": 9}, "cannot be built"),
        ({"out_index": "3"}, "out_index is of the wrong type"),
        ({"input_size_px": 0}, "input_size_px is out of range"),
        ({"mean": [0.5]}, "mean"),
        ({"std": [0.5, 0.5, 0]}, "std"),
        ({"men": [1, 2, 3]}, "men is not known"),
        ({"model_args": []}, "model_args"),
        ({"resize": "cubic"}, "resize is none of the values"),
        ({"whole": 1}, "whole is of the wrong type"),
        ({"model_args": {"stem_width": 16, "channels": [3, 5, 7, 8]}}, "shape"),
        ({"model_args": {"blocks_of": 2}}, "cannot be built"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ToolkitError, match=message) as caught:
        Seeing(write_backbone(tmp_path, **changes))
    assert caught.value.given is not None
    assert caught.value.allowed is not None


def test_the_nearest_architecture_is_shown(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError) as caught:
        Seeing(write_backbone(tmp_path, architecture="resnet10tt"))
    assert caught.value.nearest == "resnet10t"


def test_missing_files_are_named(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="is not a folder"):
        Seeing(tmp_path / "none")
    with pytest.raises(ToolkitError, match=r"config\.json"):
        Seeing(tmp_path)
    folder = write_backbone(tmp_path)
    (folder / "model.safetensors").unlink()
    with pytest.raises(ToolkitError, match="no weights"):
        Seeing(folder)


@pytest.mark.parametrize("fault", ["truncated", "missing", "whole numbers", "not finite"])
def test_wrong_weights_are_named(tmp_path: Path, fault: str) -> None:
    path = write_backbone(tmp_path) / "model.safetensors"
    weights = load_file(path)
    name = "layer1.0.conv1.weight"
    if fault == "missing":
        del weights[name]
    elif fault == "whole numbers":
        weights[name] = weights[name].int()
    elif fault == "not finite":
        weights[name][0] = float("nan")
    save_file(weights, path)
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(ToolkitError, match="unreadable" if fault == "truncated" else name):
        Seeing(tmp_path)


def test_weights_behind_the_map_are_ignored(seeing: Seeing, folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors") | {"fc.weight": torch.zeros(2, 3)}
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    save_file(weights, tmp_path / "model.safetensors")
    assert (Seeing(tmp_path).features(pictures(2)) == seeing.features(pictures(2))).all()


def published_dino(folder: Path) -> tuple[Path, torch.nn.Module]:
    """Random weights in the format of dino_resnet50_pretrain.pth, and the network they are of."""
    torch.manual_seed(0)
    whole = torchvision.models.resnet50().eval()
    trunk = torch.nn.Sequential(*list(whole.children())[:-2])
    for layer in trunk.modules():
        # In a fresh network the statistics are those of nothing, and hide a swapped layer.
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 1.5)
    path = folder / "dino_resnet50_pretrain.pth"
    torch.save({k: v for k, v in whole.state_dict().items() if not k.startswith("fc.")}, path)
    return path, trunk


def test_published_dino_weights_by_path(tmp_path: Path) -> None:
    """As the published features were made: torchvision's transforms, the trunk of its ResNet-50."""
    path, trunk = published_dino(tmp_path)
    given = [*pictures(1, 300, 200), *pictures(1, 97, 131)]
    look = transforms.Compose(
        [
            transforms.Resize((256, 256)),
            transforms.ToTensor(),
            transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]),
        ]
    )
    with torch.inference_mode():
        expected = trunk(torch.stack([look(Image.fromarray(one)) for one in given])).numpy()
    seeing = Seeing(path)
    maps = seeing.features(given)
    assert maps.shape == (2, 2048, 8, 8)
    np.testing.assert_allclose(maps, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())
    assert seeing.checksum == Seeing(path).checksum == sha256_of_files([path])


def write_hub_model(folder: Path, architecture: str, **told: object) -> torch.nn.Module:
    """A folder like that of a timm model on the Hub: every weight of it, its own config.json."""
    torch.manual_seed(1)
    model = timm.create_model(architecture, num_classes=3).eval()
    folder.mkdir(exist_ok=True)
    save_file(model.state_dict(), folder / "model.safetensors")
    settings = {"input_size": [3, 64, 64], "mean": [0.5] * 3, "std": [0.25] * 3} | told
    config = {"architecture": architecture, "num_classes": 3, "pretrained_cfg": settings}
    (folder / "config.json").write_text(json.dumps(config))
    return model


def as_timm_does(model: torch.nn.Module, given: list[np.ndarray]) -> tuple[Any, Any]:
    """What timm's own transform makes of pictures, and its forward pass of that."""
    look = timm.data.create_transform(**timm.data.resolve_data_config(model=model))
    looked_at = torch.stack([look(Image.fromarray(one)) for one in given])
    with torch.inference_mode():
        return looked_at, model.forward_features(looked_at)


@pytest.mark.parametrize("writer", ["save_for_hf", "earlier", "transformers"])
@pytest.mark.parametrize(
    ("architecture", "prefix", "told"),
    [
        ("test_resnet", None, {"crop_pct": 1.0, "interpolation": "bilinear"}),
        ("test_convnext", None, {"crop_mode": "squash"}),
        ("test_vit", 1, {"crop_pct": 0.95}),
        ("test_vit3", 1, {"crop_mode": "border", "crop_pct": 1.0}),
        ("vit_small_patch14_dinov2", 1, {}),
        ("vit_small_patch14_reg4_dinov2", 5, {}),
        ("vit_base_patch16_siglip_224", 0, {"crop_mode": "squash"}),
    ],
)
def test_timm_models_by_their_own_transform(
    tmp_path: Path, architecture: str, prefix: int | None, told: dict[str, Any], writer: str
) -> None:
    """Last maps, and patch tokens behind the last norm, without class and register tokens."""
    torch.manual_seed(0)
    narrow: dict[str, Any] = {}
    if architecture.startswith("vit"):
        narrow = {"img_size": 56, "depth": 2, "embed_dim": 24, "num_heads": 2}
        narrow |= {"img_size": 64} if "siglip" in architecture else {}
    size = narrow.get("img_size", 64 if prefix is None else 160)
    model = timm.create_model(
        architecture, **narrow, num_classes=0,
        pretrained_cfg_overlay={"input_size": (3, size, size), **told},
    ).eval()  # fmt: skip
    with torch.no_grad():
        for name, one in model.named_parameters():
            if name.endswith(("norm.weight", "norm.bias", "cls_token", "reg_token", "pos_embed")):
                one.normal_()
    timm.models.save_for_hf(model, str(tmp_path), model_config=None, safe_serialization=True)
    if writer != "save_for_hf":
        settings = json.loads((tmp_path / "config.json").read_text())
        settings["model_args"] = narrow
        if writer == "earlier":
            settings |= settings.pop("pretrained_cfg")
        else:
            weights = load_file(tmp_path / "model.safetensors")
            save_file({f"timm_model.{k}": v for k, v in weights.items()},
                      tmp_path / "model.safetensors")  # fmt: skip
            settings |= {"model_type": "timm_wrapper", "model_args": narrow or None}
        (tmp_path / "config.json").write_text(json.dumps(settings))
    given = [*pictures(1, 90, 200), *pictures(1, 300, 170)]
    _, expected = as_timm_does(model, given)
    seeing = Seeing(tmp_path)
    if prefix is not None:
        expected = expected[:, prefix:].transpose(1, 2)
        expected = expected.unflatten(2, seeing.map_size)
    assert seeing.input_size_px == size
    np.testing.assert_allclose(seeing.features(given), expected, rtol=1e-4, atol=1e-4)


def test_hub_settings_of_pictures_that_are_no_squares(tmp_path: Path) -> None:
    write_hub_model(tmp_path, "test_resnet", input_size=[3, 64, 96])
    with pytest.raises(ToolkitError, match="no square") as caught:
        Seeing(tmp_path)
    assert caught.value.given == "64 x 96 pixels"


@pytest.mark.parametrize("resize", ["smooth", "8-bit"])
def test_what_is_done_before_changes_no_map(resize: str, tmp_path: Path) -> None:
    """Pictures may be made ready in other processes, and so twice."""
    seeing = Seeing(write_backbone(tmp_path / "eye", resize=resize))
    asked = pictures(3, 75, 41)
    before = seeing.features(asked)
    assert (seeing.preparation is None) == (resize == "smooth")
    if seeing.preparation is not None:
        prepare = pickle.loads(pickle.dumps(seeing.preparation))
        ready = [prepare(picture) for picture in asked]
        assert ready[0].shape == (seeing.input_size_px, seeing.input_size_px, 3)
        np.testing.assert_array_equal(seeing.features(ready), before)


def test_hub_settings_without_a_size_are_named(tmp_path: Path) -> None:
    write_hub_model(tmp_path, "test_resnet", input_size=None)
    with pytest.raises(ToolkitError, match=r"config\.json .* pretrained_cfg\.input_size"):
        Seeing(tmp_path)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("fault", ["object", "list", "truncated"])
def test_wrong_pth_files_are_refused(tmp_path: Path, fault: str) -> None:
    path = tmp_path / "dino_resnet50_pretrain.pth"
    if fault == "object":
        torch.save({"conv1.weight": torch.zeros(2), "x": Trap(tmp_path / "sprung")}, path)
    else:
        torch.save([torch.zeros(500)], path)
    if fault == "truncated":
        path.write_bytes(path.read_bytes()[:600])
    expected = {"object": "pickled object", "list": "no state dict", "truncated": "unreadable"}
    with pytest.raises(ToolkitError, match=expected[fault]):
        Seeing(path)
    assert not (tmp_path / "sprung").exists()


def test_the_shipped_eye() -> None:
    eye = Seeing()
    assert eye.channels <= 256
    assert (SHIPPED / "model.safetensors").stat().st_size < 6_500_000
    weights = load_file(SHIPPED / "model.safetensors")
    assert {t.dtype for t in weights.values()} == {torch.float16}
    maps = eye.features(pictures(2, 96, 96))
    assert maps.shape == (2, eye.channels, *eye.map_size)
    assert np.isfinite(maps).all()


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"input_size_px": 2**31}, "too many|input_size_px"),
        ({"input_size_px": 5_000, "resize": "own", "crop_pct": 0.05}, "too many pixels"),
        ({"model_args": {"stem_width": 8, "channels": [65_536] * 4}}, "shape"),
    ],
)
def test_settings_cannot_ask_for_more_memory_than_the_weights_take(
    changes: dict[str, Any], part: str, tmp_path: Path
) -> None:
    with pytest.raises(ToolkitError, match=part):
        Seeing(write_backbone(tmp_path / "eye", **changes))


def test_weights_that_stand_in_the_file_once_for_all_their_numbers(tmp_path: Path) -> None:
    folder = write_backbone(tmp_path / "eye")
    state = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save({**state, "conv1.0.weight": torch.zeros(1).expand(2**40)}, folder / "model.pth")
    with pytest.raises(ToolkitError, match=r"lie in model\.pth"):
        Seeing(folder)
