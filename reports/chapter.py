"""Everything that is told of one paradigm: its runs, their results, and their statistics."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.choices.digest import Digest

AGAIN = "mevgs-toolkit run-paradigm me --subject bilingual-en-nl"


@dataclass(frozen=True)
class RunFiles:
    """The small files of one run folder, or the same about a table from elsewhere."""

    folder: Path
    """Where it lies; a table from elsewhere is a file."""
    manifest: Mapping[str, Any]
    """What was run; empty for a table from elsewhere."""
    summary: Mapping[str, Any]
    """Accuracies and intervals."""

    @property
    def paradigm(self) -> str:
        """Name of the paradigm."""
        return str(self.summary["paradigm"])


@dataclass(frozen=True)
class Chapter:
    """Everything about one paradigm, from one or several runs."""

    paradigm: str
    """Name of the paradigm."""
    version: int
    """Its version."""
    question: str
    """What it asks."""
    kind: str
    """What it asks for: which line of `reports.kinds.REPORTS` tells it."""
    runs: tuple[RunFiles, ...]
    """Where it comes from."""
    results: tuple[Mapping[str, Any], ...]
    """Accuracies per population, language and condition, as in ``summary.json``."""
    digest: Digest
    """Margins, choices and picked trials; empty where trials offer no choice."""
    training: pd.DataFrame | None
    """Training logs with ``population``, ``seed``, ``update``; None where there are none."""
    paradigms: Path | None = None
    """Folder with paradigms of one's own."""
    notes: tuple[str, ...] = ()
    """What was noticed when the runs were gathered."""
    beside: Any = ()
    """What else runs of its kind hold."""
    needed: frozenset[str] = frozenset()
    """Keys of saved statistics without which they are made again."""

    @functools.cached_property
    def statistics(self) -> Mapping[str, Any]:
        """As in ``statistics.json``.

        Read when first asked for: a run is read while its statistics are still at work.
        """
        return _statistics(self.runs, self.paradigms, self.needed)

    @property
    def manifests(self) -> list[Mapping[str, Any]]:
        """Those of its runs; tables from elsewhere have none."""
        return [run.manifest for run in self.runs if run.manifest]

    @property
    def headline(self) -> list[Mapping[str, Any]]:
        """Results of the test itself, without its controls."""
        return [row for row in self.results if row["headline"]]

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Populations and test languages, in the order of the runs."""
        pairs = [(str(row["population"]), str(row["test_language"])) for row in self.headline]
        return list(dict.fromkeys(pairs))

    @property
    def languages(self) -> list[str]:
        """Test languages in alphabetical order."""
        return sorted({language for _, language in self.cells})

    def training_of(self, population: str) -> str:
        """Monolingual, bilingual, multilingual or untrained, by number of languages."""
        number = self._n_languages[population]
        return ("untrained", "monolingual", "bilingual")[number] if number < 3 else "multilingual"

    @functools.cached_property
    def _n_languages(self) -> dict[str, int]:
        table = self.digest.populations
        told = {
            str(name): len(about["languages"])
            for run in self.runs
            for name, about in run.manifest.get("populations", {}).items()
        }
        return told | dict(zip(table["population"], map(int, table["n_languages"]), strict=True))


def read_json(path: Path) -> dict[str, Any]:
    """An object from a file of a run.

    Raises:
        ToolkitError: it is missing, damaged, or no object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ToolkitError(
            f"{path.parent} is not the folder of a finished run: it has no {path.name}.",
            allowed="the folder that run-paradigm printed",
            next_command=AGAIN,
        ) from error
    except (OSError, ValueError) as error:
        raise ToolkitError(f"{path} cannot be read: {error}.") from error
    if not isinstance(content, dict):
        raise ToolkitError(f"{path} holds no object.")
    return content


def _statistics(
    runs: Sequence[RunFiles], paradigms: Path | None, needed: frozenset[str]
) -> Mapping[str, Any]:
    """Those of the only run, or of an analysis of all runs together."""
    name = runs[0].paradigm
    saved = runs[0].folder / "statistics.json"
    if len(runs) == 1 and saved.is_file():
        content = read_json(saved)
        if needed <= set(content.get(name, {})):
            return dict(content[name])
    from toolkit.statistics.analysis import analyse_runs

    return dict(analyse_runs([run.folder for run in runs], paradigms)[name])
