"""Eyes of the library `transformers` whose states are patches of a picture.

What stands in front of the patches, a class token and registers, is left out; the others are laid
out as they lie in the picture. Pictures are prepared by the model's own image processor, whose
settings lie beside its weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError, first_line, shortened
from stimuli.limits import PIXELS, WIDTH
from stimuli.schemas import Between
from stimuli.texts import json_record
from toolkit.subjects.backbones.pretrained import (
    ALONE,
    OWN,
    Complain,
    Layer,
    find_class,
    layer_of,
    load_model,
    quiet,
    read_preparation,
)
from toolkit.subjects.backbones.timm_settings import Colour, Spread
from toolkit.subjects.population import LIST_COMMAND

if TYPE_CHECKING:
    from torch import Tensor

PART = "image_processor"
"""What `transformers` calls that which prepares pictures."""
_UNUSED = ("pooler", "head")
"""Parts of the networks that make one vector of all patches."""
_BLANK = ((64, 64), (64, 128), (128, 64))
"""Height and width of pictures that are prepared to see that all become of one size."""

_Width = Annotated[int, Between(1, WIDTH)]
_Layers = Annotated[int, Between(0, 1_000)]


@dataclass(frozen=True)
class _Kind:
    """A type of models."""

    module: str
    """Its family, as the folder in `transformers` is called."""
    name: str
    """The class."""
    ahead: Callable[[Any], int]
    """How many tokens stand in front of the patches, by its settings."""


def _registers(config: Any) -> int:
    return 1 + int(config.num_register_tokens)


_SIGLIP = _Kind("siglip", "SiglipVisionModel", lambda _: 0)
_CLIP = _Kind("clip", "CLIPVisionModel", lambda _: 1)
KINDS: Mapping[str, _Kind] = {
    "clip": _CLIP,
    "clip_vision_model": _CLIP,
    "deit": _Kind("deit", "DeiTModel", lambda _: 2),
    "dinov2": _Kind("dinov2", "Dinov2Model", lambda _: 1),
    "dinov2_with_registers": _Kind("dinov2_with_registers", "Dinov2WithRegistersModel", _registers),
    "dinov3_vit": _Kind("dinov3_vit", "DINOv3ViTModel", _registers),
    "siglip": _SIGLIP,
    "siglip_vision_model": _SIGLIP,
    "vit": _Kind("vit", "ViTModel", lambda _: 1),
}
"""What each type of models is loaded as: of those that also read, the half that sees."""


@dataclass(frozen=True)
class PatchSizes:
    """What ``config.json`` says of a network that sees; the rest is for `transformers`."""

    hidden_size: _Width = 768
    """Width, where it is said."""
    num_hidden_layers: _Layers = 12
    """Layers, likewise."""
    num_register_tokens: Annotated[int, Between(0, WIDTH)] = 0
    """Tokens that stand for no patch, beside the class token."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class PatchConfig(PatchSizes):
    """What ``config.json`` says of a model: its schema."""

    model_type: str = field(kw_only=True)
    """Name of the architecture in `transformers`."""
    vision_config: PatchSizes | None = field(default=None, kw_only=True)
    """The half that sees, of a model that also reads."""


@dataclass(frozen=True)
class Processor:
    """What an image processor says."""

    image_mean: Colour | None = None
    """Taken away from the three colours, where it is said."""
    image_std: Spread | None = None
    """What they are then divided by, likewise."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class PatchPreprocess:
    """What ``preprocess.json`` says of an eye: its schema."""

    layer: Layer = -1
    """Which layer's states are the features."""


