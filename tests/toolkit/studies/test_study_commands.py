"""``new-study``, ``check-study``, ``preregister`` and ``run-study`` as a new user meets them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import toolkit
from stimuli import StimulusSet
from stimuli.files import sha256_of
from tests.commands import Cli
from toolkit.studies.file import EXAMPLE

SMALL = """\
[study]
title = "Small"
hypotheses = ["It *holds*."]
[[ask]]
paradigm = "familiar"
subjects = ["perfect/a"]
languages = ["en"]
trials_per_class = 2
stimuli = "{tiny}"
[analysis]
confirmatory = ["familiar: perfect in en"]
[report]
gallery = 0
"""


@pytest.fixture
def small(tmp_path: Path, tiny_set: StimulusSet) -> Path:
    path = tmp_path / "my study.toml"
    path.write_text(SMALL.format(tiny=tiny_set.folder), encoding="utf-8")
    return path


def told(path: Path) -> list[str]:
    return sorted(str(found.relative_to(path)) for found in path.rglob("*"))


def test_a_new_study_is_the_example_and_never_overwrites(cli: Cli, tmp_path: Path) -> None:
    said = cli("new-study", "a/mine.toml")
    assert said.code == 0
    assert "mevgs-toolkit run-study a/mine.toml" in said.out
    assert (tmp_path / "a" / "mine.toml").read_bytes() == EXAMPLE.read_bytes()
    (tmp_path / "a" / "mine.toml").write_text("mine", encoding="utf-8")
    again = cli("new-study", "a/mine.toml")
    assert again.code == 2
    assert "try: mevgs-toolkit new-study a/mine-2.toml" in again.err
    assert (tmp_path / "a" / "mine.toml").read_text(encoding="utf-8") == "mine"


def test_checking_and_planning_touch_nothing(cli: Cli, small: Path, tmp_path: Path) -> None:
    before = told(tmp_path)
    for command in (("check-study",), ("run-study", "--dry-run"), ("run-study", "--status")):
        said = cli(command[0], small.name, *command[1:])
        assert said.code == 0, said.err
        for text in ("familiar on tiny", "confirmatory", "core-hours unknown", "my study-results"):
            assert text in said.out
    assert told(tmp_path) == before


def test_the_plan_is_the_same_as_json(cli: Cli, small: Path) -> None:
    plan = json.loads(cli("check-study", small.name, "--format", "json").out)
    assert plan == json.loads(cli("run-study", small.name, "--dry-run", "--format", "json").out)
    assert plan["sha256"] == sha256_of(small)
    assert [cell["name"] for cell in plan["runs"][0]["cells"]] == ["perfect/a/en"]
    assert plan["runs"][0]["cells"][0]["done"] is False
    assert plan["core_hours"] == {"familiar": None}


def test_all_faults_are_listed_each_with_what_helps(cli: Cli, small: Path) -> None:
    text = small.read_text(encoding="utf-8").replace('"familiar"', '"famliar"')
    small.write_text(text.replace('"Small"', "7").replace("perfect/a", "perfct"), encoding="utf-8")
    said = cli("check-study", small.name)
    assert said.code == 2
    assert f"{small.name} has 3 faults:" in said.err
    lines = said.err.splitlines()
    assert [line.split(")")[0].split(" (")[1] for line in lines[1:4]] == [
        "line 2", "line 5", "line 6"
    ]  # fmt: skip
    assert "did you mean: familiar" in said.err
    assert "try: mevgs-toolkit list subjects" in said.err
    listed = json.loads(cli("check-study", small.name, "--format", "json").out)
    assert [fault["nearest"] for fault in listed["faults"]] == [None, "familiar", "perfect"]
    for command in ("run-study", "preregister"):
        refused = cli(command, small.name)
        assert refused.code == 2
        assert "it has 3 faults" in refused.err


def test_a_study_is_carried_out_once(cli: Cli, small: Path, tmp_path: Path) -> None:
    said = cli("run-study", small.name)
    assert said.code == 0, said.err
    assert "familiar: perfect in en" in said.out
    assert "Nothing is missing." in said.out
    assert "Report: my study-results/report.html" in said.out
    again = json.loads(cli("run-study", small.name, "--format", "json").out)
    assert again["missing"] == again["not_in_plan"] == []
    assert again["runs"][0]["done"] is True
    assert again["reports"] == ["my study-results/report.html"]
    run = next((tmp_path / "my study-results" / "runs").glob("familiar-*"))
    assert cli("analyze", run).code == 0
    assert cli("report", run).code == 0, "a run of a study is a run like any other"
    status = cli("run-study", small.name, "--status", "--out", "elsewhere")
    assert "In the plan but missing: 1 of 1 cell of familiar" in status.out
    assert not (tmp_path / "elsewhere").exists()


def test_python_and_the_command_do_the_same(cli: Cli, small: Path, tmp_path: Path) -> None:
    study = toolkit.open_study(small)
    assert [run.n_missing for run in toolkit.plan_study(study).runs] == [1]
    made = toolkit.run_study(study, out="mine")
    assert made.pages == (Path("mine/report.html"),)
    assert cli("run-study", small.name).code == 0
    told = [tmp_path / name / "statistics.json" for name in ("mine", "my study-results")]
    assert told[0].read_bytes() == told[1].read_bytes()
    assert toolkit.preregistration(study) == cli("preregister", small.name).out
    with pytest.raises(toolkit.ToolkitError, match="jobs"):
        toolkit.run_study(study, jobs=0)


def test_only_one_thing_is_done_instead(cli: Cli, small: Path) -> None:
    said = cli("run-study", small.name, "--dry-run", "--collect")
    assert said.code == 2
    assert "given: --dry-run, --collect" in said.err


def test_nothing_is_collected_where_nothing_is(cli: Cli, small: Path, tmp_path: Path) -> None:
    before = told(tmp_path)
    said = cli("run-study", small.name, "--collect")
    assert said.code == 2
    assert "try: mevgs-toolkit run-study 'my study.toml'" in said.err
    assert told(tmp_path) == before


def test_a_preregistration_says_what_the_file_says_and_what_it_does_not(
    cli: Cli, small: Path, tmp_path: Path
) -> None:
    said = cli("preregister", small.name)
    assert said.code == 0
    for text in (
        "# Small", sha256_of(small), "1. It \\*holds\\*.", "perfect, 1 network (a), tested in en",
        "1. familiar: perfect in en", "Level of the tests: 0.05", "5 percentage points",
        "`correct ~ 1 + (1 | seed) + (1 | word_concept) + (1 | distractor_concept)`",
    ):  # fmt: skip
        assert text in said.out
    silent = said.out.split("## ")
    for title in ("Sample size", "Exclusions", "What would count against the hypotheses"):
        own = next(part for part in silent if part.startswith(title))
        assert "The study file does not say." in own
    assert cli("preregister", small.name, "-o", "pre.md").code == 0
    assert (tmp_path / "pre.md").read_text(encoding="utf-8") == said.out


def test_the_sample_size_is_that_of_the_power_command(cli: Cli, small: Path) -> None:
    with small.open("a", encoding="utf-8") as file:
        file.write("[power]\ndifference = 2.7\nseed_sd = 3.0\ntarget = 0.9\n")
    told = cli("preregister", small.name).out
    options = ("--difference", 2.7, "--seed-sd", 3, "--power", 0.9, "--format", "json")
    plan = json.loads(cli("power", *options).out)["plans"][0]
    assert f"{plan['n_seeds']} seeds per group reach" in told
    assert f"By the noncentral t {plan['exact_seeds']}, by formula" in told


def test_a_trend_is_planned_as_by_the_power_command(cli: Cli, small: Path) -> None:
    with small.open("a", encoding="utf-8") as file:
        file.write(
            "[power]\nlevels = [0, 1, 2, 3]\nodds_ratio = 0.75\nbase_accuracy = 0.9\n"
            "seed_sd = 0.3\nseed_slope_sd = 0.15\n"
        )
    told = cli("preregister", small.name).out
    options = ("--odds-ratio", 0.75, "--base-accuracy", 0.9, "--seed-sd", 0.3)
    trend = ("--levels", "0,1,2,3", "--seed-slope-sd", 0.15, "--format", "json")
    plan = json.loads(cli("power", *options, *trend).out)["trends"][0]
    assert f"{plan['n_seeds']} seeds reach {100 * plan['power']:.1f} % power" in told
    text = small.read_text(encoding="utf-8").replace("seed_slope_sd = 0.15\n", "")
    small.write_text(text, encoding="utf-8")
    assert "trend over the levels of a factor" in cli("check-study", small.name).err
