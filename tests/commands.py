"""The command line, called in the process of a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Said(NamedTuple):
    """What came of a command."""

    code: int
    out: str
    err: str


Cli = Callable[..., Said]
