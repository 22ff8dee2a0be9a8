"""The summary of a run as tables on the terminal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.kinds import REPORTS
from reports.numbers import between, percent
from toolkit.tables.kinds import kind_told

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from toolkit.statistics.summary import SeedMean, Summary

PLAIN_WIDTH = 120
"""Characters per line where the output is no terminal and has no width of its own."""


def console() -> Console:
    """A console on standard output: coloured on a terminal, plain text elsewhere."""
    from rich.console import Console

    terminal = Console(highlight=False)
    return terminal if terminal.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def table(*headers: str, numbers: Sequence[str] = ()) -> Table:
    """An empty table; columns named in ``numbers`` are aligned to the right."""
    from rich import box
    from rich.table import Table

    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for header in headers:
        made.add_column(header, justify="right" if header in numbers else "left")
    return made


@dataclass(frozen=True)
class Done:
    """What was done to make a run."""

    folder: str
    """Where it lies."""
    n_computed: int
    """Cells that were computed."""
    n_reused: int
    """Cells that were there already."""
    duration_s: float
    """Time that took, in seconds."""


def print_summary(summary: Summary, done: Done) -> None:
    """Print a summary: the test first, its controls below, then where everything lies.

    Args:
        summary: of a run.
        done: what was done to make it.
    """
    from rich.markup import escape

    out, own = console(), REPORTS[kind_told(summary.paradigm_kind, summary.paradigm)]
    headline = [row for row in summary.results if row.headline]
    controls = [row for row in summary.results if not row.headline]
    title = f"{summary.paradigm} v{summary.paradigm_version}: {summary.question}"
    out.print(f"\n[bold]{escape(title)}[/bold]")
    for condition in dict.fromkeys(row.condition for row in headline):
        rows = [row for row in headline if row.condition == condition]
        out.print(f"\n{escape(condition)}: {escape(rows[0].meaning)}")
        own.print_results(out, rows, summary)
    if controls:
        out.print("\n[bold]Controls[/bold]")
        own.print_controls(out, controls, summary)
    out.print(f"\n{own.results_note(summary)}", markup=False)
    for warning in summary.warnings:
        out.print(f"[yellow]Note:[/yellow] {escape(warning)}")
    out.print(
        f"{done.n_computed} cells computed, {done.n_reused} reused, {done.duration_s:.1f} s. "
        f"Written to {escape(done.folder)}"
    )


def print_accuracies(out: Console, rows: Sequence[SeedMean], _: Summary) -> None:
    """Print the results of one condition with choices."""
    made = table(
        "population", "language", "accuracy", "95 % interval", "chance", "trials", "ties",
        "each seed, %", numbers=("accuracy", "chance", "trials", "ties"),
    )  # fmt: skip
    for row in rows:
        made.add_row(
            *_accuracy_cells(row),
            percent(row.chance),
            str(row.n_trials),
            str(row.n_ties),
            " ".join(f"{100 * value:.0f}" for value in row.seeds.values()),
        )
    out.print(made)


def print_controls(out: Console, rows: Sequence[SeedMean], _: Summary) -> None:
    """Print the results of all control conditions with choices."""
    from rich.markup import escape

    made = table(
        "population", "language", "accuracy", "95 % interval", "ties", "condition",
        numbers=("accuracy", "ties"),
    )  # fmt: skip
    for row in rows:
        made.add_row(*_accuracy_cells(row), str(row.n_ties), escape(row.condition))
    out.print(made)
    out.print()
    for condition, meaning in {row.condition: row.meaning for row in rows}.items():
        out.print(f"{escape(condition)}: {escape(meaning)}")


def _accuracy_cells(row: SeedMean) -> tuple[str, str, str, str]:
    """Population, language, mean accuracy and its interval."""
    from rich.markup import escape

    return (
        escape(row.population),
        escape(row.test_language),
        percent(row.mean),
        between(row.ci_low, row.ci_high),
    )
