"""High- against low-resource languages on all rows: mixed model, and the published Wilcoxon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from toolkit.statistics.grounding_data import MEASURES, PRIMARY, Grounded, span
from toolkit.statistics.grounding_languages import Estimate, LanguageTest, language_test
from toolkit.statistics.mixed import NotEstimable, fit_mixed
from toolkit.statistics.results import FitResult

if TYPE_CHECKING:
    import pandas as pd

RANDOM = (
    "(1 | picture) + (1 + high | concept) + (1 | language)",
    "(1 | picture) + (1 | concept) + (1 | language)",
)
"""Crossed random effects and what they are reduced to if the first do not converge.

Languages are nested in their group, so only pictures and concepts can have a slope; concepts get
one, because the published gaps run from .006 (bus) to .342 (road). What a single translation adds
is left to the random effects of languages and concepts, which keeps the model small and the test a
little on the safe side (3.7 % instead of 5 % false alarms in simulations).
"""
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
    """high - low of the mixed model; None without one. Satterthwaite's degrees of freedom, at most
    languages - 2, since the contrast is between languages."""
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


def resource_tests(grounded: Grounded, table: pd.DataFrame) -> tuple[ResourceTest, ...]:
    """Compare the groups of languages in every measure that was taken.

    The primary measure is modelled on all rows, with a random effect of seeds where there are
    several; the others on means over seeds, which in complete tables changes no estimate.

    Args:
        grounded: where languages and groups are from.
        table: its rows of one population and condition.
    """
    high, low = grounded.group("high"), grounded.group("low")
    rows = table[table["language"].isin([*high, *low])]
    rows = rows.assign(high=rows["language"].isin(high).astype(int))
    known = [name for name in MEASURES if name in rows and rows[name].notna().any()]
    keys = ["picture", "concept", "language", "high"]
    over_seeds = rows.groupby(keys, observed=True)[known].mean().reset_index()
    return tuple(_test(name, rows, over_seeds, high, low) for name in known)


def _test(
    name: str, rows: pd.DataFrame, over_seeds: pd.DataFrame, high: list[str], low: list[str]
) -> ResourceTest:
    means = over_seeds.groupby("language", observed=True)[name].mean()
    languages = language_test(means.to_dict(), high, low, span(name))
    seeds = _gaps(rows, name)
    fit, problem = None, ""
    if languages is None:
        problem = (
            "A contrast between languages needs two languages or more of either kind, "
            f"and there are {len(high)} high- and {len(low)} low-resource ones."
        )
    else:
        fit, problem = _fitted(rows if name == PRIMARY else over_seeds, name)
    mixed = None
    if fit is not None and fit.converged:
        effect = fit["high"]
        # A variance of languages estimated as 0 must not turn rows into the sample.
        most = float(len(high) + len(low) - 2)
        mixed = Estimate.of(effect.estimate, effect.std_error, min(effect.df, most))
        mixed = mixed.within(-span(name), span(name))
    return ResourceTest(
        measure=name,
        meaning=MEASURES[name],
        mixed=mixed,
        p_value=mixed.p_value if mixed else float("nan"),
        languages=languages,
        pairs=pair_test(over_seeds, name),
        by_seed=seeds,
        fit=fit if name == PRIMARY else None,
        problem=problem,
    )


def _fitted(rows: pd.DataFrame, name: str) -> tuple[FitResult | None, str]:
    """Fit the largest model that converges, along the path of `RANDOM`."""
    seeds = " + (1 | seed)" if "seed" in rows and rows["seed"].nunique() > 1 else ""
    largest, smaller = RANDOM
    try:
        fit = fit_mixed(rows, f"{name} ~ high + {largest}{seeds}", "gaussian")
        if fit.converged:
            return fit, ""
        fit = fit_mixed(rows, f"{name} ~ high + {smaller}{seeds}", "gaussian")
    except NotEstimable as error:
        return None, str(error).partition("\n")[0]
    if not fit.converged:
        return fit, fit.warnings[-1]
    return fit, (
        f"The model with {largest} did not converge and was reduced to {smaller}; its p-value "
        "speaks about these concepts."
    )


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
