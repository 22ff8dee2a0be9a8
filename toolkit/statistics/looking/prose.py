"""Looking in sentences."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from toolkit.statistics.looking.clusters import FEWEST
from toolkit.statistics.looking.models import Verdict
from toolkit.statistics.phrases import (
    alike,
    change,
    count,
    from_to,
    p_value,
    percent,
    statistic,
    tally,
)

if TYPE_CHECKING:
    from toolkit.statistics.looking.clusters import Cluster, CourseTest
    from toolkit.statistics.looking.models import Estimate, Growth, WindowTest
    from toolkit.statistics.looking.results import (
        ConditionCourses,
        CourseResult,
        LookingAnalysis,
    )

VERDICTS = {
    "more": "more looking at the target than by chance",
    "less": "less looking at the target than by chance",
    "open": "not shown to differ from chance",
    "few": "too few participants or words to judge",
    "undecided": "not decided",
}
SHOWN = "shown to differ from chance"
"""What is not done where a verdict is open."""
TALLIED: dict[Verdict, str] = {
    "more": "above chance",
    "less": "BELOW chance",
    "open": f"not {SHOWN}",
    "few": "without a verdict, having too few participants or words",
    "undecided": "without a test",
}
DIFFERENCES = {
    "more": "more looking at the target",
    "less": "less looking at the target",
    "open": "not shown to differ",
    "few": "too few participants or words to judge",
    "undecided": "not decided",
}


WINDOW, CLUSTERS = "window", "clusters"
LINEAR, QUADRATIC = "linear growth", "quadratic growth"
"""What the tests of a condition are called; a difference between conditions has a test without such
a name, of the window, and one of clusters."""


def where(own: CourseResult | ConditionCourses) -> str:
    """Population and language."""
    return f"{own.population} in {own.test_language}"


def window_sentence(own: CourseResult, window_ms: tuple[int, int]) -> str:
    """The declared window of one result, in a sentence."""
    test = own.window
    said = (
        f"{where(own)}, {own.condition}: {VERDICTS[test.verdict]}, {percent(test.mean)} from "
        f"{window_ms[0]} to {window_ms[1]} ms over {count(test.n_seeds, own.unit)}"
    )
    return f"{said}{_tested(test, as_share=True)}."


def window_answer(heads: Sequence[CourseResult], window_ms: tuple[int, int]) -> str:
    """What the tests of the declared window say together.

    Args:
        heads: results of the test itself.
        window_ms: first and last gate of the window.
    """
    if len(heads) == 1:
        return window_sentence(heads[0], window_ms)
    told = []
    for condition in dict.fromkeys(own.condition for own in heads):
        here = [own for own in heads if own.condition == condition]
        tested = tally([(where(own), own.window.verdict) for own in here], TALLIED, SHOWN)
        seen = [own.window.mean for own in here]
        told.append(f"{condition}: {tested}, {from_to(min(seen), max(seen))}")
    window = f"from {window_ms[0]} to {window_ms[1]} ms"
    return f"Looking at the target {window} (chance 50 %), {'; '.join(told)}."


def contrast_sentence(own: ConditionCourses) -> str:
    """A difference between conditions, in a sentence."""
    test = own.window
    return (
        f"{where(own)}, {own.plus} - {own.minus}: {DIFFERENCES[test.verdict]}, "
        f"{change(test.mean)}{_tested(test, as_share=False)}."
    )


def _tested(test: WindowTest, as_share: bool) -> str:
    if test.problem:
        return f" ({test.problem})"
    model = test.model
    t = statistic((model.value - test.against) / model.std_error, model.df)
    ends = (
        " to ".join(alike([100 * model.ci_low, 100 * model.ci_high])) + " %"
        if as_share
        else change(model.value, model.ci_low, model.ci_high)
    )
    return (
        f"; {t}, {p_value(test.p_holm)} (Holm); further seeds and items: "
        f"{'95 % CI ' if as_share else ''}{ends}"
    )


def named_sentences(analysis: LookingAnalysis) -> Iterator[tuple[str, str]]:
    """Every corrected test of the headline conditions and of differences: its name, what it says.

    Names are `where`, the condition or the difference, and `WINDOW`, `CLUSTERS`, `LINEAR` or
    `QUADRATIC`, with commas between.
    """
    for own in analysis.results:
        if own.headline:
            name = f"{where(own)}, {own.condition}"
            yield f"{name}, {WINDOW}", window_sentence(own, analysis.settings.window_ms)
            yield f"{name}, {CLUSTERS}", _whole(name, own.clusters, own.whole, own.window.n_seeds)
            for what, term in ((LINEAR, own.growth.linear), (QUADRATIC, own.growth.quadratic)):
                yield f"{name}, {what}", f"{name}, {what}: {_grown(term, own.growth)}."
    for one in analysis.contrasts:
        name = f"{where(one)}, {one.plus} - {one.minus}"
        yield name, contrast_sentence(one)
        yield f"{name}, {CLUSTERS}", _whole(name, one.clusters, one.whole, one.window.n_seeds)


def _whole(name: str, clusters: Sequence[Cluster], test: CourseTest, n_seeds: int) -> str:
    told = "" if math.isnan(test.p_holm) else f"; the whole course: {p_value(test.p_holm)} (Holm)"
    return f"{name}, {CLUSTERS}: {_clusters(clusters, n_seeds)}{told}."


def _grown(term: Estimate, growth: Growth) -> str:
    if math.isnan(term.p_value):
        return growth.problem or "the model has no such term"
    t = statistic(term.value / term.std_error, term.df)
    p = f"{p_value(term.p_holm)} (Holm)" if not math.isnan(term.p_holm) else "too few to judge"
    return f"{change(term.value, term.ci_low, term.ci_high)}; {t}, {p}"


def course_sentence(own: CourseResult) -> str:
    """When looking rises, and how far that hangs on the window."""
    parts = [_clusters(own.clusters, own.window.n_seeds)]
    many = own.multiverse
    parts.append(
        f"of {count(len(many.windows), 'window')} {many.n_above} show more looking at the "
        "target and "
        f"{many.n_below} less (uncorrected)"
    )
    time = own.reaction
    if time.n_trials == 0:
        parts.append("no trial began on the distractor")
    elif math.isnan(time.mean_ms):
        parts.append(f"none of {count(time.n_trials, 'look')} that began on the distractor turned")
    else:
        ends = (
            ""
            if math.isnan(time.ci_low)
            else f" (95 % CI {' to '.join(alike([time.ci_low, time.ci_high], least=0))})"
        )
        parts.append(
            f"{percent(time.share_turned)} of {count(time.n_trials, 'look')} that began on the "
            f"distractor turned, on average at {time.mean_ms:.0f} ms{ends}"
        )
    return f"{where(own)}, {own.condition}: {'; '.join(parts)}."


def _clusters(clusters: Sequence[Cluster], n_seeds: int) -> str:
    if n_seeds < FEWEST:
        return "too few participants for a cluster test"
    if not clusters:
        return "no gate stands out"
    told = [
        f"{one.start_ms} to {one.end_ms} ms, {p_value(one.p_value)}"
        if one.start_ms < one.end_ms
        else f"the gate at {one.start_ms} ms, {p_value(one.p_value)}"
        for one in clusters
    ]
    return f"more looking at the target in {', and '.join(told)} (one-sided, permutation)"


def answers(analysis: LookingAnalysis) -> Iterator[tuple[str, str]]:
    """Each question with its answer."""
    window = analysis.settings.window_ms
    heads = [own for own in analysis.results if own.headline]
    yield analysis.question, " ".join(window_sentence(own, window) for own in heads)
    yield "When does looking turn to the target?", " ".join(map(course_sentence, heads))
    for question in dict.fromkeys(own.question for own in analysis.contrasts):
        own = [one for one in analysis.contrasts if one.question == question]
        yield question, " ".join(map(contrast_sentence, own))


def apa(analysis: LookingAnalysis) -> str:
    """A results paragraph."""
    start, end = analysis.settings.window_ms
    said = [window_sentence(own, (start, end)) for own in analysis.results]
    said += [contrast_sentence(own) for own in analysis.contrasts]
    return (
        f"In {analysis.paradigm}, the share of looking at the target from {start} to {end} ms "
        "after the onset of the word was analysed with linear mixed-effects models "
        f"({analysis.engine}, {analysis.settings.formula}). {' '.join(said)}"
    )
