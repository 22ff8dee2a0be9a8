"""How models of each type hear: what is made of a clip before, and which frames are the clip's.

==================================  ================================================================
waveform: WavLM, wav2vec 2.0,       samples go in as they are, or at zero mean and unit variance;
HuBERT and their kin                every frame is the clip's
`whisper`                           a log-mel spectrogram, filled up with silence to the length that
                                    the model was trained on (30 s); the encoder alone is loaded,
                                    and frames whose middle lies behind the clip are left out
`audio-spectrogram-transformer`     a log-mel spectrogram of fixed length (10 s); the class and the
                                    distillation token are left out, the patches at one time are
                                    averaged over frequency, and times behind the clip's end are
                                    left out likewise
==================================  ================================================================

Spectrograms are made by the model's own feature extractor, whose settings lie beside its weights.
That of `audio-spectrogram-transformer` computes them with torchaudio where `transformers` finds it,
and with NumPy elsewhere.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, Protocol, TypeVar

import numpy as np
import numpy.typing as npt

from stimuli.limits import RATE_HZ
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
    read_preparation,
)
from toolkit.subjects.population import LIST_COMMAND

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

Samples = npt.NDArray[np.float32]

PART = "feature_extractor"
"""What `transformers` calls that which prepares sounds."""
RATE = 16_000
"""Samples per second of clips."""
Rate = Annotated[int, Between(1, RATE_HZ)]
_KALDI_WINDOW, _KALDI_STEP = 400, 160
"""Samples of a frame of the spectrogram that `audio-spectrogram-transformer` takes, at 16 kHz."""
_MORE = Mapping[str, Any]

T = TypeVar("T")


@dataclass(frozen=True)
class Preprocess:
    """What ``preprocess.json`` says: its schema."""

    sample_rate_hz: Rate | None = None
    """Samples per second of what is heard."""
    normalise: bool | None = None
    """Whether clips are brought to zero mean and unit variance."""
    layer: Layer = -1
    """Which layer's states are the features."""


@dataclass(frozen=True)
class Extractor:
    """What the feature extractor of a model of the waveform says."""

    sampling_rate: Rate = RATE
    """Samples per second of what is heard."""
    do_normalize: bool = True
    """Whether clips are brought to zero mean and unit variance."""
    further: _MORE = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class WhisperExtractor:
    """What the feature extractor of Whisper says."""

    feature_extractor_type: Literal["WhisperFeatureExtractor"] = "WhisperFeatureExtractor"
    """Its class."""
    sampling_rate: Rate = RATE
    """Samples per second of what is heard."""
    feature_size: Annotated[int, Between(1, 1_024)] = 80
    """Bands of the spectrogram."""
    hop_length: Annotated[int, Between(1, 16_000)] = 160
    """Samples from one of its columns to the next."""
    chunk_length: Annotated[int, Between(1, 600)] = 30
    """Seconds to which clips are filled up."""
    n_fft: Annotated[int, Between(2, 65_536)] = 400
    """Samples in one of its columns."""
    dither: Annotated[float, Between(0, 0)] = 0.0
    """Noise that is added: none, or features could not be made again."""
    further: _MORE = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class PatchExtractor:
    """What the feature extractor of an audio spectrogram transformer says."""

    feature_extractor_type: Literal["ASTFeatureExtractor"] = "ASTFeatureExtractor"
    """Its class."""
    sampling_rate: Rate = RATE
    """Samples per second of what is heard."""
    num_mel_bins: Annotated[int, Between(1, 1_024)] = 128
    """Bands of the spectrogram."""
    max_length: Annotated[int, Between(1, 100_000)] = 1_024
    """Columns to which it is filled up, 10 ms each."""
    do_normalize: bool = True
    """Whether `mean` and `std` are used."""
    mean: Annotated[float, Between(-1_000, 1_000)] = -4.2677393
    """Taken away."""
    std: Annotated[float, Between(1e-6, 1_000)] = 4.5689974
    """Half of what the rest is divided by."""
    further: _MORE = field(default_factory=dict)
    """Whatever else it says."""
    rest: ClassVar[str] = "further"


