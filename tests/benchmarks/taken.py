"""What a piece of work takes: compared is the time of the processor, that of the wall only told.

A busy machine lengthens the one and hardly the other.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Taken:
    """Complete when the work is done."""

    processor_s: float = 0.0
    """Seconds of the processor, with those of processes that were started and have ended."""
    wall_s: float = 0.0
    """Seconds on the wall."""
    told: str = ""
    """The same and the time on the wall, for readers."""


def processor_s() -> float:
    """Seconds that this process has worked, and those that it has started and seen end."""
    return time.process_time() + sum(os.times()[2:4])


@contextmanager
def measured() -> Iterator[Taken]:
    """Measure what the block takes."""
    taken = Taken()
    worked, start = processor_s(), time.perf_counter()
    yield taken
    taken.wall_s = time.perf_counter() - start
    taken.processor_s = processor_s() - worked
    taken.told = f"{taken.processor_s:.2f} s of the processor ({taken.wall_s:.2f} s on the wall)"
