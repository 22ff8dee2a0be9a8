"""Figures of the networks themselves: how training went, and how their space is laid out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reports.figures import MOST_CELLS, WIDTH_PX, Figure, listed, names, span, training_colour
from reports.joining import below, grid_of, layers, rows_of, single, values

if TYPE_CHECKING:
    import pandas as pd

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
            .mark_line(strokeWidth=1, opacity=0.45)
            .encode(
                x=alt.X("update:Q", title="update"),
                y=alt.Y(f"{name}:Q", title=MEASURES[name], scale=alt.Scale(zero=False)),
                color=colour,
                detail=[alt.Detail("population:N"), alt.Detail("seed:N")],
                tooltip=names("population", "seed", "update", name),
            )
        )
        | {"width": WIDTH_PX, "height": 150}
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
        chart=below(*panels) | {"data": values(data)},
        data=data,
    )


def variance(table: pd.DataFrame) -> Figure:
    """Bars of the variance of embeddings, familiar and novel, words and pictures.

    Args:
        table: ``variance`` of an embedding-space analysis.
    """
    import altair as alt

    data = table[table["status"].isin(["familiar", "novel"])].reset_index(drop=True)
    where = data["modality"] + (", " + data["language"]).where(data["language"] != "", "")
    data = data.assign(panel=where + ", " + data["scope"].str.replace("_", " "))
    base = alt.Chart().encode(
        y=alt.Y("population:N", title=None),
        yOffset=alt.YOffset("status:N"),
    )
    panel = layers(
        base.mark_bar(opacity=0.85).encode(
            x=alt.X("variance:Q", title="variance (trace of the covariance)"),
            color=alt.Color("status:N", title=None),
            tooltip=names("panel", "population", "status", "variance", "ci_low", "ci_high"),
        ),
        base.mark_rule(strokeWidth=1.5).encode(**span("ci_low", "ci_high")),
        width=WIDTH_PX,
        height={"step": 14},
    )
    full = data[data["scope"] == "full"]
    means = full.groupby(["modality", "status"])["variance"].mean().reset_index()
    seen = [
        f"{row['status']} {row['modality']}s {row['variance']:.2f}"
        for row in means.to_dict("records")
    ]
    return Figure(
        name="variance",
        title="How widely words and pictures are spread",
        caption=(
            "Variance of the unit-length embeddings, over all samples and within classes, mean "
            "over seeds; lines: 95 % bootstrap interval (classes and seeds drawn again)."
        ),
        alt=f"Bar chart of the variance; means over populations: {listed(seen)}.",
        chart=rows_of(panel, "panel", data),
        data=data,
    )


def space_map(table: pd.DataFrame, kind: str) -> Figure:
    """Words and pictures in two dimensions.

    Args:
        table: ``pca`` or ``tsne`` of an embedding-space analysis.
        kind: ``pca`` or ``tsne``.
    """
    import altair as alt

    x, y = ("pc1", "pc2") if kind == "pca" else ("x", "y")
    known = list(dict.fromkeys(table["population"]))
    # One network per population is enough to look at; the tables hold the others.
    first = table.groupby("population")["seed"].transform("first")
    data = table[(table["seed"] == first) & table["population"].isin(known[:MOST_CELLS])]
    data = data.round({x: 4, y: 4}).reset_index(drop=True)
    by = ["population"] if kind == "pca" else ["population", "modality"]
    data = data.assign(panel=data[by].agg(", ".join, axis=1))
    points = (
        alt.Chart()
        .mark_point(filled=True, size=16, opacity=0.6)
        .encode(
            x=alt.X(f"{x}:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
            y=alt.Y(f"{y}:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
            color=alt.Color("status:N", title=None),
            shape=alt.Shape("modality:N", title=None),
            tooltip=names("concept", "status", "modality", "language", "stimulus_id"),
        )
    )
    title = "principal components" if kind == "pca" else "t-SNE"
    return Figure(
        name=f"map-{kind}",
        title=f"Words and pictures in two dimensions ({title})",
        caption=(
            "First two principal components of words and pictures together; first seed of each "
            "population."
            if kind == "pca"
            else "t-SNE per modality; first seed of each population. Distances between clusters "
            "and sizes of clusters mean nothing here."
        ),
        alt=f"Scatter plot of {len(data)} words and pictures of {listed(known[:MOST_CELLS])}.",
        chart=grid_of(single(points) | {"width": 250, "height": 220}, "panel", data),
        data=data,
    )
