"""What a reader must know before believing results of choices, and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from reports.choices.tables import named_tests
from reports.parts import Line
from stimuli.wording import plural
from toolkit.statistics.choices.prose import gate_sentence
from toolkit.statistics.phrases import count

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from toolkit.statistics.choices.gates import GateReport
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.models.results import FitResult

ASSUMPTIONS = (
    "Seeds stand for further trainings of the same networks on the same data: frozen features, "
    "training pictures and voices are shared, so nothing here speaks about other backbones, "
    "other stimulus sets or other recipes. Not tested: that random effects are normally "
    "distributed, and that seeds vary equally in all populations."
)


OF_DRAWS = (
    "Draws stand for further lists of familiar words from the same concepts, each with further "
    "trainings on the same data: frozen features, training pictures and voices are shared, so "
    "nothing here speaks about other backbones, other stimulus sets or other recipes. Not tested: "
    "that random effects are normally distributed, and that draws vary equally in all populations."
)


OF_TABLES = (
    "Participants stand for further ones of their population, and words for further words. Not "
    "tested: that random effects are normally distributed, and that participants vary equally in "
    "all populations."
)


def lines(chapter: Chapter[Analysis], prefix: str) -> Iterator[Line]:
    """Word lists, the gate, whether all tests came to a verdict, and whether there were ties."""
    most = max((row.n_seeds for row in chapter.results if row.unit == "draw"), default=0)
    if most:
        text = f"{count(most, 'draw')} of familiar words: answers speak about further word lists."
        yield Line("good", f"{prefix}Word lists", text)
    yield _gate(chapter.statistics.gate, prefix, "participant" if chapter.has_people else "seed")
    yield from _verdicts(chapter.statistics, prefix)
    ties = sum(row.n_ties for row in chapter.results)
    trials = sum(row.n_trials for row in chapter.results)
    if not ties:
        yield Line("good", f"{prefix}Ties", f"No tie in {trials:,} {plural('trial', trials)}.")


def _verdicts(told: Analysis, prefix: str) -> Iterator[Line]:
    """Whether every planned test came to a verdict; the warnings say why not."""
    tests = [test for _, test in named_tests(told)]
    lost = sum(test.verdict in ("few", "undecided") for test in tests)
    planned = count(len(tests), "planned test")
    if lost:
        text = f"{lost} of {planned} came to none, and count in their families all the same."
        yield Line("warning", f"{prefix}Verdicts", text)
    elif tests:
        yield Line("good", f"{prefix}Verdicts", f"{planned}, none without a verdict.")


def _gate(gate: GateReport, prefix: str, unit: str) -> Line:
    told = gate_sentence(gate, unit)
    if gate.failed:
        return Line("warning", f"{prefix}Gated {plural(unit)}", told)
    return Line("good" if gate.n_tested else "note", f"{prefix}Gate", told)


def fits(chapter: Chapter[Analysis]) -> Iterator[FitResult]:
    """The models of a paradigm of choices."""
    for _, test in named_tests(chapter.statistics):
        if test.fit is not None:
            yield test.fit
