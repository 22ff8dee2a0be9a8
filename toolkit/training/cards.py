"""The files of a population folder: weights, log, settings, description and model card."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors import safe_open
from safetensors.torch import save
from torch import Tensor

from stimuli.files import is_sound, remove_abandoned, sha256_of, write_atomic, write_checked
from toolkit.devices import CPU
from toolkit.errors import ToolkitError
from toolkit.subjects.model_cards import FILE, average, model_card
from toolkit.subjects.population import Description, read_population, write_description
from toolkit.subjects.vgs.config import config_text
from toolkit.training.fit import Fitted
from toolkit.training.logs import LOG_FILE, log_rows, read_log, to_csv
from toolkit.training.recipe import Recipe

FACTORY = "toolkit.subjects.vgs.subject:load_subject"
_TOGETHER = "together"
"""Stands after the checksum of weights that were trained in one pass with those of other seeds."""
_ON = "on "
"""Stands there, or behind that, before the devices, if a card was among them."""
_INCLUDED = ("mini", "mini-draws")
_LIMITS = "The words are synthesised and the pictures are drawings. "
_LANGUAGES = {"en": "English", "nl": "Dutch", "fr": "French"}


def start(folder: Path, facts: Mapping[str, Any]) -> None:
    """Make a population folder, write its `config.json`, and clear away what a kill left.

    Args:
        folder: the population folder.
        facts: content of `config.json`.

    Raises:
        ToolkitError: there is a log, and it is not what was written.
    """
    folder.mkdir(exist_ok=True)
    remove_abandoned(folder)
    read_log(folder)  # what is damaged is told before anything is trained
    _write(folder / "config.json", config_text(facts))


def stored_key(folder: Path, seed: str) -> str | None:
    """Checksum that the weights of a seed carry; None when there are none that can be read.

    Args:
        folder: the population folder.
        seed: name of the seed.
    """
    return _stored(folder, seed)[0]


def trained_on(folder: Path, seed: str) -> str:
    """Devices that a seed was trained on, in order.

    Args:
        folder: the population folder.
        seed: name of the seed.
    """
    how = _stored(folder, seed)[1].removeprefix(_TOGETHER).lstrip()
    return how.removeprefix(_ON) if how.startswith(_ON) else CPU.told


def _stored(folder: Path, seed: str) -> tuple[str | None, str]:
    """The checksum that the weights of a seed carry, and how they were trained."""
    path = folder / f"{seed}.safetensors"
    if not (is_sound(path) or _is_as_described(path)):
        return None, ""
    try:
        with safe_open(path, framework="pt") as file:
            key, _, how = str(file.metadata()["key"]).partition(" ")
    except Exception:
        # Damaged bytes make the library raise whatever it happens to stumble over.
        return None, ""
    return key, how


def _is_as_described(path: Path) -> bool:
    """Whether a population that was trained before checksums lay beside files tells of these."""
    try:
        return read_population(path.parent).sha256.get(path.name) == sha256_of(path)
    except (OSError, ToolkitError):
        return False


def add_subject(folder: Path, seed: str, fitted: Fitted, key: str) -> None:
    """Write a subject's log, then its weights in half precision.

    The weights come last: they are what says that the subject is finished.

    Args:
        folder: the population folder.
        seed: name of the seed.
        fitted: the trained network.
        key: checksum over everything that decided it.
    """
    rows = [row for row in read_log(folder) if row["seed"] != seed]
    rows += log_rows(seed, fitted.log, fitted.kept_update)
    rows.sort(key=lambda row: (len(row["seed"]), row["seed"], int(row["update"])))
    with write_checked(folder / LOG_FILE) as unfinished:
        unfinished.write_text(to_csv(rows), encoding="utf-8")
    halves = {name: _half(name, value) for name, value in fitted.state.items()}
    with write_checked(folder / f"{seed}.safetensors") as unfinished:
        # In one entry: several would be written in random order.
        told = " ".join(filter(None, (key, _how(fitted))))
        unfinished.write_bytes(save(halves, metadata={"key": told}))


def _how(fitted: Fitted) -> str:
    """How a subject was trained, where it was not alone and on a processor."""
    on = "" if fitted.devices == (CPU.told,) else _ON + ", then ".join(fitted.devices)
    return " ".join(filter(None, (_TOGETHER if fitted.together else "", on)))


def describe(folder: Path, facts: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    """Write `config.json`, `population.toml` and `README.md` for the subjects that are finished.

    Args:
        folder: the population folder.
        facts: content of `config.json`.
        keys: checksum that the weights of each seed must carry; others are left out.
    """
    seeds = [seed for seed, key in keys.items() if stored_key(folder, seed) == key]
    _write(folder / "config.json", config_text(facts))
    files = ["config.json", *(f"{seed}.safetensors" for seed in seeds)]
    described = Description(
        name=facts["population"],
        description=description(facts),
        languages=tuple(facts["languages"]),
        seeds=tuple(seeds),
        factory=FACTORY,
        sha256={file: sha256_of(folder / file) for file in files},
        stimuli=facts["stimuli"]["name"] if "draws" in facts else "",
        familiar=facts.get("familiar", {}),
    )
    write_description(folder, described)
    _write(folder / FILE, _card(folder, facts, seeds))


def description(facts: Mapping[str, Any]) -> str:
    """One line that says what a population is.

    Args:
        facts: content of `config.json`.

    Example:
        >>> description({"languages": ["en", "nl"], "stimuli": {"name": "mini"}})
        'Learnt spoken words for pictures in English and Dutch (set mini).'
    """
    names = [_LANGUAGES.get(code, code) for code in facts["languages"]]
    draws = facts.get("draws", {}).get("familiar_draws")
    each = f", {draws} {'draw' if draws == 1 else 'draws'} of familiar words" if draws else ""
    if not names:
        return f"Control: networks with their initial weights, trained on no language{each}."
    heard = " and ".join(names)
    return f"Learnt spoken words for pictures in {heard} (set {facts['stimuli']['name']}{each})."


def _card(folder: Path, facts: Mapping[str, Any], seeds: list[str]) -> str:
    """The model card."""
    kept = [row for row in read_log(folder) if row["kept"] == "1" and row["seed"] in seeds]
    results = []
    if kept and facts["languages"]:
        results.append(
            average(
                (float(row["valid_accuracy"]) for row in kept),
                name="spoken word to its picture, one of two",
                task="zero-shot-image-classification",
                stimuli=facts["stimuli"]["name"],
                split="valid",
            )
        )
    together = [seed for seed in seeds if _stored(folder, seed)[1].startswith(_TOGETHER)]
    return model_card(
        _text(facts, seeds, kept, together, {seed: trained_on(folder, seed) for seed in seeds}),
        name=facts["population"],
        languages=facts["languages"],
        tags=("visually-grounded-speech", "word-learning"),
        results=results,
    )


def _text(
    facts: Mapping[str, Any],
    seeds: list[str],
    kept: list[dict[str, str]],
    together: list[str],
    devices: Mapping[str, str],
) -> str:
    """The card below its header.

    Args:
        facts: content of `config.json`.
        seeds: names of those that are finished.
        kept: row of the log for the weights of each of them.
        together: those that were trained in one pass with other seeds.
        devices: what each of them was trained on.
    """
    training, network = facts["training"], facts["network"]
    head = f"""# {facts["population"]}

