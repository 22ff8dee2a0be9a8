"""Lists of written words: what is asked in every language, and every fault of a list at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from stimuli.errors import ToolkitError
from stimuli.wordlists import read_words

GOOD = """
reference = "en"

[languages.en]
name = "English"
templates = { bare = "{word}", article = "{article} {word}", photo = "photo of {article} {word}" }

[languages.lb]
name = "Luxembourgish"
resource = "low"
templates = { article = "{article} {word}", bare = "{word}" }

[languages.zh-TW]
name = "Chinese"
resource = "high"
templates = { bare = "{word}", article = "{article}{word}" }

[words.car]
en = { word = "car", article = "a" }
lb = { word = "Auto", article = "en" }
zh-TW = { word = "汽車", article = "一輛" }

[words.traffic_light]
en = { word = "traffic light", article = "a" }
zh-TW = { word = "紅綠燈" }
"""


def write(folder: Path, text: str) -> Path:
    path = folder / "words.toml"
    path.write_text(text, "utf-8")
    return path


def test_texts_follow_the_templates_of_their_language(tmp_path: Path) -> None:
    words = read_words(write(tmp_path, GOOD))
    assert words.reference == "en"
    assert words.text("traffic_light", "en", "photo") == "photo of a traffic light"
    assert words.text("car", "zh-TW", "article") == "一輛汽車"
    assert words.text("traffic_light", "zh-TW", "article") == "紅綠燈", "no article, no blank"
    assert words.templates(["lb", "zh-TW"]) == ("bare", "article")
    assert words.templates(["en"]) == ("bare", "article", "photo")
    assert [words.languages[code].resource for code in ("lb", "zh-TW")] == ["low", "high"]


def test_what_is_not_in_the_list_is_named(tmp_path: Path) -> None:
    words = read_words(write(tmp_path, GOOD))
    with pytest.raises(ToolkitError, match="no language") as caught:
        words.text("car", "zh-tw", "bare")
    assert caught.value.nearest == "zh-TW"
    with pytest.raises(ToolkitError, match="no concept") as caught:
        words.text("cars", "en", "bare")
    assert caught.value.nearest == "car"
    with pytest.raises(ToolkitError, match="'traffic_light' has no word in the language 'lb'"):
        words.text("traffic_light", "lb", "bare")
    with pytest.raises(ToolkitError, match="no template of the language 'lb' called 'photo'"):
        words.text("car", "lb", "photo")
    assert words.untranslated(["car", "traffic_light", "bus"], ["en", "lb"]) == [
        "the concept 'traffic_light' has no word in lb",
        "the concept 'bus' has no word in en, lb",
    ]


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        (
            'reference = "en"',
            'reference = "em"',
            "none of the languages; did you mean 'en'",
        ),
        ('reference = "en"', "", "reference None is none of the languages"),
        ("[languages.lb]", "[languages.Lux]", "languages.Lux: the code is not like en, lb"),
        (
            'resource = "low"',
            'resource = "lo"',
            "not one of high | low; did you mean 'low'",
        ),
        ('resource = "low"\n', "", "languages.lb: resource is missing"),
        ('name = "Chinese"', "name = 7", "languages.zh-TW: name is missing"),
        ('{article}{word}"', '{article}{wrd}"', "template 'article' must be a text with {word}"),
        ('{article}{word}"', '{article}"', "template 'article' must be a text with {word}"),
        ('{article}{word}"', '{article}{word"', "template 'article' must be a text with {word}"),
        ('{article}{word}"', '{word.__class__}"', "template 'article' must be a text with {word}"),
        ('{article}{word}"', '{word!x}"', "template 'article' must be a text with {word}"),
        ('{article}{word}"', '{word:>400}"', "template 'article' must be a text with {word}"),
        ('reference = "en"', 'reference = ["en"]', "reference ['en'] is none of the languages"),
        ('lb = { word = "Auto"', 'lv = { word = "Auto"', "no language 'lv'; did you mean 'lb'"),
        ('lb = { word = "Auto"', 'lb = { word = ""', "words.car.lb: it must be like"),
        ('lb = { word = "Auto"', 'lb = { word = " "', "words.car.lb: it must be like"),
        ('article = "en"', "article = 1", "words.car.lb: besides word there may be article"),
        ("[words.car]", '[words."a/b"]', "a concept may not have a '/'"),
        ("[words.car]", "[word.car]", "unknown key 'word'; did you mean 'words'"),
    ],
)
def test_faults_of_a_list(old: str, new: str, fault: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(ToolkitError) as caught:
        read_words(write(tmp_path, GOOD.replace(old, new, 1)))
    assert fault in caught.value.message


def test_all_faults_at_once_and_unreadable_files(tmp_path: Path) -> None:
    broken = GOOD.replace('"low"', '"lo"').replace('word = "car"', 'word = ""')
    with pytest.raises(ToolkitError, match="has 2 faults"):
        read_words(write(tmp_path, broken))
    with pytest.raises(ToolkitError, match="is not valid TOML"):
        read_words(write(tmp_path, "reference = en"))
    with pytest.raises(ToolkitError, match=r"there is no \[words\.NAME\]"):
        read_words(write(tmp_path, GOOD.partition("[words")[0]))
    with pytest.raises(ToolkitError, match="cannot be read"):
        read_words(tmp_path / "nowhere.toml")
