"""Puts every triple of a two-picture paradigm to populations, instead of a drawn list."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms import ALL_WORDS, BaseParadigm, PicturePairs
from paradigms.choices.paradigm import MATRIX_ENTRIES
from stimuli.files import write_checked
from stimuli.names import file_name
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.running.choices import languages_of
from toolkit.running.embedding import Progress, embed
from toolkit.running.embedding_store import Embeddings, EmbeddingStore
from toolkit.running.exhaustive import Wins, count_wins
from toolkit.running.folder import RunDirectory, content_key
from toolkit.running.plan import DEFAULT_ROOT, Finished, Plan, carry_out, labels, named
from toolkit.running.subject_refs import SubjectRef, subjects_of
from toolkit.running.triples import Material, Question, picture_pairs, questions
from toolkit.subjects.contract import Floats, SeesAnswers, Subject
from toolkit.tables.manifests import EMBEDDINGS, EXHAUSTIVE_FILE
from toolkit.tables.trials import DRAW

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from stimuli import StimulusSet
    from toolkit.subjects.population import Population

    Ints = npt.NDArray[np.int64]

_Asked = tuple[frozenset[str] | None, str, tuple[str, ...]]
COUNTS_SCHEMA = 1
"""Raised when a column of the counts changes its meaning."""
COLUMNS = {
    "paradigm": "name of the paradigm",
    "paradigm_version": "version of the paradigm",
    "condition": "condition of the paradigm",
    "population": "population of subjects",
    "n_languages": "number of languages the subject was trained on",
    "train_languages": "ISO codes joined by '+'; empty for untrained subjects",
    "seed": "training seed",
    "test_language": "ISO code of the words said",
    "word_concept": f"concept of the words said; '{ALL_WORDS}' for the mean over all words",
    "target_concept": "concept of the pictures counted as right",
    "distractor_concept": "concept of the pictures beside them",
    "n_triples": "clips times target pictures times distractor pictures",
    "n_correct": "triples in which the target scores strictly higher",
    "n_ties": "triples in which both score exactly the same, not counted as correct",
}
"""Columns of the counts and what they say."""
DRAWN = {"familiar_draw": DRAW.meaning}
"""The same, where a population's subjects learnt different words."""


@dataclass(frozen=True)
class ScoredAll(Finished):
    """Counts of all triples of some populations."""

    table: pd.DataFrame
    """One row per seed, language, condition and concepts of word, target and distractor."""


@dataclass(frozen=True)
class _Cell:
    """One subject counted in one language."""

    subject: SubjectRef
    language: str
    foreign: tuple[str, ...]
    key: str

    @property
    def asked(self) -> _Asked:
        """What decides the questions."""
        return self.subject.familiar, self.language, self.foreign


