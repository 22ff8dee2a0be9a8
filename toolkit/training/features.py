"""Features of the training stimuli: every view goes through the frozen backbones once.

They are kept in one file, in half precision unless the recipe says otherwise; several training
processes map it into memory together.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from stimuli.files import require_sound, write_checked
from stimuli.schemas import Source, checked
from stimuli.texts import parse_json
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError, first_line, quoted
from toolkit.subjects.contract import UnfitError
from toolkit.training import views

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from toolkit.subjects.backbones.hearing import Hearing
    from toolkit.subjects.backbones.seeing import Seeing

SPLITS = ("train", "valid")
"""The splits that training may see. There is no way to ask for `test`."""
_FRAME_STEP = 640
_AT_ONCE = 256
_SAMPLE_STEP = 7
"""Means and deviations are taken over every seventh view, which is plenty."""


@dataclass(frozen=True)
class Scale:
    """Brings every channel to mean 0 and deviation 1."""

    mean: Tensor
    """Mean of each channel, (channels,)."""
    deviation: Tensor
    """Standard deviation of each channel, (channels,)."""

    @classmethod
    def of(cls, values: Tensor) -> Scale:
        """The scale of some values, (n, channels)."""
        deviation, mean = torch.std_mean(values, dim=0)
        # A channel that never changes says nothing, whatever it is divided by.
        return cls(mean, deviation.clamp(min=1e-3))

    def apply(self, values: Tensor) -> Tensor:
        """Scaled values, (..., channels)."""
        return (values - self.mean) / self.deviation

    def on(self, device: Device) -> Scale:
        """The same scale, for values on a device."""
        return Scale(device.to(self.mean), device.to(self.deviation))


@dataclass(frozen=True)
class FeatureBank:
    """Features of all views of the familiar stimuli in the splits `train` and `valid`."""

    concepts: tuple[str, ...]
    """Familiar classes, sorted; other fields count in this order."""
    word_table: tuple[tuple[str, str, str, str], ...]
    """Per word view: stimulus, split, concept, language."""
    picture_table: tuple[tuple[str, str, str], ...]
    """Per picture view: stimulus, split, concept."""
    frames: Tensor
    """Speech features of all word views one after another, half or float32, (frames, dim)."""
    word_start: NDArray[np.int64]
    """First frame of each word view, and the end of the last: (word views + 1,)."""
    maps: Tensor
    """Feature maps of the picture views, half or float32, (picture views, channels, h, w)."""
    word_scale: Scale | None = None
    """Applied to the speech features that are handed out."""
    picture_scale: Scale | None = None
    """Applied to the feature maps that are handed out."""
    made_on: str = CPU.told
    """Device that the backbones computed on."""
    device: Device = CPU
    """Where features are handed out."""
    samples: Path | None = None
    """File of a validation sample (`toolkit.training.published_samples`); None: one is drawn."""

    def word_rows(self, split: str, concept: str, language: str) -> NDArray[np.int64]:
        """Rows of the word views of a class in a language."""
        wanted = (split, concept, language)
        return np.array(
            [row for row, (_, *facts) in enumerate(self.word_table) if tuple(facts) == wanted],
            dtype=np.int64,
        )

    def picture_rows(self, split: str, concept: str) -> NDArray[np.int64]:
        """Rows of the picture views of a class."""
        wanted = (split, concept)
        return np.array(
            [row for row, (_, *facts) in enumerate(self.picture_table) if tuple(facts) == wanted],
            dtype=np.int64,
        )

    def n_clips(self, split: str, languages: Sequence[str]) -> int:
        """How many clips of its classes there are, each counted once whatever its views."""
        known = set(self.concepts)
        return len(
            {
                (name, language)
                for name, own, concept, language in self.word_table
                if own == split and language in languages and concept in known
            }
        )

    def only(self, concepts: Sequence[str]) -> FeatureBank:
        """The same bank for a learner who meets these classes alone.

        Args:
            concepts: some of its classes.
        """
        return replace(self, concepts=tuple(sorted(concepts)))

    @property
    def word_bytes(self) -> int:
        """Size of the longest word view as a network takes it."""
        return int(np.diff(self.word_start).max(initial=0)) * self.frames.shape[1] * 4

    @property
    def picture_bytes(self) -> int:
        """Size of a picture view as a network takes it."""
        return math.prod(self.maps.shape[1:]) * 4

    def words(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Speech features of some word views, padded to the longest.

        Args:
            rows: shape (n,).

        Returns:
            Features, float32, (n, frames, dim), and lengths in frames, (n,).
        """
        lengths = self.word_start[rows + 1] - self.word_start[rows]
        places = self.word_start[rows][:, None] + np.arange(lengths.max())
        np.minimum(places, self.word_start[rows + 1][:, None] - 1, out=places)
        features = self.device.to(self.frames[torch.from_numpy(places)]).float()
        if self.word_scale:
            features = self.word_scale.apply(features)
        return features, self.device.to(torch.from_numpy(lengths))

    def pictures(self, rows: NDArray[np.int64]) -> Tensor:
        """Feature maps of some picture views, float32, (n, channels, h, w)."""
        maps = self.device.to(self.maps[torch.from_numpy(rows)]).float()
        if self.picture_scale:
            maps = self.picture_scale.apply(maps.movedim(1, -1)).movedim(-1, 1)
        return maps

    def on(self, device: Device) -> FeatureBank:
        """The same bank, handing out features on a device.

        All of it lies there where it has room, in its precision; otherwise what is asked for is
        sent there each time.
        """
        frames, maps = self.frames, self.maps
        if device.has_room(frames.nbytes + maps.nbytes):
            frames, maps = device.to(frames), device.to(maps)
        return replace(
            self,
            frames=frames,
            maps=maps,
            word_scale=self.word_scale and self.word_scale.on(device),
            picture_scale=self.picture_scale and self.picture_scale.on(device),
            device=device,
        )

    def standardised(self, languages: Sequence[str]) -> FeatureBank:
        """The same bank, handing out features with mean 0 and deviation 1 in every channel.

        Args:
            languages: ISO codes of the languages whose training words count.
        """
        words = [
            self.word_rows("train", c, language) for c in self.concepts for language in languages
        ]
        features, lengths = self.words(np.concatenate(words)[::_SAMPLE_STEP])
        heard = torch.arange(features.shape[1]) < lengths.unsqueeze(1)
        pictures = [self.picture_rows("train", concept) for concept in self.concepts]
        maps = self.pictures(np.concatenate(pictures)[::_SAMPLE_STEP])
        return replace(
            self,
            word_scale=Scale.of(features[heard]),
            picture_scale=Scale.of(maps.movedim(1, -1).flatten(0, 2)),
        )


