"""Trials summed to counts per seed, word and distractor: what all statistics start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEYS = (
    *("paradigm", "paradigm_version", "condition", "population", "n_languages"),
    *("train_languages", "seed", "test_language", "word_concept", "distractor_concept"),
    "n_choices",
)
"""What one row of counts stands for."""
ROWS_AT_ONCE = 1 << 20
"""Trials read together, so that memory does not grow with their number."""


def read_counts(paths: Sequence[Path]) -> pd.DataFrame:
    """Sum the trials of some runs, a part at a time.

    Args:
        paths: run folders, or files like their ``trials.parquet``.

    Returns:
        One row per combination of `KEYS` that occurs: ``n_trials``, ``n_correct``, ``n_ties``;
        ``seed`` is told apart by population (``bilingual-en-nl/a``), since seed a of one
        population is another network than seed a of the next.

    Raises:
        ToolkitError: if a file is missing, cannot be read, lacks a column, or holds a trial
            that another of the runs holds too.
    """
    parts = []
    for path in paths:
        file = path / "trials.parquet" if path.is_dir() else path
        parts.append(_sum(_batches(file)).assign(_file=str(path)))
    return _joined(parts)


def count_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Sum trials in memory; otherwise as `read_counts`.

    Raises:
        ToolkitError: if a column is missing.
    """
    import pyarrow as pa

    _check([str(name) for name in trials.columns], "the table")
    wanted = trials[[*KEYS, "correct", "tie"]]
    return _joined([_sum([pa.Table.from_pandas(wanted, preserve_index=False)])])


def _batches(file: Path) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_file():
        raise ToolkitError(
            f"There is no trials table at {file}.",
            allowed="a run folder, or its trials.parquet",
            next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
        )
    try:
        with pq.ParquetFile(file) as parquet:
            _check(parquet.schema_arrow.names, str(file))
            columns = [*KEYS, "correct", "tie"]
            for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=columns):
                yield pa.Table.from_batches([batch])
    except (OSError, pa.ArrowInvalid) as error:
        raise ToolkitError(f"{file} cannot be read as a trials table: {error}.") from error


def _check(given: Sequence[str], where: str) -> None:
    missing = [name for name in (*KEYS, "correct", "tie") if name not in given]
    if missing:
        raise ToolkitError(
            f"{where} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
            given=", ".join(given),
            nearest=nearest_name(missing[0], list(given)),
            next_command="mevgs-toolkit import-trials FILE --columns seed=NAME,...",
        )


def _sum(tables: Iterable[pa.Table]) -> pd.DataFrame:
    """Counts of all tables together, one row per combination of `KEYS`."""
    import pyarrow as pa

    parts = []
    for table in tables:
        for name in ("correct", "tie"):
            column = table.column(name)
            if not (pa.types.is_integer(column.type) or pa.types.is_boolean(column.type)):
                raise ToolkitError(
                    f"Column {name} holds {column.type}, expected 0 or 1.",
                    given=f"e.g. {column[0].as_py()!r}" if len(column) else "nothing",
                )
            number = column.cast(pa.int64())
            table = table.set_column(table.column_names.index(name), name, number)
        summed = (
            table.unify_dictionaries()
            .group_by(list(KEYS))
            .aggregate([("correct", "count"), ("correct", "sum"), ("tie", "sum")])
        )
        parts.append(_decoded(summed))
    if not sum(len(part) for part in parts):
        raise ToolkitError("There are no trials.", allowed="at least one trial")
    names = {"correct_count": "n_trials", "correct_sum": "n_correct", "tie_sum": "n_ties"}
    whole = pa.concat_tables(parts).group_by(list(KEYS)).aggregate([(n, "sum") for n in names])
    frame = whole.to_pandas().rename(columns={f"{n}_sum": name for n, name in names.items()})
    return frame.sort_values(list(KEYS), ignore_index=True)


def _decoded(table: pa.Table) -> pa.Table:
    """Text instead of categories, whose numbers may differ from part to part."""
    import pyarrow as pa

    for place, field in enumerate(table.schema):
        if pa.types.is_dictionary(field.type):
            text = table.column(place).cast(pa.string())
            table = table.set_column(place, field.name, text)
    return table


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    import pandas as pd

    table = pd.concat(parts, ignore_index=True)
    key = ["paradigm", "paradigm_version", "population", "seed", "test_language"]
    if "_file" in table:
        files = table.groupby(key, observed=True)["_file"].nunique()
        if (files > 1).any():
            first = dict(zip(key, files.index[files > 1][0], strict=True))
            raise ToolkitError(
                f"The same subject and test stand in two of the runs: {first}.",
                allowed="every run once; a run of several populations holds those of its parts",
            )
        table = table.drop(columns="_file")
    table["seed"] = table["population"].astype(str) + "/" + table["seed"].astype(str)
    for name in KEYS:
        if not pd.api.types.is_numeric_dtype(table[name]):
            table[name] = table[name].fillna("").astype(str).astype("category")
    return table


def accuracy_per_seed(counts: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of every seed, population, language and condition.

    Args:
        counts: what `read_counts` gave.

    Returns:
        Columns of the group and ``n_trials``, ``n_correct``, ``n_ties``, ``accuracy``.
    """
    group = ["population", "n_languages", "test_language", "condition", "seed"]
    table = counts.groupby(group, observed=True, sort=True)[["n_trials", "n_correct", "n_ties"]]
    summed = table.sum().reset_index()
    summed["accuracy"] = summed["n_correct"] / summed["n_trials"]
    return summed
