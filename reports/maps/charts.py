"""Figures of maps: languages, measures, chance, encoders."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from paradigms.measures import POINTING
from reports.figures import COLOURS, INK, MOST_CELLS, WIDTH_PX, Figure, listed, names, span
from reports.joining import Spec, below, layers, values
from reports.maps.text import (
    axis_title,
    capital,
    field_of,
    title_of,
)
from reports.numbers import interval, number

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from paradigms import Measure
    from reports.chapter import Chapter
    from toolkit.statistics.maps.languages import Estimate
    from toolkit.statistics.maps.results import GroundingAnalysis, PopulationResult

LINE_PX = 21
"""Height of one language."""
RESOURCES = {"high": "high resource", "low": "low resource", "reference": "reference"}
"""What groups of languages are called in legends."""
LOOKS = {"high": (COLOURS[0], "circle"), "low": (COLOURS[1], "diamond"),
         "reference": (COLOURS[4], "square")}  # fmt: skip
"""Colour and shape of each group, so that colour alone tells nothing."""
FIRST = "The first {n} populations; the tables hold all."


def shown(chapter: Chapter[GroundingAnalysis]) -> list[PopulationResult]:
    """Populations in their primary condition, as many as a figure holds."""
    return [own for own in chapter.statistics.populations if own.primary][:MOST_CELLS]


def figures(chapter: Chapter[GroundingAnalysis]) -> list[Figure | None]:
    """The figures of this module in the order of the page."""
    return [by_language(chapter), by_measure(chapter), scale(chapter), *against_chance(chapter)]


def grouped(kinds: Sequence[str]) -> dict[str, Any]:
    """Colour and shape of the column ``group``, with one legend for the groups that occur."""
    import altair as alt

    known = [kind for kind in RESOURCES if kind in set(kinds)]
    domain = [RESOURCES[kind] for kind in known]
    colours, shapes = ([LOOKS[kind][place] for kind in known] for place in (0, 1))
    return {
        "color": alt.Color("group:N", title=None, scale=alt.Scale(domain=domain, range=colours)),
        "shape": alt.Shape("group:N", title=None, scale=alt.Scale(domain=domain, range=shapes)),
    }


def language_name(chapter: Chapter[GroundingAnalysis], code: str) -> str:
    """English name and code of a language."""
    return f"{chapter.statistics.languages[code].name} ({code})"


def estimate(name: str, found: Estimate) -> dict[str, Any]:
    """An estimate and its interval as columns of a figure's data."""
    ends = {name: found.value, "ci_low": found.ci_low, "ci_high": found.ci_high}
    return {key: rounded(value) for key, value in ends.items()}


def rounded(value: float, digits: int = 4) -> float | None:
    """A number as precisely as a figure needs it; None where it does not exist."""
    return None if math.isnan(value) else round(value, digits)


def ends_within(data: pd.DataFrame, low: float, high: float, suffix: str = "") -> pd.DataFrame:
    """The same with columns ``drawn_low`` and ``drawn_high``: intervals cut at a measure's ends.

    Args:
        data: columns ``ci_low`` and ``ci_high``, followed by the suffix.
        low: least value that the measure can have.
        high: its greatest value.
        suffix: see ``data``.
    """
    return data.assign(
        drawn_low=data[f"ci_low{suffix}"].clip(low, high),
        drawn_high=data[f"ci_high{suffix}"].clip(low, high),
    )


def axis(column: str, title: str) -> alt.X:
    """A horizontal axis of plain numbers that does not begin at nought."""
    import altair as alt

    scale = alt.Scale(zero=False, nice=True)
    return alt.X(f"{column}:Q", title=title, scale=scale, axis=alt.Axis(tickCount=6))


def tooltips(*columns: str) -> list[alt.Tooltip]:
    """Tooltips of numbers, with three decimals."""
    import altair as alt

    return [alt.Tooltip(f"{c}:Q", format=".3f", title=c.replace("_", " ")) for c in columns]


def _lines(
    data: pd.DataFrame, column: str, title: str, order: Sequence[str], further: Sequence[Any] = ()
) -> Spec:
    """A panel with one line per language: estimate and interval, groups told apart."""
    import altair as alt

    base = alt.Chart().encode(y=alt.Y("language:N", title=None, sort=list(order)))
    look = grouped(list(data["resource"]))
    drawn = [
        *further,
        base.mark_rule(strokeWidth=2).encode(
            color=look["color"], **span("drawn_low", "drawn_high")
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x=axis(column, title),
            tooltip=[*names("language", "group"), *tooltips(column, "ci_low", "ci_high")],
            **look,
        ),
    ]
    return layers(*drawn, data=values(data), width=WIDTH_PX, height=LINE_PX * len(order))


def _note(chapter: Chapter[GroundingAnalysis]) -> str:
    n = sum(own.primary for own in chapter.statistics.populations)
    return " " + FIRST.format(n=MOST_CELLS) if n > MOST_CELLS else ""


