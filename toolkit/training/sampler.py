"""What a learner meets: words with pictures, drawn at random from the training split."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from toolkit.errors import ToolkitError
from toolkit.training.features import FeatureBank

NEGATIVES_FROM = ("batch", "own", "apart")
"""Where the negatives of an item come from, see `Sampler`."""

Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Choices:
    """What items are told apart by: each row is encoded once, however many items choose it."""

    rows: Rows
    """Rows of the bank, shape (n,)."""
    places: Rows
    """Places in `rows`, shape (items, 1 + negatives): what belongs to the item, then its
    negatives, which are of other classes."""

    @classmethod
    def of(cls, chosen: Rows) -> Choices:
        """Choices that name rows of the bank, (items, 1 + negatives); `rows` are then distinct.

        Example:
            >>> Choices.of(np.array([[7, 5], [5, 9]])).places.tolist()
            [[1, 0], [0, 2]]
        """
        rows, places = np.unique(chosen, return_inverse=True)
        return cls(rows, places.reshape(chosen.shape))


@dataclass(frozen=True)
class Items:
    """Some items: a spoken word and a picture of the same class each, and their negatives."""

    words: Choices
    """Spoken words."""
    pictures: Choices
    """Pictures; the first of each item is of the class of its word."""
    second_words: Choices | None
    """With language links, a second list of words, the first of each item of the same class, in
    another language where the subject has one."""


class Sampler:
    """Draws items from one split of a bank.

    Without `epoch_clips`, every item draws its language at random among those of the subject, then
    its class among the familiar ones, a word of that class and a view of it. With `epoch_clips`,
    the words of the items are all clips of the split one after the other in random order, and
    again in another order when all were met; a batch ends where an epoch ends. Either way the
    picture is a random one of the class.

    Negatives are of other classes than the item:

    - `own`: every item draws its classes with replacement among the others, then one clip and one
      picture of each (with links, a second clip too);
    - `apart`: it draws classes for its clips, for its pictures and for its second clips one list
      after the other, as the published code does (Oneata et al. 2025);
    - `batch`: it draws with replacement among the items of the batch that have another class, so
      that no more words and pictures than items need be encoded. For a single item the
      distribution is that of `own`.

    Args:
        bank: features of the stimuli.
        split: `train` or `valid`.
        languages: ISO codes, at least one.
        seed: decides everything that is drawn.
        negatives_from: one of `NEGATIVES_FROM`.
        links: whether every word comes with one of its class in another language; for a subject
            of one language it is of the same one, as published.
        epoch_clips: how many clips an epoch has; 0 to draw words at random.

    Raises:
        ToolkitError: a class without words in one of the languages, or without pictures; fewer
            than two classes.
    """

    def __init__(
        self,
        bank: FeatureBank,
        split: str,
        languages: Sequence[str],
        seed: int,
        *,
        negatives_from: str = "batch",
        links: bool = False,
        epoch_clips: int = 0,
    ) -> None:
        words = [
            [bank.word_rows(split, concept, language) for concept in bank.concepts]
            for language in languages
        ]
        pictures = [bank.picture_rows(split, concept) for concept in bank.concepts]
        _check(bank, split, languages, words, pictures)
        self._rng = np.random.default_rng(seed)
        self._n_languages, self._n_concepts = len(languages), len(bank.concepts)
        everywhere = [np.concatenate(rows) for rows in zip(*words, strict=True)]
        self._words = _ByClass([*words, everywhere])
        self._pictures = _ByClass([pictures])
        self._own, self._links = negatives_from != "batch", links
        self._apart = negatives_from == "apart"
        self._clips = _clips(bank, words)
        self._epoch_clips = self._left = epoch_clips
        self._waiting = np.empty(0, dtype=np.int64)

    def draw(self, items: int, negatives: int) -> Items:
        """Draw items.

        Args:
            items: how many; fewer where an epoch ends before.
            negatives: negatives of each item.
        """
        rng = self._rng
        language, concept, words = self._met(items) if self._epoch_clips else self._drawn(items)
        pictures = self._pictures.draw(rng, 0, concept)
        # A last batch of one class has no others to offer.
        if self._own or (concept == concept[0]).all():
            return self._with_own(language, concept, words, pictures, negatives)
        places = _places(rng, concept, negatives)
        second = self._second(language, concept)
        return Items(
            Choices(words, places),
            Choices(pictures, places),
            None if second is None else Choices(second, places),
        )

    def copy(self) -> Sampler:
        """Another one, which will draw the same."""
        other = copy.copy(self)
        other._rng = copy.deepcopy(self._rng)
        return other

    def state(self) -> dict[str, Any]:
        """Everything that decides what is drawn next, in plain numbers and strings."""
        return {
            "rng": self._rng.bit_generator.state,
            "left": self._left,
            "waiting": self._waiting.tolist(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on as the sampler whose `state` this was."""
        self._rng.bit_generator.state = state["rng"]
        self._left = state["left"]
        self._waiting = np.array(state["waiting"], dtype=np.int64)

    def _drawn(self, items: int) -> tuple[Rows, Rows, Rows]:
        """Languages and classes at random, and a word for each."""
        rng = self._rng
        language = rng.integers(self._n_languages, size=items)
        concept = rng.integers(self._n_concepts, size=items)
        while not self._own and items > 1 and (concept == concept[0]).all():
            concept = rng.integers(self._n_concepts, size=items)
        return language, concept, self._words.draw(rng, language, concept)

    def _met(self, items: int) -> tuple[Rows, Rows, Rows]:
        """The next clips of the epoch, with their languages and classes; a view of each."""
        items = min(items, self._left)
        self._left = self._left - items or self._epoch_clips
        while len(self._waiting) < items:
            again = self._rng.permutation(len(self._clips))
            self._waiting = np.concatenate([self._waiting, again])
        clips = [self._clips[place] for place in self._waiting[:items]]
        self._waiting = self._waiting[items:]
        language, concept = np.array([(one, other) for one, other, _ in clips]).T
        words = [views[self._rng.integers(len(views))] for *_, views in clips]
        return language, concept, np.array(words)

    def _second(self, language: Rows, concept: Rows) -> Rows | None:
        """With links, words of the same classes, each in a language other than its own if any."""
        if not self._links:
            return None
        if self._n_languages > 1:
            further = 1 + self._rng.integers(self._n_languages - 1, size=len(language))
            language = (language + further) % self._n_languages
        return self._words.draw(self._rng, language.reshape(-1, *[1] * (concept.ndim - 1)), concept)

    def _others(self, concept: Rows, negatives: int) -> Rows:
        """Classes other than each item's own, (items, negatives), with replacement."""
        others = self._rng.integers(self._n_concepts - 1, size=(len(concept), negatives))
        others += others >= concept[:, None]
        return others

    def _with_own(
        self, language: Rows, concept: Rows, words: Rows, pictures: Rows, negatives: int
    ) -> Items:
        """Items with negatives that each of them draws for itself."""
        rng = self._rng
        others = self._others(concept, negatives)
        # Languages are drawn as those of the items are: which language a word is in must not tell
        # that it is the wrong one.
        spoken: Rows | int = self._n_languages
        if self._links:
            spoken = language[:, None]
        elif not self._epoch_clips:
            spoken = rng.integers(self._n_languages, size=others.shape)
        other_words = self._words.draw(rng, spoken, others)
        if self._apart:
            others = self._others(concept, negatives)
        other_pictures = self._pictures.draw(rng, 0, others)
        if self._apart and self._links:
            others = self._others(concept, negatives)
        second = self._second(language, np.column_stack([concept, others]))
        return Items(
            Choices.of(np.column_stack([words, other_words])),
            Choices.of(np.column_stack([pictures, other_pictures])),
            None if second is None else Choices.of(second),
        )


