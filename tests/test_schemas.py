"""Every kind of JSON and TOML file with every kind of fault: one clear error, whoever reads it.

A schema is covered by adding its file to `FILES`. Which values a field may have is told by its
type here as well, in words of this module's own: what the schemas let through is held against it.
"""

from __future__ import annotations

import copy
import json
import math
import re
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, asdict, dataclass, fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pandas as pd
import pytest

from stimuli.finding import open_set
from stimuli.limits import NESTING, TEXT_BYTES
from stimuli.schemas import Source, checked
from stimuli.texts import json_record, read_toml, toml_record, write_toml
from stimuli.writing import Settings
from tests.toolkit.statistics.random_grounding import grounding
from tests.toolkit.statistics.random_results import chance_family, comparisons, condition_family
from toolkit.children.exporting.words import GIVEN, Words
from toolkit.errors import ToolkitError
from toolkit.records import plain
from toolkit.statistics.choices.gates import GateReport
from toolkit.statistics.choices.kinds_beside import KindComparison, KindContrast
from toolkit.statistics.choices.results import Analysis
from toolkit.statistics.choices.trends import LevelMean, TrendTest
from toolkit.statistics.maps.results import GroundingAnalysis
from toolkit.statistics.means import SeedMean, Summary
from toolkit.statistics.saved import saved_manifest, saved_results, saved_summary
from toolkit.statistics.settings import Settings as Choices
from toolkit.studies.file import StudyFile
from toolkit.subjects.backbones.ears import (
    Extractor,
    PatchExtractor,
    Preprocess,
    WhisperExtractor,
)
from toolkit.subjects.backbones.hearing import HearingConfig
from toolkit.subjects.backbones.patches import PatchConfig, PatchPreprocess, Processor
from toolkit.subjects.backbones.timm_settings import (
    FlatHubConfig,
    HubConfig,
    SeeingConfig,
    read_settings,
)
from toolkit.subjects.clip.drawings import DrawingConfig
from toolkit.subjects.population import WEIGHTS, Description, read_population, write_description
from toolkit.subjects.vgs.config import PopulationConfig, read_config
from toolkit.tables.recorded import (
    Git,
    Machine,
    Recorded,
    RecordedConfig,
    RecordedEnergy,
    RecordedParadigm,
    RecordedPopulation,
    RecordedSet,
    RecordedWords,
)
from toolkit.training.grid import GridFile, read_grid

TELLING = ("paradigm_kind", "schema", "paradigm", "pretrained_cfg", "input_size")
"""Keys that tell which of several schemas a file is held against."""
Steps = tuple[str | int, ...]
"""A place in the content of a file."""


@dataclass(frozen=True)
class File:
    """A kind of file: what it is called, its schema, content that fits, who reads it."""

    name: str
    kind: Any
    content: Callable[[], Any]
    read: Callable[[Path], Any]
    within: Steps = ()
    """Where in the file the record stands."""

    @property
    def is_toml(self) -> bool:
        return self.name.endswith(".toml")


def shipped(name: str) -> Callable[[], Any]:
    return lambda: json.loads((WEIGHTS / name).read_text("utf-8"))


def analysis() -> dict[str, Any]:
    rng = np.random.default_rng(0)
    table = pd.DataFrame({"word": ["dax", "wug"], "share": [0.5, math.nan]})
    made = Analysis(
        engine="glmm 0", paradigm="me", paradigm_version=2, question="?", settings=Choices(),
        gate=GateReport("", 0.5, 0, ()), words=table, words_by_distractor=table, consistency=table,
        lists=table, draws=table, trends_all_seeds=(),
        chance=tuple(chance_family(rng)[:2]),
        groups=tuple(comparisons(rng)[:2]),
        conditions=tuple(condition_family(rng)[:2]), chance_all_seeds=(), conditions_all_seeds=(),
        groups_all_seeds=(), trends=(trend(rng),),
        kinds=(
            KindComparison(
                "child", "p", "en", "trials", 2, 2, (3, 3), (6, 6),
                contrasts=(KindContrast("c", (0.5, 0.5)),),
            ),
        ),
    )  # fmt: skip
    return {"me": plain(made)}


def trend(rng: np.random.Generator) -> TrendTest:
    own = condition_family(rng)[0]
    return TrendTest(
        population="p", test_language="en", factor="features changed", unit_of_level="feature",
        question="?", levels=(LevelMean(0.0, 0.9, 20, 2), LevelMean(3.0, 0.6, 20, 2)), n_seeds=5,
        n_words=2, n_trials=40, n_ties=0, contrast=own.contrast, fit=own.fit,
    )  # fmt: skip


