"""What a study still has to do: trainings, runs and their cells, done or missing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.api.running import PreparedRun, prepare_run
from toolkit.devices import find_device
from toolkit.studies.durations import Took, read_durations
from toolkit.studies.study import RUNS, SUBJECTS, Asked, Study
from toolkit.subjects.population import DESCRIPTION_FILE

if TYPE_CHECKING:
    from toolkit.running.plan import Prepared
    from toolkit.training.sources import Source

TRAINING = "training"
"""What the durations of trainings are called; those of cells bear the name of their paradigm."""


@dataclass(frozen=True)
class Where:
    """Where a study's results lie, and where networks compute."""

    out: Path
    """Folder of the results."""
    device: str = "cpu"
    """See `toolkit.devices`."""
    precision: str = "float32"
    """How a card computes."""

    @property
    def subjects(self) -> Path:
        """Folder of the populations that the study trains."""
        return self.out / SUBJECTS

    @property
    def runs(self) -> Path:
        """Folder of its runs."""
        return self.out / RUNS


@dataclass(frozen=True)
class PlannedTraining:
    """One population to be trained."""

    population: str
    """Its name."""
    seeds: tuple[str, ...]
    """All of its seeds."""
    done: tuple[str, ...]
    """Those that are trained."""


@dataclass(frozen=True)
class PlannedCell:
    """One network asked in one language, or about some pictures."""

    name: str
    """What it is, e.g. ``bilingual-en-nl/c/en``."""
    key: str | None
    """What it is stored under; None while its network is not trained."""
    done: bool
    """Whether it is there."""


@dataclass(frozen=True, eq=False)
class PlannedRun:
    """One paradigm put to some populations with one list of trials: one run folder."""

    ask: Asked
    """What asks for it."""
    number: int
    """Place of that in the file, from 0 on."""
    trial_seed: int | None
    """Seed of the trial list; None where nothing is drawn."""
    run_id: str | None
    """Name of its folder; None while a network is not trained."""
    cells: tuple[PlannedCell, ...]
    """All that it consists of; of maps, not known before their networks are there."""
    done: bool
    """Whether it is finished, its tables and manifest included."""

    @property
    def n_done(self) -> int:
        """Cells that are there."""
        return sum(cell.done for cell in self.cells)

    @property
    def n_missing(self) -> int:
        """Cells that are not."""
        return len(self.cells) - self.n_done

    @property
    def told(self) -> str:
        """What it is, in one line."""
        who = self.ask.who
        seed = "" if self.trial_seed is None else f", trial seed {self.trial_seed}"
        return f"{self.ask.question}: {who}{seed}"


