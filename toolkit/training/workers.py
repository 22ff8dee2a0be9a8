"""Processes that train subjects side by side and tell how far they are."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from queue import SimpleQueue

from toolkit.processes.workers import processes, tell
from toolkit.training import fit
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.conditions import Cell
from toolkit.training.features import FeatureBank, load_bank


@dataclass(frozen=True)
class Job:
    """A subject to be trained."""

    cell: Cell
    """The subject."""
    bank: Path
    """File with the features of the stimuli."""
    checkpoint: Checkpoint
    """Where its state is kept meanwhile."""


def train_all(
    jobs: Sequence[Job], n_processes: int, watch: Callable[[str, fit.Standing], None]
) -> Generator[tuple[Job, fit.Fitted], None, None]:
    """Train subjects, each as soon as a process is free; those that are ready come first.

    The processes are there until all subjects are ready, or until the generator is closed.

    Args:
        jobs: the subjects.
        n_processes: how many are trained at the same time; 1 stays in this process.
        watch: called with the name of a subject and how far it is.
    """
    if n_processes == 1:
        for job in jobs:
            yield job, _train(job, watch)
        return
    news: SimpleQueue[Future[fit.Fitted] | tuple[str, fit.Standing]] = SimpleQueue()
    with processes(min(n_processes, max(1, len(jobs))), hear=news.put) as begin:
        running = {begin(_train_and_tell, job): job for job in jobs}
        for future in running:
            future.add_done_callback(news.put)
        while running:
            one = news.get()
            if isinstance(one, Future):
                yield running.pop(one), one.result()
            else:
                watch(*one)


@lru_cache(maxsize=2)
def opened_bank(path: Path) -> FeatureBank:
    """The features, mapped into memory once per process.

    Args:
        path: a file of `save_bank`.
    """
    return load_bank(path)


def _train(job: Job, watch: Callable[[str, fit.Standing], None]) -> fit.Fitted:
    """Train one subject, in whatever process this is called."""
    condition = job.cell.condition
    return fit.fit(
        opened_bank(job.bank),
        condition.languages,
        condition.recipe,
        job.cell.number,
        checkpoint=job.checkpoint,
        watch=lambda standing: watch(job.cell.name, standing),
    )


def _train_and_tell(job: Job) -> fit.Fitted:
    return _train(job, lambda name, standing: tell((name, standing)))
