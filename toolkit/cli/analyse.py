"""``analyze``: what may be concluded from finished runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say_json
from stimuli.limits import RESAMPLES
from toolkit.cli.options import AlphaOption, Format, FormatOption, ParadigmsOption
from toolkit.cli.tasks import ANALYSE


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=ANALYSE)(analyze)


def analyze(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Run folders (or their trials.parquet) of one or several paradigms, or tables "
            "written by import-trials.",
            show_default=False,
        ),
    ],
    bootstrap: Annotated[
        int,
        typer.Option(
            min=0,
            max=RESAMPLES,
            metavar="N",
            help="Simulations of the parametric bootstrap; 0 for none.",
        ),
    ] = 0,
    bound: Annotated[
        float,
        typer.Option(
            min=0.001, max=1.0, help="Equivalence bound, as a difference of shares: .05 = 5 points."
        ),
    ] = 0.05,
    alpha: AlphaOption = 0.05,
    gate: Annotated[
        str | None,
        typer.Option(
            metavar="CONDITION=SHARE",
            help="Gate instead of the paradigm's own, e.g. familiar-novel=0.6.",
        ),
    ] = None,
    paradigms: ParadigmsOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Where the statistics are written (JSON) [statistics.json in a single run].",
        ),
    ] = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Test populations against chance and against each other, with seeds as participants.

    Logistic mixed models over seeds, words and distractors; monolingual against bilingual
    populations where both were run; Holm's correction; what the data cannot show. Runs that
    differ in --trial-seed alone are added up per network, and how much lists vary is told. Runs of
    dense-grounding are tested between languages, with languages as the sample.

    \b
    Examples:
      mevgs-toolkit analyze mevgs-runs/me-bilingual-en-nl-1a2b3c4d
      mevgs-toolkit analyze mevgs-runs/me-* --bootstrap 999 -o statistics.json
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.api.results import analyse_runs
    from toolkit.cli.given import runs_given
    from toolkit.cli.progress import progress_bars, working
    from toolkit.statistics.saved import STATISTICS_FILE

    runs = runs_given(runs)
    shown = output is Format.TABLE
    with (
        working("Fitting mixed models", show=shown and not bootstrap),
        progress_bars(show=shown and bootstrap > 0) as progress,
    ):
        made = analyse_runs(
            runs,
            alpha=alpha,
            bound=bound,
            n_bootstrap=bootstrap,
            gate=_gate(gate),
            paradigms_dir=paradigms,
            progress=progress,
        )
    single = runs[0] if len(runs) == 1 and runs[0].is_dir() else None
    file = out or (single / STATISTICS_FILE if single else None)
    if file is not None:
        made.save(file)
    if output is Format.JSON:
        say_json(made)
    else:
        made.show(file)


def _gate(given: str | None) -> tuple[str, float] | None:
    """Condition and share, as they are written."""
    from toolkit.errors import ToolkitError

    if given is None:
        return None
    condition, _, share = given.partition("=")
    try:
        minimum = float(share)
    except ValueError:
        minimum = -1.0
    if not condition or not 0 <= minimum <= 1:
        raise ToolkitError(
            f"The gate {given!r} cannot be read.",
            allowed="CONDITION=SHARE with a share between 0 and 1, e.g. familiar-novel=0.6",
        )
    return condition, minimum
