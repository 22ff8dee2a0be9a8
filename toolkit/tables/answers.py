"""What makes rows answers: one rule for every table, whoever wrote it and whoever reads it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli.characters import hidden_in
from stimuli.wording import count
from toolkit.errors import nearest_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

MOST_PLACES = 1 << 62
"""Largest number that combinations of values are given."""
BIG = 1 << 31
"""Whole numbers below are taken as they are, without a look at which of them occur."""
MOST_BLOCKS = 1 << 20
"""Participants, tests and lists that are remembered while a table is read."""
ROW_KEY = (
    "paradigm", "paradigm_version", "population", "seed", "test_language", "condition",
    "trial_seed", "trial", "gate_ms",
)  # fmt: skip
"""What tells one answer from all others: trials may be numbered within conditions and lists,
and be answered again and again while a word unfolds."""


def missing_column(name: str, names: Sequence[str]) -> str:
    """Say that a column is missing, and which of the others may be it.

    Example:
        >>> missing_column("seed", ["sed", "correct"])
        'column seed is missing (is it sed?)'
    """
    near = nearest_name(name, [str(other) for other in names])
    return f"column {name} is missing" + (f" (is it {near}?)" if near else "")


def answer_faults(table: pd.DataFrame, fewest_choices: int = 2) -> list[str]:
    """What is wrong with the answers of a table, whoever wrote it: one rule for every command.

    Args:
        table: any rows; of ``correct``, ``tie`` and ``n_choices``, those that are there are looked
            at. Whether there was a tie, and among how many options, need not be known.
        fewest_choices: with a single option, chance would be 100 %.

    Example:
        >>> import pandas as pd
        >>> answer_faults(pd.DataFrame({"correct": [1, 2], "tie": ["no", "no"], "n_choices": 2}))
        ['column correct holds [2], expected 0 or 1', 'column tie holds text, expected 0 or 1']
    """
    n_empty = {"correct": int(table["correct"].isna().sum())} if "correct" in table else {}
    faults = empty_faults(n_empty)
    whole = f"whole numbers from {fewest_choices} on"
    for name, expected, fits in (
        ("correct", "0 or 1", lambda v: (v == 0) | (v == 1)),
        ("tie", "0 or 1", lambda v: (v == 0) | (v == 1)),
        ("n_choices", whole, lambda v: (v >= fewest_choices) & (v % 1 == 0)),
    ):
        if name in table:
            faults += _unlike(table[name].dropna(), name, expected, fits)
    if {"correct", "tie"} <= set(table):
        both = (table["tie"] == 1) & (table["correct"] == 1)
        faults += ["a tie is counted as correct"] if both.any() else []
    return faults


def name_faults(table: pd.DataFrame) -> list[str]:
    r"""Columns whose texts hold characters that are not seen, or that hide what is written.

    Args:
        table: any rows.

    Example:
        >>> import pandas as pd
        >>> name_faults(pd.DataFrame({"word": ["dog", "cat\u202e"]}))
        ["column word holds the hidden character \\u202e in 'cat\\u202e'"]
    """
    import pandas as pd

    def texts(column: pd.Series) -> Iterable[object]:
        if isinstance(column.dtype, pd.CategoricalDtype):
            return list(column.cat.categories)
        return [] if pd.api.types.is_numeric_dtype(column) else list(pd.unique(column))

    return text_faults({str(name): texts(table[name]) for name in table.columns})


def text_faults(texts: Mapping[str, Iterable[object]]) -> list[str]:
    """The same as `name_faults`.

    Args:
        texts: values by column; those that are no texts are passed over.
    """
    faults = []
    for name, values in texts.items():
        for value in values:
            if isinstance(value, str) and (hidden := hidden_in(value)):
                faults.append(f"column {name} holds the hidden character {hidden} in {value!r}")
                break
    return faults


def _unlike(
    values: pd.Series, name: str, expected: str, fits: Callable[[pd.Series], pd.Series]
) -> Iterator[str]:
    """Say what a column holds beside the numbers that it should."""
    import pandas as pd

    if not pd.api.types.is_numeric_dtype(values):
        if len(values):
            yield f"column {name} holds text, expected {expected}"
    elif not (fitting := fits(values)).all():
        shown = ", ".join(f"{value:g}" for value in values[~fitting].head(3).tolist())
        yield f"column {name} holds [{shown}], expected {expected}"


def empty_faults(n_empty: Mapping[str, int]) -> list[str]:
    """Say which columns lack values that every row must have.

    Args:
        n_empty: rows without a value, by column.

    Example:
        >>> empty_faults({"seed": 3, "population": 0})
        ['column seed has 3 empty values']
    """
    return [f"column {name} has {n} empty values" for name, n in n_empty.items() if n]


def repeat_faults(table: pd.DataFrame) -> list[str]:
    """Say that rows occur twice: the same participant, test, list and trial.

    Trials may be numbered anew in every condition and list, and their numbers may be any text;
    where no row says its trial, nothing can be told.

    Example:
        >>> import pandas as pd
        >>> answers = {"seed": "a", "condition": ["NF", "NN", "NF"], "trial": ["n1", "n1", "n1"]}
        >>> repeat_faults(pd.DataFrame(answers))
        ['1 row occurs twice, first seed a, condition NF, trial n1']
    """
    if "trial" not in table:
        return []
    key = [name for name in ROW_KEY if name in table]
    known = table[key][table["trial"].notna()]
    if not _n_repeated(known):
        return []
    again = known.duplicated()
    first = described({name: known[again].iloc[0][name] for name in key})
    return [
        f"{count(int(again.sum()), 'row')} {'occurs' if again.sum() == 1 else 'occur'} twice, "
        f"first {first}"
    ]


def in_order(tables: Iterable[pa.Table]) -> bool:
    """Whether trials are plainly numbered, as runs write them, so that none occurs twice.

    The rows of a participant, test and list lie together, and their numbers rise.

    Args:
        tables: parts of one table, in their order: those columns of `ROW_KEY` that it has.

    Returns:
        False where it cannot be told in one passage; then `repeat_faults` looks at all rows.

    Example:
        >>> import pyarrow as pa
        >>> rows = pa.table({"seed": ["a", "a", "b"], "trial": [0, 1, 0]})
        >>> in_order([rows]), in_order([rows, rows])
        (True, False)
    """
    import pyarrow as pa

    known: set[int] = set()
    last: tuple[int, int] | None = None
    for table in tables:
        names = [name for name in table.column_names if name not in ("trial", "condition")]
        if "trial" not in table.column_names or not len(table):
            continue
        trial = table["trial"]
        if not pa.types.is_integer(trial.type) or trial.null_count:
            return False
        numbers = trial.to_numpy().astype(np.int64)
        begins = np.zeros(len(numbers), dtype=bool)
        begins[0] = True
        for name in names:
            codes = _codes(table[name])
            begins[1:] |= codes[1:] != codes[:-1]
        if not (begins[1:] | (np.diff(numbers) > 0)).all():
            return False
        starts = np.flatnonzero(begins)
        rows = table.select(names).take(pa.array(starts)).to_pylist()
        for start, row in zip(starts.tolist(), rows, strict=True):
            block = hash(tuple(row.values()))
            if start == 0 and last is not None and block == last[0]:
                if numbers[0] <= last[1]:
                    return False
            elif block in known or len(known) >= MOST_BLOCKS:
                return False
            known.add(block)
        last = block, int(numbers[-1])
    return True


def _codes(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """Numbers that are the same where values are; -1 for none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.combine_chunks()
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    codes: npt.NDArray[Any] = pc.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False)
    return codes


def described(row: Mapping[str, Any]) -> str:
    """Values of a row as a person reads them.

    Example:
        >>> described({"seed": "a", "age": 2.5, "trial": np.float64(3)})
        'seed a, age 2.5, trial 3'
    """
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in row.items()
    )


def _n_repeated(table: pd.DataFrame) -> int:
    """How many rows repeat an earlier one; one sort, for ten million rows and more."""
    import pandas as pd

    place = np.zeros(len(table), dtype=np.int64)
    for name in table:
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            codes: npt.NDArray[Any] = column.cat.codes.to_numpy()
            size = len(column.cat.categories)
        elif pd.api.types.is_integer_dtype(column) and 0 <= column.min() <= column.max() < BIG:
            codes, size = column.to_numpy(np.int64), int(column.max()) + 1
        else:
            codes, found = pd.factorize(column)
            size = len(found)
        if len(place) and int(place.max()) > MOST_PLACES // (size + 1):
            place = np.unique(place, return_inverse=True)[1]
        place *= size + 1
        place += codes
    place.sort()
    return int((place[1:] == place[:-1]).sum())
