"""How numbers are written, on the terminal and on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

NONE = "-"
"""Stands where there is no number."""


def percent(share: float | None) -> str:
    """A share as per cent with one decimal; a dash where there is no number.

    Example:
        >>> percent(0.6621), percent(None)
        ('66.2 %', '-')
    """
    return NONE if share is None else f"{100 * share:.1f} %"


def number(value: Any, factor: float = 1, digits: int = 1) -> str:
    """A number with so many decimals; infinity is stored as text.

    Example:
        >>> number(0.5162, 100), number("inf"), number(None)
        ('51.6', 'inf', '-')
    """
    if value is None:
        return NONE
    return "inf" if value == "inf" else f"{factor * value:.{digits}f}"


def interval(low: float | None, high: float | None, factor: float = 1, digits: int = 1) -> str:
    """An interval in brackets.

    Example:
        >>> interval(0.483, 0.66, 100)
        '[48.3, 66.0]'
    """
    if low is None or high is None:
        return NONE
    return f"[{factor * low:.{digits}f}, {factor * high:.{digits}f}]"


def p_value(value: float | None) -> str:
    """A p-value without its leading zero.

    Example:
        >>> p_value(0.0123), p_value(0.00001), p_value(1.0)
        ('.012', '<.001', '1.000')
    """
    if value is None:
        return NONE
    return "<.001" if value < 0.001 else f"{value:.3f}".removeprefix("0")


def odds_ratio(effect: Mapping[str, Any]) -> str:
    """Odds ratio and interval of an effect on the logit scale.

    Example:
        >>> odds_ratio({"estimate": 0.0, "ci_low": -0.5, "ci_high": 0.5})
        '1.00 [0.61, 1.65]'
    """
    from math import exp

    if effect.get("estimate") is None:
        return NONE
    low, high = effect["ci_low"], effect["ci_high"]
    return f"{exp(effect['estimate']):.2f} [{exp(low):.2f}, {exp(high):.2f}]"


def t_of_df(effect: Mapping[str, Any]) -> str:
    """A test statistic with its degrees of freedom.

    Example:
        >>> t_of_df({"statistic": 1.658, "df": 34.4})
        '1.66 (34.4)'
    """
    if effect.get("statistic") is None:
        return NONE
    return f"{effect['statistic']:.2f} ({number(effect['df'])})"


def models_of(group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All comparisons of a condition in the order of the page: overall, languages, populations.

    Example:
        >>> models_of({"overall": {"name": "all"}, "by_language": [], "by_population": []})
        [{'name': 'all'}]
    """
    return [group["overall"], *group["by_language"], *group["by_population"]]
