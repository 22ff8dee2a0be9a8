"""Features of the training stimuli: every view goes through the frozen backbones once.

They are kept in one file, in half precision unless the recipe says otherwise; several training
processes map it into memory together. Published features stay in their files, see
`toolkit.training.on_disk`: the file of a bank then holds where each lies, and its checksum.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from stimuli import limits
from toolkit.devices import CPU, Device
from toolkit.subjects.contract import UnfitError
from toolkit.training import views
from toolkit.training.gathering import Buffers, Scale, gather
from toolkit.training.on_disk import OnDisk

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from toolkit.subjects.backbones.hearing import Hearing
    from toolkit.subjects.backbones.seeing import Seeing

SPLITS = ("train", "valid")
"""The splits that training may see. There is no way to ask for `test`."""
_FRAME_STEP = 640
_AT_ONCE = 256
_SAMPLE_STEP = 7
"""Means and deviations are taken over every seventh view, which is plenty, or over fewer."""
_SAMPLE_BYTES = 1 << 28
"""Features that means and deviations are taken over, at most."""
_ONTO_A_CARD = 512
"""Rows that are read at once where all go to a card."""


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
    """Feature maps of the picture views, half or float32, (picture views, channels, h, w); the
    channels of a place best lie one after another, as they are handed out."""
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
    disk: OnDisk | None = None
    """Where features are that stay on the disk; `frames` and `maps` then tell shapes alone."""
    buffers: Buffers | None = None
    """Where features are put, the same for every update; None: into new memory."""
    as_handed_out: bool = False
    """Whether `maps` are what is handed out, once, all of them in order; see `read`."""

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

    def few(self, exemplars: int, seed: int) -> FeatureBank:
        """The same bank for a learner who meets few exemplars in training.

        Validation is on all of the split `valid`.

        Args:
            exemplars: clips of each class in each language, and pictures of each class; all views
                of one count once. 0 for all of them.
            seed: decides which.
        """
        if not exemplars:
            return self
        rng = np.random.default_rng([_EXEMPLARS, seed])
        words = _unmet(self.word_table, exemplars, rng)
        pictures = _unmet(self.picture_table, exemplars, rng)
        return replace(
            self,
            word_table=tuple(
                (row[0], _UNMET, row[2], row[3]) if row in words else row for row in self.word_table
            ),
            picture_table=tuple(
                (row[0], _UNMET, row[2]) if row in pictures else row for row in self.picture_table
            ),
        )

    @property
    def word_bytes(self) -> int:
        """Size of the longest word view as a network takes it."""
        return int(np.diff(self.word_start).max(initial=0)) * self.frames.shape[1] * 4

    @property
    def picture_bytes(self) -> int:
        """Size of a picture view as a network takes it."""
        return math.prod(self.maps.shape[1:]) * 4

    @property
    def n_bytes(self) -> int:
        """Size of all features in their precision, wherever they are."""
        words = int(self.word_start[-1]) * self.frames.shape[1]
        maps = len(self.picture_table) * math.prod(self.maps.shape[1:])
        return (words + maps) * self.frames.element_size()

    def words(self, rows: NDArray[np.int64]) -> tuple[Tensor, Tensor]:
        """Speech features of some word views, padded to the longest.

        Args:
            rows: shape (n,).

        Returns:
            Features, float32, (n, frames, dim), and lengths in frames, (n,).
        """
        if self.disk:
            return self.read(rows, _NO_ROWS).words(np.arange(len(rows)))
        lengths = self.word_start[rows + 1] - self.word_start[rows]
        places = self.word_start[rows][:, None] + np.arange(lengths.max())
        np.minimum(places, self.word_start[rows + 1][:, None] - 1, out=places)
        found = torch.from_numpy(places)
        if self.device.kind == "cpu":
            features = self.empty(*places.shape, self.frames.shape[1])
            gather(self.frames, found.flatten(), features.flatten(0, 1))
        else:
            features = self.device.to(self.frames[found]).float()
        if self.word_scale:
            self.word_scale.apply(features)
        return features, self.device.to(torch.from_numpy(lengths))

    def pictures(self, rows: NDArray[np.int64]) -> Tensor:
        """Feature maps of some picture views, float32, (n, channels, h, w).

        The channels of a place lie one after another, as a network multiplies them.
        """
        if self.disk:
            return self.read(_NO_ROWS, rows, once=True).pictures(np.arange(len(rows)))
        found, by_place = torch.from_numpy(rows), self.maps.movedim(1, -1)
        if self.as_handed_out:
            maps = by_place
        elif self.device.kind == "cpu":
            maps = gather(by_place, found, self.empty(len(rows), *by_place.shape[1:]))
        else:
            maps = self.device.to(by_place[found]).float()
        if self.picture_scale:
            self.picture_scale.apply(maps)
        return maps.movedim(-1, 1)

    def empty(self, *shape: int) -> Tensor:
        """Where features of that shape are to be put, float32."""
        return self.buffers.empty(*shape) if self.buffers else torch.empty(shape)

    def read(
        self,
        words: NDArray[np.int64],
        pictures: NDArray[np.int64],
        *,
        once: bool = False,
        room: Event | None = None,
    ) -> FeatureBank:
        """A bank of some rows alone, in memory; only of a bank whose features are on the disk.

        Args:
            words: rows of word views, which become rows 0, 1, ... there.
            pictures: rows of picture views.
            once: whether the pictures will be asked for once, all of them, in that order. In single
                precision on a processor they are then read to where they are handed out.
            room: waited for when a quarter of the pictures is read; None for not at all.

        Raises:
            ToolkitError: a feature is not what it was when its file was gone through.
        """
        if self.disk is None:
            raise ValueError("the features of this bank are in memory")
        ends = np.cumsum(self.word_start[words + 1] - self.word_start[words])
        start = np.concatenate([[0], ends]).astype(np.int64)
        frames = torch.empty(int(start[-1]), self.frames.shape[1], dtype=self.frames.dtype)
        maps = _empty_maps(len(pictures), self.maps)
        handed_out = once and self.device.kind == "cpu" and self.maps.dtype == torch.float32
        word_table = tuple(self.word_table[row] for row in words.tolist())
        picture_table = tuple(self.picture_table[row] for row in pictures.tolist())
        each = [frames[one:other] for one, other in itertools.pairwise(start.tolist())]
        self.disk.read(self.disk.words.some(words), [row[0] for row in word_table], each)
        names = [row[0] for row in picture_table]
        self.disk.read(self.disk.pictures.some(pictures), names, maps.unbind(), room)
        return replace(
            self,
            word_table=word_table,
            picture_table=picture_table,
            frames=frames,
            word_start=start,
            maps=maps,
            disk=None,
            as_handed_out=handed_out,
        )

    def at_hand(self) -> FeatureBank:
        """The same bank in memory, if there is not too much of it (`FEATURES_IN_MEMORY`)."""
        if self.disk is None or self.n_bytes > limits.FEATURES_IN_MEMORY:
            return self
        return self.read(np.arange(len(self.word_table)), np.arange(len(self.picture_table)))

    def on(self, device: Device) -> FeatureBank:
        """The same bank, handing out features on a device.

        All of it lies there where it has room, in its precision; otherwise what is asked for is
        sent there each time.
        """
        frames, maps, disk = self.frames, self.maps, self.disk
        if device.has_room(self.n_bytes):
            if disk and device.kind != "cpu":
                frames, maps = self._onto(device)
                disk = None
            frames, maps = device.to(frames), device.to(maps)
        return replace(
            self,
            frames=frames,
            maps=maps,
            word_scale=self.word_scale and self.word_scale.on(device),
            picture_scale=self.picture_scale and self.picture_scale.on(device),
            device=device,
            disk=disk,
        )

    def _onto(self, device: Device) -> tuple[Tensor, Tensor]:
        """Speech features and feature maps from the disk, all on a card, sent there by and by."""
        shape = int(self.word_start[-1]), self.frames.shape[1]
        frames = torch.empty(shape, dtype=self.frames.dtype, device=device.place)
        maps = _empty_maps(len(self.picture_table), self.maps, device.place)
        for rows in _runs(len(self.word_table)):
            there = slice(self.word_start[rows[0]], self.word_start[rows[-1] + 1])
            frames[there] = device.to(self.read(rows, _NO_ROWS).frames)
        for rows in _runs(len(maps)):
            maps[rows[0] : rows[-1] + 1] = device.to(self.read(_NO_ROWS, rows).maps)
        return frames, maps

    def standardised(self, languages: Sequence[str]) -> FeatureBank:
        """The same bank, handing out features with mean 0 and deviation 1 in every channel.

        Args:
            languages: ISO codes of the languages whose training words count.
        """
        words = [
            self.word_rows("train", c, language) for c in self.concepts for language in languages
        ]
        features, lengths = self.words(_sample(np.concatenate(words), self.word_bytes))
        heard = torch.arange(features.shape[1]) < lengths.unsqueeze(1)
        pictures = [self.picture_rows("train", concept) for concept in self.concepts]
        maps = self.pictures(_sample(np.concatenate(pictures), self.picture_bytes))
        return replace(
            self,
            word_scale=Scale.of(features[heard]),
            picture_scale=Scale.of(maps.movedim(1, -1).flatten(0, 2)),
        )


_NO_ROWS = np.empty(0, dtype=np.int64)
_UNMET = "unmet"
"""Stands for the split of what a learner does not meet."""
_EXEMPLARS = 7
"""Keeps the draw of exemplars apart from what else a seed decides."""


def _unmet(
    table: Sequence[tuple[str, ...]], exemplars: int, rng: np.random.Generator
) -> set[tuple[str, ...]]:
    """Rows of the split `train` that a learner of few exemplars does not meet."""
    classes: dict[tuple[str, ...], set[tuple[str, ...]]] = {}
    for row in table:
        if row[1] == "train":
            classes.setdefault(row[2:], set()).add(row)
    unmet: set[tuple[str, ...]] = set()
    for _, own in sorted(classes.items()):
        order = rng.permutation(len(own))
        unmet.update(
            row for row, place in zip(sorted(own), order, strict=True) if place >= exemplars
        )
    return unmet


def _empty_maps(n: int, like: Tensor, place: str = CPU.place) -> Tensor:
    """Room for feature maps, (n, channels, h, w), the channels of a place one after another."""
    channels, *size = like.shape[1:]
    return torch.empty(n, *size, channels, dtype=like.dtype, device=place).movedim(-1, 1)


def _sample(rows: NDArray[np.int64], row_bytes: int) -> NDArray[np.int64]:
    return rows[:: max(_SAMPLE_STEP, -(-len(rows) * row_bytes // _SAMPLE_BYTES))]


def _runs(n: int) -> Iterator[NDArray[np.int64]]:
    """The numbers below `n`, some at a time."""
    for start in range(0, n, _ONTO_A_CARD):
        yield np.arange(start, min(n, start + _ONTO_A_CARD))


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
        by_place = torch.from_numpy(seeing.features(pictures)).movedim(1, -1)
        maps.append(by_place.to(precision).contiguous())
        picture_table += [(row["stimulus_id"], row["split"], row["concept"]) for row, _ in some]
        progress("seeing pictures", len(picture_table), len(picture_jobs))
    return FeatureBank(
        concepts=tuple(sorted({concept for _, _, concept in picture_table})),
        word_table=tuple(word_table),
        picture_table=tuple(picture_table),
        frames=torch.cat(frames),
        word_start=np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64),
        maps=torch.cat(maps).movedim(-1, 1),
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
