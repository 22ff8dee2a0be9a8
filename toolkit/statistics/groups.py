"""Monolingual against bilingual networks: planned contrasts with seeds as participants."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.contrasts import Cell, contrast, effective, holm, marginal_mean
from toolkit.statistics.likelihood import (
    LikelihoodRatio,
    bootstrap,
    likelihood_ratio,
    with_fixed,
)
from toolkit.statistics.mixed import NotEstimable, Prepared, fit_mixed, fit_prepared, prepare
from toolkit.statistics.results import Contrast, FitResult, MarginalMean
from toolkit.statistics.seeds import SeedComparison, compare_seeds
from toolkit.statistics.student import standardised

if TYPE_CHECKING:
    import pandas as pd

RANDOM = (
    "(1 | seed) + (1 + bilingual | word)",
    "(1 | seed) + (1 | word)",
)
"""Random effects of the comparison and what they are reduced to if the first do not converge.

Seeds are nested in training condition, so only words can have a slope. ``word`` is a concept in
a language. Distractors and pictures are left out: every seed answers the same trial list, so they
cancel in the comparison.
"""
RATIO_RANDOM = "(1 | seed) + (1 | word) + (1 | word:training)"
"""Random effects of the likelihood-ratio tests.

The engine fits a slope only beside its fixed effect, which the smaller model must not have. A
random effect of words within each kind of training says the same with equal variances.
"""
COUNTS = "cbind(n_correct, n_wrong)"
OVERALL = "bilingual - monolingual, all languages"


@dataclass(frozen=True)
class GroupModel:
    """A comparison model with what follows from it."""

    name: str
    """What is compared."""
    fit: FitResult | None
    """The model; None if the data do not decide one."""
    contrast: Contrast | None
    """bilingual - monolingual."""
    ratio: LikelihoodRatio | None
    """Likelihood-ratio test of the same effect; None for single bilingual populations."""
    seeds: SeedComparison
    """The same comparison on seed means."""
    d_words: float
    """Mean over SD of the words' differences in accuracy; not comparable with d over children."""
    means: tuple[MarginalMean, ...]
    """Marginal probability of either group."""
    problem: str
    """Why there is no model, or how it was reduced; empty otherwise."""


@dataclass(frozen=True)
class GroupComparison:
    """Everything about monolingual and bilingual networks in one condition."""

    condition: str
    """Which condition."""
    overall: GroupModel
    """All test languages together, or the only one: the primary test."""
    interaction: LikelihoodRatio | None
    """Does the difference depend on the test language? None with one language or no model."""
    by_language: tuple[GroupModel, ...]
    """Per test language; corrected as a family of their own; empty if there is but one."""
    by_population: tuple[GroupModel, ...]
    """Every bilingual population against the monolingual one of that language; likewise."""
    families: tuple[str, ...]
    """The families of tests, in words."""


