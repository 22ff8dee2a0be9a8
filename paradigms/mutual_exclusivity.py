"""Mutual exclusivity (ME): is a novel word taken for the novel of two things?"""

from paradigms import ConditionContrast, PairCondition, PicturePairs, paradigm


@paradigm("me", version=2)
class MutualExclusivity(PicturePairs):
    """A novel word is said; a novel and a familiar picture are shown. With its controls."""

    question = "Does the subject take a novel word for the novel picture?"
    source = (
        "Nortje et al. 2024 (TACL); Oneata et al. 2025 (arXiv 2506.04037, section 2); "
        "controls as in child studies, e.g. Lewis et al. 2020 (Cognition)"
    )
    conditions = (
        PairCondition(
            "novel-familiar",
            "the ME test: novel word, its picture beside a familiar picture",
            headline=True,
            word="novel",
            distractor="familiar",
        ),
        PairCondition(
            "familiar-novel",
            "familiar word, its picture beside a novel picture (is novelty chosen regardless?)",
            word="familiar",
            distractor="novel",
        ),
        PairCondition(
            "novel*-familiar",
            "novel word, picture of ANOTHER novel class beside a familiar picture "
            "(equals the ME test if it does not matter which novel word is said)",
            word="novel",
            distractor="familiar",
            mismatched=True,
        ),
        PairCondition(
            "absent-familiar",
            "familiar word whose picture is ABSENT, a novel picture (the target) beside another "
            "familiar picture (equals the ME test if it does not matter that the word is novel)",
            word="familiar",
            target="novel",
            distractor="familiar",
        ),
        PairCondition(
            "novel-novel",
            "novel word, its picture beside another novel picture (chance unless words leak)",
            word="novel",
            distractor="novel",
        ),
        PairCondition(
            "preference",
            "the picture pairs of the ME test, scores averaged over all words "
            "(preference for novel pictures before any word is heard)",
            word="novel",
            distractor="familiar",
            all_words=True,
            pairs_of="novel-familiar",
        ),
    )
    contrasts = (
        ConditionContrast(
            "novel-familiar",
            "absent-familiar",
            "Does the choice of the novel picture rest on the word being novel?",
        ),
        ConditionContrast(
            "novel-familiar",
            "novel*-familiar",
            "Does the choice of the novel picture rest on which novel word is said?",
        ),
    )
    formula = "correct ~ 1 + (1 | seed) + (1 | word_concept) + (1 | distractor_concept)"
    gate = ("familiar-novel", 0.5)
