"""Student's t as every test here needs it; the normal distribution for infinite df."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


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


def standardised(differences: npt.NDArray[np.float64]) -> float:
    """Mean over standard deviation (d); NaN where fewer than two values vary.

    Example:
        >>> import numpy as np
        >>> round(standardised(np.array([1.0, 3.0])), 3), standardised(np.array([2.0, 2.0]))
        (1.414, nan)
    """
    if len(differences) < 2 or not differences.std(ddof=1) > 0:
        return math.nan
    return float(differences.mean() / differences.std(ddof=1))
