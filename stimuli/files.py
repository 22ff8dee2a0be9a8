"""Writing files so that nobody ever sees half of one, and checksums."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def write_atomic(path: str | Path) -> Iterator[Path]:
    """Give a temporary path in the same folder and rename it to `path` on success.

    When the block raises, the temporary file is removed and `path` is left as it was.

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
    try:
        yield unfinished
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)


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
