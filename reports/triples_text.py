"""Accuracies over all triples as tables on the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reports.numbers import between, percent
from reports.terminal import console, table
from reports.units import draws_note, units
from toolkit.statistics.choices.exact import ExactSummary

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console


def print_triples(summary: ExactSummary, done: str) -> None:
    """Print accuracies over all triples, each word on its own, and what was done.

    Args:
        summary: of a paradigm.
        done: the sentence that comes last.
    """
    from rich.markup import escape

    out = console()
    title = f"{summary.paradigm} v{summary.paradigm_version}: {summary.question}"
    out.print(f"\n[bold]{escape(title)}[/bold] All triples.\n")
    made = table(
        "condition", "population", "language", "accuracy", "95 % interval", "ties",
        f"each {units(summary.results)}, %", numbers=("accuracy", "ties"),
    )  # fmt: skip
    conditions = list(dict.fromkeys(row.condition for row in summary.results))
    for row in sorted(summary.results, key=lambda one: conditions.index(one.condition)):
        made.add_row(
            escape(row.condition),
            escape(row.population),
            escape(row.test_language),
            percent(row.mean),
            between(row.ci_low, row.ci_high),
            f"{row.n_ties:,}",
            " ".join(f"{100 * value:.0f}" for value in row.seeds.values()),
        )
    out.print(made)
    words = summary.words
    for condition in dict.fromkeys(row.condition for row in summary.results if row.headline):
        _print_words(out, condition, words[words["condition"] == condition])
    out.print(
        "\nIntervals: 95 %, Student's t over seeds on the logit scale (further seeds, these words "
        f"and pictures). Chance is 50 %; ties count as wrong.{draws_note(summary.results)}"
    )
    # No line is broken, so that paths can be copied.
    out.print(escape(f"\n{done}"), soft_wrap=True)


def _print_words(out: Console, condition: str, words: pd.DataFrame) -> None:
    """Accuracy per word, one column per population and language, the hardest word first."""
    from rich.markup import escape

    share = {
        (str(word), (str(population), str(language))): float(accuracy)
        for word, population, language, accuracy in zip(
            *(words[n] for n in ("word_concept", "population", "test_language", "accuracy")),
            strict=True,
        )
    }
    names, columns = (list(dict.fromkeys(keys)) for keys in zip(*share, strict=True))
    heads = [escape(f"{population}, {language}") for population, language in columns]
    names.sort(key=lambda name: share.get((name, columns[0]), 0.0))
    made = table("word, %", *heads, numbers=heads)
    for name in names:
        cells = (share.get((name, column)) for column in columns)
        made.add_row(escape(name), *("-" if c is None else f"{100 * c:.1f}" for c in cells))
    out.print(f"\n{escape(condition)}, mean over seeds")
    out.print(made)