def summary() -> dict[str, Any]:
    mean = SeedMean(
        population="p", test_language="en", condition="c", headline=True, n_seeds=1, n_trials=2,
        mean=0.5, seeds={"a": 0.5},
    )  # fmt: skip
    made = Summary(paradigm="me", paradigm_version=2, question="?", results=(mean,))
    content: dict[str, Any] = plain(made)
    return content | {"paradigm_kind": "choices"}


def manifest() -> dict[str, Any]:
    made = Recorded(
        run_id="me-1", paradigm=RecordedParadigm(name="me"), git=Git(commit="1", dirty=False),
        stimuli=RecordedSet(name="mini", version="1", checksum="0"), subjects={"p/a": "0"},
        machine=Machine(), command=("mevgs-toolkit",), energy=RecordedEnergy(source="none"),
        words=RecordedWords(texts={"bare": {"car": {"en": "car"}}}),
        populations={
            "p": RecordedPopulation(n_seeds=1, languages=("en",), config=RecordedConfig()),
        },
    )  # fmt: skip
    content: dict[str, Any] = plain(made)
    return content


POPULATION = {
    "name": "p", "description": "P.", "languages": ["en"], "seeds": ["a"], "factory": "m:c",
    "sha256": {"a.bin": "0"},
}  # fmt: skip
SET = {
    "name": "s", "version": "1", "title": "S", "description": "S.", "languages": ["en"],
    "licence": "CC0-1.0", "sample_rate_hz": 16000, "picture_size_px": 96, "upright": True,
}  # fmt: skip
GRID = {
    "stimuli": "mini", "hearing": "hearing", "seeing": "seeing",
    "recipe": {"from": "shipped", "size": "md", "n_updates": 10, "peak_lr": 0.1,
               "standardise": True, "negatives_from": "own"},
    "grid": {"languages": [["en"], ["en", "nl"]], "seeds": 2, "dropout": [0.1, 0.2]},
}  # fmt: skip
STUDY = {
    "study": {"title": "T", "hypotheses": ["H."], "against": ["A."], "exclusions": "None.",
              "preregistration": "https://osf.io/abcde", "notes": "N."},
    "train": [],
    "ask": [{"paradigm": "me", "subjects": ["perfect"], "languages": ["en"], "stimuli": "mini",
             "trials_per_class": 5, "trial_seeds": [0, 1]}],
    "analysis": {"confirmatory": ["me: above chance"], "alpha": 0.01, "equivalence_bound": 0.1,
                 "gate": {"condition": "familiar-novel", "minimum": 0.6}, "bootstrap": 9},
    "power": {"odds_ratio": 0.9, "base_accuracy": 0.6, "seed_sd": 0.2, "word_sd": 0.1,
              "slope_sd": 0.1, "words": 20, "trials_per_word": 5, "test": "mixed", "target": 0.9},
    "report": {"gallery": 3, "figures": True},
    "executor": {"slurm": {"partition": "gpu", "nice": 3, "requeue": True}},
    "chunks": {"minutes": 5},
}  # fmt: skip
HUB = {"input_size": [3, 8, 8], "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]}

FILES = [
    File("population.toml", Description, lambda: POPULATION, read_population),
    File("set.toml", Settings, lambda: SET, open_set),
    File("grid.toml", GridFile, lambda: GRID, lambda f: read_grid(f / "grid.toml")),
    File("study.toml", StudyFile, lambda: STUDY,
         lambda f: toml_record(StudyFile, f / "study.toml")),
    File("config.json", PopulationConfig, shipped("monolingual-en/config.json"),
         lambda f: read_config(f / "config.json")),
    File("clip.json", DrawingConfig, shipped("multilingual-clip/config.json"),
         lambda f: json_record(DrawingConfig, f / "clip.json")),
    File("seeing.json", SeeingConfig, shipped("seeing/config.json"),
         lambda f: read_settings(f / "seeing.json")),
    File("hub.json", HubConfig, lambda: {"architecture": "resnet", "pretrained_cfg": HUB},
         lambda f: read_settings(f / "hub.json")),
    File("flat.json", FlatHubConfig, lambda: {"architecture": "resnet", **HUB},
         lambda f: read_settings(f / "flat.json")),
    File("hearing.json", HearingConfig, shipped("hearing/config.json"),
         lambda f: json_record(HearingConfig, f / "hearing.json")),
    File("preprocess.json", Preprocess, shipped("hearing/preprocess.json"),
         lambda f: json_record(Preprocess, f / "preprocess.json")),
    File("extractor.json", Extractor, lambda: {"sampling_rate": 16000, "do_normalize": True},
         lambda f: json_record(Extractor, f / "extractor.json")),
    File("whisper.json", WhisperExtractor, lambda: {"chunk_length": 30, "feature_size": 80},
         lambda f: json_record(WhisperExtractor, f / "whisper.json")),
    File("patches.json", PatchExtractor, lambda: {"max_length": 1024, "std": 4.5},
         lambda f: json_record(PatchExtractor, f / "patches.json")),
    File("eye.json", PatchConfig, lambda: {"model_type": "siglip", "vision_config": {}},
         lambda f: json_record(PatchConfig, f / "eye.json")),
    File("processor.json", Processor, lambda: {"image_mean": HUB["mean"], "image_std": HUB["std"]},
         lambda f: json_record(Processor, f / "processor.json")),
    File("layer.json", PatchPreprocess, lambda: {"layer": 2},
         lambda f: json_record(PatchPreprocess, f / "layer.json")),
    File("page.en.json", Words, lambda: json.loads((GIVEN / "page.en.json").read_text("utf-8")),
         lambda f: json_record(Words, f / "page.en.json")),
    File("manifest.json", Recorded, manifest, saved_manifest),
    File("summary.json", Summary, summary, saved_summary),
    File("statistics.json", Analysis, analysis, saved_results, ("me",)),
    File("statistics.json", GroundingAnalysis,
         lambda: {"dense-grounding": plain(grounding(np.random.default_rng(1)))},
         saved_results, ("dense-grounding",)),
]  # fmt: skip
IDS = [f"{file.name}-{file.kind.__name__}" for file in FILES]


def write(file: File, folder: Path, content: Any) -> Path:
    path = folder / file.name
    text = write_toml(content) if file.is_toml else json.dumps(content)
    path.write_text(text, encoding="utf-8", newline="\n")
    return path


@cache
def hints(kind: Any) -> dict[str, Any]:
    found = get_type_hints(kind, localns={"pd": pd}, include_extras=True)
    return {name.removesuffix("_") if name == "from_" else name: t for name, t in found.items()}


def bare(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def alternatives(kind: Any) -> list[Any]:
    kind = bare(kind)
    if get_origin(kind) in (Union, types.UnionType):
        return [one for inner in get_args(kind) for one in alternatives(inner)]
    return [kind]


def allows_null(kind: Any) -> bool:
    bounded = get_origin(kind) is Annotated
    return any(
        one in (Any, object, type(None)) or (one is float and not bounded)
        for one in alternatives(kind)
    )


@dataclass(frozen=True)
class Place:
    """A field of a record in the content of a file, or the record itself."""

    steps: Steps
    kind: Any
    required: bool
    record: Any


def places(kind: Any, content: Any, steps: Steps = ()) -> list[Place]:
    """All fields that a file holds, every field of every record once."""
    found: dict[tuple[Any, str | int], Place] = {}
    for place in every_place(kind, content, steps):
        found.setdefault((place.record, place.steps[-1]), place)
    return list(found.values())


def every_place(kind: Any, content: Any, steps: Steps) -> Iterator[Place]:
    for one in alternatives(kind):
        if is_dataclass(one) and isinstance(content, dict):
            yield from places_of_record(one, content, steps)
        for step, inner in parts(one, content):
            yield from every_place(inner, content[step], (*steps, step))


def places_of_record(kind: Any, content: dict[str, Any], steps: Steps) -> Iterator[Place]:
    own = {"from" if f.name == "from_" else f.name: f for f in fields(kind) if f.init}
    needed = {n for n, f in own.items() if f.default is MISSING and f.default_factory is MISSING}
    if needed <= content.keys():
        for name in own.keys() & content.keys() - {getattr(kind, "rest", None)}:
            yield Place((*steps, name), hints(kind)[name], name in needed, kind)
            yield from every_place(hints(kind)[name], content[name], (*steps, name))


def parts(kind: Any, content: Any) -> Iterator[tuple[Any, Any]]:
    """Keys of a mapping or positions of a list with the type of what stands there."""
    origin, inner = get_origin(kind), get_args(kind)
    if origin is tuple and isinstance(content, list):
        for number in range(len(content)):
            yield number, inner[0] if inner[-1] is Ellipsis else inner[number]
    elif origin in (dict, Mapping) and isinstance(content, dict):
        yield from ((name, inner[1]) for name in content)


def at(content: Any, steps: Steps) -> Any:
    for step in steps:
        content = content[step]
    return content


def changed(content: Any, steps: Steps, value: Any) -> Any:
    """Content with another value at a place; without it, where that is `MISSING`."""
    content = copy.deepcopy(content)
    holder = at(content, steps[:-1])
    if value is MISSING:
        del holder[steps[-1]]
    else:
        holder[steps[-1]] = value
    return content


def record_at(file: File) -> Any:
    return at(file.content(), file.within)


def told_place(steps: Steps) -> str:
    shown = ""
    for step in steps:
        shown += f"[{step}]" if isinstance(step, int) else f".{step}" if shown else step
    return shown


def refused(file: File, folder: Path, *, within: str = "") -> ToolkitError:
    with pytest.raises(ToolkitError) as caught:
        file.read(folder)
    assert file.name in str(caught.value)
    assert within in re.sub(r" \(line \d+\)", "", str(caught.value))
    return caught.value


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_content_that_fits_is_read(file: File, tmp_path: Path) -> None:
    write(file, tmp_path, file.content())
    file.read(tmp_path)
    assert list(places(file.kind, record_at(file), file.within))


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_key_that_is_needed_and_lacking_is_named(file: File, tmp_path: Path) -> None:
    content = file.content()
    lacking = [p for p in places(file.kind, record_at(file), file.within) if p.required]
    for place in lacking:
        write(file, tmp_path, changed(content, place.steps, MISSING))
        if place.steps[-1] in TELLING:
            continue
        refused(file, tmp_path, within=f"{told_place(place.steps)} is lacking")


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_value_of_the_wrong_type_is_named(file: File, tmp_path: Path) -> None:
    """A list of lists of truths in a text's place, a text where there is no text, and so on."""
    content = file.content()
    for place in places(file.kind, record_at(file), file.within):
        if place.steps[-1] in TELLING:
            continue
        kinds = alternatives(place.kind)
        if {Any, object} & set(kinds):
            continue
        for value, takers in (
            ([[[True]]], ()),
            ("no number, and no name", (str,)),
            (True, (bool,)),
            (7.5, (float,)),
            (-(2**70), (float,)),
        ):
            names = [one for one in kinds if get_origin(one) is Literal]
            if any(one in takers for one in kinds) and not names:
                continue
            write(file, tmp_path, changed(content, place.steps, value))
            refused(file, tmp_path, within=told_place(place.steps).partition("[")[0])


@pytest.mark.parametrize("file", [f for f in FILES if not f.is_toml], ids=lambda f: f.name)
def test_null_is_taken_where_a_type_says_so_alone(file: File, tmp_path: Path) -> None:
    content = file.content()
    for place in places(file.kind, record_at(file), file.within):
        if place.steps[-1] in TELLING:
            continue
        write(file, tmp_path, changed(content, place.steps, None))
        if allows_null(place.kind):
            file.read(tmp_path)
        else:
            refused(file, tmp_path, within=told_place(place.steps))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_numbers_that_are_none_are_refused(file: File, value: float, tmp_path: Path) -> None:
    content = file.content()
    for place in places(file.kind, record_at(file), file.within):
        write(file, tmp_path, changed(content, place.steps, value))
        refused(file, tmp_path)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_number_too_large_for_floats_is_refused(file: File, tmp_path: Path) -> None:
    content = file.content()
    numbers = [p for p in places(file.kind, record_at(file), file.within)
               if {int, float} & set(alternatives(p.kind))]  # fmt: skip
    for place in numbers:
        if place.steps[-1] in TELLING:
            continue
        text = write(file, tmp_path, changed(content, place.steps, 987654321)).read_text()
        for number in ("1e400", "-1e400", "9" * 400, "9" * 5000, str(2**63)):
            if number == str(2**63) and int not in alternatives(place.kind):
                continue  # a float may have that size
            (tmp_path / file.name).write_text(text.replace("987654321", number))
            refused(file, tmp_path)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_key_that_is_not_known_is_named_with_the_nearest(file: File, tmp_path: Path) -> None:
    content = file.content()
    for place in places(file.kind, record_at(file), file.within):
        if getattr(place.record, "rest", None):
            continue
        name = f"{place.steps[-1]}q"
        write(file, tmp_path, changed(content, (*place.steps[:-1], name), at(content, place.steps)))
        told = refused(file, tmp_path, within=f"{told_place((*place.steps[:-1], name))}")
        assert f"did you mean: {place.steps[-1]}" in str(told)


TEXTS = {
    "empty": b"",
    "no UTF-8": b'{"a": "\xff\xfe\xfd"}',
    "UTF-16": '{"name": "a"}'.encode("utf-16"),
    "a zero": b'{"name": "a\x00b"}',
    "an escaped zero": b'{"name": "a\\u0000b"}',
    "half a character": b'{"name": "a\\ud800b"}',
    "half a key": b'{"\\udc00": 1}',
    "a key twice": b'{"name": "a", "name": "b"}',
    "cut short": b'{"name": "a',
    "no end of nesting": b"[" * 100_000,
    "deep nesting": b"[" * (NESTING + 1) + b"]" * (NESTING + 1),
    "a number of many digits": b"9" * 5000,
    "no object": b"[]",
    "a number": b"3",
    "null": b"null",
    "what JSON has not": b"NaN",
}
TOMLS = {
    "a key twice": b"name = 'a'\nname = 'b'",
    "a table twice": b"[a]\n[a]",
    "no end of nesting": b"a = " + b"[" * 100_000,
    "deep nesting": b"a = " + b"[" * (NESTING + 1) + b"]" * (NESTING + 1),
    "a deep key": b".".join([b"a"] * 2000) + b" = 1",
    "a number of many digits": b"name = " + b"9" * 5000,
    "half a character": b'name = "\\ud800"',
    "an escaped zero": b'name = "\\u0000"',
    "a date": b"name = 2020-01-01",
}


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_text_that_holds_no_content_is_refused(file: File, tmp_path: Path) -> None:
    for text in (TEXTS | TOMLS if file.is_toml else TEXTS).values():
        (tmp_path / file.name).write_bytes(text)
        refused(file, tmp_path)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_mark_of_the_byte_order_is_no_part_of_a_text(file: File, tmp_path: Path) -> None:
    path = write(file, tmp_path, file.content())
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    file.read(tmp_path)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_what_is_no_file_is_refused(file: File, tmp_path: Path) -> None:
    (tmp_path / file.name).mkdir()
    refused(file, tmp_path)


OPTIONAL = {"manifest.json", "summary.json", "statistics.json"}
"""Files of a run that need not be there."""


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_link_that_leads_nowhere_is_no_file(file: File, tmp_path: Path) -> None:
    (tmp_path / file.name).symlink_to(tmp_path / "nowhere")
    if file.name in OPTIONAL:
        assert not file.read(tmp_path)
    else:
        refused(file, tmp_path)


@pytest.mark.parametrize("file", FILES, ids=IDS)
def test_a_file_that_is_too_large_is_not_read(file: File, tmp_path: Path) -> None:
    with (tmp_path / file.name).open("wb") as text:
        text.truncate(1000 * TEXT_BYTES)
    refused(file, tmp_path)


@pytest.mark.parametrize(
    "name",
    ["\U0001f600", 'a "b"', "a\\b", "#1", "a=b", "[a]", "a'b", " ", "\u202fa", "a.b", "e\u0301"],
)
def test_populations_of_any_name_are_read_as_they_were_written(name: str, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    described = Description(
        name=name, description=name, languages=(name,), seeds=(name,), factory=f"{name}:{name}",
        sha256={f"{name}.bin": name} if "\\" not in name else {},
    )  # fmt: skip
    write_description(folder, described)
    assert checked(Description, read_toml(folder / "population.toml"), Source("")) == described
    assert read_population(folder).name == name


@pytest.mark.parametrize("change", [{"name": "a/b"}, {"seeds": ()}, {"factory": "x"}])
def test_what_could_not_be_read_again_is_not_written(
    change: dict[str, Any], tmp_path: Path
) -> None:
    described = Description(**asdict(checked(Description, POPULATION, Source(""))) | change)
    with pytest.raises(ToolkitError, match="cannot be written"):
        write_description(tmp_path, described)
    assert not list(tmp_path.iterdir())
