"""What sets share that are built from another one: its files copied, one command line."""

from __future__ import annotations

import argparse
import hashlib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from makers.sets.build_mini import remove_strangers
from stimuli.writing import write_media, write_set

if TYPE_CHECKING:
    import pandas as pd

    from stimuli import StimulusSet

log = logging.getLogger(__name__)


def copied(given: StimulusSet, out: Path, row: dict[str, str], **changes: str) -> dict[str, str]:
    """Copy a picture or clip of a set, and give its row in the new one.

    Args:
        given: the set that it is taken from.
        out: folder of the new one.
        row: its row there.
        changes: what its row says otherwise here.
    """
    write_media(out, row["path"], (given.folder / row["path"]).read_bytes())
    return {**row, **changes}


def ordered(pictures: pd.DataFrame) -> pd.DataFrame:
    """Pictures in the order of the checksums of their names, which stand in a column ``order``."""
    names = pictures["stimulus_id"].map(lambda name: hashlib.sha256(name.encode()).hexdigest())
    return pictures.assign(order=names).sort_values("order")


def written(out: Path, settings: dict[str, object], rows: list[dict[str, str]]) -> None:
    """Write the tables of a set whose files are there, and remove all other files.

    Args:
        out: folder of the set.
        settings: the content of `set.toml`.
        rows: of all pictures and clips.
    """
    remove_strangers(out, {row["path"] for row in rows})
    write_set(out, settings, rows)
    log.info("%d files in %s", len(rows), out)


def like(given: StimulusSet, **own: object) -> dict[str, object]:
    """The content of `set.toml`: what a set says itself, and what it has from another.

    Args:
        given: the other.
        own: what it says itself; ``made_from`` stands last.
    """
    made_from = own.pop("made_from")
    return {
        **own,
        "licence": given.licence,
        "sample_rate_hz": given.sample_rate_hz,
        "picture_size_px": given.picture_size_px,
        "made_from": made_from,
    }


def run_builder(
    build: Callable[[Path, int], None],
    name: str,
    told: str | None,
    out: Path,
    arguments: Sequence[str] | None = None,
) -> None:
    """Read the command line of a maker and build the set.

    Args:
        build: builds it in a folder, so many words said at the same time.
        name: of the module.
        told: what it says of itself.
        out: the folder where no other is named.
        arguments: by default those of the process.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {__package__}.{name}", description=told)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--out", type=Path, default=out, help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="words said at the same time")
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    build(given.out, given.jobs)
