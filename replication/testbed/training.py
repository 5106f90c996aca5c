"""Training of the testbed models: one recipe for the shipped checkpoints and for anyone who runs it again.

A run is cut into chunks of `CHUNK` steps. Each chunk draws its documents from a stream of its own, so that a
killed run resumes at the last finished chunk with the same data, and ends with the same weights.
"""

import hashlib
import json
import shutil
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional
from torch.optim import AdamW, Optimizer
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from replication.files import write_atomic
from replication.settings import InputError
from replication.testbed import grown, models, tokenizer
from replication.testbed.corpus import Mix, documents
from replication.testbed.examination import examine
from replication.testbed.optimiser import Muon
from replication.testbed.packing import Batch, batches, encode, stack

CHUNK = 50
TOKENIZER_DOCUMENTS = 60_000
VALIDATION_DOCUMENTS, VALIDATION_ROWS, VALIDATION_TOKENS = 512, 128, 192
# A state is weights and moments, 12 bytes a parameter: large models are saved less often.
PARAMETERS_A_CHUNK = 5_000_000
STATE = "training-state"
LOSSES = "losses.csv"


def loss_of(model: LlamaForCausalLM, batch: Batch) -> Tensor:
    """Return the weighted mean cross-entropy of a batch in nats, a scalar.

    Positions that restart tell transformers where a document begins, so that no document sees another. On
    CUDA the model computes in bfloat16.
    """
    place = model.device
    ids, positions = batch.ids.to(place), batch.positions.to(place)
    with torch.autocast(place.type, torch.bfloat16, enabled=place.type == "cuda"):
        logits = model(input_ids=ids, position_ids=positions, use_cache=False).logits[:, :-1]
    losses = functional.cross_entropy(logits.flatten(0, 1).float(), ids[:, 1:].flatten(), reduction="none")
    weights = batch.weights[:, 1:].flatten().to(place)
    return (losses * weights).sum() / weights.sum()


