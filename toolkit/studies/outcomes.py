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
    trend_sentence,
)
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.choices.trends import TrendTest
from toolkit.statistics.looking.prose import named_sentences
from toolkit.statistics.looking.results import LookingAnalysis
from toolkit.statistics.maps.prose import resource_sentence
from toolkit.statistics.maps.results import GroundingAnalysis

if TYPE_CHECKING:
    from toolkit.statistics.models.results import Result


def sentences_of(results: Mapping[str, Result]) -> dict[str, str]:
    """What every test says, by its name, ``PARADIGM: TEST``; of maps, the primary ones.

    Args:
        results: analyses by paradigm.
    """
    told: dict[str, str] = {}
    for paradigm, analysis in results.items():
        if isinstance(analysis, Analysis):
            own = _sentences(analysis)
        elif isinstance(analysis, GroundingAnalysis):
            own = {
                primary_name(one.population): resource_sentence(one, analysis)
                for one in analysis.populations
                if one.primary
            }
        elif isinstance(analysis, LookingAnalysis):
            own = dict(named_sentences(analysis))
        else:
            continue
        told |= {f"{paradigm}: {name}": sentence for name, sentence in own.items()}
    return told


def primary_name(population: str) -> str:
    """What the primary test of a population is called that was asked for maps.

    Args:
        population: its name.

    Example:
        >>> primary_name("multilingual-clip")
        'multilingual-clip, primary test'
    """
    return f"{population}, primary test"


def _sentences(analysis: Analysis) -> dict[str, str]:
    told: dict[str, str] = {}
    tests = analysis.chance, analysis.conditions, analysis.groups, analysis.trends
    for named in named_tests(*tests):
        if isinstance(named.test, ChanceTest):
            told[named.name] = chance_sentence(named.test)
        elif isinstance(named.test, ConditionTest):
            told[named.name] = condition_sentence(named.test)
        elif isinstance(named.test, TrendTest):
            told[named.name] = trend_sentence(named.test)
    for group, where in zip(analysis.groups, places(analysis.groups), strict=True):
        told |= {f"{model.name}{where}": group_sentence(model, where) for model in group.models}
    return told
