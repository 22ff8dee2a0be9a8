"""Models that experiments are drawn from for planning, and the tests put to them.

Two groups of seeds, as many in one as in the other. On the share scale the mean accuracy of a
seed is normal around the mean of its group. On the logit scale every answer is drawn: seeds and
words vary, and the difference between the groups may vary from word to word.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from toolkit.errors import ToolkitError
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Counts = NDArray[np.int64]

Test = Literal["welch", "mixed"]
TESTS: dict[Test, str] = {
    "welch": "Welch's t over seed means",
    "mixed": "logistic mixed model, small-sample t of the group effect",
}
"""The tests that can be planned for."""
LARGEST_LOGIT_SD = 5.0
"""An SD of more log odds than this is a mistaken unit: it spans 1 % to 99 % correct."""


@dataclass(frozen=True)
class ShareModel:
    """Mean accuracies of seeds, normal within each group, in percentage points."""

    difference: float
    """Difference of the two group means, points."""
    seed_sd: float
    """SD over seeds of the mean accuracy, points; contains the noise of a seed's finite trials."""

    def __post_init__(self) -> None:
        """Refuse what no experiment can have."""
        check("difference", self.difference, -100 <= self.difference <= 100, "-100 to 100 points")
        check("SD over seeds", self.seed_sd, 0 < self.seed_sd <= 100, "above 0, up to 100 points")

    @property
    def implied(self) -> tuple[float, float]:
        """Difference and SD over seeds, points."""
        return self.difference, self.seed_sd

    @property
    def null(self) -> ShareModel:
        """The same without a difference."""
        return replace(self, difference=0.0)

    def __str__(self) -> str:
        """What is assumed, in words."""
        return f"difference {self.difference:g} points, SD over seeds {self.seed_sd:g} points"


@dataclass(frozen=True)
class LogitModel:
    """Answers of seeds to words, with seed and word effects normal on the logit scale."""

    base_accuracy: float
    """Accuracy of a typical seed of the first group on a typical word, share of 1."""
    odds_ratio: float
    """Odds of a correct answer in the second group over those in the first."""
    seed_sd: float
    """SD over seeds, log odds."""
    word_sd: float = 0.0
    """SD over words, log odds."""
    slope_sd: float = 0.0
    """SD over words of the log odds ratio between the groups."""
    slope_correlation: float = 0.0
    """Correlation over words of the log odds in the first group and the log odds ratio."""
    n_words: int = 20
    """Words, the same for every seed."""
    trials_per_word: int = 50
    """Trials per word and seed."""

    def __post_init__(self) -> None:
        """Refuse what no experiment can have."""
        check("base accuracy", self.base_accuracy, 0 < self.base_accuracy < 1, "above 0, below 1")
        check("odds ratio", self.odds_ratio, 0 < self.odds_ratio < math.inf, "above 0")
        widest = f"up to {LARGEST_LOGIT_SD:g} log odds (0.3 is common, points are not meant)"
        in_range = 0 < self.seed_sd <= LARGEST_LOGIT_SD
        check("SD over seeds", self.seed_sd, in_range, f"above 0, {widest}")
        for name, sd in (("SD over words", self.word_sd), ("SD of the effect", self.slope_sd)):
            check(name, sd, 0 <= sd <= LARGEST_LOGIT_SD, f"from 0, {widest}")
        check("correlation", self.slope_correlation, abs(self.slope_correlation) <= 1, "-1 to 1")
        check("number of words", self.n_words, 1 <= self.n_words <= 10_000, "1 to 10000")
        trials = self.trials_per_word
        check("number of trials per word", trials, 1 <= trials <= 1_000_000, "1 to 1000000")

    @property
    def null(self) -> LogitModel:
        """The same without an effect on average; words still differ in it by ``slope_sd``."""
        return replace(self, odds_ratio=1.0)

    @property
    def effect(self) -> float:
        """Log odds ratio."""
        return math.log(self.odds_ratio)

    @property
    def implied(self) -> tuple[float, float]:
        """Difference of the group means and SD over seeds within a group, points.

        Expectations over seeds and words by Gauss-Hermite quadrature; words taken as given, so
        that ``slope_sd`` adds nothing to the SD.

        Example:
            >>> model = LogitModel(0.66, 0.9, seed_sd=0.1, word_sd=0.8)
            >>> "{:.2f} {:.2f}".format(*model.implied)
            '-2.16 2.50'
        """
        from scipy.special import expit

        nodes, weights = np.polynomial.hermite_e.hermegauss(41)
        weights = weights / weights.sum()
        base = math.log(self.base_accuracy / (1 - self.base_accuracy))
        means, variances = [], []
        for centre, word_sd in (
            (base, self.word_sd),
            (base + self.effect, math.sqrt(max(0.0, self._second_word_variance))),
        ):
            share = expit(centre + self.seed_sd * nodes[:, None] + word_sd * nodes)
            by_seed = share @ weights
            mean = float(weights @ by_seed)
            noise = float(weights @ (share * (1 - share)) @ weights)
            n_trials = self.n_words * self.trials_per_word
            means.append(mean)
            variances.append(float(weights @ (by_seed - mean) ** 2) + noise / n_trials)
        return 100 * (means[1] - means[0]), 100 * math.sqrt(sum(variances) / 2)

    @property
    def _second_word_variance(self) -> float:
        covariance = self.slope_correlation * self.word_sd * self.slope_sd
        return self.word_sd**2 + self.slope_sd**2 + 2 * covariance

    def __str__(self) -> str:
        """What is assumed, in words."""
        return (
            f"accuracy {self.base_accuracy:.3g}, odds ratio {self.odds_ratio:.3g}, SDs in log "
            f"odds: seeds {self.seed_sd:.3g}, words {self.word_sd:.3g}, effect by word "
            f"{self.slope_sd:.3g}; {count(self.n_words, 'word')} x "
            f"{count(self.trials_per_word, 'trial')} per seed"
        )


