"""One chunk of a study, done by one process among many that share a folder.

It writes states of trainings, embeddings and cells, each whole or not at all and the same whoever
writes it, and lines into a file of its own. Manifests, populations and tables are left to
``run-study``. It keeps to no lock and looks at no clock but its own.

Told to end, it does so after the cell or the update at hand: by SIGTERM, which a scheduler sends
before it kills, or by SIGUSR1, which SLURM sends before the time is up. After the latter, its task
is put into the queue again.
"""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from reports.terminal import say
from stimuli.files import sha256_of
from toolkit.devices import find_device
from toolkit.errors import ToolkitError, quoted
from toolkit.processes.slurm import requeue
from toolkit.studies.attempts import attempt, attempts_file, own_task
from toolkit.studies.checks import read_study
from toolkit.studies.chunks import AskPart, Chunk, ChunkList, Kept, TrainPart
from toolkit.studies.plan import TRAINING, Where, opened, prepare, source_of, subject_of
from toolkit.studies.study import Asked, Study

if TYPE_CHECKING:
    from toolkit.subjects.population import Population

STOPPED = 75
"""Exit code of a chunk that was told to end: try again."""


class EndedError(Exception):
    """The chunk was told to end."""


@dataclass
class Told:
    """Whether the process was told to end, and how."""

    signal: int | None = None
    """The signal; None as long as there was none."""

    def must_end(self) -> bool:
        """Whether it was."""
        return self.signal is not None

    def look(self, *_: object) -> None:
        """End here if it was told to: what was being written is whole.

        Raises:
            EndedError: it was.
        """
        if self.must_end():
            raise EndedError


def do_chunk(kept: Kept, number: int) -> int:
    """Do what is missing of a chunk.

    Args:
        kept: the list.
        number: of the chunk, from 0 on.

    Returns:
        0, or `STOPPED` where it was told to end.

    Raises:
        ToolkitError: there is no such chunk, the study file is another one now, or what training
            and asking raise.
    """
    chunk = chunk_of(kept.content, number)
    file = attempts_file(kept.out, kept.name, number)
    with _listening() as told, attempt(file) as done:
        try:
            for part in _parts(kept, chunk):
                told.look()
                name, n = part(told)
                done.add(name, n)
        except EndedError:
            say(f"Chunk {number} was told to end; what is done is kept.")
            _queue_again(told)
            return STOPPED
    say(f"Chunk {number} is done: it {chunk.told}.")
    return 0


def chunk_of(content: ChunkList, number: int) -> Chunk:
    """A chunk by its number.

    Args:
        content: of the list.
        number: from 0 on.

    Raises:
        ToolkitError: there is none of that number.
    """
    if number not in range(len(content.chunks)):
        raise ToolkitError(
            "There is no such chunk.",
            given=f"--chunk {number}",
            allowed=f"0 to {len(content.chunks) - 1}",
            next_command=f"mevgs-toolkit run-study {quoted(content.study)} --status",
        )
    return content.chunks[number]


Part = Callable[[Told], tuple[str, int]]
"""Does a part of a chunk; gives what was done, and how many of it."""


def _parts(kept: Kept, chunk: Chunk) -> Iterator[Part]:
    content = kept.content
    if Path(content.study).is_file() and sha256_of(content.study) != content.sha256:
        raise ToolkitError(
            f"The study file {content.study} is another one than the chunks were cut from.",
            given=f"SHA-256 {sha256_of(content.study)}",
            allowed=content.sha256,
            next_command=f"mevgs-toolkit run-study {quoted(content.study)} --status",
        )
    study = read_study(content.study)
    where = Where(kept.out, content.device, content.precision)
    for part in chunk.train:
        yield partial(_train, study, where, part)
    runs = [(n, seed) for n, ask in enumerate(study.asks) for seed in ask.trial_seeds]
    subjects: dict[int, set[str]] = {}
    for asked in chunk.ask:
        subjects.setdefault(runs[asked.run][0], set()).update(asked.subjects)
    populations = cache(lambda n: opened(study, where, study.asks[n], subjects[n]))
    for asked in chunk.ask:
        n, seed = runs[asked.run]
        yield partial(_ask, study, where, study.asks[n], seed, asked, populations(n))


def _train(study: Study, where: Where, part: TrainPart, told: Told) -> tuple[str, int]:
    from toolkit.training.checkpoint import StoppedError
    from toolkit.training.populations import train_states, trained_states

    grid = study.grids[part.grid]
    condition = next(one for one in grid.conditions if one.name == part.population)
    device, source = find_device(where.device, where.precision), source_of(grid)
    before = trained_states(condition, part.seeds, where.subjects, source, device)
    try:
        train_states(condition, part.seeds, where.subjects, source, told.must_end, device=device)
    except StoppedError:
        raise EndedError from None
    return TRAINING, len(part.seeds) - len(before)


def _ask(
    study: Study,
    where: Where,
    ask: Asked,
    trial_seed: int | None,
    part: AskPart,
    populations: Sequence[Population],
    told: Told,
) -> tuple[str, int]:
    own = set(part.subjects)
    prepared = prepare(study, where, ask, trial_seed, populations).prepared
    missing = [name for name in prepared.missing() if subject_of(name) in own]
    if missing:
        prepared.make_cells(missing, told.look)
    return ask.paradigm.name, len(missing)


@contextmanager
def _listening() -> Iterator[Told]:
    """Hear what tells the process to end, instead of ending at once."""
    told = Told()

    def hear(number: int, _: FrameType | None) -> None:
        told.signal = number

    names = [name for name in ("SIGTERM", "SIGUSR1") if hasattr(signal, name)]
    before = {name: signal.signal(getattr(signal, name), hear) for name in names}
    try:
        yield told
    finally:
        for name, handler in before.items():
            signal.signal(getattr(signal, name), handler)


def _queue_again(told: Told) -> None:
    """Have SLURM put a task into the queue again whose time is up."""
    job = own_task()
    if job and told.signal == getattr(signal, "SIGUSR1", None):
        with suppress(ToolkitError):  # a site may forbid it; the next run-study hands it over
            requeue(job)
