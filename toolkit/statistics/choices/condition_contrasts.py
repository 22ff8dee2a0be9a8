"""The test against its controls: does a condition differ from another, for the same networks?

Both conditions count how often the target is chosen, in ME and its controls the novel picture.
Seeds answer both, targets are shown in both; words may be heard in one alone (a familiar word whose
picture is absent, a novel word in the test).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from toolkit.processes.beside import spread
from toolkit.statistics.choices.chance import NOBODY
from toolkit.statistics.choices.participants import factor_of, of_each, unit_of
from toolkit.statistics.choices.verdicts import ContrastTest, decided, too_few, with_credit
from toolkit.statistics.models.contrasts import contrast, effective
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.models.results import FitResult
from toolkit.statistics.models.student import standardised

if TYPE_CHECKING:
    import pandas as pd

    from paradigms import ConditionContrast

COUNTS = "cbind(n_right, n_wrong)"
MANY_ROWS = 25_000
"""Rows of all models for which a further process pays: about eight tests of ten networks each."""
ONE_ALONE = "of the seeds that passed the gate, none was asked one of the conditions"
"""Why there is no test then."""
RANDOM = (
    "(1 + plus | seed) + (1 + plus | target_concept) + (1 | word_concept)",
    "(1 | seed) + (1 | target_concept) + (1 | word_concept)",
)
"""Random effects and what they are reduced to where the first do not converge.

