"""What a paradigm is: conditions, what is asked, and how answers become scores."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from paradigms.conditions import Condition, ConditionContrast, PairCondition
from paradigms.counterbalance import picture_pairs
from paradigms.formula import check_declared, check_maps, parse
from paradigms.measures import Measure, check_measures
from paradigms.queries import Queries, ask
from paradigms.trials import Trials
from stimuli.errors import ToolkitError

if TYPE_CHECKING:
    from stimuli import StimulusSet

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
MATRIX_ENTRIES = 1 << 23
"""Similarities held at once (32 MB), so that memory does not grow with the stimulus set."""
TRIALS_AT_ONCE = 1 << 16
"""Trials scored together."""
TOLD = {
    "choices": ("choices", "bilingual-en-nl"),
    "maps": ("maps of pictures", "multilingual-clip"),
}
"""What is asked for in words, and a population that can be asked; other kinds have their name."""


@dataclass(frozen=True, eq=False)
class Responses:
    """What a subject made of the stimuli of a trial list; rows follow the list's vocabularies."""

    words: Floats
    """(n_words, d) embeddings of ``Trials.word_ids``."""
    pictures: Floats
    """(n_options, d) embeddings of ``Trials.option_ids``; (0, d) where no pictures are shown."""
    similarity: Callable[[Floats, Floats], Floats] = field(repr=False)
    """The subject's own similarity of (n, d) words and (m, d) pictures, (n, m)."""


class BaseParadigm(ABC):
    """What all paradigms declare; a test is written as one of its subclasses.

    `Paradigm` asks for choices among options, `MapParadigm` for maps of pictures.
    """

    kind: ClassVar[str]
    """What is asked for: ``choices``, ``maps``. Set once by the base class of a kind; running,
    statistics and reports look up in their tables what they do for it (`toolkit.tables.kinds`)."""
    name: ClassVar[str]
    """Name on the command line, set by the `paradigm` decorator."""
    version: ClassVar[int]
    """Raised when trials or scoring change, set by the `paradigm` decorator."""
    question: ClassVar[str]
    """What the test asks, in one sentence."""
    source: ClassVar[str]
    """The study it follows."""
    conditions: ClassVar[tuple[Condition, ...]]
    """Conditions; the headline ones first."""
    contrasts: ClassVar[tuple[ConditionContrast, ...]] = ()
    """Differences between conditions that are tested besides chance; a family, fixed in advance."""
    formula: ClassVar[str]
    """Mixed model that answers the question for one population and language, lme4 notation.

    Pictures need no term of their own where each belongs to one word: what varies between them
    is part of what varies between words, and the model stays small.
    """
    gate: ClassVar[tuple[str, float] | None] = None
    """Condition and smallest accuracy (share of 1) below which a seed is set aside."""
    default_set: ClassVar[str]
    """Stimulus set that is used where none is named."""
    needs: ClassVar[tuple[str, ...]]
    """What a subject must be able to do: names of protocols in `toolkit.subjects.contract`."""

    def headline(self, condition: str) -> bool:
        """True if the condition of that name is the test itself."""
        return any(known.headline for known in self.conditions if known.name == condition)

    @classmethod
    def all_measures(cls) -> tuple[Measure, ...]:
        """The measures that are declared, where paradigms of its kind declare any."""
        return ()

    @classmethod
    def check_declaration(cls) -> None:
        """Refuse what is declared and could not be kept; asked when the class is decorated.

        Raises:
            ToolkitError: saying what cannot be kept, and why.
        """
        if hasattr(cls, "formula"):
            parse(cls.formula)


