"""Odds ratios and Bayes factors in words, whatever their size."""

from __future__ import annotations

import math

from toolkit.statistics.phrases import LARGEST, MOST_DECIMALS, joined

SMALLEST_RATIO = 0.0001
"""Odds ratios and Bayes factors below it are not told apart."""


def ratios(*log_odds: float) -> list[str]:
    """Odds ratios that can be read, whatever their size, and told from each other and from 1.

    Example:
        >>> ratios(0.0), ratios(-2.5, 900.0), ratios(-20.0), ratios(0.001, 0.2)
        (['1.00'], ['0.082', 'over 9999'], ['under .0001'], ['1.001', '1.221'])
    """
    different = {0.0, *(value for value in log_odds if abs(value) < math.log(LARGEST))}
    for more in range(MOST_DECIMALS):
        if len({_ratio(value, more) for value in different}) == len(different):
            return [_ratio(value, more) for value in log_odds]
    return [_ratio(value, 0) for value in log_odds]


def beyond(log_odds: float) -> bool:
    """True if a ratio is so large or so small that only its bound is told.

    Example:
        >>> beyond(20.0), beyond(0.0), beyond(-math.inf)
        (True, False, True)
    """
    return log_odds > math.log(LARGEST) or math.exp(log_odds) < SMALLEST_RATIO


def _ratio(log_odds: float, more: int) -> str:
    """An odds ratio with so many digits more than two."""
    if beyond(log_odds):
        return f"over {LARGEST:.0f}" if log_odds > 0 else "under .0001"
    value = math.exp(log_odds)
    return f"{value:.{2 + more}{'f' if value >= 0.1 else 'g'}}"


def factor(bayes_factor: float) -> str:
    """A Bayes factor.

    Example:
        >>> factor(3.456), factor(float("inf")), factor(0.02)
        ('3.46', 'over 9999', '0.02')
    """
    return _ratio(log_factor(bayes_factor), 0)


def log_factor(bayes_factor: float) -> float:
    """Logarithm of a Bayes factor, which may be 0."""
    return math.log(bayes_factor) if bayes_factor > 0 else -math.inf


def odds_ratio(estimate: float, low: float, high: float) -> str:
    """Odds ratio with its interval, from log odds; without one where there is none.

    Example:
        >>> odds_ratio(0.0, -0.5, 0.5), odds_ratio(0.7, float("nan"), float("nan"))
        ('1.00 [0.61, 1.65]', '2.01')
    """
    return joined(odds_and_ends(estimate, low, high), " ")


def odds_and_ends(estimate: float, low: float, high: float) -> tuple[str, str]:
    """Odds ratio and its interval in brackets, from log odds; empty where there is none."""
    if math.isnan(low) or math.isnan(high):
        return ratios(estimate)[0], ""
    middle, *ends = ratios(estimate, low, high)
    # Beyond the numbers that are told apart there is no interval to be seen.
    return middle, f"[{', '.join(ends)}]" if ends[0] != ends[1] else ""
