"""Network families: the same two towers, different scoring and objective.

Re-implemented from the description of the published experiment (Oneata, Nortje, Matusevych and
Kamper, Interspeech 2025, arXiv 2506.04037) and its predecessor (Nortje et al., TACL 2024,
arXiv 2403.13922). The names of parameters are those of the published checkpoints.

`toolkit.subjects.scoring` scores stored embeddings in the same way, without torch.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolkit.errors import ToolkitError
from toolkit.subjects.network_config import SCALE_LIMIT, NetworkConfig
from toolkit.subjects.vgs import VGSNetwork, paired_loss

CROSS_WEIGHT = 0.005
"""Weight of the correlations between different dimensions in `BarLIP.objective`, as published."""


class CLIP(VGSNetwork):
    """Cosine similarity times a learnt temperature, trained against negatives."""

    def _add_scoring(self) -> None:
        self.logit_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))

    def scale(self) -> Tensor:
        """The number that cosine similarities are multiplied with, see `NetworkConfig`."""
        learnt: Tensor = self.logit_scale.exp()
        if self.config.temperature == "published":
            return learnt.clamp(min=SCALE_LIMIT)
        return learnt.clamp(max=SCALE_LIMIT)

    def similarity(self, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""
        words = functional.normalize(words, dim=-1)
        pictures = functional.normalize(pictures, dim=-1)
        return self.scale() * (words @ pictures.transpose(-1, -2))

    def objective(
        self, words: Tensor, pictures: Tensor, second_words: Tensor | None = None
    ) -> Tensor:
        """Two-way contrastive loss, see `paired_loss` and `VGSNetwork.objective`."""
        _no_second_words(self.config, second_words)
        return paired_loss(self, words, pictures)


class CLIPTwoAudios(CLIP):
    """`CLIP` with language links: a word is also drawn to its translation."""

    def objective(
        self, words: Tensor, pictures: Tensor, second_words: Tensor | None = None
    ) -> Tensor:
        """Mean of three losses: each language with the pictures, and the two languages.

        Raises:
            ToolkitError: `second_words` is missing.
        """
        if second_words is None:
            raise ToolkitError("The family clip-two-audios learns from words in two languages.")
        losses = [
            paired_loss(self, words, pictures),
            paired_loss(self, second_words, pictures),
            paired_loss(self, words, second_words),
        ]
        return torch.stack(losses).mean()


class MattNet(VGSNetwork):
    """Dot product without normalisation, trained against negatives."""

    def similarity(self, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""
        return words @ pictures.transpose(-1, -2)

    def objective(
        self, words: Tensor, pictures: Tensor, second_words: Tensor | None = None
    ) -> Tensor:
        """Two-way contrastive loss, see `paired_loss` and `VGSNetwork.objective`."""
        _no_second_words(self.config, second_words)
        return paired_loss(self, words, pictures)

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
            >>> config = NetworkConfig(5, 7, family="mattnet", pooling="scores-max")
            >>> words = torch.tensor([[[1.0, -1.0]]])
            >>> make_network(config).similarity_of_positions(words, 2 * words)
            tensor([[2.]])
        """
        if self.config.pooling == "features-avg":
            return self.similarity(words.mean(dim=-1), pictures.mean(dim=-1))
        return torch.einsum("...nda,...mdb->...nmab", words, pictures).amax(dim=(-2, -1))


class BarLIP(VGSNetwork):
    """Minus the squared distance of batch-normalised embeddings, trained without negatives."""

    def _add_scoring(self) -> None:
        self.bn_audio = nn.BatchNorm1d(self.config.embedding, affine=False)
        self.bn_image = nn.BatchNorm1d(self.config.embedding, affine=False)

    def similarity(self, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m).

        Means and variances are those kept from training, whatever is scored together.
        """
        words, pictures = _normalised(self.bn_audio, words), _normalised(self.bn_image, pictures)
        # Through the matrix product, small distances would drown in rounding.
        distances = torch.cdist(words, pictures, compute_mode="donot_use_mm_for_euclid_dist")
        return -distances.square()

    def objective(
        self, words: Tensor, pictures: Tensor, second_words: Tensor | None = None
    ) -> Tensor:
        """Distance of the words' and pictures' cross-correlation from the identity.

        After Barlow Twins (Zbontar et al., 2021, arXiv 2103.03230): the squared distances of the
        diagonal from 1, plus `CROSS_WEIGHT` times the squares of all other correlations. Only the
        first word and first picture of every item count. While training, the items themselves
        give means and variances.
        """
        _no_second_words(self.config, second_words)
        own, others = self.bn_audio(words[:, 0]), self.bn_image(pictures[:, 0])
        correlation = own.T @ others / len(own)
        diagonal = (correlation.diagonal() - 1).square().sum()
        cross = correlation.square().sum() - correlation.diagonal().square().sum()
        out: Tensor = diagonal + CROSS_WEIGHT * cross
        return out


_NETWORKS: dict[str, type[VGSNetwork]] = {
    "clip": CLIP,
    "clip-two-audios": CLIPTwoAudios,
    "mattnet": MattNet,
    "barlip": BarLIP,
}


def make_network(config: NetworkConfig) -> VGSNetwork:
    """A network of the family that the configuration names, with fresh weights.

    Args:
        config: shape and scoring.

    Example:
        >>> network = make_network(NetworkConfig(word_dim=5, picture_dim=7, embedding=3)).eval()
        >>> words = network.encode_words(torch.zeros(2, 11, 5))
        >>> pictures = network.encode_pictures(torch.zeros(4, 7, 3, 3))
        >>> network.similarity(words, pictures).shape
        torch.Size([2, 4])
    """
    return _NETWORKS[config.family](config)


def _normalised(norm: nn.BatchNorm1d, embeddings: Tensor) -> Tensor:
    """Embeddings (..., d) brought to the mean and variance kept from training."""
    flat = embeddings.reshape(-1, embeddings.shape[-1])
    out: Tensor = functional.batch_norm(flat, norm.running_mean, norm.running_var, eps=norm.eps)
    return out.view(embeddings.shape)


def _no_second_words(config: NetworkConfig, second_words: Tensor | None) -> None:
    if second_words is not None:
        raise ToolkitError(
            f"The family {config.family} learns from words in one language at a time.",
            allowed="clip-two-audios for language links",
        )
