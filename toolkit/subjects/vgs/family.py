"""What a network family is asked: how it scores embeddings, and what its training makes small.

Whoever has to know what a family does differently asks its class, see
`toolkit.subjects.vgs.families`. Stored embeddings are scored in NumPy; torch is imported where a
network is made, and not before.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn


class Settings(Protocol):
    """What a family reads of the settings of its network, see `NetworkConfig` beside it."""

    @property
    def family(self) -> str:
        """Its own name."""

    @property
    def embedding(self) -> int:
        """Dimensions of the space that words and pictures share."""

    @property
    def temperature(self) -> str:
        """How the learnt temperature is bounded."""

    @property
    def pooling(self) -> str:
        """How embeddings of several positions are scored."""


class Network(Protocol):
    """What a family asks of its network: to score, and for its own parts by name."""

    def similarity(self, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""

    def get_parameter(self, target: str) -> nn.Parameter:
        """One of its `Family.parts` that is a parameter."""

    def get_submodule(self, target: str) -> nn.Module:
        """One of its `Family.parts` that is a module."""


class Chosen(NamedTuple):
    """Embeddings, and which of them every item is told by."""

    embeddings: Tensor
    """Each once, shape (m, d)."""
    places: Tensor
    """Places among them, shape (items, n): what belongs to the item, then the others."""

    def placed(self) -> Tensor:
        """Item by item, shape (items, n, d)."""
        return self.embeddings[self.places]


class Family(ABC):
    """What the networks of one family do in their own way.

    Args:
        config: shape and scoring of the network.
    """

    name: ClassVar[str]
    """As `config.json`, recipes and the command line name it."""
    needs_negatives: ClassVar[bool] = True
    """Whether training tells items apart from items of other classes."""
    links: ClassVar[bool] = False
    """Whether training has language links: every word comes with one in a second language."""
    smooths_labels: ClassVar[bool] = True
    """Whether training can spread a share of the target over all choices."""
    seeds_together: ClassVar[bool] = True
    """Whether several seeds can be trained in one pass, each as it is trained alone but for
    rounding."""
    parameters: ClassVar[tuple[str, ...]] = ()
    """What scoring reads from a network besides its embeddings, by published names."""
    published_kind: ClassVar[str] = ""
    """First word of those names of published configurations that begin with a family."""

    def __init__(self, config: Settings) -> None:
        self.config = config

    @abstractmethod
    def score(
        self,
        state: Mapping[str, NDArray[Any]],
        words: NDArray[np.float32],
        pictures: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Score embeddings without torch; higher is a better match.

        Args:
            state: parameters under the published names; those of `parameters` are read.
            words: embeddings, shape (n, d).
            pictures: embeddings, shape (m, d).

        Returns:
            Shape (n, m), float32.
        """

    def scale(self, state: Mapping[str, Any]) -> float | None:
        """The number that cosine similarities are multiplied with; None without a temperature.

        Args:
            state: parameters under the published names.
        """
        return None

    def parts(self) -> dict[str, nn.Parameter | nn.Module]:
        """What the network has besides its towers, by published name."""
        return {}

    @abstractmethod
    def similarity(self, network: Network, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""

    def objective(
        self,
        network: Network,
        words: Tensor,
        pictures: Tensor,
        second_words: Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """What training makes small.

        Args:
            network: gives the scoring.
            words: embeddings, shape (items, n, d); the first of each item belongs to its first
                picture, the others to neither.
            pictures: embeddings, shape (items, n, d).
            second_words: the same items said in the second language, shape (items, n, d); where
                there are `links`, and only there.
            label_smoothing: share of the target that is spread over all choices.

        Returns:
            A scalar.

        Raises:
            ToolkitError: `second_words` are missing, or the family has no use for them, or none
                for smoothed labels.
        """
        self._check(second_words is not None, label_smoothing)
        return self._loss(network, words, pictures, second_words, label_smoothing)

    def objective_of(
        self,
        network: Network,
        words: Chosen,
        pictures: Chosen,
        second_words: Chosen | None = None,
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """As `objective`, of embeddings that items may share; equal but for rounding."""
        second = second_words.placed() if second_words else None
        return self.objective(network, words.placed(), pictures.placed(), second, label_smoothing)

    def _check(self, second_words: bool, label_smoothing: float) -> None:
        """Refuse what the objective has no use for, see `objective`."""
        if self.links and not second_words:
            raise ToolkitError(f"The family {self.name} learns from words in two languages.")
        if second_words and not self.links:
            raise ToolkitError(
                f"The family {self.name} learns from words in one language at a time.",
                allowed="a family with language links",
            )
        self.check_smoothing(label_smoothing)

    @classmethod
    def check_smoothing(cls, label_smoothing: float) -> None:
        """Refuse smoothed labels where the family cannot be trained with them.

        Args:
            label_smoothing: share of the target that is spread over all choices.

        Raises:
            ToolkitError: there is such a share, but no choice among several that it could go to.
        """
        if label_smoothing and not cls.smooths_labels:
            raise ToolkitError(
                f"The family {cls.name} cannot be trained with smoothed labels.",
                given=f"label_smoothing = {label_smoothing}",
                allowed="label_smoothing = 0",
            )

    @abstractmethod
    def _loss(
        self,
        network: Network,
        words: Tensor,
        pictures: Tensor,
        second_words: Tensor | None,
        label_smoothing: float,
    ) -> Tensor:
        """The objective, of arguments that are sound."""


class Paired(Family):
    """A family that tells apart what belongs together from other words and pictures.

    Its scores are the same whichever of the two is asked for first. Who changes `_loss` changes
    `objective_of` too.
    """

    pairs: ClassVar[tuple[tuple[int, int], ...]] = ((0, 1),)
    """What belongs together, by number: words, pictures, words of the second language. The
    objective is the mean over these pairs."""

    def objective_of(
        self,
        network: Network,
        words: Chosen,
        pictures: Chosen,
        second_words: Chosen | None = None,
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """See `Family.objective_of`; what several items share is scored once."""
        self._check(second_words is not None, label_smoothing)
        lists = words, pictures, second_words
        return self._mean(looked_up_loss, network, lists, label_smoothing)

    def _loss(
        self,
        network: Network,
        words: Tensor,
        pictures: Tensor,
        second_words: Tensor | None,
        label_smoothing: float,
    ) -> Tensor:
        lists = words, pictures, second_words
        return self._mean(paired_loss, network, lists, label_smoothing)

    def _mean(
        self,
        loss: Callable[[Network, Any, Any, float], Tensor],
        network: Network,
        lists: tuple[Any, Any, Any],
        label_smoothing: float,
    ) -> Tensor:
        """The mean of a loss over all pairs."""
        import torch

        losses = [
            loss(network, lists[one], lists[other], label_smoothing) for one, other in self.pairs
        ]
        return torch.stack(losses).mean()


def paired_loss(
    network: Network, words: Tensor, pictures: Tensor, label_smoothing: float = 0.0
) -> Tensor:
    """Two-way contrastive loss of items whose first word and first picture belong together.

    For language links, the words of the second language stand in the place of the pictures.

    Cross-entropy of the first picture among an item's pictures given its first word, and of the
    first word among its words given its first picture, averaged over items and both directions
    (Oneata et al. 2025, section 3; with 1 positive and 11 negatives n = 12).

    Args:
        network: gives the scoring.
        words: embeddings, shape (items, n, d).
        pictures: embeddings, shape (items, n, d).
        label_smoothing: share of the target that is spread over all choices; 0 as published.

    Returns:
        A scalar.
    """
    import torch

    by_word = network.similarity(words[:, :1], pictures).squeeze(1)
    by_picture = network.similarity(pictures[:, :1], words).squeeze(1)
    return _of_first(torch.cat([by_word, by_picture]), label_smoothing)


def looked_up_loss(
    network: Network, words: Chosen, pictures: Chosen, label_smoothing: float = 0.0
) -> Tensor:
    """As `paired_loss`, of scores that are computed once for each two embeddings.

    Args:
        network: gives the scoring.
        words: of all items.
        pictures: of all items, as many for each.
        label_smoothing: share of the target that is spread over all choices.

    Returns:
        A scalar.
    """
    import torch

    scores = network.similarity(words.embeddings, pictures.embeddings)
    rows, columns = words.places * scores.shape[1], pictures.places
    asked = torch.cat([rows[:, :1] + columns, rows + columns[:, :1]])
    both = scores.flatten().gather(0, asked.flatten()).view(asked.shape)
    return _of_first(both, label_smoothing)


def _of_first(scores: Tensor, label_smoothing: float) -> Tensor:
    """Cross-entropy of the first of several choices, scores (asked, choices)."""
    import torch
    from torch.nn import functional

    first = scores.new_zeros(len(scores), dtype=torch.long)
    return functional.cross_entropy(scores, first, label_smoothing=label_smoothing)
