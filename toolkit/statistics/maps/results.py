"""What an analysis of maps returns: frozen records that JSON can hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from paradigms import Measure
from paradigms.formula import RESOURCE, parse
from toolkit.statistics.maps.data import Declared, Language
from toolkit.statistics.maps.measures import (
    EmptyMasks,
    Failure,
    Fertility,
    LanguageRow,
    Pointing,
    WordRow,
)
from toolkit.statistics.maps.models import ResourceTest
from toolkit.statistics.maps.scale import ScaleDelta
from toolkit.statistics.models.results import Result

GROUNDING_SCHEMA = 3
"""Raised when a key of ``statistics.json`` is added, goes, or changes its meaning."""


@dataclass(frozen=True)
class PopulationResult:
    """Everything about one population in one condition."""

    population: str
    """Its name."""
    condition: str
    """Condition: how the word was put to it."""
    primary: bool
    """True in the condition that the answers are about: the first headline one it was run in."""
    n_seeds: int
    """Networks."""
    n_pictures: int
    """Pictures."""
    n_concepts: int
    """Concepts."""
    n_rows: int
    """Picture x concept x language x seed, without the reference language."""
    tests: tuple[ResourceTest, ...]
    """High against low resource, the primary measure first; elsewhere than in the primary
    condition that measure alone."""
    languages: tuple[LanguageRow, ...]
    """Every language that the primary measure is told of."""
    words: tuple[WordRow, ...]
    """Every concept in every language."""
    failures: tuple[Failure, ...]
    """Peak kept, place lost."""
    empty: EmptyMasks | None
    """Maps without a cluster; None where it was not recorded."""
    pointing: tuple[Pointing, ...]
    """Measures that have a chance level against it; empty without."""
    fertility: Fertility | None
    """Token length against the primary measure, exploratory."""


@dataclass(frozen=True)
class MapSettings:
    """What is fixed before maps are looked at."""

    alpha: float
    """Level of the tests; intervals are 95 % whatever it is."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GroundingAnalysis(Result):
    """The analysis of some runs of a paradigm of maps."""

    paradigm_kind: Literal["maps"] = "maps"
    """Its kind."""
    schema: int = GROUNDING_SCHEMA
    """Version of what is written."""
    kind: Literal["grounding"] = "grounding"
    """What is analysed."""
    settings: MapSettings
    """What was fixed in advance."""
    measures: Mapping[str, str]
    """What is compared between languages, in a few words, by column."""
    reference: str
    """Language that the others are held against."""
    languages: Mapping[str, Language]
    """All languages by code."""
    populations: tuple[PopulationResult, ...]
    """Every population in every condition, the primary ones first."""
    scale: tuple[ScaleDelta, ...]
    """Pairs of populations, each in the first condition that both were run in."""
    declared: Declared
    """What the paradigm declares of its model and its measures."""

    @property
    def contrasts(self) -> bool:
        """True if the model has the contrast between groups of languages."""
        return RESOURCE in parse(self.declared.formula).fixed

    @property
    def known(self) -> dict[str, Measure]:
        """The measures that the paradigm declares, by name."""
        return {name: one.named(name) for name, one in self.declared.measures.items()}

    @property
    def primary(self) -> Measure:
        """The measure that the answers are about."""
        return self.known[self.declared.primary]
