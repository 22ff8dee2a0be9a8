"""The documentation is built without a warning, opens from a folder, and asks no network."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import toolkit
from makers.site.made import MADE, filled_in, made_pages
from paradigms.registry import look_for_paradigms
from reports.glossary import TERMS
from tests.docs.blocks import DOCS, ROOT
from tests.reports.browsing import (
    _no_network,
    html_faults,
    needs_browser,
    needs_java,
    open_page,
    serious_findings,
    wait_for,
)
from toolkit.cli.app import app

__all__ = ["_no_network"]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built pages."""
    pytest.importorskip("material", reason="needs mkdocs-material")
    folder = tmp_path_factory.mktemp("site") / "pages"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", folder],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1", "PYTHONUTF8": "1"},
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_pages_load_nothing_from_elsewhere(site: Path) -> None:
    for page in [*site.rglob("*.html"), *site.rglob("*.css")]:
        text = page.read_text(encoding="utf-8")
        loaded = re.findall(r"<(?!a\b)[^>]*?\b(?:src|href)=\"((?:https?:)?//[^\"]*)", text)
        loaded += re.findall(r"url\([\"']?((?:https?:)?//[^)]*)", text)
        assert not loaded, page.name


@needs_java
def test_pages_are_valid_html(site: Path) -> None:
    assert not html_faults(*site.rglob("*.html"))


def test_every_public_name_has_its_docstring(site: Path) -> None:
    page = (site / "reference" / "api.html").read_text(encoding="utf-8")
    named = set(re.findall(r'<h3 id="([\w.]+)"', page))
    assert {f"toolkit.{name}" for name in toolkit.__all__ if name[0] != "_"} <= named
    assert page.count("Examples:") > 10
    assert 'class="admonition-title">Example<' not in page


@needs_browser
def test_the_search_works_from_a_folder_and_asks_no_network(site: Path) -> None:
    browser = open_page(site / "start.html")
    try:
        browser.find_element("css selector", ".md-search__input").send_keys("singular")
        wait_for(browser, "return document.querySelector('.md-search-result__item a') !== null")
        found = browser.execute_script(
            "return [...document.querySelectorAll('.md-search-result__item a')].map((a) => a.href)"
        )
        assert any("glossary.html" in address for address in found)
        assert not browser.get_log("browser")
        log = [json.loads(line["message"])["message"] for line in browser.get_log("performance")]
        asked = [line["params"].get("request", {}).get("url", "") for line in log]
        assert not [address for address in asked if address.startswith("http")]
    finally:
        browser.quit()


@needs_browser
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("page", ["index", "faq", "reference/statistics"])
def test_pages_can_be_read_by_everybody(page: str, dark: bool, site: Path) -> None:
    browser = open_page(site / f"{page}.html", width=390 if dark else 1280, dark=dark)
    try:
        passed, found = serious_findings(browser, "document")
        assert passed > 20
        assert not found
        assert browser.execute_script("return document.documentElement.scrollWidth") <= 1280
    finally:
        browser.quit()


def test_pages_are_made_of_all_commands_paradigms_and_terms() -> None:
    pages = made_pages()
    for name in typer.main.get_command(app).commands:  # type: ignore[attr-defined]
        assert f"### {name} {{ #{name} }}" in pages["reference/commands.md"]
    for name, cls in look_for_paradigms(None).known.items():
        page = pages[f"reference/paradigms/{name}.md"]
        assert cls.question in page
        assert f"`{cls.formula}`" in page
        assert all(f"| `{one.name}`" in page for one in cls.conditions)
    assert pages["reference/glossary.md"].count("\n:   ") == len(TERMS)


@pytest.mark.parametrize("name", MADE)
def test_parts_that_are_made_are_asked_for(name: str) -> None:
    pages = [page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md")]
    assert sum(f"<!-- made: {name} -->" in page for page in pages) == 1
    assert filled_in(f"<!-- made: {name} -->").count("\n") >= 3


def test_a_part_that_nobody_makes_is_refused() -> None:
    with pytest.raises(KeyError, match="no such part"):
        filled_in("<!-- made: no such part -->")


def test_pictures_are_shown_and_small() -> None:
    pages = "".join(page.read_text(encoding="utf-8") for page in DOCS.rglob("*.md"))
    pictures = [*(DOCS / "assets").glob("*.webp")]
    assert all(picture.name in pages for picture in pictures)
    assert sum(picture.stat().st_size for picture in pictures) < 1_500_000
