"""Cells of CSV files that a spreadsheet would take for formulas: written so that they stay text.

A spreadsheet computes what begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return, even
where it came from a stranger. An apostrophe in front makes it text, there and here: every writer of
CSV puts one, every reader takes one away. Numbers stay as they are, but for those with a plus, as
nobody here writes them. Text that begins with such an apostrophe itself gets one more, so that all
text is read back unchanged.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_GUARDED = re.compile(r"'+[=+\-@\t\r]")
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|-?(inf|nan)", re.IGNORECASE | re.ASCII)


def guarded(text: str) -> str:
    """A cell as it is written.

    Args:
        text: its content.

    Example:
        >>> guarded("=1+1"), guarded("-0.5"), guarded("'=x"), guarded("dog")
        ("'=1+1", '-0.5', "''=x", 'dog')
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(text: str) -> str:
    """A cell as it was before it was written.

    Args:
        text: what stands in the file.

    Example:
        >>> unguarded("'=1+1"), unguarded("-0.5"), unguarded("''=x"), unguarded("'t is")
        ('=1+1', '-0.5', "'=x", "'t is")
    """
    return text[1:] if _GUARDED.match(text) else text


def guarded_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table whose texts may be written as CSV; names of columns are texts, too."""
    return _changed(table, guarded)


def unguarded_table(table: pd.DataFrame) -> pd.DataFrame:
    """A table as it was before it was written as CSV."""
    return _changed(table, unguarded)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    r"""Rows as CSV, texts guarded.

    Args:
        rows: cells; those that are no text are written as they are.

    Example:
        >>> csv_text([("word", "n"), ("=dog", -1)])
        "word,n\n'=dog,-1\n"
    """
    lines = []
    for row in rows:
        text = io.StringIO()
        # Of cells, those are quoted that hold what ends lines: both signs, as readers know both.
        cells = [guarded(cell) if isinstance(cell, str) else cell for cell in row]
        csv.writer(text, lineterminator="\r\n").writerow(cells)
        lines.append(text.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)


def _changed(table: pd.DataFrame, change: object) -> pd.DataFrame:
    """A table with its texts changed, each distinct one once."""
    import pandas as pd

    made = {}
    for name in table.columns:
        column = table[name]
        if isinstance(column.dtype, pd.CategoricalDtype):
            texts = column.cat.categories
            if pd.api.types.is_numeric_dtype(texts):
                continue
            new = {text: change(text) for text in texts if isinstance(text, str)}  # type: ignore[operator]
            if any(before != after for before, after in new.items()):
                made[name] = column.astype(object).map(lambda v, new=new: new.get(v, v))
        elif column.dtype == object or pd.api.types.is_string_dtype(column):
            new = {text: change(text) for text in pd.unique(column) if isinstance(text, str)}  # type: ignore[operator]
            if any(before != after for before, after in new.items()):
                made[name] = column.map(lambda v, new=new: new.get(v, v))
    changed = table.assign(**made) if made else table
    names = {name: change(name) for name in table.columns if isinstance(name, str)}  # type: ignore[operator]
    return changed.rename(columns=names)
