"""Faults of a table of stimuli, found all at once and worded for its author."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from stimuli.columns import KINDS, REQUIRED, SPLITS, STATUSES, STYLES
from stimuli.errors import ToolkitError, nearest_name, unknown_name
from stimuli.names import alike, is_reserved
from stimuli.wording import count

if TYPE_CHECKING:
    import pandas as pd

MAX_EXAMPLES = 5
"""How many rows a fault names before it says how many more there are."""
_SHOWN = 10
"""How many faults of a long list are shown."""


def header_faults(headings: list[str]) -> list[str]:
    """Faults of the heading line of `stimuli.csv`: missing, doubled or misspelt columns.

    Example:
        >>> rest = [name for name in REQUIRED if name != "split"]
        >>> header_faults([*rest, "splitt"])
        ["stimuli.csv has no column 'split' (did you mean to rename 'splitt'?)"]
    """
    if len(headings) == 1 and headings[0].count(";") >= len(REQUIRED) - 1:
        return ["stimuli.csv separates its columns with ';'; save it with ',' instead"]
    faults = []
    extra = [name for name in headings if name not in REQUIRED]
    for name in REQUIRED:
        if name not in headings:
            close = nearest_name(name, extra)
            hint = f" (did you mean to rename {close!r}?)" if close else ""
            faults.append(f"stimuli.csv has no column {name!r}{hint}")
    doubled = sorted({name for name in headings if headings.count(name) > 1})
    faults.extend(f"stimuli.csv has the column {name!r} more than once" for name in doubled)
    return faults


def table_faults(table: pd.DataFrame) -> list[str]:
    """Faults of the rows of `stimuli.csv`, without opening any of the files it names.

    Args:
        table: all columns as text, `stimulus_id` among them.

    Returns:
        One readable line per fault; empty when all is well.
    """
    if table.empty:
        return ["stimuli.csv has no rows: the set is empty"]
    faults: list[str] = []
    for find in (_id_faults, _value_faults, _path_faults, _word_faults, _split_faults):
        faults.extend(find(table))
    return faults


def path_fault(path: str) -> str | None:
    """Why a path of `stimuli.csv` may not be used, or None when it may.

    Example:
        >>> path_fault("../secret.webp")
        "leaves the folder of the set with '..'"
        >>> path_fault("pictures/bear.webp") is None
        True
    """
    if not path:
        return "is empty"
    if PurePosixPath(path).is_absolute() or PureWindowsPath(path).drive:
        return "is absolute; it must be relative to the folder of the set"
    if "\\" in path:
        return "has a backslash; write forward slashes"
    if ".." in PurePosixPath(path).parts:
        return "leaves the folder of the set with '..'"
    if any(is_reserved(part) for part in PurePosixPath(path).parts):
        return "has a name that Windows keeps for itself"
    return None


def some(names: list[str]) -> str:
    """The first few names, and how many more there are.

    Example:
        >>> some(["a", "b", "c", "d", "e", "f", "g"])
        'a, b, c, d, e and 2 more'
    """
    listed = ", ".join(names[:MAX_EXAMPLES])
    more = len(names) - MAX_EXAMPLES
    return f"{listed} and {more} more" if more > 0 else listed


def counted(faults: list[str]) -> str:
    """How many faults there are, in words.

    Example:
        >>> counted(["a", "b"])
        '2 faults'
    """
    return count(len(faults), "fault")


def first_of(faults: Sequence[str]) -> str:
    """The first faults of a long list, a line each, and how many more there are.

    Example:
        >>> print(first_of(["a.png: no picture"]))
          a.png: no picture
    """
    lines = [f"  {fault}" for fault in faults[:_SHOWN]]
    more = len(faults) - len(lines)
    return "\n".join([*lines, *([f"  and {more} more"] if more else [])])


def tally(facts: Iterable[tuple[str, ...]]) -> dict[str, int]:
    """How often every combination occurs, in words, without what is empty.

    Example:
        >>> tally([("word", "en"), ("picture", ""), ("word", "en")])
        {'picture': 1, 'word en': 2}
    """
    return {" ".join(part for part in key if part): n for key, n in sorted(Counter(facts).items())}


def is_sha256(text: str) -> bool:
    """Whether the text is a SHA-256 as `stimuli.csv` has it: 64 hexadecimal digits."""
    return re.fullmatch(r"[0-9a-f]{64}", text) is not None


def is_readable(row: dict[str, str]) -> bool:
    """Whether a row is sound enough for its file to be opened."""
    if path_fault(row["path"]):
        return False
    return row["kind"] == "picture" or (row["kind"] == "word" and _is_duration(row["duration_s"]))


def _ids(table: pd.DataFrame, mask: pd.Series[bool]) -> str:
    """The identifiers of the masked rows, shortened."""
    return some([str(name) for name in table.loc[mask, "stimulus_id"]])


def _id_faults(table: pd.DataFrame) -> Iterator[str]:
    """Rows without a name or with a name that is taken."""
    empty = table["stimulus_id"] == ""
    if empty.any():
        lines = [str(number + 2) for number in range(len(table)) if empty.iloc[number]]
        yield f"stimulus_id is empty in line {some(lines)} of stimuli.csv"
    doubled = table.loc[~empty, "stimulus_id"]
    doubled = doubled[doubled.duplicated()]
    if len(doubled):
        yield f"stimulus_id is used more than once: {some(list(dict.fromkeys(doubled)))}"
    doubled_paths = table.loc[(table["path"] != "") & table["path"].duplicated(), "path"]
    if len(doubled_paths):
        yield f"path is used more than once: {some(list(dict.fromkeys(doubled_paths)))}"
    distinct = table.loc[table["path"] != "", "path"].drop_duplicates()
    same = distinct[distinct.map(alike).duplicated(keep=False)]
    if len(same):
        yield (
            "paths differ in capitals or accents alone, which some file systems take for one: "
            f"{some(sorted(same, key=alike))}"
        )


def _value_faults(table: pd.DataFrame) -> Iterator[str]:
    """Values outside the vocabulary of their column."""
    for column, allowed in (("kind", KINDS), ("status", STATUSES), ("split", SPLITS)):
        for value in dict.fromkeys(table.loc[~table[column].isin(allowed), column]):
            close = nearest_name(value, allowed)
            hint = f"; did you mean {close!r}?" if close else ""
            rows = _ids(table, table[column] == value)
            yield f"{column} {value!r} is not one of {' | '.join(allowed)}{hint} (in {rows})"
    if "style" in table:
        wrong = (table["kind"] == "picture") & ~table["style"].isin(STYLES)
        if wrong.any():
            yield f"style is not one of {' | '.join(STYLES)} in {_ids(table, wrong)}"
    for column in ("concept", "licence", "source"):
        empty = table[column] == ""
        if empty.any():
            yield f"{column} is empty in {_ids(table, empty)}"
    wrong = ~table["sha256"].map(is_sha256).astype(bool)
    if wrong.any():
        yield (
            f"sha256 is not 64 hexadecimal digits in lower case in {_ids(table, wrong)}"
            " (sha256sum FILE prints them)"
        )


def _path_faults(table: pd.DataFrame) -> Iterator[str]:
    """Paths that are empty, lead out of the folder, or could be no file on Windows."""
    # Nearly all paths are plain, with no part as short as a device's name; taking them apart is
    # slow.
    plain = table["path"].str.fullmatch(r"(?:[\w-][\w.-]*/)*[\w-][\w.-]*")
    short = table["path"].str.contains(r"(?:^|/)\w{3,4}(?:[./]|$)|\.(?:/|$)")
    odd = table[~plain | short]
    for name, path in zip(odd["stimulus_id"], odd["path"], strict=True):
        fault = path_fault(path)
        if fault:
            yield f"path {path!r} of {name} {fault}"


def _word_faults(table: pd.DataFrame) -> Iterator[str]:
    """Language and duration: needed for words, empty for pictures."""
    is_word = table["kind"] == "word"
    wrong = is_word & ~table["language"].str.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)*")
    if wrong.any():
        yield f"language is not an ISO 639 code in lower case in {_ids(table, wrong)}"
    wrong = is_word & ~table["duration_s"].map(_is_duration)
    if wrong.any():
        yield f"duration_s is not a number of seconds above 0 in {_ids(table, wrong)}"
    yield from _onset_faults(table[is_word & table["duration_s"].map(_is_duration).astype(bool)])
    is_picture = table["kind"] == "picture"
    for column in ("language", "duration_s", "onset_s"):
        if column not in table:
            continue
        wrong = is_picture & (table[column] != "")
        if wrong.any():
            yield f"{column} must be empty for pictures, but is not in {_ids(table, wrong)}"


def _onset_faults(words: pd.DataFrame) -> Iterator[str]:
    """Onsets that are no time within their clip; empty ones are not known."""
    if "onset_s" not in words:
        return
    given = words[words["onset_s"] != ""]
    times = given["onset_s"].str.fullmatch(r"\d+(\.\d+)?")
    if not times.all():
        yield f"onset_s is not a number of seconds in {_ids(given, ~times)}"
    given = given[times]
    late = given["onset_s"].astype(float) >= given["duration_s"].astype(float)
    if late.any():
        yield f"onset_s is not before the end of the clip (duration_s) in {_ids(given, late)}"


def check_familiar(chosen: Collection[str], known: Sequence[str], name: str) -> None:
    """Refuse concepts that cannot be the familiar ones of a set.

    Args:
        chosen: the concepts.
        known: all concepts of the set.
        name: what the set is called.

    Raises:
        ToolkitError: one that the set does not have; none, or all of them.
    """
    for concept in sorted(chosen):
        if concept not in known:
            raise unknown_name(f"concept in the set {name!r}", concept, known)
    if not 0 < len(chosen) < len(known):
        raise ToolkitError(
            "Some concepts must be familiar and others novel.",
            given=f"{len(chosen)} of {len(known)} concepts",
            allowed=f"1 to {len(known) - 1}",
        )


def _is_duration(text: str) -> bool:
    """Whether the text is a plain number above 0."""
    return re.fullmatch(r"\d+(\.\d+)?", text) is not None and float(text) > 0


def _split_faults(table: pd.DataFrame) -> Iterator[str]:
    """What would let a subject meet in training what it is tested with."""
    wrong = (table["status"] == "novel") & (table["split"] != "test")
    if wrong.any():
        yield f"novel concepts may stand in split 'test' only, but not so {_ids(table, wrong)}"
    statuses = table.groupby("concept")["status"].nunique()
    mixed = [str(concept) for concept in statuses.index[statuses > 1]]
    if mixed:
        yield f"status differs between rows of the same concept: {some(mixed)}"
    for column in ("family", "voice"):
        if column in table:
            given = table[table[column] != ""]
            splits = given.groupby(column)["split"].nunique()
            shared = [str(value) for value in splits.index[splits > 1]]
            if shared:
                yield f"{column} stands in more than one split: {some(shared)}"
