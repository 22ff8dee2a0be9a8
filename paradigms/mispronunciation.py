"""Mispronunciation: how far may a familiar word be changed before it is no longer recognised?"""

from paradigms import ChildResult, Graded, PairCondition, PicturePairs, paradigm
from paradigms.conditions import Status

FEATURES = ("place", "voice", "manner")
CHANGES = ("place", "voice", "manner", "place+voice", "place+manner", "voice+manner",
           "place+voice+manner")  # fmt: skip
"""All ways to change some of the features of a word's first consonant."""
BESIDE: dict[Status, str] = {
    "familiar": "beside another familiar picture",
    "novel": "beside a novel picture, which a word that is taken for a new one could name (ME)",
}


def _conditions(beside: Status) -> list[PairCondition]:
    """The word as it is, then the very same trials with each change, then another word."""
    headline = beside == "novel"
    return [
        PairCondition(
            f"correct-{beside}", f"familiar word, its picture {BESIDE[beside]}",
            headline=headline, distractor=beside,
        ),
        *(
            PairCondition(
                f"{change}-{beside}", f"the same trials, {change} of the onset changed",
                headline=headline and change == CHANGES[-1],
                distractor=beside, pairs_of=f"correct-{beside}", variant=change,
            )
            for change in CHANGES
        ),
        PairCondition(
            f"unrelated-{beside}", "another familiar word, whose picture is not shown (the floor)",
            distractor=beside, mismatched=True,
        ),
    ]  # fmt: skip


def _graded(beside: Status) -> list[Graded]:
    """The number of changed features, and each feature by itself."""
    number = {f"{change}-{beside}": change.count("+") + 1 for change in CHANGES}
    where = f"beside a {beside} picture"
    return [
        Graded(
            f"features changed, {where}", {f"correct-{beside}": 0} | number,
            f"Does the familiar picture lose choices with every changed feature, {where}?",
            "feature",
        ),
        *(
            Graded(
                f"{one} changed, {where}",
                {f"correct-{beside}": 0} | {name: int(one in name) for name in number},
                f"Does a change of {one} cost choices of the familiar picture, {where}?",
                "change",
            )
            for one in FEATURES
        ),
    ]  # fmt: skip


@paradigm("mispronunciation", version=1)
class Mispronunciation(PicturePairs):
    """Familiar words with 1, 2 and 3 features of the first consonant changed, within items.

    Place, voice and manner are crossed, so that every number of features is made up of all kinds of
    features alike, and each has its own contrast. The target is the familiar picture throughout.
    Words that lack a change (no consonant is a nasal without voice) are left out of that condition.
    """

    question = "Does the subject recognise familiar words the less, the more they are changed?"
    source = (
        "White & Morgan 2008 (Journal of Memory and Language), 1, 2 and 3 features of the onset, "
        "beside a novel object; Swingley & Aslin 2000 (Cognition), beside a familiar one; "
        "meta-analysis of Von Holzen & Bergmann 2021 (Developmental Psychology)"
    )
    default_set = "mini-mispronounced"
    conditions = (*_conditions("novel"), *_conditions("familiar"))
    graded = (*_graded("novel"), *_graded("familiar"))
    children = (
        ChildResult(
            "correct-familiar", "12 to 28 months, 1001 infants, 32 experiments",
            "Von Holzen & Bergmann, meta-analysis (2017 abstract, WILD)",
            found="words as they are: Hedges' g = 0.97 above chance",
        ),
        ChildResult(
            "place-familiar", "12 to 28 months, 1001 infants, 32 experiments",
            "Von Holzen & Bergmann, meta-analysis (2017 abstract, WILD)",
            found="mispronunciations cost g = 0.60 (SE 0.06), all kinds and sizes together",
        ),
        ChildResult(
            "place+voice+manner-novel", "19 months", "White & Morgan 2008, experiment 1",
            found="looking at the familiar object falls with 1, 2 and 3 features (graded)",
        ),
        ChildResult(
            "voice-novel", "19 months", "White & Morgan 2008, experiment 2",
            found="place, voice and manner cost alike",
        ),
    )  # fmt: skip
    formula = (
        "correct ~ level + (1 + level | seed) + (1 + level | word_concept)"
        " + (1 | distractor_concept)"
    )
