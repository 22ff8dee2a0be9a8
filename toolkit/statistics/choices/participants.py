"""Who counts as one participant: a network, or a draw of familiar words with all its seeds.

Which concepts are novel matters more than the training seed. Networks that all learnt the same
words speak about these words alone. Where the networks of a population learnt different draws of
words, every draw is one participant: what its seeds answered is added up, and all tests and
intervals are over draws.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms.formula import RandomTerm
from toolkit.tables.trials import MODEL

if TYPE_CHECKING:
    import pandas as pd

PEOPLE = ("child", "adult")
"""Kinds of subjects that sentences name; all others that are no networks are participants."""


def by_draw(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of which every draw is one participant, where there are draws.

    Args:
        table: ``seed``, and ``draw`` where there are any.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"seed": ["01a", "01b", "a"], "familiar_draw": ["01", "01", ""]})
        >>> by_draw(table)["seed"].tolist()
        ['01', '01', 'a']
    """
    if "familiar_draw" not in table:
        return table
    draw = table["familiar_draw"].astype(object).fillna("")
    if not (draw != "").any():
        return table
    seed = draw.where(draw != "", table["seed"].astype(object))
    return table.assign(seed=seed.astype("category"))


def counts_by_draw(counts: pd.DataFrame) -> pd.DataFrame:
    """Counts in which the seeds of every draw are added up.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave, whose seeds bear the name
            of their population.
    """
    if not drawn(counts).any():
        return counts
    whose = counts["population"].astype(object) + "/" + counts["familiar_draw"].astype(object)
    seed = whose.where(drawn(counts), counts["seed"].astype(object))
    table = counts.assign(seed=seed.astype("category"))
    numbers = ["n_trials", "n_correct", "n_ties"]
    keys = [name for name in table if name not in numbers]
    return table.groupby(keys, observed=True, as_index=False)[numbers].sum()


def drawn(counts: pd.DataFrame) -> pd.Series[bool]:
    """Which rows are of populations with draws."""
    import pandas as pd

    if "familiar_draw" not in counts:
        return pd.Series(False, index=counts.index)
    column = counts["familiar_draw"]
    if not isinstance(column.dtype, pd.CategoricalDtype):
        return column.astype(object).fillna("") != ""
    # Few names and many rows; the last is that of rows without one.
    named = np.array([*(column.cat.categories != ""), False])
    return pd.Series(named[column.cat.codes], index=counts.index)


def drawn_populations(table: pd.DataFrame) -> frozenset[str]:
    """Names of the populations with draws.

    Args:
        table: counts or trials.
    """
    return frozenset(map(str, table.loc[drawn(table), "population"].unique()))


def of_each(counts: pd.DataFrame) -> Mapping[Any, Callable[[], pd.DataFrame]]:
    """Rows of every population and test language, each taken when it is asked for.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave.
    """
    found = counts.groupby(["population", "test_language"], observed=True)
    return {key: partial(counts.take, np.asarray(rows)) for key, rows in found.indices.items()}


def unit_of(counts: pd.DataFrame) -> str:
    """What the participants are: ``draw`` where all learnt different words, else ``seed``.

    Those that are no networks are of their own kind if it is one of `PEOPLE`, else ``participant``.

    Example:
        >>> import pandas as pd
        >>> kinds = ["model", "child"]
        >>> [unit_of(pd.DataFrame({"subject_kind": [kind]})) for kind in kinds]
        ['seed', 'child']
        >>> unit_of(pd.DataFrame({"subject_kind": kinds}))
        'participant'
    """
    if len(counts) and drawn(counts).all():
        return "draw"
    kinds = set(counts["subject_kind"].astype(str)) if "subject_kind" in counts else set()
    if kinds <= {MODEL}:
        return "seed"
    kind, *others = kinds
    return kind if kind in PEOPLE and not others else "participant"


def factor_of(unit: str) -> str:
    """Column that tells participants apart.

    Args:
        unit: what they are, see `unit_of`.
    """
    return "familiar_draw" if unit == "draw" else "seed"


def over_participants(random: Sequence[RandomTerm], unit: str) -> tuple[RandomTerm, ...]:
    """Random terms of a paradigm, which names seeds, over whatever the participants are.

    Args:
        random: the terms.
        unit: see `unit_of`.

    Example:
        >>> [str(term) for term in over_participants([RandomTerm("1", "seed")], "draw")]
        ['(1 | familiar_draw)']
    """
    return tuple(
        RandomTerm(term.terms, factor_of(unit) if term.group == "seed" else term.group)
        for term in random
    )


def crossed_draws(table: pd.DataFrame) -> bool:
    """Whether populations met the very same draws, so that these are crossed with training.

    Args:
        table: ``population``, ``draw`` and ``word_concept`` of answers to one condition.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({
        ...     "population": ["mono", "bi"], "familiar_draw": "01", "word_concept": ["dax", "wug"],
        ... })
        >>> crossed_draws(table), crossed_draws(table.assign(word_concept="dax"))
        (False, True)
    """
    if unit_of(table) != "draw":
        return False
    asked: dict[str, dict[str, frozenset[str]]] = {}
    for (population, draw), own in table.groupby(["population", "familiar_draw"], observed=True):
        asked.setdefault(str(population), {})[str(draw)] = frozenset(own["word_concept"])
    first, *others = asked.values()
    return bool(others) and all(other == first for other in others)
