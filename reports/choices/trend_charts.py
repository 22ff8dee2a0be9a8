"""Figure of graded factors: how often the target is chosen at every level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.choices.charts import percent_of
from reports.choices.contrast_tables import VERDICTS
from reports.figures import WIDTH_PX, Figure, listed, names, percents
from reports.joining import Spec, below, layers, values
from reports.numbers import number, slope_ratio

if TYPE_CHECKING:
    import pandas as pd

    from reports.chapter import Chapter
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.choices.trends import TrendTest

HEIGHT_PX = 180
MOST_LINES = 12
"""Lines in a panel that are told apart by colour."""


def trends(chapter: Chapter[Analysis]) -> Figure | None:
    """Means at every level, one panel per graded factor; None if there is none."""
    import pandas as pd

    tests = chapter.statistics.trends
    rows = [
        {
            "factor": test.factor,
            "cell": f"{test.population}, {test.test_language}",
            "population": test.population,
            "test_language": test.test_language,
            "level": own.level,
            "chosen_percent": percent_of(own.accuracy),
            "slope": slope_ratio(test),
            "verdict": VERDICTS[test.verdict],
        }
        for test in tests
        for own in test.levels
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    units = {test.factor: test.unit_of_level for test in tests}
    panels = [
        _panel(own.drop(columns="factor"), units[str(factor)]) | {"title": str(factor)}
        for factor, own in data.groupby("factor", sort=False)
    ]
    return Figure(
        name="trends",
        title="Graded factors",
        caption=(
            "Points: mean over seeds at every level, ties at chance level; one line per population "
            "and test language. Dashed: chance where two pictures are shown. The linear contrast "
            "over the levels, with its interval, is in the table of trends."
        ),
        alt=f"Lines of the share chosen over levels: {listed([_seen(test) for test in tests])}.",
        chart=below(*panels),
        data=data.drop(columns="cell"),
    )


def _panel(data: pd.DataFrame, unit: str) -> Spec:
    """The lines of one factor."""
    import altair as alt

    cells = list(dict.fromkeys(data["cell"]))
    levels = sorted(set(data["level"]))
    base = alt.Chart().encode(
        x=alt.X("level:Q", title=f"{unit}s", axis=alt.Axis(values=levels, format="~g")),
        y=alt.Y("chosen_percent:Q", title="chosen (%)", scale=alt.Scale(domain=[0, 100])),
        detail="cell:N",
    )
    if len(cells) <= MOST_LINES:
        legend = alt.Legend(columns=2, labelLimit=260)
        base = base.encode(color=alt.Color("cell:N", sort=cells, title=None, legend=legend))
    tooltip = [*names("cell", "level", "slope", "verdict"), *percents("chosen")]
    return layers(
        alt.Chart().mark_rule(strokeDash=[5, 4]).encode(y=alt.datum(50)),
        base.mark_line(strokeWidth=1.5),
        base.mark_point(filled=True, size=50, opacity=1).encode(tooltip=tooltip),
        data=values(data),
        width=WIDTH_PX,
        height=HEIGHT_PX,
    )


def _seen(test: TrendTest) -> str:
    """A line in words."""
    shares = ", ".join(f"{number(own.accuracy, 100)} % at {own.level:g}" for own in test.levels)
    return f"{test.factor}, {test.population} in {test.test_language}: {shares}"
