"""Text files as Windows saves them: with a byte-order mark they are read, as UTF-16 refused."""

from __future__ import annotations

import io
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from stimuli import open_set
from stimuli.columns import REQUIRED
from stimuli.errors import ToolkitError
from stimuli.published import read_vocabulary
from stimuli.tables import read_table
from stimuli.texts import read_toml, write_toml
from stimuli.wordlist import read_word_list
from stimuli.wordlists import read_words
from toolkit.subjects.population import read_population
from toolkit.training.grid import read_grid

SET = (
    'name = "small"\nversion = "1"\ntitle = "Small"\ndescription = "Bär"\nlanguages = []\n'
    'licence = "CC0-1.0"\nsample_rate_hz = 16000\npicture_size_px = 0\n'
)
WORDS = (
    'reference = "en"\n[languages.en]\nname = "English"\ntemplates = { bare = "{word}" }\n'
    '[words.bear]\nen = { word = "Bär" }\n'
)
POPULATION = (
    'name = "own"\ndescription = "Bär"\nlanguages = ["en"]\nseeds = ["a"]\nfactory = "own:load"\n'
)


def pictures(folder: Path) -> list[str]:
    file = io.BytesIO()
    Image.new("RGB", (2, 2)).save(file, "PNG")
    (folder / "Bär.png").write_bytes(file.getvalue())
    return list(open_set(folder).table.index)


READERS: dict[str, tuple[str, Callable[[Path], object], object]] = {
    "set.toml": (SET, lambda folder: open_set(folder).description, "Bär"),
    "words.toml": (WORDS, lambda folder: read_words(folder / "words.toml").reference, "en"),
    "population.toml": (POPULATION, lambda folder: read_population(folder).description, "Bär"),
    "grid.toml": (
        "[grid] # Bär\nlanguages = [['en']]\nseeds = 'a'\n",
        lambda folder: read_grid(folder / "grid.toml").seeds,
        ("a",),
    ),
    "list.txt": ("# Bär\nBär.png\n", pictures, ["Bär.png"]),
    "stimuli.csv": (
        ",".join(REQUIRED) + "\nBär" + "," * (len(REQUIRED) - 1) + "\n",
        lambda folder: read_table(folder / "stimuli.csv")["stimulus_id"].tolist(),
        ["Bär"],
    ),
    "list.csv": (
        "concept,word\nbear,Bär\n",
        lambda folder: read_word_list(folder / "list.csv", {})[0].word,
        "Bär",
    ),
    "words-seen.txt": (
        "Bär\n",
        lambda folder: list(read_vocabulary(folder).status),
        ["Bär"],
    ),
}
"""Name of the file, its text, what reads it, and what is read."""


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_every_text_is_read_with_and_without_a_byte_order_mark(
    name: str, ending: str, encoding: str, tmp_path: Path
) -> None:
    text, read, expected = READERS[name]
    write(tmp_path, name, text.replace("\n", ending).encode(encoding))
    assert read(tmp_path) == expected


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_every_text_in_utf_16_is_refused_with_the_way_out(
    name: str, encoding: str, tmp_path: Path
) -> None:
    text, read, _ = READERS[name]
    write(tmp_path, name, text.encode(encoding))
    with pytest.raises(ToolkitError, match="is saved as UTF-16") as caught:
        read(tmp_path)
    assert str(tmp_path / name) in caught.value.message
    assert "iconv -f UTF-16" in str(caught.value.next_command)


@pytest.mark.parametrize("name", READERS)
def test_every_text_of_another_encoding_is_refused_by_name(name: str, tmp_path: Path) -> None:
    text, read, _ = READERS[name]
    write(tmp_path, name, text.encode("latin-1"))
    with pytest.raises(ToolkitError, match="is not UTF-8") as caught:
        read(tmp_path)
    assert str(tmp_path / name) in caught.value.message


@pytest.mark.parametrize(
    "content", ["x = " + "9" * 5000, "x = " + "[" * 5000, "x = 1\nx = 2", "= 1", "\x00"]
)
def test_toml_that_its_reader_stumbles_over_is_refused(content: str, tmp_path: Path) -> None:
    path = tmp_path / "set.toml"
    path.write_text(content)
    with pytest.raises(ToolkitError, match=r"set\.toml is (not valid TOML|saved as UTF-16)"):
        read_toml(path)


def write(folder: Path, name: str, content: bytes) -> None:
    """A file, and the others that its reader wants to see beside it."""
    if name == "words-seen.txt":
        (folder / "concepts.csv").write_text("Bär,beer,ours\n", encoding="utf-8")
        (folder / "words-unseen.txt").write_text("")
    (folder / name).write_bytes(content)


@pytest.mark.parametrize(
    "value",
    [
        "caf\u00e9",
        "\U0001f600",
        'a "b" \\ c',
        "\x7f",
        "a\nb\tc",
        ["a", "\U0001f600"],
        {"\U0001f600": "b"},
        True,
        0.5,
    ],
)
def test_what_is_written_as_toml_is_read_back(value: object) -> None:
    assert tomllib.loads(write_toml({"key": value}))["key"] == value
