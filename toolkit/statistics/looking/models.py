"""Mixed models of looking: the declared window against chance, and growth curves."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from paradigms.formula import parse
from paradigms.looking.paradigm import RESPONSE, TIME
from stimuli.wording import count
from toolkit.statistics.models.contrasts import LEAST_SEEDS, LEAST_WORDS, holm_p
from toolkit.statistics.models.mixed import NotEstimable, fit_mixed
from toolkit.statistics.models.results import FitResult
from toolkit.statistics.models.student import ROUNDING, two_sided

if TYPE_CHECKING:
    import pandas as pd

    from paradigms.formula import Formula
    from toolkit.statistics.looking.data import Floats

Verdict = Literal["more", "less", "open", "few", "undecided"]
"""``more`` and ``less`` looking: than chance, or than in the other condition. ``open``: no
difference was shown. ``few``: too few participants or words to judge. ``undecided``: the data do
not decide the model."""
CLASSES = ["word_concept", "distractor_concept"]
"""What is said and shown."""


@dataclass(frozen=True)
class Estimate:
    """One number of a mixed model."""

    value: float
    """The estimate; NaN without a model, as are all others."""
    std_error: float = math.nan
    """Its standard error."""
    df: float = math.nan
    """Satterthwaite's degrees of freedom."""
    p_value: float = math.nan
    """Two-sided, uncorrected."""
    ci_low: float = math.nan
    """Lower end of the 95 % interval."""
    ci_high: float = math.nan
    """Upper end."""
    p_holm: float = math.nan
    """Corrected over all tests of its family; NaN where it is in none."""

    @classmethod
    def of(cls, fit: FitResult, name: str, above: float = 0.0) -> Estimate:
        """A coefficient, which the model has less so much."""
        found = fit[name]
        ends = (above + value for value in (found.ci_low, found.ci_high))
        return cls(above + found.estimate, found.std_error, found.df, found.p_value, *ends)


@dataclass(frozen=True)
class WindowTest:
    """Mean looking in the declared window, held against what it would be without a preference."""

    mean: float
    """Mean over participants: share of looking, or difference of shares."""
    against: float
    """Chance, or 0 for a difference."""
    n_seeds: int
    """Participants."""
    n_words: int
    """Word classes."""
    model: Estimate
    """Mean for further participants and items, from the mixed model."""
    p_holm: float = math.nan
    """Corrected over all tests of its family; NaN where there is no verdict."""
    verdict: Verdict = "undecided"
    """What the test decides."""
    t_seeds: float = math.nan
    """T over participants: speaks about further ones and the same items."""
    p_seeds: float = math.nan
    """Its two-sided p, uncorrected."""
    fit: FitResult | None = None
    """The model; None if there is none."""
    problem: str = ""
    """Why there is no model or no verdict; empty if there is one."""


@dataclass(frozen=True)
class Growth:
    """Growth curve of looking after the onset."""

    intercept: Estimate
    """Mean share of looking."""
    linear: Estimate
    """Half of what looking rises by from the first gate to the last."""
    quadratic: Estimate
    """How far the curve bends: below 0 where it rises early and levels off."""
    fit: FitResult | None
    """The model; None if there is none."""
    problem: str = ""
    """Why there is none; empty if there is one."""


def window_rows(looks: pd.DataFrame, window_ms: tuple[int, int]) -> pd.DataFrame:
    """Mean looking within the window of every participant, word and distractor class."""
    inside = looks["gate_ms"].between(*window_ms)
    keys = ["seed", *CLASSES]
    means: pd.DataFrame = looks[inside].groupby(keys, observed=True)["looking"].mean().reset_index()
    return means


def window_test(rows: pd.DataFrame, formula: str, against: float) -> WindowTest:
    """Test the mean of some rows against chance, or a difference against 0.

    The test is the intercept of a linear mixed model with variation over participants and items.

    Args:
        rows: columns ``seed``, `CLASSES` and ``looking``, from `window_rows`.
        formula: the paradigm's model.
        against: what the mean is without a preference.

    Returns:
        The test, not yet corrected and decided, see `decided`.
    """
    by_seed = rows.groupby("seed", observed=True)["looking"].mean().to_numpy(float)
    n, differences = len(by_seed), by_seed - against
    test = WindowTest(
        mean=float(by_seed.mean()),
        against=against,
        n_seeds=n,
        n_words=int(rows["word_concept"].nunique()),
        model=Estimate(math.nan),
    )
    if n > 1 and differences.std(ddof=1) > ROUNDING:
        t = float(differences.mean() / differences.std(ddof=1) * math.sqrt(n))
        test = replace(test, t_seeds=t, p_seeds=two_sided(t, n - 1))
    if np.ptp(rows["looking"].to_numpy(float)) < ROUNDING:
        return replace(test, problem="all looks are the same: there is no variation to test with")
    fit, problem = _fitted(rows.assign(looking=rows["looking"] - against), parse(formula))
    if fit is None or problem:
        return replace(test, fit=fit, problem=problem)
    return replace(test, fit=fit, model=Estimate.of(fit, "(Intercept)", against))


