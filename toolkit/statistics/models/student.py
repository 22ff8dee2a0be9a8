"""Student's t as every test here needs it; the normal distribution for infinite df."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
ROUNDING = 1e-9
"""Shares of correct answers that differ by less differ by the rounding of computers alone: a
difference of one answer is larger in any table that memory holds."""


def quantile(df: float) -> float:
    """97.5 % quantile of Student's t; of the normal distribution for infinite df.

    Example:
        >>> round(quantile(4), 3), round(quantile(float("inf")), 3)
        (2.776, 1.96)
    """
    from scipy.special import ndtri, stdtrit

    return float(ndtri(0.975) if math.isinf(df) else stdtrit(df, 0.975))


def two_sided(statistic: float, df: float) -> float:
    """Two-sided p-value of t (or of z for infinite df); NaN for NaN."""
    from scipy.special import ndtr, stdtr

    if math.isnan(statistic):
        return math.nan
    lower = ndtr(-abs(statistic)) if math.isinf(df) else stdtr(df, -abs(statistic))
    return float(2 * lower)


def share_interval(
    mean: npt.ArrayLike, std_error: npt.ArrayLike, df: npt.ArrayLike, level: float = 0.95
) -> tuple[Floats, Floats]:
    """Interval of a mean of shares that ends within 0 and 1.

    Student's t on the logit scale, where the standard error of a share m is that of m divided by
    m (1 - m) (delta method), carried back to shares.

    Args:
        mean: mean share, one or many.
        std_error: its standard error.
        df: degrees of freedom.
        level: confidence level.

    Returns:
        Lower and upper ends; NaN where nothing varies, so that there is no interval.

    Example:
        >>> low, high = share_interval([0.6, 0.98, 1.0], [0.02, 0.02, 0.0], 9)
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.554, 0.83, nan], [0.644, 0.998, nan])
    """
    # scipy.special rather than scipy.stats: a second of import time less for the same quantile.
    from scipy.special import expit, logit, stdtrit

    m, error = np.asarray(mean, float), np.asarray(std_error, float)
    varies = (error > ROUNDING) & (m > 0) & (m < 1)
    m, error = np.where(varies, m, np.nan), np.where(varies, error, np.nan)
    half = stdtrit(np.asarray(df, float), (1 + level) / 2) * error / (m * (1 - m))
    return expit(logit(m) - half), expit(logit(m) + half)


def varies(values: npt.ArrayLike) -> bool:
    """True if shares differ by more than the rounding of computers.

    Example:
        >>> import numpy as np
        >>> alike = np.array([0.3, 0.1 + 0.2, 0.3])
        >>> bool(alike.std() > 0), varies(alike), varies([0.3, 0.31]), varies([0.3])
        (True, False, True, False)
    """
    found = np.asarray(values, float)
    return len(found) > 1 and bool(np.ptp(found) > ROUNDING)


def standardised(differences: Floats) -> float:
    """Mean over standard deviation (d); NaN where fewer than two values vary.

    Example:
        >>> import numpy as np
        >>> round(standardised(np.array([1.0, 3.0])), 3), standardised(np.array([2.0, 2.0]))
        (1.414, nan)
    """
    if not varies(differences):
        return math.nan
    return float(differences.mean() / differences.std(ddof=1))