def build_bank(
    stimuli: StimulusSet,
    hearing: Hearing,
    seeing: Seeing,
    *,
    word_views: int,
    picture_views: int,
    languages: Collection[str] | None = None,
    precision: torch.dtype = torch.half,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> FeatureBank:
    """Put the views of all stimuli that training may see through the backbones.

    Stimuli of the split `valid` have view 0 alone: what is held out stays as it is.

    Args:
        stimuli: a stimulus set.
        hearing: speech backbone.
        seeing: picture backbone.
        word_views: views of each training word, the unaltered one among them.
        picture_views: views of each training picture, the unaltered one among them.
        languages: ISO codes of those whose words are heard; None for all.
        precision: in which features are kept.
        progress: called with what is being done, how much of it is done, and how much there is.
    """
    word_table: list[tuple[str, str, str, str]] = []
    picture_table: list[tuple[str, str, str]] = []
    lengths: list[int] = []
    frames: list[Tensor] = []
    maps: list[Tensor] = []
    word_jobs = [job for job in _views(stimuli, "word", word_views) if _is_in(job, languages)]
    picture_jobs = list(_views(stimuli, "picture", picture_views))
    for some in _portions(word_jobs):
        clips = [
            _clip(stimuli.read_clip(name), name, view)
            for name, view in ((row["stimulus_id"], view) for row, view in some)
        ]
        try:
            heard = hearing.features(clips)
        except UnfitError as error:
            raise error.of([str(stimuli.folder / row["path"]) for row, _ in some]) from error
        for (row, _), feature in zip(some, heard, strict=True):
            word_table.append((row["stimulus_id"], row["split"], row["concept"], row["language"]))
            lengths.append(len(feature))
            frames.append(torch.from_numpy(feature).to(precision))
        progress("hearing words", len(lengths), len(word_jobs))
    for some in _portions(picture_jobs):
        pictures = [
            views.picture_view(stimuli.read_picture(row["stimulus_id"]), row["stimulus_id"], view)
            for row, view in some
        ]
        maps.append(torch.from_numpy(seeing.features(pictures)).to(precision))
        picture_table += [(row["stimulus_id"], row["split"], row["concept"]) for row, _ in some]
        progress("seeing pictures", len(picture_table), len(picture_jobs))
    return FeatureBank(
        concepts=tuple(sorted({concept for _, _, concept in picture_table})),
        word_table=tuple(word_table),
        picture_table=tuple(picture_table),
        frames=torch.cat(frames),
        word_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        maps=torch.cat(maps),
    )


def outline(stimuli: StimulusSet, languages: Collection[str] | None = None) -> FeatureBank:
    """A bank that holds names, splits and classes alone, to see what there is to train on.

    Args:
        stimuli: a stimulus set.
        languages: ISO codes of those whose words are heard; None for all.
    """
    words = [job[0] for job in _views(stimuli, "word", 1) if _is_in(job, languages)]
    pictures = [row for row, _ in _views(stimuli, "picture", 1)]
    return FeatureBank(
        concepts=tuple(sorted({row["concept"] for row in (*words, *pictures)})),
        word_table=tuple(
            (row["stimulus_id"], row["split"], row["concept"], row["language"]) for row in words
        ),
        picture_table=tuple((row["stimulus_id"], row["split"], row["concept"]) for row in pictures),
        frames=torch.empty(0, 0),
        word_start=np.zeros(1, dtype=np.int64),
        maps=torch.empty(0, 0, 0, 0),
    )


@dataclass(frozen=True)
class BankTables:
    """What the metadata of a bank's file hold: their schema."""

    concepts: tuple[str, ...]
    """Classes."""
    words: tuple[tuple[str, str, str, str], ...]
    """Clips, see `FeatureBank.word_table`."""
    pictures: tuple[tuple[str, str, str], ...]
    """Pictures, see `FeatureBank.picture_table`."""
    made_on: str = CPU.told
    """Device that the backbones computed on; told of cards alone."""


def save_bank(bank: FeatureBank, path: Path) -> None:
    """Write a bank to one safetensors file.

    Args:
        bank: what to write.
        path: where to.
    """
    tables: dict[str, Any] = {
        "concepts": bank.concepts,
        "words": bank.word_table,
        "pictures": bank.picture_table,
    }
    if bank.made_on != CPU.told:
        tables["made_on"] = bank.made_on
    tensors = {
        "frames": bank.frames,
        "maps": bank.maps,
        "word_start": torch.from_numpy(bank.word_start),
    }
    with write_checked(path) as unfinished:
        # One entry only: several would be written in random order.
        save_file(tensors, unfinished, metadata={"tables": json.dumps(tables)})


def load_bank(path: Path) -> FeatureBank:
    """Map a bank into memory; processes that do so share the pages.

    Args:
        path: a file of `save_bank`.
    """
    require_sound(path, kept=True)
    again = f"rm {quoted(path)}, then the same command again"
    try:
        with safe_open(path, framework="pt") as file:
            told = (file.metadata() or {}).get("tables", "")
            frames, maps = file.get_tensor("frames"), file.get_tensor("maps")
            word_start = file.get_tensor("word_start").numpy()
    except Exception as error:
        # Damaged bytes, and types that NumPy does not have, raise whatever comes of them.
        raise ToolkitError(
            f"{path} cannot be read: {first_line(error)}.", next_command=again
        ) from error
    source = Source(str(path), again)
    tables = checked(BankTables, parse_json(told, source), source)
    return FeatureBank(
        concepts=tables.concepts,
        word_table=tables.words,
        picture_table=tables.pictures,
        frames=frames,
        word_start=word_start,
        maps=maps,
        made_on=tables.made_on,
    )


def bank_key(*facts: str | int) -> str:
    """Name of a bank: a checksum over everything that decides its content.

    Args:
        facts: checksums of stimuli and backbones, numbers of views.

    Example:
        >>> bank_key("stimuli", 5) == bank_key("stimuli", 7)
        False
    """
    return hashlib.sha256(json.dumps([views.VERSION, *facts]).encode()).hexdigest()[:16]


def _views(stimuli: StimulusSet, kind: str, n_views: int) -> Iterator[tuple[dict[str, str], int]]:
    """Rows of the familiar stimuli of one kind, each with the numbers of its views."""
    for split in SPLITS:
        rows = stimuli.select(kind=kind, split=split, status="familiar").reset_index()
        for row in rows.to_dict("records"):
            for view in range(n_views if split == "train" else 1):
                yield {str(key): str(value) for key, value in row.items()}, view


def _is_in(job: tuple[dict[str, str], int], languages: Collection[str] | None) -> bool:
    return languages is None or job[0]["language"] in languages


def _portions(
    jobs: Sequence[tuple[dict[str, str], int]],
) -> Iterator[Sequence[tuple[dict[str, str], int]]]:
    for start in range(0, len(jobs), _AT_ONCE):
        yield jobs[start : start + _AT_ONCE]


def _clip(clip: NDArray[np.float32], name: str, view: int) -> NDArray[np.float32]:
    """A view of a clip.

    Altered ones get silence behind them, to a multiple of 40 ms, so that many have equal lengths.
    The clip itself stays as it is: its features may have been stored.
    """
    if view == 0:
        return clip
    clip = views.clip_view(clip, name, view)
    return np.pad(clip, (0, -len(clip) % _FRAME_STEP))
