"""Trials to look at and listen to: pictures and sounds go into the page itself."""

from __future__ import annotations

import base64
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.kinds import REPORTS
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd

    from reports.sources import Chapter
    from stimuli import StimulusSet

LARGEST_PICTURE = 24_000
"""Bytes; larger pictures are made smaller, so that a page keeps its size."""
LARGEST_CLIP = 40_000
"""Bytes; larger clips are written again as Ogg/Opus."""
SIDE_PX = 192
"""Side of a picture that was made smaller."""
TYPES = {
    ".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".gif": "image/gif", ".opus": "audio/ogg", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg",
}  # fmt: skip
"""Media types of the files that go into a page as they are."""


@dataclass(frozen=True)
class Option:
    """One thing that could be chosen."""

    concept: str
    """What it shows or means."""
    is_target: bool
    """True for the right answer."""
    image: str
    """Data address of its picture; empty where it is none."""


@dataclass(frozen=True)
class Answers:
    """What the seeds of one population chose."""

    population: str
    """Who was asked."""
    seeds: tuple[tuple[str, bool, float, str], ...]
    """Name of the seed, correct or not, margin, and the class of the best distractor."""

    @property
    def n_correct(self) -> int:
        """Number of seeds that were right."""
        return sum(correct for _, correct, _, _ in self.seeds)


@dataclass(frozen=True)
class Card:
    """One trial with all answers to it."""

    kind: str
    """Why it is shown: easiest, hardest or most disagreed."""
    language: str
    """ISO code of the word said."""
    word: str
    """Its spelling, or the name of its concept."""
    concept: str
    """What it means."""
    voice: str
    """Who says it, if known."""
    sound: str
    """Data address of the clip; empty where it is not at hand."""
    options: tuple[Option, ...]
    """What was shown, in the order shown; empty where options were no pictures."""
    share_correct: float
    """Share of all seeds that were right."""
    mean_margin: float
    """Mean over seeds of score of the target - score of the best distractor."""
    answers: tuple[Answers, ...]
    """Answers by population."""


@dataclass(frozen=True)
class Credit:
    """Where a stimulus shown on the page comes from."""

    stimulus_id: str
    """Its name in the set."""
    source: str
    """Where it was found."""
    author: str
    """Who made it, if the set says."""
    licence: str
    """Its licence."""


def find_stimuli(chapters: Sequence[Chapter], given: str | None) -> StimulusSet | None:
    """The set that the runs were made with; None if it is not at hand.

    Args:
        chapters: what is reported.
        given: set or folder named by the user; found by the manifest otherwise.

    Raises:
        ToolkitError: if the set named by the user is not the one that the runs were made with.
    """
    from stimuli import open_set

    known = next((told["stimuli"] for chapter in chapters for told in chapter.manifests), None)
    if known is None:
        if given:
            raise ToolkitError(
                "Tables from elsewhere do not say which stimuli were shown.",
                given=f"--stimuli {given}",
                allowed="no --stimuli, or a run among the tables",
            )
        return None
    try:
        found = open_set(given or known.get("folder") or known["name"])
        checksum = found.checksum
    except (ToolkitError, OSError):
        if given:
            raise
        return None
    if checksum == known["checksum"]:
        return found
    if given:
        raise ToolkitError(
            f"The stimuli {given} are not those of the run.",
            given=f"{found.name}, checksum {checksum[:12]}",
            allowed=f"{known['name']}, checksum {known['checksum'][:12]}",
        )
    return None


def cards(chapter: Chapter, stimuli: StimulusSet | None) -> list[Card]:
    """The picked trials of a paradigm, with pictures and sounds where they are at hand."""
    records = chapter.digest.picked.to_dict("records")
    shown = {
        str(row[name]) for row in records for name in ("word_id", "target_id", "distractor_id")
    }
    known = _about(shown, stimuli)
    trials = itertools.groupby(records, key=lambda row: row["rank"])
    return [_card(list(rows), known) for _, rows in trials]


def _about(names: set[str], stimuli: StimulusSet | None) -> dict[str, dict[str, str]]:
    """The rows of the set's table that are wanted, with the address of each file's content."""
    if stimuli is None:
        return {}
    table = stimuli.table[stimuli.table.index.isin(list(names))]
    rows = zip(table.index, table.to_dict("records"), strict=True)
    return {
        str(name): {
            **{str(column): str(value) for column, value in row.items()},
            "address": _data_address(stimuli.folder / str(row["path"])),
        }
        for name, row in rows
    }


