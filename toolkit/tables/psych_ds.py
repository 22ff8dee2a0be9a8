"""Tables of trials as Psych-DS datasets, with all that is needed to read them back unchanged."""

from __future__ import annotations

import csv
import itertools
import json
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from stimuli.cells import guarded_table
from stimuli.texts import read_json
from stimuli.wording import count
from toolkit.errors import ToolkitError, quoted
from toolkit.provenance import package_version
from toolkit.tables.delimited import read_delimited
from toolkit.tables.longtable import MEANINGS
from toolkit.tables.psych_ds_rules import DESCRIPTION, IGNORE, VERSION, issues_of

if TYPE_CHECKING:
    import pandas as pd

TRIALS = "trials"
"""What the main data file of a dataset is called behind ``description-``."""
XSD = "https://www.w3.org/2001/XMLSchema#"
"""Address of the types of values that a dataset's variables name."""
TYPES = {
    "category": "token", "bool": "boolean", "int8": "byte", "int16": "short", "int32": "int",
    "int64": "long", "uint8": "unsignedByte", "uint16": "unsignedShort", "uint32": "unsignedInt",
    "uint64": "unsignedLong", "float32": "float", "float64": "double",
}  # fmt: skip
"""Types of XML Schema by ours; everything else is ``string``."""
UNITS = {"_s": "s", "_months": "months", "_px": "px", "_percent": "per cent"}
"""Units that the ends of names of columns tell."""
MOST_LEVELS = 30
"""Different names of a column up to which they are listed in the dictionary."""
GAPS = ("", "NA", "missing")
"""What may stand for a missing name: the first that is no name itself."""
_GAP = "missing value"


@dataclass(frozen=True, kw_only=True)
class About:
    """What a dataset says of itself besides its columns."""

    title: str
    """What it is called."""
    description: str
    """What it holds, in a sentence or two."""
    study: str = "trials"
    """What names of data files begin with; letters and digits are kept."""
    authors: Sequence[str] = ()
    """Who collected the data."""
    licence: str = ""
    """Under which conditions they may be used; empty where nothing was decided."""
    cites: Sequence[str] = ()
    """What to cite besides."""
    materials: Mapping[str, bytes] = field(default_factory=dict)
    """Files for the folder ``materials``, by name."""


@dataclass(frozen=True)
class Dataset:
    """A dataset that was read."""

    trials: pd.DataFrame
    """The table that was written."""
    further: Mapping[str, pd.DataFrame]
    """Other tables by name, such as ``sessions``."""
    meanings: Mapping[str, str]
    """What columns mean."""
    description: Mapping[str, Any]
    """``dataset_description.json``."""


def write_dataset(
    table: pd.DataFrame,
    folder: Path,
    about: About,
    meanings: Mapping[str, str] | None = None,
    further: Mapping[str, pd.DataFrame] | None = None,
) -> None:
    """Write a table as a Psych-DS dataset, whole or not at all.

    The folder holds ``dataset_description.json`` with a dictionary of all columns, ``data`` with
    one CSV file per table, README, CHANGES, CITATION.cff, and what is given as materials. What was
    written is held against every rule of Psych-DS before it bears its name.

    Args:
        table: any table of trials.
        folder: what to write; it must not be there, or be empty.
        about: what it says of itself.
        meanings: what columns mean that the toolkit does not know.
        further: other tables, by a name of letters and digits.

    Raises:
        ToolkitError: the folder holds something, or a rule of Psych-DS would be broken.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ToolkitError(
            f"{folder} holds something already.",
            given=str(folder),
            allowed="a folder that is not there yet, or an empty one",
            next_command=f"--out {quoted(folder.with_name(folder.name + '-2'))}",
        )
    tables = {TRIALS: table, **(further or {})}
    unfinished = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}")
    try:
        (unfinished / "data").mkdir(parents=True)
        variables = _dictionary(tables, meanings or {})
        for name, own in tables.items():
            file = f"study-{_letters(about.study)}_description-{_letters(name)}_data.csv"
            guarded_table(_cells(own, variables)).to_csv(
                unfinished / "data" / file, index=False, quoting=csv.QUOTE_NONNUMERIC
            )
        _write_texts(unfinished, about, list(variables.values()), tables)
        broken = [issue for issue in issues_of(unfinished) if issue.level == "error"]
        if broken:
            raise ToolkitError(
                "The table cannot be written as Psych-DS:\n  - " + "\n  - ".join(map(str, broken))
            )
        if folder.exists():
            folder.rmdir()
        unfinished.replace(folder)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _dictionary(
    tables: Mapping[str, pd.DataFrame], meanings: Mapping[str, str]
) -> dict[str, dict[str, Any]]:
    """What every column holds; Psych-DS has one dictionary for all data files.

    Raises:
        ToolkitError: a column holds different kinds of values in two tables.
    """
    import pandas as pd

    made: dict[str, dict[str, Any]] = {}
    for name in dict.fromkeys(str(one) for table in tables.values() for one in table.columns):
        columns = [table[name] for table in tables.values() if name in table]
        kinds = {TYPES.get(str(column.dtype), "string") for column in columns}
        if len(kinds) > 1:
            raise ToolkitError(
                f"The column {name} has different kinds of values in two tables of the dataset.",
                given=" and ".join(sorted(kinds)),
            )
        kind = kinds.pop()
        told: dict[str, Any] = {
            "@type": "PropertyValue",
            "name": name,
            "description": meanings.get(name) or MEANINGS.get(name) or f"column {name}",
            "additionalType": f"{XSD}{kind}",
        }
        unit = next((unit for end, unit in UNITS.items() if name.endswith(end)), None)
        if unit is not None:
            told["unitText"] = unit
        if kind in ("token", "string"):
            names = {str(one) for column in columns for one in pd.unique(column.dropna())}
            if any(column.isna().any() for column in columns):
                gaps = itertools.chain(GAPS, (f"missing {n}" for n in itertools.count(1)))
                gap = next(one for one in gaps if one not in names)
                told["valueReference"] = {"@type": "PropertyValue", "name": _GAP, "value": gap}
            if kind == "token" and 0 < len(names) <= MOST_LEVELS:
                told["value"] = sorted(names)
        made[name] = told
    return made


def _cells(table: pd.DataFrame, variables: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A table as it is written: what is missing stands for itself, as the dictionary says."""
    import pandas as pd

    made = {}
    for name in map(str, table.columns):
        column, variable = table[name], variables[name]
        if str(variable["additionalType"]).removeprefix(XSD) in ("token", "string"):
            gap = variable.get("valueReference", {}).get("value", "")
            column = column.astype(object).where(column.notna(), gap).map(str)
        made[name] = column
    return pd.DataFrame(made, index=table.index)


