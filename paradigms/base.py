"""What every paradigm declares, whatever it asks for."""

from __future__ import annotations

from abc import ABC
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from paradigms.conditions import ChildResult, Condition, ConditionContrast, Graded
from paradigms.formula import parse
from paradigms.measures import Measure

Floats = npt.NDArray[np.float32]
Mask = npt.NDArray[np.bool_]
TOLD = {
    "choices": ("choices", "bilingual-en-nl"),
    "maps": ("maps of pictures", "multilingual-clip"),
    "looking": ("looks while a word unfolds", "bilingual-en-nl"),
}
"""What is asked for in words, and a population that can be asked; other kinds have their name."""


class BaseParadigm(ABC):
    """What all paradigms declare; a test is written as one of its subclasses.

    `Paradigm` asks for choices among options, `MapParadigm` for maps of pictures,
    `LookingParadigm` for looks while a word unfolds.
    """

    kind: ClassVar[str]
    """What is asked for: ``choices``, ``maps``, ``looking``. Set once by the base class of a kind;
    running, statistics and reports look up in their tables what they do for it
    (`toolkit.tables.kinds`)."""
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
    graded: ClassVar[tuple[Graded, ...]] = ()
    """Graded factors, each tested by a linear contrast; a family, fixed in advance."""
    children: ClassVar[tuple[ChildResult, ...]] = ()
    """What children did, from the literature."""
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


def how_to_run(paradigm: BaseParadigm) -> str:
    """A command that runs it, with a population that can be asked."""
    _, whom = TOLD.get(paradigm.kind, ("", "NAME"))
    return f"mevgs-toolkit run-paradigm {paradigm.name} --subject {whom}"


def asks_for(paradigm: BaseParadigm) -> str:
    """What it asks for, in words."""
    return TOLD.get(paradigm.kind, (paradigm.kind, ""))[0]
