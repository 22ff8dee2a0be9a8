"""Languages as the sample: means with intervals, groups of languages, pairs of encoders.

Where the contrast is between languages, no number of pictures makes up for few languages. What
is here starts from one number per language; the mixed model on all rows
(`toolkit.statistics.maps.models`) comes to the same test in balanced designs.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from toolkit.statistics.models.contrasts import effective
from toolkit.statistics.models.student import quantile, two_sided

Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.integer[Any]]
MOST_SPLITS = 20_000
"""So many ways to split the languages are gone through; from more, so many are drawn."""
MOST_ORDERED = 8
"""So many languages are put into all orders (40,320)."""
CROSSED = ("picture", "concept", "seed")
"""What varies crosswise beneath the mean of a language."""
NOTHING = math.nan


@dataclass(frozen=True)
class Estimate:
    """A mean or a difference with its uncertainty."""

    value: float
    """The estimate."""
    std_error: float
    """Standard error; NaN where nothing can vary."""
    df: float
    """Degrees of freedom; infinite if nothing varies."""
    ci_low: float
    """Lower end of the 95 % interval (Student's t)."""
    ci_high: float
    """Upper end."""

    @classmethod
    def of(cls, value: float, std_error: float, df: float) -> Estimate:
        """With the interval that follows."""
        half = quantile(df) * std_error if math.isfinite(std_error) else NOTHING
        return cls(value, std_error, df, value - half, value + half)

    def within(self, low: float, high: float) -> Estimate:
        """With the interval cut where what is estimated ends.

        Example:
            >>> Estimate.of(0.9, 0.1, 9.0).within(0, 1).ci_high
            1.0
        """
        ends = (float(np.clip(end, low, high)) for end in (self.ci_low, self.ci_high))
        return Estimate(self.value, self.std_error, self.df, *ends)

    @property
    def is_cut(self) -> bool:
        """True where the interval is shorter than its standard error makes it."""
        if not math.isfinite(self.std_error):
            return False
        return self.ci_high - self.ci_low < 2 * quantile(self.df) * self.std_error - 1e-9

    @property
    def p_value(self) -> float:
        """Two-sided, against 0; NaN without a standard error."""
        if not self.std_error > 0 or math.isinf(self.std_error):
            return NOTHING
        return two_sided(self.value / self.std_error, self.df)


@dataclass(frozen=True)
class LanguageTest:
    """High- against low-resource languages, one number per language."""

    n_high: int
    """High-resource languages."""
    n_low: int
    """Low-resource languages."""
    mean_high: float
    """Mean over high-resource languages, each weighing the same."""
    mean_low: float
    """Mean over low-resource languages."""
    student: Estimate
    """high - low by Student's t: both groups are taken to vary alike, as in the mixed model."""
    student_p: float
    """Its p-value, two-sided."""
    welch: Estimate
    """high - low by Welch's t: each group varies in its own way."""
    welch_p: float
    """Its p-value."""
    permutation_p: float
    """Share of all ways to call so many languages low that differ at least as much."""
    n_splits: int
    """Ways gone through; drawn at random where `exact` is False."""
    exact: bool
    """True if all ways were gone through."""

    @property
    def smallest_p(self) -> float:
        """Smallest two-sided p-value that the permutation test can give.

        Where both groups are of one size, all ways gone through hold every split twice, once with
        the groups exchanged, and either differs as much as the other.
        """
        return (2 if self.exact and self.n_low == self.n_high else 1) / self.n_splits


def language_test(
    means: Mapping[Any, float], high: Sequence[str], low: Sequence[str], most: float = math.inf
) -> LanguageTest | None:
    """Compare two groups of languages with languages as the sample.

    Args:
        means: one number per language.
        high: codes of one group.
        low: codes of the other.
        most: how large the difference can be at all; intervals are cut there.

    Returns:
        The tests; None with fewer than two languages in a group, which says nothing about others.

    Example:
        >>> means = {"a": 0.6, "b": 0.7, "c": 0.8, "x": 0.3, "y": 0.4}
        >>> test = language_test(means, ["a", "b", "c"], ["x", "y"])
        >>> round(test.student.value, 3), test.student.df, test.permutation_p
        (0.35, 3.0, 0.1)
    """
    a = np.array([means[code] for code in high if math.isfinite(means.get(code, NOTHING))])
    b = np.array([means[code] for code in low if math.isfinite(means.get(code, NOTHING))])
    if len(a) < 2 or len(b) < 2:
        return None
    difference = float(a.mean() - b.mean())
    df = len(a) + len(b) - 2
    pooled = (a.var(ddof=1) * (len(a) - 1) + b.var(ddof=1) * (len(b) - 1)) / df
    va, vb = a.var(ddof=1) / len(a), b.var(ddof=1) / len(b)
    welch_df = (va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1)) if va + vb else df
    student = Estimate.of(difference, math.sqrt(pooled * (1 / len(a) + 1 / len(b))), float(df))
    welch = Estimate.of(difference, math.sqrt(va + vb), float(welch_df))
    p, n, exact = _permuted(np.concatenate([a, b]), len(b), difference)
    return LanguageTest(
        n_high=len(a),
        n_low=len(b),
        mean_high=float(a.mean()),
        mean_low=float(b.mean()),
        student=student.within(-most, most),
        student_p=student.p_value,
        welch=welch.within(-most, most),
        welch_p=welch.p_value,
        permutation_p=p,
        n_splits=n,
        exact=exact,
    )


