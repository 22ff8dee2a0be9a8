"""Sessions that teach words: what is met, what is asked, and that nothing is asked that was met."""

from __future__ import annotations

import functools
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from paradigms import ExemplarMemory, GradientSteps, Lessons, TaughtCondition, Trials
from paradigms.choices.lessons import taught_trials
from paradigms.fast_mapping import FastMapping, FastMappingByGradient
from stimuli import StimulusSet, open_set
from stimuli.errors import ToolkitError

CONDITIONS = {condition.name: condition for condition in FastMapping.conditions}
TESTS = [name for name, condition in CONDITIONS.items() if not condition.selection]


@functools.lru_cache
def made(stimuli: StimulusSet, per_class: int = 2, seed: int = 0) -> tuple[Trials, Lessons]:
    trials = taught_trials(
        stimuli, "en", np.random.default_rng(seed), FastMapping.conditions, per_class
    )
    assert trials.lessons is not None
    return trials, trials.lessons


def before(lessons: Lessons, phase: int) -> list[int]:
    """A phase and all that come before it, the last one first."""
    found = []
    while phase >= 0:
        found.append(phase)
        phase = int(lessons.after[phase])
    return found


def rows_of(trials: Trials, name: str) -> np.ndarray:
    return np.flatnonzero(trials.condition == trials.conditions.index(name))


@pytest.fixture(scope="module", params=["tiny", "mini"])
def stimuli(request: pytest.FixtureRequest, tiny_set: StimulusSet) -> StimulusSet:
    return tiny_set if request.param == "tiny" else open_set("mini")


def test_every_word_is_asked_equally_often_in_every_condition(stimuli: StimulusSet) -> None:
    trials, _ = made(stimuli)
    for name in CONDITIONS:
        rows = rows_of(trials, name)
        said = Counter(trials.concept_of[trials.word_ids[word]] for word in trials.word[rows])
        assert set(said.values()) == {2}
        left = int((trials.target_position[rows] == 0).sum())
        assert abs(2 * left - len(rows)) <= 1


def test_conditions_that_teach_ask_the_same_trials(stimuli: StimulusSet) -> None:
    trials, _ = made(stimuli)
    first = rows_of(trials, "retention")
    for name in TESTS:
        rows = rows_of(trials, name)
        assert (trials.word[rows] == trials.word[first]).all()
        assert (trials.options[rows] == trials.options[first]).all()


def test_the_words_name_what_is_counted(stimuli: StimulusSet) -> None:
    trials, _ = made(stimuli)
    for row in range(len(trials)):
        said = trials.concept_of[trials.word_ids[trials.word[row]]]
        assert said == trials.concept_of[trials.option_ids[trials.target[row]]]


@pytest.mark.parametrize("name", list(CONDITIONS))
def test_what_was_met_before_is_what_the_condition_says(stimuli: StimulusSet, name: str) -> None:
    trials, lessons = made(stimuli)
    condition = CONDITIONS[name]
    for row in rows_of(trials, name):
        phases = before(lessons, int(lessons.asked_after[row]))
        met = np.flatnonzero(np.isin(lessons.phase, phases))
        concepts = [trials.concept_of[trials.word_ids[word]] for word in lessons.word[met]]
        shown = [trials.concept_of[trials.option_ids[o]] for o in trials.options[row]]
        alone = lessons.shown[met, 1] < 0
        count = Counter(concepts)
        familiar = [one for one in concepts if one in trials.familiar]
        assert len(familiar) == condition.batches * len(trials.familiar)
        if condition.selection:
            assert not concepts
            continue
        # Neither picture of a test is newer than the other.
        assert [count[one] for one in shown] == [condition.exposures] * 2
        novel = [one for one in concepts if one not in trials.familiar]
        taught = {
            one for one in novel if count[one] and not _is_other(lessons, trials, phases, one)
        }
        others = [one for one in novel if one not in taught]
        assert len(others) == condition.others
        assert alone.sum() == len(familiar) + condition.alone * condition.exposures * len(taught)


def _is_other(lessons: Lessons, trials: Trials, phases: list[int], concept: str) -> bool:
    """Whether a novel word is first met after the first phase."""
    if not phases:
        return False
    first = lessons.word[lessons.phase == phases[-1]]
    return concept not in {trials.concept_of[trials.word_ids[word]] for word in first}


def test_nothing_is_asked_that_was_met(stimuli: StimulusSet) -> None:
    trials, lessons = made(stimuli)
    for row in np.concatenate([rows_of(trials, name) for name in TESTS]):
        phases = before(lessons, int(lessons.asked_after[row]))
        met = np.isin(lessons.phase, phases)
        assert trials.word[row] not in lessons.word[met]
        assert not set(trials.options[row]) & set(lessons.shown[met].ravel())


