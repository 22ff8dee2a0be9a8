"""The analysis of dense grounding: from trials to ``statistics.json``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from toolkit.statistics.grounding_data import MEASURES, PRIMARY, Grounded, Language
from toolkit.statistics.grounding_measures import (
    EmptyMasks,
    Failure,
    Fertility,
    LanguageRow,
    Pointing,
    WordRow,
    empty_masks,
    failures,
    fertility,
    holm_pointing,
    language_rows,
    pointing,
    word_rows,
)
from toolkit.statistics.grounding_models import ResourceTest, resource_tests
from toolkit.statistics.grounding_scale import ScaleDelta, scale_deltas
from toolkit.statistics.mixed import engine
from toolkit.statistics.phrases import told_family
from toolkit.statistics.results import plain

if TYPE_CHECKING:
    from paradigms import BaseParadigm

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
    """Every language but the reference."""
    words: tuple[WordRow, ...]
    """Every concept in every language."""
    failures: tuple[Failure, ...]
    """Peak kept, place lost."""
    empty: EmptyMasks | None
    """Maps without a cluster; None where it was not recorded."""
    pointing: tuple[Pointing, ...]
    """Against the true masks; empty without."""
    fertility: Fertility | None
    """Token length against overlap, exploratory."""


@dataclass(frozen=True)
class GroundingAnalysis:
    """The analysis of some runs of dense grounding."""

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
    answers: tuple[tuple[str, str], ...] = ()
    """Each question with its answer."""
    apa: str = ""
    """A results paragraph."""
    sentences: tuple[str, ...] = ()
    """What may be said, in sentences."""
    warnings: tuple[str, ...] = ()
    """What the reader must know."""

    def to_json(self) -> dict[str, Any]:
        """The content of ``statistics.json`` under the paradigm's name."""
        rest = plain(self)
        for own in rest["populations"]:
            for test in own["tests"]:
                for effect in (test["fit"] or {}).get("coefficients", ()):
                    del effect["odds_ratio"]  # these models are linear
        settings = {"alpha": rest.pop("alpha")}
        about = {"schema": GROUNDING_SCHEMA, "kind": "grounding", "engine": engine()}
        return {**about, "settings": settings, "measures": dict(MEASURES), **rest}


def analyse_grounding(
    grounded: Grounded, paradigm: type[BaseParadigm] | BaseParadigm, alpha: float = 0.05
) -> GroundingAnalysis:
    """Run the analysis of dense grounding.

    Args:
        grounded: what `toolkit.statistics.grounding_data.read_grounding` gave.
        paradigm: declares the question and the conditions; the first headline one that a population
            was run in is the primary one.
        alpha: level of the tests, fixed in advance.
    """
    from toolkit.statistics.grounding_prose import told
    from toolkit.statistics.grounding_warnings import warnings_of

    table = grounded.table
    present = [str(name) for name in table["condition"].unique()]
    # A table whose conditions nobody declared is still a table of answers.
    known = sorted(paradigm.conditions, key=lambda condition: not condition.headline)
    declared = [condition.name for condition in known if condition.name in present]
    ordered = declared + sorted(set(present) - set(declared))
    populations = [str(name) for name in dict.fromkeys(table["population"])]
    results = []
    for population in populations:
        own = table[table["population"] == population]
        conditions = [name for name in ordered if (own["condition"] == name).any()]
        results += [
            result
            for name in conditions
            for result in _result(grounded, population, name, name == conditions[0])
        ]
    results = _corrected(sorted(results, key=lambda result: not result.primary))
    scale = scale_deltas(grounded, populations, ordered)
    analysis = GroundingAnalysis(
        paradigm=paradigm.name,
        paradigm_version=grounded.version,
        question=paradigm.question,
        alpha=alpha,
        reference=grounded.reference,
        languages=dict(grounded.languages),
        populations=tuple(results),
        scale=scale,
        families=tuple(_families(results, scale)),
    )
    return replace(analysis, **told(analysis), warnings=tuple(warnings_of(analysis)))


def _families(results: Sequence[PopulationResult], scale: Sequence[ScaleDelta]) -> Iterator[str]:
    """Which tests belong together, what they are corrected for, and what is not corrected."""
    heads = [own for own in results if own.primary]
    where: dict[str, list[str]] = {}
    for own in heads:
        if own.tests and own.tests[0].mixed is not None:
            where.setdefault(own.condition, []).append(own.population)
    if where:
        told = "; ".join(f"{condition}: {', '.join(names)}" for condition, names in where.items())
        yield (
            "primary: high against low resource in the overlap of cluster masks, one test per "
            f"population ({told}), uncorrected"
        )
    planned = {
        "pointing above chance": [test.p_value for own in heads for test in own.pointing],
        "pairs of populations": [delta.p_value for delta in scale],
    }
    for name, ps in planned.items():
        lost = sum(map(math.isnan, ps))
        if lost < len(ps):
            yield told_family(name, len(ps), lost)
    rest = {
        "all other measures and conditions": bool(where),
        "whether a difference of populations depends on resource": any(d.groups for d in scale),
        "tokens per word": any(own.fertility for own in heads),
    }
    if any(rest.values()):
        yield f"secondary and uncorrected: {', '.join(name for name, held in rest.items() if held)}"


def _result(
    grounded: Grounded, population: str, condition: str, primary: bool
) -> Sequence[PopulationResult]:
    whole = grounded.table
    table = whole[(whole["population"] == population) & (whole["condition"] == condition)]
    rows = table[table["language"] != grounded.reference]
    if rows.empty:
        return []
    languages = language_rows(grounded, table)
    others = [name for name in MEASURES if name in table and name != PRIMARY]
    tested = table if primary else table.drop(columns=others)
    n_seeds, n_pictures, n_concepts = (
        int(rows[name].nunique()) for name in ("seed", "picture", "concept")
    )
    return [
        PopulationResult(
            population=population,
            condition=condition,
            primary=primary,
            n_seeds=n_seeds,
            n_pictures=n_pictures,
            n_concepts=n_concepts,
            n_rows=len(rows),
            tests=resource_tests(grounded, tested),
            languages=languages,
            words=word_rows(grounded, table),
            failures=failures(grounded, table),
            empty=empty_masks(grounded, table),
            pointing=pointing(grounded, table),
            fertility=fertility(languages),
        )
    ]


def _corrected(results: Sequence[PopulationResult]) -> list[PopulationResult]:
    """Holm's correction over the pointing games of the primary condition."""
    corrected = iter(holm_pointing([own.pointing for own in results if own.primary]))
    return [replace(own, pointing=next(corrected)) if own.primary else own for own in results]
