"""Every rule of the Psych-DS schema, held against a folder.

The rules are those of the schema of version 1.5.0 (https://psychds-docs.readthedocs.io), each under
the code that its validator gives. Errors make a dataset invalid; warnings are advice. Which
properties and types schema.org knows stands in ``schema_org.csv``, for the types that datasets here
are described with; of other types nothing can be told.
"""

from __future__ import annotations

import csv
import functools
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Any, Literal

VERSION = "1.5.0"
"""Version of the schema."""
DESCRIPTION = "dataset_description.json"
"""The file that describes a dataset."""
IGNORE = ".psychds-ignore"
"""The file that says what no rule is held against."""
Level = Literal["error", "warning"]
RULES: dict[str, tuple[Level, str]] = {
    "MISSING_DATASET_DESCRIPTION": ("error", f"{DESCRIPTION} lies in the folder itself"),
    "MISSING_DATA_DIRECTORY": ("error", "there is a folder data"),
    "MISSING_DATAFILE": ("error", "data holds at least one data file"),
    "MISSING_README_DOC": ("warning", "README.md or README.txt lies in the folder itself"),
    "MISSING_CHANGES_DOC": ("warning", "CHANGES.md or CHANGES.txt lies in the folder itself"),
    "MISSING_ANALYSIS_DIRECTORY": ("warning", "there is a folder analysis"),
    "MISSING_RESULTS_DIRECTORY": ("warning", "there is a folder results"),
    "MISSING_MATERIALS_DIRECTORY": ("warning", "there is a folder materials"),
    "MISSING_DOCUMENTATION_DIRECTORY": ("warning", "there is a folder documentation"),
    "MISSING_PSYCHDSIGNORE": ("warning", f"{IGNORE} lies in the folder itself"),
    "MISSING_DIRECTORY_METADATA": ("warning", "file_metadata.json describes a folder of data"),
    "MISSING_SIDECAR_METADATA": ("warning", "a file of its name, .json, describes a data file"),
    "MISSING_REQUIRED_ELEMENT": ("error", "a required part of the dataset is there"),
    "WRONG_METADATA_LOCATION": ("warning", f"{DESCRIPTION} lies nowhere else"),
    "FILE_NOT_READ": ("error", "every file can be read"),
    "FILE_EMPTY": ("warning", "no file is empty"),
    "FILE_NOT_CHECKED": ("warning", "every file is one that Psych-DS knows, or is ignored"),
    "EXTENSION_MISMATCH": ("error", "data files end in .csv or .tsv"),
    "FILENAME_KEYWORD_FORMATTING_ERROR": (
        "error",
        "names of data files are keyword-value pairs joined by _, then _data.csv",
    ),
    "FILENAME_UNOFFICIAL_KEYWORD_WARNING": ("warning", "keywords are those of Psych-DS"),
    "FILENAME_UNOFFICIAL_KEYWORD_ERROR": ("error", "keywords of other files than data are none"),
    "JSON_INVALID": ("error", "files that end in .json are JSON"),
    "JSON_ENCODING_ERROR": ("error", "files that end in .json are UTF-8"),
    "INVALID_JSON_FORMATTING": ("error", "metadata files are JSON"),
    "INVALID_JSONLD_FORMATTING": ("error", "metadata have a @context that JSON-LD allows"),
    "MISSING_DATASET_TYPE": ("error", "metadata have a @type"),
    "INCORRECT_DATASET_TYPE": ("error", "the @type is Dataset, of schema.org"),
    "JSON_KEY_REQUIRED": ("error", "metadata have name, description and variableMeasured"),
    "JSON_KEY_RECOMMENDED": (
        "warning",
        "metadata have author, citation, license, funder, url, identifier, privacyPolicy, keywords",
    ),
    "UNKNOWN_NAMESPACE": ("warning", "properties are of schema.org"),
    "OBJECT_TYPE_MISSING": ("warning", "objects within metadata have a @type"),
    "INVALID_SCHEMAORG_PROPERTY": ("warning", "schema.org has such a property of such a type"),
    "INVALID_OBJECT_TYPE": ("warning", "schema.org allows objects of such a type there"),
    "CSV_HEADER_MISSING": ("error", "data files have a header"),
    "CSV_HEADER_REPEATED": ("error", "no two columns of a data file have one name"),
    "CSV_HEADER_LENGTH_MISMATCH": ("error", "rows have as many fields as the header"),
    "CSV_FORMATTING_ERROR": ("error", "data files are well-formed CSV"),
    "ROWID_VALUES_NOT_UNIQUE": ("error", "a column row_id holds every value once"),
    "CSV_COLUMN_MISSING_FROM_METADATA": ("error", "variableMeasured lists every column"),
    "VARIABLE_MISSING_FROM_CSV_COLUMNS": ("error", "every variable listed is a column"),
}
"""Every rule by its code: how much it weighs, and what it asks for."""
REQUIRED = ("name", "description", "variableMeasured")
RECOMMENDED = (
    "author", "citation", "license", "funder", "url", "identifier", "privacyPolicy", "keywords",
)  # fmt: skip
KEYWORDS = (
    "study", "site", "subject", "session", "task", "condition", "trial", "stimulus", "description",
)  # fmt: skip
"""Keywords of Psych-DS for names of data files."""
FOLDERS = ("analysis", "results", "materials", "documentation")
"""Folders that are advised."""
DATA_NAME = re.compile(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.(csv|tsv)")
_IGNORED = (
    ".git*", "*.DS_Store", ".datalad/", ".reproman/", "sourcedata/", "code/", "stimuli/",
    "materials/", "results/", "products/", "analysis/", "documentation/", "log/",
)  # fmt: skip
"""What is ignored in every dataset."""
_SCHEMA_ORG = frozenset(
    f"{scheme}://{host}schema.org{end}"
    for scheme in ("http", "https")
    for host in ("", "www.")
    for end in ("", "/")
)
_TABLES = (".csv", ".tsv")


@dataclass(frozen=True)
class Issue:
    """A rule that does not hold."""

    code: str
    """Which, see `RULES`."""
    file: str
    """Where, within the dataset; empty for the dataset as a whole."""
    detail: str = ""
    """What is wrong, in a few words."""

    @property
    def level(self) -> Level:
        """``error`` or ``warning``."""
        return RULES[self.code][0]

    def __str__(self) -> str:
        """The rule and where it does not hold."""
        where = f"{self.file}: " if self.file else ""
        what = f" ({self.detail})" if self.detail else ""
        return f"{where}{self.code}, {RULES[self.code][1]}{what}"


@dataclass
class _Dataset:
    """What was found of a dataset on the way."""

    files: dict[str, Path]
    """Files that rules are held against, by their path within."""
    description: dict[str, Any] = field(default_factory=dict)
    measured: set[str] = field(default_factory=set)
    columns: set[str] = field(default_factory=set)


def issues_of(folder: Path) -> list[Issue]:
    """Hold all rules against a folder.

    Args:
        folder: the dataset.

    Returns:
        What does not hold: none where all does.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as made:
        ...     print(issues_of(Path(made))[0])
        MISSING_DATASET_DESCRIPTION, dataset_description.json lies in the folder itself
    """
    every = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() or path.is_symlink()
    }
    ignore = every.get(IGNORE)
    more = ignore.read_text(encoding="utf-8", errors="replace").split() if ignore else []
    known = {name: path for name, path in every.items() if not _is_ignored(name, more)}
    dataset = _Dataset(known)
    found = [*_missing(folder, every)]
    for name, path in known.items():
        found += _of_file(name, path)
    found += _of_metadata(dataset)
    data = [name for name in known if _is_data(name)]
    for name in known:
        if name in data:
            found += _of_data(name, dataset)
        elif name.endswith(_TABLES):
            found += (one for one in _of_table(name, known[name]) if isinstance(one, Issue))
    if not data:
        found.append(Issue("MISSING_DATAFILE", ""))
    strange = sorted(dataset.measured - dataset.columns)
    if strange and data:
        found.append(Issue("VARIABLE_MISSING_FROM_CSV_COLUMNS", DESCRIPTION, ", ".join(strange)))
    if any(code in {one.code for one in found} for code in _REQUIRED_PARTS):
        found.append(Issue("MISSING_REQUIRED_ELEMENT", ""))
    return list(dict.fromkeys(found))


