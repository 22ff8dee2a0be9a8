"""The default analysis of any runs, each in the way of its kind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.processes.threads import one_thread
from toolkit.statistics.kinds import STATISTICS
from toolkit.statistics.models.results import Result
from toolkit.statistics.settings import OPTIONS, Settings
from toolkit.tables.kinds import kind_of
from toolkit.tables.runs import runs_once

if TYPE_CHECKING:
    from pathlib import Path


@one_thread()
def analyse_runs(
    paths: Sequence[Path],
    paradigms: Path | None = None,
    settings: Settings | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> dict[str, Result]:
    """Run the default analysis of every paradigm among some runs, each in the way of its kind.

    Args:
        paths: run folders, or files like their ``trials.parquet``.
        paradigms: folder with paradigms of one's own.
        settings: fixed in advance; the defaults if None.
        progress: called with the bootstrap simulations done and asked for.

    Returns:
        Analyses by paradigm.

    Raises:
        ToolkitError: if there is no run, one cannot be read or analysed, or a setting is asked for
            that no run of a kind heeds.
    """
    if not paths:
        raise ToolkitError("No run was given.", allowed="one or several run folders")
    settings = settings or Settings()
    paths, notes = runs_once(paths)
    by_kind: dict[str, list[Path]] = {}
    for path in paths:
        by_kind.setdefault(kind_of(path, paradigms), []).append(path)
    _refuse_unheeded(settings, list(by_kind))
    made: dict[str, Result] = {}
    for kind, own in by_kind.items():
        analyses = STATISTICS[kind].analyse(own, paradigms, settings, progress)
        made |= {name: replace(a, warnings=(*a.warnings, *notes)) for name, a in analyses.items()}
    return made


def _refuse_unheeded(settings: Settings, kinds: Sequence[str]) -> None:
    """Refuse settings that mean nothing to any of the runs, rather than leave them unheard."""
    asked = {name for name in OPTIONS if getattr(settings, name) != getattr(Settings(), name)}
    heeded = frozenset[str]().union(*(STATISTICS[kind].settings for kind in kinds))
    if asked - heeded:
        raise ToolkitError(
            "A gate, a bootstrap and an equivalence bound belong to tests with choices; these runs "
            f"hold {' and '.join(kinds)}.",
            given=", ".join(OPTIONS[name] for name in OPTIONS if name in asked - heeded),
            allowed=", ".join(OPTIONS[name] for name in OPTIONS if name in heeded) or "no setting",
        )
