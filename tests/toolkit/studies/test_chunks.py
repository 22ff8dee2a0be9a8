"""A study cut into chunks: whoever does them, however often they are killed, all is the same."""

from __future__ import annotations

import json
import os
import random
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from stimuli.files import sha256_of
from tests.commands import Cli
from tests.fake_slurm import FakeSlurm, path_with
from tests.process_groups import started
from tests.stored import write_stored
from tests.toolkit.studies.test_study_run import write_whole_set
from tests.waiting import wait_until
from toolkit.errors import ToolkitError
from toolkit.processes.slurm import Task
from toolkit.studies import cluster
from toolkit.studies.attempts import MOST, attempt, attempts_file, attempts_in
from toolkit.studies.checks import read_study
from toolkit.studies.chunks import Kept, cells_of, cut, find_chunks, keep_chunks, read_chunks
from toolkit.studies.durations import FILE, Took
from toolkit.studies.elsewhere import chunks_of, hand_over_all, options_of, standing
from toolkit.studies.plan import Where, plan_study
from toolkit.studies.run import collect, run_study
from toolkit.studies.study import Study
from toolkit.studies.work import STOPPED, do_chunk

STUDY = """\
[study]
title = "A small study"
[[train]]
grid = "grid.toml"
[[ask]]
paradigm = "familiar"
subjects = ["monolingual-en", "subjects/hasher"]
languages = ["en"]
trials_per_class = 2
trial_seeds = [7, 8]
stimuli = "whole"
[[ask]]
paradigm = "me"
subjects = ["monolingual-en", "perfect"]
languages = ["en"]
trials_per_class = 2
stimuli = "whole"
[report]
gallery = 0
[executor.slurm]
partition = "debug"
time = "00:10:00"
"""
GRID = """\
stimuli = "whole"
[recipe]
word_views = 1
picture_views = 1
size = "xsm"
n_updates = 6
warmup_updates = 2
validate_every = 3
[grid]
languages = [["en"]]
seeds = "ab"
"""


@pytest.fixture
def study(tmp_path: Path, subjects_dir: Path) -> Study:
    path = tmp_path / "study.toml"
    write_whole_set(tmp_path / "whole")
    path.write_text(STUDY, encoding="utf-8")
    (tmp_path / "grid.toml").write_text(GRID, encoding="utf-8")
    return read_study(path)


@pytest.fixture
def where(study: Study) -> Where:
    return Where(study.results)


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", path_with(folder))
    return FakeSlurm(folder)


def tables(where: Where) -> Mapping[str, bytes]:
    found = [
        *where.runs.glob("*/trials.parquet"),
        *where.subjects.glob("monolingual-en/*.safetensors"),
    ]
    return {str(path.relative_to(where.out)): path.read_bytes() for path in found}


def numbers(kept: Kept, *, training: bool) -> list[int]:
    return [n for n, one in enumerate(kept.content.chunks) if bool(one.train) is training]


def test_chunks_done_by_others_give_the_same_to_the_byte(study: Study, where: Where) -> None:
    whole = Where(where.out.with_name("whole-results"))
    run_study(study, whole)
    kept = keep_chunks(plan_study(study, where))
    assert (len(numbers(kept, training=True)), len(kept.content.chunks)) == (1, 4)
    for number in numbers(kept, training=True):
        assert do_chunk(kept, number) == 0
    assert {path.name for path in where.subjects.iterdir()} == {"features", "unfinished"}
    plan = plan_study(study, where)
    cluster.make_populations(plan, cluster.ready_states(plan))
    for number in reversed(numbers(kept, training=False)):
        assert do_chunk(kept, number) == 0
    assert not list(where.runs.glob("*/manifest.json")), "manifests are for one process"
    assert not list(where.runs.glob("*/trials.parquet"))
    collect(study, where)
    made = tables(where)
    assert len(made) == 3 + 2
    assert made == tables(whole)


