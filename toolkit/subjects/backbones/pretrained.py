"""Models in the format of `transformers`, read from a folder: offline, whole, and nothing else's.

Beside the weights lie ``config.json`` and what prepares sounds or pictures for the model:
``preprocessor_config.json``, or a part of ``processor_config.json``, where newer versions write it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

from stimuli.errors import ToolkitError, first_line
from stimuli.schemas import Between, Source, checked
from stimuli.texts import read_json
from toolkit.subjects.backbones.files import refuse_hollow
from toolkit.subjects.population import LIST_COMMAND

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel

WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
"""Names of files of weights."""
ALONE, TOGETHER = "preprocessor_config.json", "processor_config.json"
"""What prepares sounds or pictures; the second holds more than that."""
OWN = "preprocess.json"
"""What the toolkit asks of a model, beside what it says itself."""
Layer = Annotated[int, Between(-1, 1_000)]
"""Of a network, counted from 0, what enters the first one; -1 for what the model itself gives."""
_FROM_DISK = {"local_files_only": True, "trust_remote_code": False}
_ONLY_FOR_TRAINING = ("masked_spec_embed", "mask_token")
"""Ends of names of weights that models may lack: nothing is masked when a backbone is asked."""
_COUNTED = ("position_ids", "inv_freq")
"""Ends of names of what is no weight, and was stored by earlier versions."""

T = TypeVar("T")
Complain = Callable[[str], ToolkitError]
"""Makes the error that a backbone raises: its name, then what it is given here."""


def find_class(module: str, name: str) -> Any:
    """A class of models, without what the package's top level would search first.

    Args:
        module: the family, as its folder in `transformers` is called.
        name: the class.
    """
    return getattr(import_module(f"transformers.models.{module}.modeling_{module}"), name)


def read_preparation(
    folder: Path, part: str, kind: type[T]
) -> tuple[T, Mapping[str, Any], str] | None:
    """What prepares sounds or pictures for the model in a folder.

    Args:
        folder: the model's.
        part: ``feature_extractor`` or ``image_processor``, as `transformers` calls it.
        kind: schema of what it says.

    Returns:
        The record, the plain values that it was made from and the name of the file; None where
        there is no such file.

    Raises:
        ToolkitError: a file cannot be read, or does not fit the schema.
    """
    for name, within in ((TOGETHER, True), (ALONE, False)):
        path = folder / name
        if not path.is_file():
            continue
        source = Source(str(path), LIST_COMMAND)
        found = read_json(path, source)
        if within:
            if not isinstance(found, dict) or part not in found:
                continue
            found = found[part]
        return checked(kind, found, source, part if within else ""), found, name
    return None


def load_model(
    folder: Path,
    kind: Any,
    complain: Complain,
    *,
    renamed: Mapping[str, str] | None = None,
    unused: Sequence[str] = (),
    fits: Callable[[PreTrainedModel], str | None] = lambda _: None,
) -> PreTrainedModel:
    """A frozen model in float32, or an error in one sentence.

    Args:
        folder: where it lies.
        kind: its class, or ``AutoModel``.
        complain: makes the error.
        renamed: patterns of names of weights -> what they are called in the class.
        unused: first parts of names of weights that are not computed with, and may be lacking.
        fits: what is wrong with the model, which has no weights yet; None where nothing is.

    Raises:
        ToolkitError: files cannot be read, weights are lacking, not finite, or of another network.
    """
    import torch

    weights = [path for pattern in WEIGHTS for path in folder.glob(pattern)]
    if not weights:
        raise complain("holds no weights (model.safetensors)")
    with quiet():
        try:
            sketch = _sketch(folder, kind)
            misfit = fits(sketch)
            if misfit is None:
                refuse_hollow(sketch, weights)
                model, report = type(sketch).from_pretrained(
                    folder,
                    output_loading_info=True,
                    key_mapping=renamed,
                    ignore_mismatched_sizes=True,
                    **_FROM_DISK,
                )
        except Exception as error:
            # Damaged files make the library raise whatever it happens to stumble over.
            raise complain(f"cannot be loaded: {first_line(error)}") from error
    if misfit is not None:
        raise complain(misfit)
    missing = [
        key
        for key in (*report["missing_keys"], *(key for key, *_ in report["mismatched_keys"]))
        if not key.endswith(_ONLY_FOR_TRAINING) and not _is(key, unused)
    ]
    if missing:
        raise complain(f"lacks fitting weights for {sorted(missing)[0]} (of {len(missing)})")
    # Heads, decoders and other halves lie elsewhere; these are of another network of the kind.
    parts = [key.partition(".")[0] for key in model.state_dict()]
    unknown = (key.removeprefix(f"{model.base_model_prefix}.") for key in report["unexpected_keys"])
    foreign = [key for key in unknown if _is(key, parts) and not key.endswith(_COUNTED)]
    if foreign:
        told = model.config.model_type
        raise complain(f"holds {sorted(foreign)[0]}, which a {told!r} does not have")
    model.float().eval().requires_grad_(False)
    if not all(torch.isfinite(weight).all() for weight in model.state_dict().values()):
        raise complain("holds weights that are not finite")
    return model


def layer_of(output: Any, layer: int) -> Tensor:
    """What a model has computed up to a layer.

    Args:
        output: what it returned; with the states of all layers where one of them is asked for.
        layer: counted from 0, what enters the first one; -1 for what the model itself gives.
    """
    states: Tensor = output.last_hidden_state if layer < 0 else output.hidden_states[layer]
    return states


def _is(key: str, parts: Sequence[str]) -> bool:
    return key.partition(".")[0] in parts


def _sketch(folder: Path, kind: Any) -> PreTrainedModel:
    """The network where nothing is laid out: a small file may speak of one of any size."""
    import torch

    own = getattr(kind, "config_class", None)
    if own is not None:
        config = own.from_pretrained(folder, local_files_only=True)
        with torch.device("meta"):
            return kind(config)
    from transformers import AutoConfig

    config = AutoConfig.from_pretrained(folder, **_FROM_DISK)  # nosec B615 # local
    with torch.device("meta"):
        return kind.from_config(config)


@contextmanager
def quiet() -> Iterator[None]:
    """No bars and no notes of `transformers`: what did not fit is said in one sentence."""
    from transformers.utils import logging

    progress_was_shown, verbosity = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if progress_was_shown:
            logging.enable_progress_bar()
