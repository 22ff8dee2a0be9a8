"""Single charts joined into layers, panels and rows, as Vega-Lite specifications.

Altair's own joining copies every chart whole at each step, its data too, which takes longer than
everything else that is done to make a figure. So single charts are made in Altair, without data,
and what joins them is said here in the words of Vega-Lite.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt
    import pandas as pd

Spec = dict[str, Any]
"""A Vega-Lite specification, or part of one."""


def values(data: pd.DataFrame) -> Spec:
    """A table as data of a chart; missing values are null.

    Example:
        >>> import pandas as pd
        >>> values(pd.DataFrame({"seed": ["a", "b"], "accuracy": [0.5, float("nan")]}))
        {'values': [{'seed': 'a', 'accuracy': 0.5}, {'seed': 'b', 'accuracy': None}]}
    """
    plain = data.astype(object)
    return {"values": plain.where(data.notna(), None).to_dict("records")}


def single(chart: alt.Chart) -> Spec:
    """The specification of one chart that has no data of its own.

    Example:
        >>> import altair as alt
        >>> single(alt.Chart().mark_rule().encode(x=alt.X("accuracy:Q")))
        {'mark': {'type': 'rule'}, 'encoding': {'x': {'field': 'accuracy', 'type': 'quantitative'}}}
    """
    made: Spec = chart.to_dict(validate=False, context={"top_level": False})
    # Altair says that there is none, which would keep the chart from the data around it.
    made.pop("data", None)
    return made


def layers(*charts: alt.Chart, **properties: Any) -> Spec:
    """Charts drawn upon each other.

    Args:
        charts: those without data of their own; the first lies lowest.
        properties: of the whole, such as ``data``, ``width`` or ``height``.
    """
    return {"layer": [single(chart) for chart in charts], **properties}


def below(*panels: Spec, share_x: bool = False) -> Spec:
    """Panels one below the other.

    Args:
        panels: each with its own data.
        share_x: whether all have the same horizontal axis.
    """
    return {"vconcat": list(panels)} | ({"resolve": {"scale": {"x": "shared"}}} if share_x else {})


def beside(*panels: Spec, n_columns: int = 2, share: Sequence[str] = ()) -> Spec:
    """Panels one beside the other, so many in a line; on a phone one below the other.

    Args:
        panels: each with its own data.
        n_columns: panels in a line.
        share: axes that all have in common, of ``x`` and ``y``.
    """
    # Places within a line are each panel's own: one may lack what another has.
    scale = {"yOffset": "independent", **dict.fromkeys(share, "shared")}
    return {
        "concat": [*panels],
        "columns": min(n_columns, len(panels)),
        "resolve": {"scale": scale},
    }


def rows_of(panel: Spec, column: str, data: pd.DataFrame) -> Spec:
    """One panel for every value of a column, one below the other, on the same axes.

    Args:
        panel: what is drawn of the rows with that value.
        column: its name; the values stand beside the panels.
        data: all rows.
    """
    row: Spec = {"field": column, "type": "nominal", "title": None,
                 "header": {"labelAngle": 0, "labelAlign": "left", "labelPadding": 4}}  # fmt: skip
    return {"facet": {"row": row}, "spec": panel, "data": values(data)}


def grid_of(
    panel: Spec, column: str, data: pd.DataFrame, n_columns: int = 2, own_axes: bool = False
) -> Spec:
    """One panel for every value of a column in the order of the data, several in a line.

    Args:
        panel: what is drawn of the rows with that value.
        column: its name; the values stand above the panels.
        data: all rows.
        n_columns: panels in a line; on a phone there is one.
        own_axes: whether each panel has axes of its own; they share them by default.
    """
    order = list(dict.fromkeys(data[column]))
    made: Spec = {
        "facet": {"field": column, "type": "nominal", "title": None, "sort": order},
        "columns": min(n_columns, len(order)),
        "spec": panel,
        "data": values(data),
    }
    if own_axes:
        return made | {"resolve": {"scale": {"x": "independent", "y": "independent"}}}
    # Where the last line is not full, an axis that panels share would stand below an empty place.
    full = len(order) % made["columns"] == 0
    return made if full else made | {"resolve": {"axis": {"x": "independent"}}}
