"""Pictures, sounds, stimulus sets, word lists, tables from elsewhere."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.media import picture_mutator, sound_mutator
from tests.fuzz.stores import parquet_mutator
from tests.fuzz.targets import Ready, target
from tests.fuzz.texts import csv_mutator, json_mutator, lines_mutator, toml_mutator


def _small_pictures() -> list[bytes]:
    """All formats, modes and depths that are read, 5 by 4 pixels."""
    from PIL import Image

    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 256, (4, 5, 3), dtype=np.uint8))
    made = []
    for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "CMYK"):
        picture = colours.convert("L").convert(mode) if mode == "I;16" else colours.convert(mode)
        for kind, settings in (
            ("PNG", {}), ("PNG", {"transparency": 3}), ("JPEG", {}),
            ("JPEG", {"progressive": True}), ("WEBP", {}),
            ("WEBP", {"lossless": True}), ("GIF", {}), ("BMP", {}),
            ("TIFF", {}), ("TIFF", {"compression": "tiff_lzw"}), ("TIFF", {"compression": "jpeg"}),
        ):  # fmt: skip
            file = io.BytesIO()
            try:
                picture.save(file, kind, **settings)
            except (OSError, ValueError, TypeError, RuntimeError):
                continue  # a format does not have every mode
            made.append(file.getvalue())
    return made


def _is_picture(made: Any) -> bool:
    return bool(made.dtype == np.uint8 and made.ndim == 3 and made.shape[2] == 3)


@target(weight=400)
def pictures(folder: Path) -> Ready:
    from stimuli.pixels import read_pixels

    return Ready(
        folder / "picture",
        tuple(_small_pictures()),
        picture_mutator,
        lambda path: read_pixels(path.read_bytes(), path.name),
        _is_picture,
    )


def _small_sounds() -> list[bytes]:
    import soundfile

    rng = np.random.default_rng(0)
    made = []
    for kind, subtype in (
        ("WAV", "PCM_16"), ("WAV", "PCM_U8"), ("WAV", "PCM_24"), ("WAV", "FLOAT"), ("WAV", "ULAW"),
        ("WAV", "MS_ADPCM"), ("WAVEX", "PCM_16"), ("FLAC", "PCM_16"), ("OGG", "VORBIS"),
        ("OGG", "OPUS"), ("MP3", "MPEG_LAYER_III"),
    ):  # fmt: skip
        for channels in (1, 2):
            file = io.BytesIO()
            samples = rng.uniform(-0.5, 0.5, (640, channels))
            soundfile.write(file, samples, 16_000, format=kind, subtype=subtype)
            made.append(file.getvalue())
    return made


def _is_sound(made: Any) -> bool:
    clip = made
    return bool(clip.dtype == np.float32 and clip.ndim == 1 and np.abs(clip).max(initial=0) <= 1)


@target(weight=300)
def sounds(folder: Path) -> Ready:
    from stimuli.media import convert_clip

    return Ready(
        folder / "clip",
        tuple(_small_sounds()),
        sound_mutator,
        lambda path: convert_clip(path.read_bytes(), path.name),
        _is_sound,
    )


def _opened(folder: Path) -> Any:
    from stimuli import open_set

    opened = open_set(folder)
    return len(opened.table), opened.checksum


@target(weight=60)
def set_table(folder: Path) -> Ready:
    from tests.conftest import LANGUAGES, tiny_rows, write_set

    table = write_set(folder / "tiny", tiny_rows()[:12], LANGUAGES) / "stimuli.csv"
    return Ready(table, (table.read_bytes(),), csv_mutator, lambda path: _opened(path.parent))


@target(weight=120)
def set_settings(folder: Path) -> Ready:
    from tests.conftest import LANGUAGES, tiny_rows, write_set

    settings = write_set(folder / "tiny", tiny_rows()[:12], LANGUAGES) / "set.toml"
    return Ready(
        settings, (settings.read_bytes(),), toml_mutator, lambda path: _opened(path.parent)
    )


@target(weight=10)
def set_check(folder: Path) -> Ready:
    """A whole set, its files with it, as `check-stimuli` looks at it."""
    from stimuli import open_set
    from tests.conftest import LANGUAGES, tiny_rows, write_set

    table = write_set(folder / "tiny", tiny_rows()[:4], LANGUAGES) / "stimuli.csv"

    def check(path: Path) -> Any:
        faults = open_set(path.parent).check()
        return [fault for fault in faults if _wrong_text(fault)]

    return Ready(table, (table.read_bytes(),), csv_mutator, check, lambda faults: not faults)


def _wrong_text(text: str) -> bool:
    from stimuli.characters import shown

    return shown(text, keep="\n\t") != text or len(text) > 10_000


@target(weight=30)
def masks_table(folder: Path) -> Ready:
    from stimuli import open_set
    from tests.conftest import write_scenes

    table = write_scenes(folder / "scenes") / "objects.csv"
    return Ready(
        table, (table.read_bytes(),), csv_mutator, lambda path: len(open_set(path.parent).objects)
    )


@target(weight=150)
def written_words(folder: Path) -> Ready:
    from stimuli.wordlists import read_words
    from tests.conftest import scenes_words

    return Ready(folder / "words.toml", (scenes_words().encode(),), toml_mutator, read_words)


@target(weight=120)
def spoken_words(folder: Path) -> Ready:
    from stimuli.wordlist import read_word_list

    text = "concept,word,status\nbear,Bär,familiar\ncar,Auto,familiar\nkey,Schlüssel,novel\n"
    return Ready(
        folder / "words.csv", (text.encode(),), csv_mutator,
        lambda path: read_word_list(path, {"car": "familiar"}),
    )  # fmt: skip


@target(weight=30)
def fixed_trials(folder: Path) -> Ready:
    from stimuli import open_set
    from tests.conftest import FAMILIAR, LANGUAGES, tiny_rows, write_set

    rows = tiny_rows()
    table = write_set(folder / "tiny", rows, LANGUAGES) / "trials.csv"
    words = [r for r in rows if (r["kind"], r["split"], r["language"]) == ("word", "test", "en")]
    shown = {
        r["concept"]: r["stimulus_id"]
        for r in rows
        if (r["kind"], r["split"]) == ("picture", "test")
    }
    lines = ["condition,language,word_id,target_id,distractor_id"]
    for word in words:
        other = next(concept for concept in FAMILIAR if concept != word["concept"])
        lines.append(f"familiar,en,{word['stimulus_id']},{shown[word['concept']]},{shown[other]}")
    stimuli = open_set(table.parent)
    stimuli.table  # noqa: B018

    def read(path: Path) -> Any:
        from stimuli.fixed import read_fixed

        return len(read_fixed(path.parent, stimuli.table))

    return Ready(table, ("\n".join(lines).encode(),), csv_mutator, read)


def _published(folder: Path, name: str) -> Ready:
    """One file of the published layout; clips and pictures are as they are."""
    from stimuli.importing import import_layout
    from tests.stimuli.published_layout import write_published_data

    data = write_published_data(folder / "source")
    file = data / name
    mutate = {".json": json_mutator, ".csv": csv_mutator, ".txt": lines_mutator}[file.suffix]
    return Ready(
        file, (file.read_bytes(),), mutate,
        lambda path: import_layout(folder / "source", folder / "out").counts,
    )  # fmt: skip


@target(weight=6)
def published_list(folder: Path) -> Ready:
    return _published(folder, "filelists/audio-test-3.json")


@target(weight=6)
def published_trials(folder: Path) -> Ready:
    return _published(folder, "filelists/novel-familiar-english-test.json")


@target(weight=6)
def published_concepts(folder: Path) -> Ready:
    return _published(folder, "concepts.csv")


@target(weight=4)
def published_words(folder: Path) -> Ready:
    return _published(folder, "words-seen.txt")


STUDY = "child,age,item,type,choice,correct\n" + "".join(
    f"{child},{4 + child / 7:.2f},{item},{kind},{'lr'[child % 2]},{(child + n) % 2}\n"
    for child in range(1, 5)
    for n, (item, kind) in enumerate((("dax", "NF"), ("ball", "NN"), ("wug", "NF")))
)
WISHES: dict[str, Any] = {
    "columns": {"seed": "child", "word_concept": "item", "condition": "type"},
    "constants": {"population": "children", "test_language": "en", "n_choices": "2"},
}


@target(weight=60)
def foreign_csv(folder: Path) -> Ready:
    """The table of a study, as `import-trials` takes it."""
    from toolkit.statistics.imported.elsewhere import read_any

    return Ready(
        folder / "study.csv", (STUDY.encode(),), csv_mutator,
        lambda path: read_any(path, **WISHES), lambda made: set(made["correct"]) <= {0, 1},
    )  # fmt: skip


@target(weight=20)
def foreign_parquet(folder: Path) -> Ready:
    import pandas as pd

    from toolkit.statistics.imported.elsewhere import read_any

    file = io.BytesIO()
    pd.read_csv(io.StringIO(STUDY)).to_parquet(file)
    return Ready(
        folder / "study.parquet", (file.getvalue(),), parquet_mutator,
        lambda path: read_any(path, **WISHES), lambda made: set(made["correct"]) <= {0, 1},
    )  # fmt: skip


@target(weight=60)
def published_means(folder: Path) -> Ready:
    from toolkit.statistics import published

    text = published.published_table().to_csv(index=False)
    return Ready(folder / "table.csv", (text.encode(),), csv_mutator, published.compare_published)
