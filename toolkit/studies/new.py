"""Writes the first version of a user's own study file."""

from __future__ import annotations

from pathlib import Path

from stimuli.files import write_atomic
from toolkit.errors import ToolkitError, quoted
from toolkit.studies.file import EXAMPLE, NEW_COMMAND


def write_study(file: Path) -> None:
    """Write a commented study file that runs as it is.

    Args:
        file: where to; its folder is made if need be.

    Raises:
        ToolkitError: something is there already, or the folder cannot be made.
    """
    if file.exists():
        other = file.with_name(f"{file.stem}-2{file.suffix}")
        raise ToolkitError(
            f"{file} is already there and was left as it is.",
            next_command=f"{NEW_COMMAND} {quoted(other)}",
        )
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolkitError(f"Cannot make the folder {file.parent}: {error.strerror}.") from error
    with write_atomic(file) as unfinished:
        unfinished.write_text(EXAMPLE.read_text(encoding="utf-8"), encoding="utf-8")
