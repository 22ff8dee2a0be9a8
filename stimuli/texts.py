"""Text files that people write: UTF-8, with or without the mark that some editors put in front."""

from __future__ import annotations

import codecs
import shlex
import tomllib
from pathlib import Path
from typing import Any

from stimuli.errors import ToolkitError

_SIXTEEN_BITS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | Path, allowed: str = "a text in UTF-8") -> str:
    """The content of a text file; a byte-order mark is no part of it.

    Args:
        path: the file.
        allowed: what it should be, for the error message.

    Raises:
        ToolkitError: it cannot be read, or is not UTF-8.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "list.txt").write_text("cat", encoding="utf-8-sig")
        ...     read_text(Path(folder) / "list.txt")
        'cat'
    """
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise ToolkitError(f"{path} cannot be read: {error.strerror}.", allowed=allowed) from error
    # UTF-16 without a mark has a zero in every Latin letter, which no text in UTF-8 has.
    if data.startswith(_SIXTEEN_BITS) or b"\0" in data[:2]:
        name = shlex.quote(str(path))
        raise ToolkitError(
            f"{path} is saved as UTF-16, as Windows PowerShell does with '>'.",
            allowed=allowed,
            next_command=f"iconv -f UTF-16 -t UTF-8 {name} > utf8.txt, or, in PowerShell: "
            f"Get-Content {name} | Set-Content -Encoding utf8 utf8.txt",
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ToolkitError(
            f"{path} is not UTF-8: the byte at {error.start} belongs to another encoding.",
            allowed=allowed,
            next_command=f"iconv -f WINDOWS-1252 -t UTF-8 {shlex.quote(str(path))} > utf8.txt, "
            "if it was saved on Windows",
        ) from error


def read_toml(path: str | Path, allowed: str = "TOML in UTF-8") -> dict[str, Any]:
    r"""The content of a TOML file.

    Args:
        path: the file.
        allowed: what it should be, for the error message.

    Raises:
        ToolkitError: it cannot be read, is not UTF-8, or not TOML.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "set.toml").write_bytes(b"\xef\xbb\xbfname = 'small'")
        ...     read_toml(Path(folder) / "set.toml")
        {'name': 'small'}
    """
    text = read_text(path, allowed).replace("\r\n", "\n").replace("\r", "\n")
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Besides its own errors, tomllib lets through those of endless numbers and nesting.
        raise ToolkitError(f"{path} is not valid TOML: {error}.", allowed=allowed) from error
