"""Features taken over from files that hold them already, such as the published ones.

A published file of speech features names its language, and clips of two languages may share a name:
a clip is known by both. Files that do not tell their language can give clips whose name is one of
a single language. The checksum of the backbone that made a file goes with its features; features of
foreign origin have none, and go by the backbone's name.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stimuli.columns import SPLITS
from stimuli.published import CODES, features_language
from toolkit.devices import CPU
from toolkit.errors import ToolkitError, quoted
from toolkit.subjects.backbones.ears import RATE
from toolkit.subjects.backbones.stored import (
    BACKBONE,
    FOREIGN,
    FRAMES_PER_S,
    SUFFIX,
    FeatureFile,
    Media,
    group_name,
    is_known,
)
from toolkit.subjects.features.sources import Job

_PUBLISHED = "me-dataset-"
_RATE = re.compile(r"[0-9]{1,6}([.][0-9]{1,6})?")
_FRAMES_AT_ENDS = 3
"""By how many frames features may be shorter or longer than the clip: networks treat its ends, and
what is shorter than a frame, in different ways."""
_Place = tuple[FeatureFile, str]
"""A file, and what a clip or picture is called in it."""


def feature_files(
    places: Iterable[Path],
    names: Mapping[str, str],
    *,
    splits: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> Iterator[FeatureFile]:
    """The files that features are taken from: those named, and those that lie in a folder.

    Of a folder, whatever lies in it or below it, files are taken that are called after a backbone,
    `NAME.h5`, or as published, `me-dataset-SPLIT[-LANGUAGE]-NAME.h5`.

    Args:
        places: files or folders.
        names: what the backbones are called whose features are wanted, by kind (`word`,
            `picture`).
        splits: of a folder, only published files of these; all when empty.
        languages: likewise, by code or as published.

    Raises:
        ToolkitError: a file cannot be read, is one of another backbone, or a folder holds none.
    """
    for place in places:
        if place.is_dir():
            own = _in_folder(place, list(names.values()))
            yield from map(FeatureFile, (p for p in own if _is_wanted(p, splits, languages)))
            continue
        file = FeatureFile(place)
        name = names.get(file.kind)
        if name and _is_published(place) and not _is_of(place, name):
            raise ToolkitError(
                f"{place} is a file of features of another backbone, as its name tells.",
                given=place.name,
                allowed=f"me-dataset-...-{name}.h5",
                next_command="name the backbone that made them, --hearing NAME or --seeing NAME",
            )
        yield file


def none_taken(
    places: Sequence[Path], kind: str, name: str, only: str | None = None
) -> ToolkitError:
    """The error for features that are in none of the files, while their backbone is not here.

    Args:
        places: files and folders that features were to be taken from.
        kind: `word` or `picture`.
        name: what the backbone is called.
        only: what alone was asked for, if anything.
    """
    paths = [
        p for place in places for p in (place.rglob(f"*{SUFFIX}") if place.is_dir() else [place])
    ]
    held = sorted({path.name for path in paths})
    option, other = ("--hearing", "pictures") if kind == "word" else ("--seeing", "words")
    return ToolkitError(
        f"There are no features of {kind}s by {name} to take, and the backbone {name} is not on "
        "this machine.",
        given=", ".join(held[:5]) + (", ..." if len(held) > 5 else ""),
        allowed=f"{name}.h5 or me-dataset-...-{name}.h5",
        next_command=f"name the backbone that made them, {option} NAME"
        + ("" if only else f"; or take {other} alone, --only {other}"),
    )


def _in_folder(folder: Path, names: Sequence[str]) -> list[Path]:
    """Files in a folder, or below it, that are called after some backbones."""
    held = sorted(folder.rglob(f"*{SUFFIX}"))
    own = [path for path in held if any(_is_of(path, name) for name in names)]
    if not own:
        known = sorted({path.name for path in held})
        raise ToolkitError(
            f"There are no features of {' or '.join(names)} in this folder.",
            given=f"{folder}, with {', '.join(known[:5]) or 'no .h5 file'}"
            + (", ..." if len(known) > 5 else ""),
            allowed=", ".join(f"{name}.h5 or me-dataset-...-{name}.h5" for name in names),
            next_command="name the backbones that made them, --hearing NAME and --seeing NAME",
        )
    return own


def _is_published(path: Path) -> bool:
    return path.stem.startswith(_PUBLISHED)


def _is_of(path: Path, name: str) -> bool:
    """Whether a file is called after a backbone."""
    # Behind the split comes a language where the features are of words.
    told = path.stem.removeprefix(_PUBLISHED).partition("-")[2]
    return path.stem == name or (_is_published(path) and name in (told, told.partition("-")[2]))


def _is_wanted(path: Path, splits: Sequence[str], languages: Sequence[str]) -> bool:
    """Whether a file may hold features of some splits and languages, as far as its name tells."""
    split = path.stem.removeprefix(_PUBLISHED).partition("-")[0]
    if splits and split in SPLITS and split not in splits:
        return False
    told = features_language(path)
    codes = {CODES.get(language, language) for language in languages}
    # Files of pictures have the name of their backbone where those of words have a language.
    return not codes or told not in CODES.values() or told in codes


class Taken:
    """What a job's features are taken from; a maker for `extraction.extract`.

    Args:
        name: the backbone that made them.
        files: where they lie.
        job: clips or pictures whose features are wanted.
        shared: names that clips of several languages have, see `feature_sources.shared_names`.

    Raises:
        ToolkitError: two files have different features of the same clip or picture, were made by
            different backbones, or a file does not tell which language's clip it has.
    """

    device = CPU
    """Nothing is computed."""

    def __init__(
        self, name: str, files: Sequence[FeatureFile], job: Job, shared: Collection[str] = ()
    ) -> None:
        held = [
            (file, features_language(file.path) if job.kind == "word" else "", set(file.names))
            for file in files
        ]

        def look(told: str, name: str) -> list[_Place]:
            group = group_name(name)
            return [(file, group) for file, own, names in held if own == told and group in names]

        self._where: dict[str, _Place] = {}
        for one in job.names:
            language, name_there = job.origins[one]
            named = look(language, name_there) if language else []
            # A file that does not tell its language may be one of ours, with a set's own names.
            found = named or look("", one) or look("", name_there)
            if not found:
                continue
            if not named and found[0][1] in shared:
                raise _whose(*found[0])
            _refuse_others(found)
            self._where[one] = found[0]
        self.sha256 = _backbone(
            {file.path: file for file, _ in self._where.values()}.values(), name
        )

    def make(self, media: dict[str, Media]) -> list[NDArray[np.float32]]:
        """Features of clips or pictures, by name, in their order."""
        for name in media:
            if name not in self._where:
                raise ToolkitError("It is not in the files that features are taken from.")
        found: dict[str, NDArray[np.float32]] = {}
        for file in {self._where[name][0].path: self._where[name][0] for name in media}.values():
            own = [name for name in media if self._where[name][0] is file]
            for name, one in zip(
                own, file.read([self._where[name][1] for name in own]), strict=True
            ):
                _refuse_other_length(file, one, media[name])
                found[name] = one
        return [found[name] for name in media]


def _refuse_other_length(file: FeatureFile, feature: NDArray[np.float32], clip: Media) -> None:
    """Refuse features of a clip that lasts longer or shorter, where a file tells their rate."""
    told = file.attributes.get(FRAMES_PER_S, "")
    if file.kind != "word" or not _RATE.fullmatch(told):
        return
    duration_s = len(clip) / RATE
    wanted = duration_s * float(told)
    if abs(len(feature) - wanted) > _FRAMES_AT_ENDS:
        raise ToolkitError(
            f"Its features are {len(feature)} frames, and the clip lasts {duration_s:.2f} s, "
            f"which are about {wanted:.0f} frames by the rate that their file tells.",
        )


def _backbone(files: Iterable[FeatureFile], name: str) -> str:
    """Checksum of the backbone that made some files, or its name where they do not tell."""
    told = {file.path: file.attributes.get(BACKBONE, f"{FOREIGN}{name}") for file in files}
    if len(set(told.values())) > 1:
        (first, one), (other, another) = next(
            (a, b) for a in told.items() for b in told.items() if a[1] != b[1]
        )
        raise ToolkitError(
            "Features of two backbones would go to one file.",
            given=f"{first} ({_origin(one)}) and {other} ({_origin(another)})",
            allowed="files by one backbone",
            next_command=f"take them one after the other, into folders of their own: --take "
            f"{quoted(first)} --out DIR",
        )
    return next(iter(told.values()), f"{FOREIGN}{name}")


def _origin(sha256: str) -> str:
    """What a file tells of the backbone that made it."""
    if is_known(sha256):
        return f"backbone {sha256[:16]}"
    return f"of foreign origin, {sha256.removeprefix(FOREIGN)}"


def _whose(file: FeatureFile, name: str) -> ToolkitError:
    return ToolkitError(
        f"Clips of several languages are called {name!r}, and {file.path} does not tell which "
        "language's it has.",
        allowed="a file named as published, me-dataset-SPLIT-LANGUAGE-BACKBONE.h5",
        next_command="rename the file, or take features of one language at a time, --language CODE",
    )


def _refuse_others(places: Sequence[_Place]) -> None:
    """Refuse several files that do not agree; published splits may share a clip."""
    if len(places) == 1:
        return
    features = [next(file.read([name])) for file, name in places]
    for (file, name), feature in zip(places, features, strict=True):
        if not np.array_equal(feature, features[0]):
            raise ToolkitError(
                f"{name!r} is in two files that features are to be taken from, and differs.",
                given=f"{places[0][0].path} and {file.path}",
                next_command="take them one after the other, into folders of their own",
            )