class _ByClass:
    """Rows of the bank by group (a language) and class, of which one is drawn for each of many."""

    def __init__(self, groups: Sequence[Sequence[Rows]]) -> None:
        self._rows = np.concatenate([rows for classes in groups for rows in classes])
        self._count = np.array([[len(rows) for rows in classes] for classes in groups])
        self._start = self._count.cumsum().reshape(self._count.shape) - self._count

    def draw(self, rng: np.random.Generator, group: Rows | int, concept: Rows) -> Rows:
        """One row for each group and class, in the shape of the classes."""
        count = self._count[group, concept]
        chosen: Rows = self._rows[self._start[group, concept] + rng.integers(count)]
        return chosen


def _clips(
    bank: FeatureBank, words: Sequence[Sequence[Rows]]
) -> list[tuple[int, int, tuple[int, ...]]]:
    """Language, class and rows of the views of every clip."""
    clips = []
    for language, per_concept in enumerate(words):
        for concept, rows in enumerate(per_concept):
            views: dict[str, list[int]] = {}
            for row in rows.tolist():
                views.setdefault(bank.word_table[row][0], []).append(row)
            clips += [(language, concept, tuple(of_one)) for of_one in views.values()]
    return clips


def _places(rng: np.random.Generator, concept: Rows, negatives: int) -> Rows:
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


def _check(
    bank: FeatureBank,
    split: str,
    languages: Sequence[str],
    words: Sequence[Sequence[Rows]],
    pictures: Sequence[Rows],
) -> None:
    """Refuse a split in which something cannot be drawn."""
    empty = [
        f"no {language} word for {concept}"
        for language, per_concept in zip(languages, words, strict=True)
        for concept, rows in zip(bank.concepts, per_concept, strict=True)
        if not len(rows)
    ]
    empty += [
        f"no picture of {concept}"
        for concept, rows in zip(bank.concepts, pictures, strict=True)
        if not len(rows)
    ]
    if len(bank.concepts) < 2:
        empty.append("at least two familiar classes are needed")
    if empty:
        raise ToolkitError(
            f"The split {split!r} lacks stimuli: {'; '.join(empty)}.",
            next_command="mevgs-toolkit check-stimuli, or leave the language out",
        )
