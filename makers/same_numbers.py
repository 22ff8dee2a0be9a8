"""Do two checkouts make the same numbers? ``python -m makers.same_numbers OLD NEW [--out DIR]``.

The same commands are run with the code of both, and every JSON, Parquet and CSV file they leave is
compared to the last digit. Each difference is told in a line; the exit code is 1 if there are any,
or if a command fails. What is not compared stands in `EXCLUDED`, `EXCLUDED_FOLDERS` and `RUN_ID`.

``--out DIR`` keeps the results in ``DIR/old`` and ``DIR/new``. Such a folder may be named again in
place of its checkout, whose commands are then not run again. The commands take many minutes, most
of it for mixed models of all included populations.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from itertools import zip_longest
from pathlib import Path
from reprlib import Repr
from typing import TYPE_CHECKING, Any

from makers.commands import run
from makers.readme_runs import CLIP, TRAINED, UNTRAINED
from reports.terminal import say
from stimuli.errors import ToolkitError, quoted

if TYPE_CHECKING:
    import pandas as pd

EXCLUDED = frozenset(
    {
        # times, and the energy that is measured over them
        "started", "ended", "duration_s", "energy",
        # versions: of the code, of packages, of the machine
        "toolkit_version", "git", "python", "packages", "machine", "device",
        "source_sha256", "made_of",
        # ids and paths, and the command line that holds them
        "run_id", "run_directory", "folder", "cells", "command",
    }
)  # fmt: skip
"""Keys of JSON files and columns of tables that are not compared."""
EXCLUDED_FOLDERS = frozenset({"cells", "embeddings"})
"""Folders with names that are ids; the rows of all cells of a run are in its one table."""
RUN_ID = re.compile(r"-[0-9a-f]{8}(?=/)")
"""The end of a run folder's name, which is not compared."""
SUFFIXES = (".json", ".parquet", ".csv")
COMMANDS_FILE = "commands.json"
"""What became of each command: an empty text, or how it failed."""

DUMMIES = ("constant", "familiar-seeker", "perfect", "random", "reversed")
NETWORKS = (*TRAINED, UNTRAINED)
LANGUAGES = ("en", "nl", "fr")
_shorten = Repr()
_shorten.maxstring = _shorten.maxother = 100


def main() -> None:
    """Run the commands and print what differs.

    Raises:
        ToolkitError: a folder is neither a checkout nor holds results, or results would be mixed.
    """
    parser = argparse.ArgumentParser(description="Compare the numbers of two checkouts.")
    parser.add_argument("old", type=Path, help="checkout, or results of it that were kept")
    parser.add_argument("new", type=Path, help="checkout, or results of it that were kept")
    parser.add_argument("--out", type=Path, metavar="DIR", help="keep the results in this folder")
    asked = parser.parse_args()
    with nullcontext(asked.out) if asked.out else tempfile.TemporaryDirectory() as folder:
        old = results(asked.old, Path(folder) / "old")
        new = results(asked.new, Path(folder) / "new")
        told = [*failures(old), *failures(new), *differences(old, new)]
        n_files = len(_files(old).keys() | _files(new).keys())
    for line in told:
        say(line)
    say(f"{n_files} files compared, {len(told)} differences.")
    if told:
        sys.exit(1)


def results(given: Path, place: Path) -> Path:
    """The folder of results that a checkout makes, or that was given instead of it.

    Args:
        given: a checkout, or a folder of results.
        place: where the results of a checkout go.

    Raises:
        ToolkitError: it is neither; there are results in that place already; or the checkout's
            code is not what is run.
    """
    if (given / COMMANDS_FILE).is_file():
        return given
    if not (given / "toolkit" / "__init__.py").is_file():
        raise ToolkitError(
            f"{given} is no checkout, and no results of one.",
            allowed=f"a folder with toolkit/, or one with {COMMANDS_FILE}",
        )
    if place.exists():
        raise ToolkitError(
            f"{place} exists; results of other code are not mixed with it.",
            allowed="--out with a folder that is new",
            next_command=f"python -m makers.same_numbers {quoted(place)} ..., "
            "to take what is there",
        )
    place.mkdir(parents=True)
    checkout = given.resolve()
    used = Path(_python(checkout, place, "import toolkit; print(toolkit.__file__)").stdout.strip())
    if checkout not in used.resolve().parents:
        raise ToolkitError(f"The code of {used} is run, not that of {checkout}.")
    done = {name: _command(checkout, place, name, part) for name, part in _commands()}
    (place / COMMANDS_FILE).write_text(json.dumps(done, indent=2), encoding="utf-8")
    return place


