"""How runs of choices are told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.choices import compare, gallery, methods, status, tables
from reports.choices import overview as first_seen
from reports.choices.text import print_accuracies, print_controls, print_tests
from reports.kinds import Report
from reports.units import draws_note, units
from toolkit.statistics.choices.digest import digest
from toolkit.statistics.phrases import TIES

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from reports.figures import Figure
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.means import Summary


def figures(chapter: Chapter[Analysis], concepts: Any) -> list[Figure | None]:
    """All figures, in the order of the page."""
    from reports import network_charts
    from reports.choices import charts, contrast_charts, item_charts, kinds, trend_charts

    return [
        charts.accuracy(chapter),
        charts.conditions(chapter),
        trend_charts.trends(chapter),
        *contrast_charts.figures(chapter),
        kinds.figure(chapter.statistics.kinds),
        item_charts.items(chapter, concepts),
        item_charts.heat_map(chapter),
        item_charts.confusion(chapter),
        item_charts.margins(chapter),
        network_charts.training(chapter),
    ]


def results_note(summary: Summary) -> str:
    """What to know of accuracies."""
    return (
        "Intervals: 95 %, Student's t over seeds on the logit scale (further seeds, the same "
        f"items). {TIES}{draws_note(summary.results)}"
    )


def assumptions(chapter: Chapter[Analysis]) -> str:
    """What is assumed of networks, or of participants of a table from elsewhere."""
    if not chapter.manifests:
        return status.OF_TABLES
    return status.OF_DRAWS if units(chapter.results) == "draw" else status.ASSUMPTIONS


REPORT = Report(
    figures=figures,
    overview=first_seen.overview,
    tables=tables.tables,
    trials=methods.trials,
    analysis=methods.analysis,
    assumptions=assumptions,
    print_results=print_accuracies,
    print_controls=print_controls,
    results_note=results_note,
    print_analysis=print_tests,
    models=tables.models,
    models_note=", counts instead of single answers",
    fits=status.fits,
    status=status.lines,
    references=methods.references,
    digest=digest,
    gallery=gallery.gallery,
    compare=compare.compare,
)
"""What the page and the terminal say of choices."""
