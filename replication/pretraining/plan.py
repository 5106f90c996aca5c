"""What a run will cost, before it is started: tokens, operations, memory, hours.

With N parameters, training takes about 6 N operations a token (forward 2 N, backward 4 N) and scoring 2 N.
The selection itself costs next to nothing, but with accumulated micro-batches and the scope "batch" a score
that needs the learner's losses adds a forward pass, and an online reference model one of its own.
"""

from dataclasses import dataclass

from replication.pretraining.config import Config

# Tokens per second and H100 that the paper's hours amount to, and the parameters they were measured with.
PAPER_SPEED, PAPER_PARAMETERS = 37_000, 1.1e9
GIB = 2**30


@dataclass(frozen=True)
class Plan:
    """Costs of one run.

    Attributes:
        train_tokens: tokens that the learner processes.
        kept_tokens: of them, those that are learnt from (the paper's "train toks").
        steps: optimiser steps.
        reference_flops: operations of tuning the reference model.
        score_flops: operations of scoring the corpus with it, once.
        train_flops: operations of the training, with scoring passes and an online reference.
        memory: bytes of weights, gradients and AdamW moments in float32, of one micro-batch's logits with
            their log-probabilities and gradient, and of an online reference in bfloat16; without activations.
        hours: hours of one device for everything, at `speed`.
        speed: training speed of one device, tokens a second.
    """

    train_tokens: int
    kept_tokens: int
    steps: int
    reference_flops: float
    score_flops: float
    train_flops: float
    memory: float
    hours: float
    speed: float

    def __str__(self) -> str:
        """Return a line per cost."""
        return "\n".join(
            [
                f"tokens processed        {self.train_tokens:.4g} in {self.steps} steps",
                f"tokens learnt from      {self.kept_tokens:.4g}",
                f"FLOPs reference model   {self.reference_flops:.3g}",
                f"FLOPs reference losses  {self.score_flops:.3g}",
                f"FLOPs training          {self.train_flops:.3g}",
                f"memory of a device      {self.memory / GIB:.1f} GiB and activations (unsharded)",
                f"device hours            {self.hours:.1f} at {self.speed:.3g} tokens a second in training",
            ]
        )


def plan(config: Config, devices: int = 1) -> Plan:
    """Return the costs of a run.

    Args:
        config: with `parameters`, `tokens` of each source, and `clean_tokens`.
        devices: number of devices that share the micro-batches of a step.
    """
    n = config.parameters or int(PAPER_PARAMETERS)
    small = config.reference_parameters or n
    tokens = config.epochs * sum(source.tokens for source in config.corpus)
    clean = 0 if config.reference or not config.needs_reference else config.clean_tokens
    stored = config.needs_reference and not config.online
    accumulates = config.batch_tokens > config.block_length * config.micro_batch * devices
    ahead = accumulates and config.scope == "batch" and config.selection.needs_losses
    train = tokens * (6 * n + 2 * n * ahead + 2 * small * (config.needs_reference and config.online))
    flops = 6 * small * clean * config.reference_epochs, 2 * small * tokens / config.epochs * stored, train
    logits = config.micro_batch * config.block_length * config.vocabulary * 4
    speed = config.tokens_per_second or PAPER_SPEED * PAPER_PARAMETERS / n
    return Plan(
        train_tokens=tokens,
        kept_tokens=int(tokens * config.ratio),
        steps=-(-tokens // config.batch_tokens),
        reference_flops=flops[0],
        score_flops=flops[1],
        train_flops=flops[2],
        memory=16 * n + 3 * logits + 2 * small * (config.needs_reference and config.online),
        hours=sum(flops) / (6 * n * speed) / 3600,
        speed=speed,
    )


def hours(config: Config, tokens_per_second: float, devices: int = 1) -> float:
    """Return the hours of one device that a run takes at a training speed of one device."""
    found = plan(config, devices)
    return found.hours * found.speed / tokens_per_second
