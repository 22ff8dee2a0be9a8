"""What is known of children beside models, as one record."""

from __future__ import annotations

from dataclasses import dataclass

from toolkit.statistics.children.ages import AgeGroup
from toolkit.statistics.children.curve import Curve
from toolkit.statistics.children.items import ItemMatch
from toolkit.statistics.children.looking import LookingMatch


@dataclass(frozen=True)
class Study:
    """One condition of a study of children."""

    paper: str
    """Paper, as MetaLab names it."""
    multilingual: bool
    """True for multilingual children, who have no part in the curve."""
    age_months: float
    """Mean age."""
    share: float
    """Share of choices of the novel thing, of 1."""
    n_children: int
    """Children."""


@dataclass(frozen=True)
class Band:
    """One population of models in one test language."""

    population: str
    """Who was asked."""
    test_language: str
    """In which language."""
    n_languages: int
    """Languages it was trained on; 0 for untrained networks."""
    n_seeds: int
    """Networks, or draws of familiar words."""
    unit: str
    """Which of them: ``seed`` or ``draw``."""
    mean: float
    """Mean over them: share of right choices, of 1."""
    ci_low: float
    """Lower end of the 95 % interval over them; NaN where there is none."""
    ci_high: float
    """Upper end."""
    chance: float
    """Chance level."""


@dataclass(frozen=True)
class AgeComparison:
    """One test: what children do at which age, and what models do."""

    condition: str
    """Which condition models were asked."""
    curve: Curve | None
    """Of children over age; None where there are means by age alone."""
    studies: tuple[Study, ...]
    """Conditions of studies behind the curve, and those that stand apart."""
    groups: tuple[AgeGroup, ...]
    """Children by age: of one study, as published, or of tables that were given."""
    bands: tuple[Band, ...]
    """Models."""
    notes: tuple[tuple[str, str], ...] = ()
    """Questions about what was read and what was left out, with answers."""


@dataclass(frozen=True)
class Comparison:
    """Children beside models: by age, item by item, by looking."""

    tests: tuple[AgeComparison, ...]
    """Test of mutual exclusivity, familiar words."""
    items: tuple[ItemMatch, ...]
    """Populations of children with populations of models; none without tables of children."""
    looking: tuple[LookingMatch, ...]
    """Age groups with populations of models; none without a file of looking."""
    answers: tuple[tuple[str, str], ...]
    """Questions and what may be concluded."""
    sources: tuple[str, ...]
    """Where the children's data come from."""
