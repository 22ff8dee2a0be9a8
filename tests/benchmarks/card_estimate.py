"""How long the published grid would take on one H100: an estimate, since none was at hand.

What an update of five seeds in one pass takes is counted from the code: it is made on the
processor, which plays the card (`tests.fake_card`), and every operation that a card would do is
counted with its floating-point operations, the bytes that it reads and writes, and the kernel that
it starts. How long a card of known speed takes for that is assumed (`ASSUMPTIONS`); what the
processor has to do beside it is timed here.

    python -m tests.benchmarks.card_estimate            # counts, writes card_estimate.csv, tells
    python -m tests.benchmarks.card_estimate --check    # counts and compares

Left out: reading the features once, validations, files that are written.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from collections.abc import Mapping
from dataclasses import astuple, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from stimuli.cells import csv_text
from stimuli.files import write_atomic
from tests.fake_card import FakeCard
from toolkit.training import packed, together
from toolkit.training.features import FeatureBank
from toolkit.training.recipe import PUBLISHED, Recipe
from toolkit.training.schedule import Schedule

COUNTS = Path(__file__).with_name("card_estimate.csv")
SEEDS = 5
CLIPS, PICTURES = 100_000, 70_000
"""Made-up size of the data: clips of three languages together, and pictures."""
FRAMES = 50
"""Of a clip: a second."""
GRID = {
    "clip": {1: 3 + 3, 2: 3 + 3},
    "clip-two-audios": {1: 3, 2: 3},
}
"""The published conditions of one size by family, and by how many languages' clips an epoch meets:
three languages alone, three pairs, both with links and without, and each language alone once more
and on twice its clips."""


class Assumption(NamedTuple):
    """Which shares of its peaks a card reaches, and what is done at once."""

    products: float
    """Of operations in matrix products."""
    memory: float
    """Of bytes to and from its memory."""
    bus: float
    """Of bytes from the processor's memory."""
    kernel_us: float
    """Microseconds for a kernel to be started."""
    beside: bool
    """Whether the processor draws for an update while the card is at work."""


TFLOPS = {"tf32": 494.7, "float32": 67.0}
MEMORY_TB, BUS_GB, HOLDS_GB = 3.35, 64, 80
"""NVIDIA H100 SXM by its data sheet: 10^12 operations in a second by precision, without sparsity;
bytes of its memory (HBM3), and of PCIe 5 x16 in one direction, in a second; its memory."""
ASSUMPTIONS = {
    "optimistic": Assumption(0.6, 0.8, 0.8, 5, beside=True),
    "pessimistic": Assumption(0.25, 0.5, 0.4, 15, beside=False),
}


@dataclass
class Counted:
    """What an update of five seeds takes."""

    flops: float = 0
    """Operations of matrix products."""
    product_bytes: float = 0
    """What these read and write."""
    other_bytes: float = 0
    """What all others do, none of them fused."""
    sent_bytes: float = 0
    """Sent to the card."""
    kernels: float = 0
    """Operations that start one."""
    host_s: float = 0
    """Seconds of one thread of the processor for what it draws and looks up; the least that was
    seen."""

    def seconds(self, card: Assumption, precision: str) -> float:
        """How long it takes a card.

        Args:
            card: what it is taken to reach.
            precision: of matrix products.
        """
        rate = card.memory * MEMORY_TB * 1e12
        operations = self.flops / (card.products * TFLOPS[precision] * 1e12)
        busy = max(operations, self.product_bytes / rate) + self.other_bytes / rate
        busy = max(busy, self.kernels * card.kernel_us * 1e-6)
        busy += self.sent_bytes / (card.bus * BUS_GB * 1e9)
        return max(busy, self.host_s) if card.beside else busy + self.host_s


