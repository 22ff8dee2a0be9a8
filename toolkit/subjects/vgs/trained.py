"""Towers of the width of real backbones that have learnt, with the least arithmetic to ask them.

Layer normalisation follows the input projection. Its mean is linear in the features and is taken
off the weights once; its deviation, scale and shift are applied to what is pooled, so that nothing
is done to every position but the projection, the square of what comes of it, and two products with
as many columns as there are heads. The projection is asked for as a convolution with kernels of one
position: the library behind torch's convolutions uses all that a processor has whoever made it, the
one behind its matrix products half of that on some (AVX-512 on AMD's).

Sums are added up in another order than in `toolkit.subjects.vgs.towers`, so that last digits are
others (tests hold both against each other). Narrower towers keep the digits that the results of the
included populations are known by, and learning its own.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from toolkit.subjects.vgs.towers import TransformerPooling

WIDE = 512
"""Channels of features from which on towers are asked like this; those of the included backbones
have fewer, those of WavLM and of ResNet-50 more."""


class TrainedPooling:
    """A pooling whose weights stay as they are, on a processor.

    Args:
        pool: what was trained; in evaluation mode.

    Example:
        >>> from toolkit.subjects.vgs.config import NetworkConfig
        >>> pool = TransformerPooling(5, NetworkConfig(word_dim=5, picture_dim=7, embedding=3))
        >>> trained = TrainedPooling(pool.eval())
        >>> trained.embedded(trained.clips(torch.zeros(2, 11, 5)).numpy()).shape
        (2, 3)
    """

    def __init__(self, pool: TransformerPooling) -> None:
        self._pool, norm = pool, pool.layer.norm1
        with torch.no_grad():
            weight = pool.proj_in.weight - pool.proj_in.weight.mean(dim=0)
            self._kernels = weight[:, :, None, None]
            self._bias = pool.proj_in.bias - pool.proj_in.bias.mean()
            self._first = norm(pool.class_embedding)
            probe = pool.probe(self._first)
            self._probe = (norm.weight.unsqueeze(1) * probe).T.contiguous()
            self._beside = (norm.bias @ probe).unsqueeze(1)
            self._own = (self._first @ probe).unsqueeze(1)

    @property
    def columns(self) -> int:
        """Numbers that are gathered of each clip or picture."""
        return self._probe.numel()

    @torch.inference_mode()
    def clips(self, features: Tensor) -> Tensor:
        """What the class position gathers from clips of one length.

        Args:
            features: float32, (n, frames, channels).

        Returns:
            Shape (n, columns).
        """
        return self._gathered(features.transpose(1, 2))

    @torch.inference_mode()
    def pictures(self, maps: Tensor) -> Tensor:
        """What the class position gathers from pictures.

        Args:
            maps: float32, (m, channels, height, width).

        Returns:
            Shape (m, columns).
        """
        return self._gathered(maps.flatten(2))

    @torch.inference_mode()
    def embedded(self, gathered: NDArray[np.float32]) -> NDArray[np.float32]:
        """Embeddings; of many at once, as weights are the larger part of what must be read.

        Args:
            gathered: what `clips` or `pictures` gave, (n, columns).

        Returns:
            Shape (n, embedding), not normalised.
        """
        each = torch.from_numpy(gathered).view(len(gathered), *self._probe.shape)
        total = torch.ones_like(each[:, :, :1])
        return self._pool.leave(self._pool.valued(each, total)).numpy()

    def _gathered(self, features: Tensor) -> Tensor:
        """What is gathered, (n, columns), from features (n, channels, positions)."""
        projected = functional.conv2d(features.unsqueeze(3), self._kernels, self._bias).squeeze(3)
        norm, (n, width, _) = self._pool.layer.norm1, projected.shape
        squares = projected.square().sum(dim=1, keepdim=True)
        inverse = squares.div_(width).add_(norm.eps).rsqrt_()
        logits = torch.bmm(self._probe.expand(n, -1, -1), projected).mul_(inverse)
        own = self._own.expand(n, -1, 1)
        shares = torch.cat([own, logits.add_(self._beside)], dim=2).softmax(dim=2)
        first, others = shares[:, :, :1], shares[:, :, 1:]
        gathered = torch.bmm(others * inverse, projected.transpose(1, 2)).mul_(norm.weight)
        return gathered.add_((1 - first) * norm.bias).add_(first * self._first).flatten(1)
