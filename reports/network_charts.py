"""Figure of how the networks of a run were trained."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.figures import MOST_CELLS, Figure, listed, names, panel_px, training_colour
from reports.joining import beside, single, values

if TYPE_CHECKING:
    from reports.chapter import Chapter

MEASURES = {"valid_accuracy": "validation accuracy (%)", "valid_loss": "validation loss"}
"""Columns of training logs that are drawn, with the titles of their axes."""


def training(chapter: Chapter[Any]) -> Figure | None:
    """Validation accuracy and loss of every seed; None where no training log is known."""
    import altair as alt

    table = chapter.training
    measures = [name for name in MEASURES if table is not None and name in table]
    if table is None or not measures:
        return None
    data = table[["population", "seed", "update", *measures]].dropna(subset=measures)
    if data.empty:
        return None
    if "valid_accuracy" in measures:
        data = data.assign(valid_accuracy=(100 * data["valid_accuracy"]).round(3))
    known = list(dict.fromkeys(data["population"]))
    many = len(known) > MOST_CELLS
    if many:
        data = data.assign(training=[chapter.training_of(name) for name in data["population"]])
    colour = (
        training_colour(data["training"])
        if many
        else alt.Color("population:N", title=None, sort=known, legend=alt.Legend(columns=2))
    )
    panels = [
        single(
            alt.Chart()
            .mark_line(strokeWidth=1, opacity=1)
            .encode(
                x=alt.X("update:Q", title="update"),
                y=alt.Y(f"{name}:Q", title=MEASURES[name], scale=alt.Scale(zero=False)),
                color=colour,
                detail=[alt.Detail("population:N"), alt.Detail("seed:N")],
                tooltip=names("population", "seed", "update", name),
            )
        )
        | {"width": panel_px(len(measures)), "height": 170}
        for name in measures
    ]
    last = data.sort_values("update").groupby(["population", "seed"], sort=False).last()
    seen = [
        f"{name}: {own[measures[0]].min():.1f} to {own[measures[0]].max():.1f}"
        for name, own in last.groupby(level=0, sort=False)
    ]
    return Figure(
        name="training",
        title="How the networks were trained",
        caption="One line per seed, on the validation split (familiar words and pictures only).",
        alt=f"Line plot of {MEASURES[measures[0]]} over updates; at the end {listed(seen)}.",
        chart=beside(*panels) | {"data": values(data)},
        data=data,
    )
