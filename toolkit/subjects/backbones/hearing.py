"""The frozen ear: a speech model that turns spoken words into frames of features.

Folders in the format of the `transformers` library will do that hold a model of the waveform
(WavLM, wav2vec 2.0, HuBERT and their kin), a Whisper or an audio spectrogram transformer, see
`toolkit.subjects.backbones.ears`: the small one that is shipped as well as
``microsoft/wavlm-base-plus`` (Chen et al., 2022, IEEE JSTSP 16(6), arXiv 2110.13900), which the
published experiment uses. `toolkit.subjects.backbones.finding` finds such folders by name.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError, first_line
from stimuli.limits import PARAMETERS, WIDTH, refuse_more
from stimuli.schemas import Between
from stimuli.texts import json_record
from toolkit.devices import CPU, Alike, Device, NoRoomError
from toolkit.subjects.backbones.ears import RATE, Ear, open_ear
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.contract import UnfitError
from toolkit.subjects.population import LIST_COMMAND

if TYPE_CHECKING:
    from torch import Tensor

Frames = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "weights" / "hearing"
"""The backbone that the shipped populations hear with."""

_Width = Annotated[int, Between(1, WIDTH)]
_Layers = Annotated[int, Between(0, 1_000)]
_Samples = Annotated[int, Between(1, 16_000)]


@dataclass(frozen=True)
class HearingConfig:
    """What ``config.json`` must say for a model to be tried; the rest is for `transformers`."""

    model_type: str = ""
    """Name of the architecture there."""
    hidden_size: _Width = 768
    """Width, where it is said."""
    intermediate_size: _Width = 3072
    """Units of the inner layers, likewise."""
    num_hidden_layers: _Layers = 12
    """Layers, likewise."""
    conv_dim: tuple[_Width, ...] = ()
    """Channels of the layers that meet the waveform, likewise."""
    conv_kernel: tuple[_Samples, ...] = ()
    """Samples, or frames, that each of them takes in, likewise."""
    conv_stride: tuple[_Samples, ...] = ()
    """Samples, or frames, from one of its frames to the next, likewise."""
    max_bucket_distance: Annotated[int, Between(1, 1_000_000)] = 800
    """Frames up to which distances are told apart, likewise."""
    adapter_stride: _Samples = 2
    """Frames to one of those of the last layers of some, likewise."""
    num_adapter_layers: Annotated[int, Between(0, 100)] = 3
    """How many there are of these, likewise."""
    d_model: _Width = 1
    """Width of a Whisper."""
    encoder_ffn_dim: _Width = 1
    """Units of the inner layers of its encoder."""
    encoder_layers: _Layers = 0
    """Layers of its encoder."""
    max_source_positions: Annotated[int, Between(1, 100_000)] = 1
    """Frames that it gives."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"

    def __post_init__(self) -> None:
        layer = self.hidden_size * (4 * self.hidden_size + 2 * self.intermediate_size)
        n = self.num_hidden_layers * layer + sum(channels**2 for channels in self.conv_dim)
        encoder = self.d_model * (4 * self.d_model + 2 * self.encoder_ffn_dim)
        n += self.encoder_layers * encoder + self.max_source_positions * self.d_model
        refuse_more("numbers in the weights of this network", n, PARAMETERS)


