"""Finding stimulus sets by name or by folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from stimuli.errors import ToolkitError, quoted
from stimuli.folders import open_pictures
from stimuli.names import can_be_path
from stimuli.plugins import Found, Registry
from stimuli.sets import StimulusSet
from stimuli.texts import toml_record
from stimuli.writing import Settings

ENTRY_POINT_GROUP = "mevgs_toolkit.stimuli"
"""Packages name functions here that return the folder of a stimulus set."""


def open_set(name: str | Path, words: Path | None = None) -> StimulusSet:
    """Open a stimulus set by its name or by its folder; no file but `set.toml` is read yet.

    Args:
        name: a name that `list_sets` knows, or the path of a folder: a stimulus set, or a plain
            folder of pictures.
        words: list of written words to use instead of the set's own, see `stimuli.wordlists`.

    Returns:
        The set.

    Raises:
        ToolkitError: unknown name (the nearest is shown), two sets of that name, missing folder, or
            a folder that is not a stimulus set.

    Example:
        >>> open_set("mini").name
        'mini'
    """
    if isinstance(name, str):
        found = look_for_sets()
        folder = found.get(name)
        if folder is not None:
            return _open_folder(folder, words)
        if Path(name).name == name and not (can_be_path(name) and Path(name).exists()):
            raise found.unknown(name)
    return _open_folder(Path(name), words)


def list_sets() -> dict[str, Path]:
    """Every set that can be opened by name, with its folder: built-in ones, then installed ones.

    Sets of installed packages that cannot be found are left out, see `look_for_sets`.

    Example:
        >>> "mini" in list_sets()
        True
    """
    return look_for_sets().known


def look_for_sets() -> Found[Path]:
    """Every set that can be opened by name, and what is left out.

    Example:
        >>> look_for_sets().faults
        ()
    """
    return _REGISTRY.find()


def _built_in() -> dict[str, Path]:
    """The sets that lie next to this file."""
    here = Path(__file__).parent
    return {path.parent.name: path.parent for path in sorted(here.glob("*/set.toml"))}


def _offered(name: str, given: object) -> Iterator[tuple[str, Path]]:
    """The folder that an entry point's function returns."""
    folder = given() if callable(given) else None
    if not isinstance(folder, str | Path):
        raise ToolkitError(
            "It gives no folder.",
            given=repr(given),
            allowed="a function without arguments that returns the path of a folder",
        )
    yield name, Path(folder)


def _open_folder(folder: Path, words: Path | None) -> StimulusSet:
    """The set in a folder, from its `set.toml`; or the pictures in it, if it has none."""
    if not folder.is_dir():
        raise ToolkitError(
            f"There is no folder {folder}.",
            given=str(folder),
            allowed="a folder with set.toml and stimuli.csv, or a name: " + ", ".join(_built_in()),
            next_command="mevgs-toolkit list stimuli",
        )
    settings_file = folder / "set.toml"
    if not settings_file.is_file():
        pictures = open_pictures(folder, words)
        if pictures is not None:
            return pictures
        raise ToolkitError(
            f"{folder} is not a stimulus set: it has no set.toml, and no pictures lie in it.",
            allowed="a folder with set.toml, stimuli.csv and columns.csv, or one of pictures",
            next_command=f"cp {quoted(Path(__file__).parent / 'mini' / 'set.toml')} "
            f"{quoted(folder)}/ and edit the copy",
        )
    told = toml_record(Settings, settings_file, "the settings of a stimulus set, TOML in UTF-8")
    return StimulusSet(
        name=told.name,
        version=told.version,
        folder=folder,
        title=told.title,
        description=told.description,
        languages=told.languages,
        licence=told.licence,
        sample_rate_hz=told.sample_rate_hz,
        picture_size_px=told.picture_size_px,
        words_file=words,
        upright=told.upright,
    )


_REGISTRY: Registry[Path] = Registry(
    kind="stimulus set",
    plural="stimulus sets",
    group=ENTRY_POINT_GROUP,
    included=lambda: _built_in().items(),
    read=_offered,
    place=Path.resolve,
    list_command="mevgs-toolkit list stimuli",
)
