"""Is a population above chance, for further seeds and further items?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from paradigms.formula import Formula
from toolkit.statistics.contrasts import effective
from toolkit.statistics.mixed import NotEstimable, fit_mixed
from toolkit.statistics.results import FitResult
from toolkit.statistics.seeds import over_chance
from toolkit.statistics.student import quantile, standardised, two_sided

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class ChanceTest:
    """Accuracy of one population in one language and condition, held against chance."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    condition: str
    """Which condition."""
    chance: float
    """Chance level, 1 / number of options."""
    n_seeds: int
    """Networks."""
    n_words: int
    """Word classes."""
    n_trials: int
    """Trials of all seeds."""
    accuracy: float
    """Mean over seeds, share of 1."""
    probability: float
    """Marginal probability for a typical seed and item, from the model."""
    ci_low: float
    """Lower end of its 95 % interval, over seeds and items."""
    ci_high: float
    """Upper end."""
    estimate: float
    """Log odds minus the log odds of chance."""
    std_error: float
    """Its standard error, corrected for the numbers of seeds and items."""
    statistic: float
    """t."""
    df: float
    """Satterthwaite's degrees of freedom."""
    p_value: float
    """Two-sided, uncorrected."""
    p_holm: float
    """Corrected over the tests of the analysis."""
    p_wald: float
    """Two-sided p of the uncorrected z test, for comparison with lme4."""
    t_seeds: float
    """t of the seed means against chance: speaks about further seeds and the same items."""
    p_seeds: float
    """Its two-sided p."""
    d_seeds: float
    """(mean - chance) / SD over SEEDS; not comparable with d over children."""
    d_words: float
    """(mean - chance) / SD over WORDS."""
    fit: FitResult | None
    """The model; None if there is none."""
    problem: str
    """Why there is no model test; empty if there is."""


def chance_tests(counts: pd.DataFrame, formula: Formula) -> list[ChanceTest]:
    """Test every population in every language in one condition; see `test_chance`."""
    cells = counts.groupby(["population", "test_language"], observed=True)
    return [test_chance(cell, formula) for _, cell in cells]


def test_chance(counts: pd.DataFrame, formula: Formula) -> ChanceTest:
    """Test one population, language and condition against chance.

    The test is the intercept of a logistic mixed model with variation over seeds and items, on
    the logit scale, never a pooled binomial test. Its standard error and degrees of freedom are
    those of a balanced crossed design with that many seeds, words and distractors.

    Args:
        counts: rows of one population, language and condition.
        formula: the paradigm's model; its response is replaced by the counts.

    Returns:
        The test; without a model where the data do not decide one.
    """
    first = counts.iloc[0]
    seeds = counts.groupby("seed", observed=True)[["n_correct", "n_trials"]].sum()
    accuracies = (seeds["n_correct"] / seeds["n_trials"]).to_numpy(float)
    words = counts.groupby("word_concept", observed=True)[["n_correct", "n_trials"]].sum()
    chance = 1 / float(first["n_choices"])
    t, _, p_seeds = over_chance(accuracies, chance)
    nan = math.nan
    test = ChanceTest(
        population=str(first["population"]),
        test_language=str(first["test_language"]),
        condition=str(first["condition"]),
        chance=chance,
        n_seeds=len(seeds),
        n_words=int(counts["word_concept"].nunique()),
        n_trials=int(counts["n_trials"].sum()),
        accuracy=float(accuracies.mean()),
        **dict.fromkeys(("probability", "ci_low", "ci_high", "estimate", "std_error"), nan),
        **dict.fromkeys(("statistic", "df", "p_value", "p_holm", "p_wald"), nan),
        t_seeds=t,
        p_seeds=p_seeds,
        d_seeds=standardised(accuracies - chance),
        d_words=standardised((words["n_correct"] / words["n_trials"]).to_numpy(float) - chance),
        fit=None,
        problem="",
    )
    if test.n_seeds == test.n_words == 1:
        return replace(test, problem="One seed and one word: there is nothing to generalise to.")
    table = counts.assign(n_wrong=counts["n_trials"] - counts["n_correct"])
    try:
        fit = fit_mixed(table, Formula("cbind(n_correct, n_wrong)", "1", formula.random))
    except NotEstimable as error:
        return replace(test, problem=str(error).partition("\n")[0])
    if not fit.converged:
        return replace(test, fit=fit, problem=fit.warnings[-1])
    return _tested(test, fit)


def _tested(test: ChanceTest, fit: FitResult) -> ChanceTest:
    from scipy.special import expit, logit

    intercept = fit["(Intercept)"]
    parts = [
        (effect.sds[0] ** 2 / effect.n_levels, effect.n_levels, 1) for effect in fit.random_effects
    ]
    std_error, df = effective(parts, intercept.std_error)
    estimate = intercept.estimate - float(logit(test.chance))
    statistic, half = estimate / std_error, quantile(df) * std_error
    return replace(
        test,
        fit=fit,
        probability=float(expit(intercept.estimate)),
        ci_low=float(expit(intercept.estimate - half)),
        ci_high=float(expit(intercept.estimate + half)),
        estimate=estimate,
        std_error=std_error,
        statistic=statistic,
        df=df,
        p_value=two_sided(statistic, df),
        p_wald=two_sided(estimate / intercept.std_error, math.inf),
    )
