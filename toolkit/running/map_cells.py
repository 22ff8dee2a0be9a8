"""One cell of a run of maps: a subject and a chunk of pictures, from stored features to rows."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms import MapParadigm, Queries
from paradigms.base import Mask
from stimuli.media import central_square
from toolkit.errors import ToolkitError
from toolkit.running.folder import RunDirectory
from toolkit.subjects.contract import Floats, SeesMasks
from toolkit.tables.trials import Column, table_columns

if TYPE_CHECKING:
    import numpy.typing as npt

    from paradigms import Reading
    from stimuli import StimulusSet
    from toolkit.running.embedding_store import Texts

N_SAMPLE = 12
"""Pairs of picture and concept whose maps are kept as they are, to be looked at."""
MAPS_PREFIX = "map/"
"""Names of such maps in the file beside a cell: ``map/<number of the pair>``."""


@dataclass(frozen=True)
class Shared:
    """What all cells of a run have in common."""

    paradigm: MapParadigm
    """Reads the maps."""
    stimuli: StimulusSet
    """Where the masks are."""
    queries: Queries
    """What is asked."""
    directory: RunDirectory
    """Where cells are written."""


@dataclass(frozen=True, eq=False)
class MapCell:
    """One subject and a chunk of pictures: the unit that is computed, stored and reused."""

    name: str
    """Population, seed and number of the chunk."""
    key: str
    """Name of the stored cell, made of everything that decides its content."""
    pictures: tuple[str, ...]
    """Ids of the pictures."""
    labels: Mapping[str, str | int]
    """Values that are the same in all its rows: population, seed and the like."""


def measure_columns(paradigm: MapParadigm) -> tuple[Column, ...]:
    """The columns that a paradigm adds to the trials table."""
    return tuple(Column(one.name, "float32", one.meaning) for one in paradigm.measures)


def beside(directory: RunDirectory, key: str) -> Path:
    """File of what belongs to a cell and is no row: agreement of languages, maps to look at."""
    return directory.cell_path(key).with_suffix(".npz")


def is_done(directory: RunDirectory, key: str) -> bool:
    """True if a cell was finished; its rows are written last."""
    return directory.has_cell(key) and beside(directory, key).is_file()


@dataclass(frozen=True, eq=False)
class Embedded:
    """Answers of a subject that reads text and sees places."""

    features: Path
    """File of (m, h, w, d) features of the pictures of the cell."""
    texts: Texts
    """Vectors of all texts of the run."""

    @functools.cached_property
    def patches(self) -> Floats:
        """The features, left on disk until they are looked at."""
        stored: Floats = np.load(self.features, mmap_mode="r", allow_pickle=False)
        return stored

    def maps(self, place: int, texts: Sequence[str], truth: Mask | None, what: str) -> Floats:
        """Cosine similarity of every place of the cell's picture number ``place`` to each text."""
        vectors = self.texts.vectors[self.texts.rows(texts)]
        places = np.asarray(self.patches[place])
        similarity: Floats = vectors @ places.reshape(-1, places.shape[-1]).T
        return similarity.reshape(len(texts), *places.shape[:2])

    def tokens(self, words: Sequence[str]) -> npt.NDArray[np.float64]:
        """Subword tokens of each word."""
        return self.texts.tokens[self.texts.rows(words)].astype(np.float64)


@dataclass(frozen=True)
class Drawn:
    """Answers of a dummy that is handed the masks."""

    dummy: SeesMasks
    """The dummy."""

    def maps(self, place: int, texts: Sequence[str], truth: Mask | None, what: str) -> Floats:
        """One map per text."""
        return self.dummy.draw(truth, what, len(texts))

    def tokens(self, words: Sequence[str]) -> npt.NDArray[np.float64]:
        """Nothing: a dummy does not read."""
        return np.full(len(words), np.nan)


def score_cell(shared: Shared, cell: MapCell, answers: Embedded | Drawn) -> None:
    """Read all maps of a cell and store what was read.

    Args:
        shared: what all cells of the run have in common.
        cell: which pictures, and where to put them.
        answers: gives the maps.

    Raises:
        ToolkitError: if a mask cannot be read, or the paradigm breaks its contract.
    """
    queries = shared.queries
    reference = queries.languages.index(queries.reference)
    gathered = _Gathered(shared, answers)
    for place, picture in enumerate(cell.pictures):
        for concept in queries.asked[picture]:
            truth = read_truth(shared.stimuli, picture, concept) if queries.truth else None
            for template in queries.templates:
                texts = [queries.texts[template, concept, code] for code in queries.languages]
                maps = answers.maps(place, texts, truth, f"{picture}/{concept}/{template}")
                reading = shared.paradigm.read(maps, reference, truth)
                gathered.add(picture, concept, template, maps, reading)
    gathered.write(cell)


