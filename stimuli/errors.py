"""The one error a user of the toolkit is meant to see, and helpers to word it.

It lives in the lowest layer so that every layer above can raise it; `toolkit.errors` re-exports it.
"""

from __future__ import annotations

import difflib
import locale
import re
import shlex
from collections.abc import Iterable, Sequence

from stimuli.characters import HIDDEN, shown, shown_message, whole


class UncheckedWarning(UserWarning):
    """What is read may not be what was written, and nothing can tell."""


CODE = 2
"""Letters of the code of a language."""
MESSAGE, PART = 1_200, 300
"""Most characters that are shown of what is wrong, and of each of the lines below it."""


class ToolkitError(Exception):
    """Something the user gave cannot be used, said in terms of what to do next.

    Args:
        message: what is wrong, in one sentence, naming the file or option.
        given: what the user gave.
        allowed: what would have been accepted.
        nearest: the accepted name closest to `given`.
        next_command: a command or an edit that helps.

    Example:
        >>> print(ToolkitError("The folder is empty.", next_command="ls stimuli"))
        The folder is empty.
          try: ls stimuli
    """

    def __init__(
        self,
        message: str,
        *,
        given: str | None = None,
        allowed: str | None = None,
        nearest: str | None = None,
        next_command: str | None = None,
    ) -> None:
        """Keep the parts apart, so that a program can read what a person sees."""
        super().__init__(message)
        self.message = message
        self.given = given
        self.allowed = allowed
        self.nearest = nearest
        self.next_command = next_command

    def __str__(self) -> str:
        """The message, then one indented line for every part that is known.

        What is too long to be read is shortened; the parts themselves are whole.
        """
        parts = {"given": self.given, "did you mean": self.nearest, "allowed": self.allowed}
        # Names and texts of the user's stand in them: none may command the terminal.
        told = [
            f"  {what}: {shown(shortened(text))}"
            for what, text in parts.items()
            if text is not None
        ]
        if self.next_command is not None:
            told.append(f"  try: {shown(self.next_command)}")
        return "\n".join([shown_message(shortened(self.message, MESSAGE)), *told])


def shortened(text: str, most: int = PART) -> str:
    r"""A text as far as it can be read: damaged files make names and lists without end.

    Args:
        text: any text; of a line, the beginning counts, of several lines the first ones.
        most: characters, but for what says how much is left out.

    Example:
        >>> shortened("a" * 9, 4)
        'aaaa...'
        >>> print(shortened("one fault:\n  first\n  second\n  third", 20))
        one fault:
          first
          and 2 more lines
    """
    if len(text) <= most:
        return text
    lines = [line if len(line) <= PART else f"{line[:PART]}..." for line in text.split("\n")]
    first = [lines[0] if len(lines[0]) <= most else f"{lines[0][:most]}..."]
    length = len(first[0])
    for line in lines[1:]:
        length += 1 + len(line)
        if length > most:
            break
        first.append(line)
    left_out = len(lines) - len(first)
    return "\n".join([*first, f"  and {left_out} more lines"] if left_out else first)


def first_line(error: BaseException) -> str:
    r"""What a library said of a fault, without all that it adds below.

    Example:
        >>> first_line(ValueError("no header\nsee the manual")), first_line(KeyError())
        ('no header', 'KeyError')
    """
    lines = str(error).split("\n")
    told = [line.strip() for line in lines if line.strip()] or [type(error).__name__]
    return " ".join(told[: 2 if told[0].endswith(":") else 1])


def typed(value: object) -> str:
    """A value as one would type it: numbers of NumPy and pandas without their types.

    Args:
        value: a number or a text.

    Example:
        >>> import numpy as np
        >>> typed(np.int16(1)), typed(np.float32(0.5)), typed("1")
        ('1', '0.5', "'1'")
    """
    plain = getattr(value, "item", None)
    return repr(plain() if callable(plain) else value)


def quoted(name: object) -> str:
    r"""A path or name as it may be typed, blanks and signs in quotation marks.

    Hidden characters are written as bytes, which bash and zsh put together again.

    Args:
        name: a path, or any other word of a command.

    Example:
        >>> quoted("my photos/a.png"), quoted("words.toml")
        ("'my photos/a.png'", 'words.toml')
        >>> print(quoted("do\x1bg"))
        $'do\x1bg'
    """
    text = whole(str(name))
    if not HIDDEN.search(text):
        return shlex.quote(text)
    return f"$'{''.join(map(_typed, text))}'"


