"""The long table: answers of children and of networks, one row per trial, under the same names."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.files import remove_abandoned, write_checked
from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.tables.answers import (
    ROW_KEY,
    answer_faults,
    empty_faults,
    missing_column,
    name_faults,
    repeat_faults,
)
from toolkit.tables.delimited import header_of
from toolkit.tables.parquet import parquet_names, told, valid
from toolkit.tables.runs import trials_file
from toolkit.tables.trials import COLUMNS, DRAW, Column, read_trials
from toolkit.tables.values import as_names

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd

LONG_SCHEMA = 1
"""Raised when a column of the long table changes its meaning."""
REQUIRED = (
    Column("source", "category", "where the row comes from: a run, a study, a file"),
    Column("population", "category", "group of participants: children, or networks trained alike"),
    Column("seed", "category", "participant: a child or a training seed, within its population"),
    Column("test_language", "category", "language of the word said"),
    Column("condition", "category", "condition of the test"),
    Column("word_concept", "category", "item: what the word said means"),
    Column("correct", "int8", "1 if the answer was right, else 0"),
)
"""Columns that every long table has."""
OPTIONAL = ("distractor_concept", "target_id")
"""Items that a mixed model can use where they are known; named as in the trials table."""
RUN_COLUMNS = (
    "run_id", "paradigm", "paradigm_version", "n_languages", "train_languages", "trial",
    "distractor_concept", "target_id", "n_choices", "tie", "trial_seed", "familiar_draw",
)  # fmt: skip
"""Columns of the trials table that are read besides the required ones."""
FURTHER = (
    Column(
        "trial_seed",
        "category",
        "which trial list was asked, where one participant answered several",
    ),
    Column("subject_kind", "category", "kind of participants, e.g. child; compared within alone"),
    DRAW,
)
"""Columns that not every run has, or that it tells in its manifest instead."""
MEANINGS = {column.name: column.meaning for column in (*COLUMNS, *REQUIRED, *FURTHER)}
"""Every column whose meaning the toolkit fixes."""
TEXT = frozenset(
    column.name for column in (*COLUMNS, *REQUIRED, *FURTHER) if column.dtype == "category"
)
"""Known columns that hold names, whatever a file holds them as."""


def read_run(path: str | Path, columns: Collection[str] | None = None) -> pd.DataFrame:
    """Read the trials of a run, or a long table written by ``import-trials``.

    Only the columns that are needed are read, and names stay categories: memory grows by about
    60 bytes per trial.

    Args:
        path: run folder, ``trials.parquet``, a long table, or an exported CSV.
        columns: columns wanted besides those that say who answered what (population, seed,
            language, condition, trial); by default also the items.

    Returns:
        A long table (`REQUIRED`, and what there is of `RUN_COLUMNS`); ``source`` is the run's id.

    Raises:
        ToolkitError: if there is no such table, or listing every fault of it.
    """
    file = trials_file(Path(path))
    if file.suffix.lower() == ".csv":
        _refuse_other_tables(file, header_of(file))
        table = read_trials(file)
        # Empty text, such as the languages of untrained networks, is read back as missing.
        for name in TEXT & set(table):
            table[name] = as_names(table[name].astype(object).fillna(""))
    else:
        table = _read_parquet(file, columns)
    if "run_id" in table:
        table = table.rename(columns={"run_id": "source"})
    _refuse(file, _row_faults(table))
    return table


def read_whole(path: str | Path) -> pd.DataFrame:
    """Read a table with all its columns: trials of a run or a long table.

    Args:
        path: run folder, ``trials.parquet``, or a table written by ``import-trials``.

    Raises:
        ToolkitError: if there is no such table, or listing every fault of it.
    """
    file = trials_file(Path(path))
    if file.suffix.lower() == ".csv" or "source" not in (names := parquet_names(file)):
        return read_trials(file)
    table = _read_columns(file, names)
    _refuse(file, _row_faults(table))
    return table


def combine(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put long tables below each other, so that children and networks stand in one model.

    Args:
        tables: long tables by the name that becomes their ``source``. What a condition or a word
            is called must be made equal before, for example with
            ``table["condition"].cat.rename_categories({"NF": "novel-familiar"})``.

    Returns:
        All rows; columns that only some tables have are empty in the others.

    Raises:
        ToolkitError: listing every fault: a table without rows or columns, a participant in two.

    Example:
        >>> import pandas as pd
        >>> one = {"test_language": "en", "condition": "me", "word_concept": "ball", "correct": 1}
        >>> both = combine({
        ...     "children": pd.DataFrame([one | {"population": "children", "seed": "7"}]),
        ...     "models": pd.DataFrame([one | {"population": "monolingual-en", "seed": "a"}]),
        ... })
        >>> both[["source", "population", "seed"]].to_numpy().tolist()
        [['children', 'children', '7'], ['models', 'monolingual-en', 'a']]
    """
    import pandas as pd

    if not tables:
        raise ToolkitError("There is no table to combine.", allowed='{"children": table, ...}')
    given = {name: table.assign(source=name) for name, table in tables.items()}
    faults = []
    for name, table in given.items():
        faults += [f"{name}: {fault}" for fault in column_faults(list(table.columns))]
        if not len(table):
            faults.append(f"{name}: no rows")
    if not faults:
        faults += _shared_participants(given)
        faults += [f"{name}: {f}" for name, t in given.items() for f in _row_faults(t)]
    if faults:
        raise ToolkitError("The tables cannot be combined:\n  - " + "\n  - ".join(faults))
    order = dict.fromkeys(column.name for column in REQUIRED)
    order |= dict.fromkeys(str(name) for table in given.values() for name in table.columns)
    for name in order:
        if any(_holds_names(table, name) for table in given.values()):
            _share_categories(given, name)
        elif name == "tie":
            given = {k: t if name in t else t.assign(tie=False) for k, t in given.items()}
    return pd.concat(given.values(), ignore_index=True)[list(order)]


