"""The same to the byte: whatever the threads, jobs, folder, hash seed and time of a run."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import toolkit
from stimuli.files import CHECKSUM_SUFFIX
from tests.commands import Cli
from toolkit.api.results import REPORT_FILE, STATISTICS_FILE, open_run
from toolkit.processes.threads import VARIABLES
from toolkit.tables.manifests import MANIFEST_FILE

ALL_THAT_COMPUTES = """
import sys
import toolkit
from toolkit.cli import main

def command(*arguments):
    sys.argv = ["mevgs-toolkit", *arguments]
    try:
        main()
    except SystemExit as end:
        assert not end.code, arguments

if __name__ == "__main__":
    out, jobs = sys.argv[1:]
    two = ["bilingual-en-nl/a", "bilingual-en-nl/b"]
    command("run-paradigm", "me", "--subject", two[0], "--subject", two[1],
            "--trials-per-class", "5", "--jobs", jobs, "--out", out)
    jobs = int(jobs)
    toolkit.run_paradigm("dense-grounding", "multilingual-clip/a", languages=["de", "fr"],
                         templates="bare", jobs=jobs, out=out)
    toolkit.score_all("familiar", "monolingual-fr/a", jobs=jobs, out=out)
    toolkit.analyze_space("monolingual-nl/a", per_class=5, n_bootstrap=10, jobs=jobs, out=out)
    command("extract-features", "mini", "--hearing", "hearing", "--seeing", "seeing",
            "--split", "valid", "--language", "en", "--jobs", str(jobs), "--out", f"{out}/features")
"""
TOLD_OF_THE_TIME = {MANIFEST_FILE, MANIFEST_FILE + CHECKSUM_SUFFIX}
"""Files that say when and on what a run was made."""


def contents(folder: Path) -> dict[str, bytes]:
    """Every file under a folder but those that tell of the time."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in TOLD_OF_THE_TIME
    }


def differing(one: Path, other: Path) -> list[str]:
    """Names of the files that are not the same to the byte, or not in both folders."""
    before, after = contents(one), contents(other)
    names = sorted(before.keys() | after.keys())
    return [name for name in names if before.get(name) != after.get(name)]


def test_threads_jobs_and_hash_seeds_change_no_stored_number_and_no_page(tmp_path: Path) -> None:
    script = tmp_path / "all.py"
    script.write_text(ALL_THAT_COMPUTES, encoding="utf-8")
    others = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    for threads, jobs in ("1", "1"), ("4", "2"):
        changed = {"OMP_NUM_THREADS": threads, "PYTHONHASHSEED": threads}
        subprocess.run(
            [sys.executable, script, threads, jobs],
            cwd=tmp_path,
            env=others | changed | {"PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            check=True,
        )
    assert differing(tmp_path / "1", tmp_path / "4") == []
    assert len(contents(tmp_path / "1")) > 50


def test_a_run_made_again_at_another_time_and_place(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for year, place, jobs in (2026, "here", "--jobs=1"), (2031, "there", "--jobs=2"):
        monkeypatch.setattr("toolkit.running.plan.now", lambda year=year: f"{year}-05-06T07:08:09")
        cli("run-paradigm", "me", "--subject", "perfect/a", "--subject", "random/b",
            "--language", "en", "--trials-per-class", "2", "--out", place, jobs)  # fmt: skip
    assert differing(tmp_path / "here", tmp_path / "there") == []
    manifests = [*tmp_path.rglob(MANIFEST_FILE)]
    assert len({path.read_bytes() for path in manifests}) == 2


def test_what_is_made_again_from_a_run_that_was_moved(cli: Cli, tmp_path: Path) -> None:
    made = toolkit.run_paradigm(
        "me", ["perfect/a", "random/b"], languages="en", trials_per_class=2, out=tmp_path / "runs"
    )
    made.analyse()
    made.report(figures=tmp_path / "figures")
    cli("table", made.folder, "--format", "latex", "-o", "one.tex")
    before = contents(tmp_path)
    moved = tmp_path / "elsewhere" / "another-name"
    shutil.copytree(made.folder, moved)
    for name in (STATISTICS_FILE, REPORT_FILE):
        (moved / name).unlink()
    cli("analyze", moved)
    cli("report", moved, "--figures", "more-figures")
    cli("table", moved, "--format", "latex", "-o", "another.tex")
    assert differing(made.folder, moved) == []
    assert differing(tmp_path / "figures", tmp_path / "more-figures") == []
    assert (tmp_path / "another.tex").read_bytes() == (tmp_path / "one.tex").read_bytes()
    assert open_run(moved).analyse() == open_run(made.folder).analyse()
    assert {name: contents(tmp_path)[name] for name in before} == before
