"""The frozen eye: a convolutional or other timm network that turns pictures into feature maps.

Any network of the `timm` library that has a feature map will do, the small one that is shipped as
well as a ResNet-50 with weights learnt by DINO (Caron et al., 2021, ICCV, arXiv 2104.14294), which
the published experiment uses. `toolkit.subjects.backbones.finding` finds them by name.
"""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError, unknown_name
from toolkit.processes.threads import side_by_side
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.contract import UnfitError

if TYPE_CHECKING:
    from torch import Tensor

Maps = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "weights" / "seeing"
"""The backbone that the shipped populations see with."""

_PICTURES_PER_BATCH = 8
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_RESIZING = ("smooth", "8-bit")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.pth")
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class SeeingConfig:
    """What ``config.json`` says."""

    architecture: str
    """Name of the network in timm."""
    out_index: int
    """Which of the network's feature maps is used, counted from 0 at the first (timm's
    ``out_indices``); -1 for the last."""
    input_size_px: int
    """Side of the square to which every picture is resized, pixels."""
    mean: tuple[float, ...]
    """Taken away from the three colours, which lie in [0, 1]."""
    std: tuple[float, ...]
    """What the colours are then divided by."""
    model_args: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ``timm.create_model``; none if left out."""
    resize: str = "smooth"
    """`smooth`: pictures are resized in float32; `8-bit`: through Pillow, which rounds every colour
    to a whole number, as torchvision's transforms do and the published features were made."""
    whole: bool = False
    """Whether the weights are named as in the whole network, not as in timm's ``features_only``
    one, which differ for some architectures."""


DINO = SeeingConfig("resnet50", -1, 256, _IMAGENET_MEAN, _IMAGENET_STD, resize="8-bit", whole=True)
"""The published experiment's: ``dino_resnet50`` without its last two layers, both sides of a
picture resized to 256 pixels, a map of 2048 x 8 x 8."""


