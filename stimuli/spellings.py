"""How words are spelt: a table with a line per concept and a column per language."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from stimuli.cells import unguarded
from stimuli.errors import ToolkitError, nearest_name
from stimuli.texts import read_text

SEPARATORS = ",;\t"
"""What spreadsheets put between cells: by country, and when copied."""
ALLOWED = "a CSV file in UTF-8, cells apart by commas, semicolons or tabs"


def separated(text: str) -> list[list[str]]:
    r"""Cells of a table, whichever of the usual separators a spreadsheet has put between them.

    Args:
        text: content of the file.

    Returns:
        Rows of stripped cells, without empty ones; the separator is that which occurs most often in
        the first line.

    Example:
        >>> separated("concept;nl\ndog;hond\n\n")
        [['concept', 'nl'], ['dog', 'hond']]
    """
    first = text.partition("\n")[0]
    separator = max(SEPARATORS, key=first.count)
    read = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows = [[unguarded(cell.strip()) for cell in row] for row in read]
    return [row for row in rows if any(row)]


def read_spellings(path: Path, languages: Sequence[str]) -> dict[tuple[str, str], str]:
    """Spellings by concept and language.

    Args:
        path: a table with the column ``concept`` and one per language code; nothing is known where
            there is no such file.
        languages: codes of the languages that are spoken.

    Raises:
        ToolkitError: the table cannot be read, or lacks a column.
    """
    if not path.is_file():
        return {}
    try:
        rows = separated(read_text(path, ALLOWED))
    except csv.Error as error:
        raise ToolkitError(f"{path} cannot be read: {error}.", allowed=ALLOWED) from error
    headings = rows[0] if rows else []
    for needed in ("concept", *languages):
        if needed not in headings:
            raise ToolkitError(
                f"{path} has no column {needed!r}.",
                given=", ".join(headings) or "an empty file",
                nearest=nearest_name(needed, headings),
                allowed=f"concept, {', '.join(languages)}",
            )
    place = headings.index("concept")
    return {
        (row[place], language): row[headings.index(language)]
        for row in rows[1:]
        if len(row) > place
        for language in languages
        if headings.index(language) < len(row) and row[headings.index(language)]
    }
