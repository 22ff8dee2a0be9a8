"""What ``config.json`` says of a network of `timm`: in the words of the toolkit, or of timm itself.

timm's own words are those of its models on the Hugging Face Hub, and of what
``timm.models.save_for_hf`` writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import floor, isqrt
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from stimuli.errors import ToolkitError
from stimuli.limits import PIXELS, WIDTH
from stimuli.schemas import Between, Source, checked
from stimuli.texts import read_json
from toolkit.subjects.population import LIST_COMMAND

_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)

Side = Annotated[int, Between(1, isqrt(PIXELS))]
"""Of a square of pixels."""
Colour = tuple[
    Annotated[float, Between(-100, 100)],
    Annotated[float, Between(-100, 100)],
    Annotated[float, Between(-100, 100)],
]
Spread = tuple[
    Annotated[float, Between(1e-6, 100)],
    Annotated[float, Between(1e-6, 100)],
    Annotated[float, Between(1e-6, 100)],
]
Share = Annotated[float, Between(0.05, 1)]
Interpolation = Literal["nearest", "bilinear", "bicubic", "box", "hamming", "lanczos"]
CropMode = Literal["center", "squash", "border"]


@dataclass(frozen=True)
class SeeingConfig:
    """What ``config.json`` says: its schema."""

    architecture: str
    """Name of the network in timm."""
    out_index: Annotated[int, Between(-1, WIDTH)]
    """Which of the network's feature maps is used, counted from 0 at the first (timm's
    ``out_indices``); -1 for the last."""
    input_size_px: Side
    """Side of the square to which every picture is resized, pixels."""
    mean: Colour
    """Taken away from the three colours, which lie in [0, 1]."""
    std: Spread
    """What the colours are then divided by."""
    model_args: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ``timm.create_model``; none if left out."""
    resize: Literal["smooth", "8-bit", "own"] = "smooth"
    """`smooth`: both sides are resized in float32; `8-bit`: through Pillow, which rounds every
    colour to a whole number, as torchvision's transforms do and the published features were made;
    `own`: as timm's own evaluation does, by the three settings below."""
    whole: bool = False
    """Whether the weights are named as in the whole network, not as in timm's ``features_only``
    one, which differ for some architectures."""
    norm: bool = False
    """With `whole`: whether the map goes through the network's last norm, where it has one."""
    interpolation: Interpolation = "bicubic"
    """How an `own` resizing makes colours between pixels."""
    crop_pct: Share = 0.875
    """How much of a side an `own` resizing leaves, the same at both ends being cut off."""
    crop_mode: CropMode = "center"
    """`center`: the shorter side is resized; `squash`: both are; `border`: the longer one is, and
    the rest is filled up."""

    @property
    def resized_px(self) -> int:
        """What sides of pictures are resized to, before an `own` resizing cuts anything off."""
        if self.resize != "own":
            return self.input_size_px
        return floor(self.input_size_px / self.crop_pct)


@dataclass(frozen=True)
class HubPictures:
    """What a timm model on the Hugging Face Hub says of its pictures."""

    input_size: tuple[Side, Side, Side]
    """Colours, height and width."""
    mean: Colour
    """As in `SeeingConfig`."""
    std: Spread
    """Likewise."""
    interpolation: Interpolation | None = None
    """Likewise."""
    crop_pct: Share | None = None
    """Likewise."""
    crop_mode: CropMode | None = None
    """Likewise."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class HubConfig:
    """The ``config.json`` of a timm model on the Hugging Face Hub: its schema."""

    architecture: str
    """Name of the network in timm."""
    pretrained_cfg: HubPictures
    """Its pictures."""
    model_args: Mapping[str, Any] | None = None
    """Further arguments of ``timm.create_model``."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class FlatHubConfig(HubPictures):
    """The same of earlier versions of timm, which wrote all beside each other."""

    architecture: str = field(kw_only=True)
    """Name of the network in timm."""
    model_args: Mapping[str, Any] | None = field(default=None, kw_only=True)
    """Further arguments of ``timm.create_model``."""


DINO = SeeingConfig("resnet50", -1, 256, _IMAGENET_MEAN, _IMAGENET_STD, resize="8-bit", whole=True)
"""The published experiment's: ``dino_resnet50`` without its last two layers, both sides of a
picture resized to 256 pixels, a map of 2048 x 8 x 8."""


def read_settings(path: Path) -> SeeingConfig:
    """The settings of a backbone, in the words of the toolkit or of the Hugging Face Hub.

    Args:
        path: its ``config.json``.

    Raises:
        ToolkitError: it cannot be read, or something in it cannot be.
    """
    source = Source(str(path), LIST_COMMAND)
    found = read_json(path, source)
    if isinstance(found, dict) and "out_index" not in found:
        if "pretrained_cfg" in found:
            told = checked(HubConfig, found, source)
            return _from_hub(told, told.pretrained_cfg, source)
        if "input_size" in found:
            flat = checked(FlatHubConfig, found, source)
            return _from_hub(flat, flat, source)
    return checked(SeeingConfig, found, source)


def _from_hub(
    told: HubConfig | FlatHubConfig, pictures: HubPictures, source: Source
) -> SeeingConfig:
    """A timm model on the Hugging Face Hub in the words of `SeeingConfig`; timm's own defaults."""
    _, height, width = pictures.input_size
    if height != width:
        raise ToolkitError(
            f"{source.name} cannot be read: input_size is no square.",
            given=f"{height} x {width} pixels",
            next_command=source.again,
        )
    return SeeingConfig(
        architecture=told.architecture,
        out_index=-1,
        input_size_px=width,
        mean=pictures.mean,
        std=pictures.std,
        model_args=told.model_args or {},
        resize="own",
        whole=True,
        norm=True,
        interpolation=pictures.interpolation or "bicubic",
        crop_pct=pictures.crop_pct or 0.875,
        crop_mode=pictures.crop_mode or "center",
    )