_REQUIRED_PARTS = ("MISSING_DATASET_DESCRIPTION", "MISSING_DATA_DIRECTORY", "MISSING_DATAFILE")


def _is_ignored(name: str, more: Sequence[str]) -> bool:
    parts = PurePosixPath(name).parts
    return any(
        fnmatch(f"{part}/" if place < len(parts) - 1 else part, pattern.lstrip("/"))
        or fnmatch(name, pattern.lstrip("/"))
        for pattern in (*_IGNORED, *more)
        for place, part in enumerate(parts)
    )


def _missing(folder: Path, every: Mapping[str, Path]) -> Iterator[Issue]:
    """What a dataset needs, or should have, and has not."""
    names = {name for name in every if "/" not in name}
    if DESCRIPTION not in names:
        yield Issue("MISSING_DATASET_DESCRIPTION", "")
    if not (folder / "data").is_dir():
        yield Issue("MISSING_DATA_DIRECTORY", "")
    for stem in ("README", "CHANGES"):
        if not names & {f"{stem}.md", f"{stem}.txt"}:
            yield Issue(f"MISSING_{stem}_DOC", "")
    for name in FOLDERS:
        if not (folder / name).is_dir():
            yield Issue(f"MISSING_{name.upper()}_DIRECTORY", "")
    if IGNORE not in names:
        yield Issue("MISSING_PSYCHDSIGNORE", "")
    below = [name for name in every if name.startswith("data/")]
    if not any(PurePosixPath(name).name == "file_metadata.json" for name in below):
        yield Issue("MISSING_DIRECTORY_METADATA", "")
    if not any(name.endswith("_data.json") for name in below):
        yield Issue("MISSING_SIDECAR_METADATA", "")


