"""Trials of dense grounding as statistics need them: one row per picture, word and network."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.answers import described
from toolkit.errors import ToolkitError

if TYPE_CHECKING:
    import pandas as pd

PRIMARY = "iou_cluster"
"""The measure the answers are about, fixed in advance; the others are shown beside it."""
MEASURES = {
    PRIMARY: "overlap of cluster masks",
    "iou_p90": "overlap of the highest 10 %",
    "iou_p95": "overlap of the highest 5 %",
    "iou_p99": "overlap of the highest 1 %",
    "iou_t15": "overlap above a similarity of .15",
    "iou_t20": "overlap above a similarity of .20",
    "iou_t25": "overlap above a similarity of .25",
    "spearman": "rank correlation of the maps",
    "pearson": "correlation of the maps",
    "peak_ratio": "highest similarity over that of the reference",
    "centre_distance_px": "distance of cluster centres (pixels)",
    "iou_true": "overlap with the true mask",
    "pointing": "highest point inside the true mask",
}
"""Measures that are compared between languages; a missing column is a missing measure."""
BOUNDS = {
    **{name: (0.0, 1.0) for name in MEASURES if name.startswith("iou_")},
    **dict.fromkeys(("spearman", "pearson"), (-1.0, 1.0)),
    "centre_distance_px": (0.0, math.inf),
    "pointing": (0.0, 1.0),
}
"""What a measure cannot leave; others can be anything."""
NAMES = {"word_concept": "concept", "target_id": "picture", "test_language": "language"}
"""What columns of the trials table are called here."""
LABELS = ("paradigm", "condition", "population", "seed", *NAMES)
"""Text columns that are read."""
NUMBERS = (
    *("paradigm_version", "n_choices", "correct", "tokens_per_word", "mask_share"),
    *(name for name in MEASURES if name != "pointing"),
)
"""Columns of numbers that are read where they are there."""


def span(measure: str) -> float:
    """The largest difference that two values of a measure can have.

    Example:
        >>> span("iou_cluster"), span("spearman"), span("peak_ratio")
        (1.0, 2.0, inf)
    """
    low, high = BOUNDS.get(measure, (-math.inf, math.inf))
    return high - low


@dataclass(frozen=True)
class Language:
    """What is known about a language beside the answers in it."""

    name: str
    """English name."""
    resource: str
    """``low`` or ``high``; what the words' file says."""


@dataclass(frozen=True)
class Grounded:
    """The trials of some runs of one version of dense grounding."""

    table: pd.DataFrame
    """Columns ``population``, ``seed``, ``condition``, ``language``, ``concept``, ``picture``,
    ``tokens_per_word``, ``mask_share`` and the `MEASURES` that were taken; NaN where undefined."""
    reference: str
    """Language that all others are held against; it is in neither group."""
    languages: Mapping[str, Language]
    """All languages by code."""
    version: int
    """Version of the paradigm."""

    def group(self, resource: str) -> list[str]:
        """Languages of one kind in the table, in the order of the words' file."""
        present = set(self.table["language"].unique())
        return [
            code
            for code, language in self.languages.items()
            if language.resource == resource and code != self.reference and code in present
        ]


