"""Turns a published output folder into population folders, which load like the shipped ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors.torch import save

from stimuli.files import remove_abandoned, sha256_of, write_atomic
from stimuli.texts import read_json
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.files import backbone_checksum
from toolkit.subjects.backbones.finding import find_backbone
from toolkit.subjects.model_cards import FILE, model_card
from toolkit.subjects.population import Description, write_description
from toolkit.subjects.vgs.checkpoints import (
    Checkpoint,
    ConfigName,
    best_checkpoint,
    parse_config_name,
    read_checkpoint,
)
from toolkit.subjects.vgs.config import SIZES, config_text
from toolkit.subjects.vgs.inside import ALEXNET, eye_of, write_eye

FACTORY = "toolkit.subjects.vgs.subject:load_subject"
SOURCE = "me-vgs"
PUBLISHED_SEEING = "dino-resnet50"
SEEING_BY_SEED = "seeing_by_seed"
"""Key of `config.json`, see `toolkit.subjects.vgs.config.PopulationConfig`."""
_TEMPERATURE = """- **Temperature**: cosine similarities are multiplied with max(exp(logit_scale),
  100), as the published code computes it; the paper's text says that 100 is the upper bound. Which
  of two pictures is preferred does not depend on it.
"""

PUBLISHED = "output, or output/CONFIG, with CONFIG/checkpoints/*neg-loss=*.pt in it"
"""What a folder of published checkpoints is."""


@dataclass(frozen=True)
class Imported:
    """A population folder that was written."""

    folder: Path
    """Where it lies."""
    description: str
    """One line that says what it is."""
    seeds: tuple[str, ...]
    """Its subjects."""
    missing: tuple[str, ...]
    """What must be fetched before it can hear and see; nothing when its backbones are here."""
    notes: tuple[str, ...] = ()
    """What became of backbones inside its checkpoints."""


def import_output(
    source: Path,
    out: Path,
    *,
    languages: Sequence[str] = (),
    hearing: str = "wavlm-base-plus",
    seeing: str = PUBLISHED_SEEING,
    progress: Callable[[str, int, int], None] = lambda *_: None,
) -> list[Imported]:
    """Make population folders from published checkpoints, one per configuration, seeds together.

    A population is written whole or not at all; the others are written even if one is faulty.

    Args:
        source: the published `output` folder, or the folder of one configuration in it.
        out: folder for the population folders; made when missing.
        languages: ISO codes; only for configurations whose names do not tell them.
        hearing: the backbone that the speech features came from: name, folder or file.
        seeing: the backbone that the picture features came from.
        progress: called with what is being done, how much of it is done, and how much there is.

    Returns:
        What was written, by name.

    Raises:
        ToolkitError: there are no checkpoints, or some populations could not be made; those are
            named with their faults, after the others were written.
    """
    configurations = _configurations(source)
    groups: dict[str, list[tuple[Path, ConfigName]]] = {}
    faults: list[ToolkitError] = []
    for folder in configurations:
        try:
            name = _told(folder.name, languages)
            groups.setdefault(name.population, []).append((folder, name))
        except ToolkitError as error:
            faults.append(error)
    out.mkdir(parents=True, exist_ok=True)
    backbones, missing = _backbones({"hearing": hearing, "seeing": seeing}, out)
    done, written = 0, []
    for population, members in sorted(groups.items()):
        try:
            folder = out / population
            _refuse_others(folder)
            subjects: dict[str, tuple[ConfigName, Path, Checkpoint]] = {}
            for config_folder, name in sorted(members, key=lambda member: member[1].seed):
                if name.seed in subjects:
                    raise _same_subject(population, name.seed, subjects, config_folder)
                checkpoint = read_checkpoint(*best_checkpoint(config_folder), name.family or None)
                subjects[name.seed] = (name, config_folder, checkpoint)
                done += 1
                progress("reading checkpoints", done, len(configurations))
            _require_same(subjects)
            own, notes = _inside(folder, subjects, seeing)
            description = _write(folder, subjects, backbones | own)
            lacking = tuple(missing[kind] for kind in missing if kind not in own)
            written.append(Imported(folder, description, tuple(subjects), lacking, notes))
        except ToolkitError as error:
            faults.append(error)
    if len(faults) == 1 and not written:
        raise faults[0]
    if faults:
        kept = ", ".join(one.folder.name for one in written) or "none"
        listed = "\n".join(str(fault) for fault in faults)
        raise ToolkitError(
            f"Not everything could be imported:\n{listed}",
            given=f"written all the same: {kept}",
        )
    return written


def _configurations(source: Path) -> list[Path]:
    """Folders of configurations: the one given, or those in it."""
    if not source.is_dir():
        raise ToolkitError("There is no such output folder.", given=str(source), allowed=PUBLISHED)
    if (source / "checkpoints").is_dir():
        return [source.absolute()]
    found = sorted(path.parent for path in source.glob("*/checkpoints"))
    if not found:
        raise ToolkitError(
            "There are no published checkpoints in this folder.",
            given=str(source),
            allowed=PUBLISHED,
        )
    return found


def _told(name: str, languages: Sequence[str]) -> ConfigName:
    """What a configuration's name says, or what the user says in its place."""
    told = parse_config_name(name)
    if told is not None:
        return told
    if not languages:
        raise ToolkitError(
            f"The name {name!r} does not tell languages and seed.",
            given=name,
            allowed="names like en-nl_links-no_size-md_a",
            next_command="import that folder alone, with --languages en,nl",
        )
    return ConfigName(name, "a", tuple(languages), "", 0)


