"""Pictures and clips of a page: found, made small, put into the page itself, and credited."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.parts import Credit
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd

    from reports.chapter import Chapter
    from stimuli import StimulusSet

LARGEST_PICTURE = 24_000
"""Bytes; larger pictures are made smaller, so that a page keeps its size."""
LARGEST_CLIP = 40_000
"""Bytes; larger clips are written again as Ogg/Opus."""
MOST_MEDIA = 700_000
"""Characters of pictures and clips that a page of one paradigm holds besides those of the trials
picked; a page of two or three, which is larger by itself, holds a half or a third of that."""
SIDE_PX = 192
"""Side of a picture that was made smaller."""
TYPES = {
    ".webp": "image/webp", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg",
    ".gif": "image/gif", ".opus": "audio/ogg", ".ogg": "audio/ogg", ".oga": "audio/ogg",
    ".wav": "audio/wav", ".flac": "audio/flac", ".mp3": "audio/mpeg",
}  # fmt: skip
"""Media types of the files that go into a page as they are."""


def find_stimuli(chapters: Sequence[Chapter[Any]], given: str | None) -> StimulusSet | None:
    """The set that the runs were made with; None if it is not at hand.

    Args:
        chapters: what is reported.
        given: set or folder named by the user; found by the manifest otherwise.

    Raises:
        ToolkitError: if the set named by the user is not the one that the runs were made with.
    """
    from stimuli import open_set

    known = next((told.stimuli for chapter in chapters for told in chapter.manifests), None)
    if known is None:
        if given:
            raise ToolkitError(
                "Tables from elsewhere do not say which stimuli were shown.",
                given=f"--stimuli {given}",
                allowed="no --stimuli, or a run among the tables",
            )
        return None
    try:
        found = open_set(given or known.folder or known.name)
        checksum = found.checksum
    except (ToolkitError, OSError):
        if given:
            raise
        return None
    if checksum == known.checksum:
        return found
    if given:
        raise ToolkitError(
            f"The stimuli {given} are not those of the run.",
            given=f"{found.name}, checksum {checksum[:12]}",
            allowed=f"{known.name}, checksum {known.checksum[:12]}",
        )
    return None


class Media:
    """Pictures and clips of a page, each once however often it is shown."""

    def __init__(self, stimuli: StimulusSet | None, n_chapters: int) -> None:
        self.at_hand = stimuli is not None
        """Whether the stimuli are."""
        self.room = MOST_MEDIA // (n_chapters * n_chapters)
        """Characters that the files of each chapter may take, besides those that must be shown."""
        self._stimuli = stimuli
        self._rows = {} if stimuli is None else stimuli.table.to_dict("index")
        self._read: dict[str, str] = {}
        self._on_page: dict[str, bool] = {}

    def show(self, names: Sequence[str]) -> None:
        """Put files into the markup, however large."""
        self._on_page |= dict.fromkeys((name for name in names if self._content(name)), True)

    def take(self, names: Sequence[str], room: int) -> int:
        """Put files beside the markup, for the script, if they take no more than so much room.

        Returns:
            The room that is left; below 0 if they were not taken.
        """
        new = [name for name in dict.fromkeys(names) if name not in self._on_page]
        left = room - sum(len(self._content(name)) for name in new)
        if left >= 0:
            self._on_page |= dict.fromkeys((name for name in new if self._content(name)), False)
        return left

    def known(self, name: str) -> bool:
        """Whether a file is on the page."""
        return name in self._on_page

    def address(self, name: str) -> str:
        """Data address of a file on the page; empty for others."""
        return self._content(name) if self.known(name) else ""

    def spelled(self, name: str, concept: str) -> tuple[str, str]:
        """How a clip's word is written, or else its concept; and who says it, if known."""
        row = self._rows.get(name, {})
        return str(row.get("word") or concept), str(row.get("voice") or "")

    def beside(self) -> dict[str, str]:
        """Addresses of the files that do not stand in the markup."""
        return {name: self._content(name) for name, marked in self._on_page.items() if not marked}

    def _content(self, name: str) -> str:
        if name not in self._read:
            row, stimuli = self._rows.get(name), self._stimuli
            self._read[name] = (
                ""
                if row is None or stimuli is None
                else data_address(stimuli.folder / str(row["path"]), upright=stimuli.upright)
            )
        return self._read[name]


def credits_of(stimuli: StimulusSet | None, names: Iterable[str]) -> list[Credit]:
    """Sources and licences of pictures and clips, and of those that figures show on hovering."""
    if stimuli is None:
        return []
    shown = {*_examples(stimuli).index, *names}
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
        str(concept): data_address(stimuli.folder / str(path), upright=stimuli.upright)
        for concept, path in zip(pictures["concept"], pictures["path"], strict=True)
    }
    named: dict[str, list[str]] = {}
    for row in spelled.reset_index().to_dict("records"):
        named.setdefault(str(row["concept"]), []).append(f"{row['language']} {row['word']}")
    rows = [(name, ", ".join(words), image.get(name, "")) for name, words in named.items()]
    return pd.DataFrame(rows, columns=["concept", "words", "image"])


def data_address(path: Path, *, upright: bool = True) -> str:
    """The content of a file as an address; empty where it is not at hand.

    Args:
        path: a picture or clip.
        upright: whether subjects were shown the picture turned as its camera says. Browsers turn
            it; where it was taken as it is stored, the page has a copy that says nothing of it.
    """
    try:
        content = path.read_bytes()
        kind = TYPES.get(path.suffix.lower(), "")
        if kind.startswith("audio"):
            if len(content) > LARGEST_CLIP:
                content, kind = _smaller_clip(path), "audio/ogg"
        elif not kind or len(content) > LARGEST_PICTURE or (not upright and _is_turned(content)):
            content, kind = _smaller_picture(path, upright=upright), "image/webp"
    except (OSError, ToolkitError):
        return ""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _is_turned(content: bytes) -> bool:
    """Whether a picture says that it is to be turned or mirrored."""
    import io

    from PIL import ExifTags, Image

    try:
        with Image.open(io.BytesIO(content)) as image:
            return bool(image.getexif().get(ExifTags.Base.Orientation, 1) != 1)
    except Exception:
        # Damaged bytes make the readers of Pillow raise whatever they happen to stumble over.
        return True


def _smaller_picture(path: Path, *, upright: bool) -> bytes:
    import io

    from PIL import Image

    from stimuli.media import decode_picture

    image = Image.fromarray(decode_picture(path.read_bytes(), str(path), upright=upright))
    image.thumbnail((SIDE_PX, SIDE_PX))
    out = io.BytesIO()
    image.save(out, "WEBP", quality=80)
    return out.getvalue()


def _smaller_clip(path: Path) -> bytes:
    from stimuli.media import decode_clip, encode_clip

    return encode_clip(decode_clip(path.read_bytes(), path.name))
