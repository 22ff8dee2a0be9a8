"""Data of a page made small: text that only its script reads is deflated.

A browser inflates it by itself; one that cannot shows the page as it is without a script.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"
"""Digits of numbers that are written as letters, 0 to 63."""


def packed(text: str) -> str:
    """Text as base64 of its deflated UTF-8: no letter of it means anything to HTML.

    Example:
        >>> zlib.decompress(base64.b64decode(packed("dog" * 50))).decode() == "dog" * 50
        True
        >>> len(packed("dog" * 50)) < 50
        True
    """
    return base64.b64encode(zlib.compress(text.encode(), 9)).decode()


def letters(numbers: npt.ArrayLike, n_values: int) -> dict[str, int | str]:
    """Whole numbers as text, each of equally many letters.

    Args:
        numbers: from 0, below ``n_values``; any shape, read row by row.
        n_values: how many different values there may be.

    Returns:
        ``width``, letters per number, and ``text``.

    Example:
        >>> letters([0, 1, 63], 64), letters([64, 65], 100)
        ({'width': 1, 'text': '01_'}, {'width': 2, 'text': '1011'})
    """
    base = len(LETTERS)
    width = 1
    while base**width < n_values:
        width += 1
    whole = np.asarray(numbers, np.int64).ravel()
    places = [whole // base**power % base for power in reversed(range(width))]
    alphabet = np.frombuffer(LETTERS.encode(), np.uint8)
    digits = alphabet[np.stack(places, axis=1)] if len(whole) else np.zeros(0, np.uint8)
    return {"width": width, "text": digits.tobytes().decode()}


def listed(values: Sequence[str]) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Different values in the order in which they are met, and the place of each among them.

    Example:
        >>> names, places = listed(["b", "a", "b"])
        >>> names, places.tolist()
        (['b', 'a'], [0, 1, 0])
    """
    found: dict[str, int] = {}
    places = [found.setdefault(value, len(found)) for value in values]
    return list(found), np.array(places, np.int64)
