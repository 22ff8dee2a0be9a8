"""Monolingual against bilingual networks: planned contrasts with seeds as participants."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.choices.families import families_of
from toolkit.statistics.choices.group_sources import difference_sources, mean_sources
from toolkit.statistics.choices.participants import crossed_draws, unit_of
from toolkit.statistics.choices.seeds import SeedComparison, compare_seeds
from toolkit.statistics.choices.verdicts import Verdict, decide, too_few, visible, with_credit
from toolkit.statistics.models.contrasts import (
    Cell,
    between,
    contrast,
    effective,
    holm_p,
    marginal_mean,
)
from toolkit.statistics.models.likelihood import (
    LikelihoodRatio,
    bootstrap,
    likelihood_ratio,
    with_fixed,
)
from toolkit.statistics.models.mixed import NotEstimable, Prepared, fit_mixed, fit_prepared, prepare
from toolkit.statistics.models.penalised import Penalised, penalised_difference
from toolkit.statistics.models.results import Contrast, FitResult, MarginalMean
from toolkit.statistics.models.student import standardised

if TYPE_CHECKING:
    import pandas as pd

RANDOM = (
    "(1 | seed) + (1 + bilingual | word)",
    "(1 | seed) + (1 | word)",
)
"""Random effects of the comparison and what they are reduced to if the first do not converge.

Where both kinds of training met the same draws of familiar words, draws are crossed with training:
``(1 | familiar_draw)`` is added, and what was called a seed is a draw within a population.

Seeds are nested in training condition, so only words can have a slope. ``word`` is a concept in
a language. Distractors and pictures are left out: every seed answers the same trial list, so they
cancel in the comparison.
"""
RATIO_RANDOM = "(1 | seed) + (1 | word) + (1 | word:training)"
"""Random effects of the likelihood-ratio tests.

