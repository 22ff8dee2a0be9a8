"""What a subject makes of pictures and texts, embedded once and kept on disk.

A picture becomes one vector per place, which is too much to hold for many pictures at once:
features lie in one file per chunk of pictures, and only one chunk is in memory at a time.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stimuli.files import write_atomic
from stimuli.media import central_square
from toolkit.errors import ToolkitError
from toolkit.store import content_key
from toolkit.subjects.contract import Floats, ReadsText, SeesPlaces

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from toolkit.embedding import SubjectRef

PICTURES_AT_ONCE = 32
"""Pictures in one file of features and in one cell of a run."""
LENGTH_TOLERANCE = 1e-2
"""How far from one the length of a vector may be; half precision stays well within."""


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
class DenseStore:
    """Folder of patch features and text vectors, named by what decided their content."""

    folder: Path
    """Where the files lie."""

    def texts(self, subject: SubjectRef, reader: ReadsText, texts: Sequence[str]) -> Texts:
        """Vectors and tokens of texts, each text embedded once.

        Raises:
            ToolkitError: if the subject breaks its contract; nothing is stored then.
        """
        key = content_key({"subject": subject.checksum, "texts": list(texts)})
        path = self.folder / f"{key}.npz"
        stored = _read_texts(path)
        if stored is not None:
            return stored
        vectors = reader.embed_text(list(texts))
        _check(vectors, (len(texts), None), "texts", list(texts), subject)
        tokens = np.asarray(reader.count_tokens(list(texts)), dtype=np.int64)
        if tokens.shape != (len(texts),) or (tokens < 1).any():
            raise ToolkitError(
                f"Subject {subject.name} broke the contract while counting tokens.",
                given=f"counts of shape {tokens.shape}, lowest {tokens.min(initial=0)}",
                allowed=f"{len(texts)} counts of 1 and above",
            )
        made = Texts(tuple(texts), vectors.astype(np.float32), tokens)
        self.folder.mkdir(parents=True, exist_ok=True)
        with write_atomic(path) as unfinished:
            np.savez(unfinished, texts=np.array(texts), vectors=made.vectors, tokens=tokens)
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

        A subject is given the central square of each picture. Encoders of pictures either cut it
        out themselves or squash the whole; so all see the same, and true masks lie as it does.

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
        key = content_key({"subject": subject.checksum, "central_squares": content})
        path = self.folder / f"{key}.npy"
        if _holds(path, len(pictures), d):
            return path
        made = seer.embed_patches([central_square(stimuli.read_picture(name)) for name in pictures])
        _check(made, (len(pictures), None, None, d), "pictures", pictures, subject)
        self.folder.mkdir(parents=True, exist_ok=True)
        with write_atomic(path) as unfinished:
            np.save(unfinished, made.astype(np.float32, copy=False))
        return path


def _read_texts(path: Path) -> Texts | None:
    """What is stored; a damaged file counts as absent, since it can be made again."""
    try:
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as stored:
            return Texts(tuple(stored["texts"].tolist()), stored["vectors"], stored["tokens"])
    except (OSError, KeyError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _holds(path: Path, n: int, d: int) -> bool:
    """Whether a file of features is there and whole; its content is not read."""
    try:
        stored = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return False
    return bool(stored.ndim == 4 and stored.shape[0] == n and stored.shape[3] == d)


def _check(
    made: Any, shape: tuple[int | None, ...], kind: str, names: Sequence[str], subject: SubjectRef
) -> None:
    """Refuse embeddings that break the contract, before anything is stored."""
    wanted = "(" + ", ".join("any" if size is None else str(size) for size in shape) + ")"
    fits = isinstance(made, np.ndarray) and made.ndim == len(shape) and made.size > 0
    if not fits or any(
        size not in (None, own) for size, own in zip(shape, made.shape, strict=True)
    ):
        raise ToolkitError(
            f"Subject {subject.name} broke the contract while embedding {len(names)} {kind}.",
            given=f"{type(made).__name__} of shape {getattr(made, 'shape', 'none')}",
            allowed=f"a NumPy array of shape {wanted}",
        )
    by_name = made.reshape(len(names), -1)
    broken = ~np.isfinite(by_name).all(axis=1)
    what = "NaN or infinity"
    if not broken.any():
        lengths = np.linalg.norm(made.astype(np.float32, copy=False), axis=-1)
        broken = (np.abs(lengths - 1) > LENGTH_TOLERANCE).reshape(len(names), -1).any(axis=1)
        what = "vectors that are not of length one"
    if broken.any():
        raise ToolkitError(
            f"Subject {subject.name} gave {what} for {int(broken.sum())} of {len(names)} {kind}, "
            f"first for {names[int(broken.argmax())]}.",
            allowed="finite vectors of length one; nothing was written",
        )
