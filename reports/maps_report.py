"""How runs of maps are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports import grounding_methods, grounding_tables
from reports.grounding_overlays import overlays
from reports.grounding_sources import read_maps
from reports.grounding_text import print_controls, print_maps, print_means, results_note
from reports.kinds import Report

if TYPE_CHECKING:
    from reports.figures import Figure
    from reports.sources import Chapter


def figures(chapter: Chapter, _: Any) -> list[Figure | None]:
    """All figures, in the order of the page."""
    from reports import grounding_charts, grounding_matrices, network_charts

    made = [*grounding_charts.figures(chapter), *grounding_matrices.figures(chapter)]
    return [*made, network_charts.training(chapter)]


REPORT = Report(
    figures=figures,
    tables=grounding_tables.tables,
    trials=grounding_methods.trials,
    analysis=grounding_methods.analysis,
    assumptions=grounding_methods.assumptions,
    print_results=print_means,
    print_controls=print_controls,
    results_note=results_note,
    print_analysis=print_maps,
    models=grounding_tables.models,
    fits=grounding_methods.fits,
    references=grounding_methods.references,
    beside=read_maps,
    overlays=overlays,
    reads=frozenset({"answers", "declared"}),
)
"""What the page and the terminal say of maps."""