def new_model(recipe: models.Recipe, core: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return a Llama of the recipe's shape with random weights, which depend on the seed alone."""
    config = LlamaConfig(
        vocab_size=len(core),
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
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return LlamaForCausalLM(config)


def first_model(recipe: models.Recipe, seed: int) -> tuple[LlamaForCausalLM, PreTrainedTokenizerFast]:
    """Return what a training starts from, the recipe's checkpoint or a new model, and its tokenizer.

    Raises:
        InputError: that checkpoint is missing.
    """
    if recipe.init:
        folder = grown.folder(recipe.init)
        return LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32), tokenizer.load(folder)
    core = shared_tokenizer(recipe.vocabulary)
    return new_model(recipe, core, seed), core


def optimisers(model: LlamaForCausalLM, rate: float) -> list[Optimizer]:
    """Return Muon for the hidden matrices and AdamW for embeddings and gains."""
    hidden = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    rest = [p for name, p in model.named_parameters() if not (p.ndim == 2 and "embed" not in name)]
    return [Muon(hidden, lr=rate), AdamW(rest, lr=rate, betas=(0.9, 0.98), weight_decay=0.0)]


def schedule(step: int, steps: int) -> float:
    """Return the share of the peak rate at a step: short warm-up, constant, falling over the last 40 %."""
    warm, decay = max(1, min(50, steps // 10)), max(1, int(0.4 * steps))
    return min(1.0, (step + 1) / warm, (steps - step) / decay)


@dataclass(frozen=True)
class State:
    """What a run needs to go on after its last finished chunk: weights, optimiser moments and losses.

    Attributes:
        folder: where it is kept.
        recipe: text of the recipe; a run goes on only from a state of its own recipe and seed.
        seed: seed of the weights.
        every: chunks between two saves.
    """

    folder: Path
    recipe: str
    seed: int
    every: int = 1

    @property
    def file(self) -> Path:
        """The one file of the state, which appears whole or not at all."""
        return self.folder / "state.safetensors"

    def keep(self, model: LlamaForCausalLM, steppers: list[Optimizer], losses: list[dict]) -> None:
        """Save the state in the place of the one before."""
        tensors = {f"model.{k}": v for k, v in model.state_dict().items() if k != "lm_head.weight"}
        for s, stepper in enumerate(steppers):
            for i, moments in stepper.state_dict()["state"].items():
                tensors |= {f"{s}.{i}.{k}": torch.as_tensor(v) for k, v in moments.items()}
        tensors = {k: v.contiguous() for k, v in tensors.items()}
        about = {"recipe": self.recipe, "seed": self.seed, "losses": losses, "digest": _digest(tensors)}
        write_atomic(
            self.file, lambda beside: save_file(tensors, beside, metadata={"about": json.dumps(about)})
        )

    def restore(self, model: LlamaForCausalLM, steppers: list[Optimizer]) -> list[dict]:
        """Load what `keep` saved into model and optimisers; return the losses so far, [] at a fresh start.

        A state of another recipe or seed, or one that was damaged, is a fresh start.
        """
        try:
            with safe_open(self.file, "pt") as saved:
                about = json.loads((saved.metadata() or {}).get("about", "{}"))
            tensors = load_file(self.file)
        except (OSError, ValueError, SafetensorError):
            return []
        same = (about.get("recipe"), about.get("seed")) == (self.recipe, self.seed)
        if not same or about["digest"] != _digest(tensors):
            return []
        weights = {k.removeprefix("model."): v for k, v in tensors.items() if k.startswith("model.")}
        model.load_state_dict(weights, strict=False)
        for s, stepper in enumerate(steppers):
            packed = stepper.state_dict() | {"state": {}}
            for key, value in tensors.items():
                if key.startswith(f"{s}."):
                    _, i, name = key.split(".", 2)
                    packed["state"].setdefault(int(i), {})[name] = value
            stepper.load_state_dict(packed)
        return about["losses"]


def _digest(tensors: dict[str, torch.Tensor]) -> str:
    """Return a checksum of tensors and their names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].cpu().reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def train(
    size: str,
    out: Path | None = None,
    steps: int | None = None,
    seed: int = 0,
    cot_fraction: float | None = None,
    say: Callable[[str], None] = lambda line: None,
    recipe: models.Recipe | None = None,
    device: str = "cpu",
) -> Path:
    """Train one testbed model by its recipe and save it.

    Args:
        size: name of the model, a key of `models.RECIPES` or of `grown.LARGER`.
        out: folder to write; None is the place of the shipped checkpoint.
        steps: optimiser steps; None takes the recipe's.
        seed: seed of the weights.
        cot_fraction: overrides the share of step-by-step answers.
        say: receives a progress line per chunk.
        recipe: replaces the recipe of `size`.
        device: torch device to train on.

    Returns:
        The folder with config, tokenizer, weights (safetensors), losses.csv and card.json.

    Raises:
        InputError: no such model, no step or no share, the checkpoint to start from is missing, or no folder
            for a model that is not shipped.
    """
    recipe = _adapt(recipe or grown.recipe(size), steps, cot_fraction)
    if out is None and size in grown.LARGER:
        raise InputError(f"{size} does not come with the package: name a folder for it with --out.")
    out = out or models.CHECKPOINTS / size
    model, core = first_model(recipe, seed)
    model.to(device)
    started = time.perf_counter()
    every = max(1, model.num_parameters() // PARAMETERS_A_CHUNK)
    losses = _run(model, core, recipe, State(out / STATE, repr(recipe), seed, every), say)
    facts = _facts(model, core, recipe, size, seed, losses, time.perf_counter() - started)
    model.eval()
    facts["accuracy"] = examine(model, core)
    return save(model, core, out, losses, facts)


def _adapt(recipe: models.Recipe, steps: int | None, cot_fraction: float | None) -> models.Recipe:
    """Return the recipe with other steps and another share of step-by-step answers, where given."""
    if steps is not None:
        if steps < 1:
            raise InputError(f"A training needs at least 1 step, not {steps}.")
        recipe = replace(recipe, steps=steps)
    if cot_fraction is not None:
        if not 0 <= cot_fraction <= 1:
            raise InputError(
                f"The share of step-by-step answers lies between 0 and 1, not at {cot_fraction}."
            )
        recipe = replace(recipe, mix=replace(recipe.mix, cot_fraction=cot_fraction))
    return recipe


def rerun(name: str, chunks: int = 1, seed: int = 0) -> list[dict]:
    """Train a shipped model's first chunks again and return their losses; nothing is written.

    On the machine kind that made the checkpoint the losses are those of its losses.csv; on another one they
    drift apart in the last digits.

    Raises:
        InputError: no such model, or the checkpoint that it starts from is missing.
    """
    recipe = models.recipe(name)
    model, core = first_model(recipe, seed)
    return _run(model, core, recipe, None, lambda line: None, chunks)


def shared_tokenizer(size: int = tokenizer.VOCABULARY) -> PreTrainedTokenizerFast:
    """Return the tokenizer with `size` entries: the shipped one, or one trained on the default corpus."""
    name = "tokenizer" if size == tokenizer.VOCABULARY else f"tokenizer-{size}"
    folder = models.CHECKPOINTS / name
    if not (folder / "tokenizer.json").exists():
        texts = (doc.text for doc in islice(documents(7), TOKENIZER_DOCUMENTS))
        tokenizer.train(texts, size).save_pretrained(folder)
    return tokenizer.load(folder)


def _run(
    model: LlamaForCausalLM,
    core: PreTrainedTokenizerFast,
    recipe: models.Recipe,
    state: State | None,
    say: Callable[[str], None],
    chunks: int | None = None,
) -> list[dict]:
    """Train chunk by chunk, resuming from what `state` holds; return the loss curve.

    Args:
        model: trained in place.
        core: its tokenizer.
        recipe: the recipe.
        state: what the last finished chunk left; None keeps nothing.
        say: receives a progress line per chunk.
        chunks: number of chunks after which to stop early.
    """
    model.train()
    steppers = optimisers(model, recipe.rate)
    validation = validation_batch(core, recipe.mix)
    losses = state.restore(model, steppers) if state else []
    for chunk in range(len(losses), -(-recipe.steps // CHUNK))[:chunks]:
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
        if state and len(losses) % state.every == 0:
            state.keep(model, steppers, losses)
        say(f"step {last}/{recipe.steps}: loss {row['loss']:.3f}, validation {row['validation']:.3f}")
    return losses


def _step(
    model: LlamaForCausalLM, steppers: list[Optimizer], batch: Batch, recipe: models.Recipe, step: int
) -> float:
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
    drawn = encode(core, list(islice(stream, VALIDATION_DOCUMENTS)), 1.0)
    rows = [[doc] for doc in drawn if len(doc[0]) <= VALIDATION_TOKENS][:VALIDATION_ROWS]
    return stack(rows, VALIDATION_TOKENS, core.pad_token_id)


@torch.no_grad()
def evaluate(model: LlamaForCausalLM, batch: Batch) -> float:
    """Return the mean cross-entropy of a batch in nats per token."""
    return loss_of(model, batch).item()


def save(
    model: LlamaForCausalLM, core: PreTrainedTokenizerFast, out: Path, losses: list[dict], facts: dict
) -> Path:
    """Write the checkpoint: weights, tokenizer, losses.csv and a card with `facts`.

    The weights are stored as float16; the configuration asks for float32 on loading.
    """
    out.mkdir(parents=True, exist_ok=True)
    weights = {k: v.half().contiguous() for k, v in model.state_dict().items() if k != "lm_head.weight"}
    save_file(weights, out / models.WEIGHTS, metadata={"format": "pt"})
    model.config.architectures = [type(model).__name__]
    model.config.save_pretrained(out)
    model.generation_config.save_pretrained(out)
    core.backend_tokenizer.no_padding()  # what the examination set, see `tokenizer.load`
    core.save_pretrained(out)
    rows = "".join(",".join(str(value) for value in row.values()) + "\n" for row in losses)
    (out / LOSSES).write_text("step,tokens,loss,validation\n" + rows)
    models.write_card(out, facts)
    shutil.rmtree(out / STATE, ignore_errors=True)
    return out


def _facts(
    model: LlamaForCausalLM,
    core: PreTrainedTokenizerFast,
    recipe: models.Recipe,
    name: str,
    seed: int,
    losses: list[dict],
    seconds: float,
) -> dict:
    """Return what the card says besides accuracies and checksums."""
    return {
        "name": name,
        "parameters": sum(p.numel() for p in model.parameters()),
        "vocabulary": len(core),
        "steps": losses[-1]["step"],
        "tokens": losses[-1]["tokens"],
        "seed": seed,
        "recipe": asdict(recipe),
        "loss": losses[-1]["loss"],
        "validation_loss": losses[-1]["validation"],
        "seconds": round(seconds),
        "torch": torch.__version__.partition("+")[0],
    }
