"""Mixed models by maximum likelihood: a thin adapter over the engine ``glmm``.

Logistic models are fitted by the Laplace approximation, linear ones by REML or ML, with crossed
random effects. Trials are aggregated to counts first, which changes no estimate (the likelihood
differs by a constant, which is taken out again) and makes the cost independent of the number of
trials. The engine agrees with lme4 to within 1e-4 standard errors on every model it was held
against (tests/toolkit/statistics/test_mixed.py); what it accepts silently and should not (a
constant response, separation) is refused or flagged here.
"""

from __future__ import annotations

import math
import warnings as python_warnings
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from paradigms.formula import Formula, RandomTerm, parse
from stimuli.wording import count
from toolkit.errors import ToolkitError, nearest_name, typed
from toolkit.statistics.models.results import Coefficient, FitResult, LogOdds, RandomEffect
from toolkit.statistics.models.separation import SEPARATED, problem_of
from toolkit.statistics.models.student import quantile, two_sided

if TYPE_CHECKING:
    import pandas as pd

Family = Literal["binomial", "gaussian"]
FEW_LEVELS = 5
"""Below this many levels a variance is hardly estimable (Bolker, 2015)."""


class NotEstimable(ToolkitError):  # noqa: N818 - a state of the data, not a fault of the user
    """The data do not decide the model: constant response, separation, no rows."""


@dataclass(frozen=True)
class Prepared:
    """Data as the engine gets them."""

    asked: Formula
    """The formula as asked."""
    formula: Formula
    """Terms without levels left out, factors with more levels first."""
    family: Family
    """``binomial`` or ``gaussian``."""
    table: pd.DataFrame
    """Counts (``n_correct``, ``n_wrong``) or rows, with the predictors."""
    log_constant: float
    """What the log-likelihood of the counts exceeds that of the single trials by: the logarithm of
    the ways in which the trials of each row can be put in order."""
    n_observations: int
    """Trials or rows behind the table."""
    n_dropped: int
    """Rows left out because a value was missing."""
    levels: Mapping[str, tuple[str, ...]]
    """Levels of the factors among the fixed effects."""
    warnings: tuple[str, ...]
    """What happened on the way."""


def fit_mixed(
    data: pd.DataFrame, formula: str | Formula, family: Family = "binomial", reml: bool = True
) -> FitResult:
    """Fit a mixed model.

    Args:
        data: one row per trial (or of counts, with ``cbind(successes, failures)`` as response).
            The response of a logistic model is 0 or 1.
        formula: lme4 notation. Text and categories are factors with treatment coding; the first
            category (or the first in the alphabet) is the reference.
        family: ``binomial`` (logit link) or ``gaussian``.
        reml: restricted maximum likelihood in linear models; logistic models have no such thing.

    Returns:
        The fit. Look at ``converged`` and ``warnings`` first.

    Raises:
        ToolkitError: if a column is missing or holds the wrong kind of values.
        NotEstimable: if the response is constant or no row is left.

    Example:
        >>> import pandas as pd
        >>> data = pd.DataFrame({"correct": [1, 1, 0, 1, 0, 0, 1, 1, 0, 1, 1, 0] * 5,
        ...                      "seed": list("aabbccddeeff") * 5})
        >>> fit = fit_mixed(data, "correct ~ 1 + (1 | seed)")
        >>> round(fit["(Intercept)"].estimate, 2), fit.n_levels("seed"), fit.n_rows
        (0.84, 6, 6)
    """
    return fit_prepared(prepare(data, formula, family), reml)


