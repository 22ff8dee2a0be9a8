"""The item view: which words and which distractors carry the effect, and do seeds agree?"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.student import share_interval

if TYPE_CHECKING:
    import pandas as pd

GROUP = ["condition", "population", "test_language"]


def word_accuracy(counts: pd.DataFrame) -> pd.DataFrame:
    """Accuracy per word with its interval over seeds.

    Args:
        counts: what `toolkit.statistics.counts.read_counts` gave.

    Returns:
        Per condition, population, language and word: ``n_seeds``, ``n_trials``, ``accuracy``
        (mean over seeds), ``std_error``, ``ci_low``, ``ci_high``
        (`toolkit.statistics.student.share_interval`; NaN with one seed, and where all seeds answer
        alike).
    """
    keys = [*GROUP, "word_concept"]
    seeds = counts.groupby([*keys, "seed"], observed=True)[["n_correct", "n_trials"]].sum()
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
    table = counts.groupby(keys, observed=True)[["n_correct", "n_trials"]].sum().reset_index()
    table["accuracy"] = table.pop("n_correct") / table["n_trials"]
    return table


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
    cells = counts.groupby([*GROUP, "word_concept", "seed"], observed=True)
    summed = cells[["n_correct", "n_trials"]].sum().reset_index()
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
