"""Training on published features that stay on the disk: memory by their number, and what it costs.

Features are made up in the published layout and sizes: 2048 x 8 x 8 a picture (0.52 MB), 35 to 65
frames of 768 channels a clip. The recipe is the published one, size md: an update meets up to 720
different pictures and clips.

    python -m tests.benchmarks.reading_features --folder /tmp/layouts
    python -m tests.benchmarks.reading_features --folder /tmp/layouts --pictures 1000 70000

Memory: every size is trained for some updates and a validation in a process of its own, once for
the first time and once again, when its files were gone through already; told is the most memory
that the process had, or one that it started. Throughput: updates with features on the disk and with
the same in memory take turns in one process.
"""

from __future__ import annotations

import argparse
import json
import resource
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from stimuli import limits
from tests.benchmarks.published_layout import EARS, EYES, write_layout
from tests.benchmarks.taken import measured

CLIPS_PER_PICTURE = 10 / 7
HELD_OUT = (650, 650)
"""Clips and pictures of the split that weights are chosen on."""


def main() -> None:
    """Make layouts, train on them, and print tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=Path, required=True, help="where layouts are made")
    parser.add_argument("--pictures", type=int, nargs="+", default=[1000, 4000, 16000, 70000])
    parser.add_argument(
        "--written",
        type=int,
        default=8000,
        help="pictures that take room on the disk; those beyond are zeros",
    )
    parser.add_argument("--updates", type=int, default=4, help="of each training")
    parser.add_argument("--side-by-side", type=int, default=2000, help="pictures; 0: not at all")
    parser.add_argument("--rounds", type=int, default=8, help="of the comparison with memory")
    parser.add_argument("--train", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train:
        sys.stdout.write(json.dumps(train(asked.train, asked.updates)))
        return
    for n_pictures in asked.pictures:
        root = layout(asked.folder, n_pictures, asked.written)
        for start in ("first", "again"):
            command = [sys.executable, "-m", __spec__.name, "--folder", str(asked.folder),
                       "--train", str(root), "--updates", str(asked.updates)]  # fmt: skip
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            tell_memory(n_pictures, root, start, json.loads(done.stdout))
        shutil.rmtree(root)
    if asked.side_by_side:
        root = layout(asked.folder, asked.side_by_side, asked.side_by_side * 2)
        for negatives in ("apart", "batch"):
            side_by_side(root, negatives, asked.rounds)
        shutil.rmtree(root)


def layout(folder: Path, n_pictures: int, written: int) -> Path:
    """A new layout; its split `train` has so many pictures, and more clips."""
    root = folder / f"me-vgs-{n_pictures}"
    shutil.rmtree(root, ignore_errors=True)
    sizes = {"train": (round(n_pictures * CLIPS_PER_PICTURE), n_pictures), "valid": HELD_OUT}
    write_layout(root, sizes, written)
    return root


def train(root: Path, updates: int) -> dict[str, float]:
    """Train for some updates and two validations; memory in MB, times in s."""
    from toolkit.devices import CPU
    from toolkit.processes.threads import one_thread
    from toolkit.training.bank_files import load_bank
    from toolkit.training.fit import fit
    from toolkit.training.recipe import PUBLISHED
    from toolkit.training.sources import open_source

    recipe = replace(PUBLISHED, epochs=0, n_updates=updates, warmup_updates=1,
                     validate_every=updates)  # fmt: skip
    told = {"begun_mb": memory_mb()}
    start = time.perf_counter()
    with one_thread():
        source = open_source(root, EARS, EYES)
        (root / "kept").mkdir(exist_ok=True)
        bank = load_bank(source.kept_bank(recipe, root / "kept", lambda *_: None, CPU)).at_hand()
        told |= {"ready_s": time.perf_counter() - start, "ready_mb": memory_mb()}
        told |= {"on_disk": float(bank.disk is not None)}
        fit(bank, ["en"], recipe, 0)
    return told | {"trained_mb": memory_mb(), "whole_s": time.perf_counter() - start}


def memory_mb() -> float:
    """The most memory that this process had so far, or one that it started and that has ended."""
    own, others = (resource.getrusage(who).ru_maxrss for who in
                   (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))  # fmt: skip
    return max(own, others) * 1024 / 1e6


def tell_memory(n_pictures: int, root: Path, start: str, told: dict[str, float]) -> None:
    """A line of the table."""
    if start == "first":
        files = [path.stat() for path in (root / "output").rglob("*.h5")]
        whole, real = (sum(n) / 1e9 for n in zip(
            *((f.st_size, f.st_blocks * 512) for f in files), strict=True))  # fmt: skip
        say(
            f"\n{n_pictures:,} pictures and {round(n_pictures * CLIPS_PER_PICTURE):,} clips: "
            f"{whole:.1f} GB, {real:.1f} of them on the disk; "
            f"{'read in place' if told['on_disk'] else 'kept in memory'}"
        )
    say(
        f"  {start:>5} start: {told['begun_mb']:.0f} MB with all modules, ready after "
        f"{told['ready_s']:.1f} s with {told['ready_mb']:.0f} MB, trained with at most "
        f"{told['trained_mb']:.0f} MB"
    )


def side_by_side(root: Path, negatives: str, rounds: int) -> None:
    """Updates on the same features on the disk and in memory, in turn."""
    import torch

    from toolkit.devices import CPU
    from toolkit.training.bank_files import load_bank
    from toolkit.training.fit import Training
    from toolkit.training.recipe import PUBLISHED
    from toolkit.training.sources import open_source

    torch.set_num_threads(1)
    limits.FEATURES_IN_MEMORY = 1 << 40
    recipe = replace(PUBLISHED, epochs=0, n_updates=10**6, warmup_updates=1,
                     negatives_from=negatives)  # fmt: skip
    (root / "kept").mkdir(exist_ok=True)
    source = open_source(root, EARS, EYES)
    bank = load_bank(source.kept_bank(recipe, root / "kept", lambda *_: None, CPU))
    ways = {"disk": Training(bank, ["en"], recipe, 0),
            "memory": Training(bank.at_hand(), ["en"], recipe, 0)}  # fmt: skip
    updates = 1 if negatives == "apart" else 8
    wall: dict[str, list[float]] = {name: [] for name in ways}
    cpu: dict[str, list[float]] = {name: [] for name in ways}
    chance = dict.fromkeys(ways, torch.get_rng_state())
    for turn in range(rounds + 1):
        for name, training in ways.items():
            torch.set_rng_state(chance[name])
            with measured() as taken:
                for _ in range(updates):
                    training.step()
            chance[name] = torch.get_rng_state()
            if turn:  # the first one lays out memory
                wall[name].append(taken.wall_s)
                cpu[name].append(taken.processor_s)
    states = [training.network.state_dict() for training in ways.values()]
    same = all(torch.equal(states[0][name], value) for name, value in states[1].items())
    ratios = [np.divide(times["disk"], times["memory"]) for times in (wall, cpu)]
    say(
        f"\n{negatives}: an update takes {np.median(wall['memory']) / updates:.3f} s from memory, "
        f"{np.median(wall['disk']) / updates:.3f} s from the disk; in pairs "
        f"{np.median(ratios[0]):.2f} times as long (quartiles "
        f"{np.quantile(ratios[0], 0.25):.2f} to {np.quantile(ratios[0], 0.75):.2f}), "
        f"{np.median(ratios[1]):.2f} times the processor time; weights "
        f"{'equal' if same else 'DIFFER'}"
    )


def say(line: str) -> None:
    """Print at once."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
