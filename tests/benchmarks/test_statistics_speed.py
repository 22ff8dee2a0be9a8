"""Speed of the statistics, measured side by side in one run. Run with --run-benchmarks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.benchmarks.taken import measured
from toolkit.processes.threads import n_cores
from toolkit.statistics.models.mixed import fit_mixed

pytestmark = pytest.mark.benchmark
REFERENCE = Path(__file__).parents[1] / "reference"
SLOPE = "cbind(n_correct, n_wrong) ~ bilingual + (1 | seed) + (1 + bilingual | word)"
POPULATIONS = ("monolingual-en", "monolingual-nl", "monolingual-fr",
               "bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl")  # fmt: skip
N_WORDS, N_DISTRACTORS = 19, 13
ANALYSE = """
import hashlib, json, resource, sys, time
def worked():
    return time.process_time() + sum(resource.getrusage(resource.RUSAGE_CHILDREN)[:2])
start = worked()
from pathlib import Path
from paradigms.registry import get_paradigm
from toolkit.statistics.choices import analysis, condition_contrasts
from toolkit.statistics.choices.counts import read_counts
loaded = worked()
if "alone" in sys.argv:
    condition_contrasts.MANY_ROWS = 10**9
counts = read_counts([Path(sys.argv[1])])
summed = worked()
found = json.dumps(analysis.analyse(counts, get_paradigm("me")).to_json())
done = worked()
print(json.dumps({"import": loaded - start, "sum": summed - loaded, "fit": done - summed,
                  "whole": done - start, "digest": hashlib.sha256(found.encode()).hexdigest(),
                  "cpu": time.process_time(), "child_cpu": sum(
                      resource.getrusage(resource.RUSAGE_CHILDREN)[:2]),
                  "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000}))
"""


def asked(per_word: int) -> pd.DataFrame:
    """Trials of one network in one language: half of them the test, the rest its two controls."""
    word = np.repeat(np.arange(N_WORDS), per_word)
    place = np.tile(np.arange(per_word), N_WORDS)
    control = place % 4 // 2 * (1 + place % 4 % 2)  # 0, 0, 1, 2
    other = (word + 1 + place // 4 % (N_WORDS - 1)) % N_WORDS
    names = {
        "condition": ("novel-familiar", "novel*-familiar", "absent-familiar"),
        "word_concept": [f"w{w}" for w in range(N_WORDS)] + [f"f{d}" for d in range(N_DISTRACTORS)],
        "target_concept": [f"w{w}" for w in range(N_WORDS)],
        "distractor_concept": [f"d{d}" for d in range(N_DISTRACTORS)],
    }
    codes = {
        "condition": control,
        # A control says another word, or one whose picture is absent.
        "word_concept": np.where(control == 2, N_WORDS + place // 4 % N_DISTRACTORS, word),
        "target_concept": np.where(control == 1, other, word),
        "distractor_concept": place % N_DISTRACTORS,
    }
    return pd.DataFrame(
        {name: pd.Categorical.from_codes(codes[name], names[name]) for name in names}
    )


def write_run(folder: Path, per_word: int) -> int:
    """Write trials of 6 populations, 10 seeds, 2 languages each and 19 words; returns their number.

    Every population is tested in two languages, as in a run with ``--language`` given twice.
    """
    rng, n = np.random.default_rng(0), 0
    folder.mkdir(parents=True)
    writer = None
    trials = asked(per_word)
    easy = rng.normal(0.5, 0.6, N_WORDS)[trials["target_concept"].cat.codes]
    for population in POPULATIONS:
        known = population.split("-")[1:]
        tested = (*known, *(x for x in ("en", "nl", "fr") if x not in known))[:2]
        for seed in "abcdefghij":
            level = rng.normal(0, 0.15)
            for language in tested:
                correct = rng.random(len(trials)) < 1 / (1 + np.exp(-(easy + level)))
                frame = trials.assign(correct=correct.astype("int8"), tie=False)
                for name, value in {
                    "paradigm": "me", "population": population,
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
def test_further_processes_pay(tmp_path: Path) -> None:
    write_run(tmp_path / "few", 50)
    alone, both = [], []
    for _ in range(2):
        alone.append(analysed(tmp_path / "few", "alone"))
        both.append(analysed(tmp_path / "few"))
    assert len({run["digest"] for run in alone + both}) == 1
    # Processor time, so that a busy machine does not decide; the whole takes as long as the
    # first process where the others find free cores.
    one, two = (min(runs, key=lambda run: run["cpu"]) for runs in (alone, both))
    sys.stdout.write(f"\none process: {one}\nseveral: {two}\n")
    assert two["cpu"] < 0.6 * one["cpu"]
    assert one["cpu"] / 2 < two["cpu"] + two["child_cpu"] < 1.5 * one["cpu"]


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_fits_are_not_slower_than_lme4() -> None:
    code = (
        "suppressMessages(library(lme4)); d <- read.csv('counts.csv', stringsAsFactors = TRUE);"
        f"f <- {SLOPE};"
        "glmer(f, d, binomial, control = glmerControl(optimizer = 'bobyqa'));"
        "cat(sum(system.time(for (i in 1:5) glmer(f, d, binomial, control = "
        "glmerControl(optimizer = 'bobyqa')))[c('user.self', 'sys.self')]) / 5)"
    )
    said = subprocess.run(
        ["Rscript", "-e", code], cwd=REFERENCE, capture_output=True, text=True, check=False
    )
    if said.returncode:
        pytest.skip("lme4 is not installed")
    table = pd.read_csv(REFERENCE / "counts.csv")
    fit_mixed(table, SLOPE)
    with measured() as taken:
        for _ in range(5):
            fit_mixed(table, SLOPE)
    ours, theirs = taken.processor_s / 5, float(said.stdout.split()[-1])
    sys.stdout.write(f"\nlme4 {theirs:.3f} s, this adapter {ours:.3f} s: {theirs / ours:.1f}x\n")
    assert ours < theirs
