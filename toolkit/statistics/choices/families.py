"""Families of tests, in words: which tests were corrected for each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from toolkit.statistics.phrases import told_family


class Planned(Protocol):
    """A planned test, made or not."""

    @property
    def problem(self) -> str:
        """Why there is no test or no verdict; empty if there is one."""


def family_text(name: str, tests: Sequence[Planned]) -> str:
    """A family of tests in words.

    Args:
        name: what it is called.
        tests: all planned tests; those with a ``problem`` could not be made.

    Example:
        >>> from types import SimpleNamespace as Test
        >>> family_text("above chance", [Test(problem=""), Test(problem="separated")])
        'above chance: Holm over 2 planned tests, of which 1 gave no verdict'
        >>> family_text("above chance", [Test(problem="")])
        'above chance: one test'
    """
    return told_family(name, len(tests), sum(bool(test.problem) for test in tests))


def families_of(
    primary: str,
    by_language: Sequence[Planned],
    by_population: Sequence[Planned],
    where: str = "",
) -> Iterator[str]:
    """The families of a comparison of groups.

    Args:
        primary: name of its primary test.
        by_language: its tests per test language.
        by_population: its tests per bilingual population and test language.
        where: what tells the comparison from others, see `toolkit.statistics.choices.prose.places`.

    Example:
        >>> list(families_of("bilingual - monolingual, en", [], [], " (child)"))
        ['primary (child): one test (bilingual - monolingual, en)']
    """
    yield f"primary{where}: one test ({primary})"
    for name, tests in (
        ("per test language", by_language),
        ("per bilingual population and test language", by_population),
    ):
        if tests:
            yield family_text(f"{name}{where}", tests)
