"""Fast mapping: is a word kept that was met once, and whose referent had to be selected?"""

from typing import ClassVar

from paradigms import (
    ChildResult,
    ConditionContrast,
    ExemplarMemory,
    Graded,
    GradientSteps,
    LearningRule,
    TaughtCondition,
    WordLearning,
    paradigm,
)

HORST = "Horst & Samuelson 2008, 3 objects"
BION = "Bion et al. 2013, looking, 2 pictures"


@paradigm("fast-mapping", version=1)
class FastMapping(WordLearning):
    """Novel words are met beside a novel and a familiar picture, then asked for among each other.

    What a subject selects is what it learns. At the test both pictures show classes that were met
    equally often, with clips and pictures that were not met, so that neither novelty nor a copy
    of what was learnt helps.
    """

    question = "Does the subject keep a novel word after it selected its referent?"
    source = (
        "Horst & Samuelson 2008 (Infancy): referent selection, retention and ostensive naming at "
        "24 months; Bion et al. 2013 (Cognition) at 18 to 30 months"
    )
    rule: ClassVar[LearningRule] = ExemplarMemory(sharpness=10)
    conditions = (
        TaughtCondition(
            "referent-selection",
            "novel word, its picture beside a familiar picture, before anything is learnt",
            headline=True,
            selection=True,
        ),
        TaughtCondition(
            "retention",
            "novel word met once, 4 other novel words since; its picture beside that of another "
            "word met as often",
            headline=True,
            exposures=1,
            others=4,
        ),
        TaughtCondition("untaught", "the retention test before any word was met (words leak?)"),
        TaughtCondition("at-once", "the retention test right after one exposure", exposures=1),
        TaughtCondition("two-exposures", "right after 2 exposures", exposures=2),
        TaughtCondition("four-exposures", "right after 4 exposures", exposures=4),
        TaughtCondition("two-others", "one exposure, 2 other words since", exposures=1, others=2),
        TaughtCondition("eight-others", "one exposure, 8 other words since", exposures=1, others=8),
        TaughtCondition(
            "one-batch", "one exposure, a batch of familiar words since", exposures=1, batches=1
        ),
        TaughtCondition(
            "four-batches",
            "one exposure, 4 batches of familiar words since",
            exposures=1,
            batches=4,
        ),
        TaughtCondition(
            "ostensive",
            "as retention, but the picture was named alone: nothing had to be selected",
            exposures=1,
            alone=True,
            others=4,
        ),
    )
    contrasts = (
        ConditionContrast("retention", "untaught", "Is more known than before the word was met?"),
        ConditionContrast("ostensive", "retention", "Is retention better if nothing is selected?"),
    )
    graded = (
        Graded(
            "exposures",
            {"untaught": 0, "at-once": 1, "two-exposures": 2, "four-exposures": 4},
            "Do more exposures help?",
            "exposure",
        ),
        Graded(
            "interference",
            {"at-once": 0, "two-others": 2, "retention": 4, "eight-others": 8},
            "Do other words since the exposure interfere?",
            "other word",
        ),
        Graded(
            "further training",
            {"at-once": 0, "one-batch": 1, "four-batches": 4},
            "Is a word forgotten with further training on familiar words?",
            "batch",
        ),
    )
    children = (
        ChildResult(
            "referent-selection", "24 months, n = 16", f"{HORST}, experiment 2", 0.70, 0.33
        ),
        ChildResult(
            "retention", "24 months", HORST, found="very poor after 5 minutes, selection excellent"
        ),
        ChildResult(
            "ostensive", "24 months", HORST, found="the first 4 names of the session are retained"
        ),
        ChildResult("referent-selection", "18 months, n = 22", BION, 0.52, 0.5),
        ChildResult("referent-selection", "24 months, n = 25", BION, 0.65, 0.5),
        ChildResult("referent-selection", "30 months, n = 20", BION, 0.68, 0.5),
        ChildResult("retention", "24 months", BION, found="no evidence of retention"),
        ChildResult("retention", "30 months", BION, found="fragile evidence of retention"),
    )
    formula = (
        "correct ~ level + (1 + level | seed) + (1 + level | word_concept) "
        "+ (1 | distractor_concept)"
    )


@paradigm("fast-mapping-gradient", version=1)
class FastMappingByGradient(FastMapping):
    """As `fast-mapping`, learnt by steps down the gradient of the layers above the backbones."""

    question = "Does the subject keep a novel word that it learnt by a few gradient steps?"
    rule = GradientSteps(rate=0.01, steps=5)
