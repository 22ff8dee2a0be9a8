"""A file from elsewhere as it is: its columns, its values without what only looks like one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.tables.delimited import read_delimited
from toolkit.tables.manifests import table_of
from toolkit.tables.parquet import parquet_names, told, valid
from toolkit.tables.values import NO_VALUE, tidied, without

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

PARQUET = b"PAR1"
"""First bytes of a Parquet file, whatever it is called."""
OTHERS = (".xls", ".xlsx", ".ods", ".sav", ".rds", ".rdata", ".dta")
"""Tables of programs that save as CSV as well."""


@dataclass(frozen=True)
class RawTable:
    """A table before anything in it has a meaning."""

    table: pd.DataFrame
    """Text of a CSV, blanks around it and missing codes taken off; types of a Parquet file."""
    notes: tuple[str, ...]
    """What was left out of the file."""
    remarks: Mapping[str, Sequence[str]]
    """How values of a column were changed."""
    faults: tuple[str, ...]
    """Missing codes that never occur."""

    def told(self, ours: Mapping[str, str]) -> list[str]:
        """Notes, with the remarks on columns that hold names.

        Args:
            ours: our names of those columns by the file's.
        """
        return [*self.notes] + [
            f"{ours[name]}: {remark}."
            for name, remarks in self.remarks.items()
            if name in ours
            for remark in remarks
        ]


def read_raw(file: Path, known: Collection[str], missing: Collection[str]) -> RawTable:
    """Read a CSV or Parquet file.

    Args:
        file: the file.
        known: columns that hold something else than running numbers, see `read_delimited`.
        missing: codes that mean a missing value.

    Raises:
        ToolkitError: if there is no such file, it is none of both, or has two columns of one name.
    """
    notes: list[str] = []
    if _is_parquet(file):
        table, remarks = tidied(_read_parquet(file))
    else:
        table, notes = read_delimited(file, known)
        table, remarks = tidied(table, NO_VALUE)
    table, faults = without(table, missing)
    return RawTable(table, tuple(notes), remarks, tuple(faults))


def _is_parquet(file: Path) -> bool:
    if file.is_dir():
        raise ToolkitError(
            f"{file} is a folder, not a table.",
            allowed="CSV (UTF-8) or Parquet; a run is taken as it is",
            next_command=f"mevgs-toolkit table {quoted(file)}"
            if table_of(file).is_file()
            else f"ls {quoted(file)}",
        )
    if not file.is_file():
        near = nearest_name(file.name, [found.name for found in file.absolute().parent.glob("*")])
        raise ToolkitError(
            f"There is no file at {file}.", nearest=str(file.with_name(near)) if near else None
        )
    if file.suffix.lower() in OTHERS:
        raise ToolkitError(
            f"{file} is neither CSV nor Parquet.", allowed="CSV (UTF-8) or Parquet; save it as CSV"
        )
    try:
        with file.open("rb") as raw:
            return raw.read(len(PARQUET)) == PARQUET or file.suffix.lower() in (".parquet", ".pq")
    except OSError as error:
        raise ToolkitError(f"{file} cannot be read: {error.strerror}.") from error


def _read_parquet(file: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    parquet_names(file)
    with told(file):
        table: pd.DataFrame = valid(pq.read_table(file)).to_pandas()
    return table
