"""Counts flipped bits: one bit of a stored file is turned, and whoever reads it is called.

Files of every kind are made once, their checksums included. One bit of one of them is turned, at a
place that a seed decides; the reader that a user reaches is called; then all is put back. What may
come of it: the file is made again, it is refused with one message, or what is read is the same all
the same (as where the bit stands in the name behind a checksum). What may not: other numbers, or a
traceback.

    python -m tests.benchmarks.count_flips --flips 10000
"""

from __future__ import annotations

import argparse
import hashlib
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import typer

from paradigms.registry import get_paradigm
from stimuli import open_set
from stimuli.files import checksum_file
from tests.colours import population
from tests.conftest import LANGUAGES, SUBJECT_CODE, tiny_rows, write_scenes, write_set
from toolkit.errors import ToolkitError

OUTCOMES = ("made again", "refused", "same", "SILENT CHANGE", "TRACEBACK")
"""What may come of a flip; the last two must not."""
MADE_AGAIN = object()
"""What a reader gives who takes a damaged file for one that is not there."""


@dataclass(frozen=True)
class Kind:
    """Files of one kind, and who reads them."""

    name: str
    """As it is told."""
    files: Sequence[Path]
    """Their checksums are turned as well."""
    read: Callable[[], Any]
    """Gives what is read, to be compared."""
    restore: Path | None = None
    """Folder that the reader writes to, put back as a whole."""

    @property
    def share(self) -> int:
        """How often its bits are turned, against other kinds: whole runs take long."""
        return 3 if self.restore is None else 1