def by_language(chapter: Chapter[GroundingAnalysis]) -> Figure | None:
    """The primary measure per language, groups of languages marked."""
    import altair as alt
    import pandas as pd

    measure = chapter.statistics.primary
    field, held = field_of(measure), " with the reference" * measure.relative
    rows, seen = [], []
    for own in shown(chapter):
        means = own.tests[0].languages if own.tests else None
        by_group = {"high": means.mean_high, "low": means.mean_low} if means else {}
        for row in own.languages:
            found = row.measures[measure.name]
            if math.isnan(found.value):
                continue
            rows.append(
                {
                    "panel": title_of(own),
                    "language": language_name(chapter, row.language),
                    "resource": row.resource,
                    "group": RESOURCES[row.resource],
                    **estimate(field, found),
                    "group_mean": by_group.get(row.resource),
                }
            )
        if means:
            seen.append(
                f"{title_of(own)}: high resource {means.mean_high:.3f}, low resource "
                f"{means.mean_low:.3f}"
            )
    if not rows:
        return None
    data = pd.DataFrame(rows)
    first = data[data["panel"] == data["panel"].iloc[0]]
    order = list(first.sort_values(field, ascending=False)["language"])
    order += [name for name in dict.fromkeys(data["language"]) if name not in order]
    colour = grouped(list(data["resource"]))["color"]
    rule = alt.Chart().mark_rule(strokeDash=[5, 4], strokeWidth=1.5)
    mean = rule.encode(x=alt.X("mean(group_mean):Q"), color=colour)
    panels = [
        _lines(ends_within(part.drop(columns="panel"), *measure.bounds), field,
               axis_title(measure), order, [mean])
        | {"title": str(panel)}
        for panel, part in data.groupby("panel", sort=False)
    ]  # fmt: skip
    ends = data.sort_values(field)
    return Figure(
        name="languages",
        title=f"{capital(measure.noun)}{held}, by language",
        caption=(
            f"{capital(measure.label)}, mean over pictures, concepts and seeds with its 95 % "
            "interval (further pictures, concepts and seeds in that language)."
            f"{' Dashed: means of high- and low-resource languages.' * bool(seen)}{_note(chapter)}"
        ),
        alt=(
            f"Dot plot of {measure.noun} per language, from {ends['language'].iloc[0]} "
            f"{ends[field].iloc[0]:.3f} to {ends['language'].iloc[-1]} "
            f"{ends[field].iloc[-1]:.3f}. {listed(seen)}{'.' * bool(seen)}"
        ).rstrip(),
        chart=below(*panels, share_x=True),
        data=data,
    )


