"""Figure of graded factors: how often the target is chosen at every level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.choices.charts import odds, odds_scale, percent_of
from reports.choices.contrast_tables import VERDICTS
from reports.figures import HALF_PX, STEP_PX, Figure, listed, names, percents, span
from reports.joining import Spec, beside, layers, values
from reports.numbers import number, slope_ratio
from stimuli.wording import plural

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
            "odds_ratio": odds(test.slope),
            "ci_low": odds(test.slope_low),
            "ci_high": odds(test.slope_high),
        }
        for test in tests
        for own in test.levels
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    units = {test.factor: test.unit_of_level for test in tests}
    panels = [
        panel
        for factor, own in data.groupby("factor", sort=False)
        for panel in (
            _panel(own.drop(columns="factor"), units[str(factor)]) | {"title": str(factor)},
            _slopes(own.drop_duplicates("cell"), units[str(factor)])
            | {"title": f"{factor}: slope"},
        )
    ]
    return Figure(
        name="trends",
        title="Graded factors",
        caption=(
            "Points: mean over seeds at every level, ties at chance level; one line per population "
            "and test language, without intervals. Dashed: chance where two pictures are shown. "
            "Beside them the linear contrast over the levels: odds ratio per step with the 95 % "
            "interval of the mixed model (further seeds and further words); dashed: no slope."
        ),
        alt=f"Lines of the share chosen over levels: {listed([_seen(test) for test in tests])}.",
        chart=beside(*panels),
        data=data.drop(columns="cell"),
    )


def _panel(data: pd.DataFrame, unit: str) -> Spec:
    """The lines of one factor."""
    import altair as alt

    cells = list(dict.fromkeys(data["cell"]))
    levels = sorted(set(data["level"]))
    base = alt.Chart().encode(
        x=alt.X("level:Q", title=plural(unit), axis=alt.Axis(values=levels, format="~g")),
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
        width=HALF_PX,
        height=HEIGHT_PX,
    )


def _slopes(data: pd.DataFrame, unit: str) -> Spec:
    """The slopes of one factor, on the lines of their own."""
    import altair as alt

    cells = list(data["cell"])
    lines = alt.Axis(labelLimit=160)
    base = alt.Chart().encode(y=alt.Y("cell:N", title=None, sort=cells, axis=lines))
    if len(cells) <= MOST_LINES:
        base = base.encode(color=alt.Color("cell:N", sort=cells, title=None))
    scale = odds_scale(data, "odds_ratio", "ci_low", "ci_high")
    x = alt.X("odds_ratio:Q", title=f"odds ratio per {unit} (log scale)", scale=scale)
    return layers(
        alt.Chart().mark_rule(strokeDash=[5, 4]).encode(x=alt.datum(1.0)),
        base.mark_rule(strokeWidth=2).encode(**span("ci_low", "ci_high")),
        base.mark_point(filled=True, size=70, opacity=1, shape="diamond").encode(
            x=x, tooltip=names("cell", "slope", "verdict")
        ),
        data=values(data.drop(columns="factor")),
        width=HALF_PX - 120,
        height=max(2 * STEP_PX, min(HEIGHT_PX, STEP_PX * len(cells))),
    )


def _seen(test: TrendTest) -> str:
    """A line in words."""
    shares = ", ".join(f"{number(own.accuracy, 100)} % at {own.level:g}" for own in test.levels)
    return f"{test.factor}, {test.population} in {test.test_language}: {shares}"
