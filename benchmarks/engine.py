"""CoT-decoding's paths (k = 10 first tokens, each continued greedily): the engine against transformers.

The peer does what a careful user of transformers would: the first tokens from one forward pass per batch of
prompts, then `generate` on rows of prompt and first token, sorted by length, in batches of 64. Once for the
tokens only, once with the top-2 gap of every step from `output_logits`, which is what the method needs and
what the engine records anyway. Both sides end at the end-of-text token or at the length limit; there are no
stop strings.
"""

from collections.abc import Collection
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from benchmarks.harness import Case
from replication.lm import engine
from replication.lm.loading import LanguageModel, load
from replication.tasks.base import load_task

if TYPE_CHECKING:
    import pandas as pd

K, BATCH = 10, 64


def load_work(model: str, questions: int, task: str) -> tuple[LanguageModel, list[list[int]], int]:
    """Return the model, the prompts of validation questions, and the largest length of an answer."""
    lm, asked = load(model), load_task(task)
    prompts = [lm.encode(asked.prompt(q, "direct")) for q in asked.questions("validation", questions, 0)]
    return lm, prompts, asked.max_new_tokens


def cases(work: tuple[LanguageModel, list[list[int]], int]) -> list[Case]:
    """Return the cases on what `load_work` gives."""
    tokens, gaps = "transformers, tokens only", "transformers, tokens and gaps"
    return [
        Case(tokens, lambda: by_transformers(*work, gaps=False)),
        Case(gaps, lambda: by_transformers(*work, gaps=True)),
        Case("engine, by tokens only", lambda: by_engine(*work), tokens),
        Case("engine, by tokens and gaps", lambda: by_engine(*work), gaps),
    ]


def check(work: tuple[LanguageModel, list[list[int]], int]) -> dict[str, float]:
    """Return the share of paths that have the same tokens on both sides."""
    ours = [list(tokens) for tokens in by_engine(*work)["tokens"]]
    same = [mine == other for mine, other in zip(ours, by_transformers(*work, gaps=False), strict=True)]
    return {"paths": len(same), "share of paths with the same tokens": sum(same) / len(same)}


def by_engine(lm: LanguageModel, prompts: list[list[int]], length: int) -> "pd.DataFrame":
    """Return the engine's records of the K paths of each prompt."""
    return engine.generate(lm, prompts, branches=K, first="top-k", max_new_tokens=length)


@torch.inference_mode()
def by_transformers(lm: LanguageModel, prompts: list[list[int]], length: int, gaps: bool) -> list[list[int]]:
    """Return the new tokens of the K paths of each prompt, by prompt and branch.

    Args:
        lm: the model.
        prompts: ids of each prompt.
        length: largest number of new tokens of a path.
        gaps: whether the difference of the two largest probabilities is computed at each step too.
    """
    rows = [
        row for start in range(0, len(prompts), BATCH) for row in _firsts(lm, prompts[start : start + BATCH])
    ]
    paths = [[row[-1]] for row in rows]
    going = [number for number, row in enumerate(rows) if row[-1] not in lm.eos_ids]
    going.sort(key=lambda number: len(rows[number]))
    for start in range(0, len(going), BATCH):
        part = going[start : start + BATCH]
        ids, mask = _padded(lm, [rows[number] for number in part])
        output = lm.model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=False,
            num_beams=1,
            max_new_tokens=length - 1,
            pad_token_id=lm.pad_id,
            return_dict_in_generate=True,
            output_logits=gaps,
        )
        for step in output.logits if gaps else ():
            top = step.softmax(-1).topk(2).values
            (top[:, 0] - top[:, 1]).tolist()
        for number, new in zip(part, output.sequences[:, ids.shape[1] :].tolist(), strict=True):
            paths[number] += _until(new, lm.eos_ids)
    return paths


def _firsts(lm: LanguageModel, prompts: list[list[int]]) -> list[list[int]]:
    """Return the prompts with each of their K most probable next tokens behind them."""
    ids, mask = _padded(lm, prompts)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    logits = lm.model(ids, attention_mask=mask, position_ids=positions, logits_to_keep=1).logits[:, -1]
    firsts = logits.topk(K).indices.tolist()
    return [[*prompt, token] for prompt, tokens in zip(prompts, firsts, strict=True) for token in tokens]


def _padded(lm: LanguageModel, rows: list[list[int]]) -> tuple[Tensor, Tensor]:
    """Return ids and attention mask, padded on the left: two (n, length) int64."""
    length = max(map(len, rows))
    ids = torch.tensor([[lm.pad_id] * (length - len(row)) + row for row in rows])
    mask = torch.tensor([[0] * (length - len(row)) + [1] * len(row) for row in rows])
    return ids, mask


def _until(tokens: list[int], eos: Collection[int]) -> list[int]:
    """Return tokens up to and including the first end-of-text token."""
    ends = [place for place, token in enumerate(tokens) if token in eos]
    return tokens[: ends[0] + 1] if ends else tokens
