"""Training of the multilingual CLIP: what is shown, what is said, what is learnt and written."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer

from makers.multilingual_clip import eye, sheets, texts, things, train
from makers.multilingual_clip.evaluation import retrieval
from makers.multilingual_clip.scenes import score_scenes
from stimuli import StimulusSet
from stimuli.wordlists import read_words
from tests.colours import LowResource, population
from toolkit.errors import ToolkitError
from toolkit.subjects.contract import ReadsText, SeesPlaces
from toolkit.subjects.populations import open_population

WORDS = Path(things.__file__).parents[2] / "stimuli" / "scenes" / "words.toml"
COLOURS = {"cat": (220, 30, 30), "key": (30, 180, 30), "sun": (30, 30, 220)}


@pytest.fixture(scope="module")
def drawings() -> things.Drawings:
    """Three things that differ in colour and side of the square, two drawings each."""
    names = {"cat": {"en": ("cat",), "de": ("Katze",), "lb": ("Kaz",)},
             "key": {"en": ("key",), "de": ("Schlüssel",)},
             "sun": {"en": ("sun",), "de": ("Sonne",), "zh-CN": ("太阳",)}}  # fmt: skip
    concepts = [things.Concept(name, several, frozenset({name})) for name, several in names.items()]
    items, pictures = [], []
    for name, colour in COLOURS.items():
        for test in (False, True):
            items.append(things.Item(name, "noto", name, "noto", True, test))
            picture = np.zeros((80, 80, 4), np.uint8)
            picture[4 + 6 * test : 76, 4:76] = (*colour, 255)
            pictures.append(picture)
    return things.Drawings(concepts, items, np.stack(pictures))


def test_sheets_say_what_is_where(drawings: things.Drawings) -> None:
    maker = sheets.SheetMaker(drawings, test=False, seed=3)
    drawn = maker.draw(32, 5)
    again = sheets.SheetMaker(drawings, test=False, seed=3).draw(32, 5)
    assert torch.equal(drawn.pictures, again.pictures), "a seed and a step decide everything"
    assert not torch.equal(drawn.pictures, maker.draw(32, 6).pictures)
    assert drawn.pictures.min() >= 0
    assert drawn.pictures.max() <= 1
    side = sheets.PATCH_PX
    rows = drawn.pictures.unfold(2, side, side).unfold(3, side, side).mean((-1, -2))
    patches = rows.permute(0, 2, 3, 1).flatten(1, 2)
    for concept, colour in enumerate(COLOURS.values()):
        strongest = patches[drawn.patches == concept].mean(0).argmax()
        shown = drawn.patches[(drawn.shown == concept).any(1)]
        hidden = drawn.patches[~(drawn.shown == concept).any(1)]
        assert (shown == concept).any(1).float().mean() > 0.9
        assert not (hidden == concept).any()
        grey = patches[drawn.patches == concept].std(1) < 0.01
        assert grey.float().mean() < 0.5
        assert strongest == int(np.argmax(colour))
    empty = patches[drawn.patches == 3]
    assert empty.min() > 0.6, "what counts as empty paper is light"


def test_a_held_out_hand_never_trains() -> None:
    families = [f"hand{n}" for n in range(7)]
    out = things.held_out_families("cat", families, many=True)
    assert len(out) == 2
    assert out == things.held_out_families("cat", families[::-1], many=True)
    assert things.held_out_families("cat", families[:2], many=True) == set()
    assert out != things.held_out_families("dog", families, many=True)


def test_copies_of_training_drawings_are_not_tested_on() -> None:
    from makers.backbones.drawings import Drawing

    random = np.random.default_rng(0)
    concept = things.Concept("cat", {"en": ("cat",)}, frozenset({"cat"}))
    hands = ["aa", "bb", "cc"]
    out = things.held_out_families("cat", hands, many=True)
    assert len(out) == 1
    (held,) = out
    original = random.integers(0, 255, (80, 80, 4)).astype(np.uint8)
    original[..., 3] = 255
    other = original[::-1].copy()
    pairs, pictures = [], []
    for hand in hands:
        for picture in (original, other) if hand == held else (original,):
            drawing = Drawing("cat", hand, f"cat{len(pairs)}", "", (0, 0, 1, 1), True, True)
            pairs.append((concept, drawing))
            pictures.append(picture)
    items = things.split(pairs, pictures)
    kept = [item for item in items if item is not None]
    assert [item.test for item in kept] in ([True, False], [False, True])
    assert sum(item is None for item in items) == 2, "a repeat and a held-out copy"


def test_names_come_from_the_languages_that_have_one(drawings: things.Drawings) -> None:
    queries = texts.Queries(drawings.concepts, read_words(WORDS), with_article=0.5)
    random = np.random.default_rng(0)
    said = {queries.draw(1, random) for _ in range(60)}
    assert {"key", "a key", "an key", "Schlüssel", "ein Schlüssel", "eine Schlüssel"} == said
    assert {"太阳", "一只太阳"} & {queries.draw(2, random) for _ in range(200)}
    assert {"cat", "Katze", "Kaz", "太阳"} <= set(queries.every())


def test_loss_of_clip_by_hand() -> None:
    scores = torch.tensor([[2.0, 1.0], [0.0, 3.0]])
    rows = np.log1p(np.exp(-1)) + np.log1p(np.exp(-3))
    columns = np.log1p(np.exp(-2)) + np.log1p(np.exp(-2))
    loss = texts.clip_loss(scores, torch.tensor([0, 1]))
    assert float(loss) == pytest.approx((rows + columns) / 4, rel=1e-6)
    loss = texts.clip_loss(scores, torch.tensor([1, 1]))
    assert float(loss) == 0, "another drawing of the same thing is no counter-example"


def test_loss_of_the_eye_falls_with_the_right_place() -> None:
    directions = torch.eye(3)
    patches = torch.tensor([[0, 1, 2, sheets.UNJUDGED]])
    right = directions[[0, 1, 2, 1]][None]
    swapped = directions[[1, 0, 2, 1]][None]
    unjudged = directions[[0, 1, 2, 0]][None]
    loss = eye.eye_loss(right, directions, patches, 5.0)
    assert loss < eye.eye_loss(swapped, directions, patches, 5.0)
    assert loss == eye.eye_loss(unjudged, directions, patches, 5.0)
    # Every drawing weighs the same, however many places it covers.
    wide = torch.tensor([[0, 1, 1, 1]])
    wrong_small = eye.eye_loss(directions[[2, 1, 1, 1]][None], directions, wide, 5.0)
    wrong_wide = eye.eye_loss(directions[[0, 2, 2, 2]][None], directions, wide, 5.0)
    assert float(wrong_small) == pytest.approx(float(wrong_wide), rel=1e-5)


def test_training_writes_a_population_and_goes_on(
    drawings: things.Drawings, tmp_path: Path
) -> None:
    told: list[tuple[str, int, int]] = []

    def run(seeds: str) -> Path:
        return train.train_multilingual_clip(
            seeds,
            tmp_path,
            drawings,
            read_words(WORDS),
            eye=eye.EyeSettings(bank=7, steps=2, sheets=3),
            text=texts.TextSettings(steps=2, names=5, vocabulary=300),
            progress=lambda *what: told.append(what),
        )

    folder = run("a")
    first = (folder / "a.safetensors").read_bytes()
    assert ("training seed a", 2, 2) in told
    told.clear()
    run("ab")
    done = {what for what, _, _ in told}
    assert done == {"training the eye", "training seed b"}, "what is finished is kept"
    assert (folder / "a.safetensors").read_bytes() == first
    facts = json.loads((folder / "config.json").read_text("utf-8"))
    assert facts["training"]["names"]["lb"] == 1
    with (folder / "retrieval.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {(row["seed"], row["language"]) for row in rows} >= {("a", "en"), ("b", "lb")}
    states = {seed: load_file(folder / f"{seed}.safetensors") for seed in "ab"}
    for name, weights in states["a"].items():
        same = torch.equal(weights, states["b"][name])
        assert same or not name.startswith("head."), "the eye is shared"
    assert not torch.equal(*(states[seed]["text.text_projection.weight"] for seed in "ab"))
    population = open_population("multilingual-clip", tmp_path)
    assert population.seeds == ("a", "b")
    subject = population.load("b")
    assert isinstance(subject, ReadsText)
    assert isinstance(subject, SeesPlaces)
    embedded = subject.embed_text(["cat", "Katze", "a cat"])
    assert embedded.shape == (3, eye.DIM)
    np.testing.assert_allclose(np.linalg.norm(embedded, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(subject.embed_text(["Katze"])[0], embedded[1], atol=1e-5)
    assert subject.count_tokens(["cat", ""]) == [len_tokens(folder, "cat"), 0]
    picture = np.full((50, 50, 3), 255, np.uint8)
    assert subject.embed_patches([picture]).shape == (1, 10, 10, eye.DIM)


def len_tokens(folder: Path, text: str) -> int:
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    return len(tokenizer.encode(text, add_special_tokens=False).ids)


def test_a_damaged_model_is_refused(drawings: things.Drawings, tmp_path: Path) -> None:
    folder = train.train_multilingual_clip(
        "a",
        tmp_path,
        drawings,
        read_words(WORDS),
        eye=eye.EyeSettings(bank=3, steps=1, sheets=2),
        text=texts.TextSettings(steps=1, names=2, vocabulary=300),
    )
    (folder / "config.json").write_text("{}")
    with pytest.raises(ToolkitError, match="cannot be read"):
        open_population("multilingual-clip", tmp_path).load("a").embed_text(["cat"])
    (folder / "a.safetensors").write_bytes(b"")
    with pytest.raises(ToolkitError):
        open_population("multilingual-clip", tmp_path).load("a")


def test_drawings_told_apart_teach_their_names(drawings: things.Drawings) -> None:
    """With vectors that tell the things apart, names are learnt within seconds."""
    shown = torch.arange(60) % 3
    things = torch.eye(eye.DIM)[shown]
    queries = texts.Queries(drawings.concepts, read_words(WORDS), with_article=0.2)
    tokenizer = texts.train_tokenizer(queries.every(), 300)
    settings = texts.TextSettings(steps=60, names=16, learning_rate=5e-3)
    model, log = texts.train_texts(things, shown, queries, tokenizer, settings, 0, every=20)
    assert log[-1]["loss"] < 0.6 * log[0]["loss"]
    seen = torch.eye(eye.DIM)[:3, None].repeat(1, 9, 1)
    rows = retrieval(model, tokenizer, drawings, seen, [1, 3, 5])
    english = next(row for row in rows if row["language"] == "en")
    assert english["first"] == 1
    assert english["names"] == 3
    assert english["chance"] == pytest.approx(1 / 3)
    assert {row["language"] for row in rows} == {"de", "en", "lb", "zh-CN"}


def test_the_shipped_population_knows_its_words() -> None:
    population = open_population("multilingual-clip")
    assert len(population.languages) == 13
    weights = [population.file(f"{seed}.safetensors") for seed in population.seeds]
    assert sum(path.stat().st_size for path in weights) <= 12e6
    with population.file("retrieval.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert {row["language"] for row in rows} == set(population.languages)
    for row in rows:
        assert float(row["first"]) > 10 * float(row["chance"])


def test_training_says_which_packages_it_needs(tmp_path: Path) -> None:
    given = ["--out", str(tmp_path / "made"), "--packages", str(tmp_path)]
    with pytest.raises(ToolkitError) as caught:
        train.main(given)
    assert caught.value.next_command == "npm install cldr-annotations-full@48.2.0"
    with pytest.raises(ToolkitError, match="no seed 'A'"):
        train.main([*given, "--seeds", "A"])


def test_the_scenes_are_scored_per_seed_and_language(
    scenes_set: StimulusSet, tmp_path: Path
) -> None:
    rows = score_scenes(population(LowResource), scenes_set, tmp_path)
    assert [(row["seed"], row["language"]) for row in rows] == [
        (seed, language) for seed in "ab" for language in ("en", "fr", "lb")
    ]
    things = scenes_set.objects["concept"]
    for row in rows:
        assert row["questions"] == len(things)
        mistaken = row["language"] == "lb"
        assert row["pointing"] == (1 - (things == "car").mean() if mistaken else 1)
        assert row["iou_english"] == (1 if not mistaken else pytest.approx(row["pointing"]))
        assert row["chance"] == pytest.approx(0.25)
