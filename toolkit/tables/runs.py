"""What RUN stands for on the command line: a run folder, its table, or a table from elsewhere."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.files import sha256_of
from toolkit.errors import ToolkitError, nearest_name
from toolkit.tables.among import holds_instead
from toolkit.tables.manifests import TRIALS_FILE, no_trials, read_manifest, sound_table, table_of
from toolkit.tables.parquet import ROW_NUMBERS, parquet_names, told, valid
from toolkit.tables.trials import read_trials

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


def trials_file(path: Path) -> Path:
    """The table that a path stands for: the file itself, or that of a run folder.

    Raises:
        ToolkitError: if there is none, with the nearest one that there is, or it is damaged.
    """
    file = sound_table(path)
    if file.is_file():
        return file
    told = manifest_of(file)
    if reason := holds_instead(file.parent):
        raise ToolkitError(
            f"There are no trials in {path}: {reason}.",
            allowed=f"a run folder, its {TRIALS_FILE}, or a table written by import-trials",
            next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
        )
    if told.get("status") == "running":
        raise no_trials(file)
    if "paradigm" in told:
        raise ToolkitError(
            f"The run in {path} was not finished: it has no {TRIALS_FILE}.",
            next_command="the same run-paradigm command again; it does only what is missing",
        )
    runs = (
        sorted(str(found.parent) for found in path.glob(f"*/{TRIALS_FILE}"))
        if path.is_dir()
        else []
    )
    beside = sorted(found.name for found in path.absolute().parent.glob("*"))
    near = nearest_name(path.name, [name for name in beside if name != path.name])
    raise ToolkitError(
        f"There is no trials table at {file}.",
        given=str(path),
        nearest=runs[0] if runs else str(path.with_name(near)) if near else None,
        allowed=f"a run folder, its {TRIALS_FILE}, or a table written by import-trials",
        next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
    )


def manifest_of(path: Path) -> dict[str, Any]:
    """The manifest of a run folder, or beside its table; empty where there is none.

    A table elsewhere has none, even if it lies in the folder of a run.
    """
    # A link leads to the run that it stands for.
    place = path.resolve()
    if not place.is_dir() and place.name != TRIALS_FILE:
        return {}
    folder = place if place.is_dir() else place.parent
    return read_manifest(folder)


def runs_once(paths: Sequence[Path]) -> tuple[list[Path], list[str]]:
    """Take every table once, however often and by whatever name it was given.

    Names may differ (``a``, ``./a``, ``a/trials.parquet``, a link, a copy); tables are the same if
    their bytes are, or their rows in whatever order and form, and the manifests beside them do not
    disagree.

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
    given = {path: table_of(path) for path in dict.fromkeys(paths)}
    files = {path: file for path, file in given.items() if file.is_file()}
    same = {path: path for path in given}
    for content in (_bytes_of, _rows_of):
        alone = [path for path in files if same[path] == path]
        for own in _alike({path: files[path] for path in alone}, content):
            moved = dict(_represented(own))
            same = {path: moved.get(one, one) for path, one in same.items()}
    kept, notes = [], []
    for path in paths:
        if path != same[path]:
            notes.append(f"{path} is the same table as {same[path]}: named twice, counted once.")
        elif path in kept:
            notes.append(f"{path} is named twice, counted once.")
        else:
            kept.append(path)
    return kept, notes


def _alike(files: Mapping[Path, Path], content: Content) -> list[list[Path]]:
    """Paths whose tables are the same; those that no other could equal are not read."""
    sketch, whole = content
    by_sketch: dict[Hashable, list[Path]] = {}
    for path, file in files.items():
        by_sketch.setdefault(sketch(file), []).append(path)
    groups: dict[str, list[Path]] = {}
    for own in by_sketch.values():
        for path in own if len(own) > 1 else ():
            groups.setdefault(whole(files[path]), []).append(path)
    return [own for own in groups.values() if len(own) > 1]


def _represented(same: Sequence[Path]) -> Iterator[tuple[Path, Path]]:
    """Which of several paths to one table stands for each.

    A table alone is represented by a run, whose manifest says more. Runs whose manifests say
    different things represent themselves, and are refused where that is looked at.
    """
    first: dict[str, Path] = {}
    for path in same:
        if facts := _facts(path):
            first.setdefault(facts, path)
    alone = next(iter(first.values()), same[0])
    for path in same:
        yield path, first.get(_facts(path), alone)


def _facts(path: Path) -> str:
    """What a manifest says that decides the answers; empty without a manifest."""
    manifest = manifest_of(path)
    names = ("paradigm", "stimuli", "subjects", "trials_per_class", "trial_seed", "words")
    return json.dumps([manifest.get(n) for n in names], sort_keys=True) if manifest else ""


def _size(file: Path) -> int:
    return file.stat().st_size


def _shape(file: Path) -> Hashable:
    """Number of rows, columns and the run's name: quick to read, the same for the same rows."""
    import pyarrow.parquet as pq

    try:
        if file.suffix.lower() == ".csv":
            table = read_trials(file)
            return len(table), frozenset(table.columns), str(table["run_id"].iloc[0])
        with told(file), pq.ParquetFile(file) as parquet:
            names = [n for n in parquet_names(file) if not n.startswith(ROW_NUMBERS)]
            first = next(parquet.iter_batches(1, columns=["run_id"]), None)
            run_id = str(first.column(0)[0].as_py()) if first and "run_id" in names else ""
            return parquet.metadata.num_rows, frozenset(names), run_id
    except (OSError, KeyError, IndexError, ToolkitError):
        # Whoever reads it says what is wrong.
        return str(file)


def _digest(file: Path) -> str:
    """The same for the same rows, in whatever order, types and form of file."""
    import numpy as np
    import pandas as pd
    import pyarrow.parquet as pq

    is_csv = file.suffix.lower() == ".csv"
    with told(file):
        table = read_trials(file) if is_csv else valid(pq.read_table(file)).to_pandas()
    rows = np.zeros(len(table), np.uint64)
    for name in sorted(map(str, table.columns)):
        codes, found = pd.factorize(table[name])
        text = np.array([_text_of(value) for value in found] + [""], dtype=object)
        rows = rows * np.uint64(1_000_003) + pd.util.hash_array(text, categorize=False)[codes]
    return hashlib.sha256(np.sort(rows).tobytes()).hexdigest()


def _text_of(value: object) -> str:
    """A value as text, whatever type a file keeps it as; scores have 32 bits."""
    import numpy as np

    try:
        return str(float(np.float32(value)))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return str(value)


Content = tuple[Callable[[Path], Hashable], Callable[[Path], str]]
"""How to see quickly that two tables differ, and how to be sure that they do not."""
_bytes_of: Content = (_size, sha256_of)
_rows_of: Content = (_shape, _digest)
