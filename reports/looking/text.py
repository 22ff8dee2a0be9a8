"""Looking on the terminal: means of the declared window, then tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.numbers import NONE, between, estimate, number, p_value, percent, t_of_df
from reports.terminal import table
from reports.units import draws_note, units

if TYPE_CHECKING:
    from rich.console import Console

    from toolkit.statistics.looking.clusters import Cluster
    from toolkit.statistics.looking.models import WindowTest
    from toolkit.statistics.looking.reaction import ReactionTime
    from toolkit.statistics.looking.results import LookingAnalysis
    from toolkit.statistics.looking.summary import LookingSummary
    from toolkit.statistics.means import SeedMean

VERDICTS = {
    "more": "more",
    "less": "less",
    "open": "not shown",
    "few": "too few",
    "undecided": NONE,
}
"""What a test decides, in one word."""
TESTED = ("model [95 % CI]", "t(df)", "p", "p Holm")
"""Headings of what `cells_of` gives behind a mean."""


def print_means(out: Console, rows: Sequence[SeedMean], _: LookingSummary) -> None:
    """Print one condition of a summary."""
    from rich.markup import escape

    made = table(
        "population", "language", "looking", "95 % interval", "trials", f"each {units(rows)}, %",
        numbers=("looking", "trials"),
    )  # fmt: skip
    for row in rows:
        made.add_row(
            escape(row.population),
            escape(row.test_language),
            percent(row.mean),
            between(row.ci_low, row.ci_high),
            str(row.n_trials),
            " ".join(f"{100 * value:.0f}" for value in row.seeds.values()),
        )
    out.print(made)


def print_controls(out: Console, rows: Sequence[SeedMean], summary: LookingSummary) -> None:
    """Print all control conditions of a summary, one after the other."""
    for condition in dict.fromkeys(row.condition for row in rows):
        own = [row for row in rows if row.condition == condition]
        out.print(f"\n{condition}: {own[0].meaning}", markup=False)
        print_means(out, own, summary)


def results_note(summary: LookingSummary) -> str:
    """What to know of the results of a summary."""
    start, end = summary.window_ms
    return (
        f"Looking: share of looking at the target from {start} to {end} ms after the onset of the "
        "word; chance is 50 %. Intervals: 95 %, Student's t over seeds on the logit scale (further "
        f"seeds, the same items).{draws_note(summary.results)}"
    )


def print_looking(out: Console, told: LookingAnalysis) -> None:
    """Print the tests of an analysis of looking."""
    from rich.markup import escape

    numbers = ("looking", *TESTED)
    made = table("population, language, condition", *numbers, "verdict", numbers=numbers)
    for own in told.results:
        where = escape(f"{own.population}, {own.test_language}, {own.condition}")
        made.add_row(where, *cells_of(own.window), VERDICTS[own.window.verdict])
    start, end = told.settings.window_ms
    out.print(f"\nLooking at the target from {start} to {end} ms, against chance")
    out.print(made)
    if told.contrasts:
        made = table("population, language", *numbers, "verdict", numbers=numbers)
        for one in told.contrasts:
            what = f"{one.population}, {one.test_language}: {one.plus} - {one.minus}"
            made.add_row(escape(what), *cells_of(one.window), VERDICTS[one.window.verdict])
        out.print("\nConditions against each other, in points")
        out.print(made)
    over_time = ("windows above, below", "turned", "at (ms) [95 % CI]")
    made = table("population, language, condition", "clusters", *over_time, numbers=over_time)
    for own in told.results:
        many = own.multiverse
        made.add_row(
            escape(f"{own.population}, {own.test_language}, {own.condition}"),
            clusters_of(own.clusters),
            f"{many.n_above}, {many.n_below} of {len(many.windows)}",
            percent(own.reaction.share_turned),
            time_of(own.reaction),
        )
    out.print("\nOver time")
    out.print(made)
    out.print(
        "Clusters: stretches with more looking at the target than chance, permutation of "
        "participants, one-sided. Turned: looks that began on the distractor."
    )


def cells_of(test: WindowTest) -> tuple[str, ...]:
    """Mean, estimate with interval, t with its degrees of freedom, and p-values of a window."""
    model, factor = test.model, 100
    if math.isnan(model.value):
        return number(test.mean, factor), NONE, NONE, NONE, NONE
    return (
        number(test.mean, factor),
        estimate(model.value, model.ci_low, model.ci_high, factor, mark=100 * test.against),
        t_of_df((model.value - test.against) / model.std_error, model.df),
        p_value(model.p_value),
        p_value(test.p_holm),
    )


def percent_of(share: float) -> float | None:
    """A share as per cent for the data of a figure; None where it does not exist."""
    return None if math.isnan(share) else round(100 * share, 3)


def clusters_of(clusters: Sequence[Cluster]) -> str:
    """Clusters with their p-values, in a cell.

    Example:
        >>> from toolkit.statistics.looking.clusters import Cluster
        >>> clusters_of([Cluster(40, 800, 60.0, 0.001)]), clusters_of([])
        ('40 to 800 ms, p .001', '-')
        >>> clusters_of([Cluster(0, 0, 2.5, 0.2)])
        '0 ms, p .200'
    """
    told = [
        f"{' to '.join(map(str, dict.fromkeys((one.start_ms, one.end_ms))))} ms, "
        f"p {p_value(one.p_value)}"
        for one in clusters
    ]
    return "; ".join(told) or NONE


def time_of(reaction: ReactionTime) -> str:
    """A reaction time with its interval, in milliseconds."""
    return estimate(reaction.mean_ms, reaction.ci_low, reaction.ci_high, digits=0)
