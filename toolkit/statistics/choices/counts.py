"""Trials summed to counts per seed, word and distractor: what all statistics start from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.statistics.choices.lists import LIST, Drawn, check_lists, drawn, pool_lists
from toolkit.tables.answers import (
    ROW_KEY,
    answer_faults,
    empty_faults,
    name_faults,
    repeat_faults,
)
from toolkit.tables.delimited import header_of
from toolkit.tables.kinds import kind_of, kind_of_rows, refuse_other_kinds
from toolkit.tables.parquet import parquet_names, told, valid
from toolkit.tables.runs import runs_once, trials_file
from toolkit.tables.trials import read_trials, unsaid_kind
from toolkit.tables.values import as_text

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

KEYS = (
    *("paradigm", "paradigm_version", "condition", "population", "n_languages"),
    *("train_languages", "seed", "test_language", "word_concept", "target_concept"),
    *("distractor_concept", "n_choices", "subject_kind", "familiar_draw"),
)
"""What one row of counts stands for."""
NUMBERS = ("paradigm_version", "n_languages", "n_choices")
"""Those of them that are whole numbers."""
WHO_AND_WHAT = ("paradigm", "population", "seed", "test_language", "condition", "word_concept")
"""Those of them that are never empty."""
OPTIONAL = ("target_concept", "subject_kind", "familiar_draw")
"""Keys that a table may lack: the word names its target then, `subject_kind` is told by where the
table comes from, and there are no draws of familiar concepts."""
COLUMNS = (*KEYS, LIST, "correct", "tie")
"""Columns that are summed; some have no `LIST`."""
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
        population is another network than seed a of the next. Runs that differ in their trial
        list alone are added up.

    Raises:
        ToolkitError: as `read_lists`.
    """
    return pool_lists(read_lists(paths, paradigms)[0], KEYS)


