"""One token per row from a truncated distribution, at the cost of a few passes over the logits.

Most truncation rules keep a handful of a large vocabulary. Here the survivors are gathered first, and only
they are sorted, normalised and drawn from:

1. The largest logit of each chunk of `CHUNK` neighbouring ids, and of the row, M: one pass.
2. A bound per row that no survivor lies below. min-p and top-nσ: the threshold itself. top-k: the k-th
   largest of the chunks' maxima, since k chunks reach it and hence k logits do. top-p, with the normaliser
   Z = sum exp(l - M): M - ln(V / ((1-p) Z)), since V logits below it hold at most 1 - p of the mass.
3. The entries not below the bound, from the chunks whose maximum reaches it, in id order: (n, K).
4. The rule itself where there was only a bound, then `sampling.pick` on what is left.

A row that may keep more than `WIDE` of the vocabulary is not gathered but masked and picked from whole.
There, top-p adds up the mass in a histogram over logits and sorts only the bin that the cut falls in.

The token drawn is the one that `sampling.pick` takes from the masked scores with the same number: both run
through the survivors in id order, in float64. They can differ only where a logit lies on the edge of the
set within float32 rounding (about 1e-6 of the deviation, of the ratio p / max p or of the mass; the float32
sums of transformers' processors are not more exact), or a number on a step of the cumulative distribution
within 1e-15.
"""

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from replication.lm.measures import blocks
from replication.lm.sampling import pick
from replication.lm.statistics import check_ddof, check_largest, mask, moments
from replication.settings import InputError

KINDS = ("none", "top-k", "top-p", "min-p", "top-nsigma")
# Ids of a chunk: 64 float32 are four cache lines.
CHUNK = 64
# Share of the vocabulary in chunks that a survivor can be in, above which a row is worked on as a whole.
WIDE = 0.25
# Bins of the histogram that finds top-p's cut in a wide row.
BINS = 4096
# Lowers the bound of top-p, so that rounding of Z never lifts it above the cut.
SLACK = 1e-3


@dataclass(frozen=True)
class Rule:
    """Which tokens of a row survive, by their logits l (after temperature) and probabilities p = softmax(l).

    Equal logits survive or fall together, except under top-p.

    Attributes:
        kind: "none": all.
            "top-k": l >= the k-th largest.
            "top-p": the smallest set with a mass of at least the value, by descending probability; of equal
            logits at its edge the smaller ids come first (transformers' choice there is arbitrary).
            "min-p": p >= value * max p, that is l >= max l + ln value.
            "top-nsigma": l >= max l - value * std(l), over finite entries.
        value: k >= 1; 0 < p <= 1 for top-p; 0 <= p <= 1 for min-p; n >= 0. Not used by "none".
        ddof: 0 or 1, for the standard deviation.

    Raises:
        InputError: an unknown kind, or a value out of range.
    """

    kind: str
    value: float = 0.0
    ddof: int = 1

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.kind not in KINDS:
            raise InputError(f"Unknown truncation rule {self.kind!r}: choose one of {', '.join(KINDS)}.")
        fits, needs = {
            "none": (True, ""),
            "top-k": (1 <= self.value < math.inf and self.value == int(self.value), "a whole number k >= 1"),
            "top-p": (0 < self.value <= 1, "0 < p <= 1"),
            "min-p": (0 <= self.value <= 1, "0 <= p <= 1"),
            "top-nsigma": (0 <= self.value < math.inf, "n >= 0"),
        }[self.kind]
        if not fits:
            raise InputError(f"The rule {self.kind} needs {needs}, got {self.value!r}.")
        check_ddof(self.ddof)


class Survivors(NamedTuple):
    """What is left of each row, in id order, padded at the end.

    Attributes:
        ids: (n, K) int64; 0 where padded.
        logits: (n, K) float32; -inf where padded.
        counts: (n,) int64.
    """

    ids: Tensor
    logits: Tensor
    counts: Tensor


def survivors(logits: Tensor, threshold: Tensor) -> Survivors:
    """Return the finite entries of each row that are not below its threshold.

    Takes about 30 bytes of memory per survivor and per entry that shares a chunk with one.

    Args:
        logits: (n, V), any floating dtype, compared in float32.
        threshold: (n,) or (n, 1), in units of the logits.
    """
    threshold = threshold.reshape(-1).float()
    highest = [peaks(logits[rows].float()) for rows in blocks(logits)]
    hits = torch.cat(highest) >= threshold[:, None] if highest else logits.new_empty((0, 1), dtype=torch.bool)
    return _gather(logits, hits, threshold)


