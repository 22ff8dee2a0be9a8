"""The last step for every table from elsewhere: what was said is added, all faults are told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from stimuli.wording import count
from toolkit.errors import ToolkitError, nearest_name
from toolkit.statistics.choices.conditions import condition_notes
from toolkit.statistics.choices.items import shared_words_notes
from toolkit.tables.answers import answer_faults, repeat_faults
from toolkit.tables.longtable import MEANINGS, REQUIRED, TEXT
from toolkit.tables.spelling import spelling_notes
from toolkit.tables.trials import COLUMNS
from toolkit.tables.values import as_found, as_names, as_numbers, not_binary, renamed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    import pandas as pd

ALIASES = {"participant": "seed", "child": "seed", "item": "word_concept", "word": "word_concept"}
"""What studies of children call our columns."""
COUNTED = {"n_choices": 2, "n_languages": 0, "paradigm_version": 1}
"""Columns of a trials table that hold whole numbers and cannot be guessed, with the least."""
CELLS = ("trial_seed", "subject_kind")
"""Names that not every table has, and that no row lacks where there are any."""
LARGEST = 32_767
"""Largest whole number of such a column; a trials table keeps them in 16 bits."""
MEASURED = {column.name for column in COLUMNS if column.dtype == "float32"}
"""Columns that hold scores."""
SHOWN = 3
"""Examples named in a fault."""


@dataclass(frozen=True)
class Wishes:
    """What the user said besides the names of columns."""

    constants: Mapping[str, str] = field(default_factory=dict)
    """Values that are the same in every row."""
    recode: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """New names of values, by column: ``{"condition": {"NF": "novel-familiar"}}``; an empty name
    means that the value is missing."""
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
    read: Sequence[str] = (),
) -> pd.DataFrame:
    """Add what is the same everywhere, look for faults, and bring the table into its form.

    Values get their new names first; only then are they looked at.

    Args:
        table: columns under our names.
        file: where it comes from.
        faults: those found so far.
        meanings: where each column came from.
        wishes: what the user said.
        read: notes from reading the file.

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
            table[name] = value
            origins[name] = "the same in every row"
    for name, values in wishes.recode.items():
        faults += recode(table, ALIASES.get(name, name), values)
    faults += _unsaid(table, origins)
    notes = _in_their_kinds(table)
    faults += _unfit(table)
    table, left_out, gaps = _without_gaps(table, drop_missing=wishes.drop_missing)
    faults += gaps
    if not wishes.keep_repeats or "trial" in table:
        faults += _repeats(table)
    for name in TEXT & set(table):
        table[name] = as_names(table[name])
    if faults:
        raise faulty(file, faults)
    if "paradigm" in table:
        origins |= _filled_up(table)
    _as_numbers(table)
    if faults := answer_faults(table):
        raise faulty(file, faults)
    first = [column.name for column in REQUIRED]
    table = table[[*first, *(name for name in table.columns if name not in first)]]
    notes = [*read, *left_out, *notes, *spelling_notes(table), *shared_words_notes(table)]
    notes += [*_language_notes(table), *_paradigm_notes(table)]
    table.attrs = {"notes": notes, "meanings": origins}
    return table


def recode(table: pd.DataFrame, name: str, values: Mapping[str, str]) -> list[str]:
    """Rename values of a column in place; faults where there is no such column or value."""
    if name not in table:
        return [f"{name} is to be renamed in, but there is no such column"]
    table[name], faults = renamed(table[name], values)
    return faults


def _in_their_kinds(table: pd.DataFrame) -> list[str]:
    """Make numbers of all columns that hold numbers and are no names, in place; remarks on it."""
    notes = []
    for name in [name for name in table if name not in TEXT]:
        table[name], note = as_found(table[name])
        notes += [f"{name}: {note}."] if note else []
    return notes


def _unfit(table: pd.DataFrame) -> Iterator[str]:
    """Values of the wrong kind, and what is needed besides once a paradigm is named."""
    for name in ("correct", "tie"):
        if name in table and (wrong := not_binary(table[name])):
            yield (
                f"column {name} holds {wrong}, expected 0 or 1; --recode {name}:OLD=1 (or =0) "
                "gives a value a new name, --missing OLD says that it means none"
            )
    for name in sorted({*COUNTED, *MEASURED} & set(table)):
        yield from _no_number(table[name].dropna(), name)
    if "paradigm" in table:
        for name in sorted({*COUNTED, "train_languages"} - set(table)):
            yield f"paradigm is named, but not {name} ({MEANINGS[name]}): set it, {name}=VALUE"


