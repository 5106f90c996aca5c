"""A decoding, a pretraining and a preference training, small, printed as JSON. Run by test_determinism.py."""

import json
import sys
import tempfile
import warnings
from pathlib import Path

import numpy as np
import torch

STEPS = 12


def decoding() -> dict[str, object]:
    """Return texts, measures and a verdict of a shipped model on word problems, greedy and sampled."""
    from replication.decoding.top_nsigma import TopNSigma
    from replication.evaluation import claims, paired
    from replication.lm import engine
    from replication.lm.loading import load
    from replication.tasks import load_task

    lm, task = load("testbed-small"), load_task("stories:kind=plain,level=1")
    asked = task.questions("test", 24)
    prompts = [lm.prompt(task.prompt(question), "") for question in asked]
    options = {"max_new_tokens": 24, "stop": task.stop, "ids": [question.id for question in asked]}
    found, right = {}, {}
    for name, more in {
        "greedy": {},
        "plain": {"do_sample": True, "temperature": 3.0},
        "nsigma": {"do_sample": True, "temperature": 3.0, "processors": (TopNSigma(1.0),)},
    }.items():
        table = engine.generate(lm, prompts, **options, **more)
        answers = [task.extract(text) for text in table["text"]]
        pairs = zip(answers, asked, strict=True)
        right[name] = [task.grade(answer and answer.value, question.answer) for answer, question in pairs]
        first = [float(values[0]) for values in table["logprob"]]
        found[name] = {"texts": list(table["text"]), "first": first, "accuracy": float(np.mean(right[name]))}
    gain = paired.difference(right["nsigma"], right["plain"])
    test = {"kind": "greater", "estimate": "accuracy of top-nσ minus plain sampling", "null": 0.0}
    return {"runs": found, "verdict": claims.judge(test, gain)[0], "gain": gain.value}


def pretraining(folder: Path) -> dict[str, object]:
    """Return the losses of a selective training of a new model, and the share of tokens kept."""
    from datasets import Dataset

    from replication.pretraining.reference import score_blocks
    from replication.pretraining.selection import Selection
    from replication.pretraining.trainer import SelectiveTrainer, cpu_args

    draw = torch.Generator().manual_seed(5)
    rows = [torch.randint(1, 61, (24,), generator=draw).tolist() for _ in range(32)]
    data = Dataset.from_list([{"input_ids": ids, "labels": ids} for ids in rows])
    losses, _ = zip(*score_blocks(model(9), data, entropy=True), strict=True)
    data = data.add_column("reference_loss", [one.tolist() for one in losses])
    args = cpu_args(
        folder, per_device_train_batch_size=16, max_steps=STEPS, logging_steps=1, learning_rate=1e-2
    )
    trainer = SelectiveTrainer(model=model(0), args=args, train_dataset=data, selection=Selection(0.6))
    trainer.train()
    lines = [line for line in trainer.state.log_history if "loss" in line]
    return {name: [line[name] for line in lines] for name in ("loss", "kept_share")}


def preferences(folder: Path) -> dict[str, object]:
    """Return the losses of a preference training of a new model."""
    from tokenizers import Tokenizer, models
    from transformers import PreTrainedTokenizerFast

    from replication.alignment.collating import dataset
    from replication.alignment.objectives import Objective
    from replication.alignment.preferences import Pair
    from replication.alignment.trainer import PreferenceTrainer, cpu_args

    draw = np.random.default_rng(3)
    sides = [[tuple(map(int, draw.integers(3, 61, 8))) for _ in range(3)] for _ in range(16)]
    pairs = [Pair(f"q{i}", *side, tuple(map(float, draw.random(8)))) for i, side in enumerate(sides)]
    words = Tokenizer(models.WordLevel({f"w{i}": i for i in range(61)}, unk_token="w0"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, pad_token="w0", eos_token="w2")
    args = cpu_args(
        folder, per_device_train_batch_size=8, max_steps=STEPS, logging_steps=1, learning_rate=1e-3
    )
    trainer = PreferenceTrainer(
        model=model(0), ref_model=model(1), args=args, train_dataset=dataset(pairs, None),
        processing_class=tokenizer, objective=Objective("cdpo", beta=0.1),
    )  # fmt: skip
    trainer.train()
    return {"loss": [line["loss"] for line in trainer.state.log_history if "loss" in line]}


def model(seed: int) -> torch.nn.Module:
    """Return a random Llama of two layers."""
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(vocab_size=61, hidden_size=32, intermediate_size=64, num_hidden_layers=2,
                    num_attention_heads=2, num_key_value_heads=2, initializer_range=0.4, pad_token_id=0)
    )  # fmt: skip


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    torch.set_num_threads(int(sys.argv[1]))
    with tempfile.TemporaryDirectory() as place:
        done = {"decoding": decoding(), "pretraining": pretraining(Path(place, "a"))}
        done["preferences"] = preferences(Path(place, "b"))
    done["capability"] = torch.backends.cpu.get_cpu_capability()
    print(json.dumps(done))
