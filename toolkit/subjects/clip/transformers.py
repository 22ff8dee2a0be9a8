"""CLIP and SigLIP models of transformers, read from a folder. Loaded when a model is needed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from toolkit.devices import CPU, Device
from toolkit.errors import ToolkitError, first_line
from toolkit.subjects.backbones.files import refuse_hollow
from toolkit.subjects.clip.names import find_files, read_settings

if TYPE_CHECKING:
    from PIL.Image import Image

LONGEST_TEXT = 77
"""Tokens to which texts are filled up or cut where a network would take more; CLIP's own number."""
_PICTURE_SETTINGS = ("preprocessor_config.json", "processor_config.json")
_FROM_DISK = {"local_files_only": True, "trust_remote_code": False}
"""Nothing is fetched, no code of a model's folder is run, and nobody is asked whether it may be."""
_WEIGHTS = ("model*.safetensors", "pytorch_model*.bin")


def check_folder(folder: Path, weights: Path) -> None:
    """Refuse a folder that lacks a part of the model, before anything is loaded.

    Args:
        folder: the model's folder.
        weights: file of the weights, if it is not one that transformers names.

    Raises:
        ToolkitError: what is missing.
    """
    needed = {
        " or ".join(_PICTURE_SETTINGS): _PICTURE_SETTINGS,
        "the tokenizer (tokenizer.json)": ("tokenizer*.json", "vocab.*", "*.model"),
        f"the weights ({weights.name} or model.safetensors)": (weights.name, *_WEIGHTS),
    }
    missing = [part for part, patterns in needed.items() if not find_files(folder, patterns)]
    if missing:
        raise ToolkitError(
            f"The folder of the model lacks {' and '.join(missing)}.", given=str(folder)
        )


