"""Opening, reading and checking sets: small sets made here, with every fault a user may make."""

from __future__ import annotations

import csv
import hashlib
import io
import pickle
import shutil
from collections.abc import Callable
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from stimuli import StimulusSet, finding, list_sets, open_set, plugins
from stimuli.columns import COLUMNS, REQUIRED
from stimuli.errors import ToolkitError
from stimuli.media import decode_clip, decode_picture, encode_clip, encode_picture

RATE_HZ = 16_000
SIZE_PX = 7

Row = dict[str, str]
Break = Callable[[list[Row], Path], None]


def wav(n_samples: int, rate_hz: int = RATE_HZ, channels: int = 1) -> bytes:
    samples = np.linspace(-0.5, 0.5, n_samples * channels, dtype="float32")
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.reshape(n_samples, channels), rate_hz, format="WAV")
    return buffer.getvalue()


def png(height: int, width: int, seed: int = 0) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype="uint8")
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def write_table(folder: Path, rows: list[Row]) -> None:
    headings = list(dict.fromkeys(name for row in rows for name in row)) or list(REQUIRED)
    with (folder / "stimuli.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, headings, restval="")
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def rows(tmp_path: Path) -> list[Row]:
    """A set of 2 pictures of 2 concepts and 3 words in 2 languages in `tmp_path`."""
    (tmp_path / "set.toml").write_text(
        'name = "small"\nversion = "1"\ntitle = "Small"\ndescription = "For tests."\n'
        'languages = ["en", "nl"]\nlicence = "CC0-1.0"\n'
        f"sample_rate_hz = {RATE_HZ}\npicture_size_px = {SIZE_PX}\n"
    )
    made: list[Row] = []

    def add(name: str, data: bytes, **values: str) -> None:
        (tmp_path / values["path"]).write_bytes(data)
        blank = dict.fromkeys(REQUIRED, "")
        checksum = hashlib.sha256(data).hexdigest()
        common = {"stimulus_id": name, "source": "made", "licence": "CC0-1.0", "sha256": checksum}
        made.append({**blank, **common, **values})

    for seed, (concept, status) in enumerate((("cat", "familiar"), ("key", "novel"))):
        add(
            f"{concept}_0", png(SIZE_PX, SIZE_PX, seed), kind="picture", concept=concept,
            status=status, split="test", path=f"{concept}.png", style="glyph", family=concept,
        )  # fmt: skip
    for n_samples, (language, word) in zip(
        (3200, 4800, 8000), (("en", "cat"), ("nl", "kat"), ("nl", "poes")), strict=True
    ):
        add(
            f"{language}_{word}", wav(n_samples), kind="word", concept="cat", status="familiar",
            language=language, split="train", path=f"{word}.wav", voice="f1",
            duration_s=f"{n_samples / RATE_HZ}",
        )  # fmt: skip
    write_table(tmp_path, made)
    return made


@pytest.fixture
def small(tmp_path: Path, rows: list[Row]) -> StimulusSet:
    return open_set(tmp_path)


def test_a_sound_set_has_no_faults(small: StimulusSet) -> None:
    assert small.check() == []
    assert small.languages == ("en", "nl")
    assert list(small.table.index[:2]) == ["cat_0", "key_0"]
    assert len(small.checksum) == 64


def test_reading(small: StimulusSet) -> None:
    clip = small.read_clip("nl_poes")
    assert clip.shape == (8000,)
    assert clip.dtype == np.float32
    assert np.abs(clip).max() <= 1
    picture = small.read_picture("key_0")
    assert picture.shape == (SIZE_PX, SIZE_PX, 3)
    assert picture.dtype == np.uint8


def test_another_process_is_told_where_a_set_lies_and_not_what_is_in_it(
    small: StimulusSet,
) -> None:
    before = pickle.dumps(small)
    table = small.table
    assert len(pickle.dumps(small)) == len(before)
    assert pickle.loads(before).table.equals(table)


def test_select(small: StimulusSet) -> None:
    assert list(small.select(kind="word", language="nl").index) == ["nl_kat", "nl_poes"]
    assert list(small.select(status="novel").index) == ["key_0"]
    assert small.select(status="novel", language="nl").empty
    with pytest.raises(ToolkitError) as caught:
        small.select(concept="kat")
    assert caught.value.nearest == "cat"


def test_unknown_and_wrong_kind_of_stimulus(small: StimulusSet) -> None:
    with pytest.raises(ToolkitError, match="no stimulus 'nl_kta'") as caught:
        small.read_clip("nl_kta")
    assert caught.value.nearest == "nl_kat"
    with pytest.raises(ToolkitError, match="is a picture, not a word"):
        small.read_clip("cat_0")


def change(index: int, **values: str) -> Break:
    def edit(rows: list[Row], folder: Path) -> None:
        rows[index].update(values)

    return edit


def rename(old: str, new: str) -> Break:
    def edit(rows: list[Row], folder: Path) -> None:
        for row in rows:
            row[new] = row.pop(old)

    return edit


def clear(rows: list[Row], folder: Path) -> None:
    rows.clear()


TABLE_FAULTS: list[tuple[Break, str]] = [
    (rename("split", "splitt"), "no column 'split' (did you mean to rename 'splitt'?)"),
    (rename("licence", "zzz"), "no column 'licence'"),
    (change(1, stimulus_id="cat_0"), "stimulus_id is used more than once: cat_0"),
    (change(0, stimulus_id=""), "stimulus_id is empty in line 2"),
    (change(1, path="cat.png"), "path is used more than once: cat.png"),
    (change(0, path="../cat.png"), "path '../cat.png' of cat_0 leaves the folder"),
    (change(0, path="a/../../cat.png"), "leaves the folder"),
    (change(0, path="/tmp/cat.png"), "is absolute"),
    (change(0, path="C:\\cat.png"), "is absolute"),
    (change(0, path="a\\cat.png"), "has a backslash"),
    (change(0, path=""), "path '' of cat_0 is empty"),
    (change(0, kind="pictures"), "kind 'pictures' is not one of picture | word; did you mean"),
    (change(1, split="tests"), "split 'tests' is not one of train | valid | test; did you mean"),
    (change(1, status="new"), "status 'new' is not one of familiar | novel"),
    (change(0, style="color"), "style is not one of colour | glyph | photograph in cat_0"),
    (change(0, concept=""), "concept is empty in cat_0"),
    (change(0, sha256="abc"), "sha256 is not 64 hexadecimal digits in lower case in cat_0"),
    (change(2, language="English"), "language is not an ISO 639 code"),
    (change(0, language="en"), "language must be empty for pictures, but is not in cat_0"),
    (change(2, duration_s="long"), "duration_s is not a number of seconds above 0 in en_cat"),
    (change(2, duration_s="0"), "duration_s is not a number of seconds above 0 in en_cat"),
    (change(1, split="train"), "novel concepts may stand in split 'test' only"),
    (change(2, status="novel", split="test"), "status differs between rows of the same concept"),
    (change(3, split="valid"), "voice stands in more than one split: f1"),
    (clear, "no rows: the set is empty"),
]


@pytest.mark.parametrize(("damage", "fault"), TABLE_FAULTS, ids=[f for _, f in TABLE_FAULTS])
def test_faults_of_the_table(damage: Break, fault: str, rows: list[Row], tmp_path: Path) -> None:
    damage(rows, tmp_path)
    write_table(tmp_path, rows)
    broken = open_set(tmp_path)
    assert any(fault in line for line in broken.check()), broken.check()
    with pytest.raises(ToolkitError) as caught:
        _ = broken.table
    assert fault in caught.value.message
    assert "check-stimuli" in (caught.value.next_command or "")


def test_all_faults_at_once(rows: list[Row], tmp_path: Path) -> None:
    rows[0]["split"] = "exam"
    rows[1]["path"] = "../key.png"
    rows[2]["duration_s"] = ""
    write_table(tmp_path, rows)
    (tmp_path / "kat.wav").unlink()
    faults = open_set(tmp_path).check()
    assert len(faults) == 4
    with pytest.raises(ToolkitError, match="has 3 faults"):
        _ = open_set(tmp_path).table


def break_file(name: str, data: bytes) -> Break:
    def edit(rows: list[Row], folder: Path) -> None:
        (folder / name).write_bytes(data)

    return edit


def cut(name: str, share: float) -> Break:
    def edit(rows: list[Row], folder: Path) -> None:
        data = (folder / name).read_bytes()
        (folder / name).write_bytes(data[: int(len(data) * share)])

    return edit


def remove(name: str) -> Break:
    return lambda rows, folder: (folder / name).unlink()


def link_outside(rows: list[Row], folder: Path) -> None:
    outside = folder.with_name(folder.name + "-outside.png")
    shutil.move(folder / "cat.png", outside)
    (folder / "cat.png").symlink_to(outside)


def list_again(rows: list[Row], folder: Path) -> None:
    """Write the checksums of the files as they are now, where they are there, into the table."""
    for row in rows:
        if (folder / row["path"]).is_file():
            row["sha256"] = hashlib.sha256((folder / row["path"]).read_bytes()).hexdigest()
    write_table(folder, rows)


FILE_FAULTS: list[tuple[str, Break, str]] = [
    ("cat_0", remove("cat.png"), "cat.png is missing"),
    ("cat_0", cut("cat.png", 0.6), "cat.png cannot be read as a picture"),
    ("cat_0", break_file("cat.png", b"not a picture"), "its format is another one"),
    ("cat_0", break_file("cat.png", png(SIZE_PX, 5)), "cat.png has the wrong size"),
    ("cat_0", break_file("cat.png", png(SIZE_PX, SIZE_PX, 9)), "its checksum differs"),
    ("cat_0", link_outside, "symbolic link that leaves the folder"),
    ("nl_kat", remove("kat.wav"), "kat.wav is missing"),
    ("nl_kat", cut("kat.wav", 0.5), "kat.wav was cut short"),
    ("nl_kat", break_file("kat.wav", wav(2400)), "kat.wav is not as long as stimuli.csv says"),
    ("nl_kat", cut("kat.wav", 0.001), "kat.wav cannot be read as audio"),
    ("nl_kat", break_file("kat.wav", b"not a sound"), "cannot be read as audio"),
    ("nl_kat", break_file("kat.wav", wav(0)), "holds no sound"),
    ("nl_kat", break_file("kat.wav", wav(4800, 22_050)), "kat.wav has the wrong sample rate"),
    ("nl_kat", break_file("kat.wav", wav(4800, channels=2)), "kat.wav is not mono"),
    ("nl_kat", break_file("kat.wav", wav(4800)[:-2] + b"ab"), "its checksum differs"),
]


@pytest.mark.parametrize(
    ("stimulus_id", "damage", "fault"), FILE_FAULTS, ids=[f"{n}: {f}" for n, _, f in FILE_FAULTS]
)
def test_faults_of_files(
    stimulus_id: str, damage: Break, fault: str, small: StimulusSet, rows: list[Row]
) -> None:
    damage(rows, small.folder)
    if "checksum" not in fault:
        list_again(rows, small.folder)
    read = small.read_picture if stimulus_id == "cat_0" else small.read_clip
    with pytest.raises(ToolkitError, match=fault):
        read(stimulus_id)
    faults = small.check()
    assert len(faults) == 1
    assert fault in faults[0]
    assert "\n" not in faults[0]
    assert str(small.folder) in faults[0]


@pytest.mark.parametrize("path", ["con.png", "pictures/AUX/a.png", "lpt1", "a./b.png", "b.png."])
def test_names_that_windows_keeps_for_itself_are_faults(
    path: str, small: StimulusSet, rows: list[Row]
) -> None:
    rows[0]["path"] = path
    write_table(small.folder, rows)
    assert any("has a name that Windows keeps for itself" in fault for fault in small.check())


@pytest.mark.parametrize(
    ("one", "other"), [("Cat.png", "cat.png"), ("b\u00e9.png", "be\u0301.PNG")]
)
def test_paths_that_some_file_systems_take_for_one_are_faults(
    one: str, other: str, small: StimulusSet, rows: list[Row]
) -> None:
    rows[0]["path"], rows[1]["path"] = one, other
    write_table(small.folder, rows)
    assert any("differ in capitals or accents alone" in fault for fault in small.check())


@pytest.mark.parametrize("stimulus_id", ["cat_0", "nl_kat"])
def test_no_reader_sees_a_file_that_the_table_does_not_speak_of(
    stimulus_id: str, small: StimulusSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def begin(*_: object, **__: object) -> None:
        raise AssertionError("a reader was begun")

    for reader in ("PIL.Image.open", "soundfile.SoundFile.__init__"):
        monkeypatch.setattr(reader, begin)
    for name in ("cat.png", "kat.wav"):
        (small.folder / name).write_bytes(b"%!PS-Adobe-3.0 EPSF-3.0")
    read = small.read_picture if stimulus_id == "cat_0" else small.read_clip
    with pytest.raises(ToolkitError, match="its checksum differs"):
        read(stimulus_id)


def test_cut_opus_file_is_refused() -> None:
    data = encode_clip(np.sin(np.arange(6400) / 9).astype("float32") / 2)
    for share in (0.1, 0.5, 0.99):
        with pytest.raises(ToolkitError, match=r"cut\.opus cannot be read as audio"):
            decode_clip(data[: int(len(data) * share)], "cut.opus")


def test_clips_and_pictures_survive_their_formats() -> None:
    wave = (np.sin(np.arange(6400) / 9) / 2).astype("float32")
    back = decode_clip(encode_clip(wave), "wave")
    assert back.shape == wave.shape
    assert np.corrcoef(wave, back)[0, 1] > 0.98
    square = np.full((20, 30, 3), 255, dtype="uint8")
    square[5:15, 5:25] = (200, 30, 60)
    again = decode_picture(encode_picture(square), "square")
    assert again.shape == (20, 30, 3)
    assert np.abs(again.astype(int) - square).mean() < 8


def test_transparent_pictures_stand_on_white() -> None:
    buffer = io.BytesIO()
    Image.new("RGBA", (3, 2), (0, 0, 0, 0)).save(buffer, format="PNG")
    assert (decode_picture(buffer.getvalue(), "glass") == 255).all()


def test_photographs_are_turned_upright() -> None:
    image = Image.new("RGB", (3, 2), (255, 255, 255))
    image.putpixel((0, 1), (0, 0, 0))
    tags = Image.Exif()
    tags[0x0112] = 6  # orientation: to be turned clockwise by a quarter
    buffer = io.BytesIO()
    image.save(buffer, format="PNG", exif=tags)
    upright = decode_picture(buffer.getvalue(), "photograph")[:, :, 0]
    assert upright.tolist() == [[0, 255], [255, 255], [255, 255]]
    stored = decode_picture(buffer.getvalue(), "photograph", upright=False)[:, :, 0]
    assert stored.tolist() == [[255, 255, 255], [0, 255, 255]]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("mimi", "no stimulus set 'mimi'"),
        ("not/there", "There is no folder not/there"),
        (Path("nowhere"), "There is no folder nowhere"),
    ],
)
def test_unknown_sets(name: str | Path, message: str) -> None:
    with pytest.raises(ToolkitError, match=message) as caught:
        open_set(name)
    assert "mini" in str(caught.value)


