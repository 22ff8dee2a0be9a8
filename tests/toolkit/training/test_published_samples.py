"""Published validation samples are taken as they are, where they are there and as published."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.published_features import HEARING, RECIPE, SEEING, write_published_features
from tests.stimuli.published_layout import write_published_data
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones import listing
from toolkit.subjects.vgs.subject import fresh_network
from toolkit.training.conditions import Condition
from toolkit.training.features import FeatureBank
from toolkit.training.fit import network_config
from toolkit.training.populations import train_populations
from toolkit.training.published_samples import find_samples, read_samples
from toolkit.training.recipe import Recipe
from toolkit.training.sampler import Choices
from toolkit.training.sources import PublishedData, open_source
from toolkit.training.validation import Validation

PAIRED = replace(RECIPE, negatives=2)
NAMES = {"english": "en", "dutch": "nl"}


@pytest.fixture(autouse=True)
def _listed_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of features are made by the tests themselves: listing them apart only takes time."""
    monkeypatch.setattr(listing, "_listed_apart", listing._listed)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_published_data(tmp_path)
    write_published_features(tmp_path)
    return tmp_path


def published(root: Path) -> PublishedData:
    source = open_source(root, HEARING, SEEING)
    assert isinstance(source, PublishedData)
    return source


def listed(root: Path, what: str) -> list[dict[str, Any]]:
    path = root / "data" / "filelists" / f"{what}-valid{'-3' * (what == 'audio')}.json"
    found: list[dict[str, Any]] = json.loads(path.read_text())
    return found


def entries(root: Path, recipe: Recipe, languages: tuple[str, ...]) -> list[Any]:
    """Samples as the published code draws them."""
    rng = np.random.default_rng(1)
    clips = [one for one in listed(root, "audio") if one["lang"] in languages]
    pictures = listed(root, "image")

    def some(of: list[Any], word: str, n: int, *, same: bool, language: str = "") -> list[Any]:
        fit = [
            one for one in of
            if (one["word-en"] == word) == same and language in ("", one.get("lang"))
        ]  # fmt: skip
        return [fit[i] for i in rng.integers(len(fit), size=n)]

    made: list[Any] = []
    for clip in clips:
        word, n = clip["word-en"], recipe.negatives_drawn
        image = some(pictures, word, 1, same=True)
        if not n:
            made.append([clip, *image])
            continue
        one = {"images-pos": image, "images-neg": some(pictures, word, n, same=False)}
        if recipe.links:
            other = next((name for name in languages if name != clip["lang"]), clip["lang"])
            for part, language in (("audios1", clip["lang"]), ("audios2", other)):
                pos = some(clips, word, 1, same=True, language=language)
                one[f"{part}-pos"] = [clip] if part == "audios1" else pos
                one[f"{part}-neg"] = some(clips, word, n, same=False, language=language)
        else:
            one |= {"audios-pos": [clip], "audios-neg": some(clips, word, n, same=False)}
        made.append(one)
    return made


def write(root: Path, name: str, content: object) -> Path:
    path = root / "data" / "filelists" / f"validation-samples-{name}.json"
    path.write_text(json.dumps(content))
    return path


def told(bank: FeatureBank, choices: Choices, kind: str) -> list[list[tuple[str, ...]]]:
    """Names, and languages of clips, of what was chosen."""
    table = bank.word_table if kind == "word" else bank.picture_table
    rows = choices.rows[choices.places].tolist()
    return [[(table[row][0], *table[row][3:]) for row in own] for own in rows]


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("clip", "english_dutch-P1-N2"),
        ("mattnet", "dutch_english-P1-N2"),
        ("clip-two-audios", "english_dutch-P1-N2"),
        ("barlip", "simple-english_dutch"),
    ],
)
def test_items_are_those_of_the_file(family: str, name: str, root: Path) -> None:
    recipe = replace(PAIRED, family=family)
    made = entries(root, recipe, ("english", "dutch"))
    path = write(root, name, made)
    bank = published(root).bank(recipe, lambda *_: None)
    assert find_samples(path.parent, ["en", "nl"], recipe) == path
    items = read_samples(path, bank, recipe)
    audios = ["audios1", "audios2"] if recipe.links else ["audios"]
    if family == "barlip":
        wanted = {
            "audios": [[(c["name"], NAMES[c["lang"]])] for c, _ in made],
            "images": [[(p["name"],)] for _, p in made],
        }
    else:
        wanted = {
            part: [
                [(o["name"], *([NAMES[o["lang"]]] if "lang" in o else []))
                 for o in e[f"{part}-pos"] + e[f"{part}-neg"]]
                for e in made
            ]
            for part in (*audios, "images")
        }  # fmt: skip
    assert told(bank, items.words, "word") == wanted[audios[0]]
    assert told(bank, items.pictures, "picture") == wanted["images"]
    if recipe.links:
        assert items.second_words is not None
        assert told(bank, items.second_words, "word") == wanted["audios2"]
    else:
        assert items.second_words is None


