"""CLIP models as subjects that read text and see places.

Every patch of a picture gets a vector in the space of the texts, as the multilingual CLIP study
does it (arXiv 2605.09060, after MaskCLIP, Zhou et al. 2022): what the network does to its pooled
token at the very end, it does to each patch token of the last layer alone. In a CLIP that is the
last layer norm and the visual projection; in a SigLIP, whose pooling head attends to the patches,
it is the head with one patch to attend to. No layer is changed or left out. Pictures come as
squares (`toolkit.running.embedding_store`), and all of a square is seen.

All vectors have length one, so that their products are cosine similarities. Everything is computed
in single precision (unless another is asked for on a card), in small batches of equal shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import numpy as np

from toolkit.devices import CPU, Alike, Device
from toolkit.errors import ToolkitError, first_line
from toolkit.subjects.contract import Floats, Picture
from toolkit.subjects.population import Population

if TYPE_CHECKING:
    from PIL.Image import Image

PICTURES_AT_ONCE = 4
TEXTS_AT_ONCE = 64
_TEXT_BYTES, _PICTURE_BYTES = 4 * 77 * 512, 4 * 3 * 224 * 224
"""Of one as a network of the usual size takes it, to guess how many fit on a card."""

One = TypeVar("One")


class Towers(Protocol):
    """The two halves of a CLIP model, as a library offers them; tensors of torch throughout."""

    def texts(self, texts: Sequence[str]) -> Any:
        """Embed texts, (n, d)."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Subword tokens of every text, special tokens not counted."""
        ...

    def prepare(self, pictures: Sequence[Image]) -> Any:
        """Pictures as the network takes them, (m, 3, height, width)."""
        ...

    def places(self, pixels: Any) -> Any:
        """Embed the patches of prepared pictures, (m, h, w, d)."""
        ...


class DenseCLIP:
    """Reads text and sees places; torch and the model are loaded when first needed.

    Args:
        open_towers: loads the model, to compute on a device.
        device: which one.
    """

    def __init__(self, open_towers: Callable[[Device], Towers], device: Device = CPU) -> None:
        self._open, self._device = open_towers, device

    def on(self, device: Device) -> DenseCLIP:
        """The same subject, computing on a device."""
        return DenseCLIP(self._open, device)

    @cached_property
    def towers(self) -> Towers:
        """The model, loaded when first needed."""
        with _told():
            return self._open(self._device)

    def embed_text(self, texts: Sequence[str]) -> Floats:
        """Embed words or phrases.

        Args:
            texts: in any language.

        Returns:
            Shape (n, d), float32, every row of length one, in the order given.

        Raises:
            ToolkitError: no text at all, or the model's files cannot be read.
        """
        if not texts:
            raise ToolkitError("There is no text to embed.")
        # The first alone: tokenizers take on their settings in it, which must not change while
        # another thread uses them.
        parts = texts[:TEXTS_AT_ONCE], texts[TEXTS_AT_ONCE:]
        embed = self.towers.texts
        return np.concatenate(
            [self._unit(embed, Alike(some, TEXTS_AT_ONCE, _TEXT_BYTES)) for some in parts if some]
        )

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Count the subword tokens of texts, special tokens left out.

        Tokens per word are a tokenizer's fertility in a language (Rust et al. 2021).

        Args:
            texts: in any language.
        """
        with _told():
            return self.towers.count_tokens(texts)

    def embed_patches(self, pictures: Sequence[Picture]) -> Floats:
        """Embed every place of pictures.

        Args:
            pictures: RGB, uint8, each of shape (side, side, 3).

        Returns:
            Shape (m, h, w, d), float32, every place of length one, in the order given.

        Raises:
            ToolkitError: no picture at all, a model without patch tokens, or one whose files
                cannot be read.
        """
        if not len(pictures):
            raise ToolkitError("There is no picture to embed.")
        from PIL import Image

        towers = self.towers

        def patches(some: Sequence[Picture]) -> Any:
            images = [Image.fromarray(np.asarray(picture, dtype=np.uint8)) for picture in some]
            return towers.places(towers.prepare(images))

        return self._unit(patches, Alike(pictures, PICTURES_AT_ONCE, _PICTURE_BYTES))

    def _unit(self, embed: Callable[[Sequence[One]], Any], items: Alike[One]) -> Floats:
        """Embed portion after portion, and scale the last dimension to length one."""
        from torch.nn.functional import normalize

        made = self._device.portions(lambda some: normalize(embed(some).float(), dim=-1), items)
        with _told():
            unit: Floats = np.concatenate([vectors.cpu().numpy() for _, vectors in made])
        if not np.isfinite(unit).all():
            raise ToolkitError("The model gives values that are not finite.")
        return unit


def load_subject(population: Population, seed: str) -> DenseCLIP:
    """A CLIP or SigLIP model in the layout of transformers; a factory for `population.toml`.

    Args:
        population: its folder holds `config.json`, the settings of the tokenizer and of the
            pictures, and the weights as `<seed>.safetensors` or as transformers names them.
        seed: one of its seeds.

    Raises:
        ToolkitError: a file is missing or was changed. The rest shows when the model is loaded.
    """
    from toolkit.subjects.clip.transformers import TransformersTowers, check_folder

    folder = population.file("config.json").parent
    for path in population.files(seed):
        population.verified(path.name)
    weights = folder / f"{seed}.safetensors"
    check_folder(folder, weights)
    return DenseCLIP(lambda device: TransformersTowers(folder, weights, device))


def load_open_clip(population: Population, seed: str) -> DenseCLIP:
    """A model of open_clip; the factory of populations named `openclip:...`.

    Args:
        population: see `toolkit.subjects.clip.names`.
        seed: its only one.

    Raises:
        ToolkitError: open_clip is not installed, or files are missing. The rest shows when the
            model is loaded.
    """
    from toolkit.subjects.clip.names import import_open_clip
    from toolkit.subjects.clip.openclip import OpenClipTowers

    import_open_clip()
    return DenseCLIP(lambda device: OpenClipTowers(population.name, device))


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong inside the libraries, as a fault of the model's files.

    Settings that cannot be make them raise whatever they happen to stumble over, some only when the
    model is asked.
    """
    try:
        yield
    except ToolkitError:
        raise
    except Exception as error:
        raise ToolkitError(
            f"The model cannot be used; its files may be damaged: {first_line(error)}.",
            next_command="copy its folder again from where it came",
        ) from error
