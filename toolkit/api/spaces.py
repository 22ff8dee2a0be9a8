"""Embedding spaces of populations: samples taken, tables made, a folder written that explains them.

It stands above the statistics, which it hands the samples to: a run that ends in tables about
spaces and asks nobody anything.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from paradigms.choices.paradigm import Paradigm, as_choices
from paradigms.registry import find_paradigms, get_paradigm
from reports.notebook import text_of
from reports.space_text import SHOWN, print_spaces, spaces_html
from stimuli import StimulusSet
from toolkit.api.checks import optional, several, shown_set, silent, whole
from toolkit.api.results import Run
from toolkit.devices import CPU, Device, find_device
from toolkit.errors import ToolkitError, nearest_name, quoted
from toolkit.records import plain
from toolkit.running.choices import languages_of
from toolkit.running.embedding import Progress, embed
from toolkit.running.embedding_store import EmbeddingStore
from toolkit.running.folder import RunDirectory, content_key
from toolkit.running.plan import DEFAULT_ROOT, Finished, Plan, carry_out
from toolkit.running.score_all import must_perceive
from toolkit.running.subject_refs import subjects_of
from toolkit.statistics.choices.counts import read_counts
from toolkit.statistics.space.analysis import SpaceTables, analyse_spaces, write_tables
from toolkit.statistics.space.sample import Sample, Space
from toolkit.statistics.space.words import read_accuracy
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_populations
from toolkit.tables.manifests import EMBEDDINGS, SPACE_FILE

if TYPE_CHECKING:
    import pandas as pd

    from toolkit.statistics.space.words import Accuracy

PER_CLASS = 30
"""Clips and pictures of each class, unless told otherwise."""

Kind = tuple[str, str]
"""Modality and language of a sample; pictures have no language."""


def analyze_space(
    subjects: str | Population | Sequence[str | Population],
    *,
    languages: str | Sequence[str] = (),
    stimuli: str | Path | StimulusSet | None = None,
    run: Run | str | Path | Sequence[Run | str | Path] = (),
    per_class: int = PER_CLASS,
    n_bootstrap: int = 1000,
    map_seeds: int = 1,
    seed: int = 0,
    out: str | Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: str = "cpu",
    precision: str = "float32",
    subjects_dir: str | Path | None = None,
    features_dir: str | Path | None = None,
    paradigms_dir: str | Path | None = None,
    progress: Progress = silent,
) -> Spaces:
    """Describe embedding spaces: variance, modality gap, maps, likeness of networks, words.

    Test words and pictures, the same for all networks.

    Args:
        subjects: names of populations, or populations, as for `toolkit.run_paradigm`.
        languages: test languages; by default those that each population knows.
        stimuli: a set, its name or its folder; by default ``mini``, or that which the
            populations say.
        run: a run of the same networks, or several, whose accuracy per word is set beside their
            spaces.
        per_class: clips and pictures of each class, at most.
        n_bootstrap: resamples of every interval; 0 for none.
        map_seeds: networks per population that get maps (PCA, t-SNE).
        seed: of samples, resamples and t-SNE.
        out: folder that holds the runs.
        jobs: seeds embedded at the same time.
        device: where networks compute: ``cpu``, ``cuda``, ``cuda:N``, ``mps`` or ``auto``, see
            `toolkit.devices`; numbers of each kind of device are kept apart.
        precision: how a card computes: ``float32``, ``tf32`` or ``bf16``.
        subjects_dir: folder with population folders of your own.
        features_dir: folder of files of features, of ``extract-features``, that stand in the place
            of frozen backbones.
        paradigms_dir: folder with paradigm files of your own, if the run asked one of them.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        ToolkitError: a name is unknown (the nearest is shown), a number is out of range, a subject
            cannot hear and see, or the run asked none of the populations.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     made = analyze_space("monolingual-en/a", n_bootstrap=0, map_seeds=0, out=folder)
        >>> [*made.tables["variance"].groupby("modality").groups]
        ['picture', 'word']
    """
    populations = open_populations(several(subjects), subjects_dir, features_dir)
    done, made = compare_spaces(
        populations,
        shown_set(stimuli, populations, Paradigm.default_set),
        languages=several(languages),
        runs=[one.folder if isinstance(one, Run) else Path(one) for one in several(run)],
        paradigms=optional(paradigms_dir),
        per_class=whole("per_class", per_class, 1),
        n_bootstrap=whole("n_bootstrap", n_bootstrap, 0),
        map_seeds=whole("map_seeds", map_seeds, 0),
        seed=whole("seed", seed, 0),
        root=Path(out),
        jobs=whole("jobs", jobs, 1),
        device=find_device(device, precision),
        progress=progress,
    )
    return Spaces(done.directory.folder, made.tables, tuple(made.notes))


@dataclass(frozen=True, eq=False, repr=False)
class Spaces:
    """What embedding spaces look like, in a folder of its own."""

    folder: Path
    """Where the tables lie, as Parquet and CSV; its manifest explains every column."""
    tables: Mapping[str, pd.DataFrame]
    """By name: ``variance``, ``gap``, ``pca``, ``tsne``, ``alignment``, ``similarity`` and more."""
    notes: tuple[str, ...] = ()
    """What to keep in mind, in sentences."""

    @property
    def told(self) -> Mapping[str, Any]:
        """The main tables, as ``analyze-space --format json`` prints them."""
        shown: dict[str, Any] = {name: self.tables[name].to_dict("records") for name in SHOWN}
        return {"folder": str(self.folder), "notes": list(self.notes), **plain(shown)}

    def __repr__(self) -> str:
        """What ``analyze-space`` prints."""
        return text_of(print_spaces, self.tables, self.notes, self.folder)

    def _repr_html_(self) -> str:
        return spaces_html(self.tables, self.notes, self.folder)


def compare_spaces(
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    languages: Sequence[str] = (),
    runs: Sequence[Path] = (),
    paradigms: Path | None = None,
    per_class: int = PER_CLASS,
    n_bootstrap: int = 1000,
    map_seeds: int = 1,
    seed: int = 0,
    root: Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: Device = CPU,
    progress: Progress = lambda *_: None,
) -> tuple[Finished, SpaceTables]:
    """Make all tables about the embedding spaces of some populations.

    Args:
        populations: whose spaces, all their seeds.
        stimuli: what is said and shown; only its test split, the same for all.
        languages: test languages; by default as in `toolkit.running.choices.run`.
        runs: runs of the same networks, whose accuracy per word is set beside their spaces.
        paradigms: folder with paradigms of one's own, for those runs.
        per_class: clips and pictures of each class, at most.
        n_bootstrap: resamples of every interval; 0 for none.
        map_seeds: networks per population of which maps are made.
        seed: seed of samples, resamples and t-SNE.
        root: folder that holds all runs; embeddings are shared with them.
        jobs: subjects worked on at the same time while embedding.
        device: where networks compute; numbers of each kind of device are kept apart.
        progress: called as the work goes on.

    Returns:
        What came of it, and the tables, which are written as Parquet and CSV.

    Raises:
        ToolkitError: if a language is unknown, a subject hears no words, sees no pictures or
            cannot compare the two, or the run asked none of the populations.
    """
    # Any test of single words is made in the languages that are looked at here.
    asked = as_choices(get_paradigm("familiar"))
    tested = {p.name: languages_of(p, asked, stimuli, languages) for p in populations}
    accuracy = _accuracy(runs, list(tested), paradigms) if runs else None
    sampled = _sampled(stimuli, tested, per_class, seed)
    facts = {
        "languages": tested,
        "per_class": per_class,
        "n_bootstrap": n_bootstrap,
        "bootstrap_seed": seed,
        "map_seeds": map_seeds,
        "run": ", ".join(run.name for run in runs) or None,
    }
    subjects = {one.name: one.checksum for one in subjects_of(populations)}
    answered = sorted(accuracy.items()) if accuracy else None
    content = {"stimuli": stimuli.checksum, "subjects": subjects, "run": answered}
    plan = Plan(
        name="space",
        populations=tuple(populations),
        stimuli=stimuli,
        cells={"tables": content_key({**facts, **content, **device.facts})},
        facts=facts,
        tables=(SPACE_FILE,),
        device=device,
    )
    made: list[SpaceTables] = []
    store = EmbeddingStore(root / EMBEDDINGS, device)

    def compute(directory: RunDirectory) -> Mapping[str, Any]:
        tables = analyse_spaces(
            _spaces(populations, stimuli, tested, sampled, store, jobs, progress),
            dict(zip(stimuli.table["concept"], stimuli.table["status"], strict=True)),
            accuracy=accuracy,
            n_bootstrap=n_bootstrap,
            seed=seed,
            map_seeds=map_seeds,
            progress=progress,
        )
        made.append(tables)
        return write_tables(directory.folder, tables)

    # Tables are made in seconds once everything is embedded: they are never taken as done.
    return carry_out(plan, root, lambda *_: False, compute), made[0]


def _sampled(
    stimuli: StimulusSet, tested: Mapping[str, Sequence[str]], per_class: int, seed: int
) -> dict[Kind, tuple[str, ...]]:
    """Ids of the pictures, and of the words of each language, that all subjects are given."""
    languages = dict.fromkeys(name for names in tested.values() for name in names)
    sampled: dict[Kind, tuple[str, ...]] = {}
    for kind in [("picture", ""), *(("word", name) for name in languages)]:
        table = stimuli.select(kind=kind[0], split="test", language=kind[1] or None)
        rng = np.random.default_rng(seed)
        sampled[kind] = tuple(
            name
            for _, own in table.groupby("concept", sort=True)
            for name in sorted(rng.permutation(sorted(own.index))[:per_class].tolist())
        )
        if not sampled[kind]:
            raise ToolkitError(
                f"The stimulus set {stimuli.name!r} has no test {kind[0]}s"
                + (f" in language {kind[1]!r}." if kind[1] else "."),
                next_command=f"mevgs-toolkit describe {quoted(stimuli.name)}",
            )
    return sampled


def _spaces(
    populations: Sequence[Population],
    stimuli: StimulusSet,
    tested: Mapping[str, Sequence[str]],
    sampled: Mapping[Kind, tuple[str, ...]],
    store: EmbeddingStore,
    jobs: int,
    progress: Progress,
) -> list[Space]:
    """Samples of the spaces of all networks, in their order."""
    subjects = subjects_of(populations)
    concept_of = stimuli.table["concept"].to_dict()
    kinds: dict[str, list[Kind]] = {
        name: [*(("word", language) for language in tested[name]), ("picture", "")]
        for name in tested
    }
    needed = {
        one: {
            wanted: [i for k in kinds[one.population.name] if k[0] == wanted for i in sampled[k]]
            for wanted in ("word", "picture")
        }
        for one in subjects
    }
    found: dict[str, Space] = {}
    for one, loaded, known in embed(needed, stimuli, store, jobs=jobs, progress=progress):
        perceives = must_perceive(one, loaded, "mevgs-toolkit list subjects")
        samples = tuple(
            Sample(
                *kind,
                sampled[kind],
                tuple(concept_of[name] for name in sampled[kind]),
                known.matrix(kind[0], sampled[kind]),
            )
            for kind in kinds[one.population.name]
        )
        # Words and pictures are compared below: a subject that cannot do that says so here.
        perceives.similarity(
            known.matrix("word", samples[0].ids[:1]), known.matrix("picture", samples[-1].ids[:1])
        )
        who = one.population.name, one.population.languages, one.seed
        found[one.name] = Space(*who, samples, one.views(stimuli).familiar)
    return [found[one.name] for one in subjects]


def _accuracy(runs: Sequence[Path], populations: Sequence[str], paradigms: Path | None) -> Accuracy:
    """Accuracy per network and word in runs that asked these populations.

    Raises:
        ToolkitError: if there is no such run, or none asked any of them.
    """
    counts = read_counts(runs)
    asked = sorted(set(counts["population"].astype(str)))
    if not set(asked) & set(populations):
        raise ToolkitError(
            f"{', '.join(map(str, runs))} asked none of these populations.",
            given=", ".join(populations),
            allowed=", ".join(asked),
            nearest=nearest_name(populations[0], asked),
        )
    headline = {
        name: {condition.name for condition in made.conditions if condition.headline}
        for name, made in find_paradigms(paradigms).items()
    }
    return read_accuracy(counts, headline)
