"""Statistics of a run are kept while what they were made of is the same, and no longer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import toolkit
from paradigms import mutual_exclusivity
from stimuli.files import checksum_file, is_sound
from toolkit.api import kept, results
from toolkit.api.results import STATISTICS_FILE, Run, open_run
from toolkit.running.folder import write_json


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = toolkit.run_paradigm(
        "me", ["perfect/a", "perfect/b"], languages="en", trials_per_class=2, out=tmp_path / "runs"
    )
    made.analyse()
    made.report(n_trials=0)
    return made


@pytest.fixture
def made_again(monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """How often statistics were made since."""
    real, calls = results.analyse_folders, []

    def counted(*given: object) -> object:
        calls.append(given)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(results, "analyse_folders", counted)
    return lambda: len(calls)


def test_nothing_is_made_twice(run: Run, made_again: Callable[[], int]) -> None:
    before = (run.folder / STATISTICS_FILE).read_bytes()
    again = open_run(run.folder).analyse()
    assert made_again() == 0
    assert (run.folder / STATISTICS_FILE).read_bytes() == before
    (run.folder / STATISTICS_FILE).unlink()
    assert run.analyse() == again
    assert made_again() == 1
    assert (run.folder / STATISTICS_FILE).read_bytes() == before


@pytest.mark.parametrize("settings", [{"alpha": 0.01}, {"bound": 0.1}, {"n_bootstrap": 1},
                                      {"gate": ("familiar-novel", 0.9)}])  # fmt: skip
def test_other_settings(
    run: Run, made_again: Callable[[], int], settings: dict[str, object]
) -> None:
    made = run.analyse(**settings)  # type: ignore[arg-type]
    assert made_again() == 1
    told = made["me"]["settings"]
    name, value = next(iter(settings.items()))
    assert told[name] == value or told["gate"] == {"condition": "familiar-novel", "minimum": 0.9}
    assert run.analyse()["me"]["settings"] != told
    assert made_again() == 2


def _other_trials(folder: Path) -> None:
    other = toolkit.run_paradigm("me", "reversed/a", languages="en", trials_per_class=2,
                                 out=folder.parent / "others")  # fmt: skip
    for name in ("trials.parquet", "trials.parquet.sha256"):
        (other.folder / name).replace(folder / name)


def _other_manifest(folder: Path) -> None:
    told = json.loads((folder / "manifest.json").read_text())
    write_json(folder / "manifest.json", {**told, "trial_seed": 7})


def _cut_short(folder: Path) -> None:
    file = folder / STATISTICS_FILE
    file.write_bytes(file.read_bytes()[:-100])


def _of_another_shape(folder: Path) -> None:
    (folder / STATISTICS_FILE).write_text("[1]")


def _empty(folder: Path) -> None:
    (folder / STATISTICS_FILE).write_text("{}")


def _of_an_earlier_version(folder: Path) -> None:
    told = json.loads((folder / STATISTICS_FILE).read_text())
    del told["me"]["made_of"]
    (folder / STATISTICS_FILE).write_text(json.dumps(told))


@pytest.mark.parametrize(
    "change",
    [_other_trials, _other_manifest, _cut_short, _of_another_shape, _empty, _of_an_earlier_version],
)
def test_other_files(
    run: Run, made_again: Callable[[], int], change: Callable[[Path], None]
) -> None:
    change(run.folder)
    made = run.analyse()
    assert made_again() == 1
    assert json.loads((run.folder / STATISTICS_FILE).read_text()) == made
    run.analyse()
    assert made_again() == 1


def test_other_code(
    run: Run, made_again: Callable[[], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "package_version", lambda name: "0.0.1")
    run.analyse()
    assert made_again() == 1
    further = tmp_path / "code"
    further.mkdir()
    (further / "further.py").write_text("")
    monkeypatch.setattr(kept, "CODE", (*kept.CODE, further))
    run.analyse()
    assert made_again() == 2


def test_other_paradigm(tmp_path: Path, made_again: Callable[[], int]) -> None:
    folder = tmp_path / "paradigms"
    folder.mkdir()
    own = folder / "mine.py"
    source = Path(mutual_exclusivity.__file__).read_text().replace('"me"', '"mine"')
    own.write_text(source)
    run = toolkit.run_paradigm("mine", ["perfect/a"], languages="en", trials_per_class=2,
                               paradigms_dir=folder, out=tmp_path / "runs")  # fmt: skip
    run.analyse()
    run.analyse()
    assert made_again() == 1
    own.write_text(source.replace("Does the choice", "Does the other choice"))
    run.analyse()
    assert made_again() == 2


def test_statistics_that_are_saved_in_place_of_others_are_sound(run: Run) -> None:
    analysed = toolkit.analyse_runs([run], alpha=0.01)
    analysed.save(run.folder / STATISTICS_FILE)
    run.report(n_trials=0)
    assert is_sound(run.folder / STATISTICS_FILE)
    assert checksum_file(run.folder / STATISTICS_FILE).is_file()