def test_referent_selection_is_the_first_exposure(stimuli: StimulusSet) -> None:
    trials, lessons = made(stimuli)
    asked = {
        (int(trials.word[row]), *map(int, trials.options[row]))
        for row in rows_of(trials, "referent-selection")
    }
    after_nothing = np.flatnonzero((lessons.after[lessons.phase] < 0) & (lessons.shown[:, 1] >= 0))
    first = {(int(lessons.word[e]), *map(int, lessons.shown[e])) for e in after_nothing}
    assert asked == first


def test_pictures_side_by_side_have_one_style() -> None:
    mini = open_set("mini")
    trials, lessons = made(mini)
    style = mini.table["style"]
    pairs = np.concatenate([trials.options, lessons.shown[lessons.shown[:, 1] >= 0]])
    alike = [style[trials.option_ids[a]] == style[trials.option_ids[b]] for a, b in pairs]
    assert np.mean(alike) == 1


def test_equal_facts_make_equal_lists(tiny_set: StimulusSet) -> None:
    one, other, third = (made(tiny_set, seed=seed)[0].checksum for seed in (0, 0, 1))
    assert one == other != third


def test_lessons_are_part_of_the_checksum(tiny_set: StimulusSet) -> None:
    trials, lessons = made(tiny_set)
    turned = replace(lessons, shown=lessons.shown[:, ::-1].copy())
    turned.shown[lessons.shown[:, 1] < 0] = lessons.shown[lessons.shown[:, 1] < 0]
    assert replace(trials, lessons=turned).checksum != trials.checksum
    assert replace(trials, lessons=None).checksum != trials.checksum


@pytest.mark.parametrize(
    ("part", "value", "fault"),
    [
        ("after", [0, -1], "a phase comes before the one that it follows"),
        ("asked_after", [5], "a phase index of a lesson lies outside the phases"),
        ("word", [3], "a word index of a lesson lies outside the words"),
        ("shown", [[0, 9]], "a picture index of a lesson lies outside the pictures"),
        ("phase", [0, 0], "phases, words and pictures of exposures differ in number"),
        ("asked_after", [0, 0], "lessons are for another number of trials"),
    ],
)
def test_lessons_that_do_not_fit_are_refused(part: str, value: list[int], fault: str) -> None:
    trials = Trials.from_rows(
        [{"condition": "test", "word_id": "w", "target_id": "p", "distractor_ids": ["q"]}],
        concept_of={"w": "ball", "p": "ball", "q": "cat"},
        rng=np.random.default_rng(0),
    )
    whole = {"after": [-1], "phase": [0], "word": [0], "shown": [[0, 1]], "asked_after": [0]}
    arrays = {name: np.array(own, np.int32) for name, own in (whole | {part: value}).items()}
    with pytest.raises(ToolkitError, match=fault):
        replace(trials, lessons=Lessons(**arrays))


def test_a_set_with_too_few_novel_classes_is_refused(tiny_set: StimulusSet) -> None:
    with pytest.raises(ToolkitError) as refused:
        made(tiny_set.with_familiar(frozenset({"bear", "car", "dog", "ball", "cake", "fish"})))
    assert "2 novel and 6 familiar classes" in str(refused.value)
    assert "3 novel and 2 familiar classes or more" in str(refused.value)


def test_a_language_without_words_and_no_trials_are_refused(tiny_set: StimulusSet) -> None:
    with pytest.raises(ToolkitError, match="the language 'fr'"):
        taught_trials(tiny_set, "fr", np.random.default_rng(0), FastMapping.conditions, 1)
    with pytest.raises(ToolkitError, match="0 trials per class"):
        taught_trials(tiny_set, "en", np.random.default_rng(0), FastMapping.conditions, 0)


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_settings_of_rules_are_above_zero(value: float) -> None:
    for make in (lambda: ExemplarMemory(value), lambda: GradientSteps(value, 3)):
        with pytest.raises(ToolkitError, match="must be above 0"):
            make()


def test_rules_tell_their_settings() -> None:
    assert "s = 10" in FastMapping.rule.told
    record = FastMappingByGradient.rule.record()
    assert record["rule"] == "gradient steps"
    assert f"{record['steps']} steps" in record["told"]
    assert f"rate {record['rate']:g}" in record["told"]


def test_one_condition_is_enough(tiny_set: StimulusSet) -> None:
    only = (TaughtCondition("at-once", "", headline=True, exposures=1),)
    trials = taught_trials(tiny_set, "nl", np.random.default_rng(0), only, 1)
    assert len(trials) == 5
    assert trials.lessons is not None
    assert (trials.lessons.after == -1).all()
