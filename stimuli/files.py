"""Writing files so that nobody ever sees half of one, and checksums."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from stimuli.errors import ToolkitError

CHECKSUM_SUFFIX = ".sha256"
"""Behind the whole name of a file, where its checksum is kept."""
ABANDONED_AFTER_S = 600.0
"""Seconds without a write after which nobody is writing a temporary file any more."""
_UNFINISHED = re.compile(r"\..+-[0-9a-f]{8}(\.\w+)?")
"""Names that `write_atomic` gives to temporary files."""
_tell: Callable[[Path], None] | None = None
"""Told of every temporary file before it is there."""


@contextmanager
def write_atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder and rename it to `path` on success.

    When the block raises, the temporary file is removed and `path` is left as it was. When the
    process is killed, whoever was told (`tell_unfinished`) can remove it.

    Args:
        path: where the finished file belongs; its folder must exist.

    Yields:
        A path to write to, with the same suffix.

    Raises:
        OSError: the folder is missing, read-only or full.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with write_atomic(Path(folder) / "table.csv") as unfinished:
        ...         _ = unfinished.write_text("a,b")
        ...     (Path(folder) / "table.csv").read_text()
        'a,b'
    """
    target = Path(path)
    unfinished = target.with_name(f".{target.stem}-{secrets.token_hex(4)}{target.suffix}")
    if _tell is not None:
        _tell(unfinished)
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


@contextmanager
def write_checked(path: str | Path) -> Iterator[Path]:
    """As `write_atomic`, and keep the checksum of what was written beside it, for `is_sound`.

    ``table.parquet.sha256`` is as sha256sum writes it. It is there before the file: a kill between
    the two leaves an old file that counts as damaged, never a new one that cannot be checked.

    Args:
        path: where the finished file belongs; its folder must exist.

    Yields:
        A path to write to, with the same suffix.

    Raises:
        OSError: the folder is missing, read-only or full.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with write_checked(Path(folder) / "table.csv") as unfinished:
        ...         _ = unfinished.write_text("a,b")
        ...     sorted(path.name for path in Path(folder).iterdir())
        ['table.csv', 'table.csv.sha256']
    """
    target = Path(path)
    with write_atomic(target) as unfinished:
        yield unfinished
        told = f"{sha256_of(unfinished)}  {target.name}\n"
        with write_atomic(checksum_file(target)) as beside:
            beside.write_bytes(told.encode())


def checksum_file(path: str | Path) -> Path:
    """Where the checksum of a file is kept.

    Args:
        path: the file.

    Example:
        >>> checksum_file("trials.parquet").name
        'trials.parquet.sha256'
    """
    return Path(f"{path}{CHECKSUM_SUFFIX}")


def is_sound(path: str | Path) -> bool:
    """Whether a file is there, and is what was written.

    A file without a checksum beside it is taken as it is: earlier versions kept none, and a file
    may have been copied without.

    Args:
        path: the file.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "table.csv"
        ...     with write_checked(file) as unfinished:
        ...         _ = unfinished.write_text("a,b")
        ...     before = is_sound(file)
        ...     _ = file.write_text("a,c")
        ...     before, is_sound(file)
        (True, False)
    """
    file = Path(path)
    return file.is_file() and _differs(file) is None


def require_sound(path: str | Path, next_command: str | None = None) -> None:
    """Refuse a file that is not what was written; one that is not there is left to its reader.

    Args:
        path: the file.
        next_command: what makes it again.

    Raises:
        ToolkitError: its content does not fit the checksum beside it.
    """
    file = Path(path)
    differs = _differs(file) if file.is_file() else None
    if differs:
        found, told = differs
        raise ToolkitError(
            f"{file} is damaged, or was changed: it is not what was written.",
            given=f"SHA-256 {found}",
            allowed=f"{told}, as {checksum_file(file).name} tells",
            next_command=next_command
            or f"copy it again from where it came, with {checksum_file(file).name}",
        )


def _differs(file: Path) -> tuple[str, str] | None:
    """Checksum of a file and the one that is told beside it, if they are not the same."""
    try:
        told = checksum_file(file).read_bytes()
    except FileNotFoundError:
        return None
    found = sha256_of(file)
    told = told.split(maxsplit=1)[0] if told.split() else b"none"
    return None if told == found.encode() else (found, told.decode("ascii", "replace"))


def tell_unfinished(tell: Callable[[Path], None] | None) -> None:
    """Have someone told of every temporary file of this process, before it is there.

    Args:
        tell: called with the path that `write_atomic` is about to give, which is not given if
            this raises; None to tell nobody.

    Example:
        >>> import tempfile
        >>> told = []
        >>> tell_unfinished(told.append)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     with write_atomic(Path(folder) / "table.csv") as unfinished:
        ...         _ = unfinished.write_text("a,b")
        >>> told == [unfinished]
        True
        >>> tell_unfinished(None)
    """
    global _tell
    _tell = tell


def remove_abandoned(folder: str | Path) -> list[Path]:
    """Remove temporary files of `write_atomic` that a killed process left in a folder.

    Only files that bear such a name, and that nobody wrote to for `ABANDONED_AFTER_S`, since
    another process may be at work in the same folder. What cannot be removed stays: it does no
    harm, and the folder may be read-only.

    Args:
        folder: where to look, not in folders inside it; one that is missing holds nothing.

    Returns:
        The files removed.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / ".table-0123abcd.csv").write_text("being written")
        ...     remove_abandoned(folder)
        []
    """
    removed = []
    newest = time.time() - ABANDONED_AFTER_S
    for path in Path(folder).glob(".*"):
        if _UNFINISHED.fullmatch(path.name):
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < newest:
                    path.unlink()
                    removed.append(path)
    return removed


def sha256_of(path: str | Path) -> str:
    """SHA-256 of a file's content, as 64 hexadecimal digits.

    Args:
        path: a file.

    Raises:
        OSError: the file cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "empty").write_bytes(b"")
        ...     sha256_of(Path(folder) / "empty")[:8]
        'e3b0c442'
    """
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def sha256_of_files(paths: Iterable[str | Path]) -> str:
    """SHA-256 over names and contents of several files, whatever their order.

    Args:
        paths: files.

    Raises:
        OSError: a file cannot be read.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     paths = [Path(folder) / name for name in ("a", "b")]
        ...     _ = [path.write_text(path.name) for path in paths]
        ...     sha256_of_files(paths) == sha256_of_files(reversed(paths))
        True
    """
    listing = "".join(f"{sha256_of(path)}  {path.name}\n" for path in sorted(map(Path, paths)))
    return hashlib.sha256(listing.encode()).hexdigest()