def test_folder_without_set_toml(tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match=r"it has no set\.toml"):
        open_set(tmp_path)


def test_folder_without_stimuli_csv(small: StimulusSet) -> None:
    (small.folder / "stimuli.csv").unlink()
    assert "it has no stimuli.csv" in small.check()[0]
    with pytest.raises(ToolkitError, match=r"it has no stimuli\.csv"):
        _ = small.table


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "not even a heading line"),
        (b"\xff\xfe\x00", "is saved as UTF-16"),
        (b'a,b\n"', "cannot be read as a table"),
        (";".join(REQUIRED).encode() + b"\n", "separates its columns with ';'"),
    ],
)
def test_unreadable_tables(content: bytes, fault: str, small: StimulusSet) -> None:
    (small.folder / "stimuli.csv").write_bytes(content)
    assert fault in small.check()[0]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('name = "small"', "name = small", "not valid TOML"),
        ('version = "1"', "version = 1", r"version \(line 2\) is of the wrong type"),
        ("sample_rate_hz = 16000\n", "", "sample_rate_hz is lacking"),
        ('["en", "nl"]', "[1, 2]", r"languages\[0\] \(line 5\) is of the wrong type"),
    ],
)
def test_faults_of_set_toml(
    old: str, new: str, fault: str, tmp_path: Path, rows: list[Row]
) -> None:
    file = tmp_path / "set.toml"
    file.write_text(file.read_text().replace(old, new))
    with pytest.raises(ToolkitError, match=fault):
        open_set(tmp_path)


