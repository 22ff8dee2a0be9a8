"""Makes tables of docs/battery.md from runs: ``python -m makers.mispronunciation_numbers``.

They are those of `mispronunciation` and `me-across-languages`, over all included populations.
Without an option the runs are made and the tables written. With ``--check`` the runs are made too,
and compared with what stands there; nothing is written, and the exit code is 1 where they differ.
``--runs DIR`` keeps the runs, so that asking again does only what is missing.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

from makers.readme_numbers import alike
from makers.readme_runs import TRAINED, UNTRAINED
from paradigms.formula import check_declared
from paradigms.registry import get_paradigm
from reports.numbers import estimate, number, p_value, points, slope_ratio
from reports.terminal import say
from stimuli import open_set
from stimuli.files import write_atomic
from toolkit.running.choices import run
from toolkit.running.plan import Finished
from toolkit.statistics.choices.condition_contrasts import contrast_tests
from toolkit.statistics.choices.counts import read_counts
from toolkit.statistics.choices.trends import TrendTest, trend_tests
from toolkit.statistics.summary import summarise
from toolkit.subjects.populations import open_population

PAGE = Path(__file__).parent.parent / "docs" / "battery.md"
ALPHA = 0.05
SHOWN = ("translation", "own-novel", "foreign-absent", "foreign-novel", "own-translation")
"""Conditions of `me-across-languages`."""


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make numbers of docs/battery.md from runs.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the runs in this folder")
    asked = parser.parse_args(arguments)
    page = PAGE.read_text(encoding="utf-8")
    with nullcontext(asked.runs) if asked.runs else tempfile.TemporaryDirectory() as folder:
        for name, table in TABLES.items():
            block = "\n".join(table(Path(folder)))
            known = re.search(rf"(<!-- numbers:{name} -->\n)(.*?)(\n<!-- /numbers -->)", page, re.S)
            if known is None:
                say(f"{PAGE.name} has no place for {name}.", error=True)
                return 1
            if asked.check and not alike(known[2], block):
                say(f"{PAGE.name} says of {name}\n{known[2]}\nand the runs give\n{block}")
                return 1
            page = page[: known.start(2)] + block + page[known.end(2) :]
    if not asked.check:
        with write_atomic(PAGE) as path:
            path.write_text(page, encoding="utf-8")
    return 0


def asked_of_all(name: str, root: Path) -> list[Finished]:
    """Runs of a paradigm: the trained populations, and the untrained one in English."""
    paradigm = get_paradigm(name)
    stimuli = open_set(paradigm.default_set)
    trained = [open_population(one) for one in TRAINED]
    untrained = [open_population(UNTRAINED)]
    return [
        run(paradigm, trained, stimuli, root=root, jobs=2),
        run(paradigm, untrained, stimuli, languages=["en"], root=root, jobs=2),
    ]


def mispronunciation(root: Path) -> Iterator[str]:
    """Shares at every number of features, the slope over it, and what each feature costs."""
    paradigm = get_paradigm("mispronunciation")
    formula = check_declared(paradigm.formula, paradigm.name, graded=True)
    counts = read_counts([done.directory.folder for done in asked_of_all(paradigm.name, root)])
    tests = trend_tests(counts, paradigm.graded, formula, ALPHA)
    for beside in ("novel", "familiar"):
        where = f"beside a {beside} picture"
        yield f"Choices of the familiar picture {where}, in per cent, and odds ratios:"
        yield ""
        yield (
            "| population | language | 0 | 1 | 2 | 3 features | per feature | p Holm "
            "| place | voice | manner |"
        )
        yield "| --- " * 11 + "|"
        for test in tests:
            if test.factor == f"features changed, {where}":
                own = {one.factor: one for one in tests if _same(one, test)}
                by_kind = [own[f"{kind} changed, {where}"] for kind in ("place", "voice", "manner")]
                told = [
                    f"`{test.population}`",
                    test.test_language,
                    *(number(at.accuracy, 100) for at in test.levels),
                    slope_ratio(test),
                    p_value(test.contrast.p_holm) if test.contrast else "-",
                    *map(slope_ratio, by_kind),
                ]
                yield f"| {' | '.join(told)} |"
        if beside == "novel":
            yield ""


def _same(one: TrendTest, other: TrendTest) -> bool:
    return (one.population, one.test_language) == (other.population, other.test_language)


def across_languages(root: Path) -> Iterator[str]:
    """Choices of the novel picture, and the declared contrasts."""
    paradigm = get_paradigm("me-across-languages")
    runs = asked_of_all(paradigm.name, root)
    rows = [row for done in runs for row in summarise(done, paradigm).results]
    shares = {(row.population, row.test_language, row.condition): row for row in rows}
    counts = read_counts([done.directory.folder for done in runs])
    tests = contrast_tests(counts, paradigm.contrasts, ALPHA)
    names = [f"{one.plus} - {one.minus}" for one in paradigm.contrasts]
    yield "Choices of the novel picture, in per cent, with 95 % intervals over seeds:"
    yield ""
    yield f"| population | language | {' | '.join(SHOWN)} |"
    yield "| --- " * (len(SHOWN) + 2) + "|"
    cells = dict.fromkeys((row.population, row.test_language) for row in rows)
    for who, language in cells:
        own = [shares[who, language, condition] for condition in SHOWN]
        told = [estimate(row.mean, row.ci_low, row.ci_high, 100) for row in own]
        yield f"| `{who}` | {language} | {' | '.join(told)} |"
    yield ""
    yield "Contrasts in percentage points, with 95 % intervals over further seeds and words:"
    yield ""
    yield f"| population | language | {' | '.join(names)} |"
    yield "| --- " * (len(names) + 2) + "|"
    for who, language in cells:
        found = {
            f"{one.plus} - {one.minus}": one
            for one in tests
            if (one.population, one.test_language) == (who, language)
        }
        told = [
            f"{points(one.contrast)}, p {p_value(one.contrast.p_holm)}" if one.contrast else "-"
            for one in map(found.__getitem__, names)
        ]
        yield f"| `{who}` | {language} | {' | '.join(told)} |"


TABLES: dict[str, Callable[[Path], Iterator[str]]] = {
    "mispronunciation": mispronunciation,
    "me-across-languages": across_languages,
}
"""What makes each table, by the name of its place in the page."""


if __name__ == "__main__":
    sys.exit(main())
