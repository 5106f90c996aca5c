"""Steps of small Llama models on a CPU, by few and large operations.

One token for each row costs a small model more in calls than in arithmetic. Here the same step is computed
with fewer of them:

- queries, keys and values come from one product, gate and up from another;
- RMSNorm is x / sqrt(x.x + D eps), its weight and sqrt(D) being multiplied into the matrix behind it;
- rotary angles are looked up in a table, and attention masks are made once per batch;
- attention of one query a row is left to `key_values`, and small operations to NumPy, whose calls cost less.

Matrices are kept transposed, which a product with one row reads about twice as fast while they fit the cache.
They are copies, so whether the model's own weights have changed is looked at before each use. Logits agree
with the library's up to float32 rounding, and are no further from those of float64. Models of any other kind,
other devices and dtypes, and models with hooks take the library's own forward pass.
"""

import math
import weakref
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers.activations import ACT2FN

from replication.lm import meter
from replication.lm.key_values import KeyValues

LARGEST = 2**26  # parameters; beyond, calls cost little and a copy of the weights much
GENERATED = meter.KINDS.index("generated")
SWITCHES = {"attention_bias": False, "mlp_bias": False, "hidden_act": "silu"}
# What a model may consist of beside the classes of the library's module on Llama.
PARTS = (nn.Linear, nn.Embedding, nn.ModuleList, nn.SiLU, type(ACT2FN["silu"]))
UNALTERED = "computes_as_its_class"
HOOKS = ("_forward_hooks", "_forward_pre_hooks")


class Block(NamedTuple):
    """Matrices of one layer, (inputs, outputs) each, norms and the scale of attention multiplied in."""

    qkv: np.ndarray
    out: np.ndarray
    gate_up: np.ndarray
    down: np.ndarray


