"""`population.toml` and the model card of the multilingual CLIP."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from makers.multilingual_clip.evaluation import UNMET
from makers.multilingual_clip.things import LANGUAGES
from stimuli.files import sha256_of, write_atomic
from toolkit.subjects.model_cards import FILE, average, model_card
from toolkit.subjects.population import Description, write_description

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

_NAMES = {
    "ar": "Arabic", "ca": "Catalan", "de": "German", "en": "English", "es": "Spanish",
    "eu": "Basque", "fr": "French", "it": "Italian", "lb": "Luxembourgish", "pt": "Portuguese",
    "ru": "Russian", "zh-CN": "Chinese, simplified", "zh-TW": "Chinese, traditional",
}  # fmt: skip


def describe(
    folder: Path, name: str, factory: str, facts: Mapping[str, Any], seeds: Sequence[str]
) -> None:
    """Write `population.toml` and `README.md` for the seeds that are finished.

    Args:
        folder: the population folder; has `retrieval.csv` and `training_log.csv`.
        name: of the population.
        factory: what loads a seed.
        facts: what decided the training.
        seeds: finished ones.
    """
    files = [f"{seed}.safetensors" for seed in seeds]
    files.append("tokenizer.json")
    described = Description(
        name=name,
        description="Small CLIP with one eye and 13 languages, for drawings (CLDR names).",
        languages=tuple(LANGUAGES),
        seeds=tuple(seeds),
        factory=factory,
        sha256={file: sha256_of(folder / file) for file in files},
    )
    write_description(folder, described)
    _write(folder / FILE, _card(folder, name, facts, seeds))


def _card(folder: Path, name: str, facts: Mapping[str, Any], seeds: Sequence[str]) -> str:
    return model_card(
        _text(folder, name, facts, seeds),
        name=name,
        languages=list(LANGUAGES),
        tags=("clip", "visual-grounding"),
        results=[*_results(folder, seeds)],
    )


def _results(folder: Path, seeds: Sequence[str]) -> Iterator[EvalResult]:
    """How well every language does, as the Hub lists it."""
    asked = (
        ("retrieval.csv", "first", "name of a held-out drawing, first of all",
         "zero-shot-image-classification", "held-out-drawings"),
        ("scenes.csv", "pointing", "pointing game", "zero-shot-object-detection", "scenes"),
    )  # fmt: skip
    for file, column, name, task, stimuli in asked:
        rows = [row for row in _rows(folder / file) if row["seed"] in seeds]
        for code in dict.fromkeys(row["language"] for row in rows):
            shares = (float(row[column]) for row in rows if row["language"] == code)
            yield average(shares, name=name, task=task, stimuli=stimuli, language=code)


def _text(folder: Path, name: str, facts: Mapping[str, Any], seeds: Sequence[str]) -> str:
    """The card below its header."""
    eye, text = facts["eye"], facts["text"]
    last = [row for row in _rows(folder / "training_log.csv") if row["part"] == "eye"][-1]
    return f"""# {name}

A small multilingual CLIP for the paradigm `dense-grounding`: where in a picture does a word land,
and does it land there in every language? One eye, {len(LANGUAGES)} languages; it knows drawings of
{facts["concepts"]} things, and no photographs.

- **Subjects**: seeds {", ".join(seeds)}, half precision, computed in float32. The eye is the same
  in all of them; each has a text half of its own. So seeds say how much depends on how the words
  were learnt, nothing about other eyes.
- **Eye**: the shipped seeing backbone (`seeing`, a narrow ResNet, frozen) at 160 x 160 pixels,
  which gives 10 x 10 places, and a head of two layers on every place.
- **Text**: a CLIPTextModelWithProjection of transformers, 2 layers, width 128; byte-level BPE in
  lower case, at most {text["vocabulary"]} entries, fitted to the names of all languages together.
- **Use**: `mevgs-toolkit run-paradigm dense-grounding --subject {name}`
- **Made by**: `python -m makers.multilingual_clip.train --out DIR`, in a checkout of the toolkit

## What it learnt from

{facts["drawings"]["train"]} drawings from {facts["icon_sets"]} icon sets of the npm package
`@iconify/json` 2.2.535 without share-alike, non-commercial or GPL licences (`drawings.csv` lists
all; they are not part of this package): emoji of animals, food, objects, places and activities in
every open emoji set, and icons of the same name, if at least ten hands have drawn the thing.

Names are those of Unicode CLDR (npm package `cldr-annotations-full` 48.2.0), one per emoji and
language, and for the 20 things of `words.toml` also the plain word of `stimuli/scenes/words.toml`.

