"""Lists of written words to be filled in."""

from __future__ import annotations

from pathlib import Path

import pytest

from stimuli.wordlists import read_words
from tests.commands import Cli


def test_a_list_is_written_filled_in_and_read(cli: Cli) -> None:
    photos = Path("photos")
    photos.mkdir()
    for name in ("dog 1.jpg", "dog 2.jpg", "hot air balloon.png", ".hidden.png", "notes.txt"):
        (photos / name).touch()
    said = cli("new-words", photos, "--languages", "en,de")
    assert said.code == 0, said.err
    assert "2 concepts in 2 languages" in said.out
    text = Path("words.toml").read_text(encoding="utf-8")
    empty = cli("check-stimuli", "mini", "--words", "words.toml")
    assert empty.code == 2
    assert "words.dog.de" in empty.err
    filled = text.replace('de = ""', 'de = "Hund"', 1).replace('de = ""', 'de = "Ballon"', 1)
    Path("words.toml").write_text(filled, encoding="utf-8")
    words = read_words("words.toml")
    assert words.text("dog", "de", "bare") == "Hund"
    assert words.text("hot air balloon", "en", "bare") == "hot air balloon"
    assert words.languages["de"].name == "German"
    again = cli("new-words", photos, "--languages", "en,de")
    assert again.code == 2
    assert Path("words.toml").read_text(encoding="utf-8") == filled


def test_a_word_alone_will_not_do_where_a_template_asks_for_an_article(cli: Cli) -> None:
    Path("words.toml").write_text(
        'reference = "en"\n[languages.en]\nname = "English"\n'
        'templates = { article = "{article} {word}" }\n[words.car]\nen = "car"\n'
    )
    said = cli("check-stimuli", "mini", "--words", "words.toml")
    assert said.code == 2
    assert "words.car.en: templates ask for an article" in said.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("nowhere", "--languages", "en"), "There are no pictures"),
        ((".", "--languages", "English"), "not the code of a language"),
        ((".", "--languages", ","), "No language was named"),
    ],
)
def test_wrong_input(arguments: tuple[str, ...], expected: str, cli: Cli) -> None:
    said = cli("new-words", *arguments)
    assert said.code == 2
    assert expected in said.err
    assert not Path("words.toml").exists()
