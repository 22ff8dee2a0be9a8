"""Trials and comparisons in a real browser: found by keys, seen, heard, printed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from reports.page import Options, write_report
from tests.reports.browsing import (
    _no_network,
    html_faults,
    needs_browser,
    needs_java,
    open_page,
    serious_findings,
    wait_for,
)
from toolkit.statistics.choices.word_differences import Asked, word_differences, word_seeds

__all__ = ["_no_network"]  # a fixture that every test here uses

SAID = "return document.querySelector('#me-trials .matches').textContent"
CARDS = "return document.querySelectorAll('#me-trials .found .card').length"


@pytest.fixture(scope="module")
def page(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of trials with two pictures, and of trials among many words."""
    out = tmp_path_factory.mktemp("trials") / "report.html"
    return write_report([runs["me"], runs["translation"]], out, Options(n_trials=6))


@pytest.fixture(scope="module")
def trials(runs: dict[str, Path]) -> pd.DataFrame:
    """The answers that the page is about."""
    return pd.read_parquet(runs["me"] / "trials.parquet").astype(
        {"population": str, "test_language": str, "condition": str, "word_concept": str}
    )


@pytest.fixture(scope="module")
def chromium(page: Path) -> Iterator[Any]:
    """A browser that shows the page."""
    opened = open_page(page)
    yield opened
    opened.quit()


@pytest.fixture
def browser(chromium: Any) -> Any:
    """The page as it is first seen, with the trials of ME opened by the keyboard."""
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    chromium.refresh()
    wait_for(chromium, "return document.documentElement.dataset.ready === 'yes'")
    press(chromium, "#me-trials .look > summary", "\ue007")
    wait_for(chromium, f"return ({CARDS.removeprefix('return ')}) > 0")
    return chromium


def press(browser: Any, where: str, *keys: str) -> None:
    """Press keys where a reader is who came there by the keyboard."""
    from selenium.webdriver.common.action_chains import ActionChains

    browser.execute_script("document.querySelector(arguments[0]).focus()", where)
    for key in keys:
        ActionChains(browser).send_keys(key).perform()


def tab(browser: Any) -> None:
    """Go on to the next control."""
    from selenium.webdriver.common.action_chains import ActionChains

    ActionChains(browser).send_keys("\ue004").perform()


def field(name: str) -> str:
    return f"#me-trials .filters [name='{name}']"


def n_trials(rows: pd.DataFrame) -> int:
    return len(rows.drop_duplicates(["test_language", "trial"]))


def said(browser: Any, n: int, of: int) -> None:
    wait_for(browser, f"{SAID}.startsWith('{n:,} of {of:,} trials match')")


