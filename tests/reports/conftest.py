"""Finished runs of small populations, made once for all tests of the report."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from paradigms.registry import get_paradigm
from stimuli import StimulusSet
from tests.conftest import SUBJECT_CODE
from toolkit.running.choices import run
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.summary import summarise
from toolkit.subjects.populations import open_population

POPULATIONS = {
    "monolingual-en": ["en"],
    "monolingual-nl": ["nl"],
    "bilingual-en-nl": ["en", "nl"],
}
LOG = "seed,update,train_loss,valid_loss,valid_accuracy,kept\n" + "".join(
    f"{seed},{update},{2 - update / 100},{1.5 - update / 200},{0.5 + update / 300},0\n"
    for seed in "abc"
    for update in (0, 50, 100)
)


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_set: StimulusSet) -> dict[str, Path]:
    """Run folders by paradigm: familiar, me and translation."""
    root = tmp_path_factory.mktemp("reports")
    for name, languages in POPULATIONS.items():
        folder = root / "subjects" / name
        folder.mkdir(parents=True)
        # Each population hashes in its own way, so that their answers differ.
        code = SUBJECT_CODE.replace("ord(seed)", f"ord(seed) + {sum(map(ord, name))}")
        (folder / "hasher_subject.py").write_text(code)
        (folder / "training_log.csv").write_text(LOG)
        (folder / "population.toml").write_text(
            f'name = "{name}"\ndescription = "For tests."\nlanguages = {json.dumps(languages)}\n'
            'seeds = ["a", "b", "c"]\nfactory = "hasher_subject:load"\n'
        )
    made = {}
    for paradigm in ("familiar", "me", "translation"):
        names = [n for n, known in POPULATIONS.items() if paradigm != "translation" or known[1:]]
        asked = get_paradigm(paradigm)
        populations = [open_population(name, root / "subjects") for name in names]
        done = run(asked, populations, tiny_set, root=root / "runs", per_class=8)
        done.directory.write_json("summary.json", summarise(done, asked))
        done.directory.write_json("statistics.json", analyse_runs([done.directory.folder]))
        made[paradigm] = done.directory.folder
    return made
