"""Counts kills that a study survives whose chunks are done by a pool of workers.

Several workers take chunks of a small study: four trainings, and 48 cells. Every so often one of
them, whichever, is killed (SIGKILL) at any moment of its life; its chunk goes back to the others.
Chunks whose work is done are given again as long as kills are wanted: their results are removed
before. In the end all is collected, and compared byte by byte with a study that nobody disturbed;
nothing half-written may lie among the results, and every file must be as its checksum tells.

    python -m tests.benchmarks.count_study_kills --kills 100

Told are the kills, when they came, and what was found.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from stimuli.files import CHECKSUM_SUFFIX, checksum_file, is_sound
from tests.toolkit.studies.test_slurm_study import GRID, STUDY
from tests.toolkit.studies.test_study_run import write_whole_set
from toolkit.studies import cluster
from toolkit.studies.checks import read_study
from toolkit.studies.chunks import Kept, keep_chunks
from toolkit.studies.plan import Where, plan_study
from toolkit.studies.run import collect, run_study
from toolkit.studies.study import Study

LONGEST_S = 600.0
"""Many times what a chunk takes; a worker that takes longer has failed."""


@dataclass
class Worker:
    """A process at a chunk."""

    number: int
    process: subprocess.Popen[str]
    dies_at: float | None
    begun: float


def main() -> None:
    """Make the study, kill its workers, and compare."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--longest", type=float, default=15.0,
                        help="seconds that one to be killed lives at most")  # fmt: skip
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        write_whole_set(Path("whole"))
        Path("grid.toml").write_text(GRID, encoding="utf-8")
        Path("study.toml").write_text(STUDY, encoding="utf-8")
        study = read_study(Path("study.toml").absolute())
        whole = Where(study.results.with_name("undisturbed"))
        run_study(study, whole)
        where = Where(study.results)
        rng = random.Random(asked.seed)
        killed = kill_workers(study, where, asked.kills, asked.workers, asked.longest, rng)
        collect(study, where)
        faults = [*compared(where, whole), *unsound(where)]
    told = ", ".join(f"{n} {what}" for what, n in sorted(killed.items()))
    sys.stdout.write(f"{sum(killed.values())} workers killed: {told}\n")
    sys.stdout.write("".join(f"FAULT: {fault}\n" for fault in faults) or "Nothing was lost.\n")
    raise SystemExit(bool(faults))


def kill_workers(
    study: Study, where: Where, kills: int, n_workers: int, longest_s: float, rng: random.Random
) -> Counter[str]:
    """Have all chunks done while workers are killed; when kills came, by how many."""
    kept = keep_chunks(plan_study(study, where))
    pool = Workers(kept, where, kills, n_workers, longest_s, rng)
    chunks = kept.content.chunks
    pool.do([number for number, one in enumerate(chunks) if one.train])
    plan = plan_study(study, where)
    cluster.make_populations(plan, cluster.ready_states(plan))
    asking = [number for number, one in enumerate(chunks) if one.ask]
    pool.do(asking)
    while sum(pool.killed.values()) < kills:
        shutil.rmtree(where.runs)
        pool.do(asking)
    return pool.killed


class Workers:
    """Processes at chunks, some of which are killed."""

    def __init__(
        self, kept: Kept, where: Where, kills: int, n: int, longest_s: float, rng: random.Random
    ) -> None:
        self.kept, self.where, self.n, self.longest_s = kept, where, n, longest_s
        self.left, self.rng = kills, rng
        self.killed = Counter[str]()
        self.working: list[Worker] = []

    def do(self, numbers: Sequence[int]) -> None:
        """Do chunks until all are done."""
        waiting = list(numbers)
        while waiting or self.working:
            while waiting and len(self.working) < self.n:
                self._begin(waiting.pop(self.rng.randrange(len(waiting))))
            time.sleep(0.02)
            for worker in [*self.working]:
                self._kill_when_due(worker)
                if worker.process.poll() is not None:
                    self.working.remove(worker)
                    waiting += self._ended(worker)

    def _begin(self, number: int) -> None:
        dies = self.left > 0 and self.rng.random() < 0.9
        self.left -= dies
        at = self.rng.uniform(0.2, self.longest_s) if dies else None
        self.working.append(start(self.kept, number, at))

    def _kill_when_due(self, worker: Worker) -> None:
        now = time.monotonic() - worker.begun
        if worker.process.poll() is None and worker.dies_at and now > worker.dies_at:
            self.killed[moment(self.where, worker, self.kept)] += 1
            worker.process.send_signal(signal.SIGKILL)
            worker.process.wait()
        elif now > LONGEST_S:
            worker.process.kill()
            raise SystemExit(f"Chunk {worker.number} takes longer than {LONGEST_S:g} s.")

    def _ended(self, worker: Worker) -> list[int]:
        """Its chunk, if that is to be done again."""
        if worker.process.returncode == -signal.SIGKILL:
            return [worker.number]
        if worker.process.returncode:
            raise SystemExit(worker.process.communicate()[1])
        self.left += worker.dies_at is not None  # it was faster
        return []


def start(kept: Kept, number: int, dies_at: float | None) -> Worker:
    """A worker at a chunk."""
    command = [sys.executable, "-c", "from toolkit.cli import main; main()", "work"]
    process = subprocess.Popen(
        [*command, str(kept.file), "--chunk", str(number)], text=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
    )  # fmt: skip
    return Worker(number, process, dies_at, time.monotonic())


def moment(where: Where, worker: Worker, kept: Kept) -> str:
    """What a worker is doing, as far as files tell."""
    chunk = kept.content.chunks[worker.number]
    unfinished = [*where.out.rglob(".*-[0-9a-f]*")]
    doing = "training" if chunk.train else "asking"
    return f"{doing}, with a file half-written" if unfinished else doing


def tables(where: Where) -> Mapping[str, bytes]:
    """What must be the same."""
    found = [
        *where.runs.glob("*/trials.parquet"), *where.runs.glob("cells/*/[!.]*.parquet"),
        *where.subjects.glob("*/[a-z].safetensors"), where.out / "statistics.json",
    ]  # fmt: skip
    return {str(path.relative_to(where.out)): path.read_bytes() for path in found}


def compared(where: Where, whole: Where) -> Sequence[str]:
    """Files that are lacking, too many, or others."""
    made, other = tables(where), tables(whole)
    names = sorted({*made, *other})
    return [f"{name} is another" for name in names if made.get(name) != other.get(name)]


def unsound(where: Where) -> Sequence[str]:
    """Files whose checksum is lost or not theirs."""
    files = [path for path in where.out.rglob("*") if path.is_file() and path.name[0] != "."]
    checked = [path for path in files if checksum_file(path).exists()]
    lone = [path for path in files if path.suffix == CHECKSUM_SUFFIX]
    faults = [f"{path} is not what its checksum tells" for path in checked if not is_sound(path)]
    return faults + [f"{path} is of no file" for path in lone if not path.with_suffix("").is_file()]


if __name__ == "__main__":
    main()
