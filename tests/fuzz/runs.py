"""What a run has left behind: trials, cells, embeddings, manifest, summary, statistics, maps."""

from __future__ import annotations

import atexit
import functools
import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fuzz.bytes import Mutator, damaged
from tests.fuzz.stores import npy_mutator, npz_mutator, parquet_mutator
from tests.fuzz.targets import Ready, target
from tests.fuzz.texts import csv_mutator, json_mutator


@functools.cache
def _once(make: Callable[[Path], Path]) -> Path:
    """What several targets begin with, made once."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder)
    return make(folder)


def _copied(make: Callable[[Path], Path], folder: Path) -> Path:
    whole = _once(make)
    shutil.copytree(whole.parent, folder / whole.parent.name)
    return folder / whole.parent.name / whole.name


def _choices(folder: Path) -> Path:
    return _copied(_new_choices, folder)


def _maps(folder: Path) -> Path:
    return _copied(_new_maps, folder)


def _new_choices(folder: Path) -> Path:
    """A run of choices, analysed."""
    from stimuli import open_set
    from tests.conftest import LANGUAGES, tiny_rows, write_set
    from toolkit.api.running import run_paradigm

    sys.argv = ["mevgs-toolkit", "run-paradigm", "me"]
    stimuli = open_set(write_set(folder / "tiny", tiny_rows(), LANGUAGES)).folder
    done = run_paradigm("me", "random", stimuli=stimuli, trials_per_class=4, out=folder / "runs")
    done.analyse()
    return done.folder


def _new_maps(folder: Path) -> Path:
    """A run of maps, summed up."""
    from stimuli import open_set
    from tests.colours import population
    from tests.conftest import write_scenes
    from toolkit.api.running import run_paradigm

    sys.argv = ["mevgs-toolkit", "run-paradigm", "dense-grounding"]
    stimuli = open_set(write_scenes(folder / "scenes")).folder
    done = run_paradigm(
        "dense-grounding", population(seeds="ab"), stimuli=stimuli, out=folder / "runs"
    )
    done.analyse()
    return done.folder


def _file(path: Path, mutate: Mutator, read: Callable[[Path], Any], **more: Any) -> Ready:
    """A file of a run, written like that."""
    return Ready(path, (path.read_bytes(),), mutate, read, fits=True, **more)


@target(weight=200)
def manifest(folder: Path) -> Ready:
    from toolkit.statistics.saved import saved_manifest

    return _file(
        _choices(folder) / "manifest.json", json_mutator, lambda path: saved_manifest(path.parent)
    )


@target(weight=200)
def summary(folder: Path) -> Ready:
    from toolkit.statistics.saved import saved_summary

    return _file(
        _choices(folder) / "summary.json", json_mutator, lambda path: saved_summary(path.parent)
    )


@target(weight=120)
def statistics(folder: Path) -> Ready:
    from toolkit.statistics.saved import saved_results

    return _file(
        _choices(folder) / "statistics.json", json_mutator, lambda path: saved_results(path.parent)
    )


@target(weight=60)
def statistics_of_maps(folder: Path) -> Ready:
    from toolkit.statistics.saved import saved_results

    return _file(
        _maps(folder) / "statistics.json", json_mutator, lambda path: saved_results(path.parent)
    )


def _page(run: Path) -> str:
    from reports.page import Options, render

    page = render([run], Options(n_trials=1))
    assert "Traceback" not in page
    return page


@target(weight=1)
def report_of_manifest(folder: Path) -> Ready:
    run = _choices(folder)
    return _file(run / "manifest.json", json_mutator, lambda path: _page(path.parent))


@target(weight=1)
def report_of_statistics(folder: Path) -> Ready:
    return _file(
        _choices(folder) / "statistics.json", json_mutator, lambda path: _page(path.parent)
    )


@target(weight=1)
def report_of_summary(folder: Path) -> Ready:
    return _file(_choices(folder) / "summary.json", json_mutator, lambda path: _page(path.parent))


@target(weight=8)
def maps_manifest(folder: Path) -> Ready:
    """The manifest of a run of maps, analysed anew."""
    from toolkit.statistics.maps.data import read_grounding

    run = _maps(folder)
    return _file(
        run / "manifest.json", json_mutator, lambda path: len(read_grounding([path.parent]).table)
    )


@target(weight=60)
def power_fit(folder: Path) -> Ready:
    from toolkit.statistics.power.from_fit import _fits, model_from_fit

    file = _choices(folder) / "statistics.json"
    fits = dict(_fits(json.loads(file.read_bytes())))
    name = next(key for key, fit in fits.items() if len(fit["coefficients"]) > 1)
    return _file(file, json_mutator, lambda path: model_from_fit(path, name, seed_sd=0.4))


def _trials(folder: Path) -> Path:
    return _choices(folder) / "trials.parquet"


@target(weight=20)
def trials(folder: Path) -> Ready:
    """The table of a run, as the commands read it."""
    from toolkit.tables.kinds import kind_of
    from toolkit.tables.longtable import read_run

    def read(path: Path) -> Any:
        kind_of(path)
        return read_run(path)

    return _file(
        _trials(folder), parquet_mutator, read, sound=lambda made: set(made["correct"]) <= {0, 1}
    )


@target(weight=15)
def trials_whole(folder: Path) -> Ready:
    from toolkit.tables.trials import read_trials

    return _file(_trials(folder), parquet_mutator, read_trials)


@target(weight=12)
def trials_csv(folder: Path) -> Ready:
    """An exported table, which may have gone through a spreadsheet."""
    from toolkit.tables.longtable import read_run, read_whole

    table = folder / "trials.csv"
    read_whole(_trials(folder).parent).iloc[::7].to_csv(table, index=False)
    return Ready(table, (table.read_bytes(),), csv_mutator, read_run)


@target(weight=2)
def analysis(folder: Path) -> Ready:
    """Everything that `analyze` makes of a table."""
    from toolkit.statistics.analysis import analyse_runs

    return _file(_trials(folder), parquet_mutator, lambda path: list(analyse_runs([path])))


@target(weight=2)
def analysis_of_long(folder: Path) -> Ready:
    from tests.fuzz.stimulus_files import STUDY, WISHES
    from toolkit.statistics.analysis import analyse_runs
    from toolkit.statistics.imported.elsewhere import read_any, write_long

    (folder / "study.csv").write_text(
        STUDY.replace("NF", "novel-familiar").replace("NN", "novel-novel")
    )
    wishes = {
        **WISHES,
        "constants": WISHES["constants"]
        | {"paradigm": "me", "paradigm_version": "1", "n_languages": "1", "train_languages": "en"},
    }
    write_long(read_any(folder / "study.csv", **wishes), folder / "long.parquet")
    return _file(folder / "long.parquet", parquet_mutator, lambda path: list(analyse_runs([path])))


@target(weight=2)
def analysis_of_maps(folder: Path) -> Ready:
    from toolkit.statistics.analysis import analyse_runs

    return _file(
        _maps(folder) / "trials.parquet",
        parquet_mutator,
        lambda path: list(analyse_runs([path.parent])),
    )


@target(weight=1)
def report_of_table(folder: Path) -> Ready:
    return _file(_trials(folder), parquet_mutator, lambda path: _page(path.parent))


def _again(folder: Path, pattern: str, mutate: Mutator, *, checked: bool, maps: bool) -> Ready:
    """A file of a run, and the command that made it given again."""
    from paradigms.registry import get_paradigm
    from stimuli import open_set
    from tests.colours import population
    from tests.conftest import LANGUAGES, tiny_rows, write_scenes, write_set
    from toolkit.running.choices import run
    from toolkit.running.maps import run_maps
    from toolkit.subjects.populations import open_population

    sys.argv = ["mevgs-toolkit", "run-paradigm", "me"]
    root = folder / "runs"
    if maps:
        stimuli = open_set(write_scenes(folder / "scenes"))

        def make() -> Any:
            return run_maps(
                get_paradigm("dense-grounding"), [population(seeds="a")], stimuli, root=root
            )
    else:
        stimuli = open_set(write_set(folder / "tiny", tiny_rows(), LANGUAGES))
        who = open_population("hasher", _hasher(folder))

        def make() -> Any:
            return run(get_paradigm("me"), [who], stimuli, root=root, per_class=2)

    made = make().directory
    place = min(root.rglob(pattern))
    kept = root.with_name("kept")
    shutil.copytree(root, kept)

    def before() -> None:
        shutil.rmtree(root)
        shutil.copytree(kept, root)
        if place.parent.parent.name == "embeddings":
            for cell in made.root.glob("cells/*/*.parquet"):
                cell.unlink()

    def read(path: Path) -> Any:
        table: bytes = make().directory.trials_path.read_bytes()
        return table

    return Ready(
        place, (place.read_bytes(),), mutate, read,
        same=(lambda table: table) if checked else None, fits=not checked, before=before,
    )  # fmt: skip


def _hasher(folder: Path) -> Path:
    from tests.conftest import SUBJECT_CODE

    own = folder / "subjects" / "hasher"
    own.mkdir(parents=True)
    (own / "hasher_subject.py").write_text(SUBJECT_CODE)
    (own / "population.toml").write_text(
        'name = "hasher"\ndescription = "For tests."\nlanguages = ["en", "nl"]\n'
        'seeds = ["a"]\nfactory = "hasher_subject:load"\n'
    )
    return own.parent


@target(weight=3)
def cells(folder: Path) -> Ready:
    return _again(folder, "cells/*/*.parquet", damaged, checked=True, maps=False)


@target(weight=5)
def cells_without_checksum(folder: Path) -> Ready:
    return _again(folder, "cells/*/*.parquet", parquet_mutator, checked=False, maps=False)


@target(weight=3)
def embeddings(folder: Path) -> Ready:
    return _again(folder, "embeddings/*/*.npz", damaged, checked=True, maps=False)


@target(weight=6)
def embeddings_without_checksum(folder: Path) -> Ready:
    return _again(folder, "embeddings/*/*.npz", npz_mutator, checked=False, maps=False)


@target(weight=4)
def places_without_checksum(folder: Path) -> Ready:
    return _again(folder, "embeddings/*/*.npy", npy_mutator, checked=False, maps=True)


@target(weight=4)
def cells_of_maps_without_checksum(folder: Path) -> Ready:
    return _again(folder, "cells/*/*.npz", npz_mutator, checked=False, maps=True)


@target(weight=3)
def rerun_over_manifest(folder: Path) -> Ready:
    return _again(folder, "manifest.json", json_mutator, checked=True, maps=False)


@target(weight=30)
def maps_to_look_at(folder: Path) -> Ready:
    from reports.maps.sources import read_maps

    return _file(
        _maps(folder) / "maps.npz", npz_mutator, lambda path: len(read_maps([path.parent]).samples)
    )


@target(weight=30)
def agreement(folder: Path) -> Ready:
    from reports.maps.sources import read_maps

    return _file(
        _maps(folder) / "agreement.csv",
        csv_mutator,
        lambda path: len(read_maps([path.parent]).agreement),
    )


@target(weight=30)
def training_log(folder: Path) -> Ready:
    """The log beside networks, which a run copies."""
    from toolkit.running.folder import RunDirectory

    text = "seed,update,train_loss,valid_loss,valid_accuracy,kept\n"
    text += "a,0,nan,1.2,0.5,0\na,20,1.1,1,0.6,1\n"
    directory = RunDirectory(folder, "run")
    directory.folder.mkdir()
    return Ready(
        folder / "training.csv", (text.encode(),), csv_mutator,
        lambda path: directory.write_training_logs({"one": path}),
    )  # fmt: skip


@target(weight=6)
def checksums(folder: Path) -> Ready:
    """The checksum of a table is damaged: it is never taken for a sound one."""
    from toolkit.tables.longtable import read_run

    table = _trials(folder)
    beside = Path(f"{table}.sha256")
    return Ready(
        beside, (beside.read_bytes(),), damaged, lambda path: read_run(table),
        same=lambda made: len(made),
    )  # fmt: skip


@target(weight=6)
def checked_table(folder: Path) -> Ready:
    """No bit of a table that has its checksum beside it can be turned unnoticed."""
    from toolkit.tables.longtable import read_run

    table = _trials(folder)
    return Ready(
        table, (table.read_bytes(),), damaged, read_run,
        same=lambda made: made.to_csv(),
    )  # fmt: skip
