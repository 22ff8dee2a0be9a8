"""One bit of any stored file is turned: it is made again where it can be, and refused where not."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paradigms.registry import get_paradigm
from reports.maps.sources import read_maps
from reports.sources import read_chapters
from stimuli import StimulusSet
from stimuli.files import CHECKSUM_SUFFIX, checksum_file, is_sound, write_checked
from tests.colours import population
from toolkit.api.results import open_run
from toolkit.api.running import run_paradigm
from toolkit.errors import ToolkitError, UncheckedWarning
from toolkit.running.choices import run
from toolkit.running.maps import run_maps
from toolkit.running.plan import Finished
from toolkit.running.score_all import score_all
from toolkit.statistics.analysis import analyse_runs
from toolkit.subjects.populations import open_population
from toolkit.tables.kinds import kind_of
from toolkit.tables.longtable import read_run, read_whole, write_long
from toolkit.tables.manifests import read_stored
from toolkit.tables.runs import manifest_of
from toolkit.tables.trials import read_trials

PLACES = 1
"""Bits turned in each file, one after the other."""
Ask = Callable[[Path], Finished]


def choices(tiny_set: StimulusSet, subjects_dir: Path, scenes_set: StimulusSet) -> Ask:
    hasher = open_population("hasher", subjects_dir)
    return lambda root: run(get_paradigm("me"), [hasher], tiny_set, root=root, per_class=4)


def triples(tiny_set: StimulusSet, subjects_dir: Path, scenes_set: StimulusSet) -> Ask:
    hasher = open_population("hasher", subjects_dir)
    return lambda root: score_all(get_paradigm("me"), [hasher], tiny_set, root=root)


def maps(tiny_set: StimulusSet, subjects_dir: Path, scenes_set: StimulusSet) -> Ask:
    return lambda root: run_maps(
        get_paradigm("dense-grounding"), [population(seeds="ab")], scenes_set, root=root
    )


@pytest.fixture(params=[choices, triples, maps])
def ask(
    request: pytest.FixtureRequest,
    tiny_set: StimulusSet,
    subjects_dir: Path,
    scenes_set: StimulusSet,
) -> Ask:
    made: Ask = request.param(tiny_set, subjects_dir, scenes_set)
    return made


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """The folder of all runs."""
    return tmp_path / "runs"


def stored(root: Path) -> list[Path]:
    """Every file whose checksum is kept beside it."""
    return sorted(
        path for path in root.rglob("*") if path.is_file() and checksum_file(path).is_file()
    )


def turn(path: Path, rng: np.random.Generator) -> None:
    """Turn one bit of a file."""
    content = bytearray(path.read_bytes())
    content[rng.integers(len(content))] ^= 1 << rng.integers(8)
    path.write_bytes(content)


def contents(root: Path) -> dict[str, bytes]:
    """All files that are not about when and how long."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file() and not path.name.startswith("manifest.json")
    }


def test_whatever_is_read_again_has_its_checksum_beside_it(ask: Ask, root: Path) -> None:
    ask(root)
    others = {
        path.name
        for path in root.rglob("*")
        if path.is_file() and path not in stored(root) and path.suffix != CHECKSUM_SUFFIX
    }
    assert not others
    for path in stored(root):
        digest, name = checksum_file(path).read_text().split()
        assert (len(digest), name) == (64, path.name)


def test_every_damaged_file_of_a_run_is_made_again_by_the_same_command(
    ask: Ask, root: Path
) -> None:
    """Embeddings are only looked at again where a cell is missing."""
    ask(root)
    before = contents(root)
    rng = np.random.default_rng(0)
    files = stored(root)
    assert len(files) > 3
    for path in files:
        for _ in range(PLACES):
            turn(path, rng)
            if path.parent.parent.name == "embeddings":
                for cell in root.glob("cells/*/*.parquet"):
                    cell.unlink()
            done = ask(root)
            assert contents(root) == before, path.name
            assert is_sound(done.directory.folder / "manifest.json"), path.name
            assert done.directory.read_manifest()["status"] == "complete", path.name
    for path in files:
        turn(checksum_file(path), rng)
    ask(root)
    # Embeddings made again hold what the cells needed that were made again.
    same = [name for name in before if not name.endswith(".sha256") and "embeddings" not in name]
    after = contents(root)
    assert {name: after[name] for name in same} == {name: before[name] for name in same}


