"""The trials table: one row per trial and subject, the one form in which answers are kept."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paradigms.choices.trials import ALL_WORDS
from stimuli.files import require_sound
from toolkit.errors import ToolkitError
from toolkit.tables.answers import (
    answer_faults,
    missing_column,
    name_faults,
    repeat_faults,
)
from toolkit.tables.delimited import read_delimited
from toolkit.tables.manifests import again, no_trials
from toolkit.tables.parquet import parquet_names, told, valid

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd
    import pyarrow as pa
    import pyarrow.parquet as pq

    from paradigms.choices.trials import Trials

SCHEMA_VERSION = 1
"""Raised when a column changes its meaning."""
MODEL, IMPORTED = "model", "imported"
"""Kinds of subjects of this toolkit's own runs, and of tables from elsewhere that name none."""
ROWS_AT_ONCE = 1 << 16
"""Rows made and written together."""


@dataclass(frozen=True)
class Column:
    """One column of the trials table."""

    name: str
    """Name, snake_case."""
    dtype: str
    """``category`` (text from a short list) or a NumPy type."""
    meaning: str
    """What a value says; empty text where it does not apply."""


COLUMNS = (
    Column("run_id", "category", "run the row belongs to; derived from the content of the run"),
    Column("paradigm", "category", "name of the paradigm"),
    Column("paradigm_version", "int16", "version of the paradigm; versions are never pooled"),
    Column("condition", "category", "condition of the paradigm"),
    Column("population", "category", "population of subjects, e.g. bilingual-en-nl"),
    Column("n_languages", "int16", "number of languages the subject was trained on"),
    Column("train_languages", "category", "ISO codes joined by '+'; empty for untrained subjects"),
    Column("seed", "category", "training seed, the analogue of a participant"),
    Column("test_language", "category", "ISO code of the word said"),
    Column("trial", "int32", "number of the trial within paradigm and language, from 0"),
    Column("word_id", "category", f"clip that was said; '{ALL_WORDS}' for the mean over all words"),
    Column("word_concept", "category", f"concept of that word; '{ALL_WORDS}' likewise"),
    Column("target_id", "category", "picture (or option) counted as right"),
    Column("target_concept", "category", "concept of the target"),
    Column("distractor_id", "category", "the other picture; the highest-scoring one if several"),
    Column("distractor_concept", "category", "concept of that distractor"),
    Column("n_choices", "int16", "options offered; chance level is 1 / n_choices"),
    Column("target_position", "int16", "place of the target, counted from 0"),
    Column("score_target", "float32", "score of the target; higher is a better match"),
    Column("score_distractor", "float32", "highest score of a distractor"),
    Column("margin", "float32", "score_target - score_distractor"),
    Column("correct", "int8", "1 if the target scores strictly highest, else 0; ties are 0"),
    Column("tie", "bool", "True if target and best distractor score exactly the same"),
)
"""The columns in their order."""
DRAW = Column(
    "familiar_draw",
    "category",
    "draw of familiar concepts that the subject learnt; empty where the population has none",
)
"""A further column, where a population's subjects learnt different words."""


def answers_table(
    trials: Trials, scores: npt.NDArray[np.float32], labels: Mapping[str, str | int]
) -> Iterator[pd.DataFrame]:
    """Join a trial list and its scores into rows of the trials table, a part at a time.

    Args:
        trials: the trial list, n trials.
        scores: (n, places) scores.
        labels: values of the columns that are the same in every row (paradigm, population ...).

    Yields:
        Up to `ROWS_AT_ONCE` rows with all columns except ``run_id``.
    """
    # The last label answers to index -1, which stands for all words.
    names = {
        "condition": _Labels(trials.conditions),
        "word_id": _Labels([*trials.word_ids, ALL_WORDS]),
        "word_concept": _Labels([*(trials.concept_of[w] for w in trials.word_ids), ALL_WORDS]),
        "option_id": _Labels(trials.option_ids),
        "option_concept": _Labels([trials.concept_of[o] for o in trials.option_ids]),
    }
    for start in range(0, len(trials), ROWS_AT_ONCE):
        yield _rows(trials, scores, labels, names, slice(start, start + ROWS_AT_ONCE))


