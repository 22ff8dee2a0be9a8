"""Fits whose numbers no data can support: no maximum was found, or there is none."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from toolkit.statistics.models.design import fixed_matrix

if TYPE_CHECKING:
    import pandas as pd

HUGE_STD_ERROR = 50.0
"""A standard error of this many log odds means that the likelihood has no maximum (separation)."""
SIDES = ("n_correct", "n_wrong")
"""Columns of right and wrong answers, as the engine gets them."""
SEPARATED = (
    "The data are separated: for some level or cell all answers are the same, so that the "
    "likelihood has no maximum and the model is not decided."
)
"""What is said then."""


def problem_of(fit: Any, table: pd.DataFrame, fixed: str) -> str | None:
    """Why the numbers of a fit must not be shown; None if they may.

    Args:
        fit: what the engine returned.
        table: the data it was given, counts in a logistic model.
        fixed: fixed part of its formula.
    """
    kept = ~np.asarray(fit.aliased, bool)
    if not fit.converged:
        if fit.family == "binomial" and _without_variation(table, fixed):
            return SEPARATED
        told = " ".join(w["message"] for w in fit.warnings if w["tier"] == "severe")
        return f"The model did not converge. {told}".strip()
    errors, estimates = np.asarray(fit.se)[kept], np.asarray(fit.beta)[kept]
    if not np.isfinite(errors).all() or not np.isfinite(estimates).all():
        return "The engine found no standard errors."
    if fit.family == "binomial" and (
        (errors > HUGE_STD_ERROR).any() or _beyond_data(fit, table, fixed)
    ):
        return SEPARATED
    return None


def _without_variation(table: pd.DataFrame, fixed: str) -> bool:
    """True if all answers of some cell of the fixed effects are the same."""
    _, cell = np.unique(fixed_matrix(table, fixed), axis=0, return_inverse=True)
    sums = [np.bincount(cell.ravel(), table[name].to_numpy(float)) for name in SIDES]
    return bool((np.minimum(*sums) == 0).any())


def _beyond_data(fit: Any, table: pd.DataFrame, fixed: str) -> bool:
    """True if the fit claims odds that no such number of trials can show.

    All of n answers alike are best told by odds of 2 n + 1 to one (half an answer of the other kind
    added). Where a prediction, or the spread between the levels of a factor, goes beyond that for
    all trials together, the optimiser has followed a likelihood that rises for ever.
    """
    most = math.log(2 * table[list(SIDES)].to_numpy(float).sum() + 1)
    log_odds = fixed_matrix(table, fixed) @ np.nan_to_num(np.asarray(fit.beta, float))
    return bool((np.abs(log_odds) > most).any() or (_spreads(fit) > most).any())


def _spreads(fit: Any) -> npt.NDArray[np.float64]:
    """All standard deviations of random effects."""
    found: list[float] = []
    for place in range(len(fit.re_groups)):
        with np.errstate(invalid="ignore", divide="ignore"):
            found += map(float, fit.stddev_corr(place)[0])
    return np.array(found)
