"""The process that writes reports never outlives the one that asked for it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from reports.background import background_writer
from reports.page import Options
from toolkit.errors import ToolkitError

CODE = """
import multiprocessing, time
from reports.background import background_writer
if __name__ == "__main__":
    with background_writer():
        print(multiprocessing.active_children()[0].pid, flush=True)
        time.sleep(60)
"""


def test_a_killed_run_leaves_no_writer_behind(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(CODE)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        writer = int(process.stdout.readline())
        time.sleep(1)
        os.kill(writer, 0)
        process.send_signal(signal.SIGKILL)
    end = time.monotonic() + 30
    while Path(f"/proc/{writer}").exists() and _state(writer) != "Z":
        assert time.monotonic() < end, "the writer is still there"
        time.sleep(0.1)


def test_faults_of_a_report_reach_the_one_who_asked_for_it(tmp_path: Path) -> None:
    with background_writer() as writer, pytest.raises(ToolkitError) as caught:
        writer.write(tmp_path / "none", tmp_path / "page.html", Options())
    assert caught.value.next_command
    assert "There is no run folder" in caught.value.message


def _state(process: int) -> str:
    """Letter of a process's state; Z has ended and waits to be noticed."""
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"
