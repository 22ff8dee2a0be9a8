"""The tables of the page, as text in rows: every number comes from saved results as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from reports.numbers import NONE, interval, models_of, number, p_value, percent, places_of, t_of_df
from toolkit.statistics.phrases import TIES

if TYPE_CHECKING:
    from reports.sources import Chapter

MOST_ROWS = 40
"""Longer tables are opened on demand."""


@dataclass(frozen=True)
class Table:
    """A table as it is shown."""

    name: str
    """Anchor and file name."""
    title: str
    """Its caption."""
    columns: tuple[str, ...]
    """Headings."""
    rows: tuple[tuple[str, ...], ...]
    """Cells as text; the first of a row is its heading."""
    n_labels: int = 1
    """Columns on the left that hold text; the others hold numbers and are aligned right."""
    note: str = ""
    """A sentence below it."""
    folded: bool = False
    """True for long tables, which are opened on demand."""
    languages: tuple[str, ...] = ()
    """Language of the text in each column, where columns hold texts in several languages; empty for
    the page's own."""


@dataclass(frozen=True)
class ModelSummary:
    """One fitted model in full."""

    name: str
    """What it is for."""
    formula: str
    """As asked for, and as fitted where that differs."""
    facts: tuple[tuple[str, str], ...]
    """Numbers of observations, likelihood, diagnostics."""
    fixed: Table
    """Fixed effects."""
    random: Table
    """Random effects."""


def tables(chapter: Chapter) -> list[Table]:
    """All tables of a paradigm that hold anything, in the order of the page."""
    return _folded(REPORTS[chapter.kind].tables(chapter))


def tables_of_choices(chapter: Chapter) -> list[Table]:
    """All tables of a paradigm of choices."""
    from reports.choices import contrast_tables

    lists = _lists(chapter.statistics.get("lists", ()))
    made = [_accuracy(chapter), lists, *contrast_tables.tests(chapter.statistics)]
    made += [_words(chapter), _consistency(chapter.statistics["consistency"])]
    return made


def _folded(made: Sequence[Table]) -> list[Table]:
    """Tables that hold anything; long ones are opened on demand."""
    return [
        replace(table, folded=table.folded or len(table.rows) > MOST_ROWS)
        for table in made
        if table.rows
    ]


def _accuracy(chapter: Chapter) -> Table:
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"], percent(row["mean"]),
            interval(row["ci_low"], row["ci_high"], 100), number(row["std_error"], 100, 2),
            number(row["chance"], 100), str(row["n_seeds"]), str(row["n_trials"]),
            str(row["n_ties"]),
        )
        for row in chapter.results
    )  # fmt: skip
    return Table(
        name="accuracies",
        title="Accuracy over seeds",
        columns=("Population", "Test language", "Condition", "Correct", "95 % CI (%)", "SE (%)",
                 "Chance (%)", "Seeds", "Trials", "Ties"),
        rows=rows,
        n_labels=3,
        note="Intervals: Student's t over seeds on the logit scale (further seeds, the same words "
        f"and pictures); none for a single seed, or where all seeds answer alike. {TIES}",
    )  # fmt: skip


def _lists(found: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"], percent(row["mean"]),
            number(row["sd"], 100, 2), number(row["min"], 100), number(row["max"], 100),
            str(row["n_lists"]), str(row["n_seeds"]),
        )
        for row in found
    )  # fmt: skip
    return Table(
        name="lists",
        title="Accuracy over trial lists",
        columns=("Population", "Test language", "Condition", "Correct", "SD (%)", "Lowest (%)",
                 "Highest (%)", "Lists", "Seeds"),
        rows=rows,
        n_labels=3,
        note="Accuracy per list is the mean over seeds; SD, lowest and highest are over lists. "
        "Every list is another draw of clips, pictures and distractors from the same classes.",
    )  # fmt: skip


def _words(chapter: Chapter) -> Table:
    headline = {row["condition"] for row in chapter.headline}
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"], row["word_concept"],
            number(row["accuracy"], 100), interval(row["ci_low"], row["ci_high"], 100),
            str(row["n_seeds"]), str(row["n_trials"]),
        )
        for row in chapter.statistics["words"]
        if row["condition"] in headline
    )  # fmt: skip
    return Table(
        name="words",
        title="Accuracy per word",
        columns=("Population", "Test language", "Condition", "Word", "Correct (%)", "95 % CI (%)",
                 "Seeds", "Trials"),
        rows=rows,
        n_labels=4,
        folded=True,
    )  # fmt: skip


