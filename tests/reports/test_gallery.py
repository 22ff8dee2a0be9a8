"""The gallery: pictures as they were shown to the subjects, and what these chose."""

from __future__ import annotations

import base64
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import ExifTags, Image

from reports import pictures
from reports.choices.gallery import gallery
from reports.pictures import LARGEST_PICTURE, Media, data_address
from reports.sources import read_chapters
from stimuli import StimulusSet
from stimuli.media import decode_picture
from toolkit.statistics.choices.single_trials import NOT_ASKED, OTHER, TARGET


@pytest.mark.parametrize(("upright", "top"), [(True, (0, 0, 255)), (False, (255, 0, 0))])
def test_picture_is_turned_on_the_page_only_if_subjects_saw_it_turned(
    upright: bool, top: tuple[int, int, int], tmp_path: Path
) -> None:
    """Browsers turn what says so, as does the reader here: red above blue, upside down."""
    path = tmp_path / "turned.png"
    image = Image.fromarray(np.zeros((32, 32, 3), np.uint8))
    image.paste((255, 0, 0), (0, 0, 32, 16))
    image.paste((0, 0, 255), (0, 16, 32, 32))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 3
    image.save(path, exif=exif)
    content = data_address(path, upright=upright).partition(";base64,")[2]
    seen = decode_picture(base64.b64decode(content), "as a browser shows it")
    assert np.abs(seen[4, 16].astype(int) - top).max() < 40


@pytest.mark.parametrize("mode", ["I;16", "RGBA", "LA"])
def test_picture_made_smaller_for_the_page_looks_as_it_was_shown(mode: str, tmp_path: Path) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (256, 256), np.uint8)
    layers = {
        "I;16": noise.astype(np.uint16) << 8,
        "RGBA": np.stack([noise, noise, noise, noise], axis=2),
        "LA": np.stack([noise, noise], axis=2),
    }
    path = tmp_path / "large.png"
    Image.fromarray(layers[mode]).save(path)
    assert path.stat().st_size > LARGEST_PICTURE
    shown = Image.fromarray(decode_picture(path.read_bytes(), "large"))
    kind, _, content = data_address(path).partition(";base64,")
    small = decode_picture(base64.b64decode(content), "small")
    assert kind == "data:image/webp"
    assert abs(small.mean() - np.asarray(shown).mean()) < 3


LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def read_table(text: str) -> dict[str, Any]:
    """The table of trials as the page's script reads it, columns as numbers."""
    table = json.loads(zlib.decompress(base64.b64decode(text)))
    for name, told in table["columns"].items():
        width, letters = told["width"], told["text"]
        parts = [letters[at : at + width] for at in range(0, len(letters), width)]
        values = [[LETTERS.index(letter) for letter in part] for part in parts]
        table["columns"][name] = [sum(v * 64**p for p, v in enumerate(own[::-1])) for own in values]
    return dict(table)


def test_the_table_of_the_page_says_what_every_network_chose(runs: dict[str, Path]) -> None:
    for paradigm in ("me", "translation"):
        (chapter,) = read_chapters([runs[paradigm]], 6)
        made = gallery(chapter, Media(None, 1))
        assert made is not None
        table = read_table(made.table)
        single, columns = chapter.digest.single, table["columns"]
        n_trials, n_subjects = single.chosen.shape
        answers = np.array(columns["answer"]).reshape(n_trials, n_subjects) - table["zero"]
        asked = single.chosen != NOT_ASKED
        assert (answers[~asked] == table["zero"] + 1).all()
        assert (
            np.sign(answers[asked])
            == np.select([single.chosen[asked] == TARGET, single.chosen[asked] == OTHER], [1, -1])
        ).all()
        small = asked & (np.abs(single.margins) < 3) & (np.abs(single.margins) > 0.1)
        assert np.abs(answers * table["step"] - single.margins)[small].max() <= 0.0501
        for name in ("condition", "word_id", "target_concept", "distractor_id"):
            texts = [table["values"][name][at] for at in columns[name]]
            assert texts == single.trials[name].astype(str).tolist()
        if paradigm == "translation":
            rivals = np.array(columns["rival"]).reshape(n_trials, n_subjects)
            wrong = single.chosen == OTHER
            named = [table["values"]["rival"][at] for at in rivals[wrong]]
            assert named == [single.concepts[at] for at in single.rivals[wrong]]


def test_cards_count_what_was_chosen(runs: dict[str, Path]) -> None:
    (chapter,) = read_chapters([runs["translation"]], 6)
    made = gallery(chapter, Media(None, 1))
    assert made is not None
    trials = pd.read_parquet(runs["translation"] / "trials.parquet")
    rows = chapter.digest.single.trials
    for card, row in zip(made.cards, rows.to_dict("records"), strict=False):
        own = trials[
            (trials["test_language"] == row["test_language"])
            & (trials["condition"] == row["condition"])
            & (trials["trial"] == row["trial"])
        ]
        chosen = (
            own["target_concept"]
            .astype(str)
            .where(own["correct"] == 1, own["distractor_concept"].astype(str))
        )
        for answers in card.answers:
            mine = chosen[own["population"] == answers.population]
            assert {c.what: c.n_seeds for c in answers.chosen if c.n_seeds} == dict(
                mine.value_counts()
            )
            assert sum(c.n_seeds for c in answers.chosen) == len(answers.seeds)


def test_a_small_page_names_what_it_has_no_room_for(
    runs: dict[str, Path], tiny_set: StimulusSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    (chapter,) = read_chapters([runs["me"]], 6)
    whole = Media(tiny_set, 1)
    assert (made := gallery(chapter, whole)) is not None
    assert not any("keep it small" in note for note in made.notes)
    monkeypatch.setattr(pictures, "MOST_MEDIA", 2_000)
    small = Media(tiny_set, 1)
    assert (made := gallery(chapter, small)) is not None
    assert any("To keep it small, the page holds the pictures of" in note for note in made.notes)
    assert 0 < sum(map(len, small.beside().values())) <= 2_000
    assert len(small.beside()) < len(whole.beside())
    assert all(option.image for card in made.cards for option in card.options)
    assert all(card.sound for card in made.cards)
