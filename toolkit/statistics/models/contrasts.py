"""Marginal means and planned contrasts of a fitted model, with Holm's correction."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from paradigms.formula import offsets, parse, without_offset
from toolkit.statistics.models.results import Contrast, FitResult, MarginalMean
from toolkit.statistics.models.student import quantile, two_sided

if TYPE_CHECKING:
    from collections.abc import Callable

Vector = npt.NDArray[np.float64]
Cell = Mapping[str, Any]
"""Values of the predictors, e.g. ``{"bilingual": 1, "test_language": "en"}``."""
LEAST_SEEDS, LEAST_WORDS = 3, 4
"""Seeds (of either group) and words below which no verdict is given: with fewer, a variance that
seems to be 0 cannot be told from a large one, and tests reject too often or never
(``tests/benchmarks/test_calibration.py``)."""
HIDDEN = 1 / 3
"""Share of the answers' own noise that every source of variation is taken to hide."""


def design_row(fit: FitResult, cells: Sequence[Cell]) -> Vector:
    """Mean row of the model matrix over some cells of the design.

    Args:
        fit: a fitted model.
        cells: values of every predictor among the fixed effects; cells weigh the same.

    Returns:
        (n_coefficients,)
    """
    import glmm
    import pandas as pd

    # A formula of the intercept alone reads no column, so the engine cannot count its rows.
    fixed = without_offset(parse(fit.formula).fixed)
    if fixed == "1":
        return np.ones(1)
    columns: dict[str, Any] = {name: [cell[name] for cell in cells] for name in cells[0]}
    for name, levels in fit.levels.items():
        text = [str(value) for value in columns[name]]
        columns[name] = pd.Categorical(text, categories=list(levels))
    matrix, _ = glmm.model_matrix(columns, f"~ {fixed}")
    mean: Vector = np.asarray(matrix, float).mean(axis=0)
    return mean


def _known(fit: FitResult, cells: Sequence[Cell]) -> float:
    """Mean of what the model adds as it is."""
    names = offsets(parse(fit.formula).fixed)
    return float(np.mean([sum(cell[name] for name in names) for cell in cells])) if names else 0.0


def _linear(fit: FitResult, row: Vector) -> tuple[float, float]:
    """Estimate and standard error of a linear combination; NaN if it needs a left-out column."""
    used = row != 0
    beta, covariance = fit.estimates[used], np.array(fit.covariance)[np.ix_(used, used)]
    weights = row[used]
    return float(weights @ beta), math.sqrt(max(0.0, float(weights @ covariance @ weights)))


def _probability(log_odds: float) -> float:
    from scipy.special import expit

    return float(expit(log_odds))


def marginal_mean(
    fit: FitResult,
    name: str,
    cells: Sequence[Cell],
    parts: Sequence[tuple[float, int, int]] = (),
) -> MarginalMean:
    """Probability of a correct answer in a cell, for a seed and items of average difficulty.

    The mean over cells is taken on the logit scale, as in R's emmeans. It is conditional on
    random effects of 0, so it lies further from .5 than the raw accuracy.

    Args:
        fit: a logistic model.
        name: what the cell is called.
        cells: one cell or several to average over.
        parts: sources of variation for the small-sample correction, see `effective`; none for a
            Wald interval.
    """
    estimate, wald = _linear(fit, design_row(fit, cells))
    std_error, df = effective(parts, wald)
    half = quantile(df) * std_error if math.isfinite(std_error) else math.nan
    known = _known(fit, cells)
    return MarginalMean(
        name=name,
        estimate=estimate + known,
        std_error=std_error,
        probability=_probability(estimate + known),
        ci_low=_probability(estimate + known - half),
        ci_high=_probability(estimate + known + half),
    )


