"""Checkpoints of the published experiment: their names, their files, the networks they are of.

The layout is that of the code of Oneata, Nortje, Matusevych and Kamper (Interspeech 2025, arXiv
2506.04037): `output/<config>/checkpoints/*neg-loss=-0.1234.pt`, one plain state dict per file, the
best one with the largest number after the last `=`. Files are read without running code.
"""

from __future__ import annotations

import math
import pickle
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from toolkit.errors import ToolkitError, first_line
from toolkit.subjects.backbones.files import lie_in
from toolkit.subjects.vgs.config import SIZES, NetworkConfig
from toolkit.subjects.vgs.families import (
    CLIP,
    FAMILIES,
    CLIPTwoAudios,
    MattNet,
    family_of,
    family_with,
)
from toolkit.subjects.vgs.family import Family
from toolkit.subjects.vgs.inside import split_off
from toolkit.subjects.vgs.towers import network_for

PATTERN = "*neg-loss=*.pt"
PUBLISHED_DIMS = {"audio_enc": 768, "image_enc": 2048}
"""Channels of WavLM base-plus and of DINO ResNet-50."""
_CODES = "[a-z]{2,3}(?:-[a-z]{2,3})*"
_SIZE = "|".join(SIZES)
_KINDS = {family.published_kind: family for family in FAMILIES.values() if family.published_kind}
_NAMES = tuple(
    re.compile(pattern)
    for pattern in (
        f"(?P<languages>{_CODES})_links-(?P<links>no|yes)_size-(?P<size>{_SIZE})_(?P<seed>[a-z])",
        f"[12]x(?P<languages>{_CODES})_size-(?P<size>{_SIZE})_seed-(?P<seed>[a-z])",
        f"(?P<kind>{'|'.join(_KINDS)})-(?:00)?(?P<seed>[a-z])(?:-(?P<size>{_SIZE}))?"
        f"-(?P<languages>{_CODES})",
        f"2[5-9](?P<seed>[a-z])(?:-(?P<size>{_SIZE}))?(?:-(?P<languages>{_CODES}))?",
        "25(?P<seed>[a-z])-redo",
        f"(?P<languages>{_CODES})_3d",
        "(?P<pilot>[01][0-9]|2[0-4]|test)",
    )
)
_FIRST_CLIP = "21"
"""The pilot networks before this one are of the family `mattnet`."""
_PILOT_SEEDS = {"test": 1337}
_PILOT_SEED = 42
"""Training seed of the other pilot networks, whose names tell none."""


@dataclass(frozen=True)
class ConfigName:
    """What the name of a published configuration says."""

    population: str
    """The name without the seed."""
    seed: str
    """Letter of the training seed: a is 0; a where the name tells none."""
    languages: tuple[str, ...]
    """ISO codes of the languages trained on."""
    family: str
    """Network family."""
    training_seed: int
    """Number that the random numbers of the training started from."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A network as it was published."""

    path: Path
    """The file."""
    neg_loss: float
    """Minus the validation loss, as the file's name says."""
    config: NetworkConfig
    """Shape and scoring, inferred from the shapes."""
    state: Mapping[str, Tensor]
    """Parameters under the published names."""
    inside: Mapping[str, Tensor] = field(default_factory=dict)
    """Parameters of the picture backbone in the file, see `toolkit.subjects.vgs.inside`."""

    @property
    def scale(self) -> float | None:
        """The number that cosine similarities are multiplied with; None without a temperature."""
        return family_of(self.config).scale(self.state)


def parse_config_name(name: str) -> ConfigName | None:
    """Read the name of a published configuration; None when it is none of theirs.

    Args:
        name: for example `en-nl_links-no_size-md_a`, `26c-sm-en-fr`, `2xen_size-md_seed-a`.

    Example:
        >>> parse_config_name("en-nl_links-yes_size-md_b")
        ConfigName(population='en-nl_links-yes_size-md', seed='b', languages=('en', 'nl'), \
family='clip-two-audios', training_seed=1)
        >>> parse_config_name("26c-sm-fr").population
        '26-sm-fr'
    """
    for pattern in _NAMES:
        if match := pattern.fullmatch(name):
            told = match.groupdict()
            seed, pilot = told.get("seed") or "a", told.get("pilot")
            population = name
            if told.get("seed"):
                rest = name[: match.start("seed")], name[match.end("seed") :]
                population = re.sub("(_seed)?[-_]$", "", rest[0]) + rest[1]
            family: type[Family] = CLIPTwoAudios if told.get("links") == "yes" else CLIP
            if pilot:
                family = MattNet if pilot < _FIRST_CLIP else CLIP
            family = _KINDS.get(told.get("kind", ""), family)
            languages = tuple((told.get("languages") or "en").split("-"))
            number = _PILOT_SEEDS.get(pilot, _PILOT_SEED) if pilot else ord(seed) - ord("a")
            return ConfigName(population, seed, languages, family.name, number)
    return None