| language | things with a name |
|---|---|
{"".join(f"| {_NAMES[code]} ({code}) | {n} |{chr(10)}" for code, n in facts["names"].items())}
**What is low-resource here.** Only Luxembourgish has fewer names. A name is drawn from the
languages that have one, each as likely; Arabic and Basque, low-resource in the published study
because of what the web holds, are heard as often as English. A difference between languages of
that kind is therefore not to be expected from this population, except in Luxembourgish.

## How

1. **The head of the eye**, once, without language: {eye["bank"]} sheets with one to four drawings
   (any size, place, tint, mirrored, turned a little), {eye["steps"]} batches of {eye["sheets"]}.
   Every place that a drawing covers is to be nearest to a learnt direction of that thing, empty
   places to one of their own. *Where the drawings lie is used: places are taught to the eye, by no
   word of any language.* The directions are thrown away.
2. **The text half**, per seed, eye and head frozen: {text["steps"]} batches of {text["names"]}
   drawings on those sheets, each with one name. Objective of CLIP: which drawing belongs to which
   name, a drawing being the mean of the places that it covers (so the places are told here too).
   {100 * text["with_article"]:.0f} % of the names are said with an indefinite article of the
   language, whatever the gender (CLDR gives none).

The 20 things of `words.toml` are shown three times as often as others.

All settings stand in `config.json` under `training`, all losses in `training_log.csv`.

## How well it knows the names

Held out from training: {facts["drawings"]["test"]} drawings, for every thing one hand (one third of
the hands for the 20 things of `words.toml`) none of whose drawings of it was trained on; copies of
drawings trained on are left out. But the frozen backbone had met most of the things before,
perhaps in the same drawing, when it learnt to tell 3,475 names apart. By name it never met
{len(UNMET)} of them, their near relatives and their names; those alone are in the scenes
({", ".join(sorted(UNMET))}).
Eye and head alone, by the learnt directions, name {100 * float(last["drawings"]):.0f} % of held-out
drawings on sheets rightly ({100 * float(last["places"]):.0f} % of the places).

Name of a held-out drawing on white, chosen among the names of all things by the four best places
(`retrieval.csv`; per cent, mean over seeds {", ".join(seeds)}, lowest and highest in brackets):

| language | names | drawings | first | first five | first, things never met | chance |
|---|---|---|---|---|---|---|
{_retrieval(folder / "retrieval.csv", seeds)}
{_scenes(folder / "scenes.csv", seeds)}## Limits

Small, trained for minutes on one core, on drawings alone: of no use for photographs. Names
describe emoji (CLDR) and are now and then odd. Articles are noise to it, since it was taught them
without gender. All text halves learnt from one eye.
"""


def _retrieval(path: Path, seeds: Sequence[str]) -> str:
    rows = [row for row in _rows(path) if row["seed"] in seeds]
    lines = []
    for code in dict.fromkeys(row["language"] for row in rows):
        mine = [row for row in rows if row["language"] == code]
        cells = []
        for column in ("first", "first_of_five", "first_unmet"):
            values = [100 * float(row[column]) for row in mine]
            mean = sum(values) / len(values)
            cells.append(f"{mean:.1f} ({min(values):.1f} to {max(values):.1f})")
        lines.append(
            f"| {_NAMES[code]} | {mine[0]['names']} | {mine[0]['drawings']} | {' | '.join(cells)} "
            f"| {100 * float(mine[0]['chance']):.2f} |\n"
        )
    return "".join(lines)


def _scenes(path: Path, seeds: Sequence[str]) -> str:
    """Section about the scenes, where they were scored."""
    rows = [row for row in _rows(path) if row["seed"] in seeds]
    if not rows:
        return ""
    lines = []
    for code in dict.fromkeys(row["language"] for row in rows):
        mine = [row for row in rows if row["language"] == code]
        cells = []
        for column in ("pointing", "iou_true", "iou_english"):
            values = [float(row[column]) for row in mine]
            cells.append(
                f"{sum(values) / len(values):.3f} ({min(values):.3f} to {max(values):.3f})"
            )
        lines.append(f"| {_NAMES[code]} | {' | '.join(cells)} |\n")
    return f"""## Where the words land

Scenes of held-out drawings (`stimuli/scenes`), bare words: share of maps whose highest point lies
on the thing asked for, overlap (IoU) of the map's clusters with the true mask and with those of
English (`scenes.csv`; mean over seeds, lowest and highest in brackets). A point put anywhere at
random hits in {100 * float(rows[0]["chance"]):.1f} % of the questions.

| language | pointing game | IoU with the truth | IoU with English |
|---|---|---|---|
{"".join(lines)}
"""


def _rows(path: Path) -> list[dict[str, str]]:
    """Rows of a table; none where it was not made."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _write(path: Path, text: str) -> None:
    with write_atomic(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8", newline="\n")
