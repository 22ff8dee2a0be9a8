"""The frozen eye: a convolutional or other timm network that turns pictures into feature maps.

Any network of the `timm` library that has a feature map will do, the small one that is shipped as
well as a ResNet-50 with weights learnt by DINO (Caron et al., 2021, ICCV, arXiv 2104.14294), which
the published experiment uses. `toolkit.subjects.backbones.finding` finds them by name.
"""

from __future__ import annotations

import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from math import isqrt
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError, first_line, unknown_name
from stimuli.limits import PIXELS, WIDTH, refuse_more
from stimuli.schemas import Between, Source, checked
from stimuli.texts import read_json
from toolkit.devices import CPU, Alike, Device, NoRoomError
from toolkit.subjects.backbones.files import backbone_checksum, lie_in
from toolkit.subjects.contract import UnfitError
from toolkit.subjects.population import LIST_COMMAND

if TYPE_CHECKING:
    from torch import Tensor

Maps = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "weights" / "seeing"
"""The backbone that the shipped populations see with."""

_PICTURES_PER_BATCH = 8
_FLOATS = ("float16", "bfloat16", "float32", "float64")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.pth")
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
    resize: Literal["smooth", "8-bit"] = "smooth"
    """`smooth`: pictures are resized in float32; `8-bit`: through Pillow, which rounds every colour
    to a whole number, as torchvision's transforms do and the published features were made."""
    whole: bool = False
    """Whether the weights are named as in the whole network, not as in timm's ``features_only``
    one, which differ for some architectures."""


