"""Some of the kills and flipped bits that `tests/benchmarks` counts by the thousand."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.count_flips import OUTCOMES, count_flips
from tests.process_groups import LIMIT_S

ROOT = Path(__file__).parents[3]


@pytest.mark.slow
def test_no_flipped_bit_is_a_result(tmp_path: Path) -> None:
    counts = count_flips(200, 1, tmp_path)
    wrong = {name: count for name, count in counts.items() if any(count[o] for o in OUTCOMES[3:])}
    assert not wrong
    # Small features in place are mostly HDF5's own bytes, which nobody reads again.
    found = {name: count for name, count in counts.items() if "in place" not in name}
    assert all(count["made again"] + count["refused"] for count in found.values())


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="forks, and asks /proc")
def test_kills_lose_nothing() -> None:
    """In a process of its own, since one with threads must not be forked."""
    command = [sys.executable, "-m", "tests.benchmarks.count_kills", "--kills", "10"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
