"""What a run has recorded of itself, the content of ``manifest.json``: what was run, on what.

Runs of every kind and version record what they have to tell, so much may be lacking, and what no
field is for is kept as it is.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from stimuli.fields import PLACE

REST = "further"
"""Field that holds what no other is for."""


@dataclass(frozen=True, kw_only=True)
class Git:
    """The commit that the toolkit was run from."""

    commit: str
    """Its name."""
    dirty: bool
    """True if there were changes that no commit holds."""


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What a run was made on."""

    system: str | None = None
    """Operating system and its version."""
    processor: str | None = None
    """Architecture."""
    cores: int | None = None
    """Processor cores."""


@dataclass(frozen=True, kw_only=True)
class RecordedDevice:
    """What networks computed on, and how exactly; see `toolkit.devices`."""

    kind: str = "cpu"
    """``cpu``, ``cuda`` or ``mps``."""
    precision: str = "float32"
    """How a card computed."""
    models: tuple[str, ...] = ()
    """Cards that had a part in it; none for a processor."""

    @property
    def told(self) -> str:
        """What it was, for people.

        Example:
            >>> RecordedDevice(kind="cuda", models=("NVIDIA H200",)).told
            'cuda (NVIDIA H200), float32'
        """
        models = f" ({', '.join(self.models)})" if self.models else ""
        return f"{self.kind}{models}, {self.precision}"


@dataclass(frozen=True, kw_only=True)
class RecordedParadigm:
    """The paradigm of a run."""

    name: str
    """Its name."""
    version: int | None = None
    """Its version."""
    formula: str = ""
    """The model that it declares."""
    source_sha256: str | None = None
    """Checksum of its file."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = REST


@dataclass(frozen=True, kw_only=True)
class RecordedSet:
    """The stimulus set of a run."""

    name: str
    """Its name."""
    version: str
    """Its version."""
    checksum: str
    """SHA-256 over all of it."""
    title: str | None = None
    """What it is called in words."""
    folder: PLACE | None = None
    """Where it lay; None for a set that comes with the toolkit."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = REST


@dataclass(frozen=True, kw_only=True)
class RecordedConfig:
    """How networks are built and were trained, in the words of their family."""

    network: Mapping[str, Any] | None = None
    """Shape and scoring."""
    training: Mapping[str, Any] | None = None
    """The recipe."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = REST


@dataclass(frozen=True, kw_only=True)
class RecordedPopulation:
    """A population that was asked."""

    n_seeds: int
    """Networks."""
    languages: tuple[str, ...]
    """Languages of training; empty if untrained, or not recorded anywhere."""
    config: RecordedConfig | None = None
    """How its networks are built and were trained, in the words of their family."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = REST


@dataclass(frozen=True, kw_only=True)
class RecordedWords:
    """The written words of a run of maps."""

    texts: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """What was asked, by template, concept and language."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = REST


@dataclass(frozen=True, kw_only=True)
class RecordedEnergy:
    """The energy that a run took."""

    source: str
    """What measured it, or why nothing did."""
    watt_hours: float = math.nan
    """Energy in watt-hours; NaN where nothing measured it."""
    per_1000_queries: float = math.nan
    """The same per 1000 queries."""
    n_queries: int = 0
    """Maps that were made."""


@dataclass(frozen=True, kw_only=True)
class RecordedChildren:
    """What children did in a condition, as the paradigm tells it."""

    condition: str
    """Name of the condition."""
    who: str
    """Age and number of the children."""
    source: str
    """The study."""
    share: float | None = None
    """Share of correct answers, or of looking at the target; None where it is told in words."""
    chance: float | None = None
    """Chance level in the study."""
    found: str = ""
    """What was found, in words."""


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """What a run has recorded of itself."""

    run_id: str
    """Name of the run."""
    paradigm: RecordedParadigm
    """What was asked."""
    stimuli: RecordedSet
    """What was shown and said."""
    subjects: Mapping[str, str]
    """Checksum of weights and description of every network."""
    started: str = ""
    """When the run began, UTC."""
    ended: str | None = None
    """When it ended; None if it did not."""
    status: str = ""
    """``complete`` once it has ended."""
    toolkit_version: str | None = None
    """Version of the toolkit."""
    git: Git | None = None
    """The commit that it was run from; None for an installed package."""
    python: str | None = None
    """Version of Python."""
    packages: Mapping[str, str | None] = field(default_factory=dict)
    """Versions of packages; None where one is not installed."""
    machine: Machine = field(default_factory=Machine)
    """What it was made on."""
    device: RecordedDevice = field(default_factory=RecordedDevice)
    """What networks computed on; earlier versions knew processors alone."""
    command: tuple[str, ...] = ()
    """The command line."""
    studies: tuple[str, ...] = ()
    """SHA-256 of the study files that asked for it, the first one first; none for a run alone."""
    populations: Mapping[str, RecordedPopulation] = field(default_factory=dict)
    """Populations by name."""
    trials_per_class: int | None = None
    """Trials per word class and condition; None where nothing was drawn."""
    trial_seed: int | None = None
    """Number of the trial list; None likewise."""
    fixed_trials: tuple[str, ...] = ()
    """Conditions whose trials the stimulus set fixes."""
    children: tuple[RecordedChildren, ...] = ()
    """What children did, where the paradigm tells it."""
    words: RecordedWords = field(default_factory=RecordedWords)
    """Written words of a run of maps."""
    energy: RecordedEnergy | None = None
    """Energy of a run of maps."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = REST
