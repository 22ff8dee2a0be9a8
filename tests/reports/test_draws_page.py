"""The page of a run in which every draw of familiar words is one participant."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.reports.test_page import Page
from toolkit import run_paradigm
from toolkit.api.results import Run

DRAWS = [f"monolingual-en-draws/{name}a" for name in ("01", "02", "03", "04")]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run_paradigm(
        "me", DRAWS, trials_per_class=13, out=tmp_path_factory.mktemp("runs") / "runs"
    )


@pytest.fixture(scope="module")
def page(drawn: Run) -> Page:
    return Page(Path(drawn.report()).read_text("utf-8"))


def test_the_answer_over_draws_comes_first(drawn: Run, page: Page) -> None:
    question, answer = drawn.analyse().results["me"].answers[0]
    assert question == "Above chance over draws of familiar words?"
    assert "over 4 draws" in answer
    text = " ".join(page.text.split())
    places = [text.find(part) for part in (question, "Different in bilinguals?", "Word lists")]
    assert -1 < places[0] < min(places[1:])


def test_sources_of_variation_stand_in_a_table(drawn: Run, page: Page) -> None:
    saved = drawn.analyse().results["me"].draws
    (rows,) = (table for name, table in page.tables.items() if name.endswith("draws"))
    assert [row[3] for row in rows[1:]] == ["draws of familiar words", "words", "distractors"]
    assert [row[6] for row in rows[1:]] == [str(n) for n in saved["n_levels"]]
    assert rows[1][4] == f"{saved['sd'].iloc[0]:.2f}"


def test_what_participants_are_is_said(page: Page) -> None:
    text = " ".join(page.text.split())
    for part in (
        "4 draws of familiar words: answers speak about further word lists.",
        "what is said of seeds holds of draws",
        "Draws stand for further lists of familiar words from the same concepts",
        "every draw of familiar words, with all its seeds, was one participant",
        "words are crossed with draws",
        "(1 | familiar_draw)",
    ):
        assert part in text, part
    assert "items are crossed with seeds" not in text
    assert "nothing is established" not in text


def test_the_terminal_tells_draws(drawn: Run, capsys: pytest.CaptureFixture[str]) -> None:
    drawn.show()
    drawn.analyse().show()
    said = " ".join(capsys.readouterr().out.split())
    assert "each draw, %" in said
    assert "How far draws of familiar words, seeds and items differ" in said
