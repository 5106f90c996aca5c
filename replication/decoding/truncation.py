"""What truncation rules share: checks, the processor that a rule becomes, and measures of a row of logits.

A rule says which tokens of a row survive. Papers apply it to logits divided by the temperature, and so does
the package's engine. transformers' `generate` runs processors that are handed to it *before* its own
temperature: pass `tempered(temperature, rule)` and leave `temperature` at 1.0 there. Pass `top_k=0` as well,
because its default cuts every row down to 50 tokens.

    model.generate(**inputs, do_sample=True, top_k=0, temperature=1.0,
                   logits_processor=tempered(1.5, MinP(0.1)))

Entries of -inf are tokens that something else has excluded: no rule counts them, and none brings them back.
Everything is worked out in float32 whatever the logits come in: thresholds rounded to bfloat16 change many
kept sets. An exclusion by a large finite number such as -1e9 cannot be told from a logit: use -inf.

A rule is a subclass of transformers' processor, so importing this module imports transformers.
"""

import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from transformers import LogitsProcessor, LogitsProcessorList, TemperatureLogitsWarper

from replication.lm.statistics import check_largest, mask, row_statistics
from replication.settings import InputError


def check(logits: Tensor) -> None:
    """Raise `InputError` unless logits are (B, V) floating point with at least one finite entry in every row.

    NaN and +inf are refused, -inf is not.
    """
    largest(logits)


def largest(logits: Tensor) -> Tensor:
    """Return the largest logit of each row of checked logits: (B, 1) float32; raises as `check` does."""
    check_shape(logits)
    values = logits.amax(-1, keepdim=True).float()
    check_largest(values)
    return values


def check_shape(logits: Tensor) -> None:
    """Raise `InputError` unless logits are (B, V) floating point, V >= 1."""
    if logits.ndim != 2 or not logits.shape[1] or not logits.is_floating_point():
        raise InputError(
            f"A truncation rule needs floating-point logits (rows, vocabulary), got {logits.dtype} of shape "
            f"{tuple(logits.shape)}."
        )


def parameter(name: str, value: Any, fits: Callable[[float], bool], needs: str) -> float:
    """Return a parameter as a float.

    Args:
        name: the parameter, for the message.
        value: what was given.
        fits: whether a finite number is in range.
        needs: the range in words, for the message.

    Raises:
        InputError: not a finite number, or out of range.
    """
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not (math.isfinite(number) and fits(number)):
        raise InputError(f"{name} needs {needs}, got {value!r}.")
    return number


def positive_temperature(value: Any) -> float:
    """Return a temperature as a float; `InputError` unless it is a number above 0."""
    return parameter("The temperature", value, lambda t: t > 0, "a number > 0 (0 would be greedy decoding)")


class Truncation(LogitsProcessor, ABC):
    """A truncation rule as a logits processor, for `generate` of transformers and for the package's engine.

    A subclass stores each constructor argument in an attribute of the same name. Two rules are equal when
    their `repr` is, such as `TopNSigma(n=1.0)`, which also names the rule in the keys of records.
    """

    @abstractmethod
    def keep(self, scores: Tensor) -> Tensor:
        """Return which tokens survive: (B, V) bool, True = kept.

        Args:
            scores: (B, V) logits after temperature, any floating dtype; -inf marks excluded tokens.

        Raises:
            InputError: a row with NaN or +inf or without a finite entry.
        """

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        """Return the scores with all other tokens at -inf: (B, V), dtype of `scores`, a new tensor.

        Args:
            input_ids: (B, length) int64, not used.
            scores: as for `keep`.
        """
        return scores.masked_fill(~self.keep(scores), -torch.inf)

    def __repr__(self) -> str:
        """Return the class with its first parameter and those that differ from their defaults."""
        known = inspect.signature(type(self)).parameters
        shown = [
            f"{name}={getattr(self, name)!r}"
            for place, (name, argument) in enumerate(known.items())
            if place == 0 or getattr(self, name) != argument.default
        ]
        return f"{type(self).__name__}({', '.join(shown)})"

    def __eq__(self, other: object) -> bool:
        """Tell whether the other is the same rule with the same parameters."""
        return type(self) is type(other) and repr(self) == repr(other)

    def __hash__(self) -> int:
        """Return a hash that agrees with equality."""
        return hash(repr(self))


