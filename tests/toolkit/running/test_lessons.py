"""Subjects that learn between trials: known learners, known results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import logsumexp

from paradigms import ExemplarMemory, TaughtCondition, Trials
from paradigms.choices.lessons import taught_trials
from paradigms.fast_mapping import FastMapping, FastMappingByGradient
from stimuli import StimulusSet
from tests.commands import Cli
from toolkit.running.choices import run
from toolkit.running.lessons import OneByOne, Remembering, taught_scores
from toolkit.statistics.choices.counts import read_counts
from toolkit.statistics.choices.forgetting import forgetting_rates
from toolkit.subjects import memory
from toolkit.subjects.dummies import FORGETTING_RATE
from toolkit.subjects.populations import open_population
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.learning import TowerPupils
from toolkit.subjects.vgs.subject import StoredNetwork, VGSSubject, fresh_network

TAUGHT = [one.name for one in FastMapping.conditions if one.exposures]


def trials_of(stimuli: StimulusSet, per_class: int = 4) -> Trials:
    return taught_trials(stimuli, "en", np.random.default_rng(0), FastMapping.conditions, per_class)


class Placed:
    """A subject that knows classes, in words and in pictures, and likes some familiar pictures.

    Words lie along the first axes of a space, pictures along the others, so that a word says
    nothing of its picture until both are remembered together.
    """

    def __init__(self, trials: Trials, familiar: float) -> None:
        self.concepts = sorted(set(trials.concept_of.values()))
        n = len(self.concepts)
        self.words, self.pictures = (
            np.eye(2 * n, dtype=np.float32)[
                [self.concepts.index(trials.concept_of[name]) + shift for name in names]
            ]
            for names, shift in ((trials.word_ids, 0), (trials.option_ids, n))
        )
        liked = [concept in trials.familiar for concept in self.concepts]
        self.liking = familiar * np.concatenate([np.zeros(n), liked]).astype(np.float32)

    def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        return words @ pictures.T + 0.1 * pictures @ self.liking


def accuracies(trials: Trials, scores: np.ndarray) -> dict[str, float]:
    """Share correct per condition, ties at chance."""
    target = scores[np.arange(len(trials)), trials.target_position]
    other = scores[np.arange(len(trials)), 1 - trials.target_position]
    credit = (target > other) + 0.5 * (target == other)
    return {
        name: float(credit[trials.condition == number].mean())
        for number, name in enumerate(trials.conditions)
    }


def remembering(trials: Trials, familiar: float) -> dict[str, float]:
    subject: Any = Placed(trials, familiar)
    start = memory.ExemplarMemory(subject, 10)
    pupils = Remembering(start, subject.words, subject.pictures)
    return accuracies(trials, taught_scores(trials, pupils))


def test_who_selects_the_novel_thing_retains_it(tiny_set: StimulusSet) -> None:
    found = remembering(trials_of(tiny_set), familiar=-1)
    assert found["referent-selection"] == 1
    assert found["untaught"] == 0.5
    assert all(found[name] == 1 for name in TAUGHT)


def test_who_selects_the_familiar_thing_retains_what_was_named_alone(
    tiny_set: StimulusSet,
) -> None:
    found = remembering(trials_of(tiny_set), familiar=1)
    assert found["referent-selection"] == 0
    assert found["ostensive"] == 1
    assert all(found[name] == 0.5 for name in TAUGHT if name != "ostensive")


def test_who_cannot_choose_takes_the_first_picture(tiny_set: StimulusSet) -> None:
    """The first of two equal pictures is the novel one in half of the exposures."""
    trials = trials_of(tiny_set, 20)
    found = remembering(trials, familiar=0)
    assert found["referent-selection"] == found["untaught"] == 0.5
    assert 0.5 < found["at-once"] < found["two-exposures"] < found["four-exposures"] < 1


def test_a_subject_is_asked_as_it_was_where_nothing_is_learnt(tiny_set: StimulusSet) -> None:
    trials = trials_of(tiny_set)
    rng = np.random.default_rng(1)
    words = rng.normal(size=(len(trials.word_ids), 5)).astype(np.float32)
    pictures = rng.normal(size=(len(trials.option_ids), 5)).astype(np.float32)

    class Products:
        def similarity(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
            return one @ other.T

    subject: Any = Products()
    scores = taught_scores(trials, Remembering(memory.ExemplarMemory(subject, 10), words, pictures))
    rows = np.flatnonzero(trials.lessons.asked_after < 0)  # type: ignore[union-attr]
    plain = np.take_along_axis((words @ pictures.T)[trials.word], trials.options, axis=1)
    np.testing.assert_allclose(scores[rows], plain[rows], rtol=1e-5)
    assert not np.allclose(scores, plain)


@pytest.mark.parametrize("name", ["perfect", "reversed", "constant", "random"])
def test_dummies_have_their_known_results_in_all_conditions(
    name: str, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    who = [open_population(f"{name}/a"), open_population(f"{name}/b")]
    done = run(FastMapping(), who, tiny_set, languages=["en"], root=tmp_path, per_class=20)
    counts = read_counts([done.directory.folder])
    each = counts.groupby("condition", observed=True)[["n_correct", "n_ties", "n_trials"]].sum()
    assert set(each.index) == {condition.name for condition in FastMapping.conditions}
    for correct, ties, n in each.itertuples(index=False):
        if name == "random":
            assert abs(correct / n - 0.5) < 4 * np.sqrt(0.25 / n)
        else:
            assert (correct, ties) == {
                "perfect": (n, 0), "reversed": (0, 0), "constant": (0, n)
            }[name]  # fmt: skip


def test_the_rate_of_the_forgetter_is_recovered(tiny_set: StimulusSet, tmp_path: Path) -> None:
    done = run(
        *(FastMapping(), [open_population("forgetter")], tiny_set),
        languages=["en"], root=tmp_path, per_class=100,
    )  # fmt: skip
    counts = read_counts([done.directory.folder])
    found = forgetting_rates(counts, FastMapping.conditions, FastMapping.graded)
    assert [rate.since for rate in found] == ["other word", "batch"]
    for rate in found:
        per_unit = FORGETTING_RATE * (3 if rate.since == "batch" else 1)
        assert rate.ci_low < per_unit < rate.ci_high
        assert rate.at_once == pytest.approx(1, abs=0.02)
    assert found[0].rate == pytest.approx(FORGETTING_RATE, abs=0.02)


def test_who_knows_nothing_at_once_has_no_rate(tiny_set: StimulusSet, tmp_path: Path) -> None:
    who = [open_population("random")]
    done = run(FastMapping(), who, tiny_set, languages=["en"], root=tmp_path, per_class=20)
    for rate in forgetting_rates(
        read_counts([done.directory.folder]), FastMapping.conditions, FastMapping.graded
    ):
        assert np.isnan(rate.rate)
        assert "nothing to forget" in rate.problem


CONFIG = NetworkConfig(word_dim=5, picture_dim=7, width=64, embedding=6)


@pytest.fixture
def features() -> tuple[list[np.ndarray], np.ndarray]:
    rng = np.random.default_rng(0)
    words = [rng.normal(size=(n, 5)).astype(np.float32) for n in (3, 7, 5, 4, 6, 3)]
    return words, rng.normal(size=(6, 7, 2, 2)).astype(np.float32)


def subject_of(family: str = "clip") -> VGSSubject:
    network = fresh_network(NetworkConfig(**{**vars(CONFIG), "family": family}), seed=3).eval()
    nowhere: Any = None
    return VGSSubject(StoredNetwork.of(network), nowhere, nowhere)


def pupils_of(
    subject: VGSSubject, features: tuple[list[np.ndarray], np.ndarray], steps: int = 3
) -> TowerPupils:
    return subject.pupils(*features, rate=0.05, steps=steps)


@pytest.mark.parametrize("family", ["clip", "mattnet", "barlip"])
def test_a_lesson_is_plain_gradient_descent(
    family: str, features: tuple[list[np.ndarray], np.ndarray]
) -> None:
    """Held against torch's own optimiser on one network, word by word."""
    subject = subject_of(family)
    pupils = pupils_of(subject, features)
    own = np.array([0, 1, 4], np.int32)
    (state,) = pupils.learn([pupils.start], [own], [own])
    network = subject.stored.build()
    towers = [*network.audio_enc.parameters(), *network.image_enc.parameters()]
    descent = torch.optim.SGD(towers, lr=0.05)
    for _ in range(3):
        descent.zero_grad()
        words = torch.cat(
            [network.encode_words(torch.from_numpy(features[0][n])[None]) for n in own]
        )
        scores = network.similarity(
            words, network.encode_pictures(torch.from_numpy(features[1][own]))
        )
        right = scores.log_softmax(1).diagonal().mean() + scores.log_softmax(0).diagonal().mean()
        (-right).backward()  # type: ignore[no-untyped-call]
        descent.step()
    for name, value in network.named_parameters():
        if name in state:
            torch.testing.assert_close(state[name], value.detach(), rtol=1e-3, atol=1e-5)


def test_lessons_side_by_side_are_those_one_by_one(
    features: tuple[list[np.ndarray], np.ndarray],
) -> None:
    pupils = pupils_of(subject_of(), features)
    words = [np.array(own, np.int32) for own in ([0, 1], [2, 3, 4], [1, 5])]
    pictures = [np.array(own, np.int32) for own in ([3, 1], [2, 0, 4], [5, 1])]
    together = pupils.learn([pupils.start] * 3, words, pictures)
    options = [np.array([[0, 1], [2, 3]], np.int32)] * 3
    asked = [np.array([0, 5], np.int32)] * 3
    scores = pupils.scores(together, asked, options)
    for number, state in enumerate(together):
        (alone,) = pupils.learn([pupils.start], [words[number]], [pictures[number]])
        (own,) = pupils.scores([alone], [asked[number]], [options[number]])
        np.testing.assert_allclose(own, scores[number], rtol=1e-3, atol=1e-3)
        assert not any(value.requires_grad for value in state.values())
        assert any((state[name] != value).any() for name, value in pupils.start.items())


def test_learning_makes_the_pairs_fit_and_leaves_the_subject_as_it_is(
    features: tuple[list[np.ndarray], np.ndarray],
) -> None:
    subject = subject_of()
    pupils = pupils_of(subject, features, steps=5)
    own = np.arange(4, dtype=np.int32)
    options = np.tile(own, (4, 1))
    (before,) = pupils.scores([pupils.start], [own], [options])
    (state,) = pupils.learn([pupils.start], [own], [own])
    (after,) = pupils.scores([state], [own], [options])
    fits = [logsumexp(scores, axis=1) - scores.diagonal() for scores in (before, after)]
    assert fits[1].mean() < fits[0].mean()
    (again,) = pupils.scores([pupils.start], [own], [options])
    np.testing.assert_array_equal(before, again)
    plain = subject.similarity(
        subject.embed_word_features(features[0][:4]),
        subject.embed_picture_features(features[1][:4]),
    )
    np.testing.assert_allclose(before, plain, rtol=1e-4, atol=1e-5)


