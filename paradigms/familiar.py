"""Familiar-word recognition: does the subject know the words it was trained on?"""

from paradigms import PairCondition, PicturePairs, paradigm


@paradigm("familiar", version=1)
class Familiar(PicturePairs):
    """A familiar word is said; its picture and a picture of another familiar class are shown."""

    question = "Does the subject look at the picture of a word it knows?"
    source = "Nortje et al. 2024 (TACL), familiar-familiar test; looking-while-listening studies"
    conditions = (
        PairCondition(
            "familiar-familiar",
            "familiar word, its picture beside another familiar picture",
            headline=True,
            word="familiar",
            distractor="familiar",
        ),
    )
    formula = "correct ~ 1 + (1 | seed) + (1 | word_concept) + (1 | distractor_concept)"
