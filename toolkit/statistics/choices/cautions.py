"""What the reader of an analysis of choices must know, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from toolkit.statistics.choices.chance import ChanceTest
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.groups import GroupComparison, GroupModel
from toolkit.statistics.choices.participants import unit_of
from toolkit.statistics.choices.prose import chance_names, condition_name, places, trend_name
from toolkit.statistics.choices.trends import TrendTest
from toolkit.statistics.phrases import TIES, count, tied

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.models.results import FitResult

FEW_SEEDS = 10
"""With fewer seeds, asymptotic p-values are too small."""
SHOWN = 4
"""So many tests are named; the rest are counted."""


@dataclass(frozen=True)
class Named:
    """A test of an analysis under the name that tells it from all others."""

    name: str
    """What it is about."""
    test: ChanceTest | ConditionTest | TrendTest | GroupModel
    """The test."""


def named_tests(
    chance: Sequence[ChanceTest],
    conditions: Sequence[ConditionTest],
    groups: Sequence[GroupComparison],
    trends: Sequence[TrendTest] = (),
) -> list[Named]:
    """Every test with its name, in the order of the analysis."""
    named: list[Named] = []
    named += map(Named, chance_names(chance), chance)
    named += (Named(condition_name(test), test) for test in conditions)
    named += (Named(trend_name(test), test) for test in trends)
    return named + [
        Named(f"{model.name}{where}", model)
        for group, where in zip(groups, places(groups), strict=True)
        for model in group.models
    ]


def cautions(counts: pd.DataFrame, tests: Sequence[Named]) -> Iterator[str]:
    """What limits the numbers of an analysis: few seeds, ties, kinds, missing verdicts, fits.

    Args:
        counts: what was analysed, all conditions and seeds.
        tests: all tests, as `named_tests` names them.
    """
    per_population = counts.groupby("population", observed=True)["seed"].nunique()
    yield from _few_seeds(int(per_population.min()), unit_of(counts))
    n_ties = int(counts["n_ties"].sum())
    if n_ties:
        yield f"{tied(n_ties, int(counts['n_trials'].sum()))}. {TIES}"
    kinds = sorted(counts["subject_kind"].unique())
    if len(kinds) > 1:
        yield (
            f"Subjects are of different kinds ({', '.join(kinds)}). Children and networks are "
            "never compared as monolingual and bilingual; each kind is compared within itself."
        )
    yield from _gathered("No verdict on", [(own.test.problem, own.name) for own in tests])
    reduced = [(getattr(own.test, "reduced", ""), own.name) for own in tests]
    yield from _gathered("Reduced model of", reduced)
    yield from _of_fits([(own.name, own.test.fit) for own in tests if own.test.fit is not None])


def _few_seeds(n_seeds: int, unit: str) -> Iterator[str]:
    if n_seeds < FEW_SEEDS:
        yield (
            f"The smallest population has {count(n_seeds, unit)}. With fewer "
            f"than {FEW_SEEDS}, Wald z and likelihood-ratio p-values are too small; the t values "
            "with corrected degrees of freedom are the ones to report."
        )


def _gathered(what: str, pairs: Sequence[tuple[str, str]]) -> Iterator[str]:
    """One sentence per reason, with the tests that it holds for."""
    names: dict[str, list[str]] = {}
    for reason, name in pairs:
        if reason:
            names.setdefault(reason, []).append(name)
    for reason, own in names.items():
        yield f"{what} {_shown(own)}: {reason.rstrip('.')}."


def _shown(names: Sequence[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return "; ".join(names[:SHOWN]) + more


def _of_fits(fits: Sequence[tuple[str, FitResult]]) -> Iterator[str]:
    singular = [name for name, fit in fits if fit.singular]
    if singular:
        yield (
            "Singular fits (a variance estimated as 0 or a correlation as 1), kept as they are: "
            f"{_shown(singular)}."
        )
    yield from sorted({text for _, fit in fits for text in fit.limits})