def _fitted(rows: pd.DataFrame, formula: Formula) -> tuple[FitResult | None, str]:
    """The model and why it says nothing, if it does not."""
    try:
        fit = fit_mixed(rows, formula, "gaussian")
    except NotEstimable as error:
        return None, error.message
    if fit.converged and math.isnan(fit.coefficients[0].p_value):
        return fit, "the model gives no standard error"
    return fit, "" if fit.converged else fit.problem


def decided(tests: Sequence[WindowTest], alpha: float) -> list[WindowTest]:
    """Correct the tests of a family for each other (Holm), and say what each decides."""
    few = [too_few(test.n_seeds, test.n_words) for test in tests]
    judged = [math.nan if why else test.model.p_value for test, why in zip(tests, few, strict=True)]
    made = []
    for test, why, p in zip(tests, few, holm_p(judged), strict=True):
        if why:
            made.append(replace(test, verdict="few", problem=test.problem or why))
            continue
        verdict: Verdict = "undecided" if math.isnan(p) else "open"
        if p < alpha:
            verdict = "more" if test.model.value > test.against else "less"
        made.append(replace(test, p_holm=p, verdict=verdict))
    return made


def too_few(n_seeds: int, n_words: int) -> str:
    """Why there is no verdict with so many participants and words; empty where there is one."""
    if n_seeds >= LEAST_SEEDS and n_words >= LEAST_WORDS:
        return ""
    return (
        f"{count(n_seeds, 'participant')} and {count(n_words, 'word')}: a verdict needs "
        f"{LEAST_SEEDS} participants and {LEAST_WORDS} words"
    )


def growth_curve(looks: pd.DataFrame, formula: str) -> Growth:
    """Fit the growth curve of one population, language and condition, after the onset.

    Source:
        Mirman, Dixon & Magnuson (2008), Journal of Memory and Language 59.

    Args:
        looks: columns ``seed``, ``word_concept``, ``gate_ms`` and ``looking``.
        formula: the paradigm's model of growth.
    """
    after = looks[looks["gate_ms"] >= 0]
    keys = ["seed", "word_concept", "gate_ms"]
    rows = after.groupby(keys, observed=True)[RESPONSE].mean().reset_index()
    gates = np.sort(rows["gate_ms"].unique())
    time = dict(zip(gates.tolist(), zip(*orthogonal(gates), strict=True), strict=True))
    for place, name in enumerate(TIME):
        rows[name] = [time[gate][place] for gate in rows["gate_ms"]]
    nothing = Estimate(math.nan)
    if np.ptp(rows[RESPONSE].to_numpy(float)) < ROUNDING:
        problem = "all looks are the same: there is no variation to model"
        return Growth(nothing, nothing, nothing, None, problem)
    fit, problem = _fitted(rows, parse(formula))
    if fit is None or problem:
        return Growth(nothing, nothing, nothing, fit, problem)
    known = {one.name for one in fit.coefficients}
    linear, quadratic = (Estimate.of(fit, name) if name in known else nothing for name in TIME)
    return Growth(Estimate.of(fit, "(Intercept)"), linear, quadratic, fit)


def orthogonal(gates: npt.NDArray[np.integer[Any]]) -> tuple[Floats, Floats]:
    """Linear and quadratic time, the latter orthogonal to the former and to their mean.

    Example:
        >>> [part.round(3).tolist() for part in orthogonal(np.array([0, 40, 80]))]
        [[-1.0, 0.0, 1.0], [0.333, -0.667, 0.333]]
    """
    linear = 2 * (gates - gates[0]) / (gates[-1] - gates[0]) - 1
    square = linear**2
    slope = (linear - linear.mean()) @ square / ((linear - linear.mean()) ** 2).sum()
    return linear, square - square.mean() - slope * (linear - linear.mean())
