"""Figures of children beside models: over age, item by item, by looking.

Children are drawn in ink, models in colours, so that nobody takes one for the other.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from reports.children.ages import over_age
from reports.figures import (
    COLOURS,
    HALF_PX,
    INK,
    MOST_CELLS,
    STEP_PX,
    WIDTH_PX,
    Figure,
    listed,
    names,
    percents,
)
from reports.joining import below, grid_of, layers, values
from reports.labels import Ends, Panel, name_marks, padded

if TYPE_CHECKING:
    from toolkit.statistics.children.items import ItemMatch
    from toolkit.statistics.children.looking import LookingMatch
    from toolkit.statistics.children.results import Comparison

ROOM = Panel(HALF_PX, 200, font_px=10)
"""Of the names in a panel of the figure of words."""


def figures(comparison: Comparison) -> list[Figure]:
    """All figures, in the order of the page."""
    made: list[Figure | None] = [
        *(over_age(test) for test in comparison.tests),
        correlations(comparison.items),
        words(comparison.items),
        looking(comparison.looking),
    ]
    return [figure for figure in made if figure is not None]


def correlations(matches: Sequence[ItemMatch]) -> Figure | None:
    """Correlations of children and models over words, and what children's noise allows."""
    import altair as alt
    import pandas as pd

    known = [match for match in matches if not math.isnan(match.correlation)]
    if not known:
        return None
    data = pd.DataFrame(
        {
            "panel": f"{match.children}, {match.test_language}, {match.condition}",
            "models": match.models,
            "n_words": match.n_words,
            "correlation": match.correlation,
            "ci_low": match.ci_low,
            "ci_high": match.ci_high,
            "reliability": match.reliability,
            "ceiling": match.ceiling,
        }
        for match in known
    ).round(4)
    base = alt.Chart().encode(y=alt.Y("models:N", title=None))
    scale = alt.Scale(domain=[min(-0.5, float(data["ci_low"].min())), 1], nice=True)
    x = alt.X("correlation:Q", title="correlation over words", scale=scale)
    told = names("panel", "models", "n_words", "correlation", "ci_low", "ci_high", "reliability",
                 "ceiling")  # fmt: skip
    marks = [
        alt.Chart().mark_rule(strokeDash=[5, 4], strokeOpacity=0.7).encode(x=alt.datum(0)),
        base.mark_tick(color=INK, thickness=3, size=20).encode(x=alt.X("reliability:Q")),
        base.mark_tick(color=INK, thickness=1, size=20).encode(x=alt.X("ceiling:Q")),
        base.mark_rule(color=COLOURS[0], strokeWidth=2).encode(
            x=alt.X("ci_low:Q"), x2=alt.X2("ci_high")
        ),
        base.mark_point(color=COLOURS[0], filled=True, size=70, opacity=1).encode(
            x=x, tooltip=told
        ),
    ]
    panels = [
        layers(*marks, data=values(own.drop(columns="panel").assign(panel=panel)), width=WIDTH_PX,
               height=STEP_PX * own["models"].nunique()) | {"title": str(panel)}
        for panel, own in data.groupby("panel", sort=False)
    ]  # fmt: skip
    seen = [
        f"{match.models} with {match.children} {match.correlation:.2f} "
        f"[{match.ci_low:.2f}, {match.ci_high:.2f}]"
        for match in known
    ]
    return Figure(
        name="items-correlation",
        title="Are the same words hard for children and for models?",
        caption=(
            "Points: Pearson's correlation over words of the share of right answers of children "
            "and of models, with its 95 % bootstrap interval (further words, these children and "
            "networks). Thick tick: what another group of as many children would reach "
            "(split-half reliability, Spearman and Brown); thin tick: what a model without noise "
            "could reach at most. Dashed: no relation. Where the thick tick is not clearly above "
            "0, nothing is known of the models."
        ),
        alt=f"Dot plot of correlations with intervals: {listed(seen)}.",
        chart=below(*panels, share_x=True),
        data=data,
    )


