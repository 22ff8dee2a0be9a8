"""The frozen ear: a speech model that turns spoken words into frames of features.

Any folder in the format of the `transformers` library that holds a model of the waveform (WavLM,
wav2vec 2.0, HuBERT and their kin) will do, the small one that is shipped as well as
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
from stimuli.limits import PARAMETERS, RATE_HZ, WIDTH, refuse_more
from stimuli.schemas import Between
from stimuli.texts import json_record
from toolkit.devices import CPU, Alike, Device
from toolkit.subjects.backbones.files import backbone_checksum, refuse_hollow
from toolkit.subjects.contract import UnfitError
from toolkit.subjects.population import LIST_COMMAND

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

Frames = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parents[1] / "weights" / "hearing"
"""The backbone that the shipped populations hear with."""

_CLIPS_PER_BATCH = 32
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
FOREIGN = "preprocessor_config.json"
"""Where `transformers` keeps what its feature extractor does."""
Rate = Annotated[int, Between(1, RATE_HZ)]
_ONLY_FOR_TRAINING = "masked_spec_embed"
"""Weights that fine-tuned models may lack: nothing is masked when a clip is only heard."""


@dataclass(frozen=True)
class HearingConfig:
    """What ``config.json`` must say for a model to be tried; the rest is for `transformers`."""

    model_type: str
    """Name of the architecture there."""
    hidden_size: Annotated[int, Between(1, WIDTH)] = 768
    """Width, where it is said."""
    intermediate_size: Annotated[int, Between(1, WIDTH)] = 3072
    """Units of the inner layers, likewise."""
    num_hidden_layers: Annotated[int, Between(0, 1_000)] = 12
    """Layers, likewise."""
    conv_dim: tuple[Annotated[int, Between(1, WIDTH)], ...] = ()
    """Channels of the layers that meet the waveform, likewise."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"

    def __post_init__(self) -> None:
        layer = self.hidden_size * (4 * self.hidden_size + 2 * self.intermediate_size)
        n = self.num_hidden_layers * layer + sum(channels**2 for channels in self.conv_dim)
        refuse_more("numbers in the weights of this network", n, PARAMETERS)


@dataclass(frozen=True)
class Preprocess:
    """What ``preprocess.json`` says: its schema."""

    sample_rate_hz: Rate = 16_000
    """Samples per second of what is heard."""
    normalise: bool = False
    """Whether clips are brought to zero mean and unit variance."""


