"""Counts of many tables added up as they are read: what is held is what comes of them.

A combination of values is one number, its counts are three: 32 bytes, however many columns there
are and however often it comes. So 100,000 tables of the same questions take no more than a few.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd
    import pyarrow as pa

SUMMED = ("n_trials", "n_correct", "n_ties")
"""What is added up."""
WHO = frozenset({"population", "n_languages", "train_languages", "seed", "subject_kind",
                 "familiar_draw"})  # fmt: skip
"""Keys that say who was asked. The other ones say what: of either there are few combinations, and
many of both."""
ROWS_AT_ONCE = 1 << 18
"""Combinations that are given as a table at a time."""


class Pool:
    """Counts per combination of some keys.

    Example:
        >>> import pyarrow as pa
        >>> pool = Pool(["seed", "word"])
        >>> for word in ("dax", "wug", "dax"):
        ...     numbers = {name: [1] for name in SUMMED}
        ...     pool.add(pa.table({"seed": ["a"], "word": [word], **numbers}))
        >>> pool.frame(["seed", "word"])[["word", "n_trials"]].to_numpy().tolist()
        [['dax', 2], ['wug', 1]]
    """

    def __init__(self, keys: Sequence[str]) -> None:
        """Begin with nothing.

        Args:
            keys: columns that tell rows apart.
        """
        self._keys = list(keys)
        self._names = {name: dict[Hashable, int]() for name in keys}
        self._halves = [
            _Half([name for name in keys if (name in WHO) == is_who]) for is_who in (True, False)
        ]
        self._places: npt.NDArray[Any] = np.empty(0, np.int64)
        self._sums: npt.NDArray[Any] = np.empty((0, len(SUMMED)), np.int64)

    def __len__(self) -> int:
        """Combinations that occurred."""
        return len(self._places)

    def add(self, counts: pa.Table) -> None:
        """Add counts.

        Args:
            counts: columns of the keys, of whatever type, and `SUMMED`.
        """
        codes = {name: _coded(counts[name], self._names[name]) for name in self._keys}
        who, what = (half.numbers(codes, len(counts)) for half in self._halves)
        found, of = np.unique((who << 32) | what, return_inverse=True)
        sums = np.zeros((len(found), len(SUMMED)), np.int64)
        for place, name in enumerate(SUMMED):
            np.add.at(sums[:, place], of, counts[name].to_numpy())
        places = np.searchsorted(self._places, found)
        known = np.zeros(len(found), bool)
        within = places < len(self)
        known[within] = self._places[places[within]] == found[within]
        self._sums[places[known]] += sums[known]
        if not known.all():
            new = places[~known]
            self._places = np.insert(self._places, new, found[~known])
            self._sums = np.insert(self._sums, new, sums[~known], axis=0)

    def values(self, name: str) -> list[Any]:
        """All values of a key, in the order in which they came."""
        return list(self._names[name])

    def tables(self) -> Iterator[pa.Table]:
        """What was added: one row per combination, `ROWS_AT_ONCE` at a time."""
        import pyarrow as pa

        for start in range(0, len(self), ROWS_AT_ONCE):
            some = slice(start, start + ROWS_AT_ONCE)
            columns: dict[str, Any] = {
                name: pa.DictionaryArray.from_arrays(self._codes(name, some), self.values(name))
                for name in self._keys
            }
            columns |= {name: self._sums[some, place] for place, name in enumerate(SUMMED)}
            yield pa.table(columns)

    def frame(self, texts: Sequence[str]) -> pd.DataFrame:
        """What was added: one row per combination, in the order of their names.

        Args:
            texts: keys that hold texts, which become categories; the others are whole numbers.
        """
        import pandas as pd

        columns: dict[str, Any] = {}
        names: dict[str, npt.NDArray[Any]] = {}
        for name in self._keys:
            values = np.array(self.values(name), dtype=object)
            if name in texts:
                sorting = np.argsort(values)
                names[name] = values[sorting]
                values = np.empty(len(sorting), np.min_scalar_type(-len(sorting)))
                values[sorting] = np.arange(len(sorting))
            else:
                values = values.astype(np.int64)
            columns[name] = values[self._codes(name)]
        rows = np.lexsort(list(columns.values())[::-1])
        # One column after the other: what is sorted takes the place of what was not.
        for name, column in columns.items():
            columns[name] = column[rows]
        for name, categories in names.items():
            index = pd.Index(categories, dtype="str")
            columns[name] = pd.Categorical.from_codes(columns[name], index)
        columns |= {name: self._sums[rows, place] for place, name in enumerate(SUMMED)}
        return pd.DataFrame(columns, copy=False)

    def _codes(self, name: str, some: slice = slice(None)) -> npt.NDArray[Any]:
        """Which of its values a key has in every row."""
        who, what = self._halves
        if name in who.keys:
            codes, numbers = who.codes(name), self._places[some] >> 32
        else:
            codes, numbers = what.codes(name), self._places[some] & 0xFFFFFFFF
        own: npt.NDArray[Any] = codes[numbers]
        return own


class _Half:
    """Numbers for combinations of some keys."""

    def __init__(self, keys: Sequence[str]) -> None:
        self.keys = keys
        self._numbers: dict[tuple[int, ...], int] = {}

    def numbers(self, codes: dict[str, npt.NDArray[Any]], n_rows: int) -> npt.NDArray[Any]:
        """The number of every row, (n_rows,); combinations that are new get one."""
        import pandas as pd

        of = np.zeros(n_rows, np.int64)
        for name in self.keys:
            own = codes[name].astype(np.int64)
            of = pd.factorize(of * (own.max(initial=0) + 1) + own)[0].astype(np.int64)
        _, first = np.unique(of, return_index=True)
        combinations = np.stack([codes[name][first] for name in self.keys] or [first * 0], axis=1)
        known = self._numbers
        found = [known.setdefault(tuple(one), len(known)) for one in combinations.tolist()]
        return np.array(found, np.int64)[of]

    def codes(self, name: str) -> npt.NDArray[Any]:
        """Which value of a key every number stands for."""
        place = self.keys.index(name)
        return np.fromiter((one[place] for one in self._numbers), np.int32, len(self._numbers))


def _coded(column: pa.Array | pa.ChunkedArray, names: dict[Hashable, int]) -> npt.NDArray[Any]:
    """Which value every row has, by the order in which values came; new ones are added."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    if not pa.types.is_dictionary(whole.type):
        whole = whole.dictionary_encode()
    indices = pc.fill_null(whole.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    values = whole.dictionary.to_pandas().to_numpy()
    own = np.empty(len(values) + 1, np.int32)
    # Values in the order of their rows: what a dictionary holds besides does not occur.
    for place in pd.unique(indices).tolist():
        value = None if place < 0 or pd.isna(values[place]) else values[place]
        own[place] = names.setdefault(value, len(names))
    codes: npt.NDArray[Any] = own[indices]
    return codes
