"""Frozen features as a subject: averaged, asked for by name, and only for what they can answer."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from paradigms.registry import get_paradigm
from stimuli import StimulusSet
from toolkit.cli import main
from toolkit.errors import ToolkitError
from toolkit.running.choices import run
from toolkit.subjects.contract import SharesBackbones, Subject
from toolkit.subjects.frozen import FrozenFeatures
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import read_trials

CODE = '''
"""Networks on two small backbones."""

import numpy as np


class Ear:
    sha256 = "ear"

    def load(self):
        return self

    def features(self, clips):
        return [np.fft.rfft(clip.reshape(-1, 64)).real.astype(np.float32) for clip in clips]


class Eye:
    sha256 = "eye"

    def load(self):
        return self

    def features(self, pictures):
        return np.stack([p.transpose(2, 0, 1) for p in pictures]).astype(np.float32)


class Network:
    hearing, seeing = Ear(), Eye()

    def embed_words(self, clips):
        return self.embed_word_features(self.hearing.features(clips))

    def embed_pictures(self, pictures):
        return self.embed_picture_features(self.seeing.features(pictures))

    def embed_word_features(self, features):
        return np.stack([one[0, :3] for one in features])

    def embed_picture_features(self, features):
        return features[:, :, 0, 0]

    def similarity(self, words, pictures):
        return words @ pictures.T


def load(population, seed):
    return Network()
'''


@pytest.fixture
def networks_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "subjects" / "nets"
    folder.mkdir(parents=True)
    (folder / "nets.py").write_text(CODE)
    (folder / "config.json").write_text("{}")
    (folder / "a.weights").write_text("1")
    (folder / "population.toml").write_text(
        'name = "nets"\ndescription = "For tests."\nlanguages = ["en", "nl"]\n'
        'seeds = ["a", "b"]\nfactory = "nets:load"\n'
    )
    return folder.parent


def test_features_are_averaged_over_time_and_over_the_picture() -> None:
    rng = np.random.default_rng(0)
    clips = [rng.normal(size=(frames, 3)).astype(np.float32) for frames in (2, 7, 5)]
    maps = rng.normal(size=(3, 2, 4, 5)).astype(np.float32)

    class Fixed:
        sha256 = "fixed"

        def __init__(self, made: object) -> None:
            self.made = made

        def load(self) -> Fixed:
            return self

        def features(self, media: object) -> object:
            return self.made

    subject = FrozenFeatures(Fixed(clips), Fixed(maps))
    assert isinstance(subject, Subject)
    assert isinstance(subject, SharesBackbones)
    words, pictures = subject.embed_words([]), subject.embed_pictures([])
    assert words == pytest.approx(np.stack([clip.mean(axis=0) for clip in clips]), abs=1e-6)
    assert pictures == pytest.approx(maps.reshape(3, 2, -1).mean(axis=2), abs=1e-6)
    assert (words.dtype, pictures.dtype) == (np.float32, np.float32)
    with pytest.raises(ToolkitError, match="different spaces"):
        subject.similarity(words, pictures)


def test_translation_goes_to_the_nearest_centroid_of_the_averages(
    tiny_set: StimulusSet, networks_dir: Path, tmp_path: Path
) -> None:
    asked = open_population("nets/frozen", networks_dir)
    done = run(get_paradigm("translation"), [asked], tiny_set, root=tmp_path)
    trials = read_trials(done.directory.trials_path)
    assert set(trials["population"]) == {"nets-frozen"}
    assert set(trials["seed"]) == {"frozen"}
    ear = asked.load("frozen").hearing
    table = tiny_set.select(kind="word", split="test")

    def averages(own: object) -> np.ndarray:
        features = ear.features([tiny_set.read_clip(name) for name in own])
        vectors = np.stack([one.mean(axis=0) for one in features])
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    for row in trials[trials["condition"] == "novel"].itertuples():
        other = "nl" if row.test_language == "en" else "en"
        there = table[(table["language"] == other) & (table["status"] == "novel")]
        centroids = {c: averages(own.index).mean(axis=0) for c, own in there.groupby("concept")}
        heard = averages([row.word_id])[0]
        distance = {
            c: np.linalg.norm(heard - mean / np.linalg.norm(mean)) for c, mean in centroids.items()
        }
        assert (min(distance, key=distance.__getitem__) == row.word_concept) == bool(row.correct)


def test_identity_follows_the_backbones_and_not_the_networks(networks_dir: Path) -> None:
    before = open_population("nets/frozen", networks_dir).checksum("frozen")
    (networks_dir / "nets" / "a.weights").write_text("2")
    assert open_population("nets/frozen", networks_dir).checksum("frozen") == before
    assert before != open_population("nets", networks_dir).checksum("b")
    (networks_dir / "nets" / "config.json").write_text('{"backbones": "others"}')
    assert open_population("nets/frozen", networks_dir).checksum("frozen") != before


def test_a_real_seed_of_that_name_comes_first(networks_dir: Path) -> None:
    described = networks_dir / "nets" / "population.toml"
    described.write_text(described.read_text().replace('["a", "b"]', '["a", "frozen"]'))
    found = open_population("nets/frozen", networks_dir)
    assert (found.name, found.seeds) == ("nets", ("frozen",))
    assert open_population("nets", networks_dir).seeds == ("a", "frozen")


@pytest.mark.parametrize(
    ("paradigm", "subject", "expected"),
    [
        ("me", "nets/frozen", "translation"),
        ("translation", "hasher/frozen", "does not stand on frozen backbones"),
        ("translation", "netz/frozen", "did you mean: nets"),
        ("translation", "nets/c", "a, b"),
    ],
)
def test_what_cannot_be_asked_is_said_in_one_message(
    tiny_set: StimulusSet, networks_dir: Path, subjects_dir: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    paradigm: str, subject: str, expected: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert networks_dir == subjects_dir
    given = ["mevgs-toolkit", "run-paradigm", paradigm, "--subject", subject]
    given += ["--subjects", str(subjects_dir), "--stimuli", str(tiny_set.folder)]
    monkeypatch.setattr(sys, "argv", given)
    with pytest.raises(SystemExit) as exit_:
        main()
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert exit_.value.code == 2
    assert expected in err


@pytest.mark.parametrize("command", [("score-all", "me"), ("analyze-space",)])
@pytest.mark.parametrize("subject", ["nets/frozen", "{folder}/nets/frozen"])
def test_every_command_opens_frozen_features_and_says_what_they_cannot_do(
    tiny_set: StimulusSet, networks_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...], subject: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    given = ["mevgs-toolkit", *command, "--subject", subject.format(folder=networks_dir)]
    given += ["--subjects", str(networks_dir)] if "{" not in subject else []
    monkeypatch.setattr(sys, "argv", [*given, "--stimuli", str(tiny_set.folder)])
    with pytest.raises(SystemExit) as exit_:
        main()
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    assert exit_.value.code == 2
    assert "lie in different spaces and cannot be compared" in err
    assert [path.name for path in Path("mevgs-runs").iterdir()] == ["embeddings"]
