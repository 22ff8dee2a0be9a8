"""The tables of the page, as text in rows: every number comes from saved results as it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from reports.numbers import NONE, interval, models_of, number, odds_ratio, p_value, percent, t_of_df

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
    made = [_accuracy(chapter), _chance(chapter.statistics["chance"], "chance", "")]
    if chapter.statistics["chance_all_seeds"]:
        made.append(
            _chance(chapter.statistics["chance_all_seeds"], "chance-all", ", gated seeds included")
        )
    for suffix, groups in (("", "groups"), ("-all", "groups_all_seeds")):
        for group in chapter.statistics[groups]:
            made += _contrasts(group, suffix)
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
        note="Intervals: Student's t over seeds (further seeds, the same words and pictures). Ties "
        "count as not correct.",
    )  # fmt: skip


def _chance(tests: Sequence[Mapping[str, Any]], name: str, which: str) -> Table:
    rows = tuple(
        (
            test["population"], test["test_language"], test["condition"],
            number(test["accuracy"], 100), number(test["chance"], 100),
            number(test["probability"], 100), interval(test["ci_low"], test["ci_high"], 100),
            t_of_df(test), p_value(test["p_value"]), p_value(test["p_holm"]),
            number(test["d_seeds"], digits=2), number(test["d_words"], digits=2),
        )
        for test in tests
    )  # fmt: skip
    return Table(
        name=name,
        title=f"Tests against chance{which}",
        columns=("Population", "Test language", "Condition", "Correct (%)", "Chance (%)",
                 "Model (%)", "95 % CI (%)", "t (df)", "p", "p Holm", "d (seeds)", "d (words)"),
        rows=rows,
        n_labels=3,
        note="Intercept of a logistic mixed model; the interval speaks about further seeds and "
        "further words. d over seeds and d over words are not comparable with d over children.",
    )  # fmt: skip


def _contrasts(group: Mapping[str, Any], suffix: str) -> Iterator[Table]:
    models = models_of(group)
    which = f", {group['condition']}" + (", gated seeds included" if suffix else "")
    yield Table(
        name=f"planned-contrasts{suffix}",
        title=f"Planned contrasts: mixed models{which}",
        columns=("Contrast", "Family", "Odds ratio [95 % CI]", "Difference (points) [95 % CI]",
                 "t (df)", "p", "p Holm", "p likelihood ratio", "p bootstrap"),
        rows=tuple(_contrast(model) for model in models),
        n_labels=2,
        note=" ".join(
            [f"Families: {'; '.join(group['families'])}.", _interaction(group["interaction"])]
        ),
    )  # fmt: skip
    yield Table(
        name=f"seed-means{suffix}",
        title=f"The same contrasts over seed means{which}",
        columns=("Contrast", "Seeds", "Difference (points)", "95 % CI", "Welch t (df)", "p",
                 "Hedges' g (seeds)", "BF10", "p TOST"),
        rows=tuple(_seed_means(model) for model in models),
        note="Further seeds, these very words: where the effect varies between words, these tests "
        f"find one too often. TOST against {number(models[0]['seeds']['bound'], 100)} points.",
    )  # fmt: skip


def _contrast(model: Mapping[str, Any]) -> tuple[str, ...]:
    effect, ratio = model["contrast"] or {}, model["ratio"] or {}
    difference = NONE
    if effect.get("probability_difference") is not None:
        low, high = effect["probability_ci_low"], effect["probability_ci_high"]
        difference = f"{number(effect['probability_difference'], 100)} {interval(low, high, 100)}"
    return (
        model["name"], effect.get("family", model["problem"] or NONE), odds_ratio(effect),
        difference, t_of_df(effect), p_value(effect.get("p_value")),
        p_value(effect.get("p_holm")), p_value(ratio.get("p_value")),
        p_value(ratio.get("p_bootstrap")),
    )  # fmt: skip


def _seed_means(model: Mapping[str, Any]) -> tuple[str, ...]:
    seeds = model["seeds"]
    factor = seeds["bayes_factor"]
    return (
        model["name"], f"{seeds['n_first']}, {seeds['n_second']}",
        number(seeds["difference"], 100), interval(seeds["ci_low"], seeds["ci_high"], 100),
        t_of_df({**seeds, "statistic": seeds["t"]}), p_value(seeds["p_value"]),
        number(seeds["hedges_g"], digits=2), NONE if factor is None else f"{factor:.3g}",
        p_value(seeds["p_equivalence"]),
    )  # fmt: skip


def _interaction(ratio: Mapping[str, Any] | None) -> str:
    if ratio is None:
        return ""
    return (
        f"Does the difference depend on the test language? chi2({ratio['df']}) = "
        f"{number(ratio['statistic'], digits=2)}, p = {p_value(ratio['p_value'])}."
    )


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
    named = [
        (f"{test['population']} in {test['test_language']}, against chance", test["fit"])
        for test in chapter.statistics["chance"]
    ]
    for group in chapter.statistics["groups"]:
        models = models_of(group)
        named += [(model["name"], model["fit"]) for model in models]
    return [model_summary(name, fit, "logit scale, Wald") for name, fit in named if fit]


def model_summary(name: str, fit: Mapping[str, Any], scale: str) -> ModelSummary:
    """One fitted model in full.

    Args:
        name: what it is for.
        fit: a `toolkit.statistics.results.FitResult` as JSON.
        scale: what its numbers are measured in, and how they were tested.
    """
    formula = fit["formula"]
    if fit["fitted_formula"].replace(" ", "") != formula.replace(" ", ""):
        formula += f", fitted as {fit['fitted_formula']}"
    fixed = tuple(
        (
            row["name"], number(row["estimate"], digits=3), number(row["std_error"], digits=3),
            number(row["statistic"], digits=2) if row["df"] == "inf" else t_of_df(row),
            p_value(row["p_value"]), interval(row["ci_low"], row["ci_high"], digits=3),
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
