"""The item view: which words and which distractors carry the effect, and do seeds agree?"""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.models.student import share_interval
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    import pandas as pd

GROUP = ["condition", "population", "test_language"]
SHOWN = 3
"""Pairs of populations that are named for not sharing their words."""


def word_accuracy(counts: pd.DataFrame) -> pd.DataFrame:
    """Accuracy per word with its interval over seeds.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave.

    Returns:
        Per condition, population, language and word: ``n_seeds``, ``n_trials``, ``accuracy``
        (mean over seeds), ``std_error``, ``ci_low``, ``ci_high``
        (`toolkit.statistics.models.student.share_interval`; NaN with one seed, and where all seeds
        answer alike).
    """
    keys = [*GROUP, "word_concept"]
    seeds = _summed(counts, [*keys, "seed"])
    seeds["accuracy"] = seeds["n_correct"] / seeds["n_trials"]
    grouped = seeds.groupby(keys, observed=True)
    table = grouped.agg(
        n_seeds=("accuracy", "size"),
        n_trials=("n_trials", "sum"),
        accuracy=("accuracy", "mean"),
        sd=("accuracy", "std"),
    ).reset_index()
    table["std_error"] = table.pop("sd") / np.sqrt(table["n_seeds"])
    freedom = table["n_seeds"].where(table["n_seeds"] > 1) - 1
    table["ci_low"], table["ci_high"] = share_interval(
        table["accuracy"], table["std_error"], freedom.to_numpy(float)
    )
    return table


def word_by_distractor(counts: pd.DataFrame) -> pd.DataFrame:
    """Accuracy per word and class of distractor, all seeds together.

    Returns:
        Per condition, population, language, word and distractor: ``n_trials``, ``accuracy``.
    """
    keys = [*GROUP, "word_concept", "distractor_concept"]
    table = _summed(counts, keys)
    table["accuracy"] = table.pop("n_correct") / table["n_trials"]
    return table


def _summed(counts: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Counts added up, condition after condition: sorting all of them takes as much memory again.

    Args:
        counts: as above.
        keys: columns that tell the sums apart, ``condition`` first.
    """
    import pandas as pd

    parts = [
        own.groupby(keys, observed=True)[["n_correct", "n_trials"]].sum().reset_index()
        for _, own in counts.groupby("condition", observed=True)
    ]
    return pd.concat(parts, ignore_index=True)


def shared_words(answers: pd.DataFrame) -> pd.DataFrame:
    """How many words two populations were both asked, per test language and condition.

    Where these are not all words, what differs between words stands in the difference between
    the populations and does not cancel.

    Args:
        answers: counts, or trials; ``condition``, ``test_language``, ``population`` and
            ``word_concept`` are looked at.

    Returns:
        Per condition, language and pair of populations (``first``, ``second``): ``n_both`` words
        asked of both, ``n_words`` asked of either.

    Example:
        >>> import pandas as pd
        >>> shared_words(pd.DataFrame({
        ...     "condition": "nf", "test_language": "en", "population": ["mono", "mono", "bi"],
        ...     "word_concept": ["dax", "wug", "wug"],
        ... })).to_numpy().tolist()
        [['nf', 'en', 'bi', 'mono', 1, 2]]
    """
    import pandas as pd

    cell = ["condition", "test_language"]
    asked: dict[tuple[str, ...], dict[str, set[str]]] = {}
    found = answers[[*cell, "population", "word_concept"]].drop_duplicates().astype(str)
    for *where, population, word in found.itertuples(index=False, name=None):
        asked.setdefault(tuple(where), {}).setdefault(population, set()).add(word)
    rows = [
        [*where, first, second, len(own[first] & own[second]), len(own[first] | own[second])]
        for where, own in sorted(asked.items())
        for first, second in itertools.combinations(sorted(own), 2)
    ]
    return pd.DataFrame(rows, columns=[*cell, "first", "second", "n_both", "n_words"])


def shared_words_notes(answers: pd.DataFrame) -> list[str]:
    """Say which populations were not asked the same words.

    Args:
        answers: as for `shared_words`.

    Example:
        >>> import pandas as pd
        >>> shared_words_notes(pd.DataFrame({
        ...     "condition": "nf", "test_language": "en", "population": ["mono", "bi"],
        ...     "word_concept": ["dax", "wug"],
        ... }))[0]
        '0 of 2 words were answered by both bi and mono (en, nf): words do not cancel between them.'
    """
    pairs = shared_words(answers)
    uneven = pairs[pairs["n_both"] < pairs["n_words"]]
    said = [
        f"{row['n_both']} of {count(row['n_words'], 'word')} "
        f"{'was' if row['n_both'] == 1 else 'were'} answered by both {row['first']} and "
        f"{row['second']} ({row['test_language']}, {row['condition']}): words do not cancel "
        "between them."
        for row in uneven.head(SHOWN).to_dict("records")
    ]
    if len(uneven) > SHOWN:
        more = count(len(uneven) - SHOWN, "more pair")
        said.append(f"So it is with {more} of populations.")
    return said


def item_consistency(counts: pd.DataFrame) -> pd.DataFrame:
    """Do the seeds of a population find the same words easy?

    Cronbach's alpha with words as cases and seeds as raters (equal to the reliability of the
    mean over seeds), and the mean correlation between two seeds.

    Returns:
        Per condition, population and language: ``n_seeds``, ``n_words``, ``alpha``,
        ``mean_correlation``; NaN where there are fewer than two seeds or words.
    """
    import pandas as pd

    rows = []
    summed = _summed(counts, [*GROUP, "word_concept", "seed"])
    summed["accuracy"] = summed["n_correct"] / summed["n_trials"]
    for names, own in summed.groupby(GROUP, observed=True):
        matrix = _matrix(own)
        alpha, correlation = _agreement(matrix)
        rows.append([*names, matrix.shape[1], matrix.shape[0], alpha, correlation])
    columns = [*GROUP, "n_seeds", "n_words", "alpha", "mean_correlation"]
    return pd.DataFrame(rows, columns=columns)


def _matrix(cells: pd.DataFrame) -> np.ndarray:
    """Accuracy (n_words, n_seeds), NaN where a seed was not asked a word."""
    places = [cells[name].factorize() for name in ("word_concept", "seed")]
    matrix = np.full([len(names) for _, names in places], math.nan)
    matrix[places[0][0], places[1][0]] = cells["accuracy"]
    return matrix


def _agreement(matrix: np.ndarray) -> tuple[float, float]:
    """Cronbach's alpha and mean correlation of the columns of (n_words, n_seeds)."""
    n_words, n_seeds = matrix.shape
    if n_words < 2 or n_seeds < 2 or np.isnan(matrix).any():
        return math.nan, math.nan
    total, single = matrix.sum(axis=1).var(ddof=1), matrix.var(axis=0, ddof=1)
    if total == 0 or (single == 0).any():
        return math.nan, math.nan
    alpha = n_seeds / (n_seeds - 1) * (1 - single.sum() / total)
    correlations = np.corrcoef(matrix.T)[np.triu_indices(n_seeds, 1)]
    return float(alpha), float(correlations.mean())