def _permuted(values: Floats, n_low: int, difference: float) -> tuple[float, int, bool]:
    """Share of splits that differ at least as much, their number, and whether they are all."""
    n = len(values)
    exact = math.comb(n, n_low) <= MOST_SPLITS
    if exact:
        lows = np.array(list(itertools.combinations(range(n), n_low)))
    else:
        rng = np.random.default_rng(0)
        drawn = rng.random((MOST_SPLITS - 1, n)).argsort(axis=1)[:, :n_low]
        lows = np.vstack([np.arange(n - n_low, n), drawn])
    low = values[lows].sum(axis=1)
    found = (values.sum() - low) / (n - n_low) - low / n_low
    # Equal sums in another order may differ in the last digit.
    reached = np.abs(found) >= abs(difference) - 1e-12 * max(1.0, abs(difference))
    return float(reached.mean()), len(lows), exact


def crossed_mean(
    values: Floats,
    factors: Sequence[Codes],
    more: Sequence[Sequence[float]] = (),
    weights: Floats | None = None,
) -> Estimate:
    """Mean with an interval for further pictures, concepts and seeds at once.

    The squared standard error is the sum over the crossed factors of what the variation between
    their levels contributes; what is left within cells is counted once per factor, so that the
    interval is a little too wide rather than too narrow. Small numbers of levels are met as in
    `toolkit.statistics.models.contrasts.effective`.

    Args:
        values: (n,) numbers without gaps.
        factors: (n,) numbers of the levels, one array per factor; a factor with one level says
            nothing and is left out.
        more: factors whose levels are not among the rows any more, one number per level each:
            the seeds of either population where ``values`` are differences of their means.
        weights: (n,) what each number counts, 1 in all; by default all count the same.

    Example:
        >>> found = crossed_mean(np.array([0.2, 0.4, 0.6, 0.8]), [np.array([0, 0, 1, 1])])
        >>> round(found.value, 3), round(found.std_error, 3), found.df
        (0.5, 0.2, 1.0)
    """
    shares = 1 / len(values) if weights is None else weights
    mean = float(values.mean() if weights is None else weights @ values)
    parts = []
    for codes in factors:
        n_levels = int(np.count_nonzero(np.bincount(codes)))
        if n_levels > 1:
            sums = np.bincount(codes, weights=shares * (values - mean))
            parts.append((float(sums @ sums), n_levels, 1))
    for levels in more:
        if len(levels) > 1:
            parts.append((float(np.var(levels)) / len(levels), len(levels), 1))
    if not parts:
        return Estimate.of(mean, NOTHING, math.inf)
    return Estimate.of(mean, *effective(parts, math.sqrt(sum(share for share, _, _ in parts))))


def rank_correlation(x: Sequence[float], y: Sequence[float]) -> tuple[float, float, float, float]:
    """Spearman's correlation with its 95 % interval and p-value.

    The interval is Fisher's with the standard error of Bonett and Wright (2000, Psychometrika 65,
    23-28), sqrt((1 + r^2 / 2) / (n - 3)). The p-value is exact up to `MOST_ORDERED` pairs, the
    share of all orders that correlate at least as much; from more it is that of Student's t, and
    never below that of the only two perfect orders.

    Returns:
        Correlation, lower end, upper end, p-value; NaN with fewer than four pairs or where
        nothing varies.

    Example:
        >>> [round(v, 2) for v in rank_correlation([1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5])]
        [0.83, -0.13, 0.99, 0.06]
    """
    from scipy.stats import rankdata

    a, b = rankdata(np.asarray(x, float)), rankdata(np.asarray(y, float))
    n = len(a)
    if n < 4 or a.std() == 0 or b.std() == 0:
        return (NOTHING,) * 4
    r = float(np.corrcoef(a, b)[0, 1])
    perfect = abs(r) > 1 - 1e-12
    if n <= MOST_ORDERED:
        p = _ordered_p(a, b)
    else:
        t_p = 0.0 if perfect else two_sided(r * math.sqrt((n - 2) / (1 - r**2)), n - 2)
        p = max(t_p, 2 / math.factorial(n))
    if perfect:
        return math.copysign(1.0, r), NOTHING, NOTHING, p
    half = quantile(math.inf) * math.sqrt((1 + r**2 / 2) / (n - 3))
    z = math.atanh(r)
    return r, math.tanh(z - half), math.tanh(z + half), p


def _ordered_p(a: Floats, b: Floats) -> float:
    """Share of all orders of one side that go with the other at least as much as this one."""
    n = len(a)
    flat = itertools.chain.from_iterable(itertools.permutations(range(n)))
    orders = np.fromiter(flat, np.int8, count=math.factorial(n) * n).reshape(-1, n)
    x, y = a - a.mean(), b - b.mean()
    # Ranks are halves, so that sums of their products differ by far more than they are rounded.
    return float((np.abs(x[orders] @ y) >= abs(x @ y) - 1e-9).mean())
