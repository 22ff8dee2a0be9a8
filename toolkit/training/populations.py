"""Train whole populations: the shipped ones, or any others of one's own.

A run that was killed goes on where it stopped: the features of the stimuli are kept in
`OUT/features`, a subject whose file carries the checksum of everything that decides it is not
trained again, and one that was being trained goes on from its state in `OUT/unfinished`.
"""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stimuli.files import is_sound, remove_abandoned, sha256_of
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError, unknown_name
from toolkit.processes.alone import alone_in, alone_with
from toolkit.processes.threads import one_thread
from toolkit.provenance import package_version
from toolkit.subjects.population import own_draw
from toolkit.training import cards
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.conditions import Cell, Condition
from toolkit.training.draws import Draws
from toolkit.training.fit import Standing, network_config
from toolkit.training.published_samples import read_samples
from toolkit.training.sampler import Sampler
from toolkit.training.schedule import Schedule
from toolkit.training.sources import Progress, Source
from toolkit.training.together import can_be_together
from toolkit.training.workers import Job, opened_bank, train_all

TRAINING_VERSION = 1
"""Raised when the same recipe would give other weights."""
CIRCUMSTANCES = ("versions", "features_made_on", "features")
"""What `config.json` says beside what decides the weights."""
FEWEST = "fewest_updates"
"""Told of draws where epochs differ in length, as some concepts have more clips than others."""
UNFINISHED = "unfinished"
"""Folder of the states of subjects that are being trained."""

Watch = Callable[[str, Standing], None]
"""Called with the name of a subject and how far its training is."""


@one_thread()
def train_populations(
    conditions: Sequence[Condition],
    seeds: Sequence[str],
    out: str | Path,
    source: Source,
    jobs: int | None = None,
    progress: Progress = lambda *_: None,
    watch: Watch = lambda *_: None,
    device: Device = CPU,
    only: Collection[str] | None = None,
) -> None:
    """Train populations and write one folder for each.

    Several seeds of a population are trained in one pass where its family allows it: each comes
    out as it does alone but for rounding, and the same to the last bit whatever the others are.

    Args:
        conditions: the populations.
        seeds: names of their seeds.
        out: folder for the population folders; made where it is missing.
        source: what is trained on, see `open_source`; only its splits `train` and `valid`.
        jobs: processes at work, each on one core; 2 if left out, and 1 on a card, whose memory
            they would share. They do not change the weights.
        progress: called as the work goes on.
        watch: called as subjects are trained.
        device: where backbones and networks compute. Its precision decides what a subject is, as
            the recipe does; its kind is told next to the weights.
        only: names of the subjects that are trained, in every population; None for all of them.

    Raises:
        ToolkitError: a language without words, a class without pictures, a folder that cannot be
            written, stimuli or features that cannot be read, a training that diverged, a subject
            that another process trains into the same folder.
    """
    check_training(conditions, source)
    folder = Path(out)
    try:
        for part in ("features", UNFINISHED):
            (folder / part).mkdir(parents=True, exist_ok=True)
            remove_abandoned(folder / part)
    except OSError as error:
        raise ToolkitError(f"Cannot make the folder {folder}: {error.strerror}.") from error
    facts, work = {}, []
    for condition in conditions:
        bank = source.kept_bank(condition.recipe, folder / "features", progress, device)
        facts[condition.name] = _facts(condition, source, bank, device)
        (folder / condition.name).mkdir(exist_ok=True)
        with alone_in(folder / condition.name):
            cards.start(folder / condition.name, facts[condition.name])
        names = condition.subjects(seeds)
        own = _jobs(condition, names, folder, bank, facts[condition.name], source, device)
        work += [job for job in own if only is None or job.cell.seed in only]
    waiting = [job for job in work if not _is_finished(folder, job)]
    finished = [job for job in work if job not in waiting]
    # Closed whatever happens here: its processes would otherwise train on.
    with ExitStack() as held:
        for job in waiting:
            held.enter_context(_held(job))
        # A kill may have come after the weights were written, and before the rest.
        for condition in dict.fromkeys(job.cell.condition for job in finished):
            with alone_in(folder / condition.name):
                _describe(folder, condition, facts[condition.name])
        for job in finished:
            job.checkpoint.remove()
        progress("training subjects", len(finished), len(work))
        n_processes = jobs or (2 if device.kind == "cpu" else 1)
        trained = held.enter_context(closing(train_all(waiting, n_processes, watch)))
        for done, (job, fitted) in enumerate(trained, len(finished) + 1):
            condition, seed = job.cell.condition, job.cell.seed
            with alone_in(folder / condition.name):
                cards.add_subject(folder / condition.name, seed, fitted, job.checkpoint.key)
                _describe(folder, condition, facts[condition.name])
            job.checkpoint.remove()
            progress("training subjects", done, len(work))
    with suppress(OSError):
        # Another run in the same folder may have subjects in it.
        (folder / UNFINISHED).rmdir()


