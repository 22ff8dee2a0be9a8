"""What stands on a worked page: blocks of code that are run, files, and places for what comes out.

    ```bash                         run line by line in the page's folder
    ```python                       run as a script there
    ```toml title="study.toml"      any block with a title is written as a file
    <!-- output: Controls -->       between this and <!-- /output --> stands what the block before
                                    printed: all of it, or the parts that begin with these words,
                                    named with "; " between them

A block after ``<!-- not run: REASON -->`` is left alone.
"""

from __future__ import annotations

import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from makers.readme_text import MismatchError, put_in

ROOT = Path(__file__).parent.parent
COMMAND = "mevgs-toolkit"
EFFORT = "{commands} commands and about {minutes} minutes of processor time"
"""A sentence that a page may hold."""
_BLOCK = re.compile(
    r"<!-- output(?:: (?P<shown>[^\n]+?))? -->\n(?P<out>.*?)<!-- /output -->"
    r'|(?P<left><!-- not run: [^\n]+ -->\n+)?^```(?P<kind>\w+)(?: title="(?P<title>[^"\n]+)")?\n'
    r"(?P<code>.*?)^```$",
    re.M | re.S,
)


@dataclass(frozen=True)
class Done:
    """A page whose blocks were run."""

    text: str
    """The page with what came out."""
    commands: int
    """Commands of the toolkit on it."""
    minutes: float
    """What all blocks together took, minutes of processor time."""


def carry_out(page: str, folder: Path, environment: Mapping[str, str] | None = None) -> Done:
    """Run the blocks of a page one after the other, and fill in what they print.

    Args:
        page: text of the page.
        folder: where its files are written and its commands run.
        environment: variables besides those of this process.

    Raises:
        MismatchError: a block fails, or does not print what is to be shown.
    """
    variables = _with_command(folder) | dict(environment or {})
    filled, last, printed = "", 0, ""
    used = _processor_s()
    for block in _BLOCK.finditer(page):
        kind, title, code = block["kind"], block["title"], block["code"]
        if block["out"] is not None:
            start, end = block.span("out")
            shown = "".join(f"{line}\n" for line in parts_of(printed, block["shown"]))
            filled, last = f"{filled}{page[last:start]}```text\n{shown}```\n", end
        elif title:
            (folder / title).parent.mkdir(parents=True, exist_ok=True)
            (folder / title).write_text(code, encoding="utf-8")
        elif kind in ("bash", "python") and not block["left"]:
            printed = _run(kind, code, folder, variables)
    done = Done(
        filled + page[last:],
        len([*commands_of(page)]),
        (_processor_s() - used) / 60,
    )
    if re.search(re.sub(r"\{\w+\}", r"[\\d.]+", EFFORT), page):
        told = {"commands": f"{done.commands}", "minutes": f"{done.minutes:.1f}"}
        return Done(put_in(done.text, EFFORT, told), done.commands, done.minutes)
    return done


def commands_of(page: str) -> Iterator[str]:
    r"""The commands of the toolkit in the blocks that are run, without their line breaks.

    Example:
        >>> list(commands_of("```bash\nmevgs-toolkit list \\\n  subjects\n```\n"))
        ['mevgs-toolkit list subjects']
    """
    for block in _BLOCK.finditer(page):
        if block["kind"] == "bash" and not block["left"]:
            whole = re.sub(r"\\\n\s*", "", block["code"])
            yield from (line for line in whole.splitlines() if line.startswith(COMMAND))


def parts_of(printed: str, shown: str | None) -> Iterator[str]:
    r"""Lines of an output that a page shows, an empty one between two tables.

    A part begins with the first line that begins with its words, and ends before the next empty
    line; one that begins with a dash ends before the next that does.

    Args:
        printed: all that was printed.
        shown: first words of the parts; None for everything.

    Raises:
        MismatchError: a part was not printed.

    Example:
        >>> list(parts_of("A: 1\n2\n\n- b\n- c\n", "A; - b"))
        ['A: 1', '2', '- b']
    """
    lines = [line.rstrip() for line in printed.strip("\n").splitlines()]
    if shown is None:
        yield from lines
        return
    for number, words in enumerate(shown.split("; ")):
        first = next((n for n, line in enumerate(lines) if line.startswith(words)), None)
        if first is None:
            raise MismatchError(f"nothing that begins with {words!r} was printed:\n{printed}")
        if number and not words.startswith("- "):
            yield ""
        yield lines[first]
        for line in lines[first + 1 :]:
            if not line or (words.startswith("- ") and line.startswith("- ")):
                break
            yield line


def _run(kind: str, code: str, folder: Path, variables: Mapping[str, str]) -> str:
    call = ["bash", "-euo", "pipefail", "-c"] if kind == "bash" else [sys.executable, "-c"]
    done = subprocess.run(
        [*call, code],
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if done.returncode:
        raise MismatchError(f"this failed:\n{code}{done.stdout}{done.stderr}")
    return done.stdout


def _with_command(folder: Path) -> dict[str, str]:
    """Variables with which blocks find the command of this checkout."""
    place = folder / ".bin"
    place.mkdir(parents=True, exist_ok=True)
    program = place / COMMAND
    program.write_text(
        f"#!/bin/sh\nexec '{sys.executable}' -c 'from toolkit.cli import main; main()' \"$@\"\n",
        encoding="utf-8",
    )
    program.chmod(0o755)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {
        "PATH": os.pathsep.join([str(place), os.environ.get("PATH", "")]),
        "PYTHONPATH": os.pathsep.join(paths),
        "PYTHONUTF8": "1",
    }


def _processor_s() -> float:
    """Seconds that processes started here have worked, those that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
