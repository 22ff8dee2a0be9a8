"""Features of frozen backbones on disk: HDF5 files in the layout of the published experiment.

A file holds one group per clip or picture, named as it is (see `group_name`), with one data set
`feature`: (frames, channels) for a clip, (channels, height, width) for a picture. Published files
are read as they are. Files written here add what they were made by and from: the attributes of the
file name the backbone, `media_sha256` of a group names the samples or pixels, every data set
carries Fletcher-32 checksums, which are verified whenever it is read, and the file has its own
beside it. Files from elsewhere are listed in a process of their own (`listing`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stimuli.files import write_checked
from stimuli.names import file_name
from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.subjects.backbones.listing import (
    CHECKSUM,
    DATA,
    EXTRACT_AGAIN,
    MEDIA,
    list_features,
)

SUFFIX = ".h5"
BACKBONE = "backbone_sha256"
"""Attribute of a file: checksum of the backbone that made its features."""
FRAMES_PER_S = "frames_per_s"
"""Attribute of backbones that hear, and of files of their features: frames for a second."""
SOURCE = "source"
"""Attribute of a file: name and checksum of the set, or the file list, that it was made of."""
FOREIGN = "taken over: "
"""What stands there before the name of a backbone, where nothing tells its checksum."""
OF_FEATURES = "features "
"""What stands before the checksum of features that do not tell that of their backbone."""
_DIMENSIONS = {"word": 2, "picture": 3}
_AXES = {"word": "(frames, channels)", "picture": "(channels, height, width)"}

Media = NDArray[Any]


class LackingError(ToolkitError):
    """A file of features lacks some that are asked for.

    Args:
        file: the file.
        numbers: places of what it lacks, among all that was asked for.
        n_asked: how many were asked for.
    """

    def __init__(self, file: FeatureFile, numbers: Sequence[int], n_asked: int) -> None:
        super().__init__(
            f"{file.path} lacks the features of {len(numbers)} of {n_asked} {file.kind}s.",
            next_command="mevgs-toolkit extract-features SET --out DIR, SET as in the run",
        )
        self.file, self.numbers, self.n_asked = file, tuple(numbers), n_asked

    def of(self, names: Sequence[str], name: str, checksum: str, place: str | Path) -> ToolkitError:
        """The same error about the stimuli of a set, with the command that makes what is lacking.

        Args:
            names: of all clips or pictures that were asked for.
            name: of the set.
            checksum: of the set.
            place: its name or folder, as it is typed.
        """
        path, kind, told = self.file.path, self.file.kind, self.file.attributes
        own = told.get(SOURCE) == f"{name} {checksum}"
        first = ", ".join(names[number] for number in self.numbers[:3])
        option, only = ("hearing", "words") if kind == "word" else ("seeing", "pictures")
        where = path.parent if own else "DIR"
        taken = "" if is_known(told.get(BACKBONE, "")) else " --take FOLDER-OF-FEATURES"
        return ToolkitError(
            f"{path} lacks the features of {len(self.numbers)} of {self.n_asked} {kind}s of the "
            f"stimulus set {name!r}.",
            given=first + (", ..." if len(self.numbers) > 3 else ""),
            allowed="a file with the features of all that is asked"
            + ("" if own else "; this one was made of other stimuli"),
            next_command=f"mevgs-toolkit extract-features {quoted(place)} --only {only} "
            f"--{option} {quoted(path.stem)}{taken} "
            f"--out {quoted(where)}" + ("" if own else ", then --features DIR"),
        )


def group_name(name: str) -> str:
    """What the group of a clip or picture is called: as it is, where HDF5 can hold its name.

    Args:
        name: any text.

    Example:
        >>> group_name("Wort 1.wav"), group_name("words/1.wav")
        ('Wort 1.wav', 'words-1-wav-7275d715ec29')
    """
    # HDF5 takes a slash for a path, a lone dot for where it is, and ends names at a zero.
    return file_name(name) if name == "." or set(name) & {"/", "\0"} else name


class FeatureFile:
    """Features by name, read when asked for.

    Args:
        path: an HDF5 file, one of ours or a published one.
        sound: see `list_features`.

    Raises:
        ToolkitError: the file is missing, cut short, damaged, or no HDF5.
    """

    def __init__(self, path: Path | str, *, sound: bool = True) -> None:
        self.path = Path(path)
        self._listing = list_features(self.path, sound=sound)
        self.attributes: Mapping[str, str] = self._listing.attributes
        self.names = tuple(self._listing.dimensions)
        """Names of all groups, sorted; those left unfinished are among them."""

    @cached_property
    def kind(self) -> str:
        """`word` or `picture`, told by the first feature's dimensions.

        Raises:
            ToolkitError: the file is empty, or its features have other dimensions.
        """
        if not self.names:
            raise ToolkitError("There are no features in this file.", given=str(self.path))
        self._require(self.names[0])
        dimensions = self._listing.dimensions[self.names[0]]
        for kind, expected in _DIMENSIONS.items():
            if dimensions == expected:
                return kind
        raise self._wrong_shape(self.names[0], f"{dimensions} dimensions", "either of")

    def shape(self, name: str) -> tuple[int, ...]:
        """Shape of the feature of a clip or picture.

        Raises:
            ToolkitError: the name is not there or was left unfinished, or the feature has the
                wrong dimensions.
        """
        self._require(name)
        shape = tuple(self._listing.shapes[group_name(name)])
        if len(shape) != _DIMENSIONS[self.kind] or 0 in shape:
            raise self._wrong_shape(name, f"shape {shape}", self.kind)
        return shape

    def place(self, name: str) -> tuple[int, bool] | None:
        """Where a feature lies in the file as it is, see `Listing.in_place`; None: it does not."""
        found = self._listing.in_place.get(group_name(name))
        return (found[0], found[1]) if found else None

    def read(self, names: Sequence[str]) -> Iterator[NDArray[np.float32]]:
        """Features of some clips or pictures, in the order of the names.

        Args:
            names: of clips or pictures, or of their groups.

        Raises:
            ToolkitError: a name is not there or was left unfinished, a feature has the wrong
                dimensions or another size than the file's first one, or the file is damaged.
        """
        with self.opened() as file:
            for name in names:
                feature = self.read_from(file, name)
                require_alike(self.path, name, feature.shape, self.shape(self.names[0]))
                yield feature

    @contextmanager
    def opened(self) -> Iterator[Any]:
        """The file, as HDF5 opens it, for `read_from`."""
        import h5py

        with h5py.File(self.path, "r") as file:
            yield file

    def read_from(self, file: Any, name: str) -> NDArray[np.float32]:
        """As `read`, one feature of the file that `opened` gave."""
        self.shape(name)
        try:
            return np.asarray(file[group_name(name)][DATA][()], dtype=np.float32)
        except (OSError, RuntimeError, MemoryError) as error:
            raise ToolkitError(
                f"The feature {name!r} in {self.path} is damaged: its checksum is wrong, "
                "or it cannot be read.",
                next_command=EXTRACT_AGAIN,
            ) from error

    def media(self) -> dict[str, str]:
        """Checksum of the samples or pixels (see `media_sha256`) -> name; published files: none."""
        return dict(self._listing.media)

    def _require(self, name: str) -> None:
        """Refuse a name that is not there, or was left unfinished."""
        dimensions = self._listing.dimensions.get(group_name(name))
        if dimensions is None:
            raise ToolkitError(
                f"There are no features of {name!r} in {self.path}.",
                given=name,
                nearest=nearest_name(name, self.names),
            )
        if dimensions < 0:
            raise ToolkitError(
                f"The features of {name!r} in {self.path} were left unfinished: the group holds "
                f"no data set {DATA!r}.",
                next_command="run the extraction that wrote the file again",
            )

    def _wrong_shape(self, name: str, given: str, kind: str) -> ToolkitError:
        allowed = [f"{_AXES[k]} for a {k}" for k in _AXES if kind in (k, "either of")]
        return ToolkitError(
            f"The feature {name!r} in {self.path} has the wrong dimensions.",
            given=given,
            allowed=", ".join(allowed),
        )


def require_alike(path: Path, name: str, shape: tuple[int, ...], first: tuple[int, ...]) -> None:
    """Refuse a feature that one backbone cannot have made together with another.

    Args:
        path: the file that it is in.
        name: of the clip or picture.
        shape: (frames, channels) or (channels, height, width).
        first: shape of the other; clips may differ in frames.

    Raises:
        ToolkitError: it has other channels, or a picture's map has another size.

    Example:
        >>> require_alike(Path("words.h5"), "dog", (31, 768), (50, 768))
        >>> require_alike(Path("words.h5"), "dog", (31, 512), (50, 768))
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: The feature 'dog' in words.h5 has another size than others.
          given: shape (31, 512)
          allowed: shape (frames, 768)
          try: mevgs-toolkit extract-features SET --out DIR, with one backbone for all files
    """
    free = len(shape) == 2
    if shape[free:] != first[free:]:
        raise ToolkitError(
            f"The feature {name!r} in {path} has another size than others.",
            given=f"shape {shape}",
            allowed=f"shape (frames, {first[1]})" if free else f"shape {first}",
            next_command="mevgs-toolkit extract-features SET --out DIR, with one backbone for all "
            "files",
        )


class StoredFeatures:
    """Stands in for a backbone: looks features up by the samples or pixels they were made from.

    Args:
        path: a file written by `write_features`.
        kind: what it must hold features of, `word` or `picture`; None for either.

    Raises:
        ToolkitError: the file cannot be read, does not say what its features were made from, or
            holds features of the other kind.
    """

    def __init__(self, path: Path | str, kind: str | None = None) -> None:
        self._file = FeatureFile(path)
        self._names = self._file.media()
        if kind not in (None, self._file.kind):
            raise ToolkitError(
                f"{path} holds features of {self._file.kind}s, not of {kind}s.",
                allowed=f"features {_AXES[str(kind)]}",
                next_command="mevgs-toolkit extract-features SET --out DIR, SET as in the run, "
                "then --features DIR",
            )
        self.checksum = stored_checksum(path)

    def features(self, media: Sequence[Media]) -> Any:
        """Features of clips, as `Hearing.features` gives them, or of pictures, as `Seeing` does.

        Args:
            media: clips (samples,) float32, or pictures (height, width, 3) uint8.

        Raises:
            LackingError: the file lacks some of them.
            ToolkitError: a feature is damaged, or not finite.
        """
        keys = [media_sha256(one) for one in media]
        if missing := [place for place, key in enumerate(keys) if key not in self._names]:
            raise LackingError(self._file, missing, len(keys))
        names = [self._names[key] for key in keys]
        found = list(self._file.read(names))
        for name, feature in zip(names, found, strict=True):
            if not np.isfinite(feature).all():
                raise ToolkitError(
                    f"The feature {name!r} in {self._file.path} holds NaN or infinity.",
                    allowed="finite numbers",
                    next_command=EXTRACT_AGAIN,
                )
        return found if self._file.kind == "word" else np.stack(found)


def stored_checksum(path: Path | str) -> str:
    """Checksum of the backbone that made a file of features, see `is_known`.

    Args:
        path: a file written by `write_features`.

    Raises:
        ToolkitError: the file cannot be read, or does not tell.
    """
    told = FeatureFile(path).attributes.get(BACKBONE)
    if told is None:
        raise ToolkitError(
            f"{path} does not say which clips or pictures its features were made from.",
            allowed="a file written by extract-features",
            next_command=f"mevgs-toolkit extract-features SET --take {quoted(path)} --out DIR",
        )
    return told


def is_known(sha256: str) -> bool:
    """Whether a backbone is known by a checksum, and not by its name alone.

    Args:
        sha256: what a file of features or the `config.json` of a population tells of it.

    Example:
        >>> is_known("3b0c" * 16), is_known("taken over: wavlm-base-plus"), is_known("")
        (True, False, False)
    """
    return bool(sha256) and not sha256.startswith((FOREIGN, OF_FEATURES))


def media_sha256(media: Media) -> str:
    """SHA-256 of the samples of a clip or the pixels of a picture.

    Args:
        media: (samples,) float32, or (height, width, 3) uint8.

    Example:
        >>> import numpy as np
        >>> media_sha256(np.zeros((2, 3), "f")) == media_sha256(np.zeros((3, 2), "f"))
        False
    """
    digest = hashlib.sha256(f"{media.dtype}{media.shape}".encode())
    digest.update(np.ascontiguousarray(media).data)
    return digest.hexdigest()


def write_features(
    path: Path,
    features: Mapping[str, tuple[NDArray[np.float32], str]],
    attributes: Mapping[str, str],
) -> None:
    """Write features to a new file, whole or not at all.

    Args:
        path: the file; one that is there is replaced.
        features: name -> feature and `media_sha256` of what it was made from.
        attributes: what the file says about all of them; `backbone_sha256` among them.
    """
    import h5py

    with write_checked(path) as unfinished, h5py.File(unfinished, "w") as file:
        file.attrs.update({**attributes, CHECKSUM: "sha256"})
        for name, (feature, sha256) in features.items():
            group = file.create_group(group_name(name))
            group.create_dataset(DATA, data=feature, chunks=feature.shape, fletcher32=True)
            group.attrs[MEDIA] = sha256


def join_files(path: Path, parts: Sequence[Path], attributes: Mapping[str, str]) -> None:
    """Copy the features of several files into one, one feature in memory at a time.

    Args:
        path: the file; it is replaced once the new one is whole, and may be one of the parts.
        parts: files of `write_features`; of two features with one name the first is kept.
        attributes: what the file says about all of them.
    """
    import h5py

    with write_checked(path) as unfinished, h5py.File(unfinished, "w") as file:
        file.attrs.update({**attributes, CHECKSUM: "sha256"})
        for part in parts:
            with h5py.File(part, "r") as source:
                for name in source:
                    if name not in file:
                        source.copy(name, file)
