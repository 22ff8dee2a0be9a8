"""jsPsych's packages: where they are looked for, and that nothing else passes for them."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from tests.toolkit.children.driving import needs_jspsych
from toolkit.children.exporting import packages
from toolkit.children.exporting.packages import PACKAGES, SCRIPT, cache_folder, find_scripts
from toolkit.errors import ToolkitError


@pytest.fixture
def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "cache"
    monkeypatch.setattr(packages, "cache_folder", lambda: folder)
    return folder


def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Something that is found in npm's place."""
    program = tmp_path / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(shutil, "which", lambda _: str(program))


def archive(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as made:
        member = tarfile.TarInfo(f"package/{SCRIPT}")
        member.size = len(content)
        made.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def test_without_npm_one_message_names_all_three_ways(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(ToolkitError) as told:
        find_scripts()
    assert "npm is not installed" in told.value.message
    assert all(
        way in str(told.value.allowed)
        for way in ("npm (of Node.js)", "--jspsych DIR", "--jspsych cdn", PACKAGES[-1].spec)
    )
    assert not empty_cache.exists()


def test_what_npm_says_when_it_fails_is_told(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    npm(tmp_path, monkeypatch, "echo 'network is unreachable' >&2; exit 1")
    with pytest.raises(ToolkitError, match="network is unreachable"):
        find_scripts()
    assert list(empty_cache.iterdir()) == []


def test_an_archive_that_is_not_the_pinned_one_is_not_kept(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    forged = tmp_path / "forged.tgz"
    forged.write_bytes(archive(b"alert(1)"))
    # npm is called with: pack --silent --ignore-scripts --pack-destination FOLDER SPEC...
    copies = "\n".join(f"cp {forged} $5/{one.file_name}" for one in PACKAGES)
    npm(tmp_path, monkeypatch, copies)
    with pytest.raises(ToolkitError, match="is not what its authors published") as told:
        find_scripts()
    assert told.value.allowed == PACKAGES[0].archive
    assert list(empty_cache.iterdir()) == []


@needs_jspsych
def test_npm_is_asked_for_the_pinned_versions_once(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    log = tmp_path / "asked"
    kept = cache_folder()
    npm(tmp_path, monkeypatch, f'echo "$@" >> {log}; cp {kept}/*.tgz $5/')
    first, again = find_scripts(), find_scripts()
    assert first == again
    [line] = log.read_text(encoding="utf-8").splitlines()
    assert line.endswith(" ".join(one.spec for one in PACKAGES))
    assert {one.name for one in empty_cache.iterdir()} == {one.file_name for one in PACKAGES}


@needs_jspsych
def test_a_folder_of_archives_and_one_of_npm_install_are_read_alike(tmp_path: Path) -> None:
    for package in PACKAGES:
        with tarfile.open(cache_folder() / package.file_name) as opened:
            member = opened.extractfile(f"package/{SCRIPT}")
            assert member is not None
            place = tmp_path / "node_modules" / package.name / SCRIPT
            place.parent.mkdir(parents=True)
            place.write_bytes(member.read())
    scripts = find_scripts(cache_folder())
    assert find_scripts(tmp_path) == find_scripts(tmp_path / "node_modules") == scripts
    assert len(scripts) == 4
    assert not any("sourceMappingURL" in text or "</script" in text for text in scripts)
    place.write_bytes(place.read_bytes() + b"//")
    with pytest.raises(ToolkitError, match="is not what its authors published"):
        find_scripts(tmp_path)


def test_a_folder_without_them_is_told_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match=r"jspsych@8\.\d+\.\d+ is not in the folder") as told:
        find_scripts(tmp_path)
    assert str(told.value.next_command).startswith(f"npm pack --pack-destination {tmp_path}")


@needs_jspsych
def test_a_cache_that_was_damaged_is_refused(empty_cache: Path) -> None:
    shutil.copytree(cache_folder(), empty_cache)
    with (empty_cache / PACKAGES[1].file_name).open("ab") as file:
        file.write(b"\0")
    with pytest.raises(ToolkitError, match="is not what its authors published"):
        find_scripts()
