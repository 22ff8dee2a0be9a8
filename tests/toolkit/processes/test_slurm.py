"""Arrays for SLURM: what is handed over, what a site takes, what the queue says.

A queue that runs nothing stands for SLURM here; see also `test_slurm_node.py`.
"""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.fake_slurm import FakeSlurm, path_with
from toolkit.errors import ToolkitError
from toolkit.processes import slurm
from toolkit.processes.slurm import Task, Work, check_options, in_queue, ranges, submit, taken


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", path_with(folder))
    return FakeSlurm(folder)


def work(**options: str) -> Work:
    return Work("mevgs-words", ("do", "it", "--chunk"), Path("/w"), Path("/w/logs"), options, 50)


def test_a_script_says_all_and_takes_the_place_of_its_shell() -> None:
    (array,) = work(partition="gpu", comment="two words", exclusive="").arrays([3, 4, 7], 1001)
    assert array.script.splitlines() == [
        "#!/bin/bash",
        "#SBATCH --array=3-4,7%50",
        "#SBATCH --job-name=mevgs-words.0",
        "#SBATCH --chdir=/w",
        "#SBATCH --output=/w/logs/%A_%a.log",
        "#SBATCH --open-mode=append",
        "#SBATCH --requeue",
        "#SBATCH --signal=B:USR1@60",
        "#SBATCH --partition=gpu",
        '#SBATCH --comment="two words"',
        "#SBATCH --exclusive",
        "export OMP_NUM_THREADS=${SLURM_CPUS_PER_TASK:-1}",
        "exec do it --chunk $((SLURM_ARRAY_TASK_ID + 0))",
    ]


def test_folders_with_blanks_and_percent_signs_come_through() -> None:
    odd = Path("/my study/50%")
    one = Work("words", ("do it", "a'b"), odd, odd, {}).array(2000, [2001])
    assert '#SBATCH --chdir="/my study/50%"' in one.script
    assert '#SBATCH --output="/my study/50%%/%A_%a.log"' in one.script
    shell = one.script.splitlines()[-1].replace("exec ", "printf '<%s>' ")
    told = subprocess.run(
        ["bash", "-c", shell], env={"SLURM_ARRAY_TASK_ID": "1"}, capture_output=True, check=True
    ).stdout
    assert told == b"<do it><a'b><2001>"


@pytest.mark.parametrize(
    "option", ["array=1-3", "output=x", "Partition=gpu", "--time=1", "comment=a\nb", 'gres="x"',
               "comment=$HOME", "job-name=x", "=x", "comment=\\"]
)  # fmt: skip
def test_options_that_would_be_taken_for_something_else_are_refused(option: str) -> None:
    name, _, value = option.partition("=")
    with pytest.raises(ToolkitError) as caught:
        check_options({name: value})
    assert caught.value.given == option
    assert caught.value.allowed


@pytest.mark.parametrize("numbers", [[], [4], [0, 1], [0, 2], [1, 2, 3, 9, 10, 12]])
def test_ranges_are_the_numbers(numbers: list[int]) -> None:
    found: list[int] = []
    for part in filter(None, ranges(numbers).split(",")):
        low, _, high = part.partition("-")
        found += range(int(low), int(high or low) + 1)
    assert found == numbers


def test_more_tasks_than_an_array_may_have_become_several(site: FakeSlurm) -> None:
    site.change(array_size=100)
    numbers = [*range(150), 199, 200, 777]
    made = submit(work(), numbers)
    assert (list(made.numbers), made.left, len(made.jobs)) == (numbers, (), 4)
    assert sorted(in_queue("mevgs-words")) == numbers
    assert made.n_calls == 2 + 4
    assert len(site["calls"]) == made.n_calls + 1


def test_no_more_are_handed_over_than_the_controller_holds(site: FakeSlurm) -> None:
    others = [["others", "7", str(i), "RUNNING", "None"] for i in range(400)]
    site.change(jobs=1000, tasks=others)
    made = submit(work(), range(5000))
    assert len(made.numbers) == 599
    assert list(made.left) == [*range(599, 5000)]
    assert made.why == "the queue is full"
    assert submit(work(), made.left).numbers == ()