def compare_groups(
    counts: pd.DataFrame,
    bound: float,
    n_bootstrap: int = 0,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> GroupComparison | None:
    """Compare monolingual with bilingual populations in one condition.

    Only populations trained on the test language take part, and only languages in which both
    kinds were tested.

    Args:
        counts: rows of one condition, all populations.
        bound: equivalence bound, as a difference of shares.
        n_bootstrap: simulations of the parametric bootstrap; 0 for none.
        progress: called with the simulations done and asked for.

    Returns:
        The comparison; None if there is nothing to compare.
    """
    table = _compared(counts)
    languages = sorted(table["test_language"].unique())
    if not languages:
        return None
    primary = OVERALL if len(languages) > 1 else f"bilingual - monolingual, {languages[0]}"
    overall, added = _with_ratio(_model(primary, table, bound), table, n_bootstrap, progress)
    by_language = (
        []
        if len(languages) == 1
        else [
            _with_ratio(
                _model(f"bilingual - monolingual, {language}", own, bound),
                *(own, n_bootstrap, progress),
            )[0]
            for language in languages
            for own in [table[table["test_language"] == language]]
        ]
    )
    by_population = [
        _model(
            f"{population} - {'/'.join(sorted(mono['population'].unique()))}, {language}",
            own[(own["bilingual"] == 0) | (own["population"] == population)],
            bound,
        )
        for language in languages
        for own in [table[table["test_language"] == language]]
        for mono in [own[own["bilingual"] == 0]]
        for population in sorted(own.loc[own["bilingual"] == 1, "population"].unique())
    ]
    return GroupComparison(
        condition=str(table["condition"].iloc[0]),
        overall=overall,
        interaction=_interaction(*added) if len(languages) > 1 and added else None,
        by_language=_corrected(by_language, "per test language"),
        by_population=_corrected(by_population, "per bilingual population and test language"),
        families=(
            f"primary: one test ({primary})",
            *(
                f"per {what}: Holm over {len(models)} tests"
                for what, models in (
                    ("test language", by_language),
                    ("bilingual population and test language", by_population),
                )
                if models
            ),
        ),
    )


def _compared(counts: pd.DataFrame) -> pd.DataFrame:
    knows = np.zeros(len(counts), bool)
    for language in counts["test_language"].unique():
        taught = [x for x in counts["train_languages"].unique() if language in str(x).split("+")]
        asked = (counts["test_language"] == language) & counts["train_languages"].isin(taught)
        knows |= asked.to_numpy()
    keys = ["condition", "population", "n_languages", "seed", "test_language", "word_concept"]
    summed = counts[knows].groupby(keys, observed=True)[["n_trials", "n_correct"]].sum()
    table = summed.reset_index()
    table = table.assign(
        bilingual=(table["n_languages"] > 1).astype(int),
        training=np.where(table["n_languages"] > 1, "bilingual", "monolingual"),
        word=table["word_concept"].astype(str) + "/" + table["test_language"].astype(str),
        n_wrong=table["n_trials"] - table["n_correct"],
    )
    both = table.groupby("test_language", observed=True)["bilingual"].nunique()
    return table[table["test_language"].isin(both.index[both == 2])]


def _model(name: str, table: pd.DataFrame, bound: float) -> GroupModel:
    languages = sorted(table["test_language"].unique())
    seeds = _per_seed(table)
    compared = _seed_comparison(name, seeds, bound)
    model = GroupModel(name, None, None, None, compared, _over_words(table), (), "")
    several = len(languages) > 1
    try:
        fit, problem = _fitted(table, "bilingual * test_language" if several else "bilingual")
    except NotEstimable as error:
        return replace(model, problem=str(error).partition("\n")[0])
    if not fit.converged:
        return replace(model, fit=fit, problem=fit.warnings[-1])

    def cells(bilingual: int) -> list[Cell]:
        return [{"bilingual": bilingual, "test_language": language} for language in languages]

    def correction(std_error: float) -> tuple[float, float]:
        return effective(_parts(fit, seeds), std_error)

    return replace(
        model,
        fit=fit,
        contrast=contrast(fit, name, cells(1), cells(0), correction, "primary"),
        means=tuple(
            marginal_mean(fit, group, cells(value))
            for value, group in ((0, "monolingual"), (1, "bilingual"))
        ),
        problem=problem,
    )


def _with_ratio(
    model: GroupModel,
    table: pd.DataFrame,
    n_bootstrap: int,
    progress: Callable[[int, int], None],
) -> tuple[GroupModel, tuple[Prepared, FitResult] | None]:
    """The model with its likelihood-ratio test, by parametric bootstrap if asked for.

    Also the larger of the two models compared, with the data it was fitted to.
    """
    if model.contrast is None:
        return model, None
    several = table["test_language"].nunique() > 1
    effect, rest = ("bilingual + test_language", "test_language") if several else ("bilingual", "1")
    ready = prepare(table, f"{COUNTS} ~ {effect} + {RATIO_RANDOM}")
    fit = fit_prepared(ready)
    ratio = (
        bootstrap(ready, rest, n_bootstrap, progress=progress)
        if n_bootstrap
        else likelihood_ratio(fit, fit_prepared(with_fixed(ready, rest)))
    )
    return replace(model, ratio=ratio), (ready, fit)


def _fitted(table: pd.DataFrame, fixed: str) -> tuple[FitResult, str]:
    """Fit the largest model that converges, along the path of `RANDOM`."""
    largest, smaller = RANDOM
    fit = fit_mixed(table, f"{COUNTS} ~ {fixed} + {largest}")
    if fit.converged:
        return fit, ""
    return fit_mixed(table, f"{COUNTS} ~ {fixed} + {smaller}"), (
        f"The model with {largest} did not converge and was reduced to {smaller}; its p-values "
        "speak about further seeds, not about further words."
    )


def _per_seed(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of every seed in every test language."""
    keys = ["population", "seed", "bilingual", "test_language"]
    summed = table.groupby(keys, observed=True)[["n_correct", "n_trials"]].sum().reset_index()
    return summed.assign(accuracy=summed["n_correct"] / summed["n_trials"])


def _parts(fit: FitResult, seeds: pd.DataFrame) -> list[tuple[float, int, int]]:
    """Shares of seeds and words in the variance of bilingual - monolingual; see `effective`."""
    parts = []
    per_cell = seeds.groupby(["test_language", "bilingual"], observed=True)["seed"]
    weight = 1 / seeds["test_language"].nunique() / per_cell.transform("size")
    per_seed = weight.groupby(seeds["seed"], observed=True).sum()
    for effect in fit.random_effects:
        if effect.group == "seed":
            groups = seeds["population"].nunique()
            share = effect.sds[0] ** 2 * float((per_seed**2).sum())
            parts.append((share, effect.n_levels, groups))
        elif len(effect.sds) > 1:
            parts.append((effect.sds[1] ** 2 / effect.n_levels, effect.n_levels, 1))
    return parts


def _seed_comparison(name: str, seeds: pd.DataFrame, bound: float) -> SeedComparison:
    """Welch's test of seed means; a seed's mean is taken over its test languages."""
    # Languages differ in difficulty and groups are tested in different numbers of them, so each
    # accuracy is first held against the mean of its language.
    cell = seeds.groupby(["test_language", "bilingual"], observed=True)["accuracy"].mean()
    level = cell.groupby("test_language", observed=True).mean()
    above = seeds["accuracy"] - (seeds["test_language"].astype(str).map(level) - level.mean())
    means = above.groupby([seeds["bilingual"], seeds["seed"]], observed=True).mean()
    return compare_seeds(name, means[1].to_numpy(), means[0].to_numpy(), bound)


def _interaction(added: Prepared, fit: FitResult) -> LikelihoodRatio:
    """Test of the interaction against effects that are only added."""
    crossed = with_fixed(added, "bilingual * test_language")
    return likelihood_ratio(fit_prepared(crossed), fit)


def _over_words(table: pd.DataFrame) -> float:
    """Standardised mean of the words' differences, each word weighing the same."""
    summed = table.groupby(["word", "bilingual"], observed=True)[["n_correct", "n_trials"]].sum()
    accuracy = (summed["n_correct"] / summed["n_trials"]).unstack()
    return standardised((accuracy[1] - accuracy[0]).to_numpy(float))


def _corrected(models: Sequence[GroupModel], family: str) -> tuple[GroupModel, ...]:
    nothing = math.nan
    known = [
        replace(model.contrast, family=family, p_holm=nothing)
        for model in models
        if model.contrast is not None
    ]
    corrected = iter(holm(known))
    return tuple(
        replace(model, contrast=next(corrected)) if model.contrast is not None else model
        for model in models
    )
