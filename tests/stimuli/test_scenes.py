"""Sets with masks and written words, and plain folders of pictures."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stimuli import StimulusSet, open_set
from stimuli.errors import ToolkitError
from tests.conftest import write_scenes


@pytest.fixture
def scenes(scenes_set: StimulusSet, tmp_path: Path) -> StimulusSet:
    """A copy of the small scenes that may be broken."""
    return open_set(shutil.copytree(scenes_set.folder, tmp_path / "scenes"))


def rewrite(folder: Path, row: int, **values: str) -> None:
    path = folder / "objects.csv"
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[row] |= values
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def mask(shape: tuple[int, int], value: int) -> bytes:
    return png(np.full(shape, value, np.uint8))


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, format="PNG")
    return buffer.getvalue()


def replace_mask(scenes: StimulusSet, data: bytes) -> tuple[str, str]:
    """Put other content into the first mask; picture and concept that it belongs to."""
    first = scenes.objects.iloc[0]
    (scenes.folder / first["mask"]).write_bytes(data)
    rewrite(scenes.folder, 0, sha256=hashlib.sha256(data).hexdigest())
    return first["stimulus_id"], first["concept"]


def test_masks_show_where_things_are(scenes: StimulusSet) -> None:
    assert scenes.check() == []
    assert scenes.has_masks
    assert set(scenes.words.languages) == {"en", "fr", "lb"}
    for _, row in scenes.objects.iterrows():
        seen = scenes.read_mask(row["stimulus_id"], row["concept"])
        colours = scenes.read_picture(row["stimulus_id"])[seen]
        assert 0 < len(colours) < 16 * 16
        assert len(np.unique(colours, axis=0)) == 1, "a mask covers one thing, whole"


def test_objects_of_one_concept_are_one_place(scenes: StimulusSet) -> None:
    two = scenes.objects.iloc[:2]
    name = two["stimulus_id"].iloc[0]
    assert two["stimulus_id"].nunique() == 1
    parts = [scenes.read_mask(name, concept) for concept in two["concept"]]
    rewrite(scenes.folder, 1, concept=two["concept"].iloc[0])
    joined = open_set(scenes.folder).read_mask(name, two["concept"].iloc[0])
    np.testing.assert_array_equal(joined, parts[0] | parts[1])


def test_masks_count_into_the_checksum(scenes: StimulusSet) -> None:
    before = scenes.checksum
    rewrite(scenes.folder, 0, concept="key")
    assert open_set(scenes.folder).checksum != before


def test_a_mask_of_another_size_or_without_content_is_refused(scenes: StimulusSet) -> None:
    for data, message in (
        (mask((16, 8), 255), "not as large as its picture"),
        (mask((16, 16), 0), "is empty"),
        (b"no picture", "cannot be read as a picture"),
    ):
        picture, concept = replace_mask(scenes, data)
        broken = open_set(scenes.folder)
        with pytest.raises(ToolkitError, match=message):
            broken.read_mask(picture, concept)
        assert len(broken.check()) == 1
        assert message in broken.check()[0]


@pytest.mark.parametrize(
    ("left", "right", "how_much"), [(0, 8, "nothing"), (8, 24, "all"), (0, 9, "")]
)
def test_models_must_be_shown_a_part_of_an_object_and_something_beside_it(
    left: int, right: int, how_much: str, tmp_path: Path
) -> None:
    wide = open_set(write_scenes(tmp_path / "wide", margin=8))
    assert wide.check() == []
    seen = np.zeros((16, 32), np.uint8)
    seen[:, left:right] = 255
    picture, concept = replace_mask(wide, png(seen))
    faults = open_set(wide.folder).check()
    told = f"the mask of {concept!r} covers {how_much} of the central square of {picture}"
    assert [fault.startswith(told) for fault in faults] == ([True] if how_much else [])


def test_a_changed_mask_and_an_unknown_object_are_refused(scenes: StimulusSet) -> None:
    first = scenes.objects.iloc[0]
    with pytest.raises(ToolkitError, match="no object in the picture"):
        scenes.read_mask(first["stimulus_id"], "elephant")
    (scenes.folder / first["mask"]).write_bytes(mask((16, 16), 255))
    with pytest.raises(ToolkitError, match=r"not the file that objects\.csv speaks of"):
        scenes.read_mask(first["stimulus_id"], first["concept"])


@pytest.mark.parametrize(
    ("values", "fault"),
    [
        ({"stimulus_id": "nothing"}, "names what is no picture of the set: nothing"),
        ({"concept": ""}, "concept is empty"),
        ({"mask": "../mask.png"}, "mask '../mask.png' leaves the folder"),
        ({"sha256": "abc"}, "sha256 is not 64 hexadecimal digits"),
        ({"concept": "elephant"}, "the concept 'elephant' has no word in en, fr, lb"),
    ],
)
def test_faults_of_the_objects(values: dict[str, str], fault: str, scenes: StimulusSet) -> None:
    rewrite(scenes.folder, 0, **values)
    broken = open_set(scenes.folder)
    assert len(broken.check()) == 1
    assert fault in broken.check()[0]


def test_a_column_that_is_missing_is_named(scenes: StimulusSet) -> None:
    path = scenes.folder / "objects.csv"
    path.write_text(path.read_text().replace("mask", "maske", 1))
    with pytest.raises(ToolkitError, match=r"no column 'mask' \(did you mean to rename 'maske'"):
        _ = open_set(scenes.folder).objects


def test_a_broken_word_list_is_a_fault_of_the_set(scenes: StimulusSet) -> None:
    path = scenes.folder / "words.toml"
    path.write_text(path.read_text().replace('"low"', '"lower"'))
    assert "did you mean 'low'" in open_set(scenes.folder).check()[0]


@pytest.fixture
def pictures(scenes_set: StimulusSet, tmp_path: Path) -> Path:
    """A plain folder with three pictures of different sizes."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, size in enumerate(((5, 7), (9, 3), (4, 4))):
        pixels = np.random.default_rng(number).integers(0, 256, (*size, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / f"photo-{number}.PNG")
    (folder / "notes.md").write_text("no picture")
    return folder


def test_a_folder_of_pictures_opens_as_it_is(pictures: Path, scenes_set: StimulusSet) -> None:
    own = open_set(pictures, scenes_set.folder / "words.toml")
    assert list(own.select(kind="picture", split="test").index) == [
        "photo-0.PNG", "photo-1.PNG", "photo-2.PNG",
    ]  # fmt: skip
    assert own.read_picture("photo-1.PNG").shape == (9, 3, 3)
    assert not own.has_masks
    assert own.words.reference == "en"
    assert own.check() == []
    before = own.checksum
    (pictures / "photo-1.PNG").write_bytes((pictures / "photo-0.PNG").read_bytes())
    assert open_set(pictures).checksum != before


def test_a_list_chooses_pictures_and_its_faults_are_all_told(pictures: Path) -> None:
    (pictures / "list.txt").write_text("# chosen\nphoto-2.PNG\n\nphoto-0.PNG\n")
    assert list(open_set(pictures).table.index) == ["photo-2.PNG", "photo-0.PNG"]
    (pictures / "list.txt").write_text("photo-3.PNG\n../photo-0.PNG\nphoto-1.PNG\nphoto-1.PNG\n")
    with pytest.raises(ToolkitError, match="has 3 faults") as caught:
        _ = open_set(pictures).table
    assert "did you mean photo-" in caught.value.message
    (pictures / "list.txt").write_text("")
    assert "it names no picture" in open_set(pictures).check()[0]


def test_pictures_that_cannot_be_read_are_faults(pictures: Path) -> None:
    (pictures / "photo-1.PNG").write_bytes(b"GIF?")
    (pictures / "words.toml").write_text("reference = 1")
    faults = open_set(pictures).check()
    assert len(faults) == 2
    assert "there is no [languages.NAME]" in faults[0]
    assert "photo-1.PNG cannot be read as a picture" in faults[1]


@pytest.mark.skipif(sys.platform != "linux", reason="only there names are any bytes")
def test_names_of_pictures_that_are_no_text_are_told(pictures: Path) -> None:
    (pictures / "photo-1.PNG").rename(pictures / os.fsdecode(b"B\xe4r.png"))
    with pytest.raises(ToolkitError, match="are not UTF-8") as caught:
        _ = open_set(pictures).table
    assert caught.value.given == r"'B\udce4r.png'"


def test_without_words_there_is_nothing_to_ask(pictures: Path) -> None:
    with pytest.raises(ToolkitError, match="no list of written words") as caught:
        _ = open_set(pictures).words
    assert caught.value.next_command == "add --words FILE"
