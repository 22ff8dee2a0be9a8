"""Looking while listening beside familiar words: 10 seeds, 2 languages, 25 gates.

Both are run from nothing, each in a process of its own, and compared in processor time.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.taken import measured

pytestmark = pytest.mark.benchmark
MOST = 4
"""How many times as long it may take."""
CODE = "from toolkit.cli import command; command()"


def test_gates_cost_less_than_four_times_a_choice(tmp_path: Path) -> None:
    taken = {}
    for paradigm in ("familiar", "looking-while-listening"):
        command = ["run-paradigm", paradigm, "--subject", "bilingual-en-nl", "--no-report"]
        with measured() as taken[paradigm]:
            subprocess.run(
                [sys.executable, "-c", CODE, *command, "--out", tmp_path / paradigm], check=True
            )
    ratio = taken["looking-while-listening"].processor_s / taken["familiar"].processor_s
    for paradigm, own in taken.items():
        sys.stdout.write(f"\n{paradigm}: {own.told}")
    sys.stdout.write(f"\nratio {ratio:.2f}\n")
    assert ratio < MOST
