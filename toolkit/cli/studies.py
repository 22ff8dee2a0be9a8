"""``new-study``, ``check-study``, ``preregister``, ``run-study``: a whole study from one file."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.terminal import say, say_json
from stimuli.limits import JOBS
from stimuli.wording import count
from toolkit.cli.options import DeviceOption, Format, FormatOption, PrecisionOption
from toolkit.cli.tasks import STUDY
from toolkit.errors import ToolkitError, quoted

if TYPE_CHECKING:
    from toolkit.studies.elsewhere import Elsewhere
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


class ExecutorName(enum.StrEnum):
    """Who does the work of a study."""

    LOCAL = "local"
    SLURM = "slurm"
    CHUNKS = "chunks"


def register(app: typer.Typer) -> None:
    """Add the commands to the application."""
    app.command("new-study", rich_help_panel=STUDY)(new_study)
    app.command("check-study", rich_help_panel=STUDY)(check_study)
    app.command(rich_help_panel=STUDY)(preregister)
    app.command("run-study", rich_help_panel=STUDY)(run_study)
    app.command(rich_help_panel=STUDY)(work)


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
        say(f"{file} has {count(len(faults), 'fault')}:", error=True)
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
    executor: Annotated[
        ExecutorName,
        typer.Option(
            help="local: this process. slurm: hand chunks to SLURM and come back. chunks: write "
            "the list of chunks, for any other queue."
        ),
    ] = ExecutorName.LOCAL,
    slurm: Annotated[
        list[str] | None,
        typer.Option(
            metavar="KEY=VALUE",
            help="Option of sbatch, e.g. partition=gpu, gres=gpu:1 or exclusive; stands before "
            "those of the file. Repeatable.",
        ),
    ] = None,
    at_once: Annotated[
        int | None,
        typer.Option(min=1, max=JOBS, help="Tasks of SLURM that run at the same time, at most."),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option(
            "--wait", help="With SLURM: stay, hand over what becomes ready, and report at the end."
        ),
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
      mevgs-toolkit run-study study.toml --executor slurm --slurm partition=gpu --slurm time=1:00:00
      mevgs-toolkit run-study study.toml --collect
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.studies import elsewhere
    from toolkit.studies.checks import read_study

    asked = {"--dry-run": dry_run, "--status": status, "--collect": collect}
    if sum(asked.values()) > 1:
        raise ToolkitError(
            "Only one of these can be asked for.",
            given=", ".join(name for name, wanted in asked.items() if wanted),
            allowed=", ".join(asked),
        )
    options = elsewhere.options_of(slurm or ())
    if executor is not ExecutorName.SLURM and (options or at_once or wait):
        raise ToolkitError(
            "--slurm, --at-once and --wait go with --executor slurm.",
            given=f"--executor {executor.value}",
            next_command=f"mevgs-toolkit run-study {quoted(file)} --executor slurm",
        )
    study = read_study(file)
    where = _where(study, out, device, precision)
    if dry_run:
        _dry_run(study, where, executor, options, at_once, output)
    elif status:
        _status(study, where, output)
    elif executor is ExecutorName.CHUNKS:
        _write_chunks(study, where, output)
    else:
        if executor is ExecutorName.SLURM:
            given = elsewhere.hand_over_all(study, where, options, at_once, wait=wait)
            if not (wait and given.is_done):
                _show_elsewhere(given, output)
                return
        _carry_out(study, where, jobs, output, collect=collect)


def _dry_run(
    study: Study,
    where: Where,
    executor: ExecutorName,
    options: dict[str, str],
    at_once: int | None,
    output: Format,
) -> None:
    from toolkit.studies import elsewhere
    from toolkit.studies.plan import plan_study

    plan = plan_study(study, where)
    _show(plan, output)
    if executor is not ExecutorName.LOCAL and output is Format.TABLE:
        elsewhere.print_scripts(plan, options if executor is ExecutorName.SLURM else None, at_once)


def _status(study: Study, where: Where, output: Format) -> None:
    from toolkit.studies import elsewhere
    from toolkit.studies.deviations import beyond, missing
    from toolkit.studies.plan import plan_study
    from toolkit.studies.printed import print_departures

    plan = plan_study(study, where)
    departures = {"not_in_plan": beyond(plan), "missing": missing(plan, [])}
    chunks = elsewhere.standing(plan)
    if output is Format.JSON:
        say_json(plan.content() | departures | {"chunks": chunks.content() if chunks else None})
        return
    _show(plan, output)
    print_departures(*departures.values())
    if chunks is not None:
        elsewhere.print_standing(chunks)


def _write_chunks(study: Study, where: Where, output: Format) -> None:
    from toolkit.studies import elsewhere

    kept = elsewhere.write_chunks(study, where)
    if output is Format.JSON:
        say_json({"file": str(kept.file), "chunks": len(kept.content.chunks)})
    else:
        elsewhere.print_chunks(kept)


def _show_elsewhere(given: Elsewhere, output: Format) -> None:
    from toolkit.studies.elsewhere import print_standing

    if output is Format.JSON:
        say_json(given.content())
    else:
        print_standing(given)


def _carry_out(
    study: Study, where: Where, jobs: int | None, output: Format, *, collect: bool
) -> None:
    from toolkit.cli.progress import progress_bars
    from toolkit.studies import run as running

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


def work(
    study: Annotated[
        Path,
        typer.Argument(
            metavar="STUDY",
            help="List of chunks that run-study wrote, DIR/chunks/NAME.json, or the study file.",
        ),
    ],
    chunk: Annotated[int, typer.Option(min=0, help="Number of the chunk, from 0 on.")],
    out: ResultsOption = None,
) -> None:
    """Do one chunk of a study: what one task of SLURM does, or of any other queue.

    Many can be at work in one folder that all machines share. Only what is missing of the chunk is
    done. Told to end (SIGTERM; SIGUSR1 before the time is up), it ends after the cell or update at
    hand with exit code 75; the same command goes on. run-study --collect joins what all of them
    made.

    \b
    Examples:
      mevgs-toolkit run-study study.toml --executor chunks
      mevgs-toolkit work study-results/chunks/0123456789ab.json --chunk 3
      seq 0 19 | parallel -j 8 mevgs-toolkit work study.toml --chunk {}
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.studies.elsewhere import chunks_of
    from toolkit.studies.work import do_chunk

    code = do_chunk(chunks_of(study, out), chunk)
    if code:
        raise typer.Exit(code)


def _where(study: Study, out: Path | None, device: str, precision: str) -> Where:
    from toolkit.studies.plan import Where

    return Where(out or study.results, device, precision)


def _show(plan: StudyPlan, output: Format) -> None:
    from toolkit.studies.printed import print_plan

    if output is Format.JSON:
        say_json(plan.content())
    else:
        print_plan(plan)