def contrast(
    fit: FitResult,
    name: str,
    plus: Sequence[Cell],
    minus: Sequence[Cell],
    correction: Callable[[float], tuple[float, float]] = lambda std_error: (std_error, math.inf),
    family: str = "",
) -> Contrast:
    """Compare two sets of cells: difference of log odds, and of the marginal probabilities.

    The difference of probabilities is that of two cells which lie as far apart as the log odds say,
    around the middle of the two; its interval is that of the log odds, carried over. It ends
    within -1 and 1, and leaves out 0 exactly where the test is significant.

    Args:
        fit: a logistic model.
        name: what is compared.
        plus: cells that count positive; they weigh the same.
        minus: cells that count negative.
        correction: gives the corrected standard error and the degrees of freedom for a Wald
            standard error; see `effective`.
        family: family of tests the contrast belongs to.
    """
    first, second = design_row(fit, plus), design_row(fit, minus)
    estimate, wald = _linear(fit, first - second)
    std_error, df = correction(wald)
    statistic = estimate / std_error if std_error > 0 else math.nan
    half = quantile(df) * std_error if math.isfinite(std_error) else math.nan
    middle = _linear(fit, (first + second) / 2)[0] + _known(fit, [*plus, *minus])
    low, high = estimate - half, estimate + half
    return Contrast(
        name=name,
        estimate=estimate,
        std_error=std_error,
        df=df,
        statistic=statistic,
        p_value=two_sided(statistic, df) if math.isfinite(std_error) else math.nan,
        p_holm=math.nan,
        ci_low=low,
        ci_high=high,
        middle=middle,
        probability_difference=between(middle, estimate),
        probability_ci_low=between(middle, low),
        probability_ci_high=between(middle, high),
        family=family,
    )


def between(middle: float, log_odds: float) -> float:
    """Difference of two probabilities that lie so many log odds apart, around a middle.

    Example:
        >>> round(between(0.0, 0.4), 4), between(2.0, 0.0)
        (0.0997, 0.0)
    """
    return _probability(middle + log_odds / 2) - _probability(middle - log_odds / 2)


def effective(parts: Iterable[tuple[float, int, int]], std_error: float) -> tuple[float, float]:
    """Small-sample standard error and degrees of freedom of a Wald test in a crossed design.

    Maximum likelihood divides the variation of n seeds (or words) by n, not by the degrees of
    freedom, and the Wald test takes it for known. Both are mended as one would in a balanced
    design: each share of the variance is multiplied by n over its degrees of freedom, and those
    of the whole are Satterthwaite's (1946, Biometrics Bulletin 2, 110-114).

    Few levels often give a variance that is estimated as 0 and is not. Every source is therefore
    taken to hide `HIDDEN` of what is left of the squared standard error (the noise of the answers
    themselves) beside its own share. Where the answers' noise is all there is to see, the degrees
    of freedom follow from the design: 9 / (1/2 + 1/7) = 14 for three seeds and eight words.
    ``tests/benchmarks/test_calibration.py`` shows the false alarms.

    Args:
        parts: for every factor that the effect varies over its share of the squared standard
            error, which may be 0, its levels, and the groups they are divided into (one mean is
            estimated in each).
        std_error: the Wald standard error.

    Returns:
        The corrected standard error and the degrees of freedom; those are infinite (a z test) where
        there is no such factor, and where nothing varies.

    Example:
        >>> std_error, df = effective([(0.01, 10, 1)], 0.1)  # ten seeds and nothing else
        >>> round(std_error, 4), round(df, 3)
        (0.1054, 9.0)
        >>> std_error, df = effective([(0.0, 3, 1), (0.0, 8, 1)], 0.1)  # seem not to vary
        >>> std_error, round(df, 1)
        (0.1, 14.0)
        >>> effective([], 0.1)
        (0.1, inf)
    """
    sources = [(share, n, n - groups) for share, n, groups in parts]
    if not sources:
        return std_error, math.inf
    if any(free < 1 for _, _, free in sources):
        return math.inf, 1.0
    rest = max(0.0, std_error**2 - sum(share for share, _, _ in sources))
    grown = [(share * n / free, free) for share, n, free in sources]
    variance = rest + sum(share for share, _ in grown)
    doubt = sum((share + HIDDEN * rest) ** 2 / free for share, free in grown)
    return math.sqrt(variance), variance**2 / doubt if doubt > 0 else math.inf


def holm_p(p_values: Sequence[float]) -> list[float]:
    """Holm-corrected p-values; NaN stays NaN, and counts as a test that was planned.

    Holm (1979, Scandinavian Journal of Statistics 6, 65-70), through statsmodels. A test that could
    not be made belongs to the family all the same, as if its p-value were 1: what the data turned
    out to be must not make the others easier to pass.

    Example:
        >>> [round(p, 3) for p in holm_p([0.01, 0.04, float("nan"), 0.03])]
        [0.04, 0.09, nan, 0.09]
    """
    from statsmodels.stats.multitest import multipletests

    planned = np.array(p_values, float)
    if not len(planned):
        return []
    made = ~np.isnan(planned)
    # The function collects garbage at its end, which takes a quarter of a second once pandas and
    # torch are loaded, unless what is there already is set aside.
    gc.freeze()
    try:
        corrected = multipletests(np.where(made, planned, 1.0), method="holm")[1]
    finally:
        gc.unfreeze()
    return [float(p) for p in np.where(made, corrected, np.nan)]