def readers(folder: Path) -> Iterator[Callable[[], Any]]:
    """Whatever reads the table of a run."""
    yield lambda: read_trials(folder / "trials.parquet")
    yield lambda: read_run(folder)
    yield lambda: read_whole(folder)
    yield lambda: kind_of(folder)
    yield lambda: analyse_runs([folder])
    yield lambda: read_chapters([folder], 3)


@pytest.mark.parametrize("kind", [choices, maps])
def test_a_damaged_table_is_refused_by_all_who_read_it_with_the_command_that_mends_it(
    kind: Callable[..., Ask],
    tiny_set: StimulusSet,
    subjects_dir: Path,
    scenes_set: StimulusSet,
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.argv", ["mevgs-toolkit", "run-paradigm", "me", "--out", "my runs"])
    done = kind(tiny_set, subjects_dir, scenes_set)(root)
    done.directory.write_json(
        "summary.json",
        {"paradigm": "me", "paradigm_version": 1, "question": "", "results": []},
    )
    turn(done.directory.trials_path, np.random.default_rng(1))
    for read in readers(done.directory.folder):
        with pytest.raises(ToolkitError, match=r"trials\.parquet is damaged") as caught:
            read()
        assert caught.value.next_command == "mevgs-toolkit run-paradigm me --out 'my runs'"


@pytest.mark.parametrize("name", ["agreement.csv", "maps.npz"])
def test_damaged_maps_are_refused(name: str, scenes_set: StimulusSet, root: Path) -> None:
    done = maps(scenes_set, root, scenes_set)(root)
    turn(done.directory.folder / name, np.random.default_rng(2))
    with pytest.raises(ToolkitError, match=f"{name} is damaged"):
        read_maps([done.directory.folder])


def test_runs_of_versions_that_kept_no_checksums_are_read_and_told_and_made_anew(
    ask: Ask, root: Path
) -> None:
    first = ask(root)
    folder = first.directory.folder
    before = contents(root)
    for path in stored(root):
        checksum_file(path).unlink()
    told = json.loads((folder / "manifest.json").read_text("utf-8"))
    del told["checksums"]
    (folder / "manifest.json").write_text(json.dumps(told), "utf-8")
    with pytest.warns(UncheckedWarning, match="kept no checksums"):
        assert read_stored(min(folder.glob("*.parquet")))
    again = ask(root)
    assert (again.n_computed, again.n_reused) == (first.n_computed, 0)
    assert contents(root) == before
    assert read_stored(min(folder.glob("*.parquet")))


def test_a_file_that_has_lost_its_checksum_is_made_again_and_refused_by_readers(
    ask: Ask, root: Path
) -> None:
    done = ask(root)
    before = contents(root)
    lost = [path for path in stored(root) if path.parent.parent.name != "embeddings"]
    assert len(lost) > 3
    for path in lost:
        checksum_file(path).unlink()
        if path.parent == done.directory.folder:
            with pytest.raises(ToolkitError, match=r"lost its checksum"):
                read_stored(path)
        ask(root)
        assert checksum_file(path).is_file()
    assert contents(root) == before


def test_a_damaged_manifest_is_no_manifest_that_is_not_there(
    tiny_set: StimulusSet, subjects_dir: Path, root: Path
) -> None:
    """What it says of trial lists and sets decides what may be analysed together."""
    done = choices(tiny_set, subjects_dir, tiny_set)(root)
    turn(done.directory.folder / "manifest.json", np.random.default_rng(4))
    for read in (manifest_of, open_run, lambda folder: analyse_runs([folder])):
        with pytest.raises(ToolkitError, match=r"manifest\.json is damaged"):
            read(done.directory.folder)


def test_a_kill_while_a_file_is_replaced_leaves_a_file_that_is_sound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its new checksum is there before it is, and tells of the old one until then."""
    path, rename = tmp_path / "log.csv", Path.replace

    def write(text: str) -> None:
        with write_checked(path) as unfinished:
            unfinished.write_text(text)

    def stop(self: Path, target: Path) -> Path:
        if Path(target) == path:
            raise KeyboardInterrupt
        return rename(self, target)

    write("first")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        with pytest.raises(KeyboardInterrupt):
            write("second")
    assert path.read_text() == "first"
    assert is_sound(path)
    write("second")
    assert is_sound(path)
    path.write_text("first")
    assert not is_sound(path)


def test_damaged_statistics_are_made_again_and_a_damaged_summary_is_refused(
    tiny_set: StimulusSet, root: Path
) -> None:
    asked: dict[str, Any] = {"stimuli": tiny_set.folder, "trials_per_class": 4, "out": root}
    done = run_paradigm("me", "random", **asked)
    made = done.analyse()
    path = done.folder / "statistics.json"
    whole = path.read_bytes()
    assert done.analyse() == made
    path.write_bytes(whole.replace(b"0.0", b"0.1", 1))
    done.analyse()
    assert path.read_bytes() == whole
    path = done.folder / "summary.json"
    path.write_bytes(path.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(ToolkitError, match=r"summary\.json is damaged"):
        _ = open_run(done.folder).summary
    run_paradigm("me", "random", **asked)
    assert open_run(done.folder).summary["results"]


@pytest.mark.parametrize("kind", [choices, triples])
@pytest.mark.parametrize("change", ["name", "type", "no table"])
def test_a_cell_that_is_as_written_and_is_none_is_told_by_its_name(
    kind: Callable[..., Ask],
    change: str,
    tiny_set: StimulusSet,
    subjects_dir: Path,
    scenes_set: StimulusSet,
    root: Path,
) -> None:
    make = kind(tiny_set, subjects_dir, scenes_set)
    folder = make(root).directory.folder
    (folder / "manifest.json").unlink()
    cell = min((folder.parent / "cells").glob("*/*.parquet"))
    table = pd.read_parquet(cell)
    last = str(table.columns[-1])
    with write_checked(cell) as unfinished:
        if change == "name":
            table.rename(columns={last: f"{last}x"}).to_parquet(unfinished)
        elif change == "type":
            table.assign(**{last: "text"}).to_parquet(unfinished)
        else:
            unfinished.write_bytes(b"PAR1")
    if (kind, change) == (triples, "type"):
        return  # counts are whatever the table says
    with pytest.raises(ToolkitError, match=f"The stored cell .*{cell.stem}") as caught:
        make(root)
    assert str(caught.value.next_command).startswith("rm ")


def test_an_imported_table_is_checked_where_its_checksum_lies_beside_it(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    done = choices(tiny_set, subjects_dir, tiny_set)(tmp_path / "runs")
    table = read_run(done.directory.folder)
    write_long(table, tmp_path / "long.parquet")
    shutil.copy(tmp_path / "long.parquet", tmp_path / "copy.parquet")
    assert read_run(tmp_path / "copy.parquet").equals(read_run(tmp_path / "long.parquet"))
    turn(tmp_path / "long.parquet", np.random.default_rng(3))
    with pytest.raises(ToolkitError, match=r"long\.parquet is damaged"):
        read_run(tmp_path / "long.parquet")


def test_a_kill_between_the_last_table_and_the_manifest_is_made_good(ask: Ask, root: Path) -> None:
    done = ask(root)
    path = done.directory.folder / "manifest.json"
    whole = json.loads(path.read_text(encoding="utf-8"))
    left = {key: value for key, value in whole.items() if key not in ("ended", "energy")}
    done.directory.write_json("manifest.json", left | {"status": "running"})
    again = ask(root)
    assert again.n_computed == 0
    told = json.loads(path.read_text(encoding="utf-8"))
    assert told["status"] == "complete"
    assert set(told) >= set(whole) - {"energy"}