def _commands() -> Iterator[tuple[str, Sequence[str]]]:
    """Every command by a name of its own; ``{me}`` stands for the folder of that run."""
    asked: dict[str, tuple[Sequence[str], Sequence[str]]] = {
        "familiar": ((*NETWORKS, *DUMMIES), ()),
        "me": ((*NETWORKS, *DUMMIES), ()),
        # Who was trained on one language is asked for translations, too.
        "translation": ((*NETWORKS, *DUMMIES), LANGUAGES),
        "dense-grounding": ((CLIP, "perfect", "random"), ()),
    }
    last = ("--jobs", "2", "--out", ".")
    for paradigm, (subjects, languages) in asked.items():
        options = (*_repeated("--subject", subjects), *_repeated("--language", languages))
        yield paradigm, ("run-paradigm", paradigm, *options, *last, "--no-report")
    networks = _repeated("--subject", NETWORKS)
    for paradigm in ("familiar", "me"):
        yield f"score-all-{paradigm}", ("score-all", paradigm, *networks, *last)
    yield "space", ("analyze-space", *networks, "--run", "{me}", *last)
    both = ("{familiar}", "{me}", "--conditions", "all", "--digits", "15", "-o", "table.csv")
    yield "table", ("table", *both)
    yield "power.json", ("power", "--difference", "1.3", "--seed-sd", "3", "--format", "json")
    logit = ("--odds-ratio", "0.9", "--base-accuracy", "0.66", "--seed-sd", "0.15")
    yield "power-logit.json", ("power", *logit, "--format", "json")


def _repeated(option: str, values: Sequence[str]) -> list[str]:
    return [part for value in values for part in (option, value)]


def _command(checkout: Path, place: Path, name: str, arguments: Sequence[str]) -> str:
    """Run one command; what it prints is kept if its name is that of a file.

    Returns:
        An empty text, or the line that says what is wrong.
    """
    call = "from toolkit.cli import main; main()"
    done = _python(checkout, place, call, *(_run_folder(place, part) for part in arguments))
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        return next((line for line in said if line.startswith("Error")), said[-1])
    if name.endswith(SUFFIXES):
        (place / name).write_text(done.stdout, encoding="utf-8")
    return ""


def _run_folder(place: Path, part: str) -> str:
    """A part of a command, or the folder of the run that it stands for."""
    if not part.startswith("{"):
        return part
    name = f"{part[1:-1]}-{len(NETWORKS) + len(DUMMIES)}-populations-*"
    return next((path.name for path in place.glob(name)), part)


def _python(checkout: Path, place: Path, code: str, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-c", code, *args],
        cwd=place,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": str(checkout), "PYTHONUTF8": "1", "OMP_NUM_THREADS": "1"},
        check=False,
    )


def failures(place: Path) -> list[str]:
    """Commands that failed, each with what it said.

    Args:
        place: folder of results.
    """
    done: Mapping[str, str] = json.loads((place / COMMANDS_FILE).read_text(encoding="utf-8"))
    return [f"{place}: {name} failed: {said}" for name, said in done.items() if said]


