"""Dense grounding on the terminal: overlap by language, then tests between languages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.console import table
from reports.numbers import interval, number, p_value, percent, t_of_df
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from rich.console import Console


def print_overlap(out: Console, rows: Sequence[Mapping[str, Any]]) -> None:
    """Print one condition of a summary.

    Args:
        out: where to.
        rows: results of ``summary.json``.
    """
    from rich.markup import escape

    numbers = ("overlap", "95 % interval", "peak ratio", "on the thing", "by chance", "tokens")
    made = table("population", "language", *numbers, numbers=numbers)
    for row in rows:
        made.add_row(
            escape(row["population"]),
            escape(row["test_language"]),
            number(row["mean"], digits=3),
            interval(row["ci_low"], row["ci_high"], digits=3),
            number(row["peak_ratio"], digits=3),
            percent(row["pointing"]),
            percent(row["mask_share"]),
            number(row["tokens_per_word"], digits=2),
        )
    out.print(made)


def print_maps(out: Console, analysis: Mapping[str, Any]) -> None:
    """Print the tests of ``statistics.json`` for dense grounding: mixed models, then languages."""
    from rich.markup import escape

    # Where nothing could be tested, the sentences say why.
    tested = [
        own
        for own in analysis["populations"]
        if any(test["languages"] is not None for test in own["tests"])
    ]
    for own in tested:
        numbers = ("high - low", "95 % CI", "t(df)", "p", "p splits", "p Welch", "p pairs")
        made = table("measure", *numbers, numbers=numbers)
        for test in own["tests"]:
            made.add_row(escape(test["measure"]), *cells_of(test))
        out.print(
            f"\n{own['population']}, {own['condition']}: high- against low-resource languages, "
            + ", ".join(count(own[f"n_{what}s"], what) for what in ("seed", "picture", "concept")),
            markup=False,
        )
        out.print(made)
    if tested:
        out.print(
            "t, p: mixed model, languages as the sample. Splits: all ways to call so many "
            "languages low. Pairs: the published Wilcoxon, which says nothing about further "
            "languages."
        )


def cells_of(test: Mapping[str, Any]) -> tuple[str, ...]:
    """Difference, interval, t with its degrees of freedom, and the p-values of a measure."""
    mixed, languages, pairs = test["mixed"] or {}, test["languages"] or {}, test["pairs"] or {}
    statistic = mixed["value"] / mixed["std_error"] if mixed.get("std_error") else None
    return (
        number(mixed.get("value"), digits=3),
        interval(mixed.get("ci_low"), mixed.get("ci_high"), digits=3, mark=0.0),
        t_of_df({"statistic": statistic, "df": mixed.get("df")}),
        p_value(test["p_value"]),
        p_value(languages.get("permutation_p")),
        p_value(languages.get("welch_p")),
        p_value(pairs.get("p_value")),
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
