"""Figures of contrasts: conditions against their controls, bilingual against monolingual."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from reports.choices.charts import (
    MODEL,
    SEED,
    estimate_of,
    known,
    odds,
    odds_scale,
    percent_of,
)
from reports.choices.contrast_tables import VERDICTS
from reports.figures import (
    COLOURS,
    STEP_PX,
    WIDTH_PX,
    Figure,
    listed,
    names,
    percent_axis,
    percents,
    span,
)
from reports.joining import layers, rows_of, values
from reports.numbers import number, odds_ratio, titles_of
from reports.overview import Ends, Estimated, Forest

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from toolkit.statistics.choices.condition_contrasts import ConditionTest
    from toolkit.statistics.choices.groups import GroupComparison, GroupModel
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.choices.verdicts import Verdict
    from toolkit.statistics.models.results import Contrast

LONGEST_NAME = 44
"""Characters of a contrast's name in a figure; the tables hold it whole."""


def figures(chapter: Chapter[Analysis]) -> Iterator[Figure]:
    """All figures of contrasts, in the order of the page."""
    compared = conditions(chapter)
    if compared is not None:
        yield compared
    groups = chapter.statistics.groups
    for place, (group, title) in enumerate(zip(groups, titles_of(groups), strict=True)):
        end = f"-{place + 1}" if place else ""
        which = f", {title}" if len(groups) > 1 else ""
        for figure in (paired(chapter, group), forest(group)):
            if figure is not None:
                told = f"{figure.title}{which}"
                yield replace(figure, name=f"{figure.name}{end}", title=told)


def conditions(chapter: Chapter[Analysis]) -> Figure | None:
    """The test minus its controls; None if no more was compared than is seen first."""
    tests = chapter.statistics.conditions
    if len({test.question for test in tests}) < 2:
        return None
    return _minus(tests, "condition-contrasts", "The test minus its controls")


def deciding(tests: Sequence[ConditionTest]) -> Figure | None:
    """The contrast that decides; None if it could not be tested."""
    return _minus(tests, "deciding", f"{tests[0].plus} minus {tests[0].minus}")


def _minus(tests: Sequence[ConditionTest], name: str, title: str) -> Figure | None:
    """Conditions less their controls, in percentage points; None if nothing could be tested."""
    rows = [
        Estimated(
            f"{test.population}, {test.test_language}",
            _points(test.contrast),
            panel=f"{test.plus} - {test.minus}",
            labels={
                "contrast": f"{test.plus} - {test.minus}",
                "population": test.population,
                "test_language": test.test_language,
            },
            tested=_tested(test.contrast, test.verdict),
        )
        for test in tests
        if test.contrast is not None and test.verdict != "undecided"
    ]
    return Forest(
        name=name,
        title=title,
        axis="test minus control (percentage points)",
        mark=0.0,
        field="difference",
        unit="points",
        digits=1,
        caption=(
            "Diamond and line: the mixed model's difference for a typical seed and target with its "
            "95 % interval (further seeds and further words), ties at chance level; right of the "
            "dashed line the target is chosen more often in the test. An interval leaves out 0 "
            "where its uncorrected p is below .05; the p values in the table are corrected (Holm, "
            "over all of these contrasts)."
        ),
        about="differences in percentage points",
    ).figure(rows)


def _points(effect: Contrast) -> Ends:
    """A difference and the ends of its interval."""
    return (
        percent_of(effect.probability_difference),
        percent_of(effect.probability_ci_low),
        percent_of(effect.probability_ci_high),
    )


def _tested(effect: Contrast, verdict: Verdict) -> dict[str, Any]:
    ps = {"p_value": effect.p_value, "p_holm": effect.p_holm}
    return {name: known(p) for name, p in ps.items()} | {"verdict": VERDICTS[verdict]}


