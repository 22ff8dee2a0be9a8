"""Makes a stimulus set of a plain folder of pictures and recordings.

    FOLDER/pictures/CONCEPT/*             any format, any size
    FOLDER/words/LANGUAGE/CONCEPT/*       any format, any sample rate, mono or not
    FOLDER/words.csv                      optional: spellings, concept and a column per language

Whoever recorded a word is told by the name of its file, up to the first `_` or `-`: `anna_2.wav`.
"""

from __future__ import annotations

import hashlib
import os
import random
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.characters import hidden_in
from stimuli.checks import counted, first_of, some, table_faults, tally
from stimuli.errors import ToolkitError, nearest_name, quoted, unknown_name
from stimuli.media import (
    PICTURE_SUFFIX,
    central_square,
    convert_clip,
    decode_picture,
    encode_picture,
    encode_wav,
)
from stimuli.names import file_name
from stimuli.spellings import read_spellings
from stimuli.wording import count
from stimuli.writing import write_media, write_set

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from stimuli.sets import StimulusSet

    Picture = npt.NDArray[np.uint8]

SAMPLE_RATE_HZ = 16_000
MADE_FROM = "a folder of one's own"
PICTURES, WORDS, SPELLINGS = "pictures", "words", "words.csv"
PICTURE_SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
CLIP_SUFFIXES = (".aif", ".aiff", ".flac", ".mp3", ".oga", ".ogg", ".opus", ".wav")
PHOTOGRAPH = "photograph"
UNKNOWN = "unknown"
NOBODY = "voice"
"""Voice of recordings whose names tell none."""
SHARES = {"train": 0.7, "valid": 0.1, "test": 0.2}
"""How pictures and voices of familiar concepts are shared out where networks are to be trained."""

Row = dict[str, str]
Silent = Callable[[str, int, int], None]


@dataclass(frozen=True)
class About:
    """What is told of all files of a set."""

    licence: str = UNKNOWN
    """Of the files, as an SPDX identifier."""
    source: str = MADE_FROM
    """Where they come from."""
    author: str = ""
    """Who made them."""
    style: str = PHOTOGRAPH
    """How pictures look: see the column `style`."""
    size_px: int = 224
    """Height and width that pictures are brought to."""


@dataclass(frozen=True)
class Made:
    """A stimulus set that was made of a folder."""

    folder: Path
    """Where it lies."""
    counts: dict[str, int]
    """Files by kind, language, status and split."""
    concepts: dict[str, int]
    """Concepts by status."""
    converted: int
    """Clips that were stereo, or had another sample rate."""
    notes: tuple[str, ...]
    """What was left out, or should be known."""


@dataclass
class _Found:
    """What lies in a folder."""

    pictures: dict[str, list[Path]] = field(default_factory=dict)
    """By concept."""
    clips: dict[tuple[str, str], list[Path]] = field(default_factory=dict)
    """By language and concept."""
    skipped: list[str] = field(default_factory=list)
    """Files that are none of these."""


