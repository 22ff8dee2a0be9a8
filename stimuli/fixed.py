"""Trial lists that were fixed once, such as published ones: the `trials.csv` of a stimulus set.

A paradigm draws its trials; where a set fixes those of one of its conditions, they are asked
instead, so that numbers published for a list can be had again.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.checks import counted, some
from stimuli.errors import ToolkitError
from stimuli.tables import read_table

if TYPE_CHECKING:
    import pandas as pd

FILE_NAME = "trials.csv"
"""Name of the table in the folder of a stimulus set."""
COLUMNS = {
    "condition": "condition of a paradigm, e.g. novel-familiar",
    "language": "language of the words",
    "word_id": "test word that is said",
    "target_id": "test picture that is right",
    "distractor_id": "test picture beside it",
}
"""Columns of the table and what they say."""


def read_fixed(folder: Path, stimuli: pd.DataFrame) -> pd.DataFrame:
    """The fixed trials of a set.

    Args:
        folder: folder of the set.
        stimuli: its table, see `StimulusSet.table`.

    Returns:
        One row per trial with `COLUMNS` as text; no rows where the set fixes none.

    Raises:
        ToolkitError: the table has faults; the message lists all of them.
    """
    import pandas as pd

    if not (folder / FILE_NAME).is_file():
        return pd.DataFrame(columns=list(COLUMNS), dtype=str)
    table = read_table(folder / FILE_NAME)
    missing = [f"it has no column {name!r}" for name in COLUMNS if name not in table]
    faults = missing or list(fixed_faults(table, stimuli))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise ToolkitError(f"{folder / FILE_NAME} has {counted(faults)}:\n{listed}")
    return table


def fixed_faults(table: pd.DataFrame, stimuli: pd.DataFrame) -> Iterator[str]:
    """Rows that name what is no test stimulus, or that cannot be asked.

    Args:
        table: fixed trials.
        stimuli: table of the set, see `StimulusSet.table`.
    """
    if table.empty:
        yield "it has no rows"
    test = stimuli[stimuli["split"] == "test"]
    for column, kind in (
        ("word_id", "word"),
        ("target_id", "picture"),
        ("distractor_id", "picture"),
    ):
        unknown = table.loc[~table[column].isin(test.index[test["kind"] == kind]), column]
        if len(unknown):
            yield f"{column} is no test {kind} of the set: {some(list(dict.fromkeys(unknown)))}"
            return
    concept = test["concept"]
    said, right, wrong = (
        table[name].map(concept) for name in ("word_id", "target_id", "distractor_id")
    )
    for name, broken in (
        ("the target shows another class than the word names", said != right),
        ("the distractor is of the word's class", said == wrong),
        (
            "the word is in another language",
            table["language"] != table["word_id"].map(test["language"]),
        ),
    ):
        if broken.any():
            yield f"{name} in {some([f'row {n + 2}' for n in table.index[broken]])}"
