"""What features can be extracted from: stimulus sets, and the published data layout.

The published layout is that of the code of Oneata et al. (Interspeech 2025, arXiv 2506.04037):
`data/filelists/{image|audio}-{split}[-3].json` with entries `{name, lang, word-en, source}`,
`data/images/<name>.jpg` and `data/<language>_words/<name>.wav`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli import open_set
from stimuli.media import decode_clip, decode_picture
from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.feature_files import SUFFIX, Media

KINDS = ("word", "picture")
SPLITS = ("train", "valid", "test")
_LIST_NAME = re.compile(rf"(image|audio)-({'|'.join(SPLITS)})(?:-(\d+))?\.json")


@dataclass(frozen=True)
class Job:
    """Clips or pictures whose features go to one file."""

    path: Path
    """The file."""
    kind: str
    """`word` or `picture`."""
    names: tuple[str, ...]
    """What they are called in the file."""
    read: Callable[[str], Media]
    """Reads one by its name; raises `ToolkitError` or `OSError` if it cannot."""
    source: str
    """What they are of: name and checksum of the set, or the file list."""


def find_jobs(
    source: str,
    out: Path,
    backbones: dict[str, str],
    *,
    splits: Sequence[str] = (),
    languages: Sequence[str] = (),
) -> list[Job]:
    """What there is to extract.

    Args:
        source: a stimulus set (name or folder), or a folder in the published layout.
        out: folder for the files: `<backbone>.h5` for a set, else as published,
            `features-{audio|image}/me-dataset-<split>[-<language>]-<backbone>.h5`.
        backbones: what the files are named after, by kind (`word`, `picture`); kinds that are
            not in it are left out.
        splits: only these; all when empty.
        languages: only words in these; all when empty.

    Raises:
        ToolkitError: there is no such source, split or language, or a file list is broken.
    """
    for split in splits:
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
    root = Path(source)
    for lists in (root / "data" / "filelists", root / "filelists"):
        if lists.is_dir():
            jobs = _layout_jobs(lists, out, backbones, splits, languages)
            break
    else:
        jobs = _set_jobs(source, out, backbones, splits, languages)
    if not any(job.names for job in jobs):
        raise ToolkitError(
            "There is nothing to extract.", given=f"{source}, splits {list(splits) or 'all'}"
        )
    return [job for job in jobs if job.names]


def _set_jobs(
    source: str,
    out: Path,
    backbones: dict[str, str],
    splits: Sequence[str],
    languages: Sequence[str],
) -> list[Job]:
    stimuli = open_set(source)
    for language in languages:
        if language not in stimuli.languages:
            raise unknown_name("language", language, stimuli.languages)
    jobs = []
    for kind, backbone in backbones.items():
        table = stimuli.select(kind=kind)
        if splits:
            table = table[table["split"].isin(splits)]
        if languages and kind == "word":
            table = table[table["language"].isin(languages)]
        read: Callable[[str], Any] = stimuli.read_clip if kind == "word" else stimuli.read_picture
        names = tuple(str(name) for name in table.index)
        told = f"{stimuli.name} {stimuli.checksum}"
        jobs.append(Job(out / f"{backbone}{SUFFIX}", kind, names, read, told))
    return jobs


def _layout_jobs(
    lists: Path,
    out: Path,
    backbones: dict[str, str],
    splits: Sequence[str],
    languages: Sequence[str],
) -> list[Job]:
    data, jobs, known = lists.parent, [], set()
    for (modality, split), path in _newest_lists(lists).items():
        kind = "word" if modality == "audio" else "picture"
        if kind not in backbones or (splits and split not in splits):
            continue
        entries = _entries(path, kind)
        spoken = sorted({entry["lang"] for entry in entries}) if kind == "word" else [""]
        known.update(spoken)
        for language in spoken:
            if kind == "word" and languages and language not in languages:
                continue
            names = dict.fromkeys(
                e["name"] for e in entries if kind == "picture" or e["lang"] == language
            )
            parts = ["me-dataset", split, *([language] if language else []), backbones[kind]]
            target = out / f"features-{modality}" / f"{'-'.join(parts)}{SUFFIX}"
            read = _clip_reader(data, language) if language else _picture_reader(data)
            jobs.append(Job(target, kind, tuple(names), read, path.name))
    for language in languages:
        if language not in known and "word" in backbones:
            raise unknown_name("language", language, sorted(known - {""}))
    return jobs


def _newest_lists(lists: Path) -> dict[tuple[str, str], Path]:
    """The list of each modality and split; of several versions the one with the largest number."""
    newest: dict[tuple[str, str], tuple[int, Path]] = {}
    for path in sorted(lists.glob("*.json")):
        if match := _LIST_NAME.fullmatch(path.name):
            key, version = (match[1], match[2]), int(match[3] or 0)
            if key not in newest or version > newest[key][0]:
                newest[key] = version, path
    if not newest:
        raise ToolkitError(
            "There are no file lists in this folder.",
            given=str(lists),
            allowed="audio-train-3.json, image-test.json and the like",
        )
    return {key: path for key, (_, path) in sorted(newest.items())}


def _entries(path: Path, kind: str) -> list[dict[str, str]]:
    """Entries of a file list."""
    needed = ("name", "lang") if kind == "word" else ("name",)
    try:
        entries = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ToolkitError(f"The file list {path} cannot be read: {error}.") from error
    if not isinstance(entries, list) or not entries:
        raise ToolkitError(f"The file list {path} holds no entries.")
    for number, entry in enumerate(entries):
        for key in needed:
            value = entry.get(key) if isinstance(entry, dict) else None
            # A slash would make folders of a name, here and in HDF5.
            if not isinstance(value, str) or not value or "/" in value or value == "..":
                raise ToolkitError(
                    f"Entry {number} of the file list {path} has no usable {key!r}.",
                    given=str(entry)[:80],
                    allowed="entries with name, lang, word-en and source; no '/' in a name",
                )
    return entries


def _clip_reader(data: Path, language: str) -> Callable[[str], Media]:
    def read(name: str) -> Media:
        path = data / f"{language}_words" / f"{name}.wav"
        return decode_clip(path.read_bytes(), str(path))

    return read


def _picture_reader(data: Path) -> Callable[[str], Media]:
    def read(name: str) -> Media:
        path = data / "images" / f"{name}.jpg"
        return decode_picture(path.read_bytes(), str(path))

    return read
