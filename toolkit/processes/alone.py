"""Processes that write to the same place, kept apart: one at a time, or the second is refused.

What is held is let go of by the system as soon as its process ends, however it ends. Where the
system or the disk knows no such thing (Windows, some network disks), nobody is kept apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from toolkit.errors import ToolkitError


@contextmanager
def alone_in(folder: Path, busy: str | None = None) -> Iterator[None]:
    """Hold a folder while the block runs.

    Args:
        folder: it must exist.
        busy: what to say where another process holds it; None to wait until it does not.

    Raises:
        ToolkitError: another process holds it.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> with alone_in(folder), alone_in(folder, "The folder is in use."):
        ...     pass
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: The folder is in use.
          try: the same again when the other process has ended
    """
    held: int | None = None
    with suppress(OSError):  # Windows opens no folders
        held = os.open(folder, os.O_RDONLY)
    try:
        if held is not None:
            _hold(held, busy)
        yield
    finally:
        if held is not None:
            os.close(held)


@contextmanager
def alone_with(file: Path, busy: str) -> Iterator[None]:
    """Hold a name while the block runs, by a file that is removed afterwards.

    Args:
        file: what is held; its folder is made where it is missing.
        busy: what to say where another process holds it.

    Raises:
        ToolkitError: another process holds it.
    """
    held = _opened(file)
    while True:
        try:
            _hold(held, busy)
        except ToolkitError:
            os.close(held)
            raise
        if _is_there(held, file):
            break
        os.close(held)  # whoever held it has removed it meanwhile
        held = _opened(file)
    try:
        yield
    finally:
        if _is_there(held, file):
            file.unlink(missing_ok=True)
        os.close(held)


def _opened(file: Path) -> int:
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # its folder was removed by one who found it empty
            return os.open(file, os.O_RDWR | os.O_CREAT, 0o666)


def _is_there(held: int, file: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(held), file.stat())
    except FileNotFoundError:
        return False


def _hold(held: int, busy: str | None) -> None:
    try:
        import fcntl
    except ImportError:  # Windows
        return
    try:
        fcntl.flock(held, fcntl.LOCK_EX | (fcntl.LOCK_NB if busy else 0))
    except BlockingIOError:
        raise ToolkitError(
            str(busy), next_command="the same again when the other process has ended"
        ) from None
    except OSError:
        return
