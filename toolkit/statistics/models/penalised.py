"""What can be said where the data do not decide a model: a fit that is held back a little.

Where some level answers always right, or always wrong, the likelihood of a mixed model has no
maximum. Two more trials in each group, answered as guessing would answer them and spread evenly
over its cells of seed and word, keep it finite; they pull towards chance, never away from it. Data
added for a prior: Greenland and Mansournia (2015, Statistics in Medicine 34, 3133-3143). Between
two options it is their log-F(2, 2): beforehand every share of correct answers is equally likely, as
in Laplace's rule of succession. However many seeds and words there are, it weighs two trials: one
for every seed and word would outweigh dozens of children who were asked a few words each.
``tests/benchmarks/test_calibration.py`` shows how often its intervals hold the truth.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.statistics.models.contrasts import between, effective
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.models.results import FitResult
from toolkit.statistics.models.student import quantile

if TYPE_CHECKING:
    import pandas as pd

METHOD = "penalised: two more trials per group, answered at chance"
"""How such a fit is called wherever it is shown."""
MORE = 2.0
"""Trials that are added to each group."""
DIFFERENCE_RANDOM = "(1 | seed) + (1 | word) + (1 | word:_side)"
"""Random effects of the difference between two groups: as simple as they can be."""


@dataclass(frozen=True)
class Penalised:
    """An estimate from a penalised fit; no test goes with it."""

    method: str
    """How it was made."""
    estimate: float
    """Share of correct answers of a typical seed and word, or difference of two such shares."""
    ci_low: float
    """Lower end of its 95 % interval."""
    ci_high: float
    """Upper end."""
    fit: FitResult
    """The model, fitted to the data with the trials added."""


def penalised_share(counts: pd.DataFrame, random: str) -> Penalised | None:
    """Share of correct answers where a model of it is not decided.

    Args:
        counts: ``seed``, ``word_concept``, ``n_right``, ``n_wrong``, ``n_choices``, of one
            population, language and condition.
        random: random terms for seeds and words.

    Returns:
        The estimate; None where even so there is none.
    """
    from scipy.special import expit

    table = _held_back(counts, "word_concept", ())
    fit = _fitted(table, "1", random)
    if fit is None:
        return None
    found = fit["(Intercept)"]
    parts = [(r.sds[0] ** 2 / r.n_levels, r.n_levels, 1) for r in fit.random_effects]
    std_error, df = effective(parts, found.std_error)
    half = quantile(df) * std_error
    low, middle, high = (float(expit(found.estimate + x)) for x in (-half, 0.0, half))
    return Penalised(METHOD, middle, low, high, fit)


def penalised_difference(table: pd.DataFrame, group: str) -> Penalised | None:
    """Difference of two groups where a model of it is not decided.

    Args:
        table: ``seed``, ``word``, ``n_right``, ``n_wrong``, ``n_choices`` and the group, 0 or 1.
        group: column of the group; seeds belong to one group each.

    Returns:
        Share of correct answers in group 1 minus that in group 0; None where there is none.
    """
    held = _held_back(table, "word", (group,))
    held = held.assign(_side=held[group].astype(str))
    fit = _fitted(held, group, DIFFERENCE_RANDOM)
    if fit is None or held["seed"].nunique() <= 2:
        return None
    found, n = fit[group], held.groupby(group, observed=True)["seed"].nunique()
    parts = [
        (
            r.sds[0] ** 2 * float((1 / n).sum() if r.group == "seed" else 2 / r.n_levels),
            r.n_levels,
            2 if r.group == "seed" else 1,
        )
        for r in fit.random_effects
        if r.group == "seed" or ":" in r.group
    ]
    std_error, df = effective(parts, found.std_error)
    if not math.isfinite(std_error):
        return None
    middle = fit["(Intercept)"].estimate + found.estimate / 2
    half = quantile(df) * std_error
    low, estimate, high = (between(middle, found.estimate + x) for x in (-half, 0.0, half))
    return Penalised(METHOD, estimate, low, high, fit)


def _held_back(counts: pd.DataFrame, word: str, more: Sequence[str]) -> pd.DataFrame:
    """Counts per seed and word with the trials added to each group, evenly over its cells."""
    keys = ["seed", word, *more]
    sums = counts.assign(_chance=counts["n_right"].add(counts["n_wrong"]) / counts["n_choices"])
    table = sums.groupby(keys, observed=True)[["n_right", "n_wrong", "_chance"]].sum().reset_index()
    chance = table["_chance"] / (table["n_right"] + table["n_wrong"])
    group = table.groupby(list(more), observed=True)["seed"] if more else None
    added = MORE / (len(table) if group is None else group.transform("size"))
    return table.assign(
        n_right=table["n_right"] + added * chance,
        n_wrong=table["n_wrong"] + added * (1 - chance),
    )


def _fitted(table: pd.DataFrame, fixed: str, random: str) -> FitResult | None:
    try:
        fit = fit_mixed(table, f"cbind(n_right, n_wrong) ~ {fixed} + {random}")
    except NotEstimable:
        return None
    return fit if fit.converged else None
