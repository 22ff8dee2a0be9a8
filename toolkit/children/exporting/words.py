"""What the page says in the child's language: files that the lab edits, and those given."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stimuli.texts import json_record, read_text
from toolkit.errors import ToolkitError, quoted

GIVEN = Path(__file__).parent / "texts"
FOLDER = "texts"
"""Where the texts of an experiment lie in its folder."""
SCREENS = ("consent", "instructions")
"""Texts that are HTML."""


@dataclass(frozen=True)
class Words:
    """Schema of ``page.LANG.json``: the short texts of the page."""

    title: str
    """Title of the window."""
    agree: str
    """Button below the consent text."""
    decline: str
    """The other button."""
    declined: str
    """Said when it was pressed."""
    about: str
    """Title of the questions about the child."""
    participant: str
    """Label of the child's number."""
    participant_help: str
    """What may stand there."""
    list: str
    """Label of the list's number."""
    list_help: str
    """What it is."""
    age: str
    """Label of the age in months."""
    age_help: str
    """An example."""
    exposure: str
    """Label of the share of each language."""
    exposure_help: str
    """An example."""
    go_on: str
    """Button below the questions."""
    ready: str
    """Title of the instructions."""
    start: str
    """Button that starts the trials."""
    left: str
    """What a screen reader calls the picture on the left."""
    right: str
    """The other one."""
    thanks: str
    """Title of the last screen."""
    sending: str
    """Said while answers are sent."""
    sent: str
    """Said when they were sent."""
    not_sent: str
    """Said when they could not be sent."""
    again: str
    """Button that sends them again."""
    kept: str
    """Said where answers are sent nowhere."""
    files: str
    """Title above the files with the answers."""
    credits: str
    """What opens the credits."""
    no_script: str
    """Said where the browser runs no scripts."""


@dataclass(frozen=True)
class Texts:
    """All texts in one language."""

    language: str
    """Its code."""
    words: Words
    """Short texts."""
    consent: str
    """HTML; empty for no such screen."""
    instructions: str
    """HTML."""
    files: dict[str, bytes]
    """Files by name, as they lie in the folder of the experiment."""


def read_texts(language: str, folder: Path) -> Texts:
    """Read the texts of a language: those in the experiment's folder, or else those given.

    Args:
        language: its code.
        folder: folder of the experiment; what is edited in it is kept.

    Raises:
        ToolkitError: there is none in that language, or a file of them cannot be read.

    Example:
        >>> read_texts("nl", Path("experiment")).words.start
        'Start'
    """
    names = [f"page.{language}.json", *(f"{screen}.{language}.html" for screen in SCREENS)]
    found = {}
    for name in names:
        own, given = folder / FOLDER / name, GIVEN / name
        if not own.is_file() and not given.is_file():
            raise ToolkitError(
                f"There are no texts for the page in the language {language!r}.",
                given=language,
                allowed=f"{', '.join(languages())}; or your own: copy {GIVEN}/*.en.* to "
                f"{folder / FOLDER}, with {language} in their names, and translate them",
                next_command="the same command with --text-language en, or with your own texts "
                f"in {quoted(folder / FOLDER)}",
            )
        found[name] = own if own.is_file() else given
    page, consent, instructions = found.values()
    return Texts(
        language,
        json_record(Words, page),
        read_text(consent).strip(),
        read_text(instructions).strip(),
        {f"{FOLDER}/{name}": file.read_bytes() for name, file in found.items()},
    )


def languages() -> list[str]:
    """Codes of the languages that texts are given in.

    Example:
        >>> languages()
        ['en', 'fr', 'nl']
    """
    return sorted(file.suffixes[0][1:] for file in GIVEN.glob("page.*.json"))
