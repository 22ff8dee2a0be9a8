"""Paradigms of maps: what is asked of pictures in writing, and what is read off the maps."""

from __future__ import annotations

import inspect
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from paradigms.base import BaseParadigm, Floats, Mask, asks_for, how_to_run
from paradigms.formula import check_maps, parse
from paradigms.maps.queries import Queries, ask
from paradigms.measures import Measure, check_measures
from paradigms.registry import reopen
from stimuli.errors import ToolkitError

if TYPE_CHECKING:
    from stimuli import StimulusSet


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
        """What is asked of which picture; see `paradigms.maps.queries.ask`."""
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
        return reopen, (inspect.getfile(type(self)), self.name)


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
        f"Paradigm {paradigm.name!r} asks for {asks_for(paradigm)}; it reads no maps of pictures.",
        given=f"{paradigm.name}, version {paradigm.version}",
        allowed="a paradigm of maps, e.g. dense-grounding",
        next_command=how_to_run(paradigm),
    )
