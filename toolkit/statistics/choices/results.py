"""What the analysis of choices gives: an entry of ``statistics.json``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from toolkit.statistics.choices.chance import ChanceTest
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.forgetting import ForgettingRate
from toolkit.statistics.choices.gates import GateReport
from toolkit.statistics.choices.groups import GroupComparison
from toolkit.statistics.choices.kinds_beside import KindComparison
from toolkit.statistics.choices.trends import TrendTest
from toolkit.statistics.models.results import Result
from toolkit.statistics.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

STATISTICS_SCHEMA = 4
"""Raised when a key of ``statistics.json`` is added, goes, or changes its meaning."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Analysis(Result):
    """The analysis of a paradigm of choices."""

    paradigm_kind: Literal["choices"] = "choices"
    """Its kind."""
    schema: int = STATISTICS_SCHEMA
    """Version of what is written."""
    settings: Settings
    """What was fixed in advance."""
    gate: GateReport
    """What became of the gate."""
    chance: tuple[ChanceTest, ...]
    """Headline conditions against chance: seeds that passed the gate."""
    chance_all_seeds: tuple[ChanceTest, ...]
    """The same with all seeds; empty if none failed."""
    conditions: tuple[ConditionTest, ...]
    """The test against its controls, as the paradigm declares: seeds that passed the gate."""
    conditions_all_seeds: tuple[ConditionTest, ...]
    """The same with all seeds; empty if none failed."""
    groups: tuple[GroupComparison, ...]
    """Monolingual against bilingual, per headline condition: seeds that passed the gate."""
    groups_all_seeds: tuple[GroupComparison, ...]
    """The same with all seeds; empty if none failed."""
    kinds: tuple[KindComparison, ...] = ()
    """Children, or other subjects that are no models, beside models: subjects that passed the gate;
    empty where all are of one kind."""
    words: pd.DataFrame
    """Accuracy per word."""
    words_by_distractor: pd.DataFrame
    """Accuracy per word and distractor class."""
    consistency: pd.DataFrame
    """Agreement of seeds about words."""
    lists: pd.DataFrame
    """How accuracy varies over trial lists; empty with a single list."""
    trends: tuple[TrendTest, ...] = ()
    """Slopes over the graded factors that the paradigm declares: seeds that passed the gate."""
    trends_all_seeds: tuple[TrendTest, ...] = ()
    """The same with all seeds; empty if none failed."""
    draws: pd.DataFrame
    """How far draws of familiar words, seeds, words and distractors differ, see
    `toolkit.statistics.choices.draws.variation`; empty without draws."""
    forgetting: tuple[ForgettingRate, ...] = ()
    """How fast is forgotten what a paradigm taught: seeds that passed the gate; empty where it
    teaches nothing."""