def credits_of(chapters: Sequence[Chapter], stimuli: StimulusSet | None) -> list[Credit]:
    """Sources and licences of all pictures and clips on the page."""
    choices = [chapter for chapter in chapters if REPORTS[chapter.kind].cards]
    if stimuli is None or not choices:
        return []
    shown = set(_examples(stimuli).index)
    for chapter in choices:
        picked = chapter.digest.picked
        for column in ("target_id", "distractor_id", "word_id"):
            shown |= set(picked[column].astype(str)) if column in picked else set()
    table = stimuli.table
    rows = table[table.index.isin(list(shown))]
    return [
        Credit(str(name), row["source"], row.get("author", ""), row["licence"])
        for name, row in zip(rows.index, rows.to_dict("records"), strict=True)
    ]


def _examples(stimuli: StimulusSet) -> pd.DataFrame:
    """The row of one picture per concept: the first, so that every page shows the same."""
    table = stimuli.table
    return table[table["kind"] == "picture"].groupby("concept").head(1)


def concept_table(stimuli: StimulusSet | None) -> pd.DataFrame | None:
    """``concept``, ``words`` in all languages and ``image``: what the item plot shows on hover."""
    import pandas as pd

    if stimuli is None or "word" not in stimuli.table:
        return None
    words = stimuli.table[stimuli.table["kind"] == "word"]
    spelled = words.groupby(["concept", "language"])["word"].first()
    pictures = _examples(stimuli)
    image = {
        str(concept): _data_address(stimuli.folder / str(path))
        for concept, path in zip(pictures["concept"], pictures["path"], strict=True)
    }
    named: dict[str, list[str]] = {}
    for row in spelled.reset_index().to_dict("records"):
        named.setdefault(str(row["concept"]), []).append(f"{row['language']} {row['word']}")
    rows = [(name, ", ".join(words), image.get(name, "")) for name, words in named.items()]
    return pd.DataFrame(rows, columns=["concept", "words", "image"])


def _card(rows: Sequence[Mapping[Any, Any]], known: Mapping[str, Mapping[str, str]]) -> Card:
    first = rows[0]
    nothing: Mapping[str, str] = {}
    word, target, distractor = (
        known.get(str(first[name]), nothing) for name in ("word_id", "target_id", "distractor_id")
    )
    options: tuple[Option, ...] = ()
    if target and distractor and int(first["n_choices"]) == 2:
        options = (
            Option(str(first["target_concept"]), True, target["address"]),
            Option(str(first["distractor_concept"]), False, distractor["address"]),
        )
        if int(first["target_position"]):
            options = options[::-1]
    answers: dict[str, list[tuple[str, bool, float, str]]] = {}
    for row in rows:
        answers.setdefault(str(row["population"]), []).append(
            (
                *(str(row["seed"]), bool(row["correct"]), float(row["margin"])),
                str(row["distractor_concept"]),
            )
        )
    return Card(
        kind=str(first["kind"]),
        language=str(first["test_language"]),
        word=word.get("word") or str(first["word_concept"]),
        concept=str(first["word_concept"]),
        voice=word.get("voice", ""),
        sound=word.get("address", ""),
        options=options,
        share_correct=float(first["share_correct"]),
        mean_margin=float(first["mean_margin"]),
        answers=tuple(Answers(name, tuple(seeds)) for name, seeds in answers.items()),
    )


def _data_address(path: Path) -> str:
    try:
        content = path.read_bytes()
        kind = TYPES.get(path.suffix.lower(), "")
        if kind.startswith("audio"):
            if len(content) > LARGEST_CLIP:
                content, kind = _smaller_clip(path), "audio/ogg"
        elif not kind or len(content) > LARGEST_PICTURE:
            content, kind = _smaller_picture(path), "image/webp"
    except (OSError, ToolkitError):
        return ""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _smaller_picture(path: Path) -> bytes:
    import io

    from PIL import Image

    from stimuli.media import decode_picture

    image = Image.fromarray(decode_picture(path.read_bytes(), str(path)))
    image.thumbnail((SIDE_PX, SIDE_PX))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80)
    return out.getvalue()


def _smaller_clip(path: Path) -> bytes:
    from stimuli.media import decode_clip, encode_clip

    return encode_clip(decode_clip(path.read_bytes(), path.name))