def score_all(
    paradigm: BaseParadigm,
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    languages: Sequence[str] = (),
    any_style: bool = False,
    root: Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: Device = CPU,
    progress: Progress = lambda *_: None,
) -> ScoredAll:
    """Ask every triple of word clip, target picture and distractor picture of a paradigm.

    The conditions are those of the paradigm; a condition whose target shows another class than
    the word names goes over all such classes. Embeddings are shared with runs under ``root``; only
    what is not counted yet is counted.

    Args:
        paradigm: a paradigm of picture pairs (`paradigms.PicturePairs`).
        populations: who is asked, all their seeds.
        stimuli: what is said and shown; only its test split.
        languages: test languages; by default as in `toolkit.running.choices.run`.
        any_style: show pictures of different style (colour, glyph) together as well, which drawn
            lists do not.
        root: folder that holds all runs.
        jobs: subjects worked on at the same time while embedding.
        device: where networks compute; numbers of each kind of device are kept apart.
        progress: called as the work goes on.

    Raises:
        ToolkitError: if the paradigm has no picture pairs, a language is unknown, a population
            answers from a trial list, or stimuli or subjects break their contract.
    """
    import pandas as pd

    pairs = picture_pairs(paradigm)
    tested = {p.name: languages_of(p, pairs, stimuli, languages) for p in populations}
    subjects = subjects_of(populations)
    material: dict[_Asked, Material] = {}
    for subject in subjects:
        for language in tested[subject.population.name]:
            foreign = _foreign(pairs, tested[subject.population.name], stimuli)
            if (subject.familiar, language, foreign) not in material:
                material[subject.familiar, language, foreign] = Material.of(
                    subject.views(stimuli),
                    language,
                    any_style=any_style,
                    variants={condition.variant for condition in pairs.conditions},
                    foreign=foreign,
                )
    asked = {key: list(questions(pairs, own)) for key, own in material.items()}
    columns = COLUMNS | (DRAWN if any(subject.draw for subject in subjects) else {})
    cells = list(_cells(pairs, subjects, tested, stimuli, any_style, device))
    plan = Plan(
        name=f"{file_name(paradigm.name)}-all",
        paradigm=paradigm,
        populations=tuple(populations),
        stimuli=stimuli,
        cells={f"{cell.subject.name}/{cell.language}": cell.key for cell in cells},
        facts={"languages": tested, "any_style": any_style, "columns": columns},
        tables=(EXHAUSTIVE_FILE,),
        device=device,
    )

    def compute(directory: RunDirectory) -> Mapping[str, Any]:
        missing: dict[SubjectRef, list[_Cell]] = {}
        for cell in cells:
            if not directory.has_cell(cell.key):
                missing.setdefault(cell.subject, []).append(cell)
        needed = {
            subject: {
                "word": [word for cell in own for word in material[cell.asked].word_ids],
                "picture": material[own[0].asked].picture_ids,
            }
            for subject, own in missing.items()
        }
        store = EmbeddingStore(root / EMBEDDINGS, device)
        given = embed(needed, stimuli, store, jobs=jobs, progress=progress)
        for done, (subject, loaded, known) in enumerate(given):
            perceives = must_perceive(
                subject,
                loaded,
                f"mevgs-toolkit run-paradigm {paradigm.name} --subject {subject.population.name}",
            )
            for cell in missing[subject]:
                found = _count(subject, perceives, known, material[cell.asked], asked[cell.asked])
                with directory.writing(directory.cell_path(cell.key)) as path:
                    _rows(found, pairs, subject, cell.language).to_parquet(path, compression="zstd")
            progress("counting", done + 1, len(missing))
        with write_checked(directory.folder / EXHAUSTIVE_FILE) as path:
            _joined(directory, cells, columns).to_parquet(path, compression="zstd", index=False)
        return {}

    done = carry_out(plan, root, RunDirectory.has_cell, compute)
    return ScoredAll(**vars(done), table=pd.read_parquet(done.directory.folder / EXHAUSTIVE_FILE))


def _cells(
    paradigm: PicturePairs,
    subjects: Sequence[SubjectRef],
    tested: Mapping[str, Sequence[str]],
    stimuli: StimulusSet,
    any_style: bool,
    device: Device,
) -> Iterator[_Cell]:
    """What is counted and stored on its own: one subject in one language."""
    decided = {
        "counts": COUNTS_SCHEMA,
        "paradigm": named(paradigm),
        "stimuli": stimuli.checksum,
        "any_style": any_style,
        **device.facts,
    }
    for subject in subjects:
        foreign = _foreign(paradigm, tested[subject.population.name], stimuli)
        for language in tested[subject.population.name]:
            whom = {"subject": [subject.name, subject.checksum], "language": language}
            whom |= {"foreign": list(foreign)} if foreign else {}
            yield _Cell(subject, language, foreign, content_key(decided | whom))


def _foreign(
    paradigm: PicturePairs, tested: Sequence[str], stimuli: StimulusSet
) -> tuple[str, ...]:
    """Languages that are said and not tested, where the paradigm asks for them.

    Raises:
        ToolkitError: if all languages of the set are tested.
    """
    if not paradigm.asks_across_languages:
        return ()
    foreign = tuple(code for code in stimuli.languages if code not in tested)
    if not foreign:
        raise ToolkitError(
            f"Paradigm {paradigm.name!r} says words of a language that is not tested, and all "
            f"languages of the stimulus set {stimuli.name!r} are.",
            given=", ".join(tested),
            allowed="fewer test languages (--language), or a set with one language more",
        )
    return foreign


def _joined(
    directory: RunDirectory, cells: Sequence[_Cell], columns: Collection[str]
) -> pd.DataFrame:
    """The counts of all cells, in their order.

    Raises:
        ToolkitError: if a cell cannot be read back.
    """
    import pandas as pd

    parts = []
    for cell in cells:
        part = directory.read_cell(cell.key).to_pandas()
        if missing := [name for name in COLUMNS if name not in part]:
            raise directory.unreadable(cell.key, KeyError(*missing))
        if DRAW.name in columns and DRAW.name not in part:
            part[DRAW.name] = ""
        parts.append(part[list(columns)])
    table: pd.DataFrame = pd.concat(parts, ignore_index=True)
    names = [name for name in columns if not pd.api.types.is_numeric_dtype(table[name])]
    table[names] = table[names].astype("category")
    return table


