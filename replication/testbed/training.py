"""Training of the testbed models: the same recipe for the shipped checkpoints and for anyone who runs it again.

A run is cut into chunks of `CHUNK` steps. Each chunk draws its documents from a stream of its own, so that a killed
run resumes at the last finished chunk with the same data, and ends with the same weights.
"""

import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW, Optimizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast, set_seed

from replication.testbed import models, tokenizer
from replication.testbed.corpus import Document, Mix, documents
from replication.testbed.optimiser import Muon

CHUNK = 50
POOL = 256  # documents from which a row is filled
TOKENIZER_DOCUMENTS = 60_000
VALIDATION_DOCUMENTS = 512
STATE = "training-state"


@dataclass(frozen=True)
class Batch:
    """Packed rows.

    Attributes:
        ids: (R, T) int64 token ids, padded on the right.
        positions: (R, T) int64, counted from 0 within each document.
        weights: (R, T) float32 weight of predicting this token; 0 for padding and the first token of a document.
    """

    ids: Tensor
    positions: Tensor
    weights: Tensor


def encode(
    core: PreTrainedTokenizerFast, batch: list[Document], question_weight: float
) -> list[tuple[list[int], list[float]]]:
    """Return (token ids with BOS and EOS, loss weight of each token) of every document."""
    rows = []
    encodings = core.backend_tokenizer.encode_batch([doc.text for doc in batch])
    for doc, encoding in zip(batch, encodings, strict=True):
        ids = [*encoding.ids, core.eos_token_id]
        weights = [question_weight if end <= doc.question_end else 1.0 for _, end in encoding.offsets]
        rows.append((ids, [0.0, *weights[1:], 1.0]))
    return rows


def batches(
    core: PreTrainedTokenizerFast, stream: Iterator[Document], recipe: models.Recipe
) -> Iterator[Batch]:
    """Yield packed batches without end; rows are filled best fit from a pool of documents, none is cut."""
    pool: list[tuple[list[int], list[float]]] = []
    while True:
        rows = []
        for _ in range(recipe.rows):
            if len(pool) < POOL:
                fresh = encode(core, list(islice(stream, 2 * POOL)), recipe.question_weight)
                pool += [doc for doc in fresh if len(doc[0]) <= recipe.row_tokens]
            rows.append(_fill(pool, recipe.row_tokens))
        yield _stack(rows, recipe.row_tokens, core.pad_token_id)


def _fill(pool: list, room: int) -> list:
    """Take documents from the front of the pool, then whatever still fits."""
    row = []
    for index in range(len(pool)):
        if pool[index] is not None and len(pool[index][0]) <= room:
            row.append(pool[index])
            room -= len(pool[index][0])
            pool[index] = None
            if room < 8:
                break
    pool[:] = [doc for doc in pool if doc is not None]
    return row


def _stack(rows: list, length: int, pad: int) -> Batch:
    ids = torch.full((len(rows), length), pad)
    positions = torch.zeros((len(rows), length), dtype=torch.long)
    weights = torch.zeros((len(rows), length))
    for r, row in enumerate(rows):
        start = 0
        for tokens, weight in row:
            end = start + len(tokens)
            ids[r, start:end] = torch.tensor(tokens)
            positions[r, start:end] = torch.arange(len(tokens))
            weights[r, start:end] = torch.tensor(weight)
            start = end
    return Batch(ids, positions, weights)


def loss_of(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Return the weighted mean cross-entropy of a batch in nats, a scalar.

    Positions that restart tell transformers where a document begins, so that no document sees another.
    """
    logits = model(input_ids=batch.ids, position_ids=batch.positions, use_cache=False).logits[:, :-1]
    losses = functional.cross_entropy(logits.flatten(0, 1), batch.ids[:, 1:].flatten(), reduction="none")
    weights = batch.weights[:, 1:].flatten()
    return (losses * weights).sum() / weights.sum()


def new_model(recipe: models.Recipe, vocabulary: int, core: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return a Llama with random weights of the recipe's shape."""
    set_seed(seed)
    config = LlamaConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.width,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        intermediate_size=recipe.width * 8 // 3,
        max_position_embeddings=models.SEQUENCE,
        tie_word_embeddings=True,
        bos_token_id=core.bos_token_id,
        eos_token_id=core.eos_token_id,
        pad_token_id=core.pad_token_id,
        dtype="float32",
    )
    return LlamaForCausalLM(config)


def optimisers(model: LlamaForCausalLM, rate: float) -> list[Optimizer]:
    """Return Muon for the hidden matrices and AdamW for embeddings and gains."""
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    rest = [p for name, p in model.named_parameters() if not (p.ndim == 2 and "embed" not in name)]
    return [Muon(hidden, lr=rate), AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)]


def schedule(step: int, steps: int) -> float:
    """Return the share of the peak rate at a step: short warm-up, constant, linear to zero over the last 40 %."""
    warm, decay = max(1, min(50, steps // 10)), max(1, int(0.4 * steps))
    return min(1.0, (step + 1) / warm, (steps - step) / decay)


def train(
    size: str,
    out: Path | None = None,
    steps: int | None = None,
    seed: int = 0,
    cot_fraction: float | None = None,
    say: Callable[[str], None] = lambda line: None,
    recipe: models.Recipe | None = None,
) -> Path:
    """Train one testbed model by its recipe and save it.

    Args:
        size: name of the model, a key of `models.RECIPES`.
        out: folder to write; None is the place of the shipped checkpoint.
        steps: optimiser steps; None takes the recipe's.
        seed: seed of the weights.
        cot_fraction: overrides the share of step-by-step answers.
        say: receives a progress line per chunk.
        recipe: replaces the recipe of `size`.

    Returns:
        The folder with config, tokenizer, weights (safetensors), losses.csv and card.json.
    """
    recipe = recipe or models.recipe(size)
    if steps:
        recipe = replace(recipe, steps=steps)
    if cot_fraction is not None:
        recipe = replace(recipe, mix=replace(recipe.mix, cot_fraction=cot_fraction))
    out = out or models.CHECKPOINTS / size
    core = tokenizer.load(models.folder(recipe.init)) if recipe.init else shared_tokenizer()
    model = (
        LlamaForCausalLM.from_pretrained(models.folder(recipe.init), dtype=torch.float32)
        if recipe.init
        else new_model(recipe, len(core), core, seed)
    )
    started = time.perf_counter()
    losses = _run(model, core, recipe, out, say)
    return save(model, core, recipe, out, size, seed, losses, time.perf_counter() - started)


def shared_tokenizer() -> PreTrainedTokenizerFast:
    """Return the tokenizer of all testbed models: the shipped one, or a new one trained on the default corpus."""
    folder = models.CHECKPOINTS / "tokenizer"
    if not (folder / "tokenizer.json").exists():
        texts = (doc.text for doc in islice(documents(7), TOKENIZER_DOCUMENTS))
        tokenizer.train(texts).save_pretrained(folder)
    return tokenizer.load(folder)


def _run(model: LlamaForCausalLM, core, recipe: models.Recipe, out: Path, say) -> list[dict]:
    """Train chunk by chunk, resuming from the last finished one; return the loss curve."""
    model.train()
    steppers = optimisers(model, recipe.rate)
    validation = validation_batch(core, recipe.mix)
    state = out / STATE
    losses = _restore(state, model, steppers, recipe)
    done = losses[-1]["step"] if losses else 0
    for chunk in range(done // CHUNK, -(-recipe.steps // CHUNK)):
        stream = batches(core, documents(1000 * recipe.data_seed + chunk, recipe.mix), recipe)
        last = min((chunk + 1) * CHUNK, recipe.steps)
        total = [_step(model, steppers, next(stream), recipe, step) for step in range(chunk * CHUNK, last)]
        row = {
            "step": last,
            "tokens": last * recipe.rows * recipe.row_tokens,
            "loss": round(sum(total) / len(total), 5),
            "validation": round(evaluate(model, validation), 5),
        }
        losses.append(row)
        _keep(state, model, steppers, losses, recipe)
        say(f"step {last}/{recipe.steps}: loss {row['loss']:.3f}, validation {row['validation']:.3f}")
    return losses


def _step(model, steppers: list[Optimizer], batch: Batch, recipe: models.Recipe, step: int) -> float:
    loss = loss_of(model, batch)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for stepper in steppers:
        for group in stepper.param_groups:
            group["lr"] = recipe.rate * schedule(step, recipe.steps)
        stepper.step()
        stepper.zero_grad()
    return loss.item()


def validation_batch(core: PreTrainedTokenizerFast, mix: Mix) -> Batch:
    """Return one batch of documents whose questions belong to the validation split."""
    stream = documents(0, replace(mix, split="validation"))
    rows = [[doc] for doc in encode(core, list(islice(stream, VALIDATION_DOCUMENTS)), 1.0) if len(doc[0]) <= 192]
    return _stack(rows[:128], 192, core.pad_token_id)


@torch.no_grad()
def evaluate(model: LlamaForCausalLM, batch: Batch) -> float:
    """Return the mean cross-entropy of a batch in nats per token."""
    return loss_of(model, batch).item()


def _keep(state: Path, model, steppers: list[Optimizer], losses: list[dict], recipe: models.Recipe) -> None:
    """Save weights, optimiser moments and losses; the folder appears whole or not at all."""
    fresh = state.with_name(f"{state.name}.{os.getpid()}")
    fresh.mkdir(parents=True, exist_ok=True)
    tensors = {f"model.{k}": v for k, v in model.state_dict().items() if k != "lm_head.weight"}
    for s, stepper in enumerate(steppers):
        for i, moments in stepper.state_dict()["state"].items():
            tensors |= {f"{s}.{i}.{k}": torch.as_tensor(v) for k, v in moments.items()}
    save_file({k: v.contiguous() for k, v in tensors.items()}, fresh / "state.safetensors")
    (fresh / "losses.json").write_text(json.dumps({"recipe": repr(recipe), "losses": losses}))
    shutil.rmtree(state, ignore_errors=True)
    fresh.rename(state)


def _restore(state: Path, model, steppers: list[Optimizer], recipe: models.Recipe) -> list[dict]:
    """Load what `_keep` saved for the same recipe; return the losses so far."""
    if not (state / "losses.json").exists():
        return []
    saved = json.loads((state / "losses.json").read_text())
    if saved["recipe"] != repr(recipe):
        return []
    tensors = load_file(state / "state.safetensors")
    weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
    model.load_state_dict(weights, strict=False)
    for s, stepper in enumerate(steppers):
        packed = stepper.state_dict()
        packed["state"] = {}
        for key, value in tensors.items():
            if key.startswith(f"{s}."):
                _, i, name = key.split(".", 2)
                packed["state"].setdefault(int(i), {})[name] = value
        stepper.load_state_dict(packed)
    return saved["losses"]


def save(model, core, recipe: models.Recipe, out: Path, size: str, seed: int, losses: list[dict], seconds: float) -> Path:
    """Write the checkpoint: weights as float16 (the config asks for float32 on loading), tokenizer, losses, card."""
    out.mkdir(parents=True, exist_ok=True)
    weights = {k: v.half().contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(weights, out / models.WEIGHTS, metadata={"format": "pt"})
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(out)
    model.generation_config.save_pretrained(out)
    core.save_pretrained(out)
    header = "step,tokens,loss,validation\n"
    (out / "losses.csv").write_text(header + "".join(",".join(str(v) for v in row.values()) + "\n" for row in losses))
    files = (models.WEIGHTS, "config.json", "tokenizer.json", "losses.csv")
    card = {
        "name": size,
        "parameters": sum(p.numel() for p in model.parameters()),
        "vocabulary": len(core),
        "steps": recipe.steps,
        "tokens": recipe.steps * recipe.rows * recipe.row_tokens,
        "seed": seed,
        "recipe": asdict(recipe),
        "loss": losses[-1]["loss"],
        "validation_loss": losses[-1]["validation"],
        "seconds": round(seconds),
        "torch": torch.__version__,
        "sha256": {file: models.checksum(out / file) for file in files},
    }
    (out / models.CARD).write_text(json.dumps(card, indent=1) + "\n")
    shutil.rmtree(out / STATE, ignore_errors=True)
    return out
