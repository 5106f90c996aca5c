"""Runs of truncation samplers over temperatures, shared by the notebooks of the papers on truncation.

A sampler is a rule with its parameter; temperature divides the logits before the rule. `outcomes` runs a grid
of samplers and temperatures and returns one row per path; the tables are made from these rows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from replication.decoding import answers
from replication.decoding.eta_sampling import Epsilon, Eta
from replication.decoding.experiment import Experiment, Run
from replication.decoding.min_p import MinP
from replication.decoding.top_nsigma import TopNSigma
from replication.decoding.truncation import check, parameter, positive_temperature
from replication.evaluation import paired
from replication.evaluation.accuracy import majority_vote, mean, proportion
from replication.evaluation.claims import Estimate
from replication.lm.shards import each
from replication.settings import InputError

GREEDY = "greedy"
Processor = Callable[[Tensor, Tensor], Tensor]


def _warper(name: str, kind: type = float) -> Callable[[float], Processor]:
    """Return the maker of one of transformers' warpers."""

    def make(value: float) -> Processor:
        import transformers

        return getattr(transformers, name)(kind(value))

    return make


RULES: Mapping[str, Callable[[float], Processor]] = {
    "top-k": _warper("TopKLogitsWarper", int),
    "top-p": _warper("TopPLogitsWarper"),
    "typical": _warper("TypicalLogitsWarper"),
    "min-p": MinP,
    "top-nσ": TopNSigma,
    "ε": Epsilon,
    "η": Eta,
}
"""What makes the processor of each rule from its parameter."""
RANGES: Mapping[str, tuple[Callable[[float], bool], str]] = {
    "top-k": (lambda k: k >= 1 and k == int(k), "a whole number k >= 1"),
    "top-p": (lambda p: 0 < p <= 1, "0 < p <= 1"),
    "typical": (lambda mass: 0 < mass < 1, "0 < mass < 1"),
}
"""What the rules of transformers need; its own checks let a top-p of 0 and a k of 2.5 pass."""
PLAIN = "sampling"


@dataclass(frozen=True)
class Sampler:
    """A truncation rule and its parameter; `PLAIN` truncates nothing.

    Attributes:
        rule: `PLAIN` or a key of `RULES`.
        value: the rule's parameter.
    """

    rule: str = PLAIN
    value: float = 0.0

    def __post_init__(self) -> None:
        """Raise `InputError` for an unknown rule or a parameter out of range."""
        if self.rule != PLAIN and self.rule not in RULES:
            raise InputError(f"Unknown rule {self.rule!r}: choose {PLAIN} or one of {', '.join(RULES)}.")
        if self.rule in RANGES:
            parameter(self.rule, self.value, *RANGES[self.rule])
        try:
            self.processors()
        except ValueError as error:
            raise InputError(f"{self.rule} cannot take {self.value}: {error}") from error

    @property
    def label(self) -> str:
        """Name and parameter, as tables show them."""
        return self.rule if self.rule == PLAIN else f"{self.rule} {self.value:.4g}"

    def processors(self) -> tuple[Processor, ...]:
        """Return the logits processors, to be called on tempered logits."""
        return () if self.rule == PLAIN else (RULES[self.rule](self.value),)

    def keep(self, logits: Tensor, temperature: float = 1.0) -> Tensor:
        """Return which tokens of each row survive: (n, V) bool from (n, V) raw logits.

        Raises:
            InputError: a row with NaN or +inf or without a finite entry, a temperature that is not above 0.
        """
        check(logits)
        scores = logits.float() / positive_temperature(temperature)
        if self.rule in QUICK:
            return QUICK[self.rule](scores, self.value)
        for processor in self.processors():
            scores = processor(torch.zeros((len(scores), 0), dtype=torch.long), scores)
        return scores > -torch.inf


def count(mask: Tensor) -> Tensor:
    """Return how many entries of each row are True: (n,) float32 of (n, V) bool.

    By numpy, which adds and compares bytes about ten times faster than torch on a CPU.
    """
    bytes_ = mask.cpu().numpy().view(np.uint8)
    return torch.from_numpy(bytes_.sum(-1, dtype=np.uint32).astype(np.float32)).to(mask.device)


