"""Every triple of word, target and distractor, asked for in Python and by ``score-all``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.notebook import text_of, triples_html
from reports.triples_text import print_triples
from stimuli import StimulusSet
from stimuli.wording import count
from toolkit.api.checks import as_named, optional, several, shown_set, silent, whole
from toolkit.devices import find_device
from toolkit.records import plain
from toolkit.running.embedding import Progress
from toolkit.running.plan import DEFAULT_ROOT
from toolkit.running.score_all import score_all as count_all
from toolkit.statistics.choices.exact import ExactSummary, summarise_exact
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_populations
from toolkit.tables.manifests import EXHAUSTIVE_FILE

if TYPE_CHECKING:
    import pandas as pd

    from paradigms import BaseParadigm

SUMMARY_FILE = "exhaustive.json"
"""Written into the folder beside the counts."""


def score_all(
    paradigm: str | BaseParadigm,
    subjects: str | Population | Sequence[str | Population],
    *,
    languages: str | Sequence[str] = (),
    stimuli: str | Path | StimulusSet | None = None,
    any_style: bool = False,
    out: str | Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: str = "cpu",
    precision: str = "float32",
    subjects_dir: str | Path | None = None,
    features_dir: str | Path | None = None,
    paradigms_dir: str | Path | None = None,
    progress: Progress = silent,
) -> AllTriples:
    """Exact accuracy over every triple of word clip, target picture and distractor picture.

    What `run_paradigm` estimates from a drawn list, without the chance of the draw. Classes weigh
    the same; only what is not stored yet is counted.

    Args:
        paradigm: one of picture pairs, by name or as `open_paradigm` gave it.
        subjects: names of populations, or populations, as for `run_paradigm`.
        languages: test languages; by default those that each population knows.
        stimuli: a set, its name or its folder; by default the paradigm's own, or that which the
            populations say.
        any_style: also pair pictures of different style, which lists do not.
        out: folder that holds the runs.
        jobs: seeds worked on at the same time.
        device: where networks compute: ``cpu``, ``cuda``, ``cuda:N``, ``mps`` or ``auto``, see
            `toolkit.devices`; numbers of each kind of device are kept apart.
        precision: how a card computes: ``float32``, ``tf32`` or ``bf16``.
        subjects_dir: folder with population folders of your own.
        features_dir: folder of files of features, of ``extract-features``, that stand in the place
            of frozen backbones.
        paradigms_dir: folder with paradigm files of your own.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        ToolkitError: a name is unknown (the nearest is shown), the paradigm does not show picture
            pairs, or a subject answers from a trial list.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     counted = score_all("familiar", "monolingual-en/a", out=folder)
        ...     int(counted.table["n_triples"].sum())
        127656
        >>> round(float(counted.results["mean"].iloc[0]), 1)
        1.0
    """
    own = optional(paradigms_dir)
    asked = as_named(paradigm, own)
    populations = open_populations(several(subjects), subjects_dir, features_dir)
    shown = shown_set(stimuli, populations, asked.default_set)
    done = count_all(
        asked,
        populations,
        shown,
        languages=several(languages),
        any_style=any_style,
        root=Path(out),
        jobs=whole("jobs", jobs, 1),
        device=find_device(device, precision),
        progress=progress,
    )
    made = AllTriples(
        done.directory.folder,
        done.table,
        summarise_exact(done.table, asked),
        n_computed=done.n_computed,
        n_reused=done.n_reused,
        duration_s=done.duration_s,
    )
    done.directory.write_json(SUMMARY_FILE, made.written)
    return made


@dataclass(frozen=True, eq=False, repr=False)
class AllTriples:
    """What populations answered to every triple, in a folder of its own."""

    folder: Path
    """Where it lies."""
    table: pd.DataFrame
    """Counts, one row per seed, language, condition and concepts of word, target, distractor."""
    summary: ExactSummary
    """Accuracies over seeds, and per word."""
    n_computed: int = 0
    """Cells (one network and language each) that were counted now."""
    n_reused: int = 0
    """Cells that were there already."""
    duration_s: float = 0.0
    """Time that took, in seconds."""

    @property
    def results(self) -> pd.DataFrame:
        """One row per population, test language and condition: accuracy, interval over seeds."""
        import pandas as pd

        return pd.DataFrame(plain(self.summary.results))

    @property
    def words(self) -> pd.DataFrame:
        """The same per word, as mean and standard error over seeds."""
        return self.summary.words

    @property
    def written(self) -> Mapping[str, Any]:
        """The content of ``exhaustive.json``."""
        return {"run_id": self.folder.name, **plain(self.summary)}

    @property
    def told(self) -> Mapping[str, Any]:
        """What is written, and what was done now, as ``score-all --format json`` prints it."""
        return {
            **self.written,
            "run_directory": str(self.folder),
            "n_triples": int(self.table["n_triples"].sum()),
            "duration_s": round(self.duration_s, 3),
            "cells_computed": self.n_computed,
            "cells_reused": self.n_reused,
        }

    @property
    def done(self) -> str:
        """What was done now and where everything lies, as a sentence."""
        return (
            f"{self.table['n_triples'].sum():,} triples in {self.duration_s:.1f} s, "
            f"{count(self.n_computed, 'cell')} computed, {self.n_reused} reused. Written to "
            f"{self.folder} "
            f"({EXHAUSTIVE_FILE}: by word, target and distractor class)"
        )

    def __repr__(self) -> str:
        """What ``score-all`` prints."""
        return text_of(print_triples, self.summary, self.done)

    def _repr_html_(self) -> str:
        return triples_html(self.summary, str(self.folder))
