"""Results of all shapes, drawn at random: what sentences, tables and figures must survive."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from scipy.special import chdtrc, expit, logit

from toolkit.statistics.choices.chance import NOBODY, ChanceTest, decided
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.families import family_text
from toolkit.statistics.choices.gates import GateReport
from toolkit.statistics.choices.groups import GroupComparison, GroupModel
from toolkit.statistics.choices.seeds import SeedComparison, compare_seeds
from toolkit.statistics.choices.verdicts import decide, too_few, visible
from toolkit.statistics.models.contrasts import between, holm_p
from toolkit.statistics.models.likelihood import LikelihoodRatio
from toolkit.statistics.models.penalised import METHOD, Penalised
from toolkit.statistics.models.results import (
    Coefficient,
    Contrast,
    FitResult,
    MarginalMean,
    RandomEffect,
)
from toolkit.statistics.models.separation import SEPARATED
from toolkit.statistics.models.student import quantile, two_sided

ALPHA = 0.05
N_SEEDS = (1, 2, 3, 4, 10, 100)
N_WORDS = (1, 2, 3, 8, 400)
LANGUAGES = ("en", "nl")
Thing = TypeVar("Thing")


def pick(rng: np.random.Generator, values: Any) -> Any:
    """One of some values, as it is."""
    return values[int(rng.integers(len(values)))]


def effect_size(rng: np.random.Generator) -> float:
    """A difference of log odds: none, too small to be printed, small, or as large as they come."""
    size = pick(rng, (0.0, 1e-9, 1e-4, 0.003, 0.1, 0.5, 2.0, 8.0))
    return float(size * rng.uniform(0.5, 1.5) * pick(rng, (-1, 1)))


def test_of(rng: np.random.Generator, size: float) -> tuple[float, float, float, float, float]:
    """Standard error, df, statistic, p and half the interval; p is often close to the level."""
    df = float(pick(rng, (math.inf, 1.0, 2.0, 9.34, 41.0, 1e7)))
    std_error = float(pick(rng, (1e-5, 0.01, 0.3, 2.0)) * rng.uniform(0.5, 1.5))
    if size and rng.random() < 0.3:  # the end of the interval lies beside 0
        std_error = abs(size) / quantile(df) * float(pick(rng, (0.9999, 0.99, 1.01, 1.0001)))
    return (
        std_error,
        df,
        size / std_error,
        two_sided(size / std_error, df),
        quantile(df) * std_error,
    )


def fit(rng: np.random.Generator, converged: bool) -> FitResult:
    """A fitted model, or one without a maximum."""
    effects = tuple(
        RandomEffect(name, ("(Intercept)",), (float(rng.uniform(0, 2)),), ((1.0,),), 8)
        for name in ("seed", "word")
    )
    coefficient = Coefficient("(Intercept)", 0.2, 0.1, 2.0, math.inf, 0.0455, 0.004, 0.396)
    numbers = (-120.5, 247.0) if converged else (math.nan, math.nan)
    return FitResult(
        formula="cbind(n_right, n_wrong) ~ 1 + (1 | seed) + (1 | word)",
        fitted_formula="cbind(n_correct, n_wrong) ~ 1 + (1 | word) + (1 | seed)",
        family="binomial",
        method="Laplace",
        engine="glmm 0",
        coefficients=(coefficient,) if converged else (),
        covariance=((0.01,),) if converged else (),
        random_effects=effects if converged else (),
        residual_sd=None,
        log_likelihood=numbers[0],
        aic=numbers[1],
        n_parameters=3 if converged else 0,
        n_observations=200,
        n_rows=40,
        n_dropped=0,
        singular=bool(converged and rng.random() < 0.3),
        converged=converged,
        separated=not converged,
        warnings=() if converged else (SEPARATED,),
    )


def penalised(rng: np.random.Generator, difference: bool) -> Penalised | None:
    """What stands in for a model that the data do not decide."""
    if rng.random() < 0.3:
        return None
    low, middle, high = sorted(expit(rng.normal(0, 3, 3)).tolist())
    low, middle, high = (2 * x - 1 if difference else x for x in (low, middle, high))
    return Penalised(METHOD, middle, low, high, fit(rng, converged=True))


def chance_family(rng: np.random.Generator) -> list[ChanceTest]:
    """Tests against chance, decided; names and conditions differ."""
    cells = [(p, g, c) for p in ("p", "q") for g in LANGUAGES for c in ("me", "control")]
    kept = [cell for cell in cells if rng.random() < 0.4] or cells[:1]
    return decided([_chance(rng, *cell) for cell in kept], ALPHA)


def _chance(rng: np.random.Generator, population: str, language: str, condition: str) -> ChanceTest:
    n_choices = pick(rng, ((2,), (3,), (13,), (2, 4)))
    level = float(rng.uniform(1 / max(n_choices), 1 / min(n_choices)))
    level = 1 / n_choices[0] if len(n_choices) == 1 else level
    n_seeds, n_words = pick(rng, N_SEEDS), pick(rng, N_WORDS)
    n_trials = n_seeds * n_words * pick(rng, (1, 10))
    n_ties = min(n_trials, pick(rng, (0, 0, 1, 7, n_trials)))
    tied = n_ties / n_trials
    accuracy = float(pick(rng, (0.0, 1.0, level, level + 1e-5, rng.random())) * (1 - tied))
    own = ChanceTest(
        *(population, language, condition, level, n_choices, n_seeds, n_words, n_trials, n_ties),
        accuracy=accuracy,
        credited=accuracy + tied * level,
        d_seeds=float(pick(rng, (math.nan, 0.0, -1e-4, 1.3))),
        d_words=float(pick(rng, (math.nan, -0.2))),
    )
    shape = pick(rng, ("tested", "tested", "tested", "separated", "nobody", "constant"))
    if shape == "nobody":
        return replace(own, problem=NOBODY)
    if shape == "constant":
        told = "Every answer is correct: a logistic model has no finite estimate there."
        return replace(own, problem=told, penalised=penalised(rng, difference=False))
    if shape == "separated":
        instead = penalised(rng, difference=False)
        return replace(own, fit=fit(rng, converged=False), problem=SEPARATED, penalised=instead)
    size = effect_size(rng)
    std_error, df, statistic, p, half = test_of(rng, size)
    middle = float(logit(level)) + size
    return replace(
        own,
        fit=fit(rng, converged=True),
        probability=float(expit(middle)),
        ci_low=float(expit(middle - half)),
        ci_high=float(expit(middle + half)),
        estimate=size,
        std_error=std_error,
        statistic=statistic,
        df=df,
        p_value=p,
    )


def contrast(rng: np.random.Generator, name: str) -> Contrast:
    """A contrast that is not yet corrected; now and then without degrees of freedom."""
    size, middle = effect_size(rng), float(rng.normal(0, 1))
    std_error, df, statistic, p, half = test_of(rng, size)
    if rng.random() < 0.1:
        std_error, df, statistic, p, half = math.inf, 1.0, 0.0, math.nan, math.nan
    ends = size - half, size + half
    return Contrast(
        *(name, size, std_error, df, statistic, p, math.nan, *ends, middle),
        *(between(middle, value) for value in (size, *ends)),
        family="family",
    )


def judged(rng: np.random.Generator, tests: list[Thing]) -> list[Thing]:
    """Contrasts of a family with corrected p, verdict, and what they would have missed."""
    found: list[Any] = [test.contrast for test in tests]  # type: ignore[attr-defined]
    problems = [test.problem for test in tests]  # type: ignore[attr-defined]
    uncorrected = [
        math.nan if own is None or problem else own.p_value
        for own, problem in zip(found, problems, strict=True)
    ]
    made = []
    for test, own, problem, p in zip(tests, found, problems, holm_p(uncorrected), strict=True):
        if own is None:
            made.append(test)
            continue
        seen = between(own.middle, visible(own.std_error, own.df, ALPHA / len(tests)))
        verdict = "few" if problem else decide(own.estimate, p, ALPHA)
        own = replace(own, p_holm=p)
        made.append(replace(test, contrast=own, verdict=verdict, visible=seen))  # type: ignore
    return made


def condition_family(rng: np.random.Generator) -> list[ConditionTest]:
    """Conditions against their controls, decided."""
    cells = [(p, g, c) for p in ("p", "q") for g in LANGUAGES for c in ("novel*", "absent")]
    kept = [cell for cell in cells if rng.random() < 0.4]
    return judged(rng, [_condition(rng, *cell) for cell in kept])


def _condition(
    rng: np.random.Generator, population: str, language: str, control: str
) -> ConditionTest:
    n_seeds, n_words = pick(rng, (0, *N_SEEDS)), (pick(rng, N_WORDS), pick(rng, N_WORDS))
    few = too_few([n_seeds], min(n_words))
    undecided = rng.random() < 0.3
    return ConditionTest(
        population=population,
        test_language=language,
        plus="me",
        minus=control,
        question=f"Does {control} matter?",
        n_seeds=n_seeds,
        n_targets=8,
        n_words=n_words,
        n_trials=2000,
        n_ties=pick(rng, (0, 1, 30)),
        accuracies=(math.nan, math.nan) if not n_seeds else (float(rng.random()), 1.0),
        d_seeds=float(pick(rng, (math.nan, 0.0, -1e-4, 1.3))),
        contrast=None if undecided else contrast(rng, f"me - {control}"),
        fit=fit(rng, converged=not undecided),
        problem=SEPARATED if undecided else few,
        reduced="" if rng.random() < 0.7 else "The model with (1 | a) did not converge.",
    )


def comparison(rng: np.random.Generator, condition: str, kind: str) -> GroupComparison:
    """A comparison of monolingual and bilingual subjects in one condition."""
    several = rng.random() < 0.5
    name = "bilingual - monolingual, " + ("all languages" if several else "en")
    overall = judged(rng, [_group(rng, name, several)])
    languages = [f"bilingual - monolingual, {g}" for g in LANGUAGES] if several else []
    populations = [f"{p} - mono, en" for p in ("en-nl", "en-fr")] if rng.random() < 0.5 else []
    by_language = judged(rng, [_group(rng, own) for own in languages])
    by_population = judged(rng, [_group(rng, own) for own in populations])
    named = (("per test language", by_language), ("per population", by_population))
    return GroupComparison(
        condition=condition,
        subject_kind=kind,
        overall=overall[0],
        interaction=_ratio(rng) if several else None,
        by_language=tuple(by_language),
        by_population=tuple(by_population),
        families=(
            f"primary: one test ({name})",
            *(family_text(family, own) for family, own in named if own),
        ),
    )


def _ratio(rng: np.random.Generator) -> LikelihoodRatio:
    statistic = float(pick(rng, (0.0, 3.2, 3.8415, 1e6, math.nan)))
    p = float(chdtrc(1, statistic))
    n = int(pick(rng, (0, 1, 999)))
    return LikelihoodRatio(statistic, 1, p, math.nan if n == 0 else 0.02, n)


def _group(rng: np.random.Generator, name: str, several: bool = False) -> GroupModel:
    first, second = pick(rng, (0, *N_SEEDS)), pick(rng, N_SEEDS)
    n_words = pick(rng, N_WORDS)
    undecided = rng.random() < 0.3 or first == 0
    seeds = _seeds(rng, name, first, second)
    problem = SEPARATED if undecided else too_few([first, second], n_words)
    found = None if undecided else contrast(rng, name)
    if found is not None and math.isnan(found.p_value):
        problem = problem or "no degrees of freedom"
    middle = MarginalMean("monolingual", 0.1, 0.1, 0.52, 0.47, 0.57)
    return GroupModel(
        name=name,
        fit=fit(rng, converged=not undecided),
        contrast=found,
        ratio=_ratio(rng) if rng.random() < 0.5 else None,
        seeds=seeds,
        d_words=math.nan,
        means=() if undecided else (middle, replace(middle, name="bilingual")),
        problem=problem,
        reduced="" if rng.random() < 0.8 else "The model with (1 | a) did not converge.",
        n_languages=2 if several else 1,
        n_words=n_words,
        n_shared=pick(rng, (n_words, n_words, 0, max(0, n_words - 1))),
        penalised=penalised(rng, difference=True) if undecided else None,
    )


def _seeds(rng: np.random.Generator, name: str, first: int, second: int) -> SeedComparison:
    spread = pick(rng, (0.0, 1e-6, 0.02, 0.3))
    groups = [np.clip(0.6 + spread * rng.normal(size=n), 0, 1) for n in (first, second)]
    own = compare_seeds(name, *groups)
    return replace(
        own,
        p_holm=own.p_value if rng.random() < 0.5 else holm_p([own.p_value, 0.5])[0],
        p_equivalence_holm=holm_p([own.p_equivalence, 0.5])[0],
    )


def comparisons(rng: np.random.Generator) -> list[GroupComparison]:
    """None, one, or several conditions and kinds of subjects."""
    cells = [(c, k) for c in ("me", "control") for k in ("model", "child")]
    return [comparison(rng, *cell) for cell in cells if rng.random() < 0.4]


def gate(rng: np.random.Generator) -> GateReport:
    """A gate that some, all or no seeds passed, or that was never applied."""
    n = int(pick(rng, (0, 1, 2, 20)))
    lost = int(rng.integers(0, n + 1))
    failed = tuple((f"p/{place}", "en", float(0.5 - 1e-5 * place)) for place in range(1, lost + 1))
    return GateReport(str(pick(rng, ("", "familiar"))), 0.5, n, failed)