def _is_data(name: str) -> bool:
    """Whether a file is one of data by its place and the end of its name."""
    return name.startswith("data/") and name.endswith(tuple(f"_data{one}" for one in _TABLES))


def _of_file(name: str, path: Path) -> Iterator[Issue]:
    """What is wrong with a file, whatever it holds."""
    place = PurePosixPath(name)
    try:
        content = path.read_bytes()
    except OSError as error:
        yield Issue("FILE_NOT_READ", name, error.strerror or "")
        return
    if not content:
        yield Issue("FILE_EMPTY", name)
    if place.suffix == ".json":
        try:
            json.loads(content.decode("utf-8"))
        except UnicodeDecodeError as error:
            yield Issue("JSON_ENCODING_ERROR", name, f"byte {error.start}")
        except (ValueError, RecursionError) as error:
            yield Issue("JSON_INVALID", name, str(error))
    at_root = len(place.parts) == 1
    documents = {f"{stem}{end}" for stem in ("README", "CHANGES") for end in (".md", ".txt")}
    if at_root and name in (DESCRIPTION, IGNORE, *documents):
        return
    if place.name == DESCRIPTION:
        yield Issue("WRONG_METADATA_LOCATION", name)
    elif name.startswith("data/") and place.stem.endswith("_data"):
        yield from _of_name(name, place)
    elif not (name.startswith("data/") and place.name == "file_metadata.json"):
        yield Issue("FILE_NOT_CHECKED", name)


def _of_name(name: str, place: PurePosixPath) -> Iterator[Issue]:
    """What is wrong with the name of a data file, or of what describes it."""
    is_sidecar = place.suffix == ".json"
    if place.suffix not in _TABLES and not is_sidecar:
        yield Issue("EXTENSION_MISMATCH", name, place.suffix)
    as_table = place.with_suffix(".csv").name if is_sidecar else place.name
    if place.suffix in (*_TABLES, ".json") and not DATA_NAME.fullmatch(as_table):
        yield Issue("FILENAME_KEYWORD_FORMATTING_ERROR", name)
        return
    used = [pair.partition("-")[0] for pair in place.stem.split("_")[:-1]]
    strange = [keyword for keyword in used if keyword not in KEYWORDS]
    if strange:
        yield Issue("FILENAME_UNOFFICIAL_KEYWORD_WARNING", name, ", ".join(strange))


