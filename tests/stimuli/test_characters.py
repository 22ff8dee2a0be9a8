"""Characters that are not seen are refused where they come in, or shown escaped where they go."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reports.drawing import svg
from reports.terminal import console, table
from stimuli import StimulusSet, open_set
from stimuli.cells import csv_text, guarded, guarded_table, unguarded, unguarded_table
from stimuli.characters import HIDDEN, shown
from stimuli.errors import ToolkitError
from stimuli.tables import read_table
from stimuli.texts import read_text, read_toml
from stimuli.writing import write_set
from toolkit.subjects.population import read_population
from toolkit.tables.longtable import read_run, write_long
from toolkit.tables.values import tidied

SIGNS = ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\u2028", "\u2029", "\u202e", "\u2066"]
"""One of each kind: control characters, separators of lines, overrides of direction."""
FORMULAS = ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "'=1", "''@x", "=", "-",
            "+3", "-\u0663"]  # fmt: skip
PLAIN = [
    "dog",
    "",
    "'t is",
    "a=b",
    "-0.5",
    "-1e-7",
    "1e5",
    "-inf",
    ".5",
    "-.5",
    "'",
    "\u2212 1",
]


@pytest.mark.parametrize("sign", SIGNS)
def test_hidden_characters_of_text_files_are_refused_with_their_line(
    sign: str, tmp_path: Path
) -> None:
    path = tmp_path / "list.txt"
    path.write_text(f"cat\ndo{sign}g\n", encoding="utf-8", newline="")
    with pytest.raises(ToolkitError) as caught:
        read_text(path)
    assert caught.value.given in (f"{shown(sign)} in line 2", None) or "UTF-16" in str(caught.value)
    assert not HIDDEN.search(str(caught.value).replace("\n", ""))


@pytest.mark.parametrize(
    "text", ['name = "a\\u202eb"', '[languages]\nx = ["\\u0007"]', '"\\u2028" = 1']
)
def test_hidden_characters_behind_escapes_are_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "set.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ToolkitError, match="not seen, or that hides"):
        read_toml(tmp_path / "set.toml")


def test_letters_that_need_joiners_and_texts_of_several_lines_are_left_alone(
    tmp_path: Path,
) -> None:
    text = (
        'name = "\u0646\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"\ndescription = "a\\nb\\tc"'
    )
    (tmp_path / "set.toml").write_text(text, encoding="utf-8")
    assert read_toml(tmp_path / "set.toml")["description"] == "a\nb\tc"


@pytest.mark.parametrize("cell", ['"dog\ncat"', '"dog\tcat"', "dog\tcat"])
def test_a_cell_of_a_set_is_one_line(cell: str, tmp_path: Path) -> None:
    (tmp_path / "stimuli.csv").write_text(f"id,concept\n1,{cell}\n", encoding="utf-8")
    with pytest.raises(ToolkitError, match="a cell of several lines, or with a tab"):
        read_table(tmp_path / "stimuli.csv")


@pytest.mark.parametrize("key", ["name", "languages", "seeds"])
def test_names_of_a_population_hold_no_line_breaks(key: str, tmp_path: Path) -> None:
    lines = {
        "name": '"own"', "description": '"Own."', "languages": '["en"]', "seeds": '["a"]',
        "factory": '"own:load"',
    }  # fmt: skip
    lines[key] = '["a\\nb"]' if key != "name" else '"a\\nb"'
    told = "\n".join(f"{name} = {value}" for name, value in lines.items())
    (tmp_path / "population.toml").write_text(told)
    with pytest.raises(ToolkitError, match=rf"{key}.* cannot be used.*\n.*\n.*hidden signs"):
        read_population(tmp_path)


@pytest.mark.parametrize("name", ["a\x1b[31m.png", "a\u202egnp.png", "a\nb.png"])
def test_names_of_pictures_are_seen(name: str, tmp_path: Path, tiny_set: StimulusSet) -> None:
    picture = next(tiny_set.folder.rglob("*.png"))
    shutil.copy(picture, tmp_path / name)
    with pytest.raises(ToolkitError, match="characters that are not seen") as caught:
        open_set(tmp_path).check()
    assert not HIDDEN.search(str(caught.value).replace("\n", ""))


@pytest.mark.parametrize("sign", SIGNS[1:])
def test_hidden_characters_of_tables_are_refused(sign: str, tmp_path: Path) -> None:
    names = pd.DataFrame({"word": ["dog", f"d{sign}g"]})
    with pytest.raises(ToolkitError, match="The column word holds a character"):
        tidied(names)
    rows = pd.DataFrame(
        {
            "source": "s", "paradigm": "me", "population": f"child{sign}ren", "seed": ["a", "b"],
            "test_language": "en", "condition": "novel-familiar", "word_concept": "dax",
            "correct": 1, "trial": 1,
        }
    )  # fmt: skip
    write_long(rows, tmp_path / "long.parquet")
    with pytest.raises(ToolkitError, match="column population holds the hidden character"):
        read_run(tmp_path / "long.parquet")


@pytest.mark.parametrize("sign", SIGNS)
def test_errors_terminal_and_figures_show_them_escaped(
    sign: str, capsys: pytest.CaptureFixture[str]
) -> None:
    name = f"do{sign}g"
    error = ToolkitError(f"There is no {name}.", given=name, allowed=name, next_command=name)
    assert str(error).count(f"do{shown(sign)}g") == 4
    made = table("word")
    made.add_row(name)
    console().print(made)
    console().print(f"A {name}")
    out = capsys.readouterr().out
    assert out.count(f"do{shown(sign)}g") == 2
    drawn = svg(
        {
            "data": {"values": [{"a": name}]}, "mark": "text", "title": name,
            "encoding": {"text": {"field": "a"}},
        },
        "figure",
    )  # fmt: skip
    assert drawn.count(f"do{shown(sign)}g") >= 2
    assert not HIDDEN.search(drawn.replace("\n", ""))


@pytest.mark.parametrize("text", FORMULAS)
def test_text_that_a_spreadsheet_computes_stays_text_and_is_read_back(text: str) -> None:
    assert guarded(text).startswith("'")
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_numbers_and_plain_text_are_written_as_they_are(text: str) -> None:
    assert guarded(text) == text == unguarded(text)


def test_tables_are_guarded_in_every_column_of_text_and_no_other(tmp_path: Path) -> None:
    words = [*FORMULAS, *PLAIN]
    made = pd.DataFrame(
        {
            "word": words,
            "kind": pd.Categorical(words),
            "=name": words,
            "score": np.linspace(-1, 1, len(words)),
        }
    )
    made.loc[0, "word"] = None
    written = guarded_table(made)
    assert str(written.columns[2]) == "'=name"
    assert written["score"].equals(made["score"])
    assert not written["kind"].astype(str).str.match(r"[=@\t]").any()
    back = unguarded_table(written)
    assert back["kind"].astype(str).tolist() == words
    assert back["=name"].tolist() == words
    assert back["word"].isna().tolist() == [True, *[False] * (len(words) - 1)]
    guarded_table(made[["=name"]]).to_csv(tmp_path / "t.csv", index=False)
    cells = read_table(tmp_path / "t.csv") if "\t=1" not in words else None
    assert cells is None or cells["=name"].tolist() == words
    assert csv_text([["=a", -1, 0.5, True]]) == "'=a,-1,0.5,True\n"


def test_a_set_with_formulas_for_names_is_read_back(tiny_set: StimulusSet, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_set.folder, tmp_path / "set"))
    rows = tiny_set.table.reset_index().to_dict("records")
    names = {"bear": "=bear", "key": "@key", "car": "-car"}
    for row in rows:
        row["concept"] = names.get(row["concept"], row["concept"])
    settings = {
        "name": "tiny", "version": "1", "title": "Tiny", "description": "Tiny.",
        "languages": ["en", "nl"], "licence": "CC0-1.0", "sample_rate_hz": 16000,
        "picture_size_px": 8,
    }  # fmt: skip
    write_set(folder, settings, rows)
    assert ",'=bear," in (folder / "stimuli.csv").read_text()
    found = open_set(folder)
    assert set(names.values()) <= set(found.table["concept"])
    assert found.check() == []


def test_messages_have_an_end() -> None:
    """Damaged files make names, lists and faults without end."""
    without_end = ToolkitError(
        "It has faults:\n" + "  one more\n" * 9_000,
        given="a" * 9_000,
        allowed="b" * 9_000,
        nearest="c" * 9_000,
        next_command="mevgs-toolkit list stimuli",
    )
    told = str(without_end)
    assert len(told) < 2_500
    assert "more lines" in told
    assert told.endswith("try: mevgs-toolkit list stimuli")
    assert len(str(without_end.message)) > 9_000
