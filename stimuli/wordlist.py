"""Lists of words to be spoken: `concept,word[,status]`, one word a line."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from stimuli.cells import unguarded
from stimuli.checks import counted
from stimuli.columns import STATUSES
from stimuli.errors import ToolkitError, nearest_name
from stimuli.spellings import separated
from stimuli.texts import read_text


class Word(NamedTuple):
    """One line of a list of words."""

    concept: str
    """English name of what is named."""
    status: str
    """familiar or novel."""
    word: str
    """Spelling."""


def read_word_list(path: Path, statuses: Mapping[str, str]) -> list[Word]:
    """Read and check a list of words.

    Args:
        path: a CSV file with the columns concept, word and, if wanted, status.
        statuses: status of the concepts that a set has already.

    Returns:
        The words in the order of the file.

    Raises:
        ToolkitError: the file is missing or has faults; all of them are named.
    """
    allowed = "a CSV file in UTF-8 with the columns concept, word and, if wanted, status"
    try:
        headings, *rest = separated(read_text(path, allowed)) or [[]]
        rows = [dict(zip(headings, row, strict=False)) for row in rest]
    except csv.Error as error:
        raise ToolkitError(
            f"The list of words {path} cannot be read: {error}.", allowed=allowed
        ) from error
    faults = _header_faults(headings)
    words: list[Word] = []
    if not faults:
        words = [_word(row, statuses) for row in rows]
        faults = _row_faults(words, statuses)
    if faults:
        listed = "\n".join(f"  - {fault}" for fault in faults)
        raise ToolkitError(
            f"The list of words {path} has {counted(faults)}:\n{listed}",
            allowed="a line with concept,word[,status] on top, and one line per word",
        )
    return words


def _word(row: Mapping[str, str | None], statuses: Mapping[str, str]) -> Word:
    """One line, with the status that it gives, or that the set knows, or familiar."""
    concept, word, status = (
        unguarded((row.get(heading) or "").strip()) for heading in ("concept", "word", "status")
    )
    return Word(concept, status or statuses.get(concept, "familiar"), word)


def _header_faults(headings: list[str]) -> list[str]:
    """Which columns are missing."""
    faults = []
    for heading in ("concept", "word"):
        if heading not in headings:
            close = nearest_name(heading, headings)
            hint = f" (did you mean to rename {close!r}?)" if close else ""
            faults.append(f"it has no column {heading!r}{hint}")
    return faults


def _row_faults(words: list[Word], statuses: Mapping[str, str]) -> list[str]:
    """What is wrong with the lines, each fault with its line."""
    if not words:
        return ["it has no words"]
    faults = []
    seen: set[str] = set()
    for line, (concept, status, word) in enumerate(words, start=2):
        if not concept or not word:
            faults.append(f"line {line} lacks a concept or a word")
        elif concept in seen:
            faults.append(f"line {line} names the concept {concept!r} again")
        elif status not in STATUSES:
            faults.append(f"line {line}: status {status!r} is not one of {' | '.join(STATUSES)}")
        elif status != statuses.get(concept, status):
            known = statuses[concept]
            faults.append(f"line {line}: {concept!r} is {known} in the set, not {status}")
        seen.add(concept)
    return faults
