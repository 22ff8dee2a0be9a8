"""Subjects whose looks are known: dummies, and one that recognises words after 300 ms."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paradigms.looking_while_listening import LookingWhileListening
from paradigms.registry import get_paradigm
from stimuli import StimulusSet, open_set
from tests.commands import Cli
from tests.unfolding import KNOWN_S, Knower, Streamer, write_unfolding
from toolkit.api.running import run_paradigm
from toolkit.errors import ToolkitError
from toolkit.running.looking import prepare
from toolkit.statistics.looking.analysis import analyse_looks
from toolkit.statistics.looking.data import read_looks
from toolkit.statistics.looking.results import CourseResult, LookingAnalysis
from toolkit.subjects.backbones.stored import StoredFeatures
from toolkit.subjects.population import Population

START, END = LookingWhileListening.window_ms
FIRST_KNOWN = min(gate for gate in LookingWhileListening.gates_ms if gate >= 1000 * KNOWN_S)


@pytest.fixture(scope="module")
def unfolding(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    return open_set(write_unfolding(tmp_path_factory.mktemp("sets") / "unfolding"))


def asked(who: str | Population, stimuli: StimulusSet, root: Path) -> pd.DataFrame:
    return run_paradigm(
        "looking-while-listening", who, stimuli=stimuli, out=root, trials_per_class=12
    ).trials


def analysed(root: Path) -> LookingAnalysis:
    (folder,) = root.glob("looking-*")
    (looks,) = read_looks([folder]).values()
    return analyse_looks(looks, LookingWhileListening())


def made(kind: type, name: str = "knower", seeds: tuple[str, ...] = ("a",)) -> Population:
    return Population(name, ("en",), seeds, "Knows when.", lambda *_: kind())


@pytest.mark.parametrize(
    ("dummy", "looking", "correct"),
    [("perfect", 1.0, 1.0), ("reversed", 0.0, 0.0), ("constant", 0.5, 0.0)],
)
def test_dummies_look_where_they_must_in_all_conditions(
    dummy: str, looking: float, correct: float, unfolding: StimulusSet, tmp_path: Path
) -> None:
    trials = asked(dummy, unfolding, tmp_path)
    window = trials[trials["gate_ms"].between(START, END)]
    by_condition = window.groupby("condition", observed=True)[["looking", "correct"]].mean()
    assert sorted(by_condition.index) == ["alone", "carrier"]
    assert np.allclose(by_condition["looking"], looking, atol=1e-6)
    assert (by_condition["correct"] == correct).all()
    if dummy == "constant":
        assert window["tie"].all()
    for own in analysed(tmp_path).results:
        assert own.window.mean == pytest.approx(looking, abs=1e-6)
        # All looks are the same, so that there is nothing to test with.
        assert own.window.verdict == "undecided"
        assert own.reaction.n_trials == (0 if looking >= 0.5 else 4 * 12 * 10)
        assert np.isnan(own.reaction.mean_ms)
        assert len(own.clusters) == (looking > 0.5)


def test_the_random_dummy_is_not_told_from_chance(unfolding: StimulusSet, tmp_path: Path) -> None:
    trials = asked("random", unfolding, tmp_path)
    assert trials["looking"].mean() == pytest.approx(0.5, abs=0.02)
    analysis = analysed(tmp_path)
    assert {own.window.verdict for own in analysis.results} == {"open"}
    assert {own.window.verdict for own in analysis.contrasts} == {"open"}


def check_knower(result: CourseResult) -> None:
    course = {gate.gate_ms: gate.mean for gate in result.course}
    for gate, looking in course.items():
        # Pairs are yoked: what is liked for no reason is the target as often as not.
        assert looking == pytest.approx(0.5, abs=1e-6) if gate < FIRST_KNOWN else looking > 0.99
    assert result.reaction.n_trials == 12 * 4 / 2
    assert result.reaction.share_turned == 1
    assert result.reaction.mean_ms == FIRST_KNOWN


def test_a_subject_turns_at_the_gate_at_which_it_knows(
    unfolding: StimulusSet, tmp_path: Path
) -> None:
    asked(made(Knower), unfolding, tmp_path)
    alone, carrier = analysed(tmp_path).results
    for result in (alone, carrier):
        check_knower(result)


def test_a_subject_that_streams_looks_as_one_that_hears_cut_clips(
    unfolding: StimulusSet, tmp_path: Path
) -> None:
    cut = asked(made(Knower), unfolding, tmp_path / "cut")
    streamed = asked(made(Streamer), unfolding, tmp_path / "streamed")
    columns = ["trial", "word_id", "target_id", "gate_ms", "looking", "temperature", "correct"]
    pd.testing.assert_frame_equal(cut[columns], streamed[columns])


def test_what_is_done_is_not_done_again(unfolding: StimulusSet, tmp_path: Path) -> None:
    plan = prepare(
        get_paradigm("looking-while-listening"), [made(Knower)], unfolding, per_class=4,
        root=tmp_path,
    )  # fmt: skip
    assert plan.missing() == ["knower/a/en"]
    assert plan.carry_out().n_computed == 1
    assert plan.carry_out().n_computed == 0


def test_every_row_is_one_trial_at_one_gate(unfolding: StimulusSet, tmp_path: Path) -> None:
    trials = asked(made(Knower), unfolding, tmp_path)
    gates = LookingWhileListening.gates_ms
    assert len(trials) == 2 * 4 * 12 * len(gates)
    assert not trials.duplicated(["trial", "gate_ms"]).any()
    assert trials["gate_ms"].to_numpy()[: len(gates)].tolist() == list(gates)
    expected = 1 / (1 + np.exp(-trials["margin"] / trials["temperature"]))
    assert np.allclose(trials["looking"], expected, atol=1e-6)


def test_a_subject_that_gives_nan_is_refused(unfolding: StimulusSet, tmp_path: Path) -> None:
    class Lost(Knower):
        def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
            return np.full((len(words), len(pictures)), np.nan, dtype=np.float32)

    with pytest.raises(ToolkitError, match="Subject knower/a gave NaN or infinity"):
        asked(made(Lost), unfolding, tmp_path)


def test_a_subject_on_stored_features_cannot_hear_parts(
    unfolding: StimulusSet, tmp_path: Path
) -> None:
    class Ear:
        def load(self) -> StoredFeatures:
            return StoredFeatures.__new__(StoredFeatures)

    class Bound(Knower):
        hearing = seeing = Ear()

        def embed_word_features(self, features: object) -> None: ...

        def embed_picture_features(self, features: object) -> None: ...

    with pytest.raises(ToolkitError, match="knower/a hears through stored features") as caught:
        asked(made(Bound), unfolding, tmp_path)
    assert caught.value.next_command == "the same again without --features"


def test_commands_say_what_lacks(cli: Cli) -> None:
    run = ("run-paradigm", "looking-while-listening", "--subject")
    said = cli(*run, "perfect", "--stimuli", "mini")
    assert said.code == 2
    assert "'mini' does not say when its words begin" in said.err
    assert "--stimuli mini-carrier" in said.err
    said = cli(*run, "multilingual-clip")
    assert said.code == 2
    assert "cannot hear words" in said.err
    said = cli("describe", "looking-while-listening")
    assert said.code == 0
    assert "kind: looking" in said.out
