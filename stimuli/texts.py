"""Text files, TOML and JSON: UTF-8, with or without the mark that some editors put in front.

What is read is plain: numbers that are some, keys that stand once, lists and objects that end. What
a file must hold says its schema (`stimuli.schemas`): `toml_record` and `json_record` read by it.
"""

from __future__ import annotations

import codecs
import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import tomli_w

from stimuli.characters import hidden_in, hidden_in_lines
from stimuli.errors import ToolkitError, quoted
from stimuli.faults import Source
from stimuli.limits import NESTING, TEXT_BYTES
from stimuli.schemas import checked

T = TypeVar("T")
_JSON = "JSON in UTF-8"
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
    text = _decoded(path, _content(path, allowed), allowed)
    if hidden := hidden_in_lines(text):
        raise ToolkitError(
            f"{path} holds a character that is not seen, or that hides what is written.",
            given=f"{hidden[1]} in line {hidden[0]}",
            allowed="text without control characters, line separators and bidirectional overrides",
        )
    return text


def _content(path: str | Path, allowed: str) -> bytes:
    """The bytes of a file, if it is one and no larger than a text may be."""
    file = Path(path)
    try:
        # Devices and pipes have no end, and a folder has no content.
        if file.exists() and not file.is_file():
            raise ToolkitError(f"{path} cannot be read: it is no file.", allowed=allowed)
        with file.open("rb") as opened:
            data = opened.read(TEXT_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise ToolkitError(f"{path} cannot be read: {reason}.", allowed=allowed) from error
    if len(data) > TEXT_BYTES:
        raise ToolkitError(
            f"{path} is too large for a text.",
            given=f"more than {TEXT_BYTES:,} bytes",
            allowed=allowed,
        )
    return data


def _decoded(path: str | Path, data: bytes, allowed: str) -> str:
    """The text that bytes stand for."""
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
    return _toml(path, read_text(path, allowed), allowed)


def toml_record(
    kind: type[T], path: str | Path, allowed: str = "TOML in UTF-8", again: str | None = None
) -> T:
    r"""What a TOML file holds, as the record whose class is its schema.

    Args:
        kind: the class.
        path: the file.
        allowed: what it should be, for the error message.
        again: what helps where it is not.

    Raises:
        ToolkitError: as `read_toml`, or as `stimuli.schemas.checked`, with the line.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = Path(folder) / "source.toml"
        ...     _ = file.write_text("name = 'small'\nagain = 1")
        ...     try:
        ...         toml_record(Source, file)
        ...     except ToolkitError as error:
        ...         print(error.message.replace(folder, "."))
        ./source.toml cannot be read: again (line 2) is of the wrong type.
    """
    return checked(kind, *toml_source(path, allowed, again))


def toml_source(
    path: str | Path, allowed: str = "TOML in UTF-8", again: str | None = None
) -> tuple[dict[str, Any], Source]:
    """The content of a TOML file with where it comes from, for `stimuli.schemas.checked`.

    Args:
        path: the file.
        allowed: what it should be, for the error message.
        again: what helps where it is not.

    Raises:
        ToolkitError: as `read_toml`.
    """
    text = read_text(path, allowed)
    return _toml(path, text, allowed), Source(str(path), again, text)


def write_toml(content: Mapping[str, object]) -> str:
    r"""Plain values as the text of a TOML file.

    Args:
        content: texts, numbers, truths, lists and tables of them.

    Example:
        >>> print(write_toml({"name": "caf\u00e9", "sha256": {"a.bin": "0"}}), end="")
        name = "café"
        <BLANKLINE>
        [sha256]
        "a.bin" = "0"
    """
    return tomli_w.dumps(content)


def _toml(path: str | Path, text: str, allowed: str) -> dict[str, Any]:
    try:
        told = tomllib.loads(text.replace("\r\n", "\n").replace("\r", "\n"))
    except (ValueError, RecursionError) as error:
        # Besides its own errors, tomllib lets through those of endless numbers and nesting.
        raise ToolkitError(f"{path} is not valid TOML: {error}.", allowed=allowed) from error
    if fault := _nesting_fault(told):
        raise ToolkitError(f"{path} is not valid TOML: {fault}.", allowed=allowed)
    for where, one in _texts(told):
        if hidden_character := hidden_in(one, keep="\n\t"):
            raise ToolkitError(
                f"{path} holds a character that is not seen, or that hides what is written.",
                given=f"{hidden_character} in {where}",
                allowed=allowed,
            )
    return told


def read_json(path: str | Path, source: Source | None = None) -> Any:
    """The content of a JSON file, as plain values.

    Args:
        path: the file.
        source: what it is called in messages, and what helps.

    Raises:
        ToolkitError: it cannot be read, is not UTF-8, or as `parse_json`.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = (Path(folder) / "config.json").write_text('{"width": 64}')
        ...     read_json(Path(folder) / "config.json")
        {'width': 64}
    """
    source = source or Source(str(path))
    try:
        content = _content(path, _JSON)
    except ToolkitError as error:
        error.next_command = source.again or error.next_command
        raise
    return decode_json(path, content, source)


def decode_json(path: str | Path, content: bytes, source: Source) -> Any:
    """What the bytes of a JSON file hold, as plain values.

    Args:
        path: the file.
        content: its bytes.
        source: what it is called in messages, and what helps.

    Raises:
        ToolkitError: they are not UTF-8, or as `parse_json`.
    """
    try:
        text = _decoded(path, content, _JSON)
    except ToolkitError as error:
        error.next_command = source.again or error.next_command
        raise
    return parse_json(text, source)


def json_record(kind: type[T], path: str | Path, again: str | None = None) -> T:
    """What a JSON file holds, as the record whose class is its schema.

    Args:
        kind: the class.
        path: the file.
        again: what helps where it cannot be read.

    Raises:
        ToolkitError: as `read_json`, or as `stimuli.schemas.checked`.
    """
    source = Source(str(path), again)
    return checked(kind, read_json(path, source), source)


def parse_json(text: str, source: Source) -> Any:
    """What JSON text holds, as plain values.

    Args:
        text: the text.
        source: where it comes from.

    Raises:
        ToolkitError: it is no JSON, or holds a key twice, a number that is none, half a character,
            or lists and objects that lie too deep in each other.

    Example:
        >>> parse_json('{"a": 1, "a": 2}', Source("b.json"))
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: b.json cannot be read: it is no JSON ("a" is there twice).
    """
    try:
        told = json.loads(text, parse_constant=_no_constant, object_pairs_hook=_once)
        fault = _nesting_fault(told) or _character_fault(text, told)
    except RecursionError:
        fault = _TOO_DEEP
    except ValueError as error:
        fault = str(error)
    if fault:
        raise ToolkitError(
            f"{source.name} cannot be read: it is no JSON ({fault}).", next_command=source.again
        )
    return told


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number there")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand in it once."""
    made = dict(pairs)
    if len(made) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"{json.dumps(twice)} is there twice")
    return made


_TOO_DEEP = f"lists and objects lie more than {NESTING} deep in each other"


def _nesting_fault(told: Any) -> str | None:
    """What is wrong with content that lies too deep for whoever goes through it."""
    level: list[Any] = [[told]]
    for _ in range(NESTING + 1):
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [item for one in inside for item in one if isinstance(item, (dict, list))]
        if not level:
            return None
    return _TOO_DEEP


def _character_fault(text: str, told: Any) -> str | None:
    """What is wrong with characters that JSON only holds escaped: zeros and halves."""
    if not _ESCAPED.search(text):
        return None
    for where, one in _texts(told):
        if found := _UNWRITABLE.search(one):
            return f"{hidden_in(found[0])} in {where} is no character"
    return None


_ESCAPED = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


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
