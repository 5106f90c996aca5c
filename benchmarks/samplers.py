"""Truncation rules and whole sampling steps on the logits of a large vocabulary.

The rows are drawn as a model's logits were seen to look (Tang et al. 2024, arXiv 2411.07641, Figure 1, read
off by eye): a Gaussian bulk and a few large logits. Peers are transformers' processors, the rule of the
Top-nσ authors (maximum, `torch.std`, compare, fill) and a draw by softmax and `torch.multinomial`. Our
steps do the rule and the draw in one, on raw logits.
"""

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from benchmarks.harness import Case
from replication.lm.sampling import pick
from replication.lm.statistics import mask, row_statistics
from replication.lm.truncated import Rule, draw

ROWS, WIDTH = 32, 128_256
MEAN, STD, HIGHEST = 0.25, 2.13, 21.4
TOP = (0.41, 0.27, 0.135, 0.08, 0.05, 0.025, 0.015)
# What is asked of ours: the mask in half the authors' time, a step in a tenth of rule and multinomial.
MASK_TARGET, STEP_TARGET = 2.0, 10.0
Processor = Callable[[Tensor], Tensor]


def model_like(rows: int, width: int, seed: int = 0) -> Tensor:
    """Return (rows, width) float32 logits: a Gaussian bulk and seven large ones at random places."""
    generator = torch.Generator().manual_seed(seed)
    logits = torch.randn(rows, width, generator=generator) * STD + MEAN
    places = torch.randint(width // len(TOP), (rows, len(TOP)), generator=generator)
    places += torch.arange(len(TOP)) * (width // len(TOP))
    top = HIGHEST + torch.tensor(TOP).div(TOP[0]).log()
    return logits.scatter_(1, places, top.expand(rows, -1))


def authors(n: float) -> Processor:
    """Return the Top-nσ rule as its authors compute it."""

    def keep(scores: Tensor) -> Tensor:
        threshold = scores.max(dim=-1, keepdim=True).values - n * scores.std(dim=-1, keepdim=True)
        return scores.masked_fill(scores < threshold, -torch.inf)

    return keep


def peers() -> dict[str, Processor]:
    """Return the peer of each rule: scores -> scores with -inf for what is cut."""
    import transformers as hf

    warpers = {
        "top-k 20": hf.TopKLogitsWarper(20),
        "top-p 0.9": hf.TopPLogitsWarper(0.9),
        "min-p 0.1": hf.MinPLogitsWarper(0.1),
        "typical 0.9": hf.TypicalLogitsWarper(0.9),
        "epsilon 9e-4": hf.EpsilonLogitsWarper(9e-4),
        "eta 9e-4": hf.EtaLogitsWarper(9e-4),
    }
    own = {name: lambda scores, warper=warper: warper(None, scores) for name, warper in warpers.items()}
    return {"top-nσ 1": authors(1.0), **own}


RULES = {
    "top-nσ 1": Rule("top-nsigma", 1),
    "min-p 0.1": Rule("min-p", 0.1),
    "top-p 0.9": Rule("top-p", 0.9),
    "top-k 20": Rule("top-k", 20),
}


def cases(rows: int = ROWS, width: int = WIDTH) -> list[Case]:
    """Return the cases on (rows, width) float32 logits."""
    logits = model_like(rows, width)
    u = np.random.default_rng(0).random(rows)
    known = peers()
    return [*_masks(logits, known), *_steps(logits, u, known), *_other_steps(logits, u, known)]


def check(rows: int = ROWS, width: int = WIDTH) -> dict[str, float]:
    """Return for each rule the share of rows where `draw` gives what `pick` takes from the peer's mask."""
    logits, found = model_like(rows, width), {}
    u = np.random.default_rng(1).random(rows)
    known = peers()
    for name, rule in RULES.items():
        for temperature in (1.0, 2.0):
            same = draw(logits, rule, u, temperature) == pick(known[name](logits / temperature), u)
            found[f"{name}, T = {temperature:g}: share of the same tokens"] = float(same.float().mean())
    return found


def _masks(logits: Tensor, known: dict[str, Processor]) -> list[Case]:
    """Return what the rules alone cost."""

    def top_nsigma() -> Tensor:
        found = row_statistics(logits)
        return mask(logits, found.largest - found.std)

    def min_p() -> Tensor:
        return mask(logits, logits.amax(-1) + math.log(0.1))

    theirs = [Case(f"mask: {name}, peer", lambda keep=keep: keep(logits)) for name, keep in known.items()]
    return [
        *theirs,
        Case("mask: top-nσ 1, ours", top_nsigma, "mask: top-nσ 1, peer", MASK_TARGET),
        Case("mask: min-p 0.1, ours", min_p, "mask: min-p 0.1, peer"),
        Case("statistics: ours", lambda: row_statistics(logits)),
        Case("draw: softmax and multinomial", lambda: _multinomial(logits)),
        Case("draw: pick", lambda: pick(logits, np.full(len(logits), 0.5))),
    ]


def _multinomial(scores: Tensor) -> Tensor:
    """Return one id per row as transformers' `generate` draws it."""
    return torch.multinomial(scores.softmax(-1), 1)


def _tempered(logits: Tensor, temperature: float) -> Tensor:
    """Return logits by temperature; at 1 transformers adds no step of its own, so none is charged."""
    return logits if temperature == 1 else logits / temperature


def _steps(logits: Tensor, u: np.ndarray, known: dict[str, Processor]) -> list[Case]:
    """Return whole steps, rule and draw, at temperatures 1 and 2."""
    found = []
    for temperature in (1.0, 2.0):
        for name, rule in RULES.items():
            keep, label = known[name], f"step: {name}, T = {temperature:g}"

            def by_multinomial(keep: Processor = keep, temperature: float = temperature) -> Tensor:
                return _multinomial(keep(_tempered(logits, temperature)))

            def by_pick(keep: Processor = keep, temperature: float = temperature) -> Tensor:
                return pick(keep(_tempered(logits, temperature)), u)

            def ours(rule: Rule = rule, temperature: float = temperature) -> Tensor:
                return draw(logits, rule, u, temperature)

            # At T = 2 top-p keeps 60,000 tokens: nothing is asked where most of the vocabulary survives.
            target = STEP_TARGET if temperature == 1 and name != "top-k 20" else None
            found += [
                Case(f"{label}, peer and multinomial", by_multinomial),
                Case(f"{label}, peer and pick", by_pick, f"{label}, peer and multinomial"),
                Case(f"{label}, ours", ours, f"{label}, peer and multinomial", target),
            ]
    return found


def _other_steps(logits: Tensor, u: np.ndarray, known: dict[str, Processor]) -> list[Case]:
    """Return steps of Top-nσ in bfloat16, after top-k, and where everything survives."""
    half = logits.bfloat16()
    left = known["top-k 20"](logits)
    keep, rule, all_of_it = known["top-nσ 1"], RULES["top-nσ 1"], Rule("top-nsigma", 50)
    everything = authors(50.0)
    names = [f"step: top-nσ {what}" for what in ("1 on bfloat16", "1 after top-k 20", "50, all survive")]
    return [
        Case(f"{names[0]}, peer and multinomial", lambda: _multinomial(keep(half.float()))),
        Case(f"{names[0]}, ours", lambda: draw(half, rule, u), f"{names[0]}, peer and multinomial"),
        # The authors' rule gives NaN after top-k; its cost is that of its mask, so the draw is timed on ours.
        Case(f"{names[1]}, peer and multinomial", lambda: (keep(left), _multinomial(left))),
        Case(f"{names[1]}, ours", lambda: draw(left, rule, u), f"{names[1]}, peer and multinomial"),
        Case(f"{names[2]}, peer and multinomial", lambda: _multinomial(everything(logits))),
        Case(f"{names[2]}, ours", lambda: draw(logits, all_of_it, u), f"{names[2]}, peer and multinomial"),
    ]