def prepare(data: pd.DataFrame, formula: str | Formula, family: Family = "binomial") -> Prepared:
    """Check the data, aggregate trials to counts and settle which random terms can be fitted.

    Args:
        data: as in `fit_mixed`.
        formula: as in `fit_mixed`.
        family: as in `fit_mixed`.

    Raises:
        ToolkitError: if a column is missing or holds the wrong kind of values.
        NotEstimable: if the response is constant or no row is left.
    """
    asked = parse(formula) if isinstance(formula, str) else formula
    _check_columns(data, asked, family)
    notes = []
    columns = sorted(asked.variables)
    table = data[columns].dropna()
    n_dropped = len(data) - len(table)
    if n_dropped:
        notes.append(
            f"{n_dropped} of {count(len(data), 'row')} {'has' if n_dropped == 1 else 'have'} "
            "missing values and "
            f"{'was' if n_dropped == 1 else 'were'} left out."
        )
    if table.empty:
        raise NotEstimable(f"No row is left for the model {asked}.", given=count(len(data), "row"))
    if family == "binomial":
        table, log_constant, n_observations = _counts(table, asked)
        right = "cbind(n_correct, n_wrong)"
    else:
        log_constant, n_observations, right = 0.0, len(table), asked.response
    table, levels = _factors(table, asked)
    table, random = _named_apart(table, asked.random)
    random, more = _usable(table, random)
    ready = Formula(right, asked.fixed, random)
    return Prepared(
        *(asked, ready, family, table, log_constant),
        *(n_observations, n_dropped, levels, (*notes, *more)),
    )


def fit_prepared(prepared: Prepared, reml: bool = True) -> FitResult:
    """Fit what `prepare` made ready; the same table can be fitted again with other counts."""
    import glmm

    formula = prepared.formula
    with python_warnings.catch_warnings():
        # They are kept in the fit and told in this project's words below.
        python_warnings.simplefilter("ignore")
        try:
            fit = glmm.fit(
                prepared.table, str(formula), family=prepared.family, reml=_reml(prepared, reml)
            )
        except ValueError as error:
            if "formula" in str(error):
                raise ToolkitError(f"The model formula cannot be read: {error}.") from error
            # The engine's kernel gives up on separated data in some orders of the factors.
            return _failed(prepared, f"The engine gave up: {error}.")
    problem = problem_of(fit, prepared.table, prepared.formula.fixed)
    if problem:
        return _failed(prepared, problem)
    names = [str(name) for name in fit.names]
    kind = LogOdds if prepared.family == "binomial" else Coefficient
    coefficients = tuple(
        _coefficient(kind, name, *values)
        for name, *values in zip(names, fit.beta, fit.se, fit.coef_df, strict=True)
    )
    limits = (*prepared.warnings, *_aliased(fit, names))
    return FitResult(
        formula=str(prepared.asked),
        fitted_formula=str(formula),
        family=prepared.family,
        method=_method(prepared, fit.reml),
        engine=engine(),
        coefficients=coefficients,
        covariance=tuple(tuple(map(float, row)) for row in fit.vcov),
        random_effects=tuple(_random_effects(fit, prepared)),
        residual_sd=math.sqrt(fit.dispersion) if prepared.family == "gaussian" else None,
        log_likelihood=float(fit.loglik) - prepared.log_constant,
        aic=math.nan if fit.reml else float(fit.aic) + 2 * prepared.log_constant,
        n_parameters=int(fit.df),
        n_observations=prepared.n_observations,
        n_rows=len(prepared.table),
        n_dropped=prepared.n_dropped,
        singular=bool(fit.singular),
        converged=True,
        levels=prepared.levels,
        warnings=(*limits, *_observed(fit)),
        limits=limits,
    )


def engine() -> str:
    """Name and version of the engine."""
    return f"glmm {version('glmm')}"


def _check_columns(data: pd.DataFrame, formula: Formula, family: Family) -> None:
    import pandas as pd

    given = [str(name) for name in data.columns]
    missing = [name for name in sorted(formula.variables) if name not in given]
    if missing:
        raise ToolkitError(
            f"The data lack {'columns' if len(missing) > 1 else 'column'} {', '.join(missing)}, "
            f"which the model names.",
            given=", ".join(given),
            nearest=nearest_name(missing[0], given),
        )
    for name in formula.counts or (formula.response,):
        values = data[name]
        if not (pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values)):
            raise ToolkitError(
                f"Column {name} holds text, expected numbers.",
                given=f"e.g. {typed(values.dropna().iloc[0])}"
                if values.notna().any()
                else "no value",
                allowed="0 or 1 (logistic model), any number (linear model)",
            )
        finite = values.dropna().to_numpy(float)
        if np.isinf(finite).any():
            raise ToolkitError(f"Column {name} holds infinite values.", allowed="finite numbers")
        if family == "binomial" and not formula.counts and not np.isin(finite, (0, 1)).all():
            raise ToolkitError(
                f"Column {name} must be 0 or 1 in a logistic model.",
                given=f"e.g. {float(finite[~np.isin(finite, (0, 1))][0]):g}",
                allowed="0 and 1, or cbind(successes, failures) as the response",
            )
        if formula.counts and (finite < 0).any():
            raise ToolkitError(
                f"Column {name} must hold counts.",
                given=f"e.g. {float(finite[finite < 0][0]):g}",
                allowed="0, 1, 2, ..., or parts of a trial such as half of a tie",
            )


