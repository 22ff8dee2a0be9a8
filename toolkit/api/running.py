"""Runs that are asked for in Python, and by ``run-paradigm``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from stimuli import StimulusSet
from stimuli.limits import JOBS, TRIALS_PER_CLASS
from toolkit.api.checks import as_named, optional, several, shown_set, silent, whole
from toolkit.api.results import Run
from toolkit.devices import CPU, Device, find_device
from toolkit.errors import ToolkitError
from toolkit.running.embedding import Progress
from toolkit.running.kinds import RUNNING
from toolkit.running.plan import DEFAULT_ROOT
from toolkit.statistics.saved import SUMMARY_FILE
from toolkit.statistics.summary import summarise
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_populations

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from toolkit.running.plan import Prepared


def run_paradigm(
    paradigm: str | BaseParadigm,
    subjects: str | Population | Sequence[str | Population],
    *,
    languages: str | Sequence[str] = (),
    stimuli: str | Path | StimulusSet | None = None,
    words: str | Path | None = None,
    templates: str | Sequence[str] = (),
    trials_per_class: int | None = None,
    trial_seed: int | None = None,
    out: str | Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: str = "cpu",
    precision: str = "float32",
    subjects_dir: str | Path | None = None,
    features_dir: str | Path | None = None,
    paradigms_dir: str | Path | None = None,
    progress: Progress = silent,
) -> Run:
    """Put a paradigm to populations of subjects, doing only what is not stored yet.

    Args:
        paradigm: its name, e.g. ``me``, or what `open_paradigm` gave.
        subjects: names of populations, e.g. ``bilingual-en-nl`` or ``bilingual-en-nl/c``, see
            `open_population`; a `Population` made in code is taken as it is.
        languages: test languages; by default those that each population knows.
        stimuli: a set, its name or its folder; by default the paradigm's own, or that which the
            populations say.
        words: list of written words instead of the set's own, for paradigms of maps.
        templates: how written words are put, for paradigms of maps.
        trials_per_class: trials per word class and condition (50), for paradigms of choices.
        trial_seed: seed of the trial lists (0), for paradigms of choices.
        out: folder that holds the runs.
        jobs: seeds, or chunks of pictures, worked on at the same time.
        device: where networks compute: ``cpu``, ``cuda``, ``cuda:N``, ``mps`` or ``auto``, see
            `toolkit.devices`; numbers of each kind of device are kept apart.
        precision: how a card computes: ``float32``, ``tf32`` or ``bf16``.
        subjects_dir: folder with population folders of your own.
        features_dir: folder of files of features, of ``extract-features``, that stand in the place
            of frozen backbones.
        paradigms_dir: folder with paradigm files of your own.
        progress: called with what is being done, how much of it is done, and how much there is.

    Raises:
        ToolkitError: a name is unknown (the nearest is shown), an option means nothing to the
            paradigm, or stimuli or subjects break their contract.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     run = run_paradigm("familiar", "perfect/a", languages="en", out=folder)
        ...     float(run.trials["correct"].mean())
        1.0
    """
    start = prepare_run(
        paradigm,
        subjects,
        languages=languages,
        stimuli=stimuli,
        words=words,
        templates=templates,
        trials_per_class=trials_per_class,
        trial_seed=trial_seed,
        out=out,
        jobs=jobs,
        device=device,
        precision=precision,
        subjects_dir=subjects_dir,
        features_dir=features_dir,
        paradigms_dir=paradigms_dir,
    )
    return start(progress)


def prepare_run(
    paradigm: str | BaseParadigm,
    subjects: str | Population | Sequence[str | Population],
    *,
    languages: str | Sequence[str] = (),
    stimuli: str | Path | StimulusSet | None = None,
    words: str | Path | None = None,
    templates: str | Sequence[str] = (),
    trials_per_class: int | None = None,
    trial_seed: int | None = None,
    out: str | Path = DEFAULT_ROOT,
    jobs: int = 1,
    device: str = "cpu",
    precision: str = "float32",
    subjects_dir: str | Path | None = None,
    features_dir: str | Path | None = None,
    paradigms_dir: str | Path | None = None,
) -> PreparedRun:
    """Open all that `run_paradigm` needs, so that what cannot be had is told before anything runs.

    Args:
        paradigm: as for `run_paradigm`, and so are all others.
        subjects: who is asked.
        languages: test languages.
        stimuli: a set.
        words: list of written words.
        templates: how written words are put.
        trials_per_class: trials per word class and condition.
        trial_seed: seed of the trial lists.
        out: folder that holds the runs.
        jobs: how much is worked on at the same time.
        device: where networks compute.
        precision: how a card computes.
        subjects_dir: folder with population folders.
        features_dir: folder of files of features.
        paradigms_dir: folder with paradigm files.

    Returns:
        What makes the run, called with what shows its progress.
    """
    own = optional(paradigms_dir)
    asked = as_named(paradigm, own)
    populations = open_populations(several(subjects), subjects_dir, features_dir)
    shown = shown_set(stimuli, populations, asked.default_set, optional(words))
    prepare = _prepare(asked, words, several(templates), trials_per_class, trial_seed)
    made = prepare(
        populations,
        shown,
        languages=several(languages),
        root=Path(out),
        jobs=whole("jobs", jobs, 1, JOBS),
        device=find_device(device, precision),
    )
    return PreparedRun(made, asked, own)


def prepare_opened(
    paradigm: BaseParadigm,
    populations: Sequence[Population],
    stimuli: StimulusSet,
    *,
    out: Path,
    study: str,
    languages: Sequence[str] = (),
    templates: Sequence[str] = (),
    trials_per_class: int | None = None,
    trial_seed: int | None = None,
    jobs: int = 1,
    device: Device = CPU,
    paradigms_dir: Path | None = None,
) -> PreparedRun:
    """As `prepare_run`, where all was opened already: a study asks the same subjects many times.

    Args:
        paradigm: what `open_paradigm` gave.
        populations: what `open_populations` gave; `shown_set` has looked at them.
        stimuli: the set.
        out: folder that holds the runs.
        study: SHA-256 of the study file that asks for the run, for its manifest.
        languages: test languages.
        templates: how written words are put.
        trials_per_class: trials per word class and condition.
        trial_seed: seed of the trial lists.
        jobs: how much is worked on at the same time.
        device: where networks compute.
        paradigms_dir: folder with paradigm files of one's own.
    """
    prepare = _prepare(paradigm, None, templates, trials_per_class, trial_seed)
    made = prepare(populations, stimuli, languages=languages, root=out, jobs=jobs, device=device)
    plan = replace(made.plan, study=study)
    return PreparedRun(replace(made, plan=plan), paradigm, paradigms_dir)


@dataclass(frozen=True, eq=False)
class PreparedRun:
    """A run of which all that it needs was found; called with what shows progress, it is made."""

    prepared: Prepared
    """What it consists of, and what is missing."""
    paradigm: BaseParadigm
    """The test."""
    paradigms_dir: Path | None = None
    """Folder with paradigms of one's own."""

    def __call__(self, progress: Progress = silent) -> Run:
        """Do what is missing, and summarise it."""
        made = self.prepared.carry_out(progress)
        made.directory.write_json(SUMMARY_FILE, summarise(made, self.paradigm))
        return Run(
            made.directory.folder,
            self.paradigms_dir,
            n_computed=made.n_computed,
            n_reused=made.n_reused,
            duration_s=made.duration_s,
        )


