"""Puts a paradigm of looking to populations: words are heard gate by gate."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms import BaseParadigm, LookingParadigm
from paradigms.looking.paradigm import Heard, as_looking
from stimuli.names import file_name
from stimuli.unfolding import UnfoldingSet
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.running.choices import DEFAULT_PER_CLASS, Cell, languages_of, plan_cells
from toolkit.running.embedding import Progress, embed
from toolkit.running.embedding_store import Embeddings, EmbeddingStore, check_vectors
from toolkit.running.folder import RunDirectory
from toolkit.running.kinds import Running
from toolkit.running.plan import (
    DEFAULT_ROOT,
    Plan,
    Prepared,
    labels,
    untold,
    untrained,
)
from toolkit.running.subject_refs import SubjectRef, subjects_of
from toolkit.subjects.backbones.stored import StoredFeatures
from toolkit.subjects.contract import HearsPrefixes, SeesAnswers, SharesBackbones
from toolkit.tables.looks import LOOK_COLUMNS
from toolkit.tables.manifests import EMBEDDINGS
from toolkit.tables.trials import DRAW, answers_table

if TYPE_CHECKING:
    import pandas as pd

    from paradigms.choices.trials import Trials
    from paradigms.looking.trials import GatedTrials
    from stimuli import StimulusSet
    from toolkit.subjects.contract import Floats, Subject
    from toolkit.subjects.population import Population

Scores = tuple["Floats", "Floats"]
"""(n, 2, k) scores of the test and (n_practice, 2) of practice trials."""


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
    """Plan a run of a paradigm of looking, computing nothing.

    Arguments and errors are those of `toolkit.running.choices.run`; besides, the set must say when
    its words begin, and subjects must be able to hear a part of a clip.
    """
    asked = as_looking(paradigm)
    tested = {p.name: languages_of(p, asked, stimuli, languages) for p in populations}
    subjects = subjects_of(populations)

    def listed(
        seen: StimulusSet, language: str, rng: np.random.Generator, _: Sequence[str]
    ) -> GatedTrials:
        return asked.trials(seen, language, rng, per_class=per_class)

    cells = plan_cells(asked, subjects, tested, stimuli, trial_seed, device, listed)
    plan = Plan(
        name=file_name(asked.name),
        paradigm=asked,
        populations=tuple(populations),
        stimuli=stimuli,
        cells={f"{cell.subject.name}/{cell.language}": cell.key for cell in cells},
        facts={"languages": tested, "trials_per_class": per_class, "trial_seed": trial_seed},
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
        directory.assemble([cell.key for cell in cells], asked.kind, (*LOOK_COLUMNS, *drawn))

    return Prepared(plan, root, RunDirectory.has_cell, make, join)


def _compute(
    cells: Sequence[Cell[GatedTrials]],
    paradigm: LookingParadigm,
    stimuli: StimulusSet,
    directory: RunDirectory,
    store: EmbeddingStore,
    jobs: int,
    progress: Progress,
) -> None:
    by_subject: dict[SubjectRef, list[Cell[GatedTrials]]] = {}
    for cell in cells:
        by_subject.setdefault(cell.subject, []).append(cell)
    streaming = _streaming(by_subject, store.device)
    needed = {
        subject: {
            "word": _joined(_words(cell, streaming[subject.population.name]) for cell in own),
            "picture": _joined(cell.trials.test.option_ids for cell in own),
        }
        for subject, own in by_subject.items()
    }
    done = 0
    unfolding = UnfoldingSet.of(stimuli)
    for subject, loaded, known in embed(needed, unfolding, store, jobs=jobs, progress=progress):
        for cell in by_subject[subject]:
            scores, practice = _scores(cell, paradigm, loaded, known, unfolding)
            shares, temperature = paradigm.looks(cell.trials, scores, practice)
            parts = _rows(cell, paradigm, scores, shares, temperature)
            extra = (*LOOK_COLUMNS, *((DRAW,) if subject.draw else ()))
            directory.write_cell(cell.key, parts, paradigm.kind, extra)
            done += 1
            progress("asking", done, len(cells))


def _joined(ids: Iterator[Sequence[str]]) -> list[str]:
    """All ids once, in the order of their first occurrence."""
    return list(dict.fromkeys(name for part in ids for name in part))


def _words(cell: Cell[GatedTrials], streaming: bool) -> list[str]:
    """What must be embedded: practice words, and what is heard, unless the subject streams."""
    heard = () if streaming else cell.trials.heard_ids
    return [*cell.trials.practice.word_ids, *heard]


def _streaming(subjects: Collection[SubjectRef], device: Device) -> dict[str, bool]:
    """By population, whether its subjects hear words as they unfold; the others hear cut clips.

    Raises:
        ToolkitError: one has nothing but features of whole clips, which cannot be cut.
    """
    found: dict[str, bool] = {}
    for subject in subjects:
        if subject.population.name in found:
            continue
        loaded = subject.load(device)
        found[subject.population.name] = isinstance(loaded, HearsPrefixes)
        if isinstance(loaded, SharesBackbones) and isinstance(
            loaded.hearing.load(), StoredFeatures
        ):
            raise ToolkitError(
                f"Subject {subject.name} hears through stored features of whole clips, so it "
                "cannot hear a part of a word.",
                given="features on disk in the place of the hearing backbone",
                allowed="a subject with its hearing backbone, or one with embed_prefixes "
                "(toolkit/subjects/contract.py)",
                next_command="the same again without --features",
            )
    return found


def _scores(
    cell: Cell[GatedTrials],
    paradigm: LookingParadigm,
    subject: Subject | SeesAnswers,
    known: Embeddings,
    stimuli: UnfoldingSet,
) -> Scores:
    """Scores of both pictures at all gates and in practice, checked to be finite."""
    trials = cell.trials
    if isinstance(subject, SeesAnswers):
        n, k = len(trials.test), len(trials.gates_ms)
        made = subject.answer(_at_gates(trials)).reshape(n, k, 2).swapaxes(1, 2)
        scores = made, subject.answer(trials.practice)
    else:
        if isinstance(subject, HearsPrefixes):
            words = _streamed(cell, subject, stimuli)
        else:
            words = known.matrix("word", trials.heard_ids)
        heard = Heard(
            words=words,
            practice=known.matrix("word", trials.practice.word_ids),
            pictures=known.matrix("picture", trials.test.option_ids),
            similarity=subject.similarity,
        )
        scores = paradigm.measure(trials, heard)
    if not all(np.isfinite(part).all() for part in scores):
        raise ToolkitError(
            f"Subject {cell.subject.name} gave NaN or infinity as a score in paradigm "
            f"{paradigm.name!r}, language {cell.language!r}.",
            allowed="finite numbers; nothing was written for this subject and language",
        )
    return scores


def _streamed(cell: Cell[GatedTrials], subject: HearsPrefixes, stimuli: UnfoldingSet) -> Floats:
    """What a subject that streams makes of everything that is heard, in the order of its names."""
    trials, rate = cell.trials, stimuli.sample_rate_hz
    names, rows = trials.test.word_ids, trials.ends_ms.tolist()
    clips = [stimuli.read_clip(name) for name in names]
    # For every clip how many samples are heard, by the time in ms up to which it is; -1 for all.
    points = [
        {end: len(clip) if end < 0 else end * rate // 1000 for end in row if end}
        for clip, row in zip(clips, rows, strict=True)
    ]
    asked = [sorted(set(own.values())) for own in points]
    by_name: dict[str, Floats] = {}
    for name, own, ends, vectors in zip(
        names, points, asked, subject.embed_prefixes(clips, asked), strict=True
    ):
        check_vectors(
            vectors, (len(ends), None), "parts of words", [name] * len(ends), cell.subject
        )
        for end, point in own.items():
            by_name[trials.heard_name(name, end)] = vectors[ends.index(point)]
    return np.stack([by_name[name] for name in trials.heard_ids])


def _at_gates(trials: GatedTrials) -> Trials:
    """The test with every trial once for each gate, one after the other."""
    test, k = trials.test, len(trials.gates_ms)
    return replace(
        test,
        condition=np.repeat(test.condition, k),
        word=np.repeat(test.word, k),
        options=np.repeat(test.options, k, axis=0),
        target_position=np.repeat(test.target_position, k),
    )


def _rows(
    cell: Cell[GatedTrials],
    paradigm: LookingParadigm,
    scores: Floats,
    shares: Floats,
    temperature: float,
) -> Iterator[pd.DataFrame]:
    """Rows of the trials table, one per trial and gate, a part at a time."""
    who = {**labels(cell.subject, paradigm), "test_language": cell.language}
    k, gates = len(cell.trials.gates_ms), np.array(cell.trials.gates_ms, dtype=np.int16)
    flat = scores.swapaxes(1, 2).reshape(-1, 2).astype(np.float32, copy=False)
    for part in answers_table(_at_gates(cell.trials), flat, who):
        row = part["trial"].to_numpy()
        made = part.assign(
            trial=(row // k).astype(np.int32),
            gate_ms=gates[row % k],
            looking=shares.reshape(-1)[row],
            temperature=np.float32(temperature),
        )
        drawn = [DRAW.name] * (DRAW.name in made)
        yield made[[name for name in made if name not in drawn] + drawn]


RUNNING = Running(
    lambda *given, **options: prepare(*given, **options),  # looked up when it is called
    options={"trials_per_class": "per_class", "trial_seed": "trial_seed"},
    others="words are spoken in",
)
"""How paradigms of looking are run."""
