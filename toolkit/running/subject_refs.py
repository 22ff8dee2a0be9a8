"""Single subjects of populations, named but not loaded yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.subjects.contract import Movable, SeesAnswers, SeesMasks

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

    def load(self, device: Device = CPU) -> Any:
        """Load the subject.

        Args:
            device: where it computes; dummies compute nothing.

        Raises:
            ToolkitError: it cannot be had, or cannot compute anywhere but on the processor.
        """
        loaded = self.population.load(self.seed)
        if device.kind == "cpu" or isinstance(loaded, SeesAnswers | SeesMasks):
            return loaded
        if not isinstance(loaded, Movable):
            raise ToolkitError(
                f"Subject {self.name} cannot compute on {device.name}: it has no method "
                "on(device).",
                given=type(loaded).__name__,
                allowed="a subject whose on(device) gives the same subject, computing there",
                next_command="the same again with --device cpu (or device='cpu')",
            )
        return loaded.on(device)


def subjects_of(populations: Iterable[Population]) -> list[SubjectRef]:
    """All seeds of some populations in their order, each once however often it is asked for."""
    found = [SubjectRef(known, seed) for known in populations for seed in known.seeds]
    return list({subject.name: subject for subject in found}.values())
