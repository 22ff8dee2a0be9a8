"""Trials summed to counts per seed, word and distractor: what all statistics start from."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.statistics.choices.lists import LIST, TESTED, Drawn, check_lists, drawn
from toolkit.statistics.choices.pool import SUMMED, Pool
from toolkit.tables.answers import (
    ROW_KEY,
    answer_faults,
    empty_faults,
    in_order,
    repeat_faults,
    text_faults,
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
OF_LISTS = (*TESTED, "condition", LIST)
"""What one row of the counts of trial lists stands for."""
OF_PAIRS = (
    *("paradigm", "paradigm_version", "condition", "population", "test_language"),
    *("word_concept", "distractor_concept"),
)
"""What one row of the counts of pairs stands for."""
ROWS_AT_ONCE = 1 << 18
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
    return read_lists(paths, paradigms).counts


@dataclass(frozen=True)
class Read:
    """What some runs hold."""

    counts: pd.DataFrame
    """Their trials, see `read_counts`."""
    lists: pd.DataFrame
    """The same per trial list: one row per combination of `OF_LISTS`. ``trial_seed`` is what the
    manifest beside a table says, or a column of that name; empty if there is neither."""
    pairs: pd.DataFrame
    """The same per word and distractor, all seeds together: one row per combination of
    `OF_PAIRS`."""
    notes: tuple[str, ...]
    """On tables that were named twice."""


def read_lists(
    paths: Sequence[Path],
    paradigms: Path | None = None,
    by_distractor: Callable[[str], Collection[str]] | None = None,
) -> Read:
    """Sum the trials of some runs, and those of every trial list besides; as `read_counts`.

    What is held are sums: the trials of a list by who was asked and in which condition, those of
    all lists together by word as well. Further lists show further pairs of target and distractor:
    where no model asks for distractors, those of a network are added up.

    Args:
        paths: run folders, or files like their ``trials.parquet``. A table named twice counts once.
        paradigms: folder with paradigms of one's own.
        by_distractor: the conditions of a paradigm, by its name, whose ``counts`` tell distractors
            apart, those of the others have none; all conditions by default.

    Raises:
        ToolkitError: if a file is missing, cannot be read, lacks a column, holds something else
            than 0 and 1 in ``correct``, or holds a trial twice; or if another holds the same
            subject and test, and not with another trial list alone.
    """
    kept, notes = runs_once(paths)
    counts, lists, pairs = Pool(KEYS), Pool(OF_LISTS), Pool(OF_PAIRS)

    def read() -> Iterator[tuple[Drawn, pd.DataFrame]]:
        for path in kept:
            file, source = trials_file(path), drawn(path)
            refuse_other_kinds(
                kind_of(path, paradigms), str(file), f"mevgs-toolkit analyze {quoted(path)}"
            )
            asked = Pool(OF_LISTS)
            for part in _sums(_batches(file), str(file), source.trial_seed):
                counts.add(_with_distractors_of(part, by_distractor) if by_distractor else part)
                asked.add(part)
                pairs.add(part)
            for part in asked.tables():
                lists.add(part)
            yield source, asked.frame(_texts(OF_LISTS))

    check_lists(read())
    told = pairs.frame(_texts(OF_PAIRS))
    return Read(_named(counts, KEYS), _named(lists, OF_LISTS), told, tuple(notes))


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
    counts = Pool(KEYS)
    for part in _sums([_completed(table, unsaid_kind(list(map(str, trials.columns))))], where):
        counts.add(part)
    return _named(counts, KEYS)


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
        if not in_order(map(_valid_batch, parquet.iter_batches(ROWS_AT_ONCE, columns=key))):
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


def _valid_batch(batch: pa.RecordBatch) -> pa.Table:
    import pyarrow as pa

    return valid(pa.Table.from_batches([batch]))


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


def _sums(tables: Iterable[pa.Table], where: str, unsaid: str = "") -> Iterator[pa.Table]:
    """Counts of all tables together, one row per combination of `KEYS` and `LIST`, part by part.

    Args:
        tables: trials.
        where: what holds them, for messages.
        unsaid: the list of trials of which the table does not tell it.
    """
    import pyarrow as pa

    keys = [*KEYS, LIST]
    pool, n_rows = Pool(keys), 0
    for table in tables:
        _raise(_faults(table), where)
        for name in ("correct", "tie"):
            number = table.column(name).cast(pa.int64())
            table = table.set_column(table.column_names.index(name), name, number)
        if LIST not in table.column_names:
            table = table.append_column(LIST, pa.array([""] * len(table)).dictionary_encode())
        wanted = [("correct", "count"), ("correct", "sum"), ("tie", "sum")]
        made = table.unify_dictionaries().group_by(keys).aggregate(wanted)
        numbers = [made[f"{column}_{how}"] for column, how in wanted]
        pool.add(pa.table([*(made[name] for name in keys), *numbers], [*keys, *SUMMED]))
        n_rows += len(table)
    if not n_rows:
        raise ToolkitError("There are no trials.", allowed="at least one trial")
    told: dict[str, list[Any]] = {
        name: [int(value) if name in NUMBERS else _as_name(value) for value in pool.values(name)]
        for name in keys
    }
    _raise(text_faults({name: told[name] for name in _texts(keys)}), where)
    told[LIST] = [text or unsaid for text in told[LIST]]
    for part in pool.tables():
        for place, (name, values) in enumerate(told.items()):
            codes = part[name].combine_chunks().indices
            column = pa.DictionaryArray.from_arrays(codes, pa.array(values))
            part = part.set_column(place, name, column)
        yield part


def _with_distractors_of(
    counts: pa.Table, by_distractor: Callable[[str], Collection[str]]
) -> pa.Table:
    """Counts in which only these conditions of a paradigm have distractors; see `read_lists`."""
    import pyarrow as pa
    import pyarrow.compute as pc

    names = ("paradigm", "condition", "distractor_concept")
    paradigm, condition, distractor = (counts[name].cast(pa.string()) for name in names)
    told = pa.scalar("")
    for name in paradigm.unique().to_pylist():
        kept = pc.is_in(condition, pa.array(by_distractor(name), pa.string()))
        told = pc.if_else(pc.and_(pc.equal(paradigm, name), kept), distractor, told)
    return counts.set_column(counts.column_names.index(names[-1]), names[-1], told)


def _as_name(value: object) -> str:
    return "" if value is None else as_text(value)


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


def _texts(keys: Sequence[str]) -> list[str]:
    return [name for name in keys if name not in NUMBERS]


def _named(pool: Pool, keys: Sequence[str]) -> pd.DataFrame:
    """What was added up, with every seed named after its population."""
    import numpy as np
    import pandas as pd

    table = pool.frame(_texts(keys))
    population, seed = table["population"].cat, table["seed"].cat
    pairs = population.codes.astype(np.int64) * len(seed.categories) + seed.codes
    found, codes = np.unique(pairs, return_inverse=True)
    names = [
        f"{population.categories[pair // len(seed.categories)]}/"
        f"{seed.categories[pair % len(seed.categories)]}"
        for pair in found
    ]
    order = np.argsort(np.array(names, dtype=object))
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    categories = pd.Index(np.array(names, dtype=object)[order], dtype="str")
    table["seed"] = pd.Categorical.from_codes(place[codes], categories)
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