def read_lists(
    paths: Sequence[Path], paradigms: Path | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Sum the trials of some runs per trial list; otherwise as `read_counts`.

    Args:
        paths: run folders, or files like their ``trials.parquet``. A table named twice counts once.
        paradigms: folder with paradigms of one's own.

    Returns:
        One row per combination of `KEYS` and ``trial_seed``, which is what the manifest beside a
        table says, or a column of that name; empty if there is neither. And notes on tables that
        were named twice.

    Raises:
        ToolkitError: if a file is missing, cannot be read, lacks a column, holds something else
            than 0 and 1 in ``correct``, or holds a trial twice; or if another holds the same
            subject and test, and not with another trial list alone.
    """
    kept, notes = runs_once(paths)
    parts: list[tuple[Drawn, pd.DataFrame]] = []
    for path in kept:
        file, source = trials_file(path), drawn(path)
        refuse_other_kinds(
            kind_of(path, paradigms), str(file), f"mevgs-toolkit analyze {quoted(path)}"
        )
        own = _sum(_batches(file), str(file))
        own[LIST] = own[LIST].where(own[LIST] != "", source.trial_seed)
        parts.append((source, own))
    check_lists(parts)
    return _joined([own for _, own in parts]), notes


def count_trials(trials: pd.DataFrame) -> pd.DataFrame:
    """Sum trials in memory; otherwise as `read_counts`.

    Raises:
        ToolkitError: if a column is missing, or as `read_counts`.
    """
    import pyarrow as pa

    where = "the table"
    refuse_other_kinds(kind_of_rows(trials), where, "mevgs-toolkit analyze RUN")
    _check([str(name) for name in trials.columns], where)
    _raise(repeat_faults(trials), where)
    wanted = trials[[name for name in COLUMNS if name in trials]]
    table = pa.Table.from_pandas(wanted, preserve_index=False)
    summed = _sum([_completed(table, unsaid_kind([str(name) for name in trials.columns]))], where)
    return pool_lists(_joined([summed]), KEYS)


def _batches(file: Path) -> Iterator[pa.Table]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if file.suffix.lower() == ".csv":
        _check(header_of(file), str(file))
        table = pa.Table.from_pandas(read_trials(file), preserve_index=False)
        yield _completed(table, unsaid_kind(table.column_names))
        return
    given = parquet_names(file)
    _check(given, str(file))
    with told(file, "a trials table"), pq.ParquetFile(file) as parquet:
        kind = unsaid_kind(given)
        key = [name for name in ROW_KEY if name in given]
        # Numbers and codes of categories alone: some 20 bytes per trial.
        rows = valid(parquet.read(columns=key)).to_pandas(split_blocks=True, self_destruct=True)
        _raise(repeat_faults(rows), str(file))
        del rows
        columns = [name for name in COLUMNS if name in given]
        # A run writes one row group per network and language: many small ones are read as one.
        held: list[pa.RecordBatch] = []
        for batch in parquet.iter_batches(ROWS_AT_ONCE, columns=columns):
            if held and sum(map(len, held)) + len(batch) > ROWS_AT_ONCE:
                yield _completed(valid(pa.Table.from_batches(held)), kind)
                held = []
            held.append(batch)
        if held:
            yield _completed(valid(pa.Table.from_batches(held)), kind)


def _completed(table: pa.Table, kind: str) -> pa.Table:
    """The table with those keys that it may lack."""
    import pyarrow as pa

    if "target_concept" not in table.column_names:
        table = table.append_column("target_concept", table.column("word_concept"))
    if "subject_kind" not in table.column_names:
        table = table.append_column("subject_kind", pa.array([kind] * len(table)))
    if "familiar_draw" not in table.column_names:
        table = table.append_column(
            "familiar_draw", pa.array([""] * len(table)).dictionary_encode()
        )
    return table


def _check(given: Sequence[str], where: str) -> None:
    required = [name for name in (*KEYS, "correct", "tie") if name not in OPTIONAL]
    missing = [name for name in required if name not in given]
    if missing:
        raise ToolkitError(
            f"{where} lacks the column{'s' if len(missing) > 1 else ''} {', '.join(missing)}.",
            given=", ".join(given),
            nearest=nearest_name(missing[0], list(given)),
            next_command="mevgs-toolkit import-trials FILE --columns seed=NAME,... --set "
            "paradigm=me,paradigm_version=1,n_choices=2,n_languages=1,train_languages=en",
        )


def _raise(faults: Sequence[str], where: str) -> None:
    if faults:
        raise ToolkitError(f"{where} is not a table of trials:\n  - " + "\n  - ".join(faults))


def _sum(tables: Iterable[pa.Table], where: str) -> pd.DataFrame:
    """Counts of all tables together, one row per combination of `KEYS` and `LIST`."""
    import pandas as pd
    import pyarrow as pa

    parts = []
    keys = [*KEYS, LIST]
    for table in tables:
        _raise(_faults(table), where)
        for name in ("correct", "tie"):
            number = table.column(name).cast(pa.int64())
            table = table.set_column(table.column_names.index(name), name, number)
        if LIST not in table.column_names:
            table = table.append_column(LIST, pa.array([""] * len(table)).dictionary_encode())
        wanted = [("correct", "count"), ("correct", "sum"), ("tie", "sum")]
        parts.append(_decoded(table.unify_dictionaries().group_by(keys).aggregate(wanted)))
    if not sum(len(part) for part in parts):
        raise ToolkitError("There are no trials.", allowed="at least one trial")
    names = {"correct_count": "n_trials", "correct_sum": "n_correct", "tie_sum": "n_ties"}
    whole = pa.concat_tables(parts, promote_options="permissive").group_by(keys)
    frame: pd.DataFrame = whole.aggregate([(n, "sum") for n in names]).to_pandas()
    frame = frame.rename(columns={f"{n}_sum": name for n, name in names.items()})
    for name in (*(key for key in KEYS if key not in NUMBERS), LIST):
        codes, values = pd.factorize(frame[name].fillna(""))
        frame[name] = pd.Index([as_text(value) for value in values], dtype=object)[codes]
    _raise(name_faults(frame), where)
    frame = frame.astype(dict.fromkeys(NUMBERS, "int64"))
    return frame.sort_values(keys, ignore_index=True)


def _faults(table: pa.Table) -> list[str]:
    """What keeps rows from being counted."""
    import pandas as pd

    frame = table.select(["correct", "tie", *NUMBERS]).to_pandas(ignore_metadata=True)
    n_empty = {name: table.column(name).null_count for name in (*WHO_AND_WHAT, *NUMBERS)}
    text = [
        f"column {name} holds text, expected numbers"
        for name in NUMBERS
        if name != "n_choices" and not n_empty[name]
        if not pd.api.types.is_numeric_dtype(frame[name])
    ]
    return [*empty_faults(n_empty), *text, *answer_faults(frame)]


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
    table["seed"] = table["population"] + "/" + table["seed"]
    for name in (*KEYS, LIST):
        if name not in NUMBERS:
            table[name] = table[name].astype("category")
    return table


def accuracy_per_seed(counts: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of every seed, population, language and condition.

    Args:
        counts: what `read_counts` gave.

    Returns:
        Columns of the group and ``n_trials``, ``n_correct``, ``n_ties``, ``accuracy``, and
        ``chance``, the mean over trials of 1 / ``n_choices``.
    """
    group = ["population", "n_languages", "test_language", "condition", "seed"]
    table = counts.assign(chance=counts["n_trials"] / counts["n_choices"])
    numbers = ["n_trials", "n_correct", "n_ties", "chance"]
    summed = table.groupby(group, observed=True, sort=True)[numbers].sum().reset_index()
    summed["accuracy"] = summed["n_correct"] / summed["n_trials"]
    summed["chance"] /= summed["n_trials"]
    return summed
