"""The toolkit from Python: what is offered, what is refused, and that commands say the same."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import toolkit
from stimuli import StimulusSet
from tests.stored import write_stored
from toolkit import ToolkitError, analyze_space, open_run, run_paradigm, score_all
from toolkit.cli import main
from toolkit.subjects.population import Population
from toolkit.subjects.populations import open_population

ROOT = Path(__file__).parents[2]
SMALL: dict[str, Any] = {"trials_per_class": 2}
PLACES = "toolkit.api", "toolkit.studies.offered"
"""Where that comes from which `toolkit` offers."""


@pytest.fixture
def ask(tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path) -> Any:
    """Put a paradigm to the small subject on the small set."""

    def call(paradigm: str = "me", subjects: Any = "hasher", **options: Any) -> toolkit.Run:
        given = {"stimuli": tiny_set, "subjects_dir": subjects_dir, "out": tmp_path / "runs"}
        return run_paradigm(paradigm, subjects, **{**given, **options})

    return call


def one_line(text: str) -> str:
    """The text without the breaks that its width makes."""
    return " ".join(text.split())


def test_import_is_light() -> None:
    code = (
        "import sys, toolkit; dir(toolkit)\n"
        "heavy = {'torch', 'pandas', 'numpy', 'scipy', 'reports'} & set(sys.modules)\n"
        "toolkit.run_paradigm, toolkit.fit_mixed, toolkit.__version__\n"
        "heavy |= {'torch', 'pandas', 'transformers', 'timm', 'altair'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr


def test_what_is_offered_is_there_and_known_to_type_checkers() -> None:
    source = ast.parse(Path(toolkit.__file__).read_text())
    typed = [
        alias.name
        for node in ast.walk(source)
        if isinstance(node, ast.ImportFrom) and node.module in PLACES
        for alias in node.names
    ]
    places = [import_module(name) for name in PLACES]
    assert set(typed) == set(toolkit.__all__) == {name for own in places for name in own.__all__}
    for place in places:
        for name in place.__all__:
            assert getattr(toolkit, name) is getattr(place, name)
    assert set(toolkit.__all__) <= set(dir(toolkit))
    assert toolkit.__version__.count(".") == 2
    with pytest.raises(AttributeError, match="'run_paradim'"):
        _ = toolkit.run_paradim
    from toolkit import errors

    assert errors.__name__ == "toolkit.errors"


def test_python_and_the_command_leave_the_same_behind(
    ask: Any, tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run = ask(**SMALL, languages="en")
    run.analyse()
    given = ["mevgs-toolkit", "run-paradigm", "me", "--subject", "hasher", "--language", "en"]
    given += ["--subjects", str(subjects_dir), "--stimuli", str(tiny_set.folder), "--no-report"]
    given += ["--trials-per-class", "2", "--out", str(tmp_path / "others")]
    monkeypatch.setattr(sys, "argv", given)
    with pytest.raises(SystemExit):
        main()
    other = tmp_path / "others" / run.folder.name
    for name in ("trials.parquet", "summary.json", "statistics.json"):
        assert (run.folder / name).read_bytes() == (other / name).read_bytes(), name
    printed = one_line(capsys.readouterr().out)
    assert one_line(repr(run)).partition(" 3 cells computed")[0] in printed
    assert one_line(repr(run.analyse())) in printed


def of_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *given: object
) -> str:
    """What a command prints."""
    capsys.readouterr()
    monkeypatch.setattr(sys, "argv", ["mevgs-toolkit", *map(str, given)])
    with pytest.raises(SystemExit):
        main()
    return one_line(capsys.readouterr().out)


@pytest.fixture
def describe(tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path) -> Any:
    """Count all triples, or analyse the space, of the small subject on the small set."""

    def call(function: Any, *given: Any, **options: Any) -> Any:
        own = {"stimuli": tiny_set, "subjects_dir": subjects_dir, "out": tmp_path / "runs"}
        return function(*given, **{**own, **options})

    return call


def test_all_triples_are_those_of_the_command(
    describe: Any, tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    counted = describe(score_all, "me", "hasher", languages="en")
    printed = of_command(
        monkeypatch, capsys, "score-all", "me", "--subject", "hasher", "--language", "en",
        "--stimuli", tiny_set.folder, "--subjects", subjects_dir, "--out", tmp_path / "others",
    )  # fmt: skip
    other = tmp_path / "others" / counted.folder.name
    for name in ("exhaustive.parquet", "exhaustive.json"):
        assert (counted.folder / name).read_bytes() == (other / name).read_bytes(), name
    triples = f" {counted.table['n_triples'].sum():,} triples in "
    assert one_line(repr(counted)).partition(triples)[0] == printed.partition(triples)[0]
    assert str(counted.folder) in repr(counted)
    assert set(counted.results["condition"]) == set(counted.table["condition"])
    assert set(counted.words["word_concept"]) <= set(counted.table["word_concept"])
    assert "novel-familiar" in counted._repr_html_()
    again = describe(score_all, toolkit.open_paradigm("me"), ["hasher"], languages=["en"])
    assert (counted.n_computed, again.n_computed, again.n_reused) == (3, 0, 3)


def test_spaces_are_those_of_the_command(
    ask: Any, describe: Any, tiny_set: StimulusSet, subjects_dir: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    run = ask(**SMALL, languages="en")
    options = {"languages": "en", "n_bootstrap": 5, "map_seeds": 0, "run": run}
    made = describe(analyze_space, "hasher", **options)
    printed = of_command(
        monkeypatch, capsys, "analyze-space", "--subject", "hasher", "--language", "en",
        "--stimuli", tiny_set.folder, "--subjects", subjects_dir, "--bootstrap", "5",
        "--map-seeds", "0", "--run", run.folder, "--out", tmp_path / "others",
    )  # fmt: skip
    other = tmp_path / "others" / made.folder.name
    assert "variance" in made.tables
    for name in made.tables:
        file = f"{name}.parquet"
        assert (made.folder / file).read_bytes() == (other / file).read_bytes(), name
    assert one_line(repr(made)).replace(str(made.folder), str(other)) == printed
    shown = made._repr_html_()
    assert shown.count("<table") == repr(made).count("95 % interval")
    assert "hasher" in shown


def test_markup_in_names_is_text_in_spaces_and_triples(describe: Any, subjects_dir: Path) -> None:
    hasher = open_population("hasher", subjects_dir)
    name = "<script>[bold]&x"
    odd = Population(name, ("en",), ("a", "b"), "Odd.", lambda p, s: hasher.load(s))
    for made in (
        describe(score_all, "familiar", odd),
        describe(analyze_space, odd, n_bootstrap=0, map_seeds=0),
    ):
        assert "<script>" not in made._repr_html_()
        assert "&lt;script&gt;[bold]&amp;x" in made._repr_html_()
        assert name in repr(made)


@pytest.mark.parametrize(
    ("function", "given", "options", "expected"),
    [
        (score_all, ("em", "hasher"), {}, "There is no paradigm 'em'"),
        (score_all, ("me", "haser"), {}, "There is no population 'haser'"),
        (score_all, ("me", "hasher"), {"jobs": 0}, "jobs must be a whole number from 1 on"),
        (score_all, ("translation", "hasher"), {}, "translation"),
        (score_all, ("me", "perfect"), {"subjects_dir": None}, "answers from a trial list"),
        (analyze_space, ("haser",), {}, "There is no population 'haser'"),
        (analyze_space, ([],), {}, "No population was named"),
        (analyze_space, ("hasher",), {"per_class": 0}, "per_class must be a whole number"),
        (analyze_space, ("hasher",), {"n_bootstrap": -1}, "n_bootstrap must be a whole number"),
        (analyze_space, ("hasher",), {"map_seeds": 0.5}, "map_seeds must be a whole number"),
        (analyze_space, ("hasher",), {"seed": "x"}, "seed must be a whole number"),
        (analyze_space, ("hasher",), {"run": "nowhere"}, "nowhere"),
    ],
)
def test_what_cannot_be_described_is_refused(
    describe: Any, tmp_path: Path, function: Any, given: Any, options: Any, expected: str
) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ToolkitError, match=expected):
        describe(function, *given, **options)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


def test_a_run_is_found_again_and_says_what_it_is(ask: Any) -> None:
    run = ask(**SMALL)
    again = open_run(run.folder)
    pd.testing.assert_frame_equal(again.trials, run.trials)
    assert again.manifest == run.manifest
    assert (run.n_computed, run.n_reused) == (6, 0)
    assert (again.n_computed, again.n_reused) == (0, 6)
    mean = run.trials.groupby("condition", observed=True)["correct"].mean()["novel-familiar"]
    shown = run.results.query("condition == 'novel-familiar'")["mean"]
    assert shown.mean() == pytest.approx(mean)
    assert f"0 cells computed, 6 reused, 0.0 s. Written to {run.folder}" in one_line(repr(again))
    answers = dict(run.analyse()["me"]["answers"])
    assert set(answers) == set(dict(again.analyse()["me"]["answers"]))
    page = again.report(n_trials=2)
    assert page == run.folder / "report.html"
    assert next(iter(answers.values())).partition(" in ")[0] in page.read_text()


def test_folders_that_hold_no_finished_run_are_told_apart(ask: Any, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="There is no run folder"):
        open_run(tmp_path / "none")
    run = ask(**SMALL)
    with pytest.raises(ToolkitError, match="There is no trials table") as caught:
        open_run(tmp_path / "runs")
    assert caught.value.nearest == str(run.folder)
    (run.folder / "trials.parquet").unlink()
    with pytest.raises(ToolkitError, match="was not finished: it has no trials"):
        open_run(run.folder)
    told = json.loads((run.folder / "manifest.json").read_text())
    own = ["mevgs-toolkit", "run-paradigm", "me", "--subject", "my own"]
    told |= {"status": "running", "command": own}
    write_stored(run.folder / "manifest.json", json.dumps(told))
    with pytest.raises(ToolkitError, match="was not finished") as caught:
        open_run(str(run.folder))
    assert caught.value.next_command == "mevgs-toolkit run-paradigm me --subject 'my own'"


def test_markup_in_names_is_shown_as_text(ask: Any, subjects_dir: Path) -> None:
    hasher = open_population("hasher", subjects_dir)
    name = "<script>[bold]&x"
    odd = Population(name, ("en",), ("a",), "Odd.", lambda p, s: hasher.load(s))
    run = ask("familiar", [odd], languages=["en", "nl"], **SMALL)
    statistics = run.analyse()
    for shown in (run._repr_html_(), statistics._repr_html_()):
        assert "<script>" not in shown
        assert "&lt;script&gt;[bold]&amp;x" in shown
    assert name in repr(run)
    assert name in repr(statistics)


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"jobs": 0}, "jobs must be a whole number from 1 to 1,024"),
        ({"trials_per_class": 0}, "trials_per_class must be a whole number from 1 to 100,000"),
        ({"jobs": 2**31}, "jobs must be a whole number from 1 to 1,024"),
        ({"trials_per_class": 99999999999}, "a whole number from 1 to 100,000"),
        ({"trials_per_class": 2.5}, "trials_per_class must be a whole number"),
        ({"trials_per_class": "50"}, "trials_per_class must be a whole number"),
        ({"trials_per_class": np.int16(-1)}, "given: trials_per_class=-1"),
        ({"trial_seed": -1}, "trial_seed must be a whole number from 0 on"),
        ({"templates": "bare"}, "--template means nothing here: words are spoken in 'me'"),
        ({"words": "words.toml"}, "words"),
        ({"paradigm": "em"}, "There is no paradigm 'em'"),
        ({"subjects": "haser"}, "There is no population 'haser'"),
        ({"subjects": []}, "No population was named"),
        ({"languages": "ln"}, "no language 'ln' in the stimulus set 'tiny'"),
        ({"stimuli": "mimi"}, "There is no stimulus set 'mimi'"),
        ({"paradigm": "dense-grounding", "trials_per_class": 2}, "--trials-per-class means"),
        ({"paradigm": "dense-grounding", "trial_seed": 0}, "--trial-seed means nothing here"),
    ],
)
def test_what_cannot_be_asked_is_refused_and_leaves_nothing_behind(
    ask: Any, tmp_path: Path, options: dict[str, Any], expected: str
) -> None:
    before = sorted(path.name for path in tmp_path.iterdir())
    with pytest.raises(ToolkitError, match=expected):
        ask(**options)
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"alpha": 0}, "alpha must lie between 0.0001 and 0.5"),
        ({"alpha": "0.05x"}, "alpha must lie"),
        ({"bound": 5}, "bound must lie between 0.001 and 1"),
        ({"n_bootstrap": -1}, "n_bootstrap must be a whole number"),
        ({"gate": ("familiar-novel", 60)}, "gate's share must lie between 0 and 1"),
        ({"gate": ("familiar-nvel", 0.6)}, "familiar-nvel"),
    ],
)
def test_settings_out_of_range_are_refused(
    ask: Any, options: dict[str, Any], expected: str
) -> None:
    run = ask(**SMALL)
    with pytest.raises(ToolkitError, match=expected):
        run.analyse(**options)
    assert not (run.folder / "statistics.json").exists()


def test_one_is_as_good_as_a_list_of_one(ask: Any) -> None:
    one = ask("me", "hasher/a", languages="en", **SMALL)
    several = ask("me", ["hasher/a"], languages=("en",), **SMALL)
    assert one.folder == several.folder
    assert (several.n_computed, several.n_reused) == (0, 1)


def test_a_paradigm_is_taken_by_name_or_as_it_was_opened(ask: Any, tmp_path: Path) -> None:
    me = toolkit.open_paradigm("me")
    assert ask(me, **SMALL).folder == ask("me", **SMALL).folder
    source = (ROOT / "paradigms" / "familiar.py").read_text()
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.py").write_text(source.replace('"familiar", v', '"mine", v'))
    mine = toolkit.open_paradigm("mine", own)
    run = ask(mine, paradigms_dir=own, **SMALL)
    assert set(open_run(run.folder, own).analyse()) == {"mine"}
    with pytest.raises(ToolkitError, match="There is no paradigm 'mine'"):
        ask(mine)
    (own / "mine.py").write_text(source.replace('"familiar", v', '"mine", v') + "# changed\n")
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "mine.py").write_text(source.replace('"familiar", v', '"mine", v'))
    with pytest.raises(ToolkitError, match="is another one than the file of that name defines"):
        ask(toolkit.open_paradigm("mine", tmp_path / "other"), paradigms_dir=own)


def printed_page() -> str:
    """What the page about Python tells to run."""
    page = (ROOT / "docs" / "python.md").read_text(encoding="utf-8")
    return page.partition("```python\n")[2].partition("```")[0]


def test_the_page_about_python_runs_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = '["bilingual-en-nl"]'
    page = printed_page()
    assert page.count(asked) == 1
    small = '["random/a", "random/b", "random/c"], trials_per_class=3'
    monkeypatch.chdir(tmp_path)
    exec(compile(page.replace(asked, small), "python.md", "exec"), {})
    out = capsys.readouterr().out
    for expected in (
        "Controls",
        "novel-familiar",
        "Above chance?",
        "(Intercept)",
        "seeds per group",
        "triples in",
        "Modality gap",
    ):
        assert expected in out
    assert (tmp_path / "me.html").stat().st_size > 100_000
    assert len(list(tmp_path.glob("mevgs-runs/me-random-*/statistics.json"))) == 1
