"""Looking while listening: when in the course of a word does the subject turn to its picture?"""

from paradigms import ConditionContrast, HeardCondition, LookingParadigm, paradigm


@paradigm("looking-while-listening", version=1)
class LookingWhileListening(LookingParadigm):
    """A familiar word unfolds beside its picture and another familiar one.

    Every 40 ms both pictures are scored by what has been heard so far, and a softmax of the two
    scores is the share of looking at the target; its temperature is fitted on practice trials with
    other clips. A model needs no time to move its eyes: what children look at some 300 ms later
    (Fernald et al. 2008), it looks at now, and the window begins that much earlier.
    """

    question = "Does the subject look at the named picture while the word is still unfolding?"
    source = (
        "Fernald et al. 1998 (Psychological Science 9), 2008 (looking while listening); "
        "Peekbank, Zettersten et al. 2023 (Behavior Research Methods 55)"
    )
    conditions = (
        HeardCondition("alone", "the word by itself, as it was learnt", headline=True),
        HeardCondition(
            "carrier",
            "the same word behind a carrier word, as children hear it",
            headline=True,
            behind_carrier=True,
        ),
    )
    contrasts = (
        ConditionContrast(
            "alone", "carrier", "Is a word found less well in connected speech than by itself?"
        ),
    )
    gates_ms = tuple(range(-160, 801, 40))
    window_ms = (200, 800)
    formula = "looking ~ 1 + (1 | seed) + (1 | word_concept) + (1 | distractor_concept)"
    growth = (
        "looking ~ linear + quadratic + (1 + linear + quadratic | seed) "
        "+ (1 + linear + quadratic | word_concept)"
    )
