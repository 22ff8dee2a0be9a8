"""What a study still has to do: trainings, runs and their cells, done or missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from sys import intern
from typing import TYPE_CHECKING, Any

from stimuli.files import is_sound
from toolkit.api.checks import shown_set
from toolkit.api.running import PreparedRun, prepare_opened
from toolkit.devices import find_device
from toolkit.statistics.saved import SUMMARY_FILE
from toolkit.studies.attempts import took_by_workers
from toolkit.studies.durations import Took, added, read_durations
from toolkit.studies.study import RUNS, SUBJECTS, Asked, Study
from toolkit.subjects.population import DESCRIPTION_FILE, ReadOnce
from toolkit.subjects.populations import open_populations

if TYPE_CHECKING:
    from toolkit.running.plan import Prepared
    from toolkit.subjects.population import Population
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


@dataclass(frozen=True, slots=True)
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
    populations: tuple[Population, ...]
    """Those of its subjects that are there."""
    cells: tuple[PlannedCell, ...]
    """All that it consists of; of maps, not known before their networks are there."""
    done: bool
    """Whether it is finished, its tables and manifest included."""

    @cached_property
    def n_done(self) -> int:
        """Cells that are there."""
        return sum(cell.done for cell in self.cells)

    @cached_property
    def by_subject(self) -> Mapping[str, Sequence[PlannedCell]]:
        """The same cells by the subject that they belong to."""
        found: dict[str, list[PlannedCell]] = {}
        for cell in self.cells:
            found.setdefault(subject_of(cell.name), []).append(cell)
        return found

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
    lacking = study.trained.keys() - ready
    runs = [
        run
        for number, ask in enumerate(study.asks)
        for run in _runs(study, where, ask, number, lacking)
    ]
    took = added(read_durations(where.out), took_by_workers(where.out))
    return StudyPlan(study, where, trainings, tuple(runs), took)


def subject_of(cell: str) -> str:
    """The subject that a cell belongs to.

    Args:
        cell: its name in a plan.

    Example:
        >>> subject_of("bilingual-en-nl/c/en")
        'bilingual-en-nl/c'
    """
    return cell.rpartition("/")[0]


def _trainings(study: Study, where: Where) -> Iterator[PlannedTraining]:
    for grid in study.grids:
        # Not before: it takes half a gigabyte, and a study without trainings does without.
        from toolkit.training.populations import finished_subjects

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


def opened(
    study: Study, where: Where, ask: Asked, only: Collection[str] | None = None
) -> tuple[Population, ...]:
    """The subjects of an ask as they are now, which all of its runs share.

    Args:
        study: the study.
        where: where its results lie.
        ask: what asks for them; those that the study trains must be trained.
        only: some of them alone, such as ``bilingual-en-nl/c``, whose cells are the same as in the
            whole run; all of them if left out.

    Raises:
        ToolkitError: one cannot be had any more.
    """

    def wanted(one: Population) -> tuple[str, ...]:
        return tuple(seed for seed in one.seeds if only is None or f"{one.name}/{seed}" in only)

    names = [name for name, one in zip(ask.names, ask.populations, strict=True) if wanted(one)]
    if not names:
        return ()
    trained = study.grids and any(where.subjects.glob(f"*/{DESCRIPTION_FILE}"))
    populations = open_populations(names, where.subjects if trained else None)
    shown_set(ask.stimuli, populations, ask.paradigm.default_set)
    return tuple(ReadOnce.of(replace(one, seeds=wanted(one))) for one in populations)


def prepare(
    study: Study,
    where: Where,
    ask: Asked,
    trial_seed: int | None,
    populations: Sequence[Population],
    jobs: int = 1,
) -> PreparedRun:
    """Plan one run, as ``run-paradigm`` does.

    Args:
        study: the study.
        where: where its results lie.
        ask: what asks for it.
        trial_seed: seed of the trial list.
        populations: what `opened` gave.
        jobs: networks, or chunks of pictures, worked on at the same time.

    Raises:
        ToolkitError: as `toolkit.api.running.prepare_run`.
    """
    return prepare_opened(
        ask.paradigm,
        populations,
        ask.stimuli,
        out=where.runs,
        study=study.sha256,
        languages=ask.table.languages or (),
        templates=ask.table.templates or (),
        trials_per_class=ask.table.trials_per_class,
        trial_seed=trial_seed,
        jobs=jobs,
        device=find_device(where.device, where.precision),
        paradigms_dir=study.paradigms_dir,
    )


def _runs(
    study: Study, where: Where, ask: Asked, number: int, lacking: Collection[str]
) -> Iterator[PlannedRun]:
    """The runs of an ask, one for each trial seed."""
    only = None
    if any(one.name in lacking for one in ask.populations):
        known = (one for one in ask.populations if one.name not in lacking)
        only = {f"{one.name}/{seed}" for one in known for seed in one.seeds}
    populations = opened(study, where, ask, only)
    for seed in ask.trial_seeds:
        planned = partial(PlannedRun, ask, number, seed)
        prepared = prepare(study, where, ask, seed, populations).prepared if populations else None
        cells = _cells(prepared) if prepared else []
        if prepared and only is None:
            # The summary comes last: a kill may leave a run that has all but that.
            told = is_sound(prepared.directory.folder / SUMMARY_FILE)
            done = told and all(cell.done for cell in cells) and prepared.is_joined()
            yield planned(prepared.plan.run_id, populations, tuple(cells), done)
            continue
        found = {cell.name: cell for cell in cells}
        names = [
            f"{one.name}/{subject}/{code}"
            for one in ask.populations
            for subject in one.seeds
            for code in ask.tested[one.name]
        ]
        cells = [found.get(name) or PlannedCell(name, None, done=False) for name in names]
        yield planned(None, populations, tuple(cells), False)


def _cells(prepared: Prepared) -> list[PlannedCell]:
    missing = set(prepared.missing())
    return [
        PlannedCell(intern(name), key, name not in missing)
        for name, key in prepared.plan.cells.items()
    ]
