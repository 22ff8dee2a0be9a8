"""What is seen first of looking: the declared window against chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.looking.text import VERDICTS, cells_of, percent_of
from reports.numbers import p_value
from reports.overview import Estimated, Forest, overview_of
from reports.parts import Table
from toolkit.statistics.looking.prose import window_answer
from toolkit.statistics.phrases import apart

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.chapter import Chapter
    from reports.figures import Figure
    from reports.parts import Overview
    from toolkit.statistics.looking.results import CourseResult, LookingAnalysis


def overview(chapter: Chapter[LookingAnalysis]) -> Overview | None:
    """Looking in the declared window; None where nothing was tested."""
    told = chapter.statistics
    window = told.settings.window_ms
    heads = [own for own in told.results if own.headline]
    if not heads:
        return None
    return overview_of(
        told.question, window_answer(heads, window), _figure(heads, window), _table(heads, window)
    )


def _figure(heads: Sequence[CourseResult], window_ms: tuple[int, int]) -> Figure | None:
    start, end = window_ms
    rows = [
        Estimated(
            f"{own.population}, {own.test_language}",
            (percent_of(model.value), percent_of(model.ci_low), percent_of(model.ci_high)),
            panel=own.condition,
            labels={
                "condition": own.condition,
                "population": own.population,
                "test_language": own.test_language,
            },
            tested={
                "p_value": p_value(model.p_value),
                "p_holm": p_value(own.window.p_holm),
                "verdict": VERDICTS[own.window.verdict],
            },
        )
        for own in heads
        for model in [own.window.model]
    ]
    return Forest(
        name="declared-window",
        title=f"Looking at the target from {start} to {end} ms after the onset of the word",
        axis="looking at the target (%)",
        mark=50.0,
        field="looking",
        unit="percent",
        digits=1,
        caption=(
            "Diamond and line: the mixed model's mean share of looking in the window that was "
            "declared beforehand, with its 95 % interval (further seeds and further items). "
            "Dashed: chance, both pictures looked at alike. p values are in the table, corrected "
            "(Holm, over all of these tests)."
        ),
        about="shares of looking in per cent",
    ).figure(rows)


def _table(heads: Sequence[CourseResult], window_ms: tuple[int, int]) -> Table:
    start, end = window_ms
    return Table(
        name="overview",
        title=f"Looking at the target from {start} to {end} ms, against chance (50 %)",
        columns=("Population, language", "Verdict", "Model (%) [95 % CI]", "p", "p Holm",
                 "Looking (%)"),
        rows=tuple(
            (
                f"{own.population}, {own.test_language}{where}", VERDICTS[own.window.verdict],
                model, p, p_holm, mean,
            )
            for own, where in zip(heads, apart([(own.condition,) for own in heads]), strict=True)
            for mean, model, _, p, p_holm in [cells_of(own.window)]
        ),
        n_labels=2,
        note="Looking: mean over seeds. Model: linear mixed model; its interval and p speak about "
        "further seeds and further items.",
    )  # fmt: skip