def read_truth(stimuli: StimulusSet, picture: str, concept: str) -> Mask:
    """Where a concept is seen in the central square of a picture, which is all that subjects see.

    Raises:
        ToolkitError: if the mask cannot be read, or covers nothing or all of that square.
    """
    truth: Mask = central_square(stimuli.read_mask(picture, concept))
    if truth.all() or not truth.any():
        raise ToolkitError(
            f"The mask of {concept!r} covers {'all' if truth.all() else 'nothing'} of what is "
            f"shown of the picture {picture!r}, so no place in it is right or wrong.",
            allowed="a mask that covers a part of the picture's central square",
            next_command=f"mevgs-toolkit check-stimuli {stimuli.folder}",
        )
    return truth


class _Gathered:
    """What was read off the maps of a cell, until it is written."""

    def __init__(self, shared: Shared, answers: Embedded | Drawn) -> None:
        queries = shared.queries
        self.shared = shared
        self.answers = answers
        self.names: dict[str, list[str]] = {}
        self.numbers: dict[str, list[npt.NDArray[Any]]] = {}
        self.sums: dict[str, npt.NDArray[np.float64]] = {}
        self.n_pictures = np.zeros(len(queries.concepts), dtype=np.int64)
        self.sample = {pair: number for number, pair in enumerate(queries.sample(N_SAMPLE))}
        self.maps: dict[str, npt.NDArray[np.float32]] = {}

    def add(
        self, picture: str, concept: str, template: str, maps: Floats, reading: Reading
    ) -> None:
        """Take the maps of one picture, concept and template: one row per language."""
        queries = self.shared.queries
        codes, n = queries.languages, len(queries.languages)
        number = queries.templates.index(template)
        pair = queries.first_pair[picture] + queries.asked[picture].index(concept)
        names = {
            "condition": [template] * n,
            "target_id": [picture] * n,
            "target_concept": [concept] * n,
            "word_concept": [concept] * n,
            "word_id": [f"{code}/{concept}/{template}" for code in codes],
            "test_language": list(codes),
        }
        for name, texts in names.items():
            self.names.setdefault(name, []).extend(texts)
        numbers = {"trial": np.full(n, number * queries.n_pairs + pair, dtype=np.int32)}
        for column, values in (numbers | self._values(reading, concept)).items():
            self.numbers.setdefault(column, []).append(values)
        at = queries.concepts.index(concept)
        self.n_pictures[at] += number == 0
        for name, matrix in reading.between.items():
            shape = (len(queries.templates), len(queries.concepts), n, n)
            self.sums.setdefault(name, np.zeros(shape))[number, at] += matrix
        kept = self.sample.get((picture, concept))
        if kept is not None and template == sample_template(queries):
            self.maps[f"{MAPS_PREFIX}{kept}"] = maps.astype(np.float32)

    def _values(self, reading: Reading, concept: str) -> dict[str, npt.NDArray[Any]]:
        """Scores and measures, one value per language."""
        paradigm, queries = self.shared.paradigm, self.shared.queries
        words = [queries.names[concept, code] for code in queries.languages]
        tokens = self.answers.tokens(words) / [len(word.split()) for word in words]
        given: dict[str, Any] = {**reading.values, "tokens_per_word": tokens}
        wanted = ["score_target", "score_distractor", *(one.name for one in paradigm.measures)]
        missing = [
            name for name in wanted if name not in given or np.shape(given[name]) != tokens.shape
        ]
        if missing:
            raise ToolkitError(
                f"Paradigm {paradigm.name!r} did not read {', '.join(missing)} off the maps.",
                allowed=f"{len(words)} values of each, one per language",
            )
        values = {name: np.asarray(given[name], dtype=np.float32) for name in wanted}
        needed = wanted[: 2 if queries.truth else 1]
        if not all(np.isfinite(values[name]).all() for name in needed):
            raise ToolkitError(
                f"Paradigm {paradigm.name!r} gave NaN or infinity as a score for the concept "
                f"{concept!r}.",
                allowed="finite numbers; nothing was written for this subject and these pictures",
            )
        margin = values["score_target"] - values["score_distractor"]
        return values | {
            "margin": margin,
            "correct": (margin > 0).astype(np.int8),
            "tie": margin == 0,
            "n_choices": np.full(len(words), 1 + queries.truth, dtype=np.int16),
        }

    def write(self, cell: MapCell) -> None:
        """Store everything; the rows last, since their file says that the cell is done."""
        directory, kind = self.shared.directory, self.shared.paradigm.kind
        extra = measure_columns(self.shared.paradigm)
        with directory.writing(beside(directory, cell.key)) as path:
            np.savez(path, n_pictures=self.n_pictures, **self.sums, **self.maps)  # type: ignore[arg-type]
        same = {**cell.labels, "target_position": 0, "distractor_id": "", "distractor_concept": ""}
        numbers = {name: np.concatenate(parts) for name, parts in self.numbers.items()}
        rows: dict[str, Any] = {**self.names, **numbers}
        directory.write_cell(cell.key, [table_columns(rows, same, extra)], kind, extra)


def sample_template(queries: Queries) -> str:
    """Template of the maps that are kept: the word alone where it was asked."""
    return "bare" if "bare" in queries.templates else queries.templates[0]
