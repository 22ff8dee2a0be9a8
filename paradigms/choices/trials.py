"""The trial list: what is said, what is shown, and where the target lies."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from stimuli.errors import ToolkitError

ALL_WORDS = "*"
"""Written as ``word_id`` where the question is which picture wins averaged over all words."""


@dataclass(frozen=True, eq=False)
class Lessons:
    """What is learnt before trials are asked: phases, each after another one or after nothing.

    What a subject learns from is a word and one of the pictures shown with it, its own choice
    unless there is one alone.
    """

    after: npt.NDArray[np.int32]
    """(p,) the phase that comes before each phase; -1 where nothing does. Phases come in order."""
    phase: npt.NDArray[np.int32]
    """(e,) phase of every exposure, ascending; those of a phase are learnt together."""
    word: npt.NDArray[np.int32]
    """(e,) index into the words of the list."""
    shown: npt.NDArray[np.int32]
    """(e, 2) index into its options; -1 in the second place where a picture is shown alone."""
    asked_after: npt.NDArray[np.int32]
    """(n,) phase after which each trial is asked; -1 where nothing was learnt."""

    def faults(self, n_trials: int, n_words: int, n_options: int) -> Iterable[str]:
        """What keeps the lessons from fitting a list of so many trials, words and options."""
        n = len(self.after)
        if self.after.min(initial=-1) < -1 or (self.after >= np.arange(n)).any():
            yield "a phase comes before the one that it follows"
        if len(self.asked_after) != n_trials:
            yield "lessons are for another number of trials"
        if len(self.word) != len(self.phase) or self.shown.shape != (len(self.phase), 2):
            yield "phases, words and pictures of exposures differ in number"
            return
        if (np.diff(self.phase) < 0).any():
            yield "exposures are not in the order of phases"
        for what, index, lowest, size in (
            ("phase", self.phase, 0, n),
            ("phase", self.asked_after, -1, n),
            ("word", self.word, 0, n_words),
            ("picture", self.shown[:, 0], 0, n_options),
            ("picture", self.shown[:, 1], -1, n_options),
        ):
            if index.min(initial=lowest) < lowest or index.max(initial=-1) >= size:
                yield f"a {what} index of a lesson lies outside the {what}s"

    @property
    def arrays(self) -> tuple[npt.NDArray[np.int32], ...]:
        """All arrays, in one order."""
        return (self.after, self.phase, self.word, self.shown, self.asked_after)


@dataclass(frozen=True, eq=False)
class Trials:
    """A list of trials, held as indices into vocabularies of words and options.

    Indices keep a million trials in a few tens of megabytes, and make scoring a look-up.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> trials = Trials.from_rows(
        ...     [{"condition": "test", "word_id": "w", "target_id": "p", "distractor_ids": ["q"]}],
        ...     concept_of={"w": "ball", "p": "ball", "q": "cat"},
        ...     rng=rng,
        ... )
        >>> len(trials), trials.n_choices.tolist()
        (1, [2])
    """

    word_ids: tuple[str, ...]
    """Stimulus ids of the words said."""
    option_ids: tuple[str, ...]
    """Ids of what can be chosen: pictures, or what a paradigm with its own measure names."""
    concept_of: Mapping[str, str]
    """Concept of every word and option."""
    conditions: tuple[str, ...]
    """Names of the conditions."""
    condition: npt.NDArray[np.int16]
    """(n,) index into ``conditions``."""
    word: npt.NDArray[np.int32]
    """(n,) index into ``word_ids``; -1 stands for all words averaged."""
    options: npt.NDArray[np.int32]
    """(n, k) index into ``option_ids`` in the order of places; -1 fills up shorter trials."""
    target_position: npt.NDArray[np.int16]
    """(n,) place of the target, counted from 0."""
    option_words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Words that an option stands for, where options are groups of words and not pictures."""
    familiar: frozenset[str] = frozenset()
    """Concepts that count as familiar; subjects never see it."""
    lessons: Lessons | None = None
    """What is learnt before trials are asked; None where nothing is."""
    variant_of: Mapping[str, str] = field(default_factory=dict)
    """How a word is changed, by its id; words that are said as they are do not stand here."""
    practice: frozenset[str] = frozenset()
    """Names of conditions whose trials are practice."""

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise ToolkitError("This trial list does not hold together: " + "; ".join(faults) + ".")

    def _faults(self) -> Iterable[str]:
        n = len(self.word)
        if self.options.ndim != 2 or self.options.shape[0] != n:
            yield f"options have shape {self.options.shape}, expected ({n}, places)"
            return
        if len(self.condition) != n or len(self.target_position) != n:
            yield "condition, word and target_position differ in length"
            return
        if n == 0:
            yield "it is empty"
            return
        for what, index, lowest, names in (
            ("word", self.word, -1, self.word_ids),
            ("option", self.options, -1, self.option_ids),
            ("condition", self.condition, 0, self.conditions),
            ("target position", self.target_position, 0, range(self.options.shape[1])),
        ):
            if index.min() < lowest or index.max() >= len(names):
                yield f"a {what} index lies outside the {what}s"
                return
        if (self.target < 0).any():
            yield "a target position points to an empty place"
        if (self.n_choices < 2).any():
            yield "a trial offers fewer than two options"
        columns = self.options.T
        for place, later in itertools.combinations(range(len(columns)), 2):
            if ((columns[place] == columns[later]) & (columns[place] >= 0)).any():
                yield "a trial shows the same option twice"
                break
        yield from self._name_faults()

    def _name_faults(self) -> Iterable[str]:
        if self.lessons is not None:
            n_words, n_options = len(self.word_ids), len(self.option_ids)
            yield from self.lessons.faults(len(self), n_words, n_options)
        missing = [
            name for name in (*self.word_ids, *self.option_ids) if name not in self.concept_of
        ]
        if missing:
            yield f"no concept is given for {', '.join(missing[:3])}"
        if self.option_words and set(self.option_words) != set(self.option_ids):
            yield "words are given for some options only"

    def __len__(self) -> int:
        return len(self.word)

    @property
    def target(self) -> npt.NDArray[np.int32]:
        """(n,) index of the target among ``option_ids``."""
        rows = np.arange(len(self))
        return self.options[rows, self.target_position]

    @property
    def n_choices(self) -> npt.NDArray[np.int16]:
        """(n,) number of options offered; chance level is one over this number."""
        offered: npt.NDArray[np.int16] = (self.options >= 0).sum(axis=1, dtype=np.int16)
        return offered

    @property
    def asks_all_words(self) -> bool:
        """True where at least one trial averages over all words."""
        return bool((self.word < 0).any())

    @property
    def is_practice(self) -> npt.NDArray[np.bool_]:
        """(n,) True for practice trials, which nothing is concluded from."""
        return np.array([name in self.practice for name in self.conditions])[self.condition]

    @property
    def set_aside(self) -> frozenset[str]:
        """Words that are no part of all words: those changed, and those of practice trials."""
        if not self.practice:
            return frozenset(self.variant_of)
        practised = self.is_practice
        said = set(self.word[~practised].tolist())
        only = set(self.word[practised].tolist()) - said - {-1}
        return frozenset([*self.variant_of, *(self.word_ids[word] for word in only)])

    @property
    def checksum(self) -> str:
        """SHA-256 over everything in the list; two equal lists have equal checksums."""
        digest = hashlib.sha256()
        names = (
            self.word_ids,
            self.option_ids,
            self.conditions,
            sorted(self.concept_of.items()),
            sorted(self.option_words.items()),
        )
        digest.update(json.dumps(names).encode())
        arrays: list[npt.NDArray[Any]] = [self.condition, self.word]
        arrays += [self.options, self.target_position]
        arrays += self.lessons.arrays if self.lessons is not None else ()
        for array in arrays:
            digest.update(str(array.shape).encode() + np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()

    @classmethod
    def from_rows(
        cls,
        rows: Sequence[Mapping[str, Any]],
        *,
        concept_of: Mapping[str, str],
        rng: np.random.Generator,
        option_words: Mapping[str, tuple[str, ...]] | None = None,
        familiar: frozenset[str] = frozenset(),
    ) -> Trials:
        """Make a list from one mapping per trial; the target's place is drawn, balanced.

        Args:
            rows: mappings with ``condition``, ``word_id`` (or `ALL_WORDS`), ``target_id`` and
                ``distractor_ids``.
            concept_of: concept of every word and option id.
            rng: source of the target's place.
            option_words: words that each option stands for, where options are not pictures.
            familiar: concepts that count as familiar.

        Raises:
            ToolkitError: if a key is missing or the list is empty.
        """
        keys = ("condition", "word_id", "target_id", "distractor_ids")
        for number, row in enumerate(rows):
            missing = [key for key in keys if key not in row]
            if missing:
                raise ToolkitError(
                    f"Trial {number} lacks {', '.join(missing)}.", allowed=", ".join(keys)
                )
        if not rows:
            raise ToolkitError("A paradigm made no trials.")
        grouped = {word for group in (option_words or {}).values() for word in group}
        words = sorted({row["word_id"] for row in rows} - {ALL_WORDS} | grouped)
        if any(row["word_id"] == ALL_WORDS for row in rows) and not words:
            raise ToolkitError("A trial averages over all words, but the list holds no word.")
        choices = [[row["target_id"], *row["distractor_ids"]] for row in rows]
        options = sorted({option for choice in choices for option in choice})
        conditions = list(dict.fromkeys(row["condition"] for row in rows))
        word_at = {name: index for index, name in enumerate(words)} | {ALL_WORDS: -1}
        option_at = {name: index for index, name in enumerate(options)}
        width = max(len(choice) for choice in choices)
        codes = np.full((len(rows), width), -1, dtype=np.int32)
        position = np.zeros(len(rows), dtype=np.int16)
        for size in sorted({len(choice) for choice in choices}):
            chosen = [index for index, choice in enumerate(choices) if len(choice) == size]
            position[chosen] = balanced_places(len(chosen), size, rng)
        for index, choice in enumerate(choices):
            target, *distractors = (option_at[name] for name in choice)
            distractors.insert(int(position[index]), target)
            codes[index, : len(choice)] = distractors
        return cls(
            word_ids=tuple(words),
            option_ids=tuple(options),
            concept_of={
                name: concept_of[name] for name in (*words, *options) if name in concept_of
            },
            conditions=tuple(conditions),
            condition=np.array([conditions.index(row["condition"]) for row in rows], np.int16),
            word=np.array([word_at[row["word_id"]] for row in rows], np.int32),
            options=codes,
            target_position=position,
            option_words=dict(option_words or {}),
            familiar=familiar,
        )


def balanced_places(n: int, n_places: int, rng: np.random.Generator) -> npt.NDArray[np.int16]:
    """Draw the target's place for n trials, each place equally often to within one.

    Returns:
        (n,) places counted from 0.

    Example:
        >>> np.bincount(balanced_places(50, 2, np.random.default_rng(1))).tolist()
        [25, 25]
    """
    return balanced_cycles(n, n_places, rng).astype(np.int16)


def balanced_cycles(n: int, size: int, rng: np.random.Generator) -> npt.NDArray[np.int32]:
    """Draw n numbers below size, each equally often to within one, every cycle freshly shuffled.

    Fresh shuffles keep two such sequences of different length from falling into step, so that
    every voice meets every picture.

    Example:
        >>> sorted(np.bincount(balanced_cycles(7, 3, np.random.default_rng(0))).tolist())
        [2, 2, 3]
    """
    cycles = -(-n // size)
    blocks = np.tile(np.arange(size, dtype=np.int32), (cycles, 1))
    return rng.permuted(blocks, axis=1).ravel()[:n]
