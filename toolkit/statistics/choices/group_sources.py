"""What the difference between two groups of subjects varies over, and their means."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from toolkit.statistics.models.results import FitResult

if TYPE_CHECKING:
    import pandas as pd


def difference_sources(
    fit: FitResult, seeds: pd.DataFrame, table: pd.DataFrame
) -> list[tuple[float, int, int]]:
    """Shares of seeds and words in the variance of bilingual - monolingual; see `effective`."""
    per_cell = seeds.groupby(["test_language", "bilingual"], observed=True)["seed"]
    weight = 1 / seeds["test_language"].nunique() / per_cell.transform("size")
    per_seed = weight.groupby(seeds["seed"], observed=True).sum()
    sds = _sds(fit)
    seed_share = sds.get(("seed", "(Intercept)"), 0.0) ** 2 * float((per_seed**2).sum())
    parts = [(seed_share, len(per_seed), int(seeds["population"].nunique()))]
    if ("familiar_draw", "(Intercept)") in sds:
        # Draws are the same in both groups and cancel; what differs is one difference per draw.
        parts = [(seed_share, int(seeds["familiar_draw"].nunique()), 1)]
    asked = table.groupby(["word", "bilingual"], observed=True).size().unstack(fill_value=0) > 0
    if len(asked) < 2:
        return parts
    # A word that one group alone was asked does not cancel: its level, too, is part of the effect.
    bilingual, monolingual = (asked[group] / asked[group].sum() for group in (1, 0))
    own = (bilingual - monolingual).to_numpy(float)
    slope = bilingual.to_numpy(float)
    level_sd, slope_sd = sds.get(("word", "(Intercept)"), 0.0), sds.get(("word", "bilingual"), 0.0)
    both = _correlation(fit) * level_sd * slope_sd
    share = own @ own * level_sd**2 + slope @ slope * slope_sd**2 + 2 * (own @ slope) * both
    crossed = bool(asked.all(axis=None))
    return [*parts, (max(0.0, float(share)), len(asked), 1 if crossed else 2)]


def mean_sources(
    fit: FitResult, seeds: pd.DataFrame, table: pd.DataFrame, bilingual: int
) -> list[tuple[float, int, int]]:
    """Shares of seeds and words in the variance of the mean of one group; see `effective`."""
    sds, own = _sds(fit), seeds[seeds["bilingual"] == bilingual]
    n_seeds = int(own["seed"].nunique())
    n_words = int(table.loc[table["bilingual"] == bilingual, "word"].nunique())
    level, slope = sds.get(("word", "(Intercept)"), 0.0), sds.get(("word", "bilingual"), 0.0)
    words = level**2 + bilingual * (slope**2 + 2 * _correlation(fit) * level * slope)
    seed = (
        sds.get(("seed", "(Intercept)"), 0.0) ** 2
        + sds.get(("familiar_draw", "(Intercept)"), 0.0) ** 2
    )
    found = [(seed / n_seeds, n_seeds, 1), (max(0.0, words) / n_words, n_words, 1)]
    return [part for part in found if part[1] > 1]


def _sds(fit: FitResult) -> dict[tuple[str, str], float]:
    """Standard deviations by factor and term."""
    return {
        (effect.group, term): sd
        for effect in fit.random_effects
        for term, sd in zip(effect.terms, effect.sds, strict=True)
    }


def _correlation(fit: FitResult) -> float:
    """Correlation of level and slope of words; 0 where one of them does not vary."""
    found = [
        effect.correlations[0][1]
        for effect in fit.random_effects
        if effect.group == "word" and len(effect.sds) > 1
    ]
    return found[0] if found and not math.isnan(found[0]) else 0.0
