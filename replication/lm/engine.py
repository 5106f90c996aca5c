"""One batched generator over any transformers causal language model with a key-value cache.

Prompts are prefilled once and shared by their branches; rows that have ended leave the batch; of each step
only the token, its log-probability, the two largest probabilities and the entropy are kept, never the logits.
In float32 the greedy path has exactly the tokens of transformers' `generate`.

Batches are formed by prompt length under a token budget. No result depends on the budget or on the order of
prompts, except through the rounding of the model's own arithmetic (about 1e-7 of a logit in float32).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from replication.lm.measures import measure, ranked
from replication.lm.paths import Paths, frame
from replication.lm.sampling import pick, stream_keys, uniforms
from replication.lm.session import Session
from replication.lm.stops import Stops
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

    from replication.lm.loading import LanguageModel

Processor = Callable[[Tensor, Tensor], Tensor]

# Cache positions of one batch: rows times (prompt + new tokens); the second is for accelerators.
TOKEN_BUDGET, ACCELERATOR_TOKEN_BUDGET = 2**15, 2**17
# Logits of one step: rows times vocabulary; 2**27 float32 are 512 MiB.
LOGIT_BUDGET = 2**27
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
        if self.first not in ("free", "top-k"):
            raise InputError(f"first needs to be 'free' or 'top-k', got {self.first!r}.")
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
    """Branches `start` to `end` (excluded) of one prompt, which share a prefill."""

    prompt: int
    length: int
    start: int
    end: int

    @property
    def rows(self) -> int:
        """Number of branches."""
        return self.end - self.start


def generate(
    lm: "LanguageModel",
    prompts: Sequence[Sequence[int]],
    *,
    ids: Sequence[str] | None = None,
    branches: int = 1,
    first: str = "free",
    branch_step: int = 0,
    do_sample: bool = False,
    temperature: float = 1.0,
    processors: Sequence[Processor] = (),
    max_new_tokens: int,
    stop: Sequence[str] = (),
    seed: int = 0,
    token_budget: int | None = None,
    on_batch: "Callable[[pd.DataFrame], None] | None" = None,
) -> "pd.DataFrame":
    """Return path records, ordered by prompt and branch (columns: `paths.frame`).

    Tokens include the EOS or the tokens of the stop string that ended the path; the text does not. The
    measures are those of the raw logits over the full vocabulary, before temperature and processors.

    Args:
        lm: the model.
        prompts: ids of each prompt.
        ids: one distinct name per prompt; its number by default.
        branches: paths per prompt.
        first: "free": every branch is an independent row. "top-k": the branches begin with distinct tokens,
            by descending probability, ties by smaller id; branch 0 goes on as the greedy path would.
        branch_step: generated step at which "top-k" branches; the greedy path leads there. A prompt whose
            greedy path ends earlier has that path only, as branch 0.
        do_sample: sample every token that "top-k" does not force or lead to; else the largest score is taken.
        temperature: divides the raw logits before the processors, as papers on samplers define them
            (transformers' `generate` runs custom processors first); used when sampling only.
        processors: called in order as `processor(input_ids, scores)`, with the row's padded prompt and
            generated tokens, (rows, length) int64, and scores, (rows, V) float32.
        max_new_tokens: largest number of tokens of a path.
        stop: strings that end a path where they appear in its decoded text.
        seed: base of the random streams; each token's depends on (seed, id, branch, step) only.
        token_budget: largest number of cache positions (rows x (prompt + new tokens)) of a batch; by default
            `TOKEN_BUDGET` on a CPU, else `ACCELERATOR_TOKEN_BUDGET`. Halved when memory runs out.
        on_batch: called with the records of each finished batch, in the order of batches.

    Raises:
        InputError: arguments out of range, an empty or too long prompt, or a single path that does not fit in
        memory.
    """
    names = [str(i) for i in (range(len(prompts)) if ids is None else ids)]
    plan = Plan(
        branches,
        first,
        branch_step,
        do_sample,
        temperature,
        tuple(processors),
        max_new_tokens,
        tuple(stop),
        seed,
    )
    _check(lm, prompts, names, plan)
    run = _Run(lm, [list(prompt) for prompt in prompts], names, plan, Stops(lm, plan.stop))
    if token_budget is None:
        token_budget = TOKEN_BUDGET if lm.device.type == "cpu" else ACCELERATOR_TOKEN_BUDGET
    records: list[dict[str, object]] = []
    for batch in run.batches(token_budget):
        records += batch
        if on_batch is not None:
            on_batch(frame(batch))
    order = {name: place for place, name in enumerate(names)}
    return frame(sorted(records, key=lambda record: (order[record["question"]], record["branch"])))


def _check(lm: "LanguageModel", prompts: Sequence[Sequence[int]], names: Sequence[str], plan: Plan) -> None:
    """Raise `InputError` for prompts that cannot be run."""
    if len(names) != len(prompts) or len(set(names)) != len(names):
        raise InputError(
            f"generate needs one distinct id per prompt, got {len(names)} for {len(prompts)} prompts."
        )
    if plan.first == "top-k" and plan.branches > lm.width:
        raise InputError(f"{plan.branches} branches need as many tokens, the model has {lm.width}.")
    for name, prompt in zip(names, prompts, strict=True):
        if not len(prompt):
            raise InputError(f"The prompt of {name} is empty: generation needs at least one token.")
        if min(prompt) < 0 or max(prompt) >= lm.width:
            raise InputError(
                f"The prompt of {name} has an id outside the model's {lm.width}: check the tokenizer."
            )
        if lm.context is not None and len(prompt) >= lm.context:
            raise InputError(
                f"The prompt of {name} has {len(prompt)} tokens, but {lm.name} takes fewer than {lm.context}: "
                "shorten it."
            )


@dataclass(frozen=True)
class _Run:
    """A call of `generate`: everything that its batches share."""

    lm: "LanguageModel"
    prompts: list[list[int]]
    names: list[str]
    plan: Plan
    stops: Stops

    def batches(self, token_budget: int) -> Iterator[list[dict[str, object]]]:
        """Return the records of one batch after the other, shortest prompts first."""
        whole = [Item(i, len(p), 0, self.plan.branches) for i, p in enumerate(self.prompts)]
        # Ties by content, so that a batch is the same set of rows whatever the order of the prompts.
        pending = sorted(whole, key=lambda item: (item.length, self.names[item.prompt]))
        while pending:
            batch, rest = self._take(pending, token_budget)
            try:
                records = self._batch(batch)
            except (RuntimeError, MemoryError) as error:
                if not out_of_memory(error):
                    raise
                records = None
            # Outside the handler: the exception holds on to the tensors that filled the memory.
            if records is None:
                token_budget = self._smaller(batch, token_budget)
                continue
            pending = rest
            yield records

    def _smaller(self, batch: Sequence[Item], budget: int) -> int:
        """Return half of what the batch asked for."""
        rows = sum(item.rows for item in batch)
        width = self._width(batch[-1])
        if rows == 1:
            raise InputError(
                f"A single path of {width} tokens does not fit in memory on {self.lm.device}: "
                "lower max_new_tokens, or use a smaller model or dtype."
            )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        return max(1, min(budget, rows * width) // 2)

    def _width(self, item: Item) -> int:
        """Return the cache positions of one row."""
        return item.length + self.plan.max_new_tokens

    def _take(self, pending: Sequence[Item], budget: int) -> tuple[list[Item], list[Item]]:
        """Return the next batch and what remains; an item larger than the budget is split."""
        most = max(1, LOGIT_BUDGET // self.lm.width)
        head, room = pending[0], max(1, min(budget // self._width(pending[0]), most))
        if head.rows > room:
            middle = head.start + room
            part, remainder = (
                Item(head.prompt, head.length, *span) for span in ((head.start, middle), (middle, head.end))
            )
            return [part], [remainder, *pending[1:]]
        count, rows = 0, 0
        for item in pending:  # sorted by length: the last is the widest
            rows += item.rows
            if count and rows > min(budget // self._width(item), most):
                break
            count += 1
        return list(pending[:count]), list(pending[count:])

    @torch.inference_mode()
    def _batch(self, items: Sequence[Item]) -> list[dict[str, object]]:
        """Return the records of one batch."""
        batch = _Batch(self, items)
        while batch.advance():
            pass
        return batch.records()


def out_of_memory(error: BaseException) -> bool:
    """Tell whether an exception means that memory ran out, on a GPU or on the host."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return any(
        part in text for part in ("out of memory", "not enough memory", "can't allocate", "cannot allocate")
    )


