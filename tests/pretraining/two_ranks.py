"""One of two processes of a distributed training: writes what it kept and logged. Run by test_ranks.py."""

import json
import sys
import warnings
from pathlib import Path

import torch
from datasets import Dataset
from transformers import LlamaConfig, LlamaForCausalLM

from replication.pretraining import ranks
from replication.pretraining.selection import Selection
from replication.pretraining.trainer import SelectiveTrainer, cpu_args


def run(rows, folder, selection, batch, accumulated, **options):
    """Return kept tokens by block, logged lines and the sum of weights of a short training."""
    config = LlamaConfig(vocab_size=61, hidden_size=16, intermediate_size=32, num_hidden_layers=2,
                         num_attention_heads=2, num_key_value_heads=2, initializer_range=0.4)  # fmt: skip
    torch.manual_seed(0)
    model = LlamaForCausalLM(config)
    args = cpu_args(folder, per_device_train_batch_size=batch, gradient_accumulation_steps=accumulated,
                    max_steps=3, logging_steps=1, learning_rate=1e-2)  # fmt: skip
    trainer = SelectiveTrainer(
        model=model, args=args, train_dataset=Dataset.from_list(rows), selection=selection, **options
    )
    kept, plain = [], trainer.tally.add

    def add(losses, valid, keep, cutoff, block):
        for number, row in zip(block.tolist(), keep, strict=True):
            kept.append([trainer.state.global_step, number, row.nonzero().flatten().tolist()])
        plain(losses, valid, keep, cutoff, block)

    trainer.tally.add = add
    trainer.train()
    names = ("loss", "grad_norm", "loss_all", "loss_kept", "loss_dropped", "kept_share", "cutoff")
    lines = [[line[name] for name in names if name in line] for line in trainer.state.log_history[:-1]]
    total = sum(float(parameter.detach().double().abs().sum()) for parameter in trainer.model.parameters())
    return {"kept": kept, "lines": lines, "weights": total}


CASES = {
    "excess": (Selection(0.6), 1),
    "excess, accumulated": (Selection(0.6), 2),
    "random": (Selection(0.5, score="random"), 1),
    "sequence": (Selection(0.6, scope="sequence"), 1),
    "all": (Selection(1.0, score="all"), 1),
}

if __name__ == "__main__":
    warnings.simplefilter("error")
    torch.set_num_threads(1)
    rows, out = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    found = {
        name: run(rows, out, selection, 4 // accumulated, accumulated)
        for name, (selection, accumulated) in CASES.items()
    }
    found["gathered"] = [part.tolist() for part in ranks.gather(torch.arange(2.0 + ranks.rank()))]
    (out / f"rank-{ranks.rank()}.json").write_text(json.dumps(found))
    torch.distributed.destroy_process_group()
