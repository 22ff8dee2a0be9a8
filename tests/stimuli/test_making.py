"""A stimulus set of a plain folder of pictures and recordings."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from stimuli import open_set
from stimuli.errors import ToolkitError
from stimuli.making import make_set
from stimuli.sets import StimulusSet
from stimuli.wordlist import read_word_list
from tests.commands import Cli

FAMILIAR, NOVEL = ("dog", "cup", "hot air balloon"), ("whisk", "vase")


def write_picture(file: Path, size: tuple[int, int] = (30, 20), seed: int = 0) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(file)


def write_clip(file: Path, rate: int = 44_100, channels: int = 2, seed: int = 0) -> None:
    noise = np.random.default_rng(seed).normal(0, 0.1, (rate // 5, channels))
    file.parent.mkdir(parents=True, exist_ok=True)
    soundfile.write(file, noise.clip(-1, 1), rate)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Five concepts: three photographs each, said by two people in English and Dutch."""
    place = tmp_path / "own"
    suffixes = (".JPG", ".png", ".webp")
    formats = (".wav", ".flac", ".ogg", ".mp3")
    for number, concept in enumerate((*FAMILIAR, *NOVEL)):
        for take, suffix in enumerate(suffixes):
            write_picture(
                place / "pictures" / concept / f"IMG {take}{suffix}", seed=10 * number + take
            )
        for language in ("en", "nl"):
            for voice, suffix in zip(("anna", "ben"), formats[number % 3 :], strict=False):
                name = f"{voice}_{language}{suffix}"
                rate = (44_100, 16_000, 8_000)[number % 3]
                write_clip(
                    place / "words" / language / concept / name, rate, 1 + number % 2, number
                )
    return place


def test_everything_is_converted_and_the_set_has_no_faults(folder: Path, tmp_path: Path) -> None:
    made = make_set(folder, tmp_path / "set", novel=NOVEL)
    stimuli = open_set(made.folder)
    assert stimuli.check() == []
    assert made.notes == ()
    assert made.concepts == {"familiar": 3, "novel": 2}
    assert made.counts["picture novel test"] == 6
    assert made.counts["word nl familiar test"] == 6
    assert stimuli.languages == ("en", "nl")
    pictures = stimuli.select(kind="picture")
    assert set(pictures["style"]) == {"photograph"}
    assert {stimuli.read_picture(name).shape for name in pictures.index} == {(224, 224, 3)}
    words = stimuli.select(kind="word")
    assert set(words["voice"]) == {"anna", "ben"}
    assert words["duration_s"].astype(float).between(0.19, 0.3).all()
    for name in words.index:
        assert len(stimuli.read_clip(name)) > 3_000


def test_the_same_folder_makes_the_same_set(folder: Path, tmp_path: Path) -> None:
    sets = [open_set(make_set(folder, tmp_path / name, novel=NOVEL).folder) for name in "ab"]
    assert sets[0].checksum == sets[1].checksum
    again = make_set(folder, tmp_path / "a", novel=NOVEL)
    assert open_set(again.folder).checksum == sets[0].checksum, "it may be made anew in its place"


def test_it_can_be_asked(folder: Path, tmp_path: Path, cli: Cli) -> None:
    said = cli("make-set", folder, "--novel", "whisk,vase", "--size", 32, "--out", tmp_path / "set")
    assert said.code == 0, said.err
    assert "run-paradigm me --stimuli" in said.out
    assert cli("check-stimuli", tmp_path / "set").code == 0
    run = cli(
        "run-paradigm", "me", "--stimuli", tmp_path / "set", "--subject", "perfect",
        "--trials-per-class", 4, "--no-report",
    )  # fmt: skip
    assert run.code == 0, run.err
    assert "100.0 %" in run.out


def test_pictures_of_a_known_set_for_words_of_a_new_language(
    tiny_set: StimulusSet, tmp_path: Path
) -> None:
    known = tiny_set.select(kind="picture")
    concepts = sorted(set(known["concept"]))[:4]
    for concept in concepts:
        write_clip(tmp_path / "de" / "words" / "de" / concept / "eva.wav")
    made = make_set(tmp_path / "de", tmp_path / "set", pictures_of=tiny_set)
    stimuli = open_set(made.folder)
    assert stimuli.check() == []
    taken = stimuli.select(kind="picture")
    own = known[known["concept"].isin(concepts)]
    assert dict(taken["sha256"]) == dict(own["sha256"])
    assert dict(taken["status"]) == dict(own["status"])
    words = stimuli.select(kind="word")
    status = dict(zip(own["concept"], own["status"], strict=True))
    assert list(words["status"]) == [status[concept] for concept in words["concept"]]