class _Batch:
    """The rows of one batch while they are generated.

    Rows are numbered once and for all, those of an item side by side. `row` maps the rows of the session,
    which shrink and (at the branch) multiply, to these numbers; before the branch an item is represented by
    its first row.
    """

    def __init__(self, run: _Run, items: Sequence[Item]) -> None:
        self.run, self.items, self.lm, self.plan = run, items, run.lm, run.plan
        counts = np.array([item.rows for item in items])
        self.first = np.cumsum(counts) - counts  # first row of each item
        self.item = np.repeat(np.arange(len(items)), counts)
        self.branch = np.concatenate([np.arange(item.start, item.end) for item in items])
        names = [run.names[items[i].prompt] for i in self.item]
        self.keys = stream_keys(self.plan.seed, names, self.branch) if self.plan.do_sample else None
        self.limit = np.full(len(self.item), self.plan.max_new_tokens)
        if self.lm.context is not None:
            lengths = np.array([item.length for item in items])[self.item]
            self.limit = np.minimum(self.limit, self.lm.context - lengths)
        self.paths = Paths(len(self.item), int(self.limit.max()))
        self.session = Session(self.lm, [run.prompts[item.prompt] for item in items], int(self.limit.max()))
        self.row, self.live = self.first.copy(), np.ones(len(items), dtype=bool)
        self.eos = np.array(sorted(self.lm.eos_ids), dtype=np.int64)
        self.step = 0

    def advance(self) -> bool:
        """Generate one token per row; return whether any row goes on."""
        forced = self._fan_out() if self.step == self.plan.branch_step else None
        tokens = self._choose() if forced is None else forced
        values = measure(self.session.logits, tokens).cpu().numpy()
        emitted = tokens.cpu().numpy()
        rows = self.row[self.live]
        self.paths.write(rows, emitted[self.live], values[:, self.live])
        self._finish(rows)
        self.live = self.paths.finish[self.row] == ""
        self.step += 1
        if not self.live.any():
            return False
        # Rows that have ended are fed along until enough of them have gathered.
        if np.count_nonzero(~self.live) >= COMPACT_SHARE * len(self.live):
            kept = np.flatnonzero(self.live)
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
        self.paths.copy(self.row[source], rows)
        if len(source) != len(self.live) or (source != np.arange(len(source))).any():
            self.session.select(torch.from_numpy(source))
        self.row, self.live = rows, np.ones(len(rows), dtype=bool)
        return forced

    def _choose(self) -> Tensor:
        """Return the next token of every session row: (n,) int64."""
        logits, plan = self.session.logits, self.plan
        sampled = plan.do_sample and self.step >= plan.branch_step
        if not sampled and not plan.processors:
            return logits.argmax(-1)
        scores = logits.to(torch.float32, copy=True)
        if sampled:
            scores /= plan.temperature
        for processor in plan.processors:
            scores = processor(self.session.ids, scores)
        return pick(scores, uniforms(self.keys[self.row], self.step)) if sampled else scores.argmax(-1)

    def _finish(self, rows: np.ndarray) -> None:
        """Mark the rows that end with the token just written."""
        paths, stops = self.paths, self.run.stops
        last = paths.tokens[rows, self.step]
        at_end = np.isin(last, self.eos)
        paths.finish[rows[at_end]] = "eos"
        for row in rows[stops.completes[last] & ~at_end]:
            if stops.find(self.lm.decode(paths.tokens[row, : self.step + 1])) >= 0:
                paths.finish[row] = "stop"
        spent = rows[(self.limit[rows] == self.step + 1) & (paths.finish[rows] == "")]
        paths.finish[spent] = "length"

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
                    "question": self.run.names[item.prompt],
                    "branch": int(self.branch[row]),
                    "text": self.run.stops.cut(self.lm.decode(tokens)),
                    "prompt_tokens": item.length,
                    "branch_step": self.plan.branch_step,
                }
            )
        return records
