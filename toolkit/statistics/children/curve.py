"""Share of right choices over the age of children: over studies, or over the trials of one study.

Both are logistic mixed models of the logarithm of age, as in the meta-analysis of Lewis et al.
(2020, Cognition 198, 104191). The curve is the mean over studies (or over children and words), not
that of a typical one: the models' random effects are averaged out, so that the curve can stand
beside means.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stimuli.wording import count
from toolkit.errors import ToolkitError
from toolkit.statistics.models.mixed import fit_mixed
from toolkit.statistics.models.student import quantile

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.models.results import FitResult

Floats = npt.NDArray[np.float64]
CENTRE_MONTHS = 30.0
"""Age at which the models' intercepts stand."""
STUDIES = (
    "cbind(n_right, n_wrong) ~ log_age + (1 | paper) + (1 | row)",
    "cbind(n_right, n_wrong) ~ log_age + (1 | paper)",
)
"""Meta-regression: conditions of one paper are alike, and each differs from what its paper and its
age tell. The second where a single condition per paper leaves nothing between the two."""
TRIALS = "correct ~ log_age + (1 | child) + (1 | word)"
"""Regression over the trials of one study."""
N_NODES = 40
"""Of the quadrature that averages over random effects; exact to more digits than are told."""
POINTS = 61
"""Ages at which a curve is drawn."""


@dataclass(frozen=True)
class Curve:
    """A share over age, with the 95 % interval of the mean at each age."""

    source: str
    """Whose children, as a legend names them."""
    ages_months: tuple[float, ...]
    """Ages in rising order, from the youngest to the oldest that were observed."""
    shares: tuple[float, ...]
    """Share of 1 at each."""
    ci_low: tuple[float, ...]
    """Lower ends: 95 %, of the mean over further studies (or children and words)."""
    ci_high: tuple[float, ...]
    """Upper ends."""
    n_conditions: int
    """Conditions of studies; 1 for trials of one study."""
    n_papers: int
    """Papers they are from."""
    n_children: int
    """Children, as far as conditions are of different ones."""
    formula: str
    """As fitted."""
    intercept: float
    """Log odds at `CENTRE_MONTHS` where random effects are 0."""
    slope: float
    """Log odds for each unit of the logarithm of age."""
    slope_std_error: float
    """Its standard error."""
    random_sds: tuple[tuple[str, float], ...]
    """Standard deviation of random intercepts, on the logit scale, by factor."""
    warnings: tuple[str, ...] = ()
    """What the reader must know of the model."""

    def at(self, age_months: float) -> tuple[float, float, float]:
        """Share and interval at an age, between the ages of `ages_months`; NaN beyond them.

        Example:
            >>> curve = Curve("c", (24.0, 36.0), (0.6, 0.8), (0.5, 0.7), (0.7, 0.9), 1, 1, 9, "",
            ...               0.0, 0.0, 0.1, ())
            >>> [round(value, 3) for value in curve.at(30)], curve.at(99)
            ([0.7, 0.6, 0.8], (nan, nan, nan))
        """
        found = [
            float(np.interp(age_months, self.ages_months, values, left=math.nan, right=math.nan))
            for values in (self.shares, self.ci_low, self.ci_high)
        ]
        return found[0], found[1], found[2]


def curve_of_studies(conditions: pd.DataFrame, source: str) -> Curve:
    """Random-effects meta-regression of shares on age, with papers as clusters.

    The response is the number of right choices among children x trials, rounded. The answers of a
    child are more alike than that, and studies differ: both stand in the random intercepts of
    conditions and papers. The interval is Wald's with Student's t (papers - 2 degrees of freedom).

    Args:
        conditions: ``paper``, ``row`` (tells conditions apart), ``age_months``, ``n_children``,
            ``n_trials`` (of each child), ``share`` (of 1).
        source: whose children, as a legend names them.

    Raises:
        ToolkitError: fewer than three papers, or the model cannot be fitted.

    Example:
        >>> import pandas as pd
        >>> ages = [18, 22, 26, 30, 36, 42, 48, 54]
        >>> table = pd.DataFrame({
        ...     "paper": list("abcdabcd"), "row": range(8), "age_months": ages, "n_children": 20,
        ...     "n_trials": 4, "share": [0.5, 0.5, 0.7, 0.6, 0.8, 0.7, 0.9, 0.8],
        ... })
        >>> curve = curve_of_studies(table, "eight conditions")
        >>> curve.at(18)[0] < curve.at(48)[0], curve.n_papers, curve.n_children
        (True, 4, 160)
    """
    n_answers = conditions["n_children"] * conditions["n_trials"]
    right = (conditions["share"] * n_answers).round()
    table = conditions.assign(
        n_right=right, n_wrong=n_answers.round() - right, log_age=_log_age(conditions)
    )
    n_papers = int(table["paper"].nunique())
    if n_papers < 3:
        raise ToolkitError(
            "A curve over age with its band needs three papers or more.",
            given=f"{count(len(table), 'condition')} of {count(n_papers, 'paper')}",
        )
    fit = fit_mixed(table, STUDIES[0] if len(table) > n_papers else STUDIES[1])
    return _curve(fit, table["age_months"], source, n_papers - 2.0, len(table), n_papers,
                  int(table["n_children"].sum()))  # fmt: skip


