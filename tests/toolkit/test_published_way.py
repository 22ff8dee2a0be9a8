"""The whole way of `docs/published-experiment.md`, from data as published to the report."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.commands import Cli
from tests.published_features import HEARING, SEEING, write_published_features
from tests.stimuli.published_layout import write_published_data

NAMES = ("monolingual-en", "bilingual-en-nl")
ASKED = ("--stimuli", "set", "--subjects", "subjects")
SUBJECTS = tuple(part for name in NAMES for part in ("--subject", name))


@pytest.mark.slow
@pytest.mark.parametrize("way", ["published features", "extracted features"])
def test_from_data_as_published_to_the_report(
    way: str, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MEVGS_BACKBONES", str(tmp_path / "fetched"))
    monkeypatch.setattr("toolkit.subjects.backbones.finding.in_hub_cache", lambda name: None)

    def call(*arguments: object) -> str:
        done = cli(*arguments)
        assert done.code == 0, done.err
        return done.out

    write_published_data(tmp_path / "me-vgs")
    backbones = ("--hearing", HEARING, "--seeing", SEEING)
    if way == "published features":
        write_published_features(tmp_path / "me-vgs")
    else:
        backbones = ("--hearing", "hearing", "--seeing", "seeing")
        call("extract-features", "me-vgs", *backbones, "--out", "me-vgs/output")
    call("import-data", "me-vgs", "--out", "set")
    training = (
        "train", "--stimuli", "me-vgs", "--languages", "en", "--languages", "en,nl",
        "--recipe", "published", "--size", "xsm", "--set", "items=4", "--set", "epochs=6",
        "--seeds", "2", *backbones, "--out", "subjects",
    )  # fmt: skip
    call(*training)
    call(
        "extract-features", "set", "--split", "test", *backbones, "--take", "me-vgs/output",
        "--out", "features",
    )  # fmt: skip
    for paradigm in ("familiar", "me"):
        call("run-paradigm", paradigm, *ASKED, *SUBJECTS, "--features", "features")
    both = ("--subject", NAMES[1], "--subject", f"{NAMES[1]}/frozen")
    call("run-paradigm", "translation", *ASKED, *both, "--features", "features")
    call("analyze-space", *ASKED, *SUBJECTS, "--features", "features", "--bootstrap", "5")
    runs = [path for path in (tmp_path / "mevgs-runs").glob("*-*") if path.is_dir()]
    assert len(runs) == 4
    call("report", *runs, "--out", "page.html")
    page = (tmp_path / "page.html").read_text("utf-8")
    for told in (*NAMES, f"{NAMES[1]}-frozen", "a list that the set has", "Embedding space"):
        assert told in page, told
    # All again: nothing is done twice, with or without backbones.
    call(*training)
    again = ("run-paradigm", "me", *ASKED, *SUBJECTS, "--no-report")
    assert "0 cells computed, 6 reused" in call(*again, "--features", "features")
    if way == "extracted features":
        assert "0 cells computed, 6 reused" in call(*again)
