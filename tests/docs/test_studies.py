"""The worked pages of the documentation are run, and say what comes out of their commands."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from makers import study_pages
from makers.readme_text import MismatchError
from makers.study_blocks import ROOT, carry_out, commands_of, parts_of
from makers.study_pages import PAGES, Changes, differences, main, worked
from tests import slurm_node

NEEDS_SLURM = slurm_node.why_not()
NEEDS_ESPEAK = None if shutil.which("espeak-ng") else "needs espeak-ng: apt-get install espeak-ng"
SMALLER: Mapping[str, Changes] = {
    "own-language": (("n_updates=200", "n_updates=40"),),
    "dense-grounding": (
        (
            "--subject multilingual-clip\n",
            "--subject multilingual-clip/a --language de --language lb --language eu "
            "--language fr --language ar --language es\n",
        ),
    ),
}
"""What is smaller in the quick run of a dear page, which then need not print the same numbers."""


DEAR = sorted({*SMALLER, "when-does-me-appear"})
"""Pages whose commands take minutes: whole in a slow test."""
STUDY = """\
```bash
mevgs-toolkit run-study study.toml --jobs 1
mevgs-toolkit analyze study-results/runs/me-*
```
<!-- output: Against chance; novel-familiar - absent-familiar: -->
<!-- /output -->
"""
"""Of the page about when mutual exclusivity appears, what is done with less in every run."""
SHORTER = (
    ("n_updates = 200", "n_updates = 6"),
    ("warmup_updates = 20", "warmup_updates = 2"),
    ("word_views = 2", "word_views = 1"),
    ("picture_views = 4", "picture_views = 1"),
    ("familiar_draws = 5", "familiar_draws = 3"),
    ('size = ["xsm", "sm"] ', 'size = ["xsm"] '),
    ("exemplars = [2, 30]", "exemplars = [2]"),
    ("trials_per_class = 10", "trials_per_class = 2"),
)
"""The same with two populations of three networks, hardly trained."""


def skipped(name: str) -> str | None:
    """Why a page cannot be run here."""
    return {"cluster": NEEDS_SLURM, "own-language": NEEDS_ESPEAK}.get(name)


@pytest.mark.parametrize("name", sorted(PAGES.keys() - set(DEAR)))
def test_a_page_says_what_its_commands_print(name: str, tmp_path: Path) -> None:
    if reason := skipped(name):
        pytest.skip(reason)
    done = worked(name, tmp_path)
    assert not list(differences(PAGES[name].read_text(encoding="utf-8"), done))


@pytest.mark.parametrize("name", sorted(SMALLER))
def test_a_dear_page_works_with_less(name: str, tmp_path: Path) -> None:
    if reason := skipped(name):
        pytest.skip(reason)
    done = worked(name, tmp_path, SMALLER[name])
    assert done.text.count("<!-- output") == PAGES[name].read_text("utf-8").count("<!-- output")


def test_the_study_of_when_it_appears_is_carried_out(tmp_path: Path) -> None:
    for file in ("study.toml", "grid.toml"):
        text = (PAGES["when-does-me-appear"].with_suffix("") / file).read_text(encoding="utf-8")
        for old, new in SHORTER:
            text = text.replace(old, new)
        (tmp_path / file).write_text(text, encoding="utf-8")
    done = carry_out(STUDY, tmp_path)
    for n_concepts in (6, 24):
        assert done.text.count(f"\nmonolingual-en-draws_familiar-concepts-{n_concepts}, en") == 2
    assert (tmp_path / "study-results" / "report.html").is_file()


@pytest.mark.slow
@pytest.mark.parametrize("name", DEAR)
def test_a_dear_page_says_what_its_commands_print(name: str, tmp_path: Path) -> None:
    if reason := skipped(name):
        pytest.skip(reason)
    done = worked(name, tmp_path)
    assert not list(differences(PAGES[name].read_text(encoding="utf-8"), done))


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_is_short_and_says_what_may_be_concluded(name: str) -> None:
    page = PAGES[name].read_text(encoding="utf-8")
    assert len(page.splitlines()) < 180
    assert "## What may be concluded" in page
    assert "<!-- output" in page
    outputs = re.findall(r"<!-- output[^\n]*-->\n(.*?)<!-- /output -->", page, re.S)
    assert all(text.startswith("```text\n") and text.count("\n") > 2 for text in outputs)


def test_every_page_is_listed() -> None:
    index = (ROOT / "docs" / "studies" / "index.md").read_text(encoding="utf-8")
    assert all(f"{name}.md" in index for name in PAGES)


PAGE = """\
Title: {commands} commands and about 0.0 minutes of processor time.

```toml title="files/one.toml"
answer = 42
```

```bash
cat files/one.toml && echo
mevgs-toolkit version \\
  --help
```

<!-- output: answer; Usage -->
old
<!-- /output -->

<!-- not run: it would fail -->
```bash
mevgs-toolkit nothing
```

```python
print("- one\\n  more\\n- two")
```

<!-- output: - one -->
<!-- /output -->
"""


def test_blocks_are_run_and_filled_in(tmp_path: Path) -> None:
    done = carry_out(PAGE.replace("{commands}", "7"), tmp_path)
    assert "Title: 1 commands" in done.text
    assert "```text\nanswer = 42\n\nUsage: mevgs-toolkit version" in done.text
    assert "```text\n- one\n  more\n```\n<!-- /output -->" in done.text
    assert "old" not in done.text
    assert list(commands_of(PAGE)) == ["mevgs-toolkit version --help"]
    # Run again, it says the same; a number that was typed is told, the last digit is not.
    again = carry_out(done.text, tmp_path / "again")
    assert not list(differences(done.text, again))
    for typed, told in (("77", True), ("43", False), ("41", False), ("4.2", True)):
        said = done.text.replace("```text\nanswer = 42", f"```text\nanswer = {typed}")
        assert ("+answer = 42" in list(differences(said, again))) is told


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mevgs-toolkit version", "mevgs-toolkit versions", "There is no command"),
        ("answer; Usage", "answers", "nothing that begins with 'answers'"),
    ],
)
def test_what_fails_or_is_not_printed_is_told(
    old: str, new: str, message: str, tmp_path: Path
) -> None:
    with pytest.raises(MismatchError, match=message):
        carry_out(PAGE.replace("{commands}", "7").replace(old, new), tmp_path)


def test_parts_end_where_they_should() -> None:
    printed = "A: 1\nmore\n\n- b\n  more\n- c\n"
    assert list(parts_of(printed, "A; - b")) == ["A: 1", "more", "- b", "  more"]
    assert list(parts_of(printed + "\nB\n", "A; B")) == ["A: 1", "more", "", "B"]
    assert list(parts_of(printed, None))[-1] == "- c"


def test_check_writes_nothing_and_its_exit_code_says_whether_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "small.md"
    page.write_text("```bash\necho 42\n```\n<!-- output -->\n<!-- /output -->\n", encoding="utf-8")
    monkeypatch.setattr(study_pages, "PAGES", {"small": page})
    before = page.read_bytes()
    assert main(["--check"]) == 1
    assert "small: +42" in capsys.readouterr().out
    assert page.read_bytes() == before
    assert main(["small"]) == 0
    assert main(["--check", "small"]) == 0
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit):
        main(["other"])
    with pytest.raises(MismatchError, match="neither the page nor its files hold"):
        worked("small", tmp_path / "run", [("nowhere", "")])
