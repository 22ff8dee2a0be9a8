"""Figures of maps with two dimensions: languages, words, peaks and tokens."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from paradigms import Measure
from reports.figures import WIDTH_PX, Figure, listed, names
from reports.joining import below, layers, values
from reports.labels import Panel, name_marks, padded
from reports.maps.charts import RESOURCES, axis, grouped, language_name, shown, tooltips
from reports.maps.sources import LABELS
from reports.maps.text import (
    axis_title,
    field_of,
    title_of,
)

if TYPE_CHECKING:
    import pandas as pd

    from reports.chapter import Chapter
    from toolkit.statistics.maps.results import GroundingAnalysis

CELL_PX = 24
"""Side of a cell of a matrix, which holds a number of two digits."""
BRIGHT = 0.45
"""Above this value the colour is bright (viridis from 0 to 1) and numbers on it are black."""
NARROWEST_PX = 300
"""Width at which names stand beside points without covering each other."""
MOST_CONCEPTS = 30
"""More concepts than these are not drawn as a matrix; the table holds them."""


def figures(chapter: Chapter[GroundingAnalysis]) -> list[Figure | None]:
    """The figures of this module in the order of the page."""
    return [failure(chapter), agreement(chapter), words(chapter), fertility(chapter)]


def agreement(chapter: Chapter[GroundingAnalysis]) -> Figure | None:
    """Mean agreement of every pair of languages, in the primary measure if it was taken."""
    import pandas as pd

    kept = agreement_of(chapter)
    taken = agreement_measures(chapter)
    if kept.empty or not taken:
        return None
    measure = taken[0]
    field = field_of(measure)
    known = {(own.population, own.condition): title_of(own) for own in shown(chapter)}
    rows = [
        {**row, "panel": known[row["population"], row["template"]]}
        for row in kept.to_dict("records")
        if (row["population"], row["template"]) in known
    ]
    if not rows:
        return None
    table = pd.DataFrame(rows).dropna(subset=measure.name)
    table["weighted"] = table[measure.name] * table["n_pictures"]
    pair = ["panel", "language_a", "language_b"]
    sums = table.groupby(pair, sort=False)[["weighted", "n_pictures"]].sum().reset_index()
    sums[field] = (sums["weighted"] / sums["n_pictures"]).round(4)
    mirrored = sums.rename(columns={"language_a": "language_b", "language_b": "language_a"})
    data = pd.concat([sums, mirrored])[[*pair, field]].drop_duplicates(pair)
    data = data[data["language_a"] != data["language_b"]].reset_index(drop=True)
    if data.empty:
        return None
    order = [code for code in _ordered(chapter) if code in set(data["language_a"])]
    pairs = data[data["language_a"].map(order.index) < data["language_b"].map(order.index)]
    ends = pairs.sort_values(field)
    low, high = (ends.iloc[place] for place in (0, -1))
    return Figure(
        name="agreement",
        title="Agreement between all languages",
        caption=(
            f"Mean {measure.label} for every pair of languages, over concepts, "
            "pictures and seeds: the reference first, then high-, then low-resource languages. "
            "Two languages may agree with each other and not with the reference. "
            f"{_colours(measure)}"
        ),
        alt=(
            f"Matrix of {measure.noun} between {len(order)} languages, from {low[field]:.2f} "
            f"({low['language_a']} and {low['language_b']}) to {high[field]:.2f} "
            f"({high['language_a']} and {high['language_b']})."
        ),
        chart=_matrix(data, "language_b", "language_a", order, order, measure),
        data=data,
        narrowest_px=CELL_PX * len(order),
    )


def agreement_of(chapter: Chapter[GroundingAnalysis]) -> pd.DataFrame:
    """What runs have kept of how far every two languages agree; empty where there is nothing."""
    import pandas as pd

    return chapter.beside.agreement if chapter.beside else pd.DataFrame()


def agreement_measures(chapter: Chapter[GroundingAnalysis]) -> list[Measure]:
    """What it is measured in, the primary measure first; what is not declared has but its name."""
    known, primary = chapter.statistics.known, chapter.statistics.primary
    columns = map(str, agreement_of(chapter).columns)
    taken = [name for name in columns if name not in (*LABELS, "n_pictures")]
    taken.sort(key=lambda name: name != primary.name)
    return [known.get(name, Measure(name, name)) for name in taken]


def words(chapter: Chapter[GroundingAnalysis]) -> Figure | None:
    """The primary measure of every concept in every language."""
    import pandas as pd

    measure = chapter.statistics.primary
    field = field_of(measure)
    rows = [
        {
            "panel": title_of(own),
            "language": word.language,
            "concept": word.concept,
            field: round(word.value, 4),
        }
        for own in shown(chapter)
        for word in own.words
        if not math.isnan(word.value)
    ]
    data = pd.DataFrame(rows)
    if data.empty or not 1 < data["concept"].nunique() <= MOST_CONCEPTS:
        return None
    means = data.groupby("concept")[field].mean().sort_values(ascending=False)
    languages = [code for code in _ordered(chapter) if code in set(data["language"])]
    return Figure(
        name="words",
        title="Concepts in every language",
        caption=(
            f"Mean {axis_title(measure)}, concepts with most {measure.noun} "
            "first. A single dark cell is a word that leads elsewhere, such as a translation that "
            f"means something else. {_colours(measure)}"
        ),
        alt=(
            f"Matrix of {measure.noun} by concept and language; most {measure.noun} "
            f"{means.index[0]} {means.iloc[0]:.2f}, least {means.index[-1]} {means.iloc[-1]:.2f}."
        ),
        chart=_matrix(data, "language", "concept", languages, list(means.index), measure),
        data=data,
        narrowest_px=CELL_PX * len(languages),
    )


def _ordered(chapter: Chapter[GroundingAnalysis]) -> list[str]:
    """Codes: the reference, then high, then low resource."""
    known, reference = chapter.statistics.languages, chapter.statistics.reference
    order = {"high": 1, "low": 2}
    return sorted(known, key=lambda c: 0 if c == reference else order[known[c].resource])


def _colours(measure: Measure) -> str:
    low, high = measure.bounds
    return f"Colours run from {low:g} to {high:g}." if measure.bounded else ""


def _is_share(measure: Measure) -> bool:
    """True where cells have room for numbers: two decimals."""
    return tuple(measure.bounds) == (0, 1)


def _matrix(
    data: pd.DataFrame,
    x: str,
    y: str,
    columns: Sequence[str],
    lines: Sequence[str],
    measure: Measure,
) -> dict[str, Any]:
    """One panel per population: a coloured cell for every pair, with its number if a share."""
    import altair as alt

    field = field_of(measure)
    ends = list(measure.bounds) if measure.bounded else alt.Undefined
    data = data.assign(shown=[f"{value:.2f}".removeprefix("0") for value in data[field]])
    base = alt.Chart().encode(
        x=alt.X(f"{x}:N", title=None, sort=list(columns), axis=alt.Axis(labelAngle=-60)),
        y=alt.Y(f"{y}:N", title=None, sort=list(lines)),
    )
    # The page does not draw anything narrower than a phone, so few columns are made wider.
    side = max(CELL_PX, 200 // len(columns))
    cells = base.mark_rect().encode(
        color=alt.Color(
            f"{field}:Q",
            title=axis_title(measure, reference=False),
            scale=alt.Scale(scheme="viridis", domain=ends),
        ),
        tooltip=[*names(x, y), *tooltips(field)],
    )
    numbers = base.mark_text(fontSize=11).encode(
        text=alt.Text("shown:N"),
        color=alt.condition(alt.datum[field] > BRIGHT, alt.value("#000000"), alt.value("#ffffff")),
        tooltip=[*names(x, y), *tooltips(field)],
    )
    panels = [
        layers(
            *(cells, *[numbers] * _is_share(measure)),
            data=values(part.drop(columns="panel")),
            width=side * len(columns),
            height=CELL_PX * len(lines) - (4 * len(lines) if y == "concept" else 0),
        )
        | {"title": str(panel)}
        for panel, part in data.groupby("panel", sort=False)
    ]
    return below(*panels)


def failure(chapter: Chapter[GroundingAnalysis]) -> Figure | None:
    """Peak ratio against overlap, one dot per word."""
    import altair as alt
    import pandas as pd

    rows = [
        {
            "panel": title_of(own),
            "language": language_name(chapter, word.language),
            "concept": word.concept,
            "resource": word.resource,
            "group": RESOURCES[word.resource],
            "peak_ratio": round(word.peak_ratio, 4),
            "overlap": round(word.iou, 4),
        }
        for own in shown(chapter)
        for word in own.words
        if own.failures and not math.isnan(word.peak_ratio) and not math.isnan(word.iou)
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    dots = (
        alt.Chart()
        .mark_point(filled=False, size=45, opacity=1, strokeWidth=1.3)
        .encode(
            x=axis("peak_ratio", "highest similarity / that of the reference"),
            y=alt.Y("overlap:Q", title="overlap (IoU)", scale=alt.Scale(domain=[0, 1])),
            tooltip=[*names("language", "concept"), *tooltips("peak_ratio", "overlap")],
            **grouped(list(data["resource"])),
        )
    )
    one = alt.Chart().mark_rule(strokeDash=[5, 4], strokeOpacity=0.7).encode(x=alt.datum(1))
    panels = [
        layers(one, dots, data=values(part.drop(columns="panel")), width=WIDTH_PX, height=220)
        | {"title": str(panel)}
        for panel, part in data.groupby("panel", sort=False)
    ]
    seen = [
        f"{title_of(own)}, {RESOURCES[group.resource]}: peak ratio {group.peak_ratio:.3f}, "
        f"overlap {group.iou:.3f}"
        for own in shown(chapter)
        for group in own.failures
    ]
    return Figure(
        name="failure",
        title="Is the peak kept where the place is lost?",
        caption=(
            "One mark per concept and language, mean over pictures and seeds, without interval. On "
            "the dashed line the highest similarity is as high as the reference's; low down on it, "
            "the peak is kept and the place is lost."
        ),
        alt=f"Scatter plot of peak ratio and overlap. {listed(seen)}.",
        chart=below(*panels, share_x=True),
        data=data,
    )


def fertility(chapter: Chapter[GroundingAnalysis]) -> Figure | None:
    """Tokens per word against the primary measure, one mark per language."""
    import altair as alt
    import pandas as pd

    measure = chapter.statistics.primary
    field = field_of(measure)
    rows = [
        {
            "panel": title_of(own),
            "code": row.language,
            "language": language_name(chapter, row.language),
            "resource": row.resource,
            "group": RESOURCES[row.resource],
            "tokens_per_word": round(row.tokens_per_word, 3),
            field: round(row.measures[measure.name].value, 4),
        }
        for own in shown(chapter)
        if own.fertility
        for row in own.languages
        if not math.isnan(row.tokens_per_word) and row.resource != "reference"
        if not math.isnan(row.measures[measure.name].value)
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    room = Panel(NARROWEST_PX, 220)
    ends = padded(list(data["tokens_per_word"])), padded(list(data[field]))
    across, up = (alt.Scale(domain=own, nice=False, zero=False) for own in ends)
    title = axis_title(measure, reference=False)
    base = alt.Chart().encode(
        x=alt.X("tokens_per_word:Q", title="subword tokens per word", scale=across),
        y=alt.Y(f"{field}:Q", title=title, scale=up),
    )
    drawn = [
        base.mark_point(filled=True, size=60, opacity=1).encode(
            tooltip=[*names("language"), *tooltips("tokens_per_word", field)],
            **grouped(list(data["resource"])),
        ),
        *name_marks(base, "code", room.font_px),
    ]
    parts = {
        str(panel): part.assign(
            label=room.place(
                list(part["code"]), list(part["tokens_per_word"]), list(part[field]), ends
            )
        ).drop(columns="panel")
        for panel, part in data.groupby("panel", sort=False)
    }
    panels = [
        layers(*drawn, data=values(part), width=WIDTH_PX, height=room.height_px) | {"title": panel}
        for panel, part in parts.items()
    ]
    seen = [
        f"{title_of(own)}: correlation {own.fertility.correlation:.2f}"
        for own in shown(chapter)
        if own.fertility
    ]
    return Figure(
        name="tokens",
        title=f"Word length in tokens and {measure.noun} (exploratory)",
        caption=(
            "One mark per language, means without their intervals, which the first figure shows. "
            "Languages differ in much besides the cutting of their words, "
            "so this shows no cause."
        ),
        alt=f"Scatter plot of tokens per word and {measure.noun} over languages. {listed(seen)}.",
        chart=below(*panels, share_x=True),
        data=data,
        narrowest_px=NARROWEST_PX,
    )