@torch.no_grad()
def draw(logits: Tensor, rule: Rule, u: np.ndarray, temperature: float = 1.0) -> Tensor:
    """Return one id per row, drawn from the softmax over the rule's survivors.

    Rows are worked on in blocks of `measures.BLOCK` values, so extra memory does not grow with their number:
    it was 0 to 12 MiB where little survives and at most 42 MiB (top-p, most survives) on 32 rows of 128,256.

    Args:
        logits: (n, V) raw logits, any floating dtype, worked on in float32; -inf excludes an id.
        rule: applied to the logits divided by the temperature.
        u: (n,) float64 in [0, 1), as from `sampling.uniforms`.
        temperature: > 0.

    Returns:
        (n,) int64: the first surviving id whose cumulative probability among the survivors exceeds u.

    Raises:
        InputError: a row with NaN or +inf or without a finite entry, a temperature that is not a positive
        number, or not one u per row.
    """
    if not 0 < temperature < math.inf:
        raise InputError(f"Sampling needs temperature > 0, got {temperature!r}.")
    if len(u) != len(logits):
        raise InputError(f"draw needs one uniform number per row: got {len(u)} for {len(logits)} rows.")
    parts = []
    for rows in blocks(logits):
        scores = logits[rows].float()
        parts.append(_draw(scores if temperature == 1 else scores / temperature, rule, u[rows]))
    return torch.cat(parts) if parts else torch.empty(0, dtype=torch.int64, device=logits.device)


def peaks(scores: Tensor) -> Tensor:
    """Return the largest entry of each chunk of `CHUNK` ids: (n, ceil(V / CHUNK)); NaN where one is NaN."""
    width = scores.shape[-1]
    whole = width - width % CHUNK
    parts = [scores[:, :whole].unflatten(1, (-1, CHUNK)).amax(-1)] if whole else []
    if whole < width:
        parts.append(scores[:, whole:].amax(-1, keepdim=True))
    return parts[0] if len(parts) == 1 else torch.cat(parts, dim=1)


def _draw(scores: Tensor, rule: Rule, u: np.ndarray) -> Tensor:
    """Return `draw` of one block of float32 scores."""
    highest = peaks(scores)
    largest = highest.amax(-1)
    check_largest(largest)
    if rule.kind == "none" or (rule.kind == "top-p" and rule.value == 1):
        return pick(scores, u)
    mass = None
    if rule.kind == "top-p":
        mass = (scores - largest[:, None]).exp_().sum(-1).double()
    bound = _bound(scores, rule, highest, largest, mass)
    hits = highest >= bound[:, None]
    wide = hits.sum(-1) * CHUNK > WIDE * scores.shape[-1]
    if not bool(wide.any()):
        return _from_few(scores, rule, u, hits, bound, largest, mass)
    if bool(wide.all()):
        return _from_many(scores, rule, u, bound, largest)
    result = torch.empty(len(u), dtype=torch.int64, device=scores.device)
    few, many = (torch.nonzero(choice).squeeze(1) for choice in (~wide, wide))
    own = None if mass is None else mass[few]
    result[few] = _from_few(scores[few], rule, u[few.cpu().numpy()], hits[few], bound[few], largest[few], own)
    result[many] = _from_many(scores[many], rule, u[many.cpu().numpy()], bound[many], largest[many])
    return result


def _bound(scores: Tensor, rule: Rule, highest: Tensor, largest: Tensor, mass: Tensor | None) -> Tensor:
    """Return a value per row that no survivor lies below: (n,) float32; the cut of min-p and top-nσ."""
    width = scores.shape[-1]
    if rule.kind == "top-nsigma":
        return largest - rule.value * moments(scores, rule.ddof)[1]
    if rule.kind == "min-p":
        return largest + (math.log(rule.value) if rule.value else -math.inf)
    if rule.kind == "top-p":
        return largest - ((width / ((1 - rule.value) * mass)).log() + SLACK).float()
    k = int(rule.value)
    if k > highest.shape[-1]:
        return scores.topk(min(k, width)).values[:, -1]
    return highest.topk(k).values[:, -1]


