"""What networks stand on: the frozen backbone that a population names, or features in its place.

A backbone is known by the checksum that `config.json` records, and a file of features by that of
the backbone that made it: both are the same to a network, and its answers are kept under one name.
Where the features of a training were of foreign origin, and told no checksum, the backbone is known
by its name alone: whatever is called so serves, and its own checksum becomes part of what a subject
is, so that answers from different features are never taken for one another.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.subjects.backbones.files import identity_of
from toolkit.subjects.backbones.finding import (
    BackboneRef,
    NamedBackbone,
    backbone_name,
    find_backbone,
    written_ns,
)
from toolkit.subjects.backbones.stored import SUFFIX, is_known


def backbone_ref(
    kind: str, recorded: NamedBackbone, folder: Path, features: Path | None = None
) -> BackboneRef:
    """Find the backbone that a configuration names, or the features that stand in its place.

    Of a backbone that is known by its name alone, features beside the population come first: one
    that is fetched later changes nothing.

    Args:
        kind: `hearing` or `seeing`.
        recorded: what the configuration says of it.
        folder: the population's folder; the backbone is looked for beside it first.
        features: folder with the file of features that is taken; None where none was named.

    Raises:
        ToolkitError: it is nowhere, or the folder lacks the file of features, or nothing tells
            that the features are of the backbone whose checksum was recorded.
    """
    known = is_known(recorded.sha256)
    stored = stored_name(recorded.folder)
    if features is not None:
        found = _in_folder(features, stored)
        if known and not is_known(_identity(found)):
            raise ToolkitError(
                f"Nothing tells which backbone made the features in {found}, and the network "
                f"stands on one that is known by its checksum.",
                given="features of foreign origin",
                allowed=f"features by the backbone with checksum {recorded.sha256}",
                next_command="mevgs-toolkit extract-features SET --out DIR, with that backbone and "
                "SET as in the run, then --features DIR",
            )
    elif not known and (folder.parent / stored).is_file():
        found = (folder.parent / stored).absolute()
    else:
        found = find_backbone(kind, recorded.folder, beside=folder.parent)
    return BackboneRef(kind, found, recorded.sha256 if known else _identity(found))


def stored_name(named: str) -> str:
    """Name of the file of features that stands in the place of a backbone.

    Args:
        named: the backbone's name, folder or file, as a configuration has it.

    Example:
        >>> stored_name("microsoft/wavlm-base-plus"), stored_name("/my/features/ear.h5")
        ('wavlm-base-plus.h5', 'ear.h5')
    """
    return f"{backbone_name(named).removesuffix(SUFFIX)}{SUFFIX}"


def _in_folder(features: Path, stored: str) -> Path:
    """The file of features in the folder that was named."""
    found = (features / stored).absolute()
    if found.is_file():
        return found
    held = sorted(path.name for path in features.glob(f"*{SUFFIX}"))
    given, take = f"{features}, with {', '.join(held) or 'no file of features'}", ""
    if any(True for _ in features.glob(f"**/me-dataset-*{SUFFIX}")):
        given = f"{features}, with files as published, which know no stimulus set"
        take = f"--take {quoted(features)} "
    raise ToolkitError(
        f"There is no file {stored} in the folder of features.",
        given=given,
        allowed="a folder that extract-features wrote for the stimulus set of the run, from the "
        "backbones that the population was trained on",
        nearest=nearest_name(stored, held),
        next_command=f"mevgs-toolkit extract-features SET {take}--out DIR, SET as in the run, "
        "then --features DIR",
    )


def _identity(place: Path) -> str:
    """See `identity_of`; files are large, and read once."""
    return _identity_once(place, written_ns(place))


@lru_cache(maxsize=64)
def _identity_once(place: Path, written_ns: int) -> str:
    return identity_of(place)
