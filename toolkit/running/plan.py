"""A run before it is made, and how it is made: what it is called, what is missing, its manifest.

Whatever makes a folder of results opens it here: drawn trial lists and maps (``run-paradigm``), all
triples (``score-all``), embedding spaces (``analyze-space``).
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paradigms.registry import source_checksum
from stimuli import list_sets
from stimuli.files import is_sound
from stimuli.texts import read_json
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.processes.threads import one_thread
from toolkit.provenance import environment, now
from toolkit.running.folder import TRAINING_FILE, RunDirectory, content_key
from toolkit.running.subject_refs import SubjectRef, subjects_of
from toolkit.tables.manifests import CHECKSUMS, MANIFEST_FILE, STUDIES, TRIALS_FILE
from toolkit.tables.trials import DRAW

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from stimuli import StimulusSet
    from toolkit.subjects.population import Population

DEFAULT_ROOT = Path("mevgs-runs")
"""Where runs are kept unless told otherwise."""
LONGEST_NAME = 80
"""Characters of a population's name that go into the name of a run."""
COMPLETE = "complete"
"""Status of a run in its manifest, once all is there."""
LOG_FILE = "training_log.csv"
"""In a population's folder: one row per validation."""


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run consists of, before anything is computed."""

    name: str
    """What the name of the run begins with, as it may stand in the name of a folder."""
    populations: tuple[Population, ...]
    """Who is asked."""
    stimuli: StimulusSet
    """What is said and shown."""
    cells: Mapping[str, str]
    """Key of every cell by what it is, e.g. ``bilingual-en-nl/c/en``."""
    facts: Mapping[str, Any]
    """What else decides the run, for its manifest."""
    paradigm: BaseParadigm | None = None
    """The test; None where no test is put to anyone."""
    tables: tuple[str, ...] = (TRIALS_FILE,)
    """Files in the run's folder that all cells together are joined into."""
    warnings: tuple[str, ...] = ()
    """What the reader of the results must know."""
    device: Device = CPU
    """Where networks compute."""
    study: str = ""
    """SHA-256 of the study file that asks for it; empty where none does."""

    @property
    def run_id(self) -> str:
        """Name of the run: what is asked, who, and a key of everything that decides the rest.

        Runs of the same content have the same name, wherever and whenever they are made.
        """
        names = list(dict.fromkeys(population.name for population in self.populations))
        # Names of published models hold slashes, colons and whole paths.
        plain = re.sub(r"[^A-Za-z0-9._-]+", "-", names[0]).strip("-")
        who = plain[-LONGEST_NAME:] if len(names) == 1 else f"{len(names)}-populations"
        key = content_key({"cells": list(self.cells.values())})
        return f"{self.name}-{who}-{key[:8]}"


@dataclass(frozen=True)
class Finished:
    """A run that has been made."""

    directory: RunDirectory
    """Where it lies."""
    manifest: Mapping[str, Any]
    """What was run."""
    warnings: tuple[str, ...]
    """What the reader of the results must know."""
    n_computed: int
    """Cells computed now."""
    n_reused: int
    """Cells that were there already."""
    duration_s: float
    """Time taken, in seconds."""


Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
Make = Callable[[RunDirectory, Collection[str], Progress], Mapping[str, Any]]
"""Called with the keys of the cells to be made; what it returns goes into the manifest."""


@dataclass(frozen=True, eq=False)
class Prepared:
    """A run that is planned: what is missing of it can be told, or done."""

    plan: Plan
    """What it consists of."""
    root: Path
    """Folder that holds all runs."""
    is_done: Callable[[RunDirectory, str], bool]
    """See `carry_out`."""
    make: Make
    """Makes some of the cells."""
    join: Callable[[RunDirectory], None]
    """Joins all of them."""

    @property
    def directory(self) -> RunDirectory:
        """Where it lies, or will lie."""
        return RunDirectory(self.root, self.plan.run_id)

    def missing(self) -> list[str]:
        """Cells that are not there, by what they are; nothing is computed or written."""
        directory = self.directory
        return [name for name, key in self.plan.cells.items() if not self.is_done(directory, key)]

    def is_joined(self) -> bool:
        """Whether nothing is left to be done where no cell is missing."""
        return _is_finished(self.directory, self.plan)

    def carry_out(self, progress: Progress = lambda *_: None) -> Finished:
        """Do what is missing, see `carry_out`.

        Args:
            progress: called as the work goes on.
        """

        def compute(directory: RunDirectory) -> Mapping[str, Any]:
            told = self.make(directory, self._keys(self.missing()), progress)
            self.join(directory)
            return told

        return carry_out(self.plan, self.root, self.is_done, compute)

    def make_cells(self, names: Iterable[str], progress: Progress = lambda *_: None) -> None:
        """Make some cells and nothing else: neither manifest nor tables, which are for one process.

        Others may be at work beside this one; what two of them make is the same.

        Args:
            names: what they are.
            progress: called as the work goes on, also after every cell.
        """
        with one_thread():
            self.make(self.directory, self._keys(names), progress)

    def _keys(self, names: Iterable[str]) -> frozenset[str]:
        return frozenset(self.plan.cells[name] for name in names)


