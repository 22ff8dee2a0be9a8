"""Statistics that a run's folder holds, read again as what they were."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING

from toolkit.errors import ToolkitError
from toolkit.kinds import kind_in
from toolkit.records import Source, parse, typed
from toolkit.statistics.kinds import STATISTICS

if TYPE_CHECKING:
    from pathlib import Path

    from toolkit.statistics.models.results import Result

STATISTICS_FILE = "statistics.json"
"""In a run's folder: what may be concluded, by paradigm."""


def saved_result(folder: Path, paradigm: str, paradigms: Path | None = None) -> Result | None:
    """What a run's folder says may be concluded of a paradigm.

    Args:
        folder: of a run.
        paradigm: name of the paradigm.
        paradigms: folder with paradigms of one's own.

    Returns:
        The analysis; None where none was saved, or by a version of the toolkit that wrote another
        schema.

    Raises:
        ToolkitError: if the file is damaged; names the place, and the command that makes it again.
    """
    file = folder / STATISTICS_FILE
    source = Source(str(file), f"mevgs-toolkit analyze {folder}")
    try:
        content = parse(file.read_text(encoding="utf-8"), source)
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ToolkitError(f"{file} cannot be read: {error}.", next_command=source.again) from error
    told = typed(dict[str, dict[str, object]], content, source).get(paradigm)
    if told is None:
        return None
    kind = STATISTICS[kind_in({"paradigm": paradigm, **told}, paradigms)].result
    current = {field.name: field.default for field in fields(kind)}["schema"]
    return typed(kind, told, source, paradigm) if told.get("schema") == current else None
