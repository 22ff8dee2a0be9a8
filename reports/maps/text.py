"""Maps on the terminal: the primary measure by language, then tests between languages."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal

from paradigms import Measure
from reports.numbers import NONE, interval, number, p_value, percent, t_of_df
from reports.terminal import table
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.statistics.maps.languages import Estimate
    from toolkit.statistics.maps.models import ResourceTest
    from toolkit.statistics.maps.results import GroundingAnalysis, PopulationResult
    from toolkit.statistics.maps.summary import MapSummary
    from toolkit.statistics.means import SeedMean


BESIDE: dict[str, tuple[str, Callable[[float], str]]] = {
    "peak_ratio": ("peak ratio", lambda value: number(value, digits=3)),
    "pointing": ("on the thing", percent),
    "mask_share": ("by chance", percent),
    "tokens_per_word": ("tokens", lambda value: number(value, digits=2)),
}
"""Measures that are printed beside the primary one where they were taken; the page holds all."""


def measure_of(summary: MapSummary) -> Measure:
    """The measure that the means of a summary are of; one not declared has but its name."""
    name = summary.measure
    declared = summary.measures.get(name)
    return declared.named(name) if declared else Measure(name, name)


def field_of(measure: Measure) -> str:
    """A name for the column of a figure's data that holds a measure.

    Example:
        >>> field_of(Measure("iou_true", "...", noun="overlap with the truth"))
        'overlap_with_the_truth'
    """
    return re.sub(r"\W+", "_", measure.noun)


def axis_title(measure: Measure, reference: bool = True) -> str:
    """The title of an axis: what there is more or less of, and in what it is measured.

    Args:
        measure: what is drawn.
        reference: say what a relative measure holds maps against.

    Example:
        >>> axis_title(Measure("iou", "...", noun="overlap", heading="IoU", relative=True))
        'overlap with the reference (IoU)'
        >>> axis_title(Measure("area", "pixels above half of the peak", unit="px"))
        'area (px)'
    """
    held = " with the reference" * (measure.relative and reference)
    other = measure.heading if measure.heading not in (measure.noun, measure.name) else ""
    unit = measure.unit or other
    return f"{measure.noun}{held}" + (f" ({unit})" if unit else "")


def capital(text: str) -> str:
    """The same with a capital letter in front.

    Example:
        >>> capital("overlap of cluster masks")
        'Overlap of cluster masks'
    """
    return text[:1].upper() + text[1:]


def print_means(out: Console, rows: Sequence[SeedMean], summary: MapSummary) -> None:
    """Print one condition of a summary.

    Args:
        out: where to.
        rows: its results.
        summary: the whole of it.
    """
    from rich.markup import escape

    measure = measure_of(summary)
    with_chance = any(not math.isnan(row.chance) for row in rows)
    known = {name: told for name, told in BESIDE.items() if name in rows[0].others}
    numbers = (escape(measure.noun), "95 % interval", *["chance"] * with_chance)
    numbers = (*numbers, *(heading for heading, _ in known.values()))
    made = table("population", "language", *numbers, numbers=numbers)
    for row in rows:
        made.add_row(
            escape(row.population),
            escape(row.test_language),
            number(row.mean, digits=measure.digits),
            interval(row.ci_low, row.ci_high, digits=measure.digits),
            *[number(row.chance, digits=measure.digits)] * with_chance,
            *(shown(row.others[name]) for name, (_, shown) in known.items()),
        )
    out.print(made)


def print_controls(out: Console, rows: Sequence[SeedMean], summary: MapSummary) -> None:
    """Print all control conditions of a summary, one after the other."""
    for condition in dict.fromkeys(row.condition for row in rows):
        own = [row for row in rows if row.condition == condition]
        out.print(f"\n{condition}: {own[0].meaning}", markup=False)
        print_means(out, own, summary)


def results_note(summary: MapSummary) -> str:
    """What to know of the results of a summary."""
    measure = measure_of(summary)
    held = f" {capital(measure.noun)}: with the reference language's." * measure.relative
    return f"Intervals: 95 %, Student's t over seeds (further seeds, the same items).{held}"


def print_maps(out: Console, analysis: GroundingAnalysis) -> None:
    """Print the tests of an analysis of maps: mixed models, then languages."""
    from rich.markup import escape

    # Where nothing could be tested, the sentences say why.
    tested = [
        own
        for own in analysis.populations
        if any(test.languages is not None or test.mean is not None for test in own.tests)
    ]
    with_pairs = any(test.pairs is not None for own in tested for test in own.tests)
    heads = (
        "high - low",
        "95 % CI",
        "t(df)",
        "p",
        "p splits",
        "p Welch",
        *["p pairs"] * with_pairs,
    )
    means = any(test.mean is not None for own in tested for test in own.tests)
    numbers = (*["mean", "95 % CI of it"] * means, *heads)
    for own in tested:
        made = table("measure", *numbers, numbers=numbers)
        for test in own.tests:
            mean = mean_cells(test) if means else ()
            made.add_row(escape(test.measure), *mean, *cells_of(test, with_pairs))
        out.print(
            f"\n{own.population}, {own.condition}: high- against low-resource languages, "
            f"{count(own.n_seeds, 'seed')}, {count(own.n_pictures, 'picture')}, "
            f"{count(own.n_concepts, 'concept')}",
            markup=False,
        )
        out.print(made)
    if tested:
        pairs = " Pairs: the published Wilcoxon, which says nothing about further languages."
        out.print(
            f"{'Mean' if means else 't, p'}: mixed model, languages as the sample. Splits: all "
            f"ways to call so many languages low.{pairs * with_pairs}"
        )


def ends_of(found: Estimate | None, digits: int = 3, mark: float = math.nan) -> tuple[str, str]:
    """An estimate and its interval; dashes where there is none."""
    if found is None:
        return NONE, NONE
    ends = interval(found.ci_low, found.ci_high, digits=digits, mark=mark)
    return number(found.value, digits=digits), ends


def mean_cells(test: ResourceTest) -> tuple[str, str]:
    """Mean over languages by the mixed model, and its interval."""
    return ends_of(test.mean)


def cells_of(test: ResourceTest, with_pairs: bool) -> tuple[str, ...]:
    """Difference, interval, t with its degrees of freedom, and the p-values of a measure.

    Where the formula asks for no contrast, difference and interval are Welch's over languages.
    """
    languages, mixed, pairs = test.languages, test.mixed, test.pairs
    welch = languages.welch if languages else None
    return (
        *ends_of(welch if test.mean else mixed, mark=0.0),
        t_of_df(mixed.value / mixed.std_error, mixed.df) if mixed and mixed.std_error else NONE,
        p_value(test.p_value),
        p_value(languages.permutation_p if languages else math.nan),
        p_value(languages.welch_p if languages else math.nan),
        *[p_value(pairs.p_value if pairs else math.nan)] * with_pairs,
    )


def title_of(own: PopulationResult) -> str:
    """Population and condition, as a heading."""
    return f"{own.population} ({own.condition})"


def group_mean(own: PopulationResult, test: ResourceTest, kind: Literal["high", "low"]) -> float:
    """Mean of a measure over the high- or the low-resource languages; NaN where there are none."""
    if test.languages:
        return test.languages.mean_high if kind == "high" else test.languages.mean_low
    # With a single language in a group nothing is tested, and the means are there all the same.
    measured = [
        row.measures[test.measure].value
        for row in own.languages
        if row.resource == kind and test.measure in row.measures
    ]
    known = [value for value in measured if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan
