"""The files that a frozen backbone consists of, and the checksum over them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.files import sha256_of, sha256_of_files
from toolkit.subjects.backbones.stored import OF_FEATURES, SUFFIX, is_known, stored_checksum

if TYPE_CHECKING:
    from torch import Tensor
    from torch.nn import Module

_SETTINGS = (
    "config.json",
    "preprocess.json",
    "preprocessor_config.json",
    "processor_config.json",
    "*.index.json",
)
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin", "*.pth")


def backbone_files(place: Path) -> list[Path]:
    """The files that decide what a backbone is: settings and weights; none where there is none.

    Args:
        place: a folder, or a weights file.
    """
    if place.is_file():
        return [place]
    # Loading says what a folder with settings alone lacks; weights alone may say enough.
    known = (path for pattern in ("config.json", *_WEIGHTS) for path in place.glob(pattern))
    if not any(path.is_file() for path in known):
        return []
    return sorted(path for pattern in (*_SETTINGS, *_WEIGHTS) for path in place.glob(pattern))


def backbone_checksum(place: str | Path) -> str:
    """SHA-256 over the settings and the weights of a backbone.

    Args:
        place: a backbone's folder, or a weights file; of a file of its features, the checksum of
            the backbone that made them.
    """
    if Path(place).suffix == SUFFIX:
        return stored_checksum(place)
    return sha256_of_files(backbone_files(Path(place)))


def identity_of(place: str | Path) -> str:
    """Checksum of a backbone; of features that do not tell theirs, a checksum of the features.

    Args:
        place: as for `backbone_checksum`.
    """
    told = backbone_checksum(place)
    return told if is_known(told) else f"{OF_FEATURES}{sha256_of(place)}"


def refuse_hollow(sketch: Module, weights: Iterable[Path]) -> None:
    """Refuse settings that describe a network whose weights cannot lie in its files.

    A small file may speak of a network of any size, which would be laid out before it is filled.

    Args:
        sketch: the network, built where nothing is laid out: on torch's device ``meta``.
        weights: the files.

    Raises:
        ValueError: it has more weights than the files have bytes.
    """
    n_weights = sum(one.numel() for one in sketch.parameters())
    n_bytes = sum(path.stat().st_size for path in weights)
    if n_weights > n_bytes:
        raise ValueError(
            f"the settings describe a network of {n_weights:,} weights, which cannot lie in "
            f"{n_bytes:,} bytes"
        )


def lie_in(path: Path, tensors: Iterable[Tensor]) -> bool:
    """Whether all numbers of tensors lie in the file that they were read from.

    In what torch saves, one number can stand for any number of them, and several tensors for the
    same ones: a copy of them could take more memory than there is.

    Args:
        path: the file.
        tensors: of any kind; they are not looked into.
    """
    return sum(one.numel() * one.element_size() for one in tensors) <= path.stat().st_size
