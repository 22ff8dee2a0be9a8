"""Speed and memory of a run, side by side in processor time. Run with --run-benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from paradigms.registry import get_paradigm
from stimuli import StimulusSet
from tests.benchmarks.taken import measured
from toolkit.running.choices import run
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import read_trials

pytestmark = pytest.mark.benchmark
CLASSES = 26
"""Word classes times conditions of the ME paradigm on the small set."""


def test_look_up_beats_embedding_per_trial(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    population = open_population("hasher/a", subjects_dir)
    with measured() as by_look_up:
        done = run(get_paradigm("familiar"), [population], tiny_set, root=tmp_path, per_class=1000)
    table = read_trials(done.directory.trials_path)
    subject = population.load("a")
    with measured() as of_some:
        for row in table.head(300).itertuples():
            word = subject.embed_words([tiny_set.read_clip(row.word_id)])
            pair = [tiny_set.read_picture(name) for name in (row.target_id, row.distractor_id)]
            scores = subject.similarity(word, subject.embed_pictures(pair))[0]
            assert (scores[0] > scores[1]) == row.correct
    ratio = of_some.processor_s / 300 * len(table) / by_look_up.processor_s
    sys.stdout.write(f"\nembedding per trial / whole run: {ratio:.0f}x\n")
    assert ratio > 3


CODE = """
import json, resource, sys, time
from pathlib import Path
from paradigms.registry import get_paradigm
from stimuli import open_set
from toolkit.running.choices import run
from toolkit.subjects.populations import open_population
stimuli, subjects, root, per_class = sys.argv[1:]
population = open_population("hasher/a", subjects)
ask = lambda n: run(get_paradigm("me"), [population], open_set(stimuli), languages=["en"],
                    root=Path(root), per_class=n)
ask(1)
start = time.process_time()
ask(int(per_class))
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
print(json.dumps({"seconds": time.process_time() - start, "peak_mb": peak}))
"""


def test_a_million_trials(tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path) -> None:
    measured = {}
    for n in (1_000, 1_000_000):
        per_class = str(-(-n // CLASSES))
        said = subprocess.run(
            [sys.executable, "-c", CODE, tiny_set.folder, subjects_dir, tmp_path, per_class],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        measured[n] = json.loads(said.stdout)
    big, small = measured[1_000_000], measured[1_000]
    extra = big["peak_mb"] - small["peak_mb"]
    sys.stdout.write(f"\n{measured}; {extra:.0f} MB more for a thousand times the trials\n")
    assert big["seconds"] < 1000 * small["seconds"]
    # 39 bytes a row in memory, and as much again for buffers of the file writer.
    assert extra < 100
