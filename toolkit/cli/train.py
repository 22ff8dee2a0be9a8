"""``train``: subjects of one's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.terminal import console, say
from stimuli.limits import JOBS
from toolkit.cli.completion import subject_names
from toolkit.cli.options import DeviceOption, NewPopulationsOption, PrecisionOption
from toolkit.cli.tasks import TRAIN
from toolkit.errors import quoted
from toolkit.subjects.vgs.families import listed

if TYPE_CHECKING:
    from toolkit.running.embedding import Progress
    from toolkit.training.fit import Standing
    from toolkit.training.grid import Grid
    from toolkit.training.populations import Watch

_CLIP = "multilingual-clip"
_EXAMPLE_GRID = Path(__file__).parents[1] / "training" / "example-grid.toml"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=TRAIN)(train)


def _show_example(wanted: bool) -> None:
    if wanted:
        say(_EXAMPLE_GRID.read_text(encoding="utf-8"), end="")
        raise typer.Exit


def train(
    out: NewPopulationsOption,
    population: Annotated[
        list[str] | None,
        typer.Option(
            help="Population to train, e.g. bilingual-en-nl, or 'all'. Repeatable.",
            autocompletion=subject_names,
        ),
    ] = None,
    languages: Annotated[
        list[str] | None,
        typer.Option(help="The same by codes, e.g. en,nl; any number of them. Repeatable."),
    ] = None,
    grid: Annotated[
        Path | None, typer.Option(help="TOML file with everything to be combined.")
    ] = None,
    seeds: Annotated[
        str | None, typer.Option(help="Seeds, one letter each, or their number. [abcdefghij]")
    ] = None,
    stimuli: Annotated[
        str | None, typer.Option(help="Stimulus set, or folder of published data. [mini]")
    ] = None,
    recipe: Annotated[
        str | None, typer.Option(help="What to start from: shipped or published. [shipped]")
    ] = None,
    size: Annotated[str | None, typer.Option(help="xsm, sm, md (the paper's) or lg.")] = None,
    family: Annotated[str | None, typer.Option(help=f"{listed()}.")] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="Any other value, e.g. epochs=24. Repeatable."),
    ] = None,
    hearing: Annotated[
        str | None, typer.Option(help="Frozen speech backbone: name or folder. [shipped]")
    ] = None,
    seeing: Annotated[
        str | None, typer.Option(help="Frozen picture backbone: name, folder or file. [shipped]")
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(min=1, max=JOBS, help="Processes at work, each on one core. [2; 1 on a card]"),
    ] = None,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
    example_grid: Annotated[
        bool,
        typer.Option(
            "--example-grid",
            help="Print a grid file that explains itself.",
            callback=_show_example,
            is_eager=True,
        ),
    ] = False,
) -> None:
    """Train populations of VGS networks: one, several, or a grid.

    Only the splits 'train' and 'valid' of the stimulus set are used. The same command goes on
    after a stop or a kill, with the same weights in the end: finished subjects are skipped, and
    those begun go on from their state in OUT/unfinished, where each log grows as CSV.

    Several seeds of a population are trained in one pass, but for the family barlip: each with
    the weights that it has alone but for rounding, the same whatever the others are.

    Every population gets config.json (all values), training_log.csv (all validations), README.md
    and one file of weights per seed.

    Example: mevgs-toolkit train --population bilingual-en-nl --out my-subjects

    As published, at the paper's size, with its backbones:
    mevgs-toolkit train --languages en,nl --recipe published --hearing wavlm-base-plus
    --seeing dino-resnet50 --seeds 5 --out my-subjects

    On published HDF5 features, without the backbones: the same with --stimuli ME-VGS-FOLDER.

    A grid: mevgs-toolkit train --example-grid > grid.toml, edit it, then
    mevgs-toolkit train --grid grid.toml --out my-subjects
    """
    options = {
        "population": population,
        "languages": languages,
        "seeds": seeds,
        "stimuli": stimuli,
        "recipe": recipe,
        "size": size,
        "family": family,
        "set": set_,
        "hearing": hearing,
        "seeing": seeing,
    }
    given = {name: value for name, value in options.items() if value}
    _refuse_clip(population or [])
    asked = _from_file(grid, given) if grid else _from_options(given)

    from toolkit.devices import find_device
    from toolkit.training.populations import train_populations
    from toolkit.training.sources import open_source

    where = find_device(device, precision)
    trained = {code for condition in asked.conditions for code in condition.languages}
    source = open_source(asked.stimuli, asked.hearing, asked.seeing, trained)
    with _bars() as (progress, watch):
        train_populations(asked.conditions, asked.seeds, out, source, jobs, progress, watch, where)
    say(f"Written to {out}. Look: mevgs-toolkit list subjects --subjects {quoted(out)}")


def _refuse_clip(names: Sequence[str]) -> None:
    """The multilingual CLIP hears nothing, and what makes it is not installed."""
    from toolkit.errors import ToolkitError

    if _CLIP in names:
        raise ToolkitError(
            f"{_CLIP} is no population of speech networks, which are what this command trains.",
            given=f"--population {_CLIP}",
            allowed="populations such as bilingual-en-nl",
            next_command="python -m makers.multilingual_clip.train --out my-subjects, "
            "in a checkout of the toolkit",
        )


def _from_file(path: Path, given: dict[str, Any]) -> Grid:
    """The grid of a file; what it says cannot be said by options too."""
    from toolkit.errors import ToolkitError
    from toolkit.training.grid import read_grid

    if given:
        raise ToolkitError(
            "A grid file says all this itself.",
            given=", ".join(f"--{name}" for name in given),
            allowed="--grid with --out, --jobs, --device and --precision; write the rest into the "
            "file",
        )
    return read_grid(path)


def _from_options(given: dict[str, Any]) -> Grid:
    """The grid that the options ask for."""
    from toolkit.errors import ToolkitError
    from toolkit.training.conditions import languages_of
    from toolkit.training.grid import PLACES, make_grid, value_of
    from toolkit.training.sources import open_source

    places = {key: given[key] for key in PLACES if key in given}
    sets = [
        [code.strip() for code in codes.split(",") if code.strip()]
        for codes in given.get("languages", [])
    ]
    if (names := given.get("population", [])) and sets:
        raise ToolkitError(
            "The name of a population tells its languages, and other languages were given.",
            given=f"--population {', '.join(names)}, --languages {' '.join(given['languages'])}",
            allowed="--population or --languages, each as often as there are populations to train",
        )
    if names:
        source = open_source(*(places.get(key, usual) for key, usual in PLACES.items()))
        sets = [list(codes) for codes in languages_of(names, source.languages)]
    if not sets:
        raise ToolkitError(
            "Nothing was named to train.",
            allowed="--population, --languages or --grid",
            next_command="mevgs-toolkit train --population bilingual-en-nl --out my-subjects",
        )
    values = dict(value_of(text) for text in given.get("set", []))
    values |= {key: given[key] for key in ("size", "family") if key in given}
    return make_grid(
        sets,
        given.get("seeds", "abcdefghij"),
        start=given.get("recipe", "shipped"),
        values=values,
        **places,
    )


@contextmanager
def _bars() -> Iterator[tuple[Progress, Watch]]:
    """Bars with losses where someone watches; a line per validation in a log file."""
    from toolkit.cli.progress import bars

    if not console(error=True).is_terminal:
        told: dict[str, int] = {}

        def line(subject: str, standing: Standing) -> None:
            if told.get(subject) != standing.validation.update:
                told[subject] = standing.validation.update
                say(
                    f"{subject}: update {standing.update} of {standing.n_updates}, "
                    f"{_losses(standing)}",
                    error=True,
                )

        yield lambda *_: None, line
        return
    with bars() as draw:

        def watch(subject: str, standing: Standing) -> None:
            draw(subject, standing.update, standing.n_updates, _losses(standing), stays=False)

        yield draw, watch


def _losses(standing: Standing) -> str:
    """Losses as they are shown."""
    row = standing.validation
    elsewhere = f", begun on {standing.devices[-2]}" if len(standing.devices) > 1 else ""
    return (
        f"loss {standing.train_loss:.3f}, validation {row.valid_loss:.3f} "
        f"({100 * row.valid_accuracy:.1f} %){elsewhere}"
    )