def holds(mask: Tensor) -> Tensor:
    """Return whether any entry of each row is True, as 0 or 1: (n,) float32 of (n, V) bool; see `count`."""
    return torch.from_numpy(mask.cpu().numpy().any(-1).astype(np.float32)).to(mask.device)


def nucleus(scores: Tensor, p: float) -> Tensor:
    """Return the tokens that transformers' top-p keeps of each row of (n, V) float32 scores: (n, V) bool.

    The sums are the same. Values are sorted without their places, by numpy, in a sixth of the time. Where
    tokens tie with the last one kept, transformers keeps only some of them; such rows are left to it.
    """
    ordered = torch.from_numpy(np.sort(scores.cpu().numpy(), axis=-1)).to(scores.device)
    cut = (ordered.softmax(-1).cumsum(-1) <= 1 - p).sum(-1, keepdim=True).clamp_(max=scores.shape[-1] - 1)
    kept = (scores >= ordered.gather(-1, cut)) & (scores > -torch.inf)
    tied = kept.sum(-1) > scores.shape[-1] - cut[:, 0]
    if bool(tied.any()):
        nothing = torch.zeros((int(tied.sum()), 0), dtype=torch.long)
        kept[tied] = RULES["top-p"](p)(nothing, scores[tied]) > -torch.inf
    return kept


def typical(scores: Tensor, mass: float) -> Tensor:
    """Return the tokens that transformers' typical sampling keeps of (n, V) float32 scores: (n, V) bool."""
    logp = scores.log_softmax(-1)
    away = (-logp + (logp.exp() * logp).nansum(-1, keepdim=True)).abs()
    order = torch.from_numpy(np.argsort(away.cpu().numpy(), axis=-1)).to(scores.device)
    last = (scores.gather(-1, order).softmax(-1).cumsum(-1) < mass).sum(-1, keepdim=True)
    edge = away.gather(-1, order.gather(-1, last.clamp_(max=scores.shape[-1] - 1)))
    return (away <= edge) & (scores > -torch.inf)


QUICK: Mapping[str, Callable[[Tensor, float], Tensor]] = {"top-p": nucleus, "typical": typical}
"""Kept sets of rules whose processors sort, by numpy's faster sort."""


def draw(experiment: Experiment, sampler: Sampler, temperature: float, **where: Any) -> Run:
    """Return the paths of a sampler at a temperature, at 0 the greedy path (options: `Experiment.sample`)."""
    if temperature == 0:
        where = {name: value for name, value in where.items() if name not in ("samples", "seed")}
    return experiment.sample(sampler.processors(), temperature=temperature, **where)


def graded(run: Run) -> pd.DataFrame:
    """Return the outcome of every path.

    Returns:
        One row per path: question, branch, answer (None without one), correct, finished (ended before the
        length limit), tokens (number generated).
    """
    read = answers.read_answers(run.frame, run.task, run.gold)
    return read[["question", "branch", "answer", "correct"]].assign(
        finished=run.frame["finish"] != "length", tokens=run.frame["tokens"].map(len), text=run.frame["text"]
    )


def outcomes(
    experiment: Experiment, samplers: Sequence[Sampler], temperatures: Sequence[float], **where: Any
) -> pd.DataFrame:
    """Return the outcomes of every sampler at every temperature.

    Args:
        experiment: the runs.
        samplers: rules with parameters.
        temperatures: all above 0.
        **where: options of `Experiment.sample`: samples, n, style, task, model, split, seed.

    Returns:
        The rows of `graded` with the columns sampler (label), rule, value and temperature.
    """

    def one(cell: tuple[Sampler, float]) -> pd.DataFrame:
        sampler, temperature = cell
        return graded(draw(experiment, sampler, temperature, **where)).assign(
            sampler=sampler.label, rule=sampler.rule, value=sampler.value, temperature=temperature
        )

    cells = [(sampler, temperature) for sampler in samplers for temperature in temperatures]
    return pd.concat(each(one, cells), ignore_index=True)


