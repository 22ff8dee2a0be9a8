"""One name in two spellings: to a program two names, and no statistic tells."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

NAMES = (
    "population", "seed", "test_language", "condition", "word_concept", "distractor_concept",
)  # fmt: skip
"""Columns in which a second spelling makes a second participant, item or cell."""
NUMBER = re.compile(r"0*(\d+)(\.0+)?")
SHOWN = 3
"""Groups of spellings that are named per column."""


def folded(name: str) -> str:
    r"""What is left of a name without case, blanks, forms of letters and zeros before a number.

    Example:
        >>> folded("Ice cream") == folded("icecream"), folded("007") == folded("7.0")
        (True, True)
        >>> folded("be\u0301") == folded("B\u00c9")
        True
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    bare = "".join(plain.split())
    number = NUMBER.fullmatch(bare)
    return number[1] if number else bare


def alike(n_rows: Mapping[str, int]) -> list[list[str]]:
    """Names that are one name when `folded`: the most frequent first, then small letters.

    Args:
        n_rows: how often each name occurs.

    Example:
        >>> alike({"dax": 4, "Wug": 1, "wug": 3})
        [['wug', 'Wug']]
    """
    groups: dict[str, list[str]] = {}
    for name in sorted(n_rows, key=lambda name: (-n_rows[name], name != name.lower(), name)):
        groups.setdefault(folded(name), []).append(name)
    return [group for group in groups.values() if len(group) > 1]


def spelling_notes(table: pd.DataFrame) -> list[str]:
    """Say which names may be one name in two spellings, and how to make them one.

    Args:
        table: trials, or counts of trials; of `NAMES`, the columns that are there are looked at.

    Example:
        >>> import pandas as pd
        >>> spelling_notes(pd.DataFrame({"word_concept": ["dax", "Wug", "wug", "wug"]}))[0]
        "word_concept: 'wug' and 'Wug' count as 2 and may be one in two spellings; import-trials --recode word_concept:Wug=wug makes them one."
    """  # noqa: E501 - what is returned
    return [note for name in NAMES if name in table for note in _notes(table, name)]


def _notes(table: pd.DataFrame, name: str) -> Iterator[str]:
    groups = []
    if name == "seed" and "population" in table:
        # A seed is a participant within its population; counts call it population/seed.
        sizes = table.groupby(["population", "seed"], observed=True).size().reset_index()
        by_population: dict[str, dict[str, int]] = {}
        for population, seed, n in sizes.itertuples(index=False, name=None):
            own = by_population.setdefault(str(population), {})
            name_of = str(seed).removeprefix(f"{population}/")
            own[name_of] = own.get(name_of, 0) + int(n)
        groups = [group for own in by_population.values() for group in alike(own)]
    else:
        counted: dict[str, int] = {}
        for value, n in table[name].value_counts().items():
            counted[str(value)] = counted.get(str(value), 0) + int(n)
        groups = alike({value: n for value, n in counted.items() if n})
    for group in groups[:SHOWN]:
        new = ",".join(f"{name}:{other}={group[0]}" for other in group[1:])
        them = " and ".join(repr(each) for each in group)
        yield (
            f"{name}: {them} count as {len(group)} and may be one in "
            f"{'two' if len(group) == 2 else 'several'} spellings; import-trials --recode {new} "
            "makes them one."
        )
    if len(groups) > SHOWN:
        yield f"{name}: {len(groups) - SHOWN} more groups of values are spelled almost alike."