def _letters(text: str) -> str:
    """What may stand in a name of a data file."""
    return "".join(one for one in text if one.isascii() and one.isalnum()) or "none"


def _write_texts(
    folder: Path,
    about: About,
    variables: Sequence[Mapping[str, Any]],
    tables: Mapping[str, pd.DataFrame],
) -> None:
    version = package_version("mevgs-toolkit") or "not installed"
    description: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": about.title,
        "description": about.description,
        "schemaVersion": f"Psych-DS {VERSION}",
        "variableMeasured": list(variables),
        "citation": "CITATION.cff",
        "keywords": ["mutual exclusivity", "word learning", "child language", about.study],
        "isBasedOn": {
            "@type": "SoftwareApplication", "name": "mevgs-toolkit", "softwareVersion": version,
        },
    }  # fmt: skip
    if about.authors:
        description["author"] = [{"@type": "Person", "name": name} for name in about.authors]
    if about.licence:
        description["license"] = about.licence
    for name, text in {
        DESCRIPTION: json.dumps(description, indent=2, ensure_ascii=False) + "\n",
        "README.md": _readme(about, variables, tables),
        "CHANGES.md": f"# Changes\n\n- 1: as mevgs-toolkit {version} wrote it.\n",
        "CITATION.cff": _citation(about),
        IGNORE: "CITATION.cff\n*.sha256\n",
    }.items():
        (folder / name).write_text(text, encoding="utf-8", newline="\n")
    for name, content in about.materials.items():
        (folder / "materials").mkdir(exist_ok=True)
        (folder / "materials" / name).write_bytes(content)


def _readme(
    about: About,
    variables: Sequence[Mapping[str, Any]],
    tables: Mapping[str, pd.DataFrame],
) -> str:
    lines = [f"# {about.title}", "", about.description, "", "## Files", ""]
    for name, table in tables.items():
        file = f"data/study-{_letters(about.study)}_description-{_letters(name)}_data.csv"
        lines.append(
            f"- `{file}`: {count(len(table), 'row')}, {count(len(table.columns), 'column')}"
        )
    lines += [f"- `materials/{name}`" for name in about.materials]
    lines += [
        "- `dataset_description.json`: every column with its meaning, type and unit (Psych-DS "
        f"{VERSION})",
        "- `CITATION.cff`: how to cite the data",
        "",
        "Tables are CSV in UTF-8 with decimal points. Text that a spreadsheet would take for a "
        "formula (= + - @) has an apostrophe in front. A row of the trials table is told from all "
        "others by population, seed (the participant), test_language, condition, trial_seed and "
        "trial, as far as these are columns.",
        "",
        "Back into the toolkit: `mevgs-toolkit import-trials FOLDER --out trials.parquet`",
        "",
        "Before the data are shared: names of participants and ages may identify a child. Look at "
        "them, and at what was consented to.",
        "",
        "## Columns",
        "",
        "| column | meaning | unit |",
        "| --- | --- | --- |",
    ]
    for one in variables:
        meaning = str(one["description"]).replace("|", "\\|").replace("\n", " ")
        lines.append(f"| `{one['name']}` | {meaning} | {one.get('unitText', '')} |")
    if about.cites:
        lines += ["", "## What to cite besides", "", *(f"- {one}" for one in about.cites)]
    return "\n".join(lines) + "\n"


