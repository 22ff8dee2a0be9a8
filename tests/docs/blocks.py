"""Code blocks of the documentation: what is run, what is compared, and what is not run and why."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
DOCS = ROOT / "docs"
FENCE = re.compile(
    r"^(?:<!-- not run: (?P<why>[^\n]+) -->\n+)?```(?P<kind>\w*)[^\n]*\n(?P<text>.*?)^```$",
    re.S | re.M,
)


class Block(NamedTuple):
    """One block of code."""

    kind: str
    """Its language: ``bash``, ``python``, ``console`` (a command and what it says), or another."""
    text: str
    """What stands in it."""
    why: str | None
    """Why it is not run; None where it is."""


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    found = FENCE.finditer(page.read_text(encoding="utf-8"))
    return [Block(one["kind"], one["text"], one["why"]) for one in found]


def commands(text: str) -> Iterator[list[str]]:
    """The commands of a block for a shell, each as its words; comments are left out."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words:
            yield words


def globbed(words: list[str], folder: Path) -> list[str]:
    """Words with names of files in the place of patterns, as a shell does it."""
    found: list[str] = []
    for word in words:
        names = (
            sorted(str(path.relative_to(folder)) for path in folder.glob(word))
            if "*" in word
            else []
        )
        found += names or [word]
    return found


def says(quoted: str, said: str) -> bool:
    """True if a text says what is quoted of it; ``...`` stands for anything."""
    pattern = ".*".join(re.escape(part) for part in quoted.strip().split("..."))
    return re.fullmatch(pattern, said.strip(), re.S) is not None
