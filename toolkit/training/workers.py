"""Processes that train subjects side by side and tell how far they are."""

from __future__ import annotations

import multiprocessing
import queue
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ProcessPoolExecutor, wait
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from toolkit.training import fit
from toolkit.training.checkpoint import Checkpoint
from toolkit.training.conditions import Cell
from toolkit.training.features import FeatureBank, load_bank
from toolkit.workers import end_with_parent

if TYPE_CHECKING:
    from multiprocessing.queues import Queue

    Told = Queue[tuple[str, fit.Standing]]

_LOOK_EVERY_S = 0.2
_told: Told | None = None
"""In a process that trains: where it tells how far it is."""


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
) -> Iterator[tuple[Job, fit.Fitted]]:
    """Train subjects, each as soon as a process is free; those that are ready come first.

    Args:
        jobs: the subjects.
        n_processes: how many are trained at the same time; 1 stays in this process.
        watch: called with the name of a subject and how far it is.
    """
    if n_processes == 1:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            for job in jobs:
                yield job, _train(job, watch)
        finally:
            torch.set_num_threads(threads)
        return
    # Spawned, because a forked torch may hang on locks of threads that do not exist any more.
    context = multiprocessing.get_context("spawn")
    told: Told = context.Queue()
    pool = ProcessPoolExecutor(
        max_workers=max(1, min(n_processes, len(jobs))),
        mp_context=context,
        initializer=_start,
        initargs=(told,),
    )
    try:
        running = {pool.submit(_train_and_tell, job): job for job in jobs}
        while running:
            finished, _ = wait(running, timeout=_LOOK_EVERY_S, return_when=FIRST_COMPLETED)
            for name, standing in _heard(told):
                watch(name, standing)
            for future in finished:
                yield running.pop(future), future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


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


def _start(told: Told) -> None:
    """Prepare a process that trains."""
    global _told
    _told = told
    # One thread per process: the sums are then added up in one order on every machine.
    torch.set_num_threads(1)
    end_with_parent()


def _train_and_tell(job: Job) -> fit.Fitted:
    told = _told
    return _train(job, lambda name, standing: told.put((name, standing)) if told else None)


def _heard(told: Told) -> Iterator[tuple[str, fit.Standing]]:
    """What processes have told since one last listened."""
    while True:
        try:
            yield told.get_nowait()
        except queue.Empty:
            return