def _counts(table: pd.DataFrame, formula: Formula) -> tuple[pd.DataFrame, float, int]:
    """Sum rows of equal predictors; what that adds to the log-likelihood; trials."""
    keys = sorted(formula.predictors)
    if formula.counts:
        right, wrong = (table[name].to_numpy(float) for name in formula.counts)
    else:
        right = table[formula.response].to_numpy(float)
        wrong = 1 - right
    rows = table[keys].assign(n_correct=right, n_wrong=wrong)
    if not keys:
        summed = rows.sum().to_frame().T
    elif rows.duplicated(keys).any():
        summed = rows.groupby(keys, observed=True, sort=True).sum().reset_index()
    else:  # counts as they should be: the same, several times faster
        summed = rows.sort_values(keys, ignore_index=True)
    k, n = summed["n_correct"].sum(), summed["n_correct"].sum() + summed["n_wrong"].sum()
    if k in (0, n):
        raise NotEstimable(
            f"Every answer is {'wrong' if k == 0 else 'correct'}: a logistic model has no finite "
            "estimate there.",
            given=f"{count(int(n), 'trial')} without variation",
        )
    return summed, _log_choose(summed), round(n)


def _log_choose(counts: pd.DataFrame) -> float:
    """Sum of the logarithms of the binomial coefficients."""
    from scipy.special import gammaln

    right, wrong = counts["n_correct"].to_numpy(), counts["n_wrong"].to_numpy()
    return float((gammaln(right + wrong + 1) - gammaln(right + 1) - gammaln(wrong + 1)).sum())


def _factors(
    table: pd.DataFrame, formula: Formula
) -> tuple[pd.DataFrame, dict[str, tuple[str, ...]]]:
    """Text and categories as categories without unused levels."""
    import pandas as pd

    table = table.copy()
    fixed = Formula("", formula.fixed, ()).predictors
    levels = {}
    for name in sorted(formula.predictors):
        column = table[name]
        grouping = any(name in term.group.split(":") for term in formula.random)
        if pd.api.types.is_numeric_dtype(column) and not grouping:
            continue
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = column.cat.remove_unused_categories()
            column = column.cat.rename_categories([str(c) for c in column.cat.categories])
        else:
            column = column.astype(str).astype("category")
        table[name] = column
        if name in fixed:
            levels[name] = tuple(str(level) for level in column.cat.categories)
            if len(levels[name]) < 2:
                raise NotEstimable(
                    f"{name} has only one level, so nothing can be compared.",
                    given=levels[name][0],
                    allowed="two levels or more",
                )
    return table, levels


def _named_apart(
    table: pd.DataFrame, terms: tuple[RandomTerm, ...]
) -> tuple[pd.DataFrame, tuple[RandomTerm, ...]]:
    """Give a factor that groups twice a second name, sub_id and sub_id_1 (lme4: sub_id.1)."""
    seen: dict[str, int] = {}
    apart = []
    for term in terms:
        times = seen.get(term.group, 0)
        seen[term.group] = times + 1
        if times:
            if ":" in term.group:
                raise ToolkitError(f"The random term {term} occurs twice.")
            name = f"{term.group}_{times}"
            table = table.assign(**{name: table[term.group]})
            apart.append(RandomTerm(term.terms, name))
        else:
            apart.append(term)
    return table, tuple(apart)


