"""What was given on the command line, made sense of: runs among whatever a pattern found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from reports.terminal import say


def runs_given(paths: Sequence[Path], *, spaces: bool = False) -> list[Path]:
    """The runs among what was given; what is left out is told on standard error.

    Args:
        paths: as they were given, by a pattern such as ``mevgs-runs/me-*`` perhaps.
        spaces: whether analysed spaces are asked for as well.
    """
    from toolkit.tables.among import runs_among

    kept, notes = runs_among(paths, spaces=spaces)
    for note in notes:
        say(f"Note: {note}", error=True)
    return kept