def _of_metadata(dataset: _Dataset) -> Iterator[Issue]:
    """What is wrong with the description of the dataset as JSON."""
    path = dataset.files.get(DESCRIPTION)
    if path is None:
        return
    try:
        told = json.loads(path.read_bytes().decode("utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        yield Issue("INVALID_JSON_FORMATTING", DESCRIPTION, str(error))
        return
    if not isinstance(told, dict):
        yield Issue("INVALID_JSON_FORMATTING", DESCRIPTION, "it is no object")
        return
    dataset.description = told
    if "@context" not in told:
        yield Issue("INVALID_JSONLD_FORMATTING", DESCRIPTION, "there is no @context")


def _metadata_of(name: str, dataset: _Dataset) -> tuple[dict[str, Any], str]:
    """The metadata of a data file: those of the dataset, of its folders, of its own; the last."""
    place, made, last = PurePosixPath(name), dict(dataset.description), DESCRIPTION
    folders = [parent for parent in reversed(place.parents) if parent.as_posix() != "."]
    for inner in (*(f"{one}/file_metadata.json" for one in folders),
                  place.with_suffix(".json").as_posix()):  # fmt: skip
        if inner in dataset.files:
            try:
                told = json.loads(dataset.files[inner].read_text(encoding="utf-8"))
            except (OSError, ValueError, RecursionError):
                continue  # told as JSON_INVALID
            if isinstance(told, dict):
                made, last = made | told, inner
    return made, last


def _of_data(name: str, dataset: _Dataset) -> Iterator[Issue]:
    """What is wrong with a data file, and with what describes it."""
    columns = None
    for one in _of_table(name, dataset.files[name]):
        if isinstance(one, Issue):
            yield one
        else:
            columns = one
    told, last = _metadata_of(name, dataset)
    dataset.columns |= set(columns or ())
    if not told and DESCRIPTION not in dataset.files:
        return
    # The schema holds the columns and terms of .csv alone against each other.
    faults = list(_of_terms(told, last)) if name.endswith(".csv") else []
    yield from faults
    if any(one.code == "INVALID_JSONLD_FORMATTING" for one in faults):
        return
    measured = _names_measured(told.get("variableMeasured", []))
    dataset.measured |= set(measured)
    lacking = [column for column in columns or () if column not in measured]
    if lacking and name.endswith(".csv"):
        yield Issue("CSV_COLUMN_MISSING_FROM_METADATA", name, ", ".join(lacking))


def _of_table(name: str, path: Path) -> Iterator[Issue | list[str]]:
    """What is wrong with a table as such, and its columns."""
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Issue("CSV_FORMATTING_ERROR", name, f"byte {error.start} is not UTF-8")
        return
    except OSError:
        return  # told as FILE_NOT_READ
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    delimiter = "\t" if name.endswith(".tsv") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        header = next(reader, [])
        if not any(header):
            yield Issue("CSV_HEADER_MISSING", name)
            return
        twice = sorted({one for one in header if header.count(one) > 1})
        if twice:
            yield Issue("CSV_HEADER_REPEATED", name, ", ".join(twice))
        row_ids: list[str] = []
        for row in reader:
            if len(row) != len(header):
                what = f"line {reader.line_num}: {len(row)} instead of {len(header)}"
                yield Issue("CSV_HEADER_LENGTH_MISMATCH", name, what)
            elif "row_id" in header:
                row_ids.append(row[header.index("row_id")])
        if len(set(row_ids)) < len(row_ids):
            yield Issue("ROWID_VALUES_NOT_UNIQUE", name)
    except csv.Error as error:
        yield Issue("CSV_FORMATTING_ERROR", name, f"line {reader.line_num}, {error}")
        return
    yield header


def _names_measured(variables: Any) -> list[str]:
    """Names of the variables that metadata list, as texts or as objects."""
    listed = variables if isinstance(variables, list) else [variables]
    named = (one.get("name", "") if isinstance(one, dict) else one for one in listed)
    return [str(name) for name in named]


def _of_terms(told: Mapping[str, Any], file: str) -> Iterator[Issue]:
    """What is wrong with metadata as terms of schema.org."""
    if "@context" not in told:
        yield Issue("INVALID_JSONLD_FORMATTING", file, "there is no @context")
        return
    context = told["@context"]
    vocabulary = context.get("@vocab") if isinstance(context, dict) else context
    if isinstance(vocabulary, list):
        vocabulary = vocabulary[0] if vocabulary else None
    if not isinstance(context, (str, dict, list)):
        yield Issue("INVALID_JSONLD_FORMATTING", file, "@context is neither text nor object")
        return
    ours = vocabulary in _SCHEMA_ORG
    names = set(told) if ours else {key.rpartition("/")[2] for key in told if _is_term(key)}
    lacking = [name for name in REQUIRED if name not in names]
    if lacking:
        yield Issue("JSON_KEY_REQUIRED", file, ", ".join(lacking))
    lacking = [name for name in RECOMMENDED if name not in names]
    if lacking:
        yield Issue("JSON_KEY_RECOMMENDED", file, ", ".join(lacking))
    kind = told.get("@type", told.get("type"))
    if kind is None:
        yield Issue("MISSING_DATASET_TYPE", file)
    elif _plain(kind) != "Dataset" or not (ours or _is_term(str(kind))):
        yield Issue("INCORRECT_DATASET_TYPE", file, str(kind))
    else:
        yield from _of_object(told, file, "", ours)


def _is_term(key: str) -> bool:
    return key.rpartition("/")[0] in _SCHEMA_ORG


def _plain(kind: Any) -> str:
    """A type without the address of schema.org."""
    first = kind[0] if isinstance(kind, list) and kind else kind
    return str(first).rpartition("/")[2]


def _of_object(told: Mapping[str, Any], file: str, where: str, ours: bool) -> Iterator[Issue]:
    """Properties of an object, and the objects that stand in them."""
    kind = _plain(told.get("@type", told.get("type", "")))
    known = properties_of(kind)
    for key, value in told.items():
        if key.startswith("@") or key == "type":
            continue
        place = f"{where}.{key}" if where else key
        if (":" in key and not _is_term(key)) or (not ours and not _is_term(key)):
            yield Issue("UNKNOWN_NAMESPACE", file, place)
            continue
        name = key.rpartition("/")[2]
        if known is not None and name not in known:
            yield Issue("INVALID_SCHEMAORG_PROPERTY", file, place)
            continue
        for inner in value if isinstance(value, list) else [value]:
            if not isinstance(inner, dict) or set(inner) in ({"@id"}, {"@value"}):
                continue
            own = _plain(inner.get("@type", inner.get("type", "")))
            if not own:
                yield Issue("OBJECT_TYPE_MISSING", file, place)
                continue
            allowed = {*(known or {}).get(name, ()), "Text", "URL"}
            if known is not None and own in parents() and not allowed & set(line_of(own)):
                yield Issue("INVALID_OBJECT_TYPE", file, f"{place} is {own}")
            yield from _of_object(inner, file, place, ours)


@functools.cache
def _schema_org() -> tuple[dict[str, str], dict[str, dict[str, tuple[str, ...]]]]:
    """Parents of types, and what their own properties may hold."""
    above: dict[str, str] = {}
    own: dict[str, dict[str, tuple[str, ...]]] = {}
    with Path(__file__).with_name("schema_org.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            above[row["type"]] = row["parent"]
            properties = own.setdefault(row["type"], {})
            if row["property"]:
                properties[row["property"]] = tuple(row["values"].split())
    return above, own


def parents() -> dict[str, str]:
    """The type that each known type is a kind of; empty for the first."""
    return _schema_org()[0]


def line_of(kind: str) -> Iterator[str]:
    """A type and all that it is a kind of.

    Args:
        kind: a type of schema.org.

    Example:
        >>> list(line_of("Dataset"))
        ['Dataset', 'CreativeWork', 'Thing']
    """
    while kind:
        yield kind
        kind = parents().get(kind, "")


def properties_of(kind: str) -> dict[str, tuple[str, ...]] | None:
    """What each property of a type may hold; None for a type that is not known here.

    Args:
        kind: a type of schema.org.

    Example:
        >>> properties_of("Dataset")["variableMeasured"], properties_of("Recipe")
        (('PropertyValue', 'Text'), None)
    """
    if kind not in parents():
        return None
    made: dict[str, tuple[str, ...]] = {}
    for one in line_of(kind):
        made = _schema_org()[1][one] | made
    return made