def paired(chapter: Chapter[Analysis], group: GroupComparison) -> Figure | None:
    """Monolingual and bilingual networks side by side in every test language.

    None if no language has a model.
    """
    import altair as alt
    import pandas as pd

    models = [model for model in group.by_language or (group.overall,) if model.means]
    if not models:
        return None
    kinds = ["monolingual", "bilingual"]
    rows: list[dict[str, Any]] = []
    for model in models:
        language = model.test_language
        rows += _compared_seeds(chapter, group, language)
        for mean in model.means:
            labels = {"test_language": language, "training": mean.name}
            rows.append(labels | estimate_of(MODEL, mean.probability, mean))
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
        .mark_point(filled=False, size=22, opacity=1, strokeWidth=1.2, yOffset=-8)
        .encode(color=colour, tooltip=[*names("population", "seed"), *percents("accuracy")]),
        model_rows.mark_line(strokeWidth=1, color=COLOURS[4]).encode(order=alt.Order("training:O")),
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
        f"{model.test_language}: "
        + ", ".join(f"{mean.name} {number(mean.probability, 100)} %" for mean in model.means)
        for model in models
    ]
    return Figure(
        name="monolingual-bilingual",
        title="Monolingual and bilingual networks",
        caption=(
            "Rings: the seeds that are compared, each taught the test language. Diamond "
            "and line: the mixed model's marginal mean (typical seed and word) with its 95 % "
            "interval. Intervals of two means may overlap although their difference is shown, and "
            "the other way round: the contrasts below are the test."
        ),
        alt=f"Dot plot, model estimates of the share correct: {listed(seen)}.",
        chart=rows_of(panel, "test_language", data),
        data=data,
    )


def _compared_seeds(
    chapter: Chapter[Analysis], group: GroupComparison, language: str
) -> Iterator[dict[str, Any]]:
    """A row for every seed that is compared: of the same kind, taught this language, not gated."""
    about = {row["population"]: row for row in chapter.digest.populations.to_dict("records")}
    subjects = chapter.digest.subjects
    kind = subjects[subjects["subject_kind"] == group.subject_kind]
    compared = set(zip(kind["population"], kind["seed"], strict=True))
    failed = {(seed, spoken) for seed, spoken, _ in chapter.statistics.gate.failed}
    for result in chapter.headline:
        name = result.population
        if (result.condition, result.test_language) != (group.condition, language):
            continue
        if language not in str(about[name]["train_languages"]).split("+"):
            continue
        for seed, value in result.seeds.items():
            if (name, seed) in compared and (f"{name}/{seed}", language) not in failed:
                yield {"test_language": language, "training": chapter.training_of(name),
                       "shown": SEED, "seed": seed, "population": name,
                       "accuracy_percent": percent_of(value)}  # fmt: skip


def forest(group: GroupComparison) -> Figure | None:
    """Odds ratios of all planned contrasts; None if no model could be fitted."""
    import altair as alt
    import pandas as pd

    rows = [
        {
            "contrast": _short(model),
            "family": model.contrast.family,
            "odds_ratio": odds(model.contrast.estimate),
            "ci_low": odds(model.contrast.ci_low),
            "ci_high": odds(model.contrast.ci_high),
            **_tested(model.contrast, model.verdict),
            "label": odds_ratio(model.contrast),
        }
        for model in group.models
        if model.contrast is not None and model.verdict != "undecided"
    ]
    if not rows:
        return None
    data = pd.DataFrame(rows)
    base = alt.Chart().encode(y=alt.Y("contrast:N", title=None, sort=list(data["contrast"])))
    scale = odds_scale(data, "odds_ratio", "ci_low", "ci_high")
    x = alt.X("odds_ratio:Q", title="odds ratio (log scale)", scale=scale)
    one = alt.Chart().mark_rule(strokeDash=[5, 4]).encode(x=alt.datum(1.0))
    shape = alt.Shape("family:N", title="family of tests", sort=list(dict.fromkeys(data["family"])),
                      legend=alt.Legend(columns=1))  # fmt: skip
    chart = layers(
        one,
        base.mark_rule(strokeWidth=2).encode(**span("ci_low", "ci_high")),
        base.mark_point(filled=True, size=80, opacity=1, color=COLOURS[1]).encode(
            x=x,
            shape=shape,
            tooltip=names("contrast", "label", "p_value", "p_holm", "verdict", "family"),
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
            "Odds ratios of the mixed models with their 95 % intervals (further seeds and further "
            "words); right of the dashed line bilingual networks answer correctly more often. "
            "Intervals are not corrected for the number of contrasts; the "
            "p values in the table are (Holm, within each family)."
        ),
        alt=f"Forest plot of odds ratios with 95 % intervals: {listed(seen)}.",
        chart=chart,
        data=data.drop(columns="label"),
    )


def _short(model: GroupModel) -> str:
    """A long name without its middle: cutting it here is far faster than in the drawing engine."""
    if len(model.name) <= LONGEST_NAME:
        return model.name
    end = f", {model.test_language}" if model.test_language else ""
    return f"{model.name[: LONGEST_NAME - 8]}…{end}"
