"""The summary of a run as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reports.kinds import REPORTS
from reports.terminal import console
from stimuli.wording import count
from toolkit.tables.kinds import kind_told

if TYPE_CHECKING:
    from toolkit.statistics.means import Summary
    from toolkit.statistics.models.results import Result


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
        f"{count(done.n_computed, 'cell')} computed, {done.n_reused} reused, "
        f"{done.duration_s:.1f} s. "
        f"Written to {escape(done.folder)}"
    )


def print_analyses(results: Mapping[str, Result], file: str | None) -> None:
    """Print what may be concluded.

    Args:
        results: analyses by paradigm.
        file: where they were written; None if nowhere.
    """
    from rich.markup import escape

    out = console()
    for told in results.values():
        title = f"{told.paradigm} v{told.paradigm_version}: statistics, {told.engine}"
        out.print(f"\n[bold]{escape(title)}[/bold]")
        REPORTS[told.paradigm_kind].print_analysis(out, told)
        out.print("\nWhat may be said")
        for sentence in told.sentences:
            out.print(f"- {escape(sentence)}")
        if told.families:
            out.print("\nFamilies of tests: " + escape("; ".join(told.families)) + ".")
        for warning in told.warnings:
            out.print(f"[yellow]Note:[/yellow] {escape(warning)}")
    if file:
        out.print(f"\nAll numbers, and a results paragraph in APA style: {escape(file)}")