def _rows(
    trials: Trials,
    scores: npt.NDArray[np.float32],
    labels: Mapping[str, str | int],
    names: Mapping[str, _Labels],
    part: slice,
) -> pd.DataFrame:
    import pandas as pd

    options, word, place = trials.options[part], trials.word[part], trials.target_position[part]
    n = len(word)
    rows = np.arange(n)
    score_target = scores[part][rows, place]
    rivals = np.where(options >= 0, scores[part], -np.inf)
    rivals[rows, place] = -np.inf
    best = rivals.argmax(axis=1)
    target, distractor = options[rows, place], options[rows, best]
    margin = score_target - rivals[rows, best]
    columns: dict[str, Any] = {
        "condition": names["condition"].of(trials.condition[part]),
        "trial": np.arange(part.start, part.start + n, dtype=np.int32),
        "word_id": names["word_id"].of(word),
        "word_concept": names["word_concept"].of(word),
        "target_id": names["option_id"].of(target),
        "target_concept": names["option_concept"].of(target),
        "distractor_id": names["option_id"].of(distractor),
        "distractor_concept": names["option_concept"].of(distractor),
        "n_choices": (options >= 0).sum(axis=1, dtype=np.int16),
        "target_position": place,
        "score_target": score_target,
        "score_distractor": rivals[rows, best],
        "margin": margin,
        "correct": (margin > 0).astype(np.int8),
        "tie": margin == 0,
    }
    for name, value in labels.items():
        if isinstance(value, int):
            columns[name] = np.full(n, value, dtype=np.int16)
        else:
            columns[name] = _Labels([value]).of(np.zeros(n, np.int8))
    order = [column.name for column in (*COLUMNS, DRAW) if column.name in columns]
    return pd.DataFrame({name: columns[name] for name in order})


class _Labels:
    """Names behind indices, as categories, so that no text is repeated per row."""

    def __init__(self, names: Sequence[str]) -> None:
        # Categories must be distinct, names need not be: many pictures share one concept.
        place = {name: number for number, name in enumerate(dict.fromkeys(names))}
        self.categories = list(place)
        self.codes = np.array([place[name] for name in names], dtype=np.int32)

    def of(self, index: npt.NDArray[Any]) -> pd.Categorical[str]:
        """Category of every index; -1 is the last name."""
        import pandas as pd

        return pd.Categorical.from_codes(self.codes[index], pd.Index(self.categories, dtype="str"))


def table_columns(
    rows: Mapping[str, Sequence[Any]], same: Mapping[str, str | int], extra: Sequence[Column] = ()
) -> pd.DataFrame:
    """Make a part of the trials table from its columns.

    Args:
        rows: values of the columns that differ between rows.
        same: value of the columns that do not.
        extra: columns of a paradigm, besides `COLUMNS`.

    Returns:
        All columns but ``run_id``, in their order and with their types.
    """
    import pandas as pd

    n = len(next(iter(rows.values())))
    made: dict[str, Any] = {}
    for column in (*COLUMNS[1:], *extra):
        values = rows[column.name] if column.name in rows else [same[column.name]] * n
        if column.dtype == "category":
            made[column.name] = pd.Categorical(values)
        else:
            made[column.name] = np.asarray(values, dtype=column.dtype)
    return pd.DataFrame(made)


def table_faults(table: pd.DataFrame) -> list[str]:
    """List everything that keeps a table from being a trials table; empty if nothing does."""
    import pandas as pd

    given = [str(name) for name in table.columns]
    faults = [missing_column(column.name, given) for column in COLUMNS if column.name not in table]
    # A map without a mask to point into has one place only, and no distractor to score.
    pointing = table["n_choices"] != 1 if "n_choices" in table else slice(None)
    for name in ("score_target", "score_distractor", "margin"):
        if name in table and not pd.api.types.is_numeric_dtype(table[name]):
            faults.append(f"column {name} holds text, expected numbers")
        elif name in table:
            empty = table[name] if name == "score_target" else table.loc[pointing, name]
            if empty.isna().any():
                faults.append(f"column {name} has {int(empty.isna().sum())} empty values")
    faults += name_faults(table)
    return faults + answer_faults(table, fewest_choices=1) + repeat_faults(table)


def unsaid_kind(names: Sequence[str]) -> str:
    """Kind of the subjects of a table without ``subject_kind``; runs have a column of their own.

    Args:
        names: columns of the table.

    Example:
        >>> unsaid_kind(["run_id", "seed"]), unsaid_kind(["seed"])
        ('model', 'imported')
    """
    return MODEL if "run_id" in names else IMPORTED