def _usable(
    table: pd.DataFrame, terms: tuple[RandomTerm, ...]
) -> tuple[tuple[RandomTerm, ...], list[str]]:
    """Random terms that have something to vary over, those with most levels first."""
    sizes, notes = {}, []
    for term in terms:
        n = n_levels(table, term.group)
        if n < 2:
            notes.append(
                f"There is only one level of {term.group}: {term} was left out, and nothing can "
                f"be said about other levels of it."
            )
            continue
        if _is_residual(table, term.group):
            notes.append(
                f"Every {term.group} has one observation, so that its variation cannot be told "
                f"from that of the answers: {term} was left out, and is part of their noise."
            )
            continue
        if n < FEW_LEVELS:
            notes.append(
                f"{term.group} has only {n} levels: its variance is poorly estimated and "
                "asymptotic p-values are too small."
            )
        sizes[term] = n
    return tuple(sorted(sizes, key=lambda term: -sizes[term])), notes


def _is_residual(table: pd.DataFrame, group: str) -> bool:
    """True if every level of the factor has a single trial (or row of a linear model)."""
    trials = table["n_correct"] + table["n_wrong"] if "n_wrong" in table else None
    keys = group.split(":")
    if trials is None:
        return not table.duplicated(keys).any()
    return bool((trials.groupby([table[key] for key in keys], observed=True).sum() <= 1).all())


def n_levels(table: pd.DataFrame, group: str) -> int:
    """Levels of a grouping factor, also of an interaction ``a:b``."""
    factors = group.split(":")
    if len(factors) == 1:
        return int(table[group].nunique())
    return len(table[factors].drop_duplicates())


def _reml(prepared: Prepared, reml: bool) -> bool | None:
    return reml if prepared.family == "gaussian" and prepared.formula.random else None


def _method(prepared: Prepared, reml: bool) -> str:
    if prepared.family == "binomial":
        return "Laplace" if prepared.formula.random else "ML"
    return "REML" if reml else "ML"


def _failed(prepared: Prepared, problem: str) -> FitResult:
    """A fit without numbers."""
    return FitResult(
        formula=str(prepared.asked),
        fitted_formula=str(prepared.formula),
        family=prepared.family,
        method=_method(prepared, False),
        engine=engine(),
        coefficients=(),
        covariance=(),
        random_effects=(),
        residual_sd=None,
        log_likelihood=math.nan,
        aic=math.nan,
        n_parameters=0,
        n_observations=prepared.n_observations,
        n_rows=len(prepared.table),
        n_dropped=prepared.n_dropped,
        singular=False,
        converged=False,
        separated=problem == SEPARATED,
        levels=prepared.levels,
        warnings=(*prepared.warnings, problem),
        limits=prepared.warnings,
        problem=problem,
    )


def _coefficient(
    kind: type[Coefficient], name: str, estimate: float, std_error: float, df: float
) -> Coefficient:
    df = float(df) if np.isfinite(df) else math.inf
    if not np.isfinite(estimate) or not std_error > 0:
        return kind(name, *(math.nan,) * 3, df, *(math.nan,) * 3)
    statistic = float(estimate / std_error)
    half = std_error * quantile(df)
    return kind(
        *(name, float(estimate), float(std_error), statistic, df, two_sided(statistic, df)),
        *(float(estimate - half), float(estimate + half)),
    )


def _random_effects(fit: Any, prepared: Prepared) -> Any:
    for place, (group, terms) in enumerate(fit.re_groups):
        with np.errstate(invalid="ignore", divide="ignore"):  # no correlation beside an SD of 0
            sds, correlations = fit.stddev_corr(place)
        yield RandomEffect(
            group=str(group),
            terms=tuple(str(term) for term in terms),
            sds=tuple(float(sd) for sd in sds),
            correlations=tuple(tuple(map(float, row)) for row in correlations),
            n_levels=n_levels(prepared.table, str(group)),
        )


def _aliased(fit: Any, names: list[str]) -> list[str]:
    """Which predictors are combinations of others, in a sentence."""
    aliased = [name for name, gone in zip(names, fit.aliased, strict=True) if gone]
    if not aliased:
        return []
    return [
        f"{', '.join(aliased)} cannot be told apart from the other predictors and "
        f"{'was' if len(aliased) == 1 else 'were'} left out."
    ]


def _observed(fit: Any) -> list[str]:
    """What else the engine has observed, in its sentences."""
    known = {"rank_deficient", "aliased", "rows_dropped"}
    return [str(one["message"]) for one in fit.warnings if one["kind"] not in known]
