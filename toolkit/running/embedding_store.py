"""What subjects made of stimuli and texts, kept on disk under a name that says what decided it.

Three kinds of files, whole or not there; a damaged one counts as absent, since it can be made
again. What a subject gives is checked before it is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stimuli.files import is_sound, read_sound, write_checked
from stimuli.media import central_square
from toolkit.arrays import read_arrays
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.running.folder import content_key, pooled
from toolkit.subjects.contract import Floats, ReadsText, SeesPlaces

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from toolkit.running.subject_refs import SubjectRef

LENGTH_TOLERANCE = 1e-2
"""How far from one the length of a vector may be; half precision stays well within."""


@dataclass(eq=False)
class Embeddings:
    """Embeddings of one subject for one stimulus set, by stimulus id."""

    words: dict[str, Floats]
    """(d,) vector of every word embedded so far."""
    pictures: dict[str, Floats]
    """(d,) vector of every picture embedded so far."""

    def of(self, kind: str) -> dict[str, Floats]:
        """Vectors of one kind, ``word`` or ``picture``."""
        return self.words if kind == "word" else self.pictures

    def matrix(self, kind: str, ids: Sequence[str]) -> Floats:
        """Vectors of the ids in their order, (n, d)."""
        vectors = self.of(kind)
        if not ids:
            return np.zeros((0, 0), dtype=np.float32)
        return np.stack([vectors[name] for name in ids])


@dataclass(frozen=True, eq=False)
class Texts:
    """What a subject makes of some texts."""

    texts: tuple[str, ...]
    """The texts."""
    vectors: Floats
    """(n, d) embedding of each, of length one."""
    tokens: npt.NDArray[np.int64]
    """(n,) subword tokens of each, special ones not counted."""

    def rows(self, texts: Sequence[str]) -> npt.NDArray[np.intp]:
        """Where some of the texts stand."""
        place = {text: number for number, text in enumerate(self.texts)}
        return np.array([place[text] for text in texts], dtype=np.intp)


@dataclass(frozen=True)
class EmbeddingStore:
    """Folder of embeddings, shared by all runs beside it."""

    folder: Path
    """Where the files lie."""
    device: Device = CPU
    """Where those that it holds are made: each kind and precision has files of its own."""

    def path(self, subject: SubjectRef, stimuli: StimulusSet) -> Path:
        """File of a subject's embeddings of a set."""
        return self._file(".npz", subject, {"stimuli": stimuli.checksum})

    def read(self, path: Path) -> Embeddings:
        """The embeddings in such a file; none where it is not there or damaged."""
        kinds = {"word_ids": "words", "picture_ids": "pictures"}
        stored = _arrays(path, [*kinds, *kinds.values()])
        if stored is None or not all(_are_vectors(stored[i], stored[v]) for i, v in kinds.items()):
            return Embeddings({}, {})
        return Embeddings(
            *(dict(zip(stored[i].tolist(), stored[v], strict=True)) for i, v in kinds.items())
        )

    def write(self, path: Path, embeddings: Embeddings) -> None:
        """Write embeddings, whole or not at all."""
        arrays: dict[str, Any] = {}
        for kind, vectors in (("word", embeddings.words), ("picture", embeddings.pictures)):
            arrays[f"{kind}_ids"] = np.array(list(vectors), dtype=np.str_)
            arrays[f"{kind}s"] = np.array(list(vectors.values()), dtype=np.float32)
        self._write(path, arrays)

    def texts(self, subject: SubjectRef, reader: ReadsText, texts: Sequence[str]) -> Texts:
        """Vectors and tokens of texts, made if they are not there.

        Raises:
            ToolkitError: if the subject breaks its contract; nothing is stored then.
        """
        path = self._file(".npz", subject, {"texts": list(texts)})
        stored = _arrays(path, ("texts", "vectors", "tokens"))
        if stored is not None and _are_texts(stored, texts):
            return Texts(tuple(texts), stored["vectors"], stored["tokens"])
        vectors = reader.embed_text(list(texts))
        check_vectors(vectors, (len(texts), None), "texts", texts, subject, of_length_one=True)
        tokens = np.asarray(reader.count_tokens(list(texts)), dtype=np.int64)
        if tokens.shape != (len(texts),) or (tokens < 1).any():
            raise ToolkitError(
                f"Subject {subject.name} broke the contract while counting tokens.",
                given=f"counts of shape {tokens.shape}, lowest {tokens.min(initial=0)}",
                allowed=f"{len(texts)} counts of 1 and above",
            )
        made = Texts(tuple(texts), vectors.astype(np.float32), tokens)
        self._write(path, {"texts": np.array(texts), "vectors": made.vectors, "tokens": tokens})
        return made

    def features(
        self,
        subject: SubjectRef,
        seer: SeesPlaces,
        stimuli: StimulusSet,
        pictures: Sequence[str],
        d: int,
    ) -> Path:
        """File of the features of some pictures, (m, h, w, d) float32, made if it is not there.

        A picture becomes one vector per place, too much to hold for many pictures at once, so the
        file is left to be read in parts. A subject is given the central square of each picture:
        encoders of pictures either cut it out themselves or squash the whole, so all see the same,
        and true masks lie as it does.

        Args:
            subject: whose features.
            seer: the subject, loaded.
            stimuli: the set the pictures belong to.
            pictures: ids of a chunk of pictures.
            d: dimensions of the subject's text vectors.

        Raises:
            ToolkitError: if a picture cannot be read, or the subject breaks its contract; nothing
                is stored then.
        """
        content = [stimuli.table.loc[name, "sha256"] for name in pictures]
        path = self._file(".npy", subject, {"central_squares": content})
        if _holds(path, len(pictures), d):
            return path
        made = seer.embed_patches([central_square(stimuli.read_picture(name)) for name in pictures])
        shape = (len(pictures), None, None, d)
        check_vectors(made, shape, "pictures", pictures, subject, of_length_one=True)
        self._write(path, made.astype(np.float32, copy=False))
        return path

    def _file(self, suffix: str, subject: SubjectRef, content: Mapping[str, Any]) -> Path:
        key = content_key({"subject": subject.checksum, **content, **self.device.facts})
        return pooled(self.folder, f"{key}{suffix}")

    def _write(self, path: Path, made: Mapping[str, Any] | Floats) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with write_checked(path) as unfinished:
            if isinstance(made, np.ndarray):
                np.save(unfinished, made)
            else:
                np.savez(unfinished, **made)


