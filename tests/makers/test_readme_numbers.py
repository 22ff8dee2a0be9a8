"""The pages say what the table of numbers says; what differs from new runs is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from makers import readme_numbers
from makers.readme_numbers import (
    BETWEEN,
    PAGES,
    TABLE,
    alike,
    differences,
    main,
    read_pages,
    read_table,
    write_table,
)
from makers.readme_text import HOLDS, SENTENCES, MismatchError, filled, put_in

KEPT = read_table(TABLE)
SAID = read_pages()


def test_the_pages_say_what_was_committed() -> None:
    assert filled(SAID, KEPT) == SAID


def test_every_number_that_was_committed_stands_in_the_pages() -> None:
    """Whatever number is changed in the table, the pages would change (or be refused)."""
    unused = []
    # The table of networks leaves out some intervals, and has no column of the gate.
    for name in (n for n in KEPT if not n.startswith(("interval/", "accuracy/familiar-novel/"))):
        try:
            if filled(SAID, KEPT | {name: "no" if name.startswith("holds/") else "77.7"}) == SAID:
                unused.append(name)
        except MismatchError:
            continue
    # Of translation, novel words are told as a range.
    assert all(name.startswith("translation/novel/bilingual") for name in unused), unused


@pytest.mark.parametrize("name", ["range/absent/low", "translation/chance/familiar"])
def test_a_number_that_the_runs_no_longer_give_is_told(name: str) -> None:
    assert not list(differences(KEPT, KEPT, SAID))
    found = KEPT | {name: "12.3"}
    assert list(differences(KEPT, found, SAID)) == [
        f"{name}: readme_numbers.csv has {KEPT[name]}, the runs give 12.3"
    ]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"| {KEPT['accuracy/novel-novel/untrained/nl']} |", "| 12.3 |"),
        (KEPT["first-run/0/03"], KEPT["first-run/0/03"].replace("50.0 %", "50.1 %")),
        (f"(familiar, {KEPT['range/familiar/low']}", "(familiar, 12.3"),
        (f"p {KEPT['statistics/welch/p']},", "p < .001,"),
    ],
)
def test_a_number_that_was_typed_into_a_page_is_told(before: str, after: str) -> None:
    assert before in SAID
    told = list(differences(KEPT, KEPT, SAID.replace(before, after)))
    assert any(line.startswith("-") and after in line for line in told), told


@pytest.mark.parametrize(
    "words", [HOLDS["no test differs from chance"], "<!-- numbers:networks -->"]
)
def test_what_the_pages_no_longer_say_is_told(words: str) -> None:
    broken, n = re.subn(re.escape(words).replace(r"\ ", r"\s+"), "", SAID)
    assert n == 1
    with pytest.raises(MismatchError):
        list(differences(KEPT, KEPT, broken))


@pytest.mark.parametrize("name", sorted(HOLDS))
def test_a_statement_that_no_longer_holds_is_told(name: str) -> None:
    with pytest.raises(MismatchError, match="answer 'no'"):
        filled(SAID, KEPT | {f"holds/{name}": "no"})


def test_sentences_are_found_however_their_lines_are_broken() -> None:
    numbers = {"low": "1.5", "p": "< .001", "x": "-.01 [-.2, .3]"}
    said = "from 2 to\n3 %, p = .04, change\n.5 [.1,\n.2] only"
    assert put_in(said, "from 2 to {low} %, p {p},", numbers).startswith(
        "from 2 to\n1.5 %, p < .001,"
    )
    assert put_in(said, "change {x} only", numbers).endswith("change\n-.01 [-.2, .3] only")
    for twice in ("from {low} to", "absent {low}"):
        with pytest.raises(MismatchError, match=r"say [02] times"):
            put_in(f"{said} {said}", twice, numbers)
    assert len(set(SENTENCES)) == len(SENTENCES)


@pytest.mark.parametrize(
    ("old", "new", "same"),
    [
        ("= .15", "= .16", True),
        ("= .15", "< .001", False),
        ("55.2 [53.6, 56.8]", "55.2 [53.6, 57.0]", False),
        ("yes", "no", False),
        ("1.08 [0.97, 1.20]", "1.08 [0.97, 1.19]", True),
        ("12", "14", False),
    ],
)
def test_new_runs_may_differ_in_the_last_digit_only(old: str, new: str, same: bool) -> None:
    assert alike(old, new) is same


def test_check_writes_nothing_and_its_exit_code_says_whether_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pages, table = [tmp_path / page.name for page in PAGES], tmp_path / "numbers.csv"
    monkeypatch.setattr(readme_numbers, "PAGES", pages)
    monkeypatch.setattr(readme_numbers, "TABLE", table)
    found = KEPT | {"range/test/low": "12.3"}
    monkeypatch.setattr(readme_numbers, "measure", lambda root: found)
    for page, text in zip(pages, SAID.split(BETWEEN), strict=True):
        page.write_text(text, encoding="utf-8")
    write_table(table, KEPT)
    before = table.read_bytes()
    assert main(["--check"]) == 1
    assert "range/test/low" in capsys.readouterr().out
    assert (read_pages(), table.read_bytes()) == (SAID, before)
    assert main([]) == 0
    assert "12.3 to" in read_pages()
    assert main(["--check"]) == 0
    assert capsys.readouterr().out == ""
    monkeypatch.setattr(readme_numbers, "measure", lambda root: dict.fromkeys(found, "no"))
    changed = read_pages()
    assert main([]) == 1
    assert read_pages() == changed