def _same_subject(
    population: str,
    seed: str,
    subjects: Mapping[str, tuple[ConfigName, Path, Checkpoint]],
    folder: Path,
) -> ToolkitError:
    return ToolkitError(
        f"Two configurations would both be seed {seed} of {population}.",
        given=f"{subjects[seed][1].name} and {folder.name}",
        next_command="import them one at a time, into folders of their own, --out DIR",
    )


def _require_same(subjects: Mapping[str, tuple[ConfigName, Path, Checkpoint]]) -> None:
    """Refuse seeds that are not of the same network, or of which only some hold a backbone."""
    name, _, first = next(iter(subjects.values()))
    for _, source, checkpoint in subjects.values():
        alike = checkpoint.config == first.config, bool(checkpoint.inside) == bool(first.inside)
        if not all(alike):
            inside = "" if alike[1] else ", with" + "out" * (not checkpoint.inside) + " a backbone"
            raise ToolkitError(
                f"The seeds of {name.population} are not of the same network.",
                given=f"{source.name}: {checkpoint.config}{inside}",
                allowed=f"as seed {next(iter(subjects))}: {first.config}",
            )


def _inside(
    folder: Path, subjects: Mapping[str, tuple[ConfigName, Path, Checkpoint]], seeing: str
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Write the backbones inside checkpoints; how they are recorded, and what is said of them."""
    inside = {seed: one.inside for seed, (_, _, one) in subjects.items() if one.inside}
    if not inside:
        return {}, ()
    eyes = {s: eye_of(own, str(subjects[s][2].path)) for s, own in inside.items()}
    if any(eye is None for eye in eyes.values()):
        name = seeing if seeing != PUBLISHED_SEEING else ALEXNET
        note = (
            f"{folder.name}: the AlexNet inside the checkpoints is left out; it needs features "
            f"that are called {name}.h5, or its own backbone, --seeing NAME"
        )
        return {"seeing": {"folder": name, "sha256": ""}}, (note,)
    folder.mkdir(exist_ok=True)
    recorded = {}
    for seed, eye in eyes.items():
        write_eye(folder / f"seeing-{seed}", eye or {})
        sha256 = backbone_checksum(folder / f"seeing-{seed}")
        recorded[seed] = {"folder": f"seeing-{seed}", "sha256": sha256}
    first = next(iter(recorded.values()))
    whole = {"folder": f"{folder.name}/{first['folder']}", "sha256": first["sha256"]}
    note = (
        f"{folder.name}: the ResNet-50 inside each checkpoint was kept (seeing-SEED), since its "
        "batch normalisation changed in training; --seeing is not used"
    )
    return {"seeing": whole, SEEING_BY_SEED: recorded}, (note,)


def _backbones(
    given: dict[str, str], out: Path
) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """How backbones are recorded, and what is said about those that are not here."""
    recorded, missing = {}, {}
    for kind, name in given.items():
        folder = str(Path(name).absolute()) if Path(name).exists() else name
        sha256 = ""
        try:
            sha256 = backbone_checksum(find_backbone(kind, folder, beside=out))
        except ToolkitError as error:
            missing[kind] = str(error)
        recorded[kind] = {"folder": folder, "sha256": sha256}
    return recorded, missing


def _refuse_others(folder: Path) -> None:
    """Keep a population that came from elsewhere."""
    config = folder / "config.json"
    told = read_json(config) if config.is_file() else {"source": {}}
    if not isinstance(told, dict) or "source" not in told:
        raise ToolkitError(
            f"{folder} holds a population that was not imported; it is left as it is.",
            next_command="choose another folder with --out DIR",
        )


def _write(
    folder: Path,
    subjects: dict[str, tuple[ConfigName, Path, Checkpoint]],
    backbones: dict[str, Any],
) -> str:
    """Write a population folder; `population.toml` comes last and makes it one."""
    name, _, first = next(iter(subjects.values()))
    folder.mkdir(exist_ok=True)
    remove_abandoned(folder)
    for seed, (_, _, checkpoint) in subjects.items():
        with write_atomic(folder / f"{seed}.safetensors") as unfinished:
            unfinished.write_bytes(save(dict(checkpoint.state)))
    facts = _facts(subjects, backbones)
    description = (
        f"Published checkpoints ({SOURCE}): {first.config.family}, {_size(first)}, "
        f"trained on {' and '.join(name.languages)}."
    )
    for file, text in (
        ("config.json", config_text(facts)),
        (FILE, _card(description, facts)),
    ):
        with write_atomic(folder / file) as unfinished:
            unfinished.write_text(text.rstrip() + "\n", encoding="utf-8")
    files = ["config.json", *(f"{seed}.safetensors" for seed in subjects)]
    described = Description(
        name=name.population,
        description=description,
        languages=name.languages,
        seeds=tuple(subjects),
        factory=FACTORY,
        sha256={file: sha256_of(folder / file) for file in files},
    )
    write_description(folder, described)
    return description


def _facts(
    subjects: dict[str, tuple[ConfigName, Path, Checkpoint]],
    backbones: dict[str, Any],
) -> dict[str, Any]:
    """Content of `config.json`."""
    name, _, first = next(iter(subjects.values()))
    return {
        "population": name.population,
        "languages": list(name.languages),
        "network": asdict(first.config),
        "source": {
            "layout": SOURCE,
            "checkpoints": {
                seed: {
                    "config": source.name,
                    "file": checkpoint.path.name,
                    "sha256": sha256_of(checkpoint.path),
                    "neg_loss": checkpoint.neg_loss,
                    "training_seed": told.training_seed,
                    "scale": checkpoint.scale,
                }
                for seed, (told, source, checkpoint) in subjects.items()
            },
        },
        "backbones": {kind: backbones[kind] for kind in ("hearing", "seeing")},
        **({SEEING_BY_SEED: own} if (own := backbones.get(SEEING_BY_SEED)) else {}),
    }


def _size(checkpoint: Checkpoint) -> str:
    """Name of the network's size, or its numbers where it has no name."""
    config = checkpoint.config
    for size, width in SIZES.items():
        if config.picture_width is None and config.width == config.embedding == width:
            return f"size {size}"
    return f"width {config.width}, embedding {config.embedding}"


def _card(description: str, facts: dict[str, Any]) -> str:
    """The model card."""
    network, checkpoints = facts["network"], facts["source"]["checkpoints"]
    ear, eye = (Path(facts["backbones"][kind]["folder"]).name for kind in ("hearing", "seeing"))
    of_each = ", one for each seed, kept from its\n  checkpoint" * (SEEING_BY_SEED in facts)
    rows = "".join(
        f"| {seed} | {one['training_seed']} | `{one['config']}` | {-one['neg_loss']:g} "
        f"| {'none' if one['scale'] is None else format(one['scale'], 'g')} "
        f"| `{one['sha256'][:16]}` |\n"
        for seed, one in checkpoints.items()
    )
    text = f"""# {facts["population"]}

{description}

- **Subjects**: seeds {", ".join(checkpoints)}; one network each, in the precision of the
  checkpoints, unchanged.
- **Network**: family `{network["family"]}`, width {network["width"]}, embedding
  {network["embedding"]}, on the frozen backbones `{ear}` and `{eye}`{of_each}.
- **Use**: `mevgs-toolkit run-paradigm me --subject {facts["population"]} --subjects DIR`
- **Made by**: `mevgs-toolkit import-mevgs`, from checkpoints of the code of Oneata, Nortje,
  Matusevych and Kamper (2025), The mutual exclusivity bias of bilingual visually grounded speech
  models, Interspeech (arXiv 2506.04037). The licence of the weights is that of their source.
{_TEMPERATURE if any(one["scale"] for one in checkpoints.values()) else ""}
| seed | training seed | configuration | validation loss | scale | SHA-256 of the checkpoint |
|---|---|---|---|---|---|
{rows}"""
    return model_card(
        text,
        name=facts["population"],
        languages=facts["languages"],
        tags=("visually-grounded-speech", "word-learning"),
        licence="unknown",
    )