def differences(old: Path, new: Path) -> Iterator[str]:
    """What differs between the files of two folders of results.

    Args:
        old: folder of results.
        new: folder of results.

    Yields:
        One line per value of a JSON file, per column of a table, or per file that is missing.
    """
    before, after = _files(old), _files(new)
    for name in sorted(before.keys() | after.keys()):
        if name not in after or name not in before:
            yield f"{name}: only in {old if name in before else new}"
            continue
        compare = json_differences if name.endswith(".json") else table_differences
        yield from (f"{name}: {line}" for line in compare(_read(before[name]), _read(after[name])))


def _files(folder: Path) -> dict[str, Path]:
    """What is compared, by its path without ids."""
    return {
        RUN_ID.sub("", path.relative_to(folder).as_posix()): path
        for path in sorted(folder.rglob("*"))
        if path.suffix in SUFFIXES
        and path.name != COMMANDS_FILE
        and not EXCLUDED_FOLDERS & set(path.relative_to(folder).parts)
    }


def _read(path: Path) -> Any:
    import pandas as pd

    if path.suffix == ".json":
        return json.loads(path.read_text(encoding="utf-8"))
    if path.suffix == ".parquet":
        return pd.read_parquet(path)
    try:
        return pd.read_csv(path, dtype=str, keep_default_na=False)  # every digit as it is written
    except pd.errors.EmptyDataError:
        return pd.DataFrame()


def json_differences(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """What differs between two JSON contents, value by value.

    Args:
        old: content.
        new: content.
        at: where in the file they stand.

    Example:
        >>> list(json_differences({"p": [0.1, 1], "git": 1}, {"p": [0.1, 2], "git": 2}))
        ['/p/1: 1 -> 2']
    """
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            if key not in EXCLUDED:
                yield from json_differences(old.get(key, _NOTHING), new.get(key, _NOTHING),
                                            f"{at}/{key}")  # fmt: skip
    elif isinstance(old, list) and isinstance(new, list):
        for place, (one, other) in enumerate(zip_longest(old, new, fillvalue=_NOTHING)):
            yield from json_differences(one, other, f"{at}/{place}")
    elif not _same(old, new):
        yield f"{at}: {_shorten.repr(old)} -> {_shorten.repr(new)}"


class _Nothing:
    """Stands where the other file has something."""

    def __repr__(self) -> str:
        return "(nothing)"


_NOTHING = _Nothing()


def _same(old: Any, new: Any) -> bool:
    if type(old) is not type(new):
        return False
    return bool(old == new) or (isinstance(old, float) and math.isnan(old) and math.isnan(new))


def table_differences(old: pd.DataFrame, new: pd.DataFrame) -> Iterator[str]:
    """What differs between two tables, column by column.

    Args:
        old: table.
        new: table.

    Example:
        >>> import pandas as pd
        >>> one, other = pd.DataFrame({"p": [0.1, 0.2]}), pd.DataFrame({"p": [0.1, 0.3]})
        >>> list(table_differences(one, other))
        ["column 'p': 1 of 2 values differ, first in row 1: 0.2 -> 0.3"]
    """
    if len(old) != len(new):
        yield f"{len(old)} rows -> {len(new)} rows"
    for name in dict.fromkeys([*old.columns, *new.columns]):
        if name in EXCLUDED:
            continue
        if name not in new.columns or name not in old.columns:
            yield f"column {name!r}: only in the {'old' if name in old.columns else 'new'} table"
            continue
        if old[name].dtype.name != new[name].dtype.name:
            yield f"column {name!r}: {old[name].dtype} -> {new[name].dtype}"
        if len(old) == len(new):
            yield from _value_differences(name, old[name].tolist(), new[name].tolist())


def _value_differences(name: str, old: list[Any], new: list[Any]) -> Iterator[str]:
    pairs = enumerate(zip(old, new, strict=True))
    found = [place for place, pair in pairs if not _same(*pair)]
    if found:
        first = found[0]
        yield (
            f"column {name!r}: {len(found)} of {len(old)} values differ, first in row {first}: "
            f"{_shorten.repr(old[first])} -> {_shorten.repr(new[first])}"
        )


if __name__ == "__main__":
    run(main)
