"""Reaction times: from which gate does a look that began on the distractor turn to the target?

In looking while listening, trials on which the child happens to look at the distractor when the
word begins tell how long it takes to turn (Fernald et al. 1998, Psychological Science 9). Here the
look at the onset is the last one before anything of the word was heard.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.looking.courses import CHANCE
from toolkit.statistics.models.student import ROUNDING, quantile

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ReactionTime:
    """How fast looks turn to the target."""

    n_trials: int
    """Trials that began on the distractor, of all participants."""
    share_turned: float
    """Share of them in which the look turned at any gate; NaN without such trials."""
    mean_ms: float
    """Mean over participants of the first gate at which the target is looked at more; NaN if no
    look turned."""
    ci_low: float
    """Lower end of the 95 % interval over participants; NaN where there is none."""
    ci_high: float
    """Upper end."""


def reaction_time(looks: pd.DataFrame) -> ReactionTime:
    """Reaction time of one population, language and condition.

    Args:
        looks: columns ``seed``, ``trial``, ``gate_ms``, ``looking``.

    Example:
        >>> import pandas as pd
        >>> looks = pd.DataFrame({"seed": ["a"] * 3 + ["b"] * 3, "trial": 0, "gate_ms": [0, 40, 80] * 2,
        ...                       "looking": [0.4, 0.45, 0.7, 0.3, 0.6, 0.4]})
        >>> reaction_time(looks).mean_ms
        60.0
    """  # noqa: E501
    table = looks[looks["gate_ms"] >= 0].pivot_table(
        index=["seed", "trial"], columns="gate_ms", values="looking", observed=True
    )
    shares, gates = table.to_numpy(float), np.array(table.columns)
    began = shares[:, 0] < CHANCE - ROUNDING
    on_target = shares[began, 1:] > CHANCE + ROUNDING
    turned = on_target.any(axis=1)
    n = int(began.sum())
    if not turned.any():
        return ReactionTime(n, 0.0 if n else math.nan, *(math.nan,) * 3)
    seeds = table.index.get_level_values("seed").to_numpy()[began][turned]
    times = gates[1:][on_target[turned].argmax(axis=1)]
    means = np.array([times[seeds == seed].mean() for seed in dict.fromkeys(seeds)])
    mean, half = float(means.mean()), math.nan
    if len(means) > 1 and means.std(ddof=1) > ROUNDING:
        half = quantile(len(means) - 1) * float(means.std(ddof=1)) / math.sqrt(len(means))
    return ReactionTime(n, float(turned.mean()), mean, mean - half, mean + half)
