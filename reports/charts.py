"""Figures of accuracies and contrasts: the answer, drawn."""

from __future__ import annotations

from collections.abc import Mapping
from math import exp
from typing import TYPE_CHECKING, Any

from reports.figures import (
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
from reports.joining import Spec, below, layers, rows_of, values
from reports.numbers import interval, models_of, number, odds_ratio

if TYPE_CHECKING:
    import pandas as pd

    from reports.sources import Chapter

LONGEST_NAME = 44
"""Characters of a contrast's name in a figure; the tables hold it whole."""
SEED, MEAN, MODEL = "one seed", "mean over seeds (these words)", "typical seed and word (model)"


def accuracy(chapter: Chapter) -> Figure:
    """Every seed, the mean over seeds and the estimate of the mixed model, beside chance."""
    import pandas as pd

    tests = {(t["population"], t["test_language"], t["condition"]): t
             for t in chapter.statistics["chance"]}  # fmt: skip
    rows = []
    for result in chapter.headline:
        key = (result["population"], result["test_language"], result["condition"])
        shared = {
            "panel": _panel(chapter, result),
            "population": result["population"],
            "test_language": result["test_language"],
            "condition": result["condition"],
            "chance_percent": 100 * result["chance"],
        }
        for seed, value in result["seeds"].items():
            rows.append(shared | {"shown": SEED, "seed": seed, "accuracy_percent": _percent(value)})
        rows.append(shared | _estimate(MEAN, result["mean"], result))
        if key in tests and tests[key]["probability"] is not None:
            rows.append(shared | _estimate(MODEL, tests[key]["probability"], tests[key]))
    data = pd.DataFrame(rows)
    panels = [
        _panel_of(own.drop(columns="panel")) | {"title": str(panel)}
        for panel, own in data.groupby("panel")
    ]
    seen = [
        f"{row['population']} in {row['test_language']} {number(row['mean'], 100)} % "
        f"{interval(row['ci_low'], row['ci_high'], 100)}"
        for row in chapter.headline
    ]
    return Figure(
        name="accuracy",
        title="Accuracy by population and test language",
        caption=(
            "Small dots: one training seed each. Circle and upper line: mean over seeds with its "
            "95 % interval (further seeds, these very words). Diamond and lower line: the mixed "
            "model's estimate for a typical seed and word with its 95 % interval (further seeds "
            "and further words). Dashed: chance."
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
        opacity = 0.45 if shown == SEED else 1
        drawn.append(
            own.mark_point(filled=True, shape=shape, size=size, opacity=opacity, **look).encode(
                x=alt.X("accuracy_percent:Q", **percent_axis("correct (%)")),
                tooltip=[
                    *names("population", "test_language", "shown", "seed"),
                    *percents("accuracy", "ci_low", "ci_high"),
                ],
            )
        )
    height = STEP_PX * len(order)
    return layers(*drawn, data=values(data), width=WIDTH_PX, height=height)


def conditions(chapter: Chapter) -> Figure | None:
    """The test beside its controls; None if there are no controls."""
    import altair as alt
    import pandas as pd

    if all(row["headline"] for row in chapter.results):
        return None
    rows = [
        {
            "condition": row["condition"],
            "population": row["population"],
            "test_language": row["test_language"],
            "cell": f"{row['population']}, {row['test_language']}",
            "chance_percent": 100 * row["chance"],
            "meaning": row["meaning"],
            **_estimate("", row["mean"], row),
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
        drawn = [base.mark_tick(thickness=2, size=18, opacity=0.7).encode(x=x, tooltip=tooltip)]
        height = STEP_PX * 1.2
    chart = layers(
        chance_rule(), *drawn, data=values(data), width=WIDTH_PX, height=height * len(order)
    )
    means = data.groupby("condition", sort=False)["accuracy_percent"]
    seen = [f"{name} {own.min():.1f} to {own.max():.1f} %" for name, own in means]
    meanings = {row["condition"]: row["meaning"] for row in chapter.results}
    marks = (
        "Points: mean over seeds; lines: 95 % interval."
        if len(cells) <= MOST_CELLS
        else "Each tick: the mean over seeds of one population in one language."
    )
    return Figure(
        name="conditions",
        title="The test beside its controls",
        caption=f"{marks} Dashed: chance. "
        + " ".join(f"{name}: {meaning}." for name, meaning in meanings.items()),
        alt=f"Dot plot of the share of trials in which the target is preferred: {listed(seen)}.",
        chart=chart,
        data=data.drop(columns="cell"),
    )


def paired(chapter: Chapter, group: Mapping[str, Any]) -> Figure:
    """Monolingual and bilingual networks side by side in every test language."""
    import altair as alt
    import pandas as pd

    models = [m for m in group["by_language"] or [group["overall"]] if m["means"]]
    known = {row["population"]: str(row["train_languages"]).split("+")
             for row in chapter.digest.populations.to_dict("records")}  # fmt: skip
    kinds = ["monolingual", "bilingual"]
    rows: list[dict[str, Any]] = []
    for model in models:
        language = model["name"].rpartition(", ")[2]
        for result in chapter.headline:
            kind = chapter.training_of(result["population"])
            mine = result["condition"] == group["condition"] and result["test_language"] == language
            if mine and kind in kinds and language in known[result["population"]]:
                rows += [
                    {"test_language": language, "training": kind, "shown": SEED, "seed": seed,
                     "population": result["population"], "accuracy_percent": _percent(value)}
                    for seed, value in result["seeds"].items()
                ]  # fmt: skip
        for mean in model["means"]:
            labels = {"test_language": language, "training": mean["name"]}
            rows.append(labels | _estimate(MODEL, mean["probability"], mean))
    columns = ["test_language", "training", "shown", "population", "seed", "accuracy_percent",
               "ci_low_percent", "ci_high_percent"]  # fmt: skip
    data = pd.DataFrame(rows, columns=columns)
    base = alt.Chart().encode(
        y=alt.Y("training:N", title=None, sort=kinds),
        x=alt.X("accuracy_percent:Q", **percent_axis("correct (%)")),
    )
    model_rows = base.transform_filter(alt.datum.shown == MODEL)
    colour = alt.Color("training:N", sort=kinds, legend=None)
    panel = layers(
        base.transform_filter(alt.datum.shown == SEED)
        .mark_point(filled=True, size=22, opacity=0.45)
        .encode(color=colour, tooltip=[*names("population", "seed"), *percents("accuracy")]),
        model_rows.mark_line(strokeWidth=1.5, strokeOpacity=0.6, color="#7f7f7f").encode(
            order=alt.Order("training:O")
        ),
        model_rows.mark_rule(strokeWidth=2).encode(
            **span("ci_low_percent", "ci_high_percent"), color=colour
        ),
        model_rows.mark_point(filled=True, shape="diamond", size=90, opacity=1).encode(
            color=colour, tooltip=[*names("training"), *percents("accuracy")]
        ),
        width=WIDTH_PX,
        height={"step": STEP_PX},
    )
    seen = [
        f"{m['name'].rpartition(', ')[2]}: "
        + ", ".join(f"{e['name']} {number(e['probability'], 100)} %" for e in m["means"])
        for m in models
    ]
    return Figure(
        name="monolingual-bilingual",
        title="Monolingual and bilingual networks",
        caption=(
            "Dots: training seeds of all populations that were taught the test language. Diamond "
            "and line: the mixed model's marginal mean (typical seed and word) with its 95 % "
            "interval. Intervals of two means may overlap although their difference is shown, and "
            "the other way round: the contrasts below are the test."
        ),
        alt=f"Dot plot, model estimates of the share correct: {listed(seen)}.",
        chart=rows_of(panel, "test_language", data),
        data=data,
    )


def forest(group: Mapping[str, Any]) -> Figure | None:
    """Odds ratios of all planned contrasts; None if no model could be fitted."""
    import altair as alt
    import pandas as pd

    models = models_of(group)
    rows = [
        {
            "contrast": _short(model["name"]),
            "family": model["contrast"]["family"],
            "odds_ratio": exp(model["contrast"]["estimate"]),
            "ci_low": exp(model["contrast"]["ci_low"]),
            "ci_high": exp(model["contrast"]["ci_high"]),
            "p_value": model["contrast"]["p_value"],
            "p_holm": model["contrast"]["p_holm"],
            "label": odds_ratio(model["contrast"]),
        }
        for model in models
        if model["contrast"] and model["contrast"]["estimate"] is not None
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    base = alt.Chart().encode(
        y=alt.Y(
            "contrast:N", title=None, sort=list(data["contrast"]), axis=alt.Axis(labelLimit=360)
        )
    )
    ends = [1.0, *data["ci_low"], *data["ci_high"]]
    domain = [min(ends) / 1.05, max(ends) * 1.05]
    scale = alt.Scale(type="log", nice=False, domain=domain)
    x = alt.X("odds_ratio:Q", title="odds ratio (log scale)", scale=scale)
    one = alt.Chart().mark_rule(strokeDash=[5, 4]).encode(x=alt.datum(1.0))
    shape = alt.Shape("family:N", title="family of tests", sort=list(dict.fromkeys(data["family"])),
                      legend=alt.Legend(columns=1))  # fmt: skip
    chart = layers(
        one,
        base.mark_rule(strokeWidth=2).encode(**span("ci_low", "ci_high")),
        base.mark_point(filled=True, size=80, opacity=1, color="#d55e00").encode(
            x=x, shape=shape, tooltip=names("contrast", "label", "p_value", "p_holm", "family")
        ),
        data=values(data),
        width=int(WIDTH_PX * 0.8),
        height={"step": STEP_PX},
    )
    seen = [f"{row['contrast']}: {row['label']}" for row in rows]
    return Figure(
        name="contrasts",
        title="Planned contrasts: bilingual against monolingual",
        caption=(
            "Odds ratios with 95 % intervals; right of the dashed line bilingual networks answer "
            "correctly more often. Intervals are not corrected for the number of contrasts; the "
            "p values in the table are (Holm, within each family)."
        ),
        alt=f"Forest plot of odds ratios with 95 % intervals: {listed(seen)}.",
        chart=chart,
        data=data.drop(columns="label"),
    )


def _short(name: str) -> str:
    """A long name without its middle: cutting it here is far faster than in the drawing engine.

    Example:
        >>> _short("bilingual-en-nl - monolingual-en-1/monolingual-en-2/monolingual-en-3, en")
        'bilingual-en-nl - monolingual-en-1/m…, en'
    """
    if len(name) <= LONGEST_NAME:
        return name
    end = name[name.rfind(", ") :] if ", " in name[-12:] else ""
    return f"{name[: LONGEST_NAME - 8]}…{end}"


def _panel(chapter: Chapter, result: Mapping[str, Any]) -> str:
    """Test language, and the condition where several are the test."""
    several = len({row["condition"] for row in chapter.headline}) > 1
    language = str(result["test_language"])
    return f"{language}, {result['condition']}" if several else language


def _estimate(shown: str, share: float | None, ends: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "shown": shown,
        "accuracy_percent": _percent(share),
        "ci_low_percent": _percent(ends["ci_low"]),
        "ci_high_percent": _percent(ends["ci_high"]),
    }


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 4)


def _colour_of(shown: str) -> str:
    return {SEED: "#7f7f7f", MEAN: "#0072b2", MODEL: "#d55e00"}[shown]
