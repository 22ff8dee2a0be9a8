"""Is a population above chance, for further seeds and further items?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from paradigms.formula import Formula
from toolkit.statistics.choices.participants import factor_of, over_participants, unit_of
from toolkit.statistics.choices.seeds import over_chance
from toolkit.statistics.choices.verdicts import Verdict, decide, too_few, visible, with_credit
from toolkit.statistics.models.contrasts import effective, holm_p
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.models.penalised import Penalised, penalised_share
from toolkit.statistics.models.results import FitResult
from toolkit.statistics.models.student import quantile, standardised, two_sided

if TYPE_CHECKING:
    import pandas as pd

COUNTS = "cbind(n_right, n_wrong)"
NOBODY = "nobody passed the gate"
"""Why there is no test where all seeds were set aside."""


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
    """Chance level, 1 / number of options; the mean over trials where that varies."""
    n_choices: tuple[int, ...]
    """Numbers of options that occur."""
    n_seeds: int
    """Participants: networks, or draws of familiar words."""
    n_words: int
    """Word classes."""
    n_trials: int
    """Trials of all seeds."""
    n_ties: int
    """Ties among them."""
    accuracy: float
    """Mean over seeds, share of 1; a tie counts as wrong."""
    credited: float
    """The same where a tie counts as 1 / options of a correct answer, as in the test; equal to
    ``accuracy`` without ties."""
    probability: float = math.nan
    """Share of correct answers of a typical seed and item, from the model (at the mean chance)."""
    ci_low: float = math.nan
    """Lower end of its 95 % interval, over seeds and items."""
    ci_high: float = math.nan
    """Upper end."""
    estimate: float = math.nan
    """Log odds minus the log odds of chance."""
    std_error: float = math.nan
    """Its standard error, corrected for the numbers of seeds and items."""
    statistic: float = math.nan
    """t, or z where ``df`` is infinite."""
    df: float = math.nan
    """Degrees of freedom, see `toolkit.statistics.models.contrasts.effective`."""
    p_value: float = math.nan
    """Two-sided, uncorrected."""
    p_holm: float = math.nan
    """Corrected over all tests of the analysis that were planned; NaN where there is no verdict."""
    p_wald: float = math.nan
    """Two-sided p of the uncorrected z test, for comparison with lme4."""
    verdict: Verdict = "undecided"
    """What the test decides."""
    visible: float = math.nan
    """Difference from chance (share of 1) that this test, at its corrected level, would have shown
    in four of five cases."""
    t_seeds: float = math.nan
    """t of the seed means against chance: speaks about further seeds and the same items."""
    p_seeds: float = math.nan
    """Its two-sided p, uncorrected."""
    p_seeds_holm: float = math.nan
    """The same, corrected over the same family."""
    d_seeds: float = math.nan
    """(mean - chance) / SD over SEEDS; not comparable with d over children."""
    d_words: float = math.nan
    """(mean - chance) / SD over WORDS."""
    fit: FitResult | None = None
    """The model; None if there is none."""
    penalised: Penalised | None = None
    """What can be said where the data do not decide the model."""
    problem: str = ""
    """Why there is no model test or no verdict; empty if there is one."""
    unit: str = "seed"
    """What the participants are: ``seed``, or ``draw`` where networks learnt different draws of
    familiar words; what is said of seeds then holds of draws."""


def chance_tests(
    counts: pd.DataFrame, formula: Formula, planned: pd.DataFrame | None = None
) -> list[ChanceTest]:
    """Test every population in every language in one condition; see `test_chance`.

    Args:
        counts: rows of one condition.
        formula: the paradigm's model.
        planned: the same before seeds were set aside; a population of which none is left has been
            planned all the same, and counts in its family.
    """
    cell = ["population", "test_language"]
    made = {key: test_chance(own, formula) for key, own in counts.groupby(cell, observed=True)}
    if planned is None:
        return list(made.values())
    return [
        made[key] if key in made else replace(_described(own), problem=NOBODY)
        for key, own in planned.groupby(cell, observed=True)
    ]


def test_chance(counts: pd.DataFrame, formula: Formula) -> ChanceTest:
    """Test one population, language and condition against chance.

    The test is the intercept of a logistic mixed model with variation over seeds and items, on
    the logit scale, never a pooled binomial test. Its standard error and degrees of freedom are
    those of a balanced crossed design with that many seeds, words and distractors. Where the number
    of options varies from trial to trial, the log odds of each trial's chance are an offset.

    Args:
        counts: rows of one population, language and condition.
        formula: the paradigm's model; its response is replaced by the counts.

    Returns:
        The test, not yet corrected and decided (see `decided`); without a model where the data do
        not decide one.
    """
    test = _described(counts)
    if test.n_seeds == test.n_words == 1:
        what = f"one {test.unit} and one word: there is nothing to generalise to"
        return replace(test, problem=what)
    table, fixed = with_credit(counts), "1"
    random = over_participants(formula.random, test.unit)
    if len(test.n_choices) > 1:
        table = table.assign(chance_log_odds=-np.log(table["n_choices"] - 1.0))
        fixed = "1 + offset(chance_log_odds)"
    try:
        fit = fit_mixed(table, Formula(COUNTS, fixed, random))
    except NotEstimable as error:
        return replace(test, problem=error.message, penalised=_penalised(table, formula))
    if not fit.converged:
        instead = _penalised(table, formula)
        return replace(test, fit=fit, problem=fit.problem, penalised=instead)
    return _tested(test, fit, table)


def _described(counts: pd.DataFrame) -> ChanceTest:
    """What there is to say without a model."""
    first, table = counts.iloc[0], with_credit(counts)
    table = table.assign(_guessed=table["n_trials"] / table["n_choices"])
    chance = float(table["_guessed"].sum() / table["n_trials"].sum())
    numbers = ["n_right", "n_correct", "n_trials", "_guessed"]
    seeds, words = (
        table.groupby(name, observed=True)[numbers].sum() for name in ("seed", "word_concept")
    )
    # Above what guessing would give on the very trials of a seed, or word.
    by_seed, by_word = (
        ((own["n_right"] - own["_guessed"]) / own["n_trials"]).to_numpy(float)
        for own in (seeds, words)
    )
    t, _, p_seeds = over_chance(by_seed, 0.0)
    return ChanceTest(
        population=str(first["population"]),
        test_language=str(first["test_language"]),
        condition=str(first["condition"]),
        chance=chance,
        n_choices=tuple(sorted(int(n) for n in counts["n_choices"].unique())),
        n_seeds=len(seeds),
        n_words=len(words),
        n_trials=int(counts["n_trials"].sum()),
        n_ties=int(counts["n_ties"].sum()),
        accuracy=float((seeds["n_correct"] / seeds["n_trials"]).mean()),
        credited=float((seeds["n_right"] / seeds["n_trials"]).mean()),
        t_seeds=t,
        p_seeds=p_seeds,
        d_seeds=standardised(by_seed),
        d_words=standardised(by_word),
        unit=unit_of(counts),
    )


def decided(tests: Sequence[ChanceTest], alpha: float) -> list[ChanceTest]:
    """Correct the tests of a family for each other, and say what each decides.

    Args:
        tests: all that were planned, also those that could not be made.
        alpha: level of the family.
    """
    few = [
        too_few([test.n_seeds], test.n_words, test.unit) if not test.problem else ""
        for test in tests
    ]
    judged = [
        math.nan if why else test.p_value for test, why in zip(tests, few, strict=True)
    ]  # fmt: skip
    corrected = holm_p(judged)
    seeds = holm_p([test.p_seeds for test in tests])
    made = []
    for test, why, p, p_seeds in zip(tests, few, corrected, seeds, strict=True):
        made.append(
            replace(
                test,
                p_holm=p,
                p_seeds_holm=p_seeds,
                problem=test.problem or why,
                verdict="few" if why else decide(test.estimate, p, alpha),
                visible=_visible(test, alpha / len(tests)),
            )
        )
    return made


def _visible(test: ChanceTest, alpha: float) -> float:
    """Difference from chance that the test would have found, as a share of 1."""
    from scipy.special import expit, logit

    if math.isnan(test.p_value):
        return math.nan
    effect = visible(test.std_error, test.df, alpha)
    return float(expit(logit(test.chance) + effect)) - test.chance


def _penalised(table: pd.DataFrame, formula: Formula) -> Penalised | None:
    groups = [term.group for term in formula.random]
    wanted = [name for name in ("seed", "word_concept") if name in groups]
    return penalised_share(table, " + ".join(f"(1 | {name})" for name in wanted))


def _tested(test: ChanceTest, fit: FitResult, table: pd.DataFrame) -> ChanceTest:
    from scipy.special import expit, logit

    intercept, level = fit["(Intercept)"], float(logit(test.chance))
    std_error, df = effective(_sources(fit, table, test.unit), intercept.std_error)
    estimate = intercept.estimate - (level if len(test.n_choices) == 1 else 0.0)
    statistic, half = estimate / std_error, quantile(df) * std_error
    return replace(
        test,
        fit=fit,
        probability=float(expit(level + estimate)),
        ci_low=float(expit(level + estimate - half)),
        ci_high=float(expit(level + estimate + half)),
        estimate=estimate,
        std_error=std_error,
        statistic=statistic,
        df=df,
        p_value=two_sided(statistic, df),
        p_wald=two_sided(estimate / intercept.std_error, math.inf),
    )


def _sources(fit: FitResult, table: pd.DataFrame, unit: str) -> list[tuple[float, int, int]]:
    """Shares of the factors in the variance of the mean; see `effective`.

    A factor whose levels each occur with one level of another (a picture of one word only) adds to
    what varies between the levels of that other: it brings no degrees of freedom of its own.
    """
    shares = {effect.group: effect.sds[0] ** 2 / effect.n_levels for effect in fit.random_effects}
    levels = {effect.group: effect.n_levels for effect in fit.random_effects}
    for inner in sorted(levels, key=lambda group: -levels[group]):
        outer = [
            group
            for group in levels
            if group != inner
            and group in shares
            and len(table[[inner, group]].drop_duplicates()) == levels[inner]
        ]
        if outer:
            shares[outer[0]] += shares.pop(inner)
    found = [(share, levels[group], 1) for group, share in shares.items()]
    n_seeds = int(table["seed"].nunique())
    if found and factor_of(unit) not in levels and n_seeds > 1:
        # One answer per seed: what varies between seeds is in the answers' own noise.
        found.append((0.0, n_seeds, 1))
    return found
