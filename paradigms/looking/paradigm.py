"""Paradigms of looking: two pictures are scored gate by gate while a word unfolds."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from paradigms.base import BaseParadigm, Floats, asks_for, how_to_run
from paradigms.choices.paradigm import word_weights
from paradigms.conditions import Condition
from paradigms.formula import CROSSED, parse
from paradigms.looking.temperature import fitted_temperature, looking_shares
from paradigms.looking.trials import GatedTrials, gated_trials
from stimuli.errors import ToolkitError

if TYPE_CHECKING:
    from stimuli import StimulusSet

RESPONSE = "looking"
"""What formulas model: the share of looking at the target."""
TIME = ("linear", "quadratic")
"""Time in growth-curve models, from -1 at the first gate after onset to 1 at the last, and what of
its square is orthogonal to it."""


@dataclass(frozen=True)
class HeardCondition(Condition):
    """A condition in which words are said alone, or behind a carrier."""

    behind_carrier: bool = False
    """True where something is said before the word."""


@dataclass(frozen=True, eq=False)
class Heard:
    """What a subject made of what it heard and saw; rows follow the vocabularies of the trials."""

    words: Floats
    """(n_heard, d) embeddings of ``GatedTrials.heard_ids``."""
    practice: Floats
    """(n_practice_words, d) embeddings of ``practice.word_ids``."""
    pictures: Floats
    """(n_pictures, d) embeddings of ``option_ids``, which are the same in test and practice."""
    similarity: Callable[[Floats, Floats], Floats] = field(repr=False)
    """The subject's own similarity of (n, d) words and (m, d) pictures, (n, m)."""


class LookingParadigm(BaseParadigm):
    """A familiar word unfolds beside its picture and that of another familiar class.

    At every gate both pictures are scored by what has been heard so far, and the two scores become
    a share of looking. Subclasses declare conditions, gates, window and models.
    """

    kind = "looking"
    default_set = "mini-carrier"
    needs = ("Subject",)
    min_languages: ClassVar[int] = 1
    """How many languages a subject must be tested in."""
    conditions: ClassVar[tuple[HeardCondition, ...]]
    gates_ms: ClassVar[tuple[int, ...]]
    """When both pictures are scored, in milliseconds from the onset of the word, rising."""
    window_ms: ClassVar[tuple[int, int]]
    """First and last gate of the window that the test is about."""
    growth: ClassVar[str]
    """Growth-curve model of looking after the onset, lme4 notation, see `TIME`."""

    @classmethod
    def check_declaration(cls) -> None:
        """Refuse gates, a window and models that cannot be understood."""
        gates = getattr(cls, "gates_ms", ())
        if gates and (list(gates) != sorted(set(gates)) or gates[0] > 0 or gates[-1] <= 0):
            raise _refused(cls, "its gates do not rise from the onset (0), or before, to after it",
                           str(gates))  # fmt: skip
        window = getattr(cls, "window_ms", None)
        if gates and window and not (window[0] < window[1] and {*window} <= {*gates}):
            raise _refused(cls, "its window does not begin and end at two of its gates",
                           f"window_ms = {window}, gates {gates[0]} to {gates[-1]}")  # fmt: skip
        for name, fixed in (("formula", {"1"}), ("growth", {"1", *TIME})):
            if hasattr(cls, name):
                _check_model(cls, getattr(cls, name), name, fixed)

    def trials(
        self,
        stimuli: StimulusSet,
        language: str,
        rng: np.random.Generator,
        *,
        per_class: int,
    ) -> GatedTrials:
        """Make the trials of one test language; see `paradigms.looking.trials.gated_trials`."""
        heard = {known.name: known.behind_carrier for known in self.conditions}
        return gated_trials(stimuli, language, rng, heard, self.gates_ms, self.window_ms, per_class)

    def measure(self, trials: GatedTrials, heard: Heard) -> tuple[Floats, Floats]:
        """Scores of both pictures at every gate, and of those of practice trials.

        Where nothing has been heard yet, a picture has its mean score over the practice words:
        what it would be looked at for whatever is said.

        Returns:
            (n, 2, k) and (n_practice, 2) scores.
        """
        test, practice = trials.test, trials.practice
        whole = heard.similarity(heard.practice, heard.pictures)
        unheard = word_weights(practice) @ whole
        by_word = heard.similarity(heard.words, heard.pictures)
        # The last row answers to index -1: nothing is heard.
        by_word = np.vstack([by_word, unheard[None]])
        parts = trials.heard[test.word]
        scores = by_word[parts[:, None, :], test.options[:, :, None]]
        return scores, whole[practice.word[:, None], practice.options]

    def looks(self, trials: GatedTrials, scores: Floats, practice: Floats) -> tuple[Floats, float]:
        """Shares of looking at the target, (n, k), and the temperature behind them."""
        rows, place = np.arange(len(practice)), trials.practice.target_position
        temperature = fitted_temperature(practice[rows, place] - practice[rows, 1 - place])
        return looking_shares(scores, trials.test.target_position, temperature), temperature


def _check_model(cls: type[LookingParadigm], text: str, name: str, fixed: set[str]) -> None:
    formula = parse(text)
    if formula.response != RESPONSE:
        raise _refused(cls, f"the response of its {name} is not {RESPONSE!r}", text)
    terms = [formula.fixed, *(term.terms for term in formula.random)]
    known = {part.strip() for term in terms for part in term.split("+")}
    if not known <= fixed:
        raise _refused(cls, f"its {name} knows no {', '.join(sorted(known - fixed))}", text)
    groups = [term.group for term in formula.random]
    if not groups or not {*groups} <= {*CROSSED} or len({*groups}) < len(groups):
        raise _refused(cls, f"the random terms of its {name} are not each over another of "
                       f"{', '.join(CROSSED)}", text)  # fmt: skip


def _refused(cls: type[LookingParadigm], why: str, given: str) -> ToolkitError:
    return ToolkitError(
        f"The paradigm {cls.name!r} cannot be asked: {why}.",
        given=given,
        allowed="what paradigms/looking_while_listening.py declares, in other numbers",
    )


def as_looking(paradigm: BaseParadigm) -> LookingParadigm:
    """The paradigm, where only one of looking can be asked.

    Raises:
        ToolkitError: if it asks for something else.

    Example:
        >>> from paradigms.registry import get_paradigm
        >>> as_looking(get_paradigm("looking-while-listening")).default_set
        'mini-carrier'
    """
    if isinstance(paradigm, LookingParadigm):
        return paradigm
    raise ToolkitError(
        f"Paradigm {paradigm.name!r} asks for {asks_for(paradigm)}; nothing in it unfolds.",
        given=f"{paradigm.name}, version {paradigm.version}",
        allowed="a paradigm of looking, e.g. looking-while-listening",
        next_command=how_to_run(paradigm),
    )
