"""Tests on seed means: every trained network is one participant."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from toolkit.statistics.models.student import quantile, two_sided, varies
from toolkit.statistics.settings import DEFAULT_BOUND

Floats = npt.NDArray[np.float64]
LARGEST_T = 200.0
"""The largest t whose Bayes factor is integrated."""
PRIOR_SCALE = 0.707
"""Scale of the Cauchy prior on d: half the prior mass lies between -.707 and .707."""


@dataclass(frozen=True)
class SeedComparison:
    """Two groups of independently trained seeds; accuracies are shares of 1."""

    name: str
    """What is compared, e.g. ``bilingual - monolingual, en``."""
    n_first: int
    """Seeds in the first group."""
    n_second: int
    """Seeds in the second group."""
    difference: float
    """Mean of the first minus mean of the second."""
    std_error: float
    """Welch's standard error."""
    t: float
    """Welch's t."""
    df: float
    """Welch-Satterthwaite degrees of freedom."""
    p_value: float
    """Two-sided, uncorrected."""
    ci_low: float
    """Lower end of the 95 % interval of the difference."""
    ci_high: float
    """Upper end."""
    hedges_g: float
    """Hedges' g with the SD over SEEDS; not comparable with d over children."""
    bayes_factor: float
    """BF10 of Student's t test (equal variances), Cauchy prior of scale .707 (`bayes_factor`)."""
    bound: float
    """Equivalence bound, as a difference of shares."""
    p_equivalence: float
    """TOST: larger of the two one-sided p-values of Welch's t against the bound, uncorrected."""
    p_holm: float = math.nan
    """p of Welch's test, corrected over the family of the comparison."""
    p_equivalence_holm: float = math.nan
    """p of the equivalence test, corrected over the same family."""


def compare_seeds(
    name: str,
    first: ArrayLike,
    second: ArrayLike,
    bound: float = DEFAULT_BOUND,
) -> SeedComparison:
    """Welch's t test, Hedges' g, Bayes factor and equivalence test of two groups of seeds.

    Args:
        name: what is compared.
        first: accuracy of every seed of the first group.
        second: the same of the second group.
        bound: largest difference that is taken to mean nothing, fixed in advance.

    Returns:
        The comparison; NaN where a group has fewer than two seeds or nothing varies.

    Example:
        >>> compared = compare_seeds("a - b", [0.62, 0.66, 0.64], [0.65, 0.69, 0.70])
        >>> round(compared.difference, 3), round(compared.t, 2), round(compared.df, 1)
        (-0.04, -2.09, 3.7)
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    nan = math.nan
    difference = float(a.mean() - b.mean()) if len(a) and len(b) else nan
    if len(a) < 2 or len(b) < 2:
        return SeedComparison(name, len(a), len(b), difference, *(nan,) * 8, bound, nan)
    if not (varies(a) or varies(b)):
        return SeedComparison(name, len(a), len(b), difference, 0.0, *(nan,) * 7, bound, nan)
    t, df, p_value = _t_test(a, b, correction=True)
    g, p_equivalence = _effect(a, b, bound)
    std_error = difference / t if t else math.sqrt(a.var(ddof=1) / len(a) + b.var(ddof=1) / len(b))
    half = quantile(df) * std_error
    return SeedComparison(
        name=name,
        n_first=len(a),
        n_second=len(b),
        difference=difference,
        std_error=std_error,
        t=t,
        df=df,
        p_value=p_value,
        ci_low=max(-1.0, difference - half),
        ci_high=min(1.0, difference + half),
        hedges_g=g,
        bayes_factor=bayes_factor(_t_test(a, b, correction=False)[0], len(a), len(b)),
        bound=bound,
        p_equivalence=p_equivalence,
    )


def _effect(a: Floats, b: Floats, bound: float) -> tuple[float, float]:
    """Hedges' g, and p of the equivalence test."""
    import pingouin

    with warnings.catch_warnings():
        # A group in which nothing varies loses precision where nothing depends on it.
        warnings.simplefilter("ignore")
        g = float(pingouin.compute_effsize(a, b, eftype="hedges"))
        return g, float(pingouin.tost(a, b, bound=bound, correction=True).iloc[0, -1])


def _t_test(a: Floats, b: Floats, *, correction: bool) -> tuple[float, float, float]:
    """T, degrees of freedom and two-sided p: Welch's (corrected) or Student's."""
    import pingouin

    with warnings.catch_warnings():
        # Its intervals and power, which nothing here reads, divide by zero in tiny samples.
        warnings.simplefilter("ignore")
        found = pingouin.ttest(a, b, correction=correction).iloc[0]
    t, df = float(found["T"]), float(found["dof"])
    return t, df, two_sided(t, df)


def bayes_factor(t: float, n_first: int, n_second: int) -> float:
    """BF10 of a two-sample t test: how much better a difference predicts the data than none.

    Rouder et al. (2009, Psychonomic Bulletin & Review 16, 225-237), equation 1, with the
    effective sample size of two groups and a Cauchy prior of scale `PRIOR_SCALE` on d. It grows
    with t; a larger t than `LARGEST_T`, where numerical integration fails, counts as that.

    Args:
        t: of Student's test.
        n_first: size of the first group.
        n_second: size of the second group.

    Returns:
        The factor; infinite where it is too large for a number.

    Example:
        >>> round(bayes_factor(0.0, 10, 10), 3), round(bayes_factor(3.5, 20, 20), 2)
        (0.397, 26.74)
    """
    import pingouin

    try:
        return float(
            pingouin.bayesfactor_ttest(min(abs(t), LARGEST_T), n_first, n_second, r=PRIOR_SCALE)
        )
    except ZeroDivisionError:
        return math.inf


def over_chance(accuracies: ArrayLike, chance: float) -> tuple[float, float, float]:
    """One-sample t test of seed means against chance.

    Speaks about further seeds with the same items, not about further items.

    Args:
        accuracies: one per seed, shares of 1.
        chance: chance level.

    Returns:
        t, degrees of freedom, two-sided p-value; NaN with fewer than two seeds or without
        variation.
    """
    values = np.asarray(accuracies, float)
    if not varies(values):
        return math.nan, math.nan, math.nan
    # Of scipy: every test against chance comes here, most of them without groups to compare, and
    # importing pingouin would take longer than the test.
    from scipy.stats import ttest_1samp

    with warnings.catch_warnings():
        # Seeds that hardly vary lose precision; those that do not vary at all never come here.
        warnings.simplefilter("ignore")
        found = ttest_1samp(values, chance)
    t, df = float(found.statistic), float(found.df)
    return t, df, two_sided(t, df)
