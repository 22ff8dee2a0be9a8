"""Means of populations of models, with their intervals over seeds, as the figures draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolkit.statistics.children.items import CHILD
from toolkit.statistics.children.results import Band
from toolkit.statistics.choices.describe import accuracy_over_seeds, seeds_of_counts
from toolkit.statistics.choices.participants import drawn_populations

if TYPE_CHECKING:
    import pandas as pd


def bands(counts: pd.DataFrame, condition: str) -> tuple[Band, ...]:
    """Populations of models in one condition; children are left out.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave.
        condition: name of the condition.
    """
    own = counts[(counts["condition"] == condition) & (counts["subject_kind"] != CHILD)]
    if own.empty:
        return ()
    known = own.groupby("population", observed=True)["n_languages"].first()
    drawn = drawn_populations(own)
    return tuple(
        Band(
            population=str(row["population"]),
            test_language=str(row["test_language"]),
            n_languages=int(known[row["population"]]),
            n_seeds=int(row["n_seeds"]),
            unit="draw" if row["population"] in drawn else "seed",
            mean=float(row["mean"]),
            ci_low=float(row["ci_low"]),
            ci_high=float(row["ci_high"]),
            chance=float(row["chance"]),
        )
        for row in accuracy_over_seeds(seeds_of_counts(own)).to_dict("records")
    )
