"""What the page says about itself: how to make it again, whose pictures it shows, what it is of.

Nothing that is another each time: a run that is made again, whenever and wherever, has the same
page to the byte. When it was made, and in which folder, stands in its manifest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reports.maps.methods import energy
from reports.parts import Table
from stimuli.errors import command_line
from stimuli.files import sha256_of, sha256_of_files
from toolkit.provenance import package_version

if TYPE_CHECKING:
    from reports.chapter import RunFiles
    from reports.parts import Credit

CONTENT = (
    "trials.parquet", "summary.json", "statistics.json", "training.csv", "variance.csv",
    "agreement.csv", "maps.npz",
)  # fmt: skip
"""Files of a run, or of an analysis of spaces, that decide its page."""
INDECISIVE = {"--out": True, "--jobs": True, "--format": True, "--report": False,
              "--no-report": False}  # fmt: skip
"""Options of ``run-paradigm`` that change nothing in a run's tables; whether a value follows."""


def all_run_facts(runs: Sequence[RunFiles]) -> list[dict[str, Any]]:
    """Where runs, or tables from elsewhere, come from, as the template takes it.

    Versions of packages and checksums of subjects stand once: of a run that has those of an earlier
    one (``like``, its id), what is another there is told alone.

    Args:
        runs: what is on the page.
    """
    first: dict[tuple[Any, ...], dict[str, Any]] = {}
    told = []
    for run in runs:
        own = run_facts(run)
        tables = (tuple(own["packages"].items()), tuple(own["checksums"].items()))
        # A run that lacks a fact of another is not like it.
        same = (*tables, tuple(name for name, _ in own["facts"]))
        other = first.setdefault(same, own) if any(tables) else own
        if other is not own:
            facts = [fact for fact in own["facts"] if fact not in other["facts"]]
            own = own | {"facts": facts, "like": other["run_id"]}
        told.append(own)
    return told


def run_facts(run: RunFiles) -> dict[str, Any]:
    """Where a run, or a table from elsewhere, comes from."""
    manifest = run.manifest
    if manifest is None:
        return _table_facts(run.folder)
    git, machine = manifest.git, manifest.machine
    facts = [
        ("Toolkit", str(manifest.toolkit_version)),
        ("Commit", f"{git.commit}{' with changes' if git.dirty else ''}" if git else "none"),
        ("Python", str(manifest.python)),
        ("Machine", f"{machine.system}, {machine.cores} cores"),
        ("Computed on", manifest.device.told),
        ("Stimuli (SHA-256)", manifest.stimuli.checksum),
        ("Paradigm source (SHA-256)", str(manifest.paradigm.source_sha256)),
    ]
    if manifest.trials_per_class is not None:
        number = f"{manifest.trials_per_class}, {manifest.trial_seed}"
        facts.append(("Trials per class, trial seed", number))
    if manifest.studies:
        facts.append(("Study file (SHA-256)", ", ".join(manifest.studies)))
    if manifest.energy is not None:
        facts.append(("Energy", energy(manifest.energy)))
    packages = {name: str(version) for name, version in manifest.packages.items()}
    return {
        "run_id": manifest.run_id,
        "like": "",
        "command": command_line(_decisive(manifest.command)),
        "facts": facts,
        "packages": packages,
        "checksums": manifest.subjects,
        "packages_table": Table(
            "", "Packages", ("Package", "Version"), tuple(packages.items()), n_labels=2
        ),
        "checksums_table": Table(
            "", "Subjects", ("Subject", "SHA-256 of weights and description"),
            tuple(manifest.subjects.items()), n_labels=2,
        ),
    }  # fmt: skip


def _table_facts(file: Path) -> dict[str, Any]:
    """The same of a table from elsewhere: what its columns mean and where they came from."""
    from toolkit.tables.longtable import meanings_of

    return {
        "run_id": file.name,
        "like": "",
        "command": "",
        "facts": [("SHA-256", sha256_of(file)), *meanings_of(file).items()],
        "packages": {},
        "checksums": {},
        "packages_table": Table("", "Packages", (), ()),
        "checksums_table": Table("", "Subjects", (), ()),
    }


def toolkit_version(runs: Sequence[RunFiles]) -> str:
    """The version that the first run was made with; this one where there are tables alone."""
    told = next((run.manifest.toolkit_version for run in runs if run.manifest is not None), None)
    return str(told or package_version("mevgs-toolkit"))


def credit_table(shown: Sequence[Credit]) -> Table:
    """Sources and licences of the stimuli on the page."""
    return Table(
        name="stimuli",
        title="Stimuli shown",
        columns=("Stimulus", "Source", "Author", "Licence"),
        rows=tuple((c.stimulus_id, c.source, c.author, c.licence) for c in shown),
        n_labels=4,
        folded=True,
    )


def checksum(folders: Sequence[Path]) -> str:
    """SHA-256 over the tables given, and those of all folders (`CONTENT`)."""
    digest = hashlib.sha256()
    for place in folders:
        files = [place] if place.is_file() else [place / name for name in CONTENT]
        digest.update(sha256_of_files(file for file in files if file.is_file()).encode())
    return digest.hexdigest()


def _decisive(command: Sequence[str]) -> list[str]:
    """A command line without what only says where a run goes, how fast, and what is printed.

    Example:
        >>> _decisive(["mevgs-toolkit", "run-paradigm", "me", "--out", "runs", "--jobs=2"])
        ['mevgs-toolkit', 'run-paradigm', 'me']
    """
    if not {"run-paradigm", "run-study"} & {*command[1:2]}:
        return [*command]
    parts, decisive = iter(command), []
    for part in parts:
        name, equals, _ = part.partition("=")
        if name not in INDECISIVE:
            decisive.append(part)
        elif INDECISIVE[name] and not equals:
            next(parts, None)
    return decisive
