"""What a reader must know before believing results of choices, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from reports.choices.tables import named_tests
from reports.parts import Line
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from reports.chapter import Chapter

ASSUMPTIONS = (
    "Seeds stand for further trainings of the same networks on the same data: frozen features, "
    "training pictures and voices are shared, so nothing here speaks about other backbones, "
    "other stimulus sets or other recipes. Not tested: that random effects are normally "
    "distributed, and that seeds vary equally in all populations."
)


OF_TABLES = (
    "Participants stand for further ones of their population, and words for further words. Not "
    "tested: that random effects are normally distributed, and that participants vary equally in "
    "all populations."
)


def lines(chapter: Chapter, prefix: str) -> Iterator[Line]:
    """The gate, whether all tests came to a verdict, and whether there were ties."""
    yield _gate(chapter.statistics, prefix)
    yield from _verdicts(chapter.statistics, prefix)
    ties = sum(row["n_ties"] for row in chapter.results)
    trials = sum(row["n_trials"] for row in chapter.results)
    if not ties:
        yield Line("good", f"{prefix}Ties", f"No tie in {trials:,} trial{'s' * (trials != 1)}.")


def _verdicts(statistics: Mapping[str, Any], prefix: str) -> Iterator[Line]:
    """Whether every planned test came to a verdict; the warnings say why not."""
    tests = [test for _, test in named_tests(statistics)]
    lost = sum(test["verdict"] in ("few", "undecided") for test in tests)
    planned = count(len(tests), "planned test")
    if lost:
        text = f"{lost} of {planned} came to none, and count in their families all the same."
        yield Line("warning", f"{prefix}Verdicts", text)
    elif tests:
        yield Line("good", f"{prefix}Verdicts", f"{planned}, none without a verdict.")


def _gate(statistics: Mapping[str, Any], prefix: str) -> Line:
    gate = statistics["gate"]
    if gate["failed"]:
        return Line("warning", f"{prefix}Gated seeds", statistics["sentences"][0])
    applied = bool(gate["n_tested"])
    return Line("good" if applied else "note", f"{prefix}Gate", statistics["sentences"][0])


def fits(chapter: Chapter) -> Iterator[Mapping[str, Any]]:
    """The models of a paradigm of choices."""
    for _, test in named_tests(chapter.statistics):
        if test["fit"]:
            yield test["fit"]
