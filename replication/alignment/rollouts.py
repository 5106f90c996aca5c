"""Rollouts: continuations of a response from any of its prefixes, judged right or wrong.

Token ids are kept from end to end: a prefix is never decoded and tokenised again. Each response is read once,
and all its rollouts start from copies of those keys and values (`lm.prefixes`). The first token of a rollout
is drawn from the logits of that reading, the others by the engine; either way the random number depends on
(seed, trajectory, length of the prefix, stream, branch, step) and on nothing else, so a rollout is the same
sample whatever else is run with it.

A rollout ends at the end-of-text token, at a stop string within it or at the length limit. Nothing shorter
would be safe for every judge: a later number can replace the answer that was last so far. The judge reads the
whole response, prefix and rollout, up to the first stop string in it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from replication.lm import engine
from replication.lm.prefixes import Prefixes
from replication.lm.sampling import stream_keys, uniforms
from replication.lm.stops import Stops
from replication.lm.truncated import Rule, draw
from replication.settings import InputError
from replication.tasks.base import Task

if TYPE_CHECKING:
    from replication.lm.batch import Processor
    from replication.lm.loading import LanguageModel

Judge = Callable[[str], bool]


@dataclass(frozen=True)
class Trajectory:
    """A response to a prompt.

    Attributes:
        name: distinct among those that are run together; part of the random streams.
        prompt: ids.
        response: ids, the end-of-text token included where there is one.
        judge: tells whether the text of a whole response, cut before a stop string, is right.
    """

    name: str
    prompt: Sequence[int]
    response: Sequence[int]
    judge: Judge


@dataclass(frozen=True)
class Sampling:
    """How rollouts are drawn.

    Attributes:
        n: rollouts per start (paper: 64).
        temperature: > 0; the paper takes that of the sampled data.
        top_p: nucleus, 0 < p <= 1 (authors' released code: 0.95).
        max_new_tokens: largest number of tokens of a rollout (paper: 1024).
        stop: strings that end a response.
        seed: base of the random streams.

    Raises:
        InputError: a value out of range.
    """

    n: int = 64
    temperature: float = 1.0
    top_p: float = 0.95
    max_new_tokens: int = 1024
    stop: tuple[str, ...] = ()
    seed: int = 0

    def __post_init__(self) -> None:
        """Check the arguments."""
        if self.n < 1 or self.max_new_tokens < 1:
            raise InputError(
                f"Rollouts need n >= 1 and max_new_tokens >= 1, got {self.n} and {self.max_new_tokens}."
            )
        if not (self.temperature > 0 and 0 < self.top_p <= 1):
            raise InputError(
                f"Rollouts need temperature > 0 and 0 < top_p <= 1, got {self.temperature} and {self.top_p}."
            )

    @property
    def rule(self) -> Rule:
        """The truncation rule of every draw."""
        return Rule("top-p", self.top_p)


class Start(NamedTuple):
    """Where rollouts of one trajectory begin.

    Attributes:
        trajectory: its number.
        length: tokens of the response that are kept.
        firsts: first token of each rollout, by the number of its branch, ascending.
        stream: tells these rollouts from others after the same prefix.
    """

    trajectory: int
    length: int
    firsts: Mapping[int, int]
    stream: str = ""


class Outcome(NamedTuple):
    """What came of the rollouts of one start, in the order of its branches.

    Attributes:
        right: (m,) bool.
        lengths: (m,) int64, tokens generated, the first and the end-of-text token included.
    """

    right: np.ndarray
    lengths: np.ndarray


def grader(task: Task, gold: str) -> Judge:
    """Return the judge of a task's question with the answer `gold`."""

    def judge(text: str) -> bool:
        answer = task.extract(text)
        return task.grade(None if answer is None else answer.value, gold)

    return judge


class Rollouts:
    """Rollouts of given trajectories; holds the keys, values and logits of all of them.

    Args:
        lm: the model, whose weights do not change meanwhile.
        trajectories: what is rolled out.
        sampling: how.

    Raises:
        InputError: no trajectory, names that repeat, an empty prompt or response, ids that the model does not
        have, an end-of-text token before the end, a trajectory without room in the context, or no judge.
    """

    def __init__(self, lm: "LanguageModel", trajectories: Sequence[Trajectory], sampling: Sampling) -> None:
        check(lm, trajectories)
        self.lm, self.trajectories, self.sampling = lm, list(trajectories), sampling
        texts = [[*one.prompt, *one.response] for one in trajectories]
        self._prefixes = Prefixes(lm, texts, [len(one.prompt) for one in trajectories])
        self._stops = Stops(lm, sampling.stop)
        self._processors: list[Processor] = []
        if sampling.top_p < 1:
            from transformers import TopPLogitsWarper

            self._processors.append(TopPLogitsWarper(sampling.top_p))

    def logits(self, number: int, length: int) -> Tensor:
        """Return the raw logits behind the prompt and `length` tokens of the response: (V,)."""
        return self._prefixes.logits(number, len(self.trajectories[number].prompt) + length)

    def uniforms(self, number: int, length: int, stream: str = "") -> np.ndarray:
        """Return the random numbers of the first tokens of all branches: (n,) float64."""
        n = self.sampling.n
        return uniforms(stream_keys(self.sampling.seed, [self._id(number, length, stream)] * n, range(n)), 0)

    @torch.inference_mode()
    def first_tokens(self, number: int, length: int, stream: str = "") -> np.ndarray:
        """Return the first token of each of the n rollouts after a prefix: (n,) int64."""
        rows = self.logits(number, length).expand(self.sampling.n, -1)
        u = self.uniforms(number, length, stream)
        return draw(rows, self.sampling.rule, u, self.sampling.temperature).cpu().numpy()

    def run(self, starts: Sequence[Start]) -> list[Outcome]:
        """Generate and judge rollouts; all starts together, batched by the engine's budget."""
        table = engine.generate(
            self.lm,
            [self._prefix(start) for start in starts],
            ids=[self._id(start.trajectory, start.length, start.stream) for start in starts],
            first="given",
            given=[start.firsts for start in starts],
            do_sample=True,
            temperature=self.sampling.temperature,
            processors=self._processors,
            max_new_tokens=self.sampling.max_new_tokens,
            stop=self.sampling.stop,
            seed=self.sampling.seed,
            prefills=self._prefixes,
        )
        rows = zip(table["tokens"], table["finish"], strict=True)
        return [self._outcome(start, [next(rows) for _ in start.firsts]) for start in starts]

    def _outcome(self, start: Start, rows: Sequence[tuple[np.ndarray, str]]) -> Outcome:
        """Judge the rollouts of one start, given the tokens and the kind of end of each."""
        one = self.trajectories[start.trajectory]
        kept, known, right = list(one.response[: start.length]), {}, []
        for tokens, finish in rows:
            text = self.lm.decode([*kept, *(tokens[:-1] if finish == "eos" else tokens)])
            if text not in known:
                known[text] = bool(one.judge(self._stops.cut(text)))
            right.append(known[text])
        return Outcome(np.array(right, dtype=bool), np.array([len(t) for t, _ in rows], dtype=np.int64))

    def _prefix(self, start: Start) -> list[int]:
        """Return the ids before the first token."""
        one = self.trajectories[start.trajectory]
        return [*one.prompt, *one.response[: start.length]]

    def _id(self, number: int, length: int, stream: str) -> str:
        """Return the name of a random stream."""
        return f"{self.trajectories[number].name}@{length}{stream and ':'}{stream}"


def check(lm: "LanguageModel", trajectories: Sequence[Trajectory]) -> None:
    """Raise `InputError` for trajectories that cannot be rolled out."""
    if not trajectories:
        raise InputError("There is no trajectory to roll out: give at least one.")
    if len({one.name for one in trajectories}) != len(trajectories):
        raise InputError("Two trajectories have the same name: random streams need distinct ones.")
    for one in trajectories:
        ids = [*one.prompt, *one.response]
        if not len(one.prompt) or not len(one.response):
            raise InputError(f"The prompt or the response of trajectory {one.name} is empty.")
        if min(ids) < 0 or max(ids) >= lm.choices:
            raise InputError(f"Trajectory {one.name} has an id outside the model's {lm.choices}.")
        if not lm.eos_ids.isdisjoint(one.response[:-1]):
            raise InputError(f"Trajectory {one.name} goes on after an end-of-text token: cut it there.")
        if lm.context is not None and len(ids) > lm.context:
            raise InputError(
                f"Trajectory {one.name} has {len(ids)} tokens, {lm.name} takes {lm.context}: leave it out."
            )
        if not callable(one.judge):
            raise InputError(f"Trajectory {one.name} has no judge: give a function from a text to a bool.")