def make_set(
    folder: str | Path,
    out: str | Path,
    *,
    novel: Collection[str] = (),
    about: About | None = None,
    pictures_of: StimulusSet | None = None,
    training: bool = False,
    seed: int = 0,
    progress: Silent = lambda *_: None,
) -> Made:
    """Make a stimulus set of pictures and recordings, sorted into folders by concept.

    Pictures become squares (their middle) of one size, clips mono at 16 kHz. Everything is a test
    stimulus, unless networks are to be trained on the set.

    Args:
        folder: holds `pictures`, `words` or both, as above.
        out: folder of the set; made when missing, and no other set may lie there.
        novel: concepts that subjects have never met; all others are familiar. With `pictures_of`,
            the known set says it.
        about: licence, source, style and size.
        pictures_of: a set whose pictures are taken, for words of a further language.
        training: whether pictures and voices of familiar concepts are shared out among training,
            validation and test. A voice or picture stands in one of them only.
        seed: decides which.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        ToolkitError: nothing is there to be used, files cannot be read (all of them are named), or
            names do not fit together; nothing is written then.
    """
    place, target, about = Path(folder), Path(out), about or About()
    _refuse_others(target, place)
    found = _look(place, pictures_of)
    concepts = sorted({*found.pictures, *(concept for _, concept in found.clips)})
    status = _statuses(concepts, novel, pictures_of)
    spelling = read_spellings(place / SPELLINGS, sorted({code for code, _ in found.clips}))
    notes = list(_notes(found, concepts, status, spelling, pictures_of))
    rows, contents, converted = _read(found, status, spelling, about, progress)
    if training:
        rows, left_out = _share_out(rows, seed)
        notes += left_out
    if pictures_of is not None:
        taken = pictures_of.pictures_of(concepts)
        rows += [row for row, _ in taken]
        contents |= {row["stimulus_id"]: data for row, data in taken}
    _check(rows)
    target.mkdir(parents=True, exist_ok=True)
    for number, row in enumerate(rows):
        row["sha256"] = write_media(target, row["path"], contents[row["stimulus_id"]])
        progress("writing files", number + 1, len(rows))
    languages = sorted({code for code, _ in found.clips})
    sizes = {pictures_of.picture_size_px} if pictures_of else set()
    sizes |= {about.size_px} if found.pictures else set()
    settings = {
        "name": target.resolve().name,
        "version": "1",
        "title": f"Pictures and words of {place.resolve().name}",
        "description": f"{count(len(concepts), 'concept')}; made of a folder of pictures and "
        "recordings.",
        "languages": languages,
        "licence": about.licence,
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "picture_size_px": sizes.pop() if len(sizes) == 1 else 0,
        "made_from": [MADE_FROM],
    }
    write_set(target, settings, rows)
    return Made(
        folder=target,
        counts=tally((r["kind"], r["language"], r["status"], r["split"]) for r in rows),
        concepts=tally((status[concept],) for concept in concepts),
        converted=converted,
        notes=tuple(notes),
    )


def _look(place: Path, pictures_of: StimulusSet | None) -> _Found:
    """Sort what lies in the folder by concept.

    Raises:
        ToolkitError: there is nothing to be used, or a name that no table can hold.
    """
    found = _Found()
    allowed = f"{PICTURES}/CONCEPT/* and {WORDS}/LANGUAGE/CONCEPT/* inside it"
    if not place.is_dir():
        raise ToolkitError(
            "There is no such folder.",
            given=str(place),
            allowed=allowed,
            next_command=f"ls {quoted(place.parent)}",
        )
    for concept, files in _sorted(place / PICTURES, PICTURE_SUFFIXES, found.skipped):
        found.pictures[concept] = files
    for language in _folders(place / WORDS, found.skipped):
        if not re.fullmatch(r"[a-z]{2,3}(-[a-z0-9]+)*", language.name):
            raise ToolkitError(
                f"{language} is not called by the code of a language.",
                given=language.name,
                allowed="ISO 639 codes in lower case, such as en or nl",
                nearest=nearest_name(language.name, ("en", "nl", "fr", "de", "es", "it", "pt")),
                next_command=f"rename the folder; recordings lie in {WORDS}/LANGUAGE/CONCEPT/",
            )
        for concept, files in _sorted(language, CLIP_SUFFIXES, found.skipped):
            found.clips[language.name, concept] = files
    if pictures_of is not None and found.pictures:
        raise ToolkitError(
            f"Pictures are taken of the set {pictures_of.name!r}, and there are others as well.",
            given=str(place / PICTURES),
            next_command="leave --pictures-of away, or move that folder elsewhere",
        )
    if not found.clips and not found.pictures:
        raise ToolkitError("There is nothing to make a set of.", given=str(place), allowed=allowed)
    return found


def _sorted(
    place: Path, suffixes: Sequence[str], skipped: list[str]
) -> Iterator[tuple[str, list[Path]]]:
    """Concepts of a folder, each with the files of those suffixes."""
    for folder in _folders(place, skipped):
        files = []
        for file in sorted(folder.iterdir()):
            if not file.name.startswith(".") and file.suffix.lower() in suffixes and file.is_file():
                files.append(file)
            else:
                skipped.append(f"{folder.name}/{file.name}")
        if files:
            yield folder.name, files


def _folders(place: Path, skipped: list[str]) -> list[Path]:
    """The folders in a folder; whatever else lies there is skipped.

    Raises:
        ToolkitError: a name cannot stand in a table.
    """
    if not place.is_dir():
        return []
    kept = []
    for one in sorted(place.iterdir()):
        if one.name.startswith(".") or not one.is_dir():
            skipped.append(f"{place.name}/{one.name}")
        elif hidden := hidden_in(one.name):
            raise ToolkitError(
                f"The name of a folder in {place} holds a character that is not seen.",
                given=f"{hidden} in {one.name!r}",
                next_command="rename it",
            )
        else:
            kept.append(one)
    return kept