class Ear(Protocol):
    """A model that hears."""

    model: PreTrainedModel
    """Frozen, in float32."""
    per_batch: int
    """Clips that go through it together."""
    shortest: int
    """Samples below which a clip gives no frame."""
    longest: int | None
    """Samples above which a clip would be cut; None where there is no such number."""
    frames_per_s: float
    """How many frames there are for a second of sound."""
    filled_bytes: int | None
    """Size of what is made of every clip; None where it grows with the clip."""

    def prepare(self, clips: Sequence[Samples]) -> Tensor:
        """What goes into the model; where sizes grow with them, clips have one length."""
        ...

    def hear(self, prepared: Tensor) -> Tensor:
        """Frames, (n, frames, dim)."""
        ...

    def n_frames(self, n_samples: int) -> int | None:
        """How many of the frames, from the first, are a clip's; None for all."""
        ...


def open_ear(folder: Path, model_type: str, complain: Complain) -> Ear:
    """Read the model in a folder.

    Args:
        folder: where it lies.
        model_type: as its ``config.json`` says.
        complain: makes the error for what is wrong with it.

    Raises:
        ToolkitError: a file is missing or faulty, or the model is of another kind.
    """
    own = folder / OWN
    told = json_record(Preprocess, own, LIST_COMMAND) if own.is_file() else Preprocess()
    kind = _KINDS.get(model_type)
    ear: Ear = (
        kind(folder, told, complain) if kind else _Waveform(folder, model_type, told, complain)
    )
    n_layers = ear.model.config.num_hidden_layers
    if told.layer > n_layers:
        raise complain(f"has {n_layers} layers, and layer {told.layer} is asked for in {OWN}")
    return ear


class _Waveform:
    """A model that takes samples."""

    per_batch = 32
    longest: int | None = None
    filled_bytes: int | None = None

    def __init__(self, folder: Path, model_type: str, told: Preprocess, complain: Complain) -> None:
        found = read_preparation(folder, PART, Extractor)
        rate, normalise = told.sample_rate_hz, told.normalise
        if found is not None:
            rate = found[0].sampling_rate if rate is None else rate
            normalise = found[0].do_normalize if normalise is None else normalise
        _require_rate(RATE if rate is None else rate, complain)
        self._normalise, self._layer = bool(normalise), told.layer

        def fits(model: PreTrainedModel) -> str | None:
            if model.main_input_name == "input_values" and hasattr(model.config, "conv_stride"):
                return None
            return (
                f"holds a model of type {model_type!r}, which hears no waveform; nor is it one of "
                f"{', '.join(_KINDS)}"
            )

        # The package's top level would search all of its several hundred models.
        wavlm = model_type == "wavlm"
        kind = find_class("wavlm", "WavLMModel") if wavlm else find_class("auto", "AutoModel")
        self.model = load_model(folder, kind, complain, fits=fits)
        self.shortest, step = 1, 1
        config = self.model.config
        for kernel, stride in zip(config.conv_kernel[::-1], config.conv_stride[::-1], strict=True):
            self.shortest = (self.shortest - 1) * stride + kernel
            step *= stride
        if getattr(config, "add_adapter", False):
            step *= config.adapter_stride**config.num_adapter_layers
        self.frames_per_s = RATE / step

    def prepare(self, clips: Sequence[Samples]) -> Tensor:
        import torch

        if self._normalise:
            clips = [
                ((one - one.mean()) / np.sqrt(one.var() + 1e-7)).astype(np.float32) for one in clips
            ]
        return torch.from_numpy(np.stack(clips))

    def hear(self, prepared: Tensor) -> Tensor:
        output = self.model(prepared, output_hidden_states=self._layer >= 0)
        return layer_of(output, self._layer)

    def n_frames(self, n_samples: int) -> None:
        return None


class _Whisper:
    """The encoder of a Whisper."""

    per_batch = 4
    shortest = 1

    def __init__(self, folder: Path, told: Preprocess, complain: Complain) -> None:
        from transformers.models.whisper.feature_extraction_whisper import WhisperFeatureExtractor

        settings, values = _extractor(folder, "whisper", WhisperExtractor, told, complain)
        self._layer = told.layer
        columns = settings.chunk_length * settings.sampling_rate // settings.hop_length
        given = settings.feature_size, columns

        def fits(model: PreTrainedModel) -> str | None:
            taken = model.config.num_mel_bins, 2 * model.config.max_source_positions
            return _other_size(given, taken)

        self.model = load_model(
            folder,
            find_class("whisper", "WhisperEncoder"),
            complain,
            renamed={r"^(model\.)?encoder\.": ""},
            fits=fits,
        )
        self._extractor = WhisperFeatureExtractor.from_dict(values)
        self._step = 2 * settings.hop_length
        self.longest: int | None = settings.chunk_length * settings.sampling_rate
        self.filled_bytes: int | None = 4 * math.prod(given)
        self.frames_per_s = settings.sampling_rate / self._step

    def prepare(self, clips: Sequence[Samples]) -> Tensor:
        made = self._extractor(list(clips), sampling_rate=RATE, return_tensors="pt")
        spectrograms: Tensor = made["input_features"]
        return spectrograms

    def hear(self, prepared: Tensor) -> Tensor:
        output = self.model(prepared, output_hidden_states=self._layer >= 0)
        return layer_of(output, self._layer)

    def n_frames(self, n_samples: int) -> int:
        # The middle of a frame is where its two columns' first one is centred.
        return math.ceil(n_samples / self._step)


