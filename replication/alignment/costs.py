"""What preference training with adapters costs, before it is started: operations, hours, memory.

With N parameters and T tokens read (two texts a pair, each epoch): a forward pass is 2 N T operations, the
gradient of activations another 2 N T; frozen weights need none of their own. The reference is a forward pass
with the adapter off, 2 N T, and recomputed activations are one more. Hours are operations by a device's peak
and the share of it that is reached, both of the configuration. Memory is weights in bfloat16, adapters with
gradient and two moments in float32, kept inputs of every layer (with activation checkpointing) or about 34
bytes a token and hidden unit (without; attention is not held), and for TDPO whole distributions of both
models. What the allocator and the communication of several devices hold is not in it.
"""

from dataclasses import dataclass

from replication.alignment.config import Config

GIB = 2**30
UNKEPT = 34  # bytes per token and hidden unit of a Transformer layer's activations in 16 bits


@dataclass(frozen=True)
class Size:
    """Shape of a model.

    Attributes:
        name: what it is called.
        parameters: all of them.
        layers: Transformer layers.
        hidden: width.
        inner: width of the MLP.
        keys: width of keys and of values.
        vocabulary: ids.
        devices: devices that share its weights, the fewest of 80 GB that hold them.
    """

    name: str
    parameters: float
    layers: int
    hidden: int
    inner: int
    keys: int
    vocabulary: int
    devices: int

    def adapters(self, rank: int) -> int:
        """Return the parameters of adapters on all linear layers: rank times inputs and outputs of each."""
        attention = 2 * (2 * self.hidden) + 2 * (self.hidden + self.keys)
        return rank * self.layers * (attention + 3 * (self.hidden + self.inner))


SIZES = (
    Size("Llama 3 8B", 8.03e9, 32, 4096, 14336, 1024, 128_256, 1),
    Size("Llama 3 70B", 70.6e9, 80, 8192, 28672, 1024, 128_256, 4),
)


@dataclass(frozen=True)
class Costs:
    """Costs of one run on one size of model.

    Attributes:
        size: the model.
        tokens: tokens read, all epochs, both texts of a pair.
        steps: optimiser steps.
        flops: operations.
        hours: device hours.
        memory: bytes on each of the devices.
    """

    size: Size
    tokens: float
    steps: int
    flops: float
    hours: float
    memory: float

    def __str__(self) -> str:
        """Return one line."""
        return (
            f"{self.size.name}: {self.tokens:.3g} tokens in {self.steps} steps, {self.flops:.3g} FLOPs, "
            f"{self.hours:.1f} device hours, {self.memory / GIB:.0f} GiB on each of "
            f"{self.size.devices} device(s)"
        )


def costs(config: Config, size: Size) -> Costs:
    """Return what a run costs on a size of model."""
    tokens = config.pairs * config.epochs * 2.0 * (config.prompt_tokens + config.response_tokens)
    passes = 2 + config.objective.needs_reference + config.activation_checkpointing
    flops = 2 * size.parameters * passes * tokens
    width = config.micro_batch * 2 * config.longest  # the longest batch decides
    per_layer = 2 if config.activation_checkpointing else UNKEPT
    activations = width * size.hidden * (size.layers * per_layer + UNKEPT)
    whole = 2 * 3 * 4 * width * size.vocabulary if config.objective.needs_distribution else 0
    held = 2 * size.parameters + 16 * size.adapters(config.lora_rank)
    return Costs(
        size,
        tokens,
        -(-config.pairs // config.batch_pairs) * config.epochs,
        flops,
        flops / (config.peak * config.utilisation) / 3600,
        held / size.devices + activations + whole,
    )


def plan(config: Config) -> str:
    """Return the costs of a run for each of `SIZES`, a line each, and what they assume."""
    lines = [str(costs(config, size)) for size in SIZES]
    assumed = (
        f"assumed: {config.pairs} pairs of {config.prompt_tokens} + {config.response_tokens} tokens a text, "
        f"{config.peak:.3g} operations a second at {config.utilisation:.0%}; without "
        "allocator and communication"
    )
    return "\n".join([*lines, assumed])
