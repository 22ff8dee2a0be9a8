"""Text tables whose rows do not fit their header: read rightly, or refused with row and field."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolkit.errors import ToolkitError
from toolkit.tables.delimited import read_delimited, same_names

ROWS = [["c1", "dax", "1"], ["c1", "wug", "0"], ["c2", "dax", "1"]]
EXPECTED = {"child": ["c1", "c1", "c2"], "word": ["dax", "wug", "dax"], "correct": ["1", "0", "1"]}


def written(folder: Path, lines: list[str], encoding: str = "utf-8") -> Path:
    path = folder / "study.csv"
    path.write_bytes("\n".join([*lines, ""]).encode(encoding))
    return path


def lines(separator: str = ",", *, end: str = "", start: bool = False) -> list[str]:
    """The table, with something behind every row, or row numbers before every row."""
    numbered = [[str(n), *row] if start else row for n, row in enumerate(ROWS, 1)]
    return [separator.join(["child", "word", "correct"])] + [
        separator.join(row) + end for row in numbered
    ]


def read(path: Path) -> dict[str, list[str]]:
    return read_delimited(path, {"child"})[0].to_dict("list")


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("n_more", [1, 2])
def test_separators_at_the_end_of_every_row_shift_nothing(
    tmp_path: Path, separator: str, n_more: int
) -> None:
    path = written(tmp_path, lines(separator, end=separator * n_more))
    assert read(path) == EXPECTED
    assert read_delimited(path)[1] == [
        "Every row ends with an empty field that has no name; it was left out."
    ]
    # The same with the header ending so as well, or the header alone.
    for end in (separator, ""):
        own = lines(separator, end=end)
        assert read(written(tmp_path, [own[0] + separator, *own[1:]])) == EXPECTED


def test_row_numbers_of_the_file_are_not_taken_for_those_of_r(tmp_path: Path) -> None:
    """Numbers in a column of their own, and one field too many behind: every column would shift."""
    own = ["row,child,word,correct,left"] + [
        f"{n},c1,dax,{n % 2},{1 - n % 2},late" for n in range(1, 5)
    ]
    with pytest.raises(ToolkitError) as error:
        read(written(tmp_path, own))
    assert "the header has 5 names, but row 1 (line 2) has 6 fields, the surplus is 'late'" in str(
        error.value
    )
    own = [line.removesuffix("late") for line in own]
    assert read(written(tmp_path, own))["correct"] == ["1", "0", "1", "0"]


@pytest.mark.parametrize(
    ("separator", "quotes"), [(",", True), (";", True), ("\t", True), (",", False)]
)
def test_row_names_of_r_are_left_out(tmp_path: Path, separator: str, quotes: bool) -> None:
    """``write.table(table, sep = ...)``: text and row names in quotation marks, numbers bare."""
    made = lines(separator, start=True)
    if quotes:
        made = [made[0].replace("child", '"child"')] + [
            separator.join(
                [f'"{field}"' if n < 3 else field for n, field in enumerate(line.split(separator))]
            )
            for line in made[1:]
        ]
    path = written(tmp_path, made)
    assert read(path) == EXPECTED
    assert "R's row names" in read_delimited(path, {"child"})[1][0]


def test_row_names_of_a_sorted_table_are_left_out(tmp_path: Path) -> None:
    made = ['"word","correct"', '"17","dax",1', '"4","wug",0']
    assert read(written(tmp_path, made)) == {"word": ["dax", "wug"], "correct": ["1", "0"]}


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((2, "c1,wug,0,x"), "row 2 (line 3) has 4 fields, the surplus is 'x'"),
        ((3, "c2,dax,1,"), "row 3 (line 4) has 4 fields, the surplus is ''"),
        ((2, "c1,wug"), "row 2 (line 3) has 2 fields, nothing stands under correct"),
        ((1, "c1,dax, blue,1"), "row 1 (line 2) has 4 fields, the surplus is '1'"),
        ((1, '"c\n1",dax,1,x'), "row 1 (line 3) has 4 fields"),
        ((1, ""), ""),
        ((2, ",,"), ""),
    ],
)
def test_rows_that_do_not_fit_are_named(
    tmp_path: Path, change: tuple[int, str], expected: str
) -> None:
    own = lines()
    own[change[0]] = change[1]
    path = written(tmp_path, own)
    if not expected:
        # A blank row is no row.
        assert len(read(path)["child"]) == 2
        return
    with pytest.raises(ToolkitError) as error:
        read(path)
    assert f"the header has 3 names, but {expected}" in str(error.value)
    assert "1 of 3 rows with another number of fields" in str(error.value)


@pytest.mark.parametrize("mark", ["utf-8", "utf-8-sig", "utf-16"])
def test_marks_of_spreadsheets_are_no_text(tmp_path: Path, mark: str) -> None:
    own = ["sep=;", *lines(";")]
    own[2] = own[2].replace("dax", "béf")
    assert read(written(tmp_path, own, mark))["word"] == ["béf", "wug", "dax"]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "is empty"),
        (b"\n \n", "is empty"),
        (b"child\nc1\n", "one column only"),
        (b"child|word|correct\nc1|dax|1\n", "one column only"),
        (b"PK\x03\x04....", "a zip archive or a spreadsheet"),
        (b"\x1f\x8b....", "compressed with gzip"),
        ("a,b\né,1\n".encode("utf-16-le"), "bytes of zero"),
        ("a,b\né,1\n".encode("latin-1"), "iconv -f latin1 -t utf-8"),
        (b'a,b\n"x,1\ny,2\n', "line 3, unexpected end of data"),
        (b'a,b\n"x"y,1\n', "line 2, ',' expected after"),
        (b'a,b\n"' + b"x" * 200_000 + b'",1\n', "field larger than field limit"),
        (b"a,b,a\n1,2,3\n", "columns 1 and 3 are both called a"),
        (b"a,b, a \n1,2,3\n", "columns 1 and 3 are both called a"),
    ],
)
def test_what_is_no_text_table_is_refused(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "study.csv").write_bytes(content)
    with pytest.raises(ToolkitError) as error:
        read(tmp_path / "study.csv")
    assert expected in str(error.value)


def test_fields_may_hold_separators_and_line_breaks(tmp_path: Path) -> None:
    own = ["child, word ,correct", '"c,1", "d\nax",100 %', '"a ""b""",wug,0']
    assert read(written(tmp_path, own)) == {
        "child": ["c,1", 'a "b"'], "word": ["d\nax", "wug"], "correct": ["100 %", "0"],
    }  # fmt: skip


def test_columns_without_a_name_are_kept_if_they_hold_anything(tmp_path: Path) -> None:
    own = [line + end for line, end in zip(lines(), [",,", ",,", ",,x", ",,"], strict=True)]
    assert read(written(tmp_path, own)) == EXPECTED | {"unnamed_5": ["", "x", ""]}


def test_every_name_is_told_that_occurs_twice() -> None:
    assert same_names(["a", "b", "a", "", "", "b", "a"]) == [
        "columns 1, 3 and 7 are all called a",
        "columns 2 and 6 are both called b",
    ]
