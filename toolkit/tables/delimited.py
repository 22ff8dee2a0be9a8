"""Text tables as spreadsheets and R write them: every field in its own column, or a refusal.

A row with one field more than the header names can be three things: a separator too many at its
end, R's row names, or a comma inside a text. Guessed wrongly, every column stands under its
neighbour's name, and nothing later tells. So all rows are looked at before any is taken.
"""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

SEPARATORS = (",", ";", "\t")
"""What may stand between fields."""
MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
"""Encodings that tell their name in their first bytes; everything else must be UTF-8."""
KINDS = {
    b"PK\x03\x04": "a zip archive or a spreadsheet",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet",
    b"\x1f\x8b": "compressed with gzip",
    b"%PDF": "a PDF",
}
"""First bytes of files that are given as tables and are none."""
EMPTY_END = "Every row ends with an empty field that has no name; it was left out."
ROW_NAMES = (
    "The header has no name for the first field of the rows: it was taken for R's row names and "
    "left out."
)
ROWS_AT_ONCE = 1 << 15
"""Rows held as Python's own text."""
SHOWN = 40
"""Characters of a field that a message shows."""


@dataclass(frozen=True)
class Layout:
    """How the fields of every row stand to the names in the header."""

    header: tuple[str, ...]
    """Names without blanks around them; empty where there is none."""
    skip: int
    """Fields before the first named one: 1 for R's row names."""
    note: str
    """What was left out; empty if nothing."""


def read_delimited(file: Path, known: Collection[str] = ()) -> tuple[pd.DataFrame, list[str]]:
    r"""Read a text table with every value as the text it is.

    Fields are separated by comma, semicolon or tab, whichever gives the header most names; a
    spreadsheet's first line ``sep=;`` is obeyed. Text is UTF-8, or UTF-16 with its mark. Blank
    rows are passed over. A column without name and value is left out; one without name alone is
    called ``unnamed_2`` after its place.

    Args:
        file: the table.
        known: columns that hold something else than running numbers. If the header lacks one name
            and rows begin with 1, 2, 3 ... before such a column, these are R's row names.

    Returns:
        The table, and what was left out of it.

    Raises:
        ToolkitError: if the file is empty or no text table, two columns have one name, or rows
            have more or fewer fields than the header has names.

    Example:
        >>> import tempfile
        >>> from pathlib import Path
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "study.csv"
        ...     _ = file.write_text("child;word;correct\n7;dax;1;\n8;dax;0;\n")
        ...     table, notes = read_delimited(file)
        >>> table.to_dict("list")
        {'child': ['7', '8'], 'word': ['dax', 'dax'], 'correct': ['1', '0']}
        >>> notes
        ['Every row ends with an empty field that has no name; it was left out.']
    """
    with _told(file):
        encoding = _encoding(file)
        separator = _separator(file, encoding)
        layout = _layout(file, encoding, separator, known)
        table = _table(file, encoding, separator, layout)
    return table, [layout.note] if layout.note else []


def header_of(file: Path) -> list[str]:
    """Names of the columns of a text table, as its header has them.

    Raises:
        ToolkitError: if the file is empty or no text table.
    """
    with _told(file):
        encoding = _encoding(file)
        first = next(_rows(file, encoding, _separator(file, encoding)))
    return [name.strip() for name in first.fields]


@contextmanager
def _told(file: Path) -> Iterator[None]:
    """What goes wrong while a file is read, in words of its user."""
    try:
        yield
    except UnicodeDecodeError as error:
        place = error.object[error.start : error.start + 1]
        raise ToolkitError(
            f"{file} is not UTF-8 text: it holds the byte {place!r}.",
            allowed="UTF-8, with or without a mark, or UTF-16 with its mark",
            next_command=f"iconv -f latin1 -t utf-8 {file} > {file.with_stem(file.stem + '-utf8')}",
        ) from error
    except csv.Error as error:
        raise ToolkitError(
            f"{file} cannot be read as a table: {error}.",
            allowed="quotation marks around whole fields, doubled inside them",
        ) from error
    except OSError as error:
        raise ToolkitError(f"{file} cannot be read: {error.strerror}.") from error


