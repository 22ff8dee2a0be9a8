"""Picture backbones that lie inside published checkpoints, beside the network that stands on them.

Early configurations were trained on pictures, not on stored features, and their checkpoints hold
the frozen backbone as `image_enc.feature_extractor.model.<number of the layer>...`. Of a ResNet-50
its parameters were frozen, but not the running means and variances of its batch normalisation,
which went on changing in training: every seed has an eye of its own. An AlexNet has none of these,
and is left out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import torch
from torch import Tensor

from stimuli.files import write_atomic
from toolkit.errors import ToolkitError
from toolkit.subjects.backbones.timm_settings import DINO

PREFIX = "image_enc.feature_extractor."
"""What names of a backbone's parameters begin with."""
ALEXNET = "alexnet"
"""What features of the published AlexNet are called."""
_MODEL = "model."
_PARTS = ("conv1", "bn1", "", "", "layer1", "layer2", "layer3", "layer4")
"""Names of a ResNet's parts, by their number in the checkpoint; those without have no weights."""
_ALEXNET = frozenset(f"{layer}.{what}" for layer in (0, 3, 6, 8, 10) for what in ("weight", "bias"))


def split_off(state: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    """The parameters of the network, and those of the backbone inside, without their prefix.

    Args:
        state: a published state dict.

    Example:
        >>> network, inside = split_off({"logit_scale": 1, f"{PREFIX}model.0.weight": 2})
        >>> network, inside
        ({'logit_scale': 1}, {'model.0.weight': 2})
    """
    inside = {k.removeprefix(PREFIX): v for k, v in state.items() if k.startswith(PREFIX)}
    return {k: v for k, v in state.items() if not k.startswith(PREFIX)}, inside


def eye_of(inside: Mapping[str, Tensor], source: str) -> dict[str, Tensor] | None:
    """The ResNet-50 inside a checkpoint, its parameters named as timm does; None for an AlexNet.

    Args:
        inside: what `split_off` gave; not empty.
        source: the checkpoint, for the error message.

    Raises:
        ToolkitError: it is neither.
    """
    import timm

    own = {name.removeprefix(_MODEL): value for name, value in inside.items()}
    if own.keys() == _ALEXNET:
        return None
    named = {}
    for name, value in own.items():
        number, _, rest = name.partition(".")
        part = _PARTS[int(number)] if number.isdecimal() and int(number) < len(_PARTS) else ""
        named[f"{part}.{rest}" if part else name] = value
    with torch.device("meta"):
        wanted = timm.create_model(DINO.architecture, num_classes=0).state_dict()
    faults = [name for name in wanted if name not in named] + [n for n in named if n not in wanted]
    faults += [n for n in wanted if n in named and named[n].shape != wanted[n].shape]
    if faults:
        raise ToolkitError(
            f"{source} holds a picture backbone that is none of the published ones.",
            given=f"{len(inside)} parameters; other than expected: {', '.join(faults[:5])}",
            allowed="a ResNet-50 or an AlexNet without their last layers",
        )
    return named


def write_eye(folder: Path, eye: Mapping[str, Tensor]) -> None:
    """Write the backbone of one seed, to be opened as any other.

    Args:
        folder: where to; made when missing.
        eye: what `eye_of` gave.
    """
    from safetensors.torch import save

    folder.mkdir(exist_ok=True)
    with write_atomic(folder / "config.json") as unfinished:
        unfinished.write_text(json.dumps(asdict(DINO), indent=2) + "\n", encoding="utf-8")
    with write_atomic(folder / "model.safetensors") as unfinished:
        unfinished.write_bytes(save(dict(eye)))
