"""Features taken over from files that hold them already, such as the published ones.

A published file of speech features names its language, and clips of two languages may share a name:
a clip is known by both. Files that do not tell their language can give clips whose name is one of
a single language.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from stimuli.published import features_language
from toolkit.devices import CPU
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.stored import FeatureFile, Media, group_name
from toolkit.subjects.features.sources import Job

_Place = tuple[FeatureFile, str]
"""A file, and what a clip or picture is called in it."""


class Taken:
    """What a job's features are taken from; a maker for `extraction.extract`.

    Args:
        name: the backbone that made them.
        files: where they lie.
        job: clips or pictures whose features are wanted.
        shared: names that clips of several languages have, see `feature_sources.shared_names`.

    Raises:
        ToolkitError: two files have different features of the same clip or picture, or a file does
            not tell which language's clip it has.
    """

    device = CPU
    """Nothing is computed."""

    def __init__(
        self, name: str, files: Sequence[FeatureFile], job: Job, shared: Collection[str] = ()
    ) -> None:
        self.sha256 = f"taken over: {name}"
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

    def make(self, media: dict[str, Media]) -> list[NDArray[np.float32]]:
        """Features of clips or pictures, by name, in their order."""
        for name in media:
            if name not in self._where:
                raise ToolkitError("It is not in the files that features are taken from.")
        found: dict[str, NDArray[np.float32]] = {}
        for file in {self._where[name][0].path: self._where[name][0] for name in media}.values():
            own = [name for name in media if self._where[name][0] is file]
            found.update(zip(own, file.read([self._where[name][1] for name in own]), strict=True))
        return [found[name] for name in media]


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
