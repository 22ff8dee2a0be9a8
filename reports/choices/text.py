"""The statistics of a run on the terminal: tests first, then what may be said."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from reports.numbers import (
    NONE,
    bayes_factor,
    between,
    estimate,
    number,
    odds_ratio,
    p_value,
    percent,
    points,
    slope_ratio,
    t_of_df,
    titles_of,
)
from reports.terminal import table
from reports.units import units
from toolkit.statistics.choices.draws import SOURCES
from toolkit.statistics.phrases import apart, chi_squared, count
from toolkit.statistics.phrases import p_value as phrased_p

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from toolkit.statistics.choices.chance import ChanceTest
    from toolkit.statistics.choices.condition_contrasts import ConditionTest
    from toolkit.statistics.choices.forgetting import ForgettingRate
    from toolkit.statistics.choices.groups import GroupComparison, GroupModel
    from toolkit.statistics.choices.results import Analysis
    from toolkit.statistics.choices.trends import TrendTest
    from toolkit.statistics.means import SeedMean, Summary
    from toolkit.statistics.models.results import Contrast


def print_accuracies(out: Console, rows: Sequence[SeedMean], _: Summary) -> None:
    """Print the results of one condition with choices."""
    made = table(
        "population", "language", "accuracy", "95 % interval", "chance", "trials", "ties",
        f"each {units(rows)}, %", numbers=("accuracy", "chance", "trials", "ties"),
    )  # fmt: skip
    for row in rows:
        made.add_row(
            *_accuracy_cells(row),
            percent(row.chance),
            str(row.n_trials),
            str(row.n_ties),
            " ".join(f"{100 * value:.0f}" for value in row.seeds.values()),
        )
    out.print(made)


def print_controls(out: Console, rows: Sequence[SeedMean], _: Summary) -> None:
    """Print the results of all control conditions with choices."""
    from rich.markup import escape

    made = table(
        "population", "language", "accuracy", "95 % interval", "ties", "condition",
        numbers=("accuracy", "ties"),
    )  # fmt: skip
    for row in rows:
        made.add_row(*_accuracy_cells(row), str(row.n_ties), escape(row.condition))
    out.print(made)
    out.print()
    for condition, meaning in {row.condition: row.meaning for row in rows}.items():
        out.print(f"{escape(condition)}: {escape(meaning)}")


def _accuracy_cells(row: SeedMean) -> tuple[str, str, str, str]:
    """Population, language, mean accuracy and its interval."""
    from rich.markup import escape

    return (
        escape(row.population),
        escape(row.test_language),
        percent(row.mean),
        between(row.ci_low, row.ci_high),
    )


def print_tests(out: Console, told: Analysis) -> None:
    """Print the tests of an analysis of choices."""
    _print_chance(out, told.chance)
    _print_conditions(out, told.conditions)
    _print_trends(out, told.trends)
    for group, title in zip(told.groups, titles_of(told.groups), strict=True):
        _print_groups(out, group, title)
    _print_forgetting(out, told.forgetting)
    _print_draws(out, told.draws)
    _print_lists(out, told.lists)


def _print_chance(out: Console, tests: Sequence[ChanceTest]) -> None:
    numbers = ("accuracy", "chance", "model [95 % CI]", "t(df)", "p", "p Holm")
    made = table("population, language", *numbers, numbers=numbers)
    names = apart([(test.condition,) for test in tests])
    for test, where in zip(tests, names, strict=True):
        made.add_row(
            _name(f"{test.population}, {test.test_language}{where}"),
            number(test.accuracy, 100),
            number(test.chance, 100),
            estimate(test.probability, test.ci_low, test.ci_high, 100, mark=100 * test.chance),
            t_of_df(test.statistic, test.df),
            p_value(test.p_value),
            p_value(test.p_holm),
        )
    out.print(
        "\nAgainst chance (per cent; intercept of a logistic mixed model, ties at chance level)"
    )
    out.print(made)


def _print_conditions(out: Console, tests: Sequence[ConditionTest]) -> None:
    numbers = ("test", "control", "points [95 % CI]", "t(df)", "p", "p Holm")
    tables: dict[str, Table] = {}
    for test in tests:
        asked = f"{test.plus} - {test.minus}: {test.question}"
        made = tables.setdefault(asked, table("population, language", *numbers, numbers=numbers))
        effect = _shown(test)
        made.add_row(
            _name(f"{test.population}, {test.test_language}"),
            *(number(share, 100) for share in test.accuracies),
            points(effect) if effect else NONE,
            *_tested(effect),
        )
    for asked, made in tables.items():
        out.print(f"\n{asked}", markup=False)
        out.print(made)


def _print_trends(out: Console, tests: Sequence[TrendTest]) -> None:
    numbers = ("per level", "odds ratio [95 % CI]", "t(df)", "p", "p Holm")
    tables: dict[str, Table] = {}
    for test in tests:
        levels = ", ".join(f"{own.level:g}" for own in test.levels)
        asked = (
            f"Trend over {test.factor} ({levels}; odds ratio per {test.unit_of_level}): "
            f"{test.question}"
        )
        made = tables.setdefault(asked, table("population, language", *numbers, numbers=numbers))
        effect = None if test.verdict == "undecided" else test.contrast
        made.add_row(
            _name(f"{test.population}, {test.test_language}"),
            " ".join(number(own.accuracy, 100) for own in test.levels),
            slope_ratio(test),
            *_tested(effect),
        )
    for asked, made in tables.items():
        out.print(f"\n{asked}", markup=False)
        out.print(made)


def _print_groups(out: Console, group: GroupComparison, title: str) -> None:
    numbers = ("odds ratio [95 % CI]", "t(df)", "p", "p Holm", "p LR")
    made = table("mixed model", *numbers, numbers=numbers)
    for model in group.models:
        effect = _shown(model)
        made.add_row(
            _name(model.name),
            odds_ratio(effect),
            *_tested(effect),
            p_value(model.ratio.p_value if model.ratio else math.nan),
        )
    out.print(f"\nMonolingual and bilingual, {title}", markup=False)
    out.print(made)
    columns = ("points [95 % CI]", "Welch t(df)", "p Holm", "g (seeds)", "BF10", "TOST p Holm")
    made = table("secondary: seed means", *columns, numbers=columns)
    for model in group.models:
        seeds, few = model.seeds, model.verdict == "few"
        made.add_row(
            _name(model.name),
            estimate(seeds.difference, seeds.ci_low, seeds.ci_high, 100, mark=0.0),
            t_of_df(seeds.t, seeds.df),
            NONE if few else p_value(seeds.p_holm),
            number(seeds.hedges_g, digits=2),
            bayes_factor(seeds.bayes_factor),
            NONE if few else p_value(seeds.p_equivalence_holm),
        )
    out.print(made)
    out.print(
        "Mixed model: further seeds and further words. Seed means: further seeds, these words; "
        "if the effect varies by word they find one too often. BF10: of Student's t test."
    )
    asked = group.interaction
    if asked and not math.isnan(asked.p_value):
        told = chi_squared(asked.statistic, asked.df, asked.p_value)
        out.print(f"Does the difference depend on the test language? {told}")
    simulated = group.overall.ratio
    if simulated and simulated.n_bootstrap:
        n = count(simulated.n_bootstrap, "simulation")
        told = phrased_p(simulated.p_bootstrap)
        out.print(f"Parametric bootstrap, {group.overall.name}: {told} ({n})", markup=False)


def _shown(test: ConditionTest | GroupModel) -> Contrast | None:
    """The contrast of a test; None where the data do not decide it."""
    return None if test.verdict == "undecided" else test.contrast


def _tested(effect: Contrast | None) -> tuple[str, str, str]:
    """Statistic, p-value and corrected p-value."""
    if effect is None:
        return NONE, NONE, NONE
    statistic = t_of_df(effect.statistic, effect.df)
    return statistic, p_value(effect.p_value), p_value(effect.p_holm)


def _print_forgetting(out: Console, found: Sequence[ForgettingRate]) -> None:
    if not found:
        return
    numbers = ("at once", "rate [95 % CI]", "seeds")
    made = table("population, language: with every", *numbers, "problem", numbers=numbers)
    for rate in found:
        made.add_row(
            _name(f"{rate.population}, {rate.test_language}: {rate.since}"),
            percent(rate.at_once),
            estimate(rate.rate, rate.ci_low, rate.ci_high, digits=3),
            str(rate.n_seeds),
            _name(rate.problem or NONE),
        )
    out.print("\nForgetting: exponential down to chance, fitted to means over seeds")
    out.print(made)


def _print_draws(out: Console, found: pd.DataFrame) -> None:
    if found.empty:
        return
    numbers = ("levels", "SD", "share, %")
    made = table("source of variation", *numbers, numbers=numbers)
    for row in found.to_dict("records"):
        where = f"{row['population']}, {row['test_language']}, {row['condition']}"
        made.add_row(
            _name(f"{where}: {SOURCES[row['source']]}"),
            str(row["n_levels"]),
            number(row["sd"], digits=2),
            number(row["share"], 100),
        )
    out.print("\nHow far draws of familiar words, seeds and items differ (log odds)")
    out.print(made)


def _print_lists(out: Console, found: pd.DataFrame) -> None:
    if found.empty:
        return
    numbers = ("lists", "seeds", "mean", "SD", "lowest", "highest")
    made = table("trial lists", *numbers, numbers=numbers)
    for row in found.to_dict("records"):
        made.add_row(
            _name(f"{row['population']}, {row['test_language']}, {row['condition']}"),
            str(row["n_lists"]),
            str(row["n_seeds"]),
            *(number(row[name], 100) for name in ("mean", "sd", "min", "max")),
        )
    out.print("\nAccuracy per trial list, mean over seeds (per cent)")
    out.print(made)


def _name(text: str) -> Text:
    """A cell that is never cut, whatever it holds: what is too long goes on in the next line."""
    from rich.text import Text

    return Text(text, overflow="fold")