class Lean:
    """The weights of a Llama model, laid out for steps.

    Args:
        model: a model that `fits`; its weights are copied.
    """

    def __init__(self, model: Any) -> None:
        config = model.config
        self.config = config
        self.heads, self.key_heads = config.num_attention_heads, config.num_key_value_heads
        self.size = model.model.layers[0].self_attn.head_dim
        self.embedding = model.model.embed_tokens.weight.detach().numpy()
        self.floor = np.float32(config.hidden_size * config.rms_norm_eps)
        self.blocks = [_block(layer) for layer in model.model.layers]
        self.head = _behind(model.model.norm, model.lm_head.weight)
        self._rotary = model.model.rotary_emb
        self._tables = np.empty((2, 0, 1, self.size), dtype=np.float32)

    def step(self, tokens: Tensor, positions: Tensor, held: KeyValues) -> Tensor:
        """Return the logits behind one more token of each row, (rows, width), and add it to what is held.

        Args:
            tokens: (rows,) int64.
            positions: (rows,) int64, of these tokens; they are within what `reserve` was told.
            held: keys and values of the tokens before.
        """
        rows, turned, middle = len(tokens), self.heads + self.key_heads, self.size // 2
        product = np.matmul if rows == 1 else _product
        cosine, sine = self._tables[:, positions.numpy()]  # (rows, 1, size) each
        x = self.embedding[tokens.numpy()]  # (rows, D)
        for layer, block in enumerate(self.blocks):
            qkv = product(self._norm(x), block.qkv).reshape(rows, turned + self.key_heads, self.size)
            plain, value = qkv[:, :turned], qkv[:, turned:]
            both = plain * cosine
            both += np.concatenate((plain[..., middle:], plain[..., :middle]), -1) * sine
            query = both[:, : self.heads].reshape(rows, self.key_heads, -1, self.size)
            seen = held.attend(layer, query, both[:, self.heads :], value)
            x += product(seen.reshape(rows, -1), block.out)
            gate_up, width = product(self._norm(x), block.gate_up), len(block.down)
            inner = functional.silu(torch.from_numpy(gate_up[:, :width])).numpy()
            inner *= gate_up[:, width:]
            x += product(inner, block.down)
        held.advance()
        if (counter := meter.running()) is not None:
            counter.add(self.config, GENERATED, rows)
        return torch.from_numpy(product(self._norm(x), self.head))

    def reserve(self, positions: int) -> None:
        """Make tables of the rotary angles of the positions below `positions`."""
        if positions <= self._tables.shape[1]:
            return
        example = torch.empty(1, 1, self.size)
        cosine, sine = self._rotary(example, torch.arange(positions)[None])  # (1, positions, size)
        # Half of a head turns the other half: (-b, a) for (a, b), so the sign goes with the sine.
        sine = torch.cat([-sine[..., : self.size // 2], sine[..., self.size // 2 :]], dim=-1)
        self._tables = torch.stack([cosine[0], sine[0]])[:, :, None].numpy()

    def _norm(self, x: np.ndarray) -> np.ndarray:
        """Return RMSNorm of (rows, D) but for its weight and a factor sqrt(D)."""
        return x / np.sqrt(np.vecdot(x, x) + self.floor)[:, None]


def _product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the product of two matrices by PyTorch, which is the faster one for many rows."""
    return torch.mm(torch.from_numpy(left), torch.from_numpy(right)).numpy()


def fits(model: Any) -> bool:
    """Tell whether a model is computed here: a plain float32 Llama on a CPU, nothing attached to it."""
    from transformers.models.llama import modeling_llama as llama

    if type(model) is not llama.LlamaForCausalLM or model.training:
        return False
    config = model.config
    plain = (config.rope_parameters or {}).get("rope_type") == "default"
    weights = list(model.parameters())
    return (
        plain
        and all(getattr(config, name, value) == value for name, value in SWITCHES.items())
        and sum(weight.numel() for weight in weights) <= LARGEST
        and all(w.dtype == torch.float32 and w.device.type == "cpu" and not w.is_inference() for w in weights)
        and all(type(one) in PARTS or type(one).__module__ == llama.__name__ for one in model.modules())
        and not altered(model)
    )


def altered(model: nn.Module) -> bool:
    """Tell whether a call does more than the modules' own computation: a hook, a forward put in its place.

    Not where that forward says of itself (`UNALTERED`) that it only selects from the same computation.
    """
    parts = list(model.modules())
    own = [vars(one)["forward"] for one in parts if "forward" in vars(one)]
    return not all(getattr(forward, UNALTERED, False) for forward in own) or any(
        getattr(one, name) for one in parts for name in HOOKS
    )


_KNOWN: "weakref.WeakKeyDictionary[Any, tuple[list[object], Lean]]" = weakref.WeakKeyDictionary()


def lean(model: Any) -> Lean | None:
    """Return a model's weights as steps take them, None where the library's forward pass is to be used.

    The copies are made again when the weights have changed since the last call.
    """
    if not fits(model):
        return None
    state = _state(list(model.parameters()))
    known = _KNOWN.get(model)
    if known is None or known[0] != state:
        known = (state, Lean(model))
        _KNOWN[model] = known
    return known[1]


def _state(weights: Sequence[Tensor]) -> list[object]:
    """Return what changes with any of the weights, writes past the version counter (`.data`) included."""
    sums = torch.stack([weight.detach().sum() for weight in weights]).tolist()
    return [*((weight.data_ptr(), weight._version) for weight in weights), *sums]


def _block(layer: Any) -> Block:
    """Return the matrices of a decoder layer."""
    attention, mlp = layer.self_attn, layer.mlp
    query = attention.q_proj.weight * attention.scaling
    return Block(
        _behind(layer.input_layernorm, query, attention.k_proj.weight, attention.v_proj.weight),
        attention.o_proj.weight.detach().t().contiguous().numpy(),
        _behind(layer.post_attention_layernorm, mlp.gate_proj.weight, mlp.up_proj.weight),
        mlp.down_proj.weight.detach().t().contiguous().numpy(),
    )


def _behind(norm: Any, *projections: Tensor) -> np.ndarray:
    """Return projections side by side, (D, outputs), with the weight of the norm before them."""
    joined = torch.cat([one.detach() for one in projections])
    return (joined * (norm.weight.detach() * math.sqrt(joined.shape[1]))).t().contiguous().numpy()
