"""What a run's folder holds of manifest, summary and statistics, read again as what it was."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

from stimuli.limits import TEXT_BYTES, refuse_more
from stimuli.schemas import Source, checked
from stimuli.texts import decode_json
from toolkit.errors import ToolkitError, command_line, nearest_name
from toolkit.statistics.kinds import STATISTICS, Statistics
from toolkit.tables.kinds import kind_told
from toolkit.tables.manifests import MANIFEST_FILE, SAME_COMMAND, again, read_stored
from toolkit.tables.recorded import Recorded

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from toolkit.statistics.means import Summary
    from toolkit.statistics.models.results import Result

T = TypeVar("T")
SUMMARY_FILE, STATISTICS_FILE = "summary.json", "statistics.json"
"""In a run's folder: means over seeds, and what may be concluded, by paradigm."""


def saved_results(folder: Path, paradigms: Path | None = None) -> dict[str, Result]:
    """What a run's folder says may be concluded, by paradigm.

    Args:
        folder: of a run.
        paradigms: folder with paradigms of one's own.

    Returns:
        The analyses that were saved, but for those of versions of the toolkit that wrote another
        schema; none where there is no such file.

    Raises:
        ToolkitError: if the file is damaged; names the place, and the command that makes it again.
    """
    command = command_line(["mevgs-toolkit", "analyze", folder])
    source = Source(str(folder / STATISTICS_FILE), command)
    found: dict[str, Result] = {}
    told_by_name = _told(dict[str, dict[str, object]], folder / STATISTICS_FILE, source) or {}
    for name, told in told_by_name.items():
        kind = _statistics(told, name, source, paradigms).result
        current = {field.name: field.default for field in fields(kind)}["schema"]
        if told.get("schema") == current:
            found[name] = checked(kind, told, source, name)
    return found


def saved_manifest(folder: Path) -> Recorded | None:
    """What a run's folder says was run; None where it says nothing.

    Args:
        folder: of a run.

    Raises:
        ToolkitError: if the file is damaged; names the place.
    """
    source = Source(str(folder / MANIFEST_FILE), SAME_COMMAND)
    return _told(Recorded, folder / MANIFEST_FILE, source)


def saved_summary(folder: Path) -> Summary | None:
    """What a run's folder says was answered; None where it says nothing.

    Args:
        folder: of a run.

    Raises:
        ToolkitError: if the file is damaged; names the place.
    """
    source = Source(str(folder / SUMMARY_FILE), again(folder))
    told = _told(dict[str, object], folder / SUMMARY_FILE, source)
    if told is None:
        return None
    kind = _statistics(told, str(told.get("paradigm", "")), source).summary
    return checked(kind, told, source)


def _statistics(
    told: Mapping[str, object], paradigm: str, source: Source, paradigms: Path | None = None
) -> Statistics:
    """What is made of the kind of paradigms that something saved is about."""
    kind = kind_told(str(told.get("paradigm_kind") or ""), paradigm, paradigms)
    if kind not in STATISTICS.entries:
        raise ToolkitError(
            f"{source.name} cannot be read: paradigm_kind is none of the kinds that there are.",
            given=kind,
            allowed=", ".join(STATISTICS.entries),
            nearest=nearest_name(kind, STATISTICS.entries),
            next_command=source.again,
        )
    return STATISTICS[kind]


def _told(kind: type[T], file: Path, source: Source) -> T | None:
    """What a JSON file holds, which is what was written; None where there is no such file."""
    try:
        refuse_more(f"bytes in {file}", file.stat().st_size, TEXT_BYTES, source.again)
        content = read_stored(file, source.again)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ToolkitError(f"{file} cannot be read: {error}.", next_command=source.again) from error
    return checked(kind, decode_json(file, content, source), source)
