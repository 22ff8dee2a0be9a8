"""A study on many machines: what stands where, and what is handed over next.

Files come first: what lies there is done, whatever a queue says of it. Then the queue. What is in
neither is handed over, unless it failed too often.
"""

from __future__ import annotations

import shutil
import sys
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from toolkit.devices import find_device
from toolkit.processes.slurm import Submitted, Task, Work, submit
from toolkit.studies.attempts import Attempts, attempts_file, attempts_in
from toolkit.studies.chunks import Chunk, Kept, cells_of, work_command
from toolkit.studies.plan import StudyPlan, source_of

LOGS = "logs"
"""In the folder of a study's results: what tasks print."""
State = Literal["done", "running", "waiting", "needs you", "failed", "missing", "later"]
"""What a chunk is at: `later` waits for its networks to be trained, `failed` was given up."""
STATES: tuple[State, ...] = (
    "done", "running", "waiting", "needs you", "failed", "missing", "later",
)  # fmt: skip
WAITING = ("PENDING", "REQUEUED", "SUSPENDED")


@dataclass(frozen=True)
class Standing:
    """What a chunk is at."""

    number: int
    """Its number."""
    chunk: Chunk
    """What it does."""
    state: State
    """What it is at."""
    task: Task | None
    """What the queue says of it; None if nothing."""
    attempts: Attempts
    """What came of it so far."""


def standings(
    plan: StudyPlan, kept: Kept, queue: Mapping[int, Task], states: Collection[str]
) -> list[Standing]:
    """What all chunks are at, but for those that others stand for.

    Args:
        plan: of the study, as things stand.
        kept: its chunks.
        queue: tasks by the number of their chunk.
        states: subjects whose trainings have come to their end, see `ready_states`.
    """
    trained = {f"{one.population}/{seed}" for one in plan.trainings for seed in one.done}
    done = trained | {*states}
    found = []
    replaced = {*kept.content.replaced} - queue.keys()
    for number, chunk in enumerate(kept.content.chunks):
        if number in replaced:
            continue
        attempts = attempts_in(attempts_file(kept.out, kept.name, number))
        task = queue.get(number)
        state = _state(plan, chunk, done, task, attempts)
        found.append(Standing(number, chunk, state, task, attempts))
    return found


def _state(
    plan: StudyPlan, chunk: Chunk, trained: set[str], task: Task | None, past: Attempts
) -> State:
    cells = cells_of(plan, chunk)
    seeds = [f"{part.population}/{seed}" for part in chunk.train for seed in part.seeds]
    if all(cell.done for cell in cells) and trained.issuperset(seeds):
        return "done"
    if task is not None:
        if task.needs_you:
            return "needs you"
        return "waiting" if task.state in WAITING else "running"
    if any(cell.key is None for cell in cells):
        return "later"
    return "failed" if past.is_given_up else "missing"


def ready_states(plan: StudyPlan) -> list[str]:
    """Subjects whose trainings have come to their end, and are no populations yet.

    Args:
        plan: of the study.
    """
    device = find_device(plan.where.device, plan.where.precision)
    done = {one.population: one.done for one in plan.trainings}
    found = []
    for grid in plan.study.grids:
        from toolkit.training.populations import trained_states

        for condition in grid.conditions:
            names = condition.subjects(grid.seeds)
            left = [name for name in names if name not in done[condition.name]]
            if left and not condition.learns:
                found += [f"{condition.name}/{name}" for name in left]
            elif left:
                source = source_of(grid)
                own = trained_states(condition, left, plan.where.subjects, source, device)
                found += [f"{condition.name}/{name}" for name in own]
    return found


def make_populations(plan: StudyPlan, states: Collection[str]) -> None:
    """Make populations of subjects whose trainings have come to their end; nothing is trained.

    Args:
        plan: of the study.
        states: what `ready_states` gave.

    Raises:
        ToolkitError: as `toolkit.training.populations.train_populations`.
    """
    from toolkit.training.populations import train_populations

    device = find_device(plan.where.device, plan.where.precision)
    for grid in plan.study.grids:
        for condition in grid.conditions:
            names = condition.subjects(grid.seeds)
            ready = {name for name in names if f"{condition.name}/{name}" in states}
            if ready:
                train_populations(
                    [condition],
                    grid.seeds,
                    plan.where.subjects,
                    source_of(grid),
                    1,
                    device=device,
                    only=ready,
                )


def slurm_work(
    plan: StudyPlan, kept: Kept, options: Mapping[str, str], at_once: int | None = None
) -> Work:
    """How SLURM runs the chunks of a study.

    Args:
        plan: of the study.
        kept: its chunks.
        options: of sbatch, which stand before those of the study file.
        at_once: tasks of an array that run at the same time, at most.
    """
    from_file = {
        name: "" if value is True else str(value)
        for name, value in plan.study.file.executor.slurm.items()
        if value is not False
    }
    return Work(
        name=f"mevgs-{kept.name}",
        command=(*_program(), *work_command(kept)),
        folder=Path.cwd(),
        logs=(plan.where.out / LOGS).absolute(),
        options={**from_file, **options},
        at_once=at_once,
    )


def hand_over(work: Work, found: Sequence[Standing]) -> Submitted | None:
    """Hand over to SLURM what is missing.

    Args:
        work: see `slurm_work`.
        found: what all chunks are at.

    Returns:
        What came of it; None where nothing is missing that could be handed over.

    Raises:
        ToolkitError: as `toolkit.processes.slurm.submit`.
    """
    missing = [one.number for one in found if one.state == "missing"]
    if not missing:
        return None
    work.logs.mkdir(parents=True, exist_ok=True)
    return submit(work, missing)


def counted(found: Sequence[Standing]) -> dict[str, int]:
    """How many chunks are at what, those states left out that none is in.

    Args:
        found: what all chunks are at.
    """
    counts = Counter(one.state for one in found)
    return {state: counts[state] for state in STATES if counts[state]}


def _program() -> list[str]:
    """This program, as another machine finds it: by its place, which all of them share."""
    beside = Path(sys.executable).with_name("mevgs-toolkit")
    found = shutil.which(str(beside))
    own = [sys.executable, "-c", "from toolkit.cli import command; command()"]
    return [found] if found else own
