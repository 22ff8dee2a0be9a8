"""Maps on the terminal: the primary measure by language, then tests between languages."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from paradigms import Measure
from reports.numbers import interval, number, p_value, percent, t_of_df
from reports.terminal import table
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from rich.console import Console


BESIDE: dict[str, tuple[str, Callable[[float | None], str]]] = {
    "peak_ratio": ("peak ratio", lambda value: number(value, digits=3)),
    "pointing": ("on the thing", percent),
    "mask_share": ("by chance", percent),
    "tokens_per_word": ("tokens", lambda value: number(value, digits=2)),
}
"""Measures that are printed beside the primary one where they were taken; the page holds all."""


def measures_in(content: Mapping[str, Any]) -> dict[str, Measure]:
    """The measures that a summary or an analysis tells of, by name."""
    told = content["declared"]["measures"] if "declared" in content else content["measures"]
    return {name: _measure(name, facts) for name, facts in told.items()}


def _measure(name: str, facts: Mapping[str, Any]) -> Measure:
    known = {key: value for key, value in facts.items() if key != "primary"}
    low, high = map(float, known.pop("bounds"))
    return Measure(name, bounds=(low, high), **known)


def primary_in(analysis: Mapping[str, Any]) -> Measure:
    """The measure that the answers of an analysis are about."""
    return measures_in(analysis)[analysis["declared"]["primary"]]


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


def print_means(
    out: Console, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> None:
    """Print one condition of a summary.

    Args:
        out: where to.
        rows: its results.
        summary: the whole of ``summary.json``.
    """
    from rich.markup import escape

    measure = measures_in(summary)[summary["measure"]]
    with_chance = any(row["chance"] is not None for row in rows)
    known = {name: told for name, told in BESIDE.items() if name in rows[0]}
    numbers = (escape(measure.noun), "95 % interval", *["chance"] * with_chance)
    numbers = (*numbers, *(heading for heading, _ in known.values()))
    made = table("population", "language", *numbers, numbers=numbers)
    for row in rows:
        made.add_row(
            escape(row["population"]),
            escape(row["test_language"]),
            number(row["mean"], digits=measure.digits),
            interval(row["ci_low"], row["ci_high"], digits=measure.digits),
            *[number(row["chance"], digits=measure.digits)] * with_chance,
            *(shown(row[name]) for name, (_, shown) in known.items()),
        )
    out.print(made)


def print_controls(
    out: Console, rows: Sequence[Mapping[str, Any]], summary: Mapping[str, Any]
) -> None:
    """Print all control conditions of a summary, one after the other."""
    for condition in dict.fromkeys(row["condition"] for row in rows):
        own = [row for row in rows if row["condition"] == condition]
        out.print(f"\n{condition}: {own[0]['meaning']}", markup=False)
        print_means(out, own, summary)


def results_note(summary: Mapping[str, Any]) -> str:
    """What to know of the results of a summary."""
    measure = measures_in(summary)[summary["measure"]]
    held = f" {capital(measure.noun)}: with the reference language's." * measure.relative
    return f"Intervals: 95 %, Student's t over seeds (further seeds, the same items).{held}"


def print_maps(out: Console, analysis: Mapping[str, Any]) -> None:
    """Print the tests of ``statistics.json`` for maps: mixed models, then languages."""
    from rich.markup import escape

    # Where nothing could be tested, the sentences say why.
    tested = [
        own
        for own in analysis["populations"]
        if any(test["languages"] is not None or test["mean"] for test in own["tests"])
    ]
    with_pairs = any(test["pairs"] for own in tested for test in own["tests"])
    heads = (
        "high - low",
        "95 % CI",
        "t(df)",
        "p",
        "p splits",
        "p Welch",
        *["p pairs"] * with_pairs,
    )
    means = any(test["mean"] for own in tested for test in own["tests"])
    numbers = (*["mean", "95 % CI of it"] * means, *heads)
    for own in tested:
        made = table("measure", *numbers, numbers=numbers)
        for test in own["tests"]:
            mean = mean_cells(test) if means else ()
            made.add_row(escape(test["measure"]), *mean, *cells_of(test, with_pairs))
        out.print(
            f"\n{own['population']}, {own['condition']}: high- against low-resource languages, "
            + ", ".join(count(own[f"n_{what}s"], what) for what in ("seed", "picture", "concept")),
            markup=False,
        )
        out.print(made)
    if tested:
        pairs = " Pairs: the published Wilcoxon, which says nothing about further languages."
        out.print(
            f"{'Mean' if means else 't, p'}: mixed model, languages as the sample. Splits: all "
            f"ways to call so many languages low.{pairs * with_pairs}"
        )


def mean_cells(test: Mapping[str, Any]) -> tuple[str, str]:
    """Mean over languages by the mixed model, and its interval."""
    mean = test["mean"] or {}
    return (
        number(mean.get("value"), digits=3),
        interval(mean.get("ci_low"), mean.get("ci_high"), digits=3),
    )


def cells_of(test: Mapping[str, Any], with_pairs: bool) -> tuple[str, ...]:
    """Difference, interval, t with its degrees of freedom, and the p-values of a measure.

    Where the formula asks for no contrast, difference and interval are Welch's over languages.
    """
    languages, pairs = test["languages"] or {}, test["pairs"] or {}
    mixed = test["mixed"] or {}
    shown = (languages.get("welch") or {}) if test["mean"] else mixed
    statistic = mixed["value"] / mixed["std_error"] if mixed.get("std_error") else None
    return (
        number(shown.get("value"), digits=3),
        interval(shown.get("ci_low"), shown.get("ci_high"), digits=3, mark=0.0),
        t_of_df({"statistic": statistic, "df": mixed.get("df")}),
        p_value(test["p_value"]),
        p_value(languages.get("permutation_p")),
        p_value(languages.get("welch_p")),
        *[p_value(pairs.get("p_value"))] * with_pairs,
    )


def title_of(own: Mapping[str, Any]) -> str:
    """Population and condition, as a heading."""
    return f"{own['population']} ({own['condition']})"


def group_mean(own: Mapping[str, Any], test: Mapping[str, Any], kind: str) -> float | None:
    """Mean of a measure over the high- or the low-resource languages; None where there are none."""
    if test["languages"]:
        return float(test["languages"][f"mean_{kind}"])
    # With a single language in a group nothing is tested, and the means are there all the same.
    measured = [
        row["measures"][test["measure"]]["value"]
        for row in own["languages"]
        if row["resource"] == kind and test["measure"] in row["measures"]
    ]
    known = [value for value in measured if value is not None]
    return sum(known) / len(known) if known else None