@needs_browser
class TestTrials:
    def test_words_conditions_and_agreement_are_filtered_by_keys(
        self, browser: Any, trials: pd.DataFrame
    ) -> None:
        all_trials = n_trials(trials)
        said(browser, all_trials, all_trials)
        word = sorted(trials["word_concept"].unique())[-1]
        press(browser, field("word"), *word)
        own = trials[trials["word_concept"] == word]
        said(browser, n_trials(own), all_trials)
        live = "return document.querySelector('#me-trials .matches').getAttribute('aria-live')"
        assert browser.execute_script(live) == "polite"
        condition = browser.execute_script(
            "return document.querySelector(arguments[0]).options[1].value", field("condition")
        )
        press(browser, field("condition"), "\ue015")
        own = own[own["condition"] == condition]
        said(browser, n_trials(own), all_trials)
        # No network of the tests is untrained: the share is over all seeds that were asked.
        share = own.groupby(["test_language", "trial"])["correct"].mean()
        press(browser, field("least"), *"50")
        said(browser, int((share >= 0.5).sum()), all_trials)
        press(browser, field("population"), "\ue015")
        name = browser.execute_script(
            "return document.querySelector(arguments[0]).value", field("population")
        )
        share = own[own["population"] == name].groupby(["test_language", "trial"])["correct"].mean()
        said(browser, int((share >= 0.5).sum()), all_trials)
        press(browser, "#me-trials .filters [type='reset']", "\ue007")
        said(browser, all_trials, all_trials)

    def test_every_control_is_reached_with_the_tabulator(self, browser: Any) -> None:
        press(browser, "#me-trials .look > summary")
        active = "return document.activeElement.name || document.activeElement.type || ''"
        reached = []
        # Terms that are explained stand before the filters, and can be reached as well.
        while "reset" not in reached and len(reached) < 40:
            tab(browser)
            reached.append(browser.execute_script(active))
        own = [name for name in reached if name]
        assert own == [
            *("word", "condition", "language", "population", "least", "most", "low", "high"),
            *("pictured", "sort", "reset"),
        ]

    def test_a_card_says_who_chose_what(self, browser: Any, trials: pd.DataFrame) -> None:
        press(browser, field("sort"), *("\ue015",) * 3)
        wait_for(browser, "return document.querySelector('#me-trials').matches('.filtered')")
        script = """
            const card = document.querySelector('#me-trials .found .card');
            const number = / trial (\\d+)/.exec(card.querySelector('.kind').textContent)[1];
            const texts = (of, at) => [...of.querySelectorAll(at)].map((own) => own.textContent);
            return [Number(number), card.querySelector('h4').textContent,
              [...card.querySelectorAll('.answer')].map((own) => [
                own.querySelector('b').textContent, texts(own, '.chosen li')])];
        """
        number, heading, answers = browser.execute_script(script)
        language = heading.rpartition(", ")[2]
        own = trials[(trials["trial"] == number) & (trials["test_language"] == language)]
        assert {name for name, _ in answers} == set(own["population"])
        for name, chosen in answers:
            mine = own[own["population"] == name]
            right, n = int(mine["correct"].sum()), len(mine)
            assert chosen[0] == f"{mine['target_concept'].iloc[0]} (target) {right} of {n}"
            wrong = n - right - int(mine["tie"].sum())
            assert chosen[1] == f"{mine['distractor_concept'].iloc[0]} {wrong} of {n}"

    def test_pages_are_turned_by_keys_and_hold_few_cards(
        self, browser: Any, trials: pd.DataFrame
    ) -> None:
        n = n_trials(trials)
        assert n > 48
        for first in (25, 49):
            press(browser, "#me-trials .after", "\ue007")
            wait_for(browser, f"{SAID}.includes('here are {first} to ')")
            assert browser.execute_script(CARDS) <= 24
        press(browser, "#me-trials .before", "\ue007")
        wait_for(browser, f"{SAID}.includes('here are 25 to 48')")

    def test_pictures_and_clips_lie_in_the_page_once(self, browser: Any, page: Path) -> None:
        text = page.read_text(encoding="utf-8")
        held = browser.execute_script(
            "return Object.values(JSON.parse(document.getElementById('media').textContent))"
        )
        assert len(held) > 10
        assert all(text.count(one) == 1 for one in held)
        shown = browser.execute_script(
            "return [...document.querySelectorAll('#me-trials .found img')].map((i) => i.src)"
        )
        assert len(shown) == 48

    def test_checkers_have_nothing_against_it(self, browser: Any) -> None:
        browser.execute_script(
            "document.querySelectorAll('.gallery details, .compare details').forEach("
            "(part) => { part.open = true; })"
        )
        for section in ("#me-trials", "#me-compare"):
            where = f"{{include: [['{section}']], exclude: [['.drawing > *']]}}"
            n_passed, serious = serious_findings(browser, where)
            assert n_passed > 5
            assert serious == []
        assert browser.get_log("browser") == []

    def test_paper_shows_those_picked_or_those_that_were_filtered(self, browser: Any) -> None:
        seen = """
            const shown = (of) => getComputedStyle(document.querySelector(of)).display !== 'none';
            return ['.picked', '.live', '.filters'].map((of) => shown('#me-trials ' + of));
        """
        assert browser.execute_script(seen) == [False, True, True]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert browser.execute_script(seen) == [True, False, False]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
        press(browser, field("least"), *"50")
        wait_for(browser, "return document.querySelector('#me-trials').matches('.filtered')")
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        assert browser.execute_script(seen) == [False, True, False]