def digest(value: Any) -> Any:
    """Tables and arrays as something that can be compared."""
    import pandas as pd

    if isinstance(value, pd.DataFrame):
        return value.to_csv(index=False), str(value.dtypes)
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, hashlib.sha256(value.tobytes()).hexdigest()
    if isinstance(value, dict):
        return {key: digest(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [digest(item) for item in value]
    return value


def tables_in(root: Path) -> dict[str, bytes]:
    """All files in runs that are not about when and how long, nor what is shared by them."""
    return {
        str(path.relative_to(root)): path.read_bytes()
        for path in sorted(root.rglob("*"))
        if path.is_file()
        and not path.name.startswith("manifest.json")
        and path.parent.parent.name != "embeddings"
        and path.suffix != ".sha256"
    }


def kinds(root: Path) -> Iterator[Kind]:
    """Make files of every kind in an empty folder."""
    yield from _runs(root)
    yield from _maps(root)
    yield from _spaces(root)
    yield from _features(root)
    yield from _training(root)
    yield from _in_place(root)
    yield from _imported(root)


def _runs(root: Path) -> Iterator[Kind]:
    from reports.sources import _training as training_of
    from toolkit.api.running import run_paradigm
    from toolkit.running.choices import run
    from toolkit.running.embedding_store import EmbeddingStore
    from toolkit.running.score_all import score_all
    from toolkit.statistics.choices.counts import read_counts
    from toolkit.statistics.saved import saved_manifest, saved_results, saved_summary
    from toolkit.subjects.populations import open_population
    from toolkit.tables.trials import read_trials

    tiny = open_set(write_set(root / "tiny", tiny_rows(), LANGUAGES))
    own = root / "subjects" / "hasher"
    own.mkdir(parents=True)
    (own / "hasher_subject.py").write_text(SUBJECT_CODE)
    (own / "training_log.csv").write_text("seed,update,valid_loss\na,0,1.5\na,9,0.5\nb,0,1.25\n")
    (own / "population.toml").write_text(
        'name = "hasher"\ndescription = "Small."\nlanguages = ["en", "nl"]\nseeds = ["a", "b"]\n'
        'factory = "hasher_subject:load"\n'
    )
    hasher = open_population("hasher", root / "subjects")
    runs = root / "runs"
    made = run_paradigm("me", hasher, stimuli=tiny, trials_per_class=2, out=runs)
    made.analyse()
    folder = made.folder
    cells = sorted((folder.parent / "cells").glob("*/*.parquet"))
    asked = get_paradigm("me")

    def resume() -> Any:
        run(asked, [hasher], tiny, root=runs, per_class=2)
        return tables_in(runs)

    yield Kind("cells (resume)", cells, resume, runs)
    trials, manifest = folder / "trials.parquet", folder / "manifest.json"
    yield Kind("trials.parquet (resume)", [trials], resume, runs)
    yield Kind("manifest.json (resume)", [manifest], resume, runs)
    yield Kind("training.csv (resume)", [folder / "training.csv"], resume, runs)
    yield Kind("trials.parquet (read)", [trials], lambda: read_trials(trials))
    yield Kind("trials.parquet (analyze)", [trials], lambda: read_counts([folder]))
    yield Kind("manifest.json (report)", [manifest], lambda: str(saved_manifest(folder)))
    yield Kind("summary.json (report)", [folder / "summary.json"],
               lambda: str(saved_summary(folder)))  # fmt: skip
    yield Kind("statistics.json (report)", [folder / "statistics.json"],
               lambda: str(saved_results(folder)))  # fmt: skip
    yield Kind(
        "training.csv (report)",
        [folder / "training.csv"],
        lambda: training_of([SimpleNamespace(folder=folder)]),
    )  # type: ignore[list-item]
    store = EmbeddingStore(runs / "embeddings")
    stored = sorted(store.folder.glob("*/*.npz"))

    def embeddings() -> Any:
        found = [store.read(path) for path in stored]
        return found if all(one.words for one in found) else MADE_AGAIN

    yield Kind("embeddings (run)", stored, lambda: _plain_embeddings(embeddings()))
    counts = root / "counts"
    done = score_all(asked, [hasher], tiny, root=counts)

    def count() -> Any:
        made = score_all(asked, [hasher], tiny, root=counts)
        return tables_in(counts) | {"table": digest(made.table)}

    table = done.directory.folder / "exhaustive.parquet"
    own_cells = sorted((done.directory.root / "cells").glob("*/*.parquet"))
    yield Kind("exhaustive.parquet and cells (score-all)", [table, *own_cells], count, counts)


def _plain_embeddings(found: Any) -> Any:
    return found if found is MADE_AGAIN else [(one.words, one.pictures) for one in found]


def _maps(root: Path) -> Iterator[Kind]:
    from reports.maps.sources import read_maps
    from toolkit.running.embedding_store import _arrays, _holds
    from toolkit.running.maps import run_maps

    scenes = open_set(write_scenes(root / "scenes"))
    runs, asked = root / "map-runs", get_paradigm("dense-grounding")

    def resume() -> Any:
        return run_maps(asked, [population(seeds="a")], scenes, root=runs)

    folder = resume().directory.folder
    cells = sorted((folder.parent / "cells").glob("*/*.[np]*"))
    cells = [path for path in cells if path.suffix != ".sha256"]
    tables = [folder / "agreement.csv", folder / "maps.npz"]
    again = Kind("cells and maps (resume)", [*cells, *tables],
                 lambda: [resume(), tables_in(runs)][1], runs)  # fmt: skip
    yield again

    def shown() -> Any:
        made = read_maps([folder])
        return [made.agreement, [(str(one.values), one.similarity) for one in made.samples]]

    yield Kind("agreement.csv, maps.npz (report)", tables, shown)
    store = runs / "embeddings"
    dense, texts = sorted(store.glob("*/*.npy")), sorted(store.glob("*/*.npz"))

    sizes = {path: len(np.load(path, mmap_mode="r")) for path in dense}

    def features() -> Any:
        if not all(_holds(path, n, 3) for path, n in sizes.items()):
            return MADE_AGAIN
        return [np.load(path) for path in dense]

    yield Kind("dense features (run)", dense, features)
    names = ("texts", "vectors", "tokens")
    yield Kind("texts (run)", texts, lambda: _arrays(texts[0], names) or MADE_AGAIN)


def _spaces(root: Path) -> Iterator[Kind]:
    import pandas as pd

    from toolkit.api.spaces import analyze_space
    from toolkit.tables.manifests import require_stored

    made = analyze_space(
        "hasher/a", stimuli=root / "tiny", subjects_dir=root / "subjects", n_bootstrap=0,
        map_seeds=0, out=root / "space-runs",
    )  # fmt: skip
    files = sorted(made.folder.glob("*.parquet"))

    def read() -> Any:
        for path in files:
            require_stored(path)
        return [pd.read_parquet(path) for path in files]

    yield Kind("tables of analyze-space (report)", files, read)


def _features(root: Path) -> Iterator[Kind]:
    from tests.toolkit.subjects.test_features import NAMES, Counting
    from toolkit.subjects.backbones.stored import FeatureFile
    from toolkit.subjects.features.extraction import extract
    from toolkit.subjects.features.sources import find_jobs

    jobs = find_jobs(str(root / "tiny"), root / "features", NAMES, splits=("train",))
    files = [job.path for job in jobs]

    def read() -> Any:
        opened = [FeatureFile(path) for path in files]
        return [[dict(one.attributes), list(one.names), list(one.read(one.names)), one.media()]
                for one in opened]  # fmt: skip

    def again() -> Any:
        for job in jobs:
            extract(job, Counting(job.kind))
        return read()

    again()
    yield Kind("feature files (read)", files, read)
    yield Kind("feature files (extract-features)", files, again, root / "features")


def _training(root: Path) -> Iterator[Kind]:
    import torch

    from tests.toolkit.training.test_train_cli import write_features, write_small_set
    from toolkit.subjects.populations import open_population
    from toolkit.training import cards
    from toolkit.training.bank_files import load_bank
    from toolkit.training.checkpoint import Checkpoint
    from toolkit.training.conditions import Condition
    from toolkit.training.fit import LogRow
    from toolkit.training.logs import read_log
    from toolkit.training.populations import train_populations
    from toolkit.training.recipe import PUBLISHED
    from toolkit.training.sources import open_source

    out = root / "trained"
    write_small_set(root / "set")
    write_features(out, open_set(root / "set"), "float32")
    recipe = replace(PUBLISHED, epochs=2, warmup_epochs=1, width=64, embedding=4)
    condition = Condition("bilingual", ("en", "fr"), recipe)
    source = open_source(str(root / "set"), "hearing", "seeing")
    train_populations([condition], ["a"], out, source, jobs=1)
    folder, key = out / "bilingual", cards.stored_key(out / "bilingual", "a")
    weights = [folder / "a.safetensors"]
    described = [folder / "population.toml", folder / "config.json"]

    def load() -> Any:
        one = open_population("bilingual", out)
        loaded: Any = one.load("a")
        told = one.checksum("a"), one.description, one.languages, one.seeds
        return [told, dict(loaded.stored.state), str(loaded.stored.config)]

    yield Kind("weights (load)", weights, load)
    yield Kind("population.toml, config.json (load)", described, load)
    yield Kind("weights (train)", weights,
               lambda: key if cards.stored_key(folder, "a") == key else MADE_AGAIN)  # fmt: skip
    yield Kind("training_log.csv (train)", [folder / "training_log.csv"], lambda: read_log(folder))
    bank = sorted((out / "features").glob("*.safetensors"))

    def features() -> Any:
        made = load_bank(bank[0])
        return [made.frames.numpy(), made.maps.numpy(), made.word_start, made.word_table]

    yield Kind("features for training (train)", bank, features)
    state = Checkpoint(root / "state.pt", "key", "a")
    state.save({"weights": torch.arange(64.0)}, [LogRow(1, 2.0, 1.0, 0.5)], 1)

    def resume() -> Any:
        found = state.load()
        return MADE_AGAIN if found is None else found["weights"].numpy()

    yield Kind("states of trainings (train)", [state.path], resume)


def _in_place(root: Path) -> Iterator[Kind]:
    from tests.toolkit.training.test_reading_in_place import bank_of, feature_files
    from tests.toolkit.training.test_training_sources import write_data
    from toolkit.training.bank_files import load_bank, save_bank

    bank, kept = bank_of(write_data(root / "published")), root / "published" / "kept.safetensors"
    assert bank.disk is not None
    save_bank(bank, kept)
    times = {Path(file.path): file.mtime_ns for file in bank.disk.files}

    def read() -> Any:
        for path, mtime_ns in times.items():
            os.utime(path, ns=(mtime_ns, mtime_ns))  # nothing but the bit tells that it was turned
        found = load_bank(kept).at_hand()
        return [found.frames.numpy(), found.maps.numpy(), found.word_start, found.word_table]

    yield Kind("published features in place (train)", feature_files(root / "published"), read)
    yield Kind("where published features lie (train)", [kept], read)


def _imported(root: Path) -> Iterator[Kind]:
    from stimuli.importing import import_layout
    from tests.stimuli.published_layout import write_published_data
    from toolkit.tables.longtable import read_run, write_long

    made = import_layout(write_published_data(root / "me-vgs"), root / "imported").folder
    # The tables of a set are edited by hand, so nothing can tell a flip from a change that was
    # wanted; every run records the checksum of what it was made with.
    stimuli = open_set(made)
    words = stimuli.select(kind="word").index[:6]
    pictures = stimuli.select(kind="picture").index[:6]
    media = [made / stimuli.table.loc[name, "path"] for name in (*words, *pictures)]
    yield Kind("clips and pictures (run)", media,
               lambda: [[stimuli.read_clip(name) for name in words],
                        [stimuli.read_picture(name) for name in pictures]])  # fmt: skip
    long = root / "long.parquet"
    folder = next(root.glob("runs/me-*"))
    write_long(read_run(folder), long)
    yield Kind("tables of import-trials (read)", [long], lambda: read_run(long))


def flip_once(kind: Kind, expected: Any, rng: random.Random) -> tuple[str, str]:
    """Turn one bit, read, and put everything back: what came of it, and which file it was."""
    files = [part for path in kind.files for part in (path, checksum_file(path)) if part.is_file()]
    path = rng.choice(files)
    before = {one: one.read_bytes() for one in _all(kind)}
    content = bytearray(before[path])
    content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
    path.unlink()  # a link to another file leaves that as it is
    path.write_bytes(content)
    try:
        found = kind.read()
        if found is MADE_AGAIN:
            outcome = "made again"
        elif digest(found) != expected:
            outcome = "SILENT CHANGE"
        else:
            outcome = "same" if path.read_bytes() == content else "made again"
    except ToolkitError:
        outcome = "refused"
    except Exception as error:
        outcome = "TRACEBACK"
        path = path.with_name(f"{path.name}: {error!r}")
    if kind.restore is not None:
        for one in _all(kind):
            if one not in before:
                one.unlink()
    for one, old in before.items():
        with suppress(FileNotFoundError):
            if one.read_bytes() == old:
                continue
        one.write_bytes(old)
    return outcome, path.name


def _all(kind: Kind) -> list[Path]:
    if kind.restore is not None:
        return [path for path in kind.restore.rglob("*") if path.is_file()]
    return [part for path in kind.files for part in (path, checksum_file(path)) if part.is_file()]


def count_flips(
    n_flips: int,
    seed: int,
    root: Path,
    say: Callable[[str], None] = lambda line: None,
    only: str = "",
) -> dict[str, dict[str, int]]:
    """Turn bits in files of all kinds, a share of each.

    Args:
        n_flips: bits turned in all.
        seed: decides where.
        root: an empty folder.
        say: told of every kind when it is done, and of what may not be.
        only: kinds whose names hold this.

    Returns:
        By kind: how often what came of it.
    """
    counts = {}
    made = [kind for kind in kinds(root) if only in kind.name]
    total, passed = sum(kind.share for kind in made), 0
    for kind in made:
        n_own = n_flips * (passed + kind.share) // total - n_flips * passed // total
        passed += kind.share
        rng = random.Random(f"{seed} {kind.name}")
        expected = digest(kind.read())
        count = counts[kind.name] = dict.fromkeys(OUTCOMES, 0)
        for _ in range(n_own):
            outcome, name = flip_once(kind, expected, rng)
            count[outcome] += 1
            if outcome in OUTCOMES[3:]:
                say(f"{outcome}: {kind.name}, {name}")
        assert digest(kind.read()) == expected, f"{kind.name} was not put back"
        say(f"{kind.name}: {count}")
    return counts


def main() -> int:
    """Count, and print a table."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--flips", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="kinds whose names hold this")
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    try:
        counts = count_flips(
            asked.flips, asked.seed, folder, lambda line: typer.echo(line), asked.only
        )
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    typer.echo(
        "\n" + f"{'kind of file (who reads it)':44}" + "".join(f"{name:>15}" for name in OUTCOMES)
    )
    total = dict.fromkeys(OUTCOMES, 0)
    for name, count in counts.items():
        typer.echo(f"{name:44}" + "".join(f"{count[outcome]:15}" for outcome in OUTCOMES))
        total = {outcome: total[outcome] + count[outcome] for outcome in OUTCOMES}
    typer.echo(
        f"{'all ' + str(sum(total.values())):44}" + "".join(f"{n:15}" for n in total.values())
    )
    return int(total["SILENT CHANGE"] + total["TRACEBACK"] > 0)


if __name__ == "__main__":
    sys.exit(main())
