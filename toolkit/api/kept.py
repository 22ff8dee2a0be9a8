"""Statistics of a run that are kept: made again only when something they were made of has changed.

They take longer than all else where every network has been asked already.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import paradigms
from paradigms.registry import get_paradigm
from stimuli.files import sha256_of_files
from toolkit.provenance import package_version
from toolkit.running.folder import content_key
from toolkit.running.plan import named
from toolkit.statistics.models.results import plain
from toolkit.statistics.settings import Settings
from toolkit.tables.manifests import MANIFEST_FILE, read_manifest

MADE_OF = "made_of"
"""Key of an analysis: what it was made of, see `made_of`."""
LIBRARIES = ("glmm", "numpy", "pandas", "pingouin", "scipy", "statsmodels")
"""What else has a part in the numbers."""
CODE = (Path(__file__).parents[1], *map(Path, paradigms.__path__))
"""Folders of the toolkit's own code that have one, too."""
CIRCUMSTANCES = frozenset({
    "started", "ended", "status", "toolkit_version", "git", "python", "packages", "machine",
    "command",
})  # fmt: skip
"""What a manifest says of how the run was made, and has no part in them."""


def made_of(run: Path, made: frozenset[str], own: Path | None, settings: Settings) -> str:
    """Name for everything that decides the statistics of a run.

    Those are the files of its folder, the file of its paradigm, the settings, the code of the
    toolkit and the libraries beneath it. Runs of the same content have the same name here, wherever
    and whenever they are made.

    Args:
        run: its folder.
        made: names of the files in it that are made from the others.
        own: folder with paradigms of one's own.
        settings: of the analysis.

    Raises:
        ToolkitError: if its paradigm is not known.
    """
    manifest = read_manifest(run)
    asked = manifest.get("paradigm")
    name = asked.get("name") if isinstance(asked, dict) else None
    told = {key: value for key, value in manifest.items() if key not in CIRCUMSTANCES}
    others = made | {MANIFEST_FILE}
    files = [path for path in run.iterdir() if path.is_file() and path.name not in others]
    code = [path for folder in CODE for path in folder.rglob("*.py")]
    return content_key(
        {
            "manifest": told,
            "files": sha256_of_files(files),
            "paradigm": named(get_paradigm(name, own)) if name else None,
            "settings": plain(settings),
            "code": sha256_of_files(code),
            "libraries": {name: package_version(name) for name in LIBRARIES},
        }
    )


def kept(file: Path, key: str) -> dict[str, Any] | None:
    """The statistics in a file if they were made of the same; None if not, or if it is no such.

    Args:
        file: where they may lie.
        key: see `made_of`.

    Example:
        >>> kept(Path("there-is-no-such-file"), "0a1b")
    """
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError):
        return None
    analyses = list(found.values()) if isinstance(found, dict) else []
    same = all(isinstance(one, dict) and one.get(MADE_OF) == key for one in analyses)
    return found if analyses and same else None
