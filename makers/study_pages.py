"""Fills in the worked pages of docs/: ``python -m makers.study_pages [--check] [PAGE...]``.

The blocks of a page are run in a folder of its own, and what they print is written between the
marks of the page (`makers.study_blocks`). With ``--check`` they are run too, and compared; nothing
is written, and the exit code is 1 where they differ. ``--runs DIR`` keeps the folders, so that a
study goes on where it was.
"""

from __future__ import annotations

import argparse
import difflib
import re
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from pathlib import Path

from makers.readme_numbers import alike
from makers.readme_text import MismatchError
from makers.study_blocks import EFFORT, ROOT, Done, carry_out
from makers.study_material import MATERIAL
from reports.terminal import say
from stimuli.files import write_atomic

DOCS = ROOT / "docs"
PAGES = {
    path.stem: path
    for path in (
        DOCS / "own-material.md",
        DOCS / "own-checkpoint.md",
        *sorted((DOCS / "studies").glob("*.md")),
    )
    if path.stem != "index"
}
"""Worked pages by name."""
Changes = Sequence[tuple[str, str]]
"""Words of a page or its files, and what stands for them in a smaller run."""


def main(arguments: list[str] | None = None) -> int:
    """Write or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Run the worked pages of the documentation.")
    parser.add_argument("pages", nargs="*", metavar="PAGE", help=f"{', '.join(PAGES)} [all]")
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("--runs", type=Path, metavar="DIR", help="keep the folders in this one")
    asked = parser.parse_args(arguments)
    if unknown := [name for name in asked.pages if name not in PAGES]:
        parser.error(f"no page {unknown[0]!r}; there are {', '.join(PAGES)}")
    wrong = False
    for name in asked.pages or PAGES:
        with nullcontext(asked.runs) if asked.runs else tempfile.TemporaryDirectory() as folder:
            try:
                done = worked(name, Path(folder) / name)
            except MismatchError as fault:
                say(f"{name}: {fault}")
                wrong = True
                continue
        if asked.check:
            faults = list(differences(PAGES[name].read_text(encoding="utf-8"), done))
            say("".join(f"{name}: {fault}\n" for fault in faults), end="")
            wrong = wrong or bool(faults)
            continue
        with write_atomic(PAGES[name]) as path:
            path.write_text(done.text, encoding="utf-8")
    return int(wrong)


def worked(name: str, folder: Path, changes: Changes = ()) -> Done:
    """Run a page in a folder, with its material and the files that lie in a folder of its name.

    Args:
        name: a key of `PAGES`.
        folder: made where it is missing.
        changes: what is smaller than on the page.

    Raises:
        MismatchError: a block fails, what is to be shown is not printed, or what is to be changed
            is not there.
    """
    page = PAGES[name]
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"": page.read_text(encoding="utf-8")}
    for path in sorted(page.with_suffix("").glob("*.*")):
        texts[path.name] = path.read_text(encoding="utf-8")
    for old, new in changes:
        if not any(old in text for text in texts.values()):
            raise MismatchError(f"neither the page nor its files hold {old!r}")
        texts = {key: text.replace(old, new) for key, text in texts.items()}
    for key, text in texts.items():
        if key:
            (folder / key).write_text(text, encoding="utf-8")
    with MATERIAL[name](folder) if name in MATERIAL else nullcontext({}) as environment:
        return carry_out(texts[""], folder, environment)


def differences(said: str, done: Done) -> Iterator[str]:
    """Lines of a page that a run does not bear out.

    The last digit of a number may differ, since another processor may add up in another order;
    how long a processor worked is not compared.

    Args:
        said: text of the page.
        done: the same page, run.
    """
    old, new = (_without_minutes(text).splitlines() for text in (said, done.text))
    if len(old) == len(new):
        new = [one if alike(one, other) else other for one, other in zip(old, new, strict=True)]
    for line in difflib.unified_diff(old, new, "the page", "the run", n=0, lineterm=""):
        if not line.startswith("@@"):
            yield line


def _without_minutes(page: str) -> str:
    minutes = EFFORT.partition("{minutes}")[2]
    return re.sub(rf"[\d.]+{re.escape(minutes)}", minutes, page)


if __name__ == "__main__":
    sys.exit(main())
