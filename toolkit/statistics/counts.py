"""Trials summed to counts per seed, word and distractor: what all statistics start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name
from toolkit.kinds import kind_of, kind_of_rows, refuse_other_kinds
from toolkit.store import no_trials

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEYS = (
    *("paradigm", "paradigm_version", "condition", "population", "n_languages"),
    *("train_languages", "seed", "test_language", "word_concept", "target_concept"),
    *("distractor_concept", "n_choices", "subject_kind"),
)
"""What one row of counts stands for."""
OPTIONAL = ("target_concept", "subject_kind")
"""Keys that a table may lack: the word names its target then, and `subject_kind` is told by where
the table comes from."""
MODEL, IMPORTED = "model", "imported"
"""Kinds of subjects of this toolkit's own runs, and of tables from elsewhere that name none."""
COLUMNS = (*KEYS, "correct", "tie", "trial")
"""Columns that are read; ``trial`` where there is one, to find rows that occur twice."""
ROWS_AT_ONCE = 1 << 20
"""Trials read together, so that memory does not grow with their number."""


def read_counts(paths: Sequence[Path], paradigms: Path | None = None) -> pd.DataFrame:
    """Sum the trials of some runs, a part at a time.

    Args:
        paths: run folders, or files like their ``trials.parquet``.
        paradigms: folder with paradigms of one's own, which earlier runs may name.

    Returns:
        One row per combination of `KEYS` that occurs: ``n_trials``, ``n_correct``, ``n_ties``;
        ``seed`` is told apart by population (``bilingual-en-nl/a``), since seed a of one
        population is another network than seed a of the next.

    Raises:
        ToolkitError: if a file is missing, cannot be read, lacks a column, holds something else
            than 0 and 1 in ``correct``, or holds a trial that it or another run holds too.
    """
    parts = []
    for path in paths:
        file = path / "trials.parquet" if path.is_dir() else path
        refuse_other_kinds(kind_of(path, paradigms), str(file), f"mevgs-toolkit analyze {path}")
        parts.append(_sum(_batches(file)).assign(_file=str(path)))
    return _joined(parts)


def count_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Sum trials in memory; otherwise as `read_counts`.

    Raises:
        ToolkitError: if a column is missing.
    """
    import pyarrow as pa

    refuse_other_kinds(kind_of_rows(trials), "the table", "mevgs-toolkit analyze RUN")
    _check([str(name) for name in trials.columns], "the table")
    wanted = trials[[name for name in COLUMNS if name in trials]]
    table = pa.Table.from_pandas(wanted, preserve_index=False)
    return _joined([_sum([_completed(table, _kind([str(name) for name in trials.columns]))])])


def _batches(file: Path) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if not file.is_file():
        raise no_trials(file)
    try:
        with pq.ParquetFile(file) as parquet:
            _check(parquet.schema_arrow.names, str(file))
            columns = [name for name in COLUMNS if name in parquet.schema_arrow.names]
            kind = _kind(parquet.schema_arrow.names)
            # A run writes one row group per network and language: many small ones are read as one.
            held: list[pa.RecordBatch] = []
            for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=columns):
                if held and sum(map(len, held)) + len(batch) > ROWS_AT_ONCE:
                    yield _completed(pa.Table.from_batches(held), kind)
                    held = []
                held.append(batch)
            if held:
                yield _completed(pa.Table.from_batches(held), kind)
    except (OSError, pa.ArrowInvalid) as error:
        raise ToolkitError(f"{file} cannot be read as a trials table: {error}.") from error


def _kind(names: Sequence[str]) -> str:
    """Kind of the subjects of a table that does not say it: runs have a column of their own."""
    return MODEL if "run_id" in names else IMPORTED


def _completed(table: pa.Table, kind: str) -> pa.Table:
    """The table with those keys that it may lack."""
    import pyarrow as pa

    if "target_concept" not in table.column_names:
        table = table.append_column("target_concept", table.column("word_concept"))
    if "subject_kind" not in table.column_names:
        table = table.append_column("subject_kind", pa.array([kind] * len(table)))
    return table


def _check(given: Sequence[str], where: str) -> None:
    required = [name for name in (*KEYS, "correct", "tie") if name not in OPTIONAL]
    missing = [name for name in required if name not in given]
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
        _check_answers(table)
        if "trial" not in table.column_names:
            table = table.append_column("trial", pa.nulls(len(table), pa.int64()))
        wanted = [("correct", "count"), ("correct", "sum"), ("tie", "sum")]
        wanted += [("trial", "min"), ("trial", "max")]
        parts.append(_decoded(table.unify_dictionaries().group_by(list(KEYS)).aggregate(wanted)))
    if not sum(len(part) for part in parts):
        raise ToolkitError("There are no trials.", allowed="at least one trial")
    names = {"correct_count": "n_trials", "correct_sum": "n_correct", "tie_sum": "n_ties"}
    ends = [("trial_min", "min"), ("trial_max", "max")]
    whole = pa.concat_tables(parts, promote_options="permissive").group_by(list(KEYS))
    frame: pd.DataFrame = whole.aggregate([(n, "sum") for n in names] + ends).to_pandas()
    frame = frame.rename(columns={f"{n}_sum": name for n, name in names.items()})
    _check_repeats(frame)
    frame = frame.drop(columns=["trial_min_min", "trial_max_max"])
    return frame.sort_values(list(KEYS), ignore_index=True)


def _check_answers(table: pa.Table) -> None:
    """Refuse answers that are missing or neither right nor wrong."""
    import pyarrow.compute as pc

    column = table.column("correct")
    if column.null_count:
        raise ToolkitError(f"Column correct has {column.null_count} empty values.")
    if len(column) and not (pc.min(column).as_py() >= 0 and pc.max(column).as_py() <= 1):
        raise ToolkitError(
            "Column correct holds something else than 0 and 1.",
            given=f"values from {pc.min(column).as_py()} to {pc.max(column).as_py()}",
        )


def _check_repeats(frame: pd.DataFrame) -> None:
    """Refuse more rows of a seed, language and test than its trials have numbers."""
    key = ["paradigm", "paradigm_version", "population", "seed", "test_language"]
    found = frame.groupby(key, observed=True, dropna=False).agg(
        n=("n_trials", "sum"), first=("trial_min_min", "min"), last=("trial_max_max", "max")
    )
    twice = found[found["n"] > found["last"] - found["first"] + 1]
    if len(twice):
        raise ToolkitError(
            f"Rows occur twice: {dict(zip(key, twice.index[0], strict=True))} has "
            f"{int(twice['n'].iloc[0])} rows for trials {int(twice['first'].iloc[0])} to "
            f"{int(twice['last'].iloc[0])}.",
            allowed="one row per trial and subject",
        )


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
