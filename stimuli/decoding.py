"""The files of a stimulus set: decoded, and compared with what the set's tables say of them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Protocol

from stimuli import media, objects
from stimuli.errors import ToolkitError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray


class Files(Protocol):
    """What a stimulus set says of its files."""

    @property
    def folder(self) -> Path:
        """Where the set lies."""

    @property
    def root(self) -> Path:
        """The same with symbolic links followed; no file may lead out of it."""

    @property
    def sample_rate_hz(self) -> int:
        """Of all clips."""

    @property
    def picture_size_px(self) -> int:
        """Side of all pictures; 0 where they differ."""

    @property
    def upright(self) -> bool:
        """Whether pictures are turned as their cameras say."""


def decode_clip(stimuli: Files, row: dict[str, str]) -> NDArray[np.float32]:
    """Read a clip, see `StimulusSet.read_clip`.

    Args:
        stimuli: the set.
        row: its row of `stimuli.csv`.

    Raises:
        ToolkitError: the file is missing, cannot be decoded, or is another one.
    """
    data, name = _read_file(stimuli, row["path"])
    _verify(data, name, row["sha256"], "stimuli.csv")
    clip = media.decode_clip(data, name, stimuli.sample_rate_hz)
    duration_s = len(clip) / stimuli.sample_rate_hz
    if abs(duration_s - float(row["duration_s"])) > 0.001:
        raise ToolkitError(
            f"{name} is not as long as stimuli.csv says.",
            given=f"{duration_s:.3f} s",
            allowed=f"{row['duration_s']} s",
        )
    return clip


def decode_picture(stimuli: Files, row: dict[str, str]) -> NDArray[np.uint8]:
    """Read a picture, see `StimulusSet.read_picture`.

    Args:
        stimuli: the set.
        row: its row of `stimuli.csv`.

    Raises:
        ToolkitError: the file is missing, cannot be decoded, or is another one.
    """
    data, name = _read_file(stimuli, row["path"])
    _verify(data, name, row["sha256"], "stimuli.csv")
    size_px = stimuli.picture_size_px or None
    return media.decode_picture(data, name, size_px, upright=stimuli.upright)


def decode_mask(stimuli: Files, row: dict[str, str], shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Read the mask of one object, see `StimulusSet.read_mask`.

    Args:
        stimuli: the set.
        row: its row of `objects.csv`.
        shape: height and width of the picture.

    Raises:
        ToolkitError: the file is missing, cannot be decoded, or is another one.
    """
    data, name = _read_file(stimuli, row["mask"])
    _verify(data, name, row["sha256"], objects.FILE_NAME)
    return media.decode_mask(data, name, shape)


def _read_file(stimuli: Files, path: str) -> tuple[bytes, str]:
    """A file of the set, wherever its symbolic links lead inside the folder, and its full name."""
    folder = stimuli.folder
    file = folder / path
    if not file.resolve().is_relative_to(stimuli.root):
        raise ToolkitError(f"{path} is a symbolic link that leaves the folder {folder}.")
    try:
        return file.read_bytes(), str(file)
    except FileNotFoundError as error:
        raise ToolkitError(f"{path} is missing from {folder}.") from error
    except OSError as error:
        raise ToolkitError(f"{file} cannot be read: {error.strerror}.") from error


def _verify(data: bytes, name: str, sha256: str, table: str) -> None:
    """Refuse, before any reader sees it, a file that is not the one the table speaks of."""
    found = hashlib.sha256(data).hexdigest()
    if found != sha256:
        raise ToolkitError(
            f"{name} is not the file that {table} speaks of: its checksum differs; it may be "
            "damaged, cut short, or another one.",
            given=found,
            allowed=sha256,
        )
