"""The application and its last line of defence: every foreseen error is one clear message."""

from __future__ import annotations

import errno
import gc
import os
import sys
import warnings
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.terminal import guard_streams, say
from stimuli.characters import hidden_in, shown, whole
from stimuli.names import LONGEST_PART
from toolkit.cli import (
    analyse,
    compare,
    experiments,
    features,
    imports,
    listing,
    make,
    planning,
    report,
    responses,
    run,
    scoring,
    space,
    stimulus_sets,
    studies,
    tables,
    train,
)
from toolkit.cli.listing import print_version
from toolkit.cli.tasks import ByTask
from toolkit.errors import ToolkitError, UncheckedWarning
from toolkit.processes.interrupts import INTERRUPTED, MESSAGE, clearing_up_undisturbed

if TYPE_CHECKING:
    from typing import NoReturn

USAGE_ERROR = 2
COLLECTOR_PACE = (100_000, 50, 100)
"""New objects after which the garbage collector runs, and how seldom it looks at older ones."""

app = typer.Typer(
    name="mevgs-toolkit",
    cls=ByTask,
    no_args_is_help=True,
    # Plain help: drawing it with rich would double the time that --help takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Ask a trained model what child-language researchers ask a child.\n\n"
    "Start with:\n\n\b\n"
    "  mevgs-toolkit run-paradigm me --subject bilingual-en-nl\n"
    "  mevgs-toolkit list subjects\n"
    "  mevgs-toolkit report mevgs-runs/me-* -o report.html",
)


@app.callback()
def _whole(
    version: Annotated[
        bool,
        typer.Option(
            "--version",
            "-V",
            help="Print the version and exit.",
            callback=print_version,
            is_eager=True,
        ),
    ] = False,
) -> None:
    pass


run.register(app)
scoring.register(app)
analyse.register(app)
report.register(app)
space.register(app)
compare.register(app)
listing.register(app)
stimulus_sets.register(app)
train.register(app)
studies.register(app)
make.register(app)
planning.register(app)
tables.register(app)
imports.register(app)
responses.register(app)
features.register(app)
experiments.register(app)


def main() -> NoReturn:
    """Run the command line; foreseen errors end with exit code 2 and no traceback."""
    # Must be set before any library that talks to a model hub is imported: nothing is fetched
    # unless the user names a hub model, and shipped models are folders.
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    # Importing torch, timm and transformers makes close to a million objects that all stay: at the
    # usual pace, looking for garbage among them takes a quarter of the time that importing takes.
    gc.set_threshold(*COLLECTOR_PACE)
    guard_streams()
    in_general = warnings.formatwarning
    warnings.formatwarning = lambda message, category, *place: (
        f"Note: {message}\n"
        if issubclass(category, UncheckedWarning)
        else in_general(message, category, *place)
    )
    with clearing_up_undisturbed():
        try:
            _refuse_hidden(sys.argv[1:])
            app(prog_name="mevgs-toolkit")
        except ToolkitError as error:
            _stop(str(error), USAGE_ERROR)
        except (KeyboardInterrupt, SystemExit) as end:
            # typer turns Ctrl-C into an exit code and says nothing.
            if isinstance(end, SystemExit) and end.code != INTERRUPTED:
                raise
            _stop(MESSAGE, INTERRUPTED)
        except BrokenPipeError:
            # The reader of a pipe (head, less) has gone; further writes would only raise again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(0)
        except OSError as error:
            where = f" {shown(str(error.filename))}" if error.filename else ""
            if error.errno == errno.ENAMETOOLONG:
                told = ToolkitError(
                    "No file can have a name as long as this one.",
                    given=str(error.filename),
                    allowed=f"names of at most {LONGEST_PART} bytes, in paths of some thousands",
                )
                _stop(str(told), USAGE_ERROR)
            _stop(
                f"A file could not be read or written:{where}: {error.strerror or error}.\n"
                "  Nothing half-written was left; what was finished before is kept.\n"
                "  try: free some space or choose another folder with --out DIR",
                USAGE_ERROR,
            )
    sys.exit(0)


def _refuse_hidden(typed: Sequence[str]) -> None:
    """Nothing that is typed holds what is not seen, nor does the name of the current folder."""
    for name in typed:
        if hidden_in(name) and not hidden_in(whole(name)):
            raise ToolkitError(
                f"In this locale, {shown(name)} is no text to Python.",
                given=f"the encoding {sys.getfilesystemencoding()}",
                allowed="UTF-8",
                next_command="export PYTHONUTF8=1, then the same command again",
            )
    here = ""
    with suppress(OSError):  # it was removed meanwhile
        here = whole(str(Path.cwd()))
    for name in (*typed, here):
        if hidden := hidden_in(name):
            raise ToolkitError(
                "What was typed, or the name of this folder, holds a character that is not seen, "
                "or that hides what is written.",
                given=f"{hidden} in {shown(name)}",
                allowed="text without control characters, line separators and bidirectional "
                "overrides, its bytes UTF-8",
            )


def _stop(message: str, code: int) -> NoReturn:
    say(f"Error: {message}", error=True)
    sys.exit(code)
