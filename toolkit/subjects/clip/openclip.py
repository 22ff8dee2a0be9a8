"""Models of open_clip, read from this machine. Loaded when a model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError
from toolkit.subjects.clip.names import (
    OPEN_CLIP,
    OPEN_CLIP_CONFIG,
    find_open_clip,
    find_text_tower,
    import_open_clip,
    read_settings,
)

if TYPE_CHECKING:
    from PIL.Image import Image


class OpenClipTowers:
    """A model with text features and patch tokens.

    The text tower of a folder may be named by a folder inside it, which then holds the tower's
    `config.json`; a tokenizer from transformers lies in the model's folder itself.

    Args:
        name: `openclip:NAME/TAG` or `openclip:FOLDER`.
        device: where it computes.

    Raises:
        ToolkitError: files that are missing or cannot be read, weights that do not fit, or a model
            without patch tokens.
    """

    def __init__(self, name: str, device: Device = CPU) -> None:
        from safetensors import SafetensorError

        open_clip = import_open_clip()
        given = name.removeprefix(OPEN_CLIP)
        try:
            if Path(given).is_dir():
                self.model, self.tokenizer = _from_folder(open_clip, Path(given).absolute())
            else:
                self.model, self.tokenizer = _from_tag(open_clip, given)
        except (OSError, ValueError, KeyError, RuntimeError, TypeError, SafetensorError) as error:
            first = str(error).strip().partition("\n")[0]
            raise ToolkitError(f"open_clip cannot read the model: {first}", given=name) from error
        self.device = device
        self.model = device.put(self.model.eval())
        self.visual = self.model.visual
        self.transform = open_clip.transform.image_transform_v2(
            open_clip.transform.PreprocessCfg(**self.visual.preprocess_cfg), is_train=False
        )
        self.is_plain = getattr(self.visual, "attn_pool", self) is None
        if self.is_plain:
            self.visual.output_tokens = True
        elif not hasattr(getattr(self.visual, "trunk", None), "num_prefix_tokens"):
            raise ToolkitError(
                f"The picture tower {type(self.visual).__name__} has no patch tokens in the space "
                "of texts.",
                given=name,
                allowed="a model with a vision transformer, such as "
                f"{OPEN_CLIP}xlm-roberta-base-ViT-B-32/laion5b_s13b_b90k",
            )

    def texts(self, texts: Sequence[str]) -> Any:
        """Embed texts, (n, d); the tokenizer fills them up to the same length."""
        return self.model.encode_text(self.device.to(self.tokenizer(list(texts))))

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Subword tokens of every text, special tokens not counted."""
        inner = getattr(self.tokenizer, "tokenizer", None)
        if inner is None:
            return [len(self.tokenizer.encode(text)) for text in texts]
        cleaned = [self.tokenizer.clean_fn(text) for text in texts]
        return [len(ids) for ids in inner(cleaned, add_special_tokens=False)["input_ids"]]

    def prepare(self, pictures: Sequence[Image]) -> Any:
        """Pictures as the model's own settings have them, (m, 3, height, width)."""
        import torch

        return torch.stack([self.transform(picture) for picture in pictures])

    def places(self, pixels: Any) -> Any:
        """Embed the patches, (m, h, w, d)."""
        pixels = self.device.to(pixels)
        if self.is_plain:
            _, tokens = self.visual(pixels)
            height, width = self.visual.grid_size
            tokens = tokens[:, tokens.shape[1] - height * width :]
            if self.visual.final_ln_after_pool:
                tokens = self.visual.ln_post(tokens)
            projected = tokens if self.visual.proj is None else tokens @ self.visual.proj
            return projected.reshape(len(pixels), height, width, -1)
        trunk = self.visual.trunk
        tokens = trunk.forward_features(pixels)
        tall, wide = trunk.patch_embed.patch_size
        height, width = pixels.shape[-2] // tall, pixels.shape[-1] // wide
        patches = tokens[:, tokens.shape[1] - height * width :].reshape(-1, 1, tokens.shape[-1])
        # The head pools over what follows the prefix, or takes the prefix: both are the patch.
        alone = patches.expand(-1, trunk.num_prefix_tokens + 1, -1)
        pooled = self.visual.head(trunk.forward_head(alone))
        return pooled.reshape(len(pixels), height, width, -1)


def _from_folder(open_clip: Any, folder: Path) -> tuple[Any, Any]:
    """Model and tokenizer of a folder in the layout of open_clip."""
    name = f"local-dir:{folder}"
    text = read_settings(folder / OPEN_CLIP_CONFIG)["model_cfg"]["text_cfg"]
    tower = find_text_tower(folder, text)
    changed = _text_from(text, tower) if tower else {}
    model = open_clip.create_model(name, require_pretrained=True, **changed)
    return model, open_clip.get_tokenizer(name)


def _from_tag(open_clip: Any, given: str) -> tuple[Any, Any]:
    """Model and tokenizer that open_clip knows by model and tag, from the Hub's cache."""
    weights, text_folder = find_open_clip(given)
    name, _, tag = given.partition("/")
    told = open_clip.get_pretrained_cfg(name, tag)
    pictures = {key: told[key] for key in ("mean", "std", "interpolation", "resize_mode")}
    text = open_clip.get_model_config(name)["text_cfg"]
    model = open_clip.create_model(
        name,
        pretrained=str(weights),
        force_quick_gelu=told.get("quick_gelu", False),
        force_preprocess_cfg=pictures,
        require_pretrained=True,
        **(_text_from(text, text_folder) if text.get("hf_model_name") else {}),
    )
    if text_folder is None:
        return model, open_clip.get_tokenizer(name)
    tokenizer = open_clip.tokenizer.HFTokenizer(
        str(text_folder),
        context_length=text.get("context_length", open_clip.tokenizer.DEFAULT_CONTEXT_LENGTH),
        tokenizer_mode=text.get("tokenizer_mode"),
        **text.get("tokenizer_kwargs", {}),
    )
    return model, tokenizer


def _text_from(text: dict[str, Any], folder: Path | None) -> dict[str, Any]:
    """Settings of a text tower that is built from a folder, without weights of its own."""
    return {"text_cfg": text | {"hf_model_name": str(folder), "hf_model_pretrained": False}}
