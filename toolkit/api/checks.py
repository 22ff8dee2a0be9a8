"""What is given in Python, made what the functions below expect, or refused."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paradigms.registry import get_paradigm
from toolkit.errors import ToolkitError
from toolkit.running.plan import named

if TYPE_CHECKING:
    from paradigms import BaseParadigm


def silent(what: str, done: int, total: int) -> None:
    """Show no progress."""


def several(given: Any) -> list[Any]:
    """One or several, as several.

    Args:
        given: things in a row; a text, a path, or what cannot be gone through is one thing.

    Example:
        >>> several("en"), several(("en", "nl")), several(7)
        (['en'], ['en', 'nl'], [7])
    """
    is_one = isinstance(given, str | Path) or not isinstance(given, Iterable)
    return [given] if is_one else [*given]


def optional(path: str | Path | None) -> Path | None:
    """A path, if there is one."""
    return None if path is None else Path(path)


def whole(name: str, value: int, lowest: int, highest: int | None = None) -> int:
    """A whole number that is large enough, and not too large.

    Args:
        name: what the number is called.
        value: the number.
        lowest: the smallest that is allowed.
        highest: the largest; None where there is none.

    Raises:
        ToolkitError: it is too small or too large, or no whole number.

    Example:
        >>> whole("jobs", 2, 1, 1024)
        2
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = lowest - 1
    if number < lowest or (highest is not None and number > highest):
        to = "on" if highest is None else f"to {highest:,}"
        raise ToolkitError(
            f"{name} must be a whole number from {lowest} {to}.", given=f"{name}={value!r}"
        )
    return number


def within(name: str, value: float, low: float, high: float) -> float:
    """A number between two others, both included.

    Args:
        name: what the number is called.
        value: the number.
        low: the smallest that is allowed.
        high: the largest.

    Raises:
        ToolkitError: it lies outside, or is no number.

    Example:
        >>> within("alpha", 0.05, 0.0001, 0.5)
        0.05
    """
    try:
        fits = low <= float(value) <= high
    except (TypeError, ValueError):
        fits = False
    if not fits:
        raise ToolkitError(
            f"{name} must lie between {low:g} and {high:g}.", given=f"{name}={value!r}"
        )
    return float(value)


def as_named(given: str | BaseParadigm, own: Path | None) -> BaseParadigm:
    """A paradigm by its name, so that it is found again where its run is analysed.

    Args:
        given: its name, or what was opened by it.
        own: folder with paradigm files of the user's own.

    Raises:
        ToolkitError: the name is unknown, or that of another paradigm.
    """
    if isinstance(given, str):
        return get_paradigm(given, own)
    found = get_paradigm(given.name, own)
    if named(found) != named(given):
        raise ToolkitError(
            f"The paradigm {given.name!r} is another one than the file of that name defines.",
            given=type(given).__name__,
            allowed="what open_paradigm gives, in the same version",
            next_command="paradigms_dir=DIR, the folder that holds its file",
        )
    return found
