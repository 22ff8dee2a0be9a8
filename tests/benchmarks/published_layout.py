"""A made-up published layout of any size, for benchmarks: features of the published sizes."""

from __future__ import annotations

import json
from pathlib import Path

import h5py
import numpy as np

CLASSES = tuple(f"class{number:02}" for number in range(13))
DIM, MAP = 768, (2048, 8, 8)
EARS, EYES = "wavlm-base-plus", "dino-resnet50"


def write_layout(root: Path, sizes: dict[str, tuple[int, int]], written: int) -> None:
    """Write lists, vocabulary and features.

    Args:
        root: a new folder.
        sizes: clips and pictures of each split.
        written: pictures of a file that are written as random numbers, and clips, too; those beyond
            are laid out in the file, but take no room on the disk, and are read as zeros.
    """
    rng = np.random.default_rng(0)
    numbers = rng.standard_normal(1 << 22, dtype=np.float32)
    lists = root / "data" / "filelists"
    lists.mkdir(parents=True)
    words = "".join(f"{name}\n" for name in CLASSES)
    (root / "data" / "words-seen.txt").write_text(words)
    (root / "data" / "words-unseen.txt").write_text("novel\n")
    rows = "".join(f"{name},{name}-nl,{name}-fr\n" for name in (*CLASSES, "novel"))
    (root / "data" / "concepts.csv").write_text(rows)
    for split, (n_clips, n_pictures) in sizes.items():
        lengths = rng.integers(35, 66, n_clips)
        shapes = [[(int(n), DIM) for n in lengths], [MAP] * n_pictures]
        kinds = (("audio", f"{split}-english-{EARS}"), ("image", f"{split}-{EYES}"))
        for (kind, name), own in zip(kinds, shapes, strict=True):
            entries = [
                {"name": f"{kind}-{split}-{row:06}", "word-en": CLASSES[row % len(CLASSES)],
                 "source": "made up", **({"lang": "english"} if kind == "audio" else {})}
                for row in range(len(own))
            ]  # fmt: skip
            listed = f"{kind}-{split}{'-3' if kind == 'audio' else ''}.json"
            (lists / listed).write_text(json.dumps(entries))
            folder = root / "output" / f"features-{kind}"
            folder.mkdir(parents=True, exist_ok=True)
            with h5py.File(folder / f"me-dataset-{name}.h5", "w") as file:
                for row, (entry, shape) in enumerate(zip(entries, own, strict=True)):
                    start = int(rng.integers(len(numbers) - np.prod(shape)))
                    values = numbers[start : start + np.prod(shape)].reshape(shape)
                    _add(file.create_group(entry["name"]), values, row < written)


def _add(group: h5py.Group, values: np.ndarray, is_written: bool) -> None:
    """A data set in one piece, as the published code writes it."""
    plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
    plan.set_fill_time(h5py.h5d.FILL_TIME_NEVER)
    space = h5py.h5s.create_simple(values.shape)
    data = h5py.h5d.create(group.id, b"feature", h5py.h5t.IEEE_F32LE, space, plan)
    if is_written:
        data.write(h5py.h5s.ALL, h5py.h5s.ALL, np.ascontiguousarray(values))