def by_measure(chapter: Chapter[GroundingAnalysis]) -> Figure | None:
    """High - low resource in every measure without a unit, by the mixed model."""
    import altair as alt
    import pandas as pd

    known = chapter.statistics.known
    rows = [
        {
            "panel": title_of(own),
            "measure": test.meaning,
            "column": test.measure,
            **estimate("difference", test.mixed),
        }
        for own in shown(chapter)
        for test in own.tests
        if test.mixed is not None and not known[test.measure].unit
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    order = list(dict.fromkeys(data["measure"]))
    lines = alt.Axis(labelLimit=340)
    base = alt.Chart().encode(y=alt.Y("measure:N", title=None, sort=order, axis=lines))
    zero = alt.Chart().mark_rule(strokeDash=[5, 4], strokeOpacity=0.7).encode(x=alt.datum(0))
    drawn = [
        zero,
        base.mark_rule(strokeWidth=2, color=COLOURS[0]).encode(**span("ci_low", "ci_high")),
        base.mark_point(filled=True, size=70, opacity=1, color=COLOURS[0]).encode(
            x=axis("difference", "high - low resource"),
            tooltip=[*names("measure", "column"), *tooltips("difference", "ci_low", "ci_high")],
        ),
    ]
    panels = [
        layers(
            *drawn,
            data=values(part.drop(columns="panel")),
            width=WIDTH_PX - 120,
            height=LINE_PX * part["measure"].nunique(),
        )
        | {"title": str(panel)}
        for panel, part in data.groupby("panel", sort=False)
    ]
    seen = [
        f"{row['panel']}, {row['measure']} {number(row['difference'], digits=3)} "
        f"{interval(row['ci_low'], row['ci_high'], digits=3)}"
        for row in rows
    ]
    peak = (
        " A gap near nought in the highest similarity beside one in overlap: the peak is kept, the "
        "place is lost."
    )
    return Figure(
        name="measures",
        title="High- less low-resource languages, by measure",
        caption=(
            "Mixed models with languages as the sample and 95 % intervals. The first measure is "
            "the one fixed in advance; the others are uncorrected and belong together."
            f"{peak * any(own.failures for own in shown(chapter))}{_note(chapter)}"
        ),
        alt=f"Dot plot of differences between groups of languages: {listed(seen)}.",
        chart=below(*panels, share_x=True),
        data=data,
    )


def scale(chapter: Chapter[GroundingAnalysis]) -> Figure | None:
    """Difference between populations in every language."""
    import altair as alt
    import pandas as pd

    measure = chapter.statistics.primary
    rows = [
        {
            "panel": f"{delta.second} less {delta.first} ({delta.condition})",
            "language": language_name(chapter, code),
            "resource": resource,
            "group": RESOURCES[resource],
            **estimate("difference", found),
        }
        for delta in chapter.statistics.scale[:MOST_CELLS]
        for code, resource, found in delta.languages
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    order = list(dict.fromkeys(data.sort_values("difference", ascending=False)["language"]))
    zero = alt.Chart().mark_rule(strokeDash=[5, 4], strokeOpacity=0.7).encode(x=alt.datum(0))
    panels = [
        _lines(
            ends_within(part.drop(columns="panel"), -measure.span, measure.span),
            "difference",
            f"difference in {measure.noun}",
            order,
            [zero],
        )
        | {"title": str(panel)}
        for panel, part in data.groupby("panel", sort=False)
    ]
    seen = [f"{row['language']} {row['difference']:+.3f}" for row in rows]
    return Figure(
        name="encoders",
        title="Another encoder, by language",
        caption=(
            f"Difference in {measure.noun}, paired by picture and concept, with its 95 % interval "
            "(further pictures, concepts and seeds)."
        ),
        alt=f"Dot plot of differences between populations: {listed(seen)}.",
        chart=below(*panels, share_x=True),
        data=data,
    )


def against_chance(chapter: Chapter[GroundingAnalysis]) -> Iterator[Figure | None]:
    """Every measure that has a chance level, per language beside it."""
    for name, measure in chapter.statistics.known.items():
        if measure.chance is not None:
            yield _against_chance(chapter, name, measure)


def _against_chance(
    chapter: Chapter[GroundingAnalysis], name: str, measure: Measure
) -> Figure | None:
    """The means of one measure per language beside chance; None where it was not taken."""
    import altair as alt
    import pandas as pd

    points = name == POINTING
    factor, suffix, digits = (100, "_percent", 2) if points else (1, "", 4)
    field = f"hits{suffix}" if points else field_of(measure)
    rows = [
        {
            "panel": title_of(own),
            "language": language_name(chapter, test.language),
            "resource": test.resource,
            "group": RESOURCES[test.resource],
            field: rounded(factor * test.accuracy.value, digits),
            f"chance{suffix}": rounded(factor * test.chance, digits),
            f"ci_low{suffix}": rounded(factor * test.accuracy.ci_low, digits),
            f"ci_high{suffix}": rounded(factor * test.accuracy.ci_high, digits),
        }
        for own in shown(chapter)
        for test in own.pointing
        if test.measure == name
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    order = list(dict.fromkeys(data["language"]))
    base = alt.Chart().encode(y=alt.Y("language:N", title=None, sort=order))
    look = grouped(list(data["resource"]))
    columns = [f"{column}{suffix}" for column in ("ci_low", "ci_high", "chance")]
    title = "highest point on the thing (%)" if points else axis_title(measure)
    drawn = [
        base.mark_tick(thickness=2, size=14, color=INK, opacity=0.8).encode(
            x=alt.X(f"chance{suffix}:Q")
        ),
        base.mark_rule(strokeWidth=2).encode(
            color=look["color"], **span("drawn_low", "drawn_high")
        ),
        base.mark_point(filled=True, size=70, opacity=1).encode(
            x=alt.X(f"{field}:Q", title=title),
            tooltip=[*names("language", "group"), *tooltips(field, *columns)],
            **look,
        ),
    ]
    low, high = (factor * end for end in measure.bounds)
    panels = [
        layers(
            *drawn,
            data=values(ends_within(part.drop(columns="panel"), low, high, suffix)),
            width=WIDTH_PX,
            height=LINE_PX * part["language"].nunique(),
        )
        | {"title": str(panel)}
        for panel, part in data.groupby("panel", sort=False)
    ]
    seen = [
        f"{row['language']} {row[field]:.0f} %"
        if points
        else f"{row['language']} {number(row[field], digits=measure.digits)}"
        for row in data.astype({field: float}).to_dict("records")
    ]
    what = (
        "Pointing game against the true masks: share of maps whose highest point lies inside, with "
        "its 95 % interval (further pictures, concepts and seeds). Upright line: the share that a "
        "point thrown at random would hit, the mean area of the masks."
        if points
        else f"{capital(measure.label)}, mean with its 95 % interval (further pictures, concepts "
        "and seeds). Upright line: chance."
    )
    return Figure(
        name="pointing" if points else f"chance-{name.replace('_', '-').lower()}",
        title="Does the highest point lie on the thing that is named?"
        if points
        else f"{capital(measure.noun)} and chance, by language",
        caption=f"{what}{_note(chapter)}",
        alt=f"Dot plot of {'the pointing game' if points else measure.noun} per language: "
        f"{listed(seen, 14)}.",
        chart=below(*panels, share_x=True),
        data=data,
    )
