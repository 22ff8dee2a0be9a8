"""From any name to a part of a file name: other names, other files, on every file system."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST_PART = 240
"""Bytes that a name can have of which those of files are made; disks take some 255."""
LONGEST = 64
"""Characters up to which a name is kept as it is."""
_LONGEST_BYTES = 80
"""Bytes of a name that are shown before its checksum."""
_PLAIN = re.compile(r"[a-z0-9_](?:[a-z0-9_-]*[a-z0-9_])?")
_MARKED = re.compile(r".*-[0-9a-f]{12}")
_RESERVED = re.compile(r"con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³]")
"""Names of devices, which Windows gives to no file; raised digits count as digits."""


def file_name(name: str) -> str:
    """A name as it may stand in the name of a file, a folder or an anchor.

    Names of small Latin letters, digits, `_` and inner `-` are kept. In all others, what is no
    letter or digit becomes a hyphen, and twelve digits of the name's SHA-256 follow: blanks and
    signs, capitals and accents (which some file systems ignore or rewrite), names that are too
    long, empty, reserved on Windows, or look like one that was made here.

    Args:
        name: any text.

    Returns:
        The same for the same name; for two names two that differ even where capitals do not count
        and Unicode is normalised. At most 93 bytes, without a dot.

    Example:
        >>> file_name("ice-cream"), file_name("ice cream")
        ('ice-cream', 'ice-cream-e971c330aab8')
        >>> file_name("Wörter/1"), file_name("?")
        ('Wörter-1-4f841b8c17c1', 'name-8a8de823d5ed')
    """
    kept = _PLAIN.fullmatch(name) and len(name) <= LONGEST
    if kept and not (_RESERVED.fullmatch(name) or _MARKED.fullmatch(name)):
        return name
    shown = "".join(c if _is_shown(c) else "-" for c in unicodedata.normalize("NFC", name))
    shown = re.sub("-+", "-", shown).encode()[:_LONGEST_BYTES].decode(errors="ignore").strip("-")
    checksum = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return f"{shown or 'name'}-{checksum}"


def is_reserved(part: str) -> bool:
    """Whether Windows gives this name to no file: a device, or one that ends in a dot or blank.

    Args:
        part: name of a file or folder.

    Example:
        >>> is_reserved("con.png"), is_reserved("NUL"), is_reserved("a."), is_reserved("cone.png")
        (True, True, True, False)
    """
    stem = part.partition(".")[0].rstrip().lower()
    return _RESERVED.fullmatch(stem) is not None or part.endswith((".", " "))


def alike(path: str) -> str:
    r"""The same for all paths that are one file where capitals and Unicode forms do not count.

    Args:
        path: any path.

    Example:
        >>> alike("Pictures/Be\u0301.png") == alike("pictures/b\u00e9.PNG")
        True
    """
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())


def _is_shown(character: str) -> bool:
    """Whether a character is a letter, a digit, `_`, or a sign that belongs to a letter."""
    return character.isalnum() or character == "_" or unicodedata.category(character)[0] == "M"


def can_be_path(name: str) -> bool:
    """Whether a file could be called so: no part is too long for a disk.

    Args:
        name: of a file or folder, with or without those above it.

    Example:
        >>> can_be_path("my-subjects/ear.h5"), can_be_path(240 * "a"), can_be_path(128 * "é")
        (True, True, False)
    """
    parts = name.encode("utf-8", "surrogatepass").replace(b"\\", b"/").split(b"/")
    return all(len(part) <= LONGEST_PART for part in parts)
