"""Embeds every stimulus once per subject, shares frozen features, and keeps the result on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli import list_sets
from toolkit.processes.threads import side_by_side
from toolkit.running.capabilities import require
from toolkit.running.embedding_store import Embeddings, EmbeddingStore, check_vectors
from toolkit.subjects.backbones.ears import RATE
from toolkit.subjects.backbones.stored import LackingError
from toolkit.subjects.contract import (
    SeesAnswers,
    SharesBackbones,
    Subject,
    UnfitError,
    require_rate,
)

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from toolkit.devices import Device
    from toolkit.running.subject_refs import SubjectRef

CHUNK = 512
"""Stimuli held in memory at once, so that memory does not grow with the stimulus set."""

Progress = Callable[[str, int, int], None]
"""Called with what is being done, how much of it is done, and how much there is."""
Needed = Mapping[str, Sequence[str]]
"""Ids of stimuli by kind, ``word`` and ``picture``."""


def embed(
    needed: Mapping[SubjectRef, Needed],
    stimuli: StimulusSet,
    store: EmbeddingStore,
    *,
    needs: Sequence[str] = ("Subject",),
    jobs: int = 1,
    progress: Progress = lambda *_: None,
) -> Iterator[tuple[SubjectRef, Subject | SeesAnswers, Embeddings]]:
    """Give every subject the stimuli it needs, embedding only what is not stored yet.

    Subjects on the same backbones are loaded together, so that features are computed once; all
    others one at a time. Each is handed back as soon as its embeddings are on disk.

    Args:
        needed: for every subject, the ids of the stimuli it needs by kind (``word``, ``picture``).
        stimuli: the set they belong to.
        store: where embeddings are kept, and on which device they are made.
        needs: what every subject must be able to do, see `toolkit.running.capabilities`.
        jobs: subjects on the same backbones that are worked on at the same time.
        progress: called as the work goes on.

    Yields:
        Each subject, loaded, with its embeddings.

    Raises:
        ToolkitError: if a stimulus cannot be read, or a subject lacks what is needed of it, or
            returns a wrong shape or NaN.
    """
    for group in _groups(needed, store.device, needs, progress):
        if any(isinstance(loaded, SeesAnswers) for loaded in group.values()):
            yield from ((subject, loaded, Embeddings({}, {})) for subject, loaded in group.items())
            continue
        paths = {subject: store.path(subject, stimuli) for subject in group}
        stored = {subject: store.read(path) for subject, path in paths.items()}
        missing = {subject: _missing(needed[subject], stored[subject]) for subject in group}
        waiting = {s: loaded for s, loaded in group.items() if any(missing[s].values())}
        if waiting:
            _embed_group(waiting, missing, stored, stimuli, jobs, progress)
        for subject, loaded in group.items():
            if subject in waiting:
                store.write(paths[subject], stored[subject])
            yield subject, loaded, stored[subject]


def _missing(needed: Needed, stored: Embeddings) -> dict[str, list[str]]:
    return {
        kind: [name for name in ids if name not in stored.of(kind)] for kind, ids in needed.items()
    }


def _groups(
    subjects: Iterable[SubjectRef], device: Device, needs: Sequence[str], progress: Progress
) -> Iterator[dict[SubjectRef, Any]]:
    """Load subjects: those that share backbones together, all others one at a time."""
    waiting = list(subjects)
    shared: dict[str, dict[SubjectRef, Any]] = {}
    for number, subject in enumerate(waiting):
        loaded = subject.load(device)
        progress("loading subjects", number + 1, len(waiting))
        if isinstance(loaded, SeesAnswers):
            yield {subject: loaded}
            continue
        require(subject.name, loaded, needs)
        if isinstance(loaded, SharesBackbones):
            key = f"{loaded.hearing.sha256}/{loaded.seeing.sha256}"
            shared.setdefault(key, {})[subject] = loaded
        else:
            yield {subject: loaded}
    yield from shared.values()


def _embed_group(
    group: Mapping[SubjectRef, Subject],
    missing: Mapping[SubjectRef, Mapping[str, Sequence[str]]],
    stored: Mapping[SubjectRef, Embeddings],
    stimuli: StimulusSet,
    jobs: int,
    progress: Progress,
) -> None:
    """Embed chunk by chunk; the features of a chunk serve all subjects of the group."""
    anyone = next(iter(group.values()))
    wanted = {
        kind: list(dict.fromkeys(name for s in group for name in missing[s].get(kind, ())))
        for kind in ("word", "picture")
    }
    done = dict.fromkeys(wanted, 0)
    for kind, chunk, features in _features(anyone, wanted, stimuli):

        def work(
            one: tuple[SubjectRef, Any],
            *,
            kind: str = kind,
            chunk: Sequence[str] = chunk,
            features: Any = features,
        ) -> None:
            subject, network = one
            own = set(missing[subject].get(kind, ()))
            places = [place for place, name in enumerate(chunk) if name in own]
            if places:
                names = [chunk[place] for place in places]
                vectors = _vectors(network, kind, features, places)
                check_vectors(vectors, (len(names), None), f"{kind}s", names, subject)
                stored[subject].of(kind).update(zip(names, vectors, strict=True))

        side_by_side(work, [*group.items()], jobs)
        done[kind] += len(chunk)
        progress(f"embedding {kind}s", done[kind], len(wanted[kind]))


def _features(
    subject: Any, wanted: Needed, stimuli: StimulusSet
) -> Iterator[tuple[str, Sequence[str], Any]]:
    """Kind, ids and features of chunk after chunk.

    While one chunk is worked on, the next one is read, and its backbone's libraries are imported.
    """
    chunks = [
        (kind, ids[start : start + CHUNK])
        for kind, ids in wanted.items()
        for start in range(0, len(ids), CHUNK)
    ]
    with ThreadPoolExecutor(max_workers=1) as ahead:
        ready: Callable[[], tuple[Any, Any]] = partial(_prepared, subject, chunks[0], stimuli)
        for chunk, following in zip_longest(chunks, chunks[1:]):
            media, backbone = ready()
            if following:
                ready = ahead.submit(_prepared, subject, following, stimuli).result
            yield *chunk, media if backbone is None else _through(backbone, media, chunk, stimuli)


def _through(
    backbone: Any, media: Any, chunk: tuple[str, Sequence[str]], stimuli: StimulusSet
) -> Any:
    """Features of a chunk; what the backbone cannot take is told by the name of its file."""
    try:
        return backbone.features(media)
    except UnfitError as error:
        raise error.of([str(stimuli.file_of(name)) for name in chunk[1]]) from error
    except LackingError as error:
        known = list_sets().get(stimuli.name) == stimuli.folder
        place = stimuli.name if known else stimuli.folder
        raise error.of(chunk[1], stimuli.name, stimuli.checksum, place) from error


def _prepared(
    subject: Any, chunk: tuple[str, Sequence[str]], stimuli: StimulusSet
) -> tuple[Any, Any]:
    """Stimuli as they are, and the backbone that turns them into features, if there is one."""
    kind, ids = chunk
    if kind == "word" and isinstance(subject, SharesBackbones):
        require_rate(stimuli, RATE)
    read: Callable[[str], Any] = stimuli.read_clip if kind == "word" else stimuli.read_picture
    # Decoding leaves Python's lock free, so it goes on while a backbone's libraries are imported.
    with ThreadPoolExecutor(max_workers=1) as pool:
        waiting = pool.submit(lambda: [read(name) for name in ids])
        backbone = None
        if isinstance(subject, SharesBackbones):
            backbone = (subject.hearing if kind == "word" else subject.seeing).load()
        return waiting.result(), backbone


def _vectors(subject: Any, kind: str, features: Any, places: Sequence[int]) -> Any:
    own: Any
    if isinstance(features, np.ndarray):
        own = features if len(places) == len(features) else features[list(places)]
    else:
        own = [features[place] for place in places]
    if isinstance(subject, SharesBackbones):
        given = subject.embed_word_features if kind == "word" else subject.embed_picture_features
    else:
        given = subject.embed_words if kind == "word" else subject.embed_pictures
    return given(own)
