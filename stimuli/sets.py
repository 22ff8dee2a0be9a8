"""The stimulus set: its table, its files, and its faults."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli import checks, decoding, fixed, media, objects, wordlists
from stimuli.errors import MESSAGE, ToolkitError, nearest_name, quoted, shortened, unknown_name
from stimuli.tables import read_table, records

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

SHORTEST_CLIP_S = 0.025
"""Speech models hear frames of so many seconds, and nothing shorter."""


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
    """Height and width of every picture; 0 where they differ."""
    words_file: Path | None = None
    """Word list to use instead of the set's own `words.toml`."""
    upright: bool = True
    """Whether pictures are turned as their cameras say; otherwise they are taken as stored."""
    familiar: frozenset[str] | None = None
    """The concepts that count as familiar, see `with_familiar`; None for those of the table."""

    def __getstate__(self) -> dict[str, object]:
        """What another process is told of the set: where it lies, not what was read of it."""
        return {one.name: getattr(self, one.name) for one in fields(self)}

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
                next_command=f"mevgs-toolkit check-stimuli {quoted(self.folder)}",
            )
        if self.familiar is not None:
            known = table["concept"].isin(self.familiar)
            table["status"] = known.map({True: "familiar", False: "novel"})
        return table.set_index("stimulus_id")

    def with_familiar(self, concepts: Iterable[str]) -> StimulusSet:
        """The same set for subjects that know these concepts and no others.

        Files and checksum are the same; what differs is the column ``status``. Concepts that the
        set itself calls familiar, and that are not among these, are novel to such subjects though
        it has training stimuli of them: only networks that never met those may be asked.

        Args:
            concepts: English names.

        Raises:
            ToolkitError: one that the set does not have; none, or all of them; or a set that has
                fixed its trials, which hold for its own statuses.

        Example:
            >>> from stimuli import open_set
            >>> others = open_set("mini-draws").with_familiar(["bear", "key"])
            >>> sorted(set(others.select(status="familiar")["concept"]))
            ['bear', 'key']
        """
        chosen = frozenset(concepts)
        own = replace(self, familiar=None)
        checks.check_familiar(chosen, sorted(set(own.table["concept"])), self.name)
        if len(own.fixed_trials):
            raise ToolkitError(
                f"The set {self.name!r} has fixed its trials, for the concepts that it calls "
                "familiar: it cannot be viewed with others.",
                given=str(self.folder / fixed.FILE_NAME),
                allowed="a set without fixed trials",
            )
        return replace(self, familiar=chosen)

    def pictures_of(self, concepts: Iterable[str]) -> list[tuple[dict[str, str], bytes]]:
        """Pictures for another set: rows of the table with what their files hold.

        Args:
            concepts: English names.

        Raises:
            ToolkitError: one of which there is no picture.

        Example:
            >>> from stimuli import open_set
            >>> rows = [row for row, _ in open_set("mini-draws").pictures_of(["bear"])]
            >>> {row["concept"] for row in rows}, {row["kind"] for row in rows}
            ({'bear'}, {'picture'})
        """
        chosen, known = set(concepts), self.select(kind="picture")
        for name in sorted(chosen - set(known["concept"])):
            raise unknown_name("concept", name, sorted(set(known["concept"])), where=self.name)
        rows = known[known["concept"].isin(chosen)].reset_index().to_dict("records")
        return [
            (
                {str(column): str(value) for column, value in row.items()},
                (self.folder / str(row["path"])).read_bytes(),
            )
            for row in rows
        ]

    @functools.cached_property
    def checksum(self) -> str:
        """SHA-256 of `stimuli.csv`, which holds every file's own: it pins the whole content.

        Where there are masks, `objects.csv` counts in; so does it where pictures are not turned.
        Word list and fixed trials do not: what is asked is recorded with the answers.
        """
        digest = hashlib.sha256((self.folder / "stimuli.csv").read_bytes())
        if self.has_masks:
            digest.update((self.folder / objects.FILE_NAME).read_bytes())
        if not self.upright:
            digest.update(b"as stored")
        return digest.hexdigest()

    @functools.cached_property
    def fixed_trials(self) -> pd.DataFrame:
        """Trials that were fixed once and are asked instead of drawn ones, see `stimuli.fixed`.

        Raises:
            ToolkitError: `trials.csv` has faults; the message lists all of them.
        """
        return fixed.read_fixed(self.folder, self.table)

    @functools.cached_property
    def words(self) -> wordlists.WordList:
        """Written words: those of `words_file`, or of `words.toml` in the folder.

        Raises:
            ToolkitError: there is no list, or it has faults; all of them are listed.
        """
        if not self.has_words:
            raise ToolkitError(
                f"The stimulus set {self.name!r} has no list of written words.",
                given=str(self.folder),
                allowed=f"{wordlists.FILE_NAME} in that folder, or a list of your own",
                next_command="add --words FILE",
            )
        return wordlists.read_words(self.words_file or self.folder / wordlists.FILE_NAME)

    @property
    def has_words(self) -> bool:
        """True where there is a list of written words."""
        return self.words_file is not None or (self.folder / wordlists.FILE_NAME).is_file()

    @property
    def has_masks(self) -> bool:
        """True where the set says what can be seen where in its pictures."""
        return (self.folder / objects.FILE_NAME).is_file()

    @functools.cached_property
    def objects(self) -> pd.DataFrame:
        """One row per object in a picture: `stimulus_id`, `concept`, `mask`, `sha256`, as text.

        Raises:
            ToolkitError: the table has faults; the message lists all of them.
        """
        pictures = self.table.index[self.table["kind"] == "picture"]
        return objects.read_objects(self.folder, pictures)

    def select(
        self,
        kind: str | None = None,
        split: str | None = None,
        status: str | None = None,
        language: str | None = None,
        concept: str | None = None,
        variant: str | None = "",
    ) -> pd.DataFrame:
        """The rows in which every given column has the given value.

        Args:
            kind: picture or word.
            split: train, valid or test.
            status: familiar or novel.
            language: ISO code; only words have one.
            concept: English name of what is drawn or said.
            variant: how words are changed; empty for words as they are, None for all there are.

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
        if variant == "":
            rows = rows[rows["variant"] == ""] if "variant" in rows else rows
        else:
            wanted["variant"] = variant
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
        return decoding.decode_clip(self, self._row(stimulus_id, "word"))

    def file_of(self, stimulus_id: str) -> Path:
        """Where the file of a stimulus lies.

        Args:
            stimulus_id: a row of `table`.

        Raises:
            ToolkitError: there is no such row.

        Example:
            >>> from stimuli import open_set
            >>> open_set("mini").file_of("en_bear_Andrea_0").name
            'en_bear_Andrea_0.opus'
        """
        return self.folder / self._known_row(stimulus_id)["path"]

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
        return decoding.decode_picture(self, self._row(stimulus_id, "picture"))

    def read_mask(self, stimulus_id: str, concept: str) -> NDArray[np.bool_]:
        """Where a concept is seen in a picture: all its objects together.

        Args:
            stimulus_id: a row of `table` with kind `picture`.
            concept: what to look for.

        Returns:
            bool, shape (height, width) of the picture.

        Raises:
            ToolkitError: there is no such object in it; or a mask is missing, damaged, changed, or
                not as large as the picture.
        """
        rows = self._masks.get((stimulus_id, concept), [])
        if not rows:
            inside = [known for name, known in self._masks if name == stimulus_id]
            raise unknown_name(f"object in the picture {stimulus_id}", concept, inside)
        size = self.picture_size_px
        shape = (size, size) if size else self.read_picture(stimulus_id).shape[:2]
        masks = [decoding.decode_mask(self, row, shape) for row in rows]
        return functools.reduce(lambda one, other: one | other, masks)

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
        return [shortened(fault, MESSAGE) for fault in self._faults()]

    def _faults(self) -> list[str]:
        """Everything that is wrong with the set, however long it is."""
        try:
            table = _read_table(self.folder)
        except ToolkitError as error:
            return [error.message]
        faults = checks.header_faults(list(table.columns))
        if faults:
            return faults
        table_faults = checks.table_faults(table)
        written, word_faults = self._written()
        faults = [*table_faults, *word_faults]
        spoken = {language for language in table["language"] if language}
        for language in sorted((spoken | written) ^ (set(self.languages) | written)):
            where = "stimuli.csv" if language in spoken else "set.toml"
            faults.append(f"the language {language!r} stands in {where} only")
        faults += self._file_faults(table)
        if table_faults:
            return faults
        try:
            _ = self.fixed_trials
        except ToolkitError as error:
            faults.append(_one_line(error))
        return [*faults, *self._mask_faults()]

    def _file_faults(self, table: pd.DataFrame) -> Iterator[str]:
        """Faults of pictures and clips, as far as their rows are sound."""
        import numpy as np

        for row in records(table):
            if not checks.is_readable(row):
                continue
            try:
                if row["kind"] == "picture":
                    decoding.decode_picture(self, row)
                    continue
                clip, name = decoding.decode_clip(self, row), self.folder / row["path"]
                if np.ptp(clip) == 0:
                    yield f"{name} is silent: all its samples are the same"
                elif len(clip) < SHORTEST_CLIP_S * self.sample_rate_hz:
                    yield f"{name} is too short for a word: {len(clip)} samples"
            except ToolkitError as error:
                yield _one_line(error)

    def _written(self) -> tuple[set[str], list[str]]:
        """Languages of the word list, and its faults."""
        if not self.has_words:
            return set(), []
        try:
            return set(self.words.languages), []
        except ToolkitError as error:
            return set(), [_one_line(error)]

    def _mask_faults(self) -> list[str]:
        """Faults of `objects.csv`, of every mask it names, and of concepts without a word."""
        try:
            seen = self.objects
        except ToolkitError as error:
            return [_one_line(error)]
        faults = []
        for name, concept in self._masks:
            try:
                shown = media.central_square(self.read_mask(name, concept))
            except ToolkitError as error:
                faults.append(_one_line(error))
                continue
            if shown.all() or not shown.any():
                how_much = "all" if shown.all() else "nothing"
                faults.append(
                    f"the mask of {concept!r} covers {how_much} of the central square of {name}, "
                    "which is all that models are shown"
                )
        written, word_faults = self._written()
        if written and not word_faults:
            concepts = list(dict.fromkeys(seen["concept"]))
            faults += self.words.untranslated(concepts, list(self.words.languages))
        return faults

    @functools.cached_property
    def _masks(self) -> dict[tuple[str, str], list[dict[str, str]]]:
        """Rows of `objects` by picture and concept."""
        found: dict[tuple[str, str], list[dict[str, str]]] = {}
        for row in records(self.objects):
            found.setdefault((row["stimulus_id"], row["concept"]), []).append(row)
        return found

    @functools.cached_property
    def root(self) -> Path:
        """The folder without symbolic links."""
        return self.folder.resolve()

    @functools.cached_property
    def _rows(self) -> dict[str, dict[str, str]]:
        """The table as a dictionary: looking up in a data frame is a hundred times slower."""
        columns = ["kind", "path", "sha256", "duration_s"]
        return dict(zip(map(str, self.table.index), records(self.table[columns]), strict=True))

    def _row(self, stimulus_id: str, kind: str) -> dict[str, str]:
        """The row of a stimulus that must be of the given kind."""
        row = self._known_row(stimulus_id)
        if row["kind"] != kind:
            raise ToolkitError(f"{stimulus_id} is a {row['kind']}, not a {kind}.")
        return row

    def _known_row(self, stimulus_id: str) -> dict[str, str]:
        """The row of a stimulus."""
        row = self._rows.get(stimulus_id)
        if row is None:
            # Naming all of thousands of identifiers would help nobody: the nearest one will do.
            raise ToolkitError(
                f"There is no stimulus {stimulus_id!r} in the set {self.name!r}.",
                given=stimulus_id,
                nearest=nearest_name(stimulus_id, self._rows),
            )
        return row


def _read_table(folder: Path) -> pd.DataFrame:
    """All of `stimuli.csv` as text."""
    path = folder / "stimuli.csv"
    if not path.is_file():
        raise ToolkitError(
            f"{folder} is not a stimulus set: it has no stimuli.csv.",
            allowed="a folder with set.toml, stimuli.csv and columns.csv",
        )
    return read_table(path)


def _one_line(error: ToolkitError) -> str:
    """An error as one line of a list of faults."""
    return " ".join(str(error).split())
