"""Peak memory of training steps at the published sizes. Run with --run-benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

pytestmark = pytest.mark.benchmark
CODE = """
import json, resource, sys
import numpy as np, torch
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.towers import VGSNetwork
from toolkit.training.features import FeatureBank
from toolkit.training.fit import items_loss
from toolkit.training.sampler import Sampler
torch.set_num_threads(1)
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
concepts = tuple(f"class-{number:02}" for number in range(13))
n, frames = 13 * 60, 50
classes = [concepts[row % 13] for row in range(n)]
bank = FeatureBank(
    concepts=concepts,
    word_table=tuple((f"word-{r}", "train", c, "en") for r, c in enumerate(classes)),
    picture_table=tuple((f"picture-{r}", "train", c) for r, c in enumerate(classes)),
    frames=torch.rand(n * frames, 768, dtype=torch.half),
    word_start=np.arange(n + 1) * frames,
    maps=torch.rand(n, 2048, 8, 8, dtype=torch.half),
)
network = VGSNetwork(NetworkConfig(768, 2048, width=256, embedding=256))
optimiser = torch.optim.Adam(network.parameters(), lr=2e-4, fused=True)
sampler = Sampler(bank, "train", ["en"], 0, negatives_from=sys.argv[1])
peaks = [peak()]
for _ in range(3):
    items = sampler.draw(60, 11)
    optimiser.zero_grad()
    items_loss(network, bank, items).backward()
    optimiser.step()
    peaks.append(peak())
print(json.dumps({"distinct": len(items.pictures.rows), "features_mb":
    (len(items.pictures.rows) * 2048 * 64 + len(items.words.rows) * frames * 768) * 4 / 1e6,
    "before_mb": peaks[0], "steps_mb": peaks[1:]}))
"""


@pytest.mark.parametrize(("negatives_from", "most_mb"), [("batch", 300), ("own", 2000)])
def test_peak_memory_of_a_step(negatives_from: str, most_mb: float) -> None:
    """Beyond the features of all stimuli, which are in memory once: those of one step, thrice.

    Once as they are looked up, once in single precision, once position by position.
    """
    said = subprocess.run(
        [sys.executable, "-c", CODE, negatives_from], capture_output=True, text=True, check=True
    )
    measured = json.loads(said.stdout)
    sys.stdout.write(f"\n{negatives_from}: {measured}\n")
    assert measured["steps_mb"][-1] - measured["before_mb"] < most_mb
    assert measured["steps_mb"][-1] < measured["steps_mb"][0] + 200
