"""What is seen first of a paradigm of choices: the test that decides."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.choices import charts, contrast_charts
from reports.choices.contrast_tables import chance_overview, condition_overview
from reports.overview import overview_of

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from reports.figures import Figure
    from reports.parts import Overview
    from toolkit.statistics.choices.condition_contrasts import ConditionTest
    from toolkit.statistics.choices.results import Analysis


def overview(chapter: Chapter[Analysis]) -> Overview | None:
    """The first contrast that the paradigm declares; without any, the test against chance.

    None where nothing was tested.
    """
    told = chapter.statistics
    drawn: Figure | None
    if first := deciding(told.conditions):
        question = first[0].question
        drawn = contrast_charts.deciding(first)
        table = condition_overview(first)
    else:
        question = next((asked for asked, _ in told.answers), "")
        drawn = charts.accuracy(chapter) if told.chance else None
        table = chance_overview(told.chance)
    return overview_of(question, dict(told.answers).get(question), drawn, table)


def deciding(tests: Sequence[ConditionTest]) -> list[ConditionTest]:
    """The tests of the contrast that stands first in the paradigm."""
    return [test for test in tests if test.question == tests[0].question]