Distractors are the same in both conditions and cancel. A word of the test names its target, so that
what is particular to the pair is how that target differs between the conditions. Words that are
heard in both cancel in the mean, and would pass for such differences if they were left out.
"""


@dataclass(frozen=True, kw_only=True)
class ConditionTest(ContrastTest):
    """One condition minus another; ``contrast`` is plus - minus."""

    plus: str
    """The test."""
    minus: str
    """Its control."""
    n_targets: int
    """Target classes shown in both."""
    n_words: tuple[int, int]
    """Word classes heard in either."""
    accuracies: tuple[float, float]
    """Share of trials in which the target was chosen, mean over seeds, ties at chance."""


def contrast_tests(
    counts: pd.DataFrame,
    contrasts: Sequence[ConditionContrast],
    alpha: float,
    planned: pd.DataFrame | None = None,
) -> tuple[ConditionTest, ...]:
    """Test the contrasts that a paradigm declares, per population and language.

    Args:
        counts: rows of all conditions, populations and languages, with ``target_concept``.
        contrasts: what is compared; all tests of an analysis are one family.
        alpha: level of the family.
        planned: the same before seeds were set aside, see `toolkit.statistics.choices.chance`.

    Returns:
        The tests, corrected and decided; none where a condition was not asked.
    """
    with contrast_tests_beside(counts, contrasts, alpha, planned) as made:
        return made()


@contextmanager
def contrast_tests_beside(
    counts: pd.DataFrame,
    contrasts: Sequence[ConditionContrast],
    alpha: float,
    planned: pd.DataFrame | None = None,
) -> Iterator[Callable[[], tuple[ConditionTest, ...]]]:
    """The same, begun in other processes where there is much to do; for the arguments see there.

    Yields:
        A function that gives the tests, waiting for them if need be; to be called once.
    """
    asked = list(_asked(counts, contrasts, counts if planned is None else planned))
    n_rows = sum(len(table) for _, table in asked)
    with spread(n_rows // MANY_ROWS, _tested, asked) as made:
        yield lambda: decided(made(), alpha)


def _asked(
    counts: pd.DataFrame, contrasts: Sequence[ConditionContrast], planned: pd.DataFrame
) -> Iterator[tuple[ConditionTest, pd.DataFrame]]:
    """What there is to say without a model, and the answers, test by test."""
    names = {name for wanted in contrasts for name in (wanted.plus, wanted.minus)}
    whole, left = of_each(planned), of_each(counts)
    for key in sorted(whole) if contrasts else ():
        # One population after the other: what is taken of all together would be held twice.
        all_own = _of(names, whole[key]())
        own = _of(names, left[key]() if key in left else all_own[:0])
        for wanted in contrasts:
            if not _both(all_own, wanted):
                continue
            if _both(own, wanted):
                yield _described(own, wanted)
            else:
                test, table = _described(all_own, wanted)
                yield replace(test, problem=NOBODY if own.empty else ONE_ALONE), table[:0]


def _of(conditions: Collection[str], counts: pd.DataFrame) -> pd.DataFrame:
    return counts[counts["condition"].isin(conditions)]


def _both(counts: pd.DataFrame, wanted: ConditionContrast) -> bool:
    """True if both conditions were asked."""
    return {wanted.plus, wanted.minus} <= set(counts["condition"].unique())


def _tested(test: ConditionTest, table: pd.DataFrame) -> ConditionTest:
    """The test with its model; without one where no answers are left."""
    if table.empty:
        return test
    table = _answers(table, test.plus)
    try:
        fit, reduced = _fitted(table, test.unit)
    except NotEstimable as error:
        return replace(test, problem=error.message)
    if not fit.converged:
        return replace(test, fit=fit, problem=fit.problem)
    parts = _parts(fit, table, test.unit)
    found = contrast(
        *(fit, f"{test.plus} - {test.minus}", [{"plus": 1}], [{"plus": 0}]),
        correction=lambda std_error: effective(parts, std_error),
        family="condition against its control",
    )
    return replace(test, contrast=found, fit=fit, reduced=reduced)


def _table(counts: pd.DataFrame, wanted: ConditionContrast) -> pd.DataFrame:
    """Counts of both conditions per seed, target and word: all that is held of every test."""
    keys = ["condition", "seed", "target_concept", "word_concept", "n_choices"]
    keys += ["familiar_draw"] * ("familiar_draw" in counts)
    rows = counts[counts["condition"].isin([wanted.plus, wanted.minus])]
    summed = rows.groupby(keys, observed=True)[["n_trials", "n_correct", "n_ties"]].sum()
    return summed.reset_index()


def _answers(table: pd.DataFrame, plus: str) -> pd.DataFrame:
    """The counts as the model takes them."""
    return with_credit(table).assign(plus=(table["condition"] == plus).astype(int))


def _described(
    counts: pd.DataFrame, wanted: ConditionContrast
) -> tuple[ConditionTest, pd.DataFrame]:
    """What there is to say without a model, and the counts it stands on."""
    summed, first = _table(counts, wanted), counts.iloc[0]
    table = _answers(summed, wanted.plus)
    per_seed = table.groupby(["seed", "plus"], observed=True)[["n_right", "n_trials"]].sum()
    shares = (per_seed["n_right"] / per_seed["n_trials"]).unstack().dropna()
    unit = unit_of(counts)
    words = table.groupby("plus", observed=True)["word_concept"].nunique()
    targets = table.groupby("target_concept", observed=True)["plus"].nunique()
    test = ConditionTest(
        population=str(first["population"]),
        test_language=str(first["test_language"]),
        plus=wanted.plus,
        minus=wanted.minus,
        question=wanted.question,
        n_seeds=len(shares),
        n_targets=int((targets == 2).sum()),
        n_words=(int(words[1]), int(words[0])),
        n_trials=int(table["n_trials"].sum()),
        n_ties=int(table["n_ties"].sum()),
        accuracies=(float(shares[1].mean()), float(shares[0].mean())),
        d_seeds=standardised((shares[1] - shares[0]).to_numpy(float)),
        problem=too_few([len(shares)], min(int(words.min()), len(targets)), unit),
        unit=unit,
    )
    return test, summed


def _fitted(table: pd.DataFrame, unit: str) -> tuple[FitResult, str]:
    """Fit the largest model that converges, along the path of `RANDOM`."""
    largest, smaller = (random.replace("| seed)", f"| {factor_of(unit)})") for random in RANDOM)
    fit = fit_mixed(table, f"{COUNTS} ~ plus + {largest}")
    if fit.converged or fit.separated:
        return fit, ""
    told = f"The model with {largest} did not converge and was reduced to {smaller}."
    return fit_mixed(table, f"{COUNTS} ~ plus + {smaller}"), told


def _imbalance(table: pd.DataFrame) -> npt.NDArray[np.float64]:
    """How much more every word counts in one condition than in the other; 0 where it cancels."""
    heard = table.groupby(["word_concept", "plus"], observed=True).size().unstack(fill_value=0) > 0
    own: npt.NDArray[np.float64] = (heard[1] / heard[1].sum() - heard[0] / heard[0].sum()).to_numpy(
        float
    )
    return own


def _parts(fit: FitResult, table: pd.DataFrame, unit: str) -> list[tuple[float, int, int]]:
    """Shares of seeds, targets and words in the variance of the difference; see `effective`."""
    sds = {
        (effect.group, term): sd
        for effect in fit.random_effects
        for term, sd in zip(effect.terms, effect.sds, strict=True)
    }
    n_seeds, n_targets = (int(table[name].nunique()) for name in ("seed", "target_concept"))
    parts = [
        (sds.get((factor_of(unit), "plus"), 0.0) ** 2 / n_seeds, n_seeds, 1),
        (sds.get(("target_concept", "plus"), 0.0) ** 2 / n_targets, n_targets, 1),
    ]
    own = _imbalance(table)
    if np.any(own):
        share = sds.get(("word_concept", "(Intercept)"), 0.0) ** 2 * float(own @ own)
        parts.append((share, len(own), 2))
    return [part for part in parts if part[1] > 1]
