"""Training on features in the published layout: what is taken, and what is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from stimuli import open_set
from stimuli.files import checksum_file
from tests.conftest import tiny_rows, write_set
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.stored import FeatureFile, media_sha256, write_features
from toolkit.subjects.populations import open_population
from toolkit.training.bank_files import load_bank, save_bank
from toolkit.training.conditions import Condition
from toolkit.training.populations import train_populations
from toolkit.training.recipe import PUBLISHED, Recipe
from toolkit.training.sources import PublishedData, SetSource, open_source

SEEN, UNSEEN = ("bear", "clock", "dog"), ("crown",)
RECIPE = replace(PUBLISHED, epochs=2, warmup_epochs=1, items=5, width=64, embedding=3)


def write_data(root: Path) -> Path:
    """Two clips per word and language, two pictures per word; words of two to four frames."""
    rng, lists = np.random.default_rng(0), root / "data" / "filelists"
    lists.mkdir(parents=True)
    (root / "data" / "words-seen.txt").write_text("\n".join(SEEN) + "\n")
    (root / "data" / "words-unseen.txt").write_text("\n".join(UNSEEN) + "\n")
    (root / "data" / "concepts.csv").write_text(
        "bear,beer,ours\nclock,klok,horloge\ndog,hond,chien\ncrown,kroon,couronne\nlion,leeuw,lion\n"
    )
    for split in ("train", "valid", "test"):
        audio, image = [], []
        for word in (*SEEN, *UNSEEN, "lion"):
            for take in range(2):
                audio += [
                    {"name": f"{word}-{take}", "lang": lang, "word-en": word, "source": "x"}
                    for lang in ("english", "dutch")
                ]
                image.append({"name": f"{word}-{split}-{take}", "word-en": word, "source": "x"})
        (lists / f"audio-{split}-3.json").write_text(json.dumps(audio))
        (lists / f"image-{split}.json").write_text(json.dumps(image))
        for lang in ("english", "dutch"):
            shapes = {e["name"]: (2 + i % 3, 5) for i, e in enumerate(audio) if e["lang"] == lang}
            _write(root, "audio", f"{split}-{lang}-wavlm-base-plus", shapes, rng)
        shapes = {e["name"]: (7, 2, 3) for e in image}
        _write(root, "image", f"{split}-dino-resnet50", shapes, rng)
    return root


def _write(
    root: Path, modality: str, name: str, shapes: dict[str, tuple[int, ...]],
    rng: np.random.Generator,
) -> None:  # fmt: skip
    folder = root / "output" / f"features-{modality}"
    folder.mkdir(parents=True, exist_ok=True)
    features = {n: (rng.normal(size=shape).astype("f"), "0") for n, shape in shapes.items()}
    write_features(folder / f"me-dataset-{name}.h5", features, {})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_data(tmp_path / "me-vgs")


def published(root: Path) -> PublishedData:
    source = open_source(root, "wavlm-base-plus", "dino-resnet50")
    assert isinstance(source, PublishedData)
    return source


def test_bank_holds_the_familiar_words_as_they_are(root: Path) -> None:
    source = published(root)
    bank = source.bank(RECIPE, lambda *_: None)
    assert source.languages == ("en", "nl")
    assert bank.concepts == SEEN
    assert {row[1] for row in bank.word_table} == {"train", "valid"}
    assert len(bank.word_table) == 2 * 2 * 3 * 2
    assert len(bank.picture_table) == len(bank.at_hand().maps) == 2 * 3 * 2
    path = root / "output" / "features-audio" / "me-dataset-valid-dutch-wavlm-base-plus.h5"
    wanted = next(FeatureFile(path).read(["clock-1"]))
    row = bank.word_table.index(("clock-1", "valid", "clock", "nl"))
    features, lengths = bank.words(np.array([row]))
    assert lengths.tolist() == [len(wanted)]
    np.testing.assert_allclose(features[0].numpy(), wanted, atol=2e-3)
    told = source.outline()
    assert (told.word_table, told.picture_table) == (bank.word_table, bank.picture_table)


def test_features_are_as_precise_as_the_recipe_says(root: Path) -> None:
    """As published, to the last bit, also when the bank was written and read again."""
    source = published(root)
    path = root / "output" / "features-audio" / "me-dataset-train-dutch-wavlm-base-plus.h5"
    wanted = next(FeatureFile(path).read(["clock-1"]))
    picture = root / "output" / "features-image" / "me-dataset-train-dino-resnet50.h5"
    shown = next(FeatureFile(picture).read(["dog-train-0"]))
    half = replace(RECIPE, feature_precision="half")
    assert (RECIPE.feature_precision, Recipe().feature_precision) == ("float32", "half")
    assert "feature_precision" not in half.record()
    assert source.key(RECIPE) != source.key(half)
    for recipe, exact in ((RECIPE, True), (half, False)):
        save_bank(source.bank(recipe, lambda *_: None), root / "bank.safetensors")
        bank = load_bank(root / "bank.safetensors")
        word = bank.word_table.index(("clock-1", "train", "clock", "nl"))
        row = bank.picture_table.index(("dog-train-0", "train", "dog"))
        (words, _), maps = bank.words(np.array([word])), bank.pictures(np.array([row]))
        assert words.dtype == maps.dtype == torch.float32
        assert np.array_equal(words[0].numpy(), wanted) == exact
        assert np.array_equal(maps[0].numpy(), shown) == exact


def test_a_population_is_trained(root: Path, tmp_path: Path) -> None:
    conditions = [Condition.of(["en", "nl"], RECIPE), Condition.of(["nl"], RECIPE)]
    train_populations(conditions, ["a"], tmp_path / "out", published(root), jobs=1)
    config = json.loads((tmp_path / "out" / "bilingual-en-nl" / "config.json").read_text())
    assert config["training"]["epoch_clips"] == 12
    assert config["backbones"]["hearing"]["folder"] == "wavlm-base-plus"
    assert config["stimuli"]["name"] == "me-vgs"
    assert open_population("monolingual-nl", tmp_path / "out").seeds == ("a",)


def test_sets_are_no_published_data() -> None:
    assert isinstance(open_source("mini", "hearing", "seeing"), SetSource)


def test_altered_views_are_refused(root: Path, tmp_path: Path) -> None:
    with pytest.raises(ToolkitError, match="no altered views"):
        train_populations(
            [Condition.of(["en"], Recipe())], ["a"], tmp_path / "out", published(root)
        )
    assert not (tmp_path / "out").exists()


def test_truncated_features_are_named(root: Path) -> None:
    path = root / "output" / "features-audio" / "me-dataset-train-dutch-wavlm-base-plus.h5"
    path.write_bytes(path.read_bytes()[:2000])
    with pytest.raises(ToolkitError, match="is damaged, or was changed"):
        published(root).bank(RECIPE, lambda *_: None)
    checksum_file(path).unlink()
    with pytest.raises(ToolkitError, match="cut short"):
        published(root).bank(RECIPE, lambda *_: None)


def test_missing_features_are_named(root: Path) -> None:
    with pytest.raises(ToolkitError, match="extract-features") as caught:
        open_source(root, "hearing", "dino-resnet50")
    assert "me-dataset-train-dutch-hearing.h5" in str(caught.value)


def test_a_word_that_is_not_in_the_vocabulary(root: Path) -> None:
    path = root / "data" / "filelists" / "audio-train-3.json"
    path.write_text(path.read_text().replace('"word-en": "clock"', '"word-en": "clok"'))
    with pytest.raises(ToolkitError, match="clok") as caught:
        published(root)
    assert caught.value.nearest == "clock"
    assert path.name in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("words-seen.txt", None, "vocabulary"),
        ("words-seen.txt", "bear\nclok\n", "'clok'"),
        ("words-unseen.txt", "crown\ndog\n", "'dog' stands in words-seen.txt and in words-unseen"),
        ("concepts.csv", "bear,beer\n", "does not have 3 words"),
    ],
)
def test_a_faulty_vocabulary(name: str, text: str | None, said: str, root: Path) -> None:
    path = root / "data" / name
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    with pytest.raises(ToolkitError, match=said):
        published(root)


def test_vocabulary_may_have_spaces_and_a_byte_order_mark(root: Path) -> None:
    before = published(root).outline().concepts
    (root / "data" / "words-seen.txt").write_text("\ufeffbear \nclock\r\n\ndog", "utf-8")
    assert published(root).outline().concepts == before == SEEN


def test_a_clip_that_is_listed_as_two_words(root: Path) -> None:
    path = root / "data" / "filelists" / "audio-train-3.json"
    entries = json.loads(path.read_text())
    path.write_text(json.dumps([*entries, {**entries[0], "word-en": "lion"}]))
    with pytest.raises(ToolkitError, match="'bear-0' is listed as 'bear' and as 'lion'"):
        published(root)


def test_a_language_that_is_none(root: Path) -> None:
    for path in (root / "data" / "filelists").glob("audio-*.json"):
        path.write_text(path.read_text().replace("dutch", "Dutsch"))
    for path in (root / "output" / "features-audio").glob("*dutch*"):
        path.rename(path.with_name(path.name.replace("dutch", "Dutsch")))
    with pytest.raises(ToolkitError, match="Dutsch") as caught:
        published(root)
    assert caught.value.nearest == "dutch"


def test_a_language_without_clips_of_a_class(root: Path, tmp_path: Path) -> None:
    path = root / "data" / "filelists" / "audio-valid-3.json"
    kept = [
        e for e in json.loads(path.read_text()) if (e["lang"], e["word-en"]) != ("dutch", "dog")
    ]
    path.write_text(json.dumps(kept))
    with pytest.raises(ToolkitError, match="no nl word for dog"):
        train_populations([Condition.of(["nl"], RECIPE)], ["a"], tmp_path / "out", published(root))
    with pytest.raises(ToolkitError, match="language 'fr'"):
        train_populations([Condition.of(["fr"], RECIPE)], ["a"], tmp_path / "out", published(root))
    assert not (tmp_path / "out").exists()


def test_features_are_asked_for_in_the_languages_that_are_trained(root: Path) -> None:
    for path in (root / "output" / "features-audio").glob("*-dutch-*.h5"):
        path.unlink()
    names = root, "wavlm-base-plus", "dino-resnet50"
    source = open_source(*names, ["en"])
    assert source.languages == ("en",)
    train_populations([Condition.of(["en"], RECIPE)], "a", root / "out", source, jobs=1)
    assert (root / "out" / "monolingual-en" / "a.safetensors").is_file()
    for languages in (["en", "nl"], None):
        with pytest.raises(ToolkitError, match=r"no such file.*features[\s\S]*-dutch-"):
            open_source(*names, languages)


def test_a_file_of_features_need_not_have_every_language_of_a_set(
    tmp_path: Path,
) -> None:
    tiny = [row for row in tiny_rows() if row["status"] == "familiar"]
    valid = {"train": "train", "test": "valid"}
    rows = [row | {"split": valid[row["split"]]} for row in tiny]
    tiny_set = open_set(write_set(tmp_path / "tiny", rows, ("en", "nl")))
    english = tiny_set.select(kind="word", language="en").index
    made = {
        name: (np.ones((2, 5), "f"), media_sha256(tiny_set.read_clip(name))) for name in english
    }
    path = tmp_path / "english.h5"
    write_features(path, made, {"backbone_sha256": "0" * 64})
    recipe = replace(Recipe(), word_views=1, picture_views=1)
    one = open_source(tiny_set.folder, path, "seeing", {"en"})
    assert one.languages == tiny_set.languages
    bank = one.bank(recipe, lambda *_: None)
    assert {row[3] for row in bank.word_table} == {"en"}
    assert one.outline().word_table == bank.word_table
    every = open_source(tiny_set.folder, path, "seeing", set(tiny_set.languages))
    assert one.key(recipe) != every.key(recipe)
    with pytest.raises(ToolkitError, match="lacks the features of"):
        every.bank(recipe, lambda *_: None)
