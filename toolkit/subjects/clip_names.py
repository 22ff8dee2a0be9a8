"""Published CLIP models by name: `openclip:NAME/TAG`, `openclip:FOLDER`, `transformers:NAME`.

A model that is named so is a population of one subject, called `pretrained`. Nothing is ever
downloaded: the files lie in a folder, or in the cache of the Hugging Face Hub, where `hf download`
puts them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from toolkit.errors import ToolkitError, unknown_name
from toolkit.subjects.hub import in_hub_cache
from toolkit.subjects.populations import Population

OPEN_CLIP = "openclip:"
"""Before a model and a tag of open_clip, or a folder with an `open_clip_config.json`."""
TRANSFORMERS = "transformers:"
"""Before a model of the Hub, or a folder, that transformers can read."""
SEED = "pretrained"
"""Name of the only subject of such a population."""
OPEN_CLIP_CONFIG = "open_clip_config.json"
_WEIGHTS = ("*.safetensors", "*.safetensors.index.json", "*.bin", "*.bin.index.json", "*.pt")
_TEXT_FILES = ("config.json", "tokenizer.json", "tokenizer_config.json", "*.model", "vocab.*")


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
        folder = _folder_or_hub(given)
        _require(folder, "config.json")
        files = find_files(folder, ("*.json", *_WEIGHTS, *_TEXT_FILES))
        return _population(name, "transformers", "load_subject", folder, files)
    if Path(given).is_dir():
        folder = Path(given).absolute()
        _require(folder, OPEN_CLIP_CONFIG)
        files = find_files(folder, ("*.json", *_WEIGHTS, *_TEXT_FILES))
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
    open_clip = import_open_clip()
    model, _, tag = given.partition("/")
    tagged: dict[str, list[str]] = {}
    for known, its_tag in open_clip.list_pretrained():
        tagged.setdefault(known, []).append(its_tag)
    if model not in tagged:
        raise unknown_name("open_clip model or folder", model, list(tagged))
    if tag not in tagged[model]:
        raise unknown_name(f"tag of open_clip model {model}", tag, tagged[model])
    repository, _, file = open_clip.get_pretrained_cfg(model, tag)["hf_hub"].rpartition("/")
    patterns = (f"{Path(file).stem}.*",) if file else ("open_clip*.safetensors", "open_clip*.bin")
    folder = in_hub_cache(repository)
    weights = find_files(folder, patterns) if folder else []
    fetch = [] if weights else [f"hf download {repository}"]
    settings = open_clip.get_model_config(model)["text_cfg"]
    named, text = settings.get("hf_tokenizer_name"), None
    if named:
        text = find_text_folder(named, needed="config.json" if "hf_model_name" in settings else "*")
        if text is None:
            fetch.append(f"hf download {named} --exclude '*.bin' '*.h5' '*.msgpack' '*.onnx'")
    if fetch:
        raise _not_here(f"{OPEN_CLIP}{given}", fetch)
    return weights[0], text


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


def _folder_or_hub(given: str) -> Path:
    """A folder, or that of a model in the Hub's cache."""
    if Path(given).is_dir():
        return Path(given).absolute()
    folder = in_hub_cache(given)
    if folder is None:
        raise _not_here(f"{TRANSFORMERS}{given}", [f"hf download {given}"])
    return folder


def _not_here(name: str, fetch: Sequence[str]) -> ToolkitError:
    """The error for a model whose files are not on this machine."""
    from huggingface_hub.constants import HF_HUB_CACHE

    return ToolkitError(
        f"The model {name!r} is not on this machine, and nothing is downloaded unasked.",
        given=name,
        allowed=f"a folder, or a model in the cache of the Hugging Face Hub, {HF_HUB_CACHE}",
        next_command=" && ".join(fetch),
    )


def _require(folder: Path, name: str) -> None:
    """Refuse a folder without its settings."""
    if not (folder / name).is_file():
        raise ToolkitError(
            f"The folder of the model lacks {name}.",
            given=str(folder),
            allowed=f"{TRANSFORMERS} before a folder with config.json, "
            f"{OPEN_CLIP} before one with {OPEN_CLIP_CONFIG}",
        )


def _population(
    name: str, library: str, factory: str, folder: Path, files: Sequence[Path]
) -> Population:
    """A population of the one subject that the files are."""
    return Population(
        name=name,
        languages=(),
        seeds=(SEED,),
        description=f"A published model, read by {library}.",
        factory=f"toolkit.subjects.clip:{factory}",
        folder=folder,
        further=tuple(files),
    )
