"""Runs of dense grounding made up for tests, with effects that are known."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paradigms.base import Condition

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
AGREEMENT = ("iou_p95", "spearman", "peak_ratio")


class Asked:
    """What the analysis needs of the paradigm."""

    name = "dense-grounding"
    version = 1
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
        "word_id": [f"{codes[n]}/{CONCEPTS[m]}/{condition}" for n, m in zip(k, c, strict=True)],
        "word_concept": known(c, list(CONCEPTS[:n_concepts])),
        "target_id": [f"scene-{n}" for n in p],
        "target_concept": known(c, list(CONCEPTS[:n_concepts])),
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
    words = {"reference": "en", "languages": languages, "templates": ["bare", "article"]}
    (folder / "manifest.json").write_text(json.dumps({"words": words, **(manifest or {})}))
    return folder
