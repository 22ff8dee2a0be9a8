"""Do models share their preference between two pictures as children share their looking?

The measure is that of DevBench (Tan et al. 2024, arXiv 2406.10215): a model's scores of the two
pictures become shares by a softmax whose inverse temperature beta is fitted for each age group,
between .025 and 40; the Kullback-Leibler divergence of these from the children's shares of looking
is averaged over trials. 0 means the same shares. Beside it stand what a model reaches that looks
at both alike, and, where single children are known, what one half of the children reaches with
the other half.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stimuli.wording import count
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd

Floats = npt.NDArray[np.float64]
BETAS = 0.025, 40.0
"""Least and largest inverse temperature, as in DevBench."""
FEWEST_TRIALS = 5
"""Over fewer trials a fitted temperature means nothing."""
N_SPLITS = 100
"""Random halves of the children."""
LEAST_SHARE = 1e-6
"""Shares of a half of the children are kept so far from 0 and 1, where divergences are infinite."""


@dataclass(frozen=True)
class LookingMatch:
    """Children of one age group beside one population of models."""

    population: str
    """Models."""
    test_language: str
    """In which language."""
    age_group: str
    """Children, as the file names their age."""
    n_trials: int
    """Trials that both were given."""
    beta: float
    """Fitted inverse temperature."""
    divergence: float
    """Mean over trials of the divergence of the model's from the children's shares, in nats."""
    ci_low: float
    """Lower end of its 95 % bootstrap interval: further trials, temperature fitted again."""
    ci_high: float
    """Upper end."""
    chance: float
    """The same for a model that looks at both pictures alike."""
    ceiling: float
    """The same for one half of the children with the other, whose noise is that of two halves; NaN
    where single children are not known."""

    @property
    def at_bound(self) -> bool:
        """Whether the temperature ended at a bound, so that its fit may be a poor one."""
        return any(abs(math.log(self.beta / bound)) < 0.01 for bound in BETAS)

    @property
    def beats_chance(self) -> bool:
        """Whether the interval lies below what looking at both alike reaches."""
        return self.ci_high < self.chance


def divergence(looking: npt.ArrayLike, margins: npt.ArrayLike, beta: float) -> float:
    """Mean Kullback-Leibler divergence of models' from children's shares over trials, in nats.

    Args:
        looking: children's share of looking at the target, ``(n_trials,)``, of 1.
        margins: score of the target - score of the distractor, ``(n_trials,)``.
        beta: inverse temperature.

    Example:
        >>> round(divergence([0.5, 0.7], [0.0, 0.0], 1.0), 4)
        0.0411
    """
    from scipy.special import entr, log_expit

    p, x = np.asarray(looking, float), beta * np.asarray(margins, float)
    own = entr(p) + entr(1 - p)
    return float(np.mean(-own - p * log_expit(x) - (1 - p) * log_expit(-x)))


def fit_temperature(looking: npt.ArrayLike, margins: npt.ArrayLike) -> tuple[float, float]:
    """The inverse temperature of least divergence, between the bounds `BETAS`.

    The divergence is convex in beta, so that the least found is the least there is.

    Args:
        looking: as for `divergence`.
        margins: likewise.

    Returns:
        Beta, and the divergence there.

    Example:
        >>> beta, least = fit_temperature([0.5987, 0.6900, 0.7685], [0.2, 0.4, 0.6])
        >>> round(beta, 2), round(least, 6)
        (2.0, 0.0)
    """
    from scipy.optimize import minimize_scalar

    low, high = map(math.log, BETAS)
    found = minimize_scalar(
        lambda log_beta: divergence(looking, margins, math.exp(log_beta)),
        bounds=(low, high), method="bounded", options={"xatol": 1e-6},
    )  # fmt: skip
    # The search never looks at the bounds themselves.
    tried = [float(found.x), low, high]
    return min(
        ((math.exp(at), divergence(looking, margins, math.exp(at))) for at in tried),
        key=lambda one: one[1],
    )


def match_looking(
    looking: pd.DataFrame, margins: pd.DataFrame, *, n_bootstrap: int = 1000, seed: int = 0
) -> tuple[LookingMatch, ...]:
    """Match the looking of every age group of children with every population of models.

    Args:
        looking: ``trial`` (any name that both tables use), ``age_group``, ``looking_share`` (at
            the target, of 1), and ``child`` where single children are known; several rows of a
            trial are averaged, those of a child first.
        margins: ``population``, ``test_language``, ``trial``, ``margin`` (score of the target -
            score of the distractor); several rows of a trial (seeds, clips, pictures) are averaged.
        n_bootstrap: resamples of trials for the intervals.
        seed: of resamples and halves.

    Returns:
        One match per population, language and age group.

    Raises:
        ToolkitError: shares are none, or fewer than `FEWEST_TRIALS` trials are shared everywhere.

    Example:
        >>> import pandas as pd
        >>> children = pd.DataFrame({"trial": list("abcde"), "age_group": "18",
        ...                          "looking_share": [0.5, 0.6, 0.7, 0.6, 0.8]})
        >>> models = pd.DataFrame({"population": "p", "test_language": "en",
        ...                        "trial": list("abcde"), "margin": [0.0, 0.1, 0.2, 0.1, 0.3]})
        >>> found, = match_looking(children, models, n_bootstrap=100)
        >>> round(found.beta, 1), found.divergence < 0.001 < found.chance, found.beats_chance
        (4.4, True, True)
    """
    shares = looking["looking_share"]
    if not shares.between(0, 1).all():
        wrong = shares[~shares.between(0, 1)].iloc[0]
        raise ToolkitError(
            "Shares of looking lie between 0 and 1.",
            given=f"looking_share {wrong:g}",
            allowed="0.7, not 70, for 70 % at the target; no empty cells",
        )
    models = margins.assign(trial=margins["trial"].astype(str))
    groups = looking.assign(trial=looking["trial"].astype(str)).groupby("age_group", sort=False)
    made, most = [], 0
    for (population, language), own in models.groupby(["population", "test_language"],
                                                      observed=True):  # fmt: skip
        scores = own.groupby("trial")["margin"].mean()
        for age_group, children in groups:
            trials = sorted(set(scores.index) & set(children["trial"]))
            most = max(most, len(trials))
            if len(trials) < FEWEST_TRIALS:
                continue
            seen = children[children["trial"].isin(trials)]
            made.append(
                _match_group(
                    (str(population), str(language), str(age_group)), seen,
                    scores[trials].to_numpy(float), trials, n_bootstrap, seed,
                )
            )  # fmt: skip
    if not made:
        raise ToolkitError(
            "Children's looking and models share too few trials.",
            given=f"at most {count(most, 'trial')} of a population and an age group, e.g. "
            f"{looking['trial'].iloc[0]} of the children and {margins['trial'].iloc[0]} of models",
            allowed=f"{FEWEST_TRIALS} trials or more with the same names",
        )
    return tuple(made)


def _match_group(
    names: tuple[str, str, str],
    children: pd.DataFrame,
    margins: Floats,
    trials: list[str],
    n_bootstrap: int,
    seed: int,
) -> LookingMatch:
    """One age group beside one population."""
    rng = np.random.default_rng(seed)
    p = _by_trial(children)[trials].to_numpy(float)
    beta, least = fit_temperature(p, margins)
    drawn = rng.integers(0, len(trials), (n_bootstrap, len(trials)))
    resampled = [fit_temperature(p[rows], margins[rows])[1] for rows in drawn]
    low, high = np.percentile(resampled, [2.5, 97.5]) if resampled else (math.nan, math.nan)
    return LookingMatch(
        *names,
        n_trials=len(trials),
        beta=beta,
        divergence=least,
        ci_low=float(low),
        ci_high=float(high),
        chance=divergence(p, np.zeros(len(p)), 1.0),
        ceiling=_ceiling(children, trials, rng),
    )


def _by_trial(children: pd.DataFrame) -> pd.Series[float]:
    """Mean share of looking per trial, every child counting once."""
    if "child" in children:
        own = children.groupby(["trial", "child"], observed=True)["looking_share"].mean()
        children = own.reset_index()
    shares: pd.Series[float] = children.groupby("trial")["looking_share"].mean()
    return shares


def _ceiling(children: pd.DataFrame, trials: list[str], rng: np.random.Generator) -> float:
    """Mean divergence of one half of the children from the other; NaN without single children."""
    if "child" not in children or children["child"].nunique() < 4:
        return math.nan
    table = children.pivot_table(
        index="child", columns="trial", values="looking_share", aggfunc="mean", observed=True
    )[trials].to_numpy(float)
    found = []
    for _ in range(N_SPLITS):
        order = rng.permutation(len(table))
        halves = table[order[: len(table) // 2]], table[order[len(table) // 2 :]]
        known = np.all([~np.isnan(half).all(axis=0) for half in halves], axis=0)
        if not known.any():
            continue
        one, other = (
            np.clip(np.nanmean(half[:, known], axis=0), LEAST_SHARE, 1 - LEAST_SHARE)
            for half in halves
        )
        found.append(divergence(one, np.log(other / (1 - other)), 1.0))
    return float(np.mean(found)) if found else math.nan
