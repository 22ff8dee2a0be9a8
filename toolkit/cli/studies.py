"""``new-study``, ``check-study``, ``preregister``, ``run-study``: a whole study from one file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.terminal import say, say_json
from stimuli.limits import JOBS
from toolkit.cli.options import DeviceOption, Format, FormatOption, PrecisionOption
from toolkit.errors import ToolkitError, quoted

if TYPE_CHECKING:
    from toolkit.studies.plan import StudyPlan, Where
    from toolkit.studies.study import Study

StudyArgument = Annotated[
    Path, typer.Argument(metavar="FILE", help="Study file, as new-study writes one.")
]
ResultsOption = Annotated[
    Path | None,
    typer.Option(
        "--out",
        metavar="DIR",
        help="Folder of the results [FILE-results beside the file].",
        show_default=False,
    ),
]


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("new-study")(new_study)
    app.command("check-study")(check_study)
    app.command()(preregister)
    app.command("run-study")(run_study)


def new_study(
    file: Annotated[Path, typer.Argument(metavar="[FILE]", help="File to write.")] = Path(
        "study.toml"
    ),
) -> None:
    """Write a study file to be edited.

    It is commented and runs as it is: two populations, two paradigms, few trials.

    Example: mevgs-toolkit new-study study.toml
    """
    from toolkit.studies.new import write_study

    write_study(file)
    name = quoted(file)
    say(f"Written: {file}")
    say(f"Check it: mevgs-toolkit check-study {name}")
    say(f"Run it:   mevgs-toolkit run-study {name}")


def check_study(
    file: StudyArgument,
    out: ResultsOption = None,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    output: FormatOption = Format.TABLE,
) -> None:
    """Check a study file, and show its plan.

    All faults are listed at once, each with its line; exit code 2. Else the plan: trainings and
    cells, done and missing, the names of all tests, and core-hours as far as they are known.
    Nothing is computed or written.

    \b
    Examples:
      mevgs-toolkit check-study study.toml
      mevgs-toolkit check-study study.toml --format json
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.studies.checks import look_at
    from toolkit.studies.plan import plan_study

    study, faults, _ = look_at(file)
    if study is not None:
        _show(plan_study(study, _where(study, out, device, precision)), output)
        return
    if output is Format.JSON:
        from toolkit.records import plain

        say_json({"faults": plain(faults)})
    else:
        say(f"{file} has {len(faults)} fault{'s' * (len(faults) > 1)}:", error=True)
        for fault in faults:
            say(f"  - {fault.line}", error=True)
    raise typer.Exit(2)


def preregister(
    file: StudyArgument,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Markdown file to write [printed].",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Write the text that a registry asks for, as Markdown.

    Hypotheses, design, sample size with its power calculation, exclusions, confirmatory analyses,
    and what would count against the hypotheses; with the checksum of the study file. What the file
    does not say is told as not said.

    \b
    Examples:
      mevgs-toolkit preregister study.toml
      mevgs-toolkit preregister study.toml -o preregistration.md
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from stimuli.files import write_atomic
    from toolkit.studies.checks import read_study
    from toolkit.studies.preregistration import preregistration

    text = preregistration(read_study(file))
    if out is None:
        say(text, end="")
        return
    with write_atomic(out) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
    say(f"Written: {out}")


def run_study(
    file: StudyArgument,
    out: ResultsOption = None,
    jobs: Annotated[
        int | None,
        typer.Option(
            min=1, max=JOBS, help="Processes at work. [1; 2 for trainings on a processor]"
        ),
    ] = None,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show the plan, and touch nothing.")
    ] = False,
    status: Annotated[
        bool,
        typer.Option("--status", help="Show what is done, missing, and not in the plan."),
    ] = False,
    collect: Annotated[
        bool,
        typer.Option("--collect", help="Analyse and report what is finished; compute nothing."),
    ] = False,
    output: FormatOption = Format.TABLE,
) -> None:
    """Carry out a study: train, ask, analyse, and write one report.

    The same command again does only what is missing. Populations, runs, statistics and the report
    lie in one folder; each run is a run folder as run-paradigm makes it, whose manifest holds the
    checksum of the study file. What departs from the file stands in the status of the report.

    \b
    Examples:
      mevgs-toolkit run-study study.toml
      mevgs-toolkit run-study study.toml --dry-run
      mevgs-toolkit run-study study.toml --jobs 4 --out my-results
      mevgs-toolkit run-study study.toml --status
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.cli.progress import progress_bars
    from toolkit.studies import run as running
    from toolkit.studies.checks import read_study
    from toolkit.studies.deviations import beyond, missing
    from toolkit.studies.plan import plan_study
    from toolkit.studies.printed import print_departures

    asked = {"--dry-run": dry_run, "--status": status, "--collect": collect}
    if sum(asked.values()) > 1:
        raise ToolkitError(
            "Only one of these can be asked for.",
            given=", ".join(name for name, wanted in asked.items() if wanted),
            allowed=", ".join(asked),
        )
    study = read_study(file)
    where = _where(study, out, device, precision)
    if dry_run:
        _show(plan_study(study, where), output)
        return
    if status:
        plan = plan_study(study, where)
        departures = {"not_in_plan": beyond(plan), "missing": missing(plan, [])}
        if output is Format.JSON:
            say_json(plan.content() | departures)
        else:
            _show(plan, output)
            print_departures(*departures.values())
        return
    with progress_bars(show=output is Format.TABLE) as progress:
        if collect:
            made = running.collect(study, where, progress=progress)
        else:
            made = running.run_study(study, where, jobs=jobs, progress=progress)
    if output is Format.JSON:
        pages = [str(page) for page in made.pages]
        told = {"not_in_plan": list(made.beyond), "missing": list(made.missing), "reports": pages}
        say_json(made.plan.content() | told)
        return
    made.show()


def _where(study: Study, out: Path | None, device: str, precision: str) -> Where:
    from toolkit.studies.plan import Where

    return Where(out or study.results, device, precision)


def _show(plan: StudyPlan, output: Format) -> None:
    from toolkit.studies.printed import print_plan

    if output is Format.JSON:
        say_json(plan.content())
    else:
        print_plan(plan)
