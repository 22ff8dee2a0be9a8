"""Train the multilingual CLIP: one eye, and for every seed a text half in 13 languages.

The eye is the shipped seeing backbone, frozen, with a head that is trained once, on drawings and
without any language (`makers.multilingual_clip.eye`). Each seed is a text half with first weights
and a sequence of pictures and names of its own, which learns all languages together from that eye
(`makers.multilingual_clip.texts`). So what differs between languages is the text alone, and what
differs between seeds is how it was learnt; seeds say nothing about other eyes.

From a checkout, with what draws icons (`pip install .[build]`)::

    npm install @iconify/json@2.2.535 cldr-annotations-full@48.2.0
    python -m makers.multilingual_clip.train --out toolkit/subjects/weights

trains the seeds a, b and c; what is finished is kept when the same command is given again.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from makers.commands import run
from makers.multilingual_clip import card
from makers.multilingual_clip.evaluation import COLUMNS, retrieval, see_drawings
from makers.multilingual_clip.eye import Bank, EyeSettings, look, see_things, train_head
from makers.multilingual_clip.scenes import COLUMNS as SCENE_COLUMNS
from makers.multilingual_clip.scenes import score_scenes
from makers.multilingual_clip.sheets import SHEET_PX, SheetMaker
from makers.multilingual_clip.texts import Queries, TextSettings, train_texts, train_tokenizer
from makers.multilingual_clip.things import LANGUAGES, Drawings, load_drawings
from stimuli import StimulusSet, open_set
from stimuli.cells import csv_text
from stimuli.errors import ToolkitError
from stimuli.files import sha256_of, write_atomic
from stimuli.wordlists import WordList, read_words
from toolkit.cli.progress import progress_bars
from toolkit.subjects.backbones.seeing import Seeing
from toolkit.subjects.clip.drawings import PlaceHead
from toolkit.subjects.populations import open_population
from toolkit.training.conditions import seeds_of

NAME = "multilingual-clip"
"""Name of the population, and of its folder."""
FACTORY = "toolkit.subjects.clip.drawings:load_subject"
"""Loads a seed."""
LOG_COLUMNS = ("part", "step", "loss", "places", "drawings")
"""Of ``training_log.csv``: eye or seed; updates so far; mean loss since the row before; for the
eye, shares of held-out places and drawings whose nearest direction is the right one."""
_TEST_SHEETS = 200
log = logging.getLogger(__name__)


def train_multilingual_clip(
    seeds: Sequence[str],
    out: str | Path,
    drawings: Drawings,
    words: WordList,
    *,
    eye: EyeSettings | None = None,
    text: TextSettings | None = None,
    scenes: StimulusSet | None = None,
    jobs: int = 1,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Path:
    """Train the population and write its folder; what is finished already is kept.

    Args:
        seeds: Names of the seeds; the letter decides the numbers drawn.
        out: Folder for the population folder; made where it is missing.
        drawings: What is shown and what it is called, see `load_drawings`.
        words: Articles and templates of the languages.
        eye: How the head of the eye is trained.
        text: How the text halves are trained.
        scenes: What the finished population is asked, for `scenes.csv`; None to ask nothing.
        jobs: Processes that read its answers.
        progress: Told what is being done, how much of it is done, and how much there is.

    Returns:
        The population folder.

    Raises:
        ToolkitError: The folder cannot be written.
    """
    eye_settings, text_settings = eye or EyeSettings(), text or TextSettings()
    folder = Path(out) / NAME
    work = Path(out) / "unfinished"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        work.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolkitError(f"Cannot make the folder {folder}: {error.strerror}.") from error
    seeing = Seeing().at(SHEET_PX)
    facts = _facts(drawings, eye_settings, text_settings)
    seen_by = {"seeing": seeing.checksum, "bank": eye_settings.bank, "seed": eye_settings.seed}
    stored = work / f"{NAME}-{_key(seen_by | {'drawings': facts['drawings_sha256']})[:12]}.pt"
    bank, test = _banks(seeing, drawings, eye_settings, stored, progress)
    head, log = train_head(
        bank,
        test,
        len(drawings.concepts),
        eye_settings,
        lambda row: progress("training the eye", int(row["step"]), eye_settings.steps),
    )
    _keep_rows(folder / "training_log.csv", LOG_COLUMNS, [{"part": "eye", **row} for row in log])
    queries = Queries(drawings.concepts, words, text_settings.with_article)
    tokenizer = train_tokenizer(queries.every(), text_settings.vocabulary)
    with write_atomic(folder / "tokenizer.json") as path:
        tokenizer.save(str(path))
    _write_drawings(folder / "drawings.csv", drawings)
    facts["tokenizer_sha256"] = sha256_of(folder / "tokenizer.json")
    key = _key(facts | {"seeing": seeing.checksum})
    waiting = [seed for seed in seeds if _stored_key(folder, seed) != key]
    if waiting:
        things, shown = see_things(head, bank)
        held_out = [row for row, item in enumerate(drawings.items) if item.test]
        seen = see_drawings(seeing, head, drawings, held_out)
    for seed in waiting:
        model, rows = train_texts(
            things,
            shown,
            queries,
            tokenizer,
            text_settings,
            ord(seed[0]),
            lambda row, seed=seed: progress(  # type: ignore[misc]
                f"training seed {seed}", int(row["step"]), text_settings.steps
            ),
        )
        scores = retrieval(model, tokenizer, drawings, seen, held_out)
        table = [{"seed": seed, **row} for row in scores]
        _keep_rows(folder / "retrieval.csv", ("seed", *COLUMNS), table)
        log_rows = [{"part": seed, **row} for row in rows]
        _keep_rows(folder / "training_log.csv", LOG_COLUMNS, log_rows)
        _write_config(folder, seeing, model.config.to_dict(), facts)
        _write_weights(folder / f"{seed}.safetensors", head, model, key)
    finished = sorted(
        p.stem for p in folder.glob("*.safetensors") if _stored_key(folder, p.stem) == key
    )
    card.describe(folder, NAME, FACTORY, facts, finished)
    if scenes is not None:
        population = open_population(NAME, out)
        answers = score_scenes(population, scenes, work / "runs", jobs, progress)
        _write_table(folder / "scenes.csv", ("seed", "language", *SCENE_COLUMNS), answers)
        card.describe(folder, NAME, FACTORY, facts, finished)
    return folder


def train_from_packages(
    seeds: Sequence[str],
    out: Path,
    packages: Path = Path("node_modules"),
    jobs: int = 1,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> Path:
    """Train the shipped population again, from the npm packages that it was made of.

    Args:
        seeds: Names of the seeds.
        out: Folder for the population folder; made where it is missing.
        packages: Holds ``@iconify/json`` and ``cldr-annotations-full``.
        jobs: Processes that draw the icons and read the answers to the scenes.
        progress: See `train_multilingual_clip`.

    Returns:
        The population folder.

    Raises:
        ToolkitError: A package is missing or unreadable, or the folder cannot be written.
    """
    scenes = open_set("scenes")
    words = scenes.folder / "words.toml"
    cache = Path(out) / "unfinished"
    try:
        cache.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ToolkitError(f"Cannot make the folder {cache}: {error.strerror}.") from error
    drawings = load_drawings(
        packages / "@iconify" / "json", packages / "cldr-annotations-full", words, cache, jobs
    )
    return train_multilingual_clip(
        seeds, out, drawings, read_words(words), scenes=scenes, jobs=jobs, progress=progress
    )


def _facts(drawings: Drawings, eye: EyeSettings, text: TextSettings) -> dict[str, Any]:
    """What decided the training, for `config.json`."""
    digest = hashlib.sha256()
    for concept in drawings.concepts:
        digest.update(json.dumps([concept.name, concept.names], ensure_ascii=False).encode())
    for item in drawings.items:
        digest.update(json.dumps(asdict(item)).encode())
    trained = [item for item in drawings.items if not item.test]
    return {
        "population": NAME,
        "languages": list(LANGUAGES),
        "eye": asdict(eye),
        "text": asdict(text),
        "concepts": len(drawings.concepts),
        "names": {
            code: sum(code in concept.names for concept in drawings.concepts) for code in LANGUAGES
        },
        "drawings": {"train": len(trained), "test": len(drawings.items) - len(trained)},
        "icon_sets": len({item.icon_set for item in trained}),
        "drawings_sha256": digest.hexdigest(),
    }


def _key(facts: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()


def _stored_key(folder: Path, seed: str) -> str | None:
    try:
        with safe_open(folder / f"{seed}.safetensors", framework="pt") as file:
            return str(file.metadata()["key"])
    except (OSError, SafetensorError, KeyError, TypeError):
        return None


def _banks(
    seeing: Seeing,
    drawings: Drawings,
    settings: EyeSettings,
    stored: Path,
    progress: Callable[[str, int, int], None],
) -> tuple[Bank, Bank]:
    """What the eye sees of the sheets for training, and of those for the log."""
    if not stored.exists():
        makers = (SheetMaker(drawings, test=held, seed=settings.seed) for held in (False, True))
        banks = [
            look(seeing, maker, n, progress)
            for maker, n in zip(makers, (settings.bank, _TEST_SHEETS), strict=True)
        ]
        with write_atomic(stored) as path:
            torch.save([[bank.maps, bank.shown, bank.patches] for bank in banks], path)
    first, second = torch.load(stored, weights_only=True)
    return Bank(*first), Bank(*second)


def _write_config(
    folder: Path, seeing: Seeing, text: Mapping[str, Any], facts: Mapping[str, Any]
) -> None:
    content = {
        "backbones": {"seeing": {"folder": seeing.folder.name, "sha256": seeing.checksum}},
        "head": {"channels": seeing.channels, "input_size_px": SHEET_PX},
        "text_config": text,
        "training": facts,
    }
    with write_atomic(folder / "config.json") as path:
        path.write_text(json.dumps(content, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _write_weights(path: Path, head: PlaceHead, text: Any, key: str) -> None:
    """Half precision; they come last and say that the seed is finished."""
    state = {f"head.{name}": value for name, value in head.state_dict().items()}
    state |= {f"text.{name}": value for name, value in text.state_dict().items()}
    halves = {
        name: value.half().contiguous()
        for name, value in state.items()
        if value.is_floating_point()
    }
    with write_atomic(path) as unfinished:
        unfinished.write_bytes(save(halves, metadata={"key": key}))


def _write_drawings(path: Path, drawings: Drawings) -> None:
    """Which drawings were trained on and which held out."""
    rows = [
        {
            "concept": item.concept,
            "source": f"iconify:{item.icon_set}/{item.icon}",
            "split": "test" if item.test else "train",
        }
        for item in drawings.items
    ]
    _write_table(path, ("concept", "source", "split"), rows)


def _keep_rows(path: Path, columns: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Put rows into a table in place of those that bear the same name in the first column."""
    old: list[dict[str, str]] = []
    if path.is_file():
        with path.open(encoding="utf-8", newline="") as file:
            old = list(csv.DictReader(file))
    names = {str(row[columns[0]]) for row in rows}
    kept: list[Mapping[str, Any]] = [row for row in old if row[columns[0]] not in names]
    _write_table(path, columns, [*kept, *rows])


def _write_table(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> None:
    cells = ([row.get(name, "") for name in columns] for row in rows)
    rounded = ([f"{v:.5g}" if isinstance(v, float) else v for v in row] for row in cells)
    with write_atomic(path) as unfinished:
        table = csv_text([columns, *rounded])
        unfinished.write_text(table, encoding="utf-8", newline="\n")


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(
        prog="python -m makers.multilingual_clip.train",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--out", type=Path, required=True, help="folder for the population folder")
    parser.add_argument(
        "--packages",
        type=Path,
        default=Path("node_modules"),
        help="folder of the npm packages (default: %(default)s)",
    )
    parser.add_argument(
        "--seeds", default="abc", help="one letter each, or their number (default: %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="processes that draw the icons")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    seeds = seeds_of(given.seeds)
    with progress_bars(show=True) as progress:
        folder = train_from_packages(seeds, given.out, given.packages, given.jobs, progress)
    log.info("written to %s", folder)


if __name__ == "__main__":
    run(main)
