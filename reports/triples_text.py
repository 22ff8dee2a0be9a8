"""Accuracies over all triples as tables on the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from reports.numbers import between, percent
from reports.terminal import console, table
from toolkit.running.score_all import TABLE_NAME

if TYPE_CHECKING:
    from rich.console import Console


def print_triples(told: Mapping[str, Any]) -> None:
    """Print accuracies over all triples, each word on its own, and where everything lies.

    Args:
        told: the content of ``exhaustive.json``, the run's folder and times.
    """
    from rich.markup import escape

    out = console()
    title = f"{told['paradigm']} v{told['paradigm_version']}: {told['question']}"
    out.print(f"\n[bold]{escape(title)}[/bold] All triples.\n")
    made = table(
        "condition", "population", "language", "accuracy", "95 % interval", "ties", "each seed, %",
        numbers=("accuracy", "ties"),
    )  # fmt: skip
    conditions = list(dict.fromkeys(row["condition"] for row in told["results"]))
    for row in sorted(told["results"], key=lambda one: conditions.index(one["condition"])):
        made.add_row(
            *(escape(row[name]) for name in ("condition", "population", "test_language")),
            percent(row["mean"]),
            between(row["ci_low"], row["ci_high"]),
            f"{row['n_ties']:,}",
            " ".join(f"{100 * value:.0f}" for value in row["seeds"].values()),
        )
    out.print(made)
    headline = (row["condition"] for row in told["results"] if row["headline"])
    for condition in dict.fromkeys(headline):
        _print_words(out, [row for row in told["words"] if row["condition"] == condition])
    out.print(
        "\nIntervals: 95 %, Student's t over seeds on the logit scale (further seeds, these words "
        "and pictures). Chance is 50 %; ties count as wrong."
    )
    out.print(
        escape(
            f"\n{told['n_triples']:,} triples in {told['duration_s']:.1f} s, "
            f"{told['cells_computed']} cells computed, {told['cells_reused']} reused. Written to "
            f"{told['run_directory']} ({TABLE_NAME}: by word, target and distractor class)"
        ),
        soft_wrap=True,  # no line is broken, so that paths can be copied
    )


def _print_words(out: Console, words: Sequence[Mapping[str, Any]]) -> None:
    """Accuracy per word, one column per population and language, the hardest word first."""
    from rich.markup import escape

    columns = list(dict.fromkeys((row["population"], row["test_language"]) for row in words))
    heads = [escape(f"{population}, {language}") for population, language in columns]
    share = {
        (row["word_concept"], row["population"], row["test_language"]): row["accuracy"]
        for row in words
    }
    names = list(dict.fromkeys(row["word_concept"] for row in words))
    first = columns[0]
    names.sort(key=lambda name: share.get((name, *first), 0.0))
    made = table("word, %", *heads, numbers=heads)
    for name in names:
        cells = (share.get((name, *column)) for column in columns)
        made.add_row(escape(name), *("-" if c is None else f"{100 * c:.1f}" for c in cells))
    out.print(f"\n{escape(words[0]['condition'])}, mean over seeds")
    out.print(made)
