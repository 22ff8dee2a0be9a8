"""Writing files so that nobody ever sees half of one, and checksums."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from stimuli.errors import ToolkitError

CHECKSUM_SUFFIX = ".sha256"
"""Behind the whole name of a file, where its checksum is kept."""
ABANDONED_AFTER_S = 600.0
"""Seconds without a write after which nobody is writing a temporary file any more."""
_UNFINISHED = re.compile(r"\..+-[0-9a-f]{8}(\.\w+)?")
"""Names that `write_atomic` gives to temporary files."""
_BEFORE = "# replaced: "
"""In front of the checksum of a file that is being replaced; sha256sum takes it for a remark."""
_tell: Callable[[Path], None] | None = None
"""Told of every temporary file before it is there."""


@contextmanager
def write_atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder and rename it to `path` on success.

    When the block raises, the temporary file is removed and `path` is left as it was. When the
    process is killed, whoever was told (`tell_unfinished`) can remove it. What was written is on
    the disk before it bears its name, and so is the name when this returns: a power cut leaves
    the old file or the new one, on a shared file system too.

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
        _put_in_place(unfinished, target)
    finally:
        unfinished.unlink(missing_ok=True)


def _put_in_place(unfinished: Path, target: Path) -> None:
    """Rename a file once its content is on the disk, and bring its name there too."""
    with unfinished.open("r+b") as file:
        os.fsync(file.fileno())
        written = os.fstat(file.fileno())
    try:
        unfinished.replace(target)
    except FileNotFoundError:
        # A server of files whose answer was lost is asked again, and has renamed it already.
        if not (target.exists() and os.path.samestat(written, target.stat())):
            raise
    with suppress(OSError):  # Windows opens no folders, and some disks keep none up to date
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextmanager
def write_checked(path: str | Path) -> Iterator[Path]:
    """As `write_atomic`, and keep the checksum of what was written beside it, for `is_sound`.

    ``table.parquet.sha256`` is as sha256sum writes it. It is there before the file, and until then
    tells of the one that is replaced as well: a kill between the two leaves neither a file that
    cannot be checked nor one that counts as damaged.

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
        new = sha256_of(unfinished)
        old = sha256_of(target) if is_sound(target) else new
        _tell_checksum(target, new, old)
    if old != new:
        _tell_checksum(target, new)


def _tell_checksum(file: Path, new: str, old: str | None = None) -> None:
    told = f"{new}  {file.name}\n"
    if old not in (None, new):
        told += f"{_BEFORE}{old}\n"
    with write_atomic(checksum_file(file)) as beside:
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
    """Whether a file is there, and is what was written, as the checksum beside it tells.

    Without that checksum nobody can know: what asks here is made again.

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
    try:
        told = _told(file)
        return told is not None and sha256_of(file) in told
    except OSError:
        return False


def require_sound(path: str | Path, next_command: str | None = None, *, kept: bool = False) -> None:
    """Refuse a file that is not what was written; one that is not there is left to its reader.

    Args:
        path: the file.
        next_command: what makes it again.
        kept: whether a checksum is known to have been kept, so that there must be one. Else a file
            without is taken as it is: it may be one's own, or of a version that kept none.

    Raises:
        ToolkitError: its content does not fit the checksum beside it, or that is lost.
    """
    file = Path(path)
    if file.is_file():
        told = _told(file)
        _require(file, sha256_of(file) if told else None, told, next_command, kept)


def require_sum(
    path: str | Path, sha256: str, next_command: str | None = None, *, kept: bool = False
) -> bool:
    """As `require_sound`, where the content was read already.

    Args:
        path: the file.
        sha256: of its content.
        next_command: what makes it again.
        kept: whether there must be a checksum beside it.

    Returns:
        Whether there is one.

    Raises:
        ToolkitError: as `require_sound`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "table.csv").write_text("a,b")
        ...     require_sum(Path(folder) / "table.csv", "0" * 64)
        False
    """
    file = Path(path)
    told = _told(file)
    _require(file, sha256, told, next_command, kept)
    return told is not None


def read_sound(path: str | Path, next_command: str | None = None, *, kept: bool = False) -> bytes:
    """As `require_sound`, and give the content: the very bytes whose checksum was looked at.

    Args:
        path: the file.
        next_command: what makes it again.
        kept: whether there must be a checksum.

    Raises:
        OSError: the file cannot be read.
        ToolkitError: its content does not fit the checksum beside it, or that is lost.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "table.csv").write_text("a,b")
        ...     read_sound(Path(folder) / "table.csv")
        b'a,b'
    """
    file = Path(path)
    content = file.read_bytes()
    told = _told(file)
    _require(file, hashlib.sha256(content).hexdigest(), told, next_command, kept)
    return content


def _require(
    file: Path,
    found: str | None,
    told: Sequence[str] | None,
    next_command: str | None,
    kept: bool,
) -> None:
    name = checksum_file(file).name
    again = next_command or f"copy it again from where it came, with {name}"
    if told is None and kept:
        raise ToolkitError(
            f"{file} has lost its checksum, so nothing tells whether it is what was written.",
            given=f"no {name}",
            allowed=f"{file.name} with {name} beside it",
            next_command=again,
        )
    if told is not None and found not in told:
        raise ToolkitError(
            f"{file} is damaged, or was changed: it is not what was written.",
            given=f"SHA-256 {found}",
            allowed=f"{told[0]}, as {name} tells",
            next_command=again,
        )


def _told(file: Path) -> Sequence[str] | None:
    """The checksum that is told beside a file, whatever stands there, and that of one replaced.

    Returns:
        One or two; None if nothing is there.
    """
    try:
        told = checksum_file(file).read_bytes().decode("ascii", "backslashreplace")
    except FileNotFoundError:
        return None
    first, _, second = told.partition("\n")
    before = [second.removeprefix(_BEFORE).strip()] if second.startswith(_BEFORE) else []
    return [(first.split() or ["none"])[0], *before]


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
    another process may be at work in the same folder; the time is that of the disk, whose clock
    and this machine's may differ. What cannot be removed stays: it does no harm, and the folder may
    be read-only.

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
    found = [path for path in Path(folder).glob(".*") if _UNFINISHED.fullmatch(path.name)]
    removed: list[Path] = []
    if not found:
        return removed
    with suppress(OSError):
        newest = _time_there(Path(folder)) - ABANDONED_AFTER_S
        for path in found:
            with suppress(OSError):
                if path.is_file() and path.stat().st_mtime < newest:
                    path.unlink()
                    removed.append(path)
    return removed


def _time_there(folder: Path) -> float:
    """The time by the clock that files of a folder are stamped with."""
    touched = folder / f".clock-{secrets.token_hex(4)}"
    touched.touch(exist_ok=False)
    try:
        return touched.stat().st_mtime
    finally:
        touched.unlink(missing_ok=True)


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
    return sha256_of_sums({Path(path): sha256_of(path) for path in paths})


def sha256_of_sums(sums: Mapping[Path, str]) -> str:
    """As `sha256_of_files`, where the checksum of each file is known already.

    Args:
        sums: SHA-256 of each file.

    Example:
        >>> sha256_of_sums({Path("a"): "0" * 64}) == sha256_of_sums({Path("b"): "0" * 64})
        False
    """
    listing = "".join(f"{sha256}  {path.name}\n" for path, sha256 in sorted(sums.items()))
    return hashlib.sha256(listing.encode()).hexdigest()
