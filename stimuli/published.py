"""The data layout of the published experiment: file lists, vocabulary, test lists, media.

Layout of the code of Oneata, Nortje, Matusevych and Kamper (Interspeech 2025, arXiv 2506.04037):
`data/filelists/{image|audio}-{split}[-3].json` with entries `{name, lang, word-en, source}`,
`data/images/<name>.jpg`, `data/<language>_words/<name>.wav`, the vocabulary `data/concepts.csv`
(english,dutch,french) with `data/words-seen.txt` and `data/words-unseen.txt`, and fixed test lists
`data/filelists/{condition}-{language}-test.json` with entries `{audio, image-pos, image-neg}`.

`stimuli.importing` makes a stimulus set of it.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli.characters import hidden_in
from stimuli.columns import SPLITS
from stimuli.errors import ToolkitError, unknown_name
from stimuli.texts import read_json, read_text

CODES = {"english": "en", "dutch": "nl", "french": "fr"}
"""ISO codes of the languages by their published names, in the order of `concepts.csv`."""
VOCABULARY = ("concepts.csv", "words-seen.txt", "words-unseen.txt")
"""Files of the vocabulary, in the folder `data`."""
_LIST_NAME = re.compile(rf"(image|audio)-({'|'.join(SPLITS)})(?:-(\d+))?\.json")
_TEST_NAME = re.compile(r"(familiar-familiar|novel-familiar)-([^-_]+)-test\.json")
_PLACE = re.compile(r"(?:.*/)?(?:images/([^/]+)\.jpg|[^/]+_words/([^/]+)\.wav)")
_FEATURES = re.compile(rf"me-dataset-(?:{'|'.join(SPLITS)})-([^-]+)-.+")

Entry = dict[str, Any]


@dataclass(frozen=True)
class Vocabulary:
    """What the three files of words say."""

    status: dict[str, str]
    """familiar or novel, by English word."""
    spelling: dict[tuple[str, str], str]
    """Spelling, by English word and name of the language."""

    @property
    def words(self) -> tuple[str, ...]:
        """All words by their English names, those without a status included."""
        return tuple(word for word, language in self.spelling if language == "english")


def filelists(source: str | Path) -> Path | None:
    """Folder of the file lists of a folder in the published layout; None for any other folder.

    Args:
        source: the folder that holds `data`, or `data` itself.
    """
    for lists in (Path(source) / "data" / "filelists", Path(source) / "filelists"):
        if lists.is_dir():
            return lists
    return None


def newest_lists(lists: Path) -> dict[tuple[str, str], Path]:
    """The list of each modality and split; of several versions the one with the largest number.

    Args:
        lists: folder of the file lists.

    Raises:
        ToolkitError: there are none.
    """
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


def entries(path: Path, kind: str) -> list[Entry]:
    """Entries of a file list.

    Args:
        path: the list.
        kind: `word` or `picture`.

    Raises:
        ToolkitError: it cannot be read, is empty, or an entry lacks a usable name or language.
    """
    found = read_list(path)
    for number, entry in enumerate(found):
        check_entry(entry, f"Entry {number} of the file list {path}", kind)
    return found


def clip_path(data: Path, language: str, name: str) -> Path:
    """Where a clip lies; the language by its published name."""
    return data / f"{language}_words" / f"{name}.wav"


def picture_path(data: Path, name: str) -> Path:
    """Where a picture lies."""
    return data / "images" / f"{name}.jpg"


def published_name(path: str) -> str | None:
    """What the file lists call a clip or picture that lies as published; None for others.

    Args:
        path: of the file, also inside a set that was imported.

    Example:
        >>> published_name("converted/dutch_words/beer_1.wav"), published_name("words/beer.ogg")
        ('beer_1', None)
    """
    match = _PLACE.fullmatch(path)
    return (match[1] or match[2]) if match else None


def features_language(path: Path) -> str:
    """Language of a file of speech features, as a code where there is one; empty if untold.

    Args:
        path: such as `me-dataset-train-dutch-wavlm-base-plus.h5`.

    Example:
        >>> features_language(Path("me-dataset-train-dutch-ear.h5")), features_language(Path("x"))
        ('nl', '')
    """
    match = _FEATURES.fullmatch(path.stem)
    return CODES.get(match[1], match[1]) if match else ""


def language_code(language: str) -> str:
    """ISO code of a language by its published name; a code stands for itself.

    Raises:
        ToolkitError: it is neither.

    Example:
        >>> language_code("dutch"), language_code("de")
        ('nl', 'de')
    """
    code = CODES.get(language, language)
    if not re.fullmatch(r"[a-z]{2,3}", code):
        raise unknown_name(
            "language of the file lists (ISO codes work, too)", language, list(CODES)
        )
    return code


def read_list(path: Path) -> list[Entry]:
    """The entries of a file list, which `check_entry` looks at.

    Args:
        path: the file.

    Raises:
        ToolkitError: it cannot be read, or holds no entries.
    """
    found = read_json(path)
    if not isinstance(found, list) or not found:
        raise ToolkitError(f"The file list {path} holds no entries.")
    return found


def check_entry(entry: Any, what: str, kind: str, needed: Sequence[str] = ()) -> None:
    """Refuse an entry that lacks what is needed."""
    for key in ("name", *["lang"] * (kind == "word"), *needed):
        value = entry.get(key) if isinstance(entry, dict) else None
        # A slash would make folders of a name, here and in HDF5.
        # What is not seen belongs into no name, and some of it into no path.
        if (
            not isinstance(value, str)
            or not value
            or "/" in value
            or value == ".."
            or hidden_in(value)
        ):
            raise ToolkitError(
                f"{what} has no usable {key!r}.",
                given=str(entry)[:80],
                allowed="entries with name, lang, word-en and source; no '/' in a name",
            )


def fixed_lists(lists: Path) -> dict[tuple[str, str], tuple[str, list[Entry]]]:
    """Fixed trials by condition and language, each with the name of their list."""
    found = {}
    for path in sorted(lists.glob("*-test.json")):
        if match := _TEST_NAME.fullmatch(path.name):
            asked = read_list(path)
            for number, entry in enumerate(asked):
                for part, kind in (
                    ("audio", "word"),
                    ("image-pos", "picture"),
                    ("image-neg", "picture"),
                ):
                    inside = entry.get(part) if isinstance(entry, dict) else None
                    what = f"Trial {number} of {path}: its {part!r}"
                    check_entry(inside, what, kind, ("word-en",))
            found[match[1], match[2]] = path.name, asked
    return found


def read_vocabulary(data: Path) -> Vocabulary:
    """The words of the experiment.

    Args:
        data: the folder that holds the three files.

    Raises:
        ToolkitError: one of the files is missing, or a word stands in both lists or in no line of
            `concepts.csv`.
    """
    texts = {}
    for name in VOCABULARY:
        texts[name] = read_text(data / name, "a vocabulary in UTF-8")
    spelling = _spelling(data / "concepts.csv", texts["concepts.csv"])
    known = Vocabulary({}, spelling).words
    status: dict[str, str] = {}
    for name, what in (("words-seen.txt", "familiar"), ("words-unseen.txt", "novel")):
        for word in filter(None, map(str.strip, texts[name].splitlines())):
            if word not in known:
                raise unknown_name(f"word of {name} in {data / 'concepts.csv'}", word, known)
            if status.setdefault(word, what) != what:
                raise ToolkitError(
                    f"The word {word!r} stands in words-seen.txt and in words-unseen.txt.",
                    given=str(data),
                )
    return Vocabulary(status, spelling)


def _spelling(path: Path, text: str) -> dict[tuple[str, str], str]:
    """Spelling by English word and language; a heading line may name other languages."""
    try:
        table = [[cell.strip() for cell in row] for row in csv.reader(io.StringIO(text, None))]
    except csv.Error as error:
        raise ToolkitError(f"{path} cannot be read as a table: {error}.") from error
    table = [row for row in table if any(row)]
    languages = table.pop(0) if table and table[0][0] == "english" else list(CODES)
    spelling: dict[tuple[str, str], str] = {}
    for row in table:
        if len(row) != len(languages):
            raise ToolkitError(
                f"A line of {path} does not have {len(languages)} words.",
                given=",".join(row),
                allowed=",".join(languages),
            )
        spelling |= {(row[0], name): word for name, word in zip(languages, row, strict=True)}
    return spelling
