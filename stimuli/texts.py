"""Text files that people write: UTF-8, with or without the mark that some editors put in front."""

from __future__ import annotations

import codecs
import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from stimuli.characters import hidden_in, hidden_in_lines, json_shown
from stimuli.errors import ToolkitError, quoted

_SIXTEEN_BITS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_text(path: str | Path, allowed: str = "a text in UTF-8") -> str:
    """The content of a text file; a byte-order mark is no part of it.

    Args:
        path: the file.
        allowed: what it should be, for the error message.

    Raises:
        ToolkitError: it cannot be read, is not UTF-8, or holds hidden characters.

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
        name = quoted(path)
        raise ToolkitError(
            f"{path} is saved as UTF-16, as Windows PowerShell does with '>'.",
            allowed=allowed,
            next_command=f"iconv -f UTF-16 -t UTF-8 {name} > utf8.txt, or, in PowerShell: "
            f"Get-Content {name} | Set-Content -Encoding utf8 utf8.txt",
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ToolkitError(
            f"{path} is not UTF-8: the byte at {error.start} belongs to another encoding.",
            allowed=allowed,
            next_command=f"iconv -f WINDOWS-1252 -t UTF-8 {quoted(path)} > utf8.txt, "
            "if it was saved on Windows",
        ) from error
    if hidden := hidden_in_lines(text):
        raise ToolkitError(
            f"{path} holds a character that is not seen, or that hides what is written.",
            given=f"{hidden[1]} in line {hidden[0]}",
            allowed="text without control characters, line separators and bidirectional overrides",
        )
    return text


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
        told = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        # Besides its own errors, tomllib lets through those of endless numbers and nesting.
        raise ToolkitError(f"{path} is not valid TOML: {error}.", allowed=allowed) from error
    for where, one in _texts(told):
        if hidden_character := hidden_in(one, keep="\n\t"):
            raise ToolkitError(
                f"{path} holds a character that is not seen, or that hides what is written.",
                given=f"{hidden_character} in {where}",
                allowed=allowed,
            )
    return told


def toml_value(value: object) -> str:
    r"""A value as TOML, which writes all but tables as JSON does.

    Args:
        value: text, a number, a truth, a list or a table of them.

    Example:
        >>> print(toml_value({"name": "caf\u00e9 \U0001f600", "seeds": ["a"]}))
        { "name" = "café 😀", "seeds" = ["a"] }
    """
    if isinstance(value, Mapping):
        inside = ", ".join(f"{toml_value(key)} = {toml_value(item)}" for key, item in value.items())
        return f"{{ {inside} }}"
    # TOML knows no halves of characters, to which JSON would escape whole ones.
    return json_shown(json.dumps(value, ensure_ascii=False))


def _texts(value: Any, where: str = "a key") -> Iterator[tuple[str, str]]:
    """Every text in what TOML can hold, with the key that it stands under."""
    if isinstance(value, str):
        yield where, value
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item, where)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield "a key", key
            yield from _texts(item, key)
