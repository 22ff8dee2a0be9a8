"""Tables of a stimulus set, read as text."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.cells import unguarded_table
from stimuli.characters import hidden_in
from stimuli.errors import ToolkitError
from stimuli.texts import read_text

if TYPE_CHECKING:
    import pandas as pd


def read_table(path: Path) -> pd.DataFrame:
    """All of a CSV file as text; empty cells stay empty text.

    Raises:
        ToolkitError: it is empty or no table, or a cell holds hidden characters.
    """
    import pandas as pd

    text = read_text(path, "a CSV file in UTF-8")
    try:
        table = pd.read_csv(io.StringIO(text), dtype=str, keep_default_na=False)
    except pd.errors.EmptyDataError as error:
        raise ToolkitError(f"{path} is empty: not even a heading line.") from error
    except pd.errors.ParserError as error:
        raise ToolkitError(f"{path} cannot be read as a table: {error}") from error
    if '"' in text or "\t" in text:
        for name in table.columns:
            for cell in pd.unique(table[name]):
                if hidden := hidden_in(cell):
                    raise ToolkitError(
                        f"{path} holds a cell of several lines, or with a tab, in column {name}.",
                        given=f"{hidden} in {cell!r}",
                    )
    return unguarded_table(table)


def records(table: pd.DataFrame) -> list[dict[str, str]]:
    """Every row as a dictionary from column to text."""
    return [
        {str(column): str(value) for column, value in row.items()}
        for row in table.to_dict("records")
    ]