class Counting(TorchDispatchMode):
    """Counts what is done with what lies on the card.

    All that is made there stays in memory: nothing else could take its place, and be taken for it.
    """

    def __init__(self) -> None:
        super().__init__()
        self.counted = Counted()
        self._there: dict[int, Any] = {}

    def is_there(self, tensor: Tensor) -> bool:
        """Whether a tensor is on the card."""
        return tensor.untyped_storage()._cdata in self._there

    def put(self, tensor: Tensor) -> None:
        """Have a tensor be on the card from now on."""
        storage = tensor.untyped_storage()
        self._there[storage._cdata] = storage

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Do an operation, and count it."""
        asked = dict(kwargs or {})
        out = func(*args, **asked)
        asked.pop("out", None)
        if func.overloadpacket is torch.ops.aten.bernoulli_:
            self.put(args[0])  # what is dropped: made where it is needed
        given = [one for one in tree_leaves((args, asked)) if isinstance(one, Tensor)]
        made = [one for one in tree_leaves(out) if isinstance(one, Tensor)]
        if not any(map(self.is_there, given)):
            return out
        before = {one.untyped_storage()._cdata for one in given}
        for one in made:
            self.put(one)
        if func.overloadpacket in SET_ASIDE:
            return out
        if not func._schema.is_mutable and all(
            one.untyped_storage()._cdata in before for one in made
        ):
            return out  # another view of what there was
        written = sum(map(_bytes, made))
        read = sum(map(_bytes, given[1:]))
        if func.overloadpacket in LOOK_UPS:
            read += written
        elif func.overloadpacket is not torch.ops.aten.copy_:
            read += _bytes(given[0])
        self.counted.kernels += 1
        if count := flop_registry.get(func.overloadpacket):
            self.counted.flops += count(*args, **asked, out_val=out)
            self.counted.product_bytes += read + written
        else:
            self.counted.other_bytes += read + written
        return out


SET_ASIDE = {torch.ops.aten.new_empty, torch.ops.aten.empty_like}
"""Operations that set memory aside and do nothing with it."""
LOOK_UPS = {torch.ops.aten.index, torch.ops.aten.index_select}
"""Operations that read no more of their first tensor than they give."""


def _bytes(tensor: Tensor) -> int:
    """Of a tensor, or of what it repeats."""
    return min(tensor.nbytes, tensor.untyped_storage().nbytes())


@dataclass(frozen=True)
class Card(FakeCard):
    """Tells who counts what is sent to it."""

    counting: Counting = field(default_factory=Counting, compare=False)

    def to(self, tensor: Tensor) -> Tensor:
        if not self.counting.is_there(tensor):
            self.counting.counted.sent_bytes += tensor.nbytes
            self.counting.put(tensor)
        return tensor


def made_up(word_dim: int, picture_dim: int, n: int) -> FeatureBank:
    """Features of `n` clips of each language and `n` pictures; all of a kind are the same one."""
    concepts = tuple(f"class-{number:02}" for number in range(13))
    # A split that weights are chosen on must be there; it is left out of what is counted.
    rows = [("valid" if row < 13 else "train", concepts[row % 13]) for row in range(n)]
    clips = [(*row, language) for language in ("en", "nl") for row in rows]
    return FeatureBank(
        concepts=concepts,
        word_table=tuple((f"clip-{number}", *row) for number, row in enumerate(clips)),
        picture_table=tuple((f"picture-{number}", *row) for number, row in enumerate(rows)),
        frames=torch.zeros(1, word_dim).half().expand(len(clips) * FRAMES, -1),
        word_start=np.arange(len(clips) + 1) * FRAMES,
        maps=torch.zeros(1, 8, 8, picture_dim).half().expand(len(rows), -1, -1, -1).movedim(-1, 1),
    )


def begun(bank: FeatureBank, recipe: Recipe, n: int) -> tuple[list[together.Together], Counting]:
    """Networks before their first update, on a card."""
    card = Card()
    here = bank.on(card)
    made = [together.Together(bank, ["en", "nl"], recipe, seed, here=here) for seed in range(n)]
    for one in made:
        for tensor in (one.vector, one._mean, *one._averaged.parameters()):
            card.counting.put(tensor)
    return made, card.counting


def counted(family: str) -> Counted:
    """What an update takes.

    All but the kernels is counted for one network of the true size, since networks of one pass add
    up, kernels for all of them with features of few channels.
    """
    recipe = replace(PUBLISHED, family=family, feature_precision="half")
    ones: list[Counted] = []
    for bank, n in ((made_up(768, 2048, 20_000), 1), (made_up(8, 8, 2_000), SEEDS)):
        networks, counting = begun(bank, recipe, n)
        counting.counted = Counted()
        with counting:
            together.step(networks)
        ones.append(counting.counted)
    one, all_of_them = ones
    return Counted(
        flops=SEEDS * one.flops,
        product_bytes=SEEDS * one.product_bytes,
        other_bytes=SEEDS * one.other_bytes,
        sent_bytes=SEEDS * one.sent_bytes,
        kernels=all_of_them.kernels,
        host_s=host_s(recipe),
    )


def host_s(recipe: Recipe, rounds: int = 5) -> float:
    """Least time of the processor to draw the items of an update, and to look them up."""
    networks, _ = begun(made_up(1, 1, 20_000), replace(recipe, dropout=0.0), SEEDS)
    config = networks[0].network.config
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        for one in networks:
            batch = one.begin()
            assert batch
            items, drawn = batch.items, (config, one.generator)
            packed.words(batch.bank, items.words.rows, *drawn)
            packed.pictures(batch.bank, items.pictures.rows, config.for_pictures(), one.generator)
            if items.second_words:
                packed.words(batch.bank, items.second_words.rows, *drawn)
        taken.append(time.process_time() - start)
    return min(taken)


def n_updates(family: str) -> int:
    """Updates of five seeds of all conditions of a family."""
    recipe = replace(PUBLISHED, family=family)
    clips = CLIPS // 3
    return sum(
        n * Schedule.of(recipe, languages * clips, languages).n_updates
        for languages, n in GRID[family].items()
    )


def hours(counts: Mapping[str, Counted], name: str, precision: str) -> float:
    """Hours of the whole grid under one of the assumptions."""
    seconds = {family: own.seconds(ASSUMPTIONS[name], precision) for family, own in counts.items()}
    return sum(n_updates(family) * own for family, own in seconds.items()) / 3600


def bank_gb(precision: torch.dtype) -> float:
    """Features of all clips and pictures, in 10^9 bytes."""
    values = CLIPS * FRAMES * 768 + PICTURES * 2048 * 8 * 8
    return values * precision.itemsize / 1e9


def main(arguments: list[str] | None = None) -> int:
    """Count, write or compare, and tell; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    asked = parser.parse_args(arguments)
    torch.set_num_threads(1)
    counts = {family: counted(family) for family in GRID}
    if asked.check:
        kept = read_counts()
        others = [family for family in GRID if _counts(kept[family]) != _counts(counts[family])]
        sys.stdout.write("".join(f"{family}: {kept[family]}, now {counts[family]}\n"
                                 for family in others))  # fmt: skip
        return bool(others)
    rows = [[family, *(f"{value:g}" for value in astuple(own))] for family, own in counts.items()]
    columns = ["family", *(column.name for column in fields(Counted))]
    with write_atomic(COUNTS) as unfinished:
        unfinished.write_text(csv_text([columns, *rows]), encoding="utf-8", newline="")
    sys.stdout.write(f"{told(read_counts())}\n")
    return 0


