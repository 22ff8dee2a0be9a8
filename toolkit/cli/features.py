"""``extract-features``: what frozen backbones make of clips and pictures, once, on disk."""

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated

import typer

from reports.terminal import say
from stimuli.limits import JOBS
from toolkit.cli.completion import set_names
from toolkit.cli.options import (
    HEARING,
    SEEING,
    DeviceOption,
    HearingOption,
    PrecisionOption,
    SeeingOption,
)
from toolkit.cli.tasks import PREPARE

SHOWN = 20
"""Unreadable files that the message names; the table has all."""


class Kind(enum.StrEnum):
    """What features are made of."""

    WORDS = "words"
    PICTURES = "pictures"


def register(app: typer.Typer) -> None:
    """Add the command to the application."""
    app.command("extract-features", rich_help_panel=PREPARE)(extract_features)


def extract_features(
    source: Annotated[
        str,
        typer.Argument(
            help="Stimulus set, or folder with data/filelists as me-vgs has it.",
            autocompletion=set_names,
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the HDF5 files.")],
    hearing: HearingOption = HEARING,
    seeing: SeeingOption = SEEING,
    only: Annotated[Kind | None, typer.Option(help="Words or pictures alone.")] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="train, valid or test; all by default. Repeatable.")
    ] = None,
    language: Annotated[
        list[str] | None, typer.Option(help="Words in this language alone. Repeatable.")
    ] = None,
    take: Annotated[
        list[Path] | None,
        typer.Option(
            help="Published HDF5 file, or a folder of them, to take features from, by language and "
            "name. Repeatable."
        ),
    ] = None,
    processes: Annotated[
        int,
        typer.Option(
            "--jobs",
            min=1,
            max=JOBS,
            help="Processes that read, decode and write beside the backbone.",
        ),
    ] = 1,
    device: DeviceOption = "cpu",
    precision: PrecisionOption = "float32",
) -> None:
    """Store what frozen backbones make of clips and pictures.

    One HDF5 file per backbone (group = name, data set 'feature'), or files as published for the
    published layout. The same command again makes what is missing; a stopped one goes on.

    Example: mevgs-toolkit extract-features mini --hearing hearing --seeing seeing --out features
    """
    from toolkit.cli.progress import progress_bars
    from toolkit.devices import find_device
    from toolkit.errors import ToolkitError
    from toolkit.subjects.backbones.finding import backbone_name, find_backbone
    from toolkit.subjects.backbones.stored import FeatureFile, is_known
    from toolkit.subjects.features.extraction import Computed, extract, write_faults
    from toolkit.subjects.features.sources import find_jobs, shared_names
    from toolkit.subjects.features.taking import Taken, feature_files, none_taken

    where = find_device(device, precision)
    kinds = {Kind.WORDS: ("word", "hearing", hearing), Kind.PICTURES: ("picture", "seeing", seeing)}
    taken: dict[str, list[FeatureFile]] = {"word": [], "picture": []}
    asked = [told for wanted, told in kinds.items() if only in (None, wanted)]
    names = {kind: backbone_name(given) for kind, _, given in asked}
    for file in feature_files(take or (), names, splits=split or (), languages=language or ()):
        taken[file.kind].append(file)
    jobs = find_jobs(source, out, names, splits=split or (), languages=language or ())
    computed: dict[str, Computed] = {}
    for kind, backbone, given in asked:
        if not taken[kind]:
            try:
                computed[kind] = Computed(kind, find_backbone(backbone, given), where)
            except ToolkitError as error:
                if not take:
                    raise
                raise none_taken(take, kind, names[kind], only) from error
    shared = shared_names(jobs)
    makers = [
        computed.get(job.kind) or Taken(names[job.kind], taken[job.kind], job, shared)
        for job in jobs
    ]
    faults = []
    with progress_bars(show=True) as progress:
        for job, maker in zip(jobs, makers, strict=True):
            unread = extract(job, maker, progress, jobs=processes)
            faults += unread
            untold = "" if is_known(maker.sha256) else "; nothing tells which backbone made them"
            say(f"{job.path}: {len(job.names) - len(unread)} of {len(job.names)} stored{untold}")
    if faults:
        table = write_faults(out, faults)
        shown = "\n".join(f"  {one.name}: {one.reason}" for one in faults[:SHOWN])
        more = f"\n  and {len(faults) - SHOWN} more" if len(faults) > SHOWN else ""
        raise ToolkitError(
            f"{len(faults)} files have no features, all others are stored:\n{shown}{more}",
            given=f"all of them are listed in {table}",
            next_command="repair them and run the same command again; it makes what is missing",
        )
