"""The rows of one batch while they are generated, and the plan they follow."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from replication.lm.measures import Top, measure, ranked, top_two
from replication.lm.paths import Paths
from replication.lm.prefills import Prefills
from replication.lm.sampling import pick, stream_keys, uniforms
from replication.lm.session import Session
from replication.lm.statistics import check_largest
from replication.lm.stops import Stops
from replication.lm.truncated import Rule, draw
from replication.settings import InputError

if TYPE_CHECKING:
    from replication.lm.loading import LanguageModel

Processor = Callable[[Tensor, Tensor], Tensor]

# Ended rows stay until this share of the batch has ended: dropping them copies the cache of the others.
COMPACT_SHARE = 0.1


@dataclass(frozen=True)
class Plan:
    """How paths are generated; the fields are the arguments of `generate`."""

    branches: int
    first: str
    branch_step: int
    do_sample: bool
    temperature: float
    processors: tuple[Processor, ...]
    max_new_tokens: int
    stop: tuple[str, ...]
    seed: int

    def __post_init__(self) -> None:
        """Raise `InputError` for arguments out of range."""
        if self.first not in ("free", "top-k", "given"):
            raise InputError(f"first needs to be 'given', 'free' or 'top-k', got {self.first!r}.")
        if self.branches < 1 or self.max_new_tokens < 1 or self.branch_step < 0:
            raise InputError("generate needs branches >= 1, max_new_tokens >= 1 and branch_step >= 0.")
        if self.branch_step and self.first != "top-k":
            raise InputError("branch_step needs first='top-k': free rows have no place to branch.")
        if self.branch_step >= self.max_new_tokens:
            raise InputError(
                f"branch_step {self.branch_step} needs more than {self.max_new_tokens} new tokens."
            )
        if self.first == "free" and self.branches > 1 and not self.do_sample:
            raise InputError("Several free branches need do_sample=True: greedy ones would all be the same.")
        if self.do_sample and not self.temperature > 0:
            raise InputError(f"Sampling needs temperature > 0, got {self.temperature}.")
        if any(not string for string in self.stop):
            raise InputError("A stop string is empty: leave it out.")


@dataclass(frozen=True)
class Item:
    """The branches of one prompt from place `start` to `end` (excluded), which share a prefill."""

    prompt: int
    length: int
    start: int
    end: int

    @property
    def rows(self) -> int:
        """Number of branches."""
        return self.end - self.start


WARPERS = {
    "TopKLogitsWarper": ("top-k", "top_k"),
    "TopPLogitsWarper": ("top-p", "top_p"),
    "MinPLogitsWarper": ("min-p", "min_p"),
}


def rule_of(processors: Sequence[Processor]) -> Rule | None:
    """Return the rule that the processors amount to, drawn from without masks; None: they must be called.

    A processor tells its rule by an attribute `rule`; transformers' own warpers are known by name.
    """
    if len(processors) != 1:
        return None if processors else Rule("none")
    (only,) = processors
    if isinstance(rule := getattr(only, "rule", None), Rule):
        return rule
    kind, name = WARPERS.get(type(only).__name__, ("", ""))
    if not kind or not type(only).__module__.startswith("transformers."):
        return None
    # top_p = 0 keeps one token there and is no rule here.
    plain = only.min_tokens_to_keep == 1 if hasattr(only, "min_tokens_to_keep") else True
    value = getattr(only, name)
    return Rule(kind, value) if plain and value > 0 and only.filter_value == -torch.inf else None


def greedy(scores: Tensor) -> Top:
    """Return the largest score of each row of (n, V) and its id, of equals the smallest id.

    Raises:
        InputError: a row with NaN or +inf, or without a finite entry.
    """
    top = top_two(scores)  # NaN counts as the largest, so this tells of it without a second pass
    check_largest(top.largest)
    return top


def refilled(live: np.ndarray) -> np.ndarray:
    """Return the places of the live rows: those from the end come where rows have ended, the others stay."""
    kept = np.arange(np.count_nonzero(live))
    ended = np.flatnonzero(~live[: len(kept)])
    kept[ended] = np.flatnonzero(live[len(kept) :]) + len(kept)
    return kept


class Batch:
    """The rows of one batch while they are generated.

    Rows are numbered once and for all, those of an item side by side. `row` maps the rows of the session,
    which shrink and (at the branch) multiply, to these numbers; before the branch an item is represented by
    its first row.

    Args:
        lm: the model.
        prompts: ids of all prompts.
        names: the id of each prompt.
        plan: how paths are generated.
        stops: the stop strings of the plan.
        items: what this batch is made of.
        prefills: see `Session`.
        given: first tokens by branch, of all prompts, where the plan takes them from there.
    """

    def __init__(
        self,
        lm: "LanguageModel",
        prompts: Sequence[Sequence[int]],
        names: Sequence[str],
        plan: Plan,
        stops: Stops,
        items: Sequence[Item],
        prefills: Prefills | None = None,
        given: Sequence[Mapping[int, int]] | None = None,
    ) -> None:
        self.lm, self.plan, self.stops, self.items = lm, plan, stops, items
        self.names = [names[item.prompt] for item in items]
        counts = np.array([item.rows for item in items])
        self.first = np.cumsum(counts) - counts  # first row of each item
        self.item = np.repeat(np.arange(len(items)), counts)
        self.branch = np.concatenate([np.arange(item.start, item.end) for item in items])
        self.given = None
        if given is not None:
            spans = [list(given[item.prompt].items())[item.start : item.end] for item in items]
            self.branch, self.given = np.array([pair for span in spans for pair in span]).T
        self.keys = (
            stream_keys(plan.seed, [self.names[i] for i in self.item], self.branch)
            if self.plan.do_sample
            else None
        )
        self.limit = np.full(len(self.item), self.plan.max_new_tokens)
        if self.lm.context is not None:
            lengths = np.array([item.length for item in items])[self.item]
            self.limit = np.minimum(self.limit, self.lm.context - lengths)
        self.paths = Paths(len(self.item), int(self.limit.max()))
        asked = [prompts[item.prompt] for item in items]
        self.session = Session(self.lm, asked, int(self.limit.max()), prefills)
        self.row, self.live = self.first.copy(), np.ones(len(items), dtype=bool)
        self.ends = np.zeros(max(self.lm.width, *self.lm.eos_ids, 0) + 1, dtype=bool)
        self.ends[sorted(self.lm.eos_ids)] = True
        self.over = np.zeros(len(self.item), dtype=bool)
        self.step = 0

    def advance(self) -> bool:
        """Generate one token per row; return whether any row goes on."""
        forced = self._fan_out() if self.step == self.plan.branch_step else None
        tokens, top = self._choose() if forced is None else (forced, None)
        values = measure(self.session.logits, tokens, top).cpu().numpy()
        emitted = tokens.cpu().numpy()
        rows = self.row[self.live]
        self.paths.write(rows, emitted[self.live], values[:, self.live])
        self._finish(rows)
        self.live = ~self.over[self.row]
        self.step += 1
        if not self.live.any():
            return False
        # Rows that have ended are fed along until enough of them have gathered.
        if np.count_nonzero(~self.live) >= COMPACT_SHARE * len(self.live):
            kept = refilled(self.live)
            tokens = tokens[torch.from_numpy(kept).to(tokens.device)]
            self._select(kept)
        self.session.step(tokens)
        return True

    def _select(self, kept: np.ndarray) -> None:
        """Keep the given session rows."""
        self.session.select(torch.from_numpy(kept))
        self.row, self.live = self.row[kept], self.live[kept]

    def _fan_out(self) -> Tensor | None:
        """Give every live item all its rows; return the token forced on each, None when rows are free."""
        kept = np.flatnonzero(self.live)
        items = self.item[self.row[kept]]
        counts = np.array([self.items[i].rows for i in items])
        rows = np.concatenate([self.first[i] + np.arange(self.items[i].rows) for i in items])
        source = np.repeat(kept, counts)
        forced = None
        if self.plan.first == "top-k":
            choice = ranked(self.session.logits, max(item.end for item in self.items))  # (session rows, k)
            forced = choice[torch.from_numpy(source), torch.from_numpy(self.branch[rows])]
        elif self.given is not None:
            forced = torch.from_numpy(self.given[rows]).to(self.session.logits.device)
        self.paths.copy(self.row[source], rows)
        if len(source) != len(self.live) or (source != np.arange(len(source))).any():
            self.session.select(torch.from_numpy(source))
        self.row, self.live = rows, np.ones(len(rows), dtype=bool)
        return forced

    def _choose(self) -> tuple[Tensor, Top | None]:
        """Return the next token of every session row, (n,) int64, and the largest raw logits if known."""
        logits, plan = self.session.logits, self.plan
        sampled = plan.do_sample and self.step >= plan.branch_step
        if not sampled and not plan.processors:
            top = greedy(logits)
            return top.place.squeeze(1), top
        if sampled and (rule := rule_of(plan.processors)) is not None:
            return draw(logits, rule, uniforms(self.keys[self.row], self.step), plan.temperature), None
        check_largest(logits.amax(-1))  # a processor may hide what is not a number
        scores = logits.to(torch.float32, copy=True)
        if sampled:
            scores /= plan.temperature
        for processor in plan.processors:
            scores = processor(self.session.ids, scores)
        if sampled:
            return pick(scores, uniforms(self.keys[self.row], self.step)), None
        return greedy(scores).place.squeeze(1), None

    def _finish(self, rows: np.ndarray) -> None:
        """Mark the rows that end with the token just written."""
        paths, stops = self.paths, self.stops
        last = paths.tokens[rows, self.step]
        at_end = self.ends[last]
        if at_end.any():
            self._end(rows[at_end], "eos")
        for row in rows[stops.completes[last] & ~at_end]:
            if stops.find(self.lm.decode(paths.tokens[row, : self.step + 1])) >= 0:
                self._end(row, "stop")
        spent = rows[self.limit[rows] == self.step + 1]
        if len(spent):
            self._end(spent[~self.over[spent]], "length")

    def _end(self, rows: np.ndarray, reason: str) -> None:
        """Mark rows as ended."""
        self.paths.finish[rows] = reason
        self.over[rows] = True

    def records(self) -> list[dict[str, object]]:
        """Return one record per row that was generated.

        Where the greedy path ended before the branch, only branch 0 of a prompt exists.
        """
        records = []
        for row in np.flatnonzero(self.paths.length):
            if self.paths.length[row] <= self.plan.branch_step and self.branch[row] != 0:
                continue
            item = self.items[self.item[row]]
            record = self.paths.record(row)
            tokens = record["tokens"][:-1] if record["finish"] == "eos" else record["tokens"]
            records.append(
                record
                | {
                    "question": self.names[self.item[row]],
                    "branch": int(self.branch[row]),
                    "text": self.stops.cut(self.lm.decode(tokens)),
                    "prompt_tokens": item.length,
                    "branch_step": self.plan.branch_step,
                }
            )
        return records