def is_grounding(path: Path) -> bool:
    """True for a run (or its trials table) that holds maps and not choices."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    file = path / "trials.parquet" if path.is_dir() else path
    try:
        return PRIMARY in pq.read_schema(file).names
    except (OSError, pa.ArrowInvalid):
        return False


def paradigm_of(path: Path) -> str:
    """Name of the paradigm of a run, or of its trials table; empty if there are no trials."""
    import pyarrow.parquet as pq

    file = path / "trials.parquet" if path.is_dir() else path
    with pq.ParquetFile(file) as parquet:
        for batch in parquet.iter_batches(1, columns=["paradigm"]):
            return str(batch.column(0)[0].as_py())
    return ""


def read_grounding(paths: Sequence[Path]) -> Grounded:
    """Read the trials of some runs and what their manifests say about the languages.

    Args:
        paths: run folders, or trials tables that lie beside their ``manifest.json``.

    Raises:
        ToolkitError: if a manifest says nothing about the words, manifests disagree about the
            languages, the pictures or the text of a word, versions are mixed, or a subject and test
            stand in two of the runs.
    """
    import pandas as pd

    files = [path / "trials.parquet" if path.is_dir() else path for path in paths]
    manifests = {file.parent: _manifest(file.parent / "manifest.json") for file in files}
    _one_set(manifests)
    _one_text(manifests)
    parts, known, reference = [], dict[str, Language](), ""
    for file in files:
        told = manifests[file.parent]["words"]
        if reference and told["reference"] != reference:
            raise ToolkitError(
                "The runs have different languages of reference, so their maps cannot be compared.",
                given=f"{reference} and {told['reference']}",
            )
        reference = str(told["reference"])
        for code, about in told["languages"].items():
            language = Language(str(about["name"]), str(about["resource"]))
            if known.setdefault(code, language).resource != language.resource:
                raise ToolkitError(
                    f"The runs disagree about the language {code}.",
                    given=f"{known[code].resource} and {language.resource} resource",
                )
        parts.append(_read(file))
    table = _joined(pd.concat(parts, ignore_index=True))
    versions = sorted(table.pop("paradigm_version").unique())
    if len(versions) > 1:
        raise ToolkitError(
            f"The runs hold versions {', '.join(map(str, versions))} of the paradigm.",
            allowed="one version: trials of different versions are never pooled",
        )
    return Grounded(table, reference, known, int(versions[0]))


def _manifest(path: Path) -> Mapping[str, Any]:
    """A manifest that says which languages were asked."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        words = content["words"]
        complete = words["reference"] in words["languages"] and all(
            {"name", "resource"} <= set(about) for about in words["languages"].values()
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ToolkitError(
            f"{path} does not say which languages were asked, so they cannot be compared.",
            allowed="the folder that run-paradigm made, with its manifest",
        ) from error
    if not complete:
        raise ToolkitError(f"{path} lacks the name or the resource of a language.")
    return dict(content)


def _one_set(manifests: Mapping[Path, Mapping[str, Any]]) -> None:
    """Refuse runs whose pictures are not the same, although their names may be."""
    first: tuple[Path, Mapping[str, Any]] | None = None
    for folder, manifest in manifests.items():
        shown = manifest.get("stimuli", {})
        if not shown.get("checksum"):
            continue
        if first is None:
            first = folder, shown
        elif shown["checksum"] != first[1]["checksum"]:
            given = (
                f"{run}: {own.get('name', 'a set')} version {own.get('version', 'unknown')}, "
                f"checksum {own['checksum'][:12]}"
                + (f", from {own['folder']}" if own.get("folder") else "")
                for run, own in (first, (folder, shown))
            )
            raise ToolkitError(
                "The runs were shown different stimulus sets, so pictures of one name need not be "
                "the same picture and the runs cannot be compared.",
                given="; ".join(given),
                allowed="runs on the same set: the same files with the same checksum",
                next_command=f"mevgs-toolkit analyze {folder}",
            )


def _one_text(manifests: Mapping[Path, Mapping[str, Any]]) -> None:
    """Refuse runs that asked for a concept in other words; runs that kept no texts pass."""
    seen: dict[tuple[str, str, str], tuple[Path, str]] = {}
    for folder, manifest in manifests.items():
        for template, concepts in manifest["words"].get("texts", {}).items():
            for concept, texts in concepts.items():
                for code, text in texts.items():
                    other, known = seen.setdefault((template, concept, code), (folder, text))
                    if known != text:
                        raise ToolkitError(
                            f"The runs asked for {concept} in the language {code} (template "
                            f"{template}) in different words, so they cannot be compared.",
                            given=f"{known!r} in {other}; {text!r} in {folder}",
                            allowed="runs with the same words file",
                            next_command=f"mevgs-toolkit analyze {folder}",
                        )


def _read(file: Path) -> pd.DataFrame:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        present = set(pq.read_schema(file).names)
        wanted = [name for name in (*LABELS, *NUMBERS) if name in present]
        table: pd.DataFrame = pq.read_table(file, columns=wanted).to_pandas()
    except (OSError, pa.ArrowInvalid) as error:
        raise ToolkitError(f"{file} cannot be read as a trials table: {error}.") from error
    missing = [name for name in (*LABELS, "paradigm_version", PRIMARY) if name not in present]
    if missing:
        raise ToolkitError(f"{file} lacks the column {', '.join(missing)}.")
    if table.empty:
        raise ToolkitError(f"There are no trials in {file}.", allowed="at least one trial")
    return table


def _joined(table: pd.DataFrame) -> pd.DataFrame:
    """Columns under the names used here, truth only where there is any, nothing twice."""
    table = table.rename(columns=NAMES)
    for name in ("condition", "population", "seed", "language", "concept", "picture"):
        table[name] = table[name].astype(str).astype("category")
    for name in ("mask_share", "tokens_per_word"):
        if name not in table:
            table[name] = float("nan")
    key = ["population", "seed", "condition", "language", "concept", "picture"]
    twice = table.duplicated(key)
    if twice.any():
        raise ToolkitError(
            "The same picture, word and subject stand twice in the runs: "
            f"{described({name: table.loc[twice, name].iloc[0] for name in key})}.",
            allowed="every run once",
        )
    # Without a true mask there is one choice, and a wrong answer means nothing.
    table["pointing"] = table.pop("correct").where(table.pop("n_choices") > 1).astype(float)
    return table.drop(columns="paradigm")