@dataclass(frozen=True)
class HubPictures:
    """What a timm model on the Hugging Face Hub says of its pictures."""

    input_size: tuple[Side, Side, Side]
    """Colours, height and width."""
    mean: Colour
    """As in `SeeingConfig`."""
    std: Spread
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
    model_args: Mapping[str, Any] = field(default_factory=dict)
    """Further arguments of ``timm.create_model``."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class FlatHubConfig(HubPictures):
    """The same of earlier versions of timm, which wrote all beside each other."""

    architecture: str = field(kw_only=True)
    """Name of the network in timm."""
    model_args: Mapping[str, Any] = field(default_factory=dict, kw_only=True)
    """Further arguments of ``timm.create_model``."""


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
        device: Where it computes.

    Raises:
        ToolkitError: If a file is missing, unreadable or does not fit the network.

    >>> import numpy as np
    >>> seeing = Seeing()
    >>> maps = seeing.features([np.full((96, 96, 3), 255, dtype=np.uint8)])
    >>> maps.shape == (1, seeing.channels, *seeing.map_size)
    True
    """

    def __init__(self, folder: Path | str = SHIPPED, device: Device = CPU) -> None:
        self.folder, self._device = Path(folder), device
        self._weights = self._find_weights()
        self.config = self._read_config()
        self._at_once: int | None = None
        size = self.input_size_px
        refuse_more(f"pixels that {self.folder} asks for", size * size, PIXELS)
        self._network = self._load()
        try:
            blank = self._maps([np.full((size, size, 3), 255, dtype=np.uint8)])
        except NoRoomError:
            raise
        except Exception as error:
            # What settings make of a network may fit its weights, and no picture.
            raise self._error(f"cannot see a picture: {first_line(error)}") from error
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

    @property
    def preparation(self) -> Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]] | None:
        """What `features` does to a picture first and other processes can do before; None: nothing.

        Done twice, it is as if done once.
        """
        if self.config.resize == "8-bit":
            return partial(resized_in_8_bits, side_px=self.input_size_px)
        return None

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
        return self._maps(pictures)

    def _maps(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Maps:
        import torch

        mean, std = (
            torch.tensor(values).view(3, 1, 1) for values in (self.config.mean, self.config.std)
        )

        def see(some: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
            batch = torch.stack([self._resized(picture) for picture in some])
            batch = ((batch - mean) / std).contiguous(memory_format=torch.channels_last)
            return self._network(self._device.to(batch))

        all_of_them = Alike(pictures, _PICTURES_PER_BATCH, 3 * 4 * self.input_size_px**2)
        made = self._device.portions(see, all_of_them, beside=self._at_once)
        return np.concatenate([np.ascontiguousarray(maps.cpu().numpy()) for _, maps in made])

    def _resized(self, picture: npt.NDArray[np.uint8]) -> Tensor:
        import torch
        from torch.nn.functional import interpolate

        size = (self.input_size_px, self.input_size_px)
        if self.preparation:
            picture = self.preparation(picture)
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
        found = self._read_weights()

        def build() -> Any:
            return timm.create_model(
                config.architecture, pretrained=False, **part, **config.model_args
            )

        # The random weights made first are overwritten; making them must not use up randomness.
        try:
            with torch.random.fork_rng(devices=[]):
                # A small file may speak of a network of any size: nothing is laid out before.
                with torch.device("meta"):
                    self._check_weights(found, build().state_dict())
                model = build()
        except ToolkitError:
            raise
        except Exception as error:
            raise self._error(f"cannot be built: {first_line(error)}") from error
        wanted = model.state_dict()
        model.load_state_dict({k: v for k, v in found.items() if k in wanted}, strict=False)
        model.float().eval().requires_grad_(False).to(memory_format=torch.channels_last)
        # Some architectures put features aside in hooks, and so take one batch after the other.
        parts = (part for module in model.modules() for part in vars(module).values())
        if any(isinstance(part, FeatureHooks) for part in parts):
            self._at_once = 1
        model = self._device.put(model)
        if not config.whole:
            return lambda batch: model(batch)[-1]
        return lambda batch: model.forward_intermediates(
            batch, indices=[config.out_index], intermediates_only=True, output_fmt="NCHW"
        )[-1]

    def _read_weights(self) -> Mapping[str, Tensor]:
        import torch
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
        except Exception as error:
            # Damaged bytes make the libraries raise whatever they happen to stumble over.
            raise self._error(f"has unreadable weights: {first_line(error)}") from error
        if not isinstance(found, dict) or not all(
            isinstance(v, torch.Tensor) for v in found.values()
        ):
            raise self._error(f"has a weights file {self._weights.name} that is no state dict")
        if not lie_in(self._weights, found.values()):
            raise self._error(f"has weights that do not all lie in {self._weights.name}")
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
        return read_settings(config_file)

    def _error(self, problem: str) -> ToolkitError:
        return ToolkitError(
            f"The seeing backbone {self.folder} {problem}.",
            given=str(self.folder),
            allowed="a folder with config.json (architecture, out_index, input_size_px, mean, std) "
            "and model.safetensors of that network, or dino_resnet50_pretrain.pth",
            next_command="mevgs-toolkit list subjects",
        )


def resized_in_8_bits(picture: npt.NDArray[np.uint8], side_px: int) -> npt.NDArray[np.uint8]:
    """A picture resized (bilinear, antialiased) through Pillow.

    Args:
        picture: uint8, shape (height, width, 3).
        side_px: height and width that it gets.

    Returns:
        uint8, shape (side_px, side_px, 3).

    Example:
        >>> resized_in_8_bits(np.zeros((5, 7, 3), np.uint8), side_px=4).shape
        (4, 4, 3)
    """
    from PIL import Image

    resized = Image.fromarray(np.asarray(picture)).resize(
        (side_px, side_px), Image.Resampling.BILINEAR
    )
    return np.asarray(resized)


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
            return _from_hub(told, told.pretrained_cfg)
        if "input_size" in found:
            flat = checked(FlatHubConfig, found, source)
            return _from_hub(flat, flat)
    return checked(SeeingConfig, found, source)


def _from_hub(told: HubConfig | FlatHubConfig, pictures: HubPictures) -> SeeingConfig:
    """A timm model on the Hugging Face Hub in the words of `SeeingConfig`."""
    return SeeingConfig(
        architecture=told.architecture,
        out_index=-1,
        input_size_px=pictures.input_size[-1],
        mean=pictures.mean,
        std=pictures.std,
        model_args=told.model_args,
        resize="8-bit",
        whole=True,
    )
