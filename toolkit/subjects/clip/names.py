"""Published CLIP models by name: `openclip:NAME/TAG`, `openclip:FOLDER`, `transformers:NAME`.

A model that is named so is a population of one subject, called `pretrained`. Nothing is ever
downloaded: the files lie in a folder, or in the cache of the Hugging Face Hub, where `hf download`
puts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stimuli.limits import LAYERS, refuse_more
from stimuli.texts import json_record
from toolkit.errors import ToolkitError, nearest_name, quoted, unknown_name
from toolkit.subjects.hub import cached_names, in_hub_cache, is_hub_name
from toolkit.subjects.population import Population

OPEN_CLIP = "openclip:"
"""Before a model and a tag of open_clip, or a folder with an `open_clip_config.json`."""
TRANSFORMERS = "transformers:"
"""Before a model of the Hub, or a folder, that transformers can read."""
NAMES = (f"{OPEN_CLIP}NAME/TAG", f"{OPEN_CLIP}FOLDER", f"{TRANSFORMERS}NAME")
"""How published models are named."""
SEED = "pretrained"
"""Name of the only subject of such a population."""
OPEN_CLIP_CONFIG = "open_clip_config.json"
WEIGHTS = (
    "*.safetensors",
    "*.safetensors.index.json",
    "*.bin",
    "*.bin.index.json",
    "*.pt",
    "*.pth",
)
"""Files that hold weights, or say which ones do."""
_TEXT_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "*.model", "vocab.*")


@dataclass(frozen=True)
class OpenClipFiles:
    """Where the files lie of a model that open_clip knows by name."""

    settings: dict[str, Any]
    """Settings of its towers, `vision_cfg` and `text_cfg`."""
    models: tuple[str, ...]
    """What it needs from the Hub: its weights, and the settings of its text tower if any."""
    weights: Path | None
    """Its weights; None where they are not on this machine."""
    text: Path | None
    """Folder of the text tower's settings; None where it needs none, or where it lacks them."""
    fetch: tuple[str, ...]
    """Commands that bring what is missing; none where everything is here."""


def is_model_name(name: str) -> bool:
    """Whether a name says by its beginning that it names a published model.

    Example:
        >>> is_model_name("transformers:openai/clip-vit-base-patch32"), is_model_name("me/a")
        (True, False)
    """
    return name.startswith((OPEN_CLIP, TRANSFORMERS))


def open_model(name: str) -> Population:
    """The population that a published model is.

    Args:
        name: see the module's text; `/pretrained` may follow.

    Raises:
        ToolkitError: unknown to open_clip, or not on this machine; the message says what to fetch.
    """
    name = name.removesuffix(f"/{SEED}")
    given = name.partition(":")[2]
    if name.startswith(TRANSFORMERS):
        folder = transformers_folder(given)
        if folder is None:
            raise not_here(name, fetch_command(given))
        files = find_files(folder, ("*.json", *WEIGHTS, *_TEXT_FILES))
        return _population(name, "transformers", "load_subject", folder, files)
    if Path(given).is_dir():
        folder = open_clip_folder(given)
        files = find_files(folder, ("*.json", *WEIGHTS, *_TEXT_FILES))
        return _population(name, "open_clip", "load_open_clip", folder, files)
    weights, text = find_open_clip(given)
    files = [weights, *(find_files(text, _TEXT_FILES) if text else [])]
    return _population(name, "open_clip", "load_open_clip", weights.parent, files)


def find_open_clip(given: str) -> tuple[Path, Path | None]:
    """Weights of a model that open_clip knows, and the folder of its text tower's settings.

    Args:
        given: model and tag, such as `xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k`.

    Returns:
        The weights file; the folder is None where the text tower needs none.

    Raises:
        ToolkitError: unknown model or tag, or files that are not in the Hub's cache; then the
            message names all that are to be fetched.
    """
    found = look_up_open_clip(given)
    if found.weights is None or found.fetch:
        raise not_here(f"{OPEN_CLIP}{given}", " && ".join(found.fetch))
    return found.weights, found.text


