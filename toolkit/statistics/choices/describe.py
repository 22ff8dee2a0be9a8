"""Accuracy per population, language and condition, with intervals over seeds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.choices.participants import counts_by_draw
from toolkit.statistics.kinds import GROUP
from toolkit.statistics.models.student import share_interval

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


def seed_accuracy(trials: pd.DataFrame, within: Sequence[str] = ()) -> pd.DataFrame:
    """Accuracy of every seed; ties are counted as wrong and reported beside it.

    Args:
        trials: rows of the trials table.
        within: further columns to tell apart, such as ``trial_seed``.

    Returns:
        One row per paradigm, population, language, condition and seed: ``n_trials``,
        ``n_correct``, ``n_ties``, ``accuracy`` (share of 1), and ``chance``, the mean over trials
        of 1 / ``n_choices``.
    """
    grouped = trials.assign(chance=1 / trials["n_choices"]).groupby(
        [*GROUP, "seed", *within], observed=True, sort=False
    )
    table = grouped.agg(
        n_trials=("correct", "size"),
        n_correct=("correct", "sum"),
        n_ties=("tie", "sum"),
        chance=("chance", "mean"),
    ).reset_index()
    table["n_correct"] = table["n_correct"].astype(np.int64)
    table["accuracy"] = table["n_correct"] / table["n_trials"]
    return table


def seeds_of_counts(counts: pd.DataFrame) -> pd.DataFrame:
    """The same from counts of trials.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave, whose seeds bear the name
            of their population (``bilingual-en-nl/a``).

    Returns:
        As `seed_accuracy`; ``seed`` without its population. The seeds of a draw are added up, see
        `toolkit.statistics.choices.participants`.

    Example:
        >>> import pandas as pd
        >>> seeds = seeds_of_counts(pd.DataFrame({
        ...     "paradigm": "me", "paradigm_version": 1, "population": "p", "test_language": "en",
        ...     "condition": "nf", "seed": "p/a", "n_choices": [2, 4], "n_trials": [10, 10],
        ...     "n_correct": [6, 3], "n_ties": 0,
        ... }))
        >>> seeds[["seed", "n_trials", "accuracy", "chance"]].to_numpy().tolist()
        [['a', 20, 0.45, 0.375]]
    """
    table = counts_by_draw(counts)
    table = table.assign(at_chance=table["n_trials"] / table["n_choices"])
    numbers = ["n_trials", "n_correct", "n_ties", "at_chance"]
    summed = table.groupby([*GROUP, "seed"], observed=True)[numbers].sum().reset_index()
    names = zip(summed["population"].astype(str), summed["seed"].astype(str), strict=True)
    return summed.assign(
        seed=[seed.removeprefix(f"{population}/") for population, seed in names],
        accuracy=summed["n_correct"] / summed["n_trials"],
        chance=summed.pop("at_chance") / summed["n_trials"],
    )


def accuracy_over_seeds(seeds: pd.DataFrame, level: float = 0.95) -> pd.DataFrame:
    """Mean accuracy over seeds with its interval.

    The interval takes the seed as the unit of replication: Student's t with n_seeds - 1 degrees of
    freedom on the logit scale, see `toolkit.statistics.models.student.share_interval`. It ends
    within 0 and 1, and speaks about further seeds and the same items, not about further items.

    Args:
        seeds: what `seed_accuracy` returned.
        level: confidence level.

    Returns:
        One row per paradigm, population, language and condition: ``n_seeds``, ``n_trials`` (all
        seeds together), ``n_ties``, ``mean``, ``sd``, ``std_error``, ``ci_low``, ``ci_high`` and
        ``chance``. With a single seed, ``sd``, ``std_error`` and the interval are NaN, never 0;
        seeds that all answer alike have no interval either.

    Example:
        >>> import pandas as pd
        >>> seeds = pd.DataFrame({
        ...     "paradigm": "me", "paradigm_version": 1, "population": "p", "test_language": "en",
        ...     "condition": "novel-familiar", "seed": ["a", "b", "c"], "n_trials": 100,
        ...     "n_ties": 0, "accuracy": [0.5, 0.6, 0.7], "chance": 0.5,
        ... })
        >>> row = accuracy_over_seeds(seeds).iloc[0]
        >>> round(row["mean"], 3), round(row["ci_low"], 3), round(row["ci_high"], 3)
        (np.float64(0.6), np.float64(0.348), np.float64(0.809))
    """
    table = (
        seeds.groupby(GROUP, observed=True, sort=False)
        .agg(
            n_seeds=("accuracy", "size"),
            n_trials=("n_trials", "sum"),
            n_ties=("n_ties", "sum"),
            mean=("accuracy", "mean"),
            sd=("accuracy", "std"),
            chance=("chance", "mean"),
        )
        .reset_index()
    )
    table["std_error"] = table["sd"] / np.sqrt(table["n_seeds"])
    freedom = table["n_seeds"].where(table["n_seeds"] > 1) - 1
    table["ci_low"], table["ci_high"] = share_interval(
        table["mean"], table["std_error"], freedom.to_numpy(float), level
    )
    return table
