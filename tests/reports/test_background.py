"""The process that writes reports never outlives the one that asked for it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from reports.background import background_writer
from reports.page import Options
from tests.process_groups import next_line, started
from toolkit.errors import ToolkitError

CODE = """
import threading
from reports.background import background_writer

def work():
    print("is at work", flush=True)
    threading.Event().wait()

if __name__ == "__main__":
    with background_writer() as writer:
        writer._begin(work).result()
else:
    print("is loading", flush=True)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals to groups of processes")
@pytest.mark.parametrize("until", ["is loading", "is at work"])
def test_a_killed_run_leaves_no_writer_behind(tmp_path: Path, until: str) -> None:
    script = tmp_path / "script.py"
    script.write_text(CODE)
    with started([sys.executable, script]) as process:
        while next_line(process) != until:
            pass
        process.kill()
        process.communicate()  # comes back when the writer has ended, too


def test_faults_of_a_report_reach_the_one_who_asked_for_it(tmp_path: Path) -> None:
    with background_writer() as writer, pytest.raises(ToolkitError) as caught:
        writer.write(tmp_path / "none", tmp_path / "page.html", Options())
    assert caught.value.next_command
    assert "There is no run folder" in caught.value.message