def look_up_open_clip(given: str) -> OpenClipFiles:
    """What a model that open_clip knows needs, and what of it is on this machine.

    Args:
        given: model and tag, such as `xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k`.

    Raises:
        ToolkitError: unknown model or tag, or open_clip is not installed.
    """
    open_clip = import_open_clip()
    model, _, tag = given.partition("/")
    tagged: dict[str, list[str]] = {}
    for known, its_tag in open_clip.list_pretrained():
        tagged.setdefault(known, []).append(its_tag)
    if model not in tagged:
        _refuse_missing_folder(given)
        raise unknown_name("open_clip model or folder", model, list(tagged))
    if tag not in tagged[model]:
        raise unknown_name(f"tag of open_clip model {model}", tag, tagged[model])
    repository, _, file = open_clip.get_pretrained_cfg(model, tag)["hf_hub"].rpartition("/")
    patterns = (f"{Path(file).stem}.*",) if file else ("open_clip*.safetensors", "open_clip*.bin")
    folder = in_hub_cache(repository)
    weights = find_files(folder, patterns) if folder else []
    fetch = [] if weights else [f"hf download {repository}"]
    settings = open_clip.get_model_config(model)
    named, text = settings["text_cfg"].get("hf_tokenizer_name"), None
    if named:
        needed = "config.json" if "hf_model_name" in settings["text_cfg"] else "*"
        text = find_text_folder(named, needed=needed)
        if text is None:
            fetch.append(f"hf download {named} --exclude '*.bin' '*.h5' '*.msgpack' '*.onnx'")
    return OpenClipFiles(
        settings=settings,
        models=(repository, named) if named else (repository,),
        weights=weights[0] if weights else None,
        text=text,
        fetch=tuple(fetch),
    )


def _refuse_missing_folder(given: str) -> None:
    """Tell that a folder is not there, where what it should lie in is.

    Raises:
        ToolkitError: with the nearest name in that folder.
    """
    path = Path(given)
    if path.parent == Path() or not path.parent.is_dir():
        return
    beside = [str(one) for one in sorted(path.parent.iterdir()) if one.is_dir()]
    raise ToolkitError(
        f"There is no folder {given}.",
        given=given,
        allowed=f"a folder that holds a model; in {path.parent} there are "
        + (", ".join(Path(one).name for one in beside) or "none"),
        nearest=nearest_name(given, beside),
    )


def open_clip_folder(given: str) -> Path:
    """The folder of a model in the layout of open_clip.

    Raises:
        ToolkitError: it lacks its settings.
    """
    return _with(Path(given).absolute(), OPEN_CLIP_CONFIG)


def find_text_tower(folder: Path, text: Mapping[str, Any]) -> Path | None:
    """Folder of the settings of a text tower; None where it needs none.

    Args:
        folder: see `open_clip_folder`.
        text: its `text_cfg`.

    Raises:
        ToolkitError: the tower's settings or its tokenizer are missing.
    """
    tower, tokenizer = text.get("hf_model_name"), text.get("hf_tokenizer_name")
    found = find_text_folder(tower, beside=folder) if tower else None
    if tower and found is None:
        raise ToolkitError(
            f"The settings of the text tower {tower!r} are not on this machine, and nothing is "
            "downloaded unasked.",
            given=str(folder),
            allowed="its config.json in a folder of that name inside the model's folder, or "
            "in the cache of the Hugging Face Hub",
            next_command=f"hf download {quoted(tower)} config.json",
        )
    if tokenizer and not find_files(folder, ("tokenizer*.json", "*.model")):
        raise ToolkitError("The folder of the model lacks its tokenizer.", given=str(folder))
    return found


def read_settings(path: Path) -> dict[str, Any]:
    """Settings of a model, a JSON object.

    Args:
        path: the file.

    Raises:
        ToolkitError: it cannot be read, or tells of more layers than any network has.
    """
    settings = json_record(dict[str, Any], path)
    _refuse_endless(settings, path)
    return settings


