"""ME across languages: is a foreign word kept away from a thing that has a name already?"""

from paradigms import ChildResult, ConditionContrast, PairCondition, PicturePairs, paradigm

BYERS = "Byers-Heinlein & Werker 2009 (Developmental Science), looking against baseline"
AGE = "17-18 months"


@paradigm("me-across-languages", version=1)
class MutualExclusivityAcrossLanguages(PicturePairs):
    """Words of languages that the subject is not tested in, for things that it has names for.

    Whoever maps words to things one to one gives a foreign word to the thing without a name;
    whoever does so within each language only lets the named thing have it. The target, whose choice
    is counted, is the novel picture throughout. A thing has as many names (translation equivalents)
    as the subject has languages: 1 or 2 in the included populations, 0 in untrained networks.
    """

    question = "Is a foreign word kept away from a thing that has a name in a known language?"
    source = (
        "Byers-Heinlein & Werker 2009 (Developmental Science) and 2013 (Cognition): disambiguation "
        "by number of languages and of translation equivalents"
    )
    conditions = (
        PairCondition(
            "translation",
            "foreign word for the familiar thing shown, a novel picture (the target) beside it",
            headline=True,
            target="novel",
            names_distractor=True,
            foreign=True,
        ),
        PairCondition(
            "own-novel",
            "the ME test: novel word of the own language, its picture beside a familiar picture",
            headline=True,
            word="novel",
        ),
        PairCondition(
            "foreign-absent",
            "foreign word for another familiar thing, not shown (is any foreign word novel?)",
            target="novel",
            foreign=True,
        ),
        PairCondition(
            "foreign-novel",
            "foreign word for a novel thing, its picture beside a familiar picture",
            word="novel",
            foreign=True,
        ),
        PairCondition(
            "own-translation",
            "the familiar word of the own language, a novel picture (the target) beside its own "
            "(near 0 if the word is known)",
            target="novel",
            names_distractor=True,
        ),
    )
    contrasts = (
        ConditionContrast(
            "own-novel", "translation", "Is mapping one to one stronger within a language?"
        ),
        ConditionContrast(
            "foreign-absent",
            "translation",
            "Is a foreign word given to the thing it names, rather than to any other?",
        ),
        ConditionContrast(
            "own-novel", "foreign-novel", "Are novel words of the own language more novel?"
        ),
    )
    children = (
        ChildResult("own-novel", f"{AGE}, monolingual, n = 16", BYERS, found="+.12, d = 0.67"),
        ChildResult("own-novel", f"{AGE}, bilingual, n = 16", BYERS, found="+.08, d = 0.42"),
        ChildResult("own-novel", f"{AGE}, trilingual, n = 16", BYERS, found="-.03, d = -0.13"),
        ChildResult(
            "own-novel",
            "17 months, bilingual, n = 20",
            "Byers-Heinlein & Werker 2013 (Cognition), looking against baseline",
            found="+.06, d = 0.20; less with more translation equivalents",
        ),
    )
    formula = "correct ~ 1 + (1 | seed) + (1 | word_concept) + (1 | distractor_concept)"
