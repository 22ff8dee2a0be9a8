"""The summary of a run as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from reports.terminal import console
from toolkit.tables.kinds import kind_in

if TYPE_CHECKING:
    pass


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


def print_analyses(content: Mapping[str, Any], file: str | None) -> None:
    """Print the content of ``statistics.json``.

    Args:
        content: analyses by paradigm.
        file: where they were written; None if nowhere.
    """
    from rich.markup import escape

    out = console()
    for analysis in content.values():
        title = (
            f"{analysis['paradigm']} v{analysis['paradigm_version']}: "
            f"statistics, {analysis['engine']}"
        )
        out.print(f"\n[bold]{escape(title)}[/bold]")
        REPORTS[kind_in(analysis)].print_analysis(out, analysis)
        out.print("\nWhat may be said")
        for sentence in analysis["sentences"]:
            out.print(f"- {escape(sentence)}")
        if analysis["families"]:
            out.print("\nFamilies of tests: " + escape("; ".join(analysis["families"])) + ".")
        for warning in analysis["warnings"]:
            out.print(f"[yellow]Note:[/yellow] {escape(warning)}")
    if file:
        out.print(f"\nAll numbers, and a results paragraph in APA style: {escape(file)}")
