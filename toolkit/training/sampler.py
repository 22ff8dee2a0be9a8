"""What a learner meets: words with pictures, drawn at random from the training split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ToolkitError
from toolkit.training.features import FeatureBank


@dataclass(frozen=True)
class Items:
    """Some items: a spoken word and a picture of the same class each, and their negatives."""

    words: NDArray[np.int64]
    """Rows of the bank's words, shape (items,)."""
    pictures: NDArray[np.int64]
    """Rows of the bank's pictures, shape (items,)."""
    choices: NDArray[np.int64]
    """Shape (items, 1 + negatives): the item itself, then items of other classes whose pictures
    (given the word) and words (given the picture) are its negatives."""


class Sampler:
    """Draws items from one split of a bank.

    Every item draws its language at random among those of the subject, its class at random among
    the familiar ones, then a word and a picture of that class at random, and a view of each. Its
    negatives are drawn with replacement among the items of the batch that have another class, so
    each word and picture is encoded once and serves many items; for a single item the distribution
    is that of drawing classes with replacement from the others, then an example of each.

    Args:
        bank: features of the stimuli.
        split: `train` or `valid`.
        languages: ISO codes, at least one.
        seed: decides everything that is drawn.

    Raises:
        ToolkitError: a class without words in one of the languages, or without pictures.
    """

    def __init__(self, bank: FeatureBank, split: str, languages: Sequence[str], seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._words = [
            [bank.word_rows(split, concept, language) for concept in bank.concepts]
            for language in languages
        ]
        self._pictures = [bank.picture_rows(split, concept) for concept in bank.concepts]
        empty = [
            f"no {language} word for {concept}"
            for language, per_concept in zip(languages, self._words, strict=True)
            for concept, rows in zip(bank.concepts, per_concept, strict=True)
            if not len(rows)
        ]
        empty += [
            f"no picture of {concept}"
            for concept, rows in zip(bank.concepts, self._pictures, strict=True)
            if not len(rows)
        ]
        if empty:
            raise ToolkitError(
                f"The split {split!r} lacks stimuli: {'; '.join(empty)}.",
                next_command="mevgs-toolkit check-stimuli, or leave the language out",
            )

    def draw(self, items: int, negatives: int) -> Items:
        """Draw items.

        Args:
            items: how many.
            negatives: negatives of each item.
        """
        rng = self._rng
        language = rng.integers(len(self._words), size=items)
        concept = rng.integers(len(self._pictures), size=items)
        while len(np.unique(concept)) < 2:
            concept = rng.integers(len(self._pictures), size=items)
        words = [_one(rng, self._words[i][j]) for i, j in zip(language, concept, strict=True)]
        pictures = [_one(rng, self._pictures[j]) for j in concept]
        return Items(np.array(words), np.array(pictures), _choices(rng, concept, negatives))


def _one(rng: np.random.Generator, rows: NDArray[np.int64]) -> int:
    """One of some rows (a tenth of the time of `rng.choice`)."""
    return int(rows[rng.integers(len(rows))])


def _choices(
    rng: np.random.Generator, concept: NDArray[np.int64], negatives: int
) -> NDArray[np.int64]:
    """Each item itself, then items of other classes drawn with replacement."""
    items = len(concept)
    order = np.argsort(concept, kind="stable")
    first = np.searchsorted(concept[order], concept)
    same = np.searchsorted(concept[order], concept, side="right") - first
    # Items of one class lie together in `order`: numbers drawn below the count of the others
    # skip that stretch.
    drawn = rng.integers(np.repeat((items - same)[:, None], negatives, axis=1))
    drawn += np.where(drawn >= first[:, None], same[:, None], 0)
    return np.concatenate([np.arange(items)[:, None], order[drawn]], axis=1)
