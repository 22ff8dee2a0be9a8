"""The long table: answers of children and of networks, one row per trial, under the same names."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli.files import write_atomic
from stimuli.texts import read_text
from toolkit.errors import ToolkitError, nearest_name
from toolkit.trials import COLUMNS, Column, read_trials

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import numpy.typing as npt
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
    "distractor_concept", "target_id", "n_choices", "tie",
)  # fmt: skip
"""Columns of the trials table that are read besides the required ones."""
KEY = ("paradigm", "paradigm_version", "population", "seed", "test_language", "condition", "trial")
"""What names one row of a trials table."""
MEANINGS = {column.name: column.meaning for column in (*COLUMNS, *REQUIRED)}
"""Every column whose meaning the toolkit fixes."""
TEXT = frozenset(column.name for column in (*COLUMNS, *REQUIRED) if column.dtype == "category")
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
    file = _trials_file(Path(path))
    if file.suffix == ".csv":
        first_line = read_text(file, "a CSV file in UTF-8").partition("\n")[0]
        _refuse_other_tables(file, next(csv.reader([first_line]), []))
        table = read_trials(file)
        # Empty text, such as the languages of untrained networks, is read back as missing.
        for name in TEXT & set(table):
            table[name] = as_names(table[name].astype(object).fillna(""))
    else:
        table = _read_parquet(file, columns)
    if "run_id" in table:
        table = table.rename(columns={"run_id": "source"})
    faults = list(_row_faults(table))
    if faults:
        raise ToolkitError(f"{file} is not a table of trials:\n  - " + "\n  - ".join(faults))
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
    with write_atomic(path) as unfinished:
        pq.write_table(made.replace_schema_metadata(metadata), unfinished, compression="zstd")


def as_names(values: pd.Series) -> pd.Series:
    """Values as categories of text; whole numbers lose the ``.0`` that missing values gave them.

    Example:
        >>> import pandas as pd
        >>> as_names(pd.Series([7.0, None, 11.0])).tolist()
        ['7', nan, '11']
    """
    import pandas as pd

    if isinstance(values.dtype, pd.CategoricalDtype):
        categories = values.cat.categories
        if all(isinstance(name, str) for name in categories):
            return values
        return values.cat.rename_categories([_text(name) for name in categories])
    codes, found = pd.factorize(values, use_na_sentinel=True)
    text = [_text(name) for name in found]
    distinct = {name: number for number, name in enumerate(dict.fromkeys(text))}
    place = np.array([distinct[name] for name in text], dtype=np.int32)
    known = np.where(codes >= 0, place[codes] if len(place) else codes, -1)
    names = pd.Index(list(distinct), dtype="str")
    return pd.Series(pd.Categorical.from_codes(known, names), index=values.index, name=values.name)


def not_binary(values: pd.Series) -> str:
    """Up to three values that are not 0, 1, TRUE or FALSE, as text; empty if there are none."""
    numbers = as_numbers(values)
    wrong = values[values.notna() & ~numbers.isin([0, 1])]
    shown = [repr(value) for value in wrong.drop_duplicates().head(3).tolist()]
    return f"{', '.join(shown)} in {len(wrong)} rows" if len(wrong) else ""


def as_numbers(values: pd.Series) -> pd.Series:
    """0 and 1 from numbers, truth values and their spellings; NaN for anything else."""
    import pandas as pd

    spelt = {"TRUE": 1.0, "True": 1.0, "true": 1.0, "FALSE": 0.0, "False": 0.0, "false": 0.0}
    if pd.api.types.is_bool_dtype(values) or pd.api.types.is_numeric_dtype(values):
        return values.astype("float64")
    text = values.astype(str)
    return pd.to_numeric(text, errors="coerce").fillna(text.map(spelt))


def column_faults(names: Sequence[str]) -> list[str]:
    """Required columns that a table lacks, each with the nearest name it has."""
    return [missing_column(c.name, names) for c in REQUIRED if c.name not in names]


def missing_column(name: str, names: Sequence[str]) -> str:
    """Say that a column is missing, and which of the others may be it.

    Example:
        >>> missing_column("seed", ["sed", "correct"])
        'column seed is missing (is it sed?)'
    """
    near = nearest_name(name, [str(other) for other in names])
    return f"column {name} is missing" + (f" (is it {near}?)" if near else "")


def repeated_rows(table: pd.DataFrame, key: Sequence[str]) -> int:
    """How many rows repeat the key of an earlier row; one sort, for ten million rows and more."""
    import pandas as pd

    place = np.zeros(len(table), dtype=np.int64)
    for name in key:
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes: npt.NDArray[Any] = column.cat.codes.to_numpy()
            size = len(column.cat.categories)
        elif pd.api.types.is_integer_dtype(column) and column.notna().all():
            codes = column.to_numpy() - column.min()
            size = int(column.max() - column.min()) + 1
        else:
            codes, found = pd.factorize(column)
            size = len(found)
        place *= size + 1
        place += codes
    place.sort()
    return int((place[1:] == place[:-1]).sum())


def _trials_file(path: Path) -> Path:
    """The table that a path stands for: the file itself, or that of a run folder."""
    file = path / "trials.parquet" if path.is_dir() else path
    if file.is_file():
        return file
    if (path / "cells").is_dir():
        raise ToolkitError(
            f"The run {path} is not finished: it has no trials.parquet.",
            next_command="the same run-paradigm command again; it does only what is missing",
        )
    runs = sorted(str(found.parent) for found in path.glob("*/trials.parquet"))
    beside = sorted(found.name for found in path.absolute().parent.glob("*"))
    near = nearest_name(path.name, beside)
    raise ToolkitError(
        f"There are no trials at {path}.",
        given=str(path),
        nearest=runs[0] if runs else str(path.with_name(near)) if near else None,
        allowed="a run folder, its trials.parquet, or a table written by import-trials",
        next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
    )


def _read_parquet(file: Path, columns: Collection[str] | None) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    required = {column.name for column in REQUIRED}
    if columns is not None:
        required -= {"word_concept"} - set(columns)
    wanted = {"run_id", *required, *(RUN_COLUMNS if columns is None else (*KEY, *columns))}
    try:
        found = pq.read_schema(file).names
        _refuse_other_tables(file, found)
        read = pq.read_table(file, columns=[name for name in found if name in wanted])
    except (OSError, pa.ArrowInvalid) as error:
        raise ToolkitError(
            f"{file} cannot be read as a Parquet table: {error}.",
            allowed="Parquet, or CSV with a name that ends in .csv",
        ) from error
    # Columns are handed over one by one, so that no second copy of the table is held.
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
        next_command=f"mevgs-toolkit import-trials {file} -o long.parquet --columns "
        + ",".join(f"{name}={given}" for name, given in near.items()),
    )


def _row_faults(table: pd.DataFrame) -> Iterator[str]:
    import pandas as pd

    if not len(table):
        yield "no rows"
        return
    correct = table["correct"]
    if not pd.api.types.is_numeric_dtype(correct) or correct.isna().any():
        yield f"column correct holds {correct.dtype} or missing values, expected 0 or 1"
        return
    wrong = (correct != 0) & (correct != 1)
    if wrong.any():
        yield f"column correct holds {correct[wrong].head(3).tolist()}, expected 0 or 1"
    elif "tie" in table and (table["tie"].to_numpy(bool) & (correct == 1)).any():
        yield "a tie is counted as correct"
    key = [name for name in KEY if name in table]
    if "trial" in key and table["trial"].notna().all():
        key += [name for name in ("source",) if name in table]
        repeated = repeated_rows(table, key)
        if repeated:
            yield (
                f"{repeated} rows occur twice: the same participant, language and trial "
                f"(columns {', '.join(key)})"
            )


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


def _text(value: object) -> str:
    whole = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return str(int(value)) if whole else str(value)  # type: ignore[call-overload]
