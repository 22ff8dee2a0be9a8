"""What is tried: files that the toolkit reads, by those who read them for its users."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.fuzz.bytes import Mutator


@dataclass(frozen=True)
class Ready:
    """A place where one file after the other is put and read."""

    place: Path
    """The file that is replaced."""
    originals: tuple[bytes, ...]
    """Sound contents, from which others are made."""
    mutate: Mutator
    """What is done to them."""
    read: Callable[[Path], Any]
    """Reads the file as the toolkit does for its users."""
    sound: Callable[[Any], bool] = lambda _: True
    """Whether what was read can be: of a damaged file without a checksum anything is accepted
    that its reader promises."""
    same: Callable[[Any], Any] | None = None
    """Where a checksum tells damage: what must be the same as of the original, if it is read."""
    fits: bool = False
    """Whether the checksum beside the file is made to fit: as if the toolkit had written it."""
    before: Callable[[], object] = lambda: None
    """Puts right what reading may have changed beside the file."""


@dataclass(frozen=True)
class Target:
    """Something that reads files of a kind."""

    name: str
    """What its folder in the corpus is called."""
    weight: int
    """How many inputs it is given, as against the others: fewer where one takes long."""
    prepare: Callable[[Path], Ready]
    """Writes into an empty folder what it needs."""


TARGETS: dict[str, Target] = {}
"""All targets by name, once their modules are imported."""


def target(weight: int) -> Callable[[Callable[[Path], Ready]], Callable[[Path], Ready]]:
    """Make a target of a function that prepares it, and name it after the function.

    Args:
        weight: see `Target`.
    """

    def named(prepare: Callable[[Path], Ready]) -> Callable[[Path], Ready]:
        name = prepare.__name__.replace("_", "-")
        TARGETS[name] = Target(name, weight, prepare)
        return prepare

    return named


def all_targets() -> dict[str, Target]:
    """Every target there is."""
    from tests.fuzz import children, networks, runs, stimulus_files  # noqa: F401

    return TARGETS
