"""``report``: one page about one or several runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from reports.terminal import say
from stimuli.limits import CARDS
from toolkit.cli.completion import set_names
from toolkit.cli.options import MetaLabOption, ParadigmsOption
from toolkit.cli.tasks import REPORT

if TYPE_CHECKING:
    from toolkit.api.children import ChildComparison


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=REPORT)(report)


def report(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Run folders of one or several paradigms and populations, or tables written by "
            "import-trials; folders of analyze-space may stand among them.",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="HTML file [report.html in a single run]."
        ),
    ] = None,
    title: Annotated[str, typer.Option(help="Title of the page.", show_default=False)] = "",
    max_trials: Annotated[
        int,
        typer.Option(min=1, max=CARDS, help="Trials of each paradigm to see first, and on paper."),
    ] = 24,
    gallery: Annotated[bool, typer.Option(help="Show trials with pictures and sounds.")] = True,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write every figure as SVG, PNG and CSV."),
    ] = None,
    stimuli: Annotated[
        str | None,
        typer.Option(
            help="Stimulus set or its folder, if it has moved since the run.",
            autocompletion=set_names,
        ),
    ] = None,
    children: Annotated[
        bool,
        typer.Option(
            "--children", help="Add a section with models beside children, see compare-children."
        ),
    ] = False,
    metalab: MetaLabOption = None,
    paradigms: ParadigmsOption = None,
) -> None:
    """Write a report: one HTML page that stands alone.

    Answers, figures, trials to look at and listen to, tables, models, methods. It opens offline
    and fetches nothing. Runs of the same paradigm are analysed together; those that differ in
    --trial-seed alone are added up per network.

    \b
    Examples:
      mevgs-toolkit report mevgs-runs/me-bilingual-en-nl-1a2b3c4d
      mevgs-toolkit report mevgs-runs/me-* mevgs-runs/familiar-* -o report.html --figures figures
      mevgs-toolkit report children.parquet mevgs-runs/me-* -o report.html
      mevgs-toolkit report mevgs-runs/me-1a2b3c4d --children
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.api.results import REPORT_FILE, write_report
    from toolkit.cli.given import runs_given
    from toolkit.cli.progress import working
    from toolkit.errors import ToolkitError, quoted

    runs = runs_given(runs, spaces=True)
    if out is None and len(runs) > 1:
        raise ToolkitError(
            "Several runs make one page, and its place is not given.",
            next_command=f"mevgs-toolkit report {' '.join(map(quoted, runs))} -o report.html",
        )
    if out is None and runs[0].is_file():
        raise ToolkitError(
            "A table has no folder of its own, so the page needs a place.",
            next_command=f"mevgs-toolkit report {quoted(runs[0])} -o "
            f"{quoted(runs[0].with_suffix('.html'))}",
        )
    if metalab is not None and not children:
        raise ToolkitError(
            "MetaLab's studies belong to the section on children, which was not asked for.",
            given=f"--metalab {metalab}",
            next_command="the same command with --children",
        )
    with working("Analysing, drawing and writing", show=True):
        written = write_report(
            runs,
            out or runs[0] / REPORT_FILE,
            children=_beside(runs, metalab, paradigms).results if children else None,
            title=title,
            n_trials=max_trials if gallery else 0,
            figures=figures,
            stimuli=stimuli,
            paradigms_dir=paradigms,
        )
    say(f"Report: {written} ({written.stat().st_size / 1e6:.1f} MB)")
    if figures is not None:
        say(f"Figures: {figures}")


def _beside(runs: list[Path], metalab: Path | None, paradigms: Path | None) -> ChildComparison:
    """Children beside those runs that children can stand beside."""
    from reports.page import is_space
    from toolkit.api.children import compare_children

    asked = [run for run in runs if not is_space(run)]
    return compare_children(asked, metalab=metalab, paradigms_dir=paradigms)