def curve_of_trials(trials: pd.DataFrame, source: str) -> Curve:
    """Regression of right choices on age over the trials of one study, children and words crossed.

    Args:
        trials: one row per trial: ``child``, ``word``, ``age_months``, ``correct``.
        source: whose children, as a legend names them.

    Raises:
        ToolkitError: the model cannot be fitted.
    """
    table = trials.assign(log_age=_log_age(trials))
    children, words = int(table["child"].nunique()), int(table["word"].nunique())
    fit = fit_mixed(table, TRIALS)
    # The scarcer factor decides how much is known of further ones.
    df = max(1.0, min(children, words) - 2.0)
    return _curve(fit, table["age_months"], source, df, 1, 1, children)


def _log_age(table: pd.DataFrame) -> pd.Series[float]:
    return table["age_months"].astype(float).map(lambda age: math.log(age / CENTRE_MONTHS))


def _curve(
    fit: FitResult,
    ages: pd.Series[float],
    source: str,
    df: float,
    n_conditions: int,
    n_papers: int,
    n_children: int,
) -> Curve:
    if not fit.converged:
        raise ToolkitError(
            f"The curve over age of {source} cannot be fitted: {fit.problem}",
            given=f"{count(n_conditions, 'condition')}, {count(n_children, 'child')}",
        )
    drawn = np.linspace(float(ages.min()), float(ages.max()), POINTS)
    design = np.column_stack([np.ones(POINTS), np.log(drawn / CENTRE_MONTHS)])
    log_odds = design @ fit.estimates
    covariance = np.asarray(fit.covariance)
    half = quantile(df) * np.sqrt(np.einsum("ij,jk,ik->i", design, covariance, design))
    sds = [(effect.group, effect.sds[0]) for effect in fit.random_effects]
    spread = math.hypot(*(sd for _, sd in sds))
    slope = fit["log_age"]
    return Curve(
        source=source,
        ages_months=tuple(map(float, drawn)),
        shares=_averaged(log_odds, spread),
        ci_low=_averaged(log_odds - half, spread),
        ci_high=_averaged(log_odds + half, spread),
        n_conditions=n_conditions,
        n_papers=n_papers,
        n_children=n_children,
        formula=fit.fitted_formula,
        intercept=fit["(Intercept)"].estimate,
        slope=slope.estimate,
        slope_std_error=slope.std_error,
        random_sds=tuple(sds),
        warnings=fit.limits,
    )


def _averaged(log_odds: Floats, spread: float) -> tuple[float, ...]:
    """Mean share over random intercepts with so much spread (Gauss and Hermite)."""
    from scipy.special import expit

    nodes, weights = np.polynomial.hermite_e.hermegauss(N_NODES)
    shares = expit(log_odds[:, None] + spread * nodes) @ (weights / weights.sum())
    return tuple(map(float, shares))


def shares_at(curve: Curve, ages_months: Sequence[float]) -> list[float]:
    """The curve at some ages, rounded to whole per cent, as a sentence tells them.

    Example:
        >>> curve = Curve("c", (24.0, 36.0), (0.6, 0.8), (0.5, 0.7), (0.7, 0.9), 1, 1, 9, "",
        ...               0.0, 0.0, 0.1, ())
        >>> shares_at(curve, [24, 30])
        [60, 70]
    """
    return [round(100 * curve.at(age)[0]) for age in ages_months]
