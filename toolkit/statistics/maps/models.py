"""High- against low-resource languages on all rows: mixed model, and the published Wilcoxon."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from paradigms.formula import RESOURCE, Formula, RandomTerm, check_maps
from toolkit.statistics.maps.data import NAMES, Asked, Grounded
from toolkit.statistics.maps.languages import Estimate, LanguageTest, language_test
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.models.results import FitResult

if TYPE_CHECKING:
    import pandas as pd

    from paradigms import Measure

COLUMN = {"resource": "high", **NAMES}
"""Columns that stand for the names in a paradigm's formula; ``high`` is 1 or 0."""
SMALLEST_P = 1e-300
"""Smaller p-values of a rank test are written as below this number."""


@dataclass(frozen=True)
class PairTest:
    """The test of the published analysis: picture x concept pairs as the sample."""

    n_pairs: int
    """Pairs of a picture and a concept."""
    difference: float
    """Mean over pairs of mean high - mean low."""
    share_higher: float
    """Share of pairs in which the mean over high-resource languages is higher."""
    statistic: float
    """Wilcoxon's signed-rank statistic; NaN if no pair differs."""
    p_value: float
    """Two-sided. It speaks about further pairs in these languages, not about further languages."""


@dataclass(frozen=True)
class ResourceTest:
    """One measure compared between high- and low-resource languages."""

    measure: str
    """Column."""
    meaning: str
    """What it measures."""
    mixed: Estimate | None
    """high - low of the mixed model; None without one, or where the formula asks for no such
    contrast. Satterthwaite's degrees of freedom, at most languages - 2, since the contrast is
    between languages."""
    p_value: float
    """Its p-value, two-sided, uncorrected; NaN without a model."""
    languages: LanguageTest | None
    """The same with one number per language; None with fewer than two in a group."""
    pairs: PairTest | None
    """The published test; None where a group is empty."""
    by_seed: tuple[tuple[str, float], ...]
    """high - low of every seed alone."""
    fit: FitResult | None
    """The mixed model in full, for the primary measure; None otherwise."""
    problem: str
    """Why there is no model, or how it was reduced; empty otherwise."""
    mean: Estimate | None
    """Mean over languages by the mixed model, where the formula asks for no contrast between
    groups; None otherwise. Of several languages, at most languages - 1 degrees of freedom."""


def resource_tests(
    grounded: Grounded, table: pd.DataFrame, asked: Asked
) -> tuple[ResourceTest, ...]:
    """Model every measure that was taken as the paradigm declares it, and compare languages.

    The primary measure comes first, taken or not. It is modelled on all rows where the formula has
    a random effect of seeds and there are several; everything else on means over seeds, which in
    complete tables changes no estimate.

    Args:
        grounded: where languages and groups are from.
        table: its rows of one population and condition.
        asked: declares measures and model.
    """
    primary = asked.primary()
    names = [measure.name for measure in asked.compared()]
    formula = check_maps(asked.formula, asked.name, names)
    high, low = grounded.group("high"), grounded.group("low")
    codes = [*high, *low] if formula.fixed == RESOURCE else grounded.listed(primary)
    rows = table[table["language"].isin(codes)]
    rows = rows.assign(high=rows["language"].isin(high).astype(int))
    taken = [m for m in asked.compared() if m.name in rows and rows[m.name].notna().any()]
    taken = [primary, *(measure for measure in taken if measure.name != primary.name)]
    keys = ["picture", "concept", "language", "high"]
    over_seeds = rows.groupby(keys, observed=True)[[m.name for m in taken]].mean().reset_index()
    return tuple(_Test(grounded, measure, asked, formula).of(rows, over_seeds) for measure in taken)


