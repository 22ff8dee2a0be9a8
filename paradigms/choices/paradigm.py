"""Paradigms of choices: trials are made, and what a subject answers becomes scores."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paradigms.base import BaseParadigm, Floats, asks_for, how_to_run
from paradigms.choices.counterbalance import picture_pairs
from paradigms.choices.trials import Trials
from paradigms.conditions import PairCondition
from paradigms.formula import check_declared
from stimuli.errors import ToolkitError

if TYPE_CHECKING:
    from stimuli import StimulusSet

MATRIX_ENTRIES = 1 << 23
"""Similarities held at once (32 MB), so that memory does not grow with the stimulus set."""
TRIALS_AT_ONCE = 1 << 16
"""Trials scored together."""


@dataclass(frozen=True, eq=False)
class Responses:
    """What a subject made of the stimuli of a trial list; rows follow the list's vocabularies."""

    words: Floats
    """(n_words, d) embeddings of ``Trials.word_ids``."""
    pictures: Floats
    """(n_options, d) embeddings of ``Trials.option_ids``; (0, d) where no pictures are shown."""
    similarity: Callable[[Floats, Floats], Floats] = field(repr=False)
    """The subject's own similarity of (n, d) words and (m, d) pictures, (n, m)."""


class Paradigm(BaseParadigm):
    """A child-study test: subclass it, declare the conditions, make the trials."""

    kind = "choices"
    default_set = "mini"
    needs: ClassVar[tuple[str, ...]] = ("Subject",)
    shows_pictures: ClassVar[bool] = True
    """False where the options are not pictures of the stimulus set."""
    min_languages: ClassVar[int] = 1
    """How many languages a subject must be tested in."""

    @property
    def asks_across_languages(self) -> bool:
        """True where the trials of a language depend on which others a subject is tested in."""
        return self.min_languages > 1

    @classmethod
    def check_declaration(cls) -> None:
        """Refuse a formula that is not fitted as it stands; see `paradigms.formula`."""
        if hasattr(cls, "formula"):
            check_declared(cls.formula, cls.name, graded=bool(cls.graded))

    @abstractmethod
    def trials(
        self,
        stimuli: StimulusSet,
        language: str,
        rng: np.random.Generator,
        *,
        per_class: int,
        languages: Sequence[str],
    ) -> Trials:
        """Make the trial list of one test language.

        Args:
            stimuli: the set; only its test split may be used.
            language: ISO code of the words said.
            rng: the only source of chance.
            per_class: trials per word class and condition.
            languages: all languages the subject is tested in, ``language`` among them.
        """

    def measure(self, trials: Trials, responses: Responses) -> Floats:
        """Turn responses into one score per option; higher means a better match.

        The default scores every option by its similarity to the word. Trials that ask all words
        use the mean over words, every word class weighing the same.

        Returns:
            (n, places) scores; places that hold no option are ignored.
        """
        scores = np.zeros(trials.options.shape, dtype=np.float32)
        mean = np.zeros(len(trials.option_ids), dtype=np.float32)
        weights = word_weights(trials)
        block = max(1, MATRIX_ENTRIES // max(1, len(trials.option_ids)))
        for start in range(0, len(trials.word_ids), block):
            vectors = responses.words[start : start + block]
            matrix = responses.similarity(vectors, responses.pictures)
            if trials.asks_all_words:
                mean += weights[start : start + block] @ matrix
            for part in _parts(len(trials)):
                word, options = trials.word[part] - start, trials.options[part]
                rows = (word >= 0) & (word < len(vectors))
                scores[part][rows] = matrix[word[rows, None], options[rows]]
        for part in _parts(len(trials)):
            rows = trials.word[part] < 0
            scores[part][rows] = mean[trials.options[part][rows]]
        return scores


class PicturePairs(Paradigm):
    """A paradigm of two-picture trials: declaring its `PairCondition`s is all there is to do."""

    conditions: ClassVar[tuple[PairCondition, ...]]

    def trials(
        self,
        stimuli: StimulusSet,
        language: str,
        rng: np.random.Generator,
        *,
        per_class: int,
        languages: Sequence[str],
    ) -> Trials:
        """Make counterbalanced trials, see `paradigms.choices.counterbalance`."""
        foreign = [code for code in stimuli.languages if code not in languages]
        return picture_pairs(stimuli, language, rng, self.conditions, per_class, foreign)

    @property
    def asks_across_languages(self) -> bool:
        """True where a condition says words of languages in which the subject is not tested."""
        return any(condition.foreign for condition in self.conditions)


def as_choices(paradigm: BaseParadigm) -> Paradigm:
    """The paradigm, where only one with trials can be asked.

    Raises:
        ToolkitError: if it asks for maps.

    Example:
        >>> from paradigms.registry import get_paradigm
        >>> as_choices(get_paradigm("me")).min_languages
        1
    """
    if isinstance(paradigm, Paradigm):
        return paradigm
    raise ToolkitError(
        f"Paradigm {paradigm.name!r} asks for {asks_for(paradigm)}; it has no trials with choices.",
        given=f"{paradigm.name}, version {paradigm.version}",
        allowed="a paradigm of choices, e.g. familiar, me or translation",
        next_command=how_to_run(paradigm),
    )


def _parts(n: int) -> Iterator[slice]:
    """Slices that cover n trials, so that temporary arrays stay small."""
    return (slice(start, start + TRIALS_AT_ONCE) for start in range(0, n, TRIALS_AT_ONCE))


def word_weights(trials: Trials) -> Floats:
    """Weights for a mean over all words in which every word class weighs the same.

    Changed words, and those of practice trials, have no part in it.

    Returns:
        (n_words,) weights that add up to one.
    """
    aside = trials.set_aside
    concepts = ["" if word in aside else trials.concept_of[word] for word in trials.word_ids]
    size = Counter(concept for concept in concepts if concept)
    return np.array(
        [1 / size[concept] / len(size) if concept else 0 for concept in concepts], dtype=np.float32
    )
