"""Speed of the statistics, measured side by side in one run. Run with --run-benchmarks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from toolkit.processes.beside import n_cores
from toolkit.statistics.models.mixed import fit_mixed

pytestmark = pytest.mark.benchmark
REFERENCE = Path(__file__).parents[1] / "reference"
SLOPE = "cbind(n_correct, n_wrong) ~ bilingual + (1 | seed) + (1 + bilingual | word)"
POPULATIONS = ("monolingual-en", "monolingual-nl", "monolingual-fr",
               "bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl")  # fmt: skip
ANALYSE = """
import hashlib, json, resource, sys, time
start = time.perf_counter()
from pathlib import Path
from paradigms.registry import get_paradigm
from toolkit.statistics.choices import analysis
from toolkit.statistics.choices.counts import read_counts
loaded = time.perf_counter()
if "alone" in sys.argv:
    analysis.MANY_ROWS = 10**9
counts = read_counts([Path(sys.argv[1])])
summed = time.perf_counter()
found = json.dumps(analysis.analyse(counts, get_paradigm("me")).to_json())
done = time.perf_counter()
print(json.dumps({"import": loaded - start, "sum": summed - loaded, "fit": done - summed,
                  "whole": done - start, "digest": hashlib.sha256(found.encode()).hexdigest(),
                  "cpu": time.process_time(), "child_cpu": sum(
                      resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))
"""


def write_run(folder: Path, per_word: int) -> int:
    """Write trials of 6 populations, 10 seeds, 2 languages each and 19 words; returns their number.

    Every population is tested in two languages, as in a run with ``--language`` given twice.
    """
    rng, n = np.random.default_rng(0), 0
    folder.mkdir(parents=True)
    writer = None
    words = np.repeat(np.arange(19), per_word)
    distractors = np.tile(np.arange(per_word) % 13, 19)
    easy = rng.normal(0.5, 0.6, 19)[words]
    for population in POPULATIONS:
        known = population.split("-")[1:]
        tested = (*known, *(x for x in ("en", "nl", "fr") if x not in known))[:2]
        for seed in "abcdefghij":
            level = rng.normal(0, 0.15)
            for language in tested:
                correct = rng.random(len(words)) < 1 / (1 + np.exp(-(easy + level)))
                frame = pd.DataFrame(
                    {
                        "word_concept": pd.Categorical.from_codes(
                            words, [f"w{w}" for w in range(19)]
                        ),
                        "distractor_concept": pd.Categorical.from_codes(
                            distractors, [f"d{d}" for d in range(13)]
                        ),
                        "correct": correct.astype("int8"),
                        "tie": False,
                    }
                )
                for name, value in {
                    "paradigm": "me", "condition": "novel-familiar", "population": population,
                    "train_languages": "+".join(known), "seed": seed, "test_language": language,
                }.items():  # fmt: skip
                    frame[name] = pd.Categorical.from_codes(np.zeros(len(frame), "int8"), [value])
                for name, value in (("paradigm_version", 1), ("n_languages", len(known)),
                                    ("n_choices", 2)):  # fmt: skip
                    frame[name] = np.int16(value)
                table = pa.Table.from_pandas(frame, preserve_index=False)
                writer = writer or pq.ParquetWriter(folder / "trials.parquet", table.schema)
                writer.write_table(table)
                n += len(frame)
    writer.close()
    return n


def analysed(folder: Path, *how: str) -> dict[str, Any]:
    said = subprocess.run(
        [sys.executable, "-c", ANALYSE, folder, *how], capture_output=True, text=True, check=True
    )
    return json.loads(said.stdout.splitlines()[-1])


def test_cost_does_not_grow_with_trials(tmp_path: Path) -> None:
    few = write_run(tmp_path / "few", 50)
    many = write_run(tmp_path / "many", 4400)
    assert few == 114_000
    assert many > 10_000_000
    small, large = analysed(tmp_path / "few"), analysed(tmp_path / "many")
    sys.stdout.write(f"\n{few} trials: {small}\n{many} trials: {large}\n")
    # 88 times the trials: the sums take longer, the models do not.
    assert large["whole"] < 5 * small["whole"]
    assert large["peak_mb"] < 2000


@pytest.mark.skipif(n_cores() < 2, reason="there is only one core")
def test_second_process_pays(tmp_path: Path) -> None:
    write_run(tmp_path / "few", 50)
    alone, both = [], []
    for _ in range(2):
        alone.append(analysed(tmp_path / "few", "alone"))
        both.append(analysed(tmp_path / "few"))
    assert len({run["digest"] for run in alone + both}) == 1
    # Processor time, so that a busy machine does not decide; the whole takes as long as the
    # first process where the second finds a free core.
    one, two = (min(runs, key=lambda run: run["cpu"]) for runs in (alone, both))
    sys.stdout.write(f"\none process: {one}\ntwo: {two}\n")
    assert two["cpu"] < 0.9 * one["cpu"]
    assert 0 < two["child_cpu"] < two["cpu"]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_fits_are_not_slower_than_lme4() -> None:
    code = (
        "suppressMessages(library(lme4)); d <- read.csv('counts.csv', stringsAsFactors = TRUE);"
        f"f <- {SLOPE};"
        "glmer(f, d, binomial, control = glmerControl(optimizer = 'bobyqa'));"
        "cat(system.time(for (i in 1:5) glmer(f, d, binomial, control = "
        "glmerControl(optimizer = 'bobyqa')))[['elapsed']] / 5)"
    )
    said = subprocess.run(
        ["Rscript", "-e", code], cwd=REFERENCE, capture_output=True, text=True, check=False
    )
    if said.returncode:
        pytest.skip("lme4 is not installed")
    table = pd.read_csv(REFERENCE / "counts.csv")
    fit_mixed(table, SLOPE)
    start = time.perf_counter()
    for _ in range(5):
        fit_mixed(table, SLOPE)
    ours, theirs = (time.perf_counter() - start) / 5, float(said.stdout.split()[-1])
    sys.stdout.write(f"\nlme4 {theirs:.3f} s, this adapter {ours:.3f} s: {theirs / ours:.1f}x\n")
    assert ours < theirs
