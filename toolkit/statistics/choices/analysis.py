"""The default analysis of a paradigm of choices: from counts to ``statistics.json``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from paradigms.formula import Formula, check_declared
from toolkit.errors import ToolkitError, quoted, unknown_name
from toolkit.statistics.choices.apa import apa_paragraph
from toolkit.statistics.choices.cautions import Named, cautions, named_tests
from toolkit.statistics.choices.chance import ChanceTest, chance_tests, decided
from toolkit.statistics.choices.condition_contrasts import ConditionTest, contrast_tests_beside
from toolkit.statistics.choices.conditions import require_test
from toolkit.statistics.choices.draws import draw_sentences, list_cautions, variation
from toolkit.statistics.choices.families import families_of, family_text
from toolkit.statistics.choices.forgetting import forgetting_rates
from toolkit.statistics.choices.gates import apply_gate
from toolkit.statistics.choices.groups import GroupComparison, compare_groups
from toolkit.statistics.choices.items import item_consistency, word_accuracy, word_by_distractor
from toolkit.statistics.choices.kinds_beside import KindComparison, compare_kinds
from toolkit.statistics.choices.kinds_prose import kind_answers, kind_families
from toolkit.statistics.choices.lists import no_lists
from toolkit.statistics.choices.participants import counts_by_draw, drawn, unit_of
from toolkit.statistics.choices.prose import (
    answers,
    chance_sentence,
    condition_sentence,
    forgetting_sentence,
    gate_sentence,
    group_sentence,
    places,
    trend_sentence,
)
from toolkit.statistics.choices.reading import told_of_reading
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.choices.summary import summarise_choices
from toolkit.statistics.choices.trends import TrendTest, trend_tests
from toolkit.statistics.kinds import Statistics
from toolkit.statistics.models.mixed import engine
from toolkit.statistics.settings import OPTIONS, Gate, Settings
from toolkit.tables.runs import runs_once

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from paradigms import BaseParadigm


def analyse(
    counts: pd.DataFrame,
    paradigm: type[BaseParadigm] | BaseParadigm,
    settings: Settings | None = None,
    progress: Callable[[int, int], None] = lambda *_: None,
    pairs: pd.DataFrame | None = None,
) -> Analysis:
    """Run the default analysis of a paradigm.

    Args:
        counts: what `toolkit.statistics.choices.counts.read_counts` gave, one version of one
            paradigm.
        paradigm: declares the model formula, the headline conditions and the gate.
        settings: fixed in advance; the defaults if None.
        progress: called with the bootstrap simulations done and asked for.
        pairs: the same trials per word and distractor, where the counts do not tell all
            distractors; see `toolkit.statistics.choices.counts.read_lists`.

    Raises:
        ToolkitError: if several versions of the paradigm are among them, or the gate's condition
            was not tested.
    """
    settings = settings or Settings()
    versions = counts["paradigm_version"].unique()
    if len(versions) != 1:
        raise ToolkitError(
            f"The runs hold versions {', '.join(map(str, sorted(versions)))} of the paradigm "
            f"{paradigm.name!r}.",
            allowed="one version: trials of different versions are never pooled",
        )
    if settings.gate and settings.gate.condition not in set(counts["condition"]):
        raise unknown_name(
            f"condition of the paradigm {paradigm.name!r}",
            settings.gate.condition,
            sorted(counts["condition"].unique()),
            f"mevgs-toolkit describe {quoted(paradigm.name)}",
        )
    gate = settings.gate or _own_gate(paradigm)
    declared = check_declared(paradigm.formula, paradigm.name, graded=bool(paradigm.graded))
    formula = declared.at_one_level
    networks, report = apply_gate(counts, gate)
    headline = [condition.name for condition in paradigm.conditions if condition.headline]
    tested = networks[networks["condition"].isin(headline)]
    draws = variation(tested, formula)
    # Where networks learnt different draws of words, a draw is one participant.
    passed, counts = counts_by_draw(networks), counts_by_draw(counts)
    unit = unit_of(counts)
    tests = _tests(passed, counts, paradigm, declared, settings, progress)
    everyone = (
        _tests(counts, counts, paradigm, declared, settings, progress)
        if report.failed
        else _Tests((), (), (), ())
    )
    return Analysis(
        engine=engine(),
        paradigm=paradigm.name,
        paradigm_version=int(versions[0]),
        question=paradigm.question,
        settings=settings,
        gate=report,
        chance=tests.chance,
        chance_all_seeds=everyone.chance,
        conditions=tests.conditions,
        conditions_all_seeds=everyone.conditions,
        trends=tests.trends,
        trends_all_seeds=everyone.trends,
        groups=tests.groups,
        groups_all_seeds=everyone.groups,
        words=word_accuracy(counts),
        words_by_distractor=word_by_distractor(counts if pairs is None else pairs),
        consistency=item_consistency(counts),
        lists=no_lists(),
        draws=draws,
        forgetting=(rates := forgetting_rates(passed, paradigm.conditions, paradigm.graded)),
        families=tuple(tests.families()),
        answers=tuple(
            answers(tests.chance, tests.conditions, tests.groups, settings.alpha, tests.trends)
        ),
        apa=apa_paragraph(
            paradigm.name,
            " + ".join(map(str, formula.random)),
            engine(),
            *(tests.chance, tests.conditions, tests.groups, tests.trends),
            people=unit not in ("seed", "draw"),
        ),
        sentences=(
            *draw_sentences(draws, tested),
            gate_sentence(report, "seed" if unit == "draw" else unit),
            *tests.sentences(),
            *map(forgetting_sentence, rates),
        ),
        warnings=(*cautions(counts, tests.named()), *list_cautions(counts)),
    )


def _own_gate(paradigm: type[BaseParadigm] | BaseParadigm) -> Gate | None:
    return Gate(*paradigm.gate) if paradigm.gate else None


@dataclass(frozen=True)
class _Tests:
    """All tests of an analysis, made and decided."""

    chance: tuple[ChanceTest, ...]
    conditions: tuple[ConditionTest, ...]
    trends: tuple[TrendTest, ...]
    groups: tuple[GroupComparison, ...]

    def named(self) -> list[Named]:
        """Every test under its name."""
        return named_tests(self.chance, self.conditions, self.groups, self.trends)

    def sentences(self) -> list[str]:
        """What may be said, test by test."""
        said = [chance_sentence(test) for test in self.chance]
        said += [condition_sentence(test) for test in self.conditions]
        said += [trend_sentence(test) for test in self.trends]
        return said + [
            group_sentence(model, where)
            for group, where in zip(self.groups, places(self.groups), strict=True)
            for model in group.models
        ]

    def families(self) -> list[str]:
        """The families of tests, in words."""
        named = (
            ("above chance", self.chance),
            ("a condition against its control", self.conditions),
            ("trend over a graded factor", self.trends),
        )
        found = [family_text(name, tests) for name, tests in named if tests]
        return found + [
            family
            for group, where in zip(self.groups, places(self.groups), strict=True)
            for family in families_of(
                group.overall.name, group.by_language, group.by_population, where
            )
        ]


def _tests(
    counts: pd.DataFrame,
    planned: pd.DataFrame,
    paradigm: type[BaseParadigm] | BaseParadigm,
    formula: Formula,
    settings: Settings,
    progress: Callable[[int, int], None],
) -> _Tests:
    """All tests, those included that were planned and that no seed is left for after the gate."""
    wanted = paradigm.contrasts
    with contrast_tests_beside(counts, wanted, settings.alpha, planned) as conditions:
        one = formula.at_one_level
        tests, groups = _headline(counts, planned, paradigm, one, settings, progress)
        trends = trend_tests(counts, paradigm.graded, formula, settings.alpha, planned)
        return _Tests(tuple(decided(tests, settings.alpha)), conditions(), trends, tuple(groups))


def _headline(
    counts: pd.DataFrame,
    planned: pd.DataFrame,
    paradigm: type[BaseParadigm] | BaseParadigm,
    formula: Formula,
    settings: Settings,
    progress: Callable[[int, int], None],
) -> tuple[list[ChanceTest], list[GroupComparison]]:
    """The headline conditions against chance, and between groups."""
    headline = [condition.name for condition in paradigm.conditions if condition.headline]
    tests: list[ChanceTest] = []
    groups: list[GroupComparison] = []
    for condition in headline:
        own = counts[counts["condition"] == condition]
        wanted = planned[planned["condition"] == condition]
        if wanted.empty:
            continue
        tests += chance_tests(own, formula, wanted)
        for kind in sorted(wanted["subject_kind"].unique()):
            for of_draws in (False, True):
                # Those that all learnt the same words are not compared with those that did not.
                left, asked = (
                    table[(table["subject_kind"] == kind) & (drawn(table) == of_draws)]
                    for table in (own, wanted)
                )
                if asked.empty:
                    continue
                comparison = compare_groups(
                    left,
                    *(settings.bound, settings.n_bootstrap, progress, settings.alpha),
                    planned=asked,
                )
                if comparison and of_draws:
                    comparison = replace(comparison, subject_kind=f"{kind}, draws")
                groups += [comparison] if comparison else []
    return tests, groups


def analyse_choices(
    paths: Sequence[Path],
    paradigms: Path | None,
    settings: Settings,
    progress: Callable[[int, int], None],
) -> dict[str, Analysis]:
    """Analyse every paradigm of choices among some runs; otherwise as `analyse_runs`."""
    from paradigms.choices.paradigm import as_choices
    from paradigms.registry import get_paradigm
    from toolkit.statistics.choices.counts import read_lists

    read = read_lists(paths, paradigms, lambda name: _by_distractor(get_paradigm(name, paradigms)))
    made = {}
    for name in read.counts["paradigm"].unique():
        asked = as_choices(get_paradigm(str(name), paradigms))
        own, by_list, pairs = (
            _of_paradigm(table, name) for table in (read.counts, read.lists, read.pairs)
        )
        require_test(own["condition"].unique().tolist(), asked)
        analysis = analyse(own, asked, settings, progress, pairs)
        analysis = _beside(analysis, compare_kinds(
            *(runs_once(paths)[0], str(name), own, analysis.gate.failed, settings.alpha)
        ))  # fmt: skip
        made[str(name)] = told_of_reading(analysis, own, by_list, pairs, asked, read.notes)
    return made


def _by_distractor(paradigm: BaseParadigm) -> list[str]:
    """Conditions whose models ask for distractors, if any does: tests, and what is graded."""
    graded = [name for factor in paradigm.graded for name in factor.levels]
    return [one.name for one in paradigm.conditions if one.headline] + graded


def _of_paradigm(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows of a paradigm, by which they are sorted: no copy is made."""
    rows = np.flatnonzero(table["paradigm"] == name)
    return table.iloc[rows[0] : rows[-1] + 1].reset_index(drop=True)


def _beside(analysis: Analysis, kinds: tuple[KindComparison, ...]) -> Analysis:
    """An analysis with what is told of kinds of subjects beside each other."""
    answered = kind_answers(kinds, analysis.settings.alpha)
    return replace(
        analysis,
        kinds=kinds,
        answers=(*analysis.answers, *answered),
        sentences=(*analysis.sentences, *(f"{question} {said}" for question, said in answered)),
        families=(*analysis.families, *kind_families(kinds)),
    )


STATISTICS = Statistics(
    analyse=analyse_choices,
    result=Analysis,
    settings=frozenset(OPTIONS),
    results=summarise_choices,
    about=lambda _: {"measure": "accuracy"},
)
"""What is made of choices."""
