"""How well a network does on the held-out familiar words and pictures."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from toolkit.devices import Alike
from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training.features import FeatureBank
from toolkit.training.published_samples import read_samples
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Choices, Items, Sampler

Rows = npt.NDArray[np.int64]
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
        return network.encode_words(*bank.words(choices.rows)).float()[choices.places]

    shown = items.pictures
    # Towers may compute in less precision on a card; what is made small is float32 all the same.
    with bank.device.computing():
        heard = words(items.words)
        seen = network.encode_pictures(bank.pictures(shown.rows)).float()[shown.places]
        second = words(items.second_words) if items.second_words else None
    return network.objective(heard, seen, second, label_smoothing)


class Validation:
    """Loss and accuracy on the split `valid`.

    Args:
        bank: features of the stimuli.
        languages: ISO codes.
        recipe: how the fixed sample is drawn, which is the same for all seeds, unless the bank
            names a published one.
    """

    def __init__(self, bank: FeatureBank, languages: Sequence[str], recipe: Recipe) -> None:
        self._bank = bank
        self._words = [
            [bank.word_rows("valid", concept, language) for concept in bank.concepts]
            for language in languages
        ]
        self._pictures = [bank.picture_rows("valid", concept) for concept in bank.concepts]
        if bank.samples:
            self._items = read_samples(bank.samples, bank, recipe)
            return
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
        items, bank = self._items, self._bank
        word_rows = np.unique(np.concatenate([r for rows in self._words for r in rows]))
        picture_rows = np.concatenate(self._pictures)

        def hear(rows: Rows) -> Tensor:
            return network.encode_words(*bank.words(rows))

        def see(rows: Rows) -> Tensor:
            return network.encode_pictures(bank.pictures(rows))

        with torch.inference_mode():
            dim = network.config.embedding
            words = self._encoded(word_rows, (len(bank.word_table), dim), bank.word_bytes, hear)
            shape = len(bank.picture_table), dim
            pictures = self._encoded(picture_rows, shape, bank.picture_bytes, see)
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

    def _encoded(
        self, rows: Rows, shape: tuple[int, int], row_bytes: int, encode: Callable[[Rows], Tensor]
    ) -> Tensor:
        """Embeddings of some rows, each at its place in a tensor of that shape."""
        device = self._bank.device
        out = device.to(torch.empty(shape))
        places = Alike(range(len(rows)), _ENCODE_AT_ONCE, row_bytes)
        for some, made in device.portions(lambda some: encode(rows[some]), places):
            out[rows[some]] = made
        return out

    def _accuracy(
        self, network: VGSNetwork, words: Tensor, pictures: Tensor, concept: int
    ) -> float:
        """Share of triples answered rightly for the words of one class; a tie counts half."""
        right = network.similarity(words, pictures[self._pictures[concept]])
        others = [rows for place, rows in enumerate(self._pictures) if place != concept]
        wrong = network.similarity(words, pictures[np.concatenate(others)]).sort().values
        # How many wrong pictures score less, and less or the same: by ranks, not by triples.
        below, up_to = (torch.searchsorted(wrong, right, right=side) for side in (False, True))
        return float((below + up_to).cpu().double().mean()) / (2 * wrong.shape[1])
