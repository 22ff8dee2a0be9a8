"""Whether files of the user's own hide folders of the toolkit that are imported by their name."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType

NAMES = ("stimuli", "paradigms", "reports")
"""Folders beside this one that are imported by their name, as this one is."""
USAGE_ERROR = 2


class HiddenError(ImportError):
    """Another file or folder is imported in the place of the toolkit's own."""


def refuse_hidden() -> None:
    """Tell of a file that hides the toolkit's own, before anything is imported from it.

    A notebook sees an `ImportError`; a script or a command that does not catch it ends with its
    one sentence and exit code 2.

    Raises:
        HiddenError: with the file's path.

    Example:
        >>> refuse_hidden()
    """
    ours = Path(__file__).resolve().parents[1]
    for name in NAMES:
        place = _place_of(name)
        if place is not None and ours / name not in (place, place.parent):
            sys.excepthook = _Alone(sys.excepthook)
            # Nothing of the toolkit's may be imported yet that escapes what is not seen.
            file = str(place) if str(place).isprintable() else ascii(str(place))
            raise HiddenError(
                f"{file} hides the toolkit's own {name!r}, which is imported by that name: "
                "rename it, or start Python in another folder."
            )


def _place_of(name: str) -> Path | None:
    """The file that an import of this name would read; a folder, where that has no file."""
    try:
        spec = find_spec(name)
    except ValueError:  # a module made in memory
        return None
    if spec is None:
        return None
    places = [spec.origin] if spec.has_location else list(spec.submodule_search_locations or ())
    return Path(places[0]).resolve() if places and places[0] else None


class _Alone:
    """Shows the sentence of a `HiddenError` without the way to where it arose."""

    def __init__(self, others: object) -> None:
        self.others = others

    def __call__(
        self, kind: type[BaseException], error: BaseException, way: TracebackType | None
    ) -> None:
        if isinstance(error, HiddenError):
            sys.stderr.write(f"Error: {error}\n")
            sys.exit(USAGE_ERROR)
        self.others(kind, error, way)  # type: ignore[operator]