@dataclass(frozen=True)
class Extractor:
    """What the feature extractor of a model of `transformers` says."""

    sampling_rate: Rate = 16_000
    """Samples per second of what is heard."""
    do_normalize: bool = True
    """Whether clips are brought to zero mean and unit variance."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


class Hearing:
    """A frozen speech model, read from a folder.

    The folder holds ``config.json``, the weights (``model.safetensors`` or ``pytorch_model.bin``,
    as ``save_pretrained`` of `transformers` writes them; of any precision, computed with in
    float32) and, if clips are not 16 kHz or are to be brought to zero mean and unit variance,
    either ``preprocess.json`` with ``sample_rate_hz`` and ``normalise``, or the
    ``preprocessor_config.json`` of a `transformers` feature extractor with ``sampling_rate`` and
    ``do_normalize``. A ``.bin`` file with anything but weights in it is refused.

    Args:
        folder: Where the model lies; the shipped one if left out.
        device: Where it computes.

    Raises:
        ToolkitError: If a file is missing, unreadable, or not of a model of the waveform.

    >>> import numpy as np
    >>> hearing = Hearing()
    >>> frames = hearing.features([np.zeros(16_000, dtype=np.float32)])
    >>> frames[0].shape == (48, hearing.dim)
    True
    """

    def __init__(self, folder: Path | str = SHIPPED, device: Device = CPU) -> None:
        self.folder, self._device = Path(folder), device
        if not self.folder.is_dir():
            raise self._error("is not a folder")
        self._type = json_record(
            HearingConfig, self.folder / "config.json", LIST_COMMAND
        ).model_type
        weights = sorted(path for pattern in _WEIGHTS for path in self.folder.glob(pattern))
        if not weights:
            raise self._error("holds no weights (model.safetensors)")
        self._sample_rate_hz, self._normalise = self._read_preprocess()
        self._model = device.put(self._load())

    @property
    def dim(self) -> int:
        """Number of features per frame."""
        return int(self._model.config.hidden_size)

    @property
    def sample_rate_hz(self) -> int:
        """Samples per second that clips must have."""
        return self._sample_rate_hz

    @cached_property
    def checksum(self) -> str:
        """SHA-256 over settings (JSON files) and weights, in hexadecimal; read when asked."""
        return backbone_checksum(self.folder)

    @property
    def shortest_clip(self) -> int:
        """Number of samples below which a clip gives no frame."""
        n_samples = 1
        config = self._model.config
        for kernel, stride in zip(config.conv_kernel[::-1], config.conv_stride[::-1], strict=True):
            n_samples = (n_samples - 1) * stride + kernel
        return int(n_samples)

    def features(self, clips: Sequence[npt.NDArray[np.floating[Any]]]) -> list[Frames]:
        """Last hidden states of every clip.

        Only clips of exactly the same length share a batch, so nothing is padded and a clip's
        features do not depend on the clips beside it; their number may change the last digits
        (less than 1e-5), as matrix products round differently for other sizes.

        Args:
            clips: Mono samples in [-1, 1] at `sample_rate_hz`, each of shape (n_samples,).

        Returns:
            One float32 array of shape (n_frames, dim) per clip, in the order of the clips.

        Raises:
            ToolkitError: If a clip is not one-dimensional, too short, or not finite.
        """
        import torch

        checked = [self._check(index, clip) for index, clip in enumerate(clips)]
        by_length: dict[int, list[int]] = {}
        for index, clip in enumerate(checked):
            by_length.setdefault(len(clip), []).append(index)
        frames: dict[int, Frames] = {}

        def hear(batch: Sequence[int]) -> Tensor:
            samples = torch.from_numpy(np.stack([checked[index] for index in batch]))
            hidden: Tensor = self._model(self._device.to(samples)).last_hidden_state
            return hidden

        groups = (
            Alike(members, _CLIPS_PER_BATCH, checked[members[0]].nbytes)
            for members in by_length.values()
        )
        for batch, hidden in self._device.portions(hear, *groups):
            frames.update(zip(batch, hidden.cpu().numpy(), strict=True))
        return [frames[index] for index in range(len(checked))]

    def _check(self, index: int, clip: npt.NDArray[np.floating[Any]]) -> Frames:
        samples = np.asarray(clip)
        problem = ""
        if samples.ndim != 1 or not np.issubdtype(samples.dtype, np.floating):
            problem = f"has shape {samples.shape} and type {samples.dtype}"
        elif len(samples) < self.shortest_clip:
            problem = f"has {len(samples)} samples, too few for one frame"
        elif not np.isfinite(samples).all():
            problem = "holds values that are not finite"
        if problem:
            raise UnfitError(
                index,
                f"Clip number {index} {problem}.",
                allowed=f"at least {self.shortest_clip} finite float samples, shape (n_samples,)",
                next_command="mevgs-toolkit check-stimuli DIR",
            )
        samples = samples.astype(np.float32)
        if self._normalise:
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        return samples.astype(np.float32)

    def _load(self) -> PreTrainedModel:
        import torch
        from transformers.utils import logging

        progress_was_shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
        logging.disable_progress_bar()
        # What did not fit is said below, in one sentence.
        logging.set_verbosity_error()
        try:
            self._refuse_hollow()
            model, report = self._model_class().from_pretrained(
                self.folder,
                local_files_only=True,
                trust_remote_code=False,
                output_loading_info=True,
            )
        except Exception as error:
            raise self._error(f"cannot be loaded: {first_line(error)}") from error
        finally:
            logging.set_verbosity(verbosity)
            if progress_was_shown:
                logging.enable_progress_bar()
        if model.main_input_name != "input_values" or not hasattr(model.config, "conv_stride"):
            raise self._error(f"holds a model of type {self._type!r}, which hears no waveform")
        missing = [*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])]
        missing = [key for key in missing if not key.endswith(_ONLY_FOR_TRAINING)]
        if missing:
            raise self._error(f"lacks fitting weights for {sorted(missing)[0]} (of {len(missing)})")
        # Heads of fine-tuned models lie elsewhere; in here, weights are of another architecture.
        foreign = [key for key in report["unexpected_keys"] if "encoder." in key]
        if foreign:
            raise self._error(f"holds {sorted(foreign)[0]}, which a {self._type!r} does not have")
        model.float().eval().requires_grad_(False)
        if not all(torch.isfinite(weight).all() for weight in model.state_dict().values()):
            raise self._error("holds weights that are not finite")
        return model

    def _refuse_hollow(self) -> None:
        """Refuse settings of a network that is larger than its weights, before it is laid out."""
        import torch

        kind = self._model_class()
        own = getattr(kind, "config_class", None)
        if own is not None:
            config = own.from_pretrained(self.folder, local_files_only=True)
            with torch.device("meta"):
                sketch = kind(config)
        else:
            from transformers import AutoConfig

            config = AutoConfig.from_pretrained(  # nosec B615 # local
                self.folder, local_files_only=True, trust_remote_code=False
            )
            with torch.device("meta"):
                sketch = kind.from_config(config)
        refuse_hollow(sketch, (path for p in _WEIGHTS for path in self.folder.glob(p)))

    def _model_class(self) -> Any:
        if self._type == "wavlm":
            # The package's top level would search all of its several hundred models.
            from transformers.models.wavlm.modeling_wavlm import WavLMModel

            return WavLMModel
        from transformers import AutoModel

        return AutoModel

    def _read_preprocess(self) -> tuple[int, bool]:
        """Sample rate and normalisation, as the first of the files tells that is there."""
        own, foreign = (self.folder / name for name in ("preprocess.json", FOREIGN))
        if own.is_file():
            told = json_record(Preprocess, own, LIST_COMMAND)
            return told.sample_rate_hz, told.normalise
        if foreign.is_file():
            extractor = json_record(Extractor, foreign, LIST_COMMAND)
            return extractor.sampling_rate, extractor.do_normalize
        return Preprocess().sample_rate_hz, Preprocess().normalise

    def _error(self, problem: str) -> ToolkitError:
        return ToolkitError(
            f"The hearing backbone {self.folder} {problem}.",
            given=str(self.folder),
            allowed="a folder written by save_pretrained of a transformers speech model "
            "(config.json, weights)",
            next_command="mevgs-toolkit list subjects",
        )
