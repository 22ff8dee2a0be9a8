"""Everything that is told of one paradigm: its runs, their results, and their statistics."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from toolkit.statistics.models.results import Result
from toolkit.statistics.saved import saved_results
from toolkit.tables.trials import MODEL

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.choices.digest import Digest
    from toolkit.statistics.means import SeedMean, Summary
    from toolkit.tables.recorded import Recorded

AGAIN = "mevgs-toolkit run-paradigm me --subject bilingual-en-nl"


@dataclass(frozen=True)
class RunFiles:
    """The small files of one run folder, or the same about a table from elsewhere."""

    folder: Path
    """Where it lies; a table from elsewhere is a file."""
    manifest: Recorded | None
    """What was run; None for a table from elsewhere."""
    summary: Summary
    """Means and intervals."""

    @property
    def paradigm(self) -> str:
        """Name of the paradigm."""
        return self.summary.paradigm


R = TypeVar("R", bound=Result)


@dataclass(frozen=True)
class Chapter(Generic[R]):
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
    results: tuple[SeedMean, ...]
    """Means per population, language and condition."""
    digest: Digest
    """Margins, choices and single trials; empty where trials offer no choice."""
    training: pd.DataFrame | None
    """Training logs with ``population``, ``seed``, ``update``; None where there are none."""
    paradigms: Path | None = None
    """Folder with paradigms of one's own."""
    notes: tuple[str, ...] = ()
    """What was noticed when the runs were gathered."""
    beside: Any = ()
    """What else runs of its kind hold."""
    analysed: Result | None = None
    """What may be concluded, where that is known already."""

    @functools.cached_property
    def statistics(self) -> R:
        """What may be concluded.

        Read when first asked for: a run is read while its statistics are still at work.
        """
        return cast(R, self.analysed or _statistics(self.runs, self.paradigms))

    @property
    def manifests(self) -> list[Recorded]:
        """Those of its runs; tables from elsewhere have none."""
        return [run.manifest for run in self.runs if run.manifest is not None]

    @functools.cached_property
    def has_people(self) -> bool:
        """True if some subjects are no networks: children, or whoever a table from elsewhere tells.

        What is said of seeds is said of participants then.
        """
        kinds = self.digest.subjects["subject_kind"]
        return bool((kinds.astype(str) != MODEL).any())

    @property
    def headline(self) -> list[SeedMean]:
        """Results of the test itself, without its controls."""
        return [row for row in self.results if row.headline]

    @property
    def cells(self) -> list[tuple[str, str]]:
        """Populations and test languages, in the order of the runs."""
        return list(dict.fromkeys((row.population, row.test_language) for row in self.headline))

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
            name: len(about.languages)
            for manifest in self.manifests
            for name, about in manifest.populations.items()
        }
        return told | dict(zip(table["population"], map(int, table["n_languages"]), strict=True))


def _statistics(runs: Sequence[RunFiles], paradigms: Path | None) -> Result:
    """Those of the only run, or of an analysis of all runs together."""
    name = runs[0].paradigm
    saved = saved_results(runs[0].folder, paradigms) if len(runs) == 1 else {}
    if name in saved:
        return saved[name]
    from toolkit.statistics.analysis import analyse_runs

    return analyse_runs([run.folder for run in runs], paradigms)[name]
