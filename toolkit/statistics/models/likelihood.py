"""Tests of nested models: likelihood ratio, and the parametric bootstrap of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from paradigms.formula import offsets
from toolkit.statistics.models.design import fixed_matrix
from toolkit.statistics.models.mixed import Prepared, fit_prepared
from toolkit.statistics.models.results import FitResult

if TYPE_CHECKING:
    import pandas as pd

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LikelihoodRatio:
    """Likelihood-ratio test of a model against one without some fixed effects."""

    statistic: float
    """Twice the difference of the log-likelihoods; NaN if a model did not converge."""
    df: int
    """Difference of the numbers of parameters."""
    p_value: float
    """From the chi-squared distribution: too small when there are few seeds."""
    p_bootstrap: float
    """Share of simulated statistics at least as large, (1 + hits) / (1 + usable); NaN if none."""
    n_bootstrap: int
    """Simulations whose two models converged."""


def likelihood_ratio(full: FitResult, reduced: FitResult) -> LikelihoodRatio:
    """Compare two fits on the same data, the second nested in the first.

    Args:
        full: the larger model, fitted by maximum likelihood.
        reduced: the smaller one.
    """
    if not (full.converged and reduced.converged):
        return LikelihoodRatio(math.nan, 0, math.nan, math.nan, 0)
    from scipy.special import chdtrc

    statistic = max(0.0, 2 * (full.log_likelihood - reduced.log_likelihood))
    df = full.n_parameters - reduced.n_parameters
    p_value = float(chdtrc(df, statistic)) if df > 0 else math.nan
    return LikelihoodRatio(statistic, df, p_value, math.nan, 0)


def with_fixed(model: Prepared, fixed: str) -> Prepared:
    """The same data with another fixed part of no other predictors."""
    asked, formula = (part.with_fixed(fixed) for part in (model.asked, model.formula))
    return replace(model, asked=asked, formula=formula)


def bootstrap(
    full: Prepared, fixed: str, n: int, seed: int = 0, progress: Progress = lambda *_: None
) -> LikelihoodRatio:
    """Parametric bootstrap of the likelihood-ratio test (Halekoh & Højsgaard, 2014, section 4).

    New seeds, words and answers are drawn from the reduced model, and both models are fitted to
    them. Slower than anything else here, and the test to trust when there are few seeds.

    Args:
        full: the larger logistic model, as `toolkit.statistics.models.mixed.prepare` gives it.
        fixed: fixed part of the smaller model.
        n: simulations.
        seed: of the random numbers.
        progress: called with the simulations done and asked for.

    Returns:
        The test with ``p_bootstrap``.
    """
    small = with_fixed(full, fixed)
    null = fit_prepared(small)
    observed = likelihood_ratio(fit_prepared(full), null)
    if math.isnan(observed.statistic):
        return observed
    rng, hits, usable = np.random.default_rng(seed), 0, 0
    for done in range(n):
        table = simulate(small, null, rng)
        drawn = likelihood_ratio(
            fit_prepared(replace(full, table=table)), fit_prepared(replace(small, table=table))
        )
        if not math.isnan(drawn.statistic):
            usable += 1
            hits += drawn.statistic >= observed.statistic
        progress(done + 1, n)
    p_value = (1 + hits) / (1 + usable) if usable else math.nan
    return replace(observed, p_bootstrap=p_value, n_bootstrap=usable)


def simulate(model: Prepared, fit: FitResult, rng: np.random.Generator) -> pd.DataFrame:
    """Draw new random effects and new counts from a fitted logistic model.

    Args:
        model: the data the fit stands on.
        fit: a logistic model.
        rng: source of chance.

    Returns:
        ``model.table`` with other ``n_correct`` and ``n_wrong``.
    """
    from scipy.special import expit

    table = model.table
    eta = fixed_matrix(table, model.formula.fixed) @ np.nan_to_num(fit.estimates)
    for known in offsets(model.formula.fixed):
        eta = eta + table[known].to_numpy(float)
    for term, effect in zip(model.formula.random, fit.random_effects, strict=True):
        sds = np.array(effect.sds)
        covariance = np.nan_to_num(np.array(effect.correlations)) * np.outer(sds, sds)
        codes = table.groupby(term.group.split(":"), observed=True, sort=False).ngroup()
        drawn = rng.multivariate_normal(
            np.zeros(len(sds)), covariance, size=int(codes.max()) + 1, method="eigh"
        )
        columns = fixed_matrix(table, term.terms)
        eta = eta + (columns * drawn[codes.to_numpy()]).sum(axis=1)
    n = (table["n_correct"] + table["n_wrong"]).to_numpy()
    correct = rng.binomial(n.astype(np.int64), expit(eta)).astype(float)
    return table.assign(n_correct=correct, n_wrong=n - correct)