@one_thread()
def train_states(
    condition: Condition,
    names: Sequence[str],
    out: str | Path,
    source: Source,
    must_end: Callable[[], bool],
    watch: Watch = lambda *_: None,
    device: Device = CPU,
) -> None:
    """Train subjects to the end, and leave all but their states to `train_populations`.

    For one of many processes that share a folder: nothing but the states of these subjects is
    written, and the features of the stimuli where they are missing. What two processes make of one
    subject is the same. `train_populations` finds the states and makes populations of them.

    Args:
        condition: the population.
        names: of its subjects that are trained here, side by side where that can be.
        out: as for `train_populations`, and so are all others.
        source: what is trained on.
        must_end: whether to save the states and end; asked after every update.
        watch: called as subjects are trained.
        device: where networks compute.

    Raises:
        StoppedError: `must_end` said so.
        ToolkitError: as `train_populations`.
    """
    check_training([condition], source)
    folder = Path(out)
    for part in ("features", UNFINISHED):
        (folder / part).mkdir(parents=True, exist_ok=True)
    bank = source.kept_bank(condition.recipe, folder / "features", lambda *_: None, device)
    facts = _facts(condition, source, bank, device)
    jobs = _jobs(condition, names, folder, bank, facts, source, device)
    waiting = [
        replace(job, checkpoint=replace(job.checkpoint, must_end=must_end))
        for job in jobs
        if not _is_finished(folder, job)
    ]
    for _ in train_all(waiting, 1, watch):
        pass


def _jobs(
    condition: Condition,
    names: Sequence[str],
    folder: Path,
    bank: Path,
    facts: dict[str, Any],
    source: Source,
    device: Device,
) -> list[Job]:
    """Subjects of a population, finished or not."""
    samples = source.samples(condition.languages, condition.recipe)
    together = len(names) > 1 and can_be_together(condition.languages, condition.recipe, device)
    if FEWEST in facts.get("draws", {}):
        together = False  # those in one pass make equally many updates
    jobs = []
    for cell in (Cell(condition, name) for name in names):
        state = folder / UNFINISHED / f"{condition.name}_{cell.seed}.pt"
        concepts = own_draw(cell.seed, facts.get("familiar", {}))
        checkpoint = Checkpoint(state, cell_key(cell, facts), cell.seed)
        jobs.append(Job(cell, bank, checkpoint, together, device, samples, concepts))
    return jobs


def trained_states(
    condition: Condition, names: Sequence[str], out: str | Path, source: Source, device: Device
) -> list[str]:
    """Subjects whose states `train_states` has brought to the end; nothing is computed or written.

    Args:
        condition: as for `train_states`, and so are all others.
        names: of its subjects.
        out: folder of the population folders.
        source: what is trained on.
        device: where networks compute.
    """
    folder = Path(out)
    if not is_sound(source.bank_path(condition.recipe, folder / "features")):
        return []
    bank = source.kept_bank(condition.recipe, folder / "features", lambda *_: None, device)
    facts = _facts(condition, source, bank, device)
    found = []
    for job in _jobs(condition, names, folder, bank, facts, source, device):
        state = job.checkpoint.load()
        if state is None:
            continue
        met = job.features().few(condition.recipe.exemplars, job.cell.number)
        n_clips = met.n_clips("train", condition.languages)
        schedule = Schedule.of(condition.recipe, n_clips, len(condition.languages))
        if state.get("update") == schedule.n_updates:
            found.append(job.cell.seed)
    return found


def finished_subjects(
    conditions: Sequence[Condition],
    seeds: Sequence[str],
    out: str | Path,
    source: Source,
    device: Device = CPU,
) -> list[str]:
    """Subjects that `train_populations` would not train again; nothing is computed or written.

    Where the features of the stimuli are gone, nobody can tell: none counts as finished then.

    Args:
        conditions: as for `train_populations`, and so are all others.
        seeds: names of their seeds.
        out: folder of the population folders.
        source: what is trained on.
        device: where networks compute.
    """
    folder, found = Path(out), []
    for condition in conditions:
        if not is_sound(source.bank_path(condition.recipe, folder / "features")):
            continue
        bank = source.kept_bank(condition.recipe, folder / "features", lambda *_: None, device)
        facts = _facts(condition, source, bank, device)
        found += [
            cell.name
            for cell in (Cell(condition, name) for name in condition.subjects(seeds))
            if cards.stored_key(folder / condition.name, cell.seed) == cell_key(cell, facts)
        ]
    return found


def _held(job: Job) -> AbstractContextManager[None]:
    """Holds a subject, so that no other process trains it into the same folder meanwhile."""
    return alone_with(
        job.checkpoint.lock,
        f"{job.cell.name} is being trained by another process, into the same folder.",
    )


