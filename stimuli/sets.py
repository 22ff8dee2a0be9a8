"""The stimulus set: its table, its files, and its faults."""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli import checks, media
from stimuli.errors import ToolkitError, nearest_name, unknown_name

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class StimulusSet:
    """A folder of pictures and spoken words; its files are read when asked for.

    Open one with `open_set`.

    Example:
        >>> from stimuli import open_set
        >>> mini = open_set("mini")
        >>> bears = mini.select(kind="picture", concept="bear", split="test")
        >>> mini.read_picture(bears.index[0]).shape
        (96, 96, 3)
        >>> words = mini.select(kind="word", concept="bear", language="nl", split="test")
        >>> clip = mini.read_clip(words.index[0])
        >>> clip.ndim, clip.dtype, len(clip) % 640
        (1, dtype('float32'), 0)
    """

    name: str
    """What the set is called on the command line."""
    version: str
    """Changes whenever the content changes."""
    folder: Path
    """Where it lies."""
    title: str
    """A short name for people."""
    description: str
    """What is in it, in a sentence or two."""
    languages: tuple[str, ...]
    """ISO codes of the languages that are spoken in it."""
    licence: str
    """Licence of the set as a whole; the table gives it for every file."""
    sample_rate_hz: int
    """Sample rate of every clip."""
    picture_size_px: int
    """Height and width of every picture."""

    @functools.cached_property
    def table(self) -> pd.DataFrame:
        """One row per file, indexed by `stimulus_id`, every column as text.

        Raises:
            ToolkitError: the table has faults; the message lists all of them.
        """
        table = _read_table(self.folder)
        faults = checks.header_faults(list(table.columns)) or checks.table_faults(table)
        if faults:
            listed = "\n".join(f"  - {fault}" for fault in faults)
            raise ToolkitError(
                f"The table of the set {self.name!r} has {checks.counted(faults)}:\n{listed}",
                next_command=f"mevgs-toolkit check-stimuli {self.folder}",
            )
        return table.set_index("stimulus_id")

    @functools.cached_property
    def checksum(self) -> str:
        """SHA-256 of `stimuli.csv`, which holds every file's own: it pins the whole content."""
        return hashlib.sha256((self.folder / "stimuli.csv").read_bytes()).hexdigest()

    def select(
        self,
        kind: str | None = None,
        split: str | None = None,
        status: str | None = None,
        language: str | None = None,
        concept: str | None = None,
    ) -> pd.DataFrame:
        """The rows in which every given column has the given value.

        Args:
            kind: picture or word.
            split: train, valid or test.
            status: familiar or novel.
            language: ISO code; only words have one.
            concept: English name of what is drawn or said.

        Returns:
            Rows of `table` in its order; none when nothing fits.

        Raises:
            ToolkitError: a value that occurs nowhere in its column.

        Example:
            >>> from stimuli import open_set
            >>> words = open_set("mini").select(kind="word", status="novel")
            >>> set(words["split"])
            {'test'}
        """
        wanted = {
            "kind": kind,
            "split": split,
            "status": status,
            "language": language,
            "concept": concept,
        }
        rows = self.table
        for column, value in wanted.items():
            if value is None:
                continue
            known = [known for known in dict.fromkeys(self.table[column]) if known]
            if value not in known:
                kind = f"stimulus in the set {self.name!r} with the {column}"
                raise unknown_name(kind, value, known)
            rows = rows[rows[column] == value]
        return rows

    def read_clip(self, stimulus_id: str) -> NDArray[np.float32]:
        """The sound of a word.

        Args:
            stimulus_id: a row of `table` with kind `word`.

        Returns:
            float32, shape (n_samples,), mono, at `sample_rate_hz`, within [-1, 1].

        Raises:
            ToolkitError: unknown or not a word; or the file is missing, cut short, changed, or
                has another sample rate.
        """
        return _decode_clip(self, self._row(stimulus_id, "word"))

    def read_picture(self, stimulus_id: str) -> NDArray[np.uint8]:
        """The pixels of a picture.

        Args:
            stimulus_id: a row of `table` with kind `picture`.

        Returns:
            uint8, shape (picture_size_px, picture_size_px, 3), red, green, blue.

        Raises:
            ToolkitError: unknown or not a picture; or the file is missing, cut short, changed, or
                has another size.
        """
        return _decode_picture(self, self._row(stimulus_id, "picture"))

    def check(self) -> list[str]:
        """Every fault of the set, in its table and in its files, one readable line each.

        Example:
            >>> import shutil, tempfile
            >>> from stimuli import open_set
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     settings = shutil.copy(open_set("mini").folder / "set.toml", folder)
            ...     [fault.split(": ")[-1] for fault in open_set(folder).check()]
            ['it has no stimuli.csv.']
        """
        try:
            table = _read_table(self.folder)
        except ToolkitError as error:
            return [error.message]
        faults = checks.header_faults(list(table.columns))
        if faults:
            return faults
        faults = checks.table_faults(table)
        spoken = {language for language in table["language"] if language}
        for language in sorted(spoken ^ set(self.languages)):
            where = "stimuli.csv" if language in spoken else "set.toml"
            faults.append(f"the language {language!r} stands in {where} only")
        for row in _records(table):
            if not checks.is_readable(row):
                continue
            decode = _decode_clip if row["kind"] == "word" else _decode_picture
            try:
                decode(self, row)
            except ToolkitError as error:
                faults.append(" ".join(str(error).split()))
        return faults

    @functools.cached_property
    def _root(self) -> Path:
        """The folder without symbolic links."""
        return self.folder.resolve()

    @functools.cached_property
    def _rows(self) -> dict[str, dict[str, str]]:
        """The table as a dictionary: looking up in a data frame is a hundred times slower."""
        columns = ["kind", "path", "sha256", "duration_s"]
        return dict(zip(map(str, self.table.index), _records(self.table[columns]), strict=True))

    def _row(self, stimulus_id: str, kind: str) -> dict[str, str]:
        """The row of a stimulus that must be of the given kind."""
        row = self._rows.get(stimulus_id)
        if row is None:
            # Naming all of thousands of identifiers would help nobody: the nearest one will do.
            raise ToolkitError(
                f"There is no stimulus {stimulus_id!r} in the set {self.name!r}.",
                given=stimulus_id,
                nearest=nearest_name(stimulus_id, self._rows),
            )
        if row["kind"] != kind:
            raise ToolkitError(f"{stimulus_id} is a {row['kind']}, not a {kind}.")
        return row


