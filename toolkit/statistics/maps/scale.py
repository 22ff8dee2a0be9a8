"""Two populations (encoders) on the same pictures and words: does the primary measure differ?"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from stimuli.wording import count
from toolkit.statistics.maps.data import Asked, Grounded
from toolkit.statistics.maps.languages import (
    Estimate,
    LanguageTest,
    crossed_mean,
    language_test,
)
from toolkit.statistics.models.contrasts import holm_p

if TYPE_CHECKING:
    import pandas as pd

    from paradigms import Measure

PAIRED = ("language", "picture", "concept")
"""What a difference between populations is paired by; all three are samples."""
LEAST_LEVELS = 3
"""Fewer pictures, concepts or languages than these say nothing about further ones."""
NOTHING = math.nan


@dataclass(frozen=True)
class ScaleDelta:
    """Two populations (encoders), paired by language, picture and concept."""

    first: str
    """Population that is taken off."""
    second: str
    """Population it is taken from."""
    condition: str
    """Condition: the first that both were run in."""
    n_seeds: tuple[int, int]
    """Networks of the first and of the second."""
    n_pictures: int
    """Pictures that both were shown."""
    n_concepts: int
    """Concepts that both were asked."""
    languages: tuple[tuple[str, str, Estimate], ...]
    """Code, resource and second - first of every language, paired by picture and concept."""
    overall: Estimate
    """Mean over languages, each weighing the same. Its interval is about further pictures,
    concepts, languages and (of a population with several) seeds at once; it is NaN where one of
    the first three has fewer levels than `LEAST_LEVELS`."""
    p_value: float
    """Of the mean, two-sided, uncorrected; NaN without an interval."""
    p_holm: float
    """Corrected after Holm over all pairs of populations."""
    groups: LanguageTest | None
    """Does the difference depend on resource? high - low of the differences, with languages as the
    sample, in these pictures and concepts; uncorrected."""

    @property
    def few(self) -> tuple[str, ...]:
        """What there is too little of for a test, in words; empty where there is enough."""
        counted = {
            "language": len(self.languages),
            "picture": self.n_pictures,
            "concept": self.n_concepts,
        }
        return tuple(count(n, name) for name, n in counted.items() if n < LEAST_LEVELS)


def scale_deltas(
    grounded: Grounded, populations: Sequence[str], conditions: Sequence[str], asked: Asked
) -> tuple[ScaleDelta, ...]:
    """All pairs of populations, each in the first condition that both were run in.

    Args:
        grounded: all trials.
        populations: in the order in which they are to be compared.
        conditions: the most important first.
        asked: declares the primary measure.
    """
    table = grounded.table
    ran = {
        name: set(table.loc[table["population"] == name, "condition"].unique())
        for name in populations
    }
    found = [
        delta
        for first, second in itertools.combinations(populations, 2)
        for condition in [name for name in conditions if name in ran[first] & ran[second]][:1]
        for delta in [_delta(grounded, first, second, condition, asked.primary())]
        if delta is not None
    ]
    corrected = holm_p([delta.p_value for delta in found])
    return tuple(replace(d, p_holm=p) for d, p in zip(found, corrected, strict=True))


def _delta(
    grounded: Grounded, first: str, second: str, condition: str, measure: Measure
) -> ScaleDelta | None:
    """None where they share no picture and word in any language that the measure is told of."""
    whole = grounded.table
    codes = grounded.listed(measure)
    rows = whole[(whole["condition"] == condition) & whole["language"].isin(codes)]
    sides = [rows[rows["population"] == name] for name in (first, second)]
    by_seed = [
        side.groupby([*PAIRED, "seed"], observed=True)[measure.name].mean().unstack("seed")
        for side in sides
    ]
    means = [side.mean(axis=1) for side in by_seed]
    paired = (means[1] - means[0]).dropna().rename("delta").reset_index()
    if paired.empty:
        return None
    kept = paired.set_index(list(PAIRED)).index
    by_seed = [side.loc[kept] for side in by_seed]
    languages = []
    for code in codes:
        own = paired[paired["language"] == code]
        if not own.empty:
            seeds = [
                _seed_means(side[side.index.get_level_values("language") == code])
                for side in by_seed
            ]
            estimate = _crossed(own, ("picture", "concept"), seeds, measure)
            languages.append((code, grounded.resource(code), estimate))
    seeds = [_seed_means(side) for side in by_seed]
    values = {code: found.value for code, _, found in languages}
    delta = ScaleDelta(
        *(first, second, condition),
        n_seeds=(len(seeds[0]), len(seeds[1])),
        n_pictures=int(paired["picture"].nunique()),
        n_concepts=int(paired["concept"].nunique()),
        languages=tuple(languages),
        overall=_crossed(paired, PAIRED, seeds, measure),
        p_value=NOTHING,
        p_holm=NOTHING,
        groups=language_test(
            values, grounded.group("high"), grounded.group("low"), 2 * measure.span
        ),
    )
    if delta.few:
        alone = Estimate.of(delta.overall.value, NOTHING, math.inf)
        return replace(delta, overall=alone)
    return replace(delta, p_value=delta.overall.p_value)


def _crossed(
    paired: pd.DataFrame,
    factors: Sequence[str],
    seeds: Sequence[Sequence[float]],
    measure: Measure,
) -> Estimate:
    """Mean difference in which every language weighs the same, whatever it lacks."""
    import pandas as pd

    n_rows = paired.groupby("language", observed=True)["delta"].transform("size")
    weights = (1 / n_rows).to_numpy(float)
    return crossed_mean(
        paired["delta"].to_numpy(float),
        [pd.factorize(paired[name])[0] for name in factors],
        seeds,
        weights / weights.sum(),
    ).within(-measure.span, measure.span)


def _seed_means(by_seed: pd.DataFrame) -> list[float]:
    """Mean of every seed, each language weighing the same."""
    means = by_seed.groupby("language", observed=True).mean().mean()
    return [float(value) for value in means if np.isfinite(value)]
