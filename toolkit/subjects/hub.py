"""Models of the Hugging Face Hub that lie on this machine; nothing is ever fetched."""

from __future__ import annotations

from pathlib import Path


def is_hub_name(name: str) -> bool:
    """Whether a name looks like one on the Hub: owner and model, no other slash.

    Args:
        name: for example `microsoft/wavlm-base-plus`.

    Example:
        >>> is_hub_name("microsoft/wavlm-base-plus"), is_hub_name("./my-ear"), is_hub_name("ear")
        (True, False, False)
    """
    owner, slash, model = name.partition("/")
    return bool(slash and owner.strip(".~") and model) and "/" not in model


def cached_names() -> list[str]:
    """Names of the models in the local cache, sorted."""
    from huggingface_hub.constants import HF_HUB_CACHE

    found = sorted(Path(HF_HUB_CACHE).glob("models--*"))
    return [path.name.removeprefix("models--").replace("--", "/") for path in found]


def in_hub_cache(name: str) -> Path | None:
    """Folder of a Hub model in the local cache; None when it was never fetched.

    Args:
        name: owner and model.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        folder = snapshot_download(name, local_files_only=True)  # nosec B615 # only looks it up
    except (LocalEntryNotFoundError, HFValidationError):
        return None
    return Path(folder)