def read_trials(path: Path) -> pd.DataFrame:
    """Read a trials table (Parquet or CSV) and check it whole.

    Raises:
        ToolkitError: if the file is missing or unreadable, or lists every fault of the table.
    """
    import pyarrow.parquet as pq

    if not path.is_file():
        raise no_trials(path)
    require_sound(path, again(path.parent))
    with told(path):
        if path.suffix.lower() == ".csv":
            table = _read_csv(path)
        else:
            parquet_names(path)
            table = valid(pq.read_table(path)).to_pandas()
    faults = table_faults(table)
    if faults:
        raise ToolkitError(f"{path} is not a trials table:\n  - " + "\n  - ".join(faults))
    return table


def with_numbers(table: pa.Table) -> pa.Table:
    """A trials table with numbers where they belong, though they may be written as texts.

    Args:
        table: as it was read.

    Raises:
        pyarrow.ArrowException: a text is no number.

    Example:
        >>> import pyarrow as pa
        >>> with_numbers(pa.table({"correct": ["1", "0"]}))["correct"].to_pylist()
        [1, 0]
    """
    import pyarrow as pa

    kinds = {column.name: column.dtype for column in COLUMNS if column.dtype != "category"}
    for place, field in enumerate(table.schema):
        if field.name in kinds and not pa.types.is_primitive(field.type):
            texts = table.column(place).cast(pa.string())
            number = pa.from_numpy_dtype(kinds[field.name])
            table = table.set_column(place, field.name, texts.cast(number))
    return table


def _read_csv(path: Path) -> pd.DataFrame:
    """An exported table: names stay text, 007 is never 7; everything else is a number if it can."""
    import pandas as pd

    text, _ = read_delimited(path)
    names = {column.name for column in (*COLUMNS, DRAW) if column.dtype == "category"}
    made = {}
    for name in text:
        value = text[name]
        if name not in names:
            value = value.replace({"True": "1", "False": "0", "": None})
            number = pd.to_numeric(value, errors="coerce")
            value = number if (number.notna() == value.notna()).all() else value
        made[name] = value
    return pd.DataFrame(made)


def arrow_schema(names: Sequence[str], kind: str, extra: Sequence[Column] = ()) -> pa.Schema:
    """Arrow schema of the given columns, with the meaning of each in the metadata.

    Args:
        names: columns in their order.
        kind: of the paradigm, see `toolkit.tables.kinds`; it stands in the metadata, too.
        extra: columns of a paradigm that may be among them, besides `COLUMNS`.
    """
    import pyarrow as pa

    text = pa.dictionary(pa.int32(), pa.string())
    known = {column.name: column for column in (*COLUMNS, *extra)}
    types = {
        name: text if known[name].dtype == "category" else pa.from_numpy_dtype(known[name].dtype)
        for name in names
    }
    meanings = {name: known[name].meaning for name in names}
    metadata = {"schema": SCHEMA_VERSION, "paradigm_kind": kind, "columns": meanings}
    return pa.schema(list(types.items()), metadata={"mevgs_toolkit": json.dumps(metadata)})


def write_together(writer: pq.ParquetWriter, held: list[pa.Table]) -> None:
    """Write rows as one part of a file, and hold them no longer.

    Args:
        writer: of the file.
        held: tables of its schema; emptied.
    """
    import pyarrow as pa

    if held:
        whole = pa.concat_tables(held).unify_dictionaries().combine_chunks()
        writer.write_table(whole, row_group_size=max(1, len(whole)))
        held.clear()


def write_trials(
    parts: Iterable[pd.DataFrame], path: Path, kind: str, extra: Sequence[Column] = ()
) -> None:
    """Write rows as Parquet (zstd), a part at a time, so that memory does not grow with them.

    Args:
        parts: rows; all parts have the same columns.
        path: file to write.
        kind: of the paradigm.
        extra: columns of a paradigm that may be among them, besides `COLUMNS`.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    writer = None
    try:
        for part in parts:
            schema = arrow_schema(list(part.columns), kind, extra)
            writer = writer or pq.ParquetWriter(path, schema, compression="zstd")
            writer.write_table(pa.Table.from_pandas(part, schema=schema, preserve_index=False))
    finally:
        if writer is not None:
            writer.close()
