"""What is seen first of a paradigm of any kind: the test that decides, drawn and in a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from reports.figures import COLOURS, STEP_PX, WIDTH_PX, Figure, listed, names, span
from reports.joining import below, layers, values
from reports.numbers import estimate
from reports.parts import Overview

if TYPE_CHECKING:
    from reports.parts import Table


Ends = tuple[float | None, float | None, float | None]
"""Three numbers in the unit of the axis, None where they do not exist."""


@dataclass(frozen=True)
class Estimated:
    """What one test estimates."""

    cell: str
    """Who was asked in which language, as a line of the figure."""
    ends: Ends
    """The estimate and the two ends of its 95 % interval."""
    panel: str = ""
    """What is told apart by panels, such as the contrast."""
    labels: Mapping[str, Any] = field(default_factory=dict)
    """Who and what, in the columns of the data; the panel's column among them."""
    tested: Mapping[str, Any] = field(default_factory=dict)
    """p-values and verdict, likewise."""


@dataclass(frozen=True)
class Forest:
    """How estimates of one kind are drawn: a line each, panels one below the other."""

    name: str
    """As in `Figure`."""
    title: str
    """As in `Figure`."""
    axis: str
    """Title of the axis."""
    mark: float
    """Where there would be no effect: the dashed line; NaN for none."""
    field: str
    """Column of the estimates."""
    unit: str
    """Ends the names of the columns of numbers; empty for plain numbers."""
    digits: int
    """Decimals on hovering."""
    caption: str
    """As in `Figure`."""
    about: str
    """What is drawn, for those who cannot see it."""

    def figure(self, rows: Sequence[Estimated]) -> Figure | None:
        """The figure; None where nothing was estimated."""
        import pandas as pd

        kept = [row for row in rows if row.ends[0] is not None]
        if not kept:
            return None
        end = f"_{self.unit}" if self.unit else ""
        drawn = tuple(f"{name}{end}" for name in (self.field, "ci_low", "ci_high"))
        data = pd.DataFrame(
            {**row.labels, "panel": row.panel, "cell": row.cell}
            | dict(zip(drawn, row.ends, strict=True))
            | {**row.tested}
            for row in kept
        )
        known = data.astype(dict.fromkeys(drawn, float)).to_dict("records")
        seen = [
            f"{', '.join(filter(None, (row['panel'], row['cell'])))}: "
            f"{estimate(value, low, high, digits=self.digits)}"
            for row in known
            for value, low, high in [(row[name] for name in drawn)]
        ]
        return Figure(
            name=self.name,
            title=self.title,
            caption=self.caption,
            alt=f"Forest plot of {self.about}: {listed(seen)}.",
            chart=below(*self._panels(data, drawn, list(kept[0].tested)), share_x=True),
            data=data.drop(columns=["panel", "cell"]),
        )

    def _panels(self, data: Any, drawn: Sequence[str], tested: Sequence[str]) -> list[Any]:
        import altair as alt

        cells = list(dict.fromkeys(data["cell"]))
        several = data["panel"].nunique() > 1
        dashed = alt.Chart().mark_rule(strokeDash=[5, 4])
        mark = [] if math.isnan(self.mark) else [dashed.encode(x=alt.datum(self.mark))]
        base = alt.Chart().encode(y=alt.Y("cell:N", title=None, sort=cells))
        sign = "+" if self.mark == 0 else ""
        tooltip = [
            *names("cell"),
            *(
                alt.Tooltip(f"{name}:Q", format=f"{sign}.{self.digits}f",
                            title=name.removesuffix(f"_{self.unit}").replace("_", " "))
                for name in drawn
            ),
            *names(*tested),
        ]  # fmt: skip
        x = alt.X(f"{drawn[0]}:Q", title=self.axis, scale=alt.Scale(zero=False, padding=8))
        marks = (
            *mark,
            base.mark_rule(strokeWidth=2).encode(**span(*drawn[1:])),
            base.mark_point(
                filled=True, size=80, opacity=1, shape="diamond", color=COLOURS[1]
            ).encode(x=x, tooltip=tooltip),
        )
        return [
            layers(*marks, data=values(own), width=WIDTH_PX, height={"step": STEP_PX})
            | ({"title": str(panel)} if several else {})
            for panel, own in data.groupby("panel", sort=False)
        ]


def overview_of(
    question: str, verdict: str | None, figure: Figure | None, table: Table
) -> Overview | None:
    """What is seen first; None where nothing was tested.

    Args:
        question: what the deciding test asks.
        verdict: what it says.
        figure: its estimates.
        table: the same in numbers.
    """
    if figure is None or not verdict:
        return None
    return Overview(question, verdict, figure, table)
