"""What participants are called: seeds, draws of familiar words, or both."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from toolkit.statistics.choices.exact import ExactMean
    from toolkit.statistics.means import SeedMean

DRAWS = (
    "Where networks learnt different draws of familiar words, every draw is one participant, and "
    "what is said of seeds holds of draws."
)
"""Said beside tables that call participants seeds."""


def units(rows: Iterable[SeedMean | ExactMean]) -> str:
    """What the participants of some results are.

    Args:
        rows: the results.
    """
    return " or ".join(dict.fromkeys(row.unit for row in rows)) or "seed"


def draws_note(rows: Iterable[SeedMean | ExactMean]) -> str:
    """A sentence to be put behind others where participants are draws; empty elsewhere.

    Args:
        rows: the results.
    """
    return f" {DRAWS}" if any(row.unit == "draw" for row in rows) else ""
