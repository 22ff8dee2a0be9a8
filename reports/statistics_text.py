"""The statistics of a run on the terminal: tests first, then what may be said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.console import console, table
from reports.kinds import REPORTS
from reports.numbers import interval, models_of, number, odds_ratio, p_value, t_of_df
from toolkit.kinds import kind_in

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def print_analyses(content: Mapping[str, Any], file: str | None) -> None:
    """Print the content of ``statistics.json``.

    Args:
        content: analyses by paradigm.
        file: where they were written; None if nowhere.
    """
    from rich.markup import escape

    out = console()
    for analysis in content.values():
        title = (
            f"{analysis['paradigm']} v{analysis['paradigm_version']}: "
            f"statistics, {analysis['engine']}"
        )
        out.print(f"\n[bold]{escape(title)}[/bold]")
        REPORTS[kind_in(analysis)].print_analysis(out, analysis)
        out.print("\nWhat may be said")
        for sentence in analysis["sentences"]:
            out.print(f"- {escape(sentence)}")
        if analysis["families"]:
            out.print("\nFamilies of tests: " + escape("; ".join(analysis["families"])) + ".")
        for warning in analysis["warnings"]:
            out.print(f"[yellow]Note:[/yellow] {escape(warning)}")
    if file:
        out.print(f"\nAll numbers, and a results paragraph in APA style: {escape(file)}")


def print_tests(out: Console, analysis: Mapping[str, Any]) -> None:
    """Print the tests of ``statistics.json`` for choices."""
    _print_chance(out, analysis["chance"])
    for group in analysis["groups"]:
        _print_groups(out, group)


def _print_chance(out: Console, tests: Sequence[Mapping[str, Any]]) -> None:
    numbers = ("accuracy", "chance", "model [95 % CI]", "t(df)", "p", "p Holm")
    made = table("population, language", *numbers, numbers=numbers)
    conditions = {test["condition"] for test in tests}
    for test in tests:
        name = f"{test['population']}, {test['test_language']}"
        made.add_row(
            _name(name if len(conditions) == 1 else f"{name}, {test['condition']}"),
            number(test["accuracy"], 100),
            number(test["chance"], 100),
            f"{number(test['probability'], 100)} {interval(test['ci_low'], test['ci_high'], 100)}",
            t_of_df(test),
            p_value(test["p_value"]),
            p_value(test["p_holm"]),
        )
    out.print("\nAgainst chance (per cent; intercept of a logistic mixed model)")
    out.print(made)


def _print_groups(out: Console, group: Mapping[str, Any]) -> None:
    models = models_of(group)
    numbers = ("odds ratio [95 % CI]", "t(df)", "p", "p Holm", "p LR")
    made = table("mixed model", *numbers, numbers=numbers)
    for model in models:
        effect, ratio = model["contrast"] or {}, model["ratio"]
        made.add_row(
            _name(model["name"]),
            odds_ratio(effect),
            t_of_df(effect),
            p_value(effect.get("p_value")),
            p_value(effect.get("p_holm")),
            p_value(ratio["p_value"] if ratio else None),
        )
    out.print(f"\nMonolingual and bilingual, {group['condition']}", markup=False)
    out.print(made)
    columns = ("seeds", "points [95 % CI]", "Welch t(df)", "p", "g (seeds)", "BF10", "p TOST")
    made = table("seed means", *columns, numbers=columns)
    for model in models:
        seeds = model["seeds"]
        made.add_row(
            _name(model["name"]),
            f"{seeds['n_first']}, {seeds['n_second']}",
            f"{number(seeds['difference'], 100)} "
            f"{interval(seeds['ci_low'], seeds['ci_high'], 100)}",
            t_of_df(seeds | {"statistic": seeds["t"]}),
            p_value(seeds["p_value"]),
            number(seeds["hedges_g"], digits=2),
            "-" if seeds["bayes_factor"] is None else f"{seeds['bayes_factor']:.3g}",
            p_value(seeds["p_equivalence"]),
        )
    out.print(made)
    out.print(
        "Mixed model: further seeds and further words. Seed means: further seeds, these words; "
        "if the effect varies by word they find one too often."
    )
    if group["interaction"]:
        out.print(
            "Does the difference depend on the test language? "
            f"chi2({group['interaction']['df']}) = "
            f"{number(group['interaction']['statistic'], digits=2)}, "
            f"p = {p_value(group['interaction']['p_value'])}"
        )
    simulated = group["overall"]["ratio"]
    if simulated and simulated["n_bootstrap"]:
        out.print(
            f"Parametric bootstrap, all languages: p = {p_value(simulated['p_bootstrap'])} "
            f"({simulated['n_bootstrap']} simulations)"
        )


def _name(text: str) -> Text:
    """A cell that is never wrapped or cut, whatever it holds."""
    from rich.text import Text

    return Text(text, no_wrap=True, overflow="ignore")
