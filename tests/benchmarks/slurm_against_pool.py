"""1,000 cells by SLURM's arrays against the same by a pool on this machine: what a cell costs more.

A SLURM of one node is started on this machine (`tests.slurm_node`; as root, where it is installed).
The study asks 100 subjects in one language ten lists of trials: 1,000 cells, cut into chunks of so
many subjects. The pool does the same chunks by as many processes as SLURM has processors, so that
both do the same work in processes of the same kind; a run by ``run-study`` in one process is told
besides.

    python -m tests.benchmarks.slurm_against_pool

Told are the seconds of handing over, calls of SLURM's programs, the time from the first hand-over
to the last cell, and per cell the ratio to the pool. Tables are compared byte by byte.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import chdir
from pathlib import Path

from tests.benchmarks.study_scale import SUBJECT
from tests.benchmarks.taken import processor_s
from tests.slurm_node import slurm_node, why_not
from tests.stored import write_stored
from toolkit.processes.slurm import in_queue
from toolkit.studies.checks import read_study
from toolkit.studies.chunks import Kept, keep_chunks
from toolkit.studies.durations import FILE
from toolkit.studies.elsewhere import hand_over_all
from toolkit.studies.plan import Where, plan_study
from toolkit.studies.run import collect, run_study
from toolkit.studies.study import Study

N_SUBJECTS, N_LISTS = 100, 10
PAUSE_S = 0.5
"""Seconds between two looks at the queue."""


def main() -> None:
    """Do the same work three times and print what it took."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--subjects-per-chunk", type=int, default=10)
    asked = parser.parse_args()
    if why_not():
        raise SystemExit(why_not())
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        study = write_study(Path.cwd(), asked.subjects_per_chunk)
        n = N_SUBJECTS * N_LISTS
        alone = Where(Path("alone-results").absolute())
        begun, worked = time.monotonic(), processor_s()
        run_study(study, alone)
        tell("one process", time.monotonic() - begun, processor_s() - worked, n)
        pool = Where(Path("pool-results").absolute())
        by_pool = do_in_pool(study, pool, asked.subjects_per_chunk, n)
        by_slurm = do_by_slurm(study, asked.subjects_per_chunk, n)
        say(f"A cell by SLURM takes {by_slurm / by_pool:.2f} times what it takes by the pool.")
        collect(study, pool)
        collect(study, Where(study.results))
        made = [tables(where) for where in (alone, pool, Where(study.results))]
        say(f"Tables byte-identical: {made[0] == made[1] == made[2]}, {len(made[0])} of them")


def write_study(folder: Path, subjects_per_chunk: int) -> Study:
    """The study, and durations by which chunks have so many subjects."""
    place = folder / "subjects" / "guesser"
    place.mkdir(parents=True)
    (place / "guesser.py").write_text(SUBJECT, encoding="utf-8")
    (place / "population.toml").write_text(
        'name = "guesser"\ndescription = "Guesses."\nfactory = "guesser:load"\n'
        f'languages = ["en"]\nseeds = {json.dumps([f"s{n:03}" for n in range(N_SUBJECTS)])}\n',
        encoding="utf-8",
    )
    path = folder / "study.toml"
    path.write_text(
        '[study]\ntitle = "1,000 cells"\n[[ask]]\nparadigm = "familiar"\n'
        'subjects = ["subjects/guesser"]\nlanguages = ["en"]\ntrials_per_class = 4\n'
        f"trial_seeds = {list(range(N_LISTS))}\n[report]\ngallery = 0\n[chunks]\nminutes = 15\n",
        encoding="utf-8",
    )
    return read_study(path)


def prepared(study: Study, where: Where, subjects_per_chunk: int) -> Kept:
    """Chunks of so many subjects, kept."""
    where.out.mkdir(exist_ok=True)
    core_s = 900 / subjects_per_chunk / N_LISTS
    write_stored(where.out / FILE, json.dumps({"familiar": {"n": 1, "core_s": core_s}}))
    return keep_chunks(plan_study(study, where))


def do_in_pool(study: Study, where: Where, subjects_per_chunk: int, n: int) -> float:
    """Seconds per cell."""
    kept = prepared(study, where, subjects_per_chunk)
    begun, worked = time.monotonic(), processor_s()
    command = [sys.executable, "-c", "from toolkit.cli import command; command()", "work"]

    def work(number: int) -> None:
        one = [*command, str(kept.file), "--chunk", str(number)]
        subprocess.run(one, check=True, stdout=subprocess.DEVNULL)

    with ThreadPoolExecutor(os.cpu_count()) as workers:
        list(workers.map(work, range(len(kept.content.chunks))))
    taken = time.monotonic() - begun
    tell(f"pool of {os.cpu_count()}, {len(kept.content.chunks)} chunks", taken,
         processor_s() - worked, n)  # fmt: skip
    return taken / n


def do_by_slurm(study: Study, subjects_per_chunk: int, n: int) -> float:
    """Seconds per cell."""
    where = Where(study.results)
    Path("slurm").mkdir()
    with slurm_node(Path("slurm").absolute()) as node:
        os.environ |= node.environment
        prepared(study, where, subjects_per_chunk)
        begun = time.monotonic()
        made = hand_over_all(study, where, {})
        given = time.monotonic() - begun
        if made.submitted is None or made.submitted.left:
            raise SystemExit("SLURM did not take all chunks.")
        n_looks = 0
        while in_queue(f"mevgs-{made.kept.name}"):
            time.sleep(PAUSE_S)
            n_looks += 1
        taken = time.monotonic() - begun
        n_done = plan_study(study, where).runs
        if sum(run.n_missing for run in n_done):
            raise SystemExit("Some cells are missing.")
    n_chunks = len(made.kept.content.chunks)
    say(
        f"SLURM: {n_chunks} chunks handed over in {given:.2f} s, plan included, by "
        f"{made.submitted.n_calls} calls and one of squeue; {n_looks} looks at the queue besides"
    )
    say(f"SLURM of {os.cpu_count()}: {taken:.1f} s on the wall, {1000 * taken / n:.1f} ms a cell")
    return taken / n


def tables(where: Where) -> dict[str, bytes]:
    """What must be the same."""
    return {f"{p.parent.name}": p.read_bytes() for p in where.runs.glob("*/trials.parquet")}


def tell(what: str, wall_s: float, worked_s: float, n: int) -> None:
    """A line of the table."""
    say(f"{what}: {wall_s:.1f} s on the wall, {worked_s:.1f} s of processors, "
        f"{1000 * wall_s / n:.1f} ms a cell")  # fmt: skip


def say(text: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