The engine fits a slope only beside its fixed effect, which the smaller model must not have. A
random effect of words within each kind of training says the same with equal variances.
"""
COUNTS = "cbind(n_right, n_wrong)"
OFFSET = "chance_log_odds"
NOBODY = "no language is left in which subjects of both groups passed the gate"
NO_FREEDOM = "no degrees of freedom: every seed is the only one of its population"
"""Why there is no test then."""


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
    """Why there is no model or no verdict; empty if there is one."""
    reduced: str = ""
    """How the model was reduced; empty if it was not."""
    n_languages: int = 0
    """Test languages compared."""
    n_words: int = 0
    """Words (concepts in a language) of either group."""
    n_shared: int = 0
    """Words that both groups were asked."""
    verdict: Verdict = "undecided"
    """What the contrast decides, after correction: are bilinguals higher or lower?"""
    visible: float = math.nan
    """Difference (share of 1) that the contrast, at its corrected level, would have shown in four
    of five cases."""
    penalised: Penalised | None = None
    """What can be said where the data do not decide the model."""
    test_language: str = ""
    """The only test language compared; empty where there are several."""
    unit: str = "seed"
    """What the participants are, see `toolkit.statistics.choices.chance.ChanceTest.unit`."""


@dataclass(frozen=True)
class GroupComparison:
    """Everything about monolingual and bilingual networks in one condition."""

    condition: str
    """Which condition."""
    subject_kind: str
    """Whose comparison: ``model``, ``child``, or whatever else the table calls its subjects."""
    overall: GroupModel
    """All test languages together, or the only one: the primary test."""
    interaction: LikelihoodRatio | None
    """Does the difference depend on the test language? None with one language or no model."""
    by_language: tuple[GroupModel, ...]
    """Per test language; corrected as a family of their own; empty if there is but one."""
    by_population: tuple[GroupModel, ...]
    """Every bilingual population against the monolingual one of that language, likewise; only in
    languages with several, where that is another test than the one per language."""
    families: tuple[str, ...]
    """The families of tests, in words."""

    @property
    def models(self) -> tuple[GroupModel, ...]:
        """All comparisons: overall, per language, per population."""
        return (self.overall, *self.by_language, *self.by_population)


def compare_groups(
    counts: pd.DataFrame,
    bound: float,
    n_bootstrap: int = 0,
    progress: Callable[[int, int], None] = lambda *_: None,
    alpha: float = 0.05,
    planned: pd.DataFrame | None = None,
) -> GroupComparison | None:
    """Compare monolingual with bilingual populations of one kind of subjects in one condition.

    Only populations trained on the test language take part, and only languages in which both
    kinds of training were tested.

    Args:
        counts: rows of one condition and kind of subjects, all populations.
        bound: equivalence bound, as a difference of shares.
        n_bootstrap: simulations of the parametric bootstrap; 0 for none.
        progress: called with the simulations done and asked for.
        alpha: level of each family.
        planned: the same before seeds were set aside; what was to be compared is told from them,
            and counts in its family even if no seed is left for it.

    Returns:
        The comparison; None if there is nothing to compare.
    """
    whole = _compared(counts if planned is None else planned)
    languages = sorted(whole["test_language"].unique())
    if not languages:
        return None
    left = counts[["seed", "test_language"]].drop_duplicates()
    table = whole if planned is None else whole.merge(left, on=["seed", "test_language"])
    only = "" if len(languages) > 1 else languages[0]
    primary = f"bilingual - monolingual, {only or 'all languages'}"
    overall, added = _with_ratio(_model(primary, table, bound, only), table, n_bootstrap, progress)
    by_language, by_population = [], []
    for language in languages:
        asked, own = (part[part["test_language"] == language] for part in (whole, table))
        mono = "/".join(sorted(asked.loc[asked["bilingual"] == 0, "population"].unique()))
        populations = sorted(asked.loc[asked["bilingual"] == 1, "population"].unique())
        if len(languages) > 1:
            model = _model(f"bilingual - monolingual, {language}", own, bound, language)
            by_language.append(_with_ratio(model, own, n_bootstrap, progress)[0])
        if len(populations) > 1:
            by_population += [
                _model(
                    f"{population} - {mono}, {language}",
                    own[(own["bilingual"] == 0) | (own["population"] == population)],
                    *(bound, language),
                )
                for population in populations
            ]
    first = whole.iloc[0]
    return GroupComparison(
        condition=str(first["condition"]),
        subject_kind=str(first["subject_kind"]),
        overall=_decided([overall], f"primary: one test ({primary})", alpha)[0],
        interaction=_interaction(*added) if overall.n_languages > 1 and added else None,
        by_language=_decided(by_language, "per test language", alpha),
        by_population=_decided(by_population, "per bilingual population and test language", alpha),
        families=tuple(families_of(primary, by_language, by_population)),
    )


def _compared(counts: pd.DataFrame) -> pd.DataFrame:
    knows = np.zeros(len(counts), bool)
    for language in counts["test_language"].unique():
        taught = [x for x in counts["train_languages"].unique() if language in str(x).split("+")]
        asked = (counts["test_language"] == language) & counts["train_languages"].isin(taught)
        knows |= asked.to_numpy()
    keys = ["condition", "subject_kind", "population", "n_languages", "seed", "test_language"]
    keys += ["word_concept", "n_choices", *["familiar_draw"] * ("familiar_draw" in counts)]
    summed = counts[knows].groupby(keys, observed=True)[["n_trials", "n_correct", "n_ties"]].sum()
    table = with_credit(summed.reset_index())
    table = table.assign(
        bilingual=(table["n_languages"] > 1).astype(int),
        training=np.where(table["n_languages"] > 1, "bilingual", "monolingual"),
        word=table["word_concept"].astype(str) + "/" + table["test_language"].astype(str),
        **{OFFSET: -np.log(table["n_choices"] - 1.0)},
    )
    return _both(table)


def _both(table: pd.DataFrame) -> pd.DataFrame:
    """Rows of the languages in which both kinds of training were tested."""
    kinds = table.groupby("test_language", observed=True)["bilingual"].nunique()
    return table[table["test_language"].isin(kinds.index[kinds == 2])]


def _fixed(table: pd.DataFrame, terms: str) -> str:
    """The fixed part, with each trial's own chance where trials differ in their options."""
    several = table["n_choices"].nunique() > 1
    return f"{terms} + offset({OFFSET})" if several else terms


