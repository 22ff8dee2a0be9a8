"""What results are recorded with."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.waiting import LIMIT_S
from toolkit.provenance import environment, git_state

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _git_may_be_slow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("toolkit.provenance.GIT_S", LIMIT_S)


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="needs a checkout")
def test_the_commit_of_the_checkout_is_recorded() -> None:
    told = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert environment()["git"]["commit"] == told.stdout.strip()


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_a_checkout_is_looked_at_and_never_written_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git tidies its index when asked for the state, and leaves a lock if it is ended then."""
    for name in [name for name in os.environ if name.startswith("GIT_")]:
        monkeypatch.delenv(name)
    file = tmp_path / "file"
    file.write_text("as it was")
    who = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.org"]
    for command in (["init", "-q"], ["add", "file"], [*who, "commit", "-q", "-m", "first"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    os.utime(file, (1, 1))  # the index knows another time
    before = (tmp_path / ".git" / "index").read_bytes()
    folder = tmp_path / "toolkit"
    folder.mkdir()
    state = git_state(folder)
    assert state is not None
    assert state["dirty"] is False
    assert (tmp_path / ".git" / "index").read_bytes() == before
