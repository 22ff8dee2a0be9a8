"""``table`` and ``import-trials``: tables for a paper, and tables from elsewhere."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.terminal import say
from stimuli.wording import count
from toolkit.cli.options import ParadigmsOption, pairs, parts, renamings
from toolkit.cli.tasks import ANALYSE, REPORT
from toolkit.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd


class Format(enum.StrEnum):
    """How the table is written."""

    TEXT = "text"
    CSV = "csv"
    MARKDOWN = "markdown"
    LATEX = "latex"
    HTML = "html"


class Shown(enum.StrEnum):
    """Which conditions are columns of the table."""

    HEADLINE = "headline"
    ALL = "all"


class Answers(enum.StrEnum):
    """What each column of answers stands for, where there are several."""

    POPULATION = "population"
    SEED = "seed"


FORMAT_OF = {
    ".txt": Format.TEXT,
    ".csv": Format.CSV,
    ".md": Format.MARKDOWN,
    ".tex": Format.LATEX,
    ".html": Format.HTML,
}
"""Format that a file's suffix asks for, where none is named."""


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command(rich_help_panel=REPORT)(table)
    app.command("import-trials", rich_help_panel=ANALYSE)(import_trials)


def table(
    run: Annotated[
        list[Path], typer.Argument(help="Run folders, or tables written by import-trials.")
    ],
    form: Annotated[
        Format | None,
        typer.Option("--format", help="By default that of --output's suffix, else text."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "--out", "-o", help="File to write; else it is printed."),
    ] = None,
    digits: Annotated[
        int, typer.Option(min=0, max=15, help="Decimals of the percentages, in every format.")
    ] = 1,
    conditions: Annotated[
        Shown, typer.Option(help="The tests alone, or their controls as well.")
    ] = Shown.HEADLINE,
    paradigms: ParadigmsOption = None,
) -> None:
    """Make the table of a paper.

    Accuracy by test language and population: mean, standard error and 95 % interval, all over
    training seeds. Several runs make one table, one pair of columns per paradigm.

    \b
    Examples:
      mevgs-toolkit table mevgs-runs/familiar-* mevgs-runs/me-*
      mevgs-toolkit table mevgs-runs/me-bilingual-en-nl-1a2b3c4d --conditions all
      mevgs-toolkit table mevgs-runs/me-* -o table1.tex
      mevgs-toolkit table mevgs-runs/me-* --format csv --digits 4
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from reports.publication import render
    from stimuli.files import write_atomic
    from toolkit.cli.given import runs_given
    from toolkit.statistics.choices.publication import publication_table

    suffix = output.suffix.lower() if output is not None else ".txt"
    chosen = form or FORMAT_OF.get(suffix, Format.TEXT)
    made = publication_table(runs_given(run), conditions=conditions.value, paradigms=paradigms)
    text = render(made, chosen.value, digits)
    if output is None:
        say(text, end="")
        return
    with write_atomic(output) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    say(f"Table of {len(made.rows)} lines written to {output} ({chosen.value}).")


def import_trials(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV (UTF-8) or Parquet, one answer per row; or a Psych-DS dataset of export."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "--out", "-o", help="Parquet file to write.")],
    columns: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=COLUMN,...",
            help="What the file calls our columns: population, seed (participant), "
            "test_language, condition, word_concept (item), correct; others as you like.",
        ),
    ] = None,
    constant: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE,...", help="Values that are the same in every row."
        ),
    ] = None,
    recode: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME:OLD=NEW,...",
            help="Values to rename before they are looked at, e.g. condition:NF=novel-familiar or "
            "correct:yes=1; with nothing or NA behind the =, OLD means a missing value.",
        ),
    ] = None,
    missing: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CODE,...",
            help="Codes that mean a missing value in any column, e.g. -99 or . (an empty field, NA "
            "and NaN always do).",
        ),
    ] = None,
    wide: Annotated[
        Answers | None,
        typer.Option(help="There is one column of answers per model (population) or per seed."),
    ] = None,
    word_pattern: Annotated[
        str | None,
        typer.Option(
            metavar="REGEX", help="With --wide: the word in a clip's name, e.g. '^([a-z]+)_'."
        ),
    ] = None,
    drop_missing: Annotated[
        bool, typer.Option("--drop-missing", help="Leave out rows that lack a required value.")
    ] = False,
    keep_repeats: Annotated[
        bool, typer.Option("--keep-repeats", help="Equal rows are separate trials.")
    ] = False,
) -> None:
    """Bring a table from elsewhere into our form.

    Children, published predictions, anything with one answer per row. All faults are told at
    once. What a column means is written into the file; other columns are kept. With a paradigm
    among the values of --set, the table can be analysed together with runs. Blanks around values
    are taken off and letters composed (NFC), which is told, as are names in two spellings. A
    column trial_seed tells several trial lists of one participant apart.

    \b
    Examples:
      mevgs-toolkit import-trials study.csv -o children.parquet \\
        --columns seed=sub_id,word_concept=object1,condition=trial_type \\
        --set population=children,test_language=en,n_choices=2
      mevgs-toolkit import-trials study.csv -o children.parquet --drop-missing \\
        --columns seed=sub_id,word_concept=object1,condition=trial_type \\
        --set population=children,test_language=en,n_choices=2,paradigm=me \\
        --set paradigm_version=1,n_languages=1,train_languages=en \\
        --recode condition:NF=novel-familiar,condition:NN=novel-novel
      mevgs-toolkit import-trials study.csv -o children.parquet --missing .,-99 \\
        --recode correct:yes=1,correct:no=0 --drop-missing
      mevgs-toolkit import-trials predictions.csv -o published.parquet \\
        --wide population --word-pattern '^([a-z]+)_' \\
        --set test_language=en,condition=novel-familiar,n_choices=2
    """  # noqa: D301 - as above
    from toolkit.errors import ToolkitError
    from toolkit.statistics.imported.elsewhere import read_any, read_wide, write_long
    from toolkit.tables.psych_ds import is_dataset

    if output.suffix.lower() != ".parquet":
        raise ToolkitError(
            "The table is written as Parquet, which keeps what its columns mean.",
            given=str(output),
            next_command=f"-o {quoted(output.with_suffix('.parquet'))}",
        )
    if output.exists() and file.exists() and output.samefile(file):
        raise ToolkitError(
            "The file to write is the file to read.",
            given=str(output),
            next_command=f"-o {quoted(output.with_stem(output.stem + '-long'))}",
        )
    named, values = pairs("--columns", columns or ()), pairs("--set", constant or ())
    if is_dataset(file):
        _read_back(file, output, any([named, values, recode, missing, wide, word_pattern,
                                      drop_missing, keep_repeats]))  # fmt: skip
        return
    wishes: dict[str, Any] = {
        "columns": named,
        "constants": values,
        "recode": renamings(recode or ()),
        "missing": _codes(missing or ()),
        "drop_missing": drop_missing,
        "keep_repeats": keep_repeats,
    }
    if wide is None:
        if word_pattern is not None:
            raise ToolkitError("--word-pattern goes with --wide.", next_command="--wide population")
        made = read_any(file, **wishes)
    elif word_pattern is None:
        raise ToolkitError(
            "--wide needs --word-pattern: which part of a clip's name is the word?",
            next_command="--word-pattern '^([a-z]+)_' for ball_012.wav",
        )
    else:
        made = read_wide(file, word_pattern=word_pattern, answers=wide.value, **wishes)
    write_long(made, output, made.attrs["meanings"])
    _tell(made, output)


def _read_back(folder: Path, output: Path, wished: bool) -> None:
    """A Psych-DS dataset as the table that it was."""
    from toolkit.api.datasets import read_psych_ds
    from toolkit.errors import ToolkitError
    from toolkit.tables.kinds import kind_of_rows, refuse_other_kinds
    from toolkit.tables.longtable import write_long

    if wished:
        raise ToolkitError(
            "A dataset is read back as it was; it needs no options but --out.",
            next_command=f"mevgs-toolkit import-trials {quoted(folder)} -o {quoted(output)}",
        )
    made = read_psych_ds(folder)
    refuse_other_kinds(
        kind_of_rows(made.trials), str(folder), "toolkit.read_psych_ds in Python, which reads it"
    )
    write_long(made.trials, output, made.meanings)
    say(f"{count(len(made.trials), 'trial')} read back from {folder}, written to {output}.")


def _codes(given: Sequence[str]) -> list[str]:
    """Codes of missing values, each once."""
    return list(dict.fromkeys(code for part in parts(given) if (code := part.strip())))


def _tell(made: pd.DataFrame, output: Path) -> None:
    people = made[["population", "seed"]].drop_duplicates()
    populations = people["population"].nunique()
    say(
        f"{count(len(made), 'trial')} of {count(len(people), 'participant')} in "
        f"{count(populations, 'population')} written to {output}."
    )
    for note in made.attrs["notes"]:
        say(f"Note: {note}")
    say(f"See accuracies: mevgs-toolkit table {quoted(output)}")
