"""Makes the table of looking in docs/battery.md: ``python -m makers.looking_numbers [--check]``.

Every included population is put to looking while listening; the table stands between two marks.
With ``--check`` the runs are made too, and compared; nothing is written, and the exit code is 1
where they differ. ``--runs DIR`` keeps the runs, so that asking again does only what is missing.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import toolkit
from makers.readme_numbers import alike
from reports.looking.text import VERDICTS, clusters_of, time_of
from reports.numbers import estimate, number
from reports.terminal import say
from stimuli.files import write_atomic
from toolkit.statistics.looking.results import LookingAnalysis

PAGE = Path(__file__).parent.parent / "docs" / "battery.md"
BEGIN, END = "<!-- looking: begin -->\n", "<!-- looking: end -->\n"
RUNS = (
    (
        *("untrained", "bilingual-en-nl", "bilingual-en-fr", "bilingual-fr-nl"),
        *("monolingual-en", "monolingual-nl", "monolingual-fr"),
    ),
    ("monolingual-en-draws", "bilingual-en-nl-draws"),
)
"""Populations of one run each: those that learnt the same words, and those with draws of words."""
HEADINGS = ("population", "language", "condition", "looking %, 200 to 800 ms [95 % CI]", "verdict",
            "clusters above chance", "turned at, ms [95 % CI]", "last gate, %")  # fmt: skip


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Make the table of looking in docs/battery.md.")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the runs in this folder")
    asked = parser.parse_args(arguments)
    with nullcontext(asked.runs) if asked.runs else tempfile.TemporaryDirectory() as folder:
        lines = list(table_lines(Path(folder)))
    said = PAGE.read_text(encoding="utf-8")
    before, _, rest = said.partition(BEGIN)
    kept, _, after = rest.partition(END)
    if asked.check:
        old = kept.splitlines()
        faults = [
            f"{PAGE.name}: {one}\nthe runs: {other}\n"
            for one, other in zip(old, lines, strict=False)
            if not alike(one, other)
        ]
        if len(old) != len(lines):
            faults.append(f"{PAGE.name} has {len(old)} lines, the runs give {len(lines)}\n")
        say("".join(faults), end="")
        return 1 if faults else 0
    with write_atomic(PAGE) as path:
        path.write_text(f"{before}{BEGIN}{_joined(lines)}{END}{after}", encoding="utf-8")
    return 0


def table_lines(folder: Path) -> Iterator[str]:
    """The table, made of runs in a folder."""
    yield _row(HEADINGS)
    yield _row(["---"] * len(HEADINGS))
    for populations in RUNS:
        run = toolkit.run_paradigm(
            "looking-while-listening", list(populations), stimuli="mini-carrier", out=folder
        )
        told = run.analyse().results["looking-while-listening"]
        if not isinstance(told, LookingAnalysis):
            raise TypeError(f"{type(told).__name__} is no analysis of looking")
        for own in told.results:
            test = own.window
            yield _row(
                (
                    own.population,
                    own.test_language,
                    own.condition,
                    estimate(test.mean, test.model.ci_low, test.model.ci_high, 100, mark=50.0),
                    VERDICTS[test.verdict],
                    clusters_of(own.clusters),
                    time_of(own.reaction),
                    number(own.course[-1].mean, 100),
                )
            )


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _joined(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
