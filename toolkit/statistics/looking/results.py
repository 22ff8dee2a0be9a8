"""What an analysis of looking returns: frozen records that JSON can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from toolkit.statistics.looking.clusters import Cluster, CourseTest
from toolkit.statistics.looking.courses import GateMean, Multiverse
from toolkit.statistics.looking.models import Growth, WindowTest
from toolkit.statistics.looking.reaction import ReactionTime
from toolkit.statistics.models.results import Result

LOOKING_SCHEMA = 2
"""Raised when a key of ``statistics.json`` is added, goes, or changes its meaning."""


@dataclass(frozen=True)
class LookingSettings:
    """What is fixed before looks are looked at."""

    alpha: float
    """Level of the tests; intervals are 95 % whatever it is."""
    window_ms: tuple[int, int]
    """First and last gate of the declared window."""
    formula: str
    """Model of the window, as declared."""
    growth: str
    """Model of the growth curve, as declared."""


@dataclass(frozen=True)
class CourseResult:
    """Everything about one population in one language and condition."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    condition: str
    """Which condition."""
    headline: bool
    """True for the test itself, False for a control."""
    unit: str
    """What participants are: ``seed`` or ``draw``."""
    n_trials: int
    """Trials of all participants."""
    temperature: float
    """Mean over participants of the temperature that practice trials gave."""
    course: tuple[GateMean, ...]
    """Looking at every gate."""
    window: WindowTest
    """The declared window against chance."""
    multiverse: Multiverse
    """All other windows."""
    clusters: tuple[Cluster, ...]
    """Stretches of time with more looking at the target than chance."""
    whole: CourseTest
    """What they say together: is there such a stretch?"""
    reaction: ReactionTime
    """How fast looks turn."""
    growth: Growth
    """The growth curve."""


@dataclass(frozen=True)
class ConditionCourses:
    """Two conditions that were to be compared."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    plus: str
    """The condition that is expected to be higher."""
    minus: str
    """The one that is taken from it."""
    question: str
    """What a difference would say."""
    window: WindowTest
    """Their difference in the declared window, over the same participants and items."""
    clusters: tuple[Cluster, ...]
    """Stretches of time in which the first has more looking at the target."""
    whole: CourseTest
    """What they say together: is there such a stretch?"""


@dataclass(frozen=True, kw_only=True, eq=False)
class LookingAnalysis(Result):
    """The analysis of some runs of a paradigm of looking."""

    paradigm_kind: Literal["looking"] = "looking"
    """Its kind."""
    schema: int = LOOKING_SCHEMA
    """Version of what is written."""
    settings: LookingSettings
    """What was fixed in advance."""
    results: tuple[CourseResult, ...]
    """Every population, language and condition, headline conditions first."""
    contrasts: tuple[ConditionCourses, ...]
    """Conditions against each other, as declared."""