def _statuses(
    concepts: Sequence[str], novel: Collection[str], pictures_of: StimulusSet | None
) -> dict[str, str]:
    """Familiar or novel, by concept.

    Raises:
        ToolkitError: a concept is not known.
    """
    if pictures_of is None:
        for name in novel:
            if name not in concepts:
                raise unknown_name("concept", name, concepts, where="this folder")
        return {name: "novel" if name in novel else "familiar" for name in concepts}
    if novel:
        raise ToolkitError(
            f"The set {pictures_of.name!r} says which concepts are novel.",
            given=", ".join(novel),
            next_command="leave --novel away",
        )
    pictures = pictures_of.select(kind="picture")
    known = dict(zip(pictures["concept"], pictures["status"], strict=True))
    for name in concepts:
        if name not in known:
            raise unknown_name("concept", name, sorted(known), where=pictures_of.name)
    return {name: known[name] for name in concepts}


def _notes(
    found: _Found,
    concepts: Sequence[str],
    status: Mapping[str, str],
    spelling: Mapping[tuple[str, str], str],
    pictures_of: StimulusSet | None,
) -> Iterator[str]:
    """What was left out, and what tests will lack."""
    if found.skipped:
        yield (
            f"{len(found.skipped)} files are left out, being hidden or neither picture nor "
            f"recording: {some(found.skipped)}"
        )
    if pictures_of is None and found.pictures and found.clips:
        silent = [name for name in concepts if all(own != name for _, own in found.clips)]
        unseen = [name for name in concepts if name not in found.pictures]
        for names, what in ((silent, "recording"), (unseen, "picture")):
            if names:
                yield f"no {what} of {some(names)}"
    if "novel" not in status.values():
        yield "no concept is novel, so that mutual exclusivity cannot be tested: --novel names them"
    if strange := sorted({name for name, _ in spelling} - set(concepts)):
        yield f"{SPELLINGS} spells concepts that are not here: {some(strange)}"


def _read(
    found: _Found,
    status: Mapping[str, str],
    spelling: Mapping[tuple[str, str], str],
    about: About,
    progress: Silent,
) -> tuple[list[Row], dict[str, bytes], int]:
    """Read and convert everything; rows, contents by stimulus, and how many clips were changed.

    Raises:
        ToolkitError: files cannot be read; all are named.
    """
    rows: list[Row] = []
    contents: dict[str, bytes] = {}
    faults: list[str] = []
    converted = 0
    total = sum(map(len, (*found.pictures.values(), *found.clips.values())))
    jobs: list[tuple[str, str, int, Path]] = [
        ("", concept, number, file)
        for concept, files in found.pictures.items()
        for number, file in enumerate(files)
    ]
    jobs += [
        (language, concept, number, file)
        for (language, concept), files in found.clips.items()
        for number, file in enumerate(files)
    ]
    for done, (language, concept, number, file) in enumerate(jobs):
        try:
            data = file.read_bytes()
            row = _row(language, concept, number, file, status[concept], about)
            if language:
                clip = convert_clip(data, str(file), SAMPLE_RATE_HZ)
                row["duration_s"] = f"{len(clip) / SAMPLE_RATE_HZ:.6f}"
                row["word"] = spelling.get((concept, language), "")
                content = encode_wav(clip, SAMPLE_RATE_HZ)
                converted += content != data
            else:
                content = encode_picture(_resized(decode_picture(data, str(file)), about.size_px))
            rows.append(row)
            contents[row["stimulus_id"]] = content
        except OSError as error:
            faults.append(f"{file}: {error.strerror}")
        except ToolkitError as error:
            faults.append(error.message)
        progress("reading files", done + 1, total)
    if faults:
        raise ToolkitError(
            f"{len(faults)} files cannot be used:\n{first_of(faults)}",
            next_command="repair or remove them; nothing was written",
        )
    return rows, contents, converted


def _row(language: str, concept: str, number: int, file: Path, status: str, about: About) -> Row:
    """One row of the table, but for what its content tells."""
    kind = "word" if language else "picture"
    name = f"{language or kind}_{file_name(concept)}_{number}"
    suffix = ".wav" if language else PICTURE_SUFFIX
    row = {
        "stimulus_id": name,
        "kind": kind,
        "concept": concept,
        "status": status,
        "language": language,
        "source": f"{about.source}: {file.name}",
        "licence": about.licence,
        "split": "test",
        "path": "/".join(
            [f"{kind}s", *([language] if language else []), file_name(concept), name + suffix]
        ),
        "duration_s": "",
        "author": about.author,
    }
    return row | ({"voice": voice_of(file, concept)} if language else {"style": about.style})


