"""The tables and models of looking, as text in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.looking.text import TESTED, VERDICTS, cells_of, clusters_of, time_of
from reports.numbers import estimate, number, p_value, percent
from reports.parts import ModelSummary, Table
from reports.tables import model_summary
from toolkit.statistics.looking.children import SOURCE, looking_by_age

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from toolkit.statistics.looking.models import Estimate
    from toolkit.statistics.looking.results import CourseResult, LookingAnalysis

NAMED = ("Population", "Test language", "Condition")


def tables(chapter: Chapter[LookingAnalysis]) -> list[Table]:
    """All tables in the order of the page."""
    told = chapter.statistics
    return [
        _windows(told),
        _contrasts(told),
        _over_time(told),
        _growth(told),
        _children(),
    ]


def models(chapter: Chapter[LookingAnalysis]) -> list[ModelSummary]:
    """The models of the declared window and of growth of every result."""
    made = []
    for own in chapter.statistics.results:
        where = f"{own.population} in {own.test_language}, {own.condition}"
        for what, fit in (("window", own.window.fit), ("growth curve", own.growth.fit)):
            if fit is not None:
                made.append(model_summary(f"{where}: {what}", fit, "Gaussian, REML"))
    return made


def _named(own: CourseResult) -> tuple[str, str, str]:
    return own.population, own.test_language, own.condition


def _windows(told: LookingAnalysis) -> Table:
    start, end = told.settings.window_ms
    return Table(
        name="declared-window",
        title=f"Looking at the target from {start} to {end} ms, against chance",
        columns=(*NAMED, "Verdict", "Looking (%)", *(_capital(name) for name in TESTED),
                 "p (seeds)", "Seeds", "Words", "Temperature"),
        aside=("t(df)", "p (seeds)", "Seeds", "Words", "Temperature"),
        rows=tuple(
            (
                *_named(own), VERDICTS[own.window.verdict], *cells_of(own.window),
                p_value(own.window.p_seeds), str(own.window.n_seeds), str(own.window.n_words),
                number(own.temperature, digits=3),
            )
            for own in told.results
        ),
        n_labels=4,
        note="Linear mixed model: further seeds and items. p (seeds): t over seeds, the same "
        "items. Temperature: mean over seeds, in units of the scores.",
    )  # fmt: skip


def _contrasts(told: LookingAnalysis) -> Table:
    return Table(
        name="looking-contrasts",
        title="Conditions against each other",
        columns=("Population", "Test language", "Contrast", "Verdict", "Difference (points)",
                 *(_capital(name) for name in TESTED), "First higher in"),
        aside=("t(df)",),
        rows=tuple(
            (
                one.population, one.test_language, f"{one.plus} - {one.minus}",
                VERDICTS[one.window.verdict], *cells_of(one.window), clusters_of(one.clusters),
            )
            for one in told.contrasts
        ),
        n_labels=4,
        note="Differences over the same seeds, words and distractors in the declared window; last "
        "column: cluster permutation, one-sided.",
    )  # fmt: skip


def _over_time(told: LookingAnalysis) -> Table:
    return Table(
        name="over-time",
        title="Clusters, windows and reaction times",
        columns=(*NAMED, "Clusters above chance", "Windows above", "Windows below", "Windows",
                 "Began on distractor", "Turned", "Turned at (ms) [95 % CI]"),
        aside=("Windows below", "Windows", "Began on distractor"),
        rows=tuple(
            (
                *_named(own), clusters_of(own.clusters), str(own.multiverse.n_above),
                str(own.multiverse.n_below), str(len(own.multiverse.windows)),
                str(own.reaction.n_trials), percent(own.reaction.share_turned),
                time_of(own.reaction),
            )
            for own in told.results
        ),
        n_labels=4,
        note="Windows: every window after the onset, t over seeds, uncorrected. Turned: the first "
        "gate at which the target is looked at more, in trials that began on the distractor.",
    )  # fmt: skip


def _growth(told: LookingAnalysis) -> Table:
    return Table(
        name="growth",
        title="Growth curves",
        columns=(*NAMED, "Mean (%)", "Linear (points)", "Quadratic (points)"),
        rows=tuple(
            (
                *_named(own), _points(own.growth.intercept), _points(own.growth.linear),
                _points(own.growth.quadratic),
            )
            for own in told.results
        ),
        n_labels=3,
        note=f"{told.settings.growth}. Linear: half of the rise from onset to the last gate; "
        "quadratic: the bend, below 0 where looking rises early and levels off.",
    )  # fmt: skip


def _children() -> Table:
    known = looking_by_age()
    return Table(
        name="children",
        title="Children: looking at the named picture, by age",
        columns=("Age (months)", "Looking (%) [95 % CI]", "Children", "Data sets"),
        rows=tuple(
            (
                number(row["age_months"]),
                estimate(row["mean"], row["ci_low"], row["ci_high"], 100),
                number(row["n_children"], digits=0), number(row["n_data_sets"], digits=0),
            )
            for row in known.to_dict("records")
        ),
        note=f"{SOURCE}. Children were shown other pictures and words than these networks, so the "
        "numbers tell an order of size and no more.",
    )  # fmt: skip


def _points(found: Estimate) -> str:
    return estimate(found.value, found.ci_low, found.ci_high, 100, mark=0.0)


def _capital(text: str) -> str:
    return text if text.startswith(("t(", "p")) else text[:1].upper() + text[1:]
