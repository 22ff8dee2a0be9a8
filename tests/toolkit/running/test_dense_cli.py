"""Dense grounding and sets with written words, from the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from paradigms.registry import get_paradigm
from stimuli import StimulusSet
from tests.commands import Cli
from tests.toolkit.subjects.clip_models import write_clip
from toolkit.tables.trials import read_trials


@pytest.fixture
def cli(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cli:
    """Call the command line in an empty folder that has none of the fixtures' folders beside."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return cli


def test_a_run_prints_every_language_and_is_found_again(cli: Cli, scenes_set: StimulusSet) -> None:
    command = (
        "run-paradigm", "dense-grounding", "--subject", "random/a", "--subject", "random/b",
        "--stimuli", scenes_set.folder, "--template", "bare", "--no-report",
    )  # fmt: skip
    code, out, err = cli(*command)
    assert (code, err) == (0, "")
    for expected in ("dense-grounding v1", "random", "fr", "lb", "2 cells computed"):
        assert expected in out
    code, out, _ = cli(*command, "--format", "json")
    summary = json.loads(out)
    assert (code, summary["cells_computed"], summary["cells_reused"]) == (0, 0, 2)
    table = read_trials(Path(summary["run_directory"]) / "trials.parquet")
    assert set(table["condition"]) == {"bare"}
    assert set(table["test_language"]) == {"en", "fr", "lb"}


def test_a_published_model_in_a_folder_is_asked_and_refused_where_words_are_spoken(
    cli: Cli, scenes_set: StimulusSet, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    pytest.importorskip("transformers")
    model = f"transformers:{write_clip(tmp_path / 'model')}"
    asked = ("--subject", model, "--no-report", "--format", "json")
    code, out, err = cli(
        "run-paradigm",
        "dense-grounding",
        "--stimuli",
        scenes_set.folder,
        "--language",
        "lb",
        *asked,
    )
    assert code == 0, err
    table = read_trials(Path(json.loads(out)["run_directory"]) / "trials.parquet")
    assert set(table["population"]) == {model}
    assert len(table) == 5 * 2 * 2, "pictures x things x (reference, lb)"
    assert (table["tokens_per_word"] >= 1).all()
    code, _, err = cli("run-paradigm", "me", "--stimuli", tiny_set.folder, *asked)
    assert code == 2
    assert "cannot hear words and look at pictures" in err
    assert "run-paradigm dense-grounding" in err


def test_each_paradigm_has_its_own_stimuli() -> None:
    assert get_paradigm("dense-grounding").default_set == "scenes"
    assert {get_paradigm(name).default_set for name in ("me", "familiar")} == {"mini"}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--language", "lbx"), "did you mean: lb"),
        (("--template", "articl"), "did you mean: article"),
        (("--words", "nowhere.toml"), "nowhere.toml cannot be read"),
    ],
)
def test_wrong_input_ends_with_one_clear_message(
    cli: Cli, scenes_set: StimulusSet, options: tuple[str, ...], expected: str
) -> None:
    asked = ("run-paradigm", "dense-grounding", "--subject", "perfect/a")
    code, _, err = cli(*asked, "--stimuli", scenes_set.folder, "--no-report", *options)
    assert code == 2
    assert expected in err
    assert not list(Path.cwd().iterdir()), "nothing may be left behind"


@pytest.mark.parametrize(
    ("paradigm", "option", "value"),
    [
        ("me", "--words", "words.toml"),
        ("me", "--template", "bare"),
        ("dense-grounding", "--trial-seed", 0),
        ("dense-grounding", "--trials-per-class", 3),
    ],
)
def test_an_option_that_means_nothing_to_a_paradigm_is_refused(
    cli: Cli, scenes_set: StimulusSet, paradigm: str, option: str, value: str | int
) -> None:
    asked = ("run-paradigm", paradigm, "--subject", "perfect/a", "--stimuli", scenes_set.folder)
    Path("words.toml").write_text((scenes_set.folder / "words.toml").read_text())
    code, _, err = cli(*asked, "--no-report", option, value)
    assert code == 2
    assert f"{option} means nothing here" in err


def test_sets_with_masks_and_folders_of_pictures_are_checked(
    cli: Cli, scenes_set: StimulusSet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("check-stimuli", scenes_set.folder)[:2] == (0, "tiny 1: 5 files, no faults.\n")
    folder = tmp_path / "photos"
    folder.mkdir()
    shutil.copy(scenes_set.folder / "scene-0.png", folder)
    words = scenes_set.folder / "words.toml"
    assert cli("check-stimuli", folder, "--words", words)[:2] == (
        0, "photos 0: 1 files, no faults.\n",
    )  # fmt: skip
    monkeypatch.chdir(tmp_path)
    assert "photos" in cli("describe", "photos")[1]
    (folder / "broken.jpg").write_bytes(b"no picture")
    code, _, err = cli("check-stimuli", folder, "--words", tmp_path / "none.toml")
    assert code == 2
    assert "2 faults" in err
    assert "broken.jpg cannot be read as a picture" in err
    assert "none.toml cannot be read" in err


def test_descriptions_tell_measures_and_written_languages(
    cli: Cli, scenes_set: StimulusSet
) -> None:
    _, out, _ = cli("describe", "dense-grounding")
    assert "iou_cluster" in out
    assert "tokens_per_word" in out
    _, out, _ = cli("describe", scenes_set.folder)
    assert "Languages spoken: none; written: en, fr, lb" in out
    assert "dense-grounding" in cli("list", "paradigms")[1]
