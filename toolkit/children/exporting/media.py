"""Pictures and words as they stand in a page or lie beside it, and what is to be said of them."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from stimuli.media import encode_wav
from stimuli.names import file_name
from stimuli.tables import records
from stimuli.wording import count

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from stimuli import StimulusSet

SHOWN_PX = 400
"""Widest side at which the page shows a picture."""
SMALLEST_PX = 200
"""Side below which a picture looks soft at that size."""
OPEN = (
    "CC0", "CC-BY", "CC-PDDC", "MIT", "Apache", "ISC", "OFL", "BSD", "Unlicense", "PDDL", "0BSD",
)  # fmt: skip
"""Beginnings of licences that let anybody publish a file with its credits."""
CLOSED = ("NC", "ND")
"""Parts of Creative Commons licences that forbid some uses."""
BLOCK = 256
"""Samples that are packed with one width."""
_WIDTHS = 16
_AS_THEY_ARE = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg"}
_IN_PAGES = _AS_THEY_ARE | {".webp": "image/webp", ".gif": "image/gif"}


@dataclass(frozen=True)
class Credit:
    """Who made a stimulus."""

    stimulus_id: str
    """Its name."""
    what: str
    """What is drawn or said."""
    source: str
    """Where it comes from."""
    author: str
    """Who made it; may be empty."""
    licence: str
    """SPDX identifier."""


def packed(samples: NDArray[np.int16]) -> bytes:
    """Samples in about three quarters of their bytes, to be undone in the page.

    Differences between neighbours, Rice-coded: of each, all bits above a width as so many ones and
    a zero, then that many bits. Every `BLOCK` differences begin with their width, in four bits.
    Nothing is lost: the page makes the same WAV file that `encode_wav` makes.

    Args:
        samples: (n,) 16-bit samples.

    Example:
        >>> packed(np.array([0, 1, 1, -3], dtype=np.int16)).hex()
        '121d'
    """
    steps = np.diff(samples.astype(np.int64), prepend=0)
    zigzag = np.where(steps >= 0, 2 * steps, -2 * steps - 1)
    bits = []
    for start in range(0, len(zigzag), BLOCK):
        block = zigzag[start : start + BLOCK]
        lengths = [
            int((block >> width).sum()) + len(block) * (1 + width) for width in range(_WIDTHS)
        ]
        width = int(np.argmin(lengths))
        bits.append(f"{width:04b}")
        for value in block.tolist():
            low = f"{value & ((1 << width) - 1):0{width}b}" if width else ""
            bits.append("1" * (value >> width) + "0" + low)
    digits = np.frombuffer("".join(bits).encode(), np.uint8) - ord("0")
    return np.packbits(digits).tobytes()


def in_page(stimuli: StimulusSet, stimulus_id: str) -> dict[str, str | int]:
    """A stimulus as the page holds it: its type, its content in base64, and how to unpack it.

    Args:
        stimuli: the set.
        stimulus_id: a word or a picture of it.
    """
    if stimuli.table.loc[stimulus_id, "kind"] == "word":
        wav = wav_of(stimuli, stimulus_id)
        samples = np.frombuffer(wav[44:], "<i2")
        return {
            "type": "audio/wav",
            "data": base64.b64encode(packed(samples)).decode(),
            "n": len(samples),
            "rate": stimuli.sample_rate_hz,
        }
    content, kind = picture_of(stimuli, stimulus_id, _IN_PAGES)
    return {"type": kind, "data": base64.b64encode(content).decode()}


def wav_of(stimuli: StimulusSet, stimulus_id: str) -> bytes:
    """A word as a WAV file of 16 bits a sample, which every browser and phone plays."""
    return encode_wav(stimuli.read_clip(stimulus_id), stimuli.sample_rate_hz)


def picture_of(
    stimuli: StimulusSet, stimulus_id: str, known: dict[str, str] | None = None
) -> tuple[bytes, str]:
    """A picture's own file if it is of a known type, else as PNG; and its type.

    Args:
        stimuli: the set.
        stimulus_id: a picture of it.
        known: type by ending; by default those that every program shows.
    """
    pixels = stimuli.read_picture(stimulus_id)
    file = stimuli.folder / str(stimuli.table.loc[stimulus_id, "path"])
    kind = (known or _AS_THEY_ARE).get(file.suffix.lower())
    if kind:
        return file.read_bytes(), kind
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", optimize=True)
    return buffer.getvalue(), "image/png"


def as_files(stimuli: StimulusSet, ids: Sequence[str]) -> dict[str, tuple[str, bytes]]:
    """Stimuli as files of a folder, by their ids: name and content.

    Args:
        stimuli: the set.
        ids: words and pictures of it.
    """
    made = {}
    for one in ids:
        if stimuli.table.loc[one, "kind"] == "word":
            made[one] = (f"{file_name(one)}.wav", wav_of(stimuli, one))
        else:
            content, kind = picture_of(stimuli, one)
            ending = {"image/png": "png", "image/jpeg": "jpg"}[kind]
            made[one] = (f"{file_name(one)}.{ending}", content)
    return made


def credits_of(stimuli: StimulusSet, ids: Sequence[str]) -> list[Credit]:
    """Who made the stimuli, words and pictures in their order.

    Args:
        stimuli: the set.
        ids: stimuli of it.
    """
    known = {str(row["stimulus_id"]): row for row in records(stimuli.table.reset_index())}
    return [
        Credit(
            one,
            known[one].get("word") or known[one]["concept"],
            known[one]["source"],
            known[one].get("author", ""),
            known[one]["licence"],
        )
        for one in ids
    ]


def is_open(licence: str) -> bool:
    """Whether a licence lets anybody publish a file with its credits.

    Args:
        licence: SPDX identifiers, joined by AND or OR.

    Example:
        >>> [is_open(one) for one in ("MIT AND CC-BY-4.0", "CC-BY-NC-4.0", "unknown")]
        [True, False, False]
    """
    parts = licence.replace("(", " ").replace(")", " ").split()
    names = [part for part in parts if part not in ("AND", "OR", "WITH")]
    return bool(names) and all(
        name.startswith(OPEN) and not set(CLOSED) & set(name.split("-")) for name in names
    )


def warnings_of(stimuli: StimulusSet, ids: Sequence[str]) -> list[str]:
    """What a lab should know before children are shown these stimuli.

    Args:
        stimuli: the set.
        ids: words and pictures that are shown.
    """
    rows = stimuli.table.loc[list(ids)]
    told = []
    pictures = rows[rows["kind"] == "picture"]
    sides = [min(stimuli.read_picture(str(one)).shape[:2]) for one in pictures.index]
    small = sum(side < SMALLEST_PX for side in sides)
    if small:
        told.append(
            f"{small} of {count(len(sides), 'picture')} {'is' if small == 1 else 'are'} small "
            f"(from {min(sides)} pixels) and are shown "
            f"at up to {SHOWN_PX}: they look soft. Sets with larger pictures look better."
        )
    words = rows[rows["kind"] == "word"]
    spoken = int(words["source"].str.startswith("espeak").sum())
    if spoken:
        told.append(
            f"{spoken} of {len(words)} words are spoken by a synthesiser (espeak-ng), not by a "
            "person: children may not know them as well as from a recorded voice. Record them for "
            "a study that is to be published."
        )
    closed = rows[[not is_open(licence) for licence in rows["licence"]]]
    if len(closed):
        names = ", ".join(sorted({licence or "none" for licence in closed["licence"]}))
        told.append(
            f"The licence of {len(closed)} of {len(rows)} stimuli ({names}) does not let you "
            "publish them: keep what is exported inside the lab, or ask who made them."
        )
    return told
