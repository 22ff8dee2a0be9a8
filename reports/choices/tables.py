"""The tables of a paradigm of choices: every number comes from saved results as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.choices import contrast_tables, kinds
from reports.numbers import interval, number, percent, places_of, real
from reports.parts import ModelSummary, Table
from reports.tables import model_summary
from reports.units import draws_note
from toolkit.statistics.choices.chance import ChanceTest
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.draws import SOURCES
from toolkit.statistics.choices.groups import GroupModel
from toolkit.statistics.choices.trends import TrendTest
from toolkit.statistics.phrases import TIES

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from reports.chapter import Chapter
    from toolkit.statistics.choices.forgetting import ForgettingRate
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.models.penalised import Penalised
    from toolkit.statistics.models.results import FitResult


Test = ChanceTest | ConditionTest | TrendTest | GroupModel
"""A test of an analysis of choices."""


def tables(chapter: Chapter[Analysis]) -> list[Table]:
    """All tables of a paradigm of choices."""
    told = chapter.statistics
    made = [_accuracy(chapter), _draws(told.draws), _lists(told.lists)]
    made += contrast_tables.tests(told)
    made += [kinds.table(told.kinds), _forgetting(told.forgetting), _children(chapter)]
    return [*made, _words(chapter), _consistency(told.consistency)]


def _accuracy(chapter: Chapter[Analysis]) -> Table:
    rows = tuple(
        (
            row.population, row.test_language, row.condition, percent(row.mean),
            interval(row.ci_low, row.ci_high, 100), number(row.std_error, 100, 2),
            number(row.chance, 100), str(row.n_seeds), str(row.n_trials), str(row.n_ties),
        )
        for row in chapter.results
    )  # fmt: skip
    return Table(
        name="accuracies",
        title="Accuracy over seeds",
        columns=("Population", "Test language", "Condition", "Correct", "95 % CI (%)", "SE (%)",
                 "Chance (%)", "Seeds", "Trials", "Ties"),
        aside=("SE (%)", "Trials", "Ties"),
        rows=rows,
        n_labels=3,
        note="Intervals: Student's t over seeds on the logit scale (further seeds, the same words "
        f"and pictures); none for a single seed, or where all seeds answer alike. {TIES}"
        f"{draws_note(chapter.results)}",
    )  # fmt: skip


def _draws(found: pd.DataFrame) -> Table:
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"], SOURCES[row["source"]],
            number(row["sd"], digits=2), number(row["share"], 100), str(row["n_levels"]),
        )
        for row in found.to_dict("records")
    )  # fmt: skip
    return Table(
        name="draws",
        title="How far draws, seeds and words differ",
        columns=("Population", "Test language", "Condition", "Source", "SD (log odds)",
                 "Share of variance (%)", "Levels"),
        rows=rows,
        n_labels=4,
        note="Random effects of a logistic mixed model, network by network; shares are of their "
        "sum, without the noise of single answers. With one seed per draw, what varies between "
        "seeds is part of what varies between draws.",
    )  # fmt: skip


def _lists(found: pd.DataFrame) -> Table:
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"], percent(row["mean"]),
            number(row["sd"], 100, 2), number(row["min"], 100), number(row["max"], 100),
            str(row["n_lists"]), str(row["n_seeds"]),
        )
        for row in found.to_dict("records")
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


def _forgetting(found: Sequence[ForgettingRate]) -> Table:
    rows = tuple(
        (
            rate.population, rate.test_language, rate.since,
            "; ".join(
                f"{rate.doses[name]:g}: {percent(share)}" for name, share in rate.accuracies.items()
            ),
            number(rate.at_once, 100), number(rate.rate, digits=3),
            interval(rate.ci_low, rate.ci_high, digits=3), str(rate.n_seeds),
            rate.problem or "none",
        )
        for rate in found
    )  # fmt: skip
    return Table(
        name="forgetting",
        title="How fast is forgotten what was learnt",
        columns=("Population", "Test language", "With every", "Correct by number", "At once (%)",
                 "Rate", "95 % CI", "Seeds", "Problem"),
        rows=rows,
        n_labels=3,
        note="Chance + (at once - chance) exp(-rate n), fitted to the means over seeds by least "
        "squares; n is the number of other words, or of batches, since the exposure. Intervals: "
        "jackknife over seeds, Student's t. No rate without an accuracy above chance at once.",
    )  # fmt: skip


def _children(chapter: Chapter[Analysis]) -> Table:
    told = dict.fromkeys(child for manifest in chapter.manifests for child in manifest.children)
    rows = tuple(
        (
            child.condition, child.who, number(real(child.share), 100),
            number(real(child.chance), 100), child.found or "-", child.source,
        )
        for child in told
    )  # fmt: skip
    return Table(
        name="children",
        title="What children did",
        columns=("Condition", "Children", "Correct (%)", "Chance (%)", "Found", "Source"),
        rows=rows,
        n_labels=2,
        note="From the literature, to be read beside the table above; nothing is computed from it. "
        "Children met objects, or pictures, of other designs and delays.",
    )  # fmt: skip


def _words(chapter: Chapter[Analysis]) -> Table:
    headline = {row.condition for row in chapter.headline}
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"], row["word_concept"],
            number(row["accuracy"], 100), interval(row["ci_low"], row["ci_high"], 100),
            str(row["n_seeds"]), str(row["n_trials"]),
        )
        for row in chapter.statistics.words.to_dict("records")
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


def _consistency(found: pd.DataFrame) -> Table:
    rows = tuple(
        (
            row["population"], row["test_language"], row["condition"],
            number(row["alpha"], digits=2), number(row["mean_correlation"], digits=2),
            str(row["n_seeds"]), str(row["n_words"]),
        )
        for row in found.to_dict("records")
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


def models(chapter: Chapter[Analysis]) -> list[ModelSummary]:
    """The models of a paradigm of choices."""
    shown: list[tuple[str, FitResult | None]] = []
    for name, test in named_tests(chapter.statistics):
        shown.append((name, test.fit))
        if (instead := penalised_of(test)) is not None:
            shown.append((f"{name}, penalised", instead.fit))
    return [model_summary(name, fit, "logit scale, Wald") for name, fit in shown if fit]


def named_tests(told: Analysis) -> list[tuple[str, Test]]:
    """All tests of the seeds that passed the gate, with names that tell them apart."""
    named: list[tuple[str, Test]] = [
        (f"{t.population} in {t.test_language}, {t.condition}, against chance", t)
        for t in told.chance
    ]
    named += [
        (f"{t.population} in {t.test_language}, {t.plus} - {t.minus}", t) for t in told.conditions
    ]
    named += [(f"{t.population} in {t.test_language}, {t.factor}, trend", t) for t in told.trends]
    return named + [
        (f"{model.name}{where}", model)
        for group, where in zip(told.groups, places_of(told.groups), strict=True)
        for model in group.models
    ]


def penalised_of(test: Test) -> Penalised | None:
    """What stands in for a test; None where nothing does, as between conditions."""
    return None if isinstance(test, ConditionTest | TrendTest) else test.penalised