def words(matches: Sequence[ItemMatch]) -> Figure | None:
    """Every shared word: children against models."""
    import altair as alt
    import pandas as pd

    shown = [match for match in matches if match.words][:MOST_CELLS]
    if not shown:
        return None
    ends = _ends(shown)
    data = pd.DataFrame([row for match in shown for row in _word_rows(match, ends)])
    seen = [f"{match.models} against {match.children}" for match in shown]
    across, up = (alt.Scale(domain=own, nice=False, zero=False) for own in ends)
    base = alt.Chart().encode(
        x=alt.X("children_percent:Q", title="children right (%)", scale=across),
        y=alt.Y("models_percent:Q", title="models right (%)", scale=up),
        tooltip=[*names("word", "condition", "models"), *percents("children", "models")],
    )
    points = base.mark_point(filled=True, size=45, opacity=1, color=COLOURS[0])
    named = name_marks(base, "word", ROOM.font_px)
    panel = layers(points, *named, width=HALF_PX, height=ROOM.height_px)
    return Figure(
        name="items-words",
        title="Every word: children and models",
        caption=(
            "One point: one word that both were asked; share of right answers over all children "
            "and over all networks; words without a name would stand upon others (all are in the "
            "data). Without intervals: those of the correlations are in the figure above."
        ),
        alt=f"Scatter plots over words: {listed(seen)}.",
        chart=grid_of(panel, "panel", data),
        data=data.drop(columns=["panel", "label"]),
        narrowest_px=HALF_PX,
    )


def _ends(matches: Sequence[ItemMatch]) -> Ends:
    """Ends of both axes, the same for all panels, in per cent."""
    rows = [row for match in matches for row in match.words]
    return padded([100 * mine for _, mine, _ in rows]), padded([100 * own for _, _, own in rows])


def _word_rows(match: ItemMatch, ends: Ends) -> list[dict[str, Any]]:
    """Every shared word; ``label`` is the side of its point on which its name stands, or empty."""
    title = f"{match.models} ({match.test_language}): r = {match.correlation:.2f}"
    words = [word for word, _, _ in match.words]
    across = [round(100 * mine, 4) for _, mine, _ in match.words]
    up = [round(100 * theirs, 4) for _, _, theirs in match.words]
    return [
        {
            "panel": title,
            "label": side,
            "children": match.children,
            "models": match.models,
            "condition": match.condition,
            "word": word,
            "children_percent": mine,
            "models_percent": theirs,
        }
        for word, mine, theirs, side in zip(
            words, across, up, ROOM.place(words, across, up, ends), strict=True
        )
    ]


def looking(matches: Sequence[LookingMatch]) -> Figure | None:
    """Divergences of models' preferences from children's looking."""
    import altair as alt
    import pandas as pd

    if not matches:
        return None
    data = pd.DataFrame(
        {
            "panel": f"children of {match.age_group}, models tested in {match.test_language}",
            "models": match.population,
            "n_trials": match.n_trials,
            "beta": round(match.beta, 4),
            "divergence": match.divergence,
            "ci_low": match.ci_low,
            "ci_high": match.ci_high,
            "chance": match.chance,
            "ceiling": match.ceiling,
        }
        for match in matches
    ).round(6)
    base = alt.Chart().encode(y=alt.Y("models:N", title=None))
    x = alt.X("divergence:Q", title="divergence (nats); 0: the same shares",
              scale=alt.Scale(zero=True))  # fmt: skip
    told = names("models", "n_trials", "beta", "divergence", "ci_low", "ci_high", "chance",
                 "ceiling")  # fmt: skip
    marks = [
        alt.Chart().mark_rule(strokeDash=[5, 4], strokeOpacity=0.7).encode(
            x=alt.X("mean(chance):Q")
        ),
        alt.Chart().mark_rule(strokeWidth=3).encode(x=alt.X("mean(ceiling):Q")),
        base.mark_rule(color=COLOURS[0], strokeWidth=2).encode(
            x=alt.X("ci_low:Q"), x2=alt.X2("ci_high")
        ),
        base.mark_point(color=COLOURS[0], filled=True, size=70, opacity=1).encode(
            x=x, tooltip=told
        ),
    ]  # fmt: skip
    panels = [
        layers(*marks, data=values(own), width=WIDTH_PX, height=STEP_PX * own["models"].nunique())
        | {"title": str(panel)}
        for panel, own in data.groupby("panel", sort=False)
    ]
    single = any(not math.isnan(match.ceiling) for match in matches)
    seen = [f"{m.population} with {m.age_group} {m.divergence:.3f}" for m in matches]
    return Figure(
        name="looking",
        title="Do models share their preference as children share their looking?",
        caption=(
            "Points: mean Kullback-Leibler divergence of models' shares (softmax of their scores, "
            "inverse temperature fitted to each age group between .025 and 40) from children's "
            "shares of looking at the named picture, with its 95 % bootstrap interval (further "
            "trials). Dashed: a model that looks at both pictures alike. "
            + (
                "Thick: one half of the children and the other."
                if single
                else "How far children are from each other is not known: no single children."
            )
        ),
        alt=f"Dot plot of divergences with intervals: {listed(seen)}.",
        chart=below(*panels, share_x=True),
        data=data,
    )
