"""What the parts of a study took, kept as data so that what is missing can be estimated."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

from stimuli.schemas import Between, Source, checked
from stimuli.texts import read_json
from toolkit.errors import ToolkitError
from toolkit.running.folder import write_json

FILE = "durations.json"
"""In the folder of a study's results: `Took` by what was done."""


@dataclass(frozen=True)
class Took:
    """What things of one sort took together."""

    n: Annotated[int, Between(0)]
    """How many there were."""
    core_s: Annotated[float, Between(0)]
    """Seconds of one processor core, those of all processes added up."""

    def hours(self, n: int) -> float:
        """Core-hours that so many more would take.

        Args:
            n: how many.

        Example:
            >>> Took(2, 36.0).hours(100)
            0.5
        """
        return self.core_s / self.n * n / 3600


def read_durations(folder: Path) -> dict[str, Took]:
    """What was measured so far; nothing where nothing was, or its file is damaged.

    Args:
        folder: of the results.

    Example:
        >>> read_durations(Path("no/such/folder"))
        {}
    """
    file = folder / FILE
    try:
        told = checked(dict[str, Took], read_json(file), Source(str(file)))
    except ToolkitError:
        return {}
    return {name: one for name, one in told.items() if one.n}


@contextmanager
def measured(folder: Path, name: str, n: int) -> Iterator[None]:
    """Add what the block takes to what was measured, if it ends well and did something.

    Args:
        folder: of the results.
        name: what is done.
        n: how many of them.
    """
    before = core_s()
    yield
    if n:
        took = read_durations(folder)
        so_far = took.get(name, Took(0, 0.0))
        took[name] = Took(so_far.n + n, so_far.core_s + max(0.0, core_s() - before))
        write_json(folder / FILE, {key: asdict(one) for key, one in took.items()})


def added(one: Mapping[str, Took], other: Mapping[str, Took]) -> dict[str, Took]:
    """What two have measured, together.

    Args:
        one: by what was done.
        other: by what was done.

    Example:
        >>> added({"me": Took(2, 3.0)}, {"me": Took(1, 1.5), "familiar": Took(1, 1.0)})["me"]
        Took(n=3, core_s=4.5)
    """
    none = Took(0, 0.0)
    both = {name: (one.get(name, none), other.get(name, none)) for name in {**one, **other}}
    return {name: Took(a.n + b.n, a.core_s + b.core_s) for name, (a, b) in both.items()}


def core_s() -> float:
    """Processor time of this process and of those that it waited for."""
    return sum(os.times()[:4])
