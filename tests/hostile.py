"""Characters that are not seen, and names that hold them."""

from __future__ import annotations

import os

from stimuli.characters import HIDDEN

CONTROLS = [chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))]
OVERRIDES = [chr(code) for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))]
SURROGATES = [os.fsdecode(b"\xff"), "\ud800", "\udbff", "\udfff"]
HOSTILE = [*CONTROLS, "\u2028", "\u2029", *OVERRIDES, *SURROGATES, "\ufffe", "\uffff"]
"""One by one, all that is escaped."""
SEQUENCES = ["\x1b[31m", "\x1b]0;title\x07", "\x9b2J", "\r\x1b[K", "\x08\x08\x08", "\x1b[8m\u202e"]
"""What commands terminals."""
NAMES = [f"do{sign}g" for sign in (*HOSTILE, *SEQUENCES)]
HARMLESS = [
    "caf\u00e9", "cafe\u0301", "\u0646\u0645\u06cc\u200c\u062e", "\U0001f469\u200d\U0001f52c",
    "\u200e\u05d0", "\u200f1", "\u061ca", "a\u200bb", "\u72d7", "ice cream", "d'or", "a\u00a0b",
    "\U0001f3f4\U000e0067\U000e007f",
]  # fmt: skip
"""What letters, signs and emoji are made of."""


def hidden(text: str) -> list[str]:
    """What is left of hidden characters in what was written; lines and tabs are layout."""
    return [sign for sign in HIDDEN.findall(text) if sign not in "\n\t"]
