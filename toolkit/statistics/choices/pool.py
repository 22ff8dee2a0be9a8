"""Counts of many tables added up as they are read: what is held grows with what comes of them.

Columns of text are codes, so that a name stands in memory once however many rows bear it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

SUMMED = ("n_trials", "n_correct", "n_ties")
"""What is added up."""
FEWEST = 1 << 18
"""Rows that are held before they are added up for the first time."""


class Pool:
    """Counts per combination of some keys.

    Rows wait until they are as many as those that were added up before: in the end each was gone
    through a few times, and no more were held than twice what came of them.

    Example:
        >>> import pyarrow as pa
        >>> pool = Pool(["word"])
        >>> for word in ("dax", "wug", "dax"):
        ...     numbers = {name: [1] for name in SUMMED}
        ...     pool.add(pa.table({"word": coded(pa.array([word])), **numbers}))
        >>> frame(pool.table(), ["word"])[["word", "n_trials"]].to_numpy().tolist()
        [['dax', 2], ['wug', 1]]
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Begin with nothing.

        Args:
            keys: columns that tell rows apart.
        """
        self._keys = list(keys)
        self._parts: list[pa.Table] = []
        self._n_waiting = self._n_added_up = 0

    def add(self, counts: pa.Table) -> None:
        """Add counts.

        Args:
            counts: columns of the keys, texts as `coded` makes them, and `SUMMED`.
        """
        self._parts.append(counts.select([*self._keys, *SUMMED]))
        self._n_waiting += len(counts)
        if self._n_waiting > max(FEWEST, self._n_added_up):
            self._add_up()

    def table(self) -> pa.Table:
        """All that was added: one row per combination that occurred; at least something was."""
        self._add_up()
        return self._parts[0]

    def _add_up(self) -> None:
        import pyarrow as pa

        whole = pa.concat_tables(self._parts, promote_options="permissive").unify_dictionaries()
        self._parts.clear()
        made = whole.group_by(self._keys).aggregate([(name, "sum") for name in SUMMED])
        sums = made.select([*self._keys, *(f"{name}_sum" for name in SUMMED)])
        self._parts.append(sums.rename_columns([*self._keys, *SUMMED]))
        self._n_waiting, self._n_added_up = 0, len(made)
        del whole, made
        # What the library keeps for later is a third of the most memory that is taken.
        pa.default_memory_pool().release_unused()


def coded(column: pa.Array | pa.ChunkedArray) -> pa.Array | pa.ChunkedArray:
    """A column with texts as codes of one type, whichever way they were kept; others as they are.

    Args:
        column: any.
    """
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        column = column.cast(pa.string())
    is_text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    return column.cast(pa.string()).dictionary_encode() if is_text else column


def frame(counts: pa.Table, texts: Sequence[str]) -> pd.DataFrame:
    """Counts as a data frame: texts as categories, rows in the order of their names.

    Args:
        counts: what `Pool.table` gave.
        texts: columns that hold texts as codes.
    """
    import numpy as np
    import pandas as pd

    made: pd.DataFrame = counts.to_pandas(split_blocks=True)
    for name in texts:
        column = made[name].cat.remove_unused_categories().cat
        names = column.categories.astype(object)
        order = np.argsort(names)
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        made[name] = pd.Categorical.from_codes(
            place[column.codes], pd.Index(names[order], dtype="str")
        )
    keys = [str(name) for name in made if name not in SUMMED]
    # Codes are small numbers: pandas would make large ones of all columns first.
    order = np.lexsort(
        [made[name].cat.codes if name in texts else made[name] for name in keys[::-1]]
    )
    return made.take(order).reset_index(drop=True)
