"""Puts a paradigm to populations of subjects; the only place where the two meet."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms import BaseParadigm, Paradigm, Responses, Trials
from paradigms.base import as_choices
from paradigms.registry import source_checksum
from stimuli import list_sets
from stimuli.names import file_name
from toolkit.capabilities import incapable_first
from toolkit.embedding import Embeddings, EmbeddingStore, Progress, SubjectRef, embed, subjects_of
from toolkit.errors import ToolkitError, unknown_name
from toolkit.kinds import Running
from toolkit.store import RunDirectory, content_key, environment, now
from toolkit.subjects.contract import Floats, SeesAnswers, Subject
from toolkit.trials import answers_table

if TYPE_CHECKING:
    import pandas as pd

    from stimuli import StimulusSet
    from toolkit.subjects.populations import Population

DEFAULT_ROOT = Path("mevgs-runs")
"""Where runs are kept unless told otherwise."""
LONGEST_NAME = 80
"""Characters of a population's name that go into the name of a run."""
LOG_FILE = "training_log.csv"
"""In a population's folder: one row per validation."""
DEFAULT_PER_CLASS = 50
"""Trials per word class and condition, as in the reference study."""


@dataclass(frozen=True)
class Cell:
    """One subject seed tested in one language: the unit that is computed, stored and reused."""

    subject: SubjectRef
    """Who is asked."""
    language: str
    """Language of the words."""
    trials: Trials
    """What is asked."""
    key: str
    """Name of the stored cell, made of everything that decides its content."""


@dataclass(frozen=True)
class Run:
    """A finished run."""

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
    progress: Progress = lambda *_: None,
) -> Run:
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
        progress: called as the work goes on.

    Raises:
        ToolkitError: if the paradigm asks for maps, a language is unknown, or stimuli or subjects
            break their contract.
    """
    asked = as_choices(paradigm)
    tested = {p.name: languages_of(p, asked, stimuli, languages) for p in populations}
    subjects = subjects_of(populations)
    cells = _plan(asked, subjects, tested, stimuli, per_class, trial_seed)
    plan = Plan(
        paradigm=asked,
        populations=tuple(populations),
        stimuli=stimuli,
        cells={f"{cell.subject.name}/{cell.language}": cell.key for cell in cells},
        facts={
            "languages": tested,
            "trials_per_class": per_class,
            "trial_seed": trial_seed,
            **_fixed(asked, stimuli, tested),
        },
        warnings=tuple(untrained(populations, tested)),
    )

    def compute(directory: RunDirectory) -> Mapping[str, Any]:
        missing = [cell for cell in cells if not directory.has_cell(cell.key)]
        _compute(missing, asked, stimuli, directory, jobs, progress)
        directory.assemble([cell.key for cell in cells], asked.kind)
        return {}

    return carry_out(plan, root, RunDirectory.has_cell, compute)


def _fixed(
    paradigm: Paradigm, stimuli: StimulusSet, tested: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Names the conditions whose trials the set has fixed; nothing where all are drawn."""
    fixed = stimuli.fixed_trials
    known = fixed[fixed["language"].isin({code for codes in tested.values() for code in codes})]
    names = set(known["condition"])
    asked = [condition.name for condition in paradigm.conditions if condition.name in names]
    return {"fixed_trials": asked} if asked else {}


@dataclass(frozen=True, eq=False)
class Plan:
    """What a run consists of, before anything is computed."""

    paradigm: BaseParadigm
    """The test."""
    populations: tuple[Population, ...]
    """Who is asked."""
    stimuli: StimulusSet
    """What is said and shown."""
    cells: Mapping[str, str]
    """Key of every cell by what it is, e.g. ``bilingual-en-nl/c/en``."""
    facts: Mapping[str, Any]
    """What else decides the run, for its manifest."""
    warnings: tuple[str, ...]
    """What the reader of the results must know."""


