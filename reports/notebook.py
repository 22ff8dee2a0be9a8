"""Results as a notebook and a Python prompt show them."""

from __future__ import annotations

import html
import io
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from reports.drawing import visible
from stimuli.characters import shown
from toolkit.records import plain

if TYPE_CHECKING:
    from toolkit.statistics.choices.exact import ExactSummary
    from toolkit.statistics.means import Summary
    from toolkit.statistics.models.results import Result

HIDDEN = ("meaning", "seeds", "unit")
"""Columns of results that are left out of tables: no single value, or said in the note below."""


def text_of(show: Callable[..., None], *content: Any) -> str:
    """What a function of this package prints, as text without colours.

    Args:
        show: prints to standard output.
        content: what it is called with.

    Example:
        >>> text_of(print, "53.1 %")
        '53.1 %'
    """
    with redirect_stdout(io.StringIO()) as written:
        show(*content)
    return written.getvalue().strip("\n")


def run_html(summary: Summary, folder: str) -> str:
    """A summary as HTML: what was asked, accuracies, what to keep in mind, where everything lies.

    Args:
        summary: of a run.
        folder: of the run.
    """
    notes = _paragraphs("Note: ", summary.warnings)
    return _asked(summary) + notes + f"<p>{_escape(folder)}</p>"


def triples_html(summary: ExactSummary, folder: str) -> str:
    """What all triples say as HTML, without the words.

    Args:
        summary: of a paradigm.
        folder: in which everything lies.
    """
    return _asked(summary) + f"<p>{_escape(folder)}</p>"


def statistics_html(results: Mapping[str, Result]) -> str:
    """Analyses as HTML: each question with its answer, every sentence, what to keep in mind.

    Args:
        results: analyses by paradigm.
    """
    parts = []
    for told in results.values():
        answers = "".join(
            f"<dt>{_escape(question)}</dt><dd>{_escape(answer)}</dd>"
            for question, answer in told.answers
        )
        sentences = "".join(f"<li>{_escape(sentence)}</li>" for sentence in told.sentences)
        parts += [
            _title(told, f"statistics, {told.engine}"),
            f"<dl>{answers}</dl>",
            f"<details><summary>What may be said</summary><ul>{sentences}</ul></details>",
            _paragraphs("Note: ", told.warnings),
        ]
    return "".join(parts)


def _asked(summary: Summary | ExactSummary) -> str:
    """What was asked, and accuracies."""
    import pandas as pd

    told = visible(plain(summary.results))
    results = pd.DataFrame(told).drop(columns=[*HIDDEN], errors="ignore")
    made = results.dropna(axis="columns", how="all").to_html(
        index=False, escape=True, na_rep="", float_format="{:.3f}".format, border=0
    )
    return _title(summary, summary.question) + made


def _title(told: Summary | ExactSummary | Result, text: str) -> str:
    name = f"{told.paradigm} v{told.paradigm_version}"
    return f"<p><b>{_escape(name)}</b>: {_escape(text)}</p>"


def _escape(text: str) -> str:
    return html.escape(shown(text, keep="\n\t"))


def _paragraphs(label: str, texts: Iterable[str]) -> str:
    return "".join(f"<p>{label}{_escape(text)}</p>" for text in texts)
