"""How numbers are written, on the terminal and on the page.

They come from JSON: what does not exist is None, infinities are text. Neither is ever shown.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from toolkit.statistics import phrases

NONE = "-"
"""Stands where there is no number."""


def percent(share: float | None) -> str:
    """A share as per cent with one decimal; a dash where there is no number.

    Example:
        >>> percent(0.6621), percent(None)
        ('66.2 %', '-')
    """
    return NONE if share is None else phrases.percent(share)


def number(value: Any, factor: float = 1, digits: int = 1) -> str:
    """A number with so many decimals.

    Example:
        >>> number(0.5162, 100), number("inf"), number(None), number(-0.001)
        ('51.6', '-', '-', '0.0')
    """
    real = _real(value)
    return phrases.fixed(factor * real, digits) if math.isfinite(real) else NONE


def interval(
    low: Any, high: Any, factor: float = 1, digits: int = 1, mark: float = math.nan
) -> str:
    """An interval in brackets, with as many decimals as tell its ends apart.

    Args:
        low: lower end.
        high: upper end.
        factor: both are multiplied with it.
        digits: decimals in any case.
        mark: value, already multiplied, that the interval must not seem to touch.

    Example:
        >>> interval(0.483, 0.66, 100), interval(0.5, 0.5), interval(None, None)
        ('[48.3, 66.0]', '-', '-')
    """
    return estimate(None, low, high, factor, digits, mark)


def between(low: float | None, high: float | None) -> str:
    """The interval of a share as per cent; a dash where there is none.

    Example:
        >>> between(0.483, 0.66), between(None, None)
        ('48.3 % to 66.0 %', '-')
    """
    if low is None or high is None:
        return NONE
    return " to ".join(f"{end} %" for end in phrases.alike([100 * low, 100 * high]))


def estimate(
    value: Any, low: Any, high: Any, factor: float = 1, digits: int = 1, mark: float = math.nan
) -> str:
    """A number and its interval, with the same decimals; arguments as in `interval`.

    Example:
        >>> estimate(-0.031, -0.125, 0.064, 100, mark=0.0), estimate(0.5, None, None, 100)
        ('-3.1 [-12.5, 6.4]', '50.0')
    """
    known = [factor * x for x in map(_real, (value, low, high)) if math.isfinite(x)]
    n_ends = sum(math.isfinite(_real(x)) for x in (low, high))
    ends = phrases.alike(known, [] if math.isnan(mark) else [mark], digits)
    shown = ends[: len(known) - n_ends]
    if n_ends == 2 and ends[-2] != ends[-1]:
        shown.append(f"[{ends[-2]}, {ends[-1]}]")
    return " ".join(shown) or NONE


def p_value(value: float | None) -> str:
    """A p-value without its leading zero.

    Example:
        >>> p_value(0.0123), p_value(0.00001), p_value(1.0)
        ('.012', '<.001', '1.000')
    """
    return NONE if value is None else phrases.bare_p(value)


def odds_ratio(effect: Mapping[str, Any]) -> str:
    """Odds ratio and interval of an effect on the logit scale.

    Example:
        >>> odds_ratio({"estimate": 0.0, "ci_low": -0.5, "ci_high": 0.5})
        '1.00 [0.61, 1.65]'
    """
    middle, low, high = (_real(effect.get(name)) for name in ("estimate", "ci_low", "ci_high"))
    return NONE if math.isnan(middle) else phrases.odds_ratio(middle, low, high)


def t_of_df(effect: Mapping[str, Any]) -> str:
    """A test statistic with its degrees of freedom; z where they are infinite.

    Example:
        >>> t_of_df({"statistic": 1.658, "df": 34.4}), t_of_df({"statistic": 1.658, "df": "inf"})
        ('1.66 (34.4)', 'z = 1.66')
    """
    value, df = _real(effect.get("statistic")), _real(effect.get("df"))
    if math.isnan(value) or math.isnan(df):
        return NONE
    if math.isinf(df):
        return phrases.statistic(value, df)
    return f"{phrases.size(value)} ({phrases.freedom(df)})"


def bayes_factor(value: Any) -> str:
    """A Bayes factor.

    Example:
        >>> bayes_factor(0.317), bayes_factor("inf"), bayes_factor(None)
        ('0.32', 'over 9999', '-')
    """
    real = _real(value)
    return NONE if math.isnan(real) else phrases.factor(real)


def models_of(group: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """All comparisons of a condition in the order of the page: overall, languages, populations.

    Example:
        >>> models_of({"overall": {"name": "all"}, "by_language": [], "by_population": []})
        [{'name': 'all'}]
    """
    return [group["overall"], *group["by_language"], *group["by_population"]]


def places_of(groups: list[Mapping[str, Any]]) -> list[str]:
    """What tells comparisons apart: condition, kind of subjects, or nothing.

    Example:
        >>> places_of([{"condition": "novel-familiar", "subject_kind": "model"}])
        ['']
    """
    return phrases.apart([(group["condition"], group["subject_kind"]) for group in groups])


def titles_of(groups: list[Mapping[str, Any]]) -> list[str]:
    """Conditions of comparisons, and the kinds of subjects where there are several.

    Example:
        >>> titles_of([{"condition": "novel-familiar", "subject_kind": "model"}])
        ['novel-familiar']
    """
    kinds = phrases.apart([(group["subject_kind"],) for group in groups])
    return [f"{group['condition']}{kind}" for group, kind in zip(groups, kinds, strict=True)]


def _real(value: Any) -> float:
    """A number of JSON; NaN where there is none."""
    return math.nan if value is None else float(value)
