"""Time and memory of planning, telling and collecting a study, by the number of its cells.

The study asks 500 subjects (25 populations of 20) two paradigms in two languages, 53 to 106 trials
a cell; the more trial seeds, the more cells, 1,000 in each run. Subjects are dummies that guess,
better or worse. SLURM is
`tests.fake_slurm` with the limits that it has where a site sets none (MaxArraySize 1001,
MaxJobCount 10000), others' tasks in the queue, and 5,000 tasks for one user.

    python -m tests.benchmarks.study_scale --folder /tmp/scale
    python -m tests.benchmarks.study_scale --folder /tmp/scale --cells 10000 100000

Every step runs in a process of its own; told are seconds of the processor, those on the wall, and
the most memory that the process had.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from stimuli.files import checksum_file, sha256_of
from tests.benchmarks.taken import measured
from tests.fake_slurm import FakeSlurm, path_with
from tests.stored import write_stored

N_POPULATIONS, N_SEEDS = 25, 20
LANGUAGES = (("en",), ("nl",), ("en", "nl"))
CELLS_PER_RUN = N_POPULATIONS * N_SEEDS * 2
PARADIGMS = {"familiar": 4, "me": 1}
"""What is asked, and trials per class: 52 and 106 trials a cell."""
SECONDS_PER_CELL = 60.0
"""What a cell is said to take, so that chunks are cut by their durations."""
SUBJECT = '''\
"""A subject that guesses, better or worse."""

import zlib

import numpy as np


class Guesser:
    def __init__(self, name):
        self.number = zlib.crc32(name.encode())

    def answer(self, trials):
        rng = np.random.default_rng([self.number, int(trials.checksum[:8], 16)])
        scores = rng.random(trials.options.shape, dtype=np.float32)
        scores[np.arange(len(trials)), trials.target_position] += self.number % 100 / 200
        return scores


def load(population, seed):
    return Guesser(f"{population.name}/{seed}")
'''


def main() -> None:
    """Make studies of several sizes and print a table for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="where studies are made")
    parser.add_argument("--cells", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--steps", nargs="+", default=list(STEPS), choices=list(STEPS))
    parser.add_argument("--step", nargs=2, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step:
        name, study = asked.step
        with measured() as taken:
            told = STEPS[name](Path(study))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        times = {"processor_s": taken.processor_s, "wall_s": taken.wall_s}
        sys.stdout.write(json.dumps({**times, "peak_mb": peak, "told": told}))
        return
    _say(f"{'cells':>8}  {'step':<10}{'processor s':>12}{'wall s':>9}{'peak MB':>9}  what it told")
    for n_cells in sorted(asked.cells):
        study = write_study(asked.folder, n_cells)
        for name in asked.steps:
            command = [sys.executable, "-m", __spec__.name, "--folder", str(asked.folder)]
            done = subprocess.run(
                [*command, "--step", name, str(study)], capture_output=True, text=True, check=False
            )
            if done.returncode:
                raise SystemExit(done.stderr)
            told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
            _say(
                f"{n_cells:>8}  {name:<10}{told['processor_s']:>12.1f}{told['wall_s']:>9.1f}"
                f"{told['peak_mb']:>9.0f}  {told['told']}"
            )


def write_study(folder: Path, n_cells: int) -> Path:
    """A study of so many cells, in a folder of its own; what is there already is left."""
    own = folder / f"cells-{n_cells}"
    for number in range(N_POPULATIONS):
        name = f"guesser-{number:02}"
        place = own / "subjects" / name
        place.mkdir(parents=True, exist_ok=True)
        (place / "guesser.py").write_text(SUBJECT, encoding="utf-8")
        (place / "population.toml").write_text(
            f'name = "{name}"\ndescription = "Guesses."\nfactory = "guesser:load"\n'
            f"languages = {json.dumps(LANGUAGES[number % len(LANGUAGES)])}\n"
            f"seeds = {json.dumps([f's{seed:02}' for seed in range(N_SEEDS)])}\n",
            encoding="utf-8",
        )
    n_runs = max(1, n_cells // CELLS_PER_RUN // len(PARADIGMS))
    names = [f"subjects/guesser-{number:02}" for number in range(N_POPULATIONS)]
    study = own / "study.toml"
    study.write_text(
        '[study]\ntitle = "A large study"\n'
        + "".join(
            f'[[ask]]\nparadigm = "{name}"\nsubjects = {json.dumps(names)}\n'
            f'languages = ["en", "nl"]\ntrials_per_class = {n_trials}\n'
            f"trial_seeds = {list(range(n_runs))}\n"
            for name, n_trials in PARADIGMS.items()
        )
        + "[report]\ngallery = 0\n",
        encoding="utf-8",
    )
    return study


def plan(path: Path) -> str:
    """Read the study and see what is missing."""
    made = _planned(path)
    return f"missing {sum(made.missing.values())} of {sum(len(run.cells) for run in made.runs)}"


def hand_over(path: Path) -> str:
    """Cut it into chunks and hand over to SLURM what its queue takes."""
    from toolkit.studies.checks import read_study
    from toolkit.studies.durations import FILE
    from toolkit.studies.elsewhere import hand_over_all
    from toolkit.studies.plan import Where

    study = read_study(path)
    told = {name: {"n": 100, "core_s": 100 * SECONDS_PER_CELL} for name in PARADIGMS}
    shutil.rmtree(study.results, ignore_errors=True)
    study.results.mkdir()
    write_stored(study.results / FILE, json.dumps(told))
    folder = path.parent / "bin"
    folder.mkdir(exist_ok=True)
    os.environ["PATH"] = path_with(folder)
    others = [["others", "1", str(index), "RUNNING", "None"] for index in range(4000)]
    FakeSlurm(folder).change(tasks=others, own=5000)
    made = hand_over_all(study, Where(study.results), {})
    taken = made.submitted
    if taken is None:
        return "nothing"
    return (
        f"{len(made.kept.content.chunks)} chunks: {len(taken.numbers)} taken, {len(taken.left)} "
        f"left, {taken.n_calls} calls"
    )


def status(path: Path) -> str:
    """What all chunks are at, with the queue as `hand_over` left it and nothing done."""
    from toolkit.studies.cluster import counted
    from toolkit.studies.elsewhere import standing

    os.environ["PATH"] = path_with(path.parent / "bin")
    now = standing(_planned(path))
    return "not cut" if now is None else str(counted(now.found))


def make(path: Path) -> str:
    """Make all cells; studies share them.

    The first of every run and language is made by the toolkit, the others have its trials and
    answers of their own: 100,000 cells would take an hour otherwise, most of it for the disk.
    """
    from toolkit.running.folder import CELLS
    from toolkit.studies.checks import read_study
    from toolkit.studies.plan import Where, opened, prepare

    study = read_study(path)
    pool, cells = path.parents[1] / CELLS, _runs(path) / CELLS
    pool.mkdir(exist_ok=True)
    cells.parent.mkdir(parents=True, exist_ok=True)
    if not cells.exists():
        cells.symlink_to(pool, target_is_directory=True)
    where, n = Where(study.results), 0
    for ask in study.asks:
        populations = opened(study, where, ask)
        about = {one.name: one for one in populations}
        for seed in ask.trial_seeds:
            prepared = prepare(study, where, ask, seed, populations).prepared
            first: dict[str, pa.Table] = {}
            for name in prepared.missing():
                population, subject, language = name.split("/")
                if language not in first:
                    prepared.make_cells([name])
                    first[language] = prepared.directory.read_cell(prepared.plan.cells[name])
                file = prepared.directory.cell_path(prepared.plan.cells[name])
                labels = {
                    "population": population,
                    "n_languages": len(about[population].languages),
                    "train_languages": "+".join(about[population].languages),
                    "seed": subject,
                }
                write_cell(file, first[language], labels)
                n += 1
    return f"{n} cells"


def write_cell(file: Path, like: pa.Table, labels: Mapping[str, str | int]) -> None:
    """A cell with the trials of another, and answers of its own."""
    n = len(like)
    rng = np.random.default_rng(zlib.crc32(file.name.encode()))
    skill = zlib.crc32(str([labels["population"], labels["seed"]]).encode()) % 100 / 200
    margin = (rng.random(n) - rng.random(n) + skill).astype(np.float32)
    columns: dict[str, Any] = {"margin": margin, "correct": (margin > 0).astype(np.int8)}
    columns |= {"score_target": margin, "score_distractor": np.zeros(n, np.float32)}
    for name, value in labels.items():
        codes = pa.array(np.zeros(n, np.int32))
        columns[name] = (
            pa.DictionaryArray.from_arrays(codes, pa.array([value]))
            if isinstance(value, str)
            else np.full(n, value, np.int16)
        )
    for name, values in columns.items():
        like = like.set_column(like.column_names.index(name), like.schema.field(name), [values])
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(like, file, compression="zstd")
    checksum_file(file).write_text(f"{sha256_of(file)}  {file.name}\n", encoding="utf-8")


def collect(path: Path) -> str:
    """Join all cells, analyse them, and write the report."""
    from toolkit.studies import run
    from toolkit.studies.checks import read_study
    from toolkit.studies.plan import Where

    study = read_study(path)
    made = run.collect(study, Where(study.results))
    return f"{len(made.plan.runs)} runs, {len(made.missing)} missing, report {made.pages[0].name}"


def analyse(path: Path) -> str:
    """Analyse all runs that are joined, alone."""
    from toolkit.statistics.analysis import analyse_runs

    made = analyse_runs([file.parent for file in sorted(_runs(path).glob("*/trials.parquet"))])
    return ", ".join(made)


def _planned(path: Path) -> Any:
    from toolkit.studies.checks import read_study
    from toolkit.studies.plan import Where, plan_study

    study = read_study(path)
    return plan_study(study, Where(study.results))


def _runs(path: Path) -> Path:
    from toolkit.studies.study import RUNS

    return path.with_name(f"{path.stem}-results") / RUNS


STEPS: dict[str, Callable[[Path], str]] = {
    "plan": plan, "hand over": hand_over, "status": status, "make": make, "planned": plan,
    "done": status, "collect": collect, "analyse": analyse,
}  # fmt: skip
"""What is measured, in this order: `planned` and `done` are `plan` and `status` once all cells are
there."""


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