def best_checkpoint(folder: Path) -> tuple[Path, float]:
    """The checkpoint of a configuration with the lowest validation loss.

    Args:
        folder: `output/<config>`.

    Returns:
        The file, and minus its validation loss.

    Raises:
        ToolkitError: there is none, or a name without a number.
    """
    found = {}
    for path in (folder / "checkpoints").glob(PATTERN):
        number = path.stem.rpartition("=")[2]
        try:
            found[path] = float(number)
        except ValueError:
            raise ToolkitError(
                f"The name of the checkpoint {path} does not end with a number.", given=number
            ) from None
    found = {path: loss for path, loss in found.items() if not math.isnan(loss)}
    if not found:
        raise ToolkitError(
            f"There is no checkpoint of {folder.name} to choose.",
            given=str(folder / "checkpoints"),
            allowed=f"files named {PATTERN}, such as model_neg-loss=-0.1234.pt",
        )
    best = max(found, key=lambda path: (found[path], path.name))
    return best, found[best]


def read_checkpoint(path: Path, neg_loss: float, family: str | None = None) -> Checkpoint:
    """Read a published state dict, and infer from its shapes which network it is of.

    Args:
        path: a `.pt` file.
        neg_loss: minus its validation loss.
        family: its network family; None to tell it by the names of its parameters.

    Raises:
        ToolkitError: the file is damaged or holds anything but tensors, or the parameters are not
            those of a network of this family; all keys and shapes that differ are listed.
    """
    state, inside = split_off(_read_state(path))
    try:
        config = _inferred(state, family or family_with(state).name, path)
        network_for(config, state, str(path))
    except (ArithmeticError, IndexError, RuntimeError, TypeError, ValueError) as error:
        told = first_line(error)
        raise ToolkitError(f"{path} is of no network that was published: {told}.") from error
    return Checkpoint(path, neg_loss, config, state, inside)


def _is_plain(value: object) -> bool:
    """Whether this is a tensor of plain numbers, finite and all of them there."""
    return (
        isinstance(value, Tensor)
        and value.layout == torch.strided
        and not value.is_quantized
        and not value.is_meta
        and not value.is_complex()
        and value.dtype != torch.bool
        and bool(value.float().isfinite().all())
    )


def _read_state(path: Path) -> dict[str, Tensor]:
    try:
        found = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if re.search("Unsupported operand|load key|STRING opcode", str(error)):
            raise ToolkitError(f"{path} is not a checkpoint, or is damaged.") from error
        # The text goes on about how to run the file's code all the same.
        named = re.search(r"GLOBAL ([\w.]+)", str(error))
        raise ToolkitError(
            f"{path} holds a pickled object. It was refused, and nothing in it was executed.",
            given=named[1] if named else None,
            allowed="a plain state dict: names and tensors",
            next_command="save model.state_dict() alone, on a machine that trusts the file",
        ) from error
    except Exception as error:
        # Damaged bytes make torch raise whatever it happens to stumble over.
        raise ToolkitError(f"{path} cannot be read as a checkpoint: {first_line(error)}") from error
    if not isinstance(found, Mapping):
        raise ToolkitError(f"{path} holds no state dict.", given=type(found).__name__)
    tensors = [value for value in found.values() if isinstance(value, Tensor)]
    whole = lie_in(path, tensors)
    others = [str(key) for key, value in found.items() if not (whole and _is_plain(value))]
    if others:
        raise ToolkitError(
            f"{path} holds more than a state dict: not all of its entries are tensors of numbers.",
            given=", ".join(others[:5]),
            allowed="names and dense tensors, as model.state_dict() gives them",
        )
    return {str(key): value.detach().clone().contiguous() for key, value in found.items()}


def _inferred(state: Mapping[str, Tensor], family: str, path: Path) -> NetworkConfig:
    """The network that the shapes are of; what is missing is taken to be the paper's."""
    shapes = {key: tuple(value.shape) for key, value in state.items() if value.ndim == 2}
    width, dim, embedding = {}, {}, SIZES["md"]
    for tower, published in PUBLISHED_DIMS.items():
        inner, dim[tower] = shapes.get(f"{tower}.pool.proj_in.weight", (0, published))
        embedding, outer = shapes.get(f"{tower}.pool.proj_out.weight", (embedding, 0))
        width[tower] = inner or outer or SIZES["md"]
    narrower = width["image_enc"] if width["image_enc"] != width["audio_enc"] else None
    try:
        return NetworkConfig(
            word_dim=dim["audio_enc"],
            picture_dim=dim["image_enc"],
            width=width["audio_enc"],
            embedding=embedding,
            family=family,
            temperature="published",
            picture_width=narrower,
        )
    except ToolkitError as error:
        raise ToolkitError(
            f"{path}: {error.message}", given=error.given, allowed=error.allowed
        ) from error
