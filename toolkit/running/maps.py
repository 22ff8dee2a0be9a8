"""Puts a paradigm of maps to populations: who reads text and sees places, asked in many languages.

Pictures are embedded chunk by chunk, once per subject, and their features stay on disk; maps are
read from there, one chunk at a time, by as many processes as there are jobs. Memory grows neither
with the number of pictures nor with that of queries.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms import BaseParadigm, MapParadigm, Queries
from paradigms.maps.paradigm import as_maps
from stimuli.cells import guarded_table
from stimuli.files import read_sound, write_checked
from stimuli.names import file_name
from toolkit.arrays import read_arrays
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.processes.workers import Submit, workers
from toolkit.running.capabilities import incapable_first, require
from toolkit.running.embedding import Progress
from toolkit.running.embedding_store import EmbeddingStore
from toolkit.running.energy import measure_energy
from toolkit.running.folder import AGAIN, RunDirectory, content_key
from toolkit.running.kinds import Running
from toolkit.running.map_cells import (
    MAPS_PREFIX,
    N_SAMPLE,
    Drawn,
    Embedded,
    MapCell,
    Shared,
    beside,
    is_done,
    measure_columns,
    sample_template,
    score_cell,
)
from toolkit.running.plan import DEFAULT_ROOT, Finished, Plan, Prepared, labels, named, untrained
from toolkit.running.subject_refs import SubjectRef, subjects_of
from toolkit.subjects.contract import SeesMasks
from toolkit.tables.manifests import EMBEDDINGS, TRIALS_FILE

if TYPE_CHECKING:
    import numpy.typing as npt

    from stimuli import StimulusSet
    from toolkit.subjects.population import Population

PICTURES_AT_ONCE = 32
"""Pictures in one file of features and in one cell of a run."""
AGREEMENT_FILE = "agreement.csv"
"""In the run folder: agreement of every two languages, averaged over pictures."""
MAPS_FILE = "maps.npz"
"""In the run folder: some maps as they are, to be looked at."""


def run_maps(
    paradigm: BaseParadigm,
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    languages: Sequence[str] = (),
    templates: Sequence[str] = (),
    root: Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: Device = CPU,
    progress: Progress = lambda *_: None,
) -> Finished:
    """Put a paradigm of maps to all seeds of some populations, doing only what is not stored yet.

    Args:
        paradigm: the test, one of maps (`paradigms.MapParadigm`).
        populations: who is asked.
        stimuli: pictures and word list.
        languages: codes of the word list; by default all of them. The reference is always asked.
        templates: how words are put, which are the conditions; by default the paradigm's first.
        root: folder that holds all runs.
        jobs: processes that read maps.
        device: where networks compute; numbers of each kind of device are kept apart.
        progress: called as the work goes on.

    Raises:
        ToolkitError: if the paradigm asks for choices, a language or template is unknown, a concept
            has no word in a language, a picture or mask cannot be read, or a subject lacks a
            capability or breaks its contract.
    """
    return prepare_maps(
        paradigm,
        populations,
        stimuli,
        languages=languages,
        templates=templates,
        root=root,
        jobs=jobs,
        device=device,
    ).carry_out(progress)


def prepare_maps(
    paradigm: BaseParadigm,
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    languages: Sequence[str] = (),
    templates: Sequence[str] = (),
    root: Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: Device = CPU,
) -> Prepared:
    """Plan what `run_maps` does, computing nothing; for arguments and errors see there."""
    test = as_maps(paradigm)
    with incapable_first(populations, test.needs, "SeesMasks"):
        queries = test.queries(stimuli, languages=languages, templates=templates)
    cells = _plan(test, subjects_of(populations), stimuli, queries, device)
    tested = {population.name: list(queries.languages) for population in populations}
    plan = Plan(
        name=file_name(test.name),
        paradigm=test,
        populations=tuple(populations),
        stimuli=stimuli,
        cells={cell.name: cell.key for own in cells.values() for cell in own},
        facts={
            "languages": tested,
            "trials_per_class": None,
            "trial_seed": None,
            "words": _words(stimuli, queries),
        },
        tables=(TRIALS_FILE, AGREEMENT_FILE, MAPS_FILE),
        warnings=tuple(untrained(populations, tested)),
        device=device,
    )

    def make(
        directory: RunDirectory, keys: Collection[str], progress: Progress
    ) -> Mapping[str, Any]:
        shared = Shared(test, stimuli, queries, directory)
        missing = {
            subject: [cell for cell in own if cell.key in keys] for subject, own in cells.items()
        }
        missing = {subject: own for subject, own in missing.items() if own}
        n_queries = sum(_n_queries(queries, cell) for own in missing.values() for cell in own)
        with measure_energy() as energy:
            _compute(shared, missing, EmbeddingStore(root / EMBEDDINGS, device), jobs, progress)
        told = {
            "watt_hours": energy.watt_hours,
            "per_1000_queries": energy.per_thousand(n_queries),
            "n_queries": n_queries,
            "source": energy.source,
        }
        return {"energy": told} if n_queries else {}

    def join(directory: RunDirectory) -> None:
        shared = Shared(test, stimuli, queries, directory)
        _write_agreement(shared, cells)
        _write_maps(shared, cells)
        keys = [cell.key for own in cells.values() for cell in own]
        directory.assemble(keys, test.kind, measure_columns(test))

    return Prepared(plan, root, is_done, make, join)


def _plan(
    paradigm: MapParadigm,
    subjects: Sequence[SubjectRef],
    stimuli: StimulusSet,
    queries: Queries,
    device: Device,
) -> dict[SubjectRef, list[MapCell]]:
    """Cut the pictures into chunks, once for all subjects, and name the cells."""
    pictures = list(queries.asked)
    chunks = [
        tuple(pictures[start : start + PICTURES_AT_ONCE])
        for start in range(0, len(pictures), PICTURES_AT_ONCE)
    ]
    decided = named(paradigm)
    plan: dict[SubjectRef, list[MapCell]] = {}
    for subject in subjects:
        plan[subject] = []
        for number, chunk in enumerate(chunks):
            facts = {
                "paradigm": decided,
                "stimuli": stimuli.checksum,
                "subject": [subject.name, subject.checksum],
                "queries": queries.checksum,
                "pictures": chunk,
                "asked": [queries.asked[name] for name in chunk],
                "first_pair": [queries.first_pair[chunk[0]], queries.n_pairs],
                **device.facts,
            }
            cell = MapCell(
                name=f"{subject.name}/{number}",
                key=content_key(facts),
                pictures=chunk,
                labels=labels(subject, paradigm),
            )
            plan[subject].append(cell)
    return plan


def _n_queries(queries: Queries, cell: MapCell) -> int:
    """Maps that are read in a cell."""
    n_pairs = sum(len(queries.asked[name]) for name in cell.pictures)
    return n_pairs * len(queries.templates) * len(queries.languages)


def _words(stimuli: StimulusSet, queries: Queries) -> dict[str, Any]:
    """What a manifest says of the word list: languages, templates, and all texts that are asked."""
    known = {code: stimuli.words.languages[code] for code in queries.languages}
    texts = {
        template: {
            concept: {code: queries.texts[template, concept, code] for code in queries.languages}
            for concept in queries.concepts
        }
        for template in queries.templates
    }
    return {
        "reference": queries.reference,
        "languages": {
            code: {"name": one.name, "resource": one.resource} for code, one in known.items()
        },
        "templates": list(queries.templates),
        "texts": texts,
        "checksum": hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest(),
    }


def _compute(
    shared: Shared,
    missing: Mapping[SubjectRef, Sequence[MapCell]],
    store: EmbeddingStore,
    jobs: int,
    progress: Progress,
) -> None:
    n_cells = sum(map(len, missing.values()))
    n_done = 0

    def done() -> None:
        nonlocal n_done
        n_done += 1
        progress("reading maps", n_done, n_cells)

    with workers(min(jobs, max(1, n_cells)), done) as submit:
        for number, (subject, cells) in enumerate(missing.items()):
            progress("loading subjects", number, len(missing))
            loaded = subject.load(store.device)
            progress("loading subjects", number + 1, len(missing))
            if isinstance(loaded, SeesMasks):
                _ask_dummy(shared, subject, loaded, cells, submit)
                continue
            require(subject.name, loaded, shared.paradigm.needs)
            _ask(shared, subject, loaded, cells, store, submit, progress)


def _ask(
    shared: Shared,
    subject: SubjectRef,
    loaded: Any,
    cells: Sequence[MapCell],
    store: EmbeddingStore,
    submit: Submit,
    progress: Progress,
) -> None:
    """Embed what a subject has not seen yet, and have its maps read while the next is embedded."""
    queries = shared.queries
    asked = sorted({*queries.distinct, *queries.names.values()})
    texts = store.texts(subject, loaded, asked)
    for number, cell in enumerate(cells):
        features = store.features(
            subject, loaded, shared.stimuli, cell.pictures, texts.vectors.shape[1]
        )
        progress("embedding pictures", number + 1, len(cells))
        submit(score_cell, shared, cell, Embedded(features, texts))


def _ask_dummy(
    shared: Shared,
    subject: SubjectRef,
    dummy: SeesMasks,
    cells: Sequence[MapCell],
    submit: Submit,
) -> None:
    """Have a dummy draw maps from the masks."""
    if not shared.queries.truth:
        raise ToolkitError(
            f"The dummy {subject.name} draws what masks show, and the set "
            f"{shared.stimuli.name!r} has none.",
            allowed="a set with objects.csv, or a subject that reads text and sees places",
        )
    for cell in cells:
        submit(score_cell, shared, cell, Drawn(dummy))


def _write_agreement(shared: Shared, cells: Mapping[SubjectRef, Sequence[MapCell]]) -> None:
    """Average the agreement of every two languages over pictures, per subject and concept."""
    import pandas as pd

    queries = shared.queries
    first, second = np.triu_indices(len(queries.languages), 1)
    pairs = {
        "language_a": [queries.languages[number] for number in first],
        "language_b": [queries.languages[number] for number in second],
    }
    tables = []
    for subject, own in cells.items():
        n_pictures, sums = _summed(shared, own)
        for t, template in enumerate(queries.templates):
            for c, concept in enumerate(queries.concepts):
                same = {
                    "population": subject.population.name,
                    "seed": subject.seed,
                    "template": template,
                    "concept": concept,
                }
                means = {
                    name: total[t, c][first, second] / n_pictures[c] for name, total in sums.items()
                }
                values = {**pairs, **means, "n_pictures": n_pictures[c]}
                tables.append(pd.DataFrame(values).assign(**same)[[*same, *values]])
    with write_checked(shared.directory.folder / AGREEMENT_FILE) as path:
        guarded_table(pd.concat(tables)).to_csv(path, index=False)


def _summed(
    shared: Shared, cells: Sequence[MapCell]
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.float64]]]:
    """Pictures per concept, and agreement summed over them, of all cells of a subject."""
    n_pictures = np.zeros(len(shared.queries.concepts), dtype=np.int64)
    sums: dict[str, npt.NDArray[np.float64]] = {}
    for cell in cells:
        try:
            for name, values in _beside(shared, cell).items():
                if name == "n_pictures":
                    n_pictures += values
                elif not name.startswith(MAPS_PREFIX):
                    sums[name] = sums.get(name, 0) + values
        except (TypeError, ValueError) as error:
            raise shared.directory.unreadable(cell.key, error) from error
    return n_pictures, sums


def _beside(shared: Shared, cell: MapCell) -> dict[str, npt.NDArray[Any]]:
    """What lies beside a cell."""
    path = beside(shared.directory, cell.key)
    content = read_sound(path, AGAIN, kept=True)
    try:
        return read_arrays(path, content)
    except ToolkitError as error:
        raise shared.directory.unreadable(cell.key, error) from error


def _write_maps(shared: Shared, cells: Mapping[SubjectRef, Sequence[MapCell]]) -> None:
    """Put the maps that were kept of each population's first seed into one file.

    ``similarity/0`` are those of the first of ``populations``, (pairs, languages, h, w), and so on.
    """
    queries = shared.queries
    sample = queries.sample(N_SAMPLE)
    first: dict[str, SubjectRef] = {}
    for subject in cells:
        first.setdefault(subject.population.name, subject)
    shown = [first[name] for name in sorted(first)]
    arrays: dict[str, Any] = {}
    # Populations see pictures at different grain, and every map is kept at its own.
    for number, subject in enumerate(shown):
        kept: dict[str, npt.NDArray[np.float32]] = {}
        for cell in cells[subject]:
            stored = _beside(shared, cell)
            kept |= {key: maps for key, maps in stored.items() if key.startswith(MAPS_PREFIX)}
        try:
            arrays[f"similarity/{number}"] = np.stack(
                [kept[f"{MAPS_PREFIX}{place}"] for place in range(len(sample))]
            )
        except (KeyError, ValueError) as error:
            raise shared.directory.unreadable(cells[subject][0].key, error) from error
    with write_checked(shared.directory.folder / MAPS_FILE) as path:
        np.savez_compressed(
            path,
            populations=np.array(sorted(first)),
            seeds=np.array([subject.seed for subject in shown]),
            picture_ids=np.array([picture for picture, _ in sample]),
            concepts=np.array([concept for _, concept in sample]),
            languages=np.array(queries.languages),
            template=np.array(sample_template(queries)),
            **arrays,
        )


RUNNING = Running(
    lambda *given, **options: prepare_maps(*given, **options),  # looked up when it is called
    options={"template": "templates", "words": ""},
    others="every picture is asked once in",
)
"""How paradigms of maps are run."""
