"""What the statistics layer returns: frozen records that JSON can hold."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from toolkit.records import plain


@dataclass(frozen=True, kw_only=True, eq=False)
class Result:
    """What may be concluded of one paradigm: its entry in ``statistics.json``.

    Every kind of paradigm has a class of its own, which adds what is particular to it.
    """

    paradigm_kind: str
    """Kind of the paradigm, such as ``choices``."""
    schema: int
    """Raised when a key is added, goes, or changes its meaning."""
    engine: str
    """Engine of the models and its version."""
    paradigm: str
    """Name of the paradigm."""
    paradigm_version: int
    """Its version."""
    question: str
    """What it asks."""
    families: tuple[str, ...] = ()
    """The families of tests, in words."""
    answers: tuple[tuple[str, str], ...] = ()
    """Each question with its answer of one sentence."""
    apa: str = ""
    """A results paragraph."""
    sentences: tuple[str, ...] = ()
    """What may be said, in sentences."""
    warnings: tuple[str, ...] = ()
    """What the reader must know."""
    made_of: str = ""
    """Name for all that it was made of, see `toolkit.api.kept`; empty where nobody asked."""

    def to_json(self) -> dict[str, Any]:
        """The same as what JSON knows, see `toolkit.records.plain`."""
        content: dict[str, Any] = plain(self)
        return content


@dataclass(frozen=True)
class Coefficient:
    """One fixed effect of a linear mixed model, or what every such effect has."""

    name: str
    """Name of the column of the model matrix, in R's spelling."""
    estimate: float
    """Estimate, on the scale of the linear predictor; NaN where the data do not decide it."""
    std_error: float
    """Standard error, from the Hessian of the log-likelihood."""
    statistic: float
    """estimate / std_error: z, or t where ``df`` is finite."""
    df: float
    """Degrees of freedom; infinite where the test is asymptotic (z)."""
    p_value: float
    """Two-sided."""
    ci_low: float
    """Lower end of the 95 % interval (Wald)."""
    ci_high: float
    """Upper end."""


@dataclass(frozen=True)
class LogOdds(Coefficient):
    """One fixed effect of a logistic model."""

    derived: ClassVar[tuple[str, ...]] = ("odds_ratio",)
    """Written beside the fields."""

    @property
    def odds_ratio(self) -> tuple[float, float, float]:
        """Odds ratio with its interval.

        Example:
            >>> LogOdds("x", 0.0, 0.1, 0.0, float("inf"), 1.0, -0.196, 0.196).odds_ratio[0]
            1.0
        """
        low, middle, high = (
            math.exp(min(v, 700.0)) for v in (self.ci_low, self.estimate, self.ci_high)
        )
        return middle, low, high


@dataclass(frozen=True)
class RandomEffect:
    """Variation between the levels of one grouping factor."""

    group: str
    """Grouping factor, e.g. seed or word_concept."""
    terms: tuple[str, ...]
    """What varies: the intercept, then slopes."""
    sds: tuple[float, ...]
    """Standard deviation of each term, on the scale of the linear predictor."""
    correlations: tuple[tuple[float, ...], ...]
    """Correlations of the terms, square; NaN beside a standard deviation of 0."""
    n_levels: int
    """Levels in the data."""


