"""What an analysis of maps returns: frozen records that JSON can hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from paradigms.formula import RESOURCE, parse
from toolkit.statistics.models.mixed import engine
from toolkit.statistics.models.results import plain

if TYPE_CHECKING:
    from paradigms import Measure
    from toolkit.statistics.maps.data import Language
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

GROUNDING_SCHEMA = 2
"""Raised when a key of the grounding part of ``statistics.json`` changes its meaning."""


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
class GroundingAnalysis:
    """The analysis of some runs of a paradigm of maps."""

    paradigm: str
    """Name of the paradigm."""
    paradigm_version: int
    """Its version."""
    question: str
    """What it asks."""
    alpha: float
    """Level of the tests; intervals are 95 % whatever it is."""
    reference: str
    """Language that the others are held against."""
    languages: dict[str, Language]
    """All languages by code."""
    populations: tuple[PopulationResult, ...]
    """Every population in every condition, the primary ones first."""
    scale: tuple[ScaleDelta, ...]
    """Pairs of populations, each in the first condition that both were run in."""
    families: tuple[str, ...]
    """The families of tests, in words."""
    formula: str
    """The model as the paradigm declares it."""
    measures: dict[str, dict[str, Any]]
    """What the paradigm declares of its measures, by name."""
    primary: Measure
    """The measure that the answers are about."""
    answers: tuple[tuple[str, str], ...] = ()
    """Each question with its answer."""
    apa: str = ""
    """A results paragraph."""
    sentences: tuple[str, ...] = ()
    """What may be said, in sentences."""
    warnings: tuple[str, ...] = ()
    """What the reader must know."""

    @property
    def contrasts(self) -> bool:
        """True if the model has the contrast between groups of languages."""
        return RESOURCE in parse(self.formula).fixed

    def to_json(self) -> dict[str, Any]:
        """The content of ``statistics.json`` under the paradigm's name."""
        rest = plain(self)
        for own in rest["populations"]:
            for test in own["tests"]:
                for effect in (test["fit"] or {}).get("coefficients", ()):
                    del effect["odds_ratio"]  # these models are linear
        settings = {"alpha": rest.pop("alpha")}
        about = {"schema": GROUNDING_SCHEMA, "kind": "grounding", "engine": engine()}
        declared = {name: rest.pop(name) for name in ("formula", "measures")}
        declared["primary"] = rest.pop("primary")["name"]
        labels = {n: one["label"] for n, one in self.measures.items() if one["compared"]}
        return {
            **about,
            "settings": settings,
            "measures": labels,
            **rest,
            "declared": declared,
        }
