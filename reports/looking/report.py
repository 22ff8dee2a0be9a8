"""How runs of looking are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.kinds import Report
from reports.looking import methods, overview, tables
from reports.looking.text import print_controls, print_looking, print_means, results_note

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from reports.figures import Figure
    from toolkit.statistics.looking.results import LookingAnalysis


def figures(chapter: Chapter[LookingAnalysis], _: Any) -> list[Figure | None]:
    """All figures, in the order of the page."""
    from reports import network_charts
    from reports.looking import charts

    return [*charts.figures(chapter), network_charts.training(chapter)]


REPORT = Report(
    figures=figures,
    overview=overview.overview,
    tables=tables.tables,
    trials=methods.trials,
    analysis=methods.analysis,
    assumptions=methods.assumptions,
    print_results=print_means,
    print_controls=print_controls,
    results_note=results_note,
    print_analysis=print_looking,
    models=tables.models,
    fits=methods.fits,
    references=methods.references,
)
"""What the page and the terminal say of looking."""
