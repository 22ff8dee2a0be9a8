"""Extraction against the bare forward pass of the same backbone, side by side. --run-benchmarks.

The bare pass puts what lies ready in memory through the backbone in its usual batches and drops
what comes out; `extract` also reads, decodes, sorts, checks and writes. They take turns, on one
thread. Compared is the processor time of the process that computes, which is how long it takes
where the other processes have cores of their own; that of all processes, and the wall, are told.
Besides the included backbones there are networks of the published sizes, with random weights.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from safetensors.torch import save_file
from transformers import WavLMConfig, WavLMModel

from tests.benchmarks.taken import measured
from toolkit.processes.threads import one_thread
from toolkit.subjects.backbones.finding import find_backbone
from toolkit.subjects.backbones.hearing import Hearing
from toolkit.subjects.backbones.seeing import DINO
from toolkit.subjects.features.extraction import Computed, extract
from toolkit.subjects.features.sources import Job, find_jobs

pytestmark = pytest.mark.benchmark
ROUNDS = 3
LEAST = {"included": 0.6, "published_size": 0.8}
"""Share of the bare pass's speed. Included backbones take about a millisecond for a clip or a
picture, so that whatever else is done counts."""


@pytest.fixture(scope="module", autouse=True)
def _one_thread() -> Iterator[None]:
    with one_thread():
        yield


def included(kind: str, folder: Path) -> Path:
    """The included backbone."""
    return find_backbone(kind, kind)


def published_size(kind: str, folder: Path) -> Path:
    """A network of the published size: WavLM base, or a ResNet-50 on 256 pixels."""
    torch.manual_seed(0)
    if kind == "hearing":
        WavLMModel(WavLMConfig()).save_pretrained(folder)
        return folder
    folder.mkdir()
    save_file(timm.create_model("resnet50", num_classes=0).state_dict(), folder / "a.safetensors")
    told = {name: value for name, value in vars(DINO).items() if name != "rest"}
    (folder / "config.json").write_text(json.dumps(told))
    return folder


def bare_pass(job: Job, backbone: Any) -> Callable[[], None]:
    """The network alone, over all of a job in the batches that are usual for it."""
    media = [job.read(name) for name in job.names]
    batches: list[torch.Tensor] = []
    if isinstance(backbone, Hearing):
        media.sort(key=len)
        for length in sorted({len(one) for one in media}):
            alike = [torch.from_numpy(one) for one in media if len(one) == length]
            batches += [torch.stack(alike[i : i + 32]) for i in range(0, len(alike), 32)]
        network: Callable[[torch.Tensor], Any] = backbone._ear.model
    else:
        batches += [*backbone._eye.prepare(media).split(8)]
        network = backbone._eye.network

    def run() -> None:
        with torch.inference_mode():
            for batch in batches:
                network(batch)

    return run


@pytest.mark.parametrize(
    ("kind", "made", "n"),
    [
        ("hearing", included, 3000),
        ("seeing", included, 1352),
        ("hearing", published_size, 96),
        ("seeing", published_size, 64),
    ],
)
def test_extraction(kind: str, made: Callable[[str, Path], Path], n: int, tmp_path: Path) -> None:
    place = made(kind, tmp_path / "backbone")
    what = {"hearing": "word", "seeing": "picture"}[kind]
    (job,) = find_jobs("mini", tmp_path, {what: "features"})
    job = replace(job, names=job.names[:n])
    maker = Computed(what, place)
    maker.make({"first": job.read(job.names[0])})
    bare = bare_pass(job, maker.backbone)

    def extraction(jobs: int) -> None:
        job.path.unlink(missing_ok=True)
        assert extract(job, maker, jobs=jobs) == []

    sides: dict[str, Callable[[], None]] = {
        "bare pass": bare,
        "extraction": lambda: extraction(1),
        "extraction, 2 jobs": lambda: extraction(2),
    }
    own: dict[str, list[float]] = {side: [] for side in sides}
    for _ in range(ROUNDS):
        for side, work in sides.items():
            start = time.process_time()
            with measured() as taken:
                work()
            own[side].append(time.process_time() - start)
            sys.stdout.write(f"\n{side}: {own[side][-1]:.2f} s here; with others {taken.told}")
    one, two = (
        float(np.median(np.divide(own["bare pass"], own[side])))
        for side in ("extraction", "extraction, 2 jobs")
    )
    sys.stdout.write(
        f"\n{n} {what}s, {made.__name__.replace('_', ' ')} backbone: {one:.0%} of the speed of the "
        f"bare pass, {two:.0%} where others read and write\n"
    )
    assert two > LEAST[made.__name__]