class Seeing:
    """A frozen timm network, read from a folder.

    The folder holds ``config.json`` (`SeeingConfig`, or that of a timm model on the Hugging Face
    Hub, whose last feature map is used) and the weights (``model.safetensors``, a ``.bin`` or a
    ``.pth`` file; one with anything but weights in it is refused) under timm's names, of any
    precision, computed with in float32. Weights of parts behind the feature map are not needed,
    and ignored if there. The published ``dino_resnet50_pretrain.pth`` needs no ``config.json``.

    Args:
        folder: Where the network lies; the shipped one if left out. The path of the published DINO
            weights will do as well.

    Raises:
        ToolkitError: If a file is missing, unreadable or does not fit the network.

    >>> import numpy as np
    >>> seeing = Seeing()
    >>> maps = seeing.features([np.full((96, 96, 3), 255, dtype=np.uint8)])
    >>> maps.shape == (1, seeing.channels, *seeing.map_size)
    True
    """

    def __init__(self, folder: Path | str = SHIPPED) -> None:
        self.folder = Path(folder)
        self._weights = self._find_weights()
        self.config = self._read_config()
        self._at_once: int | None = None
        self._network = self._load()
        size = self.input_size_px
        blank = self._maps([np.full((size, size, 3), 255, dtype=np.uint8)])
        if blank.ndim != 4:
            raise self._error(f"gives features of shape {blank.shape}, not a map")
        channels, height, width = blank.shape[1:]
        self._shape: tuple[int, int, int] = (channels, height, width)

    @property
    def channels(self) -> int:
        """Number of features at each place of the map."""
        return self._shape[0]

    @property
    def map_size(self) -> tuple[int, int]:
        """Height and width of the map."""
        return self._shape[1:]

    @property
    def input_size_px(self) -> int:
        """Side of the square to which every picture is resized, pixels."""
        return self.config.input_size_px

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over settings (JSON files) and weights, in hexadecimal; read when asked."""
        return backbone_checksum(self.folder)

    def features(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Maps:
        """Feature maps of pictures.

        Both sides of a picture are resized (bilinear, antialiased) to `input_size_px`. The network
        is in evaluation mode: what it makes of a picture does not depend on the others.

        Args:
            pictures: RGB, each of shape (height, width, 3), uint8; sizes may differ.

        Returns:
            float32 (m, channels, height, width), in the order of the pictures.

        Raises:
            ToolkitError: If a picture has another shape or type.
        """
        for index, picture in enumerate(pictures):
            self._check(index, picture)
        if not len(pictures):
            return np.zeros((0, *self._shape), dtype=np.float32)
        starts = range(0, len(pictures), _PICTURES_PER_BATCH)
        batches = [pictures[start : start + _PICTURES_PER_BATCH] for start in starts]
        return np.concatenate(side_by_side(self._maps, batches, self._at_once))

    def _maps(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Maps:
        import torch

        with torch.inference_mode():
            batch = torch.stack([self._resized(picture) for picture in pictures])
            mean, std = (
                torch.tensor(values).view(3, 1, 1) for values in (self.config.mean, self.config.std)
            )
            batch = ((batch - mean) / std).contiguous(memory_format=torch.channels_last)
            maps = self._network(batch)
            return np.ascontiguousarray(maps.numpy(), dtype=np.float32)

    def _resized(self, picture: npt.NDArray[np.uint8]) -> Tensor:
        import torch
        from torch.nn.functional import interpolate

        size = (self.input_size_px, self.input_size_px)
        if self.config.resize == "8-bit":
            from PIL import Image

            resized = Image.fromarray(np.asarray(picture)).resize(size, Image.Resampling.BILINEAR)
            picture = np.asarray(resized)
        colours = torch.from_numpy(np.array(picture)).permute(2, 0, 1).float() / 255
        if tuple(colours.shape[1:]) == size:
            return colours
        return interpolate(colours[None], size, mode="bilinear", antialias=True)[0]

    def _check(self, index: int, picture: npt.NDArray[np.uint8]) -> None:
        array = np.asarray(picture)
        if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and array.size:
            return
        raise UnfitError(
            index,
            f"Picture number {index} has shape {array.shape} and type {array.dtype}.",
            given=f"{array.dtype} {array.shape}",
            allowed="uint8 of shape (height, width, 3), at least one pixel",
            next_command="mevgs-toolkit check-stimuli DIR",
        )

    def _load(self) -> Callable[[Tensor], Tensor]:
        """The network with its weights, as a function from pictures to feature maps."""
        import timm
        import torch
        from timm.models import FeatureHooks

        config = self.config
        if not timm.is_model(config.architecture):
            raise unknown_name(
                "timm architecture",
                config.architecture,
                timm.list_models(),
                "python -c 'import timm; print(timm.list_models())'",
            )
        part: dict[str, Any] = {"features_only": True, "out_indices": (config.out_index,)}
        if config.whole:
            part = {"num_classes": 0}
        # The random weights made first are overwritten; making them must not use up randomness.
        try:
            with torch.random.fork_rng(devices=[]):
                model = timm.create_model(
                    config.architecture, pretrained=False, **part, **config.model_args
                )
        except Exception as error:
            raise self._error(f"cannot be built: {_first_line(error)}") from error
        found, wanted = self._read_weights(), model.state_dict()
        self._check_weights(found, wanted)
        model.load_state_dict({k: v for k, v in found.items() if k in wanted}, strict=False)
        model.float().eval().requires_grad_(False).to(memory_format=torch.channels_last)
        # Some architectures put features aside in hooks, and so take one batch after the other.
        parts = (part for module in model.modules() for part in vars(module).values())
        if any(isinstance(part, FeatureHooks) for part in parts):
            self._at_once = 1
        if not config.whole:
            return lambda batch: model(batch)[-1]
        return lambda batch: model.forward_intermediates(
            batch, indices=[config.out_index], intermediates_only=True, output_fmt="NCHW"
        )[-1]

    def _read_weights(self) -> Mapping[str, Tensor]:
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            if self._weights.suffix == ".safetensors":
                return dict(load_file(self._weights))
            found = torch.load(self._weights, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise self._error(
                f"has a weights file {self._weights.name} with a pickled object in it, or that is "
                "damaged; it was not executed"
            ) from error
        except (OSError, EOFError, RuntimeError, SafetensorError) as error:
            raise self._error(f"has unreadable weights: {_first_line(error)}") from error
        if not isinstance(found, dict) or not all(
            isinstance(v, torch.Tensor) for v in found.values()
        ):
            raise self._error(f"has a weights file {self._weights.name} that is no state dict")
        return found

    def _find_weights(self) -> Path:
        if self.folder.is_file():
            return self.folder
        if not self.folder.is_dir():
            raise self._error("is not a folder")
        for pattern in _WEIGHTS:
            for path in sorted(self.folder.glob(pattern)):
                return path
        raise self._error("holds no weights (model.safetensors)")

    def _check_weights(self, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
        for name, tensor in wanted.items():
            if name.endswith("num_batches_tracked"):
                continue
            given = found.get(name)
            if given is None:
                raise self._error(f"lacks the weights {name}")
            if given.shape != tensor.shape:
                raise self._error(
                    f"has weights {name} of shape {tuple(given.shape)}, not {tuple(tensor.shape)}"
                )
            if str(given.dtype).removeprefix("torch.") not in _FLOATS:
                raise self._error(f"has weights {name} of type {given.dtype}, not {_FLOATS}")
            if not given.isfinite().all():
                raise self._error(f"has weights {name} that are not finite")

    def _read_config(self) -> SeeingConfig:
        config_file = self._weights.with_name("config.json")
        if self._weights.name.startswith("dino_resnet50") and not config_file.is_file():
            return DINO
        try:
            found = json.loads(config_file.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._error("has no readable config.json") from error
        if not isinstance(found, dict):
            raise self._error("has a config.json that is not a table")
        if "out_index" not in found and ("pretrained_cfg" in found or "input_size" in found):
            found = self._from_hub(found)
        return self._checked(found)

    def _checked(self, found: Mapping[str, Any]) -> SeeingConfig:
        """Settings from a `config.json`, after looking at each."""
        allowed = tuple(SeeingConfig.__dataclass_fields__)
        for key in found:
            if key not in allowed:
                raise unknown_name(f"setting of a seeing backbone ({self.folder})", key, allowed)
        for key in allowed:
            if key not in found and key not in _DEFAULTS:
                raise self._error(f"says no {key} in config.json")
        settings = {**_DEFAULTS, **found}
        for key, (fits, wanted) in _FITS.items():
            if not fits(settings[key]):
                raise self._error(f"has {key} = {settings[key]!r} in config.json, not {wanted}")
        for key in ("mean", "std"):
            settings[key] = tuple(float(value) for value in settings[key])
        return SeeingConfig(**settings)

    def _from_hub(self, found: Mapping[str, Any]) -> dict[str, Any]:
        """Settings of a timm model on the Hugging Face Hub, in the words of `SeeingConfig`."""
        told = found.get("pretrained_cfg", found)
        try:
            return {
                "architecture": found["architecture"],
                "out_index": -1,
                "input_size_px": told["input_size"][-1],
                "mean": list(told["mean"]),
                "std": list(told["std"]),
                "model_args": found.get("model_args", {}),
                "resize": "8-bit",
                "whole": True,
            }
        except (KeyError, TypeError, IndexError) as error:
            raise self._error(f"has a config.json of timm without {error}") from error

    def _error(self, problem: str) -> ToolkitError:
        return ToolkitError(
            f"The seeing backbone {self.folder} {problem}.",
            given=str(self.folder),
            allowed="a folder with config.json (architecture, out_index, input_size_px, mean, std) "
            "and model.safetensors of that network, or dino_resnet50_pretrain.pth",
            next_command="mevgs-toolkit list subjects",
        )


def _is_whole(value: object, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _is_colour(value: object) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 3
        and all(isinstance(part, int | float) and math.isfinite(part) for part in value)
    )


_DEFAULTS: dict[str, Any] = {"model_args": {}, "resize": "smooth", "whole": False}
_FITS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "architecture": (lambda value: isinstance(value, str), "a name"),
    "out_index": (lambda value: _is_whole(value, -1), "a whole number from 0 on, or -1"),
    "input_size_px": (lambda value: _is_whole(value, 1), "a whole number from 1 on"),
    "mean": (_is_colour, "three numbers"),
    "std": (lambda value: _is_colour(value) and min(value) > 0, "three numbers above 0"),
    "model_args": (lambda value: isinstance(value, dict), "a table"),
    "resize": (lambda value: value in _RESIZING, f"one of {', '.join(_RESIZING)}"),
    "whole": (lambda value: isinstance(value, bool), "true or false"),
}


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