def same_names(names: Sequence[str]) -> list[str]:
    """Faults for names that several columns bear, each with the places of its columns.

    Example:
        >>> same_names(["child", "correct", "correct"])
        ['columns 2 and 3 are both called correct']
    """
    places: dict[str, list[str]] = {}
    for number, name in enumerate(names, 1):
        places.setdefault(name, []).append(str(number))
    return [
        f"columns {', '.join(own[:-1])} and {own[-1]} are "
        f"{'both' if len(own) == 2 else 'all'} called {name}"
        for name, own in places.items()
        if name and len(own) > 1
    ]


def _encoding(file: Path) -> str:
    with file.open("rb") as raw:
        head = raw.read(1 << 12)
    if not head.strip():
        raise ToolkitError(f"{file} is empty.")
    for first, kind in KINDS.items():
        if head.startswith(first):
            raise ToolkitError(
                f"{file} is {kind}, not a text table.", allowed="CSV (UTF-8) or Parquet"
            )
    encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), "utf-8")
    if encoding != "utf-16" and b"\0" in head:
        raise ToolkitError(
            f"{file} cannot be read as a table: it holds bytes of zero, which no text has.",
            allowed="CSV in UTF-8, or in UTF-16 with its mark; or Parquet",
        )
    return encoding


@dataclass(frozen=True)
class _Row:
    """One row that is not blank."""

    fields: list[str]
    line: int
    """Its last line in the file, counted from 1."""
    raw: str
    """That line as it is."""


def _rows(file: Path, encoding: str, separator: str) -> Iterator[_Row]:
    """All rows that hold anything, the header first."""
    last = ""

    def lines() -> Iterator[str]:
        nonlocal last
        for number, line in enumerate(text):
            if number == 0 and _SEP.match(line):
                line = "\n"
            last = line
            yield line

    with file.open(encoding=encoding, newline="") as text:
        reader = csv.reader(lines(), delimiter=separator, skipinitialspace=True, strict=True)
        try:
            for fields in reader:
                if any(field.strip() for field in fields):
                    yield _Row(fields, reader.line_num, last)
        except csv.Error as error:
            raise csv.Error(f"line {reader.line_num}, {error}") from error


_SEP = re.compile(r'"?sep=(.)"?\s*$', re.IGNORECASE)
"""A spreadsheet's own line above the header."""


def _separator(file: Path, encoding: str) -> str:
    with file.open(encoding=encoding, newline="") as text:
        said = _SEP.match(text.readline())
    if said:
        return said[1]
    n_names, wrong = dict.fromkeys(SEPARATORS, 0), None
    for separator in SEPARATORS:
        try:
            first = next(_rows(file, encoding, separator), None)
        except csv.Error as error:
            # Fields in quotation marks that end at another separator.
            wrong = error
        else:
            n_names[separator] = len(first.fields) if first else 0
    best = max(SEPARATORS, key=n_names.__getitem__)
    if not n_names[best]:
        raise wrong or ToolkitError(f"{file} is empty.")
    if n_names[best] == 1:
        raise ToolkitError(
            f"{file} has one column only.",
            allowed="columns separated by comma, semicolon or tab; in R: write.csv(table, file)",
        )
    return best


def _layout(file: Path, encoding: str, separator: str, known: Collection[str]) -> Layout:
    """Look at all rows and decide which field belongs to which name, or refuse."""
    rows = _rows(file, encoding, separator)
    header = [name.strip() for name in next(rows).fields]
    faults = same_names(header)
    if faults:
        raise ToolkitError(
            f"{file} cannot be read as a table:\n  - " + "\n  - ".join(faults),
            allowed="every name once",
        )
    first = next(rows, None)
    if first is None:
        return Layout(tuple(header), 0, "")
    # A name that is empty names nothing: header and rows may end in a separator, or either.
    while not header[-1] and len(first.fields) < len(header):
        header.pop()
    seen = _Rows(len(header))
    for row in itertools.chain([first], rows):
        seen.add(row)
    if seen.odd is None:
        return Layout(tuple(header), 0, "")
    if seen.could_be_row_names and _quoted_as_in_r(first, separator):
        return Layout(tuple(header), 1, ROW_NAMES)
    if seen.ends_empty:
        return Layout(tuple(header), 0, EMPTY_END)
    if seen.could_be_row_names and seen.is_running and header[0] in known:
        return Layout(tuple(header), 1, ROW_NAMES)
    raise _unequal(file, header, seen.odd, f"{seen.n_odd} of {seen.n_rows}")


