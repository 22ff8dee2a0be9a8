"""``check-stimuli`` and ``synthesize``: sets of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say
from stimuli.limits import TRIALS_PER_CLASS
from toolkit.cli.options import NewSetOption, WordsOption
from toolkit.errors import quoted


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("check-stimuli")(check_stimuli)
    app.command()(synthesize)


def check_stimuli(
    directory: Annotated[
        str, typer.Argument(help="Folder of a stimulus set or of pictures, or a set's name.")
    ],
    words: WordsOption = None,
) -> None:
    """Check every file of a stimulus set, and its list of written words.

    All faults are listed at once. Exit code 0 if there are none, else 2.

    Example: mevgs-toolkit check-stimuli my-stimuli
    """
    from stimuli import open_set

    found = open_set(directory, words)
    faults = found.check()
    if faults:
        say(f"{directory} has {len(faults)} fault{'s' * (len(faults) > 1)}:", error=True)
        for fault in faults:
            say(f"  - {fault}", error=True)
        raise typer.Exit(2)
    say(f"{found.name} {found.version}: {len(found.table)} files, no faults.")


def synthesize(
    words: Annotated[
        Path, typer.Argument(help="CSV with the columns concept, word and status (optional).")
    ],
    language: Annotated[str, typer.Option(help="Language code of espeak-ng, e.g. de or es.")],
    out: NewSetOption,
    voice: Annotated[
        list[str] | None, typer.Option(help="espeak-ng voice variant; by default 24 clean ones.")
    ] = None,
    takes: Annotated[
        int, typer.Option(min=1, max=TRIALS_PER_CLASS, help="Recordings per word and voice.")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Seed of pitch and rate.")] = 0,
    mispronounce: Annotated[
        bool,
        typer.Option(
            "--mispronounce",
            help="Say familiar test words with 1, 2 and 3 features of their onset changed, too.",
        ),
    ] = False,
) -> None:
    """Speak a word list as a stimulus set.

    Needs espeak-ng. All pictures that a set has are left as they are.

    \b
    Examples:
      mevgs-toolkit synthesize words_de.csv --language de --out my-stimuli
      mevgs-toolkit synthesize words_de.csv --language de --out my-stimuli --mispronounce
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from stimuli import speech
    from stimuli.speech import VOICES

    speech.synthesize(
        *(words, language, out),
        voices=voice or tuple(VOICES),
        takes=takes,
        seed=seed,
        mispronounce=mispronounce,
    )
    say(f"Spoken words of {language!r} written to {out}.")
    say(f"Check it: mevgs-toolkit check-stimuli {quoted(out)}")