class Backbone:
    """Gives media as features."""

    sha256 = "0"

    def load(self) -> Backbone:
        return self

    def features(self, media: Sequence[np.ndarray]) -> Any:
        alike = len({one.shape for one in media}) == 1 and media[0].ndim == 3
        return np.stack(media) if alike else list(media)


def test_a_network_learns_from_clips_and_pictures_as_in_lessons(
    features: tuple[list[np.ndarray], np.ndarray],
) -> None:
    backbone: Any = Backbone()
    subject = VGSSubject(subject_of().stored, backbone, backbone)
    pairs: Any = [(features[0][n], features[1][n]) for n in (0, 1, 2)]
    learnt = subject.learn(pairs, rate=0.05, steps=3)
    pupils = pupils_of(subject, features)
    own = np.arange(3, dtype=np.int32)
    (state,) = pupils.learn([pupils.start], [own], [own])
    (expected,) = pupils.scores([state], [own], [np.tile(own, (3, 1))])
    found = learnt.similarity(
        learnt.embed_word_features(features[0][:3]), learnt.embed_picture_features(features[1][:3])
    )
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


class Learner:
    """A subject of one's own that learns: it keeps pairs, by the sums of clips and pictures."""

    def __init__(self, pairs: tuple[tuple[float, float], ...] = ()) -> None:
        self.pairs = pairs

    def embed_words(self, clips: Sequence[np.ndarray]) -> np.ndarray:
        return np.array([[float(clip.sum())] for clip in clips], dtype=np.float32)

    embed_pictures = embed_words

    def similarity(self, words: np.ndarray, pictures: np.ndarray) -> np.ndarray:
        return np.array([[(w, p) in self.pairs for p in pictures[:, 0]] for w in words[:, 0]], "f")

    def learn(self, pairs: Sequence[tuple[Any, Any]], *, rate: float, steps: int) -> Learner:
        assert (rate, steps) == (FastMappingByGradient.rule.rate, FastMappingByGradient.rule.steps)
        made = tuple((float(np.float32(c.sum())), float(np.float32(p.sum()))) for c, p in pairs)
        return Learner((*self.pairs, *made))


