"""One batched generator over any transformers causal language model with a key-value cache.

Prompts are prefilled once and shared by their branches; rows that have ended leave the batch; of each step
only the token, its log-probability, the two largest probabilities and the entropy are kept, never the logits.
In float32 the greedy path has exactly the tokens of transformers' `generate`.

Batches are formed by prompt length under a token budget. No result depends on the budget or on the order of
prompts, except through the rounding of the model's own arithmetic (about 1e-7 of a logit in float32).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch

from replication.lm.batch import Batch, Item, Plan, Processor
from replication.lm.paths import frame
from replication.lm.prefills import Prefills
from replication.lm.stops import Stops
from replication.settings import InputError

if TYPE_CHECKING:
    import pandas as pd

    from replication.lm.loading import LanguageModel

# Cache positions of one batch: rows times (prompt + new tokens); the second is for accelerators.
TOKEN_BUDGET, ACCELERATOR_TOKEN_BUDGET = 2**15, 2**17
# Logits of one step: rows times vocabulary; 2**27 float32 are 512 MiB.
LOGIT_BUDGET = 2**27


def generate(
    lm: "LanguageModel",
    prompts: Sequence[Sequence[int]],
    *,
    ids: Sequence[str] | None = None,
    branches: int = 1,
    first: str = "free",
    given: Sequence[Mapping[int, int]] | None = None,
    branch_step: int = 0,
    do_sample: bool = False,
    temperature: float = 1.0,
    processors: Sequence[Processor] = (),
    max_new_tokens: int,
    stop: Sequence[str] = (),
    seed: int = 0,
    token_budget: int | None = None,
    on_batch: "Callable[[pd.DataFrame], None] | None" = None,
    prefills: Prefills | None = None,
) -> "pd.DataFrame":
    """Return path records, ordered by prompt and branch (columns: `paths.frame`).

    Tokens include the EOS or the tokens of the stop string that ended the path; the text does not. The
    measures are those of the raw logits over the full vocabulary, before temperature and processors; logits
    beyond the tokenizer's ids (a vocabulary padded to a round size) take part in nothing.

    Args:
        lm: the model.
        prompts: ids of each prompt.
        ids: one distinct name per prompt; its number by default.
        branches: paths per prompt.
        first: "free": every branch is an independent row. "top-k": the branches begin with distinct tokens,
            by descending probability, ties by smaller id; branch 0 goes on as the greedy path would.
            "given": the branches and their first tokens are those of `given`.
        given: for "given", the first token of each branch by its number, one mapping per prompt; a prompt
            whose mapping is empty has no path. `branches` is not used.
        branch_step: generated step at which "top-k" branches; the greedy path leads there. A prompt whose
            greedy path ends earlier has that path only, as branch 0.
        do_sample: sample every token that is not forced and does not lead to a branch; else the largest score
            is taken.
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
        prefills: keeps what the model computes of the prompts from one call to the next; for a model whose
            weights do not change in between.

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
    _check_given(lm, len(prompts), given, plan)
    run = _Run(lm, [list(prompt) for prompt in prompts], names, plan, Stops(lm, plan.stop), prefills, given)
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
    if plan.first == "top-k" and plan.branches > lm.choices:
        raise InputError(f"{plan.branches} branches need as many tokens, the model has {lm.choices}.")
    for name, prompt in zip(names, prompts, strict=True):
        if not len(prompt):
            raise InputError(f"The prompt of {name} is empty: generation needs at least one token.")
        if min(prompt) < 0 or max(prompt) >= lm.choices:
            raise InputError(
                f"The prompt of {name} has an id outside the model's {lm.choices}: check the tokenizer."
            )
        if lm.context is not None and len(prompt) >= lm.context:
            raise InputError(
                f"The prompt of {name} has {len(prompt)} tokens, but {lm.name} takes fewer than "
                f"{lm.context}: shorten it."
            )


def _check_given(
    lm: "LanguageModel", prompts: int, given: Sequence[Mapping[int, int]] | None, plan: Plan
) -> None:
    """Raise `InputError` for first tokens that do not fit the prompts or the model."""
    if (plan.first == "given") != (given is not None) or (given is not None and len(given) != prompts):
        raise InputError("first='given' needs `given`, one mapping per prompt; no other first takes it.")
    for tokens in given or ():
        if any(branch < 0 or not 0 <= token < lm.choices for branch, token in tokens.items()):
            raise InputError(f"A given branch is negative or its token is outside the model's {lm.choices}.")


@dataclass(frozen=True)
class _Run:
    """A call of `generate`: everything that its batches share."""

    lm: "LanguageModel"
    prompts: list[list[int]]
    names: list[str]
    plan: Plan
    stops: Stops
    prefills: Prefills | None = None
    given: Sequence[Mapping[int, int]] | None = None

    def batches(self, token_budget: int) -> Iterator[list[dict[str, object]]]:
        """Return the records of one batch after the other, shortest prompts first."""
        counts = [self.plan.branches] * len(self.prompts)
        if self.given is not None:
            counts = list(map(len, self.given))
        whole = [Item(i, len(p), 0, counts[i]) for i, p in enumerate(self.prompts)]
        # Ties by content, so that a batch is the same set of rows whatever the order of the prompts.
        pending = sorted(
            filter(lambda item: item.rows, whole), key=lambda item: (item.length, self.names[item.prompt])
        )
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
        batch = Batch(
            self.lm, self.prompts, self.names, self.plan, self.stops, items, self.prefills, self.given
        )
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