def voice_of(file: Path, concept: str) -> str:
    """Who says a word, from the name of its file.

    Args:
        file: a recording.
        concept: what it names; a name that begins with it tells the voice behind.

    Example:
        >>> [voice_of(Path(name), "dog") for name in ("anna_2.wav", "dog-ben.wav", "3.wav")]
        ['anna', 'ben', 'voice']
    """
    parts = [part for part in re.split("[_-]", file.stem) if part]
    told = [part for part in parts if part.casefold() != concept.casefold()]
    return told[0] if told and not told[0].isdigit() else NOBODY


def _resized(picture: Picture, size_px: int) -> Picture:
    """The middle of a picture, of the size wanted."""
    import numpy as np
    from PIL import Image

    square = central_square(picture)
    if square.shape[0] == size_px:
        return square
    image = Image.fromarray(square).resize((size_px, size_px), Image.Resampling.LANCZOS)
    return np.asarray(image, np.uint8)


def _share_out(rows: Sequence[Row], seed: int) -> tuple[list[Row], list[str]]:
    """Give pictures and voices of familiar concepts a split each; novel ones are for tests.

    Every concept has a picture in each split as far as there are enough. Novel words that voices of
    another split than test say are left out: nobody heard in a test was heard in training.

    Returns:
        The rows that stay, and what is to be told.
    """
    rng = random.Random(seed)
    groups: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        if row["status"] == "familiar":
            place, member = _group(row)
            members = groups.setdefault(place, [])
            members += [member] * (member not in members)
    split = {
        (place, member): name
        for place, members in groups.items()
        for member, name in zip(
            rng.sample(members, len(members)), _splits(len(members)), strict=True
        )
    }
    kept = []
    for row in rows:
        if row["status"] == "familiar":
            row["split"] = split[_group(row)]
        if row["status"] == "familiar" or split.get(_group(row), "test") == "test":
            kept.append(row)
    gone = len(rows) - len(kept)
    note = f"{gone} recordings of novel words are left out: their voices are trained on"
    return kept, [note] if gone else []


def _group(row: Row) -> tuple[tuple[str, str], str]:
    """What is shared out together, and the part of it that a file belongs to."""
    if row["kind"] == "picture":
        return ("picture", row["concept"]), row["stimulus_id"]
    # A voice stands in one split whatever the language it speaks.
    return ("word", ""), row["voice"]


def _splits(n: int) -> list[str]:
    """The splits of n pictures or voices: at least one each, the rest for training.

    Example:
        >>> [_splits(n) for n in (1, 2, 3)]
        [['test'], ['test', 'train'], ['test', 'train', 'valid']]
        >>> _splits(20).count("train")
        14
    """
    test, valid = (max(1, round(SHARES[name] * n)) for name in ("test", "valid"))
    order = ["test", "train", "valid"]
    rest = n - len(order)
    if rest <= 0:
        return order[:n]
    more = ["test"] * (test - 1) + ["valid"] * (valid - 1)
    return [*order, *more, *["train"] * (rest - len(more))]


def _check(rows: Sequence[Row]) -> None:
    """Refuse what no stimulus set may hold."""
    import pandas as pd

    table = pd.DataFrame(list(rows)).fillna("")
    # Files have no checksum before they are written.
    table["sha256"] = hashlib.sha256(b"").hexdigest()
    if faults := table_faults(table):
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise ToolkitError(f"This folder would make a set with {counted(faults)}:\n{listed}")


def _refuse_others(out: Path, place: Path) -> None:
    """Keep the originals, and sets that came from elsewhere, as they are."""
    from stimuli.texts import read_text

    settings = out / "set.toml"
    if settings.is_file() and MADE_FROM not in read_text(settings):
        raise ToolkitError(
            f"{out} holds a stimulus set that was made in another way; it is left as it is.",
            next_command="choose another folder with --out DIR",
        )
    if out.resolve() == place.resolve() or place.resolve() in out.resolve().parents:
        raise ToolkitError(
            "The set needs a folder of its own, outside the originals.",
            given=str(out),
            next_command="choose another folder with --out DIR",
        )
    if out.exists() and not os.access(out, os.W_OK):
        raise ToolkitError(f"{out} cannot be written to.", next_command="--out DIR")
