"""Characters that are not seen, or that make text look like another: refused, or shown escaped.

Control characters can command a terminal, line separators break a line of a log in two, and
bidirectional overrides show a name backwards. None of them belongs into a name. Signs that only
join or part letters (zero-width joiners, direction marks) do, and are left alone.
"""

from __future__ import annotations

import re

HIDDEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
"""Control characters, line and paragraph separators, bidirectional overrides; and what no file in
UTF-8 or XML can hold: lone surrogates, and two signs that Unicode gives to nobody."""
_IN_NAMES = re.compile(r"\n(?![ \t])")
_BYTES = re.compile("[\udc80-\udcff]+")
_LAYOUT = "\t\n\r"
"""Control characters that texts of several lines are laid out with."""


def shown(text: str, keep: str = "") -> str:
    r"""A text with hidden characters escaped, as Python writes them.

    Args:
        text: any text.
        keep: hidden characters that are left as they are, such as line breaks.

    Example:
        >>> print(shown("dog\x1b[31m"), shown("\u202ecat"))
        dog\x1b[31m \u202ecat
    """
    if not HIDDEN.search(text):
        return text
    return HIDDEN.sub(
        lambda found: found[0] if found[0] in keep else _escaped(found[0]), whole(text)
    )


def whole(text: str) -> str:
    r"""A text with bytes put together that Python kept apart, where they are UTF-8.

    Where the locale knows ASCII only, each byte of a letter in a path is half a character.

    Args:
        text: any text.

    Example:
        >>> whole("B\udcc3\udcbccher"), whole("no\udcffthing")
        ('Bücher', 'no\udcffthing')
    """

    def letters(found: re.Match[str]) -> str:
        kept_apart = found[0].encode("utf-8", "surrogateescape")
        return kept_apart.decode("utf-8", "surrogateescape")

    return _BYTES.sub(letters, text)


def json_shown(text: str) -> str:
    r"""A text in JSON with hidden characters escaped; it is read back as the same.

    Args:
        text: JSON; outside of its strings it holds no hidden characters but line breaks.

    Example:
        >>> print(json_shown('{"name": "\u202ecat"}'))
        {"name": "\u202ecat"}
    """
    return HIDDEN.sub(
        lambda found: found[0] if found[0] in _LAYOUT else f"\\u{ord(found[0]):04x}", whole(text)
    )


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")


def shown_message(text: str) -> str:
    r"""A message with hidden characters escaped; its lines but the first are indented.

    Other line breaks belong to a name that stands in it, and are escaped as well.

    Args:
        text: any text.

    Example:
        >>> print(shown_message("two\nlines.toml has faults:\n  - no name"))
        two\nlines.toml has faults:
          - no name
    """
    return shown(_IN_NAMES.sub(r"\\n", text), keep="\n\t")


def hidden_in(text: str, keep: str = "") -> str | None:
    r"""The first hidden character of a text, escaped; None where there is none.

    Args:
        text: any text.
        keep: hidden characters that may be there, such as line breaks.

    Example:
        >>> print(hidden_in("dog\x1b[31m"), hidden_in("a\nb", keep="\n"))
        \x1b None
    """
    return next((shown(one) for one in HIDDEN.findall(text) if one not in keep), None)


def hidden_in_lines(text: str) -> tuple[int, str] | None:
    r"""The first hidden character that lays out no text, with the number of its line.

    Args:
        text: content of a text file, or a part of it.

    Example:
        >>> hidden_in_lines("id,concept\n1,dog\x07\n")
        (2, '\\x07')
    """
    for found in HIDDEN.finditer(text):
        if found[0] not in _LAYOUT:
            return text.count("\n", 0, found.start()) + 1, shown(found[0])
    return None
