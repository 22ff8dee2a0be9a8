"""Names beside the points of a figure, placed where they cover nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

LETTER, LINE = 0.62, 1.15
"""Width of a letter and height of a line, in font sizes."""
GAP_PX = 7
"""From the middle of a point to its name."""
POINT_PX = 4
"""What a point takes up on each side of its middle."""
SIDES: dict[str, dict[str, Any]] = {
    "right": {"align": "left", "baseline": "middle", "dx": GAP_PX},
    "left": {"align": "right", "baseline": "middle", "dx": -GAP_PX},
    "above": {"align": "center", "baseline": "bottom", "dy": -GAP_PX},
    "below": {"align": "center", "baseline": "top", "dy": GAP_PX},
}
"""Where a name may stand, in the order in which room is looked for, and how it is drawn there."""
Box = tuple[float, float, float, float]
"""Left, top, right and bottom."""
Ends = tuple[Sequence[float], Sequence[float]]
"""Least and greatest value of the horizontal and of the vertical axis."""


@dataclass(frozen=True)
class Panel:
    """The panel that names are placed in."""

    width_px: float
    """Its width where it is narrowest; where it is wider, there is more room."""
    height_px: float
    """Its height."""
    font_px: float = 11
    """Size of the letters."""

    def place(
        self, words: Sequence[str], x: Sequence[float], y: Sequence[float], ends: Ends
    ) -> list[str]:
        """The side of its point on which each word stands; empty where there is no room.

        Args:
            words: what stands there.
            x: places of the points.
            y: likewise.
            ends: of the two axes, the least and the greatest value.

        Example:
            >>> ends = ([0.0, 1.0], [0.0, 1.0])
            >>> Panel(250, 200).place(["dax", "wug", "blick"], [0.0, 0.07, 0.95], [0.5] * 3, ends)
            ['', 'right', 'left']
        """
        points = [
            (self.width_px * _part(at, ends[0]), self.height_px * (1 - _part(up, ends[1])))
            for at, up in zip(x, y, strict=True)
        ]
        taken: list[Box] = [
            (at - POINT_PX, up - POINT_PX, at + POINT_PX, up + POINT_PX) for at, up in points
        ]
        sides = []
        for word, point in zip(words, points, strict=True):
            boxes = {side: self._box(word, point, side) for side in SIDES}
            free = (side for side, box in boxes.items() if self._is_free(box, taken))
            found = next(free, "")
            taken += [boxes[found]] if found else []
            sides.append(found)
        return sides

    def _box(self, word: str, point: tuple[float, float], side: str) -> Box:
        width, height = LETTER * self.font_px * len(word), LINE * self.font_px
        at, up = point
        left = {"right": at + GAP_PX, "left": at - GAP_PX - width}.get(side, at - width / 2)
        top = {"above": up - GAP_PX - height, "below": up + GAP_PX}.get(side, up - height / 2)
        return left, top, left + width, top + height

    def _is_free(self, box: Box, taken: Sequence[Box]) -> bool:
        left, top, right, bottom = box
        inside = left >= 0 and top >= 0 and right <= self.width_px and bottom <= self.height_px
        return inside and all(
            right < other[0] or other[2] < left or bottom < other[1] or other[3] < top
            for other in taken
        )


def padded(values: Sequence[float]) -> list[float]:
    """Ends of an axis that leave room around its points.

    Example:
        >>> padded([0.0, 1.0])
        [-0.08, 1.08]
    """
    low, high = min(values), max(values)
    room = 0.08 * (high - low) or 0.5
    return [round(low - room, 6), round(high + room, 6)]


def name_marks(base: alt.Chart, column: str, font_px: float) -> list[alt.Chart]:
    """The names, from a column of words and the column ``label`` of their sides."""
    import altair as alt

    named = base.encode(text=alt.Text(f"{column}:N"))
    return [
        named.transform_filter(alt.FieldEqualPredicate(field="label", equal=side)).mark_text(
            fontSize=font_px, **drawn
        )
        for side, drawn in SIDES.items()
    ]


def _part(value: float, ends: Sequence[float]) -> float:
    """A value as a part of its axis."""
    return (value - ends[0]) / max(ends[1] - ends[0], 1e-9)