class PatchEye:
    """A model of patches, read from a folder.

    Args:
        folder: has ``config.json``, weights and the settings of the image processor.
        complain: makes the error for what is wrong with it.

    Raises:
        ToolkitError: a file is missing or faulty, or the model is of another kind.
    """

    at_once: int | None = None
    preparation = None

    def __init__(self, folder: Path, complain: Complain) -> None:
        self._complain = complain
        told = json_record(PatchConfig, folder / "config.json", LIST_COMMAND)
        if told.model_type not in KINDS:
            raise complain(
                f"holds a model of type {told.model_type!r}, which gives no patches of pictures"
            )
        self._kind = KINDS[told.model_type]
        own = folder / OWN
        asked = json_record(PatchPreprocess, own, LIST_COMMAND) if own.is_file() else None
        self._layer = asked.layer if asked else -1
        self._processor = self._read_processor(folder, told.model_type)
        kind = find_class(self._kind.module, self._kind.name)
        self.network: Any = load_model(folder, kind, complain, unused=_UNUSED)
        n_layers = self.network.config.num_hidden_layers
        if self._layer > n_layers:
            raise complain(f"has {n_layers} layers, and layer {self._layer} is asked for in {OWN}")
        self.input_size_px = self._find_size()

    @property
    def shorter_px(self) -> int | None:
        """What the shorter side of a picture is resized to; None where both are."""
        size = getattr(self._processor, "size", None) or {}
        found: int | None = dict(size).get("shortest_edge")
        return found

    def at(self, input_size_px: int) -> PatchEye:
        """The same eye for other pictures: there is none.

        Args:
            input_size_px: side to which pictures would be resized.

        Raises:
            ToolkitError: always; the image processor decides.
        """
        raise self._complain(
            f"cannot see pictures of {input_size_px} pixels: its image processor decides of which "
            "size they are"
        )

    def prepare(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """What goes into the model, (n, 3, height, width)."""
        made = self._processor(
            # Copies: stored pictures cannot be written to, which the library warns of.
            images=[np.array(picture) for picture in pictures],
            return_tensors="pt",
            input_data_format="channels_last",
        )
        pixels: Tensor = made["pixel_values"]
        return pixels

    def see(self, prepared: Tensor) -> Tensor:
        """Feature maps, (n, channels, height, width)."""
        output = self.network(pixel_values=prepared, output_hidden_states=self._layer >= 0)
        tokens = layer_of(output, self._layer)
        patches = tokens[:, self._kind.ahead(self.network.config) :]
        patch = self.network.config.patch_size
        tall, wide = patch if isinstance(patch, list | tuple) else (patch, patch)
        height, width = prepared.shape[-2] // tall, prepared.shape[-1] // wide
        return patches.transpose(1, 2).reshape(len(prepared), -1, height, width)

    def _read_processor(self, folder: Path, model_type: str) -> Any:
        from transformers import AutoImageProcessor

        found = read_preparation(folder, PART, Processor)
        if found is None:
            raise self._complain(
                f"holds a model of type {model_type!r} and no {ALONE}, which says how pictures are "
                "prepared for it"
            )
        _, values, name = found
        if "feature_extractor_type" in values and "image_mean" not in values:
            raise self._complain(f"has a {name} that prepares sounds, not pictures")
        for key in ("size", "crop_size", "pad_size"):
            asked = values.get(key)
            sides = asked.values() if isinstance(asked, Mapping) else [asked]
            if any(isinstance(side, int) and side > isqrt(PIXELS) for side in sides):
                raise self._complain(f"has a {name} that asks for too many pixels ({key})")
        try:
            with quiet():
                return AutoImageProcessor.from_pretrained(  # nosec B615 # local
                    folder, local_files_only=True, trust_remote_code=False
                )
        except Exception as error:
            # Damaged settings make the library raise whatever it happens to stumble over.
            problem = shortened(first_line(error), 200)
            raise self._complain(f"has an unusable {name}: {problem}") from error

    def _find_size(self) -> int:
        """Side of the square that the image processor makes of every picture."""
        sizes = set()
        for height, width in _BLANK:
            blank = np.full((height, width, 3), 255, dtype=np.uint8)
            try:
                sizes.add(tuple(self.prepare([blank]).shape[1:]))
            except ToolkitError:
                raise
            except Exception as error:
                raise self._complain(f"cannot prepare a picture: {first_line(error)}") from error
        size = sizes.pop()
        if sizes or len(size) != 3 or size[1] != size[2]:
            raise self._complain(
                "has an image processor that does not make squares of one size of all pictures"
            )
        return int(size[1])
