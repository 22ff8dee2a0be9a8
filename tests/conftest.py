"""Fixtures of all tests: a small stimulus set, small subjects, and no network."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import socket
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from PIL import Image

from stimuli import StimulusSet, open_set
from tests.commands import Cli, Said

if "PYTEST_XDIST_WORKER" in os.environ:
    # Every core has a process of its own already; torch reads this when it is imported.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

FAMILIAR = ("bear", "car", "dog")
NOVEL = ("ball", "cake", "fish", "key", "tree")
LANGUAGES = ("en", "nl")
VOICES = {"train": ("cas",), "test": ("ann", "bob")}
STYLES = ("colour", "glyph")
CLIP_SAMPLES = 640
LONGEST = ("test_slurm_study.py", "test_study_run.py", "test_studies.py", "test_code.py")
"""Files whose tests take minutes."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run tests marked slow")
    parser.addoption("--run-benchmarks", action="store_true", help="also compare speeds")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    # A long file that comes last is waited for by all other processes.
    items.sort(key=lambda item: item.path.name not in LONGEST)
    for marker, option in (("slow", "--run-slow"), ("benchmark", "--run-benchmarks")):
        if not config.getoption(option):
            skip = pytest.mark.skip(reason=f"asked for with {option}")
            for item in items:
                if marker in item.keywords:
                    item.add_marker(skip)


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse every connection that leaves the machine."""
    connect = socket.socket.connect

    def guarded(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            raise OSError(f"tests may not use the network: {address}")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture
def cli(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Cli:
    """Call the command line in this process, in an empty folder; exit code and what it printed."""
    from toolkit.cli import main

    monkeypatch.chdir(tmp_path)

    def call(*arguments: object) -> Said:
        monkeypatch.setattr("sys.argv", ["mevgs-toolkit", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return Said(int(exit_.value.code or 0), out, err)

    return call


def write_set(folder: Path, rows: list[dict[str, Any]], languages: tuple[str, ...]) -> Path:
    """Write a stimulus set folder from rows that carry their file's bytes in ``data``."""
    names = [
        "stimulus_id", "kind", "concept", "status", "language", "source", "licence", "split",
        "path", "sha256", "duration_s", "voice", "onset_s", "style",
    ]  # fmt: skip
    if any("variant" in row for row in rows):
        names.append("variant")
    folder.mkdir(parents=True)
    for row in rows:
        path = folder / row["path"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(row["data"])
        row["sha256"] = hashlib.sha256(row["data"]).hexdigest()
    with (folder / "stimuli.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names, extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(rows)
    (folder / "columns.csv").write_text("column,meaning,unit,allowed,example,required\n")
    (folder / "set.toml").write_text(
        f'name = "tiny"\nversion = "1"\ntitle = "Tiny"\ndescription = "A set for tests."\n'
        f'languages = {list(languages)}\nlicence = "CC0-1.0"\n'
        "sample_rate_hz = 16000\npicture_size_px = 8\n".replace("'", '"')
    )
    return folder


def tiny_rows() -> list[dict[str, Any]]:
    """Three familiar and five novel classes, two languages and styles, every file unique."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, Any]] = []
    for concept in (*FAMILIAR, *NOVEL):
        status = "familiar" if concept in FAMILIAR else "novel"
        splits = ("train", "test") if status == "familiar" else ("test",)
        shared = {"concept": concept, "status": status, "source": "made", "licence": "CC0-1.0"}
        for split in splits:
            for voice in VOICES[split]:
                for language in LANGUAGES:
                    for take in range(2):
                        name = f"{concept}-{language}-{voice}-{split}-{take}"
                        rows.append(
                            shared
                            | {
                                "stimulus_id": name, "kind": "word", "language": language,
                                "split": split, "voice": voice, "path": f"words/{name}.wav",
                                "duration_s": f"{CLIP_SAMPLES / 16000:.3f}",
                                "data": _wav(rng.uniform(-0.5, 0.5, CLIP_SAMPLES)),
                            }
                        )  # fmt: skip
            for style in STYLES:
                for number in range(3):
                    name = f"{concept}-{style}-{split}-{number}"
                    rows.append(
                        shared
                        | {
                            "stimulus_id": name, "kind": "picture", "language": "",
                            "split": split, "style": style, "path": f"pictures/{name}.png",
                            "duration_s": "", "data": _png(rng.integers(0, 256, (8, 8, 3))),
                        }
                    )  # fmt: skip
    return rows


def _wav(samples: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples.astype(np.float32), 16000, format="WAV", subtype="PCM_16")
    return buffer.getvalue()


def _png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture(scope="session")
def tiny_set(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    """A small, complete stimulus set."""
    return open_set(write_set(tmp_path_factory.mktemp("sets") / "tiny", tiny_rows(), LANGUAGES))


COLOURS = {"ball": (255, 0, 0), "car": (0, 255, 0), "key": (0, 0, 255)}
WORDS = {
    "ball": {"en": "ball", "fr": "ballon", "lb": "Ball"},
    "car": {"en": "car", "fr": "voiture", "lb": "Auto"},
    "key": {"en": "key", "fr": "clef anglaise", "lb": "Schlëssel"},
}
PLACES = ((0, 0), (0, 8), (8, 0), (8, 8))
"""Upper left corners of things 8 pixels wide, in a picture of 16."""


def scenes_words() -> str:
    """The word list of the small scenes; English is the reference, lb is low-resource."""
    lines = ['reference = "en"']
    for code, name, resource in (("en", "English", "high"), ("fr", "French", "high"),
                                 ("lb", "Luxembourgish", "low")):  # fmt: skip
        lines += [
            f"[languages.{code}]", f'name = "{name}"', f'resource = "{resource}"',
            'templates = { bare = "{word}", article = "{article} {word}" }',
        ]  # fmt: skip
    for concept, own in WORDS.items():
        lines.append(f"[words.{concept}]")
        lines += [f'{code} = {{ word = "{word}", article = "a" }}' for code, word in own.items()]
    return "\n".join(lines) + "\n"


def write_scenes(folder: Path, n_pictures: int = 5, margin: int = 0) -> Path:
    """Write scenes on white: two things of different colour each, in two of four places.

    With a margin the pictures are wider than high, with nothing in that many columns either side.
    """
    width = 16 + 2 * margin
    rows, objects = [], []
    for number in range(n_pictures):
        name = f"scene-{number}"
        pixels = np.full((16, width, 3), 255)
        top, left = PLACES[(number + 1) % 4]
        pixels[top, margin + left] = 254 - number  # no two pictures are the same
        for shift in (0, 1):
            concept = list(COLOURS)[(number + shift) % 3]
            top, left = PLACES[(number + 2 * shift) % 4]
            seen = np.zeros((16, width), np.uint8)
            seen[top : top + 8, margin + left : margin + left + 8] = 255
            pixels[seen > 0] = COLOURS[concept]
            objects.append((name, concept, f"masks/{name}-{concept}.png", seen))
        rows.append(
            {
                "stimulus_id": name, "kind": "picture", "concept": "scene", "status": "familiar",
                "split": "test", "source": "made", "licence": "CC0-1.0",
                "path": f"{name}.png", "style": "colour", "data": _png(pixels),
            }
        )  # fmt: skip
    write_set(folder, rows, ())
    settings = folder / "set.toml"
    settings.write_text(
        settings.read_text().replace(
            "picture_size_px = 8", f"picture_size_px = {0 if margin else 16}"
        )
    )
    (folder / "masks").mkdir()
    with (folder / "objects.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["stimulus_id", "concept", "mask", "sha256"])
        for name, concept, path, seen in objects:
            (folder / path).write_bytes(_png(seen))
            checksum = hashlib.sha256((folder / path).read_bytes()).hexdigest()
            writer.writerow([name, concept, path, checksum])
    (folder / "words.toml").write_text(scenes_words(), "utf-8")
    return folder


@pytest.fixture(scope="session")
def scenes_set(tmp_path_factory: pytest.TempPathFactory) -> StimulusSet:
    """Five small scenes with masks and words in three languages."""
    return open_set(write_scenes(tmp_path_factory.mktemp("scenes") / "scenes"))


SUBJECT_CODE = '''
"""A small subject from outside: hashes its input into a vector, and counts what it hears."""

import numpy as np

heard = []


class Hasher:
    def __init__(self, seed, shift=0.0, factor=1.0):
        self.seed, self.shift, self.factor = seed, np.float32(shift), np.float32(factor)

    def _vectors(self, media):
        made = []
        for one in media:
            key = int(np.abs(np.asarray(one, dtype=np.float64)).sum() * 1e6) % 2**32
            made.append(np.random.default_rng([self.seed, key]).normal(size=5))
        return np.array(made, dtype=np.float32)

    def embed_words(self, clips):
        heard.append(("word", len(clips)))
        return self._vectors(clips)

    def embed_pictures(self, pictures):
        heard.append(("picture", len(pictures)))
        return self._vectors(pictures)

    def similarity(self, words, pictures):
        return (words @ pictures.T) * self.factor + self.shift


def load(population, seed):
    return Hasher(ord(seed))
'''


@pytest.fixture
def subjects_dir(tmp_path: Path) -> Path:
    """A folder with one population of three seeds that lives outside the repository."""
    folder = tmp_path / "subjects" / "hasher"
    folder.mkdir(parents=True)
    (folder / "hasher_subject.py").write_text(SUBJECT_CODE)
    (folder / "population.toml").write_text(
        'name = "hasher"\ndescription = "A small subject for tests."\nlanguages = ["en", "nl"]\n'
        'seeds = ["a", "b", "c"]\nfactory = "hasher_subject:load"\n'
    )
    return folder.parent
