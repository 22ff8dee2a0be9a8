"""How fast is forgotten what was learnt: an exponential curve down to chance."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from paradigms import TaughtCondition
from stimuli.wording import count
from toolkit.statistics.choices.participants import unit_of
from toolkit.statistics.choices.verdicts import with_credit
from toolkit.statistics.models.student import ROUNDING, quantile

if TYPE_CHECKING:
    import pandas as pd

    from paradigms import Condition, Graded

Floats = npt.NDArray[np.float64]
RATES: Floats = np.concatenate([[0.0], np.geomspace(1e-3, 10, 2000)])
"""Rates that are tried: steps of half a per cent, finer than any interval."""
LEAST_SEEDS = 3
"""Fewer have no interval."""


@dataclass(frozen=True)
class ForgettingRate:
    """How the share correct of one population falls to chance with what came since the exposure.

    The curve is ``chance + (at_once - chance) exp(-rate dose)``, fitted to the means over seeds by
    least squares. What cannot be seen to be known at once cannot be seen to be forgotten: without
    an accuracy above chance at dose 0 there is no rate.
    """

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    since: str
    """What came since, in the singular, e.g. ``other word``."""
    doses: Mapping[str, float]
    """How much of it came, by condition."""
    accuracies: Mapping[str, float]
    """Share correct by condition, mean over seeds, ties at chance."""
    chance: float
    """Chance level."""
    n_seeds: int
    """Participants that were asked all conditions: networks, or draws of familiar words."""
    at_once: float = math.nan
    """Share correct at dose 0, as fitted."""
    rate: float = math.nan
    """Per unit of dose; NaN where there is none."""
    ci_low: float = math.nan
    """Lower end of its 95 % interval: jackknife over seeds, Student's t, not below 0; NaN where
    the rate is the same whichever seed is left out."""
    ci_high: float = math.nan
    """Upper end."""
    problem: str = ""
    """Why there is no rate; empty if there is one."""
    unit: str = "seed"
    """What the participants are, see `toolkit.statistics.choices.chance.ChanceTest.unit`."""


def forgetting_rates(
    counts: pd.DataFrame, conditions: Sequence[Condition], factors: Sequence[Graded]
) -> tuple[ForgettingRate, ...]:
    """Forgetting rates per population, language and kind of what came since.

    Args:
        counts: rows of all conditions, populations and languages.
        conditions: what the paradigm declares.
        factors: its graded factors; those over conditions with equally many exposures, one of them
            at level 0, are about forgetting.
    """
    taught = {one.name: one for one in conditions if isinstance(one, TaughtCondition)}
    found = []
    for factor in factors:
        exposures = {taught[name].exposures if name in taught else 0 for name in factor.levels}
        if len(exposures) > 1 or not all(exposures) or 0 not in factor.levels.values():
            continue
        asked = counts[counts["condition"].isin(list(factor.levels))]
        for _, own in asked.groupby(["population", "test_language"], observed=True):
            if set(own["condition"].unique()) == set(factor.levels):
                found.append(_rate(own, factor.unit, factor.levels))
    return tuple(found)


def _rate(counts: pd.DataFrame, since: str, doses: Mapping[str, float]) -> ForgettingRate:
    table = with_credit(counts)
    table = table.assign(_guessed=table["n_trials"] / table["n_choices"])
    chance = float(table["_guessed"].sum() / table["n_trials"].sum())
    summed = table.groupby(["seed", "condition"], observed=True)[["n_right", "n_trials"]].sum()
    shares = (summed["n_right"] / summed["n_trials"]).unstack()[list(doses)].dropna()
    first = counts.iloc[0]
    told = ForgettingRate(
        population=str(first["population"]),
        test_language=str(first["test_language"]),
        since=since,
        doses=dict(doses),
        accuracies={str(name): float(value) for name, value in shares.mean().items()},
        chance=chance,
        n_seeds=len(shares),
        unit=unit_of(counts),
    )
    over = shares.to_numpy(float) - chance
    dose = np.array(list(doses.values()))
    n = len(over)
    if n < LEAST_SEEDS:
        few = f"{count(n, told.unit)}: a rate needs {LEAST_SEEDS}"
        return replace(told, problem=few)
    known = over[:, dose == 0].mean(axis=1)
    if known.mean() - quantile(n - 1) * known.std(ddof=1) / math.sqrt(n) <= 0:
        return replace(told, problem="not above chance at once: there is nothing to forget")
    at_once, rate = fitted_rate(dose, over.mean(axis=0))
    left_out = np.array([fitted_rate(dose, np.delete(over, k, axis=0).mean(axis=0))[1]
                         for k in range(n)])  # fmt: skip
    std_error = math.sqrt((n - 1) / n * float(((left_out - left_out.mean()) ** 2).sum()))
    half = quantile(n - 1) * std_error if std_error > ROUNDING else math.nan
    return replace(
        told,
        at_once=min(1.0, chance + at_once),
        rate=rate,
        ci_low=max(rate - half, 0.0),
        ci_high=rate + half,
    )


def fitted_rate(dose: Floats, over: Floats) -> tuple[float, float]:
    """The amplitude and rate of ``amplitude exp(-rate dose)`` by least squares, over `RATES`.

    Args:
        dose: (k,) how much came since.
        over: (k,) share correct minus chance.

    Example:
        >>> dose = np.array([0.0, 2.0, 4.0, 8.0])
        >>> amplitude, rate = fitted_rate(dose, 0.4 * np.exp(-0.25 * dose))
        >>> round(amplitude, 2), round(rate, 2)
        (0.4, 0.25)
    """
    curves = np.exp(-RATES[:, None] * dose)
    amplitudes = (curves @ over) / (curves**2).sum(axis=1)
    errors = ((over - amplitudes[:, None] * curves) ** 2).sum(axis=1)
    best = int(errors.argmin())
    return float(amplitudes[best]), float(RATES[best])
