"""Figures about embedding spaces, from the tables of `toolkit.statistics.space.analysis`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from reports.figures import (
    HALF_PX,
    INK,
    MOST_CELLS,
    WIDTH_PX,
    Figure,
    listed,
    names,
    percents,
    span,
    training_colour,
)
from reports.joining import Spec, beside, grid_of, layers, rows_of, single, values

if TYPE_CHECKING:
    import pandas as pd

THIRD_PX = 160
"""Width of one of three panels in a line."""
INTERVALS = "Lines: 95 % bootstrap interval (classes and seeds drawn again)."
WORD_MEASURES = {
    "spread_words": "spread of its clips",
    "spread_pictures": "spread of its pictures",
    "distance": "distance of clips and pictures",
}
"""What the accuracy of a word is set against, as axes name it."""


PAIRS = {
    "mono-bilingual": "monolingual with bilingual",
    "same-population": "among seeds of a population",
    "between-populations": "two populations",
    "between-seeds": "among seeds of a population",
}
"""Kinds of pairs, as legends name them."""


def space_figures(tables: Mapping[str, pd.DataFrame]) -> list[Figure]:
    """Every figure that the tables of an analysis have rows for.

    Args:
        tables: by name; those of earlier versions may be lacking.
    """
    drawn = (draw(tables[name]) for name, draw in FIGURES.items() if len(tables.get(name, ())))
    return [figure for figure in drawn if figure]


def variance(table: pd.DataFrame) -> Figure:
    """Bars of the variance of embeddings, familiar and novel, words and pictures.

    Args:
        table: ``variance`` of an embedding-space analysis.
    """
    import altair as alt

    data = table[table["status"].isin(["familiar", "novel"])].reset_index(drop=True)
    data = data.assign(panel=_where(data) + ", " + data["scope"].str.replace("_", " "))
    base = alt.Chart().encode(
        y=alt.Y("population:N", title=None),
        yOffset=alt.YOffset("status:N"),
    )
    panel = layers(
        base.mark_bar(opacity=1).encode(
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
            "over seeds; languages joined by + are those a population was trained on, taken "
            f"together. {INTERVALS}"
        ),
        alt=f"Bar chart of the variance; means over populations: {listed(seen)}.",
        chart=_lines(panel, "panel", data),
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
        .mark_point(filled=False, size=16, opacity=1, strokeWidth=1.2)
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
        chart=grid_of(
            single(points) | {"width": HALF_PX, "height": 220}, "panel", data, own_axes=True
        ),
        data=data,
    )


def gap(table: pd.DataFrame) -> Figure:
    """How far words and pictures lie apart.

    Args:
        table: ``gap`` of an embedding-space analysis.
    """
    data = table[table["status"] != "all"].reset_index(drop=True)
    seen = [
        f"{row['population']}, {row['language']}, {row['status']} {row['gap']:.2f}"
        for row in data.to_dict("records")
    ]
    return Figure(
        name="gap",
        title="How far words and pictures lie apart (modality gap)",
        caption=(
            "Distance between the centroid of all words of a language and that of all pictures of "
            f"the same classes, unit-length embeddings, mean over seeds. {INTERVALS}"
        ),
        alt=f"Points with intervals of the modality gap: {listed(seen)}.",
        chart=_lines(_estimates("population", "gap", "distance of the centroids"),
                      "language", data),
        data=data,
    )  # fmt: skip


def alignment(table: pd.DataFrame) -> Figure:
    """How much of a space is left over after it was turned onto another.

    Args:
        table: ``alignment`` of an embedding-space analysis.
    """
    import altair as alt

    data = _pairs(table)
    chance = alt.Chart().mark_tick(thickness=2, size=12, color=INK).encode(
        y=alt.Y("pair:N", title=None), x=alt.X("chance:Q")
    )  # fmt: skip
    seen = [f"{row['pair']}, {row['panel']} {row['disparity']:.2f}"
            for row in data.to_dict("records")]  # fmt: skip
    panel = _estimates("pair", "disparity", "disparity (0: the same)", "kind")
    panel["layer"].append(single(chance))
    return Figure(
        name="alignment",
        title="Are the spaces the same but for a rotation?",
        caption=(
            "Disparity of the class means after orthogonal Procrustes alignment, mean over pairs "
            "of seeds: monolingual with bilingual networks, and seeds of the same population as "
            f"the yardstick. {INTERVALS} Ticks: chance, classes permuted."
        ),
        alt=f"Points with intervals of the disparity: {listed(seen)}.",
        chart=_lines(panel, "panel", data),
        data=data,
    )


def similarity(table: pd.DataFrame) -> Figure:
    """Whether networks find the same classes alike.

    Args:
        table: ``similarity`` of an embedding-space analysis.
    """
    data = _pairs(table)
    seen = [f"{row['pair']}, {row['panel']} {row['spearman']:.2f}"
            for row in data.to_dict("records")]  # fmt: skip
    return Figure(
        name="similarity",
        title="Do networks find the same classes alike?",
        caption=(
            "Representational similarity: Spearman's correlation of the cosine similarities of "
            "all pairs of classes, mean over pairs of seeds, within a population and between "
            f"populations. {INTERVALS}"
        ),
        alt=f"Points with intervals of the correlation: {listed(seen)}.",
        chart=_lines(_estimates("pair", "spearman", "Spearman's correlation", "kind"),
                      "panel", data),
        data=data,
    )  # fmt: skip


def aligned(table: pd.DataFrame) -> Figure:
    """Monolingual and bilingual class means on one map.

    Args:
        table: ``aligned`` of an embedding-space analysis.
    """
    import altair as alt

    data = table.dropna(subset=["pc1", "pc2"]).round({"pc1": 4, "pc2": 4})
    pair = data["population_a"] + " and " + data["population_b"] + ": " + _where(data)
    training = (data["population"] == data["population_a"]).map(
        {True: "monolingual", False: "bilingual"}
    )
    data = data.assign(panel=pair, training=training)
    data = data[pair.isin(list(dict.fromkeys(pair))[: 2 * MOST_CELLS])].reset_index(drop=True)
    place = {
        "x": alt.X("pc1:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
        "y": alt.Y("pc2:Q", title=None, axis=alt.Axis(labels=False, ticks=False)),
    }
    ink = alt.Legend(symbolFillColor=INK, symbolStrokeColor=INK)
    links = alt.Chart().mark_line(strokeWidth=1, strokeOpacity=0.5, color=INK).encode(
        **place, detail=alt.Detail("concept:N")
    )  # fmt: skip
    points = alt.Chart().mark_point(filled=True, size=36, opacity=1).encode(
        **place,
        color=training_colour(["monolingual", "bilingual"]),
        shape=alt.Shape("status:N", title=None, legend=ink),
        tooltip=names("concept", "status", "population"),
    )  # fmt: skip
    shown = list(dict.fromkeys(data["panel"]))
    return Figure(
        name="aligned",
        title="Monolingual and bilingual spaces on one map",
        caption=(
            "Class means of the first seeds, the bilingual ones turned onto the monolingual ones "
            "(orthogonal Procrustes), on the first two principal components of the monolingual "
            "ones. Lines join the same class."
        ),
        alt=f"Scatter plots of class means: {listed(shown)}.",
        chart=grid_of(
            layers(links, points, width=HALF_PX, height=220), "panel", data, own_axes=True
        ),
        data=data,
    )


def words(table: pd.DataFrame) -> Figure | None:
    """Accuracy of every word against the spread and the distance of its embeddings.

    Args:
        table: ``words`` of an embedding-space analysis.

    Returns:
        None where no accuracy was set beside the spaces.
    """
    import altair as alt

    own = table.dropna(subset=["accuracy"])
    own = own[own["population"].isin(list(dict.fromkeys(own["population"]))[:MOST_CELLS])]
    if not len(own):
        return None
    known = ["population", "language", "concept", "status", "accuracy"]
    data = own.melt(known, list(WORD_MEASURES), "measure", "value").dropna(subset=["value"])
    data = data.assign(
        panel=data["language"] + ", " + data["measure"].map(WORD_MEASURES),
        accuracy_percent=100 * data["accuracy"],
    ).reset_index(drop=True)
    panels = [
        single(
            alt.Chart().mark_point(filled=False, size=36, opacity=1, strokeWidth=1.5).encode(
                x=alt.X("value:Q", title=WORD_MEASURES[str(measure)], axis=alt.Axis(tickCount=4),
                        scale=alt.Scale(domain=_ends(data, str(measure)), nice=True)),
                y=alt.Y("accuracy_percent:Q", title="accuracy (%)", scale=alt.Scale(zero=False)),
                color=alt.Color("population:N", title=None),
                tooltip=[*names("concept", "status", "population"), *percents("accuracy")],
            )
        )
        | {"width": THIRD_PX, "height": 180, "title": language, "data": values(own)}
        for language, here in data.groupby("language", sort=False)
        for measure, own in here.groupby("measure", sort=False)
    ]  # fmt: skip
    return Figure(
        name="words",
        title="Accuracy per word, and its place in the space",
        caption=(
            "One point per word and population, means over seeds: accuracy in the test itself "
            "against the spread of the word's clips, the spread of its pictures, and the distance "
            "of the two, without intervals: those of the correlations are in the next figure."
        ),
        alt=f"Scatter plots of {len(own)} words: {listed(list(dict.fromkeys(data['panel'])))}.",
        chart=beside(*panels, n_columns=len(WORD_MEASURES), share=["y"]),
        data=data,
    )


def words_accuracy(table: pd.DataFrame) -> Figure:
    """Correlations of accuracy per word with spread and distance.

    Args:
        table: ``words_accuracy`` of an embedding-space analysis.
    """
    data = table.assign(
        panel=table["language"] + ", " + table["measure"].map(WORD_MEASURES)
    ).reset_index(drop=True)
    seen = [f"{row['population']}, {row['panel']} {row['spearman']:.2f}"
            for row in data.to_dict("records")]  # fmt: skip
    return Figure(
        name="words-accuracy",
        title="Does its place in the space tell how a word is answered?",
        caption=(
            "Spearman's correlation over words of accuracy with spread and distance, both means "
            "over seeds. Lines: 95 % bootstrap interval (words and seeds drawn again)."
        ),
        alt=f"Points with intervals of the correlation: {listed(seen)}.",
        chart=_lines(_estimates("population", "spearman", "Spearman's correlation"),
                      "panel", data),
        data=data,
    )  # fmt: skip


def _ends(data: pd.DataFrame, measure: str) -> list[float]:
    """The least and greatest value of a measure, over all languages."""
    own = data.loc[data["measure"] == measure, "value"]
    return [float(own.min()), float(own.max())]


def _where(data: pd.DataFrame) -> pd.Series[str]:
    """Modality and language, as panels are named."""
    return data["modality"] + (", " + data["language"]).where(data["language"] != "", "")


def _pairs(table: pd.DataFrame) -> pd.DataFrame:
    """Rows about all classes, of not too many populations, with a name for each pair."""
    known = list(dict.fromkeys([*table["population_a"], *table["population_b"]]))[:MOST_CELLS]
    own = table[
        (table["status"] == "all")
        & table["population_a"].isin(known)
        & table["population_b"].isin(known)
    ].reset_index(drop=True)
    same = own["population_a"] == own["population_b"]
    pair = (own["population_a"] + " and " + own["population_b"]).where(
        ~same, own["population_a"] + ", its seeds"
    )
    return own.assign(pair=pair, panel=_where(own), kind=own["kind"].map(PAIRS))


def _lines(panel: Spec, column: str, data: pd.DataFrame) -> Spec:
    """Panels one below the other, each with those lines only that it has something on."""
    return rows_of(panel, column, data) | {"resolve": {"scale": {"y": "independent"}}}


def _estimates(line: str, value: str, title: str, colour: str = "status") -> Spec:
    """A panel of points with their intervals, one line for each value of a column."""
    import altair as alt

    base = alt.Chart().encode(
        y=alt.Y(f"{line}:N", title=None),
        color=alt.Color(f"{colour}:N", title=None),
    )
    if colour == "status":
        base = base.encode(yOffset=alt.YOffset("status:N"))
    points = base.mark_point(filled=True, size=40, opacity=1).encode(
        x=alt.X(f"{value}:Q", title=title, scale=alt.Scale(zero=False)),
        tooltip=names(line, colour, value, "ci_low", "ci_high"),
    )
    lines = base.mark_rule(strokeWidth=1.5).encode(**span("ci_low", "ci_high"))
    return layers(lines, points, width=WIDTH_PX, height={"step": 14})


FIGURES: Mapping[str, Callable[[pd.DataFrame], Figure | None]] = {
    "variance": variance,
    "gap": gap,
    "pca": lambda table: space_map(table, "pca"),
    "tsne": lambda table: space_map(table, "tsne"),
    "alignment": alignment,
    "aligned": aligned,
    "similarity": similarity,
    "words": words,
    "words_accuracy": words_accuracy,
}
"""What is drawn of each table, in the order of the page."""