class Hearing:
    """A frozen speech model, read from a folder.

    The folder holds ``config.json``, the weights (``model.safetensors`` or ``pytorch_model.bin``,
    as ``save_pretrained`` of `transformers` writes them; of any precision, computed with in
    float32) and, where the model needs it, the settings of its feature extractor
    (``preprocessor_config.json``, or that part of ``processor_config.json``). A ``.bin`` file with
    anything but weights in it is refused. A file ``preprocess.json`` may say

    - ``layer``: which layer's states are the features, counted from 0, what enters the first one;
      by default what the model itself gives, its last hidden state;
    - of a model of the waveform, ``normalise``: whether clips are brought to zero mean and unit
      variance, and ``sample_rate_hz``; otherwise its feature extractor decides with
      ``do_normalize`` and ``sampling_rate``, and without one, clips stay as they are.

    Args:
        folder: Where the model lies; the shipped one if left out.
        device: Where it computes.

    Raises:
        ToolkitError: If a file is missing, unreadable, or not of a model that hears 16 kHz.

    >>> import numpy as np
    >>> hearing = Hearing()
    >>> frames = hearing.features([np.zeros(16_000, dtype=np.float32)])
    >>> frames[0].shape == (48, hearing.dim)
    True
    >>> hearing.frames_per_s
    50.0
    """

    def __init__(self, folder: Path | str = SHIPPED, device: Device = CPU) -> None:
        self.folder, self._device = Path(folder), device
        if not self.folder.is_dir():
            raise self._error("is not a folder")
        told = json_record(HearingConfig, self.folder / "config.json", LIST_COMMAND)
        if not told.model_type:
            network = told.further.get("architecture")
            raise self._error(
                f"holds the network {network!r} of timm, which sees pictures"
                if network
                else "has a config.json that does not say what it holds (model_type)"
            )
        self._ear: Ear = open_ear(self.folder, told.model_type, self._error)
        self._ear.model = device.put(self._ear.model)
        self.features([np.zeros(self.shortest_clip, dtype=np.float32)])

    @property
    def dim(self) -> int:
        """Number of features per frame."""
        return int(self._ear.model.config.hidden_size)

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second that clips must have."""
        return RATE

    @property
    def frames_per_s(self) -> float:
        """How many frames there are for a second of sound; at its ends there may be fewer."""
        return self._ear.frames_per_s

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over settings (JSON files) and weights, in hexadecimal; read when asked."""
        return backbone_checksum(self.folder)

    @property
    def shortest_clip(self) -> int:
        """Number of samples below which a clip gives no frame."""
        return self._ear.shortest

    @property
    def longest_clip(self) -> int | None:
        """Number of samples above which the model would not hear all of a clip; None if any."""
        return self._ear.longest

    def features(self, clips: Sequence[npt.NDArray[np.floating[Any]]]) -> list[Frames]:
        """States of one layer, the last if nothing else is asked for, of every clip.

        Clips share a batch where the model fills all of them up to the same length, as Whisper
        does, or where they have exactly the same length; so nothing else is ever padded and a
        clip's features do not depend on the clips beside it. Their number may change the last
        digits (less than 1e-5), as matrix products round differently for other sizes.

        Args:
            clips: Mono samples in [-1, 1] at `sample_rate_hz`, each of shape (n_samples,).

        Returns:
            One float32 array of shape (n_frames, dim) per clip, in the order of the clips.

        Raises:
            ToolkitError: If a clip is not one-dimensional, too short, too long, or not finite.
        """
        checked = [self._check(index, clip) for index, clip in enumerate(clips)]
        n_frames = [self._ear.n_frames(len(clip)) for clip in checked]
        filled = self._ear.filled_bytes
        alike: dict[int, list[int]] = {}
        for index, clip in enumerate(checked):
            alike.setdefault(len(clip) if filled is None else 0, []).append(index)
        frames: dict[int, Frames] = {}

        def hear(batch: Sequence[int]) -> Tensor:
            prepared = self._ear.prepare([checked[index] for index in batch])
            hidden = self._ear.hear(self._device.to(prepared))
            longest = max(n_frames[index] or hidden.shape[1] for index in batch)
            # A copy of what is kept: Whisper gives 30 s for a word of half a second.
            return hidden if hidden.shape[1] == longest else hidden[:, :longest].clone()

        groups = (
            Alike(members, self._ear.per_batch, filled or checked[members[0]].nbytes)
            for members in alike.values()
        )
        try:
            for batch, hidden in self._device.portions(hear, *groups):
                for index, one in zip(batch, hidden.cpu().numpy(), strict=True):
                    frames[index] = np.ascontiguousarray(one[: n_frames[index]])
        except (NoRoomError, ToolkitError, MemoryError):
            raise
        except Exception as error:
            # Settings may fit the weights of a network, and no clip, or none that is longer.
            raise self._error(f"cannot hear a clip: {first_line(error)}") from error
        return [frames[index] for index in range(len(checked))]

    def _check(self, index: int, clip: npt.NDArray[np.floating[Any]]) -> Frames:
        samples = np.asarray(clip)
        shortest, longest = self._ear.shortest, self._ear.longest
        problem, most = "", "" if longest is None else f" and at most {longest}"
        if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
            problem = f"has shape {samples.shape} and type {samples.dtype}"
        elif len(samples) < shortest:
            problem = f"has {len(samples)} samples, too few for one frame"
        elif longest is not None and len(samples) > longest:
            problem = f"has {len(samples)} samples, more than the hearing backbone takes in"
        elif not np.isfinite(samples).all():
            problem = "holds values that are not finite"
        if problem:
            raise UnfitError(
                index,
                f"Clip number {index} {problem}.",
                allowed=f"at least {shortest}{most} finite float samples, shape (n_samples,)",
                next_command="mevgs-toolkit check-stimuli DIR",
            )
        return samples.astype(np.float32)

    def _error(self, problem: str) -> ToolkitError:
        return ToolkitError(
            f"The hearing backbone {self.folder} {problem}.",
            given=str(self.folder),
            allowed="a folder written by save_pretrained of a transformers speech model: of the "
            "waveform (config.json, weights), whisper or audio-spectrogram-transformer (also "
            "preprocessor_config.json)",
            next_command=LIST_COMMAND,
        )
