"""Runs the included networks and reads off every number that the README tells about them."""

from __future__ import annotations

import csv
import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from makers.drawn_lists import drawn_accuracies
from paradigms.choices.paradigm import as_choices
from paradigms.maps.paradigm import as_maps
from paradigms.registry import get_paradigm
from stimuli import open_set
from toolkit.running.choices import run
from toolkit.running.maps import run_maps
from toolkit.running.score_all import score_all
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.choices.exact import ExactMean, summarise_exact
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.maps.results import GroundingAnalysis
from toolkit.statistics.summary import summarise
from toolkit.subjects.populations import open_population

MONOLINGUAL = ("monolingual-en", "monolingual-nl", "monolingual-fr")
BILINGUAL = ("bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl")
TRAINED = (*MONOLINGUAL, *BILINGUAL)
UNTRAINED = "untrained"
CLIP = "multilingual-clip"
LISTS = 20
"""Drawn lists whose spread is told."""
PER_CLASS = 400
"""Trials per class behind the tests, so many that little hangs on the list that was drawn."""
FIRST_RUN = ("run-paradigm", "me", "--subject", "bilingual-en-nl")
PRINTED = ("novel-familiar: ", "Controls", "Against chance")
"""First words of those parts of the first run's output that the README shows."""

Numbers = dict[str, str]
"""Every number as it is printed, by name; also whole lines of output, and yes or no."""
Rows = Sequence[Mapping[str, Any]]


def measure(root: Path) -> Numbers:
    """Make all runs under a folder, and read the numbers off them.

    Returns:
        Numbers by name, in the order of the README. Names that begin with ``statistics/`` come out
        of models and tests, all others are means and ranges.
    """
    return (
        _first_run(root)
        | _lists(root)
        | _accuracies(root)
        | _statistics(root)
        | _space(root)
        | _translation(root)
        | _grounding(root)
    )


def _command(*arguments: str) -> str:
    """What a command of the toolkit prints, in the wording of somebody who types it."""
    call = "from toolkit.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", call, *arguments],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    return done.stdout


def _first_run(root: Path) -> Numbers:
    printed = _command(*FIRST_RUN, "--jobs", "2", "--out", str(root), "--no-report")
    lines = [line.rstrip() for line in printed.splitlines()]
    found: Numbers = {}
    for number, start in enumerate(PRINTED):
        first = next(place for place, line in enumerate(lines) if line.startswith(start))
        part = lines[first : lines.index("", first)]
        name = "statistics/first-run" if start == PRINTED[-1] else f"first-run/{number}"
        found |= {f"{name}/{place:02}": line for place, line in enumerate(part)}
    trials = re.search(r"% +(\d+) ", found["first-run/0/03"])
    assert trials is not None
    seeds = len(open_population(FIRST_RUN[-1]).seeds)
    return found | {"first-run/trials": f"{int(trials[1]) // seeds:,}"}


def _lists(root: Path) -> Numbers:
    """Standard deviation of accuracies over drawn lists, mean over populations and languages."""
    asked = as_choices(get_paradigm("me"))
    shares = drawn_accuracies(asked, [*TRAINED, UNTRAINED], root, lists=LISTS)
    levels = ["condition", "population", "test_language"]
    spread = shares.groupby(level=levels).std().groupby(level="condition").mean()
    return {
        "lists/sd-least": f"{100 * spread.min():.1f}",
        "lists/sd-most": f"{100 * spread.max():.1f}",
        "lists/sd-test": f"{100 * spread['novel-familiar']:.1f}",
    }


def _accuracies(root: Path) -> Numbers:
    """Accuracies over all triples, as the table and the sentences below it tell them."""
    populations = [open_population(name) for name in (*TRAINED, UNTRAINED)]
    rows: list[ExactMean] = []
    for name in ("familiar", "me"):
        asked = get_paradigm(name)
        counted = score_all(asked, populations, open_set("mini"), root=root, jobs=2)
        rows += summarise_exact(counted.table, asked).results
    found: Numbers = {}
    for row in rows:
        cell = f"{row.condition}/{row.population}/{row.test_language}"
        found[f"accuracy/{cell}"] = f"{100 * row.mean:.1f}"
        ends = f"[{100 * row.ci_low:.1f}, {100 * row.ci_high:.1f}]"
        found[f"interval/{cell}"] = ends
    trained = [row for row in rows if row.population != UNTRAINED]
    means = {(row.condition, row.population, row.test_language): row.mean for row in trained}

    def of(condition: str, language: str = "") -> list[float]:
        return [
            mean for (name, _, spoken), mean in means.items()
            if name == condition and spoken in (language or spoken)
        ]  # fmt: skip

    for name, values in (
        ("familiar", of("familiar-familiar")),
        ("test", of("novel-familiar")),
        ("absent", of("absent-familiar")),
        ("other-novel", of("novel*-familiar")),
        ("preference-fr", of("preference", "fr")),
    ):
        found |= _range(f"range/{name}", values, digits=1)
    pairs = zip(of("absent-familiar"), of("novel-familiar"), strict=True)
    found["holds/absent-familiar is never below the test"] = _yes(a >= b for a, b in pairs)
    return found


def _range(name: str, shares: Iterable[float], digits: int = 0) -> Numbers:
    """Lowest and highest of some shares, in per cent."""
    listed = [100 * share for share in shares]
    return {f"{name}/low": f"{min(listed):.{digits}f}", f"{name}/high": f"{max(listed):.{digits}f}"}