def must_perceive(subject: SubjectRef, loaded: Subject | SeesAnswers, next_command: str) -> Subject:
    """The subject, if it hears and sees.

    Raises:
        ToolkitError: if it is a dummy that answers from a trial list.
    """
    if isinstance(loaded, SeesAnswers):
        raise ToolkitError(
            f"{subject.population.name!r} answers from a trial list, and here is none.",
            allowed="a population that hears words and sees pictures",
            next_command=next_command,
        )
    return loaded


def _count(
    subject: SubjectRef,
    loaded: Subject,
    known: Embeddings,
    material: Material,
    asked: Sequence[Question],
) -> dict[Question, Wins]:
    """Count every question; scores are held for a block of clips of one concept at a time."""
    pictures = known.matrix("picture", material.picture_ids)
    words = known.matrix("word", material.word_ids)
    block = max(1, MATRIX_ENTRIES // max(1, len(pictures)))
    said = zip(material.word_concept.tolist(), material.word_variant.tolist(), strict=True)
    classes = sorted(set(said))
    n_plain = sum(not variant for _, variant in classes)
    mean = np.zeros(len(pictures))
    found: dict[Question, Wins] = {}

    def ask(word: str, variant: str, scores: Floats) -> None:
        for question in (one for one in asked if (one.word, one.variant) == (word, variant)):
            for targets, distractors in material.shown_together(question):
                wins = _wins(question, scores, targets, distractors)
                found[question] = found[question] + wins if question in found else wins

    for concept, variant in classes:
        rows = np.flatnonzero(
            (material.word_concept == concept) & (material.word_variant == variant)
        )
        for start in range(0, len(rows), block):
            part = rows[start : start + block]
            scores = loaded.similarity(words[part], pictures)
            _check(scores, (len(part), len(pictures)), subject)
            ask(concept, variant, scores)
            if not variant:
                mean += scores.sum(axis=0, dtype=np.float64) / len(rows) / n_plain
    # As in drawn lists, every word class weighs the same.
    ask(ALL_WORDS, "", mean.astype(np.float32)[None, :])
    return {question: found[question] for question in asked}


def _wins(question: Question, scores: Floats, targets: Ints, distractors: Ints) -> Wins:
    target, distractor = question.target, question.distractor
    return count_wins(
        scores[:, target.pictures[targets]],
        target.classes[targets],
        scores[:, distractor.pictures[distractors]],
        distractor.classes[distractors],
        (len(target.concepts), len(distractor.concepts)),
    )


def _check(scores: Floats, expected: tuple[int, int], subject: SubjectRef) -> None:
    if scores.shape != expected:
        raise ToolkitError(
            f"Subject {subject.name} made scores of shape {scores.shape}.", allowed=str(expected)
        )
    if not np.isfinite(scores).all():
        raise ToolkitError(
            f"Subject {subject.name} gave NaN or infinity as a score.",
            allowed="finite numbers; nothing was written",
        )


def _rows(
    found: Mapping[Question, Wins], paradigm: PicturePairs, subject: SubjectRef, language: str
) -> pd.DataFrame:
    """Rows of the table for one subject and language: one per pair of classes that was asked."""
    import pandas as pd

    columns: dict[str, list[Any]] = {name: [] for name in COLUMNS}
    for question, wins in found.items():
        targets, distractors = np.nonzero(wins.triples)
        for target, distractor in zip(targets.tolist(), distractors.tolist(), strict=True):
            shown = question.target.concepts[target], question.distractor.concepts[distractor]
            if shown[0] == shown[1]:
                continue
            columns["condition"].append(question.condition)
            columns["word_concept"].append(question.word)
            columns["target_concept"].append(shown[0])
            columns["distractor_concept"].append(shown[1])
            columns["n_triples"].append(int(wins.triples[target, distractor]))
            columns["n_correct"].append(int(wins.correct[target, distractor]))
            columns["n_ties"].append(int(wins.ties[target, distractor]))
    n = len(columns["condition"])
    same = {**labels(subject, paradigm), "test_language": language}
    return pd.DataFrame(columns | {name: [value] * n for name, value in same.items()})