Model = ShareModel | LogitModel


def simulated_p_values(
    model: Model, test: Test, n_seeds: int, n_simulations: int, entropy: tuple[int, ...]
) -> Floats:
    """Draw experiments and test each.

    The first seeds of a larger experiment are those of a smaller one, so that power over
    ``n_seeds`` is a smooth curve even with few simulations.

    Args:
        model: what the experiments are drawn from.
        test: what is done with each.
        n_seeds: seeds per group.
        n_simulations: experiments.
        entropy: integers that decide every random number.

    Returns:
        Two-sided p-values (n_simulations,); NaN where the test gives none: no variation between
        seeds, or a mixed model that does not converge.

    Example:
        >>> p = simulated_p_values(ShareModel(10, 3), "welch", 5, 4, (1,))
        >>> p.shape, bool((p < 0.05).all())
        ((4,), True)
    """
    streams = [np.random.default_rng(s) for s in np.random.SeedSequence(entropy).spawn(5)]
    if isinstance(model, ShareModel):
        first, second = (s.standard_normal((n_seeds, n_simulations)) for s in streams[:2])
        return welch_p(first * model.seed_sd, second * model.seed_sd + model.difference)
    counts = _answers(model, n_seeds, n_simulations, streams)
    if test == "welch":
        means = counts.sum(-1) / (model.n_words * model.trials_per_word)
        return welch_p(means[0], means[1])
    return np.array([_mixed_p(model, counts[:, :, i]) for i in range(n_simulations)])


def welch_p(first: Floats, second: Floats) -> Floats:
    """Two-sided p-values of Welch's t-test, many at once.

    Args:
        first: values of the first group (n_seeds, n_tests).
        second: values of the second group, same shape.

    Returns:
        p-values (n_tests,); NaN where neither group varies.

    Example:
        >>> welch_p(np.array([[1.0], [2.0], [4.0]]), np.array([[5.0], [7.0], [9.5]])).round(4)
        array([0.0441])
    """
    from scipy.special import stdtr

    n = len(first)
    one, two = first.var(0, ddof=1) / n, second.var(0, ddof=1) / n
    with np.errstate(invalid="ignore", divide="ignore"):
        t = (first.mean(0) - second.mean(0)) / np.sqrt(one + two)
        df = (one + two) ** 2 * (n - 1) / (one**2 + two**2)
        p_values: Floats = 2 * stdtr(df, -np.abs(t))
    return p_values


def _answers(
    model: LogitModel, n_seeds: int, n_simulations: int, streams: list[np.random.Generator]
) -> Counts:
    """Correct answers (2, n_seeds, n_simulations, n_words)."""
    from scipy.special import expit

    words, slopes = streams[4].standard_normal((2, n_simulations, model.n_words))
    r = model.slope_correlation
    slopes = model.slope_sd * (r * words + math.sqrt(1 - r**2) * slopes)
    base = math.log(model.base_accuracy / (1 - model.base_accuracy)) + model.word_sd * words
    counts = np.empty((2, n_seeds, n_simulations, model.n_words), dtype=np.int64)
    for group, centre in enumerate((base, base + model.effect + slopes)):
        seeds = model.seed_sd * streams[group].standard_normal((n_seeds, n_simulations, 1))
        for i in range(n_seeds):
            shares = expit(centre + seeds[i])
            counts[group, i] = streams[2 + group].binomial(model.trials_per_word, shares)
    return counts


def _mixed_p(model: LogitModel, counts: Counts) -> float:
    """p-value of the group effect in the mixed model the answers (2, n_seeds, n_words) are from."""
    import pandas as pd

    from toolkit.statistics.models.contrasts import effective
    from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
    from toolkit.statistics.models.student import two_sided

    _, n_seeds, n_words = counts.shape
    group, seed, word = np.indices(counts.shape).reshape(3, -1)
    n_correct = counts.ravel()
    data = pd.DataFrame(
        {
            "n_correct": n_correct,
            "n_wrong": model.trials_per_word - n_correct,
            "bilingual": group,
            "seed": pd.Categorical(group * n_seeds + seed),
            "word": pd.Categorical(word),
        }
    )
    by_word = " + (1 + bilingual | word)" if model.slope_sd else " + (1 | word)"
    formula = "cbind(n_correct, n_wrong) ~ bilingual + (1 | seed)" + by_word * (n_words > 1)
    try:
        fit = fit_mixed(data, formula)
    except NotEstimable:
        return math.nan
    if not fit.converged:
        return math.nan
    sds = {
        (r.group, term): sd
        for r in fit.random_effects
        for term, sd in zip(r.terms, r.sds, strict=True)
    }
    seed_share = 2 * sds.get(("seed", "(Intercept)"), 0.0) ** 2 / n_seeds
    word_share = sds.get(("word", "bilingual"), 0.0) ** 2 / n_words
    found = fit["bilingual"]
    parts = [(seed_share, 2 * n_seeds, 2)]
    if n_words > 1:
        parts.append((word_share, n_words, 1))
    std_error, df = effective(parts, found.std_error)
    return two_sided(found.estimate / std_error, df)


def check(name: str, value: float, possible: bool, allowed: str) -> None:
    """Refuse a value that no experiment can have, or no plan."""
    if not possible:
        raise ToolkitError(f"The {name} cannot be used.", given=f"{value:g}", allowed=allowed)
