"""What a run's folder says of it, and what is said where it holds no trials."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from stimuli.files import require_sound
from stimuli.schemas import Source, checked
from stimuli.texts import read_json
from toolkit.errors import ToolkitError

MANIFEST_FILE = "manifest.json"
"""In a run's folder: what was run, on what, with which versions."""
TRIALS_FILE = "trials.parquet"
"""In a run's folder: all rows of a test."""


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
    require_sound(file, again(file.parent))
    return file


def again(folder: Path) -> str | None:
    """The command that makes again what is missing or damaged in a folder; None if none is known.

    Args:
        folder: a run's folder, or any other.

    Example:
        >>> again(Path("no/such/folder")) is None
        True
    """
    command = read_manifest(folder).get("command")
    return shlex.join(command) if command else None


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in a folder; empty if there is none yet or it cannot be read.

    Args:
        folder: a run's folder, or any other.

    Example:
        >>> read_manifest(Path("no/such/folder"))
        {}
    """
    file = folder / MANIFEST_FILE
    if not file.is_file():
        return {}
    try:
        manifest = read_json(file)
        checked(Manifest, manifest, Source(str(file)))
    except ToolkitError:
        return {}
    return dict(manifest)


def no_trials(file: Path) -> ToolkitError:
    """The error for a trials table that is not there: its run was not finished, or there is none.

    Args:
        file: the table.
    """
    manifest = read_manifest(file.parent)
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
