"""Makes the table of docs/battery.md on fast mapping: ``python -m makers.fast_mapping_numbers``.

Without an option the runs are made and the tables written. With ``--check`` the runs are made too,
and compared with what stands there; nothing is written, and the exit code is 1 where they differ.
``--runs DIR`` keeps the runs, so that asking again does only what is missing.
"""

from __future__ import annotations

import argparse
import math
import re
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from makers.readme_numbers import alike
from makers.readme_runs import TRAINED, UNTRAINED
from paradigms.registry import get_paradigm
from reports.numbers import estimate, p_value, points
from reports.terminal import say
from stimuli import open_set
from stimuli.files import write_atomic
from toolkit.running.choices import run
from toolkit.statistics.analysis import analyse_runs
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.summary import summarise
from toolkit.subjects.populations import open_population

if TYPE_CHECKING:
    from toolkit.statistics.choices.condition_contrasts import ConditionTest
    from toolkit.statistics.choices.trends import TrendTest

PAGE = Path(__file__).parent.parent / "docs" / "battery.md"
NAME = "fast-mapping"
PER_CLASS = 20
"""Sessions of each word."""
SHOWN = (
    *("referent-selection", "untaught", "at-once", "four-exposures", "retention"),
    *("eight-others", "four-batches", "ostensive"),
)
"""Conditions of the table."""
TESTED = (
    *("retention - untaught", "ostensive - retention", "exposures", "interference"),
    *("further training", "forgetting rate"),
)
"""Contrasts, trends and the rate, as the paradigm declares them."""


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the numbers of fast mapping from runs.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the runs in this folder")
    asked = parser.parse_args(arguments)
    page = PAGE.read_text(encoding="utf-8")
    with nullcontext(asked.runs) if asked.runs else tempfile.TemporaryDirectory() as folder:
        block = "\n".join(lines(Path(folder)))
    known = re.search(rf"<!-- numbers:{NAME} -->\n(.*?)\n<!-- /numbers -->", page, re.S)
    if known is None:
        say(f"{PAGE.name} has no place for {NAME}.", error=True)
        return 1
    if asked.check:
        if alike(known[1], block):
            return 0
        say(f"{PAGE.name} says\n{known[1]}\nand the runs give\n{block}")
        return 1
    with write_atomic(PAGE) as path:
        path.write_text(page[: known.start(1)] + block + page[known.end(1) :], encoding="utf-8")
    return 0


def lines(root: Path) -> Iterator[str]:
    """The tables, line by line."""
    paradigm = get_paradigm(NAME)
    populations = [open_population(one) for one in (*TRAINED, UNTRAINED)]
    done = run(paradigm, populations, open_set("mini"), per_class=PER_CLASS, root=root)
    results = summarise(done, paradigm).results
    found = analyse_runs([done.directory.folder])[NAME]
    if not isinstance(found, Analysis):
        raise TypeError(f"{NAME} is analysed as {found.paradigm_kind}")
    cells = dict.fromkeys((row.population, row.test_language) for row in results)
    shares = {(row.population, row.test_language, row.condition): row for row in results}
    yield f"| population | language | {' | '.join(SHOWN)} |"
    yield "| --- " * (len(SHOWN) + 2) + "|"
    for who, language in cells:
        shown = []
        for condition in SHOWN:
            row = shares[who, language, condition]
            shown.append(estimate(row.mean, math.nan, math.nan, 100))
            if condition in ("referent-selection", "retention"):
                shown[-1] = estimate(row.mean, row.ci_low, row.ci_high, 100)
        yield f"| `{who}` | {language} | {' | '.join(shown)} |"
    yield ""
    yield f"| population | language | {' | '.join(TESTED)} |"
    yield "| --- " * (len(TESTED) + 2) + "|"
    for who, language in cells:
        told = [_difference(one) for one in found.conditions if _of(one, who, language)]
        told += [_difference(one) for one in found.trends if _of(one, who, language)]
        (rate,) = (
            one for one in found.forgetting if _of(one, who, language) and "word" in one.since
        )
        told.append(rate.problem or estimate(rate.rate, rate.ci_low, rate.ci_high, digits=2))
        yield f"| `{who}` | {language} | {' | '.join(told)} |"


def _of(test: object, who: str, language: str) -> bool:
    return (vars(test)["population"], vars(test)["test_language"]) == (who, language)


def _difference(test: ConditionTest | TrendTest) -> str:
    """Percentage points with their interval, and p after correction."""
    effect = test.contrast
    if effect is None:
        return test.problem
    return f"{points(effect)}, p {p_value(effect.p_holm)}"


if __name__ == "__main__":
    sys.exit(main())
