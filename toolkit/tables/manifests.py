"""What a run's folder says of it, and what is said where it holds no trials."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError

MANIFEST_FILE = "manifest.json"
"""In a run's folder: what was run, on what, with which versions."""
TRIALS_FILE = "trials.parquet"
"""In a run's folder: all rows of a test."""


def table_of(path: Path) -> Path:
    """The table that a path stands for, there or not: a file itself, or that in a run's folder.

    Example:
        >>> table_of(Path("children.parquet")).name
        'children.parquet'
    """
    return path / TRIALS_FILE if path.is_dir() else path


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest in a folder; empty if there is none yet or it cannot be read.

    Args:
        folder: a run's folder, or any other.

    Example:
        >>> read_manifest(Path("no/such/folder"))
        {}
    """
    try:
        manifest = json.loads((folder / MANIFEST_FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return manifest if isinstance(manifest, dict) else {}


def no_trials(file: Path) -> ToolkitError:
    """The error for a trials table that is not there: its run was not finished, or there is none.

    Args:
        file: the table.
    """
    manifest = read_manifest(file.parent)
    command = manifest.get("command")
    if manifest.get("status") == "running" and command:
        return ToolkitError(
            f"The run in {file.parent} was not finished.",
            allowed="the folder of a finished run",
            next_command=shlex.join(command),
        )
    return ToolkitError(
        f"There is no trials table at {file}.",
        allowed="a run folder, or its trials.parquet",
        next_command="mevgs-toolkit run-paradigm me --subject bilingual-en-nl",
    )
