"""The two towers of a visually grounded speech network: word and picture in one space.

How embeddings are scored, and what training makes small, is in `toolkit.subjects.vgs.families`.

Re-implemented from the description in Oneata, Nortje, Matusevych and Kamper (Interspeech 2025,
"The mutual exclusivity bias of bilingual visually grounded speech models", section 3). Parameter
names are those of the published checkpoints, so that a published state dict loads unchanged.

Only the class position leaves the single transformer layer, and the class token is the same for
every input. Its query is therefore one vector, and keys and values need never be formed for every
position: attention weights are products of the positions with one vector per head, and the value
projection is applied once, after pooling. The result is that of the plain layer (tests hold both
against each other); the arithmetic left is the input projection and one layer normalisation.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from toolkit.errors import ToolkitError
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.subjects.vgs.families import family_of


class TransformerPooling(nn.Module):
    """One transformer layer that sums up a sequence of features in one vector.

    Args:
        input_dim: channels of one position.
        config: widths and dropout.
        bias_last: whether the bias of the input projection is added to finished products. Torch
            begins with it where positions lie one after another, and sums then differ in their
            last digits; those of pictures are to be the same however their features lie.

    Example:
        >>> pool = TransformerPooling(5, NetworkConfig(word_dim=5, picture_dim=7, embedding=3))
        >>> pool(torch.zeros(2, 11, 5)).shape
        torch.Size([2, 3])
    """

    def __init__(self, input_dim: int, config: NetworkConfig, *, bias_last: bool = False) -> None:
        super().__init__()
        self.class_embedding = nn.Parameter(input_dim**-0.5 * torch.randn(config.width))
        self.proj_in = nn.Linear(input_dim, config.width)
        self.layer = nn.TransformerEncoderLayer(
            d_model=config.width,
            nhead=config.heads,
            dim_feedforward=4 * config.width,
            dropout=config.dropout,
            activation="gelu",
            batch_first=True,
            norm_first=True,
        )
        self.ln_out = nn.LayerNorm(config.width)
        self.proj_out = nn.Linear(config.width, config.embedding, bias=False)
        self._bias_last = bias_last
        self._heads = config.heads
        self._position_dropout = config.position_dropout

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Pool each sequence.

        Args:
            inputs: features, shape (n, positions, input_dim).
            lengths: shape (n,), how many positions of each sequence count; the rest is padding.
                None: all of them.

        Returns:
            Shape (n, embedding), not normalised.
        """
        layer = self.layer
        tokens = layer.norm1(self._projected(inputs))
        first = layer.norm1(self.class_embedding)
        return self.leave(self._attend(first, tokens, self._overlooked(inputs, lengths)))

    def leave(self, pooled: Tensor) -> Tensor:
        """From what the class position has gathered to embeddings, (n, width) to (n, embedding)."""
        layer = self.layer
        residual = self.class_embedding + layer.dropout1(pooled)
        inner = layer.dropout(functional.gelu(layer.linear1(layer.norm2(residual))))
        residual = residual + layer.dropout2(layer.linear2(inner))
        out: Tensor = self.proj_out(self.ln_out(residual))
        return out

    def _projected(self, inputs: Tensor) -> Tensor:
        """Positions in the width of the layer, (n, positions, width)."""
        if not self._bias_last:
            projected: Tensor = self.proj_in(inputs)
            return projected
        products = inputs @ self.proj_in.weight.T
        return products.add_(self.proj_in.bias.to(products.dtype))

    def _overlooked(self, inputs: Tensor, lengths: Tensor | None) -> Tensor | None:
        """True where a position does not count, shape (n, positions); None: all of them do."""
        padding = _padding(inputs, lengths)
        if not (self.training and self._position_dropout):
            return padding
        # A tower that leans on few positions of its training stimuli does worse on new ones.
        dropped = torch.rand(inputs.shape[:2], device=inputs.device) < self._position_dropout
        return dropped if padding is None else padding | dropped

    def _attend(self, first: Tensor, tokens: Tensor, overlooked: Tensor | None) -> Tensor:
        """What the class position gathers from itself and from all positions, shape (n, width).

        The key bias adds the same amount to every position's logit, so softmax removes it.
        """
        heads, probe = self._heads, self.probe(first)
        logits = tokens @ probe  # (n, positions, heads)
        if overlooked is not None:
            logits = logits.masked_fill(overlooked.unsqueeze(-1), -math.inf)
        own = (first @ probe).expand(len(tokens), 1, heads)
        shares = torch.cat([own, logits], dim=1).softmax(dim=1)
        shares = functional.dropout(shares, self.layer.self_attn.dropout, self.training)
        gathered = torch.einsum("nth,ntw->nhw", shares[:, 1:], tokens)
        gathered = gathered + shares[:, :1].transpose(1, 2) * first
        # With dropout the shares need not sum to one, and the value bias is shared out by them.
        return self.valued(gathered, shares.sum(dim=1).unsqueeze(-1))

    def probe(self, first: Tensor) -> Tensor:
        """What positions are multiplied with to be attended to, a column per head, (width, heads).

        Args:
            first: the class position, normalised, (width,).
        """
        heads, width = self._heads, first.shape[0]
        weight_q, weight_k, _ = self.layer.self_attn.in_proj_weight.view(3, heads, -1, width)
        bias_q, _, _ = self.layer.self_attn.in_proj_bias.view(3, heads, -1)
        query = torch.einsum("hdw,w->hd", weight_q, first) + bias_q
        return torch.einsum("hd,hdw->wh", query, weight_k) / math.sqrt(width // heads)

    def valued(self, gathered: Tensor, total: Tensor) -> Tensor:
        """Values of what each head has gathered, put together.

        Args:
            gathered: sums of positions, (n, heads, width).
            total: sums of the shares that they were taken with, (n, heads, 1).

        Returns:
            Shape (n, width).
        """
        attention = self.layer.self_attn
        heads, width = gathered.shape[1:]
        _, _, weight_v = attention.in_proj_weight.view(3, heads, -1, width)
        _, _, bias_v = attention.in_proj_bias.view(3, heads, -1)
        values = torch.einsum("nhw,hdw->nhd", gathered, weight_v) + total * bias_v
        out: Tensor = attention.out_proj(values.flatten(1))
        return out


class Tower(nn.Module):
    """One modality's encoder; holds its pooling under the published name `pool`."""

    def __init__(self, input_dim: int, config: NetworkConfig, *, bias_last: bool = False) -> None:
        super().__init__()
        self.pool = TransformerPooling(input_dim, config, bias_last=bias_last)

    def forward(self, inputs: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Pool each sequence, see `TransformerPooling.forward`."""
        out: Tensor = self.pool(inputs, lengths)
        return out


class VGSNetwork(nn.Module):
    """Word tower and picture tower; scoring and objective are those of the family.

    Args:
        config: shape and scoring.

    Example:
        >>> network = VGSNetwork(NetworkConfig(word_dim=5, picture_dim=7, embedding=3)).eval()
        >>> words = network.encode_words(torch.zeros(2, 11, 5))
        >>> pictures = network.encode_pictures(torch.zeros(4, 7, 3, 3))
        >>> network.similarity(words, pictures).shape
        torch.Size([2, 4])
    """

    def __init__(self, config: NetworkConfig) -> None:
        super().__init__()
        self.config = config
        self.family = family_of(config)
        # Before the towers, as they stand in the published checkpoints.
        for name, part in self.family.parts().items():
            setattr(self, name, part)
        self.audio_enc = Tower(config.word_dim, config)
        self.image_enc = Tower(config.picture_dim, config.for_pictures(), bias_last=True)

    def similarity(self, words: Tensor, pictures: Tensor) -> Tensor:
        """Scores of words (..., n, d) against pictures (..., m, d): shape (..., n, m)."""
        return self.family.similarity(self, words, pictures)

    def objective(
        self,
        words: Tensor,
        pictures: Tensor,
        second_words: Tensor | None = None,
        label_smoothing: float = 0.0,
    ) -> Tensor:
        """What training makes small, see `Family.objective`."""
        return self.family.objective(self, words, pictures, second_words, label_smoothing)

    def encode_words(self, features: Tensor, lengths: Tensor | None = None) -> Tensor:
        """Embed words.

        Args:
            features: speech features, shape (n, frames, word_dim).
            lengths: frames that count in each word, shape (n,); None: all.

        Returns:
            Shape (n, embedding), not normalised.
        """
        out: Tensor = self.audio_enc(features, lengths)
        return out

    def encode_pictures(self, features: Tensor) -> Tensor:
        """Embed pictures.

        Args:
            features: feature maps, shape (m, picture_dim, height, width).

        Returns:
            Shape (m, embedding), not normalised.
        """
        out: Tensor = self.image_enc(features.flatten(2).transpose(1, 2))
        return out

    def load(self, state: Mapping[str, Tensor], source: str) -> None:
        """Take over a state dict, whatever its precision, after checking every key and shape.

        Args:
            state: parameters under the published names.
            source: where they come from, for the error message.

        Raises:
            ToolkitError: keys are missing or unknown, or shapes differ; all are listed.

        Example:
            >>> network = VGSNetwork(NetworkConfig(word_dim=5, picture_dim=7))
            >>> network.load(network.state_dict(), "itself")
        """
        require_fit(self, state, source)
        self.load_state_dict(dict(state))


def network_for(config: NetworkConfig, state: Mapping[str, Tensor], source: str) -> VGSNetwork:
    """A network with these parameters, after checking that they are those of its shape.

    Nothing is laid out in memory before: a small file may speak of a network of any size.

    Args:
        config: shape and scoring.
        state: parameters under the published names.
        source: where they come from, for the error message.

    Raises:
        ToolkitError: as `VGSNetwork.load`.
    """
    with torch.device("meta"):
        require_fit(VGSNetwork(config), state, source)
    with torch.random.fork_rng(devices=[]):
        network = VGSNetwork(config)
    network.load(state, source)
    return network


def require_fit(network: VGSNetwork, state: Mapping[str, Tensor], source: str) -> None:
    """Refuse parameters that are not those of a network.

    Args:
        network: the network.
        state: parameters under the published names.
        source: where they come from, for the error message.

    Raises:
        ToolkitError: keys are missing or unknown, or shapes differ; all are listed.
    """
    own = network.state_dict()
    faults = [f"missing: {key} {tuple(own[key].shape)}" for key in own if key not in state]
    faults += [f"unknown: {key} {tuple(state[key].shape)}" for key in state if key not in own]
    faults += [
        f"shape: {key} is {tuple(state[key].shape)}, the network needs {tuple(own[key].shape)}"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    if faults:
        shown = "\n".join(f"  {fault}" for fault in faults)
        raise ToolkitError(
            f"The weights in {source} do not fit the network:\n{shown}",
            next_command="compare config.json with the network that the weights come from",
        )


def _padding(inputs: Tensor, lengths: Tensor | None) -> Tensor | None:
    """True where a position is padding, shape (n, positions)."""
    if lengths is None:
        return None
    return torch.arange(inputs.shape[1], device=inputs.device) >= lengths.unsqueeze(1)
