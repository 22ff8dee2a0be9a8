"""Children beside networks, condition by condition, where one table holds both."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.choices.charts import percent_of
from reports.numbers import NONE, number, p_value, points, t_of_df
from reports.overview import Estimated, Forest
from reports.parts import Table
from toolkit.statistics.choices.kinds_prose import NO_EQUALITY, kinds_named

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reports.figures import Figure
    from toolkit.statistics.choices.kinds_beside import KindComparison, KindContrast
    from toolkit.statistics.choices.verdicts import Verdict

VERDICTS: dict[Verdict, str] = {
    "higher": "higher",
    "lower": "LOWER",
    "open": "not shown",
    "few": "too few",
    "undecided": "no test",
}
"""How the kind that is named stands to the networks."""


def figure(found: Sequence[KindComparison]) -> Figure | None:
    """Differences between kinds of subjects; None where there are none."""
    rows = [
        Estimated(
            part.condition,
            (
                percent_of(part.contrast.probability_difference),
                percent_of(part.contrast.probability_ci_low),
                percent_of(part.contrast.probability_ci_high),
            ),
            panel=_whose(one),
            labels={
                "kind": one.first,
                "population": one.second,
                "test_language": one.test_language,
                "condition": part.condition,
            },
            tested={
                "p_value": p_value(part.contrast.p_value),
                "p_holm": p_value(part.contrast.p_holm),
                "verdict": VERDICTS[part.verdict],
            },
        )
        for one in found
        for part in one.contrasts
        if part.contrast is not None and part.verdict != "undecided"
    ]
    return Forest(
        name="kinds",
        title="Children beside networks",
        axis="less networks (percentage points)",
        mark=0.0,
        field="difference",
        unit="points",
        digits=1,
        caption=(
            "Diamond and line: the mixed model's difference between kinds of subjects with its "
            "95 % interval (further subjects and further words), on what both were asked; right of "
            f"the dashed line they are right more often than networks. {NO_EQUALITY}"
        ),
        about="differences between kinds of subjects in percentage points",
    ).figure(rows)


def table(found: Sequence[KindComparison]) -> Table:
    """The same in numbers."""
    return Table(
        name="kinds",
        title="Children beside networks",
        columns=("Subjects", "Networks", "Test language", "Condition", "Verdict", "Subjects (%)",
                 "Networks (%)", "Difference (points) [95 % CI]", "t (df)", "p", "p Holm",
                 "Subjects asked", "Networks asked", "Words"),
        aside=("t (df)", "Subjects asked", "Networks asked", "Words"),
        rows=tuple(_row(one, part) for one in found for part in one.contrasts),
        n_labels=5,
        note="Logistic mixed model over the trials, or where none is the same the words, that both "
        "were asked; mean over subjects, ties at chance level. Verdict: how the subjects stand to "
        f"the networks. {NO_EQUALITY}",
    )  # fmt: skip


def _whose(one: KindComparison) -> str:
    return f"{kinds_named(one.first)} less networks ({one.second}, {one.test_language})"


def _row(one: KindComparison, part: KindContrast) -> tuple[str, ...]:
    effect = part.contrast if part.verdict != "undecided" else None
    tested = (
        (
            points(effect), t_of_df(effect.statistic, effect.df), p_value(effect.p_value),
            p_value(effect.p_holm),
        )
        if effect
        else (NONE,) * 4
    )  # fmt: skip
    return (
        kinds_named(one.first), one.second, one.test_language, part.condition,
        VERDICTS[part.verdict], *(number(share, 100) for share in part.accuracies), *tested,
        *map(str, one.n_subjects), str(one.n_words),
    )  # fmt: skip
