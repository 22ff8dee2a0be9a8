"""Seeds per group without simulation: formula and noncentral t; and an interval for shares."""

from __future__ import annotations

import math

SMALLEST = 2
"""Fewer seeds per group have no variance."""


def formula_seeds(
    difference: float, seed_sd: float, alpha: float = 0.05, power: float = 0.8
) -> float:
    """Seeds per group by the back-of-envelope formula 2 (z + z)^2 SD^2 / difference^2.

    Not rounded. It takes the SD as known and so asks for one or two seeds too few. With the
    quantiles rounded to 1.96 + 0.84 and the difference of the published means not rounded (67.03
    less 65.77 = 1.267 points, printed 1.3), SD 3 points, it gives 87.96: the 88 seeds per cell
    that circulate. From the printed 1.3 it gives 83.5; for 2.7 points 19.4, quoted as 19.

    Args:
        difference: difference of two group means, any unit.
        seed_sd: SD over seeds within a group, same unit.
        alpha: two-sided level.
        power: power wanted.

    Source:
        Cohen (1988), Statistical Power Analysis, section 2.4, with the normal for the t.

    Example:
        >>> [round(formula_seeds(difference, 3), 1) for difference in (1.3, 67.033 - 65.767, 2.7)]
        [83.6, 88.1, 19.4]
    """
    from scipy.special import ndtri

    quantiles = float(ndtri(1 - alpha / 2) + ndtri(power))
    return 2 * (quantiles * seed_sd / difference) ** 2


def analytic_power(n_seeds: int, difference: float, seed_sd: float, alpha: float = 0.05) -> float:
    """Power of the two-sided two-sample t-test, from the noncentral t distribution.

    Args:
        n_seeds: seeds per group, 2 or more.
        difference: difference of the group means, any unit.
        seed_sd: SD over seeds within each group, same unit.
        alpha: two-sided level.

    Example:
        >>> round(analytic_power(85, 1.3, 3), 4)
        0.802
    """
    shift = abs(difference) / seed_sd * math.sqrt(n_seeds / 2)
    return power_of_t(2 * n_seeds - 2, shift, alpha)


def power_of_words(n_words: int, effect: float, slope_sd: float, alpha: float = 0.05) -> float:
    """Power that no number of seeds exceeds, because the effect varies over few words.

    With endless seeds the effect of every word is known, and what is left is a t-test over words.

    Args:
        n_words: words, the same for all seeds.
        effect: mean effect over words, log odds.
        slope_sd: SD of the effect over words, log odds.
        alpha: two-sided level.

    Example:
        >>> [round(power_of_words(n, math.log(0.8), 0.36), 2) for n in (20, 40)]
        [0.75, 0.97]
    """
    if slope_sd == 0:
        return 1.0
    if n_words < 2:
        return alpha
    return power_of_t(n_words - 1, abs(effect) / slope_sd * math.sqrt(n_words), alpha)


def power_of_t(df: float, shift: float, alpha: float) -> float:
    """Power of a two-sided t-test whose statistic is shifted by so many standard errors."""
    from scipy.special import nctdtr, ndtr, stdtrit

    critical = stdtrit(df, 1 - alpha / 2)
    power = float(1 - nctdtr(df, shift, critical) + nctdtr(df, shift, -critical))
    # Far from the null, where the power is 1 to many digits, the series does not converge.
    return power if math.isfinite(power) else float(ndtr(shift - critical))


def exact_seeds(difference: float, seed_sd: float, alpha: float = 0.05, power: float = 0.8) -> int:
    """Fewest seeds per group with which the two-sample t-test reaches a power.

    Args:
        difference: difference of two group means, any unit.
        seed_sd: SD over seeds within a group, same unit.
        alpha: two-sided level.
        power: power wanted.

    Example:
        >>> [exact_seeds(difference, 3) for difference in (1.3, 67.033 - 65.767, 2.7)]
        [85, 90, 21]
    """
    n_seeds = max(SMALLEST, math.floor(formula_seeds(difference, seed_sd, alpha, power)))
    while analytic_power(n_seeds, difference, seed_sd, alpha) < power:
        n_seeds += 1
    return n_seeds


def wilson(n_hits: int, n: int) -> tuple[float, float]:
    """95 % interval of a share after Wilson (1927), JASA 22, 209-212.

    Example:
        >>> [round(end, 4) for end in wilson(8, 10)]
        [0.4902, 0.9433]
    """
    z2, share = 1.959963984540054**2, n_hits / n
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = math.sqrt(z2 * (share * (1 - share) / n + z2 / (4 * n**2))) / (1 + z2 / n)
    return centre - half, centre + half
