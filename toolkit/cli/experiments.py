"""``export-experiment``: the trials of a paradigm as an experiment for children."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say
from stimuli.limits import EXPERIMENT, TRIALS_PER_CLASS
from stimuli.wording import count
from toolkit.cli.options import ParadigmsOption
from toolkit.cli.tasks import CHILDREN
from toolkit.errors import quoted


class Form(enum.StrEnum):
    """What runs the experiment."""

    JSPSYCH = "jspsych"
    PSYCHOPY = "psychopy"
    LOOKIT = "lookit"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("export-experiment", rich_help_panel=CHILDREN)(export_experiment)


def export_experiment(
    paradigm: Annotated[str, typer.Argument(help="Paradigm, e.g. familiar or me.")],
    form: Annotated[
        Form,
        typer.Option("--format", help="A page of its own, or files for PsychoPy or Lookit/CHS."),
    ] = Form.JSPSYCH,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write [PARADIGM-FORMAT].", show_default=False)
    ] = None,
    language: Annotated[str, typer.Option(metavar="CODE", help="Language of the words.")] = "en",
    stimuli: Annotated[
        str | None,
        typer.Option(
            help="Stimulus set: a name from 'list stimuli' or a folder; by default the "
            "paradigm's own.",
            show_default=False,
        ),
    ] = None,
    trials: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=EXPERIMENT,
            help="Test trials of a child [16, or as many as there are concepts for].",
        ),
    ] = None,
    practice: Annotated[int, typer.Option(min=0, max=EXPERIMENT, help="Trials for practice.")] = 3,
    practice_right: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=EXPERIMENT,
            help="Practice trials that must be right for the test to begin [more than half]; 0 "
            "for no gate.",
        ),
    ] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help="Condition of the test; by default the result's and the gate's. Repeatable.",
        ),
    ] = None,
    familiar_twice: Annotated[
        bool,
        typer.Option(
            "--familiar-twice",
            help="Let a child see a familiar concept twice: once named, once beside another.",
        ),
    ] = False,
    children: Annotated[
        int, typer.Option(min=1, max=EXPERIMENT, help="Children for whom coverage is reported.")
    ] = 24,
    trial_seed: Annotated[
        int, typer.Option(min=0, help="Seed of the trial lists, as of run-paradigm.")
    ] = 0,
    trials_per_class: Annotated[
        int,
        typer.Option(
            min=1, max=TRIALS_PER_CLASS, help="Trials per word class and condition of these lists."
        ),
    ] = 50,
    silence: Annotated[
        float, typer.Option(min=0, max=60, help="Seconds with both pictures before the word.")
    ] = 1.5,
    limit: Annotated[
        float, typer.Option(min=1, max=600, help="Seconds for an answer, from the word's onset.")
    ] = 15.0,
    text_language: Annotated[
        str | None,
        typer.Option(
            metavar="CODE", help="Language of the texts; by default the words'.", show_default=False
        ),
    ] = None,
    jspsych: Annotated[
        str | None,
        typer.Option(
            metavar="DIR|cdn",
            help="Folder with jsPsych's npm packages, or cdn for a page that loads them when it is "
            "opened; by default they are fetched once with npm and kept.",
            show_default=False,
        ),
    ] = None,
    send: Annotated[
        str | None,
        typer.Option(
            metavar="ADDRESS",
            help="Where the page sends answers: datapipe:ID, or an address that takes JSON; by "
            "default nowhere. JATOS gets them in any case.",
            show_default=False,
        ),
    ] = None,
    paradigms: ParadigmsOption = None,
) -> None:
    """Write a paradigm as an experiment for children.

    Children are asked trials of the very list that models are asked (same words, targets and
    distractors), in lists that balance items, sides and order by a Latin square. The jspsych page
    is one file that runs offline, on a phone, or under JATOS. The folder's README tells a lab
    assistant what to do.

    \b
    Examples:
      mevgs-toolkit export-experiment me --format jspsych --language en
      mevgs-toolkit export-experiment me --trials 16 --familiar-twice --out me-16
      mevgs-toolkit export-experiment familiar --language nl --send https://lab.example.org/save
      mevgs-toolkit export-experiment me --format psychopy --condition novel-familiar
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.api.experiments import export_experiment as export
    from toolkit.children.lists import coverage as covered

    made = export(
        paradigm,
        out,
        form=form.value,
        language=language,
        stimuli=stimuli,
        n_trials=trials,
        n_practice=practice,
        practice_right=practice_right,
        conditions=condition or (),
        familiar_twice=familiar_twice,
        n_children=children,
        trial_seed=trial_seed,
        trials_per_class=trials_per_class,
        silence_s=silence,
        limit_s=limit,
        text_language=text_language or "",
        jspsych=jspsych or "",
        send=send or "",
        paradigms_dir=paradigms,
    )
    design = made.experiment.design
    say(
        f"{count(design['n_lists'], 'list')} of {design['n_practice']} practice and "
        f"{count(design['n_test'], 'test trial')}, from {len(made.experiment.lists.items)} of "
        "the trials that models are asked"
    )
    rows = [row for row in covered(made.experiment.lists, children) if row["part"] == "test"]
    met, left = ([int(row[name]) for row in rows] for name in ("n_children", "n_target_left"))
    say(
        f"{children} children: each test trial is met by {_span(met)} of them, with its target on "
        f"the left for {_span(left)} (coverage.csv)"
    )
    for name in ("index.html", "conditions.csv", "experiment.js"):
        if name in made.files:
            say(f"{made.folder / name}: {made.files[name] / 1000:.0f} kB")
    for note in made.notes:
        say(f"Note: {note}")
    say(f"Read first: {made.folder / 'README.md'}")
    say(f"Afterwards: mevgs-toolkit import-responses {quoted(made.folder / 'data')}")


def _span(numbers: list[int]) -> str:
    """The lowest and the highest of some numbers.

    Example:
        >>> _span([3, 4, 3]), _span([2, 2])
        ('3 to 4', '2')
    """
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"