def carry_out(
    plan: Plan,
    root: Path,
    is_done: Callable[[RunDirectory, str], bool],
    compute: Callable[[RunDirectory], Mapping[str, Any]],
) -> Run:
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
    directory = RunDirectory(root, _run_id(plan.paradigm, plan.populations, keys))
    with directory.opened():
        n_missing = sum(not is_done(directory, key) for key in keys)
        manifest: dict[str, Any] = directory.read_manifest() or {
            "run_id": directory.run_id,
            "started": started,
            **environment(),
        }
        manifest |= {**_told(plan), "status": "running", "cells": dict(plan.cells)}
        if n_missing or not directory.trials_path.is_file():
            directory.write_json("manifest.json", manifest)
            directory.write_training_logs(
                {p.name: p.folder / LOG_FILE for p in plan.populations if p.folder is not None}
            )
            manifest |= compute(directory)
            manifest |= {"status": "complete", "ended": now()}
            directory.write_json("manifest.json", manifest)
    return Run(
        directory=directory,
        manifest=manifest,
        warnings=plan.warnings,
        n_computed=n_missing,
        n_reused=len(keys) - n_missing,
        duration_s=time.perf_counter() - clock,
    )


def _told(plan: Plan) -> dict[str, Any]:
    """What a manifest says of a plan."""
    paradigm, stimuli = plan.paradigm, plan.stimuli
    known = list_sets().get(stimuli.name)
    return {
        "paradigm": {
            "name": paradigm.name,
            "kind": paradigm.kind,
            "version": paradigm.version,
            "question": paradigm.question,
            "formula": paradigm.formula,
            "source_sha256": source_checksum(paradigm),
        },
        "stimuli": {
            "name": stimuli.name,
            "version": stimuli.version,
            "checksum": stimuli.checksum,
            "title": stimuli.title,
            "description": stimuli.description,
            "licence": stimuli.licence,
            "folder": None if known == stimuli.folder else str(stimuli.folder.resolve()),
        },
        "populations": {p.name: _about(p) for p in plan.populations},
        "subjects": {subject.name: subject.checksum for subject in subjects_of(plan.populations)},
        **plan.facts,
    }


def _about(population: Population) -> dict[str, Any]:
    """What a manifest says of a population: how its seeds came about, where that is known."""
    config = population.folder / "config.json" if population.folder is not None else None
    return {
        "description": population.description,
        "languages": list(population.languages),
        "n_seeds": len(population.seeds),
        "config": json.loads(config.read_text()) if config and config.is_file() else None,
    }


def languages_of(
    population: Population, paradigm: Paradigm, stimuli: StimulusSet, asked: Sequence[str]
) -> list[str]:
    """Languages a population is tested in.

    Raises:
        ToolkitError: if the set lacks a language, or the paradigm needs more of them; if the
            population could not be asked in any language, that is told instead.
    """
    with incapable_first([population], paradigm.needs, "SeesAnswers"):
        return _languages_of(population, paradigm, stimuli, asked)


def _languages_of(
    population: Population, paradigm: Paradigm, stimuli: StimulusSet, asked: Sequence[str]
) -> list[str]:
    chosen = list(dict.fromkeys(asked or population.languages or stimuli.languages))
    for language in chosen:
        if language not in stimuli.languages:
            raise unknown_name(
                f"language of the stimulus set {stimuli.name!r}",
                language,
                stimuli.languages,
                f"mevgs-toolkit describe {stimuli.name}",
            )
    if len(chosen) < paradigm.min_languages:
        raise ToolkitError(
            f"Paradigm {paradigm.name!r} needs {paradigm.min_languages} languages.",
            given=f"{population.name}, tested in {', '.join(chosen)}",
            allowed="a population trained on more languages, or several --language options",
            next_command=f"mevgs-toolkit run-paradigm {paradigm.name} --subject {population.name} "
            + " ".join(f"--language {language}" for language in stimuli.languages[:2]),
        )
    return chosen


def trial_rng(
    paradigm: Paradigm, stimuli: StimulusSet, language: str, trial_seed: int
) -> np.random.Generator:
    """The generator behind a trial list: equal facts, equal list, on any machine."""
    facts = f"{paradigm.name}/{paradigm.version}/{stimuli.checksum}/{language}/{trial_seed}"
    return np.random.default_rng(np.frombuffer(hashlib.sha256(facts.encode()).digest(), np.uint32))


