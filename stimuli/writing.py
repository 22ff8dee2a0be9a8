"""Writing the three text files that make a folder a stimulus set."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import isqrt
from pathlib import Path
from typing import Annotated, Any, ClassVar

from stimuli.cells import csv_text
from stimuli.characters import hidden_in
from stimuli.columns import COLUMNS, columns_csv
from stimuli.files import write_atomic
from stimuli.limits import PIXELS, RATE_HZ
from stimuli.schemas import Between, Rule, Source, checked
from stimuli.texts import write_toml

OneLine = Annotated[str, Rule("one line without hidden signs", lambda text: not hidden_in(text))]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What `set.toml` holds: its schema; see `stimuli.sets.StimulusSet`."""

    name: OneLine
    """What the set is called on the command line."""
    version: OneLine
    """Changes whenever the content changes."""
    title: OneLine
    """A short name for people."""
    description: str
    """What is in it."""
    languages: tuple[str, ...]
    """ISO codes of the languages that are spoken in it."""
    licence: OneLine
    """Licence of the set as a whole."""
    sample_rate_hz: Annotated[int, Between(1, RATE_HZ)]
    """Sample rate of every clip."""
    picture_size_px: Annotated[int, Between(0, isqrt(PIXELS))]
    """Height and width of every picture; 0 where they differ."""
    upright: bool = True
    """Whether pictures are turned as their cameras say; otherwise they are taken as stored."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else its author wants to tell."""
    rest: ClassVar[str] = "further"


def write_set(
    folder: Path, settings: Mapping[str, object], rows: Iterable[Mapping[str, str]]
) -> None:
    """Write `set.toml`, `columns.csv` and `stimuli.csv`, in that order.

    Args:
        folder: the set's folder; it and the files that the rows name exist already.
        settings: keys of `set.toml` (see `StimulusSet`), values as they come from TOML.
        rows: one mapping from column to text per file; a column left out is empty, one that is
            not required and that all leave out is not written, and columns of the user's own come
            last.
    """
    checked(Settings, dict(settings), Source(str(folder / "set.toml"), fails="cannot be written"))
    with write_atomic(folder / "set.toml") as unfinished:
        unfinished.write_text(write_toml(settings), encoding="utf-8", newline="\n")
    with write_atomic(folder / "columns.csv") as unfinished:
        unfinished.write_text(columns_csv(), encoding="utf-8", newline="\n")
    rows = list(rows)
    used = {name for row in rows for name in row}
    known = [column.name for column in COLUMNS if column.required or column.name in used]
    headings = [*known, *sorted(used - set(known))]
    cells = ([row.get(name, "") for name in headings] for row in rows)
    with write_atomic(folder / "stimuli.csv") as unfinished:
        unfinished.write_text(csv_text([headings, *cells]), encoding="utf-8", newline="")


def write_media(folder: Path, path: str, data: bytes) -> str:
    """Write a clip or a picture and return its checksum.

    Args:
        folder: the set's folder.
        path: place inside it; folders on the way are made.
        data: content.

    Returns:
        SHA-256 in hexadecimal.
    """
    file = folder / path
    file.parent.mkdir(parents=True, exist_ok=True)
    with write_atomic(file) as unfinished:
        unfinished.write_bytes(data)
    return hashlib.sha256(data).hexdigest()
