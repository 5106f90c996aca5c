"""Counts of right rollouts at every position of wrong responses, and the search for their critical tokens.

`count` runs everything. `find` walks from the last position to the first, all trajectories side by side, and
ends where the critical token is settled (`critical_tokens.Walk`); position by position both see the same
rollouts, so they find the same token.

The last token of a response gets no count, as in the authors' released code: nothing is left to be continued.

With `shared_tails` a rollout whose first token is the response's own next token goes on as the rollout of
the same branch after that token, which the walk has seen already. Given that first token it is a sample of
the same distribution, and the n branches stay independent: each count keeps its distribution, Binomial(n,
success rate). Only counts of neighbouring positions become correlated, as under common random numbers; where
the model is sure of its next token they are equal. (The length limit counts from where a rollout was
generated.)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from replication.alignment.critical_tokens import CriticalToken, Walk, critical_token, tolerated
from replication.alignment.rollouts import Outcome, Rollouts, Sampling, Start, Trajectory
from replication.settings import InputError

if TYPE_CHECKING:
    from replication.lm.loading import LanguageModel


@dataclass(frozen=True)
class Search:
    """What a search found in one trajectory of T tokens.

    Attributes:
        name: of the trajectory.
        n: rollouts per position.
        counts: (T - 1,) int64, right rollouts after each token but the last; incomplete where `tries` < n.
        tries: (T - 1,) int64, rollouts behind each count: 0 where the search did not come.
        critical: the critical token, None where there is none.
        generated: tokens that the model generated.
        rolled: tokens of all rollouts behind the counts, shared tails counted each time: what the same counts
            cost without sharing.
    """

    name: str
    n: int
    counts: np.ndarray
    tries: np.ndarray
    critical: CriticalToken | None
    generated: int
    rolled: int

    @property
    def naive(self) -> int:
        """Tokens of n rollouts after every token if all had the response's own length: n T (T - 1) / 2."""
        tokens = len(self.counts) + 1
        return self.n * tokens * (tokens - 1) // 2


def count(
    lm: "LanguageModel",
    trajectories: Sequence[Trajectory],
    sampling: Sampling,
    *,
    fallback: bool = True,
    shared_tails: bool = False,
) -> list[Search]:
    """Return the counts of all positions, n rollouts each, and the critical tokens.

    Args:
        lm: the model whose rollouts count; the paper takes the base model.
        trajectories: wrong responses.
        sampling: how rollouts are drawn.
        fallback: as in `critical_tokens.critical_token`.
        shared_tails: see the module docstring.

    Raises:
        InputError: trajectories that cannot be rolled out (`Rollouts`).
    """
    longest = max((len(one.response) for one in trajectories), default=1)
    plan = _Plan(False, fallback, shared_tails, sampling.n, longest)
    return _search(lm, trajectories, sampling, plan)


def find(
    lm: "LanguageModel",
    trajectories: Sequence[Trajectory],
    sampling: Sampling,
    *,
    fallback: bool = True,
    shared_tails: bool = False,
    chunk: int | None = None,
    ahead: int = 1,
) -> list[Search]:
    """Return the critical tokens that `count` finds too, without most of the rollouts before them.

    Args:
        lm: as in `count`.
        trajectories: as in `count`.
        sampling: as in `count`.
        fallback: as in `count`; without it a search ends at the first position above the tolerance.
        shared_tails: as in `count`.
        chunk: rollouts of a position that are run before its count is looked at again: a position above the
            tolerance stops there. All at once by default; not used with shared tails, which need all.
        ahead: positions of a trajectory that are run at once. More of them fill the batch at the price of
            rollouts that turn out not to be needed.

    Raises:
        InputError: as in `count`; chunk or ahead below 1.
    """
    if (chunk is not None and chunk < 1) or ahead < 1:
        raise InputError(f"A search needs chunk >= 1 and ahead >= 1, got {chunk} and {ahead}.")
    whole = chunk is None or shared_tails
    plan = _Plan(True, fallback, shared_tails, sampling.n if whole else chunk, ahead)
    return _search(lm, trajectories, sampling, plan)


@dataclass(frozen=True)
class _Plan:
    """How a search goes: the arguments of `count` and `find`."""

    early: bool
    fallback: bool
    shared: bool
    chunk: int
    ahead: int


