"""What came of tests, by the names that a study file may call confirmatory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from toolkit.statistics.choices.cautions import named_tests
from toolkit.statistics.choices.chance import ChanceTest
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.prose import (
    chance_sentence,
    condition_sentence,
    group_sentence,
    places,
)
from toolkit.statistics.choices.results import Analysis

if TYPE_CHECKING:
    from toolkit.statistics.models.results import Result


def sentences_of(results: Mapping[str, Result]) -> dict[str, str]:
    """What every test says, by its name, ``PARADIGM: TEST``; tests of maps have no names.

    Args:
        results: analyses by paradigm.
    """
    told: dict[str, str] = {}
    for paradigm, analysis in results.items():
        if isinstance(analysis, Analysis):
            own = _sentences(analysis)
            told |= {f"{paradigm}: {name}": sentence for name, sentence in own.items()}
    return told


def _sentences(analysis: Analysis) -> dict[str, str]:
    told: dict[str, str] = {}
    for named in named_tests(analysis.chance, analysis.conditions, analysis.groups):
        if isinstance(named.test, ChanceTest):
            told[named.name] = chance_sentence(named.test)
        elif isinstance(named.test, ConditionTest):
            told[named.name] = condition_sentence(named.test)
    for group, where in zip(analysis.groups, places(analysis.groups), strict=True):
        told |= {f"{model.name}{where}": group_sentence(model, where) for model in group.models}
    return told
