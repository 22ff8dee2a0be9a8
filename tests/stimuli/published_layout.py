"""A small fake of the published data: two seen and two unseen words, two languages."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from PIL import Image

SEEN, UNSEEN = ("dog", "car"), ("key", "fish", "nautilus")
CONCEPTS = """dog,hond,chien
car,auto,voiture
key,sleutel,clé
fish,vis,poisson
nautilus,inktvis,nautile
"""
SPOKEN = {"english": 0, "dutch": 1}
TRIALS_PER_CLASS = 3


def write_published_data(root: Path) -> Path:
    """Write `root/data` with lists, media, vocabulary and test lists; returns `root/data`.

    Dutch clips have 44,100 Hz, and one English clip is stereo.
    """
    data = root / "data"
    lists = data / "filelists"
    lists.mkdir(parents=True)
    (data / "images").mkdir()
    (data / "concepts.csv").write_text(CONCEPTS, encoding="utf-8")
    (data / "words-seen.txt").write_text("\n".join(SEEN) + "\n")
    (data / "words-unseen.txt").write_text("\n".join(UNSEEN) + "\n")
    spelling = {line.split(",")[0]: line.split(",") for line in CONCEPTS.splitlines()}
    listed: dict[str, list[dict[str, Any]]] = {}
    for split in ("train", "valid", "test"):
        words, pictures = [], []
        for concept in (*SEEN, *(UNSEEN if split == "test" else ())):
            for number in range(2):
                for language, column in SPOKEN.items():
                    name = f"{spelling[concept][column]}_{split}{number}"
                    write_clip(data, language, name)
                    words.append({"name": name, "lang": language, "word-en": concept})
                name = f"{concept}-{split}{number}"
                write_picture(data, name)
                pictures.append({"name": name, "word-en": concept, "source": "ImageNet"})
        # An older version, which must not be read.
        write_json(lists / f"audio-{split}.json", [{"name": "old", "lang": "english"}])
        write_json(lists / f"audio-{split}-3.json", words)
        write_json(lists / f"image-{split}.json", pictures)
        listed = {"word": words, "picture": pictures}
    for language in SPOKEN:
        for test, asked in (("familiar-familiar", SEEN), ("novel-familiar", UNSEEN[:2])):
            write_json(lists / f"{test}-{language}-test.json", _trials(listed, language, asked))
    return data


def _trials(
    listed: dict[str, list[dict[str, Any]]], language: str, asked: tuple[str, ...]
) -> list[dict[str, Any]]:
    """As many trials per class, the distractors familiar pictures of the other classes."""
    made = []
    for concept in asked:
        clips = itertools.cycle(
            [w for w in listed["word"] if (w["lang"], w["word-en"]) == (language, concept)]
        )
        own = itertools.cycle([p for p in listed["picture"] if p["word-en"] == concept])
        others = itertools.cycle(
            [p for p in listed["picture"] if p["word-en"] in SEEN and p["word-en"] != concept]
        )
        for _ in range(TRIALS_PER_CLASS):
            made.append({"audio": next(clips), "image-pos": next(own), "image-neg": next(others)})
    return made


def write_clip(data: Path, language: str, name: str) -> None:
    """A clip that differs from all others."""
    (data / f"{language}_words").mkdir(exist_ok=True)
    rng = np.random.default_rng(list(f"{language}{name}".encode()))
    rate = 44_100 if language == "dutch" else 16_000
    samples = rng.uniform(-0.5, 0.5, (rate // 10, 2 if name == "dog_test0" else 1))
    soundfile.write(data / f"{language}_words" / f"{name}.wav", samples, rate)


def write_picture(data: Path, name: str) -> None:
    """A picture that differs from all others; sizes differ, too."""
    rng = np.random.default_rng(list(name.encode()))
    pixels = rng.integers(0, 256, (9, 7 + len(name) % 3, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(data / "images" / f"{name}.jpg")


def write_json(path: Path, content: object) -> None:
    """Write a list as the published code does."""
    path.write_text(json.dumps(content), encoding="utf-8")
