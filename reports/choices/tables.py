"""The tables of a paradigm of choices: every number comes from saved results as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.choices import contrast_tables
from reports.numbers import interval, models_of, number, percent, places_of
from reports.parts import ModelSummary, Table
from reports.tables import model_summary
from toolkit.statistics.phrases import TIES

if TYPE_CHECKING:
    from reports.chapter import Chapter


def tables(chapter: Chapter) -> list[Table]:
    """All tables of a paradigm of choices."""
    lists = _lists(chapter.statistics.get("lists", ()))
    made = [_accuracy(chapter), lists, *contrast_tables.tests(chapter.statistics)]
    made += [_words(chapter), _consistency(chapter.statistics["consistency"])]
    return made


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


def models(chapter: Chapter) -> list[ModelSummary]:
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
