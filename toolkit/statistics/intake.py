"""The last step for every table from elsewhere: what was said is added, all faults are told."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name
from toolkit.statistics.longtable import (
    KEY,
    MEANINGS,
    REQUIRED,
    TEXT,
    as_names,
    as_numbers,
    not_binary,
    repeated_rows,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd

ALIASES = {"participant": "seed", "child": "seed", "item": "word_concept", "word": "word_concept"}
"""What studies of children call our columns."""
COUNTED = {"n_choices", "n_languages", "paradigm_version"}
"""Columns of a trials table that hold numbers and cannot be guessed."""
SHOWN = 3
"""Examples named in a fault."""


@dataclass(frozen=True)
class Wishes:
    """What the user said besides the names of columns."""

    constants: Mapping[str, str] = field(default_factory=dict)
    """Values that are the same in every row."""
    recode: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """New names of values, by column: ``{"condition": {"NF": "novel-familiar"}}``."""
    drop_missing: bool = False
    """Leave out rows that lack a required value."""
    keep_repeats: bool = False
    """Equal rows are separate trials."""


def finish(
    table: pd.DataFrame,
    file: Path,
    faults: Sequence[str],
    meanings: Mapping[str, str],
    wishes: Wishes,
) -> pd.DataFrame:
    """Add what is the same everywhere, look for faults, and bring the table into its form.

    Raises:
        ToolkitError: listing every fault.
    """
    origins = dict(meanings)
    if not len(table):
        raise faulty(file, [*faults, "there are no rows below the header"])
    faults = [*faults, *_clashes(table, wishes.constants)]
    said = {ALIASES.get(ours, ours): value for ours, value in wishes.constants.items()}
    for name, value in ({"source": file.stem} | said).items():
        if name not in table:
            table[name] = _constant(name, value)
            origins[name] = "the same in every row"
    faults += [*_unsaid(table, origins), *_unfit(table)]
    table, notes, gaps = _without_gaps(table, drop_missing=wishes.drop_missing)
    faults += gaps
    if not wishes.keep_repeats or "trial" in table:
        faults += _repeat_faults(table)
    for name in TEXT & set(table):
        table[name] = as_names(table[name])
    for name, values in wishes.recode.items():
        faults += _recoded(table, ALIASES.get(name, name), values)
    if faults:
        raise faulty(file, faults)
    if "paradigm" in table:
        origins |= _filled_up(table)
    table["correct"] = as_numbers(table["correct"]).astype("int8")
    first = [column.name for column in REQUIRED]
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    table.attrs = {"notes": notes, "meanings": origins}
    return table


def _constant(name: str, value: str) -> str | int | float:
    if name in TEXT or re.fullmatch(r"-?\d+(\.\d+)?", value) is None:
        return value
    return int(value) if value.lstrip("-").isdigit() else float(value)


def _unfit(table: pd.DataFrame) -> Iterator[str]:
    """Values of the wrong kind, and what is needed besides once a paradigm is named."""
    import pandas as pd

    if "correct" in table:
        wrong = not_binary(table["correct"])
        if wrong:
            yield f"column correct holds {wrong}, expected 0 or 1"
    for name in COUNTED & set(table):
        if not pd.api.types.is_numeric_dtype(table[name]):
            yield f"column {name} holds text, expected numbers"
    if "paradigm" in table:
        for name in sorted({*COUNTED, "train_languages"} - set(table)):
            yield f"paradigm is named, but not {name} ({MEANINGS[name]}): set it, {name}=VALUE"


def _recoded(table: pd.DataFrame, name: str, values: Mapping[str, str]) -> list[str]:
    """Rename values of a column in place; faults where there is no such column or value."""
    if name not in table:
        return [f"{name} is to be renamed in, but there is no such column"]
    column = as_names(table[name])
    known = [str(value) for value in column.cat.categories]
    faults = []
    for old in values:
        if old not in known:
            near = nearest_name(old, known)
            faults.append(f"{name} never is {old}" + (f" (is it {near}?)" if near else ""))
    # Several values may become one, which categories alone cannot.
    table[name] = as_names(column.astype(object).replace(dict(values)))
    return faults


def _filled_up(table: pd.DataFrame) -> dict[str, str]:
    """Give a table that names a paradigm the columns that all trials tables have."""
    import pandas as pd

    filled = {}
    for name, value in (("tie", False), ("distractor_concept", "")):
        if name not in table:
            table[name] = pd.Categorical([value]).repeat(len(table)) if name in TEXT else value
            filled[name] = "not known"
    return filled


def _clashes(table: pd.DataFrame, constants: Mapping[str, str]) -> list[str]:
    """Constants that would overwrite a column."""
    names = {ours: ALIASES.get(ours, ours) for ours in constants}
    return [
        f"{ours} is a column and also set to {constants[ours]!r}"
        for ours, name in names.items()
        if name in table
    ]


def _unsaid(table: pd.DataFrame, named: Collection[str]) -> list[str]:
    """Required columns of which nothing was said; those named in vain are faults already."""
    faults = []
    for column in REQUIRED:
        name = column.name
        if name in table or name in named:
            continue
        ours = {column.name for column in REQUIRED}
        others = [str(other) for other in table.columns if other not in ours]
        known = [other for other in others if ALIASES.get(other) == name]
        near = known[0] if known else nearest_name(name, others)
        faults.append(
            f"nothing says what {name} is ({column.meaning}): name its column, {name}=COLUMN, or "
            f"set it for all rows, {name}=VALUE" + (f" (is it column {near}?)" if near else "")
        )
    return faults


def _without_gaps(
    table: pd.DataFrame, *, drop_missing: bool
) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Rows that have every required value; what was left out, or that there is something to."""
    required = [column.name for column in REQUIRED if column.name in table]
    gaps = table[required].isna()
    empty = gaps.any(axis=1)
    if not empty.any():
        return table, [], []
    counts = ", ".join(f"{name} in {n}" for name, n in gaps.sum().items() if n)
    rows = ", ".join(str(number + 1) for number in empty.to_numpy().nonzero()[0][:SHOWN])
    what = f"{int(empty.sum())} of {len(table)} rows lack a value: {counts} (first rows: {rows})"
    if not drop_missing:
        return table, [], [f"{what}; --drop-missing (drop_missing=True) leaves them out"]
    if empty.all():
        return table, [], [f"{what}; no row would be left"]
    return table[~empty].reset_index(drop=True), [f"Left out: {what}."], []


def _repeat_faults(table: pd.DataFrame) -> list[str]:
    if "trial" in table:
        key = [name for name in KEY if name in table]
        repeated = repeated_rows(table, key)
        what = f"have the same {', '.join(key)} as another; if trial does not number the trials, "
        return [f"{repeated} rows {what}name it differently"] if repeated else []
    # Without a number of the trial, only rows equal in everything can be told to be repeated.
    repeated = int(table.duplicated().sum())
    if not repeated:
        return []
    first = int(table.duplicated().to_numpy().nonzero()[0][0]) + 1
    return [
        f"{repeated} rows repeat an earlier one in every column (first: row {first}); "
        "--keep-repeats (keep_repeats=True) takes them for separate trials"
    ]


def faulty(file: Path, faults: Sequence[str]) -> ToolkitError:
    """The error that lists all faults of a file."""
    return ToolkitError(
        f"{file} cannot be taken as a table of answers:\n  - " + "\n  - ".join(faults)
    )