def test_a_chunk_stays_what_it_is_while_others_work_and_knows_what_is_done(
    study: Study, where: Where
) -> None:
    plan = plan_study(study, where)
    kept = keep_chunks(plan)
    found = cluster.standings(plan, kept, {}, [])
    assert [one.state for one in found] == ["missing", "later", "missing", "missing"]
    do_chunk(kept, 0)
    plan = plan_study(study, where)
    assert find_chunks(plan) == kept
    states = cluster.ready_states(plan)
    assert sorted(states) == ["monolingual-en/a", "monolingual-en/b"]
    assert cluster.standings(plan, kept, {}, states)[0].state == "done"
    assert do_chunk(kept, 0) == 0, "what is there is skipped"


@pytest.mark.parametrize(
    ("task", "state"),
    [
        (Task("7_0", "RUNNING", "None"), "running"),
        (Task("7_0", "COMPLETING", "None"), "running"),
        (Task("7_0", "PENDING", "Priority"), "waiting"),
        (Task("7_0", "PENDING", "JobHeldUser"), "needs you"),
    ],
)
def test_files_come_before_the_queue(study: Study, where: Where, task: Task, state: str) -> None:
    plan = plan_study(study, where)
    kept = keep_chunks(plan)
    asks = numbers(kept, training=False)[1:]
    found = cluster.standings(plan, kept, dict.fromkeys(asks, task), [])
    assert {found[number].state for number in asks} == {state}
    do_chunk(kept, asks[0])
    found = cluster.standings(plan_study(study, where), kept, dict.fromkeys(asks, task), [])
    assert [found[number].state for number in asks] == ["done", state]


def test_chunks_are_as_long_as_the_file_wants_once_something_was_measured(
    study: Study, where: Where
) -> None:
    measured = {
        "training": {"n": 1, "core_s": 800.0},
        "familiar": {"n": 2, "core_s": 600.0},
        "me": {"n": 1, "core_s": 100.0},
    }
    where.out.mkdir()
    write_stored(where.out / FILE, json.dumps(measured))
    chunks = cut(plan_study(study, where)).chunks
    assert [len(one.train[0].seeds) for one in chunks if one.train] == [1, 1]
    asked = [sorted({name for part in one.ask for name in part.subjects}) for one in chunks]
    assert asked[2:4] == [["monolingual-en/a"], ["monolingual-en/b"]], "700 s each, of 900"


def test_what_workers_measured_is_known_to_the_plan(study: Study, where: Where) -> None:
    kept = keep_chunks(plan_study(study, where))
    do_chunk(kept, 2)
    with attempts_file(kept.out, kept.name, 3).open("w", encoding="utf-8") as lines:
        lines.write('{"what": "ended", "took": {"me": {"n": 2, "core_s": 7200}, "x": 1}}\n')
        lines.write('{"what": "ended", "took": {"me": {"n": 3, "core_s": 7200.0}}}\n')
    plan = plan_study(study, where)
    assert plan.took["familiar"].n == 6
    assert plan.took["me"] == Took(3, 7200.0), "of a line that is none of ours nothing is known"
    assert plan.core_hours["me"] == pytest.approx(plan.missing["me"] * 2 / 3)


def test_a_subject_that_takes_too_long_is_cut_by_its_runs(study: Study, where: Where) -> None:
    where.out.mkdir()
    took = {"familiar": {"n": 1, "core_s": 600.0}, "me": {"n": 1, "core_s": 100.0}}
    write_stored(where.out / FILE, json.dumps(took))
    chunks = [one.ask for one in cut(plan_study(study, where)).chunks if one.ask]
    own = [[part.run for part in ask] for ask in chunks if "monolingual-en/a" in ask[0].subjects]
    assert own == [[0], [1, 2]], "600 s and 700 s, of 900"
    done = [(name, part.run) for ask in chunks for part in ask for name in part.subjects]
    assert len(done) == len(set(done)) == sum(len(r.cells) for r in plan_study(study, where).runs)


