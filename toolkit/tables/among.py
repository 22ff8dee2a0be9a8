"""Which of the folders that a pattern such as ``mevgs-runs/*`` finds can be analysed together."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from toolkit.tables.manifests import (
    CELLS,
    EMBEDDINGS,
    EXHAUSTIVE_FILE,
    MANIFEST_FILE,
    SPACE_FILE,
    TRIALS_FILE,
    again,
)

_POOLS = {CELLS: "it holds finished cells of runs", EMBEDDINGS: "it holds embeddings of stimuli"}


def runs_among(paths: Sequence[Path], *, spaces: bool = False) -> tuple[list[Path], list[str]]:
    """Leave out what lies beside finished runs, and say why.

    Left out are folders alone that the toolkit itself writes: the pools of cells and embeddings,
    exact accuracies, analysed spaces, runs that were not finished. Whatever else is given stays,
    and is refused by its reader if it is no run. A path that was given alone stays, too: it was
    meant.

    Args:
        paths: run folders or tables, as they were given.
        spaces: whether analysed spaces are asked for as well.

    Returns:
        What is left, all of `paths` if nothing would be, and a sentence on each left out.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     places = [Path(folder, name) for name in ("cells", "me-perfect-1a2b3c4d")]
        ...     for place in places:
        ...         place.mkdir()
        ...     _ = (places[1] / "trials.parquet").write_bytes(b"rows")
        ...     kept, notes = runs_among(places)
        >>> [path.name for path in kept], notes[0].rpartition("/")[2]
        (['me-perfect-1a2b3c4d'], 'cells is left out: it holds finished cells of runs.')
    """
    why = {path: _why_left_out(path, spaces) for path in dict.fromkeys(paths)}
    kept = [path for path in paths if why[path] is None]
    if not kept or len(why) == 1:
        return list(paths), []
    return kept, [f"{path} is left out: {reason}." for path, reason in why.items() if reason]


def holds_instead(folder: Path) -> str | None:
    """What a folder that the toolkit wrote holds in place of trials; None for any other.

    Args:
        folder: any folder.

    Example:
        >>> holds_instead(Path("no/such/folder")) is None
        True
    """
    if not folder.is_dir() or (folder / TRIALS_FILE).exists():
        return None
    if (folder / SPACE_FILE).exists():
        return "it holds an analysed space, which report shows"
    if (folder / EXHAUSTIVE_FILE).exists():
        return "it holds exact accuracies of score-all"
    return _POOLS.get(folder.name)


def _why_left_out(path: Path, spaces: bool) -> str | None:
    """Why a folder can be no run that was meant; None for one that can be."""
    if spaces and (path / SPACE_FILE).exists():
        return None
    if reason := holds_instead(path):
        return reason
    if not (path / MANIFEST_FILE).exists() or (path / TRIALS_FILE).exists():
        return None
    command = again(path)
    return f"it was not finished; to finish it: {command}" if command else "it was not finished"
