"""What can be seen where: the `objects.csv` of a stimulus set, one mask per object in a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.checks import counted, is_sha256, path_fault, some
from stimuli.errors import ToolkitError, nearest_name, quoted
from stimuli.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME = "objects.csv"
"""Name of the table in the folder of a stimulus set."""
COLUMNS = {
    "stimulus_id": "picture that shows the object",
    "concept": "what the object is, in English",
    "mask": "picture of the same size, 255 where the object is seen and 0 elsewhere",
    "sha256": "checksum of the mask's file",
}
"""Columns of the table and what they say."""


def read_objects(folder: Path, pictures: Iterable[str]) -> pd.DataFrame:
    """The table of objects in the pictures of a set.

    Args:
        folder: folder of the set.
        pictures: ids of its pictures.

    Returns:
        One row per object with `COLUMNS` as text; no rows where the set has no such table.

    Raises:
        ToolkitError: the table has faults; the message lists all of them.
    """
    import pandas as pd

    if not (folder / FILE_NAME).is_file():
        return pd.DataFrame(columns=list(COLUMNS), dtype=str)
    table = read_table(folder / FILE_NAME)
    faults = list(object_faults(table, pictures))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise ToolkitError(
            f"{folder / FILE_NAME} has {counted(faults)}:\n{listed}",
            next_command=f"mevgs-toolkit check-stimuli {quoted(folder)}",
        )
    return table


def object_faults(table: pd.DataFrame, pictures: Iterable[str]) -> Iterator[str]:
    """Faults of a table of objects, without opening the masks it names."""
    headings = [str(name) for name in table.columns]
    missing = [name for name in COLUMNS if name not in headings]
    for name in missing:
        near = nearest_name(name, [given for given in headings if given not in COLUMNS])
        hint = f" (did you mean to rename {near!r}?)" if near else ""
        yield f"{FILE_NAME} has no column {name!r}{hint}"
    if missing:
        return
    if table.empty:
        yield f"{FILE_NAME} has no rows"
    known = set(pictures)
    unknown = [name for name in dict.fromkeys(table["stimulus_id"]) if name not in known]
    if unknown:
        yield f"{FILE_NAME} names what is no picture of the set: {some(unknown)}"
    empty = table["concept"] == ""
    if empty.any():
        yield f"{FILE_NAME}: concept is empty in {some(list(table.loc[empty, 'stimulus_id']))}"
    for path in table["mask"]:
        fault = path_fault(path)
        if fault:
            yield f"{FILE_NAME}: mask {path!r} {fault}"
    wrong = ~table["sha256"].map(is_sha256).astype(bool)
    if wrong.any():
        rows = some(list(table.loc[wrong, "mask"]))
        yield f"{FILE_NAME}: sha256 is not 64 hexadecimal digits in lower case in {rows}"
