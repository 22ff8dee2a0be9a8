"""Figures of single words and trials: which words carry the effect, and how clear answers were."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from reports.figures import (
    MOST_CELLS,
    Figure,
    chance_rule,
    listed,
    names,
    panel_px,
    percent_axis,
    percents,
    span,
    training_colour,
)
from reports.joining import Spec, beside, grid_of, layers, single, values

if TYPE_CHECKING:
    import pandas as pd

    from reports.chapter import Chapter
    from toolkit.statistics.choices.results import Analysis

MOST_INTERVALS = 4
"""So many populations per language are drawn with intervals in the item plot."""
CELL = ["population", "test_language"]
ILLUSTRATION = ("words", "image")
"""Columns of the table of concepts that are shown on hovering."""


def items(chapter: Chapter[Analysis], concepts: pd.DataFrame | None) -> Figure | None:
    """Accuracy per word, words sorted; hovering shows the word in all languages and a picture.

    Args:
        chapter: the paradigm.
        concepts: ``concept``, ``words`` (in all languages) and ``image`` (data address); None
            where the stimuli are not at hand.
    """
    data = _tests_alone(chapter, chapter.statistics.words)
    if data.empty:
        return None
    for name in ("accuracy", "ci_low", "ci_high"):
        data[f"{name}_percent"] = (100 * data.pop(name).astype(float)).round(2)
    known = list(dict.fromkeys(population for population, _ in chapter.cells))
    per_language = data.groupby("test_language")["population"].nunique()
    # Several conditions of the test are told apart as languages are.
    data["panel"] = _panels(data)
    few = int(per_language.max()) <= MOST_INTERVALS and len(known) <= MOST_CELLS
    data["training"] = [chapter.training_of(str(name)) for name in data["population"]]
    width = panel_px(data["panel"].nunique())
    panels = [
        _words_of(own, known if few else [], concepts is not None, width) | {"title": str(panel)}
        for panel, own in data.groupby("panel")
    ]
    chart = beside(*panels)
    if concepts is not None:
        chart["datasets"] = {"concepts": values(concepts)["values"]}
    marks = (
        "Points: mean over seeds; lines: 95 % interval over seeds (these very words)."
        if few
        else "Each tick: the mean over the seeds of one population (intervals: see the table)."
    )
    means = data.groupby(["test_language", "word_concept"], observed=True)["accuracy_percent"]
    seen = []
    for language, own in means.mean().groupby(level=0, observed=True):
        ordered = own.droplevel(0).sort_values()
        seen.append(
            f"{language}: lowest {ordered.index[0]} {ordered.iloc[0]:.0f} %, "
            f"highest {ordered.index[-1]} {ordered.iloc[-1]:.0f} %"
        )
    return Figure(
        name="items",
        title="Accuracy per word",
        caption=f"{marks} Words are sorted by their mean accuracy. Dashed: chance.",
        alt=f"Dot plot of the share correct per word: {listed(seen)}.",
        chart=chart,
        data=data.drop(columns="panel"),
    )


def _panels(data: pd.DataFrame) -> pd.Series[str]:
    """Test language, and the condition where several are the test."""
    condition = data["condition"].astype(str)
    language = data["test_language"].astype(str)
    return language + ", " + condition if condition.nunique() > 1 else language


def _words_of(data: pd.DataFrame, populations: list[str], illustrated: bool, width: int) -> Spec:
    """One panel of the item plot; populations are told apart if they are named."""
    import altair as alt

    means = data.groupby("word_concept")["accuracy_percent"].mean()
    order = list(means.sort_values(ascending=False).index)
    base = alt.Chart().encode(y=alt.Y("word_concept:N", title=None, sort=order))
    x = alt.X("accuracy_percent:Q", **percent_axis("correct (%)", (0, 100)))
    tooltip = [
        *names("word_concept", *CELL),
        *percents("accuracy", "ci_low", "ci_high"),
        *names(*(ILLUSTRATION if illustrated else ())),
    ]
    if populations:
        here = [name for name in populations if name in set(data["population"])]
        n_shown = len(here)
        legend = alt.Legend(columns=2)
        scale = alt.Scale(domain=populations)
        colour = alt.Color("population:N", scale=scale, title=None, legend=legend)
        offset = alt.YOffset("population:N", scale=alt.Scale(domain=here))
        drawn = [
            base.mark_rule(strokeWidth=1.5).encode(
                **span("ci_low_percent", "ci_high_percent"), color=colour, yOffset=offset
            ),
            base.mark_point(filled=True, size=30, opacity=1).encode(
                x=x, color=colour, yOffset=offset, tooltip=tooltip
            ),
        ]
    else:
        n_shown = 1
        colour = training_colour(data["training"])
        tick = base.mark_tick(thickness=2, size=14, opacity=1)
        drawn = [tick.encode(x=x, color=colour, tooltip=tooltip)]
    step = 16 + 5 * (n_shown - 1)
    panel = layers(chance_rule(), *drawn, data=values(data), width=width, height=step * len(order))
    if illustrated:
        known = {"data": {"name": "concepts"}, "key": "concept", "fields": list(ILLUSTRATION)}
        panel["transform"] = [{"lookup": "word_concept", "from": known}]
    return panel


def heat_map(chapter: Chapter[Analysis]) -> Figure | None:
    """Accuracy per word and class of the distractor."""
    table = _tests_alone(chapter, chapter.statistics.words_by_distractor)
    data = _pooled(table, ["word_concept", "distractor_concept"])
    if data.empty or data["distractor_concept"].nunique() < 2:
        return None
    data["accuracy_percent"] = (100 * data.pop("accuracy")).round(2)
    chance = 100 * chapter.headline[0].chance
    chart = _matrix(data, "word_concept", "distractor_concept", "accuracy_percent", chance)
    ordered = data.sort_values("accuracy_percent").to_dict("records")
    low, high = ordered[0], ordered[-1]
    return Figure(
        name="words-by-distractors",
        title="Words and their distractors",
        caption=(
            "Share correct for each word (line) beside each class of distractor (column), all "
            "seeds together. Pale: chance; blue: below; orange: above; empty: never asked together."
        ),
        alt=(
            "Heat map of the share correct by word and class of distractor, from "
            f"{low['accuracy_percent']:.0f} % ({low['word_concept']} beside "
            f"{low['distractor_concept']}, {low['panel']}) to {high['accuracy_percent']:.0f} % "
            f"({high['word_concept']} beside {high['distractor_concept']}, {high['panel']})."
        ),
        chart=chart,
        data=data,
    )


def confusion(chapter: Chapter[Analysis]) -> Figure | None:
    """Which class was chosen for which word, where there are more than two options."""
    import pandas as pd

    counts = chapter.digest.choices
    if counts.empty:
        return None
    counts = counts.astype(dict.fromkeys([*CELL, "word_concept", "chosen_concept"], "str"))
    total = counts.groupby([*CELL, "word_concept"])["n_trials"].transform("sum")
    shares = counts.assign(accuracy=counts["n_trials"] / total)
    data = _pooled(shares, ["word_concept", "chosen_concept"], weights=total)
    data["chosen_percent"] = (100 * data.pop("accuracy")).round(2)
    wrong = data[data["word_concept"] != data["chosen_concept"]]
    worst = wrong.sort_values("chosen_percent", ascending=False).head(5)
    seen = [
        f"{row['word_concept']} taken for {row['chosen_concept']} {row['chosen_percent']:.0f} % "
        f"({row['panel']})"
        for row in worst.to_dict("records")
    ]
    chart = _matrix(
        pd.DataFrame(data), "word_concept", "chosen_concept", "chosen_percent", chance=None
    )
    return Figure(
        name="confusions",
        title="Which class was chosen for which word",
        caption="Share of trials in which the word (line) was given to the class (column), all "
        "seeds together; the diagonal is correct, empty was never chosen.",
        alt=f"Confusion matrix. Most frequent errors: {listed(seen) or 'none'}.",
        chart=chart,
        data=data,
    )


def margins(chapter: Chapter[Analysis]) -> Figure | None:
    """How far apart target and distractor score."""
    import altair as alt

    data = chapter.digest.margins.astype(dict.fromkeys(CELL, "str"))
    if data.empty:
        return None
    data["training"] = [chapter.training_of(name) for name in data["population"]]
    data["share_percent"] = (100 * data.pop("share")).round(4)
    known = list(dict.fromkeys(population for population, _ in chapter.cells))
    x = alt.X("low:Q", title=["score of the target -", "score of the best distractor"])
    y = alt.Y("share_percent:Q", title="trials (%)")
    colour = (
        alt.Color("population:N", title=None, sort=known, legend=alt.Legend(columns=2))
        if len(known) <= MOST_CELLS
        else training_colour(data["training"])
    )
    drawn = (
        alt.Chart()
        .mark_line(interpolate="step-after", strokeWidth=1.8, opacity=1)
        .encode(
            x=x,
            y=y,
            detail=alt.Detail("population:N"),
            color=colour,
            tooltip=[*names("population", "low", "high"), *percents("share")],
        )
    )
    zero = alt.Chart().mark_rule(strokeDash=[5, 4]).encode(x=alt.datum(0))
    width = panel_px(data["test_language"].nunique())
    panel = layers(drawn, zero, width=width, height=150)
    wrong = data[data["high"] <= 0].groupby(CELL, sort=False)["share_percent"].sum()
    seen = [
        f"{row['population']} in {row['test_language']} {row['share_percent']:.0f} %"
        for row in wrong.reset_index().to_dict("records")
    ]
    return Figure(
        name="margins",
        title="How clear the answers were",
        caption=(
            "Distribution over trials and seeds of the margin by which the target scores above "
            "its best distractor; left of the dashed line the answer is wrong. Scores of different "
            "populations have no common unit: compare shapes and signs, not widths."
        ),
        alt=f"Histogram lines; share of trials with a negative margin: {listed(seen)}.",
        chart=grid_of(panel, "test_language", data.sort_values("test_language", kind="stable")),
        data=data,
    )


def _tests_alone(chapter: Chapter[Analysis], table: pd.DataFrame) -> pd.DataFrame:
    """A table of the statistics, headline conditions only, with chance."""
    if table.empty:
        return table
    chance = {row.condition: 100 * row.chance for row in chapter.headline}
    own = table[table["condition"].isin(list(chance))].reset_index(drop=True)
    return own.assign(chance_percent=own["condition"].map(chance))


def _pooled(
    table: pd.DataFrame, keys: list[str], weights: pd.Series[Any] | None = None
) -> pd.DataFrame:
    """Accuracies per panel: population and language, or language where there are too many.

    Shares are joined by their numbers of trials, which ``weights`` replaces.
    """
    if table.empty:
        return table
    cells = table[CELL].drop_duplicates()
    language = table["test_language"].astype(str)
    panel = (
        table["population"].astype(str) + ", " + language if len(cells) <= MOST_CELLS else language
    )
    n = table["n_trials"] if weights is None else weights
    sums = table.assign(panel=panel, n_trials=n, n_right=table["accuracy"] * n)
    joined = sums.groupby(["panel", *keys], observed=True)[["n_right", "n_trials"]].sum()
    joined = joined.reset_index()
    joined["accuracy"] = joined.pop("n_right") / joined["n_trials"]
    return joined


def _matrix(data: pd.DataFrame, row: str, column: str, value: str, chance: float | None) -> Spec:
    import altair as alt

    title = "chosen" if chance is None else "correct"
    colour: Mapping[str, Any] = (
        {"scheme": "blues", "domain": [0, 100]}
        if chance is None
        else {"scheme": "blueorange", "domain": [0, 100], "domainMid": chance}
    )
    side = 15
    shown = percents(value.removesuffix("_percent"))
    tile = (
        alt.Chart()
        .mark_rect(stroke="#8884", strokeWidth=0.5)
        .encode(
            x=alt.X(f"{column}:N", title=None, axis=alt.Axis(labelAngle=-60)),
            y=alt.Y(f"{row}:N", title=None),
            color=alt.Color(
                f"{value}:Q",
                scale=alt.Scale(**colour),
                title=f"{title} (%)",
                legend=alt.Legend(gradientLength=200),
            ),
            tooltip=[*names("panel", row, column, "n_trials"), *shown],
        )
    )
    panel = single(tile) | {"width": {"step": side}, "height": {"step": side}}
    return grid_of(panel, "panel", data, own_axes=True)