@dataclass(frozen=True)
class _Test:
    """How one measure is tested."""

    grounded: Grounded
    measure: Measure
    asked: Asked
    declared: Formula

    def of(self, rows: pd.DataFrame, over_seeds: pd.DataFrame) -> ResourceTest:
        """The test on all rows, and on their means over seeds."""
        name, span = self.measure.name, self.measure.span
        high, low = self.grounded.group("high"), self.grounded.group("low")
        means = over_seeds.groupby("language", observed=True)[name].mean()
        languages = language_test(means.to_dict(), high, low, span)
        primary = name == self.declared.response
        contrast = self.declared.fixed == RESOURCE
        fit, problem = None, ""
        if means.isna().all():
            problem = f"No value of {name} is defined in these trials."
        elif contrast and languages is None:
            problem = (
                "A contrast between languages needs two languages or more of either kind, "
                f"and there are {len(high)} high- and {len(low)} low-resource ones."
            )
        else:
            fit, problem = self._fitted(rows if primary else over_seeds, over_seeds)
        mixed = mean = None
        if fit is not None and fit.converged:
            found = self._estimate(fit, int(means.notna().sum()))
            if contrast:
                mixed = found.within(-span, span)
            else:
                mean = found.within(*self.measure.bounds)
        split = over_seeds[over_seeds["language"].isin([*high, *low])]
        return ResourceTest(
            measure=name,
            meaning=self.measure.label,
            mixed=mixed,
            p_value=mixed.p_value if mixed else float("nan"),
            languages=languages,
            pairs=pair_test(split, name) if self.asked.pairs_as_sample else None,
            by_seed=_gaps(rows[rows["language"].isin([*high, *low])], name),
            fit=fit if primary else None,
            problem=problem,
            mean=mean,
        )

    def _estimate(self, fit: FitResult, n_languages: int) -> Estimate:
        """What the model is about: the contrast, or else the mean."""
        effect = fit["high" if self.declared.fixed == RESOURCE else "(Intercept)"]
        # A variance of languages estimated as 0 must not turn rows into the sample.
        sampled = any(term.group == "test_language" for term in self.declared.random)
        most = n_languages - len(fit.coefficients) if sampled and n_languages > 1 else math.inf
        return Estimate.of(effect.estimate, effect.std_error, min(effect.df, float(most)))

    def _fitted(self, rows: pd.DataFrame, over_seeds: pd.DataFrame) -> tuple[FitResult | None, str]:
        """Fit the model as declared; without its slopes if it does not converge with them."""
        formula = _in_columns(self.declared, self.measure.name)
        n_seeds = rows["seed"].nunique() if "seed" in rows else 1
        if n_seeds < 2:
            formula = formula.without("seed")
        elif "seed" not in [term.group for term in formula.random]:
            rows = over_seeds
        smaller = formula.with_random(tuple(RandomTerm("1", t.group) for t in formula.random))
        try:
            fit = fit_mixed(rows, formula, "gaussian")
            if fit.converged or smaller == formula:
                return fit, fit.problem
            fit = fit_mixed(rows, smaller, "gaussian")
        except NotEstimable as error:
            return None, error.message
        if not fit.converged:
            return fit, fit.problem
        largest, reduced = (
            " + ".join(str(term) for term in one.random if str(term) != "(1 | seed)")
            for one in (formula, smaller)
        )
        slopes = [f"{t.group}s" for t in formula.random if t.terms != "1"]
        return fit, (
            f"The model with {largest} did not converge and was reduced to {reduced}; its p-value "
            f"speaks about these {' and '.join(slopes)}."
        )


def _in_columns(formula: Formula, response: str) -> Formula:
    """A declared formula for a measure, with the names that columns have here."""
    fixed = " + ".join(COLUMN.get(part, part) for part in formula.fixed.split(" + "))
    random = (
        RandomTerm(
            " + ".join(COLUMN.get(part, part) for part in term.terms.split(" + ")),
            COLUMN.get(term.group, term.group),
        )
        for term in formula.random
    )
    return Formula(response, fixed, tuple(random))


def _gaps(rows: pd.DataFrame, name: str) -> tuple[tuple[str, float], ...]:
    """High - low of every seed, each language weighing the same."""
    means = rows.groupby(["seed", "high", "language"], observed=True)[name].mean()
    groups = means.groupby(["seed", "high"], observed=True).mean().unstack()
    if len(groups.columns) < 2:
        return ()
    gaps = (groups[1] - groups[0]).dropna()
    return tuple((str(seed), float(gap)) for seed, gap in gaps.items())


def pair_test(over_seeds: pd.DataFrame, name: str) -> PairTest | None:
    """Wilcoxon's signed-rank test with picture x concept pairs as the sample.

    Source:
        Wilcoxon (1945, Biometrics Bulletin 1, 80-83); used so in arXiv 2605.09060.

    Args:
        over_seeds: columns ``picture``, ``concept``, ``language``, ``high`` and the measure.
        name: the measure.
    """
    from scipy.stats import wilcoxon

    means = over_seeds.groupby(["picture", "concept", "high"], observed=True)[name].mean()
    pairs = means.unstack()
    if len(pairs.columns) < 2:
        return None
    differences = (pairs[1] - pairs[0]).dropna().to_numpy(float)
    if not len(differences):
        return None
    statistic = p = float("nan")
    if np.any(differences != 0):
        found = wilcoxon(differences)
        statistic, p = float(found.statistic), float(found.pvalue)
    return PairTest(
        n_pairs=len(differences),
        difference=float(differences.mean()),
        share_higher=float((differences > 0).mean()),
        statistic=statistic,
        p_value=p,
    )