def _no_number(values: pd.Series, name: str) -> Iterator[str]:
    import pandas as pd

    least = COUNTED.get(name)
    if not pd.api.types.is_numeric_dtype(values):
        if len(values):
            yield f"column {name} holds text, expected numbers"
    elif least is None:
        if np.isinf(values.to_numpy(float)).any():
            yield f"column {name} holds infinity, expected numbers"
    elif not (fits := (values % 1 == 0) & values.between(least, LARGEST)).all():
        shown = ", ".join(f"{value:g}" for value in values[~fits].unique()[:SHOWN].tolist())
        yield f"column {name} holds {shown}, expected whole numbers from {least} to {LARGEST}"


def _as_numbers(table: pd.DataFrame) -> None:
    """Give answers and whole numbers the types of a trials table, in place."""
    table["correct"] = as_numbers(table["correct"]).astype("int8")
    if "tie" in table:
        table["tie"] = as_numbers(table["tie"]).fillna(0).astype(bool)
    for name in COUNTED:
        if name in table:
            table[name] = table[name].astype("int16")


def _language_notes(table: pd.DataFrame) -> Iterator[str]:
    """Say so where the number of training languages is not the number of their codes."""
    if not {"n_languages", "train_languages"} <= set(table):
        return
    pairs = table[["population", "n_languages", "train_languages"]].drop_duplicates().astype(object)
    for population, n, codes in pairs.itertuples(index=False, name=None):
        named = len(str(codes).split("+")) if isinstance(codes, str) and codes else 0
        if named and named != n:
            yield (
                f"{population}: n_languages is {n}, train_languages is {codes!r}; codes are joined "
                "by '+', as in en+nl, and only who was trained on a language is compared in it."
            )


def _paradigm_notes(table: pd.DataFrame) -> Iterator[str]:
    """Say so where a paradigm or one of its conditions is not known; it may be the user's own."""
    from paradigms.registry import find_paradigms

    known = find_paradigms() if "paradigm" in table else {}
    for name in map(str, table["paradigm"].unique() if "paradigm" in table else ()):
        if name in known:
            yield from condition_notes(
                table.loc[table["paradigm"] == name, "condition"].unique(), known[name]
            )
        else:
            near = nearest_name(name, list(known))
            yield (
                f"The paradigm {name} is not among those of the toolkit ({', '.join(known)})"
                + (f"; is it {near}?" if near else "; analyze needs --paradigms DIR with its file.")
            )


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
    """Constants that would overwrite a column, or each other."""
    names = {ours: ALIASES.get(ours, ours) for ours in constants}
    faults = named_twice(constants, "set")
    return faults + [
        f"{ours} is a column and also set to {constants[ours]!r}"
        for ours, name in names.items()
        if name in table
    ]


def named_twice(given: Mapping[str, str], how: str) -> list[str]:
    """Faults where two of the user's names are one of ours.

    Example:
        >>> named_twice({"seed": "child", "participant": "sub"}, "named")
        ['seed is named twice: seed=child, participant=sub']
    """
    by_name: dict[str, list[str]] = {}
    for ours, value in given.items():
        by_name.setdefault(ALIASES.get(ours, ours), []).append(f"{ours}={value}")
    return [
        f"{name} is {how} twice: {', '.join(own)}" for name, own in by_name.items() if len(own) > 1
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
    required += [name for name in (*COUNTED, *CELLS) if name in table]
    gaps = table[required].isna()
    empty = gaps.any(axis=1)
    if not empty.any():
        return table, [], []
    counts = ", ".join(f"{name} in {n}" for name, n in gaps.sum().items() if n)
    rows = ", ".join(str(number + 1) for number in empty.to_numpy().nonzero()[0][:SHOWN])
    lack = "lacks" if empty.sum() == 1 else "lack"
    what = (
        f"{int(empty.sum())} of {count(len(table), 'row')} {lack} a value: {counts} "
        f"(first rows: {rows})"
    )
    if not drop_missing:
        return table, [], [f"{what}; --drop-missing (drop_missing=True) leaves them out"]
    if empty.all():
        return table, [], [f"{what}; no row would be left"]
    return table[~empty].reset_index(drop=True), [f"Left out: {what}."], []


def _repeats(table: pd.DataFrame) -> list[str]:
    if "trial" in table:
        return [
            f"{fault}; if trial does not number the trials, name it differently"
            for fault in repeat_faults(table)
        ]
    # Without a number of the trial, only rows equal in everything can be told to be repeated.
    repeated = int(table.duplicated().sum())
    if not repeated:
        return []
    first = int(table.duplicated().to_numpy().nonzero()[0][0]) + 1
    return [
        f"{count(repeated, 'row')} {'repeats' if repeated == 1 else 'repeat'} an earlier one in "
        f"every column (first: row {first}); "
        "--keep-repeats (keep_repeats=True) takes them for separate trials"
    ]


def faulty(file: Path, faults: Sequence[str]) -> ToolkitError:
    """The error that lists all faults of a file."""
    return ToolkitError(
        f"{file} cannot be taken as a table of answers:\n  - " + "\n  - ".join(faults)
    )