def test_subjects_of_ones_own_are_given_clips_and_pictures() -> None:
    rule = FastMappingByGradient.rule
    media = [np.array([float(n)]) for n in range(5)]
    pupils = OneByOne(Learner(), media, media, rule)
    own, seen = np.array([1, 2], np.int32), np.array([3, 4], np.int32)
    (state,) = pupils.learn([pupils.start], [own], [seen])
    options = np.array([[3, 4], [3, 4]], np.int32)
    before, after = pupils.scores([pupils.start, state], [own, own], [options, options])
    assert not before.any()
    assert after.tolist() == [[1, 0], [0, 1]]


def test_a_subject_that_cannot_learn_is_told_who_can(
    cli: Cli, subjects_dir: Path, tiny_set: StimulusSet
) -> None:
    said = cli(
        "run-paradigm", "fast-mapping-gradient", "--subjects", subjects_dir,
        "--subject", "hasher", "--stimuli", tiny_set.folder,
    )  # fmt: skip
    assert said.code == 2
    assert "Subject hasher/a cannot learn from pairs of words and pictures." in said.err
    assert "without learn; it can be asked" in " ".join(said.err.split())
    assert "e.g. bilingual-en-nl" in said.err
    assert not list(Path("mevgs-runs").glob("fast*"))
    said = cli(
        "run-paradigm", "fast-mapping", "--subjects", subjects_dir, "--subject", "hasher/a",
        "--stimuli", tiny_set.folder, "--trials-per-class", "2",
    )  # fmt: skip
    assert said.code == 0, said.err


def test_every_triple_cannot_be_asked(cli: Cli, tiny_set: StimulusSet) -> None:
    said = cli("score-all", "fast-mapping", "--subject", "untrained", "--stimuli", tiny_set.folder)
    assert said.code == 2
    told = " ".join(said.err.split())
    assert "teaches words between trials" in told
    assert "run-paradigm fast-mapping" in told


def test_the_memory_refuses_two_spaces() -> None:
    nobody: Any = None
    with pytest.raises(Exception, match="different spaces"):
        memory.ExemplarMemory(nobody, 1).remember(np.ones((1, 2)), np.ones((1, 3)))


def test_rules_are_of_paradigms_alone() -> None:
    assert isinstance(FastMapping.rule, ExemplarMemory)
    assert all(isinstance(one, TaughtCondition) for one in FastMapping.conditions)
