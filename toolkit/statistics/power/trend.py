"""How many seeds show a trend over a graded factor: one group of seeds, asked at all levels.

Planned by the test that the analysis makes (`toolkit.statistics.choices.trends`): the standard
error that its model is expected to have, with the degrees of freedom that it takes, and the
noncentral t. ``tests/benchmarks/trend_power.csv`` holds planned power against that of experiments
that were simulated and analysed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from toolkit.errors import ToolkitError
from toolkit.statistics.models.contrasts import LEAST_SEEDS, LEAST_WORDS, effective
from toolkit.statistics.phrases import count
from toolkit.statistics.power.formula import power_of_t, power_of_words
from toolkit.statistics.power.models import LARGEST_LOGIT_SD, LogitModel, check

MOST_SEEDS = 500
"""So many seeds are tried."""


@dataclass(frozen=True)
class TrendModel:
    """Answers of seeds to words at the levels of a factor, normal on the logit scale."""

    levels: tuple[float, ...]
    """The levels, rising."""
    base_accuracy: float
    """Accuracy of a typical seed on a typical word at the lowest level, share of 1."""
    odds_ratio: float
    """Odds of a correct answer one unit of the level higher, over those before."""
    seed_sd: float
    """SD over seeds at the lowest level, log odds."""
    seed_slope_sd: float
    """SD over seeds of the log odds ratio per unit."""
    word_sd: float = 0.0
    """SD over words at the lowest level, log odds."""
    slope_sd: float = 0.0
    """SD over words of the log odds ratio per unit."""
    n_words: int = 20
    """Words, the same for every seed and level."""
    trials_per_word: int = 50
    """Trials per word, seed and level."""

    def __post_init__(self) -> None:
        """Refuse what no experiment can have."""
        if len(self.levels) < 2 or list(self.levels) != sorted(set(self.levels)):
            raise ToolkitError(
                "The levels cannot be used.",
                given=", ".join(f"{level:g}" for level in self.levels),
                allowed="two or more, rising, such as 0,1,2,3",
            )
        # What both have in common is checked there.
        LogitModel(
            *(self.base_accuracy, self.odds_ratio, self.seed_sd, self.word_sd, self.slope_sd),
            n_words=self.n_words,
            trials_per_word=self.trials_per_word,
        )
        known = 0 < self.seed_slope_sd <= LARGEST_LOGIT_SD
        allowed = f"above 0, up to {LARGEST_LOGIT_SD:g} log odds"
        check("SD of the slope over seeds", self.seed_slope_sd, known, allowed)
        enough = self.n_words >= LEAST_WORDS
        check("number of words", self.n_words, enough, f"{LEAST_WORDS} or more, as for a verdict")

    @property
    def slope(self) -> float:
        """Log odds ratio per unit of the level."""
        return math.log(self.odds_ratio)

    def __str__(self) -> str:
        """What is assumed, in words."""
        levels = ", ".join(f"{level:g}" for level in self.levels)
        return (
            f"levels {levels}; accuracy {self.base_accuracy:.3g} at the lowest, odds ratio "
            f"{self.odds_ratio:.3g} per unit, SDs in log odds: seeds {self.seed_sd:.3g}, words "
            f"{self.word_sd:.3g}, slope by seed {self.seed_slope_sd:.3g}, slope by word "
            f"{self.slope_sd:.3g}; {count(self.n_words, 'word')} x "
            f"{count(self.trials_per_word, 'trial')} per seed and level"
        )


@dataclass(frozen=True)
class TrendPlan:
    """Answer to: how many seeds show the trend?"""

    assumptions: str
    """The model in words."""
    model: TrendModel
    """The model."""
    alpha: float
    """Two-sided level."""
    target: float
    """Power asked for."""
    n_seeds: int
    """The fewest seeds whose planned power reaches the target."""
    power: float
    """Their planned power."""
    curve: tuple[tuple[int, float], ...]
    """Planned power by number of seeds, up to twice the answer."""

    def __repr__(self) -> str:
        """The answer, and what it rests on."""
        return (
            f"{self.n_seeds} seeds reach {100 * self.power:.1f} % power (two-sided alpha "
            f"{self.alpha:g}, wanted {100 * self.target:g} %) for the trend, by the noncentral t.\n"
            f"Model: {self.assumptions}"
        )


def trend_power(model: TrendModel, n_seeds: int, alpha: float = 0.05) -> float:
    """Planned power of the test of a trend.

    Args:
        model: what is assumed.
        n_seeds: seeds; 0 is returned for fewer than a verdict needs.
        alpha: two-sided level.

    Example:
        >>> model = TrendModel((0, 1, 2, 3), 0.9, 0.8, 0.3, 0.15, word_sd=0.6, slope_sd=0.25)
        >>> [round(trend_power(model, n), 2) for n in (2, 5, 20)]
        [0.0, 0.62, 0.91]
    """
    if n_seeds < LEAST_SEEDS:
        return 0.0
    answers = 1 / (n_seeds * model.n_words * _information(model))
    sources = ((model.seed_slope_sd, n_seeds), (model.slope_sd, model.n_words))
    # Maximum likelihood is expected to find less variation than there is; the test mends that.
    parts = [(sd**2 / n * (n - 1) / n, n, 1) for sd, n in sources]
    found = math.sqrt(answers + sum(share for share, _, _ in parts))
    std_error, df = effective(parts, found)
    return power_of_t(df, abs(model.slope) / std_error, alpha)


def _information(model: TrendModel) -> float:
    """Information on the slope in the answers of one seed to one word, expected over both."""
    from scipy.special import expit

    nodes, weights = np.polynomial.hermite_e.hermegauss(31)
    weights = weights / weights.sum()
    levels = np.array(model.levels) - model.levels[0]
    base = math.log(model.base_accuracy / (1 - model.base_accuracy))
    centre = base + model.slope * levels
    sd = np.sqrt(
        model.seed_sd**2
        + model.word_sd**2
        + (model.seed_slope_sd**2 + model.slope_sd**2) * levels**2
    )
    share = expit(centre[:, None] + sd[:, None] * nodes)
    per_level = model.trials_per_word * (share * (1 - share)) @ weights
    mean = float(per_level @ levels / per_level.sum())
    return float(per_level @ (levels - mean) ** 2)


def plan_trend(
    model: TrendModel,
    *,
    alpha: float = 0.05,
    target: float = 0.8,
    max_seeds: int = MOST_SEEDS,
) -> TrendPlan:
    """Find the fewest seeds whose planned power for a trend reaches a target.

    Args:
        model: what is assumed.
        alpha: two-sided level.
        target: power wanted.
        max_seeds: most seeds that are tried.

    Raises:
        ToolkitError: there is no trend, or no number of seeds reaches the power.

    Example:
        >>> model = TrendModel((0, 1, 2, 3), 0.9, 0.75, 0.3, 0.15, word_sd=0.6, slope_sd=0.25)
        >>> plan_trend(model).n_seeds
        5
    """
    if not model.slope:
        raise ToolkitError(
            "There is no trend to find: no number of seeds finds an odds ratio of 1.",
            given=str(model),
            allowed="an odds ratio other than 1",
        )
    for name, value, possible, allowed in (
        ("alpha", alpha, 0 < alpha < 1, "above 0, below 1"),
        ("power", target, alpha < target < 1, "above alpha, below 1"),
        ("largest number of seeds", max_seeds, max_seeds >= LEAST_SEEDS, f"{LEAST_SEEDS} or more"),
    ):
        check(name, value, possible, allowed)
    powers = {n: trend_power(model, n, alpha) for n in range(LEAST_SEEDS, max_seeds + 1)}
    found = next((n for n, power in powers.items() if power >= target), None)
    if found is None:
        ceiling = power_of_words(model.n_words, model.slope, model.slope_sd, alpha)
        raise ToolkitError(
            f"{max_seeds} seeds do not reach a power of {target:g}: {powers[max_seeds]:.3f}, and "
            f"{count(model.n_words, 'word')} allow {ceiling:.2f} at most.",
            given=str(model),
            allowed="more words (--words), a larger effect or a smaller --slope-sd",
        )
    return TrendPlan(
        assumptions=str(model),
        model=model,
        alpha=alpha,
        target=target,
        n_seeds=found,
        power=powers[found],
        curve=tuple((n, power) for n, power in powers.items() if n <= 2 * found),
    )
