"""Tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

UNBROKEN = "{ .whole }"
"""What follows code that stays in one line (``docs/assets/site.css``)."""


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    r"""A table; whatever stands in a cell is text, except between backticks.

    Example:
        >>> print(table(("a", "b"), [("1 | 2", "<x>")]))
        | a | b |
        | --- | --- |
        | 1 \| 2 | &lt;x> |
    """
    lines: list[list[str]] = [
        [*columns],
        ["---"] * len(columns),
        *(list(map(cell, row)) for row in rows),
    ]
    for line in lines[2:]:
        if line[0].endswith("`"):
            line[0] += UNBROKEN
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def cell(text: str) -> str:
    r"""A text as it stands in a cell.

    Example:
        >>> cell("`1 + (1 | seed)` for novel* | x")
        '`1 + (1 | seed)` for novel\\* \\| x'
    """
    parts = " ".join(text.split()).split("`")
    # Between backticks nothing has a meaning, not even the bar of a table.
    parts[::2] = [escaped(part).replace("|", r"\|") for part in parts[::2]]
    return "`".join(parts)


def escaped(text: str) -> str:
    r"""A text without signs that Markdown would take for its own.

    Example:
        >>> escaped("novel*-familiar, a [b] <c>")
        'novel\\*-familiar, a \\[b] &lt;c>'
    """
    return text.replace("*", r"\*").replace("_", r"\_").replace("[", r"\[").replace("<", "&lt;")


def code(text: str) -> str:
    """A text as code, nothing where it is empty.

    Example:
        >>> code("me"), code("")
        ('`me`', '')
    """
    return f"`{text}`" if text else ""
