"""Fine-tuning on given responses: the positive and the negative model, and the SFT model others start from.

The loss is the mean over the response tokens of a batch; the prompt is read and not learnt (Lin, Liang, Xu et
al., ICML 2025, arXiv 2411.19943: positive and negative models are low-rank fine-tunes of the base, on right
and on wrong trajectories, `PAPER`). Here adapters are merged into the weights, so that what is left is a
model like any other.
"""

from pathlib import Path
from typing import Any

import pandas as pd
from torch import Tensor
from transformers import PrinterCallback, Trainer, TrainingArguments
from transformers.utils import logging
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from replication.alignment.fitting import adapter, leave, rates, trainable
from replication.alignment.plans import PROJECTIONS, Hyper, Lora, Tuning
from replication.lm import packed
from replication.lm.training import CPU_ARGUMENTS, flushed_denormals, quiet_libraries, spared_collections

# The paper's and its released code's values for the positive and negative models.
PAPER = Hyper(
    rate=3e-4, rows=6, epochs=1, warmup=0.1, schedule="cosine", decay=0.0,
    lora=Lora(rank=8, alpha=16, dropout=0.1, targets=PROJECTIONS),
)  # fmt: skip
LOGGED = ("step", "loss", "grad_norm", "learning_rate")


def run(tuning: Tuning, device: str, folder: Path) -> dict[str, pd.DataFrame]:
    """Fine-tune by a plan, save model and tokenizer in `folder`, and return the table log.

    Args:
        tuning: the plan.
        device: "cpu", "cuda" or "mps".
        folder: made here; holds the Trainer's own files while it runs.

    Returns:
        "log": a row per logged step: step, loss (nats per response token), grad_norm, learning_rate.

    Raises:
        InputError: examples that cannot be used, or a base that cannot be loaded.
    """
    from peft import get_peft_model
    from transformers import set_seed

    tuning.check()
    logging.disable_progress_bar()  # bars of loading and saving have no place in notebooks
    model, tokenizer = trainable(tuning.base, device)
    set_seed(tuning.seed)  # adapters begin at random
    if tuning.hyper.lora is not None:
        with quiet_libraries():
            model = get_peft_model(model, adapter(tuning.hyper.lora))
    chosen = rates(tuning.hyper, len(tuning.examples), tuning.seed, device)
    trainer = ResponseTrainer(
        model=model,
        args=TrainingArguments(output_dir=str(folder / "trainer"), **CPU_ARGUMENTS | chosen),
        train_dataset=_rows(tuning),
        data_collator=DataCollatorForLanguageModeling(pad_token_id=int(tokenizer.pad_token_id or 0)),
    )
    trainer.remove_callback(PrinterCallback)
    with flushed_denormals(), spared_collections():
        trainer.train()
    leave(model, tokenizer, folder)
    lines = [line for line in trainer.state.log_history if "loss" in line]
    return {"log": pd.DataFrame(lines, columns=list(LOGGED)).astype({"step": int})}


class ResponseTrainer(Trainer):
    """Transformers' Trainer, its loss from the needed tokens alone where `packed` knows the model."""

    def compute_loss(
        self,
        model: Any,
        inputs: dict[str, Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Tensor | None = None,
    ) -> Any:
        """Return the batch's share of the mean loss of all predicted tokens of a step."""
        if return_outputs or not packed.fits(model):
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        ids, targets = inputs["input_ids"][:, :-1], inputs["labels"][:, 1:]
        losses = packed.losses(model, packed.texts(ids, targets), targets)
        count = (targets != packed.IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        return losses.sum() / count


def _rows(tuning: Tuning) -> list[dict[str, list[int]]]:
    """Return examples as the collator reads them: ids, and -100 for labels of the prompt."""
    return [
        {
            "input_ids": [*one.prompt, *one.response],
            "labels": [*[-100] * len(one.prompt), *one.response],
        }
        for one in tuning.examples
    ]
