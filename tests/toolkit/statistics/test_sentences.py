"""Sentences about results of all shapes: their direction, numbers, intervals and grammar."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd
import pytest

from paradigms.mutual_exclusivity import MutualExclusivity
from tests.toolkit.statistics.random_results import (
    ALPHA,
    chance_family,
    comparisons,
    condition_family,
    gate,
)
from tests.toolkit.statistics.random_tables import TwoTests, random_trials
from tests.toolkit.statistics.saying import faults, numbers_of, unexplained
from toolkit.statistics.choices.analysis import analyse
from toolkit.statistics.choices.apa import apa_paragraph
from toolkit.statistics.choices.cautions import cautions, named_tests
from toolkit.statistics.choices.chance import ChanceTest
from toolkit.statistics.choices.condition_contrasts import ConditionTest
from toolkit.statistics.choices.counts import count_trials
from toolkit.statistics.choices.families import family_text
from toolkit.statistics.choices.groups import GroupComparison, GroupModel
from toolkit.statistics.choices.prose import (
    answers,
    chance_sentence,
    condition_sentence,
    gate_sentence,
    group_sentence,
    places,
)
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.choices.seeds import SeedComparison
from toolkit.statistics.phrases import LEVELS, p_value, percent, points
from toolkit.statistics.ratios import ratios

N = 250
"""Draws of every kind; a second or so."""
TABLES = (*range(6), 33, 53)
"""Seeds of tables; in the last two, the gate leaves one condition of a contrast alone."""
Draw = tuple[list[ChanceTest], list[ConditionTest], list[GroupComparison]]
SIDES = {"higher": 1, "above": 1, "lower": -1, "LOWER": -1, "BELOW": -1}
ENDS = r"\[([^,\]]+), ([^\]]+)\]"


def said_of(rng: np.random.Generator) -> Draw:
    return chance_family(rng), condition_family(rng), comparisons(rng)


def directions(said: str) -> set[int]:
    """Signs that the words of a sentence claim, leaving aside notes on other tests."""
    own = said.partition(" Raw means")[0].partition("The raw accuracy")[0]
    own = own.partition("What can be given")[0]
    own = own.replace("neither higher nor lower", "")
    words = re.findall(r"\b(higher|lower|LOWER|above|BELOW)\b", own)
    return {SIDES[word] for word in words}


def excludes(ends: Sequence[str], mark: float) -> bool:
    """True if a printed interval leaves out a value."""
    low, high = (
        -math.inf if end.startswith("under") else math.inf if end.startswith("over") else float(end)
        for end in ends
    )
    return low > mark or high < mark


def printed_p(said: str) -> list[str]:
    return re.findall(r"p (?:= \d*\.\d+|< \.001)", said)


def analysis_of(seed: int) -> Analysis:
    asked = TwoTests if seed % 3 == 0 else MutualExclusivity
    return analyse(count_trials(random_trials(np.random.default_rng(seed))), asked)


@pytest.fixture(scope="module")
def analyses() -> list[Analysis]:
    return [analysis_of(seed) for seed in TABLES]


@pytest.fixture(scope="module")
def draws(analyses: list[Analysis]) -> list[Draw]:
    """Results that no data need ever give, and results of tables of trials."""
    made = [said_of(np.random.default_rng(seed)) for seed in range(N)]
    return made + [(list(a.chance), list(a.conditions), list(a.groups)) for a in analyses]


def test_no_sentence_holds_what_cannot_be(draws: list[Draw]) -> None:
    found = []
    for seed, (chance, conditions, groups) in enumerate(draws):
        said = [chance_sentence(test) for test in chance]
        said += [condition_sentence(test) for test in conditions]
        for group, where in zip(groups, places(groups), strict=True):
            said += [group_sentence(model, where) for model in group.models]
            said += group.families
        said += [text for pair in answers(chance, conditions, groups, ALPHA) for text in pair]
        said.append(apa_paragraph("me", "(1 | seed)", "glmm 0", chance, conditions, groups))
        said.append(gate_sentence(gate(np.random.default_rng(seed))))
        said.append(family_text("above chance", chance))
        found += [fault for text in said for fault in faults(text)]
    assert not found, "\n".join(found[:20])


def tie_share(tests: Sequence[ChanceTest | ConditionTest]) -> set[float]:
    """Ties among all trials of some tests, in per cent."""
    n_trials = sum(test.n_trials for test in tests)
    return {100 * sum(test.n_ties for test in tests) / n_trials} if n_trials else set()


def test_every_number_is_one_of_the_result(draws: list[Draw]) -> None:
    found = []
    for chance, conditions, groups in draws:
        for test in chance:
            pool = numbers_of(test) | {100 / n for n in test.n_choices} | tie_share([test])
            found += unexplained(chance_sentence(test), pool, [test.problem])
        for one in conditions:
            pool = numbers_of(one) | tie_share([one])
            found += unexplained(condition_sentence(one), pool, [one.problem])
        for model in (model for group in groups for model in group.models):
            found += unexplained(group_sentence(model), numbers_of(model), [model.problem])
        pool = numbers_of([chance, conditions, groups])
        pool |= {100 / n for test in chance for n in test.n_choices}
        pool |= {float(n) for n in range(20)}  # how many tests came to which verdict
        pool |= {float(sum(test.n_ties for test in chance))}
        pool |= {float(sum(test.n_trials for test in chance))} | tie_share(chance)
        for test in [*chance, *conditions]:
            pool |= tie_share([test])
        problems = [t.problem for t in [*chance, *conditions]]
        problems += [model.problem for group in groups for model in group.models]
        lowered = [f"{text[:1].lower()}{text[1:].rstrip('.')}" for text in problems]
        said = [text for _, text in answers(chance, conditions, groups, ALPHA)]
        said.append(apa_paragraph("me", "(1 | seed)", "glmm 0", chance, conditions, groups))
        for text in said:
            found += unexplained(text, pool, [*problems, *lowered, "glmm 0", "(1 | seed)"])
    assert not found, "\n".join(found[:20])


def test_chance_sentences_agree_with_their_test(draws: list[Draw]) -> None:
    seen = set()
    for test in (test for chance, _, _ in draws for test in chance):
        said = chance_sentence(test)
        seen.add(test.verdict)
        sign = {"higher": 1, "lower": -1}.get(test.verdict)
        assert directions(said) == ({sign} if sign else set()), said
        if sign:
            assert sign * test.estimate > 0
        if test.verdict == "undecided":
            assert "no test" in said
            continue
        p = test.p_value if math.isnan(test.p_holm) else test.p_holm
        assert printed_p(said) == [p_value(p)], said
        ends = re.search(r"95 % CI ([\d.]+) to ([\d.]+) %", said)
        if ends:
            assert excludes(ends.groups(), 100 * test.chance) == (test.p_value < 0.05), said
    assert seen == {"higher", "lower", "open", "few", "undecided"}


def test_contrast_sentences_agree_with_their_test(draws: list[Draw]) -> None:
    seen = set()
    pairs: list[tuple[str, ConditionTest | GroupModel]] = []
    for _, conditions, groups in draws:
        pairs += [(condition_sentence(test), test) for test in conditions]
        pairs += [(group_sentence(model), model) for group in groups for model in group.models]
    for said, test in pairs:
        effect = test.contrast
        seen.add((type(test), test.verdict))
        deciding = said.partition(" Secondary")[0]
        if effect is None or test.verdict == "undecided":
            assert "no test" in said
            assert "differ." not in deciding
            continue
        size = effect.probability_difference
        signs = {int(math.copysign(1, effect.estimate))} if abs(size) > 1e-9 else set()
        assert directions(deciding) == signs, said
        assert ("The groups differ." in said) == (
            isinstance(test, GroupModel) and test.verdict in ("higher", "lower")
        )
        assert ("(Holm)" in deciding) <= (not math.isnan(effect.p_holm))
        if math.isnan(effect.p_value):
            continue
        p = effect.p_value if math.isnan(effect.p_holm) else effect.p_holm
        assert printed_p(deciding) == [p_value(p)], said
        significant = effect.p_value < 0.05
        for what, mark in ((r"(?:er|lower|higher) " + ENDS, 0.0), (r"ratio [^;\[]*" + ENDS, 1.0)):
            ends = re.search(what, deciding)
            if ends:
                assert excludes(ends.groups(), mark) == significant, said
    assert len(seen) == 10


def test_secondary_sentences_agree_with_their_test(draws: list[Draw]) -> None:
    found = 0
    for model in (model for _, _, groups in draws for group in groups for model in group.models):
        seeds: SeedComparison = model.seeds
        _, _, said = group_sentence(model).partition("Secondary")
        if not said:
            continue
        found += 1
        shown = re.search(r"in points, by ([-+\d.]+)(?: " + ENDS + ")?", said)
        assert shown, said
        assert float(shown[1]) * seeds.difference >= 0
        if shown[2] and abs(seeds.difference) < 1:
            assert excludes(shown.groups()[1:], 0.0) == (seeds.p_value < 0.05), said
    assert found > 50


def test_analyses_say_nothing_impossible_and_everything_once(analyses: list[Analysis]) -> None:
    for analysis in analyses:
        said = [*analysis.sentences, *analysis.families, *analysis.warnings, analysis.apa]
        said += [text for pair in analysis.answers for text in pair]
        assert not [fault for text in said for fault in faults(text)]
        assert len(set(analysis.sentences)) == len(analysis.sentences)
        assert len(set(analysis.families)) == len(analysis.families)
        questions = [question for question, _ in analysis.answers]
        assert len(set(questions)) == len(questions)
        names = [sentence.partition(": ")[0] for sentence in analysis.sentences]
        assert len(set(names)) == len(names)
        json.dumps(analysis.to_json(), allow_nan=False)


def test_no_test_is_named_twice(draws: list[Draw]) -> None:
    for chance, conditions, groups in draws:
        tests = named_tests(chance, conditions, groups)
        names = [own.name for own in tests]
        assert len(set(names)) == len(names)
        said = [group_sentence(m, w) for g, w in zip(groups, places(groups), strict=True)
                for m in g.models]  # fmt: skip
        assert [text.partition(": ")[0] for text in said] == names[len(chance) + len(conditions) :]


def test_cautions_hold_nothing_impossible_and_name_every_reason(draws: list[Draw]) -> None:
    counts = pd.DataFrame(
        {"population": ["p", "p"], "seed": ["a", "a"], "n_ties": [1, 0], "n_trials": [1, 1],
         "subject_kind": ["child", "model"]}
    )  # fmt: skip
    for chance, conditions, groups in draws:
        tests = named_tests(chance, conditions, groups)
        said = list(cautions(counts, tests))
        assert not [fault for text in said for fault in faults(text)]
        reasons = {own.test.problem.rstrip(".") for own in tests if own.test.problem}
        told = [text for text in said if text.startswith("No verdict on")]
        assert len(told) == len(reasons)
        assert all(any(text.endswith(f"{reason}.") for text in told) for reason in reasons)


def test_numbers_are_not_rounded_into_what_they_are_not() -> None:
    assert p_value(0.04996) == "p = .04996"
    assert all(p_value(level) == f"p = {level:.3f}".replace("0.", ".", 1) for level in LEVELS)
    assert (p_value(0.00099), p_value(0.001)) == ("p < .001", "p = .001")
    assert percent(0.50002, 0.5) == "50.002 %"
    assert points(3e-5) == "0.003 percentage points"
    assert ratios(1e-4, 0.3) == ["1.0001", "1.3499"]
    assert percent(-1e-12) == "0.0 %"