{description(facts)}

- **Subjects**: seeds {", ".join(seeds)}; one network each, half precision, computed in float32.
- **Network**: family `{network["family"]}`, width {network["width"]}, embedding
  {network["embedding"]}, temperature `{network["temperature"]}`, on the frozen backbones
  `{facts["backbones"]["hearing"]["folder"]}` and `{facts["backbones"]["seeing"]["folder"]}`.
- **Use**: `mevgs-toolkit run-paradigm me --subject {facts["population"]}`
- **Made by**: {_command(facts)}
{_files(facts)}"""
    if facts.get("draws"):
        head += _draws(facts)
    if not facts["languages"]:
        return head + (
            "\nNothing was learnt: what these networks do better than chance comes from the\n"
            "backbones and from the test itself, not from words heard.\n"
        )
    rows = "".join(
        f"| {row['seed']} | {row['update']} | {float(row['valid_loss']):.3f} "
        f"| {100 * float(row['valid_accuracy']):.1f} |\n"
        for row in kept
    )
    length = _length(training, facts.get("draws", {}).get("fewest_updates"))
    return f"""{head}
## Training

Words and pictures of the familiar concepts{_of_its_draw(facts)} in split `train` of the set
`{facts["stimuli"]["name"]}` (version {facts["stimuli"]["version"]}); the weights with the lowest
loss on split `valid` were kept. Novel concepts and the split `test` were never read. {length}
all settings are in `config.json`, all validations in `{LOG_FILE}`.
{_in_one_pass(together)}{_devices(facts, devices)}
| seed | kept update | validation loss | validation accuracy, two pictures (%) |
|---|---|---|---|
{rows}
## Limits

