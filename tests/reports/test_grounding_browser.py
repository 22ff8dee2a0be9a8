"""The page about dense grounding in a real browser: drawn, readable on a phone, accessible."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reports.page import Options, write_report
from stimuli import StimulusSet
from tests.grounding_runs import write_whole_run
from tests.reports.browsing import (
    _no_network,
    html_faults,
    needs_browser,
    needs_java,
    open_page,
    scroll_through,
    serious_findings,
)

__all__ = ["_no_network"]  # a fixture that every test here uses


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory, scenes_set: StimulusSet) -> Path:
    """A page about one run with maps."""
    folder = write_whole_run(tmp_path_factory.mktemp("browser") / "run", scenes_set)
    return write_report([folder], folder / "report.html", Options())


@pytest.fixture(scope="module")
def browser(page: Path) -> Iterator[Any]:
    """The page, scrolled through once so that every figure has come alive."""
    opened = open_page(page)
    scroll_through(opened)
    yield opened
    opened.quit()


@needs_browser
class TestBrowser:
    def test_figures_are_alive_and_pictures_are_loaded(self, browser: Any) -> None:
        assert len(browser.find_elements("css selector", "figure.figure")) == 9
        sizes = browser.execute_script(
            "return [...document.querySelectorAll('.tiles img')].map((i) => "
            "[i.naturalWidth, i.naturalHeight, i.getBoundingClientRect().width])"
        )
        assert len(sizes) == 81
        assert {(width, height) for width, height, _ in sizes} == {(112, 112), (112, 224)}
        assert min(drawn for _, _, drawn in sizes) >= 80
        assert browser.get_log("browser") == []

    def test_accessibility_has_no_serious_finding(self, browser: Any) -> None:
        # Tables and figures come from the same templates as on other pages, which are looked at
        # whole in test_browser.py.
        n_passed, serious = serious_findings(
            browser, "{include: [['.answers'], ['.status'], ['#dense-grounding-maps']]}"
        )
        assert n_passed > 5, "axe has run"
        assert serious == []

    def test_a_phone_shows_everything(self, page: Path) -> None:
        opened = open_page(page, width=390)
        try:
            script = "return [document.documentElement.scrollWidth, window.innerWidth]"
            needed, given = opened.execute_script(script)
            assert needed <= given == 390, "only tables and figures may scroll sideways"
            columns = opened.execute_script(
                "return new Set([...document.querySelectorAll('.tiles')[0].children].map((t) => "
                "t.offsetLeft)).size"
            )
            assert columns >= 3
        finally:
            opened.quit()


@needs_java
def test_the_page_is_valid_html(page: Path) -> None:
    assert html_faults(page) == []