def test_no_more_are_handed_over_than_an_account_may(site: FakeSlurm) -> None:
    site.change(own=300)
    made = submit(work(), range(2000))
    assert made.numbers == tuple(range(250)), "1,001, 500 and 250 are tried"
    assert "AssocMaxSubmitJobLimit" in made.why
    assert sorted(in_queue("mevgs-words")) == [*range(250)]
    assert made.n_calls == 2 + 3
    again = submit(work(), made.left)
    assert len(again.numbers) > 0
    assert not {*again.numbers} & {*made.numbers}


def test_a_hundred_thousand_tasks_pass_through_a_small_queue_once_each(site: FakeSlurm) -> None:
    site.change(array_size=1001, jobs=10_000, own=25_000)
    left, seen, calls = list(range(100_000)), list[int](), 0
    while left:
        made = submit(work(), left)
        calls += made.n_calls
        seen += made.numbers
        assert made.numbers, "nothing is in the queue, so some must fit"
        left = list(made.left)
        site.change(tasks=[], calls=[], scripts=[])
    assert seen == list(range(100_000))
    assert calls < 250


@pytest.mark.parametrize(
    ("refusal", "told"),
    [
        ("invalid partition specified: gpuu", "gpuu"),
        ("Invalid account or account/partition", "account"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "time limit"),
        (
            "QOSMaxWallDurationPerJobLimit\nJob violates accounting/QOS policy (job submit limit, "
            "user's size and/or time limits)",
            "WallDuration",
        ),
    ],
)
def test_what_waiting_does_not_mend_is_told_as_sbatch_says_it(
    site: FakeSlurm, refusal: str, told: str
) -> None:
    site.change(refuses=refusal)
    with pytest.raises(ToolkitError, match="sbatch failed") as caught:
        submit(work(), [0, 1])
    assert told in str(caught.value.given)


def test_a_controller_that_is_away_is_told(site: FakeSlurm) -> None:
    site.change(down=True)
    with pytest.raises(ToolkitError, match="SLURM refused: squeue failed") as caught:
        in_queue("mevgs-words")
    assert "Unable to contact slurm controller" in str(caught.value)
    assert caught.value.next_command == "scontrol ping"


def test_a_machine_without_slurm_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolkitError, match="There is no SLURM here"):
        taken()


def test_only_ones_own_tasks_of_the_name_are_found(site: FakeSlurm) -> None:
    site.change(tasks=[
        ["mevgs-words.0", "1", "4", "RUNNING", "None"],
        ["mevgs-words.1001", "2", "4", "PENDING", "Priority"],
        ["mevgs-words-2.0", "3", "5", "PENDING", "Priority"],
        ["mevgs-words", "4", "6", "PENDING", "Priority"],
        ["others", "5", "7", "PENDING", "Priority"],
        ["interactive", "6", "N/A", "RUNNING", "None"],
    ])  # fmt: skip
    assert in_queue("mevgs-words") == {
        4: Task("1_4", "RUNNING", "None"),
        1005: Task("2_4", "PENDING", "Priority"),
    }


@pytest.mark.parametrize(
    ("state", "reason", "needs_you"),
    [
        ("RUNNING", "None", False),
        ("PENDING", "Priority", False),
        ("PENDING", "BeginTime", False),
        ("PENDING", "JobArrayTaskLimit", False),
        ("PENDING", "QOSMaxJobsPerUserLimit", False),
        ("PENDING", "AssocGrpCpuLimit", False),
        ("PENDING", "QOSMaxCpuPerUserLimit", False),
        ("PENDING", "JobHeldUser", True),
        ("PENDING", "JobHeldAdmin", True),
        ("PENDING", "DependencyNeverSatisfied", True),
        ("PENDING", "PartitionTimeLimit", True),
        ("PENDING", "QOSMaxWallDurationPerJobLimit", True),
        ("PENDING", "QOSMaxCpuPerJobLimit", True),
        ("PENDING", "launch failed requeued held", True),
        ("PENDING", "InvalidAccount", True),
        ("PENDING", "PartitionDown", True),
        ("REQUEUE_HOLD", "None", True),
        ("SPECIAL_EXIT", "None", True),
    ],
)
def test_what_will_not_begin_by_itself_needs_somebody(
    state: str, reason: str, needs_you: bool
) -> None:
    assert Task("1_1", state, reason).needs_you is needs_you


def test_a_program_that_does_not_answer_is_told(
    site: FakeSlurm, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(command: object, **_: object) -> None:
        raise subprocess.TimeoutExpired(str(command), slurm.PATIENCE_S)

    monkeypatch.setattr(subprocess, "run", never)
    with pytest.raises(ToolkitError, match="did not answer"):
        taken()
