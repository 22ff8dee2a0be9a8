"""Files of runs, changed by tests as their own command would change them."""

from __future__ import annotations

from pathlib import Path

from stimuli.files import write_checked


def write_stored(file: Path, text: str) -> None:
    """Write a file, and its checksum beside it: what is read again is what was written."""
    with write_checked(file) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def as_written(file: Path) -> None:
    """Tell the checksum of a file anew, after it was changed in its place."""
    content = file.read_bytes()
    with write_checked(file) as unfinished:
        unfinished.write_bytes(content)
