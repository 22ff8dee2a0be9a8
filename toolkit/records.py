"""Results as JSON, and back: one way to write frozen records, one way to read them.

`write` and `read` are each other's inverse for records whose classes are schemas, see
`stimuli.schemas`. JSON has no word for numbers that do not exist or have no end: NaN is written as
null, infinity as "inf". A field that may be None holds no NaN, since both are null.

All kinds of files that are read, by the record or table that says what is in them:

==========================  =====================================  ================================
file                        schema                                 read, and written where it is
==========================  =====================================  ================================
``statistics.json``         ``Result`` of each kind of paradigms   `toolkit.statistics.saved`
``summary.json``            `toolkit.statistics.means.Summary`     `toolkit.statistics.saved`
``manifest.json``           `toolkit.tables.recorded.Recorded`;    `toolkit.statistics.saved`,
                            of any run `manifests.Manifest`        `toolkit.tables.manifests`
a run's words of maps       ``GroundedManifest``                   `toolkit.statistics.maps.data`
fits to plan from           ``PlannedFit``                         `toolkit.statistics.power`
``exhaustive.json``         `statistics.choices.exact`             written only
``population.toml``         `subjects.population.Description`      `toolkit.subjects.population`
``config.json``             `subjects.vgs.config`:                 `toolkit.subjects.vgs.config`
                            ``PopulationConfig``
the embedded CLIP's         ``DrawingConfig``                      `toolkit.subjects.clip.drawings`
a backbone's                ``SeeingConfig``, ``HearingConfig``,   `toolkit.subjects.backbones`
                            ``Preprocess``, ``Extractor``, those
                            of timm's and transformers' own
grid files                  `training.grid.GridFile`               `toolkit.training.grid`
``set.toml``                `stimuli.writing.Settings`             `stimuli.finding`
``words.toml``              `stimuli.wordlists`, in words          `stimuli.wordlists`
``page.LANG.json``          `children.exporting.words.Words`       `toolkit.children.exporting`
``stimuli.csv``,            `stimuli.columns`, `stimuli.objects`,  `stimuli.tables`
``objects.csv``,            `stimuli.fixed`
``trials.csv``
published file lists        ``check_entry``                        `stimuli.published`
``trials.parquet``          `toolkit.tables.trials.COLUMNS`        `toolkit.tables`
tables from elsewhere       `toolkit.tables.longtable.REQUIRED`    `toolkit.tables.longtable`
children's ``design.json``   `toolkit.children.columns`             `toolkit.children.responses`
Psych-DS datasets           `tables.psych_ds_rules.RULES`          `toolkit.tables.psych_ds`
banks of features           `training.features.BankTables`         `toolkit.training.features`
states of trainings, .pt    `training.fit.State`                   `toolkit.training.checkpoint`
published weights, .pt      shapes of the network                  `subjects.vgs.checkpoints`
weights, safetensors        shapes of the network                  `toolkit.subjects.vgs.subject`
features, HDF5              `subjects.backbones.stored`            `toolkit.subjects.backbones`
==========================  =====================================  ================================
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any, TypeVar

import numpy as np

from stimuli.characters import json_shown
from stimuli.fields import spelt
from stimuli.schemas import DERIVED, NUMBERS, REST, Source, checked
from stimuli.texts import parse_json

T = TypeVar("T")
PARTS_AT_ONCE = 1 << 14
"""Texts, numbers and brackets of JSON that are put together at a time."""
INFINITE = {number: text for text, number in NUMBERS.items()}
"""How infinities are written."""


def plain(value: Any) -> Any:
    """Records, tables and numbers as what JSON knows: dictionaries, lists, texts, null.

    Args:
        value: dataclasses, mappings, sequences, data frames (as lists of rows), numpy values.

    Example:
        >>> plain({"a": float("nan"), "b": (1, np.float64(0.5)), "df": math.inf})
        {'a': None, 'b': [1, 0.5], 'df': 'inf'}
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return None if math.isnan(value) else INFINITE.get(value, float(value))
    if isinstance(value, np.generic):
        return plain(value.item())
    if is_dataclass(value) and not isinstance(value, type):
        return _written(value)
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, np.ndarray)):
        return [plain(item) for item in value]
    if hasattr(value, "itertuples"):
        names = [str(name) for name in value]
        rows = value.itertuples(index=False, name=None)
        return [dict(zip(names, map(plain, row), strict=True)) for row in rows]
    raise TypeError(f"JSON cannot hold {value!r}.")


def _written(record: Any) -> dict[str, Any]:
    made: dict[str, Any] = {}
    rest = getattr(record, REST, None)
    for name in (*(field.name for field in fields(record)), *getattr(record, DERIVED, ())):
        value = plain(getattr(record, name))
        made |= value if name == rest else {spelt(name): value}
    return made


def pieces(value: Any) -> Iterator[str]:
    """The same as `write` in pieces, which are held one after the other.

    Args:
        value: as for `plain`.

    Example:
        >>> "".join(pieces([1])) == write([1])
        True
    """
    encoder = json.JSONEncoder(indent=2, ensure_ascii=False, allow_nan=False)
    parts = encoder.iterencode(plain(value))
    while some := "".join(islice(parts, PARTS_AT_ONCE)):
        yield json_shown(some)
    yield "\n"


def write(value: Any) -> str:
    """A record as JSON text, which ends with a line break.

    Example:
        >>> write(Source("statistics.json", text="")).split()[:5]
        ['{', '"name":', '"statistics.json",', '"again":', 'null,']
    """
    return "".join(pieces(value))


def read(kind: type[T], text: str, source: Source) -> T:
    """A record from JSON text that `write` wrote.

    Args:
        kind: its class.
        text: the text.
        source: where the text comes from.

    Raises:
        ToolkitError: the text is no JSON, or something in it is lacking, unknown or of another
            type; names the place.

    Example:
        >>> read(Source, '{"name": "a.json", "again": null}', Source("b.json")).name
        'a.json'
        >>> read(Source, '{"name": 1}', Source("b.json", "mevgs-toolkit analyze RUN"))
        Traceback (most recent call last):
            ...
        stimuli.errors.ToolkitError: b.json cannot be read: name is of the wrong type.
          given: 1
          allowed: text
          try: mevgs-toolkit analyze RUN
    """
    return checked(kind, parse_json(text, source), source)
