"""Networks that learn from a few pairs by plain gradient descent, many of them side by side.

Only the two towers learn; what scoring has besides them (temperature, means and variances) stays as
training left it. Nothing is dropped out, so that a lesson has one outcome.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, grad, vmap
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from toolkit.subjects.vgs.towers import VGSNetwork

    Floats = NDArray[np.float32]
    Ints = NDArray[np.int32]

State = Mapping[str, Tensor]
"""Parameters of both towers by published name."""
TOWERS = ("audio_enc", "image_enc")
TOGETHER = 32
"""Networks that are worked on in one pass."""


@dataclass(frozen=True, eq=False)
class TowerPupils:
    """Networks that learn, each with towers of its own; see `toolkit.subjects.contract.Pupils`.

    Args:
        network: in evaluation mode, whose towers are those of the start.
        words: features of all words, arrays of (frames, word_dim).
        pictures: features of all pictures, (m, picture_dim, height, width).
        rate: length of a step, as a multiple of the gradient.
        steps: steps on the pairs of a lesson.
        score: scores (n, d) words against (m, d) pictures, (n, m).
    """

    network: VGSNetwork
    words: Sequence[Floats]
    pictures: Floats
    rate: float
    steps: int
    score: Callable[[Floats, Floats], Floats]

    @property
    def start(self) -> State:
        """The towers as they were trained."""
        return {
            name: value.detach()
            for name, value in self.network.named_parameters()
            if name.startswith(TOWERS)
        }

    def learn(
        self, states: Sequence[State], words: Sequence[Ints], pictures: Sequence[Ints]
    ) -> list[State]:
        """Take the steps of one lesson each, all pairs of a lesson together."""
        made: list[State] = [{}] * len(states)
        for places in _alike(len(own) for own in words):
            weights = _stacked([states[place] for place in places])
            heard, lengths = self._heard([words[place] for place in places])
            seen = self._seen([pictures[place] for place in places])
            gradient = vmap(grad(self._loss))
            for _ in range(self.steps):
                slopes = gradient(weights, heard, lengths, seen)
                weights = {name: own - self.rate * slopes[name] for name, own in weights.items()}
            for number, place in enumerate(places):
                made[place] = {name: own[number].clone() for name, own in weights.items()}
        return made

    def scores(
        self, states: Sequence[State], words: Sequence[Ints], options: Sequence[Ints]
    ) -> list[Floats]:
        """Embed what is asked with each state's towers, and score it."""
        made: list[Floats] = [np.zeros(0, dtype=np.float32)] * len(states)
        asked = [np.unique(shown, return_inverse=True) for shown in options]
        for places in _alike(
            (len(own), len(different)) for own, (different, _) in zip(words, asked, strict=True)
        ):
            weights = _stacked([states[place] for place in places])
            heard, lengths = self._heard([words[place] for place in places])
            seen = self._seen([asked[place][0] for place in places])
            with torch.no_grad():
                own_words, own_pictures = vmap(self._embedded)(weights, heard, lengths, seen)
            for number, place in enumerate(places):
                matrix = self.score(own_words[number].numpy(), own_pictures[number].numpy())
                where = asked[place][1].reshape(options[place].shape)
                made[place] = matrix[np.arange(len(matrix))[:, None], where]
        return made

    def _loss(self, weights: State, heard: Tensor, lengths: Tensor, seen: Tensor) -> Tensor:
        """Cross-entropy of each word's picture, and of each picture's word, among all pairs."""
        words, pictures = self._embedded(weights, heard, lengths, seen)
        scores = self.network.similarity(words, pictures)
        own = torch.arange(len(scores))
        return functional.cross_entropy(scores, own) + functional.cross_entropy(scores.T, own)

    def _embedded(
        self, weights: State, heard: Tensor, lengths: Tensor, seen: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Words (n, d) and pictures (m, d) as the towers of one network make them."""
        hearing, seeing = (
            {
                name.removeprefix(f"{tower}."): own
                for name, own in weights.items()
                if name.startswith(tower)
            }
            for tower in TOWERS
        )
        words: Tensor = functional_call(self.network.audio_enc, hearing, (heard, lengths))
        pictures: Tensor = functional_call(self.network.image_enc, seeing, (seen,))
        return words, pictures

    def _heard(self, words: Sequence[Ints]) -> tuple[Tensor, Tensor]:
        """Features of words, (networks, n, frames, word_dim), and how many frames count."""
        lengths = np.array([[len(self.words[number]) for number in own] for own in words])
        heard = np.zeros((*lengths.shape, lengths.max(), self.words[0].shape[1]), dtype=np.float32)
        for row, own in enumerate(words):
            for column, number in enumerate(own):
                heard[row, column, : lengths[row, column]] = self.words[number]
        return torch.from_numpy(heard), torch.from_numpy(lengths)

    def _seen(self, pictures: Sequence[Ints]) -> Tensor:
        """Features of pictures, (networks, m, places, picture_dim)."""
        maps = np.stack([self.pictures[own] for own in pictures]).astype(np.float32, copy=False)
        return torch.from_numpy(maps).flatten(3).transpose(2, 3)


def _alike(sizes: Iterable[Any]) -> list[list[int]]:
    """Places of equal sizes, in groups that are worked on in one pass."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for place, size in enumerate(sizes):
        groups[size].append(place)
    return [
        group[start : start + TOGETHER]
        for group in groups.values()
        for start in range(0, len(group), TOGETHER)
    ]


def _stacked(states: Sequence[State]) -> dict[str, Tensor]:
    """The parameters of all states, (networks, ...)."""
    return {name: torch.stack([state[name] for state in states]) for name in states[0]}
