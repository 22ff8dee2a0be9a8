"""Trials of maps as statistics need them: one row per picture, word, language and network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from paradigms import MapParadigm, Measure
from stimuli.schemas import Source, checked
from toolkit.errors import ToolkitError, quoted
from toolkit.tables.answers import described, name_faults
from toolkit.tables.manifests import read_manifest, sound_table
from toolkit.tables.parquet import parquet_names, told, valid
from toolkit.tables.trials import COLUMNS, with_numbers

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

NAMES = {"word_concept": "concept", "target_id": "picture", "test_language": "language"}
"""What columns of the trials table are called here."""
LABELS = ("paradigm", "condition", "population", "seed", *NAMES)
"""Text columns that are read."""
TOKENS = "tokens_per_word"
"""Column that is there in any case, NaN where tokens were not counted."""
Asked = type[MapParadigm] | MapParadigm
"""A paradigm of maps: it declares the measures, which of them is the primary one, and its model."""


@dataclass(frozen=True)
class Language:
    """What is known about a language beside the answers in it."""

    name: str
    """English name."""
    resource: str
    """``low`` or ``high``; what the words' file says."""


@dataclass(frozen=True)
class AskedLanguage:
    """What a manifest says of a language that was asked."""

    name: str
    """English name."""
    resource: str
    """``low`` or ``high``."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class AskedWords:
    """What a manifest says of the words that were asked."""

    reference: str
    """Code of the language that the others are compared with."""
    languages: Mapping[str, AskedLanguage]
    """Languages by their code."""
    texts: Mapping[str, Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    """What was asked, by template, concept and language."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class GroundedManifest:
    """What a manifest must say for its run to be compared with others."""

    words: AskedWords
    """What was asked."""
    stimuli: Mapping[str, str | None] = field(default_factory=dict)
    """What was shown."""
    further: Mapping[str, Any] = field(default_factory=dict)
    """Whatever else was recorded."""
    rest: ClassVar[str] = "further"


@dataclass(frozen=True)
class Grounded:
    """The trials of some runs of one version of a paradigm of maps."""

    table: pd.DataFrame
    """Columns ``population``, ``seed``, ``condition``, ``language``, ``concept``, ``picture``,
    ``tokens_per_word``, ``pointing`` and the measures that were taken; NaN where undefined."""
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

    def listed(self, measure: Measure) -> list[str]:
        """Languages that a measure is told of: both groups, the reference before them if it can."""
        itself = self.reference in set(self.table["language"].unique()) and not measure.relative
        return [*[self.reference] * itself, *self.group("high"), *self.group("low")]

    def resource(self, code: str) -> str:
        """``high`` or ``low``; ``reference`` for the language that is in neither group."""
        return "reference" if code == self.reference else self.languages[code].resource


@dataclass(frozen=True)
class DeclaredMeasure:
    """What a paradigm declares of a measure, for a table that is read without it."""

    meaning: str
    """See `paradigms.Measure`, as for all others."""
    label: str
    noun: str
    heading: str
    unit: str
    digits: int
    bounds: tuple[float, float]
    chance: float | str | None
    relative: bool
    compared: bool
    primary: bool
    """True for the one that the paradigm's formula models."""

    def named(self, name: str) -> Measure:
        """The measure that was declared under a name."""
        told = {field.name: getattr(self, field.name) for field in fields(self)}
        del told["primary"]
        return Measure(name, **told)


@dataclass(frozen=True)
class Declared:
    """What a paradigm of maps declares."""

    formula: str
    """Its model."""
    measures: Mapping[str, DeclaredMeasure]
    """Its measures by name."""
    primary: str
    """Name of the one that the answers are about."""


def declared_by(asked: Asked) -> Declared:
    """What a paradigm declares of its model and its measures."""
    primary = asked.primary().name
    facts = [field.name for field in fields(DeclaredMeasure) if field.name != "primary"]
    measures = {
        measure.name: DeclaredMeasure(
            **{name: getattr(measure, name) for name in facts}, primary=measure.name == primary
        )
        for measure in asked.all_measures()
    }
    return Declared(asked.formula, measures, primary)


def paradigm_of(path: Path) -> str:
    """Name of the paradigm of a run, or of its trials table; empty if there are no trials."""
    import pyarrow.parquet as pq

    file = sound_table(path)
    with told(file), pq.ParquetFile(file) as parquet:
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

    files = [sound_table(path) for path in paths]
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
    content = read_manifest(path.parent)
    told = checked(GroundedManifest, content, Source(str(path))).words
    if told.reference not in told.languages:
        raise ToolkitError(
            f"{path} cannot be read: words.reference is none of the languages.",
            given=told.reference,
            allowed=", ".join(told.languages),
        )
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
                next_command=f"mevgs-toolkit analyze {quoted(folder)}",
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
                            next_command=f"mevgs-toolkit analyze {quoted(folder)}",
                        )


def _read(file: Path) -> pd.DataFrame:
    import pyarrow.parquet as pq

    parquet_names(file)
    with told(file, "a trials table"):
        schema = pq.read_schema(file)
        needed = (*LABELS, "paradigm_version", "n_choices", "correct")
        # What a paradigm has added are its measures.
        own = set(schema.names) - {column.name for column in COLUMNS}
        wanted = [
            *(name for name in needed if name in schema.names),
            *(name for name in schema.names if name in own and _is_number(schema, name)),
        ]
        table: pd.DataFrame = with_numbers(valid(pq.read_table(file, columns=wanted))).to_pandas()
    missing = [name for name in needed if name not in schema.names]
    if missing:
        raise ToolkitError(f"{file} lacks the column {', '.join(missing)}.")
    if faults := name_faults(table):
        raise ToolkitError(f"{file} is not a trials table:\n  - " + "\n  - ".join(faults))
    if table.empty:
        raise ToolkitError(f"There are no trials in {file}.", allowed="at least one trial")
    return table


def _is_number(schema: pa.Schema, name: str) -> bool:
    import pyarrow as pa

    kind = schema.field(name).type
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _joined(table: pd.DataFrame) -> pd.DataFrame:
    """Columns under the names used here, truth only where there is any, nothing twice."""
    table = table.rename(columns=NAMES)
    for name in ("condition", "population", "seed", "language", "concept", "picture"):
        table[name] = table[name].astype(str).astype("category")
    if TOKENS not in table:
        table[TOKENS] = float("nan")
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
