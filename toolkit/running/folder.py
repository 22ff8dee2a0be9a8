"""The run directory: finished pieces on disk, found again by what decided their content.

::

    mevgs-runs/
        me-bilingual-en-nl-1a2b3c4d/
            manifest.json        what was run, on what, with which versions
            trials.parquet       all cells together
            agreement.csv        of maps: how far every two languages agree
            maps.npz             of maps: some of them as they are
            training.csv         how the populations were trained, as far as they say
            summary.json         what is printed, as data
        cells/1a/<key>.parquet   one subject seed and language each, written whole or not at all
        cells/1a/<key>.npz       beside a cell of maps: agreement of languages, maps to look at
        embeddings/1a/<key>.npz  embeddings of one subject for one stimulus set; or of written words
        embeddings/1a/<key>.npy  features of every place of a chunk of pictures

Cells and embeddings are shared by all runs beside them: their keys do not depend on the run. They
lie in folders of those whose keys begin alike, so that no folder holds more than some hundreds
of files.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.cells import guarded_table, unguarded_table
from stimuli.files import (
    checksum_file,
    is_sound,
    read_sound,
    remove_abandoned,
    write_checked,
)
from toolkit.errors import ToolkitError, quoted
from toolkit.processes.alone import alone_in
from toolkit.records import pieces
from toolkit.tables.manifests import (
    CELLS,
    EMBEDDINGS,
    MANIFEST_FILE,
    TRIALS_FILE,
    read_manifest,
)
from toolkit.tables.parquet import parquet_names, told
from toolkit.tables.trials import (
    COLUMNS,
    DRAW,
    ROWS_AT_ONCE,
    SCHEMA_VERSION,
    Column,
    arrow_schema,
    write_together,
    write_trials,
)

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


TRAINING_FILE = "training.csv"
"""In a run's folder: how the populations were trained, as far as they say."""
AGAIN = "the same command again: it makes what is damaged anew"
"""What helps where a stored file was damaged while a run was made."""


def content_key(content: Mapping[str, Any]) -> str:
    """Name for whatever these facts decide: 32 hexadecimal digits of their SHA-256.

    Example:
        >>> content_key({"a": 1, "b": 2}) == content_key({"b": 2, "a": 1})
        True
    """
    facts = json.dumps({"schema": SCHEMA_VERSION, **content}, sort_keys=True)
    return hashlib.sha256(facts.encode()).hexdigest()[:32]


def pooled(folder: Path, name: str) -> Path:
    """Where a file lies that is named after a key: with those whose names begin alike.

    Args:
        folder: what holds them all.
        name: of the file.

    Example:
        >>> pooled(Path("cells"), "1a2b3c.parquet").as_posix()
        'cells/1a/1a2b3c.parquet'
    """
    return folder / name[:2] / name


@contextmanager
def working_folder(folder: Path) -> Iterator[Sequence[Path]]:
    """Make a folder, with those above it, for the work of the block.

    If the block raises, those of them that were made here and are still empty are removed.

    Yields:
        The folders that were not there before.

    Raises:
        ToolkitError: if it cannot be made, for example on a read-only disk.

    Example:
        >>> import tempfile
        >>> root = Path(tempfile.mkdtemp())
        >>> with suppress(KeyError), working_folder(root / "a" / "b"):
        ...     raise KeyError
        >>> list(root.iterdir())
        []
    """
    made: list[Path] = []
    try:
        try:
            made += [path for path in (folder, *folder.parents) if not path.exists()]
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ToolkitError(
                f"The folder {folder} cannot be made: {error.strerror}.",
                allowed="a folder you can write to",
                next_command="add --out DIR",
            ) from error
        yield made
    except BaseException:
        for path in made:
            with suppress(OSError):
                path.rmdir()
        raise


