"""Towers of several networks in one pass, each on words or pictures of its own.

The arithmetic is that of `toolkit.subjects.vgs.towers` (tests hold both against each other),
arranged to cost less while training:

- only positions that count are computed: neither padding, nor what a network overlooks;
- the scaling by `norm1` is taken out of the sum over positions, where it stands once per row;
- what follows the pooling is done for the rows of all networks at once.

Whatever sums over rows or positions does so network by network. What a network gives, and what it
learns, is therefore the same to the last bit whatever others are in the pass.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.autograd import Function
from torch.nn import functional

from toolkit.devices import Device
from toolkit.subjects.vgs.config import NetworkConfig
from toolkit.training.features import FeatureBank
from toolkit.training.gathering import gather

_EPS = 1e-5
"""Of all layer normalisations, the default of torch."""

Weights = Mapping[str, Tensor]
"""Parameters of a tower by published name, each of shape (networks, ...)."""


@dataclass(frozen=True)
class Rows:
    """What the tower of one network is given, and what it drops.

    The factors of dropout are 0 or 1 / (1 - share).
    """

    positions: Tensor
    """Features of the positions that count, row after row, (positions, input_dim), where they are
    computed with; so are all others."""
    counts: Tensor
    """How many of them belong to each row, (n,)."""
    places: Tensor
    """Where each stands among the places of all rows; the first place of a row is that of the
    class token. (positions,)"""
    of_shares: Tensor
    """Dropout of the attention, (n, places of a row, heads)."""
    of_pooled: Tensor
    """Dropout of what the attention gives, (n, width)."""
    of_inner: Tensor
    """Dropout between the two linear layers, (n, 4 * width)."""
    of_out: Tensor
    """Dropout of what they give, (n, width)."""
    on_card: bool = False
    """Whether a card computes with them, see `_sum_rows`."""


def words(
    bank: FeatureBank, rows: NDArray[np.int64], config: NetworkConfig, generator: torch.Generator
) -> Rows:
    """Look up words, and draw what the word tower of a network overlooks and drops.

    Args:
        bank: features of the stimuli.
        rows: of the bank, (n,).
        config: of the network.
        generator: of the network.
    """
    start = torch.from_numpy(bank.word_start[rows])
    lengths = torch.from_numpy(bank.word_start[rows + 1]) - start
    length = int(lengths.max())
    counts = torch.arange(length) < lengths.unsqueeze(1)
    row, place = _kept(counts, config, generator)
    found = start.index_select(0, row) + place
    if bank.device.kind == "cpu":
        features = gather(bank.frames, found, bank.empty(len(row), bank.frames.shape[1]))
    else:
        features = bank.device.to(bank.frames[found]).float()
    if bank.word_scale:
        bank.word_scale.apply(features)
    return _rows(features, row, place, counts.shape, config, generator, bank.device)


def pictures(
    bank: FeatureBank, rows: NDArray[np.int64], config: NetworkConfig, generator: torch.Generator
) -> Rows:
    """Look up pictures, and draw what the picture tower of a network overlooks and drops.

    Args:
        bank: features of the stimuli.
        rows: of the bank, (n,).
        config: of the network.
        generator: of the network.
    """
    positions = bank.maps.shape[2:].numel()
    counts = torch.ones(len(rows), positions, dtype=torch.bool)
    row, place = _kept(counts, config, generator)
    maps = bank.pictures(rows).flatten(2).transpose(1, 2).flatten(0, 1)
    if len(row) < len(maps):
        found = bank.device.to(row * positions + place)
        if bank.device.kind == "cpu":
            features = bank.empty(len(row), maps.shape[1])
            torch.index_select(maps, 0, found, out=features)
        else:
            features = maps.index_select(0, found)
    else:
        features = maps
    return _rows(features, row, place, counts.shape, config.for_pictures(), generator, bank.device)


def _kept(
    counts: Tensor, config: NetworkConfig, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Rows and places of the positions that count and are not overlooked."""
    if config.position_dropout:
        drawn = torch.rand(counts.shape, generator=generator)
        counts = counts & (drawn >= config.position_dropout)
    row, place = counts.nonzero(as_tuple=True)
    return row, place


