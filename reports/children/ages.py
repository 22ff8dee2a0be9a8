"""Figure of children over age, and of models as bands over all ages.

Children are drawn in ink, models in colours, so that nobody takes one for the other.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.figures import (
    COLOURS,
    INK,
    MOST_CELLS,
    Figure,
    listed,
    names,
    panel_px,
    percent_axis,
    percents,
)
from reports.joining import Spec, beside, layers, values
from stimuli.wording import count, plural
from toolkit.statistics.children.words import NO_TEST, n_children
from toolkit.statistics.phrases import alike, fixed

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from toolkit.statistics.children.results import AgeComparison, Band

MEAN = "mean, 95 % band"
"""What the legend calls the curve."""
HEIGHT_PX = 300
"""Height of a panel over age."""
UNTRAINED = COLOURS[4]
"""Colour of networks that learnt nothing."""
CURVE, MODEL = "curve", "model"
STUDY, APART = "a condition of a study", "the same, multilingual children"
"""Kinds of rows of the figure over age; further ones are the names of groups of children."""
OF_EACH_PANEL = {"stroke": "independent", "fill": "independent"}
"""What panels over age do not share: their models are others."""
TITLES = {
    "novel-familiar": "Children by age, and models: the novel thing chosen for a novel word",
    "familiar-familiar": "Children by age, and models: familiar words",
}
ANCHORS = {"novel-familiar": "age-me", "familiar-familiar": "age-familiar"}
AXES = {
    "novel-familiar": "novel thing chosen (%)",
    "familiar-familiar": "models: right choices; children: looking at the target (%)",
}


def over_age(test: AgeComparison) -> Figure:
    """Children over age, and models as bands over all ages."""
    import pandas as pd

    drawn = _drawn(test.bands)
    data = pd.DataFrame([*_children_rows(test), *_model_rows(test.bands)])
    left = [band for band in test.bands if band not in drawn]
    low = data[["share_percent", "ci_low_percent"]].min().min()
    floor = 10 * math.floor(min(low, 50) / 10)
    languages = list(dict.fromkeys(band.test_language for band in drawn))
    width = panel_px(len(languages))
    panels = []
    for language in languages:
        here = [band for band in drawn if band.test_language == language]
        known = {band.population for band in here}
        own = data[
            (data["kind"] != MODEL)
            | ((data["test_language"] == language) & data["who"].isin(known))
        ]
        panels.append(
            _panel(test, own, here, floor, width) | {"title": f"models tested in {language}"}
        )
    seen = [f"{band.population} in {band.test_language} {_percent(band)}" for band in drawn]
    return Figure(
        name=ANCHORS[test.condition],
        title=TITLES[test.condition],
        caption=_caption(test, left),
        alt=f"{_alt_of_children(test)} Horizontal bands of models: {listed(seen)}.",
        chart=beside(*panels) | {"resolve": {"scale": OF_EACH_PANEL}},
        data=data.drop(columns=["label", "learnt"]),
    )


def _drawn(bands: Sequence[Band]) -> list[Band]:
    """Models of a panel: untrained ones, and the first of the others, as many as can be told apart.

    Languages that untrained networks alone were tested in have no panel, if others have. The
    caption names those that are not drawn; the data hold them all.
    """
    made = []
    learnt = [band for band in bands if band.n_languages]
    for language in dict.fromkeys(band.test_language for band in learnt or bands):
        own = [band for band in bands if band.test_language == language]
        trained = [band for band in own if band.n_languages]
        blank = [band for band in own if not band.n_languages][:1]
        made += [*trained[: MOST_CELLS - 1], *blank]
    return made


def _children_rows(test: AgeComparison) -> Iterator[dict[str, Any]]:
    curve = test.curve
    if curve is not None:
        for age, share, low, high in zip(
            curve.ages_months, curve.shares, curve.ci_low, curve.ci_high, strict=True
        ):
            yield _row(CURVE, curve.source, age, share, low, high)
    for study in test.studies:
        kind = APART if study.multilingual else STUDY
        yield _row(kind, study.paper, study.age_months, study.share) | {"n": study.n_children}
    for group in test.groups:
        ends = group.ci_low, group.ci_high
        yield _row(group.source, group.source, group.age_months, group.share, *ends) | {
            "n": group.n_children
        }


def _model_rows(bands: Sequence[Band]) -> Iterator[dict[str, Any]]:
    for band in bands:
        row = _row(MODEL, band.population, math.nan, band.mean, band.ci_low, band.ci_high)
        yield row | {
            "label": _label(band),
            "learnt": "yes" if band.n_languages else "no",
            "n": band.n_seeds,
            "test_language": band.test_language,
            "chance_percent": round(100 * band.chance, 4),
        }


def _row(
    kind: str, who: str, age: float, share: float, low: float = math.nan, high: float = math.nan
) -> dict[str, Any]:
    return {
        "kind": kind,
        "who": who,
        "label": who,
        "test_language": "",
        "age_months": round(age, 3),
        "share_percent": round(100 * share, 4),
        "ci_low_percent": round(100 * low, 4),
        "ci_high_percent": round(100 * high, 4),
        "n": math.nan,
        "chance_percent": math.nan,
    }


def _panel(
    test: AgeComparison, data: pd.DataFrame, bands: Sequence[Band], floor: int, width: int
) -> Spec:
    """Everything about models in one language."""
    import altair as alt

    ages = data["age_months"].dropna()
    x = alt.X(
        "age_months:Q",
        title="children's age (months); models have none",
        scale=alt.Scale(domain=[ages.min() - 1, ages.max() + 1], nice=False),
    )
    y_axis = percent_axis(AXES[test.condition], [floor, 100])
    colours = _colours(test.bands, bands)
    of_models = alt.Chart().transform_filter(alt.datum.kind == MODEL)
    told = [*names("who"), *percents("share", "ci_low", "ci_high")]
    charts = [
        of_models.mark_rect(fillOpacity=0.12, strokeOpacity=0.55, strokeWidth=0.8).encode(
            y=alt.Y("ci_low_percent:Q", **y_axis), y2=alt.Y2("ci_high_percent"),
            fill=_model_colour(bands, colours, alt.Fill),
            stroke=_model_colour(bands, colours, alt.Stroke),
        ),
        *(
            of_models.transform_filter(alt.FieldEqualPredicate(field="learnt", equal=learnt))
            .mark_rule(strokeWidth=2, strokeDash=dash)
            .encode(
                y=alt.Y("share_percent:Q", **y_axis),
                stroke=_model_colour(bands, colours, alt.Stroke), tooltip=told,
            )
            for learnt, dash in (("yes", [1, 0]), ("no", [7, 4]))
        ),
        of_models.mark_rule(strokeDash=[2, 3], strokeOpacity=0.7).encode(
            y=alt.Y("mean(chance_percent):Q", **y_axis)
        ),
        *_children_marks(test, x, y_axis),
    ]  # fmt: skip
    return layers(*charts, data=values(data), width=width, height=HEIGHT_PX)


def _children_marks(test: AgeComparison, x: alt.X, y_axis: dict[str, Any]) -> list[alt.Chart]:
    """Curve, studies and age groups, in ink."""
    import altair as alt

    share = alt.Y("share_percent:Q", **y_axis)
    marks = []
    if test.curve is not None:
        curve = alt.Chart().transform_filter(alt.datum.kind == CURVE).encode(x=x)
        marks += [
            curve.mark_area(color=INK, opacity=0.16).encode(
                y=alt.Y("ci_low_percent:Q", **y_axis), y2=alt.Y2("ci_high_percent")
            ),
            curve.mark_line(color=INK, strokeWidth=2.5).encode(y=share),
        ]
    shapes = _shapes(test)
    shape = alt.Shape(
        "kind:N", title="children",
        scale=alt.Scale(domain=list(shapes), range=list(shapes.values())),
        legend=alt.Legend(columns=1, symbolStrokeColor=INK),
    )  # fmt: skip
    told = [
        *names("kind", "who"),
        alt.Tooltip("age_months:Q", title="age (months)"),
        *percents("share", "ci_low", "ci_high"),
        alt.Tooltip("n:Q", title="children"),
    ]
    if test.studies:
        single = alt.Chart().transform_filter(
            alt.FieldOneOfPredicate(field="kind", oneOf=[STUDY, APART])
        )
        size = alt.Size("n:Q", scale=alt.Scale(range=[15, 260]), legend=None)
        marks.append(
            single.mark_point(color=INK, filled=False, opacity=0.55, strokeWidth=1.2).encode(
                x=x, y=share, size=size, shape=shape, tooltip=told
            )
        )
    if test.groups:
        sources = list(dict.fromkeys(group.source for group in test.groups))
        group = alt.Chart().transform_filter(alt.FieldOneOfPredicate(field="kind", oneOf=sources))
        marks += [
            group.mark_rule(color=INK, strokeWidth=1.5).encode(
                x=x, y=alt.Y("ci_low_percent:Q", **y_axis), y2=alt.Y2("ci_high_percent")
            ),
            group.mark_point(color=INK, filled=False, opacity=1, size=80, strokeWidth=2.2).encode(
                x=x, y=share, shape=shape, tooltip=told
            ),
        ]
    return marks


def _shapes(test: AgeComparison) -> dict[str, str]:
    """Kinds of points and their shapes, those that occur; the curve stands among them."""
    found = {APART if study.multilingual else STUDY for study in test.studies}
    known = {MEAN: "stroke"} if test.curve is not None else {}
    known |= {kind: shape for kind, shape in ((STUDY, "circle"), (APART, "triangle-up"))
              if kind in found}  # fmt: skip
    sources = dict.fromkeys(group.source for group in test.groups)
    free = ("diamond", "square", "cross", "triangle-down")
    return known | {name: free[place % len(free)] for place, name in enumerate(sources)}


def _colours(bands: Sequence[Band], drawn: Sequence[Band]) -> dict[str, str]:
    """Colours of populations: the same in every panel where there are enough of them."""
    bright = [colour for colour in COLOURS if colour != UNTRAINED]
    everywhere = dict.fromkeys(band.population for band in bands if band.n_languages)
    here = dict.fromkeys(band.population for band in drawn if band.n_languages)
    return dict(zip(everywhere if len(everywhere) <= len(bright) else here, bright, strict=False))


def _model_colour(bands: Sequence[Band], colours: Mapping[str, str], channel: Any) -> Any:
    """Populations in colours, untrained ones in grey."""
    import altair as alt

    shown = {
        _label(band): colours[band.population] if band.n_languages else UNTRAINED for band in bands
    }
    scale = alt.Scale(domain=list(shown), range=list(shown.values()))
    legend = alt.Legend(columns=1, symbolType="square", symbolSize=150, symbolOpacity=1)
    return channel("label:N", title="models", scale=scale, legend=legend)


def _label(band: Band) -> str:
    """What the legend calls a population: lines that lie upon each other are told apart by it."""
    return f"{band.population}: {fixed(100 * band.mean, 1)} %"


def _caption(test: AgeComparison, left: Sequence[Band]) -> str:
    told = []
    curve = test.curve
    if curve is not None:
        what = (
            f"random-effects meta-regression over {count(curve.n_conditions, 'condition')} of "
            f"{count(curve.n_papers, 'paper')}"
            if test.studies
            else f"{curve.source}, mixed model over children and words"
        )
        told.append(
            f"In ink, children. Line and band: mean and its 95 % interval, {what}; single studies "
            "and children vary far more widely than this band."
        )
    if test.studies:
        told.append(
            "Hollow points: one condition of a study each, the larger the more children; "
            "triangles: multilingual children, who have no part in the line."
            if any(study.multilingual for study in test.studies)
            else "Hollow points: one condition of a study each, the larger the more children."
        )
    if test.groups:
        whose = " and ".join(dict.fromkeys(group.source for group in test.groups))
        told.append(f"Points with lines: age groups with 95 % intervals ({whose}).")
    units = " and ".join(dict.fromkeys(plural(band.unit) for band in test.bands))
    told.append(
        f"In colour, models: mean over {units} and its 95 % interval (these very words). Dotted: "
        "chance."
    )
    if any(not band.n_languages for band in test.bands):
        told.append("Dashed grey line and band: networks that learnt nothing.")
    else:
        told.append("No untrained networks are among these runs.")
    if test.condition == "familiar-familiar":
        told.append(
            "Shares of looking and of choices are different measures: children who know a word "
            "well look elsewhere, too."
        )
    if left:
        who = ", ".join(f"{band.population} ({band.test_language})" for band in left)
        told.append(f"Not drawn, but in the data: {who}.")
    return " ".join([*told, NO_TEST])


def _alt_of_children(test: AgeComparison) -> str:
    curve = test.curve
    if curve is not None:
        young, old = curve.ages_months[0], curve.ages_months[-1]
        return (
            f"Children's share rises from {100 * curve.shares[0]:.0f} % at {young:.0f} months to "
            f"{100 * curve.shares[-1]:.0f} % at {old:.0f} months ({curve.source}, "
            f"{n_children(curve.n_children)})."
        )
    seen = [f"{group.age_months:.0f} months {100 * group.share:.0f} %" for group in test.groups]
    return f"Children: {listed(seen)}."


def _percent(band: Band) -> str:
    if math.isnan(band.ci_low):
        return f"{fixed(100 * band.mean, 1)} %"
    low, high = alike([100 * band.ci_low, 100 * band.ci_high])
    return f"{fixed(100 * band.mean, 1)} % [{low}, {high}]"