def _consistency(found: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"],
            number(row["alpha"], digits=2), number(row["mean_correlation"], digits=2),
            str(row["n_seeds"]), str(row["n_words"]),
        )
        for row in found
    )  # fmt: skip
    return Table(
        name="consistency",
        title="Do seeds find the same words easy?",
        columns=("Population", "Test language", "Condition", "Cronbach's alpha",
                 "Mean correlation", "Seeds", "Words"),
        rows=rows,
        n_labels=3,
        folded=True,
    )  # fmt: skip


def model_summaries(chapter: Chapter) -> list[ModelSummary]:
    """Every fitted model with its formula, random effects and diagnostics."""
    return list(REPORTS[chapter.kind].models(chapter))


def models_of_choices(chapter: Chapter) -> list[ModelSummary]:
    """The models of a paradigm of choices."""
    shown = []
    for name, test in named_tests(chapter.statistics):
        instead = test.get("penalised") or {}
        shown += [(name, test["fit"]), (f"{name}, penalised", instead.get("fit"))]
    return [model_summary(name, fit, "logit scale, Wald") for name, fit in shown if fit]


def named_tests(statistics: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """All tests of the seeds that passed the gate, with names that tell them apart."""
    who = "{population} in {test_language}".format_map
    named = [(f"{who(t)}, {t['condition']}, against chance", t) for t in statistics["chance"]]
    named += [(f"{who(t)}, {t['plus']} - {t['minus']}", t) for t in statistics["conditions"]]
    groups = statistics["groups"]
    return named + [
        (f"{model['name']}{where}", model)
        for group, where in zip(groups, places_of(groups), strict=True)
        for model in models_of(group)
    ]


def model_summary(name: str, fit: Mapping[str, Any], scale: str) -> ModelSummary:
    """One fitted model in full.

    Args:
        name: what it is for.
        fit: a `toolkit.statistics.models.results.FitResult` as JSON.
        scale: what its numbers are measured in, and how they were tested.
    """
    formula = fit["formula"]
    if fit["fitted_formula"].replace(" ", "") != formula.replace(" ", ""):
        formula += f", fitted as {fit['fitted_formula']}"
    fixed = tuple(
        (
            row["name"], number(row["estimate"], digits=3), number(row["std_error"], digits=3),
            number(row["statistic"], digits=2) if row["df"] == "inf" else t_of_df(row),
            p_value(row["p_value"]),
            interval(row["ci_low"], row["ci_high"], digits=3, mark=0.0),
        )
        for row in fit["coefficients"]
    )  # fmt: skip
    random = tuple(
        (
            effect["group"], term, number(sd, digits=3),
            ", ".join(number(r, digits=2) for r in row[:place]) or NONE, str(effect["n_levels"]),
        )
        for effect in fit["random_effects"]
        for place, (term, sd, row) in enumerate(
            zip(effect["terms"], effect["sds"], effect["correlations"], strict=True)
        )
    )  # fmt: skip
    facts = (
        ("Observations", _observations(fit)),
        ("Dropped", str(fit["n_dropped"])),
        ("Log-likelihood", number(fit["log_likelihood"], digits=2)),
        ("AIC", number(fit["aic"], digits=1)),
        *((("Residual SD", number(fit["residual_sd"], digits=3)),) if fit["residual_sd"] else ()),
        ("Converged", "yes" if fit["converged"] else "NO"),
        *((("Separated", "YES"),) if fit.get("separated") else ()),
        ("Singular", "YES" if fit["singular"] else "no"),
        ("Engine", f"{fit['engine']}, {fit['family']}, {fit['method']}"),
        *((("Warnings", " ".join(fit["warnings"])),) if fit["warnings"] else ()),
    )
    return ModelSummary(
        name=name,
        formula=formula,
        facts=facts,
        fixed=Table(
            "", f"Fixed effects ({scale})",
            ("Term", "Estimate", "SE", "z" if fit["family"] == "binomial" else "t (df)", "p",
             "95 % CI"), fixed,
        ),
        random=Table(
            "", "Random effects", ("Group", "Term", "SD", "Correlations", "Levels"), random, 2
        ),
    )  # fmt: skip


def _observations(fit: Mapping[str, Any]) -> str:
    text = f"{fit['n_observations']:,}"
    return f"{text} in {fit['n_rows']:,} rows of counts" if fit["family"] == "binomial" else text
