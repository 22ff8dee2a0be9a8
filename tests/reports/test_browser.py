"""The page in a real browser, offline: drawn, audible, usable, valid."""

from __future__ import annotations

import base64
import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.page import Options, write_report
from stimuli.cells import guarded
from tests.reports.browsing import (
    _no_network,
    html_faults,
    needs_browser,
    needs_java,
    open_page,
    scroll_through,
    serious_findings,
    wait_for,
)

__all__ = ["_no_network"]  # a fixture that every test here uses


@pytest.fixture(scope="module")
def page(runs: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about two paradigms."""
    out = tmp_path_factory.mktemp("page") / "report.html"
    return write_report([runs["me"], runs["translation"]], out, Options(n_trials=6))


@pytest.fixture(scope="module")
def browser(page: Path) -> Iterator[Any]:
    """The page, scrolled through once so that every figure has come alive."""
    opened = open_page(page)
    scroll_through(opened)
    yield opened
    opened.quit()


@needs_browser
class TestBrowser:
    def test_every_figure_is_alive_and_nothing_is_complained_about(self, browser: Any) -> None:
        figures = browser.find_elements("css selector", "figure.figure")
        assert len(figures) > 10
        marks = (
            "return arguments[0].querySelectorAll('.drawing svg path, .drawing svg line').length"
        )
        assert all(browser.execute_script(marks, figure) > 5 for figure in figures)
        assert browser.get_log("browser") == []

    def test_no_request_leaves_the_page(self, browser: Any) -> None:
        messages = [json.loads(e["message"])["message"] for e in browser.get_log("performance")]
        asked = [
            message["params"]["request"]["url"]
            for message in messages
            if message["method"] == "Network.requestWillBeSent"
        ]
        assert asked, "at least the page itself"
        assert {address.partition(":")[0] for address in asked} <= {"file", "data", "blob"}

    def test_every_sound_can_be_decoded(self, browser: Any) -> None:
        script = """
            const done = arguments[0];
            Promise.all([...document.querySelectorAll('audio')].map((sound) =>
              new Promise((resolve) => {
                sound.addEventListener('loadeddata', () => resolve(sound.duration));
                sound.addEventListener('error', () => resolve(-1));
                sound.load(); sound.preload = 'auto';
              }))).then(done);
        """
        durations = browser.execute_async_script(script)
        assert len(durations) > 5
        assert min(durations) > 0.02

    def test_pictures_are_loaded(self, browser: Any) -> None:
        widths = browser.execute_script(
            "return [...document.querySelectorAll('.options img')].map((i) => i.naturalWidth)"
        )
        assert len(widths) >= 10
        assert min(widths) == 8, "the small set's pictures are 8 pixels wide"

    def test_hovering_over_a_word_tells_its_numbers(self, browser: Any) -> None:
        from selenium.webdriver.common.action_chains import ActionChains

        found = "#me-items .mark-symbol.role-mark path"
        mark = browser.find_element("css selector", found)
        to_middle = "arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})"
        browser.execute_script("arguments[0].closest('details').open = true", mark)

        def hover() -> None:
            browser.execute_script(to_middle, mark)
            ActionChains(browser).move_to_element(mark).move_by_offset(1, 0).perform()

        shown = "return !!document.querySelector('#vg-tooltip-element.visible')"
        wait_for(browser, shown, meanwhile=hover)
        told = browser.find_element("css selector", "#vg-tooltip-element").text
        assert "word concept" in told
        assert "accuracy (%)" in told

    def test_tables_are_sorted_by_their_headings(self, browser: Any) -> None:
        table = browser.find_element("css selector", "table[data-name='me-accuracies']")
        button = table.find_elements("css selector", "thead button")[3]
        cells = "[...arguments[0].tBodies[0].rows].map((row) => row.cells[3].textContent)"
        read = f"return {cells}.map(parseFloat)"
        before = browser.execute_script(read, table)
        for order, expected in (
            ("ascending", sorted(before)),
            ("descending", sorted(before)[::-1]),
        ):
            browser.execute_script("arguments[0].click()", button)
            assert browser.execute_script(read, table) == expected
            heading = table.find_elements("css selector", "thead th")[3]
            assert heading.get_attribute("aria-sort") == order

    def test_tables_are_copied_as_csv_and_latex(self, browser: Any) -> None:
        catch = (
            "window.copied = []; Object.defineProperty(navigator, 'clipboard', {configurable: true,"
            " value: {writeText: async (text) => { window.copied.push(text); }}});"
        )
        browser.execute_script(catch)
        name = "table[data-name='me-chance']"
        place = browser.execute_script(
            f"return document.querySelector(\"{name}\").closest('.scroll').nextElementSibling"
        )
        for made in place.find_elements("css selector", "button"):
            browser.execute_script("arguments[0].click()", made)
        wait_for(browser, "return window.copied.length === 2")
        as_csv, as_latex = browser.execute_script("return window.copied")
        assert as_csv.startswith("Population,Test language,Condition,")
        assert '"[' in as_csv, "cells with commas are quoted"
        assert r"\toprule" in as_latex
        assert r"Correct (\%)" in as_latex

    def test_cells_that_are_copied_stay_text_as_in_files(self, browser: Any) -> None:
        texts = [
            "=1+1",
            "+1",
            "-2+3",
            "@x",
            "'=1",
            "''@",
            "-",
            "-1",
            "-.5e3",
            "inf",
            "dog",
            "'t is",
        ]
        script = """
            const [texts, done] = arguments, copied = [];
            Object.defineProperty(navigator, 'clipboard', {configurable: true,
              value: {writeText: async (text) => { copied.push(text); }}});
            const table = document.querySelector("table[data-name='me-chance']");
            const cell = table.tBodies[0].rows[0].cells[0], before = cell.textContent;
            for (const text of texts) {
              cell.textContent = text;
              table.closest('.scroll').nextElementSibling.querySelector('button').click();
            }
            cell.textContent = before;
            done(copied);
        """
        copied = browser.execute_async_script(script, texts)
        cells = [next(csv.reader([text.splitlines()[1]]))[0] for text in copied]
        assert cells == [guarded(text) for text in texts]

    def test_the_test_that_decides_is_seen_first(self, browser: Any) -> None:
        first = """
            const parts = [...document.querySelectorAll('#answers > *')];
            const place = (of) =>
              parts.findIndex((own) => own.matches(of) || own.querySelector(of));
            const table = document.querySelector("table[data-name='me-overview']");
            return [place('.verdict'), place('#me-deciding'), place('table'), place('dl.answers'),
              table.offsetWidth, table.tBodies[0].rows.length];
        """
        *places, width, rows = browser.execute_script(first)
        assert places == sorted(places)
        assert places[0] > 0
        assert width <= 930
        assert rows > 1
        assert browser.find_elements("css selector", "#me-condition-contrasts"), "all contrasts"

    def test_wide_tables_show_answers_first_and_the_rest_on_demand(self, browser: Any) -> None:
        script = """
            const table = document.querySelector("table[data-name='me-chance']");
            const shown = () => [...table.tHead.rows[0].cells]
              .filter((cell) => getComputedStyle(cell).display !== 'none')
              .map((cell) => cell.textContent);
            const bar = table.closest('.scroll').nextElementSibling;
            const button = [...bar.querySelectorAll('button')].at(-1);
            if (button.getAttribute('aria-pressed') === 'true') {
              button.click();
            }
            const seen = [button.textContent, shown(), button.getAttribute('aria-pressed')];
            button.click();
            seen.push(shown(), button.getAttribute('aria-pressed'));
            button.click();
            return [...seen, shown()];
        """
        label, first, before, rest, after, again = browser.execute_script(script)
        assert label == f"All {len(rest)} columns"
        assert {"Verdict", "Model (%)", "95 % CI (%)", "p Holm"} <= set(first)
        assert set(rest) - set(first) == {"t (df)", "Visible", "d (seeds)", "d (words)"}
        assert (before, after) == ("false", "true")
        assert again == first

    def test_figures_are_as_wide_as_the_page_and_letters_stay(self, browser: Any) -> None:
        script = """
            document.querySelectorAll('details').forEach((d) => { d.open = true; });
            return [...document.querySelectorAll('figure.figure')].map((figure) => {
              const drawn = figure.querySelector('.drawing svg');
              const room = figure.querySelector('.scroll').clientWidth;
              const width = drawn.getBoundingClientRect().width;
              return [figure.id, width / room, width / drawn.viewBox.baseVal.width];
            });
        """
        found = browser.execute_script(script)
        wide = [share for _, share, _ in found]
        assert max(wide) < 1.01
        assert sorted(wide)[len(wide) // 2] > 0.97, "all but matrices of small sets fill the page"
        assert all(0.8 <= scale < 1.01 for _, _, scale in found)

    def test_terms_are_explained_where_they_stand_and_in_a_list(self, browser: Any) -> None:
        script = """
            const meaning = (term) =>
              document.getElementById(term.hash.slice(1)).lastChild.textContent;
            return [...document.querySelectorAll('a.term')].map(
              (term) => [term.textContent, term.title, meaning(term)]);
        """
        found = browser.execute_script(script)
        assert {"Holm", "chance", "seeds"} <= {text for text, _, _ in found}
        assert all(title == listed for _, title, listed in found)

    def test_paper_unfolds_everything(self, browser: Any) -> None:
        script = """
            document.querySelectorAll('details').forEach((d) => { d.open = false; });
            const folded = () => document.querySelectorAll('details:not([open])').length;
            const seen = [folded()];
            for (const event of ['beforeprint', 'afterprint']) {
              window.dispatchEvent(new Event(event));
              seen.push(folded());
            }
            return seen;
        """
        before, printed, after = browser.execute_script(script)
        assert printed == 0
        assert before == after > 10

    def test_accessibility_has_no_serious_finding(self, browser: Any) -> None:
        browser.execute_script("document.querySelectorAll('details').forEach((d) => d.open = true)")
        # What is inside a drawing is one image to a screen reader; its thousands of marks are not
        # looked at one by one.
        n_passed, serious = serious_findings(
            browser, "{exclude: [['.drawing > *'], ['#vg-tooltip-element']]}"
        )
        assert n_passed > 20, "axe has run"
        assert serious == []

    @pytest.mark.parametrize(("width", "dark"), [(390, False), (1280, True)])
    def test_phone_and_dark_are_readable(self, page: Path, width: int, dark: bool) -> None:
        opened = open_page(page, width=width, dark=dark)
        try:
            script = "return [document.documentElement.scrollWidth, window.innerWidth]"
            needed, given = opened.execute_script(script)
            assert needed <= given == width, "only tables and figures may scroll sideways"
            paper, ink = (
                opened.execute_script(f"return getComputedStyle(document.body).{name}")
                for name in ("backgroundColor", "color")
            )
            brightness = [sum(map(int, c[4:-1].split(","))) for c in (paper, ink)]
            assert (brightness[0] < brightness[1]) == dark
            assert abs(brightness[0] - brightness[1]) > 500
            right = """
                const table = document.querySelector("table[data-name='me-overview']");
                const heads = [...table.tHead.rows[0].cells];
                const p = heads.find((head) => head.textContent === "p Holm");
                const end = (part) => part.getBoundingClientRect().right;
                return end(p) - end(table.parentElement);
            """
            assert opened.execute_script(right) <= 0, "p is seen without scrolling sideways"
        finally:
            opened.quit()

    def test_without_scripts_figures_and_tables_are_there(self, page: Path) -> None:
        opened = open_page(page, scripts=False)
        try:
            drawings = opened.find_elements("css selector", ".drawing svg")
            assert len(drawings) > 10
            assert all(drawing.size["width"] > 200 for drawing in drawings)
            assert opened.find_elements("css selector", "table[data-name='me-accuracies'] tbody tr")
            assert not opened.find_elements("css selector", "button")
        finally:
            opened.quit()

    def test_paper_unfolds_everything_without_scripts_too(self, page: Path, tmp_path: Path) -> None:
        unfolded = tmp_path / "unfolded.html"
        text = page.read_text(encoding="utf-8")
        unfolded.write_text(text.replace("<details", "<details open"), encoding="utf-8")
        assert text.count("<details>") > 10
        n_pages = []
        for one in (page, unfolded):
            opened = open_page(one, scripts=False)
            try:
                printed = opened.execute_cdp_cmd("Page.printToPDF", {})["data"]
            finally:
                opened.quit()
            n_pages.append(len(re.findall(rb"/Type\s*/Page\b", base64.b64decode(printed))))
        assert n_pages[0] == n_pages[1] > 5


@needs_java
def test_the_page_is_valid_html(page: Path) -> None:
    assert html_faults(page) == []
