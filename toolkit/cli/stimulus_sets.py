"""``check-stimuli`` and ``synthesize``: sets of one's own."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import ask, say
from stimuli.limits import TRIALS_PER_CLASS
from stimuli.making import PHOTOGRAPH
from stimuli.wording import count
from toolkit.cli.completion import set_names
from toolkit.cli.options import NewSetOption, WordsOption
from toolkit.cli.tasks import PREPARE
from toolkit.errors import quoted

PicturesOfOption = Annotated[
    str | None,
    typer.Option(
        metavar="SET",
        help="Take the pictures of a known set, for words of a further language.",
        autocompletion=set_names,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("check-stimuli", rich_help_panel=PREPARE)(check_stimuli)
    app.command("make-set", rich_help_panel=PREPARE)(make_set)
    app.command("new-words", rich_help_panel=PREPARE)(new_words)
    app.command(rich_help_panel=PREPARE)(synthesize)


def check_stimuli(
    directory: Annotated[
        str,
        typer.Argument(
            help="Folder of a stimulus set or of pictures, or a set's name.",
            autocompletion=set_names,
        ),
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
        say(f"{directory} has {count(len(faults), 'fault')}:", error=True)
        for fault in faults:
            say(f"  - {fault}", error=True)
        raise typer.Exit(2)
    say(f"{found.name} {found.version}: {len(found.table)} files, no faults.")


def make_set(
    folder: Annotated[
        Path,
        typer.Argument(help="Folder with pictures/CONCEPT/* and words/LANGUAGE/CONCEPT/*."),
    ],
    out: NewSetOption,
    novel: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CONCEPT,...",
            help="Concepts that subjects have never met; all others are familiar. Repeatable.",
        ),
    ] = None,
    pictures_of: PicturesOfOption = None,
    licence: Annotated[
        str | None, typer.Option(help="Licence of the files (SPDX identifier) [asked, or unknown].")
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(help="Where the files come from [asked, or a folder of one's own]."),
    ] = None,
    author: Annotated[str, typer.Option(help="Who made the files.")] = "",
    style: Annotated[
        str, typer.Option(help="How pictures look: photograph, colour or glyph.")
    ] = PHOTOGRAPH,
    size: Annotated[
        int, typer.Option(min=8, max=4096, help="Height and width of pictures, in pixels.")
    ] = 224,
    training: Annotated[
        bool,
        typer.Option(
            "--training",
            help="Share pictures and voices of familiar concepts out among training, validation "
            "and test; otherwise everything is for tests.",
        ),
    ] = False,
    seed: Annotated[int, typer.Option(min=0, help="Seed of that.")] = 0,
) -> None:
    """Make a stimulus set of a folder of pictures and recordings.

    Any format, size, sample rate: pictures become squares of one size, clips mono at 16 kHz. A
    voice is told by its file's name up to the first _ or -, as anna in anna_2.wav. A table
    words.csv in the folder may give spellings: concept, and a column per language.

    \b
    Examples:
      mevgs-toolkit make-set my-folder --novel vase,whisk --licence CC-BY-4.0 --out my-set
      mevgs-toolkit make-set my-german-words --pictures-of mini --out mini-de
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from stimuli import making, open_set
    from stimuli.columns import STYLES
    from toolkit.cli.progress import progress_bars
    from toolkit.errors import unknown_name

    if style not in STYLES:
        raise unknown_name("style of pictures", style, STYLES)
    about = making.About(
        licence=licence or ask("Licence of the files (SPDX identifier)", making.UNKNOWN),
        source=source or ask("Where they come from", making.MADE_FROM),
        author=author,
        style=style,
        size_px=size,
    )
    known = open_set(pictures_of) if pictures_of else None
    names = [name.strip() for part in novel or () for name in part.split(",") if name.strip()]
    with progress_bars(show=True) as progress:
        made = making.make_set(
            folder,
            out,
            novel=names,
            about=about,
            pictures_of=known,
            training=training,
            seed=seed,
            progress=progress,
        )
    for what, counts in (("files", made.counts), ("concepts", made.concepts)):
        for name, n in counts.items():
            say(f"{n:7} {what}: {name}")
    if made.converted:
        say(f"{made.converted:7} clips converted to mono at 16 kHz, 16 bits")
    for note in made.notes:
        say(f"Note: {note}.")
    say(f"Check it: mevgs-toolkit check-stimuli {quoted(out)}")
    test = "me" if "novel" in made.concepts else "familiar"
    say(f"Ask: mevgs-toolkit run-paradigm {test} --stimuli {quoted(out)} --subject POPULATION")


def new_words(
    folder: Annotated[Path, typer.Argument(help="Folder of pictures, or of folders by concept.")],
    languages: Annotated[
        list[str],
        typer.Option(metavar="CODE,...", help="Languages; the first is the reference. Repeatable."),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="File to write.")] = Path(
        "words.toml"
    ),
) -> None:
    """Write a list of written words to be filled in, for dense grounding.

    Example: mevgs-toolkit new-words my-photos --languages en,de
    """
    from stimuli import newwords

    codes = [code.strip() for part in languages for code in part.split(",") if code.strip()]
    file, n_concepts = newwords.new_words(folder, codes, out)
    say(
        f"{count(n_concepts, 'concept')} in {count(len(dict.fromkeys(codes)), 'language')} "
        f"written to {file}."
    )
    say(f"Fill it in, then: mevgs-toolkit check-stimuli {quoted(folder)} --words {quoted(file)}")


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
    pictures_of: PicturesOfOption = None,
) -> None:
    """Speak a word list as a stimulus set.

    Needs espeak-ng. All pictures that a set has are left as they are. With --pictures-of, a new
    set has pictures too, and can be trained on and asked with.

    \b
    Examples:
      mevgs-toolkit synthesize words_de.csv --language de --pictures-of mini --out mini-de
      mevgs-toolkit synthesize words_de.csv --language de --out my-stimuli
      mevgs-toolkit synthesize words_de.csv --language de --out my-stimuli --mispronounce
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from stimuli import open_set, speech
    from stimuli.speech import VOICES

    made = speech.synthesize(
        *(words, language, out),
        voices=voice or tuple(VOICES),
        takes=takes,
        seed=seed,
        mispronounce=mispronounce,
        pictures_of=open_set(pictures_of) if pictures_of else None,
    )
    say(f"Spoken words of {language!r} written to {out}.")
    say(f"Check it: mevgs-toolkit check-stimuli {quoted(out)}")
    if len(made.select(kind="picture")):
        say(
            f"Train:    mevgs-toolkit train --stimuli {quoted(out)} --languages {language} "
            "--out my-subjects"
        )
        say(
            f"Ask:      mevgs-toolkit run-paradigm me --stimuli {quoted(out)} "
            f"--language {language} --subject POPULATION"
        )
