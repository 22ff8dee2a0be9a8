"""A study cut into chunks, each of which one process does: some trainings, or some networks asked.

A chunk names what it does, not what is missing of it, so that it stays the same while others work:
what is there already is skipped. The list is written once and kept; tasks in a queue know its name
and their numbers. Once it is known how long things take, chunks that nobody is at may be cut anew:
the new ones are added at the end, and stand for the old ones, whose numbers stay.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from stimuli.schemas import Between, Source, checked
from stimuli.texts import read_json
from stimuli.wording import count
from toolkit.errors import ToolkitError, quoted
from toolkit.running.folder import content_key, working_folder, write_json
from toolkit.studies.plan import TRAINING, PlannedCell, StudyPlan
from toolkit.tables.manifests import read_stored

if TYPE_CHECKING:
    from toolkit.studies.study import Study

CHUNKS = "chunks"
"""In the folder of a study's results: lists of chunks."""


@dataclass(frozen=True)
class TrainPart:
    """Seeds of a population, trained side by side."""

    grid: Annotated[int, Between(0)]
    """Which ``[[train]]`` of the study file, from 0 on."""
    population: str
    """Its name."""
    seeds: tuple[str, ...]
    """Names of the seeds."""


@dataclass(frozen=True)
class AskPart:
    """Networks asked in one run."""

    run: Annotated[int, Between(0)]
    """Which run of the plan, from 0 on."""
    subjects: tuple[str, ...]
    """Such as ``bilingual-en-nl/c``."""


@dataclass(frozen=True)
class Chunk:
    """What one process does."""

    train: tuple[TrainPart, ...] = ()
    """Trainings."""
    ask: tuple[AskPart, ...] = ()
    """Networks asked; one that the study trains must be trained before."""

    @property
    def told(self) -> str:
        """What it is, in one line.

        Example:
            >>> Chunk(ask=(AskPart(0, ("a/b", "a/c")), AskPart(1, ("a/b",)))).told
            'asks a/b and 1 more in 2 runs'
        """
        if self.train:
            names = [f"{one.population}/{seed}" for one in self.train for seed in one.seeds]
            return f"trains {_first(names)}"
        names = list(dict.fromkeys(name for one in self.ask for name in one.subjects))
        n = len(self.ask)
        return f"asks {_first(names)} in {count(n, 'run')}"


def _first(names: Sequence[str]) -> str:
    return names[0] + (f" and {len(names) - 1} more" if len(names) > 1 else "")


@dataclass(frozen=True, kw_only=True)
class ChunkList:
    """All chunks of a study: the schema of the file that keeps them."""

    study: str
    """The study file."""
    sha256: str
    """Its checksum."""
    device: str
    """Where networks compute."""
    precision: str
    """How a card computes."""
    chunks: tuple[Chunk, ...]
    """What the processes do; trainings first."""
    replaced: tuple[Annotated[int, Between(0)], ...] = ()
    """Numbers of chunks that later ones stand for."""


@dataclass(frozen=True)
class Kept:
    """A list of chunks where it is kept."""

    file: Path
    """Its file."""
    content: ChunkList
    """What it holds."""

    @property
    def name(self) -> str:
        """What tells it from other lists of the study."""
        return self.file.stem

    @property
    def out(self) -> Path:
        """Folder of the study's results."""
        return self.file.parent.parent


def keep_chunks(plan: StudyPlan) -> Kept:
    """The chunks of a study: those that were kept before, or else new ones, which are kept.

    Args:
        plan: of the study.

    Raises:
        ToolkitError: the list cannot be written.
    """
    kept = find_chunks(plan)
    if kept is None or kept.content.study != str(plan.study.path.absolute()):
        kept = kept or new_chunks(plan)
        # Whoever moved a study moved its results as well.
        kept = Kept(kept.file, replace(kept.content, study=str(plan.study.path.absolute())))
        with working_folder(kept.file.parent):
            write_json(kept.file, asdict(kept.content))
    return kept


def recut(plan: StudyPlan, kept: Kept, numbers: Sequence[int]) -> Kept:
    """Cut chunks anew that nobody is at, where what was measured says that they are too long.

    Args:
        plan: of the study, as things stand.
        kept: its chunks.
        numbers: of the chunks that are neither done nor in a queue.

    Returns:
        The list, with new chunks at its end that stand for those that would take more than twice
        the time that the study file wants; kept, if there are any.

    Raises:
        ToolkitError: the list cannot be written.
    """
    seconds = 60.0 * plan.study.file.chunks.minutes
    chunks = kept.content.chunks
    long = [n for n in numbers if (_chunk_seconds(plan, chunks[n]) or 0.0) > 2 * seconds]
    new = {n: list(_pieces(plan, chunks[n], seconds)) for n in long}
    new = {n: pieces for n, pieces in new.items() if len(pieces) > 1}
    if not new:
        return kept
    content = replace(
        kept.content,
        chunks=(*chunks, *(piece for pieces in new.values() for piece in pieces)),
        replaced=(*kept.content.replaced, *new),
    )
    write_json(kept.file, asdict(content))
    return Kept(kept.file, content)


