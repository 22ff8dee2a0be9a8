"""An experiment for children as a folder of files."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from stimuli.cells import csv_text
from stimuli.files import write_atomic
from toolkit.children.columns import SCHEMA, SESSION_COLUMNS, Column
from toolkit.children.exporting import lookit, psychopy
from toolkit.children.exporting.experiment import Choices, Experiment, Sending
from toolkit.children.exporting.media import credits_of, warnings_of
from toolkit.children.exporting.page import credits_page, page
from toolkit.children.exporting.readme import readme
from toolkit.children.exporting.words import FOLDER, Texts, read_texts
from toolkit.children.lists import COVERAGE, Asked, Lists, coverage, make_lists
from toolkit.errors import ToolkitError, quoted
from toolkit.provenance import package_version

if TYPE_CHECKING:
    from paradigms import BaseParadigm
    from stimuli import StimulusSet

DESIGN = "design.json"


@dataclass(frozen=True)
class Exported:
    """What was written."""

    folder: Path
    """The folder."""
    files: Mapping[str, int]
    """Bytes of every file by its name."""
    experiment: Experiment
    """What it was made of."""
    notes: tuple[str, ...]
    """What the user should know."""


def export_experiment(
    paradigm: BaseParadigm,
    stimuli: StimulusSet,
    out: Path,
    form: str,
    asked: Asked,
    choices: Choices | None = None,
) -> Exported:
    """Write an experiment for children: lists, design, texts, credits, and what runs it.

    Texts that lie in the folder already are used and kept; other files of an earlier export are
    replaced. Everything is made before anything is written.

    Args:
        paradigm: a test with two pictures a trial.
        stimuli: what is said and shown.
        out: folder to write.
        form: one of `FORMATS`.
        asked: what is wanted of the lists.
        choices: other choices of the user.

    Raises:
        ToolkitError: the paradigm or the set will not do, texts or jsPsych are missing, or the
            folder holds something else.
    """
    choices = choices or Choices()
    _check(form, out, asked, choices)
    lists = make_lists(paradigm, stimuli, asked)
    texts = read_texts(choices.text_language or asked.language, out)
    experiment = Experiment(
        stimuli,
        lists,
        _design(paradigm, stimuli, lists, asked, choices, texts),
        texts,
        choices,
        tuple(credits_of(stimuli, lists.stimulus_ids)),
    )
    files = _common(experiment, form) | FORMATS[form](experiment)
    _write(out, files)
    notes = (*lists.notes, *warnings_of(stimuli, lists.stimulus_ids))
    return Exported(out, {name: len(data) for name, data in files.items()}, experiment, notes)


def _check(form: str, out: Path, asked: Asked, choices: Choices) -> None:
    if choices.practice_needed > asked.n_practice:
        raise ToolkitError(
            "More practice trials must be right than there are.",
            given=f"{choices.practice_needed} of {asked.n_practice}",
            allowed=f"0 to {asked.n_practice}",
            next_command=f"the same command with --practice-right {asked.n_practice}",
        )
    if form != "jspsych" and (choices.jspsych or choices.sending != Sending()):
        raise ToolkitError(
            "Only a page of its own takes jsPsych along and sends answers: --jspsych and --send "
            "mean nothing to the other formats.",
            given=form,
            allowed="jspsych",
            next_command="the same command without these options, or with --format jspsych",
        )
    if not out.exists():
        return
    names = {one.name for one in out.iterdir()} if out.is_dir() else {"a file"}
    if names and DESIGN not in names and names != {FOLDER}:
        raise ToolkitError(
            f"{out} holds something else; nothing was written.",
            given=", ".join(sorted(names)[:5]),
            allowed="a new folder, or one that this command made",
            next_command=f"the same command with --out {quoted(out.with_name(f'{out.name}-2'))}",
        )


def _design(
    paradigm: BaseParadigm,
    stimuli: StimulusSet,
    lists: Lists,
    asked: Asked,
    choices: Choices,
    texts: Texts,
) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "toolkit_version": package_version("mevgs-toolkit") or "unknown",
        "paradigm": paradigm.name,
        "paradigm_version": paradigm.version,
        "stimuli": {
            "name": stimuli.name,
            "version": stimuli.version,
            "checksum": stimuli.checksum,
        },
        "test_language": asked.language,
        "trial_seed": asked.trial_seed,
        "trials_per_class": asked.per_class,
        "lists_checksum": hashlib.sha256(lists.csv().encode()).hexdigest(),
        "n_lists": len(lists.lists),
        "n_test": lists.n_test,
        "n_practice": len(lists.practice),
        "practice_needed": choices.practice_needed,
        "language": texts.language,
    }


def _common(experiment: Experiment, form: str) -> dict[str, bytes]:
    """Files that every format has."""
    lists = experiment.lists
    covered = coverage(lists, experiment.choices.n_children)
    made = {
        "README.md": readme(experiment, form),
        "CREDITS.html": credits_page(experiment),
        "lists.csv": lists.csv(),
        "coverage.csv": csv_text(
            [COVERAGE, *([row[name] for name in COVERAGE] for row in covered)]
        ),
        DESIGN: as_json(experiment.design),
        "dataset_description.json": as_json(described(experiment)),
    }
    return {name: text.encode() for name, text in made.items()} | experiment.texts.files


def _page(experiment: Experiment) -> dict[str, bytes]:
    return {"index.html": page(experiment).encode()}


FORMATS = {"jspsych": _page, "psychopy": psychopy.files, "lookit": lookit.files}
"""What makes the files that run an experiment, by the name of the format."""


def as_json(value: Any) -> str:
    """A value as the JSON of a file that people may read."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def described(experiment: Experiment) -> dict[str, Any]:
    """Metadata of the data that sessions leave, as Psych-DS wants them: every column is described.

    Source:
        Psych-DS, https://psych-ds.github.io: a schema.org Dataset with `variableMeasured`.
    """
    design = experiment.design
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": f"{design['paradigm']}, {design['test_language']}: answers of children",
        "description": (
            f"Answers of children to the paradigm {design['paradigm']} (version "
            f"{design['paradigm_version']}) of mevgs-toolkit {design['toolkit_version']}, words in "
            f"the language {design['test_language']}, stimulus set {design['stimuli']['name']} "
            f"{design['stimuli']['version']}. One row per trial."
        ),
        "variableMeasured": [_variable(column) for column in SESSION_COLUMNS],
    }


def _variable(column: Column) -> dict[str, Any]:
    told: dict[str, Any] = {
        "@type": "PropertyValue",
        "name": column.name,
        "description": column.meaning,
    }
    if column.unit:
        told["unitText"] = column.unit
    if column.lowest is not None:
        told["minValue"] = column.lowest
    if column.allowed:
        told["valueReference"] = list(column.allowed)
    return told


def _write(out: Path, files: Mapping[str, bytes]) -> None:
    for name, data in files.items():
        file = out / name
        file.parent.mkdir(parents=True, exist_ok=True)
        with write_atomic(file) as unfinished:
            unfinished.write_bytes(data)
