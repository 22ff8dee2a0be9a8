"""Every block of code in the documentation runs, says what is quoted, or tells why it does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import Cli
from tests.docs.blocks import DOCS, ROOT, blocks, commands, globbed, says

ELSEWHERE = {
    "python.md": "tests/toolkit/test_api.py",
    "published-experiment.md": "tests/toolkit/test_published_way.py",
    "own-material.md": "tests/docs/test_studies.py",
    "own-checkpoint.md": "tests/docs/test_studies.py",
    "studies/*.md": "tests/docs/test_studies.py",
}
"""Pages whose code other tests run."""
NETWORKS = ("monolingual-", "bilingual-", "multilingual-", "untrained")
"""How names of included populations begin."""
SMALL = {
    "run-paradigm": ("--trials-per-class", "2"),
    "run-paradigm dense-grounding": ("--language", "de"),
    "analyze-space": ("--bootstrap", "5", "--map-seeds", "0"),
}
"""Options that make commands short, where they are not given already."""
PAGES = [
    page
    for page in (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))
    if not any(page.relative_to(page.parents[1]).match(name) for name in ELSEWHERE)
]


def small(words: list[str]) -> list[str]:
    """A command that does the same with one network, and few trials."""
    asked = [
        f"{word}/a" if word.startswith(NETWORKS) and before == "--subject" else word
        for before, word in zip(["", *words], words, strict=False)
    ]
    options = SMALL.get(" ".join(words[:2])) or SMALL.get(words[0], ())
    return asked if set(options) & set(words) else [*asked, *options]


def write_material(folder: Path) -> None:
    """Files that pages speak of as the reader's own."""
    (folder / "photos").mkdir()
    (folder / "answers.csv").write_text("speaker,item,score\n1,dog,1\n2,cat,0\n", encoding="utf-8")
    (folder / "words.csv").write_text("concept,word\ndog,hond\n", encoding="utf-8")


def run_blocks(page: Path, cli: Cli, folder: Path, made: Callable[[list[str]], list[str]]) -> None:
    """Run the code of a page in a folder, its commands made into others."""
    for block in (one for one in blocks(page) if one.why is None):
        if block.kind == "bash":
            for program, *words in commands(block.text):
                assert program == "mevgs-toolkit", f"{program} cannot be run here: say why not"
                done = cli(*made(globbed(words, folder)))
                assert done.code == 0, (words, done.err)
        elif block.kind == "python":
            few = '["random/a", "random/b", "random/c"], trials_per_class=2'
            exec(compile(block.text.replace('["bilingual-en-nl"]', few), page.name, "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_code_runs_as_printed_but_small(page: Path, cli: Cli, tmp_path: Path) -> None:
    write_material(tmp_path)
    run_blocks(page, cli, tmp_path, small)


@pytest.mark.slow
def test_the_commands_of_the_first_ten_minutes_run_as_printed(cli: Cli, tmp_path: Path) -> None:
    run_blocks(DOCS / "start.md", cli, tmp_path, list)


def quoted() -> list[tuple[str, str]]:
    """Commands that pages quote with what they say."""
    found = [block.text for page in PAGES for block in blocks(page) if block.kind == "console"]
    return [(text.partition("\n")[0], text.partition("\n")[2]) for text in found]


@pytest.mark.parametrize(("command", "said"), quoted(), ids=lambda text: text[:60])
def test_messages_are_quoted_as_they_are(command: str, said: str, cli: Cli, tmp_path: Path) -> None:
    if "--device cuda" in command:
        torch = pytest.importorskip("torch")
        if torch.cuda.is_available():
            pytest.skip("there is a card")
    write_material(tmp_path)
    done = cli(*command.removeprefix("$ mevgs-toolkit ").split())
    assert done.code == 2
    assert says(said, done.out + done.err), done.err


def test_tests_that_run_the_code_of_other_pages_are_there() -> None:
    for name, test in ELSEWHERE.items():
        assert (ROOT / test).is_file() or not list(DOCS.glob(name)), (name, test)


def test_blocks_say_in_which_language_they_are() -> None:
    for page in (ROOT / "README.md", *DOCS.rglob("*.md")):
        assert all(block.kind for block in blocks(page)), page.name


@pytest.mark.parametrize(
    ("text", "said", "same"),
    [
        ("a\n  ...\nb", "a\n  x\n  y\nb\n", True),
        ("a in ...", "a in /somewhere/else", True),
        ("a", "a b", False),
        ("a\n...", "b\nc", False),
    ],
)
def test_dots_stand_for_anything(text: str, said: str, same: bool) -> None:
    assert says(text, said) is same