class _Patches:
    """An audio spectrogram transformer."""

    per_batch = 8
    shortest = _KALDI_WINDOW

    def __init__(self, folder: Path, told: Preprocess, complain: Complain) -> None:
        from transformers.models.audio_spectrogram_transformer import (
            feature_extraction_audio_spectrogram_transformer as extraction,
        )

        name = "audio-spectrogram-transformer"
        settings, values = _extractor(folder, name, PatchExtractor, told, complain)
        self._layer = told.layer
        given = settings.num_mel_bins, settings.max_length

        def fits(model: PreTrainedModel) -> str | None:
            return _other_size(given, (model.config.num_mel_bins, model.config.max_length))

        kind = find_class("audio_spectrogram_transformer", "ASTModel")
        self.model = load_model(folder, kind, complain, fits=fits)
        self._extractor = extraction.ASTFeatureExtractor.from_dict(values)
        config = self.model.config
        self._patch, self._step = int(config.patch_size), int(config.time_stride)
        self._n_times = (settings.max_length - self._patch) // self._step + 1
        self.longest: int | None = _KALDI_WINDOW + _KALDI_STEP * settings.max_length - 1
        self.filled_bytes: int | None = 4 * math.prod(given)
        self.frames_per_s = RATE / (_KALDI_STEP * self._step)

    def prepare(self, clips: Sequence[Samples]) -> Tensor:
        made = self._extractor(list(clips), sampling_rate=RATE, return_tensors="pt")
        spectrograms: Tensor = made["input_values"]
        return spectrograms

    def hear(self, prepared: Tensor) -> Tensor:
        output = self.model(prepared, output_hidden_states=self._layer >= 0)
        patches = layer_of(output, self._layer)[:, 2:]
        # All times of the lowest frequency come first, then those of the next one.
        places = patches.reshape(len(patches), -1, self._n_times, patches.shape[-1])
        return places.mean(dim=1)

    def n_frames(self, n_samples: int) -> int:
        columns = (n_samples - _KALDI_WINDOW) // _KALDI_STEP + 1
        within = math.ceil((columns - self._patch / 2) / self._step)
        return min(max(within, 1), self._n_times)


_KINDS: Mapping[str, Any] = {"whisper": _Whisper, "audio-spectrogram-transformer": _Patches}


def _extractor(
    folder: Path, model_type: str, kind: type[T], told: Preprocess, complain: Complain
) -> tuple[T, dict[str, Any]]:
    """What the feature extractor of a model of spectrograms says: as a record, and as it is."""
    found = read_preparation(folder, PART, kind)
    if found is None:
        raise complain(
            f"holds a model of type {model_type!r} and no {ALONE}, which says how its spectrograms "
            "are made"
        )
    if told.sample_rate_hz is not None or told.normalise is not None:
        raise complain(
            f"has a {OWN} with sample_rate_hz or normalise, which {found[2]} decides for models of "
            f"type {model_type!r}"
        )
    settings: Any = found[0]
    _require_rate(settings.sampling_rate, complain)
    return settings, dict(found[1])


def _require_rate(rate: int, complain: Complain) -> None:
    if rate != RATE:
        raise complain(f"hears {rate:,} samples per second, and clips have {RATE:,}")


def _other_size(given: tuple[int, int], taken: tuple[int, int]) -> str | None:
    if given == taken:
        return None
    return (
        f"has a feature extractor that makes spectrograms of {given[0]} bands x {given[1]} "
        f"columns, and its model takes {taken[0]} x {taken[1]}"
    )
