"""What no sentence, table or caption may hold, whatever the numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any

from toolkit.records import plain

NOT_A_NUMBER = re.compile(
    r"\b(not available to|nan|NaN|inf|None|Infinity)\b|(?<![\w.])-0?\.0+(?![\d])"
)
PERCENT = re.compile(r"([-+]?\d[\d,]*(?:\.\d+)?) %")
INTERVALS = (
    re.compile(r"\[([^\[\],]+), ([^\[\],]+)\]"),
    re.compile(r"95 % CI (\S+) to ([^\s,;).]+)"),
    re.compile(r"(?<![\w.])([-+]?[\d.]+)(?: %)? to ([-+]?[\d.]+)(?![\w.]*\d)"),
)
NOUNS = (
    "seed|word|trial|language|network|picture|concept|map|pair|test|population|participant|cell|"
    "model|run|row|point|level|simulation|sentence|observation|query|condition|experiment|subject"
)
TOO_MANY = re.compile(rf"(?<![\d.,/+-])1 (?:\w+al |planned |fitted )?(?:{NOUNS})s\b")
TOO_FEW = re.compile(rf"(?<![\w.,/])(?!1 )\d+ (?:\w+al |planned |fitted )?(?:{NOUNS})\b")
AGREEMENT = re.compile(r"\b1 of \d+ \w+ (are|have|were)\b|(?<![\d.,/+-])\b1 (are|have|were)\b")
CLUMSY = re.compile(r"\.\.|,,|;;| [,;.](?!\d)|\(\)|\( | \)|[;,]\.|:\.|  \w")
NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d[\d,]*(?:\.\d+)?|\.\d+)(?![\w])")
CONSTANTS = re.compile(
    r"95 % (?:CI|interval)|1 / options|BF10|p < \.001|(?:over|under) -?[\d.]+|chi2|log-F\(1, 1\)"
)


def faults(said: str) -> list[str]:
    """Everything in a text that cannot be right."""
    found = [f"no number: {m[0]}" for m in NOT_A_NUMBER.finditer(said)]
    for match in PERCENT.finditer(said):
        if not 0 <= float(match[1].replace(",", "")) <= 100:
            found.append(f"impossible: {match[0]}")
    for pattern in INTERVALS:
        found += [f"empty: {m[0]}" for m in pattern.finditer(said) if m[1] == m[2]]
    for what, pattern in (
        ("plural", TOO_MANY), ("singular", TOO_FEW), ("agreement", AGREEMENT), ("clumsy", CLUMSY),
        ("family of one", re.compile(r"Holm over 1\b")),
    ):  # fmt: skip
        found += [f"{what}: {m[0]}" for m in pattern.finditer(said)]
    return [f"{fault} in {said!r}" for fault in found]


def numbers_of(result: Any) -> set[float]:
    """All numbers of a result, as they may be printed: shares as per cent, log odds as odds."""
    pool: set[float] = set()
    for value in _flat(plain(result)):
        pool |= {value, 100 * value}
        if abs(value) < 12:
            pool.add(math.exp(value))
    return pool


def _flat(value: Any) -> Iterator[float]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _flat(item)
    elif isinstance(value, (int, float)):
        yield float(value)


def unexplained(said: str, pool: set[float], names: list[str]) -> list[str]:
    """Numbers in a text that are no rounded number of the result.

    Args:
        said: the text.
        pool: see `numbers_of`.
        names: texts in it that come from elsewhere, such as names, with digits of their own.
    """
    for name in sorted(names, key=len, reverse=True):
        said = said.replace(name, "")
    lost = []
    for match in NUMBER.finditer(CONSTANTS.sub("", said)):
        text = match[0].replace(",", "")
        off = 0.5001 * 10.0 ** -len(text.partition(".")[2])
        if not any(abs(abs(value) - abs(float(text))) <= off for value in pool):
            lost.append(f"{text} in {said!r}")
    return lost
