"""Tests on seed means: every trained network is one participant."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from numpy.typing import ArrayLike

from toolkit.statistics.student import quantile, two_sided, varies

Floats = npt.NDArray[np.float64]
DEFAULT_BOUND = 0.05
"""Differences below 5 percentage points count as equivalent unless another bound is stated."""
LARGEST_EXPONENT = 700.0
"""Factors above e to this power count as infinite."""
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
    from scipy.special import stdtr

    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    std_error = math.sqrt(va + vb)
    df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))
    t = difference / std_error
    half = quantile(float(df)) * std_error
    lower, upper = (
        float(stdtr(df, -(difference + bound) / std_error)),
        float(stdtr(df, (difference - bound) / std_error)),
    )
    return SeedComparison(
        name=name,
        n_first=len(a),
        n_second=len(b),
        difference=difference,
        std_error=std_error,
        t=t,
        df=float(df),
        p_value=two_sided(t, float(df)),
        ci_low=max(-1.0, difference - half),
        ci_high=min(1.0, difference + half),
        hedges_g=hedges_g(a, b),
        bayes_factor=bayes_factor(student_t(a, b), len(a), len(b)),
        bound=bound,
        p_equivalence=max(lower, upper),
    )


def student_t(first: ArrayLike, second: ArrayLike) -> float:
    """Student's t of two groups: the test whose Bayes factor is known in closed form.

    Example:
        >>> round(student_t([2.0, 4.0, 6.0], [1.0, 3.0, 5.0]), 3)
        0.612
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    return float((a.mean() - b.mean()) / _pooled_sd(a, b) / math.sqrt(1 / len(a) + 1 / len(b)))


def _pooled_sd(a: Floats, b: Floats) -> float:
    squares = a.var(ddof=1) * (len(a) - 1) + b.var(ddof=1) * (len(b) - 1)
    return math.sqrt(squares / (len(a) + len(b) - 2))


def hedges_g(first: ArrayLike, second: ArrayLike) -> float:
    """Difference of means over the pooled SD, corrected for small samples.

    Hedges (1981, Journal of Educational Statistics 6, 107-128), with the approximate correction
    1 - 3 / (4 (n1 + n2) - 9).

    Example:
        >>> round(hedges_g([2.0, 4.0, 6.0], [1.0, 3.0, 5.0]), 3)
        0.4
    """
    a, b = np.asarray(first, float), np.asarray(second, float)
    n = len(a) + len(b)
    return float((a.mean() - b.mean()) / _pooled_sd(a, b) * (1 - 3 / (4 * n - 9)))


def bayes_factor(t: float, n_first: int, n_second: int) -> float:
    """BF10 of a two-sample t test: how much better a difference predicts the data than none.

    Rouder et al. (2009, Psychonomic Bulletin & Review 16, 225-237), equation 1, with the
    effective sample size of two groups and a Cauchy prior of scale `PRIOR_SCALE` on d, which is
    a normal one whose variance g times the squared scale is inverse chi-squared.

    Args:
        t: of Student's test.
        n_first: size of the first group.
        n_second: size of the second group.

    Returns:
        The factor; infinite above e to the power `LARGEST_EXPONENT`.

    Example:
        >>> round(bayes_factor(0.0, 10, 10), 3), round(bayes_factor(3.5, 20, 20), 2)
        (0.397, 26.74)
    """
    n, df = n_first * n_second / (n_first + n_second), n_first + n_second - 2
    # Below and above, the density falls short of its peak by more than e^-60. The trapezoidal rule
    # converges faster than any power of the step where a smooth function ends in nothing.
    log_g, step = np.linspace(-8.0, 60 + math.log1p(t**2), 4001, retstep=True)
    grown = 1 + n * PRIOR_SCALE**2 * np.exp(log_g)
    ratio = (df + 1) / 2 * (math.log1p(t**2 / df) - np.log1p(t**2 / df / grown))
    exponent = ratio - np.log(grown) / 2 - log_g / 2 - np.exp(-log_g) / 2
    peak = float(exponent.max())
    if peak > LARGEST_EXPONENT:
        return math.inf
    return float(np.exp(exponent - peak).sum() * step * math.exp(peak) / math.sqrt(2 * math.pi))


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
    t = float((values.mean() - chance) / (values.std(ddof=1) / math.sqrt(len(values))))
    df = len(values) - 1.0
    return t, df, two_sided(t, df)
