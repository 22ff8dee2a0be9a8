"""The summary of a run as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from reports.numbers import between, percent
from toolkit.tables.kinds import kind_in

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

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


def print_summary(summary: Mapping[str, Any]) -> None:
    """Print a summary: the test first, its controls below, then where everything lies.

    Args:
        summary: the content of ``summary.json``, the run's folder and times, and for a paradigm
            that is not installed its ``paradigm_kind``.
    """
    from rich.markup import escape

    out, own = console(), REPORTS[kind_in(summary)]
    headline = [row for row in summary["results"] if row["headline"]]
    controls = [row for row in summary["results"] if not row["headline"]]
    title = f"{summary['paradigm']} v{summary['paradigm_version']}: {summary['question']}"
    out.print(f"\n[bold]{escape(title)}[/bold]")
    for condition in dict.fromkeys(row["condition"] for row in headline):
        rows = [row for row in headline if row["condition"] == condition]
        out.print(f"\n{escape(condition)}: {escape(rows[0]['meaning'])}")
        own.print_results(out, rows, summary)
    if controls:
        out.print("\n[bold]Controls[/bold]")
        own.print_controls(out, controls, summary)
    out.print(f"\n{own.results_note(summary)}", markup=False)
    for warning in summary["warnings"]:
        out.print(f"[yellow]Note:[/yellow] {escape(warning)}")
    out.print(
        f"{summary['cells_computed']} cells computed, {summary['cells_reused']} reused, "
        f"{summary['duration_s']:.1f} s. Written to {escape(summary['run_directory'])}"
    )


def print_accuracies(out: Console, rows: Sequence[Mapping[str, Any]], _: Mapping[str, Any]) -> None:
    """Print the results of one condition with choices."""
    made = table(
        "population", "language", "accuracy", "95 % interval", "chance", "trials", "ties",
        "each seed, %", numbers=("accuracy", "chance", "trials", "ties"),
    )  # fmt: skip
    for row in rows:
        made.add_row(
            *_accuracy_cells(row),
            percent(row["chance"]),
            str(row["n_trials"]),
            str(row["n_ties"]),
            " ".join(f"{100 * value:.0f}" for value in row["seeds"].values()),
        )
    out.print(made)


def print_controls(out: Console, rows: Sequence[Mapping[str, Any]], _: Mapping[str, Any]) -> None:
    """Print the results of all control conditions with choices."""
    from rich.markup import escape

    made = table(
        "population", "language", "accuracy", "95 % interval", "ties", "condition",
        numbers=("accuracy", "ties"),
    )  # fmt: skip
    for row in rows:
        made.add_row(*_accuracy_cells(row), str(row["n_ties"]), escape(row["condition"]))
    out.print(made)
    out.print()
    for condition, meaning in {row["condition"]: row["meaning"] for row in rows}.items():
        out.print(f"{escape(condition)}: {escape(meaning)}")


def _accuracy_cells(row: Mapping[str, Any]) -> tuple[str, str, str, str]:
    """Population, language, mean accuracy and its interval."""
    from rich.markup import escape

    return (
        escape(row["population"]),
        escape(row["test_language"]),
        percent(row["mean"]),
        between(row["ci_low"], row["ci_high"]),
    )
