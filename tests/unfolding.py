"""A small set whose words have onsets, and subjects that know when they recognise a word.

Every word is a steady tone whose height names its class, said alone or behind a carrier; a picture
names its class by its red, and how much it is liked for no reason by its green.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from tests.conftest import _png, _wav, write_set

CLASSES = {"bear": 0.2, "boat": 0.4, "cat": 0.6, "dog": 0.8}
CARRIER, SILENCE_S, CARRIER_S, WORD_S = 0.1, 0.02, 0.2, 0.5
KNOWN_S = 0.3
"""So much of a word must be heard to know it."""


def write_unfolding(
    folder: Path, voices: Sequence[str] = ("ann", "bob", "cas"), **more: str
) -> Path:
    """Write the set; ``more`` changes columns of every word, such as ``onset_s``."""
    rows: list[dict[str, Any]] = []
    for concept, height in CLASSES.items():
        shared = {"concept": concept, "status": "familiar", "split": "test", "source": "made",
                  "licence": "CC0-1.0"}  # fmt: skip
        for place, voice in enumerate(voices):
            for before, level in ((SILENCE_S, 0.0), (CARRIER_S, CARRIER)):
                name = f"{concept}-{voice}-{'carrier' if level else 'alone'}"
                parts = [
                    np.full(round(16000 * s), v) for s, v in ((before, level), (WORD_S, height))
                ]
                parts[1] += place / 1000  # no two clips are the same
                rows.append(
                    shared
                    | {
                        "stimulus_id": name, "kind": "word", "language": "en", "voice": voice,
                        "path": f"words/{name}.wav", "duration_s": f"{before + WORD_S:.2f}",
                        "onset_s": f"{before:.2f}", "data": _wav(np.concatenate(parts)),
                    }
                    | more
                )  # fmt: skip
        for number in range(4):
            pixels = np.zeros((8, 8, 3))
            pixels[..., 0], pixels[..., 1] = 100 * height, 10 * (number + height)
            name = f"{concept}-{number}"
            rows.append(
                shared
                | {
                    "stimulus_id": name, "kind": "picture", "language": "", "style": "colour",
                    "path": f"pictures/{name}.png", "duration_s": "", "data": _png(pixels),
                }
            )  # fmt: skip
    return write_set(folder, rows, ("en",))


class Knower:
    """Knows a word once it has heard `KNOWN_S` of it, and until then looks at what it likes."""

    def embed_words(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        """One number per class, 1 for the one that is known, and 1 for liking."""
        return np.array([self._heard(clip) for clip in clips], dtype=np.float32)

    def _heard(self, clip: np.ndarray) -> list[float]:
        said = clip[clip > 0.15]
        known = np.zeros(len(CLASSES))
        if len(said) >= round(16000 * KNOWN_S):
            known[np.abs(np.array([*CLASSES.values()]) - said[-1]).argmin()] = 1
        return [*known, 1]

    def embed_pictures(self, pictures: Sequence[np.ndarray]) -> np.ndarray:
        """One number per class, and how much it is liked."""
        reds = np.array([picture[0, 0, 0] for picture in pictures])
        greens = np.array([picture[0, 0, 1] for picture in pictures])
        heights = np.array([100 * height for height in CLASSES.values()])
        named = np.abs(reds[:, None] - heights) < 1
        return np.column_stack([named, greens / 1000]).astype(np.float32)

    def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        """Inner products."""
        return np.asarray(words @ pictures.T, dtype=np.float32)


class Streamer(Knower):
    """The same, hearing clips as they unfold."""

    def embed_prefixes(
        self, clips: Sequence[np.ndarray], ends: Sequence[Sequence[int]]
    ) -> list[np.ndarray]:
        """What is heard of each clip up to some samples."""
        return [
            self.embed_words([clip[:end] for end in points])
            for clip, points in zip(clips, ends, strict=True)
        ]
