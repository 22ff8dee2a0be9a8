"""``power``: how many seeds an experiment needs."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reports.terminal import say, say_json
from stimuli.limits import JOBS
from toolkit.cli.options import AlphaOption
from toolkit.cli.tasks import ANALYSE

if TYPE_CHECKING:
    from toolkit.errors import ToolkitError
    from toolkit.statistics.power.models import Model


class PowerFormat(enum.StrEnum):
    """How a plan is printed."""

    TEXT = "text"
    JSON = "json"
    CSV = "csv"


class PowerTest(enum.StrEnum):
    """The test that is planned for."""

    WELCH = "welch"
    MIXED = "mixed"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command(rich_help_panel=ANALYSE)(power)


def power(
    difference: Annotated[
        float | None,
        typer.Option(help="Difference of two group means, percentage points (share scale)."),
    ] = None,
    odds_ratio: Annotated[
        float | None, typer.Option(help="Odds ratio between the groups (logit scale).")
    ] = None,
    fit: Annotated[
        Path | None,
        typer.Option("--from", help="JSON with a fitted model, e.g. RUN/statistics.json."),
    ] = None,
    seed_sd: Annotated[
        float | None,
        typer.Option(help="SD over seeds: points with --difference, else log odds."),
    ] = None,
    base_accuracy: Annotated[
        float | None,
        typer.Option(help="Accuracy of a typical seed and word in the first group, e.g. 0.66."),
    ] = None,
    word_sd: Annotated[float | None, typer.Option(help="SD over words, log odds [0].")] = None,
    slope_sd: Annotated[
        float | None, typer.Option(help="SD of the effect over words, log odds [0].")
    ] = None,
    levels: Annotated[
        str | None,
        typer.Option(help="Plan a trend over these levels of a graded factor, e.g. 0,1,2,3."),
    ] = None,
    seed_slope_sd: Annotated[
        float | None, typer.Option(help="SD of the trend over seeds, log odds per unit.")
    ] = None,
    words: Annotated[int | None, typer.Option(help="Words [20].")] = None,
    trials_per_word: Annotated[
        list[int] | None,
        typer.Option(help="Trials per word and seed [50]. Repeat to compare several."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Which fitted model, if --from holds several.")
    ] = None,
    effect: Annotated[
        str | None, typer.Option(help="Coefficient that compares the groups, with --from.")
    ] = None,
    test: Annotated[
        PowerTest, typer.Option(help="Over seed means, or a mixed model per experiment (slow).")
    ] = PowerTest.WELCH,
    alpha: AlphaOption = 0.05,
    target: Annotated[float, typer.Option("--power", help="Power wanted, share of 1.")] = 0.8,
    simulations: Annotated[
        int | None,
        typer.Option(help="Experiments per number of seeds [10000; logit 2000; mixed 200]."),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Seed of the random numbers.")] = 0,
    max_seeds: Annotated[int, typer.Option(help="Most seeds per group that are tried.")] = 500,
    jobs: Annotated[
        int, typer.Option(min=1, max=JOBS, help="Processes; they change no number.")
    ] = 1,
    plot: Annotated[Path | None, typer.Option(help="SVG file to write the curve to.")] = None,
    output: Annotated[
        PowerFormat, typer.Option("--format", help="What is printed.")
    ] = PowerFormat.TEXT,
) -> None:
    """Plan how many seeds per group find an effect.

    Experiments with two independent groups of seeds are simulated and tested. State the effect on
    one of two scales, or take everything from a fitted model and replace what you like. With
    --levels one group is planned that shows a trend: the odds ratio is that of one unit, and the
    base accuracy that of the lowest level.

    \b
    Examples:
      mevgs-toolkit power --difference 1.3 --seed-sd 3
      mevgs-toolkit power --difference 2.7 --seed-sd 3 --power 0.9 --format json
      mevgs-toolkit power --odds-ratio 0.9 --base-accuracy 0.66 --seed-sd 0.15 --plot power.svg
      mevgs-toolkit power --from mevgs-runs/RUN/statistics.json --test mixed --jobs 4
      mevgs-toolkit power --levels 0,1,2,3 --odds-ratio 0.75 --base-accuracy 0.9 --seed-sd 0.3
        --seed-slope-sd 0.15 --word-sd 0.6 --slope-sd 0.25
    """  # noqa: D301 - \b is the character that keeps the lines below it as they are
    from reports.power import plans_as_csv, power_svg, print_plans
    from stimuli.files import write_atomic
    from toolkit.cli.progress import progress_bars
    from toolkit.errors import ToolkitError
    from toolkit.records import plain
    from toolkit.statistics.power.simulation import plan_seeds

    stated = {
        "odds_ratio": odds_ratio,
        "base_accuracy": base_accuracy,
        "seed_sd": seed_sd,
        "word_sd": word_sd,
        "slope_sd": slope_sd,
        "n_words": words,
    }
    if levels is not None:
        others = {
            "--difference": difference, "--from": fit, "--model": model, "--effect": effect,
            "--plot": plot, "--simulations": simulations,
        }  # fmt: skip
        if test is not PowerTest.WELCH:
            others["--test"] = test
        if given := [name for name, value in others.items() if value is not None]:
            raise _unusable(given, "two groups of seeds, not --levels")
        stated["seed_slope_sd"] = seed_slope_sd
        _plan_trend(levels, stated, trials_per_word or [], (alpha, target, max_seeds), output)
        return
    if seed_slope_sd is not None:
        raise _unusable(["--seed-slope-sd"], "--levels")
    if plot is not None and not plot.parent.is_dir():  # before the work, not after it
        raise ToolkitError(f"There is no folder {plot.parent} to write {plot.name} to.")
    models, notes = _models(difference, fit, model, effect, stated, trials_per_word or [])
    with progress_bars(show=output is PowerFormat.TEXT) as progress:
        plans = [
            plan_seeds(
                one,
                test=test.value,
                alpha=alpha,
                target=target,
                n_simulations=simulations,
                seed=seed,
                max_seeds=max_seeds,
                jobs=jobs,
                notes=notes,
                progress=progress,
            )
            for one in models
        ]
    if plot is not None:
        with write_atomic(plot) as unfinished:
            unfinished.write_text(power_svg(plans), encoding="utf-8")
    if output is PowerFormat.JSON:
        say_json({"schema": 1, "plans": plain(plans)})
    elif output is PowerFormat.CSV:
        say(plans_as_csv(plans), end="")
    else:
        print_plans(plans)
        if plot is not None:
            say(f"Curve written to {plot}")


def _plan_trend(
    levels: str,
    stated: dict[str, Any],
    trials: list[int],
    wanted: tuple[float, float, int],
    output: PowerFormat,
) -> None:
    """Plan the trend that the options state, one plan per number of trials, and print it."""
    from reports.power import print_trends, trends_as_csv
    from toolkit.errors import ToolkitError
    from toolkit.records import plain
    from toolkit.statistics.power.trend import TrendModel, plan_trend

    needed = ("odds_ratio", "base_accuracy", "seed_sd", "seed_slope_sd")
    if missing := [_option(key) for key in needed if stated[key] is None]:
        example = "mevgs-toolkit power --levels 0,1,2,3 --odds-ratio 0.75 --base-accuracy 0.9"
        raise _missing(missing, f"{example} --seed-sd 0.3 --seed-slope-sd 0.15")
    try:
        found = tuple(float(level) for level in levels.split(","))
    except ValueError as error:
        raise ToolkitError(
            "The levels are no numbers.", given=levels, allowed="numbers with commas between",
            next_command="--levels 0,1,2,3",
        ) from error  # fmt: skip
    known = {key: value for key, value in stated.items() if value is not None}
    alpha, target, max_seeds = wanted
    plans = [
        plan_trend(
            TrendModel(found, **known, **one), alpha=alpha, target=target, max_seeds=max_seeds
        )
        for one in [{"trials_per_word": n} for n in trials] or [{}]
    ]
    if output is PowerFormat.JSON:
        say_json({"schema": 1, "trends": plain(plans)})
    elif output is PowerFormat.CSV:
        say(trends_as_csv(plans), end="")
    else:
        print_trends(plans)


def _models(
    difference: float | None,
    fit: Path | None,
    name: str | None,
    effect: str | None,
    stated: dict[str, Any],
    trials: list[int],
) -> tuple[list[Model], tuple[str, ...]]:
    """The planning models that the options state, one per number of trials, and notes."""
    from toolkit.errors import ToolkitError
    from toolkit.statistics.power.from_fit import model_from_fit
    from toolkit.statistics.power.models import LogitModel, ShareModel

    given = {key: value for key, value in stated.items() if value is not None}
    only_fit = {"--model": name, "--effect": effect}
    if fit is None and any(value is not None for value in only_fit.values()):
        raise _unusable([key for key, value in only_fit.items() if value is not None], "--from")
    if difference is not None:
        if fit is not None:
            raise _unusable(["--from"], "--odds-ratio or the effect as fitted, not --difference")
        others = [_option(key) for key in given if key != "seed_sd"]
        others += ["--trials-per-word"] * bool(trials)
        if others:
            raise _unusable(others, "--odds-ratio or --from, not --difference")
        if "seed_sd" not in given:
            raise _missing(["--seed-sd"], "mevgs-toolkit power --difference 1.3 --seed-sd 3")
        return [ShareModel(difference, given["seed_sd"])], ()
    if fit is not None:
        per_seed: list[int | None] = [*trials] or [None]
        made = [model_from_fit(fit, name, effect, **given, trials_per_word=n) for n in per_seed]
        return [one for one, _ in made], made[0][1]
    if "odds_ratio" not in given:
        raise ToolkitError(
            "State the effect to plan for.",
            allowed="--difference, --odds-ratio or --from",
            next_command="mevgs-toolkit power --difference 1.3 --seed-sd 3",
        )
    missing = [_option(key) for key in ("base_accuracy", "seed_sd") if key not in given]
    if missing:
        example = "mevgs-toolkit power --odds-ratio 0.9 --base-accuracy 0.66 --seed-sd 0.15"
        raise _missing(missing, example)
    per_word = [{"trials_per_word": n} for n in trials] or [{}]
    return [LogitModel(**given, **one) for one in per_word], ()


def _unusable(options: list[str], goes_with: str) -> ToolkitError:
    from toolkit.errors import ToolkitError

    verb = "go" if len(options) > 1 else "goes"
    return ToolkitError(f"{', '.join(options)} {verb} with {goes_with}.")


def _missing(options: list[str], example: str) -> ToolkitError:
    from toolkit.errors import ToolkitError

    verb = "are" if len(options) > 1 else "is"
    return ToolkitError(f"{' and '.join(options)} {verb} missing.", next_command=example)


def _option(field: str) -> str:
    return "--words" if field == "n_words" else f"--{field.replace('_', '-')}"
