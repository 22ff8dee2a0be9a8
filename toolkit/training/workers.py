"""Processes that train subjects side by side and tell how far they are."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path
from queue import SimpleQueue

from toolkit.devices import CPU, Device
from toolkit.processes.workers import processes, tell
from toolkit.training import fit
from toolkit.training.bank_files import load_bank
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.conditions import Cell
from toolkit.training.features import FeatureBank
from toolkit.training.together import begun_together, fit_together, together_on


@dataclass(frozen=True)
class Job:
    """A subject to be trained."""

    cell: Cell
    """The subject."""
    bank: Path
    """File with the features of the stimuli."""
    checkpoint: Checkpoint
    """Where its state is kept meanwhile."""
    together: bool = False
    """Whether it is trained in one pass with other seeds, if it is not begun in the other way."""
    device: Device = CPU
    """Where it is trained."""
    samples: Path | None = None
    """File with a published validation sample; None: it is drawn."""
    concepts: tuple[str, ...] | None = None
    """The classes that it meets; None for all of the bank."""

    def features(self) -> FeatureBank:
        """What it is trained on."""
        bank = replace(bank_at_hand(self.bank), samples=self.samples)
        return bank if self.concepts is None else bank.only(self.concepts)


def grouped(jobs: Sequence[Job], n_processes: int) -> list[list[Job]]:
    """Subjects that one process trains: seeds of one condition.

    There are as many groups as keep all processes busy to the end.

    Args:
        jobs: the subjects, condition after condition.
        n_processes: how many are at work.
    """
    conditions: dict[str, list[Job]] = {}
    for job in jobs:
        conditions.setdefault(job.cell.condition.name, []).append(job)
    groups = []
    for seeds in conditions.values():
        parts = n_processes // math.gcd(n_processes, len(conditions))
        parts = min(parts, len(seeds)) if seeds[0].together else len(seeds)
        bounds = [len(seeds) * part // parts for part in range(parts + 1)]
        groups += [seeds[start:end] for start, end in itertools.pairwise(bounds)]
    return groups


def train_all(
    jobs: Sequence[Job], n_processes: int, watch: Callable[[str, fit.Standing], None]
) -> Generator[tuple[Job, fit.Fitted], None, None]:
    """Train subjects, each as soon as a process is free; those that are ready come first.

    The processes are there until all subjects are ready, or until the generator is closed.

    Args:
        jobs: the subjects, condition after condition.
        n_processes: how many are at work at the same time; 1 stays in this process.
        watch: called with the name of a subject and how far it is.
    """
    groups = grouped(jobs, n_processes)
    if n_processes == 1:
        for group in groups:
            yield from zip(group, _train(group, watch), strict=True)
        return
    news: SimpleQueue[Future[list[fit.Fitted]] | tuple[str, fit.Standing]] = SimpleQueue()
    with processes(min(n_processes, max(1, len(groups))), hear=news.put) as begin:
        running = {begin(_train_and_tell, group): group for group in groups}
        for future in running:
            future.add_done_callback(news.put)
        while running:
            one = news.get()
            if isinstance(one, Future):
                yield from zip(running.pop(one), one.result(), strict=True)
            else:
                watch(*one)


@lru_cache(maxsize=2)
def opened_bank(path: Path) -> FeatureBank:
    """The features, mapped into memory once per process, or told where they are.

    Args:
        path: a file of `save_bank`.
    """
    return load_bank(path)


@lru_cache(maxsize=1)
def bank_at_hand(path: Path) -> FeatureBank:
    """The features, as training takes them: in memory where there is not too much of them.

    Args:
        path: a file of `save_bank`.
    """
    return opened_bank(path).at_hand()


def _train(group: Sequence[Job], watch: Callable[[str, fit.Standing], None]) -> list[fit.Fitted]:
    """Train subjects of one condition, in whatever process this is called.

    What is begun goes on in the way in which it was begun, so that a stop does not change it; what
    was begun together with others begins anew on a device that cannot do that.
    """
    condition = group[0].cell.condition
    fitted: dict[str, fit.Fitted] = {}
    together = []
    for job in group:
        begun = begun_together(job.checkpoint) if together_on(job.device) else False
        if job.together if begun is None else begun:
            together.append(job)
            continue
        fitted[job.cell.name] = fit.fit(
            job.features(),
            condition.languages,
            condition.recipe,
            job.cell.number,
            device=job.device,
            checkpoint=job.checkpoint,
            watch=partial(watch, job.cell.name),
        )
    if together:
        names = [job.cell.name for job in together]
        made = fit_together(
            [job.features() for job in together],
            condition.languages,
            condition.recipe,
            [job.cell.number for job in together],
            checkpoints=[job.checkpoint for job in together],
            watch=lambda place, standing: watch(names[place], standing),
            device=together[0].device,
        )
        fitted.update(zip(names, made, strict=True))
    return [fitted[job.cell.name] for job in group]


def _train_and_tell(group: Sequence[Job]) -> list[fit.Fitted]:
    return _train(group, lambda name, standing: tell((name, standing)))