def command_line(words: Iterable[object]) -> str:
    """A command as it may be typed.

    Args:
        words: the program and its arguments.

    Example:
        >>> command_line(["mevgs-toolkit", "report", "my runs"])
        "mevgs-toolkit report 'my runs'"
    """
    return " ".join(map(quoted, words))


def _typed(character: str) -> str:
    """A character between ``$'`` and ``'``."""
    if HIDDEN.match(character):
        # Half a character is a byte that Python could not read, or can be in no name of a file.
        half = "surrogateescape" if "\udc80" <= character <= "\udcff" else "surrogatepass"
        return "".join(f"\\x{byte:02x}" for byte in character.encode("utf-8", half))
    return f"\\{character}" if character in "\\'" else character


def nearest_name(given: str, allowed: Iterable[str]) -> str | None:
    """The allowed name closest to the given one, or None when nothing is close.

    Upper and lower case count as equal; a name of the same parts in another order is closest. The
    name of a language means its code, and so does the code with a region. What is as short as
    a code means one that begins alike, or has the same letters.

    Example:
        >>> nearest_name("Cluck", ["clock", "camel"])
        'clock'
        >>> nearest_name("nl_EN", ["en-fr", "en-nl", "nl"])
        'en-nl'
        >>> nearest_name("Dutch", ["en", "nl"]), nearest_name("en-US", ["en", "nl"])
        ('nl', 'en')
        >>> nearest_name("german", ["en", "nl"]) is None
        True
        >>> nearest_name("xyz", ["clock", "camel"]) is None
        True
        >>> nearest_name("de", ["en", "nl"]) is None, nearest_name("ln", ["en", "nl"])
        (True, 'nl')
    """
    by_folded = {name.casefold(): name for name in allowed}
    folded = given.casefold()
    same_parts = [name for name in by_folded if _parts(name) == _parts(folded)]
    if not same_parts and (code := _language(folded)):
        if code in by_folded:
            return by_folded[code]
        if folded.isalpha():  # a language, and not one of these
            return None
    likely = same_parts or [
        name
        for name in by_folded
        if len(folded) > CODE or name[:1] == folded[:1] or sorted(name) == sorted(folded)
    ]
    close = difflib.get_close_matches(folded, likely, n=1, cutoff=0.5)
    close = close or same_parts[:1]
    return by_folded[close[0]] if close else None


def nearest_names(given: str, allowed: Iterable[str]) -> str | None:
    """As `nearest_name`; all names that the given one begins, where it begins several.

    Example:
        >>> nearest_names("novel", ["novel-novel", "familiar", "novel-familiar"])
        'novel-novel, novel-familiar'
        >>> nearest_names("familar", ["novel-novel", "familiar"])
        'familiar'
    """
    names = [*allowed]
    begun = [
        one for one in names if re.match(rf"{re.escape(given.casefold())}[\W_]", one.casefold())
    ]
    return ", ".join(begun) if len(begun) > 1 else nearest_name(given, names)


def _language(name: str) -> str:
    """The code of the language that is called so, or that stands before a region; else empty."""
    if region := re.fullmatch(r"([a-z]{2,3})[-_][a-z]{2}", name):
        return region[1]
    # Python's table of locales: english is en_EN.ISO8859-1. Its short names are codes, or no words.
    known = locale.locale_alias.get(name, "") if len(name) > 4 and name.isalpha() else ""
    return known.partition("_")[0]


def _parts(name: str) -> list[str]:
    """What a name is put together from, whatever the order and the signs between."""
    return sorted(re.split(r"[\W_]+", name))


def unknown_name(
    kind: str,
    given: str,
    allowed: Sequence[str],
    next_command: str | None = None,
    where: str | None = None,
) -> ToolkitError:
    """The error for a name that is not known, with the nearest one that is.

    Args:
        kind: what the name names, for example "paradigm".
        given: the unknown name.
        allowed: every known name.
        next_command: a command that lists the known names.
        where: what would have to hold it, unless it was looked for everywhere.

    Returns:
        The error, to be raised by the caller.

    Example:
        >>> error = unknown_name("stimulus set", "mimi", ["mini"], "mevgs-toolkit list stimuli")
        >>> error.nearest
        'mini'
        >>> print(error)
        There is no stimulus set 'mimi'.
          given: mimi
          did you mean: mini
          allowed: mini
          try: mevgs-toolkit list stimuli
    """
    called = "called " if kind.endswith("'") else ""
    return ToolkitError(
        f"There is no {kind} {called}{given!r}{f' in {where}' if where else ''}.",
        given=given,
        allowed=", ".join(allowed) if allowed else "(none found)",
        nearest=nearest_names(given, allowed),
        next_command=next_command,
    )
