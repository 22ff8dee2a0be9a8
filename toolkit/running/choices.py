"""Puts a paradigm to populations of subjects; the only place where the two meet."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

import numpy as np

from paradigms import (
    BaseParadigm,
    LookingParadigm,
    Paradigm,
    Responses,
    Trials,
    WordLearning,
)
from paradigms.choices.paradigm import as_choices
from stimuli.names import file_name
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError, quoted, unknown_name
from toolkit.running.capabilities import incapable_first
from toolkit.running.embedding import Progress, embed
from toolkit.running.embedding_store import Embeddings, EmbeddingStore
from toolkit.running.folder import RunDirectory, content_key
from toolkit.running.kinds import Running
from toolkit.running.lessons import Teaching, taught_scores
from toolkit.running.plan import (
    DEFAULT_ROOT,
    Finished,
    Plan,
    Prepared,
    labels,
    named,
    untold,
    untrained,
)
from toolkit.running.subject_refs import SubjectRef, subjects_of
from toolkit.subjects.contract import Floats, SeesAnswers, Subject
from toolkit.tables.manifests import EMBEDDINGS
from toolkit.tables.trials import DRAW, answers_table

if TYPE_CHECKING:
    import pandas as pd

    from stimuli import StimulusSet
    from toolkit.subjects.population import Population

DEFAULT_PER_CLASS = 50
"""Trials per word class and condition, as in the reference study."""


class TrialList(Protocol):
    """What is asked, whatever kind of paradigm asks it."""

    @property
    def checksum(self) -> str:
        """SHA-256 over everything in it."""


Listed = TypeVar("Listed", bound=TrialList)


@dataclass(frozen=True)
class Cell(Generic[Listed]):
    """One subject seed tested in one language: the unit that is computed, stored and reused."""

    subject: SubjectRef
    """Who is asked."""
    language: str
    """Language of the words."""
    trials: Listed
    """What is asked."""
    key: str
    """Name of the stored cell, made of everything that decides its content."""


def run(
    paradigm: BaseParadigm,
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    languages: Sequence[str] = (),
    per_class: int = DEFAULT_PER_CLASS,
    trial_seed: int = 0,
    root: Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: Device = CPU,
    progress: Progress = lambda *_: None,
) -> Finished:
    """Put a paradigm to all seeds of some populations, doing only what is not stored yet.

    Args:
        paradigm: the test, one with choices (`paradigms.Paradigm`).
        populations: who is asked.
        stimuli: what is said and shown.
        languages: test languages; by default those a population was trained on, and all languages
            of the set for populations trained on none.
        per_class: trials per word class and condition.
        trial_seed: seed of the trial lists; the same for all subjects, so that items are crossed
            with subjects.
        root: folder that holds all runs.
        jobs: subjects worked on at the same time.
        device: where networks compute; numbers of each kind of device are kept apart.
        progress: called as the work goes on.

    Raises:
        ToolkitError: if the paradigm asks for maps, a language is unknown, or stimuli or subjects
            break their contract.
    """
    return prepare(
        paradigm,
        populations,
        stimuli,
        languages=languages,
        per_class=per_class,
        trial_seed=trial_seed,
        root=root,
        jobs=jobs,
        device=device,
    ).carry_out(progress)


def prepare(
    paradigm: BaseParadigm,
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    languages: Sequence[str] = (),
    per_class: int = DEFAULT_PER_CLASS,
    trial_seed: int = 0,
    root: Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: Device = CPU,
) -> Prepared:
    """Plan what `run` does, computing nothing; for arguments and errors see there."""
    asked = as_choices(paradigm)
    tested = {p.name: languages_of(p, asked, stimuli, languages) for p in populations}
    subjects = subjects_of(populations)

    def listed(
        seen: StimulusSet, language: str, rng: np.random.Generator, languages: Sequence[str]
    ) -> Trials:
        return asked.trials(seen, language, rng, per_class=per_class, languages=languages)

    across = asked.asks_across_languages
    cells = plan_cells(asked, subjects, tested, stimuli, trial_seed, device, listed, across)
    plan = Plan(
        name=file_name(asked.name),
        paradigm=asked,
        populations=tuple(populations),
        stimuli=stimuli,
        cells={f"{cell.subject.name}/{cell.language}": cell.key for cell in cells},
        facts={
            "languages": tested,
            "trials_per_class": per_class,
            "trial_seed": trial_seed,
            **_fixed(asked, stimuli, tested),
            **({"learning": asked.rule.record()} if isinstance(asked, WordLearning) else {}),
            **({"children": [asdict(one) for one in asked.children]} if asked.children else {}),
        },
        warnings=(*untrained(populations, tested), *untold(populations)),
        device=device,
    )

    def make(
        directory: RunDirectory, keys: Collection[str], progress: Progress
    ) -> Mapping[str, Any]:
        own = [cell for cell in cells if cell.key in keys]
        store = EmbeddingStore(root / EMBEDDINGS, device)
        _compute(own, asked, stimuli, directory, store, jobs, progress)
        return {}

    def join(directory: RunDirectory) -> None:
        drawn = (DRAW,) if any(subject.draw for subject in subjects) else ()
        directory.assemble([cell.key for cell in cells], asked.kind, drawn)

    return Prepared(plan, root, RunDirectory.has_cell, make, join)


def _fixed(
    paradigm: Paradigm, stimuli: StimulusSet, tested: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Names the conditions whose trials the set has fixed; nothing where all are drawn."""
    fixed = stimuli.fixed_trials
    known = fixed[fixed["language"].isin({code for codes in tested.values() for code in codes})]
    names = set(known["condition"])
    asked = [condition.name for condition in paradigm.conditions if condition.name in names]
    return {"fixed_trials": asked} if asked else {}


