"""All pages that are made from the code, by the place they have in the site."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


def paradigm_pages() -> Mapping[str, str]:
    """Pages of paradigms, the list of them first."""
    return {"reference/paradigms/index.md": "# Paradigms\n"}


def made_pages() -> Mapping[str, str]:
    """Names below the folder of the site, and what stands in them, in Markdown."""
    empty = ("commands", "statistics", "glossary")
    return {
        **paradigm_pages(),
        **{f"reference/{name}.md": f"# {name.capitalize()}\n" for name in empty},
        "changelog.md": (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"),
        "contributing.md": (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }
