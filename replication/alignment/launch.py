"""Preference training of a model of any size, with adapters, on one device or several.

    python -m replication.alignment.launch --config env/cdpo/llama3_8b_lora.yaml [--set KEY=VALUE ...]
    [--plan] accelerate launch --config_file env/cdpo/fsdp.yaml -m replication.alignment.launch --config FILE

The reference is the same model with its adapter off. The adapter is left in `output/adapter`; a run that was
killed goes on from its last checkpoint.
"""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from replication.alignment import config as configuration
from replication.alignment import costs
from replication.alignment.config import Config
from replication.alignment.preferences import Pair, check
from replication.settings import InputError, check_writable

SIDES = ("prompt", "chosen", "rejected")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a wrong input ends with one sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m replication.alignment.launch", description=main.__doc__)
    parser.add_argument("--config", required=True, help="YAML or TOML file, see env/cdpo")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="replace values of the file"
    )
    parser.add_argument("--plan", action="store_true", help="print what the run costs, and stop")
    options = parser.parse_args(arguments)
    try:
        config = configuration.read(options.config, options.set)
        if options.plan:
            print(costs.plan(config))
        else:
            run(config)
    except InputError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error


def run(config: Config, say: Callable[[str], None] = print) -> Path:
    """Train by a configuration; return the folder of the adapter.

    Args:
        config: the run.
        say: receives lines of progress, on the first process only.

    Raises:
        InputError: what stops the run: data or model that cannot be read, pairs that cannot be used, an
            output that cannot be written.
    """
    from replication.alignment.collating import dataset
    from replication.alignment.fitting import adapter, trainable
    from replication.alignment.trainer import PreferenceTrainer
    from replication.lm.checkpoints import Sealing, last_whole

    output = Path(config.output)
    check_writable(output)
    args = _arguments(config, output)
    dtype = "bfloat16" if args.bf16 else "float32"
    model, tokenizer = trainable(config.model, "cpu", dtype)  # the trainer places it, whole or in shards
    pairs, report = usable(read_pairs(config, tokenizer), config)
    if args.process_index == 0:
        say(", ".join(f"{name}: {number}" for name, number in report.items()))
    trainer = PreferenceTrainer(
        model=model,
        args=args,
        train_dataset=dataset(pairs),
        processing_class=tokenizer,
        peft_config=adapter(config.lora),
        objective=config.objective,
        callbacks=[Sealing()],
    )
    trainer.train(resume_from_checkpoint=last_whole(output, say if args.process_index == 0 else _silent))
    folder = output / "adapter"
    trainer.save_model(str(folder))
    return folder


def _silent(line: str) -> None:
    """Say nothing: the first process speaks for all."""


def read_pairs(config: Config, tokenizer: Any) -> Iterator[Pair]:
    """Yield the pairs of a data set.

    Its columns are `prompt`, `chosen` and `rejected`, each a text or a list of token ids, and maybe
    `rejected_weights`, one for each rejected id. Ids are taken as they are. A text is tokenised on its own,
    the prompt with the tokenizer's special tokens, a response without them and with the end-of-text token
    behind it.

    Raises:
        InputError: no such data, or rows without the columns.
    """
    end = [] if tokenizer.eos_token_id is None else [tokenizer.eos_token_id]
    for number, row in enumerate(_rows(config)):
        if missing := [name for name in SIDES if not row.get(name)]:
            raise InputError(
                f"Row {number} of {config.data} lacks {', '.join(missing)}: it has {', '.join(row)}."
            )
        ids = []
        for name in SIDES:
            value, response = row[name], name != "prompt"
            if isinstance(value, str):
                value = tokenizer(value, add_special_tokens=not response)["input_ids"]
                value = [*value, *(end if response else [])]
            ids.append(tuple(int(i) for i in value))
        weights = row.get("rejected_weights")
        yield Pair(f"row {number}", *ids, None if weights is None else tuple(map(float, weights)))


def usable(pairs: Iterator[Pair], config: Config) -> tuple[list[Pair], dict[str, int]]:
    """Return the pairs that are short enough, and how many there were and were left out.

    Raises:
        InputError: none is left, or pairs that the objective cannot use.
    """
    found = list(pairs)
    fits = [p for p in found if len(p.prompt) <= config.longest_prompt and p.length <= config.longest]
    check(fits)
    if config.objective.weighted and any(pair.weights is None for pair in fits):
        raise InputError(
            f"{config.method} needs rejected_weights in every row: score the rejected tokens first."
        )
    return fits, {"pairs": len(fits), "left out as too long": len(found) - len(fits)}


def _rows(config: Config) -> Iterator[Mapping[str, Any]]:
    """Yield the rows of a .jsonl file or of a hub data set."""
    path = Path(config.data).expanduser()
    if path.is_file():
        try:
            with path.open(encoding="utf-8") as lines:
                yield from (json.loads(line) for line in lines if line.strip())
        except ValueError as error:
            raise InputError(f"{path} is no .jsonl file: {' '.join(str(error).split())[:200]}.") from error
        return
    if config.data.count("/") != 1 or config.data[0] in "./~":
        raise InputError(
            f"The data {config.data!r} does not exist: give a .jsonl file or a hub id (org/name)."
        )
    from datasets import load_dataset

    try:
        yield from load_dataset(config.data, split=config.split)
    except Exception as error:  # the library's readers raise errors of many kinds
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"The data {config.data!r} cannot be read: {reason}.") from error


def _arguments(config: Config, output: Path) -> Any:
    """Return the trainer's arguments; a step's pairs are spread over devices and micro-batches."""
    import torch
    from trl import DPOConfig

    gpu = config.device == "auto" and torch.cuda.is_available()
    args = DPOConfig(
        output_dir=str(output),
        use_cpu=not gpu,
        bf16=gpu,
        activation_checkpointing=config.activation_checkpointing,
        ddp_find_unused_parameters=False,  # every adapter is used; the search costs time
        max_length=None,
        num_train_epochs=config.epochs,
        per_device_train_batch_size=config.micro_batch,
        learning_rate=config.learning_rate,
        lr_scheduler_type=config.schedule,
        warmup_steps=config.warmup,
        weight_decay=config.weight_decay,
        logging_steps=config.logging_steps,
        save_steps=config.save_steps,
        save_total_limit=2,
        report_to="none",
        seed=config.seed,
        data_seed=config.seed,
    )
    share, rest = divmod(config.batch_pairs, config.micro_batch * args.world_size)
    if rest or not share:
        raise InputError(
            f"{config.batch_pairs} pairs of a step do not divide into micro-batches of {config.micro_batch} "
            f"on {args.world_size} device(s): change batch_pairs or micro_batch."
        )
    args.gradient_accumulation_steps = share
    return args


if __name__ == "__main__":
    main()
