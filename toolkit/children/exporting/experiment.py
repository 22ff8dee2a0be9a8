"""What an experiment for children is made of."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from toolkit.children.columns import SESSION_COLUMNS
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    from stimuli import StimulusSet
    from toolkit.children.exporting.media import Credit
    from toolkit.children.exporting.words import Texts
    from toolkit.children.lists import Lists

CHILDREN = 24
"""Children for whom the coverage is worked out, unless told otherwise."""


@dataclass(frozen=True)
class Sending:
    """Where the page sends answers; nowhere unless one is named. JATOS gets them in any case."""

    datapipe: str = ""
    """Experiment on DataPipe."""
    post: str = ""
    """Address that takes JSON."""

    @classmethod
    def of(cls, told: str) -> Sending:
        """What is typed: ``datapipe:ID``, an address, or nothing.

        Raises:
            ToolkitError: it is neither.

        Example:
            >>> Sending.of("datapipe:Ab12"), Sending.of("")
            (Sending(datapipe='Ab12', post=''), Sending(datapipe='', post=''))
        """
        if not told:
            return cls()
        if named := re.fullmatch(r"datapipe:([A-Za-z0-9_-]+)", told):
            return cls(datapipe=named[1])
        parts = urlsplit(told) if re.fullmatch(r"[!-~]+", told) else urlsplit("")
        if parts.scheme in ("http", "https") and parts.hostname and not set(told) & set("\"';, "):
            return cls(post=told)
        raise ToolkitError(
            "Answers cannot be sent there.",
            given=told,
            allowed="datapipe:ID, with the id of an experiment on DataPipe, or an address that "
            "begins with https:// or http://",
            next_command="the same command with --send https://lab.example.org/answers",
        )

    @property
    def sources(self) -> str:
        """What the page may talk to, as its policy names it."""
        if self.datapipe:
            return "https://pipe.jspsych.org"
        parts = urlsplit(self.post)
        return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" if self.post else ""


@dataclass(frozen=True)
class Choices:
    """What the user may choose about an experiment, besides its lists."""

    silence_s: float = 1.5
    """Seconds for which both pictures are there before the word."""
    limit_s: float = 15.0
    """Seconds from the word's beginning after which the next trial comes without an answer."""
    practice_needed: int = 2
    """Practice trials that must be right for the test to begin; 0 for no gate."""
    text_language: str = ""
    """Language of the texts; by default that of the words."""
    n_children: int = CHILDREN
    """Children for whom the coverage is worked out."""
    jspsych: str = ""
    """Where jsPsych comes from: a folder, ``cdn``, or nothing for cache and npm."""
    sending: Sending = field(default_factory=Sending)
    """Where the page sends answers."""


@dataclass(frozen=True)
class Experiment:
    """All that the files of an experiment are made of."""

    stimuli: StimulusSet
    """What is said and shown."""
    lists: Lists
    """What each child is asked."""
    design: Mapping[str, Any]
    """What `design.json` holds."""
    texts: Texts
    """What is said on the screen."""
    choices: Choices
    """What the user chose."""
    credits: tuple[Credit, ...]
    """Who made the stimuli."""

    @property
    def same(self) -> dict[str, str | int]:
        """Columns of the session file that are the same in all rows."""
        told = self.design["stimuli"]
        stimuli = {
            "stimuli": told["name"],
            "stimuli_version": told["version"],
            "stimuli_checksum": told["checksum"],
        }
        columns = {column.name for column in SESSION_COLUMNS} - {"paradigm", "paradigm_version"}
        return {k: v for k, v in self.design.items() if k in columns} | stimuli
