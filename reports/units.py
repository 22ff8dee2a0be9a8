"""What participants are called: seeds, draws of familiar words, or both."""

from __future__ import annotations

import re
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


_SEED = re.compile(
    r"(?<![\w/-])(?<!\| )(?<!trial )(?:training )?(s)eed(s?)(?![\w-])", re.IGNORECASE
)


def of_people(text: str) -> str:
    """A text about seeds as it holds of children, too.

    Args:
        text: what is said beside a figure or a table.

    Example:
        >>> of_people("Small rings: one training seed each; mean over seeds, (1 | seed)")
        'Small rings: one participant each; mean over participants, (1 | seed)'
        >>> of_people("Seeds")
        'Participants'
    """
    first = {"s": "p", "S": "P"}
    return _SEED.sub(lambda found: f"{first[found[1]]}articipant{found[2]}", text)


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
