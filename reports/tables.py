"""The tables of the page, as text in rows: every number comes from saved results as it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from reports.numbers import NONE, interval, number, p_value, t_of_df
from reports.parts import ModelSummary, Table
from reports.units import of_people
from stimuli.wording import plural

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from toolkit.statistics.models.results import FitResult

MOST_ROWS = 40
"""Longer tables are opened on demand."""


def tables(chapter: Chapter[Any]) -> list[Table]:
    """All tables of a paradigm that hold anything, in the order of the page."""
    made = _folded(REPORTS[chapter.kind].tables(chapter))
    return [table.said(of_people) for table in made] if chapter.has_people else made


def _folded(made: Sequence[Table]) -> list[Table]:
    """Tables that hold anything; long ones are opened on demand."""
    return [
        replace(table, folded=table.folded or len(table.rows) > MOST_ROWS)
        for table in made
        if table.rows
    ]


def model_summaries(chapter: Chapter[Any]) -> list[ModelSummary]:
    """Every fitted model with its formula, random effects and diagnostics."""
    return list(REPORTS[chapter.kind].models(chapter))


def model_summary(name: str, fit: FitResult, scale: str) -> ModelSummary:
    """One fitted model in full.

    Args:
        name: what it is for.
        fit: the model.
        scale: what its numbers are measured in, and how they were tested.
    """
    formula = fit.formula
    if fit.fitted_formula.replace(" ", "") != formula.replace(" ", ""):
        formula += f", fitted as {fit.fitted_formula}"
    fixed = tuple(
        (
            row.name, number(row.estimate, digits=3), number(row.std_error, digits=3),
            number(row.statistic, digits=2) if math.isinf(row.df)
            else t_of_df(row.statistic, row.df),
            p_value(row.p_value), interval(row.ci_low, row.ci_high, digits=3, mark=0.0),
        )
        for row in fit.coefficients
    )  # fmt: skip
    random = tuple(
        (
            effect.group, term, number(sd, digits=3),
            ", ".join(number(r, digits=2) for r in row[:place]) or NONE, str(effect.n_levels),
        )
        for effect in fit.random_effects
        for place, (term, sd, row) in enumerate(
            zip(effect.terms, effect.sds, effect.correlations, strict=True)
        )
    )  # fmt: skip
    facts = (
        ("Observations", _observations(fit)),
        ("Dropped", str(fit.n_dropped)),
        ("Log-likelihood", number(fit.log_likelihood, digits=2)),
        ("AIC", number(fit.aic, digits=1)),
        *((("Residual SD", number(fit.residual_sd, digits=3)),) if fit.residual_sd else ()),
        ("Converged", "yes" if fit.converged else "NO"),
        *((("Separated", "YES"),) if fit.separated else ()),
        ("Singular", "YES" if fit.singular else "no"),
        ("Engine", f"{fit.engine}, {fit.family}, {fit.method}"),
        *((("Warnings", " ".join(fit.warnings)),) if fit.warnings else ()),
    )
    return ModelSummary(
        name=name,
        formula=formula,
        facts=facts,
        fixed=Table(
            "", f"Fixed effects ({scale})",
            ("Term", "Estimate", "SE", "z" if fit.family == "binomial" else "t (df)", "p",
             "95 % CI"), fixed,
        ),
        random=Table(
            "", "Random effects", ("Group", "Term", "SD", "Correlations", "Levels"), random, 2
        ),
    )  # fmt: skip


def _observations(fit: FitResult) -> str:
    text = f"{fit.n_observations:,}"
    return (
        f"{text} in {fit.n_rows:,} {plural('row', fit.n_rows)} of counts"
        if fit.family == "binomial"
        else text
    )
