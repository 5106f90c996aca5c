"""The engine against what a user would run instead, on the same model and for the same answers.

Cases and their peers:

- CoT-decoding, k = 10: transformers' `generate` on rows of prompt and first token, sorted by length, in
  batches of 64, the first tokens from one forward pass per batch of prompts; once for the tokens only, once
  with the top-2 gap of every step from `output_logits`, which the method needs and the engine records anyway.
  And optillm's `cot_decode` where it is installed, which takes one question and one branch at a time. Times
  are per question. Each round has other questions than the one before; of these the engine answers all,
  transformers one third each way, which still fills its batches, and optillm a few.
- Self-consistency: 20 samples a question at temperature 0.7, by `generate(num_return_sequences=20)` on
  questions sorted by length, 60 rows a batch. The samples are not the same, their lengths are those of one
  distribution.
- One path at a time: models with random weights that have no end-of-text token, so paths are equally long.
- Peak memory (`python -m benchmarks.memory engine`): 64 rows x 80 steps with 128,256 ids.

Both sides end at the end-of-text token or at the length limit; there are no stop strings.
"""

import copy
import importlib.util
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor

from benchmarks import gpu
from benchmarks.harness import Case, in_turn
from replication.lm import engine
from replication.lm.loading import LanguageModel, load
from replication.tasks.base import load_task

if TYPE_CHECKING:
    import pandas as pd

K, BATCH = 10, 64
SAMPLES, TEMPERATURE = 20, 0.7
SHARE = 3  # of a round's questions transformers answers one in so many
OPTILLM = 2  # questions of a round
CHECKED = 20  # questions whose paths are compared
PROMPT, NEW_TOKENS = 50, 60  # of one path at a time
WIDE_ROWS, WIDE_STEPS = 64, 80
# What is asked: times faster than each peer.
COT_TARGET, OPTILLM_TARGET, SAMPLES_TARGET, ONE_TARGETS = 4.0, 20.0, 3.0, {"llama_1m": 2.5, "llama_30m": 1.3}
TEMPLATE = "{{ messages[0]['content'] }}"  # the prompt as it is


