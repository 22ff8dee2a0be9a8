"""The analysis of maps: from trials to ``statistics.json``."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from paradigms.maps.paradigm import as_maps
from toolkit.errors import ToolkitError
from toolkit.statistics.kinds import Statistics
from toolkit.statistics.maps.answers import told
from toolkit.statistics.maps.data import (
    Asked,
    Grounded,
    declared_by,
    paradigm_of,
    read_grounding,
)
from toolkit.statistics.maps.measures import (
    against_chance,
    empty_masks,
    failures,
    fertility,
    holm_chance,
    language_rows,
    word_rows,
)
from toolkit.statistics.maps.models import resource_tests
from toolkit.statistics.maps.results import GroundingAnalysis, MapSettings, PopulationResult
from toolkit.statistics.maps.scale import ScaleDelta, scale_deltas
from toolkit.statistics.maps.summary import MapSummary, about_maps, summarise_maps
from toolkit.statistics.maps.warnings import warnings_of
from toolkit.statistics.models.mixed import engine
from toolkit.statistics.phrases import told_family

if TYPE_CHECKING:
    from pathlib import Path

    from paradigms import Measure
    from toolkit.statistics.kinds import Progress
    from toolkit.statistics.settings import Settings


def analyse_grounding(
    grounded: Grounded, paradigm: Asked, alpha: float = 0.05
) -> GroundingAnalysis:
    """Run the analysis of a paradigm of maps.

    Args:
        grounded: what `toolkit.statistics.maps.data.read_grounding` gave.
        paradigm: declares the question, the measures and their model, and the conditions; the first
            headline one that a population was run in is the primary one.
        alpha: level of the tests, fixed in advance.

    Raises:
        ToolkitError: if the trials lack the primary measure.
    """
    table, primary = grounded.table, paradigm.primary()
    if primary.name not in table:
        raise ToolkitError(
            f"The trials of {paradigm.name!r} lack the column {primary.name}, which its formula "
            "models.",
            given=", ".join(map(str, table.columns)),
            next_command=f"mevgs-toolkit run-paradigm {paradigm.name} --subject NAME",
        )
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
            for result in _result(grounded, population, name, name == conditions[0], paradigm)
        ]
    results = _corrected(sorted(results, key=lambda result: not result.primary))
    scale = scale_deltas(grounded, populations, ordered, paradigm)
    told_of = declared_by(paradigm)
    analysis = GroundingAnalysis(
        engine=engine(),
        paradigm=paradigm.name,
        paradigm_version=grounded.version,
        question=paradigm.question,
        settings=MapSettings(alpha),
        measures={n: one.label for n, one in told_of.measures.items() if one.compared},
        reference=grounded.reference,
        languages=dict(grounded.languages),
        populations=tuple(results),
        scale=scale,
        families=tuple(_families(results, scale, primary)),
        declared=told_of,
    )
    return replace(analysis, **told(analysis), warnings=tuple(warnings_of(analysis)))


def _families(
    results: Sequence[PopulationResult], scale: Sequence[ScaleDelta], primary: Measure
) -> Iterator[str]:
    """Which tests belong together, what they are corrected for, and what is not corrected."""
    heads = [own for own in results if own.primary]
    where: dict[str, list[str]] = {}
    for own in heads:
        if own.tests and own.tests[0].mixed is not None:
            where.setdefault(own.condition, []).append(own.population)
    if where:
        told = "; ".join(f"{condition}: {', '.join(names)}" for condition, names in where.items())
        yield (
            f"primary: high against low resource in the {primary.label}, one test per "
            f"population ({told}), uncorrected"
        )
    chance = [test for own in heads for test in own.pointing]
    measures = " and ".join(dict.fromkeys(test.measure for test in chance))
    planned = {
        f"{measures} above chance": [test.p_value for test in chance],
        "pairs of populations": [delta.p_value for delta in scale],
    }
    for name, ps in planned.items():
        lost = sum(map(math.isnan, ps))
        if lost < len(ps):
            yield told_family(name, len(ps), lost)
    further = len(heads) < len(results) or any(len(own.tests) > 1 for own in heads)
    rest = {
        "all other measures and conditions": bool(where) and further,
        "high against low resource": any(
            t.mean and t.languages for own in heads for t in own.tests
        ),
        "whether a difference of populations depends on resource": any(d.groups for d in scale),
        "tokens per word": any(own.fertility for own in heads),
    }
    if any(rest.values()):
        yield f"secondary and uncorrected: {', '.join(name for name, held in rest.items() if held)}"


def _result(
    grounded: Grounded, population: str, condition: str, primary: bool, asked: Asked
) -> Sequence[PopulationResult]:
    whole = grounded.table
    table = whole[(whole["population"] == population) & (whole["condition"] == condition)]
    measure = asked.primary()
    rows = table[table["language"].isin(grounded.listed(measure))]
    if rows.empty:
        return []
    languages = language_rows(grounded, table, asked)
    others = [m.name for m in asked.compared() if m.name in table and m.name != measure.name]
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
            tests=resource_tests(grounded, tested, asked),
            languages=languages,
            words=word_rows(grounded, table, asked),
            failures=failures(grounded, table, asked),
            empty=empty_masks(grounded, table, asked),
            pointing=against_chance(grounded, table, asked),
            fertility=fertility(languages, asked),
        )
    ]


def _corrected(results: Sequence[PopulationResult]) -> list[PopulationResult]:
    """Holm's correction over the tests against chance in the primary condition."""
    corrected = iter(holm_chance([own.pointing for own in results if own.primary]))
    return [replace(own, pointing=next(corrected)) if own.primary else own for own in results]


def analyse_maps(
    paths: Sequence[Path], paradigms: Path | None, settings: Settings, progress: Progress
) -> dict[str, GroundingAnalysis]:
    """Analyse every paradigm of maps among some runs; see `toolkit.statistics.kinds`."""
    from paradigms.registry import get_paradigm

    by_name: dict[str, list[Path]] = {}
    for path in paths:
        by_name.setdefault(paradigm_of(path), []).append(path)
    return {
        name: analyse_grounding(
            read_grounding(own), as_maps(get_paradigm(name, paradigms)), settings.alpha
        )
        for name, own in by_name.items()
    }


STATISTICS = Statistics(
    analyse=analyse_maps,
    result=GroundingAnalysis,
    settings=frozenset({"alpha"}),
    results=summarise_maps,
    about=about_maps,
    summary=MapSummary,
)
"""What is made of maps."""
