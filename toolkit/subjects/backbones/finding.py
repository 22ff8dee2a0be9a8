"""Frozen backbones by name: where they are looked for, and what to fetch when they are not there.

Nothing is ever downloaded from here. A name is a folder or weights file, a shipped backbone, one of
`KNOWN`, or the name of a model on the Hugging Face Hub whose files lie in the local cache. Features
that were stored by `extract-features` may stand in the backbone's place, as `<name>.h5`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from stimuli.fields import PLACE
from stimuli.names import can_be_path
from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.files import backbone_files, identity_of
from toolkit.subjects.backbones.stored import SUFFIX, StoredFeatures
from toolkit.subjects.hub import in_hub_cache, is_hub_name
from toolkit.subjects.population import WEIGHTS

FOLDER_VARIABLE = "MEVGS_BACKBONES"
"""Environment variable that names the folder of backbones that were fetched by hand."""


@dataclass(frozen=True)
class Known:
    """A backbone of the published experiment."""

    kind: str
    """`hearing` or `seeing`."""
    files: str
    """The files that it needs, for messages."""
    fetch: str
    """Command that fetches them to the folder `{folder}`."""
    hub: str | None = None
    """Its name on the Hugging Face Hub."""


KNOWN: Mapping[str, Known] = {
    "wavlm-base-plus": Known(
        "hearing",
        "config.json, preprocessor_config.json and pytorch_model.bin of microsoft/wavlm-base-plus",
        "hf download microsoft/wavlm-base-plus --local-dir {folder}",
        "microsoft/wavlm-base-plus",
    ),
    "dino-resnet50": Known(
        "seeing",
        "dino_resnet50_pretrain.pth, the weights of dino_resnet50 in facebookresearch/dino",
        "curl -L --create-dirs -o {folder}/dino_resnet50_pretrain.pth "
        "https://dl.fbaipublicfiles.com/dino/dino_resnet50_pretrain/dino_resnet50_pretrain.pth",
    ),
}


@dataclass(frozen=True)
class BackboneRef:
    """A frozen backbone that is loaded when first needed, once for all subjects that share it."""

    kind: str
    """`hearing` or `seeing`."""
    folder: Path
    """Where its settings and weights lie; a weights file alone will do where it says enough."""
    sha256: str
    """Checksum over its settings and weights, see `backbone_checksum`."""
    device: Device = CPU
    """Where it computes."""

    def on(self, device: Device) -> BackboneRef:
        """The same backbone, computing on a device."""
        return replace(self, device=device)

    def load(self) -> Any:
        """The backbone itself, the same object at every call.

        Raises:
            ToolkitError: files are missing, or are not those that the network was trained on.
        """
        return _load_backbone(self, written_ns(self.folder))


@dataclass(frozen=True)
class NamedBackbone:
    """A backbone as the `config.json` of a population names it."""

    folder: PLACE
    """Its name or folder."""
    sha256: str
    """Its checksum; empty if it was not on this machine when the population was imported."""


def written_ns(place: Path) -> int:
    """When a file was written, as far as that tells it from what it was before; 0 for a folder.

    Args:
        place: a backbone's folder, or a weights file or file of features.
    """
    return place.stat().st_mtime_ns if place.is_file() else 0


def backbone_folder() -> Path:
    """Folder of the backbones that were fetched by hand, whether or not it is there."""
    given = os.environ.get(FOLDER_VARIABLE)
    return Path(given) if given else Path.home() / ".cache" / "mevgs-toolkit" / "backbones"


def backbone_name(given: str | Path) -> str:
    """What files are named after a backbone.

    Args:
        given: its name, folder or weights file.

    Example:
        >>> backbone_name("microsoft/wavlm-base-plus"), backbone_name("dino_resnet50_pretrain.pth")
        ('wavlm-base-plus', 'dino-resnet50')
    """
    name = Path(given).name
    if name in ("", ".."):
        name = Path(given).resolve().name
    return "dino-resnet50" if name.startswith("dino_resnet50") else name


def find_backbone(kind: str, name: str | Path, beside: Path | None = None) -> Path:
    """Find a backbone on this machine, or the file `<name>.h5` of its features in its place.

    Args:
        kind: `hearing` or `seeing`.
        name: a folder, a weights file, or a name, see the module's text.
        beside: the folder that a relative name is first looked for in; None for the current one.

    Returns:
        A folder, or a weights file.

    Raises:
        ToolkitError: it is nowhere; the message says what to fetch and where to put it.

    Example:
        >>> find_backbone("hearing", "hearing").name
        'hearing'
    """
    if not str(name):
        raise ToolkitError(f"The {kind} backbone has no name.")
    places = [(beside or Path()) / name, WEIGHTS / name, backbone_folder() / name]
    for place in places if can_be_path(str(name)) else ():
        for found in (place, Path(f"{place}{SUFFIX}")):
            if backbone_files(found):
                return found.absolute()
    known = KNOWN.get(str(name))
    hub = known.hub if known else str(name)
    cached = in_hub_cache(hub) if hub and is_hub_name(hub) else None
    if cached is not None and backbone_files(cached):
        return cached
    target = backbone_folder() / name
    files, fetch = "its config.json and weights", f"put its files into {target}"
    if known:
        files, fetch = known.files, known.fetch.format(folder=target)
    elif is_hub_name(str(name)):
        fetch = f"hf download {name} --local-dir {target}"
    searched = ", ".join(str(place.absolute()) for place in dict.fromkeys(places))
    raise ToolkitError(
        f"The {kind} backbone {str(name)!r} is missing: {files} must be on this machine, "
        "nothing is downloaded unasked.",
        given=str(name),
        allowed=f"its files in one of {searched}, or the cache of the Hugging Face Hub",
        next_command=fetch,
    )


def open_backbone(kind: str, place: Path, device: Device = CPU) -> Any:
    """Load a backbone: a `Hearing`, a `Seeing`, or `StoredFeatures` in the place of either.

    Args:
        kind: `hearing` or `seeing`.
        place: a folder, or a weights file, as `find_backbone` gives it.
        device: where it computes; stored features need not be computed.

    Raises:
        ToolkitError: files are missing, damaged, or of another kind of model.
    """
    if place.suffix == SUFFIX:
        return StoredFeatures(place, "word" if kind == "hearing" else "picture")
    if kind == "hearing":
        from toolkit.subjects.backbones.hearing import Hearing

        return Hearing(place, device)
    from toolkit.subjects.backbones.seeing import Seeing

    return Seeing(place, device)


@lru_cache(maxsize=8)
def _load_backbone(ref: BackboneRef, written_ns: int) -> Any:
    """Load a backbone once; a file of features again whenever it was written anew."""
    actual = identity_of(ref.folder)
    if actual != ref.sha256:
        stored = ref.folder.suffix == SUFFIX
        raise ToolkitError(
            "The backbone that made these features is not the one that the network was trained on."
            if stored
            else f"The {ref.kind} backbone is not the one that the network was trained on.",
            given=f"{ref.folder} with checksum {actual}",
            allowed=ref.sha256,
            next_command="mevgs-toolkit extract-features SET --out DIR with the backbone as it was "
            "in training, then --features DIR"
            if stored
            else "restore the backbone's folder, or train the population again",
        )
    return open_backbone(ref.kind, ref.folder, ref.device)
