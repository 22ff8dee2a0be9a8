"""Figures of looking: the course over time, and all windows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from reports.figures import COLOURS, INK, MOST_CELLS, Figure, listed, names, panel_px
from reports.joining import grid_of, layers
from reports.looking.text import percent_of
from reports.numbers import percent

if TYPE_CHECKING:
    import altair as alt

    from reports.chapter import Chapter
    from toolkit.statistics.looking.results import CourseResult, LookingAnalysis

HEIGHT_PX = 170
"""Height of the course of one population and language."""
CELL_PX = 240
"""Width and height of a map of windows."""
DASHES = ([1, 0], [6, 3], [2, 2], [8, 3, 2, 3])
"""Lines of conditions, so that colour alone tells nothing."""
FIRST = " The first {n} populations and languages; the tables hold all."


def figures(chapter: Chapter[LookingAnalysis]) -> list[Figure | None]:
    """The figures of this module in the order of the page."""
    return [time_course(chapter), windows(chapter)]


def place_of(own: CourseResult) -> str:
    """Population and language, as the heading of a panel.

    Example:
        >>> from types import SimpleNamespace
        >>> place_of(SimpleNamespace(population="untrained", test_language="en"))
        'untrained, en'
    """
    return f"{own.population}, {own.test_language}"


def _shown(chapter: Chapter[LookingAnalysis]) -> tuple[list[CourseResult], str]:
    """Results of as many populations and languages as a figure holds, and what is said of it."""
    results = chapter.statistics.results
    places = list(dict.fromkeys(map(place_of, results)))
    kept = places[:MOST_CELLS]
    note = FIRST.format(n=MOST_CELLS) if len(places) > MOST_CELLS else ""
    return [own for own in results if place_of(own) in kept], note


def time_course(chapter: Chapter[LookingAnalysis]) -> Figure | None:
    """Looking over time, one panel per population and language, conditions told apart."""
    import altair as alt
    import pandas as pd

    shown, note = _shown(chapter)
    if not shown:
        return None
    start, end = chapter.statistics.settings.window_ms
    data = pd.DataFrame(
        [
            {
                "panel": place_of(own),
                "population": own.population,
                "test_language": own.test_language,
                "condition": own.condition,
                "gate_ms": gate.gate_ms,
                "looking_percent": percent_of(gate.mean),
                "ci_low_percent": percent_of(gate.ci_low),
                "ci_high_percent": percent_of(gate.ci_high),
                "window_start_ms": start,
                "window_end_ms": end,
            }
            for own in shown
            for gate in own.course
        ]
    )
    conditions = list(dict.fromkeys(data["condition"]))
    line = alt.Legend(symbolType="stroke", symbolOpacity=1, symbolStrokeWidth=2)
    scale = alt.Scale(domain=conditions, range=list(COLOURS[: len(conditions)]))
    colour = alt.Color("condition:N", title=None, sort=conditions, scale=scale, legend=line)
    x = alt.X("gate_ms:Q", title="time from the onset of the word (ms)")
    y = alt.Y("looking_percent:Q", title="looking at target (%)", scale=alt.Scale(domain=[0, 100]))
    base = alt.Chart().encode(x=x)
    window = (
        alt.Chart()
        .mark_rect(color=INK, opacity=0.1)
        .encode(x=alt.X("min(window_start_ms):Q"), x2=alt.X2("max(window_end_ms)"))
    )
    chance, onset = (
        alt.Chart().mark_rule(strokeDash=[5, 4], strokeOpacity=0.7).encode(**{axis: place})
        for axis, place in (
            ("y", alt.datum(50, type="quantitative")),
            ("x", alt.datum(0, type="quantitative")),
        )
    )
    dashes = alt.Scale(domain=conditions, range=list(DASHES[: len(conditions)]))
    drawn = (
        window,
        chance,
        onset,
        base.mark_area(opacity=0.2).encode(
            y=alt.Y("ci_low_percent:Q"), y2=alt.Y2("ci_high_percent"), color=colour
        ),
        base.mark_line(strokeWidth=2).encode(
            y=y,
            color=colour,
            strokeDash=alt.StrokeDash("condition:N", title=None, sort=conditions, scale=dashes),
        ),
        base.mark_point(size=12, opacity=0.01).encode(
            y=y,
            color=colour,
            tooltip=[
                *names("panel", "condition", "gate_ms"),
                *_tooltips("looking_percent", "ci_low_percent", "ci_high_percent"),
            ],
        ),
    )
    panel = layers(*drawn, width=panel_px(data["panel"].nunique()), height=HEIGHT_PX)
    seen = [
        f"{place_of(own)}, {own.condition}: {percent(own.course[0].mean)} at "
        f"{own.course[0].gate_ms} ms, {percent(own.course[-1].mean)} at {own.course[-1].gate_ms} ms"
        for own in shown
    ]
    return Figure(
        name="time-course",
        title="Looking at the target while the word unfolds",
        caption=(
            "Lines: mean share of looking over training seeds at every gate; bands: 95 % intervals "
            "over seeds (the same items). Shaded: the declared window. Dashed: chance, and the "
            f"onset of the word.{note}"
        ),
        alt=f"Line plots of looking over time: {listed(seen)}.",
        chart=grid_of(panel, "panel", data),
        data=data.drop(columns="panel"),
    )


def windows(chapter: Chapter[LookingAnalysis]) -> Figure | None:
    """Mean looking in every window, by its two ends."""
    import altair as alt
    import pandas as pd

    shown, note = _shown(chapter)
    shown = [own for own in shown if own.headline]
    if not shown:
        return None
    alpha = chapter.statistics.settings.alpha
    data = pd.DataFrame(
        [
            {
                "panel": f"{place_of(own)}, {own.condition}",
                "start_ms": one.start_ms,
                "end_ms": one.end_ms,
                "looking_percent": percent_of(one.mean),
                "p": None if math.isnan(one.p_value) else float(f"{one.p_value:.3g}"),
                "differs": "yes" if one.p_value < alpha else "no",
            }
            for own in shown
            for one in own.multiverse.windows
        ]
    )
    base = alt.Chart().encode(
        x=alt.X("start_ms:O", title="window begins (ms)", axis=_few_labels()),
        y=alt.Y("end_ms:O", title="window ends (ms)", sort="descending", axis=_few_labels()),
    )
    colour = alt.Color(
        "looking_percent:Q",
        title="looking at target (%)",
        scale=alt.Scale(scheme="blueorange", domain=[0, 100], domainMid=50),
    )
    drawn = (
        base.mark_rect().encode(
            color=colour,
            tooltip=[*names("start_ms", "end_ms", "p"), *_tooltips("looking_percent")],
        ),
        base.transform_filter(alt.datum.differs == "no").mark_point(
            shape="circle", filled=True, size=8, color=INK, opacity=0.8
        ),
    )
    panel = layers(*drawn, width=CELL_PX, height=CELL_PX)
    seen = [
        f"{place_of(own)}, {own.condition}: {own.multiverse.n_above} of "
        f"{len(own.multiverse.windows)} above chance"
        for own in shown
    ]
    return Figure(
        name="windows",
        title="Every window that might have been declared",
        caption=(
            "Each square is the window from one gate to another: colour tells the mean share of "
            "looking, a dot that it does not differ from chance (t over seeds, the same items, "
            f"uncorrected). Beyond the end of a word nothing more is heard.{note}"
        ),
        alt=f"Maps of mean looking by begin and end of the window: {listed(seen)}.",
        chart=grid_of(panel, "panel", data),
        data=data,
    )


def _few_labels() -> alt.Axis:
    import altair as alt

    return alt.Axis(labelOverlap=True, labelAngle=0)


def _tooltips(*columns: str) -> list[Any]:
    import altair as alt

    return [alt.Tooltip(f"{c}:Q", format=".1f", title=c.replace("_", " ")) for c in columns]
