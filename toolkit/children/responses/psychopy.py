"""Answers as PsychoPy leaves them: its own CSV, in which our conditions stand."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from toolkit.children.columns import SCHEMA, SESSION_COLUMNS

Row = Mapping[str, str]
LEFT, RIGHT = ("left", "f", "a", "1"), ("right", "j", "l", "2")
"""Keys that stand for the pictures on either side."""
_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})[_ ](\d{2})h(\d{2})\.(\d{2})")
"""How PsychoPy writes when a session began."""
_ASKED = {"age_months": ("age_months", "age"), "exposure": ("exposure",)}
"""What is asked in PsychoPy's own dialogue, by column."""


def is_psychopy(row: Row) -> bool:
    """Whether a row is one of PsychoPy's.

    Args:
        row: values by column.

    Example:
        >>> is_psychopy({"participant": "7", "resp.keys": "left"}), is_psychopy({"word_id": "w"})
        (True, False)
    """
    named = "participant" in row and "participant_id" not in row
    return named and ("psychopyVersion" in row or any(name.endswith(".keys") for name in row))


def from_psychopy(rows: Sequence[Row], design: Mapping[str, Any]) -> list[Row]:
    """PsychoPy's rows under the names of our columns; those of no trial are left out.

    Args:
        rows: of one file.
        design: the design of the experiment, flat (`toolkit.children.responses.sessions.flat`),
            for what the conditions file does not repeat in every row.

    Example:
        >>> row = {"participant": "7", "session": "1", "date": "2026-03-01_10h22.33.123",
        ...        "word_id": "w", "left_id": "a", "right_id": "b", "target_id": "b",
        ...        "key_resp.keys": "right", "key_resp.rt": "0.75"}
        >>> made = from_psychopy([row, {"participant": "7", "word_id": ""}], {"paradigm": "me"})[0]
        >>> [made[name] for name in ("session_id", "started_at", "chosen_id", "paradigm")]
        ['7-1-20260301T102233', '2026-03-01T10:22:33', 'b', 'me']
    """
    trials = [row for row in rows if row.get("word_id")]
    return [_row(row, number, design) for number, row in enumerate(trials)]


def _row(row: Row, number: int, design: Mapping[str, Any]) -> Row:
    date = _DATE.search(row.get("date", ""))
    year, month, day, hour, minute, second = date.groups() if date else ("",) * 6
    own = dict(row)
    for name, theirs in _ASKED.items():
        own[name] = next((row[other] for other in theirs if row.get(other)), "")
    own |= {
        "participant_id": row["participant"],
        "session_id": f"{row['participant']}-{row.get('session', '')}-"
        f"{year}{month}{day}T{hour}{minute}{second}",
        "started_at": f"{year}-{month}-{day}T{hour}:{minute}:{second}" if date else "",
        "trial_order": str(number),
        "schema": row.get("schema") or str(SCHEMA),
    }
    side = _side(row)
    chosen = row.get(f"{side}_id", "") if side else ""
    own["chosen_id"] = row.get("chosen_id") or chosen
    own["correct"] = str(int(own["chosen_id"] == row.get("target_id"))) if own["chosen_id"] else ""
    own["response_time_s"] = _value(row, ".rt") if own["chosen_id"] else ""
    own["device"] = row.get("device") or ("keyboard" if side else "")
    known = {name: str(value) for name, value in design.items() if not own.get(name)}
    names = {column.name for column in SESSION_COLUMNS}
    return {name: own.get(name, "") for name in own} | {n: known[n] for n in known if n in names}


def _side(row: Row) -> str:
    """The side of the picture that was chosen: by key, or by a click on it."""
    said = _value(row, ".keys") or _value(row, ".clicked_name")
    name = said.strip("[]'\" ").lower()
    if name in LEFT or name.startswith("left"):
        return "left"
    return "right" if name in RIGHT or name.startswith("right") else ""


def _value(row: Row, ending: str) -> str:
    """What PsychoPy noted of the answer, whatever its component is called."""
    given = (value for name, value in row.items() if name.endswith(ending) and value)
    value = next(given, "")
    return "" if value == "None" else value.strip("[]")
