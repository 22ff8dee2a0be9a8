"""The same session in several files: downloaded twice, as CSV and as JSON, or kept in parts."""

from __future__ import annotations

from collections.abc import Sequence

from toolkit.children.columns import SESSION_COLUMNS
from toolkit.children.responses.rules import Judged
from toolkit.children.responses.sessions import Row, Session
from toolkit.errors import ToolkitError


def each_once(sessions: Sequence[Session]) -> tuple[list[Session], list[Judged]]:
    """Take every session once, from the file that holds most of it.

    Args:
        sessions: of one experiment.

    Returns:
        The sessions, and the further files of them.

    Raises:
        ToolkitError: two files hold the same session and contradict each other; all such are named.
    """
    groups: dict[tuple[str, str], list[Session]] = {}
    for session in sessions:
        groups.setdefault((session.participant_id, session.session_id), []).append(session)
    kept, copies, conflicts = [], [], []
    for own in groups.values():
        whole = max(own, key=lambda session: len(session.rows))
        rows = {_key(row): _compared(row) for row in whole.rows}
        kept.append(whole)
        for other in own:
            if other is whole:
                continue
            differing = [
                row for row in other.rows if rows.get(_key(row), _compared(row)) != _compared(row)
            ]
            strange = [row for row in other.rows if _key(row) not in rows]
            if differing or strange:
                conflicts.append(_conflict(other, whole, [*differing, *strange][0], rows))
            else:
                part = len(other.rows) < len(whole.rows)
                what = f"{'a part of' if part else 'the same as'} the session in {whole.file}"
                copies.append(Judged(other.file, "same session", what, other))
    if conflicts:
        raise ToolkitError(
            "Files that hold the same session contradict each other:\n  - "
            + "\n  - ".join(conflicts),
            allowed="one file per session, or equal ones",
            next_command="move the file that is wrong out of the folder",
        )
    return kept, copies


def _key(row: Row) -> tuple[str, str]:
    return row["part"], row["trial_order"]


def _compared(row: Row) -> dict[str, object]:
    """The values of a row, so that equal numbers are equal however they are written."""
    made: dict[str, object] = {}
    for column in SESSION_COLUMNS:
        value = row[column.name]
        number = column.kind == "number" and value and column.name != "age_months"
        made[column.name] = round(float(value), 6) if number else value.replace(",", ".")
    return made


def _conflict(
    other: Session, whole: Session, row: Row, rows: dict[tuple[str, str], dict[str, object]]
) -> str:
    known, own = rows.get(_key(row)), _compared(row)
    where = f"{other.file} and {whole.file}, session {whole.session_id}, trial {row['trial_order']}"
    if known is None:
        return f"{where} is in the first alone"
    name = next(name for name, value in own.items() if known[name] != value)
    return f"{where}: {name} is {own[name]} and {known[name]}"