def greedy(experiment: Experiment, **where: Any) -> pd.DataFrame:
    """Return the outcomes of the greedy path, in the columns of `outcomes`, temperature 0."""
    where = {name: value for name, value in where.items() if name not in ("samples", "seed")}
    found = graded(experiment.sample(temperature=0, **where))
    return found.assign(sampler=GREEDY, rule=GREEDY, value=0.0, temperature=0.0)


def by_question(frame: pd.DataFrame, column: str = "correct") -> np.ndarray:
    """Return a column's mean over each question's paths: (questions,) float64, questions in first order."""
    return frame.groupby("question", sort=False)[column].mean().to_numpy(dtype=float)


def cell(frame: pd.DataFrame, sampler: str, temperature: float) -> pd.DataFrame:
    """Return the rows of one cell.

    Raises:
        InputError: no such cell.
    """
    chosen = frame[(frame["sampler"] == sampler) & (frame["temperature"] == temperature)]
    if chosen.empty:
        raise InputError(f"There is no cell of {sampler} at T = {temperature:g}: run it first.")
    return chosen


def estimate(frame: pd.DataFrame, column: str = "correct") -> Estimate:
    """Return a share over questions with its interval: Wilson's for one path each, else bootstrapped."""
    values = by_question(frame, column)
    return proportion(values) if np.isin(values, (0.0, 1.0)).all() else mean(values)


def table(frame: pd.DataFrame, column: str = "correct") -> pd.DataFrame:
    """Return a row per sampler and a column per temperature, each cell an `Estimate` of a column's share."""
    temperatures = sorted(frame["temperature"].unique())
    rows = []
    for sampler in frame["sampler"].unique():
        own = frame[frame["sampler"] == sampler]
        found = {t: group for t, group in own.groupby("temperature")}
        rows.append((sampler, *(estimate(found[t], column) if t in found else None for t in temperatures)))
    return pd.DataFrame(rows, columns=["sampler", *(f"T = {t:g}" for t in temperatures)])


def curves(frame: pd.DataFrame, column: str = "correct") -> dict[str, pd.DataFrame]:
    """Return per sampler the columns temperature, accuracy, low, high and n, for `plots.curves`."""
    found = {}
    for sampler, own in frame.groupby("sampler", sort=False):
        rows = [(t, e.value, e.low, e.high, e.n) for t, group in own.groupby("temperature")
                for e in (estimate(group, column),)]  # fmt: skip
        found[str(sampler)] = pd.DataFrame(rows, columns=["temperature", "accuracy", "low", "high", "n"])
    return found


def gap(frame: pd.DataFrame, first: tuple[str, float], second: tuple[str, float]) -> Estimate:
    """Return the accuracy of one cell minus another's on the same questions, bootstrapped in pairs.

    Args:
        frame: rows of `outcomes`.
        first: sampler's label and temperature.
        second: as `first`.
    """
    return paired.difference(by_question(cell(frame, *first)), by_question(cell(frame, *second)))


def voted(frame: pd.DataFrame, task: object, gold: Mapping[str, str]) -> pd.DataFrame:
    """Return the unweighted majority of each question's paths, in every cell (maj@k).

    Among equals the answer that came first wins; paths without an answer do not vote.

    Returns:
        One row per cell and question: sampler, rule, value, temperature, question, answer, correct.
    """
    keys = ["sampler", "rule", "value", "temperature", "question"]
    votes = (
        frame.sort_values("branch", kind="stable")
        .groupby(keys, sort=False)["answer"]
        .agg(lambda own: majority_vote([None if pd.isna(a) else a for a in own]))
        .reset_index()
    )
    votes["answer"] = votes["answer"].astype(object).where(votes["answer"].notna(), None)
    right = answers.grade_all(votes["question"], list(votes["answer"]), task, gold)
    return votes.assign(correct=right)


def tuning_split(task: Any) -> str:
    """Return the split for choosing parameters: validation, or train where a task has no validation."""
    return "validation" if "validation" in task.splits else "train"
