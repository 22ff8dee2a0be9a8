"""What is known of a published model before it is loaded; see `toolkit.subjects.clip.names`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError
from toolkit.subjects.clip import names
from toolkit.subjects.clip.names import OPEN_CLIP_CONFIG, SEED, TRANSFORMERS, WEIGHTS

NO_PLACES = "its picture tower has no patch tokens in the space of texts"


@dataclass(frozen=True)
class ModelFacts:
    """A published model by its name; its weights are looked for and not read."""

    name: str
    """Its name, prefix included."""
    library: str
    """What reads it, with the installed version or how to install it."""
    needs: tuple[str, ...]
    """What must be on this machine: models of the Hub, or parts of a folder."""
    place: str
    """Where that is looked for."""
    folder: Path | None
    """Folder that is it; None where it is not on this machine, or not all that is needed is."""
    problem: ToolkitError | None
    """What is missing and what to do about it; None where everything is here."""
    sees_places: bool
    """False where its settings tell that it has no vector for each place of a picture."""


def look_up_model(name: str) -> ModelFacts:
    """What a published model is, what it needs, and whether that is on this machine.

    Args:
        name: see `toolkit.subjects.clip.names`; `/pretrained` may follow.

    Raises:
        ToolkitError: unknown to open_clip, or a folder without readable settings.
    """
    name = name.removesuffix(f"/{SEED}")
    given = name.partition(":")[2]
    if name.startswith(TRANSFORMERS):
        return _transformers(name, given)
    if Path(given).is_dir():
        return _open_clip_folder(name, names.open_clip_folder(given))
    found = names.look_up_open_clip(given)
    return ModelFacts(
        name=name,
        library=_library("open_clip_torch", "pip install 'mevgs-toolkit[clip]'"),
        needs=tuple(f"{one} of the Hugging Face Hub" for one in found.models),
        place=_cache(),
        folder=found.weights.parent if found.weights and not found.fetch else None,
        problem=names.not_here(name, " && ".join(found.fetch)) if found.fetch else None,
        sees_places=_has_patches(found.settings),
    )


def _transformers(name: str, given: str) -> ModelFacts:
    from toolkit.subjects.clip.transformers import check_folder

    folder = names.transformers_folder(given)
    problem, sees = None, True
    if folder is None:
        problem = names.not_here(name, names.fetch_command(given))
    else:
        sees = "vision_config" in names.read_settings(folder / "config.json")
        try:
            check_folder(folder, folder / f"{SEED}.safetensors")
        except ToolkitError as lacking:
            problem = lacking
    is_path = Path(given).is_dir()
    return ModelFacts(
        name=name,
        library=_library("transformers", "pip install transformers"),
        needs=("config.json", "settings of the pictures", "tokenizer", "weights"),
        place=str(folder) if is_path else f"a folder {given}, or {_cache()}",
        folder=folder,
        problem=problem,
        sees_places=sees,
    )


def _open_clip_folder(name: str, folder: Path) -> ModelFacts:
    settings = names.read_settings(folder / OPEN_CLIP_CONFIG).get("model_cfg")
    text = settings.get("text_cfg") if isinstance(settings, dict) else None
    if not isinstance(settings, dict) or not isinstance(text, dict):
        raise ToolkitError(f"The settings {folder / OPEN_CLIP_CONFIG} lack model_cfg or text_cfg.")
    problem = None
    try:
        names.find_text_tower(folder, text)
    except ToolkitError as lacking:
        problem = lacking
    if not names.find_files(folder, WEIGHTS):
        problem = ToolkitError("The folder of the model lacks its weights.", given=str(folder))
    tower = text.get("hf_model_name")
    return ModelFacts(
        name=name,
        library=_library("open_clip_torch", "pip install 'mevgs-toolkit[clip]'"),
        needs=(
            OPEN_CLIP_CONFIG,
            *(["tokenizer"] if text.get("hf_tokenizer_name") else []),
            *([f"{tower}/config.json (or {tower} of the Hugging Face Hub)"] if tower else []),
            "weights",
        ),
        place=str(folder),
        folder=folder,
        problem=problem,
        sees_places=_has_patches(settings),
    )


def _has_patches(settings: Mapping[str, Any]) -> bool:
    """Whether the settings of open_clip have a picture tower that `OpenClipTowers` can read."""
    seen = settings.get("vision_cfg")
    seen = seen if isinstance(seen, dict) else {}
    if seen.get("timm_model_name"):
        return _timm_has_patches(seen["timm_model_name"])
    # Stages instead of layers: a ResNet.
    return not isinstance(seen.get("layers"), list | tuple) and not seen.get("attentional_pool")


def _timm_has_patches(name: str) -> bool:
    """Whether a tower of timm is a vision transformer; told by its structure, without weights."""
    try:
        import timm
        import torch

        with torch.device("meta"):
            return hasattr(timm.create_model(name), "num_prefix_tokens")
    except (ImportError, RuntimeError):
        return True  # That nothing can be told is said when it is loaded.


def _library(package: str, install: str) -> str:
    """A library with its version, or how to install it."""
    try:
        return f"{package} {version(package)}"
    except PackageNotFoundError:
        return f"{package}, which is not installed: {install}"


def _cache() -> str:
    """Where models of the Hub lie."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return f"the cache of the Hugging Face Hub, {HF_HUB_CACHE}"