def test_what_is_handed_over_is_cut_anew_once_its_time_is_known(
    study: Study, where: Where, site: FakeSlurm
) -> None:
    first = hand_over_all(study, where, {})
    assert len(first.kept.content.chunks) == 4
    took = {"familiar": {"n": 1, "core_s": 900.0}, "me": {"n": 1, "core_s": 100.0}}
    write_stored(where.out / FILE, json.dumps(took))
    kept = hand_over_all(study, where, {}).kept
    assert kept == first.kept, "tasks in the queue know their numbers"
    site.change(tasks=[task for task in site["tasks"] if task[2] != "2"])
    again = hand_over_all(study, where, {})
    assert again.kept.content.chunks[:4] == first.kept.content.chunks
    assert again.kept.content.replaced == (2,)
    assert again.submitted is not None
    assert again.submitted.numbers == tuple(range(4, len(again.kept.content.chunks)))
    assert all(len(one.ask) == 1 for one in again.kept.content.chunks[4:]), "900 s each"
    for number in again.submitted.numbers:
        assert do_chunk(again.kept, number) == 0
    plan = plan_study(study, where)
    states = {one.number: one.state for one in cluster.standings(plan, again.kept, {}, [])}
    assert 2 not in states
    assert {states[number] for number in again.submitted.numbers} == {"done"}
    assert all(cell.done for cell in cells_of(plan, first.kept.content.chunks[2]))


def test_a_study_file_stands_for_its_list_whatever_the_device(
    study: Study, where: Where, cli: Cli
) -> None:
    kept = keep_chunks(plan_study(study, where))
    other = kept.file.with_name("0123456789ab.json")
    told = kept.file.read_text().replace('"device": "cpu"', '"device": "cuda"')
    kept.file.unlink()
    write_stored(other, told)
    assert chunks_of(study.path).content.device == "cuda"
    keep_chunks(plan_study(study, where))
    said = cli("work", str(study.path), "--chunk", "2")
    assert said.code == 2
    assert "(cpu, float32)" in said.err
    assert "(cuda, float32)" in said.err


def test_a_chunk_that_failed_three_times_is_told_and_not_handed_over_again(
    study: Study, where: Where, site: FakeSlurm, monkeypatch: pytest.MonkeyPatch, cli: Cli
) -> None:
    kept = keep_chunks(plan_study(study, where))

    def broken(*_: object) -> None:
        raise ToolkitError("The disk is on fire.")

    monkeypatch.setenv("SLURM_ARRAY_JOB_ID", "4711")
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "2")
    with monkeypatch.context() as patch:
        patch.setattr("toolkit.studies.work._ask", broken)
        for _ in range(MOST):
            with pytest.raises(ToolkitError, match="on fire"):
                do_chunk(kept, 2)
    now = hand_over_all(study, where, {})
    assert now.found[2].state == "failed"
    assert now.submitted is not None
    assert now.submitted.numbers == (0, 3)
    said = cli("run-study", str(study.path), "--status").out
    assert "Chunk 2 failed 3 times" in said
    assert "The disk is on fire." in said
    assert "4711_2.log" in said
    assert do_chunk(kept, 2) == 0, "after mending, by hand"
    plan = plan_study(study, where)
    assert cluster.standings(plan, kept, {}, [])[2].state == "done"


def test_attempts_that_were_killed_count_and_lines_cut_short_do_no_harm(tmp_path: Path) -> None:
    file = attempts_file(tmp_path, "list", 300)
    assert attempts_in(file).failed == 0
    for _ in range(2):
        with pytest.raises(KeyError), attempt(file):
            raise KeyError("x")
    file.write_text(file.read_text() + '{"what": "begun", "job": "1_2"}\n{"what": "beg')
    told = attempts_in(file)
    assert (told.failed, told.running, told.is_given_up) == (2, 1, True)
    with file.open("a") as lines:
        lines.write("\n")
    with attempt(file) as done:
        done.add("me", 3)
    told = attempts_in(file)
    assert (told.failed, told.running, told.is_given_up, told.took["me"].n) == (0, 0, False, 3)


def test_another_study_file_is_not_worked_on(study: Study, where: Where) -> None:
    kept = keep_chunks(plan_study(study, where))
    study.path.write_text(study.path.read_text().replace("[7, 8]", "[7, 9]"))
    with pytest.raises(ToolkitError, match="another one than the chunks were cut from"):
        do_chunk(kept, 0)
    changed = read_study(study.path)
    assert find_chunks(plan_study(changed, where)) is None
    assert keep_chunks(plan_study(changed, where)).name != kept.name


