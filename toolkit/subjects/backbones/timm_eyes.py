"""Eyes of the library `timm`: weights, and what is made of a picture before.

Where ``config.json`` is in timm's own words, pictures are prepared as timm's own evaluation does
(``crop_pct``, ``crop_mode`` and ``interpolation`` of ``pretrained_cfg``), and the last feature map
goes through the network's last norm where it has one: patch tokens are those of
``forward_features``, without class and register tokens.
"""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError, first_line, unknown_name
from toolkit.subjects.backbones.files import lie_in
from toolkit.subjects.backbones.pretrained import Complain
from toolkit.subjects.backbones.timm_settings import SeeingConfig

if TYPE_CHECKING:
    from torch import Tensor

_FLOATS = ("float16", "bfloat16", "float32", "float64")
_WRAPPED = "timm_model."
"""Begins the names of weights that `transformers` saved for timm."""

Preparation = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]


class TimmEye:
    """A network of timm, read from a folder or a file of weights.

    Args:
        weights: the file of its weights.
        config: its settings.
        complain: makes the error for what is wrong with it.

    Raises:
        ToolkitError: the weights cannot be read, or do not fit the network.
    """

    def __init__(self, weights: Path, config: SeeingConfig, complain: Complain) -> None:
        self.config, self._weights, self._complain = config, weights, complain
        self.at_once: int | None = None
        self.network: Any = self._load()

    @property
    def input_size_px(self) -> int:
        """Side of the square of pixels that goes into the network."""
        return self.config.input_size_px

    @property
    def shorter_px(self) -> int | None:
        """What the shorter side of a picture is resized to; None where both or the longer are."""
        if self.config.resize != "own" or self.config.crop_mode != "center":
            return None
        return self.config.resized_px

    @property
    def preparation(self) -> Preparation | None:
        """See `toolkit.subjects.backbones.seeing.Seeing`."""
        if self.config.resize == "8-bit":
            return partial(resized_in_8_bits, side_px=self.input_size_px)
        return None

    def at(self, input_size_px: int) -> TimmEye:
        """The same eye for larger or smaller pictures; its map grows and shrinks with them.

        Args:
            input_size_px: side to which pictures are resized.
        """
        other = copy.copy(self)
        other.config = replace(self.config, input_size_px=input_size_px)
        return other

    def prepare(self, pictures: Sequence[npt.NDArray[np.uint8]]) -> Tensor:
        """What goes into the network, (n, 3, height, width)."""
        import torch

        if self.config.resize == "own":
            batch = torch.stack([self._as_timm_does(picture) for picture in pictures])
        else:
            mean, std = (
                torch.tensor(values).view(3, 1, 1) for values in (self.config.mean, self.config.std)
            )
            batch = torch.stack([self._resized(picture) for picture in pictures])
            batch = (batch - mean) / std
        return batch.contiguous(memory_format=torch.channels_last)

    def see(self, prepared: Tensor) -> Tensor:
        """Feature maps, (n, channels, height, width)."""
        if not self.config.whole:
            maps: Tensor = self.network(prepared)[-1]
            return maps
        norm = {"norm": True} if self.config.norm else {}
        (last,) = self.network.forward_intermediates(
            prepared,
            indices=[self.config.out_index],
            intermediates_only=True,
            output_fmt="NCHW",
            **norm,
        )
        return cast("Tensor", last)

    def _as_timm_does(self, picture: npt.NDArray[np.uint8]) -> Tensor:
        from PIL import Image
        from timm.data import create_transform

        config = self.config
        transform = create_transform(
            (3, config.input_size_px, config.input_size_px),
            interpolation=config.interpolation,
            mean=config.mean,
            std=config.std,
            crop_pct=config.crop_pct,
            crop_mode=config.crop_mode,
        )
        made: Tensor = transform(Image.fromarray(np.asarray(picture)))
        return made

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

    def _load(self) -> Any:
        """The network with its weights."""
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
                config.architecture, pretrained=False, **{**config.model_args, **part}
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
            raise self._complain(f"cannot be built: {first_line(error)}") from error
        wanted = model.state_dict()
        model.load_state_dict({k: v for k, v in found.items() if k in wanted}, strict=False)
        model.float().eval().requires_grad_(False).to(memory_format=torch.channels_last)
        # Some architectures put features aside in hooks, and so take one batch after the other.
        parts = (part for module in model.modules() for part in vars(module).values())
        if any(isinstance(part, FeatureHooks) for part in parts):
            self.at_once = 1
        return model

    def _read_weights(self) -> Mapping[str, Tensor]:
        import torch
        from safetensors.torch import load_file

        try:
            if self._weights.suffix == ".safetensors":
                return _unwrapped(load_file(self._weights))
            found = torch.load(self._weights, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise self._complain(
                f"has a weights file {self._weights.name} with a pickled object in it, or that is "
                "damaged; it was not executed"
            ) from error
        except Exception as error:
            # Damaged bytes make the libraries raise whatever they happen to stumble over.
            raise self._complain(f"has unreadable weights: {first_line(error)}") from error
        if not isinstance(found, dict) or not all(
            isinstance(name, str) and isinstance(value, torch.Tensor)
            for name, value in found.items()
        ):
            raise self._complain(f"has a weights file {self._weights.name} that is no state dict")
        if not lie_in(self._weights, found.values()):
            raise self._complain(f"has weights that do not all lie in {self._weights.name}")
        return _unwrapped(found)

    def _check_weights(self, found: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> None:
        for name, tensor in wanted.items():
            if name.endswith("num_batches_tracked"):
                continue
            given = found.get(name)
            if given is None:
                raise self._complain(f"lacks the weights {name}")
            if given.shape != tensor.shape:
                raise self._complain(
                    f"has weights {name} of shape {tuple(given.shape)}, not {tuple(tensor.shape)}"
                )
            if str(given.dtype).removeprefix("torch.") not in _FLOATS:
                raise self._complain(f"has weights {name} of type {given.dtype}, not {_FLOATS}")
            if not given.isfinite().all():
                raise self._complain(f"has weights {name} that are not finite")


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


def _unwrapped(found: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name.removeprefix(_WRAPPED): value for name, value in found.items()}