def languages_of(
    population: Population,
    paradigm: Paradigm | LookingParadigm,
    stimuli: StimulusSet,
    asked: Sequence[str],
) -> list[str]:
    """Languages a population is tested in.

    Raises:
        ToolkitError: if the set lacks a language, or the paradigm needs more of them; if the
            population could not be asked in any language, that is told instead.
    """
    with incapable_first([population], paradigm.needs, "SeesAnswers"):
        return _languages_of(population, paradigm, stimuli, asked)


def _languages_of(
    population: Population,
    paradigm: Paradigm | LookingParadigm,
    stimuli: StimulusSet,
    asked: Sequence[str],
) -> list[str]:
    chosen = list(dict.fromkeys(asked or population.languages or stimuli.languages))
    for language in chosen:
        if language not in stimuli.languages:
            raise unknown_name(
                "language",
                language,
                stimuli.languages,
                f"mevgs-toolkit describe {quoted(stimuli.name)}",
                where=f"the stimulus set {stimuli.name!r}",
            )
    if len(chosen) < paradigm.min_languages:
        raise ToolkitError(
            f"Paradigm {paradigm.name!r} needs {paradigm.min_languages} languages.",
            given=f"{population.name}, tested in {', '.join(chosen)}",
            allowed="a population trained on more languages, or several --language options",
            next_command=f"mevgs-toolkit run-paradigm {quoted(paradigm.name)} "
            f"--subject {quoted(population.name)} "
            + " ".join(f"--language {language}" for language in stimuli.languages[:2]),
        )
    return chosen


def trial_rng(
    paradigm: BaseParadigm, stimuli: StimulusSet, language: str, trial_seed: int
) -> np.random.Generator:
    """The generator behind a trial list: equal facts, equal list, on any machine."""
    facts = f"{paradigm.name}/{paradigm.version}/{stimuli.checksum}/{language}/{trial_seed}"
    return np.random.default_rng(np.frombuffer(hashlib.sha256(facts.encode()).digest(), np.uint32))


def plan_cells(
    paradigm: Paradigm | LookingParadigm,
    subjects: Sequence[SubjectRef],
    tested: Mapping[str, Sequence[str]],
    stimuli: StimulusSet,
    trial_seed: int,
    device: Device,
    listed: Callable[[StimulusSet, str, np.random.Generator, Sequence[str]], Listed],
    across: bool = False,
) -> list[Cell[Listed]]:
    """Make the trial lists, once for all subjects that learnt the same, and name the cells.

    Args:
        paradigm: the test.
        subjects: who is asked.
        tested: test languages by population.
        stimuli: the set.
        trial_seed: seed of the lists.
        device: what computes.
        listed: makes a list: of a view of the set, a test language, random numbers and all
            languages that the population is tested in.
        across: whether a list hangs on those other languages.
    """
    lists: dict[tuple[Any, ...], tuple[Listed, str]] = {}
    views: dict[frozenset[str] | None, StimulusSet] = {}
    decided = named(paradigm)
    cells = []
    for subject in subjects:
        languages, familiar = tested[subject.population.name], subject.familiar
        if familiar not in views:
            views[familiar] = subject.views(stimuli)
        for language in languages:
            asked = (familiar, language, *(sorted(languages) if across else ()))
            if asked not in lists:
                rng = trial_rng(paradigm, stimuli, language, trial_seed)
                made = listed(views[familiar], language, rng, languages)
                lists[asked] = (made, made.checksum)
            trials, checksum = lists[asked]
            key = cell_key(decided, stimuli, subject, language, checksum, device)
            cells.append(Cell(subject, language, trials, key))
    return cells


