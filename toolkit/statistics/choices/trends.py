"""Graded factors: does the share of correct answers rise or fall with the level of a factor?

The test is a linear contrast, the slope of the paradigm's own model over the levels (log odds),
for further seeds and further items. The same seeds and items answer at all levels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from paradigms.formula import LEVEL, Formula
from toolkit.statistics.choices.chance import NOBODY
from toolkit.statistics.choices.participants import factor_of, of_each, over_participants, unit_of
from toolkit.statistics.choices.verdicts import ContrastTest, decided, too_few, with_credit
from toolkit.statistics.models.contrasts import contrast, effective
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.models.results import FitResult
from toolkit.statistics.models.student import standardised

if TYPE_CHECKING:
    import pandas as pd

    from paradigms import Graded

COUNTS = "cbind(n_right, n_wrong)"
NUMBERS = ("n_trials", "n_correct", "n_ties")


@dataclass(frozen=True)
class LevelMean:
    """What was answered at one level."""

    level: float
    """The level."""
    accuracy: float
    """Share of trials in which the target was chosen, mean over seeds, ties at chance."""
    n_trials: int
    """Trials of all seeds."""
    n_items: int
    """Word classes."""


@dataclass(frozen=True, kw_only=True)
class TrendTest(ContrastTest):
    """The slope over a graded factor.

    ``contrast`` is the highest level minus the lowest along the line; the ``level`` of the model
    runs from 0 at the lowest to 1 at the highest.
    """

    factor: str
    """What there is more or less of."""
    unit_of_level: str
    """What levels are counted in."""
    levels: tuple[LevelMean, ...]
    """What was answered at every level, the lowest first."""
    n_words: int
    """Word classes."""
    slope: float = math.nan
    """Change of the log odds of the target per unit of the level."""
    slope_low: float = math.nan
    """Lower end of its 95 % interval, over seeds and items."""
    slope_high: float = math.nan
    """Upper end."""


def trend_tests(
    counts: pd.DataFrame,
    factors: Sequence[Graded],
    formula: Formula,
    alpha: float,
    planned: pd.DataFrame | None = None,
) -> tuple[TrendTest, ...]:
    """Test the slopes over the graded factors of a paradigm, per population and language.

    Args:
        counts: rows of all conditions, populations and languages.
        factors: what is graded; all tests of an analysis are one family.
        formula: the paradigm's model, see `paradigms.formula.check_declared`.
        alpha: level of the family.
        planned: the same before seeds were set aside, see `toolkit.statistics.choices.chance`.

    Returns:
        The tests, corrected and decided; none of a factor that was not asked at two levels.
    """
    made = [
        _tested(test, table, formula)
        for test, table in _asked(counts, factors, counts if planned is None else planned)
    ]
    return decided(made, alpha)


def _asked(
    counts: pd.DataFrame, factors: Sequence[Graded], planned: pd.DataFrame
) -> Iterator[tuple[TrendTest, pd.DataFrame]]:
    """What there is to say without a model, and the answers, test by test."""
    cell = ["population", "test_language"]
    left = of_each(counts)
    for factor in factors:
        for key, all_own in planned.groupby(cell, observed=True):
            if not _at_two_levels(all_own, factor):
                continue
            own = left[key]() if key in left else None
            if own is not None and _at_two_levels(own, factor):
                yield _described(own, factor)
            else:
                test, table = _described(all_own, factor)
                yield replace(test, problem=NOBODY), table[:0]


def _at_two_levels(counts: pd.DataFrame, factor: Graded) -> bool:
    asked = set(counts["condition"].unique())
    return len({level for name, level in factor.levels.items() if name in asked}) > 1


def _described(counts: pd.DataFrame, factor: Graded) -> tuple[TrendTest, pd.DataFrame]:
    """What there is to say without a model, and the answers with their ``level``, from 0 to 1."""
    own = counts[counts["condition"].isin(list(factor.levels))]
    table = with_credit(own.assign(_level=own["condition"].map(factor.levels).astype(float)))
    lowest, highest = table["_level"].min(), table["_level"].max()
    summed = table.groupby(["seed", "_level"], observed=True)[["n_right", "n_trials"]].sum()
    shares = (summed["n_right"] / summed["n_trials"]).unstack().dropna()
    unit, n_words = unit_of(counts), int(table["word_concept"].nunique())
    test = TrendTest(
        population=str(counts["population"].iloc[0]),
        test_language=str(counts["test_language"].iloc[0]),
        factor=factor.name,
        unit_of_level=factor.unit,
        question=factor.question,
        levels=tuple(
            LevelMean(
                level,
                float(shares[level].mean()),
                int(at["n_trials"].sum()),
                int(at["word_concept"].nunique()),
            )
            for level in sorted(set(table["_level"].tolist()))
            for at in [table[table["_level"] == level]]
        ),
        n_seeds=len(shares),
        n_words=n_words,
        n_trials=int(table["n_trials"].sum()),
        n_ties=int(table["n_ties"].sum()),
        d_seeds=standardised((shares[highest] - shares[lowest]).to_numpy(float)),
        problem=too_few([len(shares)], n_words, unit),
        unit=unit,
    )
    return test, table.assign(level=(table["_level"] - lowest) / (highest - lowest))


def _tested(test: TrendTest, table: pd.DataFrame, formula: Formula) -> TrendTest:
    """The test with its model; without one where no answers are left."""
    if table.empty:
        return test
    try:
        fit, reduced = _fitted(table, formula, test.unit)
    except NotEstimable as error:
        return replace(test, problem=error.message)
    if not fit.converged:
        return replace(test, fit=fit, problem=fit.problem)
    parts = _parts(fit, table, formula, test.unit)
    found = contrast(
        *(fit, f"{test.factor}: highest - lowest level", [{LEVEL: 1.0}], [{LEVEL: 0.0}]),
        correction=lambda std_error: effective(parts, std_error),
        family="trend over a graded factor",
    )
    span = test.levels[-1].level - test.levels[0].level
    return replace(
        test,
        slope=found.estimate / span,
        slope_low=found.ci_low / span,
        slope_high=found.ci_high / span,
        contrast=found,
        fit=fit,
        reduced=reduced,
    )


def _fitted(table: pd.DataFrame, formula: Formula, unit: str) -> tuple[FitResult, str]:
    """Fit the declared model, or where it does not converge the same without slopes of items."""
    largest = Formula(COUNTS, LEVEL, over_participants(formula.random, unit))
    keys = [*dict.fromkeys([LEVEL, *(term.group for term in largest.random)])]
    summed = table.groupby(keys, observed=True)[["n_right", "n_wrong"]].sum().reset_index()
    fit = fit_mixed(summed, largest)
    smaller = Formula(COUNTS, LEVEL, formula.at_one_level.random)
    smaller = smaller.with_random(over_participants(smaller.random, unit))
    if fit.converged or fit.separated or smaller == largest:
        return fit, ""
    told = " + ".join(map(str, largest.random)), " + ".join(map(str, smaller.random))
    return (
        fit_mixed(summed, smaller),
        f"The model with {told[0]} did not converge and was reduced to {told[1]}.",
    )


def _parts(
    fit: FitResult, table: pd.DataFrame, formula: Formula, unit: str
) -> list[tuple[float, int, int]]:
    """Shares of seeds and items in the variance of the slope; see `effective`."""
    sds = {
        effect.group: sd
        for effect in fit.random_effects
        for term, sd in zip(effect.terms, effect.sds, strict=True)
        if term == LEVEL
    }
    sloped = [term.group for term in over_participants(formula.random, unit) if LEVEL in term.terms]
    counted = {group: int(table[group].nunique()) for group in dict.fromkeys(sloped)}
    n_seeds = int(table[factor_of(unit)].nunique())
    parts = [(sds.get(group, 0.0) ** 2 / n, n, 1) for group, n in counted.items() if n > 1]
    if factor_of(unit) not in counted and n_seeds > 1:
        # Seeds without a slope of their own: what differs is in the answers' noise.
        parts.append((0.0, n_seeds, 1))
    return parts
