"""What a figure is, how it looks, and how several populations share one without crowding it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

    from reports.joining import Spec

INK = "currentColor"
"""Text and lines take the colour of the page, so that one drawing serves light and dark."""
COLOURS = ("#0078bb", "#d55e00", "#009e73", "#b05b94", "#7f7f7f", "#a6761d")
"""Told apart by readers of all kinds of colour vision (after Okabe and Ito, 2008), and at least
3:1 against every ground of the page, light, dark or paper, where they are drawn opaque."""
MOST_CELLS = 6
"""So many populations and languages are drawn one by one; more are drawn together."""
SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""Names the grammar of a specification; nothing is fetched from there."""
FONT = "Arial, Liberation Sans, Helvetica, sans-serif"
"""Letters as wide as those that the drawing engine measures with, wherever a page is read."""
WIDTH_PX = 520
"""Width of a panel on paper; the script of the page makes it as wide as there is room."""
HALF_PX = 260
"""Width of a panel that has another beside it."""
NARROWEST_PX = 140
"""Width of a panel below which a figure is scrolled, not squeezed."""
STEP_PX = 30
"""Height of a line of a panel."""


@dataclass(frozen=True)
class Figure:
    """One figure, ready to be drawn."""

    name: str
    """Name of its files and anchors: lower case, with hyphens."""
    title: str
    """What it shows, in a few words."""
    caption: str
    """How it is to be read."""
    alt: str
    """What is seen, in words, for those who cannot see it."""
    chart: Spec
    """The drawing, as `reports.joining` makes it."""
    data: pd.DataFrame
    """The numbers behind it, as they go into its CSV file."""
    narrowest_px: int = NARROWEST_PX
    """Width below which its panels cannot be read."""

    def said(self, say: Callable[[str], str]) -> Figure:
        """The same with the sentences around it said otherwise, the drawing as it is."""
        return replace(self, caption=say(self.caption), alt=say(self.alt))

    def spec(self) -> dict[str, Any]:
        """The Vega-Lite specification, with the look of the house."""
        house = {"config": look(), "background": None, "padding": 4,
                 "usermeta": {"narrowest": self.narrowest_px}}  # fmt: skip
        return {"$schema": SCHEMA, **self.chart, **house}


def look() -> dict[str, Any]:
    """Vega-Lite configuration of every figure."""
    text = {"labelColor": INK, "titleColor": INK, "labelFontSize": 13, "titleFontSize": 13}
    quiet = {"gridColor": INK, "gridOpacity": 0.12, "domainColor": INK, "tickColor": INK}
    return {
        "font": FONT,
        "aria": False,
        "view": {"stroke": INK, "strokeOpacity": 0.25},
        "axis": {
            **text,
            **quiet,
            "titleFontWeight": "normal",
            "labelLimit": 360,
            "labelSeparation": 6,
        },
        "legend": {**text, "orient": "bottom", "titleFontWeight": "normal", "labelLimit": 320},
        "header": {**text, "labelFontWeight": "bold", "titleFontSize": 0},
        "title": {"color": INK, "fontSize": 13},
        "text": {"color": INK},
        "rule": {"color": INK},
        "tick": {"color": INK},
        "range": {"category": list(COLOURS)},
    }


def panel_px(n_panels: int) -> int:
    """Width of each of several panels that stand two in a line.

    Example:
        >>> panel_px(1) > panel_px(2) == panel_px(5)
        True
    """
    return WIDTH_PX if n_panels == 1 else HALF_PX


def percent_axis(title: str, domain: Sequence[float] | None = None) -> dict[str, Any]:
    """Options of an axis in per cent."""
    scale = {"zero": False, "nice": True} | ({"domain": list(domain)} if domain else {})
    return {"title": title, "scale": scale}


def chance_rule() -> alt.Chart:
    """A dashed line at the mean of ``chance_percent``."""
    import altair as alt

    rule: alt.Chart = (
        alt.Chart()
        .mark_rule(strokeDash=[5, 4], strokeOpacity=0.7)
        .encode(x=alt.X("mean(chance_percent):Q"))
    )
    return rule


def span(low: str, high: str) -> dict[str, Any]:
    """The two ends of a horizontal line, from two columns of numbers."""
    import altair as alt

    return {"x": alt.X(f"{low}:Q"), "x2": alt.X2(high)}


def training_colour(kinds: Iterable[str]) -> alt.Color:
    """The column ``training`` in colours that stay the same from figure to figure.

    Args:
        kinds: values that occur; the legend names no others.
    """
    import altair as alt

    known = {
        "monolingual": COLOURS[0],
        "bilingual": COLOURS[1],
        "untrained": COLOURS[4],
        "multilingual": COLOURS[2],
    }
    shown = {kind: colour for kind, colour in known.items() if kind in set(kinds)}
    scale = alt.Scale(domain=list(shown), range=list(shown.values()))
    return alt.Color("training:N", title=None, scale=scale)


def names(*columns: str) -> list[alt.Tooltip]:
    """Tooltips of columns as they are.

    Their types are said, because finding out the types of bare names takes more time than
    everything else that is done to make a figure.
    """
    import altair as alt

    return [alt.Tooltip(f"{column}:N", title=column.replace("_", " ")) for column in columns]


def percents(*columns: str) -> list[alt.Tooltip]:
    """Tooltips of the columns ``<name>_percent``, with one decimal."""
    import altair as alt

    return [
        alt.Tooltip(f"{name}_percent:Q", format=".1f", title=name.replace("_", " ") + " (%)")
        for name in columns
    ]


def listed(parts: Sequence[str], limit: int = 12) -> str:
    """Parts of an alternative text, as far as they can be listened to.

    Example:
        >>> listed(["a 1", "b 2", "c 3"], limit=2)
        'a 1; b 2; and 1 more in the data table'
    """
    more = len(parts) - limit
    told = list(parts[:limit]) + ([f"and {more} more in the data table"] if more > 0 else [])
    return "; ".join(told)