def _citation(about: About) -> str:
    """A citation file; texts are written as JSON writes them, which YAML reads."""

    def text(value: str) -> str:
        return json.dumps(value, ensure_ascii=False)

    authors = about.authors or [f"The authors of {about.title}"]
    lines = [
        "cff-version: 1.2.0",
        'message: "If you use these data, please cite them and what they stand on."',
        "type: dataset",
        f"title: {text(about.title)}",
        f"abstract: {text(about.description)}",
        "authors:",
        *(f"  - name: {text(name)}" for name in authors),
    ]
    if about.licence:
        lines.append(f"license: {text(about.licence)}")
    references = [text(one) for one in (*about.cites, "mevgs-toolkit")]
    lines.append("references:")
    for one in references:
        lines += ["  - type: generic", f"    title: {one}", "    authors:",
                  '      - name: "see title"']  # fmt: skip
    return "\n".join(lines) + "\n"


def is_dataset(path: Path) -> bool:
    """Whether a folder is a Psych-DS dataset, whole or not.

    Args:
        path: a folder, or anything else.

    Example:
        >>> is_dataset(Path("no/such/folder"))
        False
    """
    return (path / DESCRIPTION).is_file()


def read_dataset(folder: Path) -> Dataset:
    """Read a dataset that `write_dataset` wrote: the same tables, types included.

    Args:
        folder: the dataset.

    Raises:
        ToolkitError: a rule of Psych-DS is broken, naming each; or the dataset was written
            elsewhere, so that nothing says of what types its columns are.
    """
    if not is_dataset(folder):
        raise ToolkitError(
            f"{folder} is no Psych-DS dataset: it has no {DESCRIPTION}.",
            allowed=f"a folder with {DESCRIPTION} and data",
            next_command=f"ls {quoted(folder)}",
        )
    broken = [issue for issue in issues_of(folder) if issue.level == "error"]
    if broken:
        raise ToolkitError(
            f"{folder} breaks rules of Psych-DS {VERSION}:\n  - " + "\n  - ".join(map(str, broken)),
            next_command="mend the folder, or export it again",
        )
    told = read_json(folder / DESCRIPTION)
    listed = told["variableMeasured"]
    variables = {
        str(one["name"]): one
        for one in (listed if isinstance(listed, list) else [listed])
        if isinstance(one, dict) and str(one.get("additionalType", "")).startswith(XSD)
    }
    files = sorted((folder / "data").rglob("*_data.csv"))
    named = {file.stem.split("_description-")[-1].partition("_")[0]: file for file in files}
    if TRIALS not in named or len(variables) < len(listed):
        raise ToolkitError(
            f"{folder} was not written by this toolkit: nothing says which of its tables holds "
            "trials, and of what types its columns are.",
            given=", ".join(file.name for file in files[:3]),
            allowed="a dataset of export --format psych-ds",
            next_command=f"mevgs-toolkit import-trials {quoted(files[0])} -o trials.parquet "
            "--columns seed=COLUMN,...",
        )
    tables = {name: _typed(file, variables) for name, file in named.items()}
    meanings = {name: str(one.get("description", "")) for name, one in variables.items()}
    return Dataset(tables.pop(TRIALS), tables, meanings, told)


def _typed(file: Path, variables: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """A data file with the types that its dictionary names."""
    import pandas as pd

    text, _ = read_delimited(file)
    kinds = {kind: ours for ours, kind in TYPES.items()}
    made: dict[str, Any] = {}
    for name in map(str, text.columns):
        variable, values = variables[name], text[name]
        kind = kinds.get(str(variable["additionalType"]).removeprefix(XSD), "str")
        try:
            made[name] = _column(values, kind, variable)
        except (ValueError, KeyError, OverflowError) as error:
            raise ToolkitError(
                f"{file}: column {name} does not hold what {DESCRIPTION} says ({kind}).",
                given=str(error),
            ) from error
    return pd.DataFrame(made)


def _column(values: pd.Series, kind: str, variable: Mapping[str, Any]) -> Any:
    """Values of a column as what they were before they were written."""
    import pandas as pd

    if kind in ("category", "str"):
        gap = variable.get("valueReference")
        if isinstance(gap, dict) and gap.get("name") == _GAP:
            values = values.mask(values == gap["value"])
        return values.astype("category") if kind == "category" else values
    if kind == "bool":
        return values.map({"True": True, "False": False}.__getitem__).astype(bool)
    if kind.startswith("float"):
        # Python's own reading is exact to the last digit.
        numbers = [float(value) if value else np.nan for value in values]
        return pd.Series(np.array(numbers, dtype=kind), index=values.index)
    return pd.Series(np.array([int(value) for value in values], dtype=kind), index=values.index)