def _search(
    lm: "LanguageModel", trajectories: Sequence[Trajectory], sampling: Sampling, plan: _Plan
) -> list[Search]:
    """Run rollouts wave by wave until every trajectory is settled."""
    rollouts = Rollouts(lm, trajectories, sampling)
    progress = [_Progress(rollouts, number, plan) for number in range(len(trajectories))]
    while waves := [(one, start) for one in progress if not one.settled for start in one.starts()]:
        outcomes = rollouts.run([start for _, start in waves])
        for (one, start), outcome in zip(waves, outcomes, strict=True):
            one.take(start, outcome)
        for one in progress:
            one.advance()
    return [one.result() for one in progress]


class _Progress:
    """The search in one trajectory: rollouts so far, (T - 1, n), and how far the walk has come."""

    def __init__(self, rollouts: Rollouts, number: int, plan: _Plan) -> None:
        self.rollouts, self.number, self.plan = rollouts, number, plan
        self.response = rollouts.trajectories[number].response
        self.n = rollouts.sampling.n
        self.limit = tolerated(self.n)
        shape = (len(self.response) - 1, self.n)
        self.right, self.lengths = np.zeros(shape, dtype=bool), np.zeros(shape, dtype=np.int64)
        self.tail = np.zeros(shape, dtype=bool)  # goes on as the same branch of the next position
        self.firsts: dict[int, np.ndarray] = {}
        self.tries = np.zeros(shape[0], dtype=np.int64)
        self.next, self.walk, self.generated = shape[0] - 1, Walk(self.n, plan.fallback), 0

    @property
    def settled(self) -> bool:
        """Whether nothing is left to be run."""
        return self.next < 0 or (self.plan.early and self.walk.settled)

    def starts(self) -> list[Start]:
        """Return the next rollouts of the positions at hand."""
        window = range(self.next, max(self.next - self.plan.ahead, -1), -1)
        return [self._start(index) for index in window if not self._complete(index)]

    def _start(self, index: int) -> Start:
        """Return the next chunk of one position, those with shared tails left out."""
        if index not in self.firsts:
            self.firsts[index] = self.rollouts.first_tokens(self.number, index + 1)
            # Behind the last token but one there is no next position to share with.
            if self.plan.shared and index + 2 < len(self.response):
                self.tail[index] = self.firsts[index] == self.response[index + 1]
        done = self.tries[index]
        branches = np.arange(done, min(done + self.plan.chunk, self.n))
        self.tries[index] += len(branches)
        own = branches[~self.tail[index, branches]]
        return Start(self.number, index + 1, {int(b): int(self.firsts[index][b]) for b in own})

    def take(self, start: Start, outcome: Outcome) -> None:
        """Write down what came of a start."""
        index, branches = start.length - 1, list(start.firsts)
        self.right[index, branches] = outcome.right
        self.lengths[index, branches] = outcome.lengths
        self.generated += int(outcome.lengths.sum())

    def advance(self) -> None:
        """Walk over the positions that are complete."""
        while not self.settled and self._complete(self.next):
            index = self.next
            if self.tail[index].any():
                shared = self.tail[index]
                self.right[index, shared] = self.right[index + 1, shared]
                self.lengths[index, shared] = 1 + self.lengths[index + 1, shared]
            self.walk.add(index, int(self.right[index].sum()))
            self.next -= 1

    def _complete(self, index: int) -> bool:
        """Tell whether more rollouts of a position are not needed."""
        above = self.plan.early and self.right[index].sum() > self.limit
        return self.tries[index] == self.n or bool(above)

    def result(self) -> Search:
        """Return what was found."""
        # Positions run ahead of a settled walk have no shared tails yet, and are not reported.
        seen = np.arange(len(self.tries)) > self.next
        counts, tries = self.right.sum(1) * seen, self.tries * seen
        critical = self.walk.found
        if not self.plan.early:
            critical = critical_token(counts.tolist(), self.n, self.plan.fallback)
        rolled = int((self.lengths * seen[:, None]).sum())
        name = self.rollouts.trajectories[self.number].name
        return Search(name, self.n, counts, tries, critical, self.generated, rolled)
