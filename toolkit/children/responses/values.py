"""Single values of sessions held against what columns allow, and rows against themselves."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from stimuli.characters import hidden_in
from toolkit.children.columns import SCHEMA, SESSION_COLUMNS, Column
from toolkit.children.responses.sessions import Row, Session
from toolkit.tables.values import WITH_COMMA, as_text

SECONDS = 60.0
"""Median time of answers above which seconds are taken for milliseconds."""


@dataclass(frozen=True)
class Looked:
    """A session after a look at all its values."""

    session: Session
    """The session, its numbers written as numbers are."""
    faults: tuple[str, ...]
    """What is wrong with it."""
    commas: tuple[str, ...]
    """Columns in which a comma stood for the decimal point."""


def looked_at(session: Session) -> Looked:
    """Hold all values of a session against what its columns allow.

    Numbers with a decimal comma, as a spreadsheet writes them that has saved the file anew, are
    understood; ages are looked at elsewhere.

    Args:
        session: as it was found.
    """
    faults, commas, rows = [], dict[str, None](), []
    for number, row in enumerate(session.rows, 1):
        made, wrong = dict(row), []
        for column in SESSION_COLUMNS:
            value, fault = _value(column, row[column.name])
            if fault:
                wrong.append(f"{column.name} {fault}")
            elif column.kind == "number" and "," in row[column.name]:
                commas[column.name] = None
            made[column.name] = value
        wrong = wrong or list(_contradictions(made))
        faults += [f"trial {number}: {fault}" for fault in wrong]
        rows.append(made)
    if not faults:
        faults += _between_rows(rows)
    return Looked(replace(session, rows=tuple(rows)), tuple(faults), tuple(commas))


def _value(column: Column, value: str) -> tuple[str, str]:
    """A value as it should be written, and what is wrong with it."""
    value = unicodedata.normalize("NFC", value)
    if hidden := hidden_in(value):
        return value, f"holds the hidden character {hidden}"
    if value in ("", "NA", "NaN"):
        return "", "" if column.may_be_empty else "is empty"
    if column.allowed and column.kind == "text":
        fits = value in column.allowed
        return value, "" if fits else f"is {value!r}, expected {' or '.join(column.allowed)}"
    if column.name == "age_months" or column.kind == "text":
        return value, ""
    if column.kind == "time":
        return value, "" if _is_time(value) else f"is {value!r}, expected an ISO 8601 time"
    written = value.replace(",", ".") if WITH_COMMA.fullmatch(value) else value
    try:
        given = float(written)
    except ValueError:
        return value, f"is {value!r}, expected a number"
    if column.kind == "integer" and not given.is_integer():
        return value, f"is {value!r}, expected a whole number"
    if not math.isfinite(given) or (column.lowest is not None and given < column.lowest):
        return value, f"is {value!r}, expected {column.lowest or 0:g} or more"
    told = as_text(given) if column.kind == "integer" else written
    if column.allowed and told not in column.allowed:
        return value, f"is {value!r}, expected {' or '.join(column.allowed)}"
    return told, ""


def _is_time(value: str) -> bool:
    try:
        datetime.fromisoformat(value)
    except ValueError:
        return False
    return True


def _contradictions(row: Row) -> Iterator[str]:
    """What of a row cannot be true together with the rest of it."""
    pictures = {row["left_id"], row["right_id"]}
    if {row["target_id"], row["distractor_id"]} != pictures or len(pictures) < 2:
        yield "target_id and distractor_id are not the two pictures shown"
    elif row["target_id"] != row[f"{row['target_side']}_id"]:
        yield f"target_side is {row['target_side']}, but the target is on the other side"
    elif row["chosen_id"] and row["chosen_id"] not in pictures:
        yield f"chosen_id is {row['chosen_id']!r}, which is neither picture shown"
    elif row["correct"] != _correct(row):
        right = _correct(row) or "empty"
        yield f"correct is {row['correct'] or 'empty'}, but by the picture chosen it is {right}"


def _correct(row: Row) -> str:
    return str(int(row["chosen_id"] == row["target_id"])) if row["chosen_id"] else ""


def _between_rows(rows: Sequence[Row]) -> Iterator[str]:
    """What is wrong with the rows of a session together."""
    for name in ("started_at", "list", "schema", "age_months", "exposure"):
        values = list(dict.fromkeys(row[name] for row in rows))
        if len(values) > 1:
            yield f"{name} is {' and '.join(map(repr, values[:2]))} within one session"
    if int(rows[0]["schema"]) > SCHEMA:
        yield (
            f"schema is {rows[0]['schema']}: a newer version of the toolkit made the experiment; "
            "bring this one up to date"
        )
    asked: set[tuple[str, str]] = set()
    for row in rows:
        if row["part"] == "test" and (row["condition"], row["trial"]) in asked:
            yield f"trial {row['trial']} of {row['condition']} is there twice"
            break
        asked.add((row["condition"], row["trial"]) if row["part"] == "test" else ("", ""))
    times = sorted(float(row["response_time_s"]) for row in rows if row["response_time_s"])
    if times and times[len(times) // 2] > SECONDS:
        yield (
            f"response_time_s has the median {times[len(times) // 2]:g}: seconds are expected; "
            "are these milliseconds?"
        )
