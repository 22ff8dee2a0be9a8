"""Methods of looking, written from what the runs have recorded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from paradigms.looking.temperature import FLATTEST, SHARPEST
from stimuli.wording import count
from toolkit.statistics.looking.clusters import ALL_TURNINGS, FEWEST
from toolkit.statistics.models.contrasts import LEAST_SEEDS, LEAST_WORDS

if TYPE_CHECKING:
    from reports.chapter import Chapter
    from toolkit.statistics.looking.results import LookingAnalysis
    from toolkit.statistics.models.results import FitResult

REFERENCES = (
    "Fernald, A., Pinto, J. P., Swingley, D., Weinberg, A., & McRoberts, G. W. (1998). Rapid gains "
    "in speed of verbal processing by infants in the 2nd year. Psychological Science, 9.",
    "Maris, E., & Oostenveld, R. (2007). Nonparametric statistical testing of EEG- and MEG-data. "
    "Journal of Neuroscience Methods, 164.",
    "Mirman, D., Dixon, J. A., & Magnuson, J. S. (2008). Statistical and computational models of "
    "the visual world paradigm: Growth curves and individual differences. Journal of Memory and "
    "Language, 59.",
    "Zettersten, M., et al. (2023). Peekbank: An open, large-scale repository for developmental "
    "eye-tracking data of children's word recognition. Behavior Research Methods, 55.",
)


def references(_: Chapter[LookingAnalysis]) -> tuple[str, ...]:
    """Literature on the paradigm and its tests."""
    return REFERENCES


def trials(chapter: Chapter[LookingAnalysis]) -> Iterator[str]:
    """What was asked."""
    told = chapter.statistics
    gates = [gate.gate_ms for gate in told.results[0].course] if told.results else []
    for manifest in chapter.manifests[:1]:
        yield (
            f"Paradigm {chapter.paradigm} (version {chapter.version}; {chapter.question}): words "
            f"and pictures came from the set {manifest.stimuli.name} (version "
            f"{manifest.stimuli.version}), about "
            f"{count(manifest.trials_per_class or 0, 'trial')} per word class "
            "and condition."
        )
    if gates:
        yield (
            f"Both pictures of a trial were scored at {count(len(gates), 'gate')} from "
            f"{gates[0]} to "
            f"{gates[-1]} ms after the onset of the word, by what had been heard of the clip up to "
            "that point; nothing behind it was there to be heard. Where nothing was heard yet, a "
            "picture had its mean score over practice words. Pictures came in yoked pairs: each "
            "was the target once, named by the same voice."
        )
    yield (
        "The share of looking is the softmax of the two scores; its temperature was fitted per "
        "seed and language by maximum likelihood on practice trials with whole words of clips that "
        "no test trial used (the size of the slope, not its sign; the temperature lies between the "
        f"median difference of scores over {SHARPEST:g} and over {FLATTEST:g})."
    )
    for name, meaning in {row.condition: row.meaning for row in chapter.results}.items():
        yield f"Condition {name}: {meaning}."


def analysis(chapter: Chapter[LookingAnalysis]) -> Iterator[str]:
    """How it was analysed."""
    told = chapter.statistics
    start, end = told.settings.window_ms
    yield (
        f"Mean looking in the declared window ({start} to {end} ms) of every seed, word and "
        f"distractor class was held against chance with a linear mixed-effects model "
        f"({told.engine}, REML, {told.settings.formula}) with Satterthwaite's degrees of freedom, "
        f"two-sided, level {told.settings.alpha:g} after Holm; a verdict needs {LEAST_SEEDS} seeds "
        f"and {LEAST_WORDS} words. Conditions were compared by the same model of their differences."
    )
    yield (
        "Stretches of time with more looking at the target were tested by cluster permutation over "
        f"seeds (one-sided; all turnings of up to {ALL_TURNINGS} seeds, else 4,096; at least "
        f"{FEWEST} seeds), which speaks about further seeds and the same items. "
        f"Growth curves: {told.settings.growth}, orthogonal time after the onset. Every other "
        "window is described by t over seeds, uncorrected. Reaction times are those of trials in "
        "which the distractor was looked at more at the onset."
    )
    if told.families:
        yield f"Families of tests: {'; '.join(told.families)}."


def assumptions(_: Chapter[LookingAnalysis]) -> str:
    """What is assumed and not tested."""
    return (
        "Seeds stand for further seeds, words and pictures for further ones of their kind; nobody "
        "drew them at random. Not tested: that random effects and what is left over are normally "
        "distributed (shares end at 0 and 1), and that the curves of seeds are symmetric around "
        "chance where there is no preference."
    )


def fits(chapter: Chapter[LookingAnalysis]) -> Iterator[FitResult]:
    """The models whose convergence the status tells."""
    for own in chapter.statistics.results:
        yield from (fit for fit in (own.window.fit, own.growth.fit) if fit is not None)
