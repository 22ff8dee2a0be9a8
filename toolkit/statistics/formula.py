"""Reads a model formula in lme4 notation, as far as the adapter must know its parts."""

from __future__ import annotations

import re
from dataclasses import dataclass

from toolkit.errors import ToolkitError

RANDOM_TERM = re.compile(r"\(\s*([^()|]+?)\s*\|(\|?)\s*([^()|]+?)\s*\)")
NAME = re.compile(r"[A-Za-z_.][A-Za-z0-9_.]*")


@dataclass(frozen=True)
class RandomTerm:
    """``(terms | group)``."""

    terms: str
    """What varies, e.g. ``1 + bilingual``."""
    group: str
    """Grouping factor, e.g. ``word_concept`` or ``seed:word_concept``."""

    def __str__(self) -> str:
        """In lme4 notation."""
        return f"({self.terms} | {self.group})"


@dataclass(frozen=True)
class Formula:
    """A formula taken apart.

    Example:
        >>> f = parse("correct ~ bilingual * test_language + (1 | seed) + (1 + bilingual | word)")
        >>> f.response, f.fixed, [str(term) for term in f.random]
        ('correct', 'bilingual * test_language', ['(1 | seed)', '(1 + bilingual | word)'])
        >>> sorted(f.variables)
        ['bilingual', 'correct', 'seed', 'test_language', 'word']
        >>> str(f.without("word"))
        'correct ~ bilingual * test_language + (1 | seed)'
    """

    response: str
    """Left side."""
    fixed: str
    """Fixed part of the right side, ``1`` if empty."""
    random: tuple[RandomTerm, ...]
    """Random terms, in the order written."""

    def __str__(self) -> str:
        """In lme4 notation."""
        return f"{self.response} ~ " + " + ".join([self.fixed, *map(str, self.random)])

    @property
    def predictors(self) -> frozenset[str]:
        """Names on the right side."""
        text = " ".join([self.fixed, *(f"{t.terms} {t.group}" for t in self.random)])
        return frozenset(NAME.findall(text))

    @property
    def variables(self) -> frozenset[str]:
        """All names of columns the formula reads."""
        left = NAME.findall(self.response.removeprefix("cbind"))
        return self.predictors | frozenset(left)

    @property
    def counts(self) -> tuple[str, str] | None:
        """Columns of successes and failures in ``cbind(successes, failures)``; else None."""
        match = re.fullmatch(r"cbind\(\s*(\S+?)\s*,\s*(\S+?)\s*\)", self.response)
        return (match[1], match[2]) if match else None

    def with_random(self, random: tuple[RandomTerm, ...]) -> Formula:
        """The same with other random terms."""
        return Formula(self.response, self.fixed, random)

    def without(self, group: str) -> Formula:
        """The same without the random terms of a grouping factor."""
        return self.with_random(tuple(t for t in self.random if t.group != group))

    def with_fixed(self, fixed: str) -> Formula:
        """The same with another fixed part."""
        return Formula(self.response, fixed, self.random)


def parse(text: str) -> Formula:
    """Take a formula apart.

    Args:
        text: lme4 notation, e.g. ``correct ~ 1 + (1 | seed)``.

    Raises:
        ToolkitError: if there is no ``~``, nothing on its left, brackets are left over, or a
            double bar is used, which the engine does not know.
    """
    left, tilde, right = text.partition("~")
    if not tilde or not left.strip():
        raise _unreadable(text, "it needs a response, a tilde and predictors")
    terms = []
    for match in RANDOM_TERM.finditer(right):
        if match[2]:
            raise _unreadable(text, "uncorrelated slopes (x || g) are not supported")
        terms.append(RandomTerm(" ".join(match[1].split()), match[3].replace(" ", "")))
    fixed = RANDOM_TERM.sub(" ", right)
    if "|" in fixed:
        raise _unreadable(text, "a random term must stand in brackets: (1 | seed)")
    parts = [part.strip() for part in re.split(r"\+", fixed)]
    fixed = " + ".join(" ".join(part.split()) for part in parts if part) or "1"
    return Formula(left.strip(), fixed, tuple(terms))


def _unreadable(text: str, why: str) -> ToolkitError:
    return ToolkitError(
        f"The model formula cannot be read: {why}.",
        given=text,
        allowed="lme4 notation, e.g. correct ~ bilingual + (1 | seed) + (1 | word_concept)",
    )
