"""A plain folder of pictures as a stimulus set: nothing has to be written down about them."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli.characters import hidden_in, shown
from stimuli.checks import counted, path_fault, some
from stimuli.columns import REQUIRED
from stimuli.errors import ToolkitError, nearest_name, quoted
from stimuli.files import sha256_of
from stimuli.sets import StimulusSet
from stimuli.texts import read_text

if TYPE_CHECKING:
    import pandas as pd

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".webp")
"""Files of the folder that count as pictures, whatever the case of the suffix."""
LIST_NAME = "list.txt"
"""Where it is there, it names the pictures to be used, one file name per line."""


class PictureFolder(StimulusSet):
    """A folder that holds pictures and no `set.toml`; masks and spoken words it has none.

    Every picture is a test picture and is called by its file name. They may differ in size.
    """

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """One row per picture, as in any set; checksums are taken from the files as they are.

        Raises:
            ToolkitError: the list names files that are not there; all of them are told.
        """
        import pandas as pd

        names = picture_names(self.folder)
        columns = dict.fromkeys(REQUIRED, [""] * len(names)) | {
            "stimulus_id": names,
            "path": names,
            "kind": ["picture"] * len(names),
            "concept": ["picture"] * len(names),
            "status": ["familiar"] * len(names),
            "split": ["test"] * len(names),
            "source": ["own"] * len(names),
            "licence": [self.licence] * len(names),
            "sha256": [sha256_of(self.folder / name) for name in names],
        }
        return pd.DataFrame(columns, dtype=str).set_index("stimulus_id")

    @functools.cached_property
    def checksum(self) -> str:
        """SHA-256 over the names and checksums of the pictures."""
        listing = "".join(
            f"{checksum}  {name}\n" for name, checksum in sorted(self.table["sha256"].items())
        )
        return hashlib.sha256(listing.encode()).hexdigest()

    def check(self) -> list[str]:
        """Every fault: files that are not there, pictures that cannot be read, the word list."""
        faults = self._written()[1]
        try:
            names = list(self.table.index)
        except ToolkitError as error:
            return [*faults, " ".join(str(error).split())]
        for name in names:
            try:
                self.read_picture(name)
            except ToolkitError as error:
                faults.append(" ".join(str(error).split()))
        return faults


def picture_names(folder: Path) -> list[str]:
    """Names of the pictures of a folder: those on its list, or else all that lie in it, sorted.

    Raises:
        ToolkitError: the list names a picture twice or one that is not there; all are told.
    """
    there = sorted(path.name for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    hidden = [name for name in there if _is_text(name) and hidden_in(name)]
    if hidden:
        raise ToolkitError(
            f"Names of pictures in {folder} hold characters that are not seen.",
            given=some([ascii(name) for name in hidden]),
            allowed="names without control characters and bidirectional overrides: rename them",
        )
    odd = [name for name in there if not _is_text(name)]
    if odd:
        raise ToolkitError(
            f"Names of pictures in {folder} are not UTF-8, so no table can hold them.",
            given=some([ascii(name) for name in odd]),
            next_command=f"convmv -f latin1 -t utf8 --notest {quoted(folder)}/*, or rename them",
        )
    listed = folder / LIST_NAME
    if not listed.is_file():
        return there
    lines = [line.strip() for line in read_text(listed).splitlines()]
    names = [line for line in lines if line and not line.startswith("#")]
    faults = [] if names else ["it names no picture"]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            faults.append(f"{name} stands in it more than once")
        fault = path_fault(name)
        if fault:
            faults.append(f"{name} {fault}")
        elif not (folder / name).is_file():
            near = nearest_name(name, there)
            faults.append(f"{name} is not there" + (f"; did you mean {near}?" if near else ""))
    if faults:
        told = "\n".join(f"  - {fault}" for fault in faults)
        raise ToolkitError(f"{listed} has {counted(faults)}:\n{told}")
    return names


def _is_text(name: str) -> bool:
    """Whether the name of a file is text, and not bytes of an unknown encoding."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def open_pictures(folder: Path, words_file: Path | None) -> PictureFolder | None:
    """The pictures of a folder as a set; None if there are none in it."""
    if not (folder / LIST_NAME).is_file() and not picture_names(folder):
        return None
    name = shown(folder.resolve().name)
    return PictureFolder(
        name=name,
        version="0",
        folder=folder,
        title=f"Pictures in {name}",
        description="A folder of pictures of one's own.",
        languages=(),
        licence="unknown",
        sample_rate_hz=16_000,
        picture_size_px=0,
        words_file=words_file,
    )
