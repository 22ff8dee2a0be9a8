"""Arrays on a real SLURM of one node; skips where its packages are not installed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.slurm_node import Node, slurm_node, why_not
from tests.waiting import wait_until
from toolkit.errors import ToolkitError
from toolkit.processes.slurm import Taken, Work, in_queue, submit, taken

pytestmark = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
SIZE = 5
"""MaxArraySize."""


@pytest.fixture
def node(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Node]:
    folder = tmp_path / "slurm"
    folder.mkdir()
    with slurm_node(folder, SIZE) as made:
        monkeypatch.setenv("SLURM_CONF", made.environment["SLURM_CONF"])
        yield made


def work(folder: Path, script: str, **options: str) -> Work:
    logs = folder / "50% of logs"
    logs.mkdir(exist_ok=True)
    return Work("mevgs-words", ("bash", "-c", script, "task"), folder, logs, options)


def test_every_task_runs_once_with_its_own_number(node: Node, tmp_path: Path) -> None:
    assert taken().array_size == SIZE
    numbers = [0, 1, 4, 5, 6, 11]
    made = submit(work(tmp_path, 'echo "$1" >> "done-$1"; echo told'), numbers)
    assert (made.numbers, made.left, len(made.jobs)) == (tuple(numbers), (), 3)
    wait_until(lambda: not in_queue("mevgs-words"), lambda: node.ask("squeue"))
    assert {path.name: path.read_text() for path in tmp_path.glob("done-*")} == {
        f"done-{number}": f"{number}\n" for number in numbers
    }
    logs = list((tmp_path / "50% of logs").iterdir())
    assert [path.read_text() for path in logs] == ["told\n"] * len(numbers)


def test_what_was_cancelled_held_or_lost_its_controller_is_seen_in_the_queue(
    node: Node, tmp_path: Path
) -> None:
    waits = work(tmp_path, 'until [ -e go ]; do sleep .05; done; touch "done-$1"')
    waits = Work(waits.name, waits.command, waits.folder, waits.logs, {}, at_once=1)
    assert submit(waits, [0, 1, 2, 3]).left == ()
    wait_until(lambda: in_queue("mevgs-words")[0].state == "RUNNING")
    told = in_queue("mevgs-words")
    assert {told[number].state for number in (1, 2, 3)} == {"PENDING"}
    assert not any(task.needs_you for task in told.values())
    node.ask("scancel", told[1].job)
    node.ask("scontrol", "hold", told[2].job)
    wait_until(lambda: in_queue("mevgs-words")[2].needs_you)
    assert sorted(in_queue("mevgs-words")) == [0, 2, 3]
    node.stop_controller()
    with pytest.raises(ToolkitError, match="SLURM refused: squeue failed"):
        in_queue("mevgs-words")
    node.start_controller()
    wait_until(lambda: node.ask("scontrol", "ping").count("UP"))
    assert sorted(in_queue("mevgs-words")) == [0, 2, 3]
    (tmp_path / "go").touch()
    node.ask("scontrol", "release", told[2].job)
    wait_until(lambda: not in_queue("mevgs-words"), lambda: node.ask("squeue"))
    done = {path.name for path in tmp_path.glob("done-*")}
    assert done == {"done-0", "done-2", "done-3"}, "1 was cancelled: only its missing file tells"


def test_what_the_site_does_not_know_is_told_in_its_words(node: Node, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="sbatch failed") as caught:
        submit(work(tmp_path, "true", partition="gpuu"), [0])
    assert "partition" in str(caught.value.given)
    assert taken() == Taken(SIZE, 10_000)
