"""The frozen eye: a network that turns pictures into feature maps.

Any network of the `timm` library that has a feature map will do (`toolkit.subjects.backbones.
timm_eyes`), and vision transformers of `transformers` (`toolkit.subjects.backbones.patches`): the
small one that is shipped as well as a ResNet-50 with weights learnt by DINO (Caron et al., 2021,
ICCV, arXiv 2104.14294), which the published experiment uses. `toolkit.subjects.backbones.finding`
finds them by name.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError, first_line
from stimuli.limits import PIXELS, refuse_more
from stimuli.schemas import Source
from stimuli.texts import read_json
from toolkit.devices import CPU, Alike, Device, NoRoomError
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.patches import KINDS, PatchEye
from toolkit.subjects.backbones.timm_eyes import Preparation, TimmEye
from toolkit.subjects.backbones.timm_settings import DINO, read_settings
from toolkit.subjects.contract import UnfitError
from toolkit.subjects.population import LIST_COMMAND

if TYPE_CHECKING:
    from torch import Tensor

Maps = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "weights" / "seeing"
"""The backbone that the shipped populations see with."""

_PICTURES_PER_BATCH = 8
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.pth")


class Eye(Protocol):
    """A network that sees."""

    network: Any
    """Frozen, in float32."""
    at_once: int | None
    """Batches that may go through it beside each other; None for any number."""

    @property
    def input_size_px(self) -> int:
        """Side of the square of pixels that goes into the network."""
        ...

    @property
    def preparation(self) -> Preparation | None:
        """What is done to a picture before all else."""
        ...

    @property
    def shorter_px(self) -> int | None:
        """What the shorter side of a picture is resized to, before its middle is cut out."""
        ...

    def at(self, input_size_px: int) -> Eye:
        """The same eye for larger or smaller pictures."""
        ...

    def prepare(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """What goes into the network, (n, 3, height, width)."""
        ...

    def see(self, prepared: Tensor) -> Tensor:
        """Feature maps, (n, channels, height, width)."""
        ...


class Seeing:
    """A frozen network that sees, read from a folder.

    Of `timm`, the folder holds ``config.json`` (`SeeingConfig`, or that of a timm model on the
    Hugging Face Hub, whose last feature map is used) and the weights (``model.safetensors``, a
    ``.bin`` or a ``.pth`` file; one with anything but weights in it is refused) under timm's names,
    of any precision, computed with in float32. Weights of parts behind the feature map are not
    needed, and ignored if there. The published ``dino_resnet50_pretrain.pth`` needs no
    ``config.json``.

    Of `transformers`, it holds ``config.json``, the weights and the settings of the image processor
    (``preprocessor_config.json``, or that part of ``processor_config.json``), as
    ``save_pretrained`` writes them. A file ``preprocess.json`` may say with ``layer`` which layer's
    states are the features, counted from 0, what enters the first one; by default what the model
    itself gives, its last hidden state.

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
        self._eye: Eye = self._open()
        size = self.input_size_px
        self._eye.network = device.put(self._eye.network)
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
        """Side of the square of pixels that is made of every picture."""
        return self._eye.input_size_px

    @property
    def preparation(self) -> Preparation | None:
        """What `features` does to a picture first and other processes can do before; None: nothing.

        Done twice, it is as if done once.
        """
        return self._eye.preparation

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over settings (JSON files) and weights, in hexadecimal; read when asked."""
        return backbone_checksum(self.folder)

    def at(self, input_size_px: int) -> Seeing:
        """The same eye for larger or smaller pictures; its map grows and shrinks with them.

        Args:
            input_size_px: side to which pictures are resized.

        Raises:
            ToolkitError: its image processor decides of which size they are.
        """
        other = copy.copy(self)
        other._eye = self._eye.at(input_size_px)
        return other

    def features(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Maps:
        """Feature maps of pictures.

        Both sides of a picture are resized (bilinear, antialiased) to `input_size_px`, or what the
        model's own settings say is done: most bring the shorter side to a length and cut the middle
        out. The network is in evaluation mode: what it makes of a picture does not depend on the
        others.

        Args:
            pictures: RGB, each of shape (height, width, 3), uint8; sizes may differ.

        Returns:
            float32 (m, channels, height, width), in the order of the pictures.

        Raises:
            ToolkitError: If a picture has another shape or type, or is too long and narrow.
        """
        for index, picture in enumerate(pictures):
            self._check(index, picture)
        if not len(pictures):
            return np.zeros((0, *self._shape), dtype=np.float32)
        return self._maps(pictures)

    def _maps(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Maps:
        def see(some: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
            return self._eye.see(self._device.to(self._eye.prepare(some)))

        all_of_them = Alike(pictures, _PICTURES_PER_BATCH, 3 * 4 * self.input_size_px**2)
        made = self._device.portions(see, all_of_them, beside=self._eye.at_once)
        return np.concatenate([np.ascontiguousarray(maps.cpu().numpy()) for _, maps in made])

    def _check(self, index: int, picture: npt.NDArray[np.uint8]) -> None:
        array = np.asarray(picture)
        problem = f"has shape {array.shape} and type {array.dtype}"
        allowed = "uint8 of shape (height, width, 3), at least one pixel"
        if array.dtype == np.uint8 and array.ndim == 3 and array.shape[2] == 3 and array.size:
            shorter, longer = sorted(array.shape[:2])
            side = self._eye.shorter_px
            if side is None or side * side * longer <= PIXELS * shorter:
                return
            problem += f", and would be enlarged until its shorter side has {side} pixels"
            allowed = f"at most {PIXELS:,} pixels then"
        raise UnfitError(
            index,
            f"Picture number {index} {problem}.",
            given=f"{array.dtype} {array.shape}",
            allowed=allowed,
            next_command="mevgs-toolkit check-stimuli DIR",
        )

    def _open(self) -> Eye:
        weights = self._find_weights()
        settings = weights.with_name("config.json")
        if weights.name.startswith("dino_resnet50") and not settings.is_file():
            return TimmEye(weights, DINO, self._error)
        told = read_json(settings, Source(str(settings), LIST_COMMAND))
        if isinstance(told, dict) and "model_type" in told and "architecture" not in told:
            return PatchEye(self.folder, self._error)
        config = read_settings(settings)
        refuse_more(f"pixels that {self.folder} asks for", config.resized_px**2, PIXELS)
        return TimmEye(weights, config, self._error)

    def _find_weights(self) -> Path:
        if self.folder.is_file():
            return self.folder
        if not self.folder.is_dir():
            raise self._error("is not a folder")
        for pattern in _WEIGHTS:
            for path in sorted(self.folder.glob(pattern)):
                return path
        raise self._error("holds no weights (model.safetensors)")

    def _error(self, problem: str) -> ToolkitError:
        return ToolkitError(
            f"The seeing backbone {self.folder} {problem}.",
            given=str(self.folder),
            allowed="a folder with config.json (timm's, or architecture, out_index, input_size_px, "
            "mean, std) and model.safetensors; one with preprocessor_config.json as well, of "
            f"transformers ({', '.join(name for name in KINDS if 'model' not in name)}); or "
            "dino_resnet50_pretrain.pth",
            next_command=LIST_COMMAND,
        )
