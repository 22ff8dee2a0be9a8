"""Files of populations that were damaged, lost their checksum, or are written by two at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from stimuli.files import checksum_file, is_sound
from tests.toolkit.training.test_train_populations import run, small
from tests.toolkit.training.training_bank import SmallSet
from toolkit.errors import ToolkitError
from toolkit.processes.alone import alone_with
from toolkit.subjects.populations import open_population
from toolkit.training import workers

__all__ = ["small"]


@pytest.fixture
def out(small: SmallSet, tmp_path: Path) -> Path:
    run(small, tmp_path / "out", [["en"]], ["a"])
    return tmp_path / "out"


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows by one with every subject that is trained."""
    made: list[int] = []
    real = workers.fit.fit

    def counted(*given, **more):  # type: ignore[no-untyped-def]
        made.append(1)
        return real(*given, **more)

    monkeypatch.setattr(workers.fit, "fit", counted)
    return made


def change(file: Path, old: bytes, new: bytes) -> None:
    content = file.read_bytes()
    assert old in content
    file.write_bytes(content.replace(old, new, 1))


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [("population.toml", b'"en"', b'"eo"'), ("config.json", b'"xsm"', b'"xsn"'),
     ("config.json", b"64", b"65"), ("a.safetensors", b"U", b"V")],
)  # fmt: skip
def test_a_damaged_population_is_not_asked(out: Path, name: str, old: bytes, new: bytes) -> None:
    file = out / "monolingual-en" / name
    if old not in file.read_bytes():
        old, new = file.read_bytes()[:1], b"\0"
    change(file, old, new)
    with pytest.raises(ToolkitError, match=r"damaged|changed"):
        open_population("monolingual-en", out).load("a")


def test_a_description_that_has_lost_its_checksum_is_told_from_one_that_never_had_one(
    out: Path,
) -> None:
    file = out / "monolingual-en" / "population.toml"
    checksum_file(file).unlink()
    with pytest.raises(ToolkitError, match="lost its checksum"):
        open_population("monolingual-en", out)
    first, rest = file.read_text("utf-8").split("\n", 1)
    assert "without it, this line goes" in first
    file.write_text(rest, "utf-8")
    assert open_population("monolingual-en", out).seeds == ("a",)


def test_a_damaged_log_is_told_before_anything_is_trained(
    small: SmallSet, out: Path, fitted: list[int]
) -> None:
    log = out / "monolingual-en" / "training_log.csv"
    change(log, b"0.", b"1.")
    with pytest.raises(ToolkitError, match=r"training_log\.csv is damaged"):
        run(small, out, [["en"]], ["a", "b"])
    assert not fitted


def test_subjects_of_versions_that_kept_no_checksum_are_not_trained_again(
    small: SmallSet, out: Path, fitted: list[int]
) -> None:
    weights = out / "monolingual-en" / "a.safetensors"
    checksum_file(weights).unlink()
    run(small, out, [["en"]], ["a"])
    assert not fitted
    weights.write_bytes(weights.read_bytes()[:-1] + b"\0\0")
    run(small, out, [["en"]], ["a"])
    assert len(fitted) == 1


def test_what_a_kill_left_in_a_population_is_removed(small: SmallSet, out: Path) -> None:
    left = out / "monolingual-en" / ".a-0123abcd.safetensors"
    left.touch()
    os.utime(left, (0, 0))
    run(small, out, [["en"]], ["a"])
    assert not left.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="knows no such locks")
def test_a_subject_that_another_process_trains_is_left_to_it(
    small: SmallSet, out: Path, fitted: list[int]
) -> None:
    held = out / "unfinished" / "monolingual-en_b.lock"
    with alone_with(held, "In use."):
        with pytest.raises(ToolkitError, match="monolingual-en/b is being trained by another"):
            run(small, out, [["en"]], ["a", "b"])
        assert not fitted
        run(small, out, [["en"]], ["c"])  # others of the same population are trained beside it
        assert open_population("monolingual-en", out).seeds == ("a", "c")
        assert held.exists()
    run(small, out, [["en"]], ["a", "b"])
    assert open_population("monolingual-en", out).seeds == ("a", "b", "c")
    assert is_sound(out / "monolingual-en" / "training_log.csv")
    assert not (out / "unfinished").exists()
