"""Time, memory and size of reports. Run with --run-benchmarks."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from paradigms.new import write_paradigm
from paradigms.registry import get_paradigm
from reports.page import write_report
from stimuli import open_set
from tests.reports.browsing import _no_network, needs_browser, open_page, wait_for
from toolkit.running.choices import run
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.summary import summarise
from toolkit.subjects.dummies import DRAWINGS, RULES, Dummy
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_population

__all__ = ["_no_network"]  # a fixture that every test here uses

pytestmark = pytest.mark.benchmark
SEVEN = (
    *("monolingual-en", "monolingual-fr", "monolingual-nl", "untrained"),
    *("bilingual-en-fr", "bilingual-en-nl", "bilingual-fr-nl"),
)
CODE = """
import json, resource, sys, time
from pathlib import Path
from reports.page import Options, write_report
out, paradigms, *runs = map(Path, sys.argv[1:])
import pandas, pyarrow.parquet
ready = time.process_time()
page = write_report(runs, out, Options(paradigms=paradigms))
print(json.dumps({
    "processor_s": time.process_time() - ready,
    "size_mb": page.stat().st_size / 1e6,
    "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000,
}))
"""


def guess(population: Population, seed: str) -> Dummy:
    """A subject that guesses, in a way of its own in every population."""
    return Dummy(
        RULES["random"], DRAWINGS["random"], zlib.crc32(f"{population.name}/{seed}".encode())
    )


def asked_all(
    name: str, populations: list[Population], root: Path, paradigms: Path | None = None
) -> Path:
    """The folder of a finished run of all populations that can answer."""
    asked = get_paradigm(name, paradigms)
    able = [p for p in populations if len(p.languages) >= asked.min_languages]
    done = run(asked, able, open_set("mini"), root=root)
    done.directory.write_json("summary.json", summarise(done, asked))
    folder: Path = done.directory.folder
    done.directory.write_json("statistics.json", analyse_runs([folder], paradigms))
    return folder


def worked_s(pid: int) -> float:
    """Seconds of the processor that a process and all below it have worked."""
    parents, ticks = {}, {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue  # it has ended meanwhile
        number = int(stat.parent.name)
        parents[number], ticks[number] = int(fields[1]), sum(map(int, fields[11:13]))
    below = {pid}
    while more := {own for own, parent in parents.items() if parent in below} - below:
        below |= more
    return sum(ticks.get(own, 0) for own in below) / os.sysconf("SC_CLK_TCK")


def work_until_ready(page: Path, width: int) -> float:
    """Seconds of the processor that the browser works until everything on a page answers."""
    empty = page.parent / "empty.html"
    empty.write_text("<!doctype html><title>-</title>", encoding="utf-8")
    browser = open_page(empty, width=width)
    try:
        driver = browser.service.process.pid
        before = worked_s(driver)
        browser.get(page.as_uri())
        wait_for(browser, "return document.documentElement.dataset.ready === 'yes'")
        return worked_s(driver) - before
    finally:
        browser.quit()


@needs_browser
def test_seven_populations_in_three_paradigms_are_a_small_page_that_is_soon_ready(
    tmp_path: Path,
) -> None:
    populations = [open_population(name) for name in SEVEN]
    names = ("me", "familiar", "translation")
    runs = [asked_all(name, populations, tmp_path / "runs") for name in names]
    page = write_report(runs, tmp_path / "report.html")
    size = page.stat().st_size / 1e6
    ready = {width: work_until_ready(page, width) for width in (1280, 390)}
    told = ", ".join(f"{seconds:.2f} s at {width} px" for width, seconds in ready.items())
    sys.stdout.write(f"\n{size:.2f} MB; work until ready: {told}\n")
    assert size < 4
    assert max(ready.values()) < 3


@pytest.mark.parametrize(
    ("n_populations", "n_paradigms", "seconds", "megabytes"), [(1, 1, 3, 6), (30, 5, 20, 15)]
)
def test_reports_are_made_with_little_work_and_stay_small(
    n_populations: int, n_paradigms: int, seconds: float, megabytes: float, tmp_path: Path
) -> None:
    random = open_population("random")
    populations = [
        replace(
            random,
            name=f"random-{number:02}",
            factory=guess,
            languages=("en", "nl")
            if number % 2 == 0
            else ("en", "nl", "fr")[number // 2 % 2 :][:1],
        )
        for number in range(n_populations)
    ]
    own = tmp_path / "paradigms"
    write_paradigm("one", own)
    write_paradigm("two", own)
    folders: list[str] = []
    for name in ("me", "familiar", "translation", "one", "two")[:n_paradigms]:
        folders.append(str(asked_all(name, populations, tmp_path / "runs", own)))
    command = [sys.executable, "-c", CODE, str(tmp_path / "report.html"), str(own), *folders]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    measured = json.loads(said.stdout)
    sys.stdout.write(f"\n{n_populations} populations, {n_paradigms} paradigms: {measured}\n")
    assert measured["processor_s"] < seconds
    assert measured["size_mb"] < megabytes