def test_results_and_file_move_together(study: Study, where: Where, tmp_path: Path) -> None:
    kept = keep_chunks(plan_study(study, where))
    there = tmp_path / "there"
    there.mkdir()
    for name in ("study.toml", "grid.toml", "whole", "subjects", "study-results"):
        (tmp_path / name).rename(there / name)
    moved = read_study(there / "study.toml")
    again = keep_chunks(plan_study(moved, Where(moved.results)))
    assert again.name == kept.name
    assert again.content.chunks == kept.content.chunks
    assert do_chunk(again, 2) == 0


@pytest.mark.parametrize("damage", [b"", b"{}", b'{"chunks": []}', b"\xff"])
def test_a_damaged_list_is_refused_by_workers_and_made_anew(
    study: Study, where: Where, damage: bytes
) -> None:
    kept = keep_chunks(plan_study(study, where))
    kept.file.write_bytes(damage)
    with pytest.raises(ToolkitError):
        read_chunks(kept.file)
    assert keep_chunks(plan_study(study, where)) == kept


def test_wrong_numbers_and_lists_are_told(study: Study, where: Where, cli: Cli) -> None:
    said = cli("work", str(study.path), "--chunk", "0")
    assert said.code == 2
    assert "--executor chunks" in said.err
    said = cli("run-study", str(study.path), "--executor", "chunks")
    assert f"run-study {study.path} --collect" in said.out
    other = cli("run-study", str(study.path), "--executor", "chunks", "--out", "other")
    assert f"run-study {study.path} --out other --collect" in other.out
    said = cli("work", str(study.path), "--chunk", "4")
    assert said.code == 2
    assert "allowed: 0 to 3" in said.err
    said = cli("work", str(where.out / "chunks" / "none.json"), "--chunk", "0")
    assert said.code == 2
    assert "There is no such list of chunks." in said.err


def test_options_for_slurm_go_with_slurm(study: Study, cli: Cli) -> None:
    said = cli("run-study", str(study.path), "--slurm", "partition=gpu")
    assert said.code == 2
    assert "go with --executor slurm" in said.err
    with pytest.raises(ToolkitError, match="every array has it"):
        options_of(["output=here"])


def test_a_dry_run_shows_scripts_and_touches_nothing(
    study: Study, where: Where, site: FakeSlurm, cli: Cli
) -> None:
    said = cli(
        "run-study", str(study.path), "--executor", "slurm", "--dry-run", "--slurm", "gres=gpu:1",
        "--slurm", "time=1:00:00",
    )  # fmt: skip
    assert said.code == 0, said.err
    for line in ("--array=0,2-3", "--partition=debug", "--gres=gpu:1", "--time=1:00:00"):
        assert f"#SBATCH {line}\n" in said.out
    assert "00:10:00" not in said.out, "what is typed stands before what the file says"
    assert not where.out.exists()
    assert [call[0] for call in site["calls"]] == ["scontrol"]


def test_what_is_in_the_queue_is_not_handed_over_twice(
    study: Study, where: Where, site: FakeSlurm
) -> None:
    first = hand_over_all(study, where, {})
    assert first.submitted is not None
    assert first.submitted.numbers == (0, 2, 3)
    again = hand_over_all(study, where, {})
    assert again.submitted is None
    assert [one.state for one in again.found] == ["waiting", "later", "waiting", "waiting"]
    site.change(tasks=[])
    do_chunk(first.kept, 0)
    do_chunk(first.kept, 3)
    third = hand_over_all(study, where, {})
    assert third.submitted is not None
    assert third.submitted.numbers == (1, 2), "its networks are trained now"