class _Rows:
    """What is known of the numbers of fields after a look at all rows."""

    def __init__(self, n: int) -> None:
        self.n = n
        """Names in the header."""
        self.n_rows = self.n_odd = 0
        self.odd: tuple[int, _Row] | None = None
        """The first row with another number of fields, and its number from 1."""
        self.widths: set[int] = set()
        self.starts: list[str] = []
        """First fields, as long as all rows have one more than there are names."""
        self._all_empty = True

    def add(self, row: _Row) -> None:
        """Look at one more row."""
        self.n_rows += 1
        self.widths.add(len(row.fields))
        if self.widths == {self.n + 1}:
            self.starts.append(row.fields[0].strip())
        if len(row.fields) != self.n:
            self.n_odd += 1
            self.odd = self.odd or (self.n_rows, row)
            self._all_empty &= not any(field.strip() for field in row.fields[self.n :])

    @property
    def ends_empty(self) -> bool:
        """True if all rows have the same fields too many, and nothing stands in any of them."""
        return len(self.widths) == 1 and min(self.widths) > self.n and self._all_empty

    @property
    def could_be_row_names(self) -> bool:
        """True if the first fields are whole numbers and no two are the same, as R's are."""
        return (
            self.widths == {self.n + 1}
            and len(set(self.starts)) == self.n_rows
            and all(start.isdecimal() for start in self.starts)
        )

    @property
    def is_running(self) -> bool:
        """True if the first fields are 1, 2, 3 ..."""
        return all(int(start) == place for place, start in enumerate(self.starts, 1))


def _quoted_as_in_r(row: _Row, separator: str) -> bool:
    """True if the first field stands in quotation marks and another does not.

    R puts them around row names, even if these are numbers, and never around numbers.
    """
    quoted = [field.lstrip().startswith('"') for field in row.raw.split(separator)]
    return quoted[0] and not all(quoted)


def _unequal(file: Path, header: Sequence[str], odd: tuple[int, _Row], share: str) -> ToolkitError:
    number, row = odd
    what = f"row {number} (line {row.line}) has {len(row.fields)} field"
    what += "s" if len(row.fields) != 1 else ""
    surplus = [f"{field[:SHOWN]!r}" for field in row.fields[len(header) :]]
    if surplus:
        what += f", the surplus is {', '.join(surplus[:3])}"
    else:
        what += f", nothing stands under {', '.join(header[len(row.fields) :][:3])}"
    return ToolkitError(
        f"{file} cannot be read as a table: the header has {len(header)} names, but {what}.",
        given=f"{share} rows with another number of fields",
        allowed="as many fields in every row as names in the header; a field that holds the "
        "separator stands in quotation marks; row names are left out "
        "(R: write.csv(table, file, row.names = FALSE))",
    )


def _table(file: Path, encoding: str, separator: str, layout: Layout) -> pd.DataFrame:
    import pandas as pd

    names = [name or f"unnamed_{place}" for place, name in enumerate(layout.header, 1)]
    rows = _rows(file, encoding, separator)
    next(rows)
    start, stop = layout.skip, layout.skip + len(names)
    parts: list[pd.DataFrame] = []
    while part := [row.fields[start:stop] for row in itertools.islice(rows, ROWS_AT_ONCE)]:
        parts.append(pd.DataFrame(part, columns=names, dtype="str"))
    if not parts:
        return pd.DataFrame(columns=names, dtype="str")
    table = pd.concat(parts, ignore_index=True)
    nothing = [
        made
        for made, name in zip(names, layout.header, strict=True)
        if not name and not table[made].str.strip().any()
    ]
    kept: pd.DataFrame = table.drop(columns=nothing)
    return kept
