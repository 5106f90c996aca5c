"""A small Llama's pass over the tokens that a loss needs, and over no others.

A batch of texts is mostly read in vain: padding, what stands behind the last token that is predicted, the
prompt that a chosen and a rejected response share. Here the needed tokens of all rows lie one behind the
other, and every product, norm and gate runs on them alone; only attention sees rows, cut to one text each, so
that it needs no mask but the causal one, and rows of about one length together. Hidden states of tokens with
the same past are the same, so results are those of transformers' own pass up to rounding, in value and
gradient.

For Llamas in float32 on a CPU (`fits`); everything else takes transformers' pass.

Where the time of a step went before, by `torch.profiler` (self time, 2026-11-29, one thread of a two-core
Xeon with AVX-512 that did much else): 20 steps of selective training of the model of 3 layers, 64 wide, on 8
blocks of 256 tokens; and 5 passes with gradient of the one of 4 layers, 128 wide, on random documents.

    operation                                        3 x 64    4 x 128
    matrix products                                    29 %       42 %
    attention, both ways, with a built mask            18 %       16 %
    log-softmax of all logits, both ways               13 %        6 %
    products by element (norms, rotations, gates)       9 %       12 %
    filling with zeros (gradients of the loss)          6 %        3 %
    rows from the data set                              2 %          -

Hence what is done here: fewer tokens for the products, attention within a text, losses a block of rows at a
time (`fused.token_losses`), and norms and rotations of one node each. By alternating steps in one process
(5 rounds, processor time, same day and machine, load about 25) a step on 16 random pairs is 1.5 (3 x 64) and
1.56 (4 x 128) times faster for cDPO, 1.35 times for TDPO2 (3 x 64); one of selective training on blocks
without padding that are one document each (4 x 128, 16 rows) gains nothing (1.01).
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import LlamaForCausalLM

from replication.lm import meter
from replication.lm.fused import Gather, Norm, Rotation, Spread, token_losses
from replication.lm.lean import altered

IGNORED = -100
# Attention costs the square of the longest row. In so many groups of rows by length it took 14 ms instead of
# 25 on pages of 40 to 140 tokens (22 rows, 4 heads of 16, both ways); with a fourth 13.
GROUPS, WORTH = 3, 0.9  # groups, and the share of the cost above which rows stay in one
ROPES = ("default", "linear", "llama3")  # angles that depend on the position alone


@dataclass(frozen=True)
class Layout:
    """Where the needed tokens of a batch lie.

    Attributes:
        ids: (N,) int64 needed tokens, text by text.
        positions: (N,) int64, each token's place in its text.
        slots: (S,) int64 tokens (indices of `ids`) of each text, filled up on the right with any: the rows of
            all groups, one behind the other.
        shapes: rows and their length in each group.
        places: (N,) int64 where each token lies in `slots`; one place of those shared by two texts.
        twins: (m,) int64 tokens that a second text shares.
        twin_places: (m,) int64 where they lie in that text.
        predicting: (n,) int64 tokens whose successor is predicted, in the order of the batch's targets.
    """

    ids: Tensor
    positions: Tensor
    slots: Tensor
    shapes: tuple[tuple[int, int], ...]
    places: Tensor
    twins: Tensor
    twin_places: Tensor
    predicting: Tensor


def documents(ids: Tensor, positions: Tensor | None, targets: Tensor) -> Layout:
    """Return the layout of rows of documents that do not see each other.

    Args:
        ids: (B, T) int64.
        positions: (B, T) int64, a new document wherever they do not count on; None for one a row.
        targets: (B, T) int64, -100 where nothing is predicted.
    """
    first = np.zeros(ids.shape, dtype=bool)
    first[:, 0] = True
    if positions is not None:
        first[:, 1:] = np.diff(positions.numpy(), axis=1) != 1
    begins = np.flatnonzero(first)
    document = np.cumsum(first) - 1  # of each place of the batch, row by row
    places = np.flatnonzero((targets != IGNORED).numpy())
    kept, document = np.unique(document[places], return_inverse=True)
    begins = begins[kept]
    lengths = np.zeros(len(kept), dtype=np.int64)
    np.maximum.at(lengths, document, places - begins[document] + 1)
    return _layout(ids, positions, begins, lengths, np.zeros_like(lengths), places, document)


def texts(ids: Tensor, targets: Tensor, paired: bool = False) -> Layout:
    """Return the layout of rows of one text each.

    Args:
        ids: (B, T) int64, padded on the right.
        targets: (B, T) int64, -100 where nothing is predicted.
        paired: whether row i and row i + B / 2 are a pair; their common beginning then lies there once.
    """
    wanted = (targets != IGNORED).numpy()
    width = ids.shape[1]
    lengths = np.where(wanted.any(1), width - wanted[:, ::-1].argmax(1), 0)
    shared = np.zeros_like(lengths)
    if paired:
        chosen, rejected = np.split(ids.numpy(), 2)
        common = np.logical_and.accumulate(chosen == rejected, axis=1).sum(1)
        shared[len(chosen) :] = np.minimum(common, np.minimum(*np.split(lengths, 2)))
    places = np.flatnonzero(wanted)
    return _layout(ids, None, np.arange(len(ids)) * width, lengths, shared, places, places // width)


def _layout(
    ids: Tensor,
    positions: Tensor | None,
    begins: np.ndarray,
    lengths: np.ndarray,
    shared: np.ndarray,
    predicting: np.ndarray,
    text: np.ndarray,
) -> Layout:
    """Return the layout of texts.

    Args:
        ids: (B, T) int64.
        positions: (B, T) int64, None for each token's place in its text.
        begins: (R,) place in the batch, row by row, of each text.
        lengths: (R,) tokens needed of each.
        shared: (R,) tokens of them that it shares with the text R / 2 before.
        predicting: (n,) places in the batch whose successor is predicted.
        text: (n,) the text in which each of these lies.
    """
    offsets = np.arange(lengths.max(initial=0))
    real = offsets < lengths[:, None]  # (R, L)
    own = real & (offsets >= shared[:, None])
    again = real & ~own
    rows = np.zeros(real.shape, dtype=np.int64)
    rows[own] = np.arange(own.sum())
    if again.any():  # in the second half alone, and there are two
        (chosen, rejected), (_, second) = np.split(rows, 2), np.split(again, 2)
        rejected[second] = chosen[second]
    source = torch.from_numpy((begins[:, None] + offsets)[own])
    given = offsets[np.nonzero(own)[1]] if positions is None else positions.flatten()[source]
    place, shapes = np.zeros(rows.shape, dtype=np.int64), []
    slots = [rows[:0].ravel()]
    for group in _groups(lengths):
        shape = (len(group), int(lengths[group].max()))
        place[group, : shape[1]] = sum(map(len, slots)) + np.arange(np.prod(shape)).reshape(shape)
        slots.append(rows[group, : shape[1]].ravel())
        shapes.append(shape)
    arrays = (place[own], rows[again], place[again], rows[text, predicting - begins[text]])
    first = (ids.flatten()[source], torch.as_tensor(given), torch.from_numpy(np.concatenate(slots)))
    return Layout(*first, tuple(shapes), *map(torch.from_numpy, arrays))


def _groups(lengths: np.ndarray) -> list[np.ndarray]:
    """Return the numbers of the rows that have tokens, in groups of similar length, the shortest first."""
    order = np.argsort(lengths, kind="stable")
    order = order[lengths[order] > 0]
    if not len(order):
        return []
    groups = [group for group in np.array_split(order, GROUPS) if len(group)]
    cost = sum(len(group) * lengths[group].max() ** 2 for group in groups)
    return groups if cost < WORTH * len(order) * lengths.max() ** 2 else [order]


def hidden(model: LlamaForCausalLM, layout: Layout) -> Tensor:
    """Return the last hidden states of the needed tokens: (N, d) float32."""
    meter.passed(model, len(layout.ids))
    base, config = model.model, model.config
    x = base.embed_tokens(layout.ids)
    turn = _turn(base.rotary_emb(x[None], layout.positions[None]), config.num_attention_heads)
    order = _order(config.num_attention_heads, config.head_dim)
    for layer in base.layers:
        x = _attention(layer, x, (turn, turn.conj().resolve_conj()), order, layout)
        y = _norm(layer.post_attention_layernorm, x)
        inner = functional.silu(layer.mlp.gate_proj(y)) * layer.mlp.up_proj(y)
        x = torch.addmm(x, inner, layer.mlp.down_proj.weight.T)
    return _norm(base.norm, x)


def _turn(angles: tuple[Tensor, Tensor], heads: int) -> Tensor:
    """Return e^(i angle) for each pair of numbers of queries and keys, 1 for values: (N, 3 heads h / 2).

    Args:
        angles: cosines and sines of the model, (1, N, h) each, the second half like the first.
        heads: number of heads.
    """
    cosine, sine = (part[0, :, : part.shape[-1] // 2] for part in angles)
    once = torch.complex(cosine, sine)[:, None]  # (N, 1, h / 2)
    turned = once.expand(-1, 2 * heads, -1)
    return torch.cat((turned, torch.ones_like(once).expand(-1, heads, -1)), 1).flatten(1)


def _order(heads: int, size: int) -> Tensor:
    """Return the rows of the weights of queries, keys and values so that turned pairs are neighbours.

    Transformers turns number j of a head with number j + h / 2. The order changes no product of a query and
    a key but for rounding; values keep theirs.
    """
    pairs = torch.arange(heads * 2 * size).view(2 * heads, 2, size // 2).transpose(1, 2).flatten()
    return torch.cat((pairs, torch.arange(2 * heads * size, 3 * heads * size)))


def _attention(layer: Any, x: Tensor, turns: tuple[Tensor, Tensor], order: Tensor, layout: Layout) -> Tensor:
    """Return x (N, d) with the attention of a layer added."""
    part = layer.self_attn
    weight = torch.cat((part.q_proj.weight, part.k_proj.weight, part.v_proj.weight))[order]
    y = Rotation.apply(_norm(layer.input_layernorm, x) @ weight.T, *turns)
    y = Spread.apply(y, layout.slots, layout.places, layout.twins, layout.twin_places)
    seen = []
    for rows, shape in zip(y.split([n * length for n, length in layout.shapes]), layout.shapes, strict=True):
        q, k, v = rows.view(*shape, 3, -1, part.head_dim).permute(2, 0, 3, 1, 4).unbind()
        found = functional.scaled_dot_product_attention(q, k, v, is_causal=True, scale=part.scaling)
        seen.append(found.transpose(1, 2).reshape(len(rows), -1))
    y = Gather.apply(torch.cat(seen) if len(seen) > 1 else seen[0], layout.places)
    return torch.addmm(x, y, part.o_proj.weight.T)


def _norm(part: Any, x: Tensor) -> Tensor:
    return Norm.apply(x, part.weight, part.variance_epsilon)


def losses(model: LlamaForCausalLM, layout: Layout, targets: Tensor) -> Tensor:
    """Return -log P(target) of every predicted token.

    Args:
        model: one that `fits`.
        layout: of the batch.
        targets: (B, T) int64 as the layout was made of.

    Returns:
        (B, T) float32, nats, differentiable in the weights; 0 where nothing is predicted.
    """
    mask = targets != IGNORED
    if not len(layout.ids):
        return mask * model.lm_head.weight.sum()  # 0, and with a gradient
    states = hidden(model, layout).index_select(0, layout.predicting)
    found = token_losses(states, model.lm_head.weight, targets[mask])
    return found.new_zeros(mask.shape).masked_scatter(mask, found)


def logits(model: LlamaForCausalLM, layout: Layout) -> Tensor:
    """Return the logits of the predicted tokens: (n, V) float32, in the order of the batch."""
    return hidden(model, layout).index_select(0, layout.predicting) @ model.lm_head.weight.T


def fits(model: Any) -> bool:
    """Tell whether a model's pass is one that this module knows.

    A wrapper for several devices or adapters, half precision, another architecture or device, dropout, and a
    model with hooks or a forward of its own are not.
    """
    if type(model) is not LlamaForCausalLM:
        return False
    config = model.config
    plain = (
        config.num_key_value_heads == config.num_attention_heads
        and config.hidden_act == "silu"
        and not (config.attention_bias or config.mlp_bias or config.attention_dropout)
        and config.rope_parameters.get("rope_type", "default") in ROPES
    )
    float32 = all(p.dtype == torch.float32 and p.device.type == "cpu" for p in model.parameters())
    ordinary = not (model.is_activation_checkpointing or torch.is_autocast_enabled("cpu"))
    return plain and float32 and ordinary and not altered(model)