class LogitThreshold(Truncation):
    """A rule that keeps every token whose logit is not below a threshold of its row."""

    @abstractmethod
    def threshold(self, scores: Tensor) -> Tensor:
        """Return the smallest logit that survives in each row: (B, 1) float32, finite."""

    def keep(self, scores: Tensor) -> Tensor:
        """Return which tokens survive: (B, V) bool."""
        return scores.float() >= self.threshold(scores)

    def __call__(self, input_ids: Tensor | None, scores: Tensor) -> Tensor:
        """Return the scores with all other tokens at -inf: the same as `Truncation`, in fewer passes."""
        return mask(scores, self.threshold(scores))


def finite_threshold(threshold: Tensor) -> Tensor:
    """Return a float32 threshold that no entry of -inf reaches, however wide the rule's window is."""
    return threshold.clamp(min=torch.finfo(torch.float32).min)


def tempered(temperature: float, *rules: LogitsProcessor) -> LogitsProcessorList:
    """Return processors for transformers' `generate` that divide by the temperature before the rules.

    `generate` must then be left at its own temperature of 1.0: it would divide once more, behind the rules.

    Args:
        temperature: T > 0.
        *rules: processors, called in order on the divided logits.

    Raises:
        InputError: a temperature that is not a number above 0.
    """
    return LogitsProcessorList([TemperatureLogitsWarper(positive_temperature(temperature)), *rules])


def critical_temperature(logits: Tensor) -> Tensor:
    """Return the temperature at which a Gaussian bulk would weigh as much as the top token: (B,) float32.

        T_c = (M - μ) / ln V,     M, μ and V: maximum, mean and number of the finite logits of a row

    At T the bulk's mass relative to the top token is exp(ln V - dσ/T + σ²/(2T²)) with d = (M - μ)/σ; T_c
    drops the last term. Derived for the logits of Top-nσ's Figure 1 (arXiv 2411.07641), not in the paper. A
    row with one finite logit has no bulk: NaN.

    Args:
        logits: (B, V) raw logits.

    Raises:
        InputError: a row with NaN or +inf or without a finite entry.
    """
    check_shape(logits)
    statistics = row_statistics(logits)
    return (statistics.largest - statistics.mean) / logits.float().isfinite().sum(-1).log()


def sigma_distance(logits: Tensor, ddof: int = 1) -> Tensor:
    """Return how many standard deviations the largest logit lies above the mean: d = (M - μ)/σ, (B,) float32.

    It is the same at every temperature, and at most (V - 1)/√V with ddof 1: about √V (Top-nσ, arXiv
    2411.07641, Figures 1a and 2a; the bound is derived). A row whose finite logits are all equal: NaN.

    Args:
        logits: (B, V); statistics over finite entries.
        ddof: the divisor of the variance is the number of finite entries minus this, 0 or 1.

    Raises:
        InputError: as in `critical_temperature`, or another ddof.
    """
    check_shape(logits)
    statistics = row_statistics(logits, ddof)
    return (statistics.largest - statistics.mean) / statistics.std


def kept_mass(logits: Tensor, keep: Tensor, temperature: float = 1.0) -> Tensor:
    """Return the softmax mass at a temperature that falls on the kept tokens: (B,) float64 in [0, 1].

    One minus it is the total variation distance between the truncated and the whole distribution.

    Args:
        logits: (B, V) raw logits.
        keep: (B, V) bool.
        temperature: T > 0.

    Raises:
        InputError: shapes that differ, a keep that is not bool, or what `check` and the temperature refuse.
    """
    check(logits)
    if keep.shape != logits.shape or keep.dtype != torch.bool:
        raise InputError(
            f"kept_mass needs a bool per logit: got {keep.dtype} of shape {tuple(keep.shape)} for "
            f"{tuple(logits.shape)}."
        )
    p = (logits.double() / positive_temperature(temperature)).softmax(-1)
    return p.masked_fill(~keep, 0.0).sum(-1)