def test_languages_of_set_toml_and_table_agree(tmp_path: Path, rows: list[Row]) -> None:
    file = tmp_path / "set.toml"
    file.write_text(file.read_text().replace('["en", "nl"]', '["en", "fr"]'))
    assert open_set(tmp_path).check() == [
        "the language 'fr' stands in set.toml only",
        "the language 'nl' stands in stimuli.csv only",
    ]


def test_a_table_saved_by_a_spreadsheet_opens(small: StimulusSet) -> None:
    table = small.folder / "stimuli.csv"
    table.write_bytes(b"\xef\xbb\xbf" + table.read_bytes())
    assert small.check() == []


def installed(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    points = EntryPoints([EntryPoint(name, value, finding.ENTRY_POINT_GROUP)])
    monkeypatch.setattr(plugins, "entry_points", lambda group: points)


def test_sets_of_other_packages(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: list[Row]
) -> None:
    module = tmp_path / "other_package_with_stimuli.py"
    module.write_text(f"def folder():\n    return {str(tmp_path)!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    installed(monkeypatch, "small", "other_package_with_stimuli:folder")
    assert list_sets()["small"] == tmp_path
    assert open_set("small").check() == []


def test_a_broken_package_is_named_and_does_not_hide_mini(monkeypatch: pytest.MonkeyPatch) -> None:
    installed(monkeypatch, "broken", "package_that_is_not_there:folder")
    assert open_set("mini").name == "mini"
    with pytest.raises(ToolkitError, match=r"'broken' of a package .* cannot be loaded"):
        open_set("broken")


def test_two_sets_of_one_name_are_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, rows: list[Row]
) -> None:
    module = tmp_path / "package_with_another_mini.py"
    module.write_text(f"def folder():\n    return {str(tmp_path)!r}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    installed(monkeypatch, "mini", "package_with_another_mini:folder")
    with pytest.raises(ToolkitError, match="Two stimulus sets are called 'mini'"):
        open_set("mini")


def test_every_column_is_documented() -> None:
    assert all(column.meaning and column.allowed for column in COLUMNS)


def test_a_set_is_viewed_with_other_concepts_familiar() -> None:
    mini = open_set("mini")
    before = mini.table.copy()
    view = mini.with_familiar({"key", "cake", "dog"})
    assert set(view.select(status="familiar")["concept"]) == {"key", "cake", "dog"}
    assert set(view.table["concept"]) - {"key", "cake", "dog"} == set(
        view.select(status="novel")["concept"]
    )
    others = [name for name in before if name != "status"]
    assert view.table[others].equals(before[others])
    assert mini.table.equals(before), "the set itself is as it was"
    assert (view.checksum, view.name) == (mini.checksum, mini.name)
    again = view.with_familiar(["bear"])
    assert set(again.select(status="familiar")["concept"]) == {"bear"}


@pytest.mark.parametrize(
    ("concepts", "part"),
    [
        (["dog", "kay"], "did you mean: key"),
        ([], "0 of 33 concepts"),
        (None, "33 of 33 concepts"),
    ],
)
def test_views_that_cannot_be(concepts: list[str] | None, part: str) -> None:
    mini = open_set("mini")
    with pytest.raises(ToolkitError) as caught:
        mini.with_familiar(sorted(set(mini.table["concept"])) if concepts is None else concepts)
    assert part in str(caught.value)


def test_a_set_with_fixed_trials_has_its_own_statuses(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    folder = tmp_path / "fixed"
    shutil.copytree(tiny_set.folder, folder)
    test = tiny_set.select(split="test")
    words = test[(test["kind"] == "word") & (test["language"] == "en")]
    pictures = test[test["kind"] == "picture"]
    other = pictures[pictures["concept"] != words["concept"].iloc[0]]
    own = pictures[pictures["concept"] == words["concept"].iloc[0]]
    (folder / "trials.csv").write_text(
        "condition,language,word_id,target_id,distractor_id\n"
        f"familiar-familiar,en,{words.index[0]},{own.index[0]},{other.index[0]}\n"
    )
    with pytest.raises(ToolkitError, match="fixed its trials"):
        open_set(folder).with_familiar(["ball"])
