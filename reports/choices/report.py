"""How runs of choices are told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reports import status
from reports.choices import gallery, methods
from reports.console import print_accuracies, print_controls
from reports.kinds import Report
from reports.methods import trials_of_choices
from reports.statistics_text import print_tests
from reports.tables import models_of_choices, tables_of_choices
from toolkit.statistics.choices.digest import digest
from toolkit.statistics.phrases import TIES

if TYPE_CHECKING:
    from reports.figures import Figure
    from reports.sources import Chapter


def figures(chapter: Chapter, concepts: Any) -> list[Figure | None]:
    """All figures, in the order of the page."""
    from reports import network_charts
    from reports.choices import charts, contrast_charts, item_charts

    return [
        charts.accuracy(chapter),
        charts.conditions(chapter),
        *contrast_charts.figures(chapter),
        item_charts.items(chapter, concepts),
        item_charts.heat_map(chapter),
        item_charts.confusion(chapter),
        item_charts.margins(chapter),
        network_charts.training(chapter),
    ]


def results_note(_: Mapping[str, Any]) -> str:
    """What to know of accuracies."""
    return (
        "Intervals: 95 %, Student's t over seeds on the logit scale (further seeds, the same "
        f"items). {TIES}"
    )


def assumptions(chapter: Chapter) -> str:
    """What is assumed of networks, or of participants of a table from elsewhere."""
    return status.ASSUMPTIONS if chapter.manifests else status.OF_TABLES


REPORT = Report(
    figures=figures,
    tables=tables_of_choices,
    trials=trials_of_choices,
    analysis=methods.analysis,
    assumptions=assumptions,
    print_results=print_accuracies,
    print_controls=print_controls,
    results_note=results_note,
    print_analysis=print_tests,
    models=models_of_choices,
    models_note=", counts instead of single answers",
    fits=status.fits_of_choices,
    status=status.lines_of_choices,
    references=methods.references,
    digest=digest,
    cards=gallery.cards,
    reads=frozenset({"answers", "conditions"}),
)
"""What the page and the terminal say of choices."""
