"""Children of one study in age groups of half a year: every child counts once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.models.student import share_interval

if TYPE_CHECKING:
    import pandas as pd

HALF_YEAR = 6.0
"""Months of an age group."""


@dataclass(frozen=True)
class AgeGroup:
    """Children of about the same age."""

    source: str
    """Whose children, as a legend names them."""
    age_months: float
    """Middle of the group, or mean age in it."""
    share: float
    """Mean over children of their share of right choices (or of looking), of 1."""
    ci_low: float
    """Lower end of the 95 % interval over children (or as published); NaN where there is none."""
    ci_high: float
    """Upper end."""
    n_children: int
    """Children in it."""


def by_half_year(
    trials: pd.DataFrame,
    source: str,
    youngest: float = 0.0,
    oldest: float = math.inf,
    *,
    at_mean_age: bool = False,
) -> tuple[AgeGroup, ...]:
    """Share of right choices by half-year of age.

    Groups reach from one half-year to the next, above 30 up to 36 months for example; the first
    holds `youngest` too. The interval is Student's t over children on the logit scale.

    Args:
        trials: one row per trial: ``child``, ``age_months``, ``correct``.
        source: whose children, as a legend names them.
        youngest: younger children are left out; a multiple of 6.
        oldest: older children are left out.
        at_mean_age: whether a group stands at the mean age in it instead of its middle.

    Example:
        >>> import pandas as pd
        >>> table = pd.DataFrame({"child": [1, 1, 2, 3], "age_months": [25, 25, 30, 31],
        ...                       "correct": [1, 0, 1, 1]})
        >>> [(g.age_months, g.share, g.n_children) for g in by_half_year(table, "some")]
        [(27.0, 0.75, 2), (33.0, 1.0, 1)]
    """
    children = trials.groupby("child", observed=True).agg(
        age_months=("age_months", "first"), share=("correct", "mean")
    )
    age = children["age_months"]
    kept = children[(age >= youngest) & (age <= oldest)]
    end = np.maximum(np.ceil(kept["age_months"] / HALF_YEAR), youngest / HALF_YEAR + 1)
    middle = (end - 0.5) * HALF_YEAR
    groups = kept.groupby(middle)
    table = groups["share"].agg(["mean", "sem", "size"])
    low, high = share_interval(table["mean"], table["sem"].fillna(0), table["size"] - 1)
    ages = groups["age_months"].mean() if at_mean_age else table.index.to_series()
    rows = table.assign(low=low, high=high, age_months=ages)
    return tuple(
        AgeGroup(source, row["age_months"], row["mean"], row["low"], row["high"], int(row["size"]))
        for row in rows.to_dict("records")
    )
