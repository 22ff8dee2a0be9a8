"""What a new user types wrongly: one message, what was given, what is allowed, what to type."""

from __future__ import annotations

import shlex

import pytest

from tests.commands import Cli

ME = "run-paradigm me --subject bilingual-en-nl"


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ("run-paradigm", ["needs NAME.", "allowed: Paradigm", f"try: mevgs-toolkit {ME}"]),
        ("run-paradigm me", ["needs --subject.", f"try: mevgs-toolkit {ME}"]),
        ("run-paradigm me --subjct random", ["no option '--subjct'", "did you mean: --subject"]),
        (f"{ME} --seeds 3", ["no option '--seeds'", "did you mean: --trial-seed", "--help"]),
        (f"{ME} --trials-per-class 0", ["cannot take '0' for --trials-per-class", "1 or more"]),
        (f"{ME} --trials-per-class fifty", ["cannot take 'fifty'", "allowed: a whole number"]),
        (f"{ME} --format yaml", ["cannot take 'yaml' for --format.", "allowed: table, json"]),
        ("power --difference 1,3 --seed-sd 3", ["given: 1,3", "a number, with a point: 1.3"]),
        ("power --difference", ["requires an argument.", "try: mevgs-toolkit"]),
        ("run-pardigm me", ["no command 'run-pardigm'", "did you mean: run-paradigm"]),
        ("list subject", ["'subject' for KIND", "did you mean: subjects", "list subjects"]),
        ("run-study study.toml --executor slrum", ["did you mean: slurm", "local, slurm, chunks"]),
        ("describe me familiar", ["extra argument", "try: mevgs-toolkit describe me"]),
        ("--verison", ["no option '--verison'", "did you mean: --version"]),
        ("run-paradigm mutual-exclusivity --subject random", ["did you mean: me\n"]),
        ("run-paradigm me --subject bilingual", ["mean: bilingual-en-fr, bilingual-en-nl,"]),
        ("run-paradigm me --subject perfect,random", ["try: the same again with --subject perfect "
                                                      "--subject random"]),
        ("run-paradigm me --subject random/z", ["of population 'random' called 'z'"]),
        (f"{ME} --device gpu", ["did you mean: auto"]),
        ("extract-features nowhere --out f", ["There is no stimulus set 'nowhere'"]),
        ("new-words . --languages en", ["There are no pictures.", "folders of them by concept"]),
    ],
)  # fmt: skip
def test_one_message_says_what_to_do(cli: Cli, typed: str, told: list[str]) -> None:
    said = cli(*shlex.split(typed))
    assert said.code == 2
    assert said.out == ""
    assert said.err.startswith("Error: ")
    assert said.err.count("Error") == 1
    for part in told:
        assert part in said.err


def test_a_code_is_not_taken_for_another_one(cli: Cli) -> None:
    said = cli(*f"{ME} --language de".split())
    assert said.code == 2
    assert "did you mean" not in said.err
    assert "allowed: en, nl, fr" in said.err


def test_nothing_typed_shows_the_help(cli: Cli) -> None:
    said = cli()
    assert "Start with:" in said.out + said.err
    assert "Error" not in said.out + said.err