def write_long(
    table: pd.DataFrame, path: str | Path, meanings: Mapping[str, str] | None = None
) -> None:
    """Write a long table as Parquet, with a data dictionary in the file's metadata.

    The dictionary lies under the key ``mevgs_toolkit``, as JSON: ``columns`` holds the meaning of
    every column. ``pyarrow.parquet.read_schema(path).metadata[b"mevgs_toolkit"]`` reads it.

    Args:
        table: a long table.
        path: Parquet file to write, whole or not at all.
        meanings: meaning of columns that the toolkit does not know, or where a column came from.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    own = meanings or {}
    words = {
        str(name): "; ".join(part for part in (MEANINGS.get(str(name)), own.get(str(name))) if part)
        for name in table.columns
    }
    content = {"schema": LONG_SCHEMA, "kind": "long table", "columns": words}
    made = pa.Table.from_pandas(table, preserve_index=False)
    metadata = {**(made.schema.metadata or {}), b"mevgs_toolkit": json.dumps(content).encode()}
    remove_abandoned(Path(path).parent)
    with write_checked(path) as unfinished:
        pq.write_table(made.replace_schema_metadata(metadata), unfinished, compression="zstd")


def meanings_of(path: str | Path) -> dict[str, str]:
    """What the columns of a long table mean, as `write_long` wrote it; empty if nothing is there.

    Args:
        path: a file; only Parquet can say.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        metadata = pq.read_schema(path).metadata or {}
        columns = json.loads(metadata.get(b"mevgs_toolkit", b"{}"))["columns"]
        return {str(name): str(meaning) for name, meaning in columns.items()}
    except (OSError, pa.ArrowException, ValueError, KeyError, TypeError, AttributeError):
        return {}


def column_faults(names: Sequence[str]) -> list[str]:
    """Required columns that a table lacks, each with the nearest name it has."""
    return [missing_column(c.name, names) for c in REQUIRED if c.name not in names]


def _refuse(file: Path, faults: Sequence[str]) -> None:
    if faults:
        raise ToolkitError(f"{file} is not a table of trials:\n  - " + "\n  - ".join(faults))


def _read_parquet(file: Path, columns: Collection[str] | None) -> pd.DataFrame:
    required = {column.name for column in REQUIRED}
    if columns is not None:
        required -= {"word_concept"} - set(columns)
    wanted = {"run_id", *required, *(RUN_COLUMNS if columns is None else (*ROW_KEY, *columns))}
    found = parquet_names(file)
    _refuse_other_tables(file, found)
    return _read_columns(file, [name for name in found if name in wanted])


def _read_columns(file: Path, names: Sequence[str]) -> pd.DataFrame:
    """Columns of a Parquet file, handed over one by one, so that no second copy is held."""
    import pyarrow.parquet as pq

    with told(file):
        read = valid(pq.read_table(file, columns=list(names)))
        table: pd.DataFrame = read.to_pandas(split_blocks=True, self_destruct=True)
    return table


def _refuse_other_tables(file: Path, found: Sequence[str]) -> None:
    """Raise if a table lacks what says who answered what."""
    needed = [column.name for column in REQUIRED if column.name != "source"]
    missing = [name for name in needed if name not in found]
    if not missing:
        return
    near = {name: nearest_name(name, found) or "ITS_NAME" for name in missing}
    raise ToolkitError(
        f"{file} is not a table of trials:\n  - "
        + "\n  - ".join(missing_column(name, found) for name in missing),
        next_command=f"mevgs-toolkit import-trials {quoted(file)} -o long.parquet --columns "
        + quoted(",".join(f"{name}={given}" for name, given in near.items())),
    )


def _row_faults(table: pd.DataFrame) -> list[str]:
    if not len(table):
        return ["no rows"]
    names = [column.name for column in REQUIRED if column.name in table and column.name in TEXT]
    n_empty = {name: int(table[name].isna().sum()) for name in names if name != "source"}
    faults = [*empty_faults(n_empty), *name_faults(table)]
    return [*faults, *answer_faults(table), *repeat_faults(table)]


def _shared_participants(tables: Mapping[str, pd.DataFrame]) -> Iterator[str]:
    owner: dict[tuple[str, str], str] = {}
    for name, table in tables.items():
        pairs = table[["population", "seed"]].drop_duplicates().astype(str)
        for pair in pairs.itertuples(index=False, name=None):
            if owner.setdefault(pair, name) != name:
                yield f"participant {'/'.join(pair)} occurs in {owner[pair]} and in {name}"
                break


def _holds_names(table: pd.DataFrame, name: str) -> bool:
    import pandas as pd

    if name not in table:
        return False
    kind = table[name].dtype
    text = isinstance(kind, pd.CategoricalDtype) or pd.api.types.is_string_dtype(kind)
    return name in TEXT or text


def _share_categories(tables: dict[str, pd.DataFrame], name: str) -> None:
    """Give one column the same categories in all tables, so that they join without text."""
    import pandas as pd

    made = {key: as_names(table[name]) for key, table in tables.items() if name in table}
    names = dict.fromkeys(str(text) for part in made.values() for text in part.cat.categories)
    kind = pd.CategoricalDtype(pd.Index(list(names), dtype="str"))
    for key, table in tables.items():
        column = made.get(key, pd.Series(None, index=table.index, dtype=kind))
        tables[key] = table.assign(**{name: column.astype(kind)})
