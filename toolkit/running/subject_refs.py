"""Single subjects of populations, named but not loaded yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from toolkit.subjects.population import Population


@dataclass(frozen=True, eq=False)
class SubjectRef:
    """One seed of a population, not loaded yet."""

    population: Population
    """The population it belongs to."""
    seed: str
    """Its seed."""

    @property
    def name(self) -> str:
        """Name as on the command line, e.g. ``bilingual-en-nl/c``."""
        return f"{self.population.name}/{self.seed}"

    @cached_property
    def checksum(self) -> str:
        """Identity of everything that decides the subject's answers; reads its weights once."""
        return self.population.checksum(self.seed)

    def load(self) -> Any:
        """Load the subject."""
        return self.population.load(self.seed)


def subjects_of(populations: Iterable[Population]) -> list[SubjectRef]:
    """All seeds of some populations in their order, each once however often it is asked for."""
    found = [SubjectRef(known, seed) for known in populations for seed in known.seeds]
    return list({subject.name: subject for subject in found}.values())
