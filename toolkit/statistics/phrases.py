"""Numbers in words: the parts that sentences about results are made of."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from toolkit.statistics.results import Contrast


def p_value(p: float) -> str:
    """A p-value as APA style writes it.

    Example:
        >>> p_value(0.0003), p_value(0.0412), p_value(float("nan"))
        ('p < .001', 'p = .041', 'p not available')
    """
    if math.isnan(p):
        return "p not available"
    return "p < .001" if p < 0.001 else f"p = {p:.3f}".replace("0.", ".", 1)


def percent(share: float) -> str:
    """A share as per cent with one decimal.

    Example:
        >>> percent(0.5)
        '50.0 %'
    """
    return f"{100 * share:.1f} %"


def points(difference: float) -> str:
    """A difference of shares in percentage points, without sign."""
    return f"{100 * abs(difference):.1f} percentage points"


def statistic(value: float, df: float) -> str:
    """T with its degrees of freedom, or z."""
    return f"z = {value:.2f}" if math.isinf(df) else f"t({df:.1f}) = {value:.2f}"


def count(n: int, what: str) -> str:
    """A number of things.

    Example:
        >>> count(1, "seed"), count(3, "seed")
        ('1 seed', '3 seeds')
    """
    return f"{n} {what}{'s' * (n != 1)}"


def ratio(log_odds: float) -> str:
    """An odds ratio that can be read, whatever its size.

    Example:
        >>> ratio(0.0), ratio(-2.5), ratio(900.0), ratio(-20.0)
        ('1.00', '0.082', 'over 9999', 'under .0001')
    """
    if log_odds > math.log(9999):
        return "over 9999"
    value = math.exp(log_odds)
    if value < 0.0001:
        return "under .0001"
    return f"{value:.2f}" if value >= 0.1 else f"{value:.2g}"


def odds_ratio(effect: Contrast) -> str:
    """Odds ratio with its interval; without one where there is none."""
    if math.isnan(effect.ci_low):
        return f"odds ratio {ratio(effect.estimate)}"
    return (
        f"odds ratio {ratio(effect.estimate)} [{ratio(effect.ci_low)}, {ratio(effect.ci_high)}]"
    )  # fmt: skip


def difference(effect: Contrast) -> str:
    """A contrast as a difference in percentage points, its direction, and its interval.

    Example:
        >>> nan = float("nan")
        >>> difference(Contrast("", -1.0, 1.0, 9.0, -1.0, 0.3, nan, -3.0, 1.0, 0.0, -0.02, -0.05,
        ...                     0.01))
        '2.0 percentage points lower [-5.0, +1.0]'
    """
    value = effect.probability_difference
    direction = "higher" if effect.estimate > 0 else "lower"
    known = not math.isnan(effect.probability_ci_low)
    low, high = effect.probability_ci_low, effect.probability_ci_high
    interval = f" [{100 * low:+.1f}, {100 * high:+.1f}]" if known else ""
    if effect.estimate == 0:
        return f"no difference in either direction{interval}"
    return f"{points(value)} {direction}{interval}"


def test_of(effect: Contrast) -> str:
    """Statistic and p-value of a contrast, corrected where it was."""
    if math.isnan(effect.p_value):
        return ""
    corrected = not math.isnan(effect.p_holm)
    p = effect.p_holm if corrected else effect.p_value
    mark = " (Holm)" if corrected and effect.p_holm != effect.p_value else ""
    return f"{statistic(effect.statistic, effect.df)}, {p_value(p)}{mark}"


def missed(visible: float, largest: float) -> str:
    """What the deciding test would not have shown.

    Args:
        visible: difference, as a share of 1, that it would have shown in four of five cases.
        largest: the largest difference there can be.
    """
    if math.isnan(visible):
        return ""
    if visible >= largest - 0.0005:
        return "No difference, however large, would have been shown in four of five experiments."
    return (
        f"A true difference below about {points(visible)} would be missed more than one time in "
        "five by this test."
    )


def listed(names: Iterable[str]) -> str:
    """Names in brackets, where they are few enough to be read."""
    known = list(names)
    return f" ({', '.join(known)})" if 0 < len(known) <= 4 else ""


def joined(parts: Sequence[str], mark: str = "; ") -> str:
    """Those parts that say something."""
    return mark.join(part for part in parts if part)
