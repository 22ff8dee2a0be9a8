"""Numbers of things in words: one helper for the plural, so that nothing says "1 words"."""

from __future__ import annotations

IRREGULAR = {"child": "children"}
"""Plurals that follow no rule."""
HISSING = ("s", "x", "z", "ch", "sh")
"""Ends of words whose plural has one more syllable."""


def plural(what: str, n: float = 2) -> str:
    """What so many things are called.

    Args:
        what: one of them; of several words the last is inflected.
        n: how many there are.

    Example:
        >>> plural("seed"), plural("batch"), plural("test trial", 1), plural("child")
        ('seeds', 'batches', 'test trial', 'children')
    """
    if n == 1:
        return what
    *before, last = what.split(" ")
    if last in IRREGULAR:
        made = IRREGULAR[last]
    elif last.endswith(HISSING):
        made = f"{last}es"
    elif last.endswith("y") and last[-2:-1] not in "aeiou":
        made = f"{last[:-1]}ies"
    else:
        made = f"{last}s"
    return " ".join([*before, made])


def count(n: int, what: str) -> str:
    """A number of things.

    Example:
        >>> count(1, "seed"), count(3, "seed"), count(12345, "child")
        ('1 seed', '3 seeds', '12345 children')
    """
    return f"{n} {plural(what, n)}"
