"""Network families: the same two towers, different scoring and objective; one class for each.

Re-implemented from the description of the published experiment (Oneata, Nortje, Matusevych and
Kamper, Interspeech 2025, arXiv 2506.04037) and its predecessor (Nortje et al., TACL 2024,
arXiv 2403.13922). The names of parameters are those of the published checkpoints.

`toolkit.subjects.vgs.family` says what a family is asked; `FAMILIES` holds all of them by name.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, cast

from toolkit.subjects.vgs.family import Family, Paired

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from toolkit.subjects.vgs.family import Network, Settings

SCALE_LIMIT = 100.0
"""Bound of the temperature of `CLIP`."""
CROSS_WEIGHT = 0.005
"""Weight of the correlations between different dimensions in `BarLIP`, as published."""
BATCH_NORM_EPS = 1e-5
"""Added to variances before the root; the default of torch, which the published code keeps."""


class CLIP(Paired):
    """Cosine similarity times a learnt temperature, trained against negatives."""

    name = "clip"
    parameters = ("logit_scale",)

    def score(
        self,
        state: Mapping[str, NDArray[Any]],
        words: NDArray[np.float32],
        pictures: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Score embeddings, see `Family.score`."""
        import numpy as np

        scale = np.float32(self.scale(state))
        scores: NDArray[np.float32] = scale * (_unit(words) @ _unit(pictures).T)
        return scores

    def scale(self, state: Mapping[str, Any]) -> float:
        """The number that cosine similarities are multiplied with, see `NetworkConfig.temperature`.

        Args:
            state: has `logit_scale`, a scalar.

        Example:
            >>> from toolkit.subjects.vgs.config import NetworkConfig
            >>> CLIP(NetworkConfig(5, 7, temperature="capped")).scale({"logit_scale": 0.0})
            1.0
            >>> CLIP(NetworkConfig(5, 7, temperature="published")).scale({"logit_scale": 0.0})
            100.0
        """
        learnt = math.exp(float(state["logit_scale"]))
        if self.config.temperature == "published":
            return max(learnt, SCALE_LIMIT)
        return min(learnt, SCALE_LIMIT)

    def scale_of(self, network: Network) -> Tensor:
        """The same number as training sees it."""
        learnt: Tensor = network.get_parameter("logit_scale").exp()
        if self.config.temperature == "published":
            return learnt.clamp(min=SCALE_LIMIT)
        return learnt.clamp(max=SCALE_LIMIT)

    def parts(self) -> dict[str, nn.Parameter | nn.Module]:
        """The temperature, on a logarithmic scale."""
        import torch

        return {"logit_scale": torch.nn.Parameter(torch.tensor(math.log(1 / 0.07)))}

    def similarity(self, network: Network, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""
        from torch.nn import functional

        words = functional.normalize(words, dim=-1)
        pictures = functional.normalize(pictures, dim=-1)
        return self.scale_of(network) * (words @ pictures.transpose(-1, -2))


class CLIPTwoAudios(CLIP):
    """`CLIP` with language links: a word is also drawn to its translation.

    The objective is the mean of three: each language with the pictures, and the two languages.
    """

    name = "clip-two-audios"
    links = True
    smooths_labels = False
    published_kind = "clip-lang-links"
    pairs = ((0, 1), (2, 1), (0, 2))


class MattNet(Paired):
    """Dot product without normalisation, trained against negatives."""

    name = "mattnet"

    def score(
        self,
        state: Mapping[str, NDArray[Any]],
        words: NDArray[np.float32],
        pictures: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Score embeddings, see `Family.score`.

        Example:
            >>> import numpy as np
            >>> from toolkit.subjects.vgs.config import NetworkConfig
            >>> config = NetworkConfig(word_dim=5, picture_dim=7, embedding=2, family="mattnet")
            >>> words, pictures = np.ones((1, 2), "f"), np.array([[1, 2], [3, 4]], "f")
            >>> family_of(config).score({}, words, pictures).tolist()
            [[3.0, 7.0]]
        """
        return words @ pictures.T

    def similarity(self, network: Network, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""
        return words @ pictures.transpose(-1, -2)

    def similarity_of_positions(self, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of embeddings that keep their positions (frames, places of a picture).

        The towers here give one position, for which both poolings are the plain dot product.

        Args:
            words: shape (..., n, d, a).
            pictures: shape (..., m, d, b).

        Returns:
            Shape (..., n, m): the dot product of the means over positions for the pooling
            `features-avg`, the largest dot product of any two positions for `scores-max`.

        Example:
            >>> import torch
            >>> from toolkit.subjects.vgs.config import NetworkConfig
            >>> config = NetworkConfig(5, 7, family="mattnet", pooling="scores-max")
            >>> words = torch.tensor([[[1.0, -1.0]]])
            >>> MattNet(config).similarity_of_positions(words, 2 * words)
            tensor([[2.]])
        """
        import torch

        if self.config.pooling == "features-avg":
            return words.mean(dim=-1) @ pictures.mean(dim=-1).transpose(-1, -2)
        return torch.einsum("...nda,...mdb->...nmab", words, pictures).amax(dim=(-2, -1))


class BarLIP(Family):
    """Minus the squared distance of batch-normalised embeddings, trained without negatives."""

    name = "barlip"
    needs_negatives = False
    smooths_labels = False
    # Normalised batches make some gradients zero but for rounding, and Adam follows even these:
    # trained in another order of sums, such weights come out differently, at every update.
    seeds_together = False
    parameters = tuple(
        f"{norm}.running_{what}" for norm in ("bn_audio", "bn_image") for what in ("mean", "var")
    )
    published_kind = "barlip"

    def score(
        self,
        state: Mapping[str, NDArray[Any]],
        words: NDArray[np.float32],
        pictures: NDArray[np.float32],
    ) -> NDArray[np.float32]:
        """Score embeddings, see `Family.score`."""
        import numpy as np
        from scipy.spatial.distance import cdist

        own, others = (
            (vectors - state[f"{norm}.running_mean"].astype(np.float64))
            / np.sqrt(state[f"{norm}.running_var"].astype(np.float64) + BATCH_NORM_EPS)
            for norm, vectors in (("bn_audio", words), ("bn_image", pictures))
        )
        scores: NDArray[np.float32] = -cdist(own, others, "sqeuclidean").astype(np.float32)
        return scores

    def parts(self) -> dict[str, nn.Parameter | nn.Module]:
        """The means and variances of both modalities."""
        from torch import nn

        return {
            norm: nn.BatchNorm1d(self.config.embedding, eps=BATCH_NORM_EPS, affine=False)
            for norm in ("bn_audio", "bn_image")
        }

    def similarity(self, network: Network, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m).

        Means and variances are those kept from training, whatever is scored together.
        """
        import torch
        from torch.nn import functional

        def normalised(norm: nn.BatchNorm1d, vectors: Tensor) -> Tensor:
            flat = vectors.reshape(-1, vectors.shape[-1])
            flat = functional.batch_norm(flat, norm.running_mean, norm.running_var, eps=norm.eps)
            return flat.view(vectors.shape)

        bn_audio, bn_image = self._norms(network)
        words, pictures = normalised(bn_audio, words), normalised(bn_image, pictures)
        # Through the matrix product, small distances would drown in rounding.
        distances = torch.cdist(words, pictures, compute_mode="donot_use_mm_for_euclid_dist")
        return -distances.square()

    def _loss(
        self,
        network: Network,
        words: Tensor,
        pictures: Tensor,
        second_words: Tensor | None,
        label_smoothing: float,
    ) -> Tensor:
        """Distance of the words' and pictures' cross-correlation from the identity.

        After Barlow Twins (Zbontar et al., 2021, arXiv 2103.03230): the squared distances of the
        diagonal from 1, plus `CROSS_WEIGHT` times the squares of all other correlations. Only the
        first word and first picture of every item count. While training, the items themselves
        give means and variances.
        """
        bn_audio, bn_image = self._norms(network)
        own, others = bn_audio(words[:, 0]), bn_image(pictures[:, 0])
        correlation = own.T @ others / len(own)
        diagonal = (correlation.diagonal() - 1).square().sum()
        cross = correlation.square().sum() - correlation.diagonal().square().sum()
        out: Tensor = diagonal + CROSS_WEIGHT * cross
        return out

    def _norms(self, network: Network) -> tuple[nn.BatchNorm1d, nn.BatchNorm1d]:
        bn_audio, bn_image = (network.get_submodule(norm) for norm in ("bn_audio", "bn_image"))
        return cast("nn.BatchNorm1d", bn_audio), cast("nn.BatchNorm1d", bn_image)


FAMILIES: Mapping[str, type[Family]] = {
    family.name: family for family in (CLIP, CLIPTwoAudios, MattNet, BarLIP)
}
"""All families by name."""


def family_of(config: Settings) -> Family:
    """The family of a network.

    Args:
        config: shape and scoring of the network.
    """
    return FAMILIES[config.family](config)


def family_with(names: Collection[str]) -> type[Family]:
    """The family of a network that has these parameters.

    Language links change nothing but training, so networks with them and without are alike.

    Args:
        names: the published names of all its parameters.

    Example:
        >>> family_with(["logit_scale", "audio_enc.pool.class_embedding"]).name
        'clip'
        >>> family_with(["audio_enc.pool.class_embedding"]).name
        'mattnet'
    """
    most_first = sorted(FAMILIES.values(), key=lambda family: -len(family.parameters))
    return next(
        family
        for family in most_first
        if not family.parameters or not set(family.parameters).isdisjoint(names)
    )


def listed() -> str:
    """All names, as a sentence lists them.

    Example:
        >>> listed()
        'clip, clip-two-audios (language links), mattnet or barlip'
    """
    names = [f"{name} (language links)" if one.links else name for name, one in FAMILIES.items()]
    return f"{', '.join(names[:-1])} or {names[-1]}"


def _unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale (n, d) vectors to length one; the bound keeps zero vectors finite."""
    import numpy as np

    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    unit: NDArray[np.float32] = (vectors / np.maximum(length, 1e-12)).astype(np.float32, copy=False)
    return unit
