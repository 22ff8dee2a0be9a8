"""Parquet files, before anything in them is looked at: that they are tables, and can be held."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.limits import COLUMN_BYTES, TABLE_VALUES, refuse_more
from toolkit.errors import ToolkitError, first_line
from toolkit.tables.delimited import same_names

if TYPE_CHECKING:
    import pyarrow as pa


ROW_NUMBERS = "__index_level_"
"""How the names of columns begin in which pandas keeps names of rows."""


def parquet_names(path: Path) -> list[str]:
    """Columns of a Parquet file that is a table: one value per row and column, no name twice.

    Raises:
        ToolkitError: if it is none, or could not be held in memory.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with told(path, allowed="Parquet, or CSV with a name that ends in .csv"):
        with pq.ParquetFile(path) as file:
            schema, about = file.schema_arrow, file.metadata
        faults = same_names(schema.names)
        faults += [
            f"column {field.name} holds {field.type}, expected one value per row"
            for field in schema
            if pa.types.is_nested(field.type)
        ]
        if faults:
            raise ToolkitError(f"{path} cannot be read as a table:\n  - " + "\n  - ".join(faults))
        groups = sum(about.row_group(number).num_rows for number in range(about.num_row_groups))
        n_values = max(about.num_rows, groups) * len(schema)
        refuse_more(f"values in {path}", n_values, TABLE_VALUES)
        _refuse_long_texts(path, [field.name for field in schema if _is_text(field.type)])
    return list(schema.names)


@contextmanager
def told(path: Path, what: str = "a table", allowed: str | None = None) -> Iterator[None]:
    """What goes wrong inside the library, as a fault of the file.

    Damaged bytes, and types that nothing was made for, make it raise whatever comes of them.

    Args:
        path: the file.
        what: what it is read as.
        allowed: what could be read.

    Raises:
        ToolkitError: in place of any other error.
    """
    try:
        yield
    except ToolkitError:
        raise
    except Exception as error:
        why = first_line(error).rstrip(".")
        raise ToolkitError(f"{path} cannot be read as {what}: {why}.", allowed=allowed) from error


def valid(table: pa.Table) -> pa.Table:
    """A table as it was read, its texts and codes looked at: the library takes them as they are.

    What pandas noted of it is left out, and the row numbers it kept: a note could turn a column
    into names of rows. Columns of bytes, as which some programs write texts, become texts.

    Raises:
        pyarrow.ArrowException: a text is not UTF-8, or a code stands for nothing.

    Example:
        >>> import pyarrow as pa
        >>> valid(pa.table({"word": [b"bear"]})).to_pydict()
        {'word': ['bear']}
    """
    import pyarrow as pa

    table.validate(full=True)
    for place, field in enumerate(table.schema):
        kind = field.type.value_type if pa.types.is_dictionary(field.type) else field.type
        if _is_bytes(kind):
            texts = table.column(place).cast(kind).cast(pa.large_binary()).cast(pa.large_string())
            table = table.set_column(place, field.name, texts.cast(pa.string()))
    notes = table.schema.metadata or {}
    table = table.select([name for name in table.column_names if not name.startswith(ROW_NUMBERS)])
    return table.replace_schema_metadata({k: v for k, v in notes.items() if k != b"pandas"})


def _is_text(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(
        types.is_string(kind)
        or types.is_large_string(kind)
        or types.is_binary(kind)
        or types.is_large_binary(kind)
    )


def _is_bytes(kind: Any) -> bool:
    import pyarrow.types as types

    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


def _refuse_long_texts(path: Path, names: Sequence[str]) -> None:
    """Refuse texts that lie in the file once, and would lie in memory once for every row."""
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    for name in names:
        column = pq.read_table(path, columns=[name], read_dictionary=[name]).column(0)
        n_bytes = 0
        for part in column.chunks:
            lengths = pc.binary_length(part.dictionary).cast("int64")
            n_bytes += pc.sum(lengths.take(part.indices)).as_py() or 0
        refuse_more(f"bytes of text in column {name} of {path}", n_bytes, COLUMN_BYTES)
