"""What is made of the trials of each kind of paradigm: one table, one line per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from toolkit.statistics.means import SeedMean, Summary
from toolkit.statistics.models.results import Result
from toolkit.tables.kinds import KindTable

if TYPE_CHECKING:
    from pathlib import Path

    from paradigms import BaseParadigm
    from toolkit.statistics.settings import Settings

GROUP = ["paradigm", "paradigm_version", "population", "test_language", "condition"]
"""What one line of the summary stands for."""
Progress = Callable[[int, int], None]
"""Called with what is done of how much."""


@dataclass(frozen=True)
class Statistics:
    """How trials of one kind are summarised and analysed."""

    analyse: Callable[[Sequence[Path], Path | None, Settings, Progress], Mapping[str, Result]]
    """Runs of this kind, a folder of the user's paradigms, settings and progress: what may be
    concluded, by paradigm."""
    result: type[Result]
    """Class of what that gives, as which ``statistics.json`` is read again."""
    settings: frozenset[str]
    """Names of the settings that it heeds."""
    results: Callable[[Path, BaseParadigm], Sequence[SeedMean]]
    """A trials table and its paradigm: the means of ``summary.json``."""
    about: Callable[[BaseParadigm], dict[str, Any]]
    """What ``summary.json`` says of them: ``measure``, the name of what ``mean`` is of, and what
    else its class has fields for."""
    summary: type[Summary] = Summary
    """Class of the summary."""


STATISTICS: KindTable[Statistics] = KindTable(
    "analysed",
    {
        "choices": "toolkit.statistics.choices.analysis:STATISTICS",
        "maps": "toolkit.statistics.maps.analysis:STATISTICS",
        "looking": "toolkit.statistics.looking.analysis:STATISTICS",
    },
)
"""What is made of each kind."""
