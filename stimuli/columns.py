"""The columns of `stimuli.csv` and what may stand in them."""

from __future__ import annotations

from dataclasses import dataclass

from stimuli.cells import csv_text

KINDS = ("picture", "word")
STATUSES = ("familiar", "novel")
SPLITS = ("train", "valid", "test")
STYLES = ("colour", "glyph", "photograph")


@dataclass(frozen=True)
class Column:
    """One column of the table of stimuli, as it stands in `columns.csv`."""

    name: str
    """Heading in stimuli.csv."""
    meaning: str
    """What it says about the file."""
    unit: str
    """Unit of the value, or an empty string."""
    allowed: str
    """The values it may take, in words."""
    example: str
    """One value."""
    required: bool
    """Whether every stimulus set must have it."""


COLUMNS = (
    Column(
        "stimulus_id",
        "Name of the stimulus, used wherever one is mentioned.",
        "",
        "any text, different in every row",
        "en_clock_f1_0",
        True,
    ),
    Column("kind", "What the file is.", "", " | ".join(KINDS), "word", True),
    Column("concept", "What is drawn or said, in English.", "", "any text", "clock", True),
    Column(
        "status",
        "Whether subjects are taught the concept (familiar) or never meet it before the test"
        " (novel); the same in all rows of a concept.",
        "",
        " | ".join(STATUSES),
        "familiar",
        True,
    ),
    Column(
        "language",
        "Language of a word.",
        "",
        "ISO 639 code in lower case; empty for pictures",
        "en",
        True,
    ),
    Column("source", "Where the file comes from.", "", "any text", "iconify:noto/bear", True),
    Column("licence", "Licence of the file.", "", "SPDX identifier", "CC-BY-4.0", True),
    Column(
        "split",
        "What the file may be used for; novel concepts stand in test only.",
        "",
        " | ".join(SPLITS),
        "train",
        True,
    ),
    Column(
        "path",
        "Place of the file, with forward slashes.",
        "",
        "relative to the folder of the set and inside it",
        "words/en/clock/en_clock_f1_0.opus",
        True,
    ),
    Column("sha256", "Checksum of the file's content.", "", "64 hexadecimal digits", "", True),
    Column("duration_s", "Length of a clip.", "s", "above 0; empty for pictures", "0.56", True),
    Column("word", "Spelling of a word.", "", "any text; empty for pictures", "clock", False),
    Column(
        "voice",
        "Who says the word; a voice stands in one split only.",
        "",
        "name of an espeak-ng variant in mini; empty for pictures",
        "f1",
        False,
    ),
    Column(
        "take",
        "Which of a voice's recordings of the word this is; pitch and rate differ between takes.",
        "",
        "0, 1, 2, ...; empty for pictures",
        "0",
        False,
    ),
    Column(
        "variant",
        "How a word is changed on purpose; it is then said only where a test asks for it.",
        "",
        "any text; empty for pictures, and for words as they are",
        "place+voice",
        False,
    ),
    Column(
        "features_changed",
        "In how many phonological features a word's first consonant is changed.",
        "",
        "0, 1, 2 or 3; empty for pictures",
        "2",
        False,
    ),
    Column(
        "phonemes",
        "How a word is pronounced.",
        "",
        "the notation of espeak-ng; empty for pictures",
        "d'at",
        False,
    ),
    Column(
        "onset_s",
        "When the word begins in its clip, behind whatever is said before it.",
        "s",
        "0 or above and below duration_s; empty for pictures",
        "0.38",
        False,
    ),
    Column(
        "family",
        "Drawings that share a family are versions of one another (outline, filled, mirrored,"
        " redrawn); a family stands in one split only.",
        "",
        "any text; empty for words",
        "bear-noto-bear",
        False,
    ),
    Column(
        "style",
        "How a picture is drawn: with colours of its own, or in one ink; or it is a photograph.",
        "",
        " | ".join(STYLES) + "; empty for words",
        "colour",
        False,
    ),
    Column("author", "Who made the file, for attribution.", "", "any text", "Google Inc", False),
)
"""Every column the toolkit knows, in the order of stimuli.csv."""

REQUIRED = tuple(column.name for column in COLUMNS if column.required)
"""Headings that every stimuli.csv must have."""


def columns_csv() -> str:
    """The data dictionary that goes into a stimulus set as `columns.csv`.

    Example:
        >>> columns_csv().splitlines()[0]
        'column,meaning,unit,allowed,example,required'
    """
    rows = (
        [*(one.name, one.meaning, one.unit, one.allowed, one.example), "yes" * one.required or "no"]
        for one in COLUMNS
    )
    return csv_text([["column", "meaning", "unit", "allowed", "example", "required"], *rows])
