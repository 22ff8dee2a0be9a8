"""How to cite, from ``CITATION.cff``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from makers.site.tables import escaped

FILE = Path(__file__).parent.parent.parent / "CITATION.cff"


def citation() -> str:
    """The toolkit as text and as BibTeX, then the studies that it follows."""
    told = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    fields = {
        "title": f"{{{told['title']}}}",
        "author": f"{{{' and '.join(map(_bibtex_name, told['authors']))}}}",
        "note": f"{{Version {told['version']}, licence {told['license']}}}",
    }
    entry = ",\n".join(f"  {name} = {value}" for name, value in fields.items())
    names = ", ".join(map(_name, told["authors"]))
    toolkit = f"{names}. *{escaped(told['title'])}*. Version {told['version']}."
    studies = "\n".join(f"- {_study(one)}" for one in told["references"])
    return (
        f"## The toolkit\n\n{toolkit}\n\n```bibtex\n@software{{mevgs_toolkit,\n{entry}\n}}\n```\n\n"
        f"The file `CITATION.cff` of the repository says the same to programs.\n\n"
        f"## The studies that it follows first\n\n{studies}"
    )


def _study(one: dict[str, Any]) -> str:
    names = ", ".join(map(_name, one["authors"]))
    where = one.get("journal") or one["collection-title"]
    return f"{names} ({one['year']}). {escaped(one['title'])}. *{where}*. {one['notes']}."


def _name(one: dict[str, str]) -> str:
    return one.get("name") or f"{one['given-names']} {one['family-names']}"


def _bibtex_name(one: dict[str, str]) -> str:
    # Double braces: the name of a group has no family name to sort by.
    return f"{{{one['name']}}}" if "name" in one else f"{one['family-names']}, {one['given-names']}"
