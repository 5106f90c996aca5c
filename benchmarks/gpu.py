"""The engine at real shapes with random weights: `python -m benchmarks.gpu --shape llama3_8b`.

Prompts have the lengths of GSM8K questions, every path the same number of new tokens, greedy, no end-of-text
token: the same work for all. The engine, which also records probabilities and entropies, is set against
transformers' `generate` with its dynamic and with its static cache, and against what memory allows: each step
reads all weights and the keys and values so far once, at the bandwidth of a copy measured in the same run.

Prints a table and keeps everything in `<results>/bench/gpu.json`. Random weights take as long as trained
ones.
"""

import argparse
import json
import os
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import torch

from benchmarks.harness import Case, measure, table
from replication.files import write_atomic
from replication.lm import engine
from replication.lm.loading import LanguageModel
from replication.reporting.environment import hardware, versions
from replication.settings import resolve_device, results_root

ROWS, NEW_TOKENS, ROUNDS = 320, 200, 3
# Tokens of GSM8K's test questions with "Q: ... A:": about log-normal around 65, hardly ever beyond 200.
LENGTH, SPREAD, SHORTEST, LONGEST = 65, 0.4, 24, 220
COPIED = {"cuda": 2**30, "cpu": 2**26}  # bytes of a copy whose bandwidth is measured
DTYPES = {"cuda": torch.bfloat16, "cpu": torch.float32}

