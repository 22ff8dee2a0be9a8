"""An epoch with all its reading, size md: the published loader and network, and ours, in turn.

    python -m tests.benchmarks.epoch_against_published CHECKOUT --folder /tmp/layouts

CHECKOUT is one of danoneata/me-vgs (353710d or later; needs `toolz`). Both sides train on the same
made-up features in the published layout, from the same HDF5 files, which the system has read
before: an update has 60 items with 11 negatives each, read one by one by the published loader
(`num_workers` = 0), and once each, one update ahead, here. What sets up a training is not part of
an epoch; here, that includes going through the files once, which is told.
"""

from __future__ import annotations

import argparse
import importlib
import os
import shutil
import statistics
import sys
import types
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader

from stimuli import limits
from tests.benchmarks.published_layout import DIM, EARS, EYES, MAP, write_layout
from tests.benchmarks.taken import Taken, measured
from toolkit.devices import CPU
from toolkit.training.bank_files import load_bank
from toolkit.training.fit import Training
from toolkit.training.recipe import PUBLISHED
from toolkit.training.sources import open_source

ITEMS, NEGATIVES, WIDTH = 60, 11, 256


def main() -> None:
    """Make a layout, go through epochs of both sides in turn, and print ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("checkout", type=Path, help="a checkout of danoneata/me-vgs")
    parser.add_argument("--folder", type=Path, required=True, help="where the layout is made")
    parser.add_argument("--clips", type=int, default=240, help="of an epoch")
    parser.add_argument("--pictures", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=2)
    asked = parser.parse_args()
    torch.set_num_threads(1)
    root = asked.folder / "me-vgs-epoch"
    shutil.rmtree(root, ignore_errors=True)
    write_layout(root, {"train": (asked.clips, asked.pictures), "valid": (130, 130)}, 10**9)
    theirs, their_loader = published(asked.checkout.absolute(), root)
    with measured() as ready:
        training = our_training(root)
    say(f"going through the files of features once: {ready.told}")
    sides: dict[str, Callable[[], object]] = {
        "published loader alone": lambda: [None for _ in their_loader()],
        "published epoch": theirs,
        "epoch here": lambda: [training.step() for _ in range(asked.clips // ITEMS)],
    }
    rounds: dict[str, list[Taken]] = {side: [] for side in sides}
    for _ in range(asked.rounds):
        for side, work in sides.items():
            with measured() as taken:
                work()
            rounds[side].append(taken)
            say(f"{side}: {taken.told}")
    shutil.rmtree(root)
    pairs = list(zip(rounds["published epoch"], rounds["epoch here"], strict=True))
    wall = statistics.median(one.wall_s / other.wall_s for one, other in pairs)
    worked = statistics.median(one.processor_s / other.processor_s for one, other in pairs)
    say(f"an epoch here is {worked:.1f} times as fast by the processor, {wall:.1f} on the wall")


def published(
    checkout: Path, root: Path
) -> tuple[Callable[[], None], Callable[[], Iterator[dict[str, Any]]]]:
    """An epoch of the published code, and its loader."""
    # It reads sound, which is no part of this.
    sys.modules.setdefault("librosa", types.ModuleType("librosa"))
    sys.path.insert(0, str(checkout))
    data, model = (importlib.import_module(f"mevgs.{name}") for name in ("data", "model"))
    os.chdir(root)  # it looks for data and output where it is started
    torch.manual_seed(0)
    towers = {
        "audio_encoder_kwargs": {"type": "transformer", "input_dim": DIM, "width": WIDTH},
        "image_encoder_kwargs": {
            "input_dim": MAP[0], "width": WIDTH, "backbone_type": "identity",
            "to_freeze_backbone": None, "use_pretrained_backbone": None,
        },
    }  # fmt: skip
    network = model.setup_model(model_name="clip", embed_dim=WIDTH, **towers)
    network.train()
    optimiser = torch.optim.Adam(network.parameters(), lr=2e-4, weight_decay=5e-7)
    dataset = data.PairedMEDataset("train", ("english",), 1, NEGATIVES, EARS, EYES)

    def loader() -> Iterator[dict[str, Any]]:
        return iter(DataLoader(dataset, ITEMS, shuffle=True, collate_fn=data.collate_nested))

    def epoch() -> None:
        for batch in loader():
            optimiser.zero_grad()
            loss = network(batch["audio"], batch["audio-length"], batch["image"], batch["label"])
            loss.backward()
            optimiser.step()

    return epoch, loader


def our_training(root: Path) -> Training:
    """A training whose features stay on the disk."""
    limits.FEATURES_IN_MEMORY = 0
    source = open_source(root, EARS, EYES)
    recipe = replace(PUBLISHED, items=ITEMS, negatives=NEGATIVES)
    (root / "kept").mkdir()
    bank = load_bank(source.kept_bank(recipe, root / "kept", lambda *_: None, CPU)).at_hand()
    return Training(bank, ["en"], recipe, 0)


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
