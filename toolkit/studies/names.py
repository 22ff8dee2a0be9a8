"""What a study file names, told where it cannot be found."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from stimuli.faults import Fault
from toolkit.errors import ToolkitError


def beside(base: Path, name: str, known: Collection[str] = ()) -> str:
    """A name, or the folder or file of that name beside the file that names it.

    Args:
        base: folder of that file.
        name: what stands in it.
        known: names that stand before folders of the same name.

    Example:
        >>> beside(Path("no/such/folder"), "mini")
        'mini'
    """
    place = base / name
    return str(place) if name not in known and place.exists() else name


def fault_of(place: str, error: ToolkitError) -> Fault:
    """A refusal as a fault of the file that asked for what is refused.

    Args:
        place: where in the file.
        error: the refusal.

    Example:
        >>> fault_of("a (line 1)", ToolkitError("There is no set 'b'.", given="b")).line
        "a (line 1) cannot be used: there is no set 'b'; given: b"
    """
    lines = [line.strip().removeprefix("- ") for line in error.message.splitlines()]
    told = f"{lines[0]} {'. '.join(lines[1:])}".strip().rstrip(".")
    return Fault(
        place,
        f"cannot be used: {told[:1].lower()}{told[1:]}",
        error.given,
        error.allowed,
        error.nearest,
        next_command=error.next_command,
    )
