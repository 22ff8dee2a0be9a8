"""How runs of maps are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.kinds import Report
from reports.maps import methods, overview, tables
from reports.maps.overlays import overlays
from reports.maps.sources import read_maps
from reports.maps.text import print_controls, print_maps, print_means, results_note

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from reports.figures import Figure
    from toolkit.statistics.maps.results import GroundingAnalysis


def figures(chapter: Chapter[GroundingAnalysis], _: Any) -> list[Figure | None]:
    """All figures, in the order of the page."""
    from reports import network_charts
    from reports.maps import charts, matrices

    made = [*charts.figures(chapter), *matrices.figures(chapter)]
    return [*made, network_charts.training(chapter)]


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
    print_analysis=print_maps,
    models=tables.models,
    fits=methods.fits,
    references=methods.references,
    beside=read_maps,
    overlays=overlays,
)
"""What the page and the terminal say of maps."""
