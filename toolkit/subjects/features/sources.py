"""What features can be extracted from: stimulus sets, and the published data layout.

See `stimuli.published` for the latter.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from stimuli import open_set
from stimuli.columns import SPLITS
from stimuli.media import convert_clip, decode_picture
from stimuli.published import (
    CODES,
    clip_path,
    entries,
    filelists,
    newest_lists,
    picture_path,
    published_name,
)
from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.backbones.ears import RATE
from toolkit.subjects.backbones.stored import SUFFIX, Media
from toolkit.subjects.contract import require_rate

KINDS = ("word", "picture")


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
    """Reads one by its name; raises `ToolkitError` or `OSError` if it cannot. To be pickled where
    other processes are to read."""
    source: str
    """What they are of: name and checksum of the set, or the file list."""
    origins: Mapping[str, tuple[str, str]] = field(compare=False)
    """Language of each (code; empty for pictures), and what published files call it."""


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
        ToolkitError: there is no such source, split or language, a file list is broken, or two
            backbones are called the same.
    """
    for split in splits:
        if split not in SPLITS:
            raise unknown_name("split", split, SPLITS)
    lists = filelists(source)
    if lists is not None:
        jobs = _layout_jobs(lists, out, backbones, splits, languages)
    else:
        jobs = _set_jobs(source, out, backbones, splits, languages)
    if not any(job.names for job in jobs):
        raise ToolkitError(
            "There is nothing to extract.", given=f"{source}, splits {list(splits) or 'all'}"
        )
    _refuse_one_file(jobs)
    return [job for job in jobs if job.names]


def _refuse_one_file(jobs: Iterable[Job]) -> None:
    """Refuse, before anything is computed, that two jobs write to one file."""
    seen: dict[str, Job] = {}
    for job in jobs:
        # Some file systems take no account of capitals.
        other = seen.setdefault(str(job.path).casefold(), job)
        if other is not job:
            raise ToolkitError(
                f"Features of {other.kind}s and of {job.kind}s would go to one file.",
                given=str(job.path),
                allowed="backbones whose names differ",
                next_command="extract one at a time, --only words and --only pictures, "
                "into folders of their own, --out DIR",
            )


def shared_names(jobs: Iterable[Job]) -> frozenset[str]:
    """Names that clips of several languages have in published files.

    Args:
        jobs: all that features are wanted of.
    """
    spoken: dict[str, str] = {}
    shared = set()
    for job in jobs:
        for language, name in job.origins.values():
            if job.kind == "word" and spoken.setdefault(name, language) != language:
                shared.add(name)
    return frozenset(shared)


def _set_jobs(
    source: str,
    out: Path,
    backbones: dict[str, str],
    splits: Sequence[str],
    languages: Sequence[str],
) -> list[Job]:
    stimuli = open_set(source)
    if "word" in backbones:
        require_rate(stimuli, RATE)
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
        places = zip(table["language"], table["path"], strict=True)
        origins = {
            name: (str(language), published_name(path) or name)
            for name, (language, path) in zip(names, places, strict=True)
        }
        jobs.append(Job(out / f"{backbone}{SUFFIX}", kind, names, read, told, origins))
    return jobs


def _layout_jobs(
    lists: Path,
    out: Path,
    backbones: dict[str, str],
    splits: Sequence[str],
    languages: Sequence[str],
) -> list[Job]:
    data, jobs, known = lists.parent, [], set()
    for (modality, split), path in newest_lists(lists).items():
        kind = "word" if modality == "audio" else "picture"
        if kind not in backbones or (splits and split not in splits):
            continue
        listed = entries(path, kind)
        spoken = sorted({entry["lang"] for entry in listed}) if kind == "word" else [""]
        known.update(spoken)
        for language in spoken:
            if kind == "word" and languages and language not in languages:
                continue
            names = dict.fromkeys(
                e["name"] for e in listed if kind == "picture" or e["lang"] == language
            )
            parts = ["me-dataset", split, *([language] if language else []), backbones[kind]]
            target = out / f"features-{modality}" / f"{'-'.join(parts)}{SUFFIX}"
            read = partial(_read_clip, data, language) if language else partial(_read_picture, data)
            origins = {name: (CODES.get(language, language), name) for name in names}
            jobs.append(Job(target, kind, tuple(names), read, path.name, origins))
    for language in languages:
        if language not in known and "word" in backbones:
            raise unknown_name("language", language, sorted(known - {""}))
    return jobs


def _read_clip(data: Path, language: str, name: str) -> Media:
    path = clip_path(data, language, name)
    return convert_clip(path.read_bytes(), str(path))


def _read_picture(data: Path, name: str) -> Media:
    path = picture_path(data, name)
    return decode_picture(path.read_bytes(), str(path), upright=False)