def _refuse_endless(settings: Mapping[str, Any], path: Path) -> None:
    """Refuse a network whose layers would be laid out, one after the other, for years."""
    for name, value in settings.items():
        if isinstance(value, dict):
            _refuse_endless(value, path)
        elif "layers" in name or name == "depth":
            for n in value if isinstance(value, list) else [value]:
                if isinstance(n, int):
                    refuse_more(f"{name} in {path}", n, LAYERS)


def transformers_folder(given: str) -> Path | None:
    """A folder, or that of a model in the Hub's cache; None where there is neither.

    Args:
        given: folder or name on the Hub.

    Raises:
        ToolkitError: the folder lacks its settings.
    """
    folder = Path(given).absolute() if Path(given).is_dir() else in_hub_cache(given)
    return None if folder is None else _with(folder, "config.json")


def find_text_folder(
    name: str, beside: Path | None = None, needed: str = "config.json"
) -> Path | None:
    """Folder of the settings and the tokenizer that a text tower is named after.

    Args:
        name: a folder inside `beside`, or a name on the Hub, `xlm-roberta-base` for example.
        beside: the model's folder.
        needed: pattern of a file that it must hold.
    """
    places = [] if beside is None else [beside / name]
    # The Hub gave models without an owner one, and answers to both names.
    places += [folder for known in (name, f"FacebookAI/{name}") if (folder := in_hub_cache(known))]
    return next((folder for folder in places if any(folder.glob(needed))), None)


def import_open_clip() -> Any:
    """The open_clip library.

    Raises:
        ToolkitError: it is not installed.
    """
    try:
        import open_clip
    except ImportError as error:
        raise ToolkitError(
            "Models of open_clip need the library open_clip.",
            next_command="pip install 'mevgs-toolkit[clip]'",
        ) from error
    return open_clip


def find_files(folder: Path, patterns: Iterable[str]) -> list[Path]:
    """Files directly in a folder that fit a pattern, each once, in the order of the patterns.

    Args:
        folder: where to look.
        patterns: such as `*.safetensors`.
    """
    found = (path for pattern in patterns for path in sorted(folder.glob(pattern)))
    return list(dict.fromkeys(path for path in found if path.is_file()))


def fetch_command(given: str) -> str | None:
    """What brings a model of the Hub onto this machine; None for what can be no name there.

    Example:
        >>> fetch_command("openai/clip-vit-base-patch32"), fetch_command("./my-clip")
        ('hf download openai/clip-vit-base-patch32', None)
    """
    return f"hf download {given}" if "/" not in given or is_hub_name(given) else None


def not_here(name: str, fetch: str | None) -> ToolkitError:
    """The error for a model whose files are not on this machine.

    Args:
        name: the model, prefix included.
        fetch: command that brings it.

    Raises:
        ToolkitError: it looks like a folder that is not there.
    """
    from huggingface_hub.constants import HF_HUB_CACHE

    _refuse_missing_folder(name.partition(":")[2])
    prefix, given = name.partition(":")[::2]
    known = cached_names() if name.startswith(TRANSFORMERS) else []
    near = nearest_name(given, known)
    return ToolkitError(
        f"The model {name!r} is not on this machine, and nothing is downloaded unasked.",
        given=name,
        allowed=f"a folder, or a model in the cache of the Hugging Face Hub, {HF_HUB_CACHE}",
        nearest=f"{prefix}:{near}" if near else None,
        next_command=fetch,
    )


def _with(folder: Path, name: str) -> Path:
    """The folder, if it holds its settings."""
    if not (folder / name).is_file():
        raise ToolkitError(
            f"The folder of the model lacks {name}.",
            given=str(folder),
            allowed=f"{TRANSFORMERS} before a folder with config.json, "
            f"{OPEN_CLIP} before one with {OPEN_CLIP_CONFIG}",
        )
    return folder


def _population(
    name: str, library: str, factory: str, folder: Path, files: Sequence[Path]
) -> Population:
    """A population of the one subject that the files are."""
    return Population(
        name=name,
        languages=(),
        seeds=(SEED,),
        description=f"A published model, read by {library}.",
        factory=f"toolkit.subjects.clip.subject:{factory}",
        folder=folder,
        further=tuple(files),
    )
