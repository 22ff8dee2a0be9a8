"""``compare-children``: models beside what is known of children."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say, say_json
from stimuli.limits import RESAMPLES
from toolkit.cli.options import Format, FormatOption, MetaLabOption, ParadigmsOption
from toolkit.cli.tasks import CHILDREN


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("compare-children", rich_help_panel=CHILDREN)(compare_children)


def compare_children(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...",
            help="Run folders of me or familiar, and tables of children "
            "(import-responses, import-trials) that were asked the same words.",
            show_default=False,
        ),
    ],
    metalab: MetaLabOption = None,
    looking: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Children's shares of looking, CSV: word_concept, distractor_concept, "
            "age_months or age_group, looking_share, perhaps child.",
        ),
    ] = None,
    bootstrap: Annotated[
        int, typer.Option(min=100, max=RESAMPLES, metavar="N", help="Resamples of every interval.")
    ] = 1000,
    seed: Annotated[int, typer.Option(min=0, help="Seed of resamples and of halves.")] = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Also write the report with a section on children."
        ),
    ] = None,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Also write every figure as SVG, PNG and CSV."),
    ] = None,
    paradigms: ParadigmsOption = None,
    output: FormatOption = Format.TABLE,
) -> None:
    """Set models beside children: by age, and word by word.

    Included are Lewis et al. (2020), experiment 1, for me, and looking by age (Peekbank) for
    familiar; MetaLab's studies are read from a file of yours. Models are bands over all ages: they
    have none, and nothing here tests whether they equal children of some age. Tables of children
    are matched with models word by word, beside what the children's own noise allows.

    \b
    Examples:
      mevgs-toolkit compare-children mevgs-runs/me-* mevgs-runs/familiar-* -o page.html
      mevgs-toolkit compare-children mevgs-runs/me-* --metalab mutual_exclusivity.csv --figures figs
      mevgs-toolkit compare-children mevgs-runs/me-* children.parquet
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from toolkit.api.children import compare_children as compare

    made = compare(
        runs,
        metalab=metalab,
        looking=looking,
        n_bootstrap=bootstrap,
        seed=seed,
        paradigms_dir=paradigms,
    )
    if figures is not None:
        made.figures(figures)
    page = made.report(out) if out is not None else None
    if output is Format.JSON:
        say_json(made.told)
        return
    made.show()
    if figures is not None:
        say(f"Figures: {figures}")
    if page is not None:
        say(f"Report: {page} ({page.stat().st_size / 1e6:.1f} MB)")