def _rows(
    features: Tensor,
    row: Tensor,
    place: Tensor,
    shape: Sequence[int],
    config: NetworkConfig,
    generator: torch.Generator,
    device: Device,
) -> Rows:
    """Draw what is dropped in the order in which the layers draw it.

    A card draws for itself: a processor would take longer over it than the card over the update.
    It begins with a number that the network draws, so that nothing of it need be kept.
    """
    n, places, width = shape[0], shape[1] + 1, config.width
    if config.dropout and device.kind != "cpu":
        first = torch.randint(2**62, (1,), generator=generator)
        generator = torch.Generator(device.place).manual_seed(int(first))

    def draw(*size: int) -> Tensor:
        if not config.dropout:
            return torch.ones(1, device=device.place).expand(size)
        kept = torch.empty(size, device=device.place)
        return kept.bernoulli_(1 - config.dropout, generator=generator).div_(1 - config.dropout)

    return Rows(
        features,
        device.to(row.bincount(minlength=n)),
        device.to(row * places + 1 + place),
        draw(n, places, config.heads),
        draw(n, width),
        draw(n, 4 * width),
        draw(n, width),
        device.kind != "cpu",
    )


def embed(weights: Weights, rows: Sequence[Rows], heads: int) -> Sequence[Tensor]:
    """What the towers of several networks make of their rows, (n, embedding) each.

    Args:
        weights: of the towers' poolings.
        rows: what each of them is given.
        heads: of the attention.
    """
    token, scale, shift = (
        weights[name] for name in ("class_embedding", "layer.norm1.weight", "layer.norm1.bias")
    )
    networks, width = token.shape
    shape = (networks, 3, heads, width // heads)
    weight = weights["layer.self_attn.in_proj_weight"].view(*shape, width)
    weight_q, weight_k, weight_v = weight.unbind(1)
    bias_q, _, bias_v = weights["layer.self_attn.in_proj_bias"].view(shape).unbind(1)
    plain = functional.layer_norm(token, (width,), eps=_EPS)
    first = plain * scale + shift
    # No matrix products: those of many networks may add up in another order than those of one.
    query = (weight_q * first[:, None, None]).sum(-1) + bias_q
    probe = (query.unsqueeze(-1) * weight_k).sum(2) / math.sqrt(width // heads)
    # What `shift` adds is the same for all positions and the token: softmax removes it.
    probe = probe * scale.unsqueeze(1)
    own = (probe * plain.unsqueeze(1)).sum(-1)
    gathered, by_words, by_token = _Pool.apply(
        rows, weights["proj_in.weight"], weights["proj_in.bias"], probe, own
    )
    sizes = [len(some.counts) for some in rows]
    of = torch.repeat_interleave(torch.tensor(sizes), output_size=sum(sizes)).to(token.device)

    def each(numbers: Tensor) -> Tensor:
        """Numbers of the network that a row belongs to, for every row."""
        return numbers.index_select(0, of)

    def linear(values: Tensor, name: str) -> Tensor:
        return _linear(values, sizes, weights[f"{name}.weight"], weights.get(f"{name}.bias"))

    def norm(values: Tensor, name: str) -> Tensor:
        values = functional.layer_norm(values, (width,), eps=_EPS)
        return values * each(weights[f"{name}.weight"]) + each(weights[f"{name}.bias"])

    def dropped(name: str, values: Tensor) -> Tensor:
        return torch.cat([getattr(some, name) for some in rows]) * values

    gathered = gathered * each(scale).unsqueeze(1) + by_words.unsqueeze(-1) * each(shift)[:, None]
    gathered = gathered + by_token.unsqueeze(-1) * each(first).unsqueeze(1)
    values = [_linear(gathered[:, head], sizes, weight_v[:, head], None) for head in range(heads)]
    attended = torch.stack(values, 1) + (by_words + by_token).unsqueeze(-1) * each(bias_v)
    pooled = linear(attended.flatten(1), "layer.self_attn.out_proj")
    residual = each(token) + dropped("of_pooled", pooled)
    inner = functional.gelu(linear(norm(residual, "layer.norm2"), "layer.linear1"))
    inner = linear(dropped("of_inner", inner), "layer.linear2")
    residual = residual + dropped("of_out", inner)
    return linear(norm(residual, "ln_out"), "proj_out").split_with_sizes(sizes)


def _linear(values: Tensor, sizes: Sequence[int], weight: Tensor, bias: Tensor | None) -> Tensor:
    out: Tensor = _Linear.apply(values, sizes, weight, bias)
    return out


class _Linear(Function):
    """A linear layer in which every network has weights of its own, for rows of its own."""

    @staticmethod
    def forward(
        ctx: Any, values: Tensor, sizes: Sequence[int], weight: Tensor, bias: Tensor | None
    ) -> Tensor:
        ctx.save_for_backward(values, weight)
        ctx.sizes, ctx.biased = sizes, bias is not None
        out = values.new_empty(len(values), weight.shape[1])
        parts = zip(
            values.split_with_sizes(sizes), weight.mT, out.split_with_sizes(sizes), strict=True
        )
        for place, (own, turned, into) in enumerate(parts):
            if bias is None:
                torch.mm(own, turned, out=into)
            else:
                torch.addmm(bias[place], own, turned, out=into)
        return out

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        values, weight = ctx.saved_tensors
        of_values, of_weight = torch.empty_like(values), weight.new_empty(weight.shape)
        of_bias = weight.new_empty(weight.shape[:2]) if ctx.biased else None
        parts = (tensor.split_with_sizes(ctx.sizes) for tensor in (values, grads[0], of_values))
        for place, (own, up, down) in enumerate(zip(*parts, strict=True)):
            torch.mm(up, weight[place], out=down)
            torch.mm(up.T, own, out=of_weight[place])
            if of_bias is not None:
                torch.sum(up, 0, out=of_bias[place])
        return of_values, None, of_weight, of_bias


class _Pool(Function):
    """Sums over the positions of each row, weighted by attention.

    Gives the sums of the normalised positions before scale and shift, (rows, heads, width), the
    attention that all positions of a row have together, (rows, heads), and that of the class
    token, (rows, heads).
    """

    @staticmethod
    def forward(
        ctx: Any, rows: Sequence[Rows], weight: Tensor, bias: Tensor, probe: Tensor, own: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        width = probe.shape[2]
        kept_for_backward, out = [], []
        for some, *numbers in zip(rows, weight.mT, bias, probe.mT, own, strict=True):
            turned, shift, asked, of_token = numbers
            projected = torch.addmm(shift, some.positions, turned)
            plain, mean, rstd = torch.native_layer_norm(projected, (width,), None, None, _EPS)
            shares = _shares(some, plain @ asked, of_token)
            kept = shares * some.of_shares
            summed = _sum_rows if some.on_card else _sum_positions
            gathered, plain, given = summed(some, plain, kept)
            out.append((gathered, kept[:, 1:].sum(1), kept[:, 0]))
            kept_for_backward += [projected, mean, rstd, shares, plain, given]
        ctx.save_for_backward(weight, probe, *kept_for_backward)
        ctx.rows = rows
        pooled, by_words, by_token = (torch.cat(parts) for parts in zip(*out, strict=True))
        return pooled, by_words, by_token

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        weight, probe, *saved = ctx.saved_tensors
        rows: Sequence[Rows] = ctx.rows
        of_weight, of_probe = weight.new_empty(weight.shape), probe.new_empty(probe.shape)
        of_bias, of_own = weight.new_empty(weight.shape[:2]), probe.new_empty(probe.shape[:2])
        width = probe.shape[2]
        sizes = [len(some.counts) for some in rows]
        ups = zip(*(grad.split_with_sizes(sizes) for grad in grads), strict=True)
        for place, (some, up) in enumerate(zip(rows, ups, strict=True)):
            projected, mean, rstd, shares, plain, given = saved[6 * place : 6 * place + 6]
            back = _back_by_rows if some.on_card else _back_by_positions
            of_token, of_logits, of_plain = back(some, up, shares, plain, given, probe[place])
            torch.sum(of_token, 0, out=of_own[place])
            of_projected, _, _ = torch.ops.aten.native_layer_norm_backward(
                of_plain, projected, (width,), mean, rstd, None, None, (True, False, False)
            )
            torch.mm(of_projected.T, some.positions, out=of_weight[place])
            torch.sum(of_projected, 0, out=of_bias[place])
            torch.mm(of_logits.T, plain.view(-1, width), out=of_probe[place])
        return None, of_weight, of_bias, of_probe, of_own


_Up = tuple[Tensor, Tensor, Tensor]
"""Gradients of what `_Pool` gives for the rows of a network."""


def _sum_positions(some: Rows, plain: Tensor, kept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """What each head gathers from the positions of each row, one position after the other.

    Args:
        some: the rows.
        plain: normalised positions, (positions, width).
        kept: attention to them and to the token, (n, places of a row, heads).

    Returns:
        Sums, (n, heads, width); positions and attention to them as `_back_by_positions` takes them.
    """
    given = kept.view(-1, kept.shape[2]).index_select(0, some.places)
    every = torch.arange(len(plain), device=plain.device)
    starts = some.counts.cumsum(0) - some.counts
    gathered = [
        functional.embedding_bag(every, plain, starts, mode="sum", per_sample_weights=by_head)
        for by_head in given.T.contiguous()
    ]
    return torch.stack(gathered, 1), plain, given


def _back_by_positions(
    some: Rows, up: _Up, shares: Tensor, plain: Tensor, given: Tensor, probe: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of logits of the token, (n, heads), and of positions, and of these themselves."""
    (of_gathered, by_words, by_token), heads = up, len(probe)
    of_rows = torch.repeat_interleave(some.counts, output_size=len(plain))
    of_each = of_gathered.index_select(0, of_rows)
    of_shares = by_words.unsqueeze(1).repeat(1, shares.shape[1], 1)
    of_shares[:, 0] = by_token
    of_shares.view(-1, heads).index_add_(0, some.places, (of_each * plain[:, None]).sum(-1))
    of_logits = _of_logits(some, shares, of_shares)
    of_words = of_logits.view(-1, heads).index_select(0, some.places)
    of_plain = of_words @ probe
    for head in range(heads):
        of_plain.addcmul_(of_each[:, head], given[:, head, None])
    return of_logits[:, 0], of_words, of_plain


def _sum_rows(some: Rows, plain: Tensor, kept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """As `_sum_positions` on a card, which waits for its memory more than for its arithmetic.

    Positions are laid out in rows of equal length, with zeros where none counts, so that products
    of whole rows take the place of passes over all positions for every head. Where every position
    counts, as of pictures, they lie so already.
    """
    n, places, _ = kept.shape
    if not _all_count(some):
        zeros = plain.new_zeros(n * (places - 1), plain.shape[1])
        plain = zeros.index_copy_(0, _places(some), plain)
    laid_out = plain.view(n, places - 1, -1)
    return kept[:, 1:].mT @ laid_out, laid_out, kept


def _back_by_rows(
    some: Rows, up: _Up, shares: Tensor, laid_out: Tensor, kept: Tensor, probe: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """As `_back_by_positions`, of what `_sum_rows` gave; logits in rows of equal length too."""
    (of_gathered, by_words, by_token), (heads, width) = up, probe.shape
    of_words = torch.baddbmm(by_words.unsqueeze(1), laid_out, of_gathered.mT)
    of_logits = _of_logits(some, shares, torch.cat([by_token.unsqueeze(1), of_words], 1))
    factors = torch.cat([of_logits[:, 1:], kept[:, 1:]], 2)
    asked = torch.cat([probe.expand(len(shares), -1, -1), of_gathered], 1)
    of_plain = (factors @ asked).view(-1, width)
    if not _all_count(some):
        of_plain = of_plain.index_select(0, _places(some))
    return of_logits[:, 0], of_logits[:, 1:].reshape(-1, heads), of_plain


def _shares(some: Rows, of_words: Tensor, of_token: Tensor) -> Tensor:
    """Attention to the token and to each position, (n, places of a row, heads).

    Args:
        some: the rows.
        of_words: logits of the positions, (positions, heads).
        of_token: those of the token, (heads,).
    """
    logits = of_words.new_full((some.of_shares.numel() // len(of_token), len(of_token)), -math.inf)
    logits.index_copy_(0, some.places, of_words)
    logits = logits.view(some.of_shares.shape)
    logits[:, 0] = of_token
    return logits.softmax(1)


def _of_logits(some: Rows, shares: Tensor, of_kept: Tensor) -> Tensor:
    """The gradient of what `_shares` was made of, from that of what was kept of them."""
    of_shares = of_kept.mul_(some.of_shares)
    return shares * (of_shares - (of_shares * shares).sum(1, keepdim=True))


def _all_count(some: Rows) -> bool:
    """Whether every position of every row counts."""
    return len(some.positions) == len(some.counts) * (some.of_shares.shape[1] - 1)


def _places(some: Rows) -> Tensor:
    """Where each position stands among those of rows without tokens, (positions,)."""
    return some.places - some.places // some.of_shares.shape[1] - 1
