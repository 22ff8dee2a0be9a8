"""What is seen first of maps: what the model asks for, in the measure fixed in advance."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reports.maps.charts import rounded
from reports.maps.text import axis_title, cells_of, group_mean, mean_cells, title_of
from reports.numbers import in_one_cell, number, p_value
from reports.overview import Estimated, Forest, overview_of
from reports.parts import Table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.chapter import Chapter
    from reports.figures import Figure
    from reports.parts import Overview
    from toolkit.statistics.maps.models import ResourceTest
    from toolkit.statistics.maps.results import GroundingAnalysis, PopulationResult

Tested = tuple["PopulationResult", "ResourceTest"]
"""A population, and the test of the primary measure."""


def overview(chapter: Chapter[GroundingAnalysis]) -> Overview | None:
    """High against low resource, or the mean over languages; None where nothing was tested."""
    told = chapter.statistics
    if not told.answers:
        return None
    tested = [(own, own.tests[0]) for own in told.populations if own.primary and own.tests]
    question, verdict = told.answers[0]
    table = _contrasts(told, tested) if told.contrasts else _means(told, tested)
    return overview_of(question, verdict, _figure(told, tested), table)


def _figure(told: GroundingAnalysis, tested: Sequence[Tested]) -> Figure | None:
    measure, contrast = told.primary, told.contrasts
    rows = []
    for own, test in tested:
        found = test.mixed if contrast else test.mean
        if found is None or math.isnan(found.value):
            continue
        ends = rounded(found.value), rounded(found.ci_low), rounded(found.ci_high)
        labels = {"population": own.population, "condition": own.condition, "measure": test.measure}
        tests = {"p_value": p_value(test.p_value)} if contrast else {}
        rows.append(Estimated(title_of(own), ends, labels=labels, tested=tests))
    chance = measure.chance if isinstance(measure.chance, float | int) else math.nan
    between = "high - low resource, " * contrast
    mark = "Dashed: no difference." if contrast else "Dashed: chance."
    return Forest(
        name="deciding",
        title=f"{'High less low resource' if contrast else 'Mean over languages'}: {measure.noun}",
        axis=f"{between}{axis_title(measure)}",
        mark=0.0 if contrast else chance,
        field="difference" if contrast else "mean",
        unit="",
        digits=3,
        caption=(
            f"Diamond and line: the mixed model's {'difference' if contrast else 'mean'} in the "
            f"measure that was fixed in advance ({measure.label}), with its 95 % interval, "
            f"languages as the sample. {mark * (contrast or not math.isnan(chance))}"
        ).rstrip(),
        about=f"{'differences' if contrast else 'means'} in {measure.noun}",
    ).figure(rows)


def _contrasts(told: GroundingAnalysis, tested: Sequence[Tested]) -> Table:
    digits = told.primary.digits
    rows = tuple(
        (
            title_of(own), in_one_cell(cells_of(test, False)[:2]), *cells_of(test, False)[3:5],
            number(group_mean(own, test, "high"), digits=digits),
            number(group_mean(own, test, "low"), digits=digits),
        )
        for own, test in tested
    )  # fmt: skip
    return Table(
        name="overview",
        title=f"{told.primary.noun.capitalize()} in high- and low-resource languages",
        columns=("Population", "Difference [95 % CI]", "p", "p splits", "High resource",
                 "Low resource"),
        rows=rows,
        note="High and low resource: plain means over languages. Difference, interval and p: "
        "linear mixed model, further languages; one test per population in the measure fixed "
        "in advance, "
        "so nothing is corrected. p splits: share of all ways to call so many languages low that "
        "differ as much.",
    )  # fmt: skip


def _means(told: GroundingAnalysis, tested: Sequence[Tested]) -> Table:
    return Table(
        name="overview",
        title=f"{told.primary.noun.capitalize()}, mean over languages",
        columns=("Population", "Mean [95 % CI]", "Languages"),
        rows=tuple(
            (
                title_of(own), in_one_cell(mean_cells(test)),
                str(sum(test.measure in row.measures for row in own.languages)),
            )
            for own, test in tested
        ),
        note="Linear mixed model; the interval speaks about further languages where they are "
        "random in the model.",
    )  # fmt: skip
