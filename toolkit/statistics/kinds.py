"""What is made of the trials of each kind of paradigm: one table, one line per kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

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

    analyse: Callable[[Sequence[Path], Path | None, Settings, Progress], dict[str, Any]]
    """Runs of this kind, a folder of the user's paradigms, settings and progress: the content of
    ``statistics.json`` by paradigm."""
    settings: frozenset[str]
    """Names of the settings that it heeds."""
    results: Callable[[Path, BaseParadigm], list[dict[str, Any]]]
    """A trials table and its paradigm: the rows of ``summary.json``."""
    about: Callable[[BaseParadigm], dict[str, Any]]
    """What ``summary.json`` says of their numbers: ``measure``, the name of what ``mean`` is of."""


STATISTICS: KindTable[Statistics] = KindTable(
    "analysed",
    {
        "choices": "toolkit.statistics.choices.analysis:STATISTICS",
        "maps": "toolkit.statistics.maps.analysis:STATISTICS",
    },
)
"""What is made of each kind."""
