"""The command line as a new user meets it: right, wrong, interrupted, without space."""

from __future__ import annotations

import gc
import json
import os
import re
import resource
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from stimuli import StimulusSet
from tests.commands import Cli, Said
from tests.process_groups import next_line, started
from toolkit.cli.app import COLLECTOR_PACE
from toolkit.running.choices import RUNNING
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.hearing import SHIPPED
from toolkit.tables.trials import read_trials

COMMAND = [sys.executable, "-c", "from toolkit.cli import main; main()"]


@pytest.fixture
def me(cli: Cli, tiny_set: StimulusSet, subjects_dir: Path) -> Cli:
    """Run the ME test on the small set with the small subject, with further options."""

    def call(*options: object) -> Said:
        return cli(
            "run-paradigm", "me", "--subject", "hasher", "--subjects", subjects_dir,
            "--stimuli", tiny_set.folder, "--no-report", *options,
        )  # fmt: skip

    return call


def test_table_shows_test_first_then_controls(me: Cli) -> None:
    said = me()
    assert said.code == 0
    assert said.out.index("novel-familiar") < said.out.index("Controls")
    for expected in ("95 %", "50.0 %", "each seed", "6 cells computed, 0 reused", "mevgs-runs/me-"):
        assert expected in said.out
    assert "\x1b" not in said.out, "no colours where the output is no terminal"
    assert "0 cells computed, 6 reused" in me().out


def test_json_is_stable_and_agrees_with_the_trials(me: Cli) -> None:
    said = me("--format", "json", "--language", "nl")
    summary = json.loads(said.out)
    assert set(summary) == {
        "schema", "run_id", "paradigm", "paradigm_kind", "paradigm_version", "question", "stimuli",
        "trials_per_class", "trial_seed", "warnings", "measure", "results", "run_directory",
        "duration_s", "cells_computed", "cells_reused", "report",
    }  # fmt: skip
    assert set(summary["results"][0]) == {
        "population", "test_language", "condition", "meaning", "headline", "n_seeds", "n_trials",
        "n_ties", "mean", "sd", "std_error", "ci_low", "ci_high", "chance", "seeds", "unit",
    }  # fmt: skip
    table = read_trials(Path(summary["run_directory"]) / "trials.parquet")
    for result in summary["results"]:
        rows = table[table["condition"] == result["condition"]]
        per_seed = rows.groupby("seed", observed=True)["correct"].mean()
        assert result["seeds"] == pytest.approx(per_seed.to_dict())
        assert result["mean"] == pytest.approx(per_seed.mean())
        assert result["headline"] == (result["condition"] == "novel-familiar")
    saved = json.loads((Path(summary["run_directory"]) / "summary.json").read_text())
    assert saved["results"] == summary["results"]


