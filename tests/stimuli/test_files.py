"""Files on shared disks: written out before they bear their names, whatever clocks say."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from stimuli.files import (
    ABANDONED_AFTER_S,
    checksum_file,
    is_sound,
    remove_abandoned,
    write_atomic,
    write_checked,
)


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is asked of the disk, in its order."""
    told: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(descriptor: int) -> None:
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        told.append("write out folder" if path.is_dir() else f"write out {path.suffix}")
        fsync(descriptor)

    def renamed(path: Path, target: Path) -> Path:
        told.append(f"name {target.name}")
        return replace(path, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    return told


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="tells no names of open files")
def test_a_file_is_on_the_disk_before_it_bears_its_name_and_its_checksum_before_both(
    tmp_path: Path, steps: list[str]
) -> None:
    with write_checked(tmp_path / "cell.parquet") as unfinished:
        unfinished.write_bytes(b"rows")
    beside, own = "cell.parquet.sha256", "cell.parquet"
    assert steps == [
        "write out .sha256", f"name {beside}", "write out folder",
        "write out .parquet", f"name {own}", "write out folder",
    ]  # fmt: skip


def test_a_server_that_renames_and_then_denies_it_is_believed_by_what_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace = Path.replace

    def twice(path: Path, target: Path) -> Path:
        replace(path, target)
        return replace(path, target)  # the answer was lost, and the question is put again

    monkeypatch.setattr(Path, "replace", twice)
    with write_checked(tmp_path / "cell.parquet") as unfinished:
        unfinished.write_bytes(b"rows")
    assert is_sound(tmp_path / "cell.parquet")


def test_a_rename_that_failed_is_told_though_an_older_file_lies_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "cell.parquet").write_bytes(b"old rows")

    def lost(path: Path, target: Path) -> Path:
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(Path, "replace", lost)
    with (
        pytest.raises(FileNotFoundError),
        write_atomic(tmp_path / "cell.parquet") as unfinished,
    ):
        unfinished.write_bytes(b"new rows")
    assert [path.name for path in tmp_path.iterdir()] == ["cell.parquet"]


@pytest.mark.parametrize("ahead_s", [-10 * ABANDONED_AFTER_S, 0.0, 10 * ABANDONED_AFTER_S])
def test_the_clock_of_this_machine_decides_nothing_about_what_others_are_writing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ahead_s: float
) -> None:
    being_written = tmp_path / ".cell-0123abcd.parquet"
    left_behind = tmp_path / ".cell-89abcdef.parquet"
    for path in (being_written, left_behind):
        path.write_bytes(b"half")
    there = being_written.stat().st_mtime
    os.utime(left_behind, (there, there - 2 * ABANDONED_AFTER_S))
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + ahead_s)
    assert remove_abandoned(tmp_path) == [left_behind]
    assert list(tmp_path.iterdir()) == [being_written]


CUTS: dict[str, Any] = {
    "empty": lambda content: b"",
    "cut short": lambda content: content[: len(content) // 2],
    "zeros at the end": lambda content: content[:-40] + bytes(40),
    "zeros only": lambda content: bytes(len(content)),
    "rubbish in the footer": lambda content: content[:-8] + b"rubbish!",
}
"""What a power cut may leave of a file that was renamed before it was written out."""


@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize("also_checksum", [False, True])
def test_what_a_power_cut_left_of_a_file_does_not_count_as_there(
    tmp_path: Path, cut: str, also_checksum: bool
) -> None:
    file = tmp_path / "cell.parquet"
    with write_checked(file) as unfinished:
        unfinished.write_bytes(bytes(range(1, 200)))
    assert is_sound(file)
    for path in (file, checksum_file(file)) if also_checksum else (file,):
        path.write_bytes(CUTS[cut](path.read_bytes()))
    assert not is_sound(file)
