"""How paradigms of each kind are put to subjects: one table, one line per kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.tables.kinds import KindTable

if TYPE_CHECKING:
    from toolkit.running.plan import Prepared


@dataclass(frozen=True)
class Running:
    """How paradigms of one kind are put to subjects."""

    prepare: Callable[..., Prepared]
    """Called with paradigm, populations and stimuli, as `toolkit.running.choices.prepare`."""
    options: Mapping[str, str]
    """Options of ``run-paradigm`` that mean something to this kind alone, each with the argument of
    `prepare` that it fills; empty where it is heard before."""
    others: str
    """Why the options of other kinds mean nothing: ``words are spoken in``."""


RUNNING: KindTable[Running] = KindTable(
    "run",
    {
        "choices": "toolkit.running.choices:RUNNING",
        "maps": "toolkit.running.maps:RUNNING",
        "looking": "toolkit.running.looking:RUNNING",
    },
)
"""How each kind is run."""