def test_a_run_and_its_report_take_no_other_process(
    me: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So there is none that a refusal waits for, or that is still at work when Python ends."""

    def refuse(*command: object, **_: object) -> None:
        raise AssertionError(f"a process was started: {command}")

    monkeypatch.setattr("toolkit.running.plan.environment", dict)  # asks git
    monkeypatch.setattr("subprocess.Popen.__init__", refuse)
    monkeypatch.setattr("multiprocessing.process.BaseProcess.start", refuse)
    said = me("--report")
    assert said.code == 0
    assert "report.html" in said.out


@pytest.mark.parametrize(
    "options",
    [
        ("run-paradigm", "me", "--subject", "perfect", "--trials-per-class", "99999999999"),
        ("run-paradigm", "me", "--subject", "perfect", "--jobs", "2147483648"),
        ("score-all", "me", "--subject", "perfect", "--jobs", "2147483648"),
        ("analyze-space", "--subject", "perfect", "--bootstrap", "99999999999"),
        ("analyze-space", "--subject", "perfect", "--per-class", "99999999999"),
        ("analyze", "run", "--bootstrap", "99999999999"),
        ("report", "run", "--max-trials", "99999999999"),
        ("train", "--languages", "en", "--out", "o", "--jobs", "2147483648"),
        ("train", "--languages", "en", "--out", "o", "--seeds", "2147483648"),
        ("power", "--difference", "2", "--seed-sd", "3", "--simulations", "99999999999"),
        ("power", "--difference", "2", "--seed-sd", "3", "--max-seeds", "99999999999"),
        ("power", "--difference", "2", "--seed-sd", "3", "--jobs", "99999999999"),
    ],
    ids=lambda options: f"{options[0]} {options[-2]}",
)
def test_what_would_take_the_machine_is_refused_with_the_limit(
    cli: Cli, options: tuple[str, ...], tmp_path: Path
) -> None:
    said = cli(*options)
    assert said.code == 2
    assert re.search(r"[\d,]+ at most|at most [\d,]+| to [\d,]+", said.err)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("encoding", ["cp1252", "ascii"])
def test_what_is_printed_is_utf_8_whatever_the_pipe_is(encoding: str, tmp_path: Path) -> None:
    own = tmp_path / "subjects" / "eigen"
    own.mkdir(parents=True)
    name = "n\u00e4chste\u2192\U0001f600"
    (own / "population.toml").write_text(
        f'name = "{name}"\ndescription = "\u2264 \u2212"\nlanguages = ["en"]\n'
        'seeds = ["a"]\nfactory = "own:load"\n',
        encoding="utf-8",
    )
    listing = [*COMMAND, "list", "subjects", "--subjects", "subjects"]
    asking = [*COMMAND, "describe", name]
    environment = os.environ | {"PYTHONIOENCODING": encoding}
    said = subprocess.run(listing, cwd=tmp_path, env=environment, capture_output=True, check=False)
    assert said.returncode == 0, said.stderr
    assert name in said.stdout.decode("utf-8")
    refused = subprocess.run(
        asking, cwd=tmp_path, env=environment, capture_output=True, check=False
    )
    assert refused.returncode == 2
    assert name in refused.stderr.decode("utf-8")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(["list", "paradigms"], 0), (["describe", "nobody"], 2), (["no-such-command"], 2)],
)
def test_the_installed_command_ends_as_soon_as_all_is_said(arguments: list[str], code: int) -> None:
    """Nothing is taken apart first: what is to be done when Python ends is never reached."""
    script = (
        "import atexit; atexit.register(print, 'taken apart'); "
        "from toolkit.cli import {}; {}()".format
    )
    ended, torn = (
        subprocess.run(
            [sys.executable, "-c", script(name, name), *arguments],
            capture_output=True,
            text=True,
            check=False,
        )
        for name in ("command", "main")
    )
    assert (ended.returncode, torn.returncode) == (code, code)
    assert "taken apart" in torn.stdout
    assert (ended.stdout, ended.stderr) == (torn.stdout.replace("taken apart\n", ""), torn.stderr)


def test_one_seed_has_no_interval(me: Cli, subjects_dir: Path, tiny_set: StimulusSet) -> None:
    said = me("--subject", "perfect/a", "--format", "json")
    one = [r for r in json.loads(said.out)["results"] if r["population"] == "perfect"]
    assert {r["ci_low"] for r in one} == {None}
    assert {r["mean"] for r in one} == {1.0}


@pytest.mark.parametrize("command", [("analyze",), ("export", "--out", "x.csv")])
def test_an_unfinished_run_says_how_to_finish_it(cli: Cli, command: tuple[str, ...]) -> None:
    folder = Path("runs/me-x")
    folder.mkdir(parents=True)
    own = ["mevgs-toolkit", "run-paradigm", "me", "--subject", "my own"]
    (folder / "manifest.json").write_text(json.dumps({"status": "running", "command": own}))
    said = cli(command[0], str(folder), *command[1:])
    assert said.code == 2
    assert "was not finished" in said.err
    assert "run-paradigm me --subject 'my own'" in said.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("run-paradigm", "mee", "--subject", "perfect"), "did you mean: me"),
        (("run-paradigm", "me", "--subject", "perfct"), "did you mean: perfect"),
        (("run-paradigm", "me", "--subject", "perfect/z"), "seed of population 'perfect'"),
        (("run-paradigm", "me", "--subject", "perfect", "--stimuli", "mimi"), "mini"),
        (("run-paradigm", "me", "--subject", "perfect", "--stimuli", "no/such"), "no/such"),
        (("run-paradigm", "me", "--subject", "perfect", "--subjects", "none"), "none"),
        (("run-paradigm", "me", "--subject", "perfect", "--paradigms", "none"), "none"),
        (("run-paradigm", "me"), "--subject"),
        (("run-paradigm", "me", "--subject", "perfect", "--format", "xml"), "json"),
        (
            ("run-paradigm", "me", "--subject", "perfect", "--trials-per-class", "0"),
            "allowed: 1 or more",
        ),
        (("describe", "mini-set"), "did you mean: mini"),
        (("list", "subject"), "subjects"),
        (("check-stimuli", "nowhere"), "nowhere"),
        (("new-paradigm", "Bad Name"), "lower-case"),
        (("export", "nowhere", "--out", "x.csv"), "no trials table"),
        (("runparadigm",), "run-paradigm"),
    ],
)
def test_wrong_input_ends_with_one_clear_message(
    cli: Cli, arguments: tuple[str, ...], expected: str, tmp_path: Path
) -> None:
    said = cli(*arguments)
    assert said.code == 2
    assert expected in said.err
    assert not list(tmp_path.iterdir()), "nothing may be left behind"


def test_language_that_the_set_lacks(me: Cli) -> None:
    said = me("--language", "ln")
    assert said.code == 2
    assert "did you mean: nl" in said.err


def test_untrained_language_is_allowed_with_a_note(
    me: Cli, subjects_dir: Path, tiny_set: StimulusSet
) -> None:
    path = subjects_dir / "hasher" / "population.toml"
    path.write_text(path.read_text().replace('["en", "nl"]', '["en"]'))
    said = me("--language", "nl")
    assert said.code == 0
    assert "was not trained on nl" in said.out


def test_lists_name_everything(cli: Cli) -> None:
    assert {"familiar", "me", "translation"} <= set(cli("list", "paradigms").out.split())
    assert {"perfect", "random", "constant"} <= set(cli("list", "subjects").out.split())
    assert "mini" in cli("list", "stimuli").out
    for name, expected in (
        ("me", "novel*-familiar"),
        ("me", "novel-familiar - absent-familiar"),
        ("perfect", "Seeds: a b"),
        ("monolingual-en", f"checksum {backbone_checksum(SHIPPED)}"),
        ("mini", "Checksum"),
    ):
        assert expected in cli("describe", name).out
    assert "torch" in cli("version").out


def test_broken_set_lists_all_faults_at_once(
    cli: Cli, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(tiny_set.folder, folder)
    words = sorted((folder / "words").iterdir())
    words[0].unlink()
    words[1].write_bytes(words[1].read_bytes()[:30])
    words[2].write_bytes(words[3].read_bytes())
    said = cli("check-stimuli", folder)
    assert said.code == 2
    assert "3 faults" in said.err
    for path in words[:3]:
        assert path.name in said.err
    ran = cli("run-paradigm", "me", "--subject", "perfect", "--stimuli", folder, "--no-report")
    assert ran.code == 0, "dummies read no file"


def test_a_broken_file_stops_a_run_and_is_named(
    cli: Cli, me: Cli, tiny_set: StimulusSet, tmp_path: Path
) -> None:
    import shutil

    folder = tmp_path / "broken"
    shutil.copytree(tiny_set.folder, folder)
    path = next((folder / "pictures").glob("*test*"))
    path.write_bytes(path.read_bytes()[:40])
    said = me("--stimuli", folder)
    assert said.code == 2
    assert path.name in said.err
    assert not list(tmp_path.glob("mevgs-runs/cells/*/*"))


def test_new_paradigm_is_picked_up(cli: Cli, tiny_set: StimulusSet) -> None:
    assert cli("new-paradigm", "my-test").code == 0
    said = cli(
        "run-paradigm", "my-test", "--paradigms", "my-paradigms", "--subject", "perfect",
        "--stimuli", tiny_set.folder, "--no-report",
    )  # fmt: skip
    assert said.code == 0
    assert "100.0 %" in said.out


def test_export_holds_every_trial(me: Cli, cli: Cli, tmp_path: Path) -> None:
    me("--trials-per-class", 2)
    run = next((tmp_path / "mevgs-runs").glob("me-*"))
    assert cli("export", run, "--out", "trials.csv").code == 0
    exported, kept = pd.read_csv("trials.csv"), read_trials(run / "trials.parquet")
    assert len(exported) == len(kept)
    np.testing.assert_allclose(exported["margin"], kept["margin"], rtol=1e-6)


def test_report_is_written_and_can_be_made_again(me: Cli, cli: Cli, tmp_path: Path) -> None:
    said = me("--report", "--format", "json")
    page = Path(json.loads(said.out)["report"])
    assert page == Path(json.loads(said.out)["run_directory"]) / "report.html"
    first = page.read_bytes()
    page.unlink()
    again = cli("report", page.parent)
    assert again.code == 0
    assert str(page) in again.out
    assert page.read_bytes() == first
    refused = cli("report", page.parent, page.parent)
    assert refused.code == 2
    assert "-o report.html" in refused.err
    missing = cli("report", "mevgs-runs/me-none")
    assert missing.code == 2
    assert "There is no run folder" in missing.err


def test_out_that_is_a_file_is_refused(me: Cli, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("mine")
    said = me("--out", "taken")
    assert said.code == 2
    assert "--out DIR" in said.err
    assert (tmp_path / "taken").read_text() == "mine"


def test_full_disk_leaves_nothing_half_written(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    def little_space() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (9000, 9000))

    said = subprocess.run(
        [*COMMAND, "run-paradigm", "me", "--subject", "hasher", "--subjects", subjects_dir,
         "--stimuli", tiny_set.folder, "--no-report"],
        cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=little_space,
    )  # fmt: skip
    assert said.returncode == 2
    assert "Traceback" not in said.stderr
    assert "File too large" in said.stderr
    left = [path for path in (tmp_path / "mevgs-runs").rglob("*") if path.is_file()]
    assert {path.suffix for path in left} <= {".npz"}, "whole embeddings and no run"


STOPPING = """
        import os, threading
        from pathlib import Path
        if "STOP" in os.environ and len(list(Path("cut").glob("cells/*/[!.]*.parquet"))) >= 2:
            print("two cells are there", flush=True)
            threading.Event().wait()
"""


def test_killed_run_goes_on_where_it_stopped(
    tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path
) -> None:
    code = subjects_dir / "hasher" / "hasher_subject.py"
    marker = "    def similarity(self, words, pictures):\n"
    code.write_text(code.read_text().replace(marker, marker + STOPPING.lstrip("\n")))
    command = [
        *COMMAND, "run-paradigm", "me", "--subject", "hasher", "--subjects", str(subjects_dir),
        "--stimuli", str(tiny_set.folder), "--no-report", "--format", "json", "--out",
    ]  # fmt: skip
    environment = os.environ | {"PYTHONDONTWRITEBYTECODE": "1"}
    with started([*command, "cut"], cwd=tmp_path, env=environment | {"STOP": "1"}) as process:
        assert next_line(process) == "two cells are there"
        process.kill()
    ended = [
        json.loads(
            subprocess.run(
                [*command, out], cwd=tmp_path, env=environment, capture_output=True, check=True
            ).stdout
        )
        for out in ("cut", "whole")
    ]
    assert ended[0]["cells_reused"] >= 2
    assert ended[0]["cells_computed"] >= 1
    cut, whole = (tmp_path / one["run_directory"] / "trials.parquet" for one in ended)
    assert cut.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("arguments", "also"),
    [
        (["--help"], {"numpy", "paradigms", "stimuli.sets", "rich"}),
        (["list", "subjects"], {"numpy", "paradigms", "toolkit.statistics"}),
        (["list", "paradigms"], {"toolkit.statistics"}),
        (["list", "stimuli"], {"toolkit.statistics"}),
    ],
)
def test_light_commands_import_nothing_heavy(arguments: list[str], also: set[str]) -> None:
    code = (
        "import sys\n"
        "from toolkit.cli import main\n"
        f"sys.argv = ['mevgs-toolkit', *{arguments}]\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code\n"
        "heavy = {'torch', 'transformers', 'timm', 'pandas', 'matplotlib'}\n"
        f"heavy = (heavy | {also}) & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_collector_does_not_slow_down_imports(cli: Cli) -> None:
    usual = gc.get_threshold()
    try:
        assert cli("list", "paradigms").code == 0
        assert gc.get_threshold() == COLLECTOR_PACE
        assert gc.isenabled(), "garbage in cycles must still go, or memory grows with the run"
    finally:
        gc.set_threshold(*usual)


def test_ctrl_c_says_that_finished_work_is_kept(me: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("toolkit.running.choices.RUNNING", replace(RUNNING, prepare=interrupted))
    said = me()
    assert said.code == 130
    assert said.err == "Error: Interrupted. What was finished is kept: the same command goes on.\n"