class Paradigm(BaseParadigm):
    """A child-study test: subclass it, declare the conditions, make the trials."""

    kind = "choices"
    default_set = "mini"
    needs = ("Subject",)
    shows_pictures: ClassVar[bool] = True
    """False where the options are not pictures of the stimulus set."""
    min_languages: ClassVar[int] = 1
    """How many languages a subject must be tested in."""

    @classmethod
    def check_declaration(cls) -> None:
        """Refuse a formula that is not fitted as it stands; see `paradigms.formula`."""
        if hasattr(cls, "formula"):
            check_declared(cls.formula, cls.name)

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
        """Make counterbalanced trials for all conditions; see `paradigms.counterbalance`."""
        return picture_pairs(stimuli, language, rng, self.conditions, per_class)


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read off the maps of one picture and one concept, one map per language."""

    values: Mapping[str, npt.NDArray[np.floating[Any]]]
    """(languages,) values: ``score_target``, ``score_distractor`` (NaN without truth), measures."""
    between: Mapping[str, npt.NDArray[np.floating[Any]]]
    """(languages, languages) agreement of all maps with each other, by name."""


class MapParadigm(BaseParadigm):
    """A paradigm that asks in writing where in a picture something is, in several languages.

    A subject answers with one map of similarities per picture and text. Subclasses say what is
    read off the maps; conditions are templates of the word list. The formula models one of the
    measures, see `paradigms.formula.check_maps` for what it may hold.
    """

    kind = "maps"
    default_set = "scenes"
    needs = ("ReadsText", "SeesPlaces")
    measures: ClassVar[tuple[Measure, ...]]
    """Columns that are added to the trials table. ``tokens_per_word`` is filled in by the runner,
    all others by `read`."""
    pointing: ClassVar[Measure | None] = None
    """What it says that ``score_target`` is above ``score_distractor`` (the column ``correct``)
    where the truth is known, as a measure; None if nothing is made of it."""
    pairs_as_sample: ClassVar[bool] = False
    """True if the study that is followed took pairs of picture and concept as its sample; its
    Wilcoxon test is told beside the model then."""

    @classmethod
    def check_declaration(cls) -> None:
        """Refuse measures that cannot be understood, and a formula that is not fitted as it is."""
        if hasattr(cls, "measures"):
            check_measures(cls.measures, cls.name, cls.pointing)
        if hasattr(cls, "measures") and hasattr(cls, "formula"):
            check_maps(cls.formula, cls.name, [measure.name for measure in cls.compared()])

    @classmethod
    def all_measures(cls) -> tuple[Measure, ...]:
        """All `measures`, and `pointing` if there is one."""
        return cls.measures if cls.pointing is None else (*cls.measures, cls.pointing)

    @classmethod
    def compared(cls) -> tuple[Measure, ...]:
        """Those of them that are compared between languages."""
        return tuple(measure for measure in cls.all_measures() if measure.compared)

    @classmethod
    def primary(cls) -> Measure:
        """The measure that the answers are about: the one that the formula models."""
        response = parse(cls.formula).response
        return next(measure for measure in cls.compared() if measure.name == response)

    def queries(
        self,
        stimuli: StimulusSet,
        *,
        languages: Sequence[str] = (),
        templates: Sequence[str] = (),
    ) -> Queries:
        """What is asked of which picture; see `paradigms.queries.ask`."""
        return ask(
            stimuli,
            languages=languages,
            templates=templates,
            preferred=[condition.name for condition in self.conditions],
        )

    @abstractmethod
    def read(self, maps: Floats, reference: int, truth: Mask | None) -> Reading:
        """Read the maps of one picture and one concept.

        Args:
            maps: (languages, h, w) similarity of every place of the picture to the text; higher is
                a better match.
            reference: index of the reference language.
            truth: (side, side) where the concept is seen in the central square of the picture;
                None where that is not known.
        """

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel to another process as the file it stands in, which may be a user's own."""
        from paradigms.registry import reopen

        return reopen, (inspect.getfile(type(self)), self.name)


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
        f"Paradigm {paradigm.name!r} asks for {_asks_for(paradigm)}; it has no trials with "
        "choices.",
        given=f"{paradigm.name}, version {paradigm.version}",
        allowed="a paradigm of choices, e.g. familiar, me or translation",
        next_command=_how_to_run(paradigm),
    )


def as_maps(paradigm: BaseParadigm) -> MapParadigm:
    """The paradigm, where only one of maps can be asked.

    Raises:
        ToolkitError: if it asks for choices.

    Example:
        >>> from paradigms.registry import get_paradigm
        >>> as_maps(get_paradigm("dense-grounding")).default_set
        'scenes'
    """
    if isinstance(paradigm, MapParadigm):
        return paradigm
    raise ToolkitError(
        f"Paradigm {paradigm.name!r} asks for {_asks_for(paradigm)}; it reads no maps of pictures.",
        given=f"{paradigm.name}, version {paradigm.version}",
        allowed="a paradigm of maps, e.g. dense-grounding",
        next_command=_how_to_run(paradigm),
    )


def _how_to_run(paradigm: BaseParadigm) -> str:
    _, whom = TOLD.get(paradigm.kind, ("", "NAME"))
    return f"mevgs-toolkit run-paradigm {paradigm.name} --subject {whom}"


def _asks_for(paradigm: BaseParadigm) -> str:
    return TOLD.get(paradigm.kind, (paradigm.kind, ""))[0]


def _parts(n: int) -> Iterator[slice]:
    """Slices that cover n trials, so that temporary arrays stay small."""
    return (slice(start, start + TRIALS_AT_ONCE) for start in range(0, n, TRIALS_AT_ONCE))


def fit_mask(mask: Mask, size: int) -> Mask:
    """A mask at another size.

    Every new pixel takes the value of the old one below its centre.

    Args:
        mask: (height, width).
        size: new height and width.

    Returns:
        (size, size).

    Example:
        >>> fit_mask(np.array([[True, False], [False, False]]), 4)[:3]
        array([[ True,  True, False, False],
               [ True,  True, False, False],
               [False, False, False, False]])
    """
    rows, columns = (
        ((np.arange(size) + 0.5) * length / size).astype(np.int64) for length in mask.shape
    )
    return mask[np.ix_(rows, columns)]


def word_weights(trials: Trials) -> Floats:
    """Weights for a mean over all words in which every word class weighs the same.

    Returns:
        (n_words,) weights that add up to one.
    """
    concepts = [trials.concept_of[word] for word in trials.word_ids]
    size = Counter(concepts)
    return np.array([1 / size[concept] / len(size) for concept in concepts], dtype=np.float32)
