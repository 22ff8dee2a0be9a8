"""Files of published features, gone through once and held against each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.in_place import GoneThrough, Place, go_through, state_of
from toolkit.subjects.backbones.listing import EXTRACT_AGAIN
from toolkit.subjects.backbones.stored import require_alike
from toolkit.subjects.features.sources import Job
from toolkit.training.on_disk import OnDisk, Places

_MEGABYTE = 10**6


def find_features(
    wanted: Mapping[Job, Mapping[str, str]], progress: Callable[[str, int, int], None]
) -> tuple[OnDisk, dict[str, list[tuple[int, ...]]]]:
    """Go through files of features, and find those that are wanted.

    Args:
        wanted: clips or pictures by file.
        progress: called with what is being done, how much of it is done, and how much there is.

    Returns:
        Where they lie, and the shape of each by kind, `word` or `picture`.

    Raises:
        ToolkitError: a file is missing, damaged, or lacks one of them; two were made by different
            backbones, or features differ in their size.
    """
    total = sum(state_of(job.path)[1] for job in wanted) // _MEGABYTE
    done = 0

    def read(n_bytes: int) -> None:
        nonlocal done
        done += n_bytes
        progress("reading features (MB)", min(done // _MEGABYTE, total), total)

    files: list[GoneThrough] = []
    numbers: dict[str, list[int]] = {"word": [], "picture": []}
    places: dict[str, list[Place]] = {"word": [], "picture": []}
    makers: dict[str, tuple[Path, str]] = {}
    for job, names in wanted.items():
        gone, own, attributes = go_through(job.path, list(names), read)
        if made_by := attributes.get("backbone_sha256"):
            _refuse_other_maker(job, made_by, makers.setdefault(job.kind, (job.path, made_by)))
        numbers[job.kind] += [len(files)] * len(own)
        places[job.kind] += own
        files.append(gone)
        _refuse_other_shapes(job, list(names), own, places[job.kind][:1])
    words, pictures = (
        Places.of(numbers[kind], places[kind], clips=kind == "word") for kind in ("word", "picture")
    )
    return OnDisk(tuple(files), words, pictures), {
        "word": [place.shape for place in places["word"]],
        "picture": [place.shape for place in places["picture"]],
    }


def _refuse_other_shapes(
    job: Job, names: Sequence[str], places: Sequence[Place], first: Sequence[Place]
) -> None:
    """Refuse features that no network can take together: of clips, only lengths may differ."""
    for name, place in zip(names, places, strict=True):
        require_alike(job.path, name, place.shape, first[0].shape)


def _refuse_other_maker(job: Job, made_by: str, first: tuple[Path, str]) -> None:
    """Refuse that one part of what is trained on comes from another backbone."""
    if made_by != first[1]:
        raise ToolkitError(
            f"{job.path} was made by another backbone than {first[0]}.",
            given=made_by,
            allowed=first[1],
            next_command=EXTRACT_AGAIN,
        )