@needs_browser
class TestCompare:
    def test_another_pair_shows_its_numbers_and_leads_to_trials(
        self, browser: Any, trials: pd.DataFrame
    ) -> None:
        texts = "[...document.querySelectorAll('#me-compare table tbody tr')].map((row) => "
        texts += "[...row.cells].map((cell) => cell.textContent))"
        before = browser.execute_script(f"return {texts}")
        first = "#me-compare .sides label:nth-of-type(1) select"
        names = browser.execute_script(
            "return [...document.querySelector(arguments[0]).options].map((o) => o.textContent)",
            first,
        )
        wanted = names.index("bilingual-en-nl in nl")
        browser.execute_script(
            "const s = document.querySelector(arguments[0]); s.selectedIndex = arguments[1];"
            "s.dispatchEvent(new Event('change'))",
            *(first, wanted),
        )
        told = "document.querySelector('#me-compare .pair').textContent"
        wait_for(browser, f"return {told}.startsWith('A: bilingual-en-nl in nl; B: ')")
        pair = browser.execute_script(f"return {told}")
        other = pair.partition("; B: ")[2].partition("; ")[0].split(" in ")
        expected = word_differences(
            word_seeds(trials), Asked("bilingual-en-nl", "nl"), Asked(other[0], other[1])
        )
        expected = expected[expected["condition"] == pair.rpartition("condition ")[2][:-1]]
        shown = browser.execute_script(f"return {texts}")
        assert shown != before
        assert sorted(row[0] for row in shown) == sorted(expected["word_concept"])
        known = expected.set_index("word_concept")
        for word, a, b, difference, *_ in shown:
            row = 100 * known.loc[word, ["first", "second", "difference"]].astype(float)
            assert [float(a), float(b), float(difference)] == pytest.approx(list(row), abs=0.0501)
        assert [float(row[3]) for row in shown] == sorted(
            (float(r[3]) for r in shown), reverse=True
        )
        wait_for(browser, "return !!document.querySelector('#me-compare .drawing .vega-embed')")
        press(browser, "#me-compare > details:not(.figures) > summary", "\ue007")
        press(browser, "#me-compare table tbody a", "\ue007")
        word = shown[0][0]
        wait_for(browser, f"return document.querySelector(\"{field('word')}\").value === '{word}'")
        own = trials[(trials["word_concept"] == word) & (trials["test_language"] == "nl")]
        own = own[own["condition"] == pair.rpartition("condition ")[2][:-1]]
        said(browser, n_trials(own), n_trials(trials))

    def test_numbers_of_a_figure_are_saved_as_they_are_drawn(self, browser: Any) -> None:
        script = """
            const done = arguments[0];
            HTMLAnchorElement.prototype.click = function () {
              done(decodeURIComponent(this.href.split(',').slice(1).join(',')));
            };
            document.querySelector('#me-compare-words .buttons button:nth-of-type(3)').click();
        """
        lines = browser.execute_async_script(script).splitlines()
        assert lines[0].startswith("word,a_percent,b_percent,difference_points,")
        rows = "return document.querySelectorAll('#me-compare table tbody tr').length"
        assert len(lines) == 1 + browser.execute_script(rows)


@needs_browser
@pytest.mark.parametrize("width", [390, 1280])
def test_without_its_script_the_page_still_shows_those_picked(page: Path, width: int) -> None:
    opened = open_page(page, width=width, scripts=False)
    try:
        opened.find_element("css selector", "#me-trials .look > summary").send_keys("\ue007")
        cards = opened.find_elements("css selector", "#me-trials .card")
        assert len(cards) == 6
        assert all(card.is_displayed() for card in cards)
        assert not opened.find_elements("css selector", "#me-trials form, .compare form")
        assert opened.find_elements("css selector", "#me-compare .drawing svg")
    finally:
        opened.quit()


@needs_browser
def test_a_phone_needs_no_scrolling_sideways(page: Path) -> None:
    opened = open_page(page, width=390)
    try:
        opened.execute_script("document.querySelectorAll('details').forEach((d) => d.open = true)")
        wait_for(opened, f"return ({CARDS.removeprefix('return ')}) > 0")
        widths = "return [document.documentElement.scrollWidth, window.innerWidth]"
        needed, given = opened.execute_script(widths)
        assert needed <= given == 390
    finally:
        opened.quit()


@needs_java
def test_the_page_is_valid_html(page: Path) -> None:
    assert html_faults(page) == []