def _model(name: str, asked: pd.DataFrame, bound: float, only: str = "") -> GroupModel:
    """Compare the groups in the languages, or the only one, in which seeds of both are left."""
    table = _both(asked)
    if table.empty:
        nobody = compare_seeds(name, [], [], bound)
        return GroupModel(
            *(name, None, None, None, nobody, math.nan, ()),
            problem=NOBODY,
            test_language=only,
            unit=unit_of(asked),
        )
    languages = sorted(table["test_language"].unique())
    seeds = _per_seed(table)
    compared = _seed_comparison(name, seeds, bound)
    groups_of = table.groupby("word", observed=True)["bilingual"].nunique()
    n_seeds = seeds.groupby("bilingual", observed=True)["seed"].nunique()
    model = GroupModel(
        *(name, None, None, None, compared, _over_words(table), ()),
        problem=too_few([int(n_seeds[0]), int(n_seeds[1])], len(groups_of), unit_of(table)),
        n_languages=len(languages),
        n_words=len(groups_of),
        n_shared=int((groups_of == 2).sum()),
        test_language=only,
        unit=unit_of(table),
    )
    several = len(languages) > 1
    terms = "bilingual * test_language" if several else "bilingual"
    try:
        fit, reduced = _fitted(table, _fixed(table, terms))
    except NotEstimable as error:
        instead = penalised_difference(table, "bilingual")
        return replace(model, problem=error.message, penalised=instead)
    if not fit.converged:
        return replace(
            model,
            fit=fit,
            problem=fit.problem,
            penalised=penalised_difference(table, "bilingual"),
        )

    def cells(bilingual: int) -> list[Cell]:
        known = {OFFSET: float(table[OFFSET].mean())}
        return [known | {"bilingual": bilingual, "test_language": name} for name in languages]

    parts = difference_sources(fit, seeds, table)
    found = contrast(
        *(fit, name, cells(1), cells(0)),
        correction=lambda std_error: effective(parts, std_error),
    )
    return replace(
        model,
        fit=fit,
        problem=model.problem or NO_FREEDOM * math.isnan(found.p_value),
        contrast=found,
        means=tuple(
            marginal_mean(fit, group, cells(value), mean_sources(fit, seeds, table, value))
            for value, group in ((0, "monolingual"), (1, "bilingual"))
        ),
        reduced=reduced,
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
    table = _both(table)
    several = table["test_language"].nunique() > 1
    terms = ("bilingual + test_language", "test_language") if several else ("bilingual", "1")
    effect, rest = (_fixed(table, part) for part in terms)
    ready = prepare(table, f"{COUNTS} ~ {effect} + {_with_draws(RATIO_RANDOM, table)}")
    fit = fit_prepared(ready)
    ratio = (
        bootstrap(ready, rest, n_bootstrap, progress=progress)
        if n_bootstrap
        else likelihood_ratio(fit, fit_prepared(with_fixed(ready, rest)))
    )
    return replace(model, ratio=ratio), (ready, fit)


def _fitted(table: pd.DataFrame, fixed: str) -> tuple[FitResult, str]:
    """Fit the largest model that converges, along the path of `RANDOM`."""
    largest, smaller = (_with_draws(random, table) for random in RANDOM)
    fit = fit_mixed(table, f"{COUNTS} ~ {fixed} + {largest}")
    # A smaller model of separated data may have a maximum, but of a question nobody asked.
    if fit.converged or fit.separated:
        return fit, ""
    return fit_mixed(table, f"{COUNTS} ~ {fixed} + {smaller}"), (
        f"The model with {largest} did not converge and was reduced to {smaller}: how far words "
        "differ in the effect was not estimated."
    )


def _with_draws(random: str, table: pd.DataFrame) -> str:
    """Random effects, with draws where these are crossed with training."""
    return f"(1 | familiar_draw) + {random}" if crossed_draws(table) else random


def _per_seed(table: pd.DataFrame) -> pd.DataFrame:
    """Accuracy of every seed in every test language."""
    keys = [
        "population",
        "seed",
        "bilingual",
        "test_language",
        *["familiar_draw"] * ("familiar_draw" in table),
    ]
    summed = table.groupby(keys, observed=True)[["n_right", "n_trials"]].sum().reset_index()
    return summed.assign(accuracy=summed["n_right"] / summed["n_trials"])


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
    summed = table.groupby(["word", "bilingual"], observed=True)[["n_right", "n_trials"]].sum()
    accuracy = (summed["n_right"] / summed["n_trials"]).unstack()
    return standardised((accuracy[1] - accuracy[0]).dropna().to_numpy(float))


def _decided(models: Sequence[GroupModel], family: str, alpha: float) -> tuple[GroupModel, ...]:
    """Correct the tests of a family for each other, and say what each decides.

    Welch's test and the equivalence test of the seed means are corrected over the same family.
    """
    judged = [
        math.nan if model.problem or model.contrast is None else model.contrast.p_value
        for model in models
    ]
    seeds = [model.seeds for model in models]
    corrected = zip(
        models,
        holm_p(judged),
        holm_p([own.p_value for own in seeds]),
        holm_p([own.p_equivalence for own in seeds]),
        strict=True,
    )
    made = []
    for model, p, p_welch, p_tost in corrected:
        own = replace(model.seeds, p_holm=p_welch, p_equivalence_holm=p_tost)
        if model.contrast is None:
            made.append(replace(model, seeds=own))
            continue
        effect = replace(model.contrast, family=family, p_holm=p)
        seen = visible(effect.std_error, effect.df, alpha / len(models))
        made.append(
            replace(
                model,
                seeds=own,
                contrast=effect,
                verdict="few" if model.problem else decide(effect.estimate, p, alpha),
                visible=between(effect.middle, seen),
            )
        )
    return tuple(made)