@dataclass(frozen=True)
class RunDirectory:
    """One run on disk."""

    root: Path
    """Folder that holds all runs."""
    run_id: str
    """Name of the run and of its folder."""

    @property
    def folder(self) -> Path:
        """The run's own folder."""
        return self.root / self.run_id

    @property
    def trials_path(self) -> Path:
        """All rows of the run."""
        return self.folder / TRIALS_FILE

    def cell_path(self, key: str) -> Path:
        """File of one cell."""
        return pooled(self.root / CELLS, f"{key}.parquet")

    @contextmanager
    def opened(self, keys: Iterable[str]) -> Iterator[None]:
        """Make the folder, and clear away what a killed run left half-written.

        A run that is new and ends in an error before anything of it was finished leaves no folder
        behind, its manifest included.

        Args:
            keys: names of the cells of the run.

        Raises:
            ToolkitError: if the folder cannot be made, for example on a read-only disk, or another
                process makes the same run.
        """
        busy = f"The run {self.folder} is being made by another process."
        with working_folder(self.folder) as made, alone_in(self.folder, busy):
            remove_abandoned(self.folder)
            for pool in (CELLS, EMBEDDINGS):
                for folder in (self.root / pool).glob("*/"):
                    remove_abandoned(folder)
            try:
                yield
            except BaseException:
                if self.folder in made and not any(self.cell_path(key).exists() for key in keys):
                    with suppress(OSError):
                        self._forget()
                raise

    def _forget(self) -> None:
        """Remove what is told of a run, if there is nothing else in its folder."""
        told = [self.folder / name for name in (MANIFEST_FILE, TRAINING_FILE)]
        told += [checksum_file(path) for path in told]
        if not {*self.folder.iterdir()} - {*told}:
            for path in told:
                path.unlink(missing_ok=True)

    def has_cell(self, key: str) -> bool:
        """True if the cell was finished, and is as it was then; a damaged one is made again."""
        return is_sound(self.cell_path(key))

    @contextmanager
    def writing(self, path: Path) -> Iterator[Path]:
        """Give a temporary path for a cell or what lies beside it; see `write_atomic`."""
        with working_folder(path.parent), write_checked(path) as unfinished:
            yield unfinished

    def write_cell(
        self, key: str, parts: Iterable[pd.DataFrame], kind: str, extra: Sequence[Column] = ()
    ) -> None:
        """Write the rows of one cell, whole or not at all."""
        with self.writing(self.cell_path(key)) as path:
            write_trials(parts, path, kind, extra)

    def assemble(self, keys: Sequence[str], kind: str, extra: Sequence[Column] = ()) -> None:
        """Join the cells, in the order given, into ``trials.parquet``.

        Some `ROWS_AT_ONCE` are held and written together: memory does not grow with the cells, and
        neither does what a file tells of its parts, which its readers hold.

        Args:
            keys: names of the cells.
            kind: of the paradigm; cells of earlier versions have not recorded it.
            extra: columns that the paradigm adds behind those that all tables have.

        Raises:
            ToolkitError: if a cell cannot be read back.
        """
        import pyarrow as pa
        import pyarrow.parquet as pq

        schema = arrow_schema([column.name for column in (*COLUMNS, *extra)], kind, extra)
        with (
            write_checked(self.trials_path) as path,
            pq.ParquetWriter(path, schema, compression="zstd") as writer,
        ):
            held, n_held = list[pa.Table](), 0
            for key in keys:
                for part in self._cell_parts(key):
                    if n_held + len(part) > ROWS_AT_ONCE:
                        write_together(writer, held)
                        n_held = 0
                    n_held += len(part)
                    try:
                        held.append(self._completed(part, extra).cast(schema))
                    except (pa.ArrowException, ValueError, KeyError) as error:
                        raise self.unreadable(key, error) from error
            write_together(writer, held)

    def _completed(self, part: pa.Table, extra: Sequence[Column]) -> pa.Table:
        """Rows of a cell with those columns that a run's table has besides."""
        import pyarrow as pa

        def same(value: str) -> pa.Array:
            codes = pa.repeat(pa.scalar(0, pa.int32()), len(part))
            return pa.DictionaryArray.from_arrays(codes, pa.array([value]))

        whole = part.add_column(0, "run_id", same(self.run_id))
        if DRAW in extra and DRAW.name not in part.column_names:
            whole = whole.append_column(DRAW.name, same(""))
        return whole

    def read_cell(self, key: str) -> pa.Table:
        """All rows of a cell.

        Raises:
            ToolkitError: if it cannot be read back.
        """
        import pyarrow as pa

        return pa.concat_tables(self._cell_parts(key))

    def _cell_parts(self, key: str) -> Iterator[pa.Table]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        path = self.cell_path(key)
        try:
            content = pa.BufferReader(read_sound(path, AGAIN, kept=True))
            parquet_names(path)
            with pq.ParquetFile(content) as file:
                for number in range(file.num_row_groups):
                    yield file.read_row_group(number)
        except (ToolkitError, OSError, ArithmeticError, pa.ArrowException, ValueError) as error:
            raise self.unreadable(key, error) from error

    def unreadable(self, key: str, error: Exception) -> ToolkitError:
        """The error for a cell that is as it was written, and is none.

        Args:
            key: name of the cell.
            error: what came of reading it.
        """
        path = self.cell_path(key)
        return ToolkitError(
            f"The stored cell {path} cannot be read: {error}.",
            next_command=f"rm {quoted(path)}, then the same command again",
        )

    def write_training_logs(self, logs: Mapping[str, Path]) -> None:
        """Join the training logs of populations, so that a run can be told without them.

        Args:
            logs: file by population; those that do not exist are left out.

        Raises:
            ToolkitError: if one cannot be read as a table.
        """
        import pandas as pd

        tables = []
        for name, path in logs.items():
            if not path.is_file():
                continue
            content = io.BytesIO(read_sound(path))
            with told(path, "a training log"):
                table = unguarded_table(pd.read_csv(content))
                table.insert(0, "population", name)
            tables.append(table)
        if tables:
            with write_checked(self.folder / TRAINING_FILE) as path:
                guarded_table(pd.concat(tables)).to_csv(path, index=False)

    def read_manifest(self) -> dict[str, Any]:
        """The manifest as it stands; empty if there is none yet or it cannot be read."""
        return read_manifest(self.folder)

    def write_json(self, name: str, content: object) -> None:
        """Write a JSON file into the run folder, see `write_json`."""
        write_json(self.folder / name, content)


def write_json(file: Path, content: object) -> None:
    """Write a JSON file, whole or not at all, and its checksum; see `toolkit.records.pieces`.

    Args:
        file: where to.
        content: what to write.
    """
    with write_checked(file) as path, path.open("w", encoding="utf-8") as text:
        text.writelines(pieces(content))
