"""The whole way of a published result: data, features and checkpoints in, accuracy per seed out."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np
import pytest
import torch

from paradigms.registry import get_paradigm
from stimuli import open_set
from stimuli.importing import import_layout
from tests.stimuli.published_layout import write_published_data
from toolkit.running.choices import run
from toolkit.subjects.backbones.stored import FeatureFile
from toolkit.subjects.features.extraction import extract
from toolkit.subjects.features.sources import find_jobs
from toolkit.subjects.features.taking import Taken
from toolkit.subjects.populations import open_population
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.importing import import_output
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.tables.trials import read_trials

NAMES = {"word": "wavlm-base-plus", "picture": "dino-resnet50"}


def write_features(path: Path, names: list[str], shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """A file as the published code writes it, of random features."""
    rng = np.random.default_rng(len(path.name))
    features = {name: rng.normal(size=shape).astype(np.float32) for name in names}
    with h5py.File(path, "w") as file:
        for name, feature in features.items():
            file.create_group(name).create_dataset("feature", data=feature)
    return features


@pytest.mark.parametrize("name", ["familiar", "me"])
def test_answers_are_those_of_the_published_evaluation(name: str, tmp_path: Path) -> None:
    """Trial by trial: which picture of a published trial scores higher for its word."""
    data = write_published_data(tmp_path / "me-vgs")
    headline = get_paradigm(name).conditions[0].name
    trials = json.loads((data / "filelists" / f"{headline}-english-test.json").read_text())
    lists = [json.loads((data / "filelists" / file).read_text())
             for file in ("audio-test-3.json", "image-test.json")]  # fmt: skip
    clips = [entry["name"] for entry in lists[0] if entry["lang"] == "english"]
    words = write_features(tmp_path / "words.h5", clips, (3, 5))
    pictures = write_features(tmp_path / "maps.h5", [e["name"] for e in lists[1]], (7, 2, 2))
    networks = {}
    for seed in "ab":
        folder = tmp_path / "output" / f"en_links-no_size-xsm_{seed}" / "checkpoints"
        folder.mkdir(parents=True)
        config = NetworkConfig(word_dim=5, picture_dim=7, embedding=3)
        networks[seed] = fresh_network(config, seed=ord(seed)).eval()
        torch.save(networks[seed].state_dict(), folder / "model_neg-loss=-0.5.pt")

    stimuli = open_set(import_layout(data.parent, tmp_path / "set").folder)
    own = tmp_path / "subjects"
    own.mkdir()
    jobs = find_jobs(str(tmp_path / "set"), own, NAMES, splits=["test"], languages=["en"])
    for job in jobs:
        file = FeatureFile(tmp_path / ("words.h5" if job.kind == "word" else "maps.h5"))
        assert extract(job, Taken(NAMES[job.kind], [file], job)) == []
    import_output(tmp_path / "output", own)
    done = run(get_paradigm(name), [open_population("en_links-no_size-xsm", own)], stimuli,
               languages=["en"], root=tmp_path / "runs", per_class=3)  # fmt: skip
    table = read_trials(done.directory.trials_path)
    table = table[table["condition"] == headline]

    right = {}
    for seed, network in networks.items():
        for trial in trials:
            spoken, target, distractor = (
                trial[p]["name"] for p in ("audio", "image-pos", "image-neg")
            )
            with torch.no_grad():
                word = network.encode_words(torch.from_numpy(words[spoken])[None])
                shown = np.stack([pictures[target], pictures[distractor]])
                seen = network.encode_pictures(torch.from_numpy(shown))
                scores = network.similarity(word, seen)[0]
            right[seed, spoken, target, distractor] = bool(scores[0] > scores[1])
    keys = table[["seed", "word_id", "target_id", "distractor_id"]].itertuples(index=False)
    found = dict(zip(map(tuple, keys), table["correct"].astype(bool), strict=True))
    assert found == right
    assert 0 < sum(right.values()) < len(right)
