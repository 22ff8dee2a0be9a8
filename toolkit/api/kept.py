"""Statistics of a run that are kept: made again only when something they were made of has changed.

They take longer than all else where every network has been asked already.
"""

from __future__ import annotations

from pathlib import Path

import paradigms
from paradigms.registry import get_paradigm
from stimuli.files import CHECKSUM_SUFFIX, sha256_of_files
from toolkit.errors import ToolkitError
from toolkit.provenance import package_version
from toolkit.records import plain
from toolkit.running.folder import content_key
from toolkit.running.plan import named
from toolkit.statistics.models.results import Result
from toolkit.statistics.saved import saved_results
from toolkit.statistics.settings import Settings
from toolkit.tables.manifests import MANIFEST_FILE, read_manifest

LIBRARIES = ("glmm", "numpy", "pandas", "pingouin", "scipy", "statsmodels")
"""What else has a part in the numbers."""
CODE = (Path(__file__).parents[1], *map(Path, paradigms.__path__))
"""Folders of the toolkit's own code that have one, too."""
CIRCUMSTANCES = frozenset({
    "started", "ended", "status", "toolkit_version", "git", "python", "packages", "machine",
    "device", "command", "energy", "studies",
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
    there = (path for path in run.iterdir() if path.is_file() and path.name not in others)
    files = [path for path in there if path.suffix != CHECKSUM_SUFFIX]
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


def kept(run: Path, key: str, own: Path | None = None) -> dict[str, Result] | None:
    """The statistics in a run's folder if they were made of the same; None if not, or if damaged.

    Args:
        run: its folder.
        key: see `made_of`.
        own: folder with paradigms of one's own.

    Example:
        >>> kept(Path("there-is-no-such-folder"), "0a1b")
    """
    try:
        found = saved_results(run, own)
    except ToolkitError:
        return None
    return found if found and all(one.made_of == key for one in found.values()) else None
