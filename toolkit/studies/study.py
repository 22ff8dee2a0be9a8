"""A study whose file was read and found in order: what is trained, who is asked what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from toolkit.running.kinds import RUNNING
from toolkit.statistics.settings import Gate, Settings

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from stimuli import StimulusSet
    from toolkit.studies.file import Ask, StudyFile
    from toolkit.subjects.population import Population
    from toolkit.training.grid import Grid

SUBJECTS, RUNS = "subjects", "runs"
"""Folders of a study's results: populations that it trained, and runs."""
MOST = 4
"""Subjects that are named in a line."""


def results_of(study: Path) -> Path:
    """Folder of a study's results where no other is named: beside its file, named after it.

    Args:
        study: the file.

    Example:
        >>> results_of(Path("words/study.toml")).as_posix()
        'words/study-results'
    """
    return study.with_name(f"{study.stem}-results")


@dataclass(frozen=True, eq=False)
class Asked:
    """One ``[[ask]]``, with what it names."""

    table: Ask
    """As it is written."""
    paradigm: BaseParadigm
    """The test."""
    stimuli: StimulusSet
    """The stimulus set."""
    names: tuple[str, ...]
    """Subjects, as `toolkit.subjects.populations.open_populations` takes them."""
    populations: tuple[Population, ...]
    """The same opened; those that the study trains stand for themselves, and cannot be loaded."""
    tested: Mapping[str, tuple[str, ...]]
    """Test languages by population."""

    @property
    def trial_seeds(self) -> tuple[int | None, ...]:
        """Seeds of the trial lists, one run each; None alone where nothing is drawn."""
        if "trial_seed" not in RUNNING[self.paradigm.kind].options:
            return (None,)
        return self.table.trial_seeds or (0,)

    @property
    def who(self) -> str:
        """Subjects as the file names them, or their number where it names none or many."""
        given = self.table.subjects or ()
        if 0 < len(given) <= MOST:
            return ", ".join(given)
        return f"{len(self.names)} populations"

    @property
    def key(self) -> tuple[str, str]:
        """What is analysed together: name of the paradigm and checksum of the stimulus set."""
        return self.paradigm.name, self.stimuli.checksum

    @property
    def question(self) -> str:
        """The same in words."""
        return f"{self.paradigm.name} on {self.stimuli.name}"


@dataclass(frozen=True, eq=False)
class Study:
    """A study that can be carried out."""

    path: Path
    """Its file."""
    sha256: str
    """Checksum of the file."""
    file: StudyFile
    """What the file holds."""
    files: Mapping[str, str]
    """Checksums of the grid files and word lists that it names."""
    grids: tuple[Grid, ...]
    """What is trained, one per ``[[train]]``."""
    asks: tuple[Asked, ...]
    """Who is asked what, one per ``[[ask]]``."""
    tests: Mapping[str, tuple[str, ...]]
    """Names that ``confirmatory`` may hold, with the tests that each stands for, as ``PARADIGM:
    TEST``; see `toolkit.studies.contrasts.tests_of`."""
    confirmatory: tuple[str, ...]
    """The tests that decide about the hypotheses, each as ``PARADIGM: TEST``."""

    @property
    def results(self) -> Path:
        """Folder of the results where no other is named: beside the file, named after it."""
        return results_of(self.path)

    @property
    def trained(self) -> dict[str, tuple[str, ...]]:
        """Seeds of the populations that it trains, by name."""
        return {
            condition.name: tuple(condition.subjects(grid.seeds))
            for grid in self.grids
            for condition in grid.conditions
        }

    @property
    def paradigms_dir(self) -> Path | None:
        """Folder with paradigms of one's own."""
        own = self.file.study.paradigms
        return None if own is None else self.path.parent / own

    def settings(self, paradigm: BaseParadigm) -> Settings:
        """What is fixed before the data of a paradigm are looked at.

        Args:
            paradigm: one that is asked; a gate holds where it has the gate's condition.
        """
        told = self.file.analysis
        if paradigm.kind != "choices":
            return Settings(told.alpha)
        gate, known = None, {condition.name for condition in paradigm.conditions}
        if told.gate is not None and told.gate.condition in known:
            gate = Gate(told.gate.condition, told.gate.minimum)
        return Settings(told.alpha, told.equivalence_bound, told.bootstrap, gate)