{_LIMITS if facts["stimuli"]["name"] in _INCLUDED else ""}The subjects are made for comparing
training conditions with one another; they are no model of a particular child.
"""


def _files(facts: Mapping[str, Any]) -> str:
    """The published files of features, and what they tell of their backbones; or nothing.

    Example:
        >>> told = {"hearing": {"sha256": "3b0c"}, "seeing": {"sha256": ""}}
        >>> print(_files({"features": {"a.h5": "0"}, "backbones": told}), end="")
        - **Features**: 1 files as published, named in `config.json` with their checksums; made by:
          hearing, backbone `3b0c`; seeing, not told by the files, known by its name alone.
    """
    if not facts.get("features"):
        return ""
    made_by = "; ".join(
        f"{kind}, backbone `{told['sha256'][:16]}`"
        if told["sha256"]
        else f"{kind}, not told by the files, known by its name alone"
        for kind, told in facts["backbones"].items()
    )
    return (
        f"- **Features**: {len(facts['features'])} files as published, named in `config.json` "
        f"with their checksums; made by:\n  {made_by}.\n"
    )


def _of_its_draw(facts: Mapping[str, Any]) -> str:
    return " of its draw" if facts.get("draws") else ""


def _draws(facts: Mapping[str, Any]) -> str:
    """Which concepts are familiar in every draw."""
    told = facts["draws"]
    rows = "".join(f"| {name} | {', '.join(own)} |\n" for name, own in facts["familiar"].items())
    return f"""
## Draws of familiar concepts

Networks differ in the words that they learnt: {told["familiar_draws"]} draws of
{told["familiar_concepts"]} concepts (seed {told["familiar_seed"]}), in which every concept was
familiar as often as any other, to within one. All others are novel to the networks of a draw,
which are named after it. What holds over draws holds for other lists of words from the same
concepts; networks that all learnt one list can never show that.

| draw | familiar concepts |
|---|---|
{rows}"""


def _in_one_pass(together: list[str]) -> str:
    """Which seeds were trained in one pass with others."""
    if not together:
        return ""
    return (
        f"Trained in one pass with other seeds, which changes last digits alone: "
        f"{', '.join(together)}.\n"
    )


def _devices(facts: Mapping[str, Any], devices: Mapping[str, str]) -> str:
    """What backbones and subjects computed on; nothing where all did on a processor.

    Example:
        >>> print(_devices({"training": {}}, {"a": "cuda (NVIDIA H200)", "b": "cpu"}), end="")
        <BLANKLINE>
        Trained on: a cuda (NVIDIA H200); b cpu. In float32; features made on cpu. Numbers made on
        a card and on a processor agree to some digits only.
    """
    features = facts.get("features_made_on", CPU.told)
    if {features, *devices.values()} == {CPU.told}:
        return ""
    each = "; ".join(f"{seed} {told}" for seed, told in devices.items())
    precision = facts["training"].get("precision", "float32")
    return (
        f"\nTrained on: {each}. In {precision}; features made on {features}. Numbers made on\n"
        "a card and on a processor agree to some digits only.\n"
    )


def _command(facts: Mapping[str, Any]) -> str:
    """The command that trains such a population again."""
    if told := facts.get("draws"):
        keys = ("familiar_draws", "familiar_concepts", "familiar_seed")
        said = ", ".join(f"{key} = {told[key]}" for key in keys)
        return f"`mevgs-toolkit train --grid FILE --out DIR`, with {said}"
    usual, training = Recipe().record(), facts["training"]
    told = {key: value for key, value in training.items() if key not in ("version", "features")}
    if told == usual | {"n_updates": told["n_updates"]}:
        return f"`mevgs-toolkit train --population {facts['population']} --out DIR`"
    return "`mevgs-toolkit train`, with the settings in `config.json`"


def _length(training: Mapping[str, Any], fewest: int | None = None) -> str:
    """How long each subject was trained, as the beginning of a sentence.

    Args:
        training: the recipe, and what followed from it.
        fewest: updates of the shortest training, where draws differ.
    """
    n_updates = f"{fewest} to {training['n_updates']}" if fewest else training["n_updates"]
    made = f"made {n_updates} updates of {training['items']} items"
    if "epochs" not in training:
        return f"Every subject\n{made}, whatever the number of languages;"
    equal = "as many for one language as for several"
    if not training["equal_updates"]:
        equal = "more where there are more clips"
    return (
        f"Every subject\n{made} in {training['epochs']} epochs of {training['epoch_clips']} clips, "
        f"{equal};"
    )


def _half(name: str, value: Tensor) -> Tensor:
    """A parameter in half precision; means, variances and counts stay as they are."""
    small = value.is_floating_point() and ".running_" not in name
    return (value.half() if small else value).contiguous()


def _write(path: Path, text: str) -> None:
    with write_atomic(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")
