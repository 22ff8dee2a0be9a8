"""How well a network does on the held-out familiar words and pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training.features import FeatureBank
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Choices, Items, Sampler

_SEED = 20250817
_ENCODE_AT_ONCE = 256


def items_loss(
    network: VGSNetwork, bank: FeatureBank, items: Items, label_smoothing: float = 0.0
) -> Tensor:
    """What an update makes small: every word and picture of the items is encoded once.

    Dropout therefore treats a word alike wherever it stands in for a negative.

    Args:
        network: in training mode or not.
        bank: features that the items name.
        items: what a sampler drew.
        label_smoothing: share of the target that is spread over all choices.

    Returns:
        A scalar.
    """

    def words(choices: Choices) -> Tensor:
        return network.encode_words(*bank.words(choices.rows))[choices.places]

    return network.objective(
        words(items.words),
        network.encode_pictures(bank.pictures(items.pictures.rows))[items.pictures.places],
        words(items.second_words) if items.second_words else None,
        label_smoothing,
    )


class Validation:
    """Loss and accuracy on the split `valid`.

    Args:
        bank: features of the stimuli.
        languages: ISO codes.
        recipe: how the fixed sample is drawn, which is the same for all seeds.
    """

    def __init__(self, bank: FeatureBank, languages: Sequence[str], recipe: Recipe) -> None:
        self._bank = bank
        self._words = [
            [bank.word_rows("valid", concept, language) for concept in bank.concepts]
            for language in languages
        ]
        self._pictures = [bank.picture_rows("valid", concept) for concept in bank.concepts]
        n_clips = sum(len(rows) for per_concept in self._words for rows in per_concept)
        sampler = Sampler(
            bank,
            "valid",
            languages,
            _SEED,
            negatives_from=recipe.negatives_from,
            links=recipe.links,
            epoch_clips=0 if recipe.validation_items else n_clips,
        )
        self._items = sampler.draw(recipe.validation_items or n_clips, recipe.negatives_drawn)

    def __call__(self, network: VGSNetwork) -> tuple[float, float]:
        """Validation loss and accuracy of a network."""
        network.eval()
        items = self._items
        with torch.inference_mode():
            word_rows = np.unique(np.concatenate([r for rows in self._words for r in rows]))
            words = torch.empty(len(self._bank.word_table), network.config.embedding)
            for some in _portions(word_rows):
                words[some] = network.encode_words(*self._bank.words(some))
            pictures = torch.empty(len(self._bank.picture_table), network.config.embedding)
            for some in _portions(np.concatenate(self._pictures)):
                pictures[some] = network.encode_pictures(self._bank.pictures(some))
            second = items.second_words
            loss = network.objective(
                words[items.words.rows][items.words.places],
                pictures[items.pictures.rows][items.pictures.places],
                words[second.rows][second.places] if second else None,
            )
            shares = [
                self._accuracy(network, words[rows], pictures, concept)
                for per_concept in self._words
                for concept, rows in enumerate(per_concept)
            ]
        return float(loss), float(np.mean(shares))

    def _accuracy(
        self, network: VGSNetwork, words: Tensor, pictures: Tensor, concept: int
    ) -> float:
        """Share of triples answered rightly for the words of one class; a tie counts half."""
        right = network.similarity(words, pictures[self._pictures[concept]])
        others = [rows for place, rows in enumerate(self._pictures) if place != concept]
        wrong = network.similarity(words, pictures[np.concatenate(others)]).sort().values
        # How many wrong pictures score less, and less or the same: by ranks, not by triples.
        below, up_to = (torch.searchsorted(wrong, right, right=side) for side in (False, True))
        return float((below + up_to).double().mean()) / (2 * wrong.shape[1])


def _portions(rows: np.ndarray) -> list[np.ndarray]:
    """Rows in portions that are encoded at once."""
    return [rows[start : start + _ENCODE_AT_ONCE] for start in range(0, len(rows), _ENCODE_AT_ONCE)]