def _plan(
    paradigm: Paradigm,
    subjects: Sequence[SubjectRef],
    tested: Mapping[str, Sequence[str]],
    stimuli: StimulusSet,
    per_class: int,
    trial_seed: int,
) -> list[Cell]:
    """Make the trial lists, once for all subjects, and name the cells."""
    lists: dict[tuple[str, ...], tuple[Trials, str]] = {}
    source = source_checksum(paradigm)
    cells = []
    for subject in subjects:
        languages = tested[subject.population.name]
        for language in languages:
            asked = (language, *sorted(languages)) if paradigm.min_languages > 1 else (language,)
            if asked not in lists:
                made = paradigm.trials(
                    stimuli,
                    language,
                    trial_rng(paradigm, stimuli, language, trial_seed),
                    per_class=per_class,
                    languages=languages,
                )
                lists[asked] = (made, made.checksum)
            trials, checksum = lists[asked]
            facts = {
                "paradigm": [paradigm.name, paradigm.version, source],
                "stimuli": stimuli.checksum,
                "subject": [subject.name, subject.checksum],
                "language": language,
                "trials": checksum,
            }
            cells.append(Cell(subject, language, trials, content_key(facts)))
    return cells


def _run_id(paradigm: BaseParadigm, populations: Sequence[Population], keys: Sequence[str]) -> str:
    names = list(dict.fromkeys(population.name for population in populations))
    # Names of published models hold slashes, colons and whole paths.
    plain = re.sub(r"[^A-Za-z0-9._-]+", "-", names[0]).strip("-")
    who = plain[-LONGEST_NAME:] if len(names) == 1 else f"{len(names)}-populations"
    return f"{file_name(paradigm.name)}-{who}-{content_key({'cells': list(keys)})[:8]}"


def _compute(
    cells: Sequence[Cell],
    paradigm: Paradigm,
    stimuli: StimulusSet,
    directory: RunDirectory,
    jobs: int,
    progress: Progress,
) -> None:
    by_subject: dict[SubjectRef, list[Cell]] = {}
    for cell in cells:
        by_subject.setdefault(cell.subject, []).append(cell)
    needed = {
        subject: {
            "word": _joined(cell.trials.word_ids for cell in own),
            "picture": _joined(cell.trials.option_ids for cell in own if paradigm.shows_pictures),
        }
        for subject, own in by_subject.items()
    }
    store = EmbeddingStore(directory.root / "embeddings")
    done = 0
    for subject, loaded, known in embed(needed, stimuli, store, jobs=jobs, progress=progress):
        for cell in by_subject[subject]:
            scores = _scores(cell, paradigm, loaded, known)
            directory.write_cell(cell.key, _answers(cell, paradigm, scores), paradigm.kind)
            done += 1
            progress("asking", done, len(cells))


def _joined(ids: Iterable[Sequence[str]]) -> list[str]:
    """All ids once, in the order of their first occurrence."""
    return list(dict.fromkeys(name for part in ids for name in part))


def _scores(
    cell: Cell, paradigm: Paradigm, subject: Subject | SeesAnswers, known: Embeddings
) -> Floats:
    """Scores of every option of a cell's trials, (n, places), checked to be finite."""
    if isinstance(subject, SeesAnswers):
        scores = subject.answer(cell.trials)
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


def _answers(cell: Cell, paradigm: Paradigm, scores: Floats) -> Iterator[pd.DataFrame]:
    who = labels(paradigm, cell.subject)
    return answers_table(cell.trials, scores, {**who, "test_language": cell.language})


def labels(paradigm: BaseParadigm, subject: SubjectRef) -> dict[str, str | int]:
    """Values that all rows of a subject share."""
    population = subject.population
    return {
        "paradigm": paradigm.name,
        "paradigm_version": paradigm.version,
        "population": population.name,
        "n_languages": len(population.languages),
        "train_languages": "+".join(population.languages),
        "seed": subject.seed,
    }


def untrained(
    populations: Sequence[Population], tested: Mapping[str, Sequence[str]]
) -> Iterator[str]:
    """A warning for every population that is tested in languages it was not trained on."""
    for population in populations:
        foreign = [name for name in tested[population.name] if name not in population.languages]
        if population.languages and foreign:
            yield (
                f"{population.name} was not trained on {', '.join(foreign)}: "
                "read its results there as a control."
            )


RUNNING = Running(
    lambda *given, **options: run(*given, **options),  # looked up when it is called
    options={"trials_per_class": "per_class", "trial_seed": "trial_seed"},
    others="words are spoken in",
)
"""How paradigms of choices are run."""