def carry_out(
    plan: Plan,
    root: Path,
    is_done: Callable[[RunDirectory, str], bool],
    compute: Callable[[RunDirectory], Mapping[str, Any]],
) -> Finished:
    """Do what is missing of a plan, and keep its manifest.

    Args:
        plan: what the run consists of.
        root: folder that holds all runs.
        is_done: whether the cell of a key lies finished in the directory.
        compute: makes the cells that are missing and joins all of them; what it returns goes into
            the manifest.

    Raises:
        ToolkitError: what `compute` raises; cells finished until then are kept. Where there are
            none, a run that is new leaves nothing behind.
    """
    started, clock = now(), time.perf_counter()
    keys = list(plan.cells.values())
    directory = RunDirectory(root, plan.run_id)
    with directory.opened(keys):
        n_missing = sum(not is_done(directory, key) for key in keys)
        finished = not n_missing and _is_finished(directory, plan)
        manifest: dict[str, Any] = _so_far(directory) or {
            "run_id": directory.run_id,
            "started": started,
            **environment(),
        }
        models = manifest.get("device", {}).get("models", [])
        known = [*manifest.get(STUDIES, [])]
        manifest |= {**_told(plan, models), "status": "running", "cells": dict(plan.cells)}
        manifest |= {CHECKSUMS: "sha256"}
        if plan.study not in ("", *known):
            manifest[STUDIES] = [*known, plan.study]
        if finished and manifest.get(STUDIES, []) != known:
            directory.write_json(MANIFEST_FILE, manifest | {"status": COMPLETE})
        if not finished:
            directory.write_json(MANIFEST_FILE, manifest)
            directory.write_training_logs(
                {p.name: p.folder / LOG_FILE for p in plan.populations if p.folder is not None}
            )
            with one_thread():
                manifest |= compute(directory)
            manifest |= {"status": COMPLETE, "ended": now()}
            directory.write_json(MANIFEST_FILE, manifest)
    return Finished(
        directory=directory,
        manifest=manifest,
        warnings=plan.warnings,
        n_computed=n_missing,
        n_reused=len(keys) - n_missing,
        duration_s=time.perf_counter() - clock,
    )


def _so_far(directory: RunDirectory) -> dict[str, Any]:
    """What the run has told of itself before; nothing if that is damaged: it is told anew."""
    try:
        return directory.read_manifest()
    except ToolkitError:
        return {}


def _is_finished(directory: RunDirectory, plan: Plan) -> bool:
    """Whether nothing is left to be done once all cells are there.

    A kill after the last table leaves a manifest that says so: the run is not finished before the
    manifest is.
    """
    logs = directory.folder / TRAINING_FILE
    return (
        is_sound(directory.folder / MANIFEST_FILE)
        and directory.read_manifest().get("status") == COMPLETE
        and all(is_sound(directory.folder / name) for name in plan.tables)
        and (is_sound(logs) or not logs.exists())
    )


def named(paradigm: BaseParadigm) -> list[Any]:
    """What tells a paradigm from all others, for the key of whatever it decides."""
    return [paradigm.name, paradigm.version, source_checksum(paradigm)]


def labels(subject: SubjectRef, paradigm: BaseParadigm) -> dict[str, str | int]:
    """Values of the columns that all rows of a subject share."""
    population = subject.population
    return {
        "paradigm": paradigm.name,
        "paradigm_version": paradigm.version,
        "population": population.name,
        "n_languages": len(population.languages),
        "train_languages": "+".join(population.languages),
        "seed": subject.seed,
        **({DRAW.name: subject.draw} if subject.draw else {}),
    }


def untrained(
    populations: Sequence[Population], tested: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """A warning for every population that is tested in languages it was not trained on."""
    for population in {one.name: one for one in populations}.values():
        foreign = [name for name in tested[population.name] if name not in population.languages]
        if population.languages and foreign:
            yield (
                f"{population.name} was not trained on {', '.join(foreign)}: "
                "read its results there as a control."
            )


def untold(populations: Sequence[Population]) -> Iterator[str]:
    """A note on every population of which nothing tells the backbones that it was trained on."""
    for population in {one.name: one for one in populations}.values():
        if kinds := " and ".join(f"the {kind} backbone" for kind in population.stands_on):
            yield (
                f"{population.name} was trained on features that do not tell {kinds}: it was asked "
                "on features or backbones of the same name."
            )


def _told(plan: Plan, models: Sequence[str]) -> dict[str, Any]:
    """What a manifest says of a plan.

    Args:
        plan: the run.
        models: of the cards that have had a part in it before.
    """
    paradigm, stimuli = plan.paradigm, plan.stimuli
    known = list_sets().get(stimuli.name)
    asked = {
        "paradigm": {
            "name": paradigm.name,
            "kind": paradigm.kind,
            "version": paradigm.version,
            "question": paradigm.question,
            "formula": paradigm.formula,
            "source_sha256": source_checksum(paradigm),
        }
    } if paradigm else {}  # fmt: skip
    subjects = subjects_of(plan.populations)
    return {
        **asked,
        "stimuli": {
            "name": stimuli.name,
            "version": stimuli.version,
            "checksum": stimuli.checksum,
            "title": stimuli.title,
            "description": stimuli.description,
            "licence": stimuli.licence,
            "folder": None if known == stimuli.folder else str(stimuli.folder.resolve()),
        },
        "populations": {p.name: _about(p, subjects) for p in plan.populations},
        "subjects": {subject.name: subject.checksum for subject in subjects},
        "device": {
            "kind": plan.device.kind,
            "precision": plan.device.precision,
            "models": sorted({*models, *filter(None, [plan.device.model])}),
        },
        **plan.facts,
    }


def _about(population: Population, subjects: Sequence[SubjectRef]) -> dict[str, Any]:
    """What a manifest says of a population: how its seeds came about, where that is known."""
    return {
        "description": population.description,
        "languages": list(population.languages),
        "n_seeds": sum(subject.population.name == population.name for subject in subjects),
        "config": _config(population.folder / "config.json") if population.folder else None,
        **({"stands_on": dict(population.stands_on)} if population.stands_on else {}),
    }


def _config(file: Path) -> Any:
    """What a population's folder says of its training; None where it says nothing."""
    return read_json(file) if file.is_file() else None
