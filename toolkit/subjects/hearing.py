"""The frozen ear: a WavLM model that turns spoken words into frames of features.

Any folder in the format of the `transformers` library that holds a WavLM model will do, the small
one that is shipped as well as ``microsoft/wavlm-base-plus`` (Chen et al., 2022, IEEE JSTSP 16(6),
arXiv 2110.13900), which the published experiment uses.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError
from stimuli.files import sha256_of_files

if TYPE_CHECKING:
    from transformers import WavLMModel

Frames = npt.NDArray[np.float32]

SHIPPED = Path(__file__).parent / "weights" / "hearing"
"""The backbone that the shipped populations hear with."""

_CLIPS_PER_BATCH = 32
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_PREPROCESS = ("preprocess.json", "preprocessor_config.json")


class Hearing:
    """A frozen WavLM model, read from a folder.

    The folder holds ``config.json``, the weights (``model.safetensors``, or whatever
    ``WavLMModel.save_pretrained`` wrote; of any precision, computed with in float32) and, if clips
    are not 16 kHz or are to be brought to zero mean and unit variance, either ``preprocess.json``
    with ``sample_rate_hz`` and ``normalise``, or the ``preprocessor_config.json`` of a
    `transformers` feature extractor with ``sampling_rate`` and ``do_normalize``.

    Args:
        folder: Where the model lies; the shipped one if left out.

    Raises:
        ToolkitError: If a file is missing, unreadable, or not of a WavLM model.

    >>> import numpy as np
    >>> hearing = Hearing()
    >>> frames = hearing.features([np.zeros(16_000, dtype=np.float32)])
    >>> frames[0].shape == (48, hearing.dim)
    True
    """

    def __init__(self, folder: Path | str = SHIPPED) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise self._error("is not a folder")
        config = self._read_json("config.json")
        if config.get("model_type") != "wavlm":
            raise self._error(f"holds a model of type {config.get('model_type')!r}, not 'wavlm'")
        weights = sorted(path for pattern in _WEIGHTS for path in self.folder.glob(pattern))
        if not weights:
            raise self._error("holds no weights (model.safetensors)")
        self._sample_rate_hz, self._normalise = self._read_preprocess()
        self._weights = weights
        self._model = self._load()

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
        return sha256_of_files([*self.folder.glob("*.json"), *self._weights])

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
        for members in by_length.values():
            for start in range(0, len(members), _CLIPS_PER_BATCH):
                batch = members[start : start + _CLIPS_PER_BATCH]
                samples = torch.from_numpy(np.stack([checked[index] for index in batch]))
                with torch.inference_mode():
                    hidden = self._model(samples).last_hidden_state.numpy()
                frames.update(zip(batch, hidden, strict=True))
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
            raise ToolkitError(
                f"Clip number {index} {problem}.",
                allowed=f"at least {self.shortest_clip} finite float samples, shape (n_samples,)",
                next_command="mevgs-toolkit check-stimuli DIR",
            )
        samples = samples.astype(np.float32)
        if self._normalise:
            samples = (samples - samples.mean()) / np.sqrt(samples.var() + 1e-7)
        return samples.astype(np.float32)

    def _load(self) -> WavLMModel:
        # The package's top level would search all of its several hundred models.
        import torch
        from transformers.models.wavlm.modeling_wavlm import WavLMModel
        from transformers.utils import logging

        progress_was_shown = logging.is_progress_bar_enabled()
        logging.disable_progress_bar()
        try:
            model, report = WavLMModel.from_pretrained(
                self.folder,
                local_files_only=True,
                output_loading_info=True,
            )
        except Exception as error:
            raise self._error(f"cannot be loaded: {_first_line(error)}") from error
        finally:
            if progress_was_shown:
                logging.enable_progress_bar()
        missing = [*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"])]
        if missing:
            raise self._error(f"lacks fitting weights for {sorted(missing)[0]} (of {len(missing)})")
        model.float().eval().requires_grad_(False)
        if not all(torch.isfinite(weight).all() for weight in model.state_dict().values()):
            raise self._error("holds weights that are not finite")
        return model

    def _read_preprocess(self) -> tuple[int, bool]:
        for name in _PREPROCESS:
            if (self.folder / name).is_file():
                found = self._read_json(name)
                rate = found.get("sample_rate_hz", found.get("sampling_rate", 16_000))
                normalise = found.get("normalise", found.get("do_normalize", False))
                if not isinstance(rate, int) or rate <= 0 or not isinstance(normalise, bool):
                    raise self._error(f"has a wrong sample rate or normalisation in {name}")
                return rate, normalise
        return 16_000, False

    def _read_json(self, name: str) -> Mapping[str, Any]:
        try:
            found = json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise self._error(f"has no readable {name}") from error
        if not isinstance(found, dict):
            raise self._error(f"has no readable {name}")
        return found

    def _error(self, problem: str) -> ToolkitError:
        return ToolkitError(
            f"The hearing backbone {self.folder} {problem}.",
            given=str(self.folder),
            allowed="a folder written by WavLMModel.save_pretrained (config.json, weights)",
            next_command="mevgs-toolkit list subjects",
        )


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]