def _prepare(
    asked: BaseParadigm,
    words: str | Path | None,
    templates: Sequence[str],
    trials_per_class: int | None,
    trial_seed: int | None,
) -> Callable[..., Prepared]:
    """What plans a paradigm's run, with the options that its kind knows; others are refused."""
    if trials_per_class is not None:
        whole("trials_per_class", trials_per_class, 1, TRIALS_PER_CLASS)
    if trial_seed is not None:
        whole("trial_seed", trial_seed, 0)
    given = {
        "trials_per_class": trials_per_class,
        "trial_seed": trial_seed,
        "template": templates or None,
        "words": words,
    }
    own = RUNNING[asked.kind]
    others = {name: value for name, value in given.items() if name not in own.options}
    _refuse(others, own.others, asked.name)
    chosen = {
        argument: given[name]
        for name, argument in own.options.items()
        if argument and given[name] is not None
    }
    return partial(own.prepare, asked, **chosen)


def _refuse(options: Mapping[str, object], why: str, paradigm: str) -> None:
    """Refuse options that mean nothing to a paradigm, rather than leave them unheard."""
    for option, value in options.items():
        if value is not None:
            written = f"--{option.replace('_', '-')}"
            raise ToolkitError(
                f"{written} means nothing here: {why} {paradigm!r}.",
                given=f"{written} {value}",
                allowed=f"the same without {written}",
                next_command="mevgs-toolkit list paradigms",
            )
