"""What every subject can do, and the small capabilities that only some have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol, Self, runtime_checkable

import numpy as np
import numpy.typing as npt

from toolkit.devices import Device
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from stimuli import StimulusSet

Floats = npt.NDArray[np.float32]
Ints = npt.NDArray[np.int32]
Clip = npt.NDArray[np.float32]
"""(n_samples,) mono sound at 16 kHz in [-1, 1]."""
Picture = npt.NDArray[np.uint8]
"""(height, width, 3) RGB."""


def require_rate(stimuli: StimulusSet, rate_hz: int) -> None:
    """Refuse to have a set's clips heard as if they were slower or faster than they are.

    Args:
        stimuli: the set.
        rate_hz: samples per second that a backbone hears.

    Raises:
        ToolkitError: its clips have another rate.
    """
    if stimuli.sample_rate_hz != rate_hz:
        raise ToolkitError(
            f"The clips of {stimuli.name} have {stimuli.sample_rate_hz:,} samples per second, and "
            f"backbones that hear take {rate_hz:,}.",
            given=f"sample_rate_hz = {stimuli.sample_rate_hz} in {stimuli.folder / 'set.toml'}",
            allowed=f"sample_rate_hz = {rate_hz}",
            next_command=f"sox CLIP -r {rate_hz} CONVERTED for every clip, in a copy of the set",
        )


class UnfitError(ToolkitError):
    """A clip or picture that a backbone cannot take; the backbone knows its number alone.

    Args:
        number: its place among those given.
        problem: what is wrong with it, as in "Clip number 3 has ...".
        parts: see `ToolkitError`.
    """

    def __init__(self, number: int, problem: str, **parts: str) -> None:
        super().__init__(problem, **parts)
        self.number = number

    def of(self, names: Sequence[str]) -> ToolkitError:
        """The same error with the name of the clip or picture.

        Args:
            names: of all those given to the backbone.

        Example:
            >>> print(UnfitError(1, "Clip number 1 has 2 samples.").of(["cat.wav", "dog.wav"]))
            dog.wav cannot be used. Clip number 1 has 2 samples.
        """
        return ToolkitError(
            f"{names[self.number]} cannot be used. {self.message}",
            given=self.given,
            allowed=self.allowed,
            next_command=self.next_command,
        )


@runtime_checkable
class Subject(Protocol):
    """A trained model that hears words and looks at pictures.

    It is never told target, concept or condition. Order is kept, no value is NaN.
    """

    def embed_words(self, clips: Sequence[Clip]) -> Floats:
        """Embed n clips as (n, d) float32."""
        ...

    def embed_pictures(self, pictures: Sequence[Picture]) -> Floats:
        """Embed m pictures as (m, d) float32."""
        ...

    def similarity(self, words: Floats, pictures: Floats) -> Floats:
        """Similarity of (n, d) words and (m, d) pictures as (n, m); higher is a better match."""
        ...


class Backbone(Protocol):
    """A frozen backbone that is loaded when first needed."""

    sha256: str
    """Equal for backbones that give the same features."""

    def load(self) -> Any:
        """The backbone itself; its ``features(media)`` gives one entry per clip or picture."""
        ...

    def on(self, device: Device) -> Self:
        """The same backbone, computing on a device."""
        ...


@runtime_checkable
class Movable(Protocol):
    """A subject that can compute on a card; what it is given and gives lies in memory as ever."""

    def on(self, device: Device) -> Any:
        """The same subject, computing on a device."""
        ...


@runtime_checkable
class SharesBackbones(Protocol):
    """A subject that stands on frozen backbones, whose features can serve other subjects too."""

    hearing: Backbone
    """Turns clips into features."""
    seeing: Backbone
    """Turns pictures into features."""

    def embed_word_features(self, features: Any) -> Floats:
        """Embed n clips from their features as (n, d) float32."""
        ...

    def embed_picture_features(self, features: Any) -> Floats:
        """Embed m pictures from their features as (m, d) float32."""
        ...


@runtime_checkable
class Learns(Protocol):
    """A subject that goes on learning from pairs of a word and a picture."""

    def learn(self, pairs: Sequence[tuple[Clip, Picture]], *, rate: float, steps: int) -> Any:
        """The subject after it learnt from n pairs; it itself stays as it is.

        Args:
            pairs: clips, each with the picture that it is to go with.
            rate: length of a step, as a multiple of the gradient.
            steps: how many are taken, all on the same pairs.
        """
        ...


class Pupils(Protocol):
    """Subjects that learn side by side, each a state of its own, with known words and pictures.

    Words and pictures are told by their places among those known.
    """

    @property
    def start(self) -> Any:
        """The state in which nothing is learnt yet."""

    def scores(
        self, states: Sequence[Any], words: Sequence[Ints], options: Sequence[Ints]
    ) -> list[Floats]:
        """For every state, the scores of the (n, k) options of its n words."""
        ...

    def learn(
        self, states: Sequence[Any], words: Sequence[Ints], pictures: Sequence[Ints]
    ) -> list[Any]:
        """For every state, what it is after it learnt its n pairs, all at once."""
        ...


@runtime_checkable
class LearnsTogether(SharesBackbones, Learns, Protocol):
    """A subject that can go through many lessons side by side, from frozen features."""

    def pupils(self, words: Any, pictures: Any, *, rate: float, steps: int) -> Pupils:
        """The subject at the start of its lessons.

        Args:
            words: features of all words, as `embed_word_features` takes them.
            pictures: features of all pictures, as `embed_picture_features` takes them.
            rate: as for `Learns.learn`.
            steps: as for `Learns.learn`.
        """
        ...


@runtime_checkable
class HearsPrefixes(Protocol):
    """A subject that hears words as they unfold; all others are given clips that were cut."""

    def embed_prefixes(
        self, clips: Sequence[Clip], ends: Sequence[Sequence[int]]
    ) -> Sequence[Floats]:
        """Embed what has been heard of each of n clips up to some points.

        Nothing may depend on samples that come later: each vector is what `embed_words` would give
        if the clip ended there.

        Args:
            clips: n whole clips.
            ends: for each clip k points in rising order, as numbers of samples.

        Returns:
            For each clip (k, d) float32, in the space of `embed_words`.
        """
        ...


@runtime_checkable
class ReadsText(Protocol):
    """A model that reads words and short phrases."""

    def embed_text(self, texts: Sequence[str]) -> Floats:
        """Embed n texts as (n, d) float32 of length one."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Subword tokens of every text, special tokens not counted."""
        ...


@runtime_checkable
class SeesPlaces(Protocol):
    """A model that gives every place of a picture a vector in the space of its texts."""

    def embed_patches(self, pictures: Sequence[Picture]) -> Floats:
        """Embed m square pictures as (m, h, w, d) float32, every place of length one."""
        ...


@runtime_checkable
class SeesAnswers(Protocol):
    """A dummy that is handed the trial list with its answers; never a model.

    Kept apart from `Subject`, so that no model can be given the answers by mistake.
    """

    def answer(self, trials: Any) -> Floats:
        """Score every option of every trial, (n, places)."""
        ...


@runtime_checkable
class SeesMasks(Protocol):
    """A dummy that is handed the true masks of pictures; never a model.

    Kept apart from `SeesPlaces`, so that no model can be given the truth by mistake.
    """

    def draw(self, truth: Any, what: str, n_texts: int) -> Floats:
        """Draw one map for each of n texts that name the same thing, (n_texts, h, w).

        Args:
            truth: (height, width) bool, where the thing is seen.
            what: picture, thing and template, as a name that is different for each.
            n_texts: number of texts.
        """
        ...
