"""Runs with two jobs against runs with one, side by side. Run with --run-benchmarks.

Six included populations of ten seeds share their backbones, whose features are made once for all of
them in one process; jobs are seeds that are embedded beside each other. Runs take turns, each in a
process and a folder of its own, and the processor's time counts: on a busy machine that of the wall
is told only.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from tests.benchmarks.taken import Taken, measured
from toolkit.processes.threads import VARIABLES

pytestmark = pytest.mark.benchmark
ROUNDS = 3
SIX = ("monolingual-en", "monolingual-nl", "monolingual-fr",
       "bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl")  # fmt: skip
RUN = """
import sys
import toolkit
if __name__ == "__main__":
    paradigm, jobs, out, *populations = sys.argv[1:]
    toolkit.run_paradigm(paradigm, populations, jobs=int(jobs), out=out)
"""


def test_two_jobs_take_no_more_than_one(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    taken: Mapping[int, list[Taken]] = {1: [], 2: []}
    for number in range(ROUNDS):
        for jobs in taken:
            root = tmp_path / f"{number}-{jobs}"
            given = ["me", str(jobs), str(root), *SIX]
            with measured() as one:
                subprocess.run([sys.executable, "-c", RUN, *given], env=environment, check=True)
            taken[jobs].append(one)
    for jobs, all_taken in taken.items():
        sys.stdout.write(f"\n{jobs} jobs: {', '.join(one.told for one in all_taken)}")
    one, two = (np.array([one.processor_s for one in taken[jobs]]) for jobs in taken)
    ratio = float(np.median(two / one))
    sys.stdout.write(f"\ntwo jobs take {ratio:.2f} times what one takes\n")
    assert ratio < 1.1