def cell_key(
    decided: Any,
    stimuli: StimulusSet,
    subject: SubjectRef,
    language: str,
    checksum: str,
    device: Device,
) -> str:
    """The key of a cell: all that decides its answers.

    Args:
        decided: what `named` tells of the paradigm.
        stimuli: the set.
        subject: who is asked.
        language: test language.
        checksum: of the trials.
        device: what computes.
    """
    return content_key(
        {
            "paradigm": decided,
            "stimuli": stimuli.checksum,
            "subject": [subject.name, subject.checksum],
            "language": language,
            "trials": checksum,
            **device.facts,
        }
    )


def _compute(
    cells: Sequence[Cell[Trials]],
    paradigm: Paradigm,
    stimuli: StimulusSet,
    directory: RunDirectory,
    store: EmbeddingStore,
    jobs: int,
    progress: Progress,
) -> None:
    by_subject: dict[SubjectRef, list[Cell[Trials]]] = {}
    for cell in cells:
        by_subject.setdefault(cell.subject, []).append(cell)
    needed = {
        subject: {
            "word": _joined(cell.trials.word_ids for cell in own),
            "picture": _joined(cell.trials.option_ids for cell in own if paradigm.shows_pictures),
        }
        for subject, own in by_subject.items()
    }
    words, pictures = (
        _joined(own[kind] for own in needed.values()) for kind in ("word", "picture")
    )
    teaching = Teaching(stimuli, words, pictures)
    done = 0
    for subject, loaded, known in embed(
        needed, stimuli, store, needs=paradigm.needs, jobs=jobs, progress=progress
    ):
        for cell in by_subject[subject]:
            scores = _scores(cell, paradigm, loaded, known, teaching)
            directory.write_cell(
                *(cell.key, _answers(cell, paradigm, scores), paradigm.kind),
                (DRAW,) if subject.draw else (),
            )
            done += 1
            progress("asking", done, len(cells))


def _joined(ids: Iterable[Sequence[str]]) -> list[str]:
    """All ids once, in the order of their first occurrence."""
    return list(dict.fromkeys(name for part in ids for name in part))


def _scores(
    cell: Cell[Trials],
    paradigm: Paradigm,
    subject: Subject | SeesAnswers,
    known: Embeddings,
    teaching: Teaching,
) -> Floats:
    """Scores of every option of a cell's trials, (n, places), checked to be finite."""
    if isinstance(subject, SeesAnswers):
        scores = subject.answer(cell.trials)
    elif isinstance(paradigm, WordLearning):
        scores = taught_scores(
            cell.trials, teaching.pupils(paradigm.rule, subject, cell.trials, known)
        )
    else:
        shown = cell.trials.option_ids if paradigm.shows_pictures else ()
        responses = Responses(
            words=known.matrix("word", cell.trials.word_ids),
            pictures=known.matrix("picture", shown),
            similarity=subject.similarity,
        )
        scores = paradigm.measure(cell.trials, responses)
    if scores.shape != cell.trials.options.shape:
        raise ToolkitError(
            f"Subject {cell.subject.name} and paradigm {paradigm.name!r} made scores of shape "
            f"{scores.shape}.",
            allowed=f"{cell.trials.options.shape}: one score per trial and place",
        )
    if not np.isfinite(scores[cell.trials.options >= 0]).all():
        raise ToolkitError(
            f"Subject {cell.subject.name} gave NaN or infinity as a score in paradigm "
            f"{paradigm.name!r}, language {cell.language!r}.",
            allowed="finite numbers; nothing was written for this subject and language",
        )
    return scores.astype(np.float32, copy=False)


def _answers(cell: Cell[Trials], paradigm: Paradigm, scores: Floats) -> Iterator[pd.DataFrame]:
    who = labels(cell.subject, paradigm)
    return answers_table(cell.trials, scores, {**who, "test_language": cell.language})


RUNNING = Running(
    lambda *given, **options: prepare(*given, **options),  # looked up when it is called
    options={"trials_per_class": "per_class", "trial_seed": "trial_seed"},
    others="words are spoken in",
)
"""How paradigms of choices are run."""
