"""What results are recorded with."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from toolkit.provenance import environment

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout")
def test_the_commit_of_the_checkout_is_recorded() -> None:
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert environment()["git"]["commit"] == told.stdout.strip()
