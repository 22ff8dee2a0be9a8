"""What a run's folder says of it, and what is said where it holds no trials."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from stimuli.files import checksum_file, read_sound, require_sound
from stimuli.schemas import Source, checked
from stimuli.texts import read_json
from toolkit.errors import ToolkitError, UncheckedWarning, command_line
from toolkit.tables.recorded import RecordedDevice

MANIFEST_FILE = "manifest.json"
"""In a run's folder: what was run, on what, with which versions."""
TRIALS_FILE = "trials.parquet"
"""In a run's folder: all rows of a test."""
EXHAUSTIVE_FILE = "exhaustive.parquet"
"""In the folder of ``score-all``, in place of trials: the counts."""
SPACE_FILE = "variance.parquet"
"""In the folder of ``analyze-space``, in place of trials: the first of its tables."""
CELLS = "cells"
"""Beside the runs: their finished pieces."""
EMBEDDINGS = "embeddings"
"""Beside the runs: what subjects made of stimuli."""
CHECKSUMS = "checksums"
"""In a manifest: how the checksum beside every file of the run was made."""
STUDIES = "studies"
"""In a manifest: checksums of the study files that asked for the run, the first one first."""
SAME_COMMAND = "the same run-paradigm command again"
"""What makes a manifest anew, which alone knows the command."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What the manifest of any run must be like, whatever was run; all of it may be lacking.

    What a test has recorded of itself is `toolkit.tables.recorded.Recorded`.
    """

    run_id: str = ""
    """Name of the run."""
    status: str = ""
    """Whether it was finished."""
    command: tuple[str, ...] = ()
    """What it was made with."""
    paradigm: Mapping[str, Any] = field(default_factory=dict)
    """The test."""
    stimuli: Mapping[str, Any] = field(default_factory=dict)
    """The stimulus set."""
    populations: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Who was asked."""
    subjects: Mapping[str, str] = field(default_factory=dict)
    """Checksums of the networks."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """Keys of the cells."""
    words: Mapping[str, Any] = field(default_factory=dict)
    """Written words."""
    device: RecordedDevice = field(default_factory=RecordedDevice)
    """What networks computed on."""
    studies: tuple[str, ...] = ()
    """Checksums of the study files that asked for it."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = "further"


def table_of(path: Path) -> Path:
    """The table that a path stands for, there or not: a file itself, or that in a run's folder.

    Example:
        >>> table_of(Path("children.parquet")).name
        'children.parquet'
    """
    return path / TRIALS_FILE if path.is_dir() else path


def sound_table(path: Path) -> Path:
    """As `table_of`, for whoever is about to read it.

    Args:
        path: run folder, or a file like its ``trials.parquet``.

    Raises:
        ToolkitError: the table is there, but is not what was written.
    """
    file = table_of(path)
    if file.name == TRIALS_FILE:
        require_stored(file)
    else:
        require_sound(file)
    return file


def require_stored(file: Path, next_command: str | None = None) -> None:
    """Refuse a file of a run's folder that is not what the run wrote.

    Args:
        file: the file; one that is not there is left to its reader.
        next_command: what makes it again, unless it is the command of the run.

    Raises:
        ToolkitError: its content does not fit the checksum beside it, or that is lost.
    """
    if file.is_file():
        require_sound(file, next_command or again(file.parent), kept=_keeps_checksums(file))


def read_stored(file: Path, next_command: str | None = None) -> bytes:
    """As `require_stored`, and give the content: the very bytes whose checksum was looked at.

    Args:
        file: the file.
        next_command: what makes it again, unless it is the command of the run.

    Raises:
        OSError: the file cannot be read.
        ToolkitError: its content does not fit the checksum beside it, or that is lost.
    """
    kept = _keeps_checksums(file)
    return read_sound(file, next_command or again(file.parent), kept=kept)


def _keeps_checksums(file: Path) -> bool:
    """Whether a run has told that it keeps checksums of its files; says so once if it has not."""
    folder = file.parent
    if CHECKSUMS in _as_it_is(folder / MANIFEST_FILE):
        return True
    if (folder / MANIFEST_FILE).is_file() and not checksum_file(file).is_file():
        warnings.warn(
            f"{folder} was made by a version that kept no checksums: whether its files are what "
            "was written is not checked. The command that made it makes them anew.",
            UncheckedWarning,
            stacklevel=2,
        )
    return False


def again(folder: Path) -> str | None:
    """The command that makes again what is missing or damaged in a folder; None if none is known.

    Args:
        folder: a run's folder, or any other.

    Example:
        >>> again(Path("no/such/folder")) is None
        True
    """
    command = _told(folder).get("command")
    return command_line(command) if command else None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in a folder; empty if there is none yet or it cannot be read.

    Args:
        folder: a run's folder, or any other.

    Raises:
        ToolkitError: it is not what was written.

    Example:
        >>> read_manifest(Path("no/such/folder"))
        {}
    """
    file = folder / MANIFEST_FILE
    manifest = _as_it_is(file)
    require_sound(file, SAME_COMMAND, kept=CHECKSUMS in manifest)
    return manifest


def _as_it_is(file: Path) -> dict[str, Any]:
    """What a manifest says, damaged or not; empty if it cannot be read."""
    if not file.is_file():
        return {}
    try:
        manifest = read_json(file)
        checked(Manifest, manifest, Source(str(file)))
    except ToolkitError:
        return {}
    return dict(manifest)


def _told(folder: Path) -> dict[str, Any]:
    """As `read_manifest`, for whoever has an error to tell already: a damaged one tells nothing."""
    try:
        return read_manifest(folder)
    except ToolkitError:
        return {}


def no_trials(file: Path) -> ToolkitError:
    """The error for a trials table that is not there: its run was not finished, or there is none.

    Args:
        file: the table.
    """
    manifest = _told(file.parent)
    command = again(file.parent)
    if manifest.get("status") == "running" and command:
        return ToolkitError(
            f"The run in {file.parent} was not finished.",
            allowed="the folder of a finished run",
            next_command=command,
        )
    return ToolkitError(
        f"There is no trials table at {file}.",
        allowed="a run folder, or its trials.parquet",
        next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
    )