def test_the_loss_is_that_of_the_items(root: Path) -> None:
    path = write(root, "english-P1-N2", entries(root, PAIRED, ("english",)))
    bank = published(root).bank(PAIRED, lambda *_: None)
    network = fresh_network(network_config(bank, PAIRED)).eval().requires_grad_(requires_grad=False)
    fixed, _ = Validation(replace(bank, samples=path), ["en"], PAIRED)(network)
    items = read_samples(path, bank, PAIRED)
    words = network.encode_words(*bank.words(items.words.rows))[items.words.places]
    pictures = network.encode_pictures(bank.pictures(items.pictures.rows))[items.pictures.places]
    assert fixed == pytest.approx(float(network.objective(words, pictures, None)), rel=1e-5)
    drawn, _ = Validation(bank, ["en"], PAIRED)(network)
    assert drawn != pytest.approx(fixed, rel=1e-5)


def test_samples_that_are_not_asked_for_are_left(root: Path) -> None:
    folder = root / "data" / "filelists"
    write(root, "english_dutch-P1-N2", entries(root, PAIRED, ("english", "dutch")))
    assert find_samples(folder, ["en", "nl"], replace(PAIRED, validation_items=7)) is None
    assert find_samples(folder, ["en", "nl"], replace(PAIRED, negatives=3)) is None
    assert find_samples(folder, ["en"], PAIRED) is None
    # That of another family of the same name.
    linked = replace(PAIRED, family="clip-two-audios")
    assert find_samples(folder, ["en", "nl"], linked) is None


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda entry: entry.pop("audios-neg"), "no list 'audios-neg'"),
        (lambda entry: entry["audios-neg"].pop(), "has 2 audios"),
        (lambda entry: entry["audios-neg"][0].pop("lang"), "no usable 'lang'"),
        (lambda entry: entry["images-pos"][0].update(name="else"), "names a picture that is none"),
        (lambda entry: entry["audios-pos"][0].update(lang="french"), "names a word that is none"),
        (lambda entry: entry["audios-pos"][0].update(lang="Frensh"), "did you mean: french"),
        (lambda entry: entry.update({"images-neg": 5}), "no list 'images-neg'"),
    ],
)
def test_faulty_entries_are_named(change: Any, said: str, root: Path) -> None:
    made = json.loads(json.dumps(entries(root, PAIRED, ("english",))))
    change(made[1])
    path = write(root, "english-P1-N2", made)
    bank = published(root).bank(PAIRED, lambda *_: None)
    with pytest.raises(ToolkitError) as caught:
        read_samples(path, bank, PAIRED)
    assert said in str(caught.value)


def test_training_takes_them_and_tells_so(root: Path) -> None:
    conditions = [Condition.of(["en"], PAIRED), Condition.of(["nl"], PAIRED)]

    def train() -> dict[str, tuple[dict[str, Any], bytes]]:
        train_populations(conditions, "ab", root / "out", published(root), jobs=1)
        return {
            one.name: (
                json.loads((root / "out" / one.name / "config.json").read_text())["training"],
                (root / "out" / one.name / "training_log.csv").read_bytes(),
            )
            for one in conditions
        }

    before = train()
    path = write(root, "english-P1-N2", entries(root, PAIRED, ("english",)))
    after = train()
    (english, log), (dutch, other) = after["monolingual-en"], after["monolingual-nl"]
    assert english["validation_samples"] == path.name
    assert log != before["monolingual-en"][1]
    assert (dutch, other) == before["monolingual-nl"]
    assert "validation_samples" not in dutch
    path.write_text(path.read_text().replace("dog", "hog"))
    config = root / "out" / "monolingual-en" / "config.json"
    written = config.read_bytes()
    with pytest.raises(ToolkitError, match="none of the familiar ones"):
        train()
    assert config.read_bytes() == written
