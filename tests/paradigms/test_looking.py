"""Trials that are heard gate by gate: yoked pairs, practice, temperatures, and what is refused."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from scipy.optimize import minimize_scalar
from scipy.special import log_expit

from paradigms import ConditionContrast, HeardCondition, LookingParadigm, paradigm
from paradigms.looking.temperature import fitted_temperature
from paradigms.looking.trials import GatedTrials
from paradigms.looking_while_listening import LookingWhileListening
from stimuli import StimulusSet, open_set
from stimuli.errors import ToolkitError
from stimuli.unfolding import UnfoldingSet
from tests.unfolding import write_unfolding


@pytest.fixture(scope="module")
def unfolding(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    return open_set(write_unfolding(tmp_path_factory.mktemp("sets") / "unfolding"))


def trials_of(stimuli: StimulusSet, per_class: int = 6) -> GatedTrials:
    rng = np.random.default_rng(0)
    return LookingWhileListening().trials(stimuli, "en", rng, per_class=per_class)


def test_every_pair_is_shown_twice_and_each_picture_is_named_once_by_one_voice(
    unfolding: StimulusSet,
) -> None:
    test = trials_of(unfolding).test
    voice = unfolding.table["voice"]
    pairs: Counter[tuple[int, ...]] = Counter()
    for first in range(0, len(test), 2):
        shown, again = test.options[first : first + 2]
        assert shown.tolist() == again.tolist()
        assert test.target[first] != test.target[first + 1]
        said = [test.word_ids[word] for word in test.word[first : first + 2]]
        targets = test.target[first : first + 2]
        named = [test.concept_of[test.option_ids[target]] for target in targets]
        assert [test.concept_of[word] for word in said] == named
        assert len({voice[word] for word in said}) == 1
        pairs[tuple(sorted(shown.tolist()))] += 1
    assert len(test) == 2 * 4 * 6  # conditions, classes, trials


def test_conditions_have_the_same_trials_and_differ_in_the_clip_alone(
    unfolding: StimulusSet,
) -> None:
    test = trials_of(unfolding).test
    half = len(test) // 2
    assert test.conditions == ("alone", "carrier")
    assert (test.options[:half] == test.options[half:]).all()
    assert (test.target_position[:half] == test.target_position[half:]).all()
    said = [test.word_ids[word].rpartition("-") for word in test.word]
    assert [name for name, _, _ in said[:half]] == [name for name, _, _ in said[half:]]
    assert {how for _, _, how in said[:half]} == {"alone"}
    assert {how for _, _, how in said[half:]} == {"carrier"}


def test_practice_says_clips_that_no_test_trial_says(unfolding: StimulusSet) -> None:
    made = trials_of(unfolding)
    assert {name.split("-")[1] for name in made.practice.word_ids} == {"ann"}
    assert {name.split("-")[1] for name in made.test.word_ids} == {"bob", "cas"}


def test_what_is_heard_ends_at_the_gate_and_with_the_clip(unfolding: StimulusSet) -> None:
    made = trials_of(unfolding)
    gates = made.gates_ms
    alone = made.ends_ms[made.test.word_ids.index("dog-bob-alone")]
    carrier = made.ends_ms[made.test.word_ids.index("dog-bob-carrier")]
    assert alone[gates.index(0)] == 0  # 20 ms of silence are nothing to hear
    assert alone[gates.index(40)] == 60
    assert carrier[gates.index(-160)] == 40
    assert carrier[gates.index(480)] == 680
    assert carrier[gates.index(520)] == -1
    heard = dict(zip(gates, made.heard[made.test.word_ids.index("dog-bob-carrier")], strict=True))
    assert made.heard_ids[heard[-160]] == "dog-bob-carrier@40"
    assert made.heard_ids[heard[800]] == "dog-bob-carrier"


def test_nothing_behind_the_cut_is_heard(unfolding: StimulusSet) -> None:
    sounds = UnfoldingSet.of(unfolding)
    whole, part = sounds.read_clip("dog-bob-carrier"), sounds.read_clip("dog-bob-carrier@210")
    assert (part[:3360] == whole[:3360]).all()
    assert len(part) % 640 == 0
    assert not part[3360:].any()


def test_the_same_generator_gives_the_same_trials(unfolding: StimulusSet) -> None:
    assert trials_of(unfolding).checksum == trials_of(unfolding).checksum
    assert trials_of(unfolding).checksum != trials_of(unfolding, per_class=8).checksum


def test_the_temperature_is_the_most_likely_one() -> None:
    margins = np.random.default_rng(3).normal(0.4, 1.0, 60).astype(np.float32)

    def cost(temperature: float) -> float:
        return float(-log_expit(margins / temperature).sum())

    best = minimize_scalar(cost, bounds=(0.05, 50), method="bounded").x
    assert fitted_temperature(margins) == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("sign", [1, -1])
def test_answers_that_are_all_alike_have_a_finite_temperature(sign: int) -> None:
    assert fitted_temperature(sign * np.full(5, 2.0, dtype=np.float32)) == pytest.approx(0.1)
    assert fitted_temperature(np.zeros(5, dtype=np.float32)) == 1


def test_a_set_without_onsets_is_refused(tiny_set: StimulusSet, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="'tiny' does not say when its words begin") as caught:
        trials_of(tiny_set)
    assert caught.value.next_command == "the same again with --stimuli mini-carrier"
    unmarked = open_set(write_unfolding(tmp_path / "unmarked", onset_s=""))
    with pytest.raises(ToolkitError, match="does not say when its words begin"):
        trials_of(unmarked)


def test_a_set_with_one_clip_of_a_word_is_refused(tmp_path: Path) -> None:
    single = open_set(write_unfolding(tmp_path / "single", voices=("ann",)))
    with pytest.raises(ToolkitError, match="one clip of 'bear' in 'en'"):
        trials_of(single)


def test_a_window_behind_the_words_is_refused(unfolding: StimulusSet) -> None:
    @paradigm("late", version=1)
    class Late(LookingWhileListening):
        window_ms = (520, 800)

    with pytest.raises(ToolkitError, match=r"window of 520 to 800 ms lies outside 16 of 16 clips"):
        Late().trials(unfolding, "en", np.random.default_rng(0), per_class=4)


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ({"window_ms": (200, 900)}, "window does not begin and end at two of its gates"),
        ({"window_ms": (800, 200)}, "window does not begin and end at two of its gates"),
        ({"gates_ms": (40, 0, 80)}, "gates do not rise"),
        ({"gates_ms": (40, 80)}, "gates do not rise"),
        ({"formula": "correct ~ 1 + (1 | seed)"}, "response of its formula is not 'looking'"),
        ({"formula": "looking ~ linear + (1 | seed)"}, "formula knows no linear"),
        ({"growth": "looking ~ cubic + (1 | seed)"}, "growth knows no cubic"),
        ({"growth": "looking ~ linear"}, "random terms of its growth"),
    ],
)
def test_what_cannot_be_kept_is_refused(declared: dict[str, object], why: str) -> None:
    with pytest.raises(ToolkitError, match=why):
        paradigm("mine", version=1)(type("Mine", (LookingWhileListening,), declared))


def test_contrasts_name_conditions() -> None:
    with pytest.raises(ToolkitError, match="'phrase'"):

        @paradigm("mine", version=1)
        class Mine(LookingParadigm):
            question = source = "mine"
            conditions = (HeardCondition("alone", "alone", headline=True),)
            contrasts = (ConditionContrast("alone", "phrase", "?"),)
            gates_ms, window_ms = (0, 40, 80), (40, 80)
            formula = "looking ~ 1 + (1 | seed)"
            growth = "looking ~ linear + (1 | seed)"