@dataclass(frozen=True, eq=False)
class StudyPlan:
    """All of a study, done or missing."""

    study: Study
    """The study."""
    where: Where
    """Where its results lie."""
    trainings: tuple[PlannedTraining, ...]
    """Populations that it trains."""
    runs: tuple[PlannedRun, ...]
    """Its runs, in the order of the file."""
    took: Mapping[str, Took]
    """What was measured so far; see `toolkit.studies.durations`."""

    @property
    def missing(self) -> dict[str, int]:
        """Subjects to be trained and cells to be computed, by what their durations are called."""
        found = {TRAINING: sum(len(one.seeds) - len(one.done) for one in self.trainings)}
        for run in self.runs:
            name = run.ask.paradigm.name
            found[name] = found.get(name, 0) + run.n_missing
        return {name: number for name, number in found.items() if number or name != TRAINING}

    @property
    def core_hours(self) -> dict[str, float | None]:
        """What is missing will take about that, as what is done took; None where nothing is."""
        return {
            name: 0.0 if not n else None if name not in self.took else self.took[name].hours(n)
            for name, n in self.missing.items()
        }

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left to be trained or asked."""
        return not any(self.missing.values()) and all(run.done for run in self.runs)

    def content(self) -> dict[str, Any]:
        """The plan as plain values."""
        return {
            "title": self.study.file.study.title,
            "study": str(self.study.path),
            "sha256": self.study.sha256,
            "files": dict(self.study.files),
            "results": str(self.where.out),
            "trainings": [
                {"population": one.population, "seeds": list(one.seeds), "done": list(one.done)}
                for one in self.trainings
            ],
            "runs": [
                {
                    "ask": run.number,
                    "paradigm": run.ask.paradigm.name,
                    "stimuli": run.ask.stimuli.name,
                    "trial_seed": run.trial_seed,
                    "run_id": run.run_id,
                    "done": run.done,
                    "cells": [
                        {"name": cell.name, "key": cell.key, "done": cell.done}
                        for cell in run.cells
                    ],
                }
                for run in self.runs
            ],
            "tests": list(self.study.tests),
            "confirmatory": list(self.study.confirmatory),
            "core_hours": self.core_hours,
        }


def plan_study(study: Study, where: Where) -> StudyPlan:
    """Look at what is done of a study; nothing is computed or written.

    Args:
        study: the study.
        where: where its results lie.

    Raises:
        ToolkitError: something that it needs cannot be had any more.
    """
    trainings = tuple(_trainings(study, where))
    ready = {one.population for one in trainings if one.done == one.seeds}
    runs = [
        _run(study, where, ask, number, seed, ready)
        for number, ask in enumerate(study.asks)
        for seed in ask.trial_seeds
    ]
    return StudyPlan(study, where, trainings, tuple(runs), read_durations(where.out))


def _trainings(study: Study, where: Where) -> Iterator[PlannedTraining]:
    from toolkit.training.populations import finished_subjects

    for grid in study.grids:
        device = find_device(where.device, where.precision)
        done = set(
            finished_subjects(grid.conditions, grid.seeds, where.subjects, source_of(grid), device)
        )
        for condition in grid.conditions:
            names = tuple(condition.subjects(grid.seeds))
            trained = [name for name in names if f"{condition.name}/{name}" in done]
            yield PlannedTraining(condition.name, names, tuple(trained))


def source_of(grid: Any) -> Source:
    """What a grid is trained on."""
    from toolkit.training.sources import open_source

    trained = {code for condition in grid.conditions for code in condition.languages}
    return open_source(grid.stimuli, grid.hearing, grid.seeing, trained)


def prepare(
    study: Study,
    where: Where,
    ask: Asked,
    trial_seed: int | None,
    jobs: int = 1,
    names: Sequence[str] = (),
) -> PreparedRun:
    """Plan one run, as ``run-paradigm`` does; its networks must be trained.

    Args:
        study: the study.
        where: where its results lie.
        ask: what asks for it.
        trial_seed: seed of the trial list.
        jobs: networks, or chunks of pictures, worked on at the same time.
        names: some of its subjects alone, whose cells are the same as in the whole run; all of
            them if none is named.

    Raises:
        ToolkitError: as `toolkit.api.running.prepare_run`.
    """
    trained = any(where.subjects.glob(f"*/{DESCRIPTION_FILE}"))
    return prepare_run(
        ask.paradigm,
        list(names or ask.names),
        languages=ask.table.languages or (),
        stimuli=ask.stimuli,
        templates=ask.table.templates or (),
        trials_per_class=ask.table.trials_per_class,
        trial_seed=trial_seed,
        out=where.runs,
        jobs=jobs,
        device=where.device,
        precision=where.precision,
        subjects_dir=where.subjects if trained and study.grids else None,
        paradigms_dir=study.paradigms_dir,
        study=study.sha256,
    )


def _run(
    study: Study, where: Where, ask: Asked, number: int, seed: int | None, ready: set[str]
) -> PlannedRun:
    planned = partial(PlannedRun, ask, number, seed)
    lacking = study.trained.keys() - ready
    if {one.name for one in ask.populations} & lacking:
        there = [
            name
            for name, one in zip(ask.names, ask.populations, strict=True)
            if one.name not in lacking
        ]
        cells = _cells(prepare(study, where, ask, seed, names=there).prepared) if there else []
        known = {cell.name: cell for cell in cells}
        names = [
            f"{one.name}/{subject}/{code}"
            for one in ask.populations
            for subject in one.seeds
            for code in ask.tested[one.name]
        ]
        cells = [known.get(name, PlannedCell(name, None, done=False)) for name in names]
        return planned(None, tuple(cells), False)
    prepared = prepare(study, where, ask, seed).prepared
    cells = _cells(prepared)
    done = all(cell.done for cell in cells) and prepared.is_finished()
    return planned(prepared.plan.run_id, tuple(cells), done)


def _cells(prepared: Prepared) -> list[PlannedCell]:
    missing = set(prepared.missing())
    return [
        PlannedCell(name, key, name not in missing) for name, key in prepared.plan.cells.items()
    ]
