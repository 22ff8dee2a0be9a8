"""What comes back from children, what is known of them, and one's own pictures and recordings."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from tests.fuzz.bytes import Mutator
from tests.fuzz.media import picture_mutator, sound_mutator
from tests.fuzz.stimulus_files import _small_pictures, _small_sounds
from tests.fuzz.targets import Ready, target
from tests.fuzz.texts import csv_mutator, json_mutator

SPELLED = "concept,en\ncat,cat\ndog,dog\n"
LOOKED = "word_concept,distractor_concept,age_months,looking_share,child\n" + "".join(
    f"{word},car,{18 + number},0.{50 + number},kid{number}\n"
    for number, word in enumerate(("dog", "cat", "fish", "dog", "cat"))
)


def _answers(folder: Path, ending: str, mutate: Mutator) -> Ready:
    from tests.toolkit.children.sessions_of_children import Child
    from toolkit import import_responses

    Child(1).write(folder / "answers")
    file = Child(2).write(folder / "answers", ending)

    def read(path: Path) -> Any:
        return import_responses(path.parent).table

    return Ready(
        file, (file.read_bytes(),), mutate, read, lambda made: set(made["correct"]) <= {0, 1}
    )


@target(weight=25)
def answers_csv(folder: Path) -> Ready:
    return _answers(folder, "csv", csv_mutator)


@target(weight=25)
def answers_json(folder: Path) -> Ready:
    return _answers(folder, "json", json_mutator)


def _experiment(folder: Path, name: str, mutate: Mutator) -> Ready:
    from tests.toolkit.children.sessions_of_children import Child, write_experiment
    from toolkit import import_responses

    Child(1).write(folder / "answers")
    file = write_experiment(folder / "experiment") / name
    return Ready(
        file,
        (file.read_bytes(),),
        mutate,
        lambda path: import_responses(folder / "answers", experiment=path.parent).table,
    )


@target(weight=25)
def experiment_design(folder: Path) -> Ready:
    return _experiment(folder, "design.json", json_mutator)


@target(weight=10)
def experiment_lists(folder: Path) -> Ready:
    return _experiment(folder, "lists.csv", csv_mutator)


@target(weight=60)
def experiment_texts(folder: Path) -> Ready:
    from toolkit.children.exporting.words import GIVEN, read_texts

    own = folder / "texts" / "page.en.json"
    own.parent.mkdir(parents=True)
    shutil.copy(GIVEN / own.name, own)
    return Ready(
        own, (own.read_bytes(),), json_mutator, lambda path: read_texts("en", path.parents[1])
    )


@target(weight=25)
def metalab(folder: Path) -> Ready:
    from tests.toolkit.children.small_metalab import write_metalab
    from toolkit.children.reference.metalab import read_metalab
    from toolkit.statistics.children.curve import curve_of_studies

    file = write_metalab(folder / "mutual_exclusivity.csv")

    def read(path: Path) -> Any:
        return curve_of_studies(read_metalab(path).typical, "MetaLab")

    return Ready(file, (file.read_bytes(),), csv_mutator, read)


@target(weight=60)
def looking_shares(folder: Path) -> Ready:
    from toolkit.children.reference.looking import read_looking

    file = folder / "looking.csv"
    file.write_text(LOOKED, encoding="utf-8")
    return Ready(
        file,
        (file.read_bytes(),),
        csv_mutator,
        read_looking,
        lambda made: bool(made["looking_share"].between(0, 1).all()),
    )


def _material(folder: Path, name: str, originals: list[bytes], mutate: Mutator) -> Ready:
    """A folder for `make-set`, of which one file is replaced."""
    from stimuli import open_set
    from stimuli.making import make_set

    own = folder / "own"
    files = {
        "pictures/cat/a.png": _small_pictures()[0],
        "pictures/dog/a.png": _small_pictures()[0],
        "words/en/cat/a.wav": _small_sounds()[0],
        "words/en/dog/a.wav": _small_sounds()[0],
        "words.csv": SPELLED.encode(),
    }
    for place, content in files.items():
        (own / place).parent.mkdir(parents=True, exist_ok=True)
        (own / place).write_bytes(content)

    def read(_: Path) -> Any:
        shutil.rmtree(folder / "set", ignore_errors=True)
        try:
            make_set(own, folder / "set")
        finally:
            assert not (folder / "set").exists() or len(open_set(folder / "set").table)

    return Ready(own / name, tuple(originals), mutate, read)


@target(weight=10)
def own_picture(folder: Path) -> Ready:
    return _material(folder, "pictures/cat/a.png", _small_pictures(), picture_mutator)


@target(weight=10)
def own_recording(folder: Path) -> Ready:
    return _material(folder, "words/en/cat/a.wav", _small_sounds(), sound_mutator)


@target(weight=15)
def own_spellings(folder: Path) -> Ready:
    return _material(folder, "words.csv", [SPELLED.encode()], csv_mutator)
