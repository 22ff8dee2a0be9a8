"""How runs of each kind of paradigm are told: one table, one line per kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.tables.kinds import KindTable

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from reports.chapter import Chapter
    from reports.figures import Figure
    from reports.parts import Comparison, Gallery, Line, ModelSummary, Overlay, Overview, Table
    from reports.pictures import Media
    from stimuli import StimulusSet
    from toolkit.statistics.choices.digest import Digest
    from toolkit.statistics.means import SeedMean
    from toolkit.statistics.models.results import FitResult


def _nothing(*_: Any) -> tuple[()]:
    return ()


def _none(*_: Any) -> None:
    return None


@dataclass(frozen=True)
class Report:
    """What the page and the terminal say of one kind."""

    figures: Callable[[Chapter[Any], Any], Sequence[Figure | None]]
    """A chapter and the table of its concepts: all figures, in the order of the page."""
    tables: Callable[[Chapter[Any]], Sequence[Table]]
    """All tables, in the order of the page."""
    trials: Callable[[Chapter[Any]], Iterable[str]]
    """Sentences for the methods: what was asked."""
    analysis: Callable[[Chapter[Any]], Iterable[str]]
    """Sentences for the methods: how it was analysed."""
    assumptions: Callable[[Chapter[Any]], str]
    """What is assumed and not tested."""
    print_results: Callable[[Console, Sequence[SeedMean], Any], None]
    """Print the results of one condition of a summary, which is given whole besides."""
    print_controls: Callable[[Console, Sequence[SeedMean], Any], None]
    """Print those of all control conditions."""
    results_note: Callable[[Any], str]
    """What to know of the results of a summary."""
    print_analysis: Callable[[Console, Any], None]
    """Print the tests of an analysis."""
    overview: Callable[[Chapter[Any]], Overview | None] = _none
    """What is seen first; None where figures and tables have no first among them."""
    models: Callable[[Chapter[Any]], Sequence[ModelSummary]] = _nothing
    """Every fitted model in full."""
    models_note: str = ""
    """What to know of them besides, after a comma."""
    fits: Callable[[Chapter[Any]], Iterable[FitResult]] = _nothing
    """The models whose convergence the status tells."""
    status: Callable[[Chapter[Any], str], Iterable[Line]] = _nothing
    """Further lines of the status; given with what stands before their labels."""
    references: Callable[[Chapter[Any]], Iterable[str]] = _nothing
    """Literature besides that of the toolkit."""
    digest: Callable[[Sequence[Path], Sequence[str], int, str], Digest] | None = None
    """Run folders, headline conditions, how many trials to pick, and the paradigm's name: what is
    told of trials; None where trials offer no choice."""
    beside: Callable[[Sequence[Path]], Any] = _nothing
    """Whatever else run folders hold of this kind."""
    gallery: Callable[[Chapter[Any], Media], Gallery | None] | None = None
    """Trials to look at, with pictures and clips; None where there is nothing of the kind."""
    compare: Callable[[Chapter[Any]], Comparison | None] = _none
    """Populations side by side, word by word; None where there is nothing to compare."""
    overlays: Callable[[Chapter[Any], StimulusSet | None], Sequence[Overlay]] | None = None
    """Maps to look at; None where there is nothing of the kind."""


REPORTS: KindTable[Report] = KindTable(
    "reported",
    {
        "choices": "reports.choices.report:REPORT",
        "maps": "reports.maps.report:REPORT",
        "looking": "reports.looking.report:REPORT",
    },
)
"""How each kind is told."""
