"""Time, memory and size of reports. Run with --run-benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from paradigms.new import write_paradigm
from paradigms.registry import get_paradigm
from stimuli import open_set
from toolkit.running.choices import run
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.summary import summarise
from toolkit.subjects.dummies import DRAWINGS, RULES, Dummy
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_population

pytestmark = pytest.mark.benchmark
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


@pytest.mark.parametrize(
    ("n_populations", "n_paradigms", "seconds", "megabytes"), [(1, 1, 3, 6), (30, 5, 20, 15)]
)
def test_reports_are_made_with_little_work_and_stay_small(
    n_populations: int, n_paradigms: int, seconds: float, megabytes: float, tmp_path: Path
) -> None:
    mini = open_set("mini")
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
    folders = []
    for name in ("me", "familiar", "translation", "one", "two")[:n_paradigms]:
        asked = get_paradigm(name, own)
        able = [p for p in populations if len(p.languages) >= asked.min_languages]
        done = run(asked, able, mini, root=tmp_path / "runs")
        done.directory.write_json("summary.json", summarise(done, asked))
        folder = done.directory.folder
        done.directory.write_json("statistics.json", analyse_runs([folder], own))
        folders.append(str(folder))
    command = [sys.executable, "-c", CODE, str(tmp_path / "report.html"), str(own), *folders]
    said = subprocess.run(command, capture_output=True, text=True, check=True)
    measured = json.loads(said.stdout)
    sys.stdout.write(f"\n{n_populations} populations, {n_paradigms} paradigms: {measured}\n")
    assert measured["processor_s"] < seconds
    assert measured["size_mb"] < megabytes
