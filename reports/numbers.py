"""How numbers are written, on the terminal and on the page.

What does not exist is NaN, or infinite where no end is known. Neither is ever shown.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError
from toolkit.statistics import phrases, ratios

if TYPE_CHECKING:
    from toolkit.statistics.choices.groups import GroupComparison
    from toolkit.statistics.choices.trends import TrendTest
    from toolkit.statistics.models.results import Contrast

NONE = "-"
"""Stands where there is no number."""


def real(value: Any) -> float:
    """A number as it is, and NaN where there is none; tables of results may hold anything.

    Args:
        value: from results that were read from a file.

    Raises:
        ToolkitError: it is a text.

    Example:
        >>> real(0.5), real(None)
        (0.5, nan)
    """
    if value is None:
        return math.nan
    if isinstance(value, str) or not hasattr(value, "__float__"):
        raise ToolkitError(
            "Where a number belongs, the results hold something else.",
            given=str(value),
            allowed="a number, or null where there is none",
            next_command="mevgs-toolkit analyze RUN, which makes the results again",
        )
    found: float = value
    return found


def percent(share: float) -> str:
    """A share as per cent with one decimal; a dash where there is no number.

    Example:
        >>> percent(0.6621), percent(math.nan)
        ('66.2 %', '-')
    """
    return NONE if math.isnan(real(share)) else phrases.percent(share)


def number(value: float, factor: float = 1, digits: int = 1) -> str:
    """A number with so many decimals.

    Example:
        >>> number(0.5162, 100), number(math.inf), number(math.nan), number(-0.001)
        ('51.6', '-', '-', '0.0')
    """
    return phrases.fixed(factor * value, digits) if math.isfinite(real(value)) else NONE


def interval(
    low: float, high: float, factor: float = 1, digits: int = 1, mark: float = math.nan
) -> str:
    """An interval in brackets, with as many decimals as tell its ends apart.

    Args:
        low: lower end.
        high: upper end.
        factor: both are multiplied with it.
        digits: decimals in any case.
        mark: value, already multiplied, that the interval must not seem to touch.

    Example:
        >>> interval(0.483, 0.66, 100), interval(0.5, 0.5), interval(math.nan, math.nan)
        ('[48.3, 66.0]', '-', '-')
    """
    return estimate(math.nan, low, high, factor, digits, mark)


def between(low: float, high: float) -> str:
    """The interval of a share as per cent; a dash where there is none.

    Example:
        >>> between(0.483, 0.66), between(math.nan, math.nan)
        ('48.3 % to 66.0 %', '-')
    """
    if math.isnan(real(low)) or math.isnan(real(high)):
        return NONE
    return " to ".join(f"{end} %" for end in phrases.alike([100 * low, 100 * high]))


def in_one_cell(cells: Iterable[str]) -> str:
    """A number and its interval in one cell; a dash where there is neither.

    Example:
        >>> in_one_cell(["50.2", "[40.9, 59.6]"]), in_one_cell(["-", "-"])
        ('50.2 [40.9, 59.6]', '-')
    """
    return " ".join(cell for cell in cells if cell != NONE) or NONE


def estimate(
    value: float,
    low: float,
    high: float,
    factor: float = 1,
    digits: int = 1,
    mark: float = math.nan,
) -> str:
    """A number and its interval, with the same decimals; arguments as in `interval`.

    Example:
        >>> estimate(-0.031, -0.125, 0.064, 100, mark=0.0), estimate(0.5, math.nan, math.nan, 100)
        ('-3.1 [-12.5, 6.4]', '50.0')
    """
    value, low, high = map(real, (value, low, high))
    known = [factor * x for x in (value, low, high) if math.isfinite(x)]
    n_ends = sum(map(math.isfinite, (low, high)))
    ends = phrases.alike(known, [] if math.isnan(mark) else [mark], digits)
    shown = ends[: len(known) - n_ends]
    if n_ends == 2 and ends[-2] != ends[-1]:
        shown.append(f"[{ends[-2]}, {ends[-1]}]")
    return " ".join(shown) or NONE


def p_value(value: float) -> str:
    """A p-value without its leading zero.

    Example:
        >>> p_value(0.0123), p_value(0.00001), p_value(1.0)
        ('.012', '<.001', '1.000')
    """
    return NONE if math.isnan(real(value)) else phrases.bare_p(value)


def odds_ratio(effect: Contrast | None) -> str:
    """Odds ratio and interval of an effect on the logit scale; a dash where there is none."""
    if effect is None or math.isnan(effect.estimate):
        return NONE
    return ratios.odds_ratio(effect.estimate, effect.ci_low, effect.ci_high)


def slope_ratio(test: TrendTest) -> str:
    """Odds ratio per unit of a graded factor with its interval; a dash where there is none."""
    if math.isnan(test.slope):
        return NONE
    return ratios.odds_ratio(test.slope, test.slope_low, test.slope_high)


def points(effect: Contrast) -> str:
    """Difference of probabilities of an effect in percentage points, with its interval."""
    ends = effect.probability_ci_low, effect.probability_ci_high
    return estimate(effect.probability_difference, *ends, 100, mark=0.0)


def t_of_df(statistic: float, df: float) -> str:
    """A test statistic with its degrees of freedom; z where they are infinite.

    Example:
        >>> t_of_df(1.658, 34.4), t_of_df(1.658, math.inf), t_of_df(math.nan, 3.0)
        ('1.66 (34.4)', 'z = 1.66', '-')
    """
    if math.isnan(real(statistic)) or math.isnan(real(df)):
        return NONE
    if math.isinf(df):
        return phrases.statistic(statistic, df)
    return f"{phrases.size(statistic)} ({phrases.freedom(df)})"


def bayes_factor(value: float) -> str:
    """A Bayes factor.

    Example:
        >>> bayes_factor(0.317), bayes_factor(math.inf), bayes_factor(math.nan)
        ('0.32', 'over 9999', '-')
    """
    return NONE if math.isnan(real(value)) else ratios.factor(value)


def places_of(groups: Sequence[GroupComparison]) -> list[str]:
    """What tells comparisons apart: condition, kind of subjects, or nothing."""
    return phrases.apart([(group.condition, group.subject_kind) for group in groups])


def titles_of(groups: Sequence[GroupComparison]) -> list[str]:
    """Conditions of comparisons, and the kinds of subjects where there are several."""
    kinds = phrases.apart([(group.subject_kind,) for group in groups])
    return [f"{group.condition}{kind}" for group, kind in zip(groups, kinds, strict=True)]