@dataclass(frozen=True)
class Work:
    """What the cases on questions do.

    Attributes:
        lm: the model.
        prompts: ids of each question's prompt.
        texts: the prompts as text.
        length: largest number of new tokens.
    """

    lm: LanguageModel
    prompts: list[list[int]]
    texts: list[str]
    length: int

    def part(self, begin: int, end: int | None) -> "Work":
        """Return the questions from place `begin` to `end` (excluded), counted as slices count."""
        return Work(self.lm, self.prompts[begin:end], self.texts[begin:end], self.length)

    def parts(self, number: int) -> list["Work"]:
        """Return as many parts of about equal size, and one of two questions before them, for the warm-up."""
        step = max(1, len(self.prompts) // number)
        return [self.part(0, 2), *(self.part(i * step, (i + 1) * step) for i in range(number))]


def load_work(model: str, questions: int, task: str) -> Work:
    """Return validation questions of a task and the model that answers them."""
    lm, asked = load(model), load_task(task)
    texts = [asked.prompt(q, "direct") for q in asked.questions("validation", questions, 0)]
    return Work(lm, [lm.encode(text) for text in texts], texts, asked.max_new_tokens)


def cot_cases(parts: Sequence[Work]) -> list[Case]:
    """Return the cases of CoT-decoding, per question."""
    units, label = len(parts[-1].prompts), "CoT-decoding"
    tokens, gaps = f"{label}, transformers, tokens only", f"{label}, transformers, tokens and gaps"
    ours, run = f"{label}, engine, by tokens only", in_turn(parts, by_engine)
    some = -(-units // SHARE)
    first, last = [part.part(0, some) for part in parts], [part.part(-some, None) for part in parts]
    found = [
        Case(tokens, in_turn(first, lambda part: by_transformers(part, gaps=False)), units=some),
        Case(ours, run, tokens, COT_TARGET, units),
        Case(gaps, in_turn(last, lambda part: by_transformers(part, gaps=True)), units=some),
        Case(f"{label}, engine, by tokens and gaps", run, gaps, COT_TARGET, times_of=ours),
    ]
    if (peer := optillm()) is not None:
        few, name = [part.part(0, OPTILLM) for part in parts], f"{label}, optillm"
        theirs = in_turn(few, lambda part: by_optillm(peer, part))
        found.append(Case(name, theirs, units=len(few[-1].prompts)))
        found.append(Case(f"{label}, engine, by optillm", run, name, OPTILLM_TARGET, times_of=ours))
    return found


def sample_cases(parts: Sequence[Work]) -> list[Case]:
    """Return the cases of self-consistency, per question."""
    units, peer = len(parts[-1].prompts), "20 samples, transformers"
    return [
        Case(peer, in_turn(parts, samples_by_transformers), units=units),
        Case("20 samples, engine", in_turn(parts, samples_by_engine), peer, SAMPLES_TARGET, units),
    ]


def single_cases() -> list[Case]:
    """Return the cases of one path at a time, per token."""
    found = []
    for shape, target in ONE_TARGETS.items():
        lm = gpu.build(shape, "cpu")
        prompt = np.random.default_rng(0).integers(1, lm.width, PROMPT).tolist()
        work, peer = gpu.Work(lm, [prompt], NEW_TOKENS), f"one path, {shape}, transformers"
        theirs, ours = partial(gpu.by_transformers, work, "dynamic"), partial(gpu.by_engine, work)
        found += [
            Case(peer, theirs, units=NEW_TOKENS),
            Case(f"one path, {shape}, engine", ours, peer, target, NEW_TOKENS),
        ]
    return found


def cases(rows: int = WIDE_ROWS, steps: int = WIDE_STEPS) -> list[Case]:
    """Return the cases whose memory is measured: a vocabulary of 128,256 ids."""
    lm = gpu.build("wide", "cpu")
    work = gpu.Work(lm, gpu.questions(rows, lm.width), steps)
    return [
        Case("128,256 ids, transformers, output_logits stacked", lambda: stacked(work)),
        Case("128,256 ids, engine", lambda: gpu.by_engine(work)),
    ]


def check(work: Work) -> dict[str, float]:
    """Return the share of paths that have the same tokens on both sides."""
    ours = [list(tokens) for tokens in by_engine(work)["tokens"]]
    same = [mine == other for mine, other in zip(ours, by_transformers(work, gaps=False), strict=True)]
    lengths = [len(path) for path in samples_by_transformers(work)]
    own = samples_by_engine(work)["tokens"].map(len)
    return {
        "paths": len(same),
        "share of paths with the same tokens": sum(same) / len(same),
        "tokens of a sample, engine": round(float(own.mean()), 2),
        "tokens of a sample, transformers": round(sum(lengths) / len(lengths), 2),
    }


def by_engine(work: Work) -> "pd.DataFrame":
    """Return the engine's records of the K paths of each prompt."""
    return engine.generate(work.lm, work.prompts, branches=K, first="top-k", max_new_tokens=work.length)


def samples_by_engine(work: Work) -> "pd.DataFrame":
    """Return the engine's records of the samples of each prompt."""
    return engine.generate(
        work.lm,
        work.prompts,
        branches=SAMPLES,
        do_sample=True,
        temperature=TEMPERATURE,
        max_new_tokens=work.length,
    )


@torch.inference_mode()
def samples_by_transformers(work: Work) -> list[list[int]]:
    """Return the new tokens of the samples of each prompt, the shortest prompts first."""
    lm, paths = work.lm, []
    prompts, size = sorted(work.prompts, key=len), BATCH // SAMPLES
    for start in range(0, len(prompts), size):
        ids, mask = _padded(lm, prompts[start : start + size])
        output = lm.model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=True,
            temperature=TEMPERATURE,
            top_k=0,
            num_return_sequences=SAMPLES,
            max_new_tokens=work.length,
            pad_token_id=lm.pad_id,
        )
        paths += [_until(new, lm.eos_ids) for new in output[:, ids.shape[1] :].tolist()]
    return paths


@torch.inference_mode()
def by_transformers(work: Work, gaps: bool) -> list[list[int]]:
    """Return the new tokens of the K paths of each prompt, by prompt and branch.

    Args:
        work: model and prompts.
        gaps: whether the difference of the two largest probabilities is computed at each step too.
    """
    lm, prompts = work.lm, work.prompts
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
            max_new_tokens=work.length - 1,
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


def optillm() -> Callable[..., Any] | None:
    """Return optillm's `cot_decode`, None where it is not installed; its server is not imported."""
    package = importlib.util.find_spec("optillm")
    if package is None or not package.submodule_search_locations:
        return None
    place = f"{package.submodule_search_locations[0]}/cot_decoding.py"
    about = importlib.util.spec_from_file_location("optillm_cot_decoding", place)
    module = importlib.util.module_from_spec(about)
    about.loader.exec_module(module)
    return module.cot_decode


def by_optillm(peer: Callable[..., Any], work: Work) -> list[Any]:
    """Return the text and confidence that optillm takes for each prompt."""
    tokenizer = copy.copy(work.lm.tokenizer)
    tokenizer.chat_template = TEMPLATE
    asked = [[{"role": "user", "content": text}] for text in work.texts]
    return [peer(work.lm.model, tokenizer, one, k=K, max_new_tokens=work.length - 1) for one in asked]


@torch.inference_mode()
def stacked(work: gpu.Work) -> Tensor:
    """Return the top-2 gaps of each step, (steps, rows), from the probabilities of all steps at once."""
    width = max(map(len, work.prompts))
    ids, mask = _padded(work.lm, [[0] * (width - len(one)) + one for one in work.prompts])
    output = work.lm.model.generate(
        input_ids=ids,
        attention_mask=mask,
        do_sample=False,
        max_new_tokens=work.new_tokens,
        pad_token_id=0,
        return_dict_in_generate=True,
        output_logits=True,
    )
    top = torch.stack(output.logits).softmax(-1).topk(2).values
    return top[..., 0] - top[..., 1]


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