def cell_key(cell: Cell, facts: dict[str, Any]) -> str:
    """Checksum over everything that decides the weights of a subject.

    Args:
        cell: the subject.
        facts: `config.json` of its population.
    """
    decisive = {key: value for key, value in facts.items() if key not in CIRCUMSTANCES}
    # Further draws do not change those that there were.
    if decisive.pop("draws", None):
        decisive["familiar"] = own_draw(cell.seed, decisive["familiar"])
    text = json.dumps([TRAINING_VERSION, decisive, cell.seed, cell.number], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _is_finished(folder: Path, job: Job) -> bool:
    """Whether the weights of a subject are there, and what they should be."""
    condition = job.cell.condition
    return cards.stored_key(folder / condition.name, job.cell.seed) == job.checkpoint.key


def _describe(folder: Path, condition: Condition, facts: dict[str, Any]) -> None:
    """Describe a population with all of its subjects that are finished."""
    population = folder / condition.name
    seeds = sorted(
        (path.stem for path in population.glob("*.safetensors")),
        key=lambda seed: (len(seed), seed),
    )
    keys = {seed: cell_key(Cell(condition, seed), facts) for seed in seeds}
    cards.describe(population, facts, keys)


def check_training(conditions: Sequence[Condition], source: Source) -> None:
    """Refuse what cannot be trained on before anything is computed or written.

    Args:
        conditions: the populations.
        source: what is trained on.

    Raises:
        ToolkitError: two populations of one name, or too little to train them on.
    """
    names = [condition.name for condition in conditions]
    for name in names:
        if names.count(name) > 1:
            raise ToolkitError("Two populations would have the same name.", given=name)
    bank = source.outline()
    for condition in conditions:
        for language in condition.languages:
            if language not in source.languages:
                raise unknown_name("language", language, source.languages)
        source.check(condition.recipe)
        for split in ("train", "valid") if condition.languages else ():
            Sampler(bank, split, condition.languages, seed=0, links=condition.recipe.links)
        if samples := source.samples(condition.languages, condition.recipe):
            read_samples(samples, bank, condition.recipe)
        if condition.draws:
            condition.draws.of(bank.concepts)


def _facts(condition: Condition, source: Source, features: Path, device: Device) -> dict[str, Any]:
    """Everything that `config.json` of a population says."""
    bank, recipe, languages = opened_bank(features), condition.recipe, condition.languages
    draws = condition.draws.of(bank.concepts) if condition.draws else {}
    # How many exemplars are met is the same for every seed.
    met = bank.few(recipe.exemplars, seed=0)
    banks = [met.only(concepts) for concepts in draws.values()] or [met]
    schedules = {
        Schedule.of(recipe, own.n_clips("train", languages), len(languages)) for own in banks
    }
    schedule = max(schedules, key=lambda one: one.n_updates)
    of_each = " of each draw" if draws else ""
    return {
        "population": condition.name,
        "languages": list(languages),
        "network": asdict(network_config(bank, recipe)),
        "training": {
            "version": TRAINING_VERSION,
            **recipe.record(),
            **schedule.record(),
            "features": source.trained_on(recipe, features),
            **({} if device.precision == "float32" else {"precision": device.precision}),
            **_samples(source.samples(languages, recipe)),
        },
        **({} if bank.made_on == CPU.told else {"features_made_on": bank.made_on}),
        "stimuli": {
            "name": source.name,
            "version": source.version,
            "checksum": source.checksum,
            "trained_on": f"split train, familiar concepts{of_each}",
            "chosen_by": f"split valid, familiar concepts{of_each}",
        },
        **(_drawn(condition.draws, draws, schedules) if condition.draws else {}),
        "backbones": source.backbones(),
        **({"features": files} if (files := source.files()) else {}),
        "versions": {
            "mevgs-toolkit": package_version("mevgs-toolkit"),
            "python": platform.python_version(),
            "torch": torch.__version__.split("+")[0],
            "numpy": np.__version__,
        },
    }


def _samples(path: Path | None) -> dict[str, str]:
    """What `config.json` says of a published validation sample, which decides what is kept."""
    if path is None:
        return {}
    return {"validation_samples": path.name, "validation_samples_sha256": sha256_of(path)}


def _drawn(
    draws: Draws, familiar: Mapping[str, Sequence[str]], schedules: Collection[Schedule]
) -> dict[str, Any]:
    """What `config.json` says of draws of familiar concepts."""
    updates = [schedule.n_updates for schedule in schedules]
    told = draws.record() | ({FEWEST: min(updates)} if len(set(updates)) > 1 else {})
    return {"draws": told, "familiar": {name: list(own) for name, own in familiar.items()}}
