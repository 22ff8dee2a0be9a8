"""Children beside models on the terminal."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reports.numbers import NONE, estimate, number
from reports.terminal import console, table

if TYPE_CHECKING:
    from toolkit.statistics.children.results import AgeComparison, Comparison


def print_comparison(comparison: Comparison) -> None:
    """Print numbers in tables, then what may be concluded.

    Args:
        comparison: see `toolkit.api.children.compare_children`.
    """
    from rich.markup import escape

    out = console()
    for test in comparison.tests:
        shown = table("who", "age (months)", "%", "n", numbers=("age (months)", "%", "n"))
        for cells in _rows(test):
            shown.add_row(*map(escape, cells))
        out.print(f"\n[bold]{escape(test.condition)}[/bold]: children, then models")
        out.print(shown)
    if comparison.items:
        shown = table(
            "models", "children", "language, condition", "words", "correlation", "reliability",
            "ceiling", numbers=("words", "correlation", "reliability", "ceiling"),
        )  # fmt: skip
        for match in comparison.items:
            shown.add_row(
                *map(
                    escape,
                    (
                        match.models, match.children, f"{match.test_language}, {match.condition}",
                        str(match.n_words),
                        estimate(match.correlation, match.ci_low, match.ci_high, digits=2),
                        estimate(
                            match.reliability, match.reliability_low, match.reliability_high,
                            digits=2,
                        ),
                        number(match.ceiling, digits=2),
                    ),
                )
            )  # fmt: skip
        out.print("\n[bold]Word by word[/bold]")
        out.print(shown)
    if comparison.looking:
        shown = table(
            "models", "children of", "trials", "divergence", "both alike", "halves", "beta",
            numbers=("trials", "divergence", "both alike", "halves", "beta"),
        )  # fmt: skip
        for one in comparison.looking:
            shown.add_row(
                *map(
                    escape,
                    (
                        f"{one.population} ({one.test_language})", one.age_group,
                        str(one.n_trials),
                        estimate(one.divergence, one.ci_low, one.ci_high, digits=4),
                        number(one.chance, digits=4), number(one.ceiling, digits=4),
                        number(one.beta, digits=2),
                    ),
                )
            )  # fmt: skip
        out.print("\n[bold]Looking[/bold] (Kullback-Leibler divergence, nats)")
        out.print(shown)
    for question, answer in comparison.answers:
        out.print(f"\n[bold]{escape(question)}[/bold]")
        out.print(escape(answer))
    out.print("\nIntervals: 95 %. Children: " + " ".join(map(escape, comparison.sources)))


def _rows(test: AgeComparison) -> list[tuple[str, str, str, str]]:
    """Children by age, then models."""
    rows = []
    if test.curve is not None and test.studies:
        for age in (18, 24, 30, 36, 48, 60):
            share, low, high = test.curve.at(age)
            if not math.isnan(share):
                told = estimate(share, low, high, 100)
                rows.append((test.curve.source, str(age), told, str(test.curve.n_children)))
    for group in test.groups:
        told = estimate(group.share, group.ci_low, group.ci_high, 100)
        rows.append((group.source, number(group.age_months), told, str(group.n_children)))
    for band in test.bands:
        told = estimate(band.mean, band.ci_low, band.ci_high, 100)
        rows.append((f"{band.population} ({band.test_language})", NONE, told, str(band.n_seeds)))
    return rows
