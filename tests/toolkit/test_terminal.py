"""What one meets first on the terminal: help, version, completion, patterns, progress."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from stimuli.sets import StimulusSet
from tests.commands import Cli
from toolkit.cli import progress
from toolkit.cli.app import app
from toolkit.cli.tasks import TASKS
from toolkit.provenance import package_version


@pytest.fixture
def run(cli: Cli, tiny_set: StimulusSet, subjects_dir: Path) -> Path:
    """A finished run, its folder."""
    said = cli(
        "run-paradigm", "me", "--subject", "hasher", "--subjects", subjects_dir,
        "--stimuli", tiny_set.folder, "--no-report", "--trials-per-class", "2",
    )  # fmt: skip
    assert said.code == 0
    return next(Path("mevgs-runs").glob("me-hasher-*"))


def test_version_is_told_in_one_line(cli: Cli) -> None:
    said = cli("--version")
    assert said == (0, f"mevgs-toolkit {package_version('mevgs-toolkit')}\n", "")


def test_help_lists_every_command_once_by_its_task(cli: Cli) -> None:
    text = cli("--help").out
    assert text.index("mevgs-toolkit run-paradigm me") < text.index(f"{TASKS[0]}:")
    for command in app.registered_commands:
        name = command.name or command.callback.__name__.replace("_", "-")  # type: ignore[union-attr]
        assert command.rich_help_panel in TASKS, name
        lines = [line for line in text.splitlines() if line.split()[:1] == [name]]
        assert len(lines) == 1, name


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("run-paradigm fam", ["familiar"]),
        ("run-paradigm me --subject monolingual-e", ["monolingual-en", "monolingual-en-draws"]),
        ("run-paradigm me --subject untrained/a", ["untrained/a"]),
        ("run-paradigm me --language n", ["nl"]),
        ("run-paradigm dense-grounding --stimuli scenes --language zh", ["zh-CN", "zh-TW"]),
        ("run-paradigm me --stimuli mini-d", ["mini-draws"]),
        ("describe famil", ["familiar", "familiar-seeker"]),
        ("run-paradigm me --subjects no-such-folder --subject b", []),
    ],
)
def test_names_are_completed(
    words: str, expected: list[str], cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = f"mevgs-toolkit {words}"
    monkeypatch.setenv("_MEVGS_TOOLKIT_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", typed)
    monkeypatch.setenv("COMP_CWORD", str(len(typed.split()) - 1))
    said = cli()
    assert (said.out.split(), said.err) == (expected, "")


@pytest.mark.parametrize("command", [("analyze",), ("table",), ("report", "-o", "page.html")])
def test_what_a_pattern_finds_beside_runs_is_named_and_left_out(
    command: tuple[str, ...], run: Path, cli: Cli
) -> None:
    begun = run.with_name("me-hasher-begun")
    begun.mkdir()
    (begun / "manifest.json").write_text('{"status": "running", "command": ["again"]}')
    counts = run.with_name("me-all-hasher")
    counts.mkdir()
    (counts / "exhaustive.parquet").touch()
    found = sorted(run.parent.iterdir())
    assert {"cells", "embeddings"} < {path.name for path in found}
    said = cli(*command, *found)
    assert said.code == 0
    told = said.err.splitlines()
    for place, why in (
        (run.with_name("cells"), "it holds finished cells of runs."),
        (run.with_name("embeddings"), "it holds embeddings of stimuli."),
        (counts, "it holds exact accuracies of score-all."),
        (begun, "it was not finished; to finish it: again."),
    ):
        assert f"Note: {place} is left out: {why}" in told
    alone = cli(*command, counts)
    assert alone.code == 2
    assert "it holds exact accuracies of score-all" in alone.err


def test_language_by_its_name_is_understood(cli: Cli) -> None:
    said = cli("run-paradigm", "me", "--subject", "perfect", "--language", "English")
    assert said.code == 2
    assert "There is no language 'English' in the stimulus set 'mini'." in said.err
    assert "did you mean: en\n" in said.err


def test_population_and_languages_exclude_each_other(cli: Cli) -> None:
    said = cli("train", "--population", "monolingual-en", "--languages", "en", "--out", "trained")
    assert said.code == 2
    assert "--population monolingual-en, --languages en" in said.err
    assert not Path("trained").exists()


def test_bars_tell_the_time_left_and_go_when_all_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = io.StringIO()
    terminal = Console(file=drawn, force_terminal=True, width=100)
    monkeypatch.setattr(progress, "console", lambda **_: terminal)
    with progress.bars() as draw:
        draw("embedding words", 1, 4)
        draw("bilingual-en-nl/a", 2, 2, "loss 0.100", stays=False)
        draw("bilingual-en-nl/a", 1, 2, "loss 0.200")
    text = drawn.getvalue()
    for expected in ("embedding words", "1/4", "left:", "loss 0.200"):
        assert expected in text
    with progress.working("Fitting", show=True):
        pass
    assert "Fitting ..." in drawn.getvalue()


def test_nothing_is_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.progress_bars(show=True) as told, progress.working("Fitting", show=True):
        told("embedding words", 1, 4)
    assert capsys.readouterr() == ("", "")
