"""Published data as a stimulus set: what it holds, its fixed trials, and every way it can fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from paradigms.registry import get_paradigm
from reports.choices.methods import trials as asked
from stimuli import open_set
from stimuli.errors import ToolkitError
from stimuli.importing import import_layout
from stimuli.media import convert_clip, decode_clip, encode_wav
from tests.stimuli.published_layout import (
    TRIALS_PER_CLASS,
    write_clip,
    write_json,
    write_picture,
    write_published_data,
)
from toolkit.cli import main
from toolkit.running.choices import run
from toolkit.statistics.saved import saved_manifest
from toolkit.subjects.features.sources import find_jobs
from toolkit.subjects.populations import open_population
from toolkit.tables.trials import read_trials


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_published_data(tmp_path / "me-vgs")


def test_a_sound_set_comes_out(data: Path, tmp_path: Path) -> None:
    made = import_layout(data.parent, tmp_path / "set")
    stimuli = open_set(made.folder)
    assert stimuli.check() == []
    assert stimuli.languages == ("en", "nl")
    assert made.counts["word en train"] == 4
    assert made.counts["word nl test"] == made.counts["picture test"] == 10
    assert made.trials["novel-familiar nl"] == 2 * TRIALS_PER_CLASS
    row = stimuli.table.loc["sleutel_test0"]
    told = row[["kind", "concept", "status", "language", "split", "word"]].tolist()
    assert told == ["word", "key", "novel", "nl", "test", "sleutel"]
    assert stimuli.table.loc["car-valid1", "source"] == "ImageNet"


def test_files_are_links_unless_they_must_be_converted(data: Path, tmp_path: Path) -> None:
    made = import_layout(data, tmp_path / "set")
    stimuli = open_set(made.folder)
    original = data / "english_words" / "car_test0.wav"
    assert original.samefile(made.folder / stimuli.table.loc["car_test0", "path"])
    assert (data / "images" / "dog-train0.jpg").samefile(made.folder / "images" / "dog-train0.jpg")
    # All Dutch clips, and the stereo one.
    assert made.converted == 18 + 1
    for name in ("hond_test0", "dog_test0"):
        assert stimuli.table.loc[name, "path"].startswith("converted/")
        assert stimuli.read_clip(name).shape == (1600,)


def test_doing_it_again_changes_nothing(data: Path, tmp_path: Path) -> None:
    first = open_set(import_layout(data, tmp_path / "set").folder).checksum
    assert open_set(import_layout(data, tmp_path / "set").folder).checksum == first


@pytest.mark.parametrize(
    ("name", "condition"), [("familiar", "familiar-familiar"), ("me", "novel-familiar")]
)
def test_published_trials_are_asked(name: str, condition: str, data: Path, tmp_path: Path) -> None:
    stimuli = open_set(import_layout(data, tmp_path / "set").folder)
    done = run(get_paradigm(name), [open_population("random/a")], stimuli, languages=["nl"],
               root=tmp_path / "runs", per_class=7)  # fmt: skip
    assert done.manifest["fixed_trials"] == [condition]
    manifest = saved_manifest(done.directory.folder)
    chapter = SimpleNamespace(
        paradigm=name, version=1, question="?", results=[],
        statistics=SimpleNamespace(lists=pd.DataFrame(), draws=pd.DataFrame()),
        runs=[SimpleNamespace(manifest=manifest)], manifests=[manifest],
        digest=SimpleNamespace(single=SimpleNamespace(trials=pd.DataFrame({"n_choices": [2]}))),
    )  # fmt: skip
    assert f"does not hold for {condition}: these trials are a list" in " ".join(asked(chapter))
    table = read_trials(done.directory.trials_path)
    table = table[table["condition"] == condition]
    published = json.loads((data / "filelists" / f"{condition}-dutch-test.json").read_text())
    ids = {path.name: index for index, path in stimuli.table["path"].map(Path).items()}
    expected = []
    for one in published:
        files = [f"{one['audio']['name']}.wav"]
        files += [f"{one[part]['name']}.jpg" for part in ("image-pos", "image-neg")]
        expected.append(tuple(ids[file] for file in files))
    found = table[["word_id", "target_id", "distractor_id"]].itertuples(index=False, name=None)
    assert sorted(found) == sorted(expected)
    places = table["target_position"].value_counts()
    assert abs(places.get(0, 0) - places.get(1, 0)) <= 1


def test_other_conditions_are_drawn(data: Path, tmp_path: Path) -> None:
    """Preference shows the pictures of the fixed trials again, the controls are counterbalanced."""
    stimuli = open_set(import_layout(data, tmp_path / "set").folder)
    trials = get_paradigm("me").trials(
        stimuli, "en", np.random.default_rng(0), per_class=4, languages=["en"]
    )
    per_condition = np.bincount(trials.condition)
    counts = dict(zip(trials.conditions, per_condition.tolist(), strict=True))
    fixed = 2 * TRIALS_PER_CLASS
    assert counts["novel-familiar"] == counts["preference"] == fixed
    assert counts["familiar-novel"] == 2 * 4
    assert counts["novel*-familiar"] == counts["novel-novel"] == 3 * 4


def test_names_that_two_files_share(data: Path, tmp_path: Path) -> None:
    path = data / "filelists" / "image-test.json"
    write_json(path, [*json.loads(path.read_text()), {"name": "dog_test0", "word-en": "dog"}])
    write_picture(data, "dog_test0")
    stimuli = open_set(import_layout(data, tmp_path / "set").folder)
    assert stimuli.table.loc[["picture-dog_test0", "en-dog_test0"], "kind"].tolist() == [
        "picture",
        "word",
    ]
    assert "en-dog_test0" in set(stimuli.fixed_trials["word_id"])


def test_files_in_several_splits_count_for_test(data: Path, tmp_path: Path) -> None:
    lists = data / "filelists"
    train = json.loads((lists / "image-train.json").read_text())
    train.append({"name": "car-test0", "word-en": "car", "source": "ImageNet"})
    write_json(lists / "image-train.json", train)
    made = import_layout(data, tmp_path / "set")
    assert made.moved == ("car-test0",)
    assert open_set(made.folder).table.loc["car-test0", "split"] == "test"


def test_other_languages_by_code(data: Path, tmp_path: Path) -> None:
    lists = data / "filelists"
    words = json.loads((lists / "audio-train-3.json").read_text())
    words.append({"name": "hund_0", "lang": "de", "word-en": "dog"})
    write_json(lists / "audio-train-3.json", words)
    write_clip(data, "de", "hund_0")
    (data / "concepts.csv").write_text(
        "english,de\ndog,Hund\ncar,Auto\nkey,Schlüssel\nfish,Fisch\nnautilus,Nautilus\n",
        encoding="utf-8",
    )
    stimuli = open_set(import_layout(data, tmp_path / "set").folder)
    assert stimuli.languages == ("de", "en", "nl")
    assert stimuli.table.loc["hund_0", "word"] == "Hund"


def broken_picture(data: Path) -> None:
    path = data / "images" / "car-train0.jpg"
    path.write_bytes(path.read_bytes()[:100])


def lost_clip(data: Path) -> None:
    (data / "dutch_words" / "auto_train1.wav").unlink()


def emptied_list(data: Path) -> None:
    write_json(data / "filelists" / "image-valid.json", [])


def unknown_word(data: Path) -> None:
    (data / "words-unseen.txt").write_text("key\nnautilus\n")


def no_spelling(data: Path) -> None:
    (data / "words-seen.txt").write_text("dog\ncat\n")


def both_seen_and_unseen(data: Path) -> None:
    (data / "words-seen.txt").write_text("dog\ncar\nkey\n")


def short_line(data: Path) -> None:
    (data / "concepts.csv").write_text("dog,hond\n")


def no_vocabulary(data: Path) -> None:
    (data / "words-seen.txt").unlink()


def novel_in_training(data: Path) -> None:
    path = data / "filelists" / "image-train.json"
    write_json(path, [*json.loads(path.read_text()), {"name": "car-valid0", "word-en": "key"}])


def taught_novel(data: Path) -> None:
    path = data / "filelists" / "image-train.json"
    (data / "images" / "key_9.jpg").write_bytes((data / "images" / "car-train0.jpg").read_bytes())
    write_json(path, [*json.loads(path.read_text()), {"name": "key_9", "word-en": "key"}])


def foreign_language(data: Path) -> None:
    path = data / "filelists" / "audio-train-3.json"
    write_json(
        path, [*json.loads(path.read_text()), {"name": "x", "lang": "elvish", "word-en": "dog"}]
    )


def wrong_target(data: Path) -> None:
    path = data / "filelists" / "novel-familiar-english-test.json"
    trials = json.loads(path.read_text())
    trials[0]["image-pos"] = trials[0]["image-neg"]
    write_json(path, trials)


def trial_without_word(data: Path) -> None:
    path = data / "filelists" / "novel-familiar-english-test.json"
    trials = json.loads(path.read_text())
    del trials[1]["audio"]["word-en"]
    write_json(path, trials)


@pytest.mark.parametrize(
    ("spoil", "part"),
    [
        (broken_picture, "car-train0.jpg cannot be read as a picture"),
        (lost_clip, "dutch_words/auto_train1.wav: No such file"),
        (emptied_list, "image-valid.json holds no entries"),
        (unknown_word, "'fish'"),
        (no_spelling, "'cat'"),
        (both_seen_and_unseen, "'key' stands in words-seen.txt and in words-unseen.txt"),
        (short_line, "dog,hond"),
        (no_vocabulary, "words-seen.txt cannot be read"),
        (novel_in_training, "'car-valid0' is listed as 'car' and as 'key'"),
        (taught_novel, "novel concepts may stand in split 'test' only"),
        (foreign_language, "'elvish'"),
        (wrong_target, "another class than the word names in row 2"),
        (trial_without_word, "Trial 1 of"),
    ],
)  # fmt: skip
def test_faults_are_told_and_nothing_is_written(
    spoil: Callable[[Path], None], part: str, data: Path, tmp_path: Path
) -> None:
    spoil(data)
    with pytest.raises(ToolkitError) as caught:
        import_layout(data, tmp_path / "set")
    assert part in str(caught.value)
    assert not (tmp_path / "set").exists()


def test_what_is_no_such_folder_or_not_ours(data: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="does not have the published layout"):
        import_layout(tmp_path, tmp_path / "set")
    with pytest.raises(ToolkitError, match="folder of its own"):
        import_layout(data, data)
    (tmp_path / "set").mkdir()
    (tmp_path / "set" / "set.toml").write_text('name = "mine"\n')
    with pytest.raises(ToolkitError, match="left as it is"):
        import_layout(data, tmp_path / "set")


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("word_id", "word", "no column 'word_id'"),
        ("key_test0", "key_train0", "is no test"),
        (",nl,", ",en,", "another language"),
    ],
)
def test_faulty_trials_are_told(old: str, new: str, part: str, data: Path, tmp_path: Path) -> None:
    stimuli = open_set(import_layout(data, tmp_path / "set").folder)
    path = stimuli.folder / "trials.csv"
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(ToolkitError, match=part):
        _ = stimuli.fixed_trials
    assert any(part in fault for fault in open_set(stimuli.folder).check())


def test_converted_clips_keep_their_sound() -> None:
    """A tone of 440 Hz has the same samples whatever the rate it was recorded with."""

    def tone(rate: int) -> np.ndarray:
        return (0.5 * np.sin(2 * np.pi * 440 * np.arange(rate // 5) / rate)).astype(np.float32)

    expected = tone(16_000)
    for rate in (8_000, 22_050, 44_100, 48_000):
        found = convert_clip(encode_wav(tone(rate), rate), "tone")
        assert found.shape == expected.shape
        inner = slice(200, -200)
        np.testing.assert_allclose(found[inner], expected[inner], atol=5e-3)
    same = encode_wav(expected)
    np.testing.assert_array_equal(convert_clip(same, "tone"), decode_clip(same, "tone"))


def test_command(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def call(source: Path, out: str) -> int:
        told = ["mevgs-toolkit", "import-data", str(source), "--out", str(tmp_path / out)]
        monkeypatch.setattr("sys.argv", told)
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    assert call(data.parent, "set") == 0
    told = capsys.readouterr().out
    assert "6 fixed trials: novel-familiar en" in told
    assert "19 clips converted" in told
    assert call(tmp_path / "set", "other") == 2
    assert "published layout" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "a\x1b[31m", "\u202edog"])
def test_names_with_hidden_signs_are_refused(name: str, data: Path, tmp_path: Path) -> None:
    path = data / "filelists" / "audio-test-3.json"
    listed = json.loads(path.read_text())
    listed[0]["name"] = name
    path.write_text(json.dumps(listed))
    with pytest.raises(ToolkitError, match=r"no usable 'name'|is no character"):
        import_layout(data.parent, tmp_path / "out")


def test_lists_without_end_and_lone_carriage_returns(data: Path, tmp_path: Path) -> None:
    concepts = data / "concepts.csv"
    concepts.write_bytes(concepts.read_bytes().replace(b"\n", b"\r"))
    import_layout(data.parent, tmp_path / "out")
    (data / "filelists" / "audio-test-3.json").write_text("[" * 100_000)
    with pytest.raises(ToolkitError, match="cannot be read"):
        import_layout(data.parent, tmp_path / "other")


def test_pictures_are_taken_as_stored_as_the_published_code_does(tmp_path: Path) -> None:
    """In the set and where features are extracted from the data; a set says so, and is another."""
    data = write_published_data(tmp_path / "me-vgs")
    upright = open_set(import_layout(data, tmp_path / "before").folder)
    path = next((data / "images").glob("dog-test*.jpg"))
    tags = Image.Exif()
    tags[0x0112] = 6  # to be turned by a quarter
    with Image.open(path) as image:
        image.load()
        image.save(path, exif=tags, quality=100)
        size = image.size
    made = open_set(import_layout(data, tmp_path / "set").folder)
    assert (upright.upright, made.upright) == (True, False)
    assert "upright = false" in (tmp_path / "set" / "set.toml").read_text()
    stored = made.read_picture(path.stem)
    assert stored.shape[:2] == size[::-1]
    assert replace(made, upright=True).read_picture(path.stem).shape[:2] == size
    assert replace(made, upright=True).checksum != made.checksum
    jobs = find_jobs(str(tmp_path / "me-vgs"), tmp_path, {"picture": "eye"}, splits=["test"])
    np.testing.assert_array_equal(jobs[0].read(path.stem), stored)