def _decimal(value: float, digits: int = 2) -> str:
    """A number that never leaves -1 to 1, without its leading zero."""
    return f"{value:.{digits}f}".replace("0.", ".", 1)


def _p(value: float, digits: int = 2) -> str:
    return "< .001" if value < 0.001 else f"= {_decimal(value, digits)}"


def _yes(holds: Iterable[bool]) -> str:
    return "yes" if all(holds) else "no"


def _statistics(root: Path) -> Numbers:
    """Tests against chance, and monolingual against bilingual networks."""
    done = run(
        as_choices(get_paradigm("me")), [open_population(name) for name in TRAINED],
        open_set("mini"), root=root, per_class=PER_CLASS, jobs=2,
    )  # fmt: skip
    made = analyse_runs([done.directory.folder])["me"]
    assert isinstance(made, Analysis)
    p_values = [test.p_value for test in made.chance]
    overall = made.groups[0].overall
    effect, seeds = overall.contrast, overall.seeds
    assert effect is not None
    ratio = [math.exp(end) for end in (effect.estimate, effect.ci_low, effect.ci_high)]
    return {
        "statistics/chance/smallest p": _decimal(min(p_values)),
        "statistics/bilingual/odds ratio": f"{ratio[0]:.2f} [{ratio[1]:.2f}, {ratio[2]:.2f}]",
        "statistics/bilingual/p": _p(effect.p_value),
        "statistics/welch/points": f"{100 * seeds.difference:.1f}",
        "statistics/welch/p": _p(seeds.p_value, 3),
        "holds/no test differs from chance": _yes(p >= 0.05 for p in p_values),
        "holds/mono- and bilingual networks do not differ": _yes([effect.p_value >= 0.05]),
        "holds/seeds alone find a difference": _yes([seeds.p_value < 0.05]),
    }


def _space(root: Path) -> Numbers:
    """Ranges of the variance of embeddings over populations and languages."""
    subjects = [part for name in TRAINED for part in ("--subject", name)]
    printed = _command(
        "analyze-space", *subjects, "--bootstrap", "0", "--map-seeds", "0", "--out", str(root),
        "--format", "json",
    )  # fmt: skip
    found: Numbers = {}
    for modality in ("picture", "word"):
        for status in ("familiar", "novel"):
            values = [
                row["variance"]
                for row in json.loads(printed)["variance"]
                if (row["modality"], row["status"], row["scope"]) == (modality, status, "full")
            ]
            found |= {
                f"variance/{modality}/{status}/low": _decimal(min(values)),
                f"variance/{modality}/{status}/high": _decimal(max(values)),
            }
    return found


def _translation(root: Path) -> Numbers:
    asked = as_choices(get_paradigm("translation"))
    found: Numbers = {}
    novel, chances = [], {}
    for name in (*BILINGUAL, f"{BILINGUAL[0]}/frozen"):
        done = run(asked, [open_population(name)], open_set("mini"), root=root, jobs=2)
        for row in summarise(done, asked).results:
            cell = f"{row.condition}/{name}/{row.test_language}"
            found[f"translation/{cell}"] = f"{100 * row.mean:.0f}"
            chances[row.condition] = row.chance
            if row.condition == "novel" and name in BILINGUAL:
                novel.append(row.mean)
    found |= _range("translation/novel", novel)
    found |= {
        f"translation/chance/{name}": f"{100 * value:.1f}".removesuffix(".0")
        for name, value in chances.items()
    }
    return found


def _grounding(root: Path) -> Numbers:
    """What the multilingual CLIP does on the scenes, and on drawings that it did not learn from."""
    asked, population = as_maps(get_paradigm("dense-grounding")), open_population(CLIP)
    done = run_maps(asked, [population], open_set("scenes"), root=root, jobs=2)
    rows = summarise(done, asked).results
    made = analyse_runs([done.directory.folder])[asked.name]
    assert isinstance(made, GroundingAnalysis)
    test = next(one for one in made.populations[0].tests if one.measure == "iou_cluster")
    mixed, pairs = test.mixed, test.pairs
    assert mixed is not None
    assert pairs is not None
    ends = ", ".join(_decimal(end, 3) for end in (mixed.ci_low, mixed.ci_high))
    assert population.folder is not None
    with (population.folder / "retrieval.csv").open(encoding="utf-8") as file:
        named = list(csv.DictReader(file))
    return {
        **_range("grounding/named", _by_language(named, "first")),
        "grounding/named/chance": f"{100 * float(named[0]['chance']):.1f}",
        **_range("grounding/unmet", _by_language(named, "first_unmet")),
        **_range("grounding/pointing", [row.others["pointing"] for row in rows]),
        "grounding/pointing/chance": f"{100 * rows[0].others['mask_share']:.1f}",
        "statistics/grounding/difference": f"{_decimal(mixed.value, 3)} of overlap [{ends}]",
        "statistics/grounding/p": _p(test.p_value),
        "statistics/grounding/pairs p": _p(pairs.p_value, 3),
        "holds/no difference between groups of languages": _yes([test.p_value >= 0.05]),
    }


def _by_language(rows: Rows, column: str) -> list[float]:
    """Mean over seeds for every language."""
    shares: dict[str, list[float]] = {}
    for row in rows:
        shares.setdefault(row["language"], []).append(float(row[column]))
    return [sum(values) / len(values) for values in shares.values()]