@dataclass(frozen=True)
class FitResult:
    """A fitted mixed model, whatever engine fitted it."""

    formula: str
    """As asked, lme4 notation."""
    fitted_formula: str
    """As given to the engine: terms without levels left out, grouping factors reordered."""
    family: str
    """``binomial`` (logit link) or ``gaussian``."""
    method: str
    """``Laplace``, ``REML`` or ``ML``."""
    engine: str
    """Engine and version, e.g. glmm 0.6.2."""
    coefficients: tuple[LogOdds | Coefficient, ...]
    """Fixed effects, in the order of the model matrix."""
    covariance: tuple[tuple[float, ...], ...]
    """Covariance of the estimates, square, in the same order."""
    random_effects: tuple[RandomEffect, ...]
    """One per random term."""
    residual_sd: float | None
    """Residual standard deviation; None in a logistic model."""
    log_likelihood: float
    """Log-likelihood (REML criterion where ``method`` is REML)."""
    aic: float
    """Akaike's criterion; NaN after REML."""
    n_parameters: int
    """Fixed effects and variance parameters."""
    n_observations: int
    """Trials (or rows of a linear model) behind the fit."""
    n_rows: int
    """Rows given to the engine, after aggregation to counts."""
    n_dropped: int
    """Rows left out because a value was missing."""
    singular: bool
    """True if a variance was estimated as 0 or a correlation as 1; such a fit is kept."""
    converged: bool
    """False: the numbers are NaN and nothing may be concluded."""
    separated: bool = False
    """True where that is because some level or cell has only equal answers."""
    levels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Levels of the factors among the fixed effects; the first is the reference."""
    warnings: tuple[str, ...] = field(default=())
    """What the reader must know, in sentences."""
    limits: tuple[str, ...] = field(default=())
    """Those of them that tell what the model is not about: rows and terms left out, factors of few
    levels."""
    problem: str = ""
    """The one of them that tells why it did not converge; empty where it did."""

    def __getitem__(self, name: str) -> Coefficient:
        """The coefficient of that name."""
        for coefficient in self.coefficients:
            if coefficient.name == name:
                return coefficient
        raise KeyError(f"{name!r} is not among {[c.name for c in self.coefficients]}")

    def __repr__(self) -> str:
        """The model as a table: fixed effects, random effects, what the reader must know.

        Example:
            >>> slope = Coefficient("x", 0.25, 0.1, 2.5, float("inf"), 0.0124, 0.054, 0.446)
            >>> seeds = RandomEffect("seed", ("(Intercept)",), (0.3,), ((1.0,),), 10)
            >>> FitResult(
            ...     "y ~ 0 + x + (1 | seed)", "", "binomial", "Laplace", "glmm", (slope,), (),
            ...     (seeds,), None, -61.2, 126.4, 2, 100, 100, 0, singular=False, converged=True,
            ... )
            y ~ 0 + x + (1 | seed)
            binomial, Laplace, glmm; 100 observations, log-likelihood -61.2, AIC 126.4
            fixed      estimate       SE  t or z       df        p   95 % interval
            x            0.2500   0.1000    2.50      inf   0.0124   0.0540 to 0.4460
            random           SD   levels
            seed         0.3000       10
        """
        lines = [
            self.formula,
            f"{self.family}, {self.method}, {self.engine}; {self.n_observations} observations, "
            f"log-likelihood {self.log_likelihood:.1f}, AIC {self.aic:.1f}",
        ]
        groups = [
            (r.group if term == "(Intercept)" else f"{r.group}: {term}", sd, r.n_levels)
            for r in self.random_effects
            for term, sd in zip(r.terms, r.sds, strict=True)
        ]
        names = [*(c.name for c in self.coefficients), *(name for name, _, _ in groups)]
        width = 2 + max(8, *map(len, names))
        head = f"{'estimate':>9} {'SE':>8} {'t or z':>7} {'df':>8} {'p':>8}   95 % interval"
        lines.append(f"{'fixed':<{width}}{head}")
        lines += [
            f"{c.name:<{width}}{c.estimate:9.4f} {c.std_error:8.4f} {c.statistic:7.2f} "
            f"{c.df:8.4g} {c.p_value:8.3g}   {c.ci_low:.4f} to {c.ci_high:.4f}"
            for c in self.coefficients
        ]
        lines.append(f"{'random':<{width}}{'SD':>9} {'levels':>8}")
        lines += [f"{name:<{width}}{sd:9.4f} {n:8}" for name, sd, n in groups]
        if self.residual_sd is not None:
            lines.append(f"{'residual':<{width}}{self.residual_sd:9.4f}")
        return "\n".join([*lines, *self.warnings])

    @property
    def estimates(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Estimates as an array (n_coefficients,)."""
        return np.array([c.estimate for c in self.coefficients])

    def n_levels(self, group: str) -> int:
        """Levels of a grouping factor; 0 if it is not in the model."""
        return max((r.n_levels for r in self.random_effects if r.group == group), default=0)


@dataclass(frozen=True)
class Contrast:
    """A planned comparison: on the logit scale and as a difference of probabilities."""

    name: str
    """What is compared, e.g. ``bilingual - monolingual, en``."""
    estimate: float
    """Difference of log odds."""
    std_error: float
    """Its standard error."""
    df: float
    """Degrees of freedom of the test; infinite for z."""
    statistic: float
    """estimate / std_error."""
    p_value: float
    """Two-sided, uncorrected."""
    p_holm: float
    """Corrected after Holm over the family; NaN before `holm` was called."""
    ci_low: float
    """Lower end of the 95 % interval, log odds, uncorrected."""
    ci_high: float
    """Upper end."""
    middle: float
    """Log odds half-way between the two."""
    probability_difference: float
    """Difference of the two marginal probabilities, in shares of 1."""
    probability_ci_low: float
    """Lower end of its 95 % interval: that of the log odds, carried over."""
    probability_ci_high: float
    """Upper end."""
    family: str = ""
    """The family of tests the correction runs over, named in advance."""


@dataclass(frozen=True)
class MarginalMean:
    """Probability of a correct answer in one cell of the design, for a typical seed and item."""

    name: str
    """The cell, e.g. ``bilingual, en``."""
    estimate: float
    """Log odds."""
    std_error: float
    """Its standard error."""
    probability: float
    """Inverse logit of the estimate, in [0, 1]."""
    ci_low: float
    """Lower end of the 95 % interval, as a probability."""
    ci_high: float
    """Upper end."""
