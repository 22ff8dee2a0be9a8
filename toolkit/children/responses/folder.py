"""Every file below a folder, those in archives too: read, passed over by its name, or damaged."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any

from stimuli.limits import TEXT_BYTES
from toolkit.children.responses.sessions import Session, Unreadable, sessions_in
from toolkit.errors import ToolkitError, first_line, nearest_name, quoted

ANSWERS = (".csv", ".tsv", ".txt", ".json", ".jsonl")
"""Endings of files that may hold answers."""
ARCHIVES = (".zip", ".jrzip")
"""Endings of archives; JATOS calls its own .jrzip."""
OTHERS = (
    "README*", "CHANGES*", "CREDITS*", "LICENSE*", "lists.csv", "coverage.csv", "conditions*.csv",
    "design.json", "dataset_description.json", "metadata.json", "jatos_results_metadata*",
    "file_metadata.json", "consent*.txt", "instructions*.txt", "*.sessions.csv",
    "texts/page.*.json",
)  # fmt: skip
"""Files that lie beside answers and hold none: of exported experiments, Psych-DS, and JATOS."""
MEMBERS = 100_000
"""Files in one archive."""


@dataclass(frozen=True)
class Damaged:
    """A file whose answers cannot be taken."""

    file: str
    """Where it lies, within the folder."""
    why: str
    """What is wrong with it, as a clause."""


@dataclass(frozen=True)
class Found:
    """What a folder holds."""

    sessions: tuple[Session, ...]
    """Answers, file by file."""
    damaged: tuple[Damaged, ...]
    """Files that cannot be read."""
    others: tuple[str, ...]
    """Files that hold no answers by their names, and were not opened."""


def read_folder(folder: Path, design: Mapping[str, str]) -> Found:
    """Read all answers in a folder, or in a single file or archive.

    Args:
        folder: downloads of a page, of DataPipe or OSF, what JATOS or PsychoPy left, in any mixture
            and however deep.
        design: of the experiment, flat (`toolkit.children.responses.sessions.flat`); may be empty.

    Raises:
        ToolkitError: there is no such folder, or no file in it that could hold answers.
    """
    sessions: list[Session] = []
    damaged: list[Damaged] = []
    others: list[str] = []
    for name, content in _files(folder):
        if isinstance(content, Unreadable):
            damaged.append(Damaged(name, content.message))
        elif content is None:
            others.append(name)
        else:
            try:
                sessions += sessions_in(name, content, design)
            except Unreadable as error:
                damaged.append(Damaged(name, error.message))
    if not sessions and not damaged:
        raise ToolkitError(
            f"{folder} holds no answers.",
            given=f"{len(others)} other files" if others else "an empty folder",
            allowed="CSV or JSON files of an exported experiment, or archives of them",
            next_command="mevgs-toolkit export-experiment me --help, which makes one",
        )
    return Found(tuple(sessions), tuple(damaged), tuple(others))


def _files(folder: Path) -> Iterator[tuple[str, bytes | Unreadable | None]]:
    """Names of all files with what is in them; None for those that hold no answers."""
    if not folder.exists():
        near = nearest_name(folder.name, [one.name for one in folder.absolute().parent.glob("*")])
        raise ToolkitError(
            f"There is no folder {folder}.",
            nearest=str(folder.with_name(near)) if near else None,
            next_command=f"ls {quoted(folder.parent)}",
        )
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    for path in [folder] if folder.is_file() else paths:
        name = path.name if folder.is_file() else path.relative_to(folder).as_posix()
        if path.suffix.lower() in ARCHIVES:
            yield from _members(path, name)
        elif holds_none(name):
            yield name, None
        else:
            yield name, _content(path)


def holds_none(name: str) -> bool:
    """Whether a file of this name holds no answers.

    Args:
        name: its path, with slashes.

    Example:
        >>> [holds_none(name) for name in ("a/b_data.csv", "lists.csv", "texts/page.en.json")]
        [False, True, True]
    """
    parts = PurePosixPath(name).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    ends = [parts[-1].lower(), "/".join(parts[-2:]).lower()]
    known = any(fnmatch(end, pattern.lower()) for pattern in OTHERS for end in ends)
    return hidden or known or PurePosixPath(name).suffix.lower() not in ANSWERS


def _content(path: Path) -> bytes | Unreadable:
    try:
        if path.stat().st_size > TEXT_BYTES:
            return Unreadable(f"it is larger than {TEXT_BYTES:,} bytes")
        return path.read_bytes()
    except OSError as error:
        return Unreadable(f"it cannot be read: {error.strerror}")


def _members(path: Path, name: str) -> Iterator[tuple[str, bytes | Unreadable | None]]:
    """The files of an archive; nothing is unpacked onto the disk."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if not one.is_dir()]
            whole = sum(one.file_size for one in members)
            if len(members) > MEMBERS or whole > TEXT_BYTES:
                yield (
                    name,
                    Unreadable(
                        f"it holds {len(members):,} files of {whole:,} bytes, more than "
                        f"{MEMBERS:,} files or {TEXT_BYTES:,} bytes"
                    ),
                )
                return
            if not members:
                yield name, Unreadable("it is an empty archive")
            for one in sorted(members, key=lambda one: one.filename):
                inner = f"{name}/{one.filename}"
                if PurePosixPath(one.filename).suffix.lower() in ARCHIVES:
                    yield inner, Unreadable("it is an archive within an archive: unpack it")
                else:
                    yield inner, None if holds_none(one.filename) else _member(archive, one)
    except zipfile.BadZipFile:
        yield name, Unreadable("its archive is cut or damaged: download it again")
    except OSError as error:
        yield name, Unreadable(f"it cannot be read: {error.strerror}")


def _member(archive: zipfile.ZipFile, one: zipfile.ZipInfo) -> bytes | Unreadable:
    try:
        with archive.open(one) as opened:
            data = opened.read(one.file_size + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
        return Unreadable(f"it is damaged within its archive ({first_line(error)})")
    except (NotImplementedError, RuntimeError) as error:
        return Unreadable(f"its archive cannot be opened here ({first_line(error)})")
    return data


def design_in(folder: Path) -> dict[str, Any]:
    """The design and the lists of an exported experiment.

    Args:
        folder: what ``export-experiment`` wrote.

    Raises:
        ToolkitError: it is no such folder, or its lists are not those of its design.
    """
    from stimuli.files import sha256_of
    from stimuli.texts import read_json

    file, lists = folder / "design.json", folder / "lists.csv"
    for path in (file, lists):
        if not path.is_file():
            raise ToolkitError(
                f"{folder} is no exported experiment: it has no {path.name}.",
                allowed="the folder that export-experiment wrote",
            )
    told = read_json(file)
    if not isinstance(told, dict) or not isinstance(told.get("lists_checksum"), str):
        raise ToolkitError(f"{file} is no design: it has no lists_checksum.")
    if sha256_of(lists) != told["lists_checksum"]:
        raise ToolkitError(
            f"{lists} is not the table that {file.name} tells of: it was changed after the export.",
            given=f"SHA-256 {sha256_of(lists)}",
            allowed=told["lists_checksum"],
            next_command="take the folder as export-experiment wrote it",
        )
    return told