SHAPES: dict[str, dict[str, Any]] = {
    "llama3_8b": {"kind": "llama", "vocab_size": 128_256, "hidden_size": 4096, "intermediate_size": 14_336,
                  "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8},
    "mistral_7b": {"kind": "mistral", "vocab_size": 32_000, "hidden_size": 4096, "intermediate_size": 14_336,
                   "num_hidden_layers": 32, "num_attention_heads": 32, "num_key_value_heads": 8},
    "llama_30m": {"kind": "llama", "vocab_size": 4096, "hidden_size": 512, "intermediate_size": 1365,
                  "num_hidden_layers": 8, "num_attention_heads": 8, "num_key_value_heads": 8},
    "llama_1m": {"kind": "llama", "vocab_size": 1024, "hidden_size": 128, "intermediate_size": 341,
                 "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 4},
    "wide": {"kind": "llama", "vocab_size": 128_256, "hidden_size": 64, "intermediate_size": 128,
             "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 4},
    "tiny": {"kind": "llama", "vocab_size": 512, "hidden_size": 64, "intermediate_size": 128,
             "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2},
}  # fmt: skip


class Numbers:
    """As much of a tokenizer as the engine needs: ids are written as numbers, and none ends a text."""

    eos_token_id = unk_token_id = None
    pad_token_id = 0

    def __init__(self, size: int) -> None:
        self.size = size

    def __len__(self) -> int:
        """Return the number of ids."""
        return self.size

    def get_vocab(self) -> dict[str, int]:
        """Return text -> id."""
        return {str(i): i for i in range(self.size)}

    def decode(self, ids: Sequence[int], **options: Any) -> str:
        """Return the ids as text."""
        return " ".join(map(str, ids))


@dataclass(frozen=True)
class Work:
    """What every side does.

    Attributes:
        lm: the model.
        prompts: ids of each row.
        new_tokens: of each row.
    """

    lm: LanguageModel
    prompts: list[list[int]]
    new_tokens: int


def build(shape: str, device: str, seed: int = 0) -> LanguageModel:
    """Return a model of a shape with random weights, drawn on the device itself."""
    from transformers import AutoConfig, AutoModelForCausalLM

    options = dict(SHAPES[shape])
    special = {"bos_token_id": None, "eos_token_id": None, "pad_token_id": None}
    context = {"max_position_embeddings": 8192, "tie_word_embeddings": False}
    config = AutoConfig.for_model(options.pop("kind"), **options, **special, **context)
    torch.manual_seed(seed)
    with torch.device(device):
        model = AutoModelForCausalLM.from_config(config, dtype=DTYPES[device])
    model = model.eval().requires_grad_(False)
    return LanguageModel(model, Numbers(config.vocab_size), shape, shape)


def questions(rows: int, vocabulary: int, seed: int = 0) -> list[list[int]]:
    """Return random prompts with the lengths of GSM8K questions, the shortest first."""
    rng = np.random.default_rng(seed)
    drawn = np.exp(rng.normal(np.log(LENGTH), SPREAD, rows)).round().astype(int)
    lengths = np.sort(drawn.clip(SHORTEST, LONGEST))
    return [rng.integers(1, vocabulary, length).tolist() for length in lengths]


def by_engine(work: Work) -> list[list[int]]:
    """Return the engine's new tokens of each row, in one batch."""
    budget = len(work.prompts) * (max(map(len, work.prompts)) + work.new_tokens)
    found = engine.generate(work.lm, work.prompts, max_new_tokens=work.new_tokens, token_budget=budget)
    return [list(map(int, tokens)) for tokens in found["tokens"]]


@torch.inference_mode()
def by_transformers(work: Work, cache: str) -> list[list[int]]:
    """Return the new tokens of each row from `generate`, in one batch.

    Args:
        work: the work.
        cache: "dynamic" or "static", of transformers' cache implementations.
    """
    width = max(map(len, work.prompts))
    ids = torch.tensor([[0] * (width - len(one)) + one for one in work.prompts])
    mask = torch.tensor([[0] * (width - len(one)) + [1] * len(one) for one in work.prompts])
    place = work.lm.device
    out = work.lm.model.generate(
        input_ids=ids.to(place), attention_mask=mask.to(place), do_sample=False, num_beams=1,
        max_new_tokens=work.new_tokens, pad_token_id=0, cache_implementation=cache,
    )  # fmt: skip
    return out[:, width:].tolist()


def bandwidth(device: str, repeats: int = 5) -> float:
    """Return the bytes a second that a copy in the device's memory reads and writes, the best of several."""
    source = torch.ones(COPIED[device], dtype=torch.uint8, device=device)
    target, best = torch.empty_like(source), float("inf")
    for _ in range(repeats):
        _wait(device)
        begin = time.perf_counter()
        target.copy_(source)
        _wait(device)
        best = min(best, time.perf_counter() - begin)
    return 2 * source.numel() / best


def moved(work: Work) -> float:
    """Return the bytes that generating has to read: weights but the embeddings, and the cache, each step."""
    model, config = work.lm.model, work.lm.model.config
    width = next(model.parameters()).element_size()
    weights = width * (model.num_parameters() - model.get_input_embeddings().weight.numel())
    head = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    position = 2 * width * config.num_hidden_layers * config.num_key_value_heads * head
    steps = work.new_tokens - 1  # the first token comes out of the prompt
    cached = sum(len(one) * steps + steps * (steps + 1) / 2 for one in work.prompts)
    return weights * steps + position * cached


def run(shape: str, device: str, rows: int, new_tokens: int, rounds: int) -> dict[str, Any]:
    """Return what was measured of a shape: results, the share of equal paths, and the limit of memory."""
    lm = build(shape, device)
    work = Work(lm, questions(rows, lm.width), new_tokens)
    dynamic, static = "transformers, dynamic cache", "transformers, static cache"
    results = measure(
        [
            Case(dynamic, lambda: by_transformers(work, "dynamic")),
            Case(static, lambda: by_transformers(work, "static")),
            Case("engine, by dynamic cache", lambda: by_engine(work), dynamic),
            Case("engine, by static cache", lambda: by_engine(work), static),
        ],
        rounds,
    )
    ours, theirs = by_engine(work), by_transformers(work, "dynamic")
    same = sum(mine == other for mine, other in zip(ours, theirs, strict=True)) / rows
    speed = bandwidth(device)
    limit = moved(work) / speed
    engine_seconds = min(one.milliseconds for one in results if one.peer) / 1e3
    return {
        "shape": shape,
        "device": device,
        "dtype": str(DTYPES[device]),
        "parameters": lm.model.num_parameters(),
        "rows": rows,
        "new tokens": new_tokens,
        "rounds": rounds,
        "share of paths with the same tokens": same,
        "copy bandwidth, bytes a second": speed,
        "bytes to read": moved(work),
        "seconds at that bandwidth": limit,
        "engine, share of the limit of memory": limit / engine_seconds,
        "engine, tokens a second": rows * new_tokens / engine_seconds,
        "results": [asdict(one) for one in results],
        "table": table(results),
    }


def _wait(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the shape that the command line names, print it and keep it."""
    parser = argparse.ArgumentParser(description="Measure the engine at real shapes with random weights.")
    parser.add_argument("--shape", choices=SHAPES, default="tiny", help="what the model looks like (tiny)")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--rows", type=int, default=ROWS, help=f"paths side by side ({ROWS})")
    parser.add_argument("--new-tokens", type=int, default=NEW_TOKENS, help=f"of each ({NEW_TOKENS})")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"alternating rounds ({ROUNDS})")
    options = parser.parse_args(arguments)
    if min(options.rows, options.rounds) < 1 or options.new_tokens < 2:
        parser.error("rows and rounds need to be 1 or more, new tokens 2 or more")
    device = resolve_device(options.device)
    found = run(options.shape, device, options.rows, options.new_tokens, options.rounds)
    shown = found.pop("table")
    content = {"suite": "gpu", **found, "hardware": hardware(), "versions": versions()}
    path = results_root() / "bench" / "gpu.json"
    write_atomic(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    print(f"## {options.shape}, {options.rows} rows, {options.new_tokens} new tokens ({device})\n\n{shown}\n")
    print(f"The engine reaches {found['engine, share of the limit of memory']:.0%} of what memory allows.")
    print(f"\nKept in {os.path.relpath(path)}", flush=True)


if __name__ == "__main__":
    main()
