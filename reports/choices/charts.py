"""Figures of accuracies: the answer, drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Protocol

from reports.figures import (
    COLOURS,
    MOST_CELLS,
    STEP_PX,
    WIDTH_PX,
    Figure,
    chance_rule,
    listed,
    names,
    percent_axis,
    percents,
    span,
)
from reports.joining import Spec, below, layers, values
from reports.numbers import estimate
from reports.units import draws_note
from toolkit.statistics.phrases import LARGEST

if TYPE_CHECKING:
    import pandas as pd

    from reports.chapter import Chapter
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.means import SeedMean

SEED, MEAN, MODEL = "one seed", "mean over seeds (these words)", "typical seed and word (model)"


def accuracy(chapter: Chapter[Analysis]) -> Figure:
    """Every seed, the mean over seeds and the estimate of the mixed model, beside chance."""
    import pandas as pd

    tests = {(t.population, t.test_language, t.condition): t for t in chapter.statistics.chance}
    rows: list[dict[str, Any]] = []
    for result in chapter.headline:
        shared = {
            "panel": _panel(chapter, result),
            "population": result.population,
            "test_language": result.test_language,
            "condition": result.condition,
            "chance_percent": 100 * result.chance,
        }
        for seed, value in result.seeds.items():
            rows.append(
                shared | {"shown": SEED, "seed": seed, "accuracy_percent": percent_of(value)}
            )
        rows.append(shared | estimate_of(MEAN, result.mean, result))
        test = tests.get((result.population, result.test_language, result.condition))
        if test is not None and not math.isnan(test.probability):
            rows.append(shared | estimate_of(MODEL, test.probability, test))
    data = pd.DataFrame(rows)
    panels = [
        _panel_of(own.drop(columns="panel")) | {"title": str(panel)}
        for panel, own in data.groupby("panel")
    ]
    seen = [
        f"{row.population} in {row.test_language} "
        f"{estimate(row.mean, row.ci_low, row.ci_high, 100)} %"
        for row in chapter.headline
    ]
    return Figure(
        name="accuracy",
        title="Accuracy by population and test language",
        caption=(
            "Small rings: one training seed each. Circle and upper line: mean over seeds with its "
            "95 % interval (further seeds, these very words), ties counted as wrong. Diamond and "
            "lower line: the mixed model's estimate for a typical seed and word with its 95 % "
            "interval (further seeds and further words), ties at chance level; none where the data "
            f"do not decide the model. Dashed: chance.{draws_note(chapter.headline)}"
        ),
        alt=f"Dot plot of the share correct, mean and 95 % interval: {listed(seen)}.",
        chart=below(*panels, share_x=True),
        data=data.drop(columns="panel"),
    )


def _panel_of(data: pd.DataFrame) -> Spec:
    """Accuracies in one test language."""
    import altair as alt

    order = list(dict.fromkeys(data["population"]))
    base = alt.Chart().encode(y=alt.Y("population:N", title=None, sort=order))
    drawn = [chance_rule()]
    for shown, shift, shape, size in (
        (SEED, 0, "circle", 22),
        (MEAN, -7, "circle", 70),
        (MODEL, 7, "diamond", 70),
    ):
        own = base.transform_filter(alt.datum.shown == shown)
        look: dict[str, Any] = {"yOffset": shift, "color": _colour_of(shown)}
        if shown != SEED:
            rule = own.mark_rule(strokeWidth=2, **look)
            drawn.append(rule.encode(**span("ci_low_percent", "ci_high_percent")))
        # Rings of seeds that lie upon each other can still be told apart.
        full = shown != SEED
        drawn.append(
            own.mark_point(filled=full, shape=shape, size=size, opacity=1, **look).encode(
                x=alt.X("accuracy_percent:Q", **percent_axis("correct (%)")),
                tooltip=[
                    *names("population", "test_language", "shown", "seed"),
                    *percents("accuracy", "ci_low", "ci_high"),
                ],
            )
        )
    height = STEP_PX * len(order)
    return layers(*drawn, data=values(data), width=WIDTH_PX, height=height)


def conditions(chapter: Chapter[Analysis]) -> Figure | None:
    """The test beside its controls; None if there are no controls."""
    import altair as alt
    import pandas as pd

    if all(row.headline for row in chapter.results):
        return None
    rows = [
        {
            "condition": row.condition,
            "population": row.population,
            "test_language": row.test_language,
            "cell": f"{row.population}, {row.test_language}",
            "chance_percent": 100 * row.chance,
            "meaning": row.meaning,
            **estimate_of("", row.mean, row),
        }
        for row in chapter.results
    ]
    data = pd.DataFrame(rows).drop(columns="shown")
    cells = list(dict.fromkeys(data["cell"]))
    order = list(dict.fromkeys(data["condition"]))
    base = alt.Chart().encode(y=alt.Y("condition:N", title=None, sort=order))
    x = alt.X("accuracy_percent:Q", **percent_axis("target preferred (%)"))
    tooltip = [*names("cell", "meaning"), *percents("accuracy", "ci_low", "ci_high")]
    if len(cells) <= MOST_CELLS:
        offset = alt.YOffset("cell:N", sort=cells)
        colour = alt.Color("cell:N", sort=cells, title=None, legend=alt.Legend(columns=2))
        drawn = [
            base.mark_rule(strokeWidth=2).encode(
                **span("ci_low_percent", "ci_high_percent"), yOffset=offset, color=colour
            ),
            base.mark_point(filled=True, size=60, opacity=1).encode(
                x=x, yOffset=offset, color=colour, tooltip=tooltip
            ),
        ]
        height = STEP_PX * max(1.2, 0.55 * len(cells))
    else:
        drawn = [base.mark_tick(thickness=2, size=18, opacity=1).encode(x=x, tooltip=tooltip)]
        height = STEP_PX * 1.2
    chart = layers(
        chance_rule(), *drawn, data=values(data), width=WIDTH_PX, height=height * len(order)
    )
    means = data.groupby("condition", sort=False)["accuracy_percent"]
    seen = [f"{name} {own.min():.1f} to {own.max():.1f} %" for name, own in means]
    meanings = {row.condition: row.meaning for row in chapter.results}
    marks = (
        "Points: mean over seeds; lines: its 95 % interval over seeds (these very words)."
        if len(cells) <= MOST_CELLS
        else "Each tick: the mean over seeds of one population in one language."
    )
    return Figure(
        name="conditions",
        title="The test beside its controls",
        caption=f"{marks} Ties count as wrong. Dashed: chance. "
        + " ".join(f"{name}: {meaning}." for name, meaning in meanings.items()),
        alt=f"Dot plot of the share of trials in which the target is preferred: {listed(seen)}.",
        chart=chart,
        data=data.drop(columns="cell"),
    )


def _panel(chapter: Chapter[Analysis], result: SeedMean) -> str:
    """Test language, and the condition where several are the test."""
    several = len({row.condition for row in chapter.headline}) > 1
    return f"{result.test_language}, {result.condition}" if several else result.test_language


class Interval(Protocol):
    """Whatever has a 95 % interval."""

    @property
    def ci_low(self) -> float:
        """Lower end, share of 1; NaN where there is none."""

    @property
    def ci_high(self) -> float:
        """Upper end."""


def estimate_of(shown: str, share: float, ends: Interval) -> dict[str, Any]:
    """A mean or estimate and its interval, as a row of the data of a figure."""
    return {
        "shown": shown,
        "accuracy_percent": percent_of(share),
        "ci_low_percent": percent_of(ends.ci_low),
        "ci_high_percent": percent_of(ends.ci_high),
    }


def known(value: float) -> float | None:
    """A number for the data of a figure; None where it does not exist."""
    return None if math.isnan(value) else value


def percent_of(share: float) -> float | None:
    """A share as per cent, as precisely as a figure needs it; None where it does not exist."""
    return None if math.isnan(share) else round(100 * share, 4)


def odds(log_odds: float) -> float | None:
    """An odds ratio that can be drawn: those beyond `LARGEST` lie at the end of the axis."""
    most = math.log(LARGEST)
    return None if math.isnan(log_odds) else math.exp(min(most, max(-most, log_odds)))


def odds_scale(data: pd.DataFrame, *columns: str) -> dict[str, Any]:
    """A scale of odds ratios that shows 1 and all numbers of some columns."""
    ends = [1.0, *(value for name in columns for value in data[name].dropna())]
    return {"type": "log", "nice": False, "domain": [min(ends) / 1.05, max(ends) * 1.05]}


def _colour_of(shown: str) -> str:
    return {SEED: COLOURS[4], MEAN: COLOURS[0], MODEL: COLOURS[1]}[shown]
