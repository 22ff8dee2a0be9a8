"""Makes a stimulus set of data in the published layout, see `stimuli.published`."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from stimuli import fixed
from stimuli.cells import csv_text
from stimuli.checks import counted, first_of, table_faults, tally
from stimuli.columns import SPLITS
from stimuli.errors import ToolkitError, unknown_name
from stimuli.files import remove_abandoned, write_atomic
from stimuli.media import as_mono, convert_clip, decode_picture, encode_wav
from stimuli.published import (
    Entry,
    Vocabulary,
    check_entry,
    clip_path,
    entries,
    filelists,
    fixed_lists,
    language_code,
    newest_lists,
    picture_path,
    read_vocabulary,
)
from stimuli.samples import read_samples
from stimuli.texts import read_text
from stimuli.writing import write_set

SAMPLE_RATE_HZ = 16_000
MADE_FROM = "published me-vgs data"
_KINDS = {"image": "picture", "audio": "word"}

Row = dict[str, str]
Key = tuple[str, str]
"""Language by its published name, empty for pictures; and the name of the file."""


@dataclass(frozen=True)
class Imported:
    """A stimulus set that was made of published data."""

    folder: Path
    """Where it lies."""
    counts: dict[str, int]
    """How many files of every kind, language and split."""
    trials: dict[str, int]
    """How many fixed trials of every condition and language."""
    converted: int
    """Clips that had another sample rate or several channels."""
    moved: tuple[str, ...]
    """Names that stood in several splits, and count for test, else for validation."""


def import_layout(
    source: str | Path,
    out: Path,
    *,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Imported:
    """Make a stimulus set of published data, with the published test lists as fixed trials.

    Files are hard links to the originals, copies where the file system cannot link. Clips that are
    not mono with 16 kHz are converted.

    Args:
        source: the folder that holds `data`, or `data` itself.
        out: folder of the set; made when missing.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        ToolkitError: the layout is not complete, a word is not in the vocabulary, or files cannot
            be read (all of them are named); no set is written then.
    """
    lists = filelists(source)
    if lists is None:
        raise ToolkitError(
            "This folder does not have the published layout.",
            given=str(source),
            allowed="a folder with data/filelists, data/images and data/<language>_words",
        )
    data = lists.parent
    _refuse_others(out, data)
    vocabulary = read_vocabulary(data)
    tests = fixed_lists(lists)
    listed = {
        (_KINDS[modality], split): (path.name, entries(path, _KINDS[modality]))
        for (modality, split), path in newest_lists(lists).items()
    }
    rows, moved = _rows(data, vocabulary, _named(listed, tests))
    trials = [
        {"condition": condition, "language": language_code(language), **_ids(entry, rows)}
        for (condition, language), (_, asked) in tests.items()
        for entry in asked
    ]
    converted, turned = _measure(data, rows, progress)
    _check(rows, trials)
    out.mkdir(parents=True, exist_ok=True)
    for folder in (out, *{(out / row["path"]).parent for row in rows.values()}):
        remove_abandoned(folder)
    for number, row in enumerate(rows.values()):
        original = data / row.pop("original")
        if row["stimulus_id"] in converted:
            clip = convert_clip(original.read_bytes(), str(original), SAMPLE_RATE_HZ)
            content = encode_wav(clip, SAMPLE_RATE_HZ)
            row["sha256"] = hashlib.sha256(content).hexdigest()
            _write(out / row["path"], content)
        else:
            _link(original, out / row["path"])
        progress("linking files", number + 1, len(rows))
    languages = sorted({row["language"] for row in rows.values()} - {""})
    settings = {
        "name": out.resolve().name,
        "version": "1",
        "title": "Published me-vgs stimuli",
        "description": "Pictures and spoken words of the published experiment (arXiv 2506.04037).",
        "languages": languages,
        "licence": "unknown",
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "picture_size_px": 0,
        "made_from": [MADE_FROM],
        **({"upright": False} if turned else {}),
    }
    _write_trials(out, trials)
    write_set(out, settings, rows.values())
    return Imported(
        folder=out,
        counts=tally((row["kind"], row["language"], row["split"]) for row in rows.values()),
        trials=tally((row["condition"], row["language"]) for row in trials),
        converted=len(converted),
        moved=tuple(moved),
    )


def _named(
    listed: dict[tuple[str, str], tuple[str, list[Entry]]],
    tests: dict[tuple[str, str], tuple[str, list[Entry]]],
) -> Iterator[tuple[str, str, str, Entry]]:
    """Every entry with its list, kind and split; those of test come first, of training last."""
    for source, asked in tests.values():
        for entry in asked:
            yield source, "word", "test", entry["audio"]
            yield source, "picture", "test", entry["image-pos"]
            yield source, "picture", "test", entry["image-neg"]
    for split in reversed(SPLITS):
        for kind in ("word", "picture"):
            source, found = listed.get((kind, split), ("", []))
            yield from ((source, kind, split, entry) for entry in found)


def _rows(
    data: Path, vocabulary: Vocabulary, named: Iterable[tuple[str, str, str, Entry]]
) -> tuple[dict[Key, Row], list[str]]:
    """Rows of the set, each with a name of its own, and the names that stand in several splits."""
    rows: dict[Key, Row] = {}
    moved: dict[str, None] = {}
    for source, kind, split, entry in named:
        check_entry(entry, f"An entry of {source}", kind, ("word-en",))
        name, word = entry["name"], entry["word-en"]
        language = entry["lang"] if kind == "word" else ""
        if word not in vocabulary.status:
            raise unknown_name(
                f"word of {source} in words-seen.txt or words-unseen.txt",
                word,
                list(vocabulary.status),
            )
        before = rows.get((language, name))
        if before is not None:
            if before["concept"] != word:
                raise ToolkitError(
                    f"{name!r} is listed as {before['concept']!r} and as {word!r}.", given=source
                )
            if before["split"] != split:
                moved[name] = None
            continue
        original = clip_path(data, language, name) if language else picture_path(data, name)
        place = original.relative_to(data).as_posix()
        rows[language, name] = {
            "kind": kind,
            "concept": word,
            "status": vocabulary.status[word],
            "language": language_code(language) if language else "",
            "source": str(entry.get("source") or MADE_FROM),
            "licence": "unknown",
            "split": split,
            "path": place,
            "original": place,
            "word": vocabulary.spelling.get((word, language), ""),
        }
    shared = Counter(name for _, name in rows)
    for (language, name), row in rows.items():
        told = language_code(language) if language else "picture"
        row["stimulus_id"] = name if shared[name] == 1 else f"{told}-{name}"
    return rows, list(moved)


def _ids(entry: Entry, rows: dict[Key, Row]) -> Row:
    """What a fixed trial says and shows."""
    word = rows[entry["audio"]["lang"], entry["audio"]["name"]]
    target, distractor = (rows["", entry[part]["name"]] for part in ("image-pos", "image-neg"))
    return {
        "word_id": word["stimulus_id"],
        "target_id": target["stimulus_id"],
        "distractor_id": distractor["stimulus_id"],
    }


def _measure(
    data: Path,
    rows: dict[Key, Row],
    progress: Callable[[str, int, int], None],
) -> tuple[set[str], bool]:
    """Fill in checksums and durations.

    Returns:
        The ids of clips that must be converted, and whether a picture would be turned: the
        published code takes pictures as they are stored.
    """
    import numpy as np

    faults, converted, turned = [], set(), False
    for number, row in enumerate(rows.values()):
        place = data / row["original"]
        try:
            content = place.read_bytes()
            if row["kind"] == "picture":
                stored = decode_picture(content, row["original"], upright=False)
                turned = turned or not np.array_equal(
                    stored, decode_picture(content, row["original"])
                )
            else:
                samples, rate = read_samples(content, row["original"])
                clip = as_mono(samples, rate, row["original"], SAMPLE_RATE_HZ)
                row["duration_s"] = f"{len(clip) / SAMPLE_RATE_HZ:.6f}"
                if (rate, samples.shape[1]) != (SAMPLE_RATE_HZ, 1):
                    converted.add(row["stimulus_id"])
                    row["path"] = f"converted/{row['path']}"
            row["sha256"] = hashlib.sha256(content).hexdigest()
        except OSError as error:
            faults.append(f"{row['original']}: {error.strerror}")
        except ToolkitError as error:
            faults.append(error.message)
        progress("reading files", number + 1, len(rows))
    if faults:
        raise ToolkitError(
            f"{len(faults)} files in {data} that the lists name cannot be used:\n"
            f"{first_of(faults)}",
            next_command="repair them, or take them out of the lists; nothing was written",
        )
    return converted, turned


def _check(rows: dict[Key, Row], trials: Sequence[Row]) -> None:
    """Refuse what no stimulus set may hold, such as novel concepts in training."""
    import pandas as pd

    table = pd.DataFrame(list(rows.values())).fillna("")
    faults = table_faults(table)
    if trials and not faults:
        asked = pd.DataFrame(list(trials))
        faults = list(fixed.fixed_faults(asked, table.set_index("stimulus_id")))
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise ToolkitError(f"These lists would make a set with {counted(faults)}:\n{listed}")


def _refuse_others(out: Path, data: Path) -> None:
    """Keep the original data, and sets that came from elsewhere, as they are."""
    if out.resolve() == data.resolve():
        raise ToolkitError(
            "The set needs a folder of its own.",
            given=str(out),
            next_command="choose another folder with --out DIR; its files are links",
        )
    settings = out / "set.toml"
    if settings.is_file() and MADE_FROM not in read_text(settings):
        raise ToolkitError(
            f"{out} holds a stimulus set that was not imported; it is left as it is.",
            next_command="choose another folder with --out DIR",
        )


def _link(source: Path, target: Path) -> None:
    """Make a file appear in a second place, without a copy where the file system can."""
    if target.exists() and target.samefile(source):
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    with write_atomic(target) as unfinished:
        try:
            os.link(source.resolve(), unfinished)
        except OSError:
            shutil.copyfile(source, unfinished)


def _write(target: Path, content: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with write_atomic(target) as unfinished:
        unfinished.write_bytes(content)


def _write_trials(out: Path, trials: Sequence[Row]) -> None:
    """Write the fixed trials, or remove those of an earlier import where there are none."""
    path = out / fixed.FILE_NAME
    if not trials:
        path.unlink(missing_ok=True)
        return
    rows = ([row[name] for name in fixed.COLUMNS] for row in trials)
    _write(path, csv_text([list(fixed.COLUMNS), *rows]).encode())
