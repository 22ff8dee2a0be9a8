"""What MkDocs calls while it builds the site (``hooks`` in ``mkdocs.yml``).

Pages that tell what the code says already (commands, paradigms, terms, changes) are made here, at
build time, and are not committed: there is no copy that could grow old, and nothing to check.
"""

from __future__ import annotations

import re
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from makers.site.made import filled_in, made_pages
from makers.site.paradigm_pages import FOLDER, paradigm_pages

THEME = {
    r'(<label[^>]*) tabindex=""': r"\1",
    r'(<input class="md-toggle[^>]*) autocomplete="off"': r"\1",
    r'(<input[^>]*) autocorrect="off"': r"\1",
}
"""Attributes of Material for MkDocs that the HTML checker refuses."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Name the page of every paradigm where ``mkdocs.yml`` names their folder."""
    config.nav = _expanded(config.nav)
    return config


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are made."""
    for name, text in made_pages().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in the parts that are made."""
    return filled_in(markdown)


def on_page_content(html: str, **_: Any) -> str:
    """Let the keyboard reach every block of code, which may scroll where a page is narrow."""
    return re.sub(r"(<pre[^>]*>(?:<span></span>)?<code)(?![^>]*tabindex)", r'\1 tabindex="0"', html)


def on_post_page(output: str, **_: Any) -> str:
    """Leave out what the theme writes that is no valid HTML."""
    return _valid(output)


def on_post_template(output_content: str, **_: Any) -> str:
    """The same on the page for addresses that there are not."""
    return _valid(output_content)


def _valid(html: str) -> str:
    for found, valid in THEME.items():
        html = re.sub(found, valid, html)
    return html


def _expanded(nav: Any) -> Any:
    if isinstance(nav, list):
        return [_expanded(one) for one in nav]
    if isinstance(nav, dict):
        return {title: _expanded(one) for title, one in nav.items()}
    return [*paradigm_pages()] if nav == f"{FOLDER}/" else nav