def _read_table(folder: Path) -> pd.DataFrame:
    """All of `stimuli.csv` as text."""
    import pandas as pd

    path = folder / "stimuli.csv"
    if not path.is_file():
        raise ToolkitError(
            f"{folder} is not a stimulus set: it has no stimuli.csv.",
            allowed="a folder with set.toml, stimuli.csv and columns.csv",
        )
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    except pd.errors.EmptyDataError as error:
        raise ToolkitError(f"{path} is empty: not even a heading line.") from error
    except (pd.errors.ParserError, UnicodeDecodeError) as error:
        raise ToolkitError(f"{path} cannot be read as a table: {error}") from error


def _records(table: pd.DataFrame) -> list[dict[str, str]]:
    """Every row as a dictionary from column to text."""
    return [
        {str(column): str(value) for column, value in row.items()}
        for row in table.to_dict("records")
    ]


def _read_file(stimuli: StimulusSet, path: str) -> bytes:
    """The content of a file of the set, wherever its symbolic links lead inside the folder."""
    folder = stimuli.folder
    file = folder / path
    if not file.resolve().is_relative_to(stimuli._root):
        raise ToolkitError(f"{path} is a symbolic link that leaves the folder {folder}.")
    try:
        return file.read_bytes()
    except FileNotFoundError as error:
        raise ToolkitError(f"{path} is missing from {folder}.") from error
    except OSError as error:
        raise ToolkitError(f"{path} cannot be read: {error.strerror}.") from error


def _decode_clip(stimuli: StimulusSet, row: dict[str, str]) -> NDArray[np.float32]:
    """Read a clip; decoded before the checksum is compared, for the more telling message."""
    data = _read_file(stimuli, row["path"])
    clip = media.decode_clip(data, row["path"], stimuli.sample_rate_hz)
    duration_s = len(clip) / stimuli.sample_rate_hz
    if abs(duration_s - float(row["duration_s"])) > 0.001:
        raise ToolkitError(
            f"{row['path']} is not as long as stimuli.csv says; it may have been cut short.",
            given=f"{duration_s:.3f} s",
            allowed=f"{row['duration_s']} s",
        )
    _verify(data, row)
    return clip


def _decode_picture(stimuli: StimulusSet, row: dict[str, str]) -> NDArray[np.uint8]:
    """Read a picture; decoded before the checksum is compared, for the more telling message."""
    data = _read_file(stimuli, row["path"])
    picture = media.decode_picture(data, row["path"], stimuli.picture_size_px)
    _verify(data, row)
    return picture


def _verify(data: bytes, row: dict[str, str]) -> None:
    """Refuse a file whose content is not the one the table speaks of."""
    found = hashlib.sha256(data).hexdigest()
    if found != row["sha256"]:
        raise ToolkitError(
            f"{row['path']} is not the file that stimuli.csv speaks of: its checksum differs.",
            given=found,
            allowed=row["sha256"],
        )
