"""Runs of dense grounding made up for tests, with effects that are known."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paradigms import Condition
from paradigms.dense_grounding import DenseGrounding
from stimuli import StimulusSet
from toolkit.running.folder import RunDirectory
from toolkit.running.plan import Finished
from toolkit.statistics.maps.analysis import analyse_grounding
from toolkit.statistics.maps.data import read_grounding
from toolkit.statistics.summary import summarise

LANGUAGES = {
    "en": ("English", "high"),
    "es": ("Spanish", "high"), "fr": ("French", "high"), "it": ("Italian", "high"),
    "pt": ("Portuguese", "high"), "ca": ("Catalan", "high"), "de": ("German", "high"),
    "ru": ("Russian", "high"), "zh-CN": ("Chinese (simplified)", "high"),
    "zh-TW": ("Chinese (traditional)", "high"),
    "ar": ("Arabic", "low"), "eu": ("Basque", "low"), "lb": ("Luxembourgish", "low"),
}  # fmt: skip
"""The thirteen languages of arXiv 2605.09060: name and resource."""
PUBLISHED = {
    "es": (0.6535, 0.6512), "fr": (0.6450, 0.6237), "it": (0.6517, 0.6152), "pt": (0.6476, 0.6270),
    "ca": (0.6253, 0.6102), "de": (0.6357, 0.6210), "ru": (0.5552, 0.5731),
    "zh-CN": (0.5334, 0.5728), "zh-TW": (0.5630, 0.5739), "ar": (0.5300, 0.5628),
    "eu": (0.4994, 0.4438), "lb": (0.4640, 0.3875),
}  # fmt: skip
"""Mean overlap of cluster masks with English: base and large model, arXiv 2605.09060."""
CONCEPTS = ("boat", "car", "cat", "dog", "house", "star", "tree")
HIGH = [code for code, (_, resource) in LANGUAGES.items() if resource == "high" and code != "en"]
LOW = [code for code, (_, resource) in LANGUAGES.items() if resource == "low"]
SCRIPTS = {"ar": "كلمة", "ru": "слово", "zh-CN": "词语", "zh-TW": "詞語"}
"""Texts in other scripts."""
AGREEMENT = ("iou_p95", "spearman", "peak_ratio")


class Asked(DenseGrounding):
    """The paradigm with another order of its conditions."""

    question = "Where in the picture does the meaning land?"
    conditions = (Condition("bare", "the word alone", headline=True), Condition("article", "a"))


def simulated(
    rng: np.random.Generator,
    gap: float = 0.1,
    *,
    level: float = 0.6,
    language_sd: float = 0.04,
    slope_sd: float = 0.04,
    noise_sd: float = 0.12,
    n_pictures: int = 5,
    n_concepts: int = 5,
    concepts: Sequence[str] = CONCEPTS,
    seeds: Sequence[str] = ("a",),
    population: str = "small-clip",
    condition: str = "bare",
    truth: bool = False,
) -> pd.DataFrame:
    """Trials whose overlap is ``level`` in high-resource languages and ``gap`` less in low ones.

    Languages, concepts (level and gap), pictures and seeds vary, the rest is noise.
    """
    codes = list(LANGUAGES)
    shape = (len(seeds), n_pictures, n_concepts, len(codes))
    s, p, c, k = (index.ravel() for index in np.indices(shape))
    low = np.array([code in LOW for code in codes], float)[k]
    iou = (
        level
        - gap * low
        + rng.normal(0, language_sd, len(codes))[k]
        + rng.normal(0, 0.05, n_concepts)[c]
        + rng.normal(0, slope_sd, n_concepts)[c] * low
        + rng.normal(0, 0.05, n_pictures)[p]
        + rng.normal(0, 0.02, len(seeds))[s]
        + rng.normal(0, noise_sd, len(s))
    )
    itself = np.array(codes)[k] == "en"
    known = pd.Categorical.from_codes
    share = rng.uniform(0.05, 0.2, n_pictures * n_concepts)[p * n_concepts + c]
    right = rng.random(len(s)) < np.where(low > 0, 0.3, 0.7)
    peak = 1 + rng.normal(0, 0.04, len(s))
    nothing = np.full(len(s), np.nan)
    table = {
        "run_id": known(np.zeros(len(s), int), ["run"]),
        "paradigm": known(np.zeros(len(s), int), ["dense-grounding"]),
        "paradigm_version": np.ones(len(s), np.int16),
        "condition": known(np.zeros(len(s), int), [condition]),
        "population": known(np.zeros(len(s), int), [population]),
        "n_languages": np.full(len(s), len(codes), np.int16),
        "train_languages": known(np.zeros(len(s), int), ["+".join(codes)]),
        "seed": known(s, list(seeds)),
        "test_language": known(k, codes),
        "trial": np.arange(len(s), dtype=np.int32),
        "word_id": [f"{codes[n]}/{concepts[m]}/{condition}" for n, m in zip(k, c, strict=True)],
        "word_concept": known(c, list(concepts[:n_concepts])),
        "target_id": [f"scene-{n}" for n in p],
        "target_concept": known(c, list(concepts[:n_concepts])),
        "distractor_id": [""] * len(s),
        "distractor_concept": [""] * len(s),
        "n_choices": np.full(len(s), 2 if truth else 1, np.int16),
        "target_position": np.zeros(len(s), np.int16),
        "score_target": rng.normal(0.3, 0.02, len(s)),
        "score_distractor": rng.normal(0.25, 0.02, len(s)) if truth else nothing,
        "margin": np.where(right, 0.05, -0.05) if truth else nothing,
        "correct": (right if truth else np.zeros(len(s), bool)).astype(np.int8),
        "tie": np.zeros(len(s), bool),
        "iou_cluster": np.where(itself, 1, iou.clip(0, 1)),
        "iou_p95": np.where(itself, 1, (iou - 0.1).clip(0, 1)),
        "spearman": np.where(itself, 1, (iou + 0.2).clip(-1, 1)),
        "peak_ratio": np.where(itself, 1, peak),
        "iou_true": np.where(right, 0.5, 0.1) if truth else nothing,
        "tokens_per_word": 1.5 + low + 0.1 * k + 0.2 * c,
        "mask_share": share if truth else nothing,
    }
    return pd.DataFrame(table)


def write_run(
    folder: Path, tables: Sequence[pd.DataFrame], manifest: Mapping[str, Any] | None = None
) -> Path:
    """Write a run folder as far as the statistics read it."""
    folder.mkdir(parents=True)
    whole = pd.concat(tables, ignore_index=True)
    whole["trial"] = whole.groupby(
        ["population", "seed", "test_language"], observed=True
    ).cumcount()
    whole.to_parquet(folder / "trials.parquet")
    languages = {
        code: {"name": name, "resource": resource} for code, (name, resource) in LANGUAGES.items()
    }
    texts = {
        template: {
            concept: {code: f"{SCRIPTS.get(code, code)} {concept}" for code in LANGUAGES}
            for concept in sorted(set(whole["word_concept"]))
        }
        for template in dict.fromkeys(whole["condition"])
    }
    words = {
        "reference": "en", "languages": languages, "templates": list(texts), "texts": texts,
        "checksum": hashlib.sha256(json.dumps(texts, sort_keys=True).encode()).hexdigest(),
    }  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps({"words": words, **(manifest or {})}))
    return folder


def write_whole_run(
    folder: Path,
    stimuli: StimulusSet,
    populations: Sequence[str] = ("small-clip", "large-clip"),
    *,
    truth: bool = True,
    maps: bool = True,
) -> Path:
    """Write a run folder with everything that a report is made of."""
    rng = np.random.default_rng(3)
    concepts = sorted(set(stimuli.objects["concept"]))
    known: dict[str, Any] = {"concepts": concepts, "n_concepts": len(concepts), "truth": truth}
    tables = [
        simulated(rng, population=population, condition=condition, seeds="abc", **known)
        for population in populations
        for condition in ("bare", "article")
    ]
    manifest = {
        "run_id": folder.name,
        "started": "2026-01-02T03:04:05+00:00",
        "ended": "2026-01-02T03:05:05+00:00",
        "toolkit_version": "0.0.1",
        "git": None,
        "python": "3.11.0",
        "packages": {"numpy": "2.0"},
        "machine": {"system": "Linux", "processor": "x", "cores": 2},
        "command": ["mevgs-toolkit", "run-paradigm", "dense-grounding"],
        "paradigm": {
            "name": Asked.name, "version": 1, "source_sha256": "0" * 64, "formula": Asked.formula
        },
        "stimuli": {
            "name": stimuli.name, "version": stimuli.version, "title": stimuli.title,
            "checksum": stimuli.checksum, "licence": stimuli.licence, "folder": str(stimuli.folder),
        },
        "populations": {
            name: {"n_seeds": 3, "languages": list(LANGUAGES), "config": None}
            for name in populations
        },
        "subjects": {f"{name}/{seed}": "f" * 64 for name in populations for seed in "abc"},
        "trials_per_class": None,
        "trial_seed": None,
        "status": "complete",
        "energy": {"watt_hours": None, "source": "not measured: no meter here"},
    }  # fmt: skip
    write_run(folder, tables, manifest)
    directory = RunDirectory(folder.parent, folder.name)
    content = directory.read_manifest()
    run = Finished(directory, content, ("Made up for tests.",), 0, 0, 0.0)
    directory.write_json("summary.json", summarise(run, Asked()))
    analysis = analyse_grounding(read_grounding([folder]), Asked())
    directory.write_json("statistics.json", {Asked.name: analysis})
    if maps:
        _write_agreement(folder, populations, concepts, rng)
        _write_maps(folder, populations, stimuli, rng)
    return folder


def _write_agreement(
    folder: Path, populations: Sequence[str], concepts: Sequence[str], rng: np.random.Generator
) -> None:
    rows = [
        (population, seed, template, concept, a, b, value, value - 0.1, 5)
        for population, seed, template in itertools.product(populations, "abc", ("bare", "article"))
        for concept in concepts
        for a, b in itertools.combinations_with_replacement(LANGUAGES, 2)
        for value in [1.0 if a == b else rng.uniform(0.4, 0.8) - 0.15 * ((a in LOW) + (b in LOW))]
    ]
    columns = ["population", "seed", "template", "concept", "language_a", "language_b",
               "iou_cluster", "iou_p95", "n_pictures"]  # fmt: skip
    pd.DataFrame(rows, columns=columns).to_csv(folder / "agreement.csv", index=False)


def _write_maps(
    folder: Path, populations: Sequence[str], stimuli: StimulusSet, rng: np.random.Generator
) -> None:
    objects = stimuli.objects
    pairs = list(zip(objects["stimulus_id"], objects["concept"], strict=True))
    maps = {}
    for number, population in enumerate(populations):
        grain = 8 - number  # encoders differ in it
        maps[f"similarity/{number}"] = _hills(pairs, population, grain, stimuli, rng)
    np.savez(
        folder / "maps.npz",
        populations=np.array(populations),
        seeds=np.array(["a"] * len(populations)),
        picture_ids=np.array([picture for picture, _ in pairs]),
        concepts=np.array([concept for _, concept in pairs]),
        languages=np.array(list(LANGUAGES)),
        template=np.array("bare"),
        **maps,
    )


def _hills(
    pairs: Sequence[tuple[str, str]],
    population: str,
    grain: int,
    stimuli: StimulusSet,
    rng: np.random.Generator,
) -> np.ndarray:
    place = np.linspace(0, 1, grain)
    similarity = np.full((len(pairs), len(LANGUAGES), grain, grain), np.nan, np.float32)
    for row, (picture, concept) in enumerate(pairs):
        mask = stimuli.read_mask(picture, concept)
        y, x = (index.mean() / mask.shape[0] for index in np.nonzero(mask))
        for number, code in enumerate(LANGUAGES):
            if population == "large-clip" and code == "ru":
                continue  # was not asked
            dy, dx = rng.normal(0, 0.35 if code in LOW else 0.06, 2)
            hill = (place[:, None] - y - dy) ** 2 + (place - x - dx) ** 2
            similarity[row, number] = 0.2 + 0.1 * np.exp(-hill / 0.05)
    return similarity