def _chunk_seconds(plan: StudyPlan, chunk: Chunk) -> float | None:
    """What is missing of a chunk will take; None where nothing like it was measured."""
    done = {f"{one.population}/{seed}" for one in plan.trainings for seed in one.done}
    n_seeds = sum(
        f"{part.population}/{seed}" not in done for part in chunk.train for seed in part.seeds
    )
    counts = _left(plan, chunk)
    asking = [_seconds(plan, own) for own in counts.values()]
    training = plan.took[TRAINING].hours(n_seeds) * 3600 if TRAINING in plan.took else None
    parts = [*asking, *([training] if n_seeds else [])]
    return None if None in parts else sum(one for one in parts if one is not None)


def _left(plan: StudyPlan, chunk: Chunk) -> dict[str, dict[int, int]]:
    """Cells of a chunk that are missing, by subject and run."""
    counts: dict[str, dict[int, int]] = {}
    for part in chunk.ask:
        for name in part.subjects:
            n = sum(not cell.done for cell in plan.runs[part.run].by_subject.get(name, ()))
            if n:
                counts.setdefault(name, {})[part.run] = n
    return counts


def _pieces(plan: StudyPlan, chunk: Chunk, seconds: float) -> Iterator[Chunk]:
    """What is missing of a chunk, cut anew."""
    for part in chunk.train:
        yield from _seeds(plan, part.grid, part.population, part.seeds, seconds)
    counts = _left(plan, chunk)
    yield from _packed(plan, list(counts), counts, seconds)


def find_chunks(plan: StudyPlan) -> Kept | None:
    """The chunks of a study that were kept; None where there are none, or they are damaged.

    Args:
        plan: of the study.
    """
    try:
        return read_chunks(_file(plan))
    except ToolkitError:
        return None


def lists_of(study: Study, out: Path) -> list[Kept]:
    """All lists that a study file was cut into, one for each device and what was to be trained.

    Args:
        study: the study.
        out: folder of its results.
    """
    found = []
    for file in sorted((out / CHUNKS).glob("*.json")):
        with suppress(ToolkitError):
            found.append(read_chunks(file))
    return [one for one in found if one.content.sha256 == study.sha256]


def new_chunks(plan: StudyPlan) -> Kept:
    """The chunks that would be kept; nothing is written.

    Args:
        plan: of the study.
    """
    return Kept(_file(plan), cut(plan))


def read_chunks(file: Path) -> Kept:
    """A list of chunks that was kept.

    Args:
        file: of the list.

    Raises:
        ToolkitError: it is not there, or not what was written.
    """
    again = "the same run-study command again: it makes the list anew"
    if not file.is_file():
        beside = sorted(path.name for path in file.parent.glob("*.json"))
        raise ToolkitError(
            "There is no such list of chunks.",
            given=str(file),
            allowed=", ".join(beside) or "one that run-study wrote with --executor",
            next_command="mevgs-toolkit run-study STUDY --executor chunks",
        )
    read_stored(file, again)
    return Kept(file, checked(ChunkList, read_json(file), Source(str(file), again)))


def _file(plan: StudyPlan) -> Path:
    """Where the chunks of a plan are kept: what is planned decides the name, not what is done."""
    facts = {
        "study": plan.study.sha256,
        "device": [plan.where.device, plan.where.precision],
        "trained": {one.population: list(one.seeds) for one in plan.trainings},
        "asked": [sorted(run.by_subject) for run in plan.runs],
    }
    return plan.where.out / CHUNKS / f"{content_key(facts)[:12]}.json"


def cut(plan: StudyPlan) -> ChunkList:
    """Cut a study into chunks that take about as long as the study file wants.

    As long as nothing was measured, a chunk is a population. Networks on the same backbones stand
    beside each other, since they share their features.

    Args:
        plan: of the study.
    """
    seconds = 60.0 * plan.study.file.chunks.minutes
    return ChunkList(
        study=str(plan.study.path.absolute()),
        sha256=plan.study.sha256,
        device=plan.where.device,
        precision=plan.where.precision,
        chunks=(*_trainings(plan, seconds), *_asks(plan, seconds)),
    )