def _gather(scores: Tensor, hits: Tensor, threshold: Tensor) -> Survivors:
    """Return the finite entries of the chunks marked in `hits` that are not below their row's threshold."""
    row, chunk = hits.nonzero(as_tuple=True)
    ids = chunk[:, None] * CHUNK + torch.arange(CHUNK, device=scores.device)
    values = scores[row[:, None], ids.clamp(max=scores.shape[-1] - 1)].float()
    alive = (values >= threshold[row, None]) & (values > -torch.inf) & (ids < scores.shape[-1])
    return _padded(row[:, None].expand_as(ids)[alive], ids[alive], values[alive], len(scores))


def _padded(row: Tensor, ids: Tensor, values: Tensor, rows: int) -> Survivors:
    """Return flat entries, sorted by row, side by side in their row."""
    counts = torch.bincount(row, minlength=rows)
    place = torch.arange(len(row), device=row.device) - (counts.cumsum(0) - counts)[row]
    shape = (rows, int(counts.max()) if len(row) else 0)
    padded = Survivors(ids.new_zeros(shape), values.new_full(shape, -torch.inf), counts)
    padded.ids[row, place] = ids
    padded.logits[row, place] = values
    return padded


def _from_few(
    scores: Tensor,
    rule: Rule,
    u: np.ndarray,
    hits: Tensor,
    bound: Tensor,
    largest: Tensor,
    mass: Tensor | None,
) -> Tensor:
    """Return the draws of rows of which little lies above the bound."""
    found = _gather(scores, hits, bound)
    left = found.logits
    if rule.kind == "top-k":
        # A row with fewer finite entries than k is padded, and keeps all.
        cut = left.topk(min(int(rule.value), left.shape[-1])).values[:, -1:]
        left = left.masked_fill(left < cut, -torch.inf)
    elif rule.kind == "top-p":
        left = left.masked_fill(~_fill(left, largest, rule.value * mass), -torch.inf)
    return found.ids.gather(1, pick(left, u)[:, None]).squeeze(1)


def _fill(values: Tensor, largest: Tensor, need: Tensor) -> Tensor:
    """Tell which entries the smallest set with a mass of `need` has: (n, K) bool.

    Args:
        values: (n, K) float32 in id order.
        largest: (n,) largest logit of the row, which has mass 1.
        need: (n,) float64; where it is not positive, the set is empty.
    """
    ordered, place = values.sort(dim=-1, descending=True, stable=True)
    weights = (ordered.double() - largest[:, None]).exp_()
    before = weights.cumsum(-1).sub_(weights)
    return torch.zeros_like(values, dtype=torch.bool).scatter_(1, place, before < need[:, None])


def _from_many(scores: Tensor, rule: Rule, u: np.ndarray, bound: Tensor, largest: Tensor) -> Tensor:
    """Return the draws of rows of which much lies above the bound."""
    if rule.kind == "top-p":
        return pick(_nucleus(scores, rule.value, bound, largest), u)
    if rule.kind == "top-k":
        bound = scores.topk(min(int(rule.value), scores.shape[-1])).values[:, -1]
    return pick(mask(scores, bound), u)


def _nucleus(scores: Tensor, p: float, bound: Tensor, largest: Tensor) -> Tensor:
    """Return scores with the ids outside the smallest set of mass p at -inf, without sorting the row."""
    rows, width = scores.shape
    bins = min(BINS, width)
    below = largest[:, None] - scores
    weights = below.neg().exp_().double()
    # Equal logits share a bin, smaller ones never come before; what lies under the bound has the last.
    index = below.mul_(bins / (largest - bound)[:, None]).clamp_(max=bins).to(torch.int64)
    histogram = weights.new_zeros((rows, bins + 1)).scatter_add_(1, index, weights)
    upto = histogram.cumsum(-1)
    need = p * upto[:, -1:]
    crossing = torch.searchsorted(upto, need)
    before = torch.where(crossing > 0, upto.gather(1, (crossing - 1).clamp_(min=0)), 0.0)
    row, ids = (index == crossing).nonzero(as_tuple=True)
    edge = _padded(row, ids, scores[row, ids], rows)
    inside = _fill(edge.logits, largest, (need - before).squeeze(1)) & (edge.logits > -torch.inf)
    left = scores.masked_fill(index >= crossing, -torch.inf)
    row = inside.nonzero(as_tuple=True)[0]
    left[row, edge.ids[inside]] = edge.logits[inside]
    return left