class TransformersTowers:
    """A model with text features and patch tokens.

    Args:
        folder: its settings.
        weights: its weights; where there is no such file, those in the folder under the names of
            transformers.
        device: where it computes.

    Raises:
        ToolkitError: files that cannot be read, weights that do not fit, or another kind of model.
    """

    def __init__(self, folder: Path, weights: Path, device: Device = CPU) -> None:
        import transformers

        read_settings(folder / "config.json")
        try:
            config = transformers.AutoConfig.from_pretrained(folder, **_FROM_DISK)  # nosec B615 # local
            self.model = device.put(_load(config, folder, weights).eval().float())
            self.tokenizer = _tokenizer(folder)
            self.processor = transformers.AutoImageProcessor.from_pretrained(  # nosec B615 # local
                folder, **_FROM_DISK
            )
        except ToolkitError:
            raise
        except Exception as error:
            # Damaged settings make the library raise whatever it happens to stumble over.
            raise ToolkitError(
                f"transformers cannot read the model: {first_line(error)}", given=str(folder)
            ) from error
        seen = getattr(self.model, "vision_model", None)
        self.vision: Any = getattr(seen, "vision_model", seen)
        self.head: Any = getattr(self.vision, "head", None)
        patched = hasattr(getattr(config, "vision_config", None), "patch_size")
        if self.head is None and not hasattr(self.model, "visual_projection"):
            patched = False
        if not patched or not hasattr(self.model, "get_text_features"):
            raise ToolkitError(
                f"A model of the kind {config.model_type!r} has no patch tokens in the space of "
                "texts.",
                given=str(folder),
                allowed="CLIP or SigLIP with a vision transformer",
            )
        self.config, self.device, self.folder = config, device, folder
        self.length = min(config.text_config.max_position_embeddings, LONGEST_TEXT)

    def texts(self, texts: Sequence[str]) -> Any:
        """Embed texts, (n, d), all filled up to the same length."""
        import torch

        coded = self._coded(texts, truncation=True, max_length=self.length)
        filler = self.tokenizer.pad_token_id
        if filler is None:
            filler = self.config.text_config.pad_token_id
        shape = len(coded), self.length
        tokens, mask = torch.full(shape, filler), torch.zeros(shape, dtype=torch.long)
        for row, ids in enumerate(coded):
            tokens[row, : len(ids)] = torch.tensor(ids)
            mask[row, : len(ids)] = 1
        # SigLIP was trained to read the filling too.
        siglip = self.config.model_type.startswith("siglip")
        masked = {} if siglip else {"attention_mask": self.device.to(mask)}
        features = self.model.get_text_features(input_ids=self.device.to(tokens), **masked)
        return getattr(features, "pooler_output", features)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Subword tokens of every text, special tokens not counted."""
        return [len(ids) for ids in self._coded(texts, add_special_tokens=False)]

    def _coded(self, texts: Sequence[str], **options: Any) -> list[list[int]]:
        """Tokens of every text."""
        try:
            coded: list[list[int]] = self.tokenizer(list(texts), **options)["input_ids"]
        except BaseException as error:
            # What it panics over, as Rust calls it, is no Exception.
            if isinstance(error, Exception) or type(error).__name__ == "PanicException":
                raise ToolkitError(
                    f"The tokenizer in {self.folder} breaks down over a text: {first_line(error)}.",
                    given=texts[0] if texts else None,
                    allowed="the files of a model as they were published",
                ) from error
            raise
        return coded

    def prepare(self, pictures: Sequence[Image]) -> Any:
        """Square pictures as the model's own settings have them, (m, 3, height, width)."""
        whole = {}
        if getattr(self.processor, "do_center_crop", False):
            # Some settings enlarge a picture first and then cut its border off.
            whole = {"size": dict(self.processor.crop_size), "do_center_crop": False}
        made = self.processor(images=list(pictures), return_tensors="pt", **whole)
        return made["pixel_values"]

    def places(self, pixels: Any) -> Any:
        """Embed the patches, (m, h, w, d)."""
        tokens = self.vision(pixel_values=self.device.to(pixels)).last_hidden_state
        size = self.config.vision_config.patch_size
        height, width = pixels.shape[-2] // size, pixels.shape[-1] // size
        tokens = tokens[:, tokens.shape[1] - height * width :]
        if self.head is not None:
            alone = self.head(tokens.reshape(-1, 1, tokens.shape[-1]))
            return alone.reshape(len(pixels), height, width, -1)
        projected = self.model.visual_projection(self.vision.post_layernorm(tokens))
        return projected.reshape(len(pixels), height, width, -1)


def _load(config: Any, folder: Path, weights: Path) -> Any:
    """The network with its weights; random ones never stand in for any."""
    import torch
    import transformers
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    with torch.device("meta"):
        sketch = transformers.AutoModel.from_config(config)
    refuse_hollow(sketch, [weights] if weights.is_file() else find_files(folder, _WEIGHTS))
    if weights.is_file():
        model = transformers.AutoModel.from_config(config)
        try:
            model.load_state_dict(load_file(weights))
        except SafetensorError as error:
            raise ToolkitError(f"{weights} is not a readable safetensors file: {error}.") from error
        return model
    model, told = transformers.AutoModel.from_pretrained(  # nosec B615 # local
        folder, output_loading_info=True, **_FROM_DISK
    )
    if told["missing_keys"]:
        shown = ", ".join(sorted(told["missing_keys"])[:3])
        raise ToolkitError(
            f"The weights do not fit the model: {len(told['missing_keys'])} are missing, such as "
            f"{shown}.",
            given=str(folder),
        )
    return model


def _tokenizer(folder: Path) -> Any:
    """The tokenizer; one that is described by `tokenizer.json` alone is taken as it stands."""
    import transformers

    alone = folder / "tokenizer.json"
    if alone.is_file() and not (folder / "tokenizer_config.json").is_file():
        return transformers.PreTrainedTokenizerFast(tokenizer_file=str(alone))
    return transformers.AutoTokenizer.from_pretrained(folder, **_FROM_DISK)  # nosec B615 # local