def test_a_study_whose_queue_cannot_be_asked_is_told_by_its_files(
    study: Study, where: Where, site: FakeSlurm
) -> None:
    kept = keep_chunks(plan_study(study, where))
    do_chunk(kept, 2)
    site.change(down=True)
    now = standing(plan_study(study, where))
    assert now is not None
    assert now.found[2].state == "done"
    assert "Unable to contact" in now.unasked
    with pytest.raises(ToolkitError, match="squeue failed"):
        hand_over_all(study, where, {})


STOPS = """
import os, signal, sys
from pathlib import Path
from toolkit.running.folder import RunDirectory
from toolkit.training import fit
from toolkit.training.checkpoint import Checkpoint

write, begin = RunDirectory.write_cell, fit.Training.begin

def written(*given):
    write(*given)
    os.kill(os.getpid(), signal.{name})

def begun(training):
    if training.update == 4:
        os.kill(os.getpid(), signal.{name})
    return begin(training)

RunDirectory.write_cell, fit.Training.begin = written, begun
from toolkit.cli import main
main()
"""
"""Told to end while the first cell is written, or at the fifth update."""


@pytest.mark.parametrize("name", ["SIGTERM", "SIGUSR1"])
@pytest.mark.parametrize("chunk", [0, 2])
def test_told_to_end_a_chunk_ends_after_the_cell_or_update_at_hand(
    study: Study, where: Where, name: str, chunk: int
) -> None:
    whole = Where(where.out.with_name("whole-results"))
    kept, other = (keep_chunks(plan_study(study, one)) for one in (where, whole))
    command = [sys.executable, "-c", STOPS.format(name=name), "work", str(kept.file)]
    with started([*command, "--chunk", str(chunk)]) as process:
        said, err = process.communicate()
    assert process.returncode == STOPPED, err
    assert "told to end" in said
    if chunk == 0:
        states = [*where.subjects.glob("unfinished/*.pt")]
        assert len(states) == 2
        import torch

        for state in states:
            found = torch.load(state, weights_only=True)["state"]
            assert found["update"] == 5, "the validation before was at 3"
    else:
        assert len(list(where.runs.glob("cells/*/*.parquet"))) == 1
    assert attempts_in(attempts_file(kept.out, kept.name, chunk)).failed == 0
    assert do_chunk(kept, chunk) == do_chunk(other, chunk) == 0
    for place in (where, whole):
        plan = plan_study(study, place)
        cluster.make_populations(plan, cluster.ready_states(plan))
    cells = [
        {path.name: path.read_bytes() for path in place.out.rglob("*.[ps]a*") if "/cells/" in
         str(path) or path.suffix == ".safetensors"}
        for place in (where, whole)
    ]  # fmt: skip
    assert cells[0] == cells[1]
    assert cells[0]


@pytest.mark.slow
def test_nothing_is_lost_when_workers_are_killed_at_random(
    study: Study, where: Where, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = Where(where.out.with_name("whole-results"))
    run_study(study, whole)
    kept, rng, killed = keep_chunks(plan_study(study, where)), random.Random(0), 0
    command = [sys.executable, "-c", "from toolkit.cli import main; main()", "work"]
    left = [0, 2, 3]
    while left:
        number = left[0]
        with started([*command, str(kept.file), "--chunk", str(number)]) as process:
            before = len(list(where.out.rglob("*")))
            if killed < 20 and rng.random() < 0.8:
                wait_until(
                    lambda before=before, process=process: (
                        len(list(where.out.rglob("*"))) > before + rng.randrange(9)
                        or process.poll() is not None
                    )
                )
                os.kill(process.pid, signal.SIGKILL)
                killed += 1
            process.communicate()
        if process.returncode == 0:
            left.remove(number)
            plan = plan_study(study, where)
            states = cluster.ready_states(plan)
            if states:
                cluster.make_populations(plan, states)
                left.append(1)
    collect(study, where)
    assert killed
    assert tables(where) == tables(whole)


def test_checksums_of_the_study_file_and_of_its_chunks_are_told(study: Study, where: Where) -> None:
    kept = keep_chunks(plan_study(study, where))
    assert kept.content.sha256 == sha256_of(study.path)
    told = json.loads(kept.file.read_text())
    assert told["sha256"] == kept.content.sha256
