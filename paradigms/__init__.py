"""What is asked: one file per paradigm; knows stimuli, knows no subject.

A new paradigm is one file with one decorated class::

    from paradigms import PairCondition, PicturePairs, paradigm

    @paradigm("familiar", version=1)
    class Familiar(PicturePairs):
        ...

Files in this folder are found by scan, a user's own files through ``--paradigms DIR`` or the entry
point group ``mevgs_toolkit.paradigms``.
"""

from paradigms.base import BaseParadigm
from paradigms.choices.paradigm import Paradigm, PicturePairs, Responses
from paradigms.choices.trials import ALL_WORDS, Trials
from paradigms.conditions import ChildResult, Condition, ConditionContrast, Graded, PairCondition
from paradigms.maps.paradigm import MapParadigm, Reading
from paradigms.maps.queries import Queries
from paradigms.measures import Measure
from paradigms.registry import find_paradigms, paradigm

__all__ = [
    "ALL_WORDS",
    "BaseParadigm",
    "ChildResult",
    "Condition",
    "ConditionContrast",
    "Graded",
    "MapParadigm",
    "Measure",
    "PairCondition",
    "Paradigm",
    "PicturePairs",
    "Queries",
    "Reading",
    "Responses",
    "Trials",
    "find_paradigms",
    "paradigm",
]