def _trainings(plan: StudyPlan, seconds: float) -> Iterator[Chunk]:
    for number, grid in enumerate(plan.study.grids):
        for condition in grid.conditions:
            if condition.learns:
                names = condition.subjects(grid.seeds)
                yield from _seeds(plan, number, condition.name, names, seconds)


def _seeds(
    plan: StudyPlan, grid: int, population: str, names: Sequence[str], seconds: float
) -> Iterator[Chunk]:
    """Seeds of a population, as many in a chunk as its time allows."""
    took, n = plan.took.get(TRAINING), len(names)
    if took is not None:
        n = max(1, math.floor(seconds / max(1e-9, 3600 * took.hours(1))))
    for start in range(0, len(names), n):
        yield Chunk(train=(TrainPart(grid, population, tuple(names[start : start + n])),))


def _asks(plan: StudyPlan, seconds: float) -> Iterator[Chunk]:
    by_subject: dict[str, dict[int, int]] = {}
    for number, run in enumerate(plan.runs):
        for name, cells in run.by_subject.items():
            by_subject.setdefault(name, {})[number] = len(cells)
    together: dict[str, list[str]] = {}
    for name in by_subject:
        together.setdefault(_backbones(plan, _population(name)), []).append(name)
    for names in together.values():
        yield from _packed(plan, names, by_subject, seconds)


def _packed(
    plan: StudyPlan, names: Sequence[str], counts: Mapping[str, Mapping[int, int]], seconds: float
) -> Iterator[Chunk]:
    """Subjects in their order, as many in a chunk as its time allows; one too long is cut by runs.

    Whoever asks a subject embeds its stimuli first, so its runs stay together where they can.
    """
    own: dict[str, list[int]] = {}
    so_far = 0.0
    for name in names:
        cost = _seconds(plan, counts[name])
        if own and (_population(name) != _population([*own][-1]) if cost is None else
                    so_far + cost > seconds):  # fmt: skip
            yield _asking(own)
            own, so_far = {}, 0.0
        for run, n in counts[name].items():
            more = _seconds(plan, {run: n}) or 0.0
            if own.get(name) and so_far + more > seconds:
                yield _asking(own)
                own, so_far = {}, 0.0
            own.setdefault(name, []).append(run)
            so_far += more
    if own:
        yield _asking(own)


def _population(subject: str) -> str:
    return subject.rpartition("/")[0]


def _seconds(plan: StudyPlan, counts: Mapping[int, int]) -> float | None:
    """What a subject will take in all runs; None where nothing like it was measured."""
    total = 0.0
    for number, n in counts.items():
        took = plan.took.get(plan.runs[number].ask.paradigm.name)
        if took is None:
            return None
        total += 3600 * took.hours(n)
    return total


def _asking(asked: Mapping[str, Sequence[int]]) -> Chunk:
    """A chunk that asks subjects in some runs each."""
    by_run: dict[int, list[str]] = {}
    for name, runs in asked.items():
        for run in runs:
            by_run.setdefault(run, []).append(name)
    return Chunk(ask=tuple(AskPart(run, tuple(by_run[run])) for run in sorted(by_run)))


def _backbones(plan: StudyPlan, population: str) -> str:
    """What tells the backbones of a population from others; its own name where nothing does."""
    for grid in plan.study.grids:
        if any(condition.name == population for condition in grid.conditions):
            return f"{grid.hearing} {grid.seeing}"
    for ask in plan.study.asks:
        for one in ask.populations:
            if one.name == population and one.folder is not None:
                with suppress(ToolkitError):  # not every population stands on backbones
                    told = read_json(one.folder / "config.json")
                    return str(dict(told).get("backbones", population))
    return population


def cells_of(plan: StudyPlan, chunk: Chunk) -> list[PlannedCell]:
    """The cells that a chunk makes.

    Args:
        plan: of the study.
        chunk: one of its chunks.
    """
    return [
        cell
        for part in chunk.ask
        for subject in part.subjects
        for cell in plan.runs[part.run].by_subject.get(subject, ())
    ]


def work_command(kept: Kept) -> list[str]:
    """The command that does a chunk, but for its number.

    Args:
        kept: the list.
    """
    return ["work", str(kept.file.absolute()), "--chunk"]


def shown_command(kept: Kept, number: int | None = None) -> str:
    """The same as a person types it.

    Args:
        kept: the list.
        number: of the chunk; N stands for it if it is left out.
    """
    return f"mevgs-toolkit work {quoted(kept.file)} --chunk {'N' if number is None else number}"
