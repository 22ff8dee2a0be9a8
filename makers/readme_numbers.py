"""Makes the numbers of README and documentation: ``python -m makers.readme_numbers [--check]``.

Without an option the runs are made, the table of numbers and the pages are written. With
``--check`` the runs are made too, and compared with both; nothing is written, and the exit code is
1 where they differ. ``--runs DIR`` keeps the runs, so that asking again does only what is missing.
"""

from __future__ import annotations

import argparse
import csv
import difflib
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import nullcontext
from pathlib import Path

from makers.readme_runs import Numbers, measure
from makers.readme_text import MismatchError, filled
from reports.terminal import say
from stimuli.cells import csv_text, unguarded
from stimuli.files import write_atomic

ROOT = Path(__file__).parent.parent
PAGES = tuple(
    ROOT / name
    for name in (
        "README.md",
        "docs/start.md",
        "docs/trials.md",
        "docs/networks.md",
        "docs/grounding.md",
    )
)
"""Where the numbers stand, each once."""
BETWEEN = "\f"
"""What stands between two pages where they are handled as one text."""
TABLE = Path(__file__).with_name("readme_numbers.csv")


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(
        description="Make the numbers of README and documentation from runs."
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the runs in this folder")
    asked = parser.parse_args(arguments)
    with nullcontext(asked.runs) if asked.runs else tempfile.TemporaryDirectory() as folder:
        numbers = measure(Path(folder))
    said = read_pages()
    try:
        if asked.check:
            faults = list(differences(read_table(TABLE), numbers, said))
            say("".join(f"{fault}\n" for fault in faults), end="")
            return 1 if faults else 0
        wanted = filled(said, numbers)
    except MismatchError as fault:
        say(str(fault))
        return 1
    write_table(TABLE, numbers)
    for page, text in zip(PAGES, wanted.split(BETWEEN), strict=True):
        with write_atomic(page) as path:
            path.write_text(text, encoding="utf-8")
    return 0


def read_pages() -> str:
    """The text of all pages, one after the other."""
    return BETWEEN.join(page.read_text(encoding="utf-8") for page in PAGES)


def read_table(path: Path) -> Numbers:
    """The committed numbers by name."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["name"]: unguarded(row["value"]) for row in csv.DictReader(file)}


def write_table(path: Path, numbers: Mapping[str, str]) -> None:
    """Write numbers as CSV with the columns ``name`` and ``value``."""
    with write_atomic(path) as unfinished:
        table = csv_text([("name", "value"), *numbers.items()])
        unfinished.write_text(table, encoding="utf-8", newline="")


def differences(kept: Mapping[str, str], found: Mapping[str, str], said: str) -> Iterator[str]:
    """What differs between the committed numbers, those of new runs, and the pages.

    The pages have to say exactly what was committed. New runs may differ in the last digit, since
    another processor may add up in another order.

    Args:
        kept: committed numbers.
        found: numbers of new runs.
        said: text of the pages.

    Raises:
        MismatchError: see `makers.readme_text.filled`.
    """
    for name in dict.fromkeys([*kept, *found]):
        old, new = kept.get(name, "(none)"), found.get(name, "(none)")
        if not alike(old, new):
            yield f"{name}: {TABLE.name} has {old}, the runs give {new}"
    wanted = filled(said, kept)
    yield from (
        line.rstrip("\n")
        for line in difflib.unified_diff(
            said.splitlines(True), wanted.splitlines(True), "pages", TABLE.name, n=0
        )
    )


def alike(old: str, new: str) -> bool:
    """True if two texts are the same, but for one unit in the last digit of a number.

    Example:
        >>> alike("55.2 [53.6, 56.8]", "55.3 [53.6, 56.8]"), alike("55.2", "55.4"), alike("a", "b")
        (True, False, False)
    """
    number = r"-?\d*\.?\d+"
    if re.sub(number, "0", old) != re.sub(number, "0", new):
        return False
    return all(
        abs(float(one) - float(other)) <= 1.001 * 10 ** -len(one.partition(".")[2])
        for one, other in zip(re.findall(number, old), re.findall(number, new), strict=True)
    )


if __name__ == "__main__":
    sys.exit(main())
