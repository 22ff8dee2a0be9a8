"""Names of the tests that ``analyze`` makes of what a study asks, before it is asked.

A study says in advance which of them are confirmatory. Tests of choices are worded as the analysis
words them (`toolkit.statistics.choices.cautions.named_tests`). Of maps, a population has one test
that is primary: the one that the paradigm's formula asks for, of its primary measure. Of looking, a
headline condition has four: its declared window, its clusters, and the two terms of its growth.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from toolkit.statistics.looking.prose import CLUSTERS, LINEAR, QUADRATIC, WINDOW
from toolkit.statistics.phrases import apart
from toolkit.studies.outcomes import primary_name

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from toolkit.studies.study import Asked

CHANCE = "above chance"
"""Stands for all tests of a paradigm against chance."""
PRIMARY = "primary test"
"""Stands for the primary tests of all populations that are asked for maps."""


@dataclass
class _Cells:
    """Who is asked one paradigm on one stimulus set, in which languages."""

    paradigm: BaseParadigm
    tested: dict[str, dict[str, None]] = field(default_factory=dict)
    """Test languages by population."""
    trained: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Languages of training by population."""

    @property
    def places(self) -> list[str]:
        """Every population in every language."""
        return [f"{who} in {code}" for who, codes in self.tested.items() for code in codes]


def tests_of(asks: Sequence[Asked]) -> dict[str, tuple[str, ...]]:
    """Every name that ``confirmatory`` may hold, with the tests that it stands for.

    A name is that of one test, or of a contrast between conditions or a graded factor, which stands
    for all populations and languages, `CHANCE`, or `PRIMARY`. The name of the paradigm stands
    before each.

    Args:
        asks: all that the study asks.

    Returns:
        Tests by name, each as ``PARADIGM: TEST``.
    """
    found: dict[tuple[str, str], _Cells] = {}
    for ask in asks:
        own = found.setdefault(ask.key, _Cells(ask.paradigm))
        for population in ask.populations:
            own.trained[population.name] = population.languages
            known = own.tested.setdefault(population.name, {})
            known |= dict.fromkeys(ask.tested[population.name])
    named: dict[str, dict[str, None]] = {}
    for cells in found.values():
        paradigm = cells.paradigm.name
        names = _NAMES.get(cells.paradigm.kind)
        for name, tests in names(cells) if names else ():
            own_tests = named.setdefault(f"{paradigm}: {name}", {})
            own_tests |= dict.fromkeys(f"{paradigm}: {test}" for test in tests)
    return {name: tuple(tests) for name, tests in named.items()}


def _names(cells: _Cells) -> Iterator[tuple[str, tuple[str, ...]]]:
    paradigm = cells.paradigm
    headline = [condition.name for condition in paradigm.conditions if condition.headline]
    where = dict(zip(headline, apart([(name,) for name in headline]), strict=True))
    chance = [f"{place}{more}" for more in where.values() for place in cells.places]
    if chance:
        yield CHANCE, tuple(chance)
    yield from ((name, (name,)) for name in chance)
    for contrast in paradigm.contrasts:
        yield from _everywhere(cells, f"{contrast.plus} - {contrast.minus}")
    for factor in paradigm.graded:
        yield from _everywhere(cells, factor.name)
    for more in where.values():
        yield from ((f"{name}{more}", (f"{name}{more}",)) for name in _groups(cells))


def _names_of_maps(cells: _Cells) -> Iterator[tuple[str, tuple[str, ...]]]:
    tests = [primary_name(who) for who in cells.tested]
    yield PRIMARY, tuple(tests)
    yield from ((name, (name,)) for name in tests)


def _names_of_looking(cells: _Cells) -> Iterator[tuple[str, tuple[str, ...]]]:
    paradigm = cells.paradigm
    headline = [condition.name for condition in paradigm.conditions if condition.headline]
    for what in (WINDOW, CLUSTERS, LINEAR, QUADRATIC):
        own = [f"{place}, {name}, {what}" for place in cells.places for name in headline]
        yield what, tuple(own)
        yield from ((name, (name,)) for name in own)
    for contrast in paradigm.contrasts:
        yield from _everywhere(cells, f"{contrast.plus} - {contrast.minus}")
        yield from _everywhere(cells, f"{contrast.plus} - {contrast.minus}, {CLUSTERS}")


def _everywhere(cells: _Cells, what: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A test that every population has in every language: together, and each by itself."""
    own = [f"{place}, {what}" for place in cells.places]
    yield what, tuple(own)
    yield from ((name, (name,)) for name in own)


_NAMES: dict[str, Callable[[_Cells], Iterator[tuple[str, tuple[str, ...]]]]] = {
    "choices": _names, "maps": _names_of_maps, "looking": _names_of_looking,
}  # fmt: skip
"""The tests of each kind of paradigm."""


def _groups(cells: _Cells) -> Iterator[str]:
    """Monolingual against bilingual populations, see `compare_groups`."""
    by_language: dict[str, tuple[list[str], list[str]]] = {}
    for who, codes in cells.tested.items():
        for code in codes:
            if code in cells.trained[who]:
                groups = by_language.setdefault(code, ([], []))
                groups[len(cells.trained[who]) > 1].append(who)
    both = {code: groups for code, groups in sorted(by_language.items()) if all(groups)}
    if len(both) > 1:
        yield "bilingual - monolingual, all languages"
    for code, (one, several) in both.items():
        yield f"bilingual - monolingual, {code}"
        if len(several) > 1:
            mono = "/".join(sorted(one))
            yield from (f"{who} - {mono}, {code}" for who in sorted(several))


def tests_named(name: str, tests: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The tests that a name stands for; none if it is not known.

    Args:
        name: with its paradigm before it, or without where no other paradigm has such a test.
        tests: see `tests_of`.

    Example:
        >>> tests = {"me: a in en": ("me: a in en",), "familiar: b in en": ("familiar: b in en",)}
        >>> tests_named("a in en", tests), tests_named("c in en", tests)
        (('me: a in en',), ())
    """
    if name in tests:
        return tests[name]
    found = [own for known, own in tests.items() if known.partition(": ")[2] == name]
    return found[0] if len(found) == 1 else ()
