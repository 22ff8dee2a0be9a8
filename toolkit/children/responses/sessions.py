"""What a file of answers holds: sessions, each of rows of text under the names of the columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from stimuli.cells import unguarded
from stimuli.faults import Source
from stimuli.texts import parse_json
from toolkit.children.columns import SESSION_COLUMNS
from toolkit.children.responses.psychopy import from_psychopy, is_psychopy
from toolkit.errors import ToolkitError, nearest_name
from toolkit.tables.delimited import MARKS, SEPARATORS, same_names
from toolkit.tables.values import as_text

Row = Mapping[str, str]
"""Values of one trial by column, as text; empty where there is none."""
NEEDED = tuple(column.name for column in SESSION_COLUMNS if not column.may_be_empty)
"""Columns that no file of answers lacks."""
_KNOWN = {column.name for column in SESSION_COLUMNS}
_SHOWN = 6
"""Columns that a message names."""


class Unreadable(ToolkitError):  # noqa: N818 - a state of a file among many, told with the others
    """Why the answers of one file cannot be taken."""


@dataclass(frozen=True, eq=False)
class Session:
    """The answers of one child in one go."""

    file: str
    """Where they were found, within the folder."""
    rows: tuple[Row, ...]
    """Its trials, in the order in which they stand there."""
    design: Mapping[str, Any] = field(default_factory=dict)
    """The design that stands beside its trials; empty where none does."""
    further: Mapping[str, str] = field(default_factory=dict)
    """What else the file says of the session under names that are none of the columns."""

    @property
    def participant_id(self) -> str:
        """The child."""
        return self.rows[0]["participant_id"]

    @property
    def session_id(self) -> str:
        """The go."""
        return self.rows[0]["session_id"]

    @property
    def started_at(self) -> str:
        """When it began."""
        return self.rows[0]["started_at"]

    def part(self, name: str) -> list[Row]:
        """The rows of practice, or of the test.

        Args:
            name: ``practice`` or ``test``.
        """
        return [row for row in self.rows if row["part"] == name]


def sessions_in(file: str, data: bytes, design: Mapping[str, Any]) -> list[Session]:
    """Read the sessions of a file.

    Args:
        file: what it is called in messages.
        data: its content: CSV, or JSON as the page, JATOS or jsPsych write it; several documents
            may stand behind each other, as in what JATOS exports as text.
        design: what ``design.json`` of the experiment says, for files of PsychoPy that say less.

    Raises:
        Unreadable: the file is cut, no table or JSON, or holds no answers.

    Example:
        >>> sessions_in("x.csv", b"child,word,left,right", {})
        Traceback (most recent call last):
            ...
        toolkit.children.responses.sessions.Unreadable: it holds a header and no trials
    """
    text = _decoded(data)
    start = text.lstrip()
    if not start:
        raise Unreadable("it is empty")
    found = _of_json(file, start) if start[0] in "{[" else [(dict[str, Any](), _of_csv(text))]
    sessions: list[Session] = []
    for told, rows in found:
        if rows and is_psychopy(rows[0]):
            rows = from_psychopy(rows, design)
        sessions += _sessions(file, told, rows)
    if not sessions:
        raise Unreadable("it holds no answers")
    return sessions


def _decoded(data: bytes) -> str:
    encoding = next((name for mark, name in MARKS.items() if data.startswith(mark)), "utf-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"it is not UTF-8 text (byte {error.start}); was it saved anew by a spreadsheet?"
        ) from error
    if "\0" in text:
        raise Unreadable("it holds bytes of zero, which no text has: the file is damaged")
    return text


def _of_json(file: str, text: str) -> list[tuple[dict[str, Any], list[Row]]]:
    """Designs and rows of the JSON documents that stand behind each other in a text."""
    found, place, decoder = [], 0, json.JSONDecoder()
    while place < len(text):
        try:
            _, end = decoder.raw_decode(text, place)
            told = parse_json(text[place:end], Source(file))
        except json.JSONDecodeError as error:
            rest = text[error.pos :].strip()
            cut = not rest or error.msg.startswith("Unterminated")
            what = "it is half a file: its JSON is cut" if cut else f"it is no JSON ({error.msg})"
            raise Unreadable(f"{what}, after character {error.pos}") from error
        except (ToolkitError, RecursionError, ValueError) as error:  # a number of 5,000 digits
            raise Unreadable(str(error).partition(" cannot be read: ")[2] or str(error)) from error
        found += list(_answers_in(told))
        place = end
        while place < len(text) and (text[place].isspace() or text[place] == ","):
            place += 1
    return found


def _answers_in(value: Any, design: Any = None) -> Iterator[tuple[dict[str, Any], list[Row]]]:
    """Wherever in JSON lists of trials stand, with the design beside them."""
    if isinstance(value, dict):
        own = value.get("design", design)
        for inner in value.values():
            yield from _answers_in(inner, own)
    elif isinstance(value, list):
        rows = [one for one in value if isinstance(one, dict) and "word_id" in one]
        if rows:
            told = design if isinstance(design, dict) else {}
            yield told, [{str(k): _text(k, v) for k, v in row.items()} for row in rows]
        else:
            for inner in value:
                yield from _answers_in(inner, design)


def _text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    # What jsPsych keeps of a trial besides our columns may be anything.
    if name in _KNOWN and isinstance(value, (dict, list)):
        raise Unreadable(f"{name} holds {json.dumps(value)[:40]}, expected one value")
    return as_text(value).strip()


def _of_csv(text: str) -> list[Row]:
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = text.split("\n", 1)
    separator = max(SEPARATORS, key=lambda one: len(_KNOWN & set(_fields(lines[0], one))))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        rows = [row for row in reader if any(field.strip() for field in row)]
    except csv.Error as error:
        raise Unreadable(
            f"it is no table: line {reader.line_num}, {error}; a quotation mark that is never "
            "closed is the end of half a file"
        ) from error
    header = [unguarded(name.strip()) for name in rows[0]]
    if faults := same_names(header):
        raise Unreadable("; ".join(faults))
    made: list[Row] = []
    for number, row in enumerate(rows[1:], 2):
        if row == rows[0]:  # tables behind each other, each with its header
            continue
        if len(row) != len(header):
            last = number == len(rows) and len(row) < len(header)
            where = f"row {number} of {len(rows)} has {len(row)} of {len(header)} fields"
            raise Unreadable(f"it is half a file: {where}" if last else f"it is no table: {where}")
        values = (unguarded(value.strip()) for value in row)
        made.append(dict(zip(header, values, strict=True)))
    if not made:
        raise Unreadable("it holds a header and no trials")
    return made


def _fields(line: str, separator: str) -> list[str]:
    try:
        return [name.strip() for name in next(csv.reader([line], delimiter=separator), [])]
    except csv.Error:
        return []


def _sessions(file: str, told: Mapping[str, Any], rows: Sequence[Row]) -> Iterator[Session]:
    """Rows of one table, by child and go."""
    if not rows:
        return
    names = list(dict.fromkeys(name for row in rows for name in row))
    missing = [name for name in NEEDED if name not in names]
    if missing:
        near = nearest_name(missing[0], [name for name in names if name not in _KNOWN])
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise Unreadable(
            "it holds no answers of an exported experiment: the column"
            f"{'s' if len(missing) > 1 else ''} {', '.join(missing[:_SHOWN])}{more} "
            f"{'are' if len(missing) > 1 else 'is'} missing"
            + (f" (is {missing[0]} {near}?)" if near and len(missing) < len(NEEDED) else "")
        )
    own: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        whole = {name: row.get(name, "") for name in _KNOWN | set(names)}
        own.setdefault((whole["participant_id"], whole["session_id"]), []).append(whole)
    for session in own.values():
        further = {name: session[0][name] for name in names if name not in _KNOWN}
        _refuse_contradictions(told, session)
        yield Session(file, tuple(session), told, further)


def flat(design: Mapping[str, Any]) -> dict[str, str]:
    """A design under the names of the columns.

    Args:
        design: what ``design.json`` says, or the same beside the trials of a session.

    Example:
        >>> flat({"paradigm": "me", "stimuli": {"name": "mini", "version": "1"}, "n_lists": 8})
        {'paradigm': 'me', 'stimuli': 'mini', 'stimuli_version': '1'}
    """
    stimuli = design.get("stimuli")
    made = {name: value for name, value in design.items() if name in _KNOWN and name != "stimuli"}
    if isinstance(stimuli, dict):
        columns = {"name": "stimuli", "version": "stimuli_version", "checksum": "stimuli_checksum"}
        made |= {columns[name]: value for name, value in stimuli.items() if name in columns}
    return {name: as_text(value) for name, value in made.items()}


def _refuse_contradictions(told: Mapping[str, Any], rows: Sequence[Row]) -> None:
    """Refuse a session whose rows are of another design than stands beside them."""
    of_all = {name: value for name, value in flat(told).items() if not name.startswith("paradigm")}
    for name, value in of_all.items():
        other = next((row[name] for row in rows if row[name] not in ("", value)), None)
        if other is not None:
            raise Unreadable(
                f"its design says {name} {value}, its trials say {other}: two experiments are mixed"
            )
