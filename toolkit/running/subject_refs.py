"""Single subjects of populations, named but not loaded yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.subjects.contract import Movable, SeesAnswers, SeesMasks
from toolkit.subjects.population import own_draw

if TYPE_CHECKING:
    from stimuli import StimulusSet
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

    @property
    def draw(self) -> str:
        """The draw of familiar concepts that it learnt; empty without draws."""
        return self.population.draw(self.seed)

    @property
    def familiar(self) -> frozenset[str] | None:
        """The concepts that it learnt; None for those that a stimulus set calls familiar."""
        own = own_draw(self.seed, self.population.familiar)
        return None if own is None else frozenset(own)

    def views(self, stimuli: StimulusSet) -> StimulusSet:
        """A stimulus set in which those concepts are familiar that the subject learnt.

        Args:
            stimuli: the set.

        Raises:
            ToolkitError: it lacks one of them.
        """
        familiar = self.familiar
        return stimuli if familiar is None else stimuli.with_familiar(familiar)

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