def read_counts() -> dict[str, Counted]:
    """The counts that were kept, by family."""
    with COUNTS.open(encoding="utf-8", newline="") as file:
        return {
            row.pop("family"): Counted(**{name: float(value) for name, value in row.items()})
            for row in csv.DictReader(file)
        }


def _counts(counted: Counted) -> list[str]:
    """All but the time."""
    return [f"{value:.4g}" for value in astuple(replace(counted, host_s=0))]


def told(counts: Mapping[str, Counted]) -> str:
    """What is known, as the documentation has it."""
    plain, linked = (counts[family] for family in GRID)
    updates = sum(map(n_updates, GRID))
    spans, own = (
        {
            precision: " to ".join(f"{hours(each, name, precision):.1f}" for name in ASSUMPTIONS)
            for precision in TFLOPS
        }
        for each in (counts, {family: replace(one, host_s=0) for family, one in counts.items()})
    )
    best, worst = ASSUMPTIONS.values()
    half, single = bank_gb(torch.half), bank_gb(torch.float32)
    return (
        f"An estimate, not a measurement. {sum(sum(own.values()) for own in GRID.values())} "
        f"conditions of {SEEDS} seeds, size md, on {CLIPS:,} made-up clips of a second in three "
        f"languages and {PICTURES:,} pictures make {updates:,} updates of {SEEDS} seeds in one "
        f"pass. Counted from the code, an update (one with language links in brackets) takes "
        f"{plain.flops / 1e9:.0f} ({linked.flops / 1e9:.0f}) billion operations in matrix "
        f"products, reads and writes {_gb(plain):.1f} ({_gb(linked):.1f}) GB on the card, starts "
        f"{plain.kernels:,.0f} ({linked.kernels:,.0f}) kernels, and is sent "
        f"{plain.sent_bytes / 1e6:.1f} ({linked.sent_bytes / 1e6:.1f}) MB; one thread of the "
        f"processor took {1e3 * plain.host_s:.0f} ({1e3 * linked.host_s:.0f}) ms to draw and look "
        f"up its items. The data sheet of an NVIDIA H100 SXM says "
        f"{TFLOPS['tf32']:.0f} TFLOP/s in TF32 without sparsity, {TFLOPS['float32']:.0f} in "
        f"float32, {MEMORY_TB} TB/s, and {BUS_GB} GB/s from the processor. If {_shares(best)}, and "
        f"the processor draws meanwhile, or {_shares(worst)}, and it draws before, the grid takes "
        f"{spans['tf32']} hours in TF32 and {spans['float32']} in float32; without the processor's "
        f"share {own['tf32']} and {own['float32']}. Features take "
        f"{half:.0f} GB in half precision and {single:.0f} GB in float32. All lie on a card where "
        f"it holds twice as much: of one with {HOLDS_GB} GB, {_fits(half)} in half precision "
        f"(`--set feature_precision=half`) and {_fits(single)} in float32, where each update is "
        "sent its own instead, which takes longer."
    )


def _gb(counted: Counted) -> float:
    return (counted.product_bytes + counted.other_bytes) / 1e9


def _shares(card: Assumption) -> str:
    return (
        f"{card.products:.0%}, {card.memory:.0%} and {card.bus:.0%} of that are reached and a "
        f"kernel is started in {card.kernel_us:g} µs"
    )


def _fits(n_gb: float) -> str:
    return "they do" if 2 * n_gb <= HOLDS_GB else "they do not"


if __name__ == "__main__":
    sys.exit(main())