def test_voices_and_pictures_are_shared_out_for_training(folder: Path, tmp_path: Path) -> None:
    for take in range(3, 20):
        write_picture(folder / "pictures" / "dog" / f"more {take}.png", seed=take)
    made = make_set(folder, tmp_path / "set", novel=NOVEL, training=True)
    assert made.notes == ("4 recordings of novel words are left out: their voices are trained on",)
    stimuli = open_set(made.folder)
    table = stimuli.table
    assert stimuli.check() == []
    assert set(table[table["status"] == "novel"]["split"]) == {"test"}
    words = table[(table["kind"] == "word") & (table["status"] == "familiar")]
    assert (words.groupby("voice")["split"].nunique() == 1).all()
    assert words["split"].nunique() == 2
    dogs = table[(table["kind"] == "picture") & (table["concept"] == "dog")]["split"]
    assert dict(dogs.value_counts()) == {"train": 14, "test": 4, "valid": 2}


def test_spellings_are_read_as_a_spreadsheet_writes_them(folder: Path, tmp_path: Path) -> None:
    text = "concept;en;nl\r\ndog;dog;hond\r\n;;\r\ncup;cup;kopje\r\nzebra;zebra;zebra\r\n"
    (folder / "words.csv").write_bytes(b"\xef\xbb\xbf" + text.encode())
    made = make_set(folder, tmp_path / "set", novel=NOVEL)
    words = open_set(made.folder).select(kind="word", language="nl")
    spelt = dict(zip(words["concept"], words["word"], strict=True))
    assert (spelt["dog"], spelt["cup"], spelt["vase"]) == ("hond", "kopje", "")
    assert any("zebra" in note for note in made.notes)


def test_word_lists_of_spreadsheets_are_understood(tmp_path: Path) -> None:
    for separator in ",;\t":
        file = tmp_path / "words.csv"
        file.write_text(
            separator.join(("concept", "word")) + "\n" + separator.join(("dog", "Hund"))
        )
        (word,) = read_word_list(file, {})
        assert word == ("dog", "familiar", "Hund")


def test_what_is_left_out_is_told(folder: Path, tmp_path: Path) -> None:
    (folder / "pictures" / ".DS_Store").touch()
    (folder / "pictures" / "dog" / "notes.txt").touch()
    write_picture(folder / "pictures" / "sieve" / "a.png")
    made = make_set(folder, tmp_path / "set")
    assert "2 files are left out" in made.notes[0]
    assert "pictures/.DS_Store" in made.notes[0]
    assert "dog/notes.txt" in made.notes[0]
    assert any(note == "no recording of sieve" for note in made.notes)
    assert any("no concept is novel" in note for note in made.notes)


def test_files_that_cannot_be_read_are_all_named_and_nothing_is_written(
    folder: Path, tmp_path: Path
) -> None:
    (folder / "pictures" / "dog" / "bad.png").write_bytes(b"no picture")
    clip = io.BytesIO()
    soundfile.write(clip, np.zeros(8_000), 16_000, format="WAV")
    (folder / "words" / "en" / "cup" / "cut.wav").write_bytes(clip.getvalue()[:2_000])
    with pytest.raises(ToolkitError, match="2 files cannot be used") as caught:
        make_set(folder, tmp_path / "set", novel=NOVEL)
    assert "bad.png" in str(caught.value)
    assert "cut.wav" in str(caught.value)
    assert not (tmp_path / "set").exists()


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"novel": ["vaas"]}, "There is no concept 'vaas' in this folder"),
        ({"folder": "nowhere"}, "There is no such folder"),
        ({"out": "own/set"}, "outside the originals"),
        ({"out": "."}, "outside the originals|another way"),
    ],
)
def test_wrong_input_is_refused(
    folder: Path, tmp_path: Path, arguments: dict[str, Any], expected: str
) -> None:
    given = {"folder": folder, "out": tmp_path / "set"} | {
        name: tmp_path / value if name in ("folder", "out") else value
        for name, value in arguments.items()
    }
    if given["out"] == tmp_path / ".":
        given["out"] = folder
    with pytest.raises(ToolkitError, match=expected):
        make_set(given.pop("folder"), given.pop("out"), **given)


def test_folders_of_languages_bear_codes(folder: Path, tmp_path: Path) -> None:
    (folder / "words" / "en").rename(folder / "words" / "english")
    with pytest.raises(ToolkitError) as caught:
        make_set(folder, tmp_path / "set")
    assert caught.value.nearest == "en"


def test_other_sets_are_left_as_they_are(folder: Path, tiny_set: StimulusSet) -> None:
    with pytest.raises(ToolkitError, match="another way"):
        make_set(folder, tiny_set.folder)
    assert tiny_set.check() == []


def test_style_is_one_that_is_known(folder: Path, cli: Cli) -> None:
    said = cli("make-set", folder, "--style", "photo", "--out", "set")
    assert said.code == 2
    assert "did you mean: photograph" in said.err
