"""What RUN stands for on the command line: a run folder, its table, or a table from elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stimuli.files import sha256_of
from toolkit.errors import ToolkitError, nearest_name
from toolkit.store import RunDirectory, no_trials

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

TABLE = "trials.parquet"
"""The table in a run folder."""


def trials_file(path: Path) -> Path:
    """The table that a path stands for: the file itself, or that of a run folder.

    Raises:
        ToolkitError: if there is none, with the nearest one that there is.
    """
    file = path / TABLE if path.is_dir() else path
    if file.is_file():
        return file
    if manifest_of(file).get("status") == "running":
        raise no_trials(file)
    if (path / "cells").is_dir():
        raise ToolkitError(
            f"The run in {path} was not finished: it has no {TABLE}.",
            next_command="the same run-paradigm command again; it does only what is missing",
        )
    runs = sorted(str(found.parent) for found in path.glob(f"*/{TABLE}")) if path.is_dir() else []
    beside = sorted(found.name for found in path.absolute().parent.glob("*"))
    near = nearest_name(path.name, [name for name in beside if name != path.name])
    raise ToolkitError(
        f"There is no trials table at {file}.",
        given=str(path),
        nearest=runs[0] if runs else str(path.with_name(near)) if near else None,
        allowed=f"a run folder, its {TABLE}, or a table written by import-trials",
        next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
    )


def manifest_of(path: Path) -> dict[str, Any]:
    """The manifest of a run folder, or beside its table; empty where there is none.

    A table elsewhere has none, even if it lies in the folder of a run.
    """
    # A link leads to the run that it stands for.
    place = path.resolve()
    if not place.is_dir() and place.name != TABLE:
        return {}
    folder = place if place.is_dir() else place.parent
    return RunDirectory(folder.parent, folder.name).read_manifest()


def runs_once(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Take every table once, however often and by whatever name it was given.

    Names may differ (``a``, ``./a``, ``a/trials.parquet``, a link, a copy); tables are the same if
    their bytes are.

    Args:
        paths: run folders or tables. What holds no table is left to whoever reads it.

    Returns:
        The paths in their order, each table once, and a note on every one left out.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     one, two = Path(folder, "a.parquet"), Path(folder, "b.parquet")
        ...     _ = one.write_bytes(b"rows"), two.write_bytes(b"rows")
        ...     paths, notes = runs_once([one, two])
        >>> [path.name for path in paths], notes[0].rpartition(": ")[2]
        (['a.parquet'], 'named twice, counted once.')
    """
    sizes: dict[int, list[Path]] = {}
    files = {}
    for path in dict.fromkeys(paths):
        file = path / TABLE if path.is_dir() else path
        if file.is_file():
            files[path] = file
            sizes.setdefault(file.stat().st_size, []).append(path)
    # Only tables of one size can be the same, so few are read.
    content = {
        path: sha256_of(files[path]) for own in sizes.values() if len(own) > 1 for path in own
    }
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(content.get(path, str(path)), []).append(path)
    # A manifest says more than a table alone.
    taken = {
        known: next((path for path in own if manifest_of(path)), own[0])
        for known, own in groups.items()
    }
    kept, notes = [], []
    for path in paths:
        one = taken[content.get(path, str(path))]
        if path != one:
            notes.append(f"{path} is the same table as {one}: named twice, counted once.")
        elif path in kept:
            notes.append(f"{path} is named twice, counted once.")
        else:
            kept.append(path)
    return kept, notes