def _arrays(path: Path, names: Sequence[str]) -> dict[str, npt.NDArray[Any]] | None:
    """Arrays of a file by name; None where it is not there or damaged."""
    try:
        stored = read_arrays(path, read_sound(path, kept=True))
    except (OSError, ToolkitError):
        return None
    return stored if set(names) <= set(stored) else None


def _are_vectors(names: npt.NDArray[Any], vectors: npt.NDArray[Any]) -> bool:
    """Whether arrays are names and one vector of finite numbers for each."""
    if vectors.shape == (0,):  # none of the kind
        return names.shape == (0,)
    fits = names.shape == vectors.shape[:1] and vectors.ndim == 2
    kinds = (names.dtype.kind, vectors.dtype.kind)
    return fits and kinds == ("U", "f") and bool(np.isfinite(vectors).all())


def _are_texts(stored: Mapping[str, npt.NDArray[Any]], texts: Sequence[str]) -> bool:
    """Whether arrays hold vectors and counts of tokens of these texts."""
    tokens = stored["tokens"]
    return (
        _are_vectors(stored["texts"], stored["vectors"])
        and stored["texts"].tolist() == list(texts)
        and tokens.shape == (len(texts),)
        and tokens.dtype.kind == "i"
    )


def _holds(path: Path, n: int, d: int) -> bool:
    """Whether a file of features is there, as it was written, and of the shape wanted."""
    if not is_sound(path):
        return False
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except Exception:
        # Damaged headers make NumPy raise whatever it happens to stumble over.
        return False
    if stored.dtype != np.float32 or stored.ndim != 4 or 0 in stored.shape:
        return False
    return bool(stored.shape[0] == n and stored.shape[3] == d and np.isfinite(stored).all())


def check_vectors(
    made: Any,
    shape: tuple[int | None, ...],
    what: str,
    names: Sequence[str],
    subject: SubjectRef,
    *,
    of_length_one: bool = False,
) -> None:
    """Refuse embeddings that break the contract, before anything is stored.

    Args:
        made: what the subject gave.
        shape: the shape it must have; None for any size.
        what: what was embedded, in the plural.
        names: of what was embedded, along the first axis.
        subject: who gave it.
        of_length_one: whether every vector must have that length.

    Raises:
        ToolkitError: it is no array of that shape, not finite, or not of length one.
    """
    fits = isinstance(made, np.ndarray) and made.ndim == len(shape) and made.size > 0
    if not fits or any(
        size not in (None, own) for size, own in zip(shape, made.shape, strict=True)
    ):
        wanted = ", ".join("any" if size is None else str(size) for size in shape)
        raise ToolkitError(
            f"Subject {subject.name} broke the contract while embedding {len(names)} {what}.",
            given=f"{type(made).__name__} of shape {getattr(made, 'shape', 'none')}",
            allowed=f"a NumPy array of shape ({wanted})",
        )
    by_name = made.reshape(len(names), -1)
    broken, fault = ~np.isfinite(by_name).all(axis=1), "NaN or infinity"
    if of_length_one and not broken.any():
        lengths = np.linalg.norm(made.astype(np.float32, copy=False), axis=-1)
        broken = (np.abs(lengths - 1) > LENGTH_TOLERANCE).reshape(len(names), -1).any(axis=1)
        fault = "vectors that are not of length one"
    if broken.any():
        raise ToolkitError(
            f"Subject {subject.name} gave {fault} for {int(broken.sum())} of {len(names)} {what}, "
            f"first for {names[int(broken.argmax())]}.",
            allowed="finite vectors" + " of length one" * of_length_one + "; nothing was written",
            next_command="mevgs-toolkit check-stimuli DIR, or train the subject again",
        )
