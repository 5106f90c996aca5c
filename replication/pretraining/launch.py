"""The steps of a run of selective pretraining, each done once and resumed after a kill.

    output/blocks/corpus, clean       packed texts
    output/reference                  the tuned reference model
    output/losses                     its losses of the corpus' blocks
    output/runs/<score>-<ratio>-...   the trained model, its log and its checkpoints

Under `accelerate launch` every process does these steps: the first one packs, all score and train.
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from replication.lm.locating import locate
from replication.pretraining import config as configuration
from replication.pretraining import corpora, plan
from replication.pretraining.blocks import tokenizer_hash
from replication.pretraining.config import Config, Source, key
from replication.settings import InputError, check_writable

if TYPE_CHECKING:
    from datasets import Dataset
    from transformers import TrainingArguments

STEPS = ("reference", "score", "train")


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; a wrong input ends with one sentence and exit code 2."""
    parser = argparse.ArgumentParser(prog="python -m replication.pretraining.rho1", description=main.__doc__)
    parser.add_argument("--config", required=True, help="YAML or TOML file, see env/rho1")
    parser.add_argument(
        "--set", nargs="*", default=[], metavar="KEY=VALUE", help="replace values of the file"
    )
    parser.add_argument("--steps", nargs="*", choices=STEPS, default=list(STEPS), help="all by default")
    parser.add_argument("--plan", action="store_true", help="print what the run costs, and stop")
    parser.add_argument("--devices", type=int, default=1, help="number of devices, for the plan")
    options = parser.parse_args(arguments)
    try:
        config = configuration.read(options.config, options.set)
        if options.plan:
            print(plan.plan(config, options.devices))
        else:
            run(config, options.steps)
    except InputError as error:
        print(error, file=sys.stderr)
        raise SystemExit(2) from error


def run(config: Config, steps: Sequence[str] = STEPS, say: Callable[[str], None] = print) -> Path:
    """Do the steps of a run that are not done yet.

    Args:
        config: the run.
        steps: those of `STEPS` that are wanted; a later one needs the earlier ones to be there.
        say: receives lines of progress, on the first process only.

    Returns:
        The folder of the trained model, `output/runs/<run>`.

    Raises:
        InputError: anything wrong that can be seen before the work begins (`check`), and what a step finds.
    """
    from replication.pretraining import fitting, ranks

    check(config)
    # Made first: it tells torch of the other processes, if there are any.
    args = fitting.arguments(config, Path(config.output))
    say = say if ranks.rank() == 0 else _silent
    tokenizer = _tokenizer(config.model)
    with args.main_process_first(desc="packing"):
        corpus = _blocks(config, "corpus", config.corpus, tokenizer)
        clean = _blocks(config, "clean", config.clean_data, tokenizer) if _tunes(config) else None
    say(f"corpus: {len(corpus)} blocks of up to {config.block_length} tokens")
    fitting.check_rows(corpus, args)
    if clean is not None and "reference" in steps:
        tune_reference(config, clean, say)
    if config.needs_reference and not config.online and "score" in steps:
        score(config, corpus, args, say)
    if "train" in steps:
        train(config, corpus, args, say)
    return _run_folder(config)


def check(config: Config) -> None:
    """Raise `InputError` for what would stop a run later: models, tokenizers, contexts, data, folders."""
    from transformers import AutoConfig

    check_writable(Path(config.output))
    own = tokenizer_hash(_tokenizer(config.model))
    names = (config.model, config.reference, config.reference_base if _tunes(config) else "")
    for name in dict.fromkeys(filter(None, names)):
        source = locate(name)
        about = AutoConfig.from_pretrained(source.location, revision=source.revision or None)
        context = getattr(about.get_text_config(), "max_position_embeddings", None)
        if context and config.block_length > context:
            raise InputError(
                f"Blocks of {config.block_length} tokens are longer than {name} takes ({context}): "
                "lower block_length."
            )
        if tokenizer_hash(_tokenizer(name)) != own:
            raise InputError(
                f"{name} has another tokenizer than {config.model}: reference and learner need the same one."
            )
    for source in (*config.corpus, *(config.clean_data if _tunes(config) else ())):
        corpora.check(source)


def tune_reference(config: Config, clean: "Dataset", say: Callable[[str], None] = print) -> Path:
    """Tune the reference model on clean data, with plain causal language modelling; return its folder."""
    from replication.pretraining import fitting
    from replication.pretraining.selection import Selection

    folder, base = _reference_folder(config), config.reference_base or config.model
    args = fitting.arguments(
        config, folder, config.reference_batch_tokens, config.reference_learning_rate, config.reference_epochs
    )
    about = key("reference", base, *map(key, config.clean_data), fitting.settings(args))
    plain = Selection(1.0, score="all")
    return fitting.fit(folder, about, base, clean, args, plain, say=lambda line: say(f"reference: {line}"))


def score(
    config: Config, corpus: "Dataset", args: "TrainingArguments", say: Callable[[str], None] = print
) -> None:
    """Score the corpus with the reference model; processes share the shards, finished ones are kept."""
    from replication.lm.loading import load
    from replication.pretraining import ranks, reference

    folder = _losses_folder(config)
    wanted = "reference_entropy" in config.selection.columns
    stored = (folder / reference.FACTS).is_file() and reference.read_facts(folder)["entropy"]
    reference.compute(
        load(_reference(config), device=str(args.device)),
        corpus,
        folder,
        packing=config.packing,
        entropy=wanted or stored,
        progress=lambda done, total: say(f"scored {done} of {total} shards"),
        part=(ranks.rank(), args.world_size),
        wait=ranks.wait,
    )


def train(
    config: Config, corpus: "Dataset", args: "TrainingArguments", say: Callable[[str], None] = print
) -> Path:
    """Train the learner on the tokens that are selected; return its folder."""
    from replication.lm.loading import load
    from replication.pretraining import fitting, reference

    online = None
    if config.needs_reference and config.online:
        online = load(_reference(config), device=str(args.device)).model
    elif config.needs_reference:
        with args.main_process_first(desc="reading reference losses"):
            corpus = reference.load(_losses_folder(config), corpus, _tokenizer(config.model), config.packing)
    folder = _run_folder(config)
    args = fitting.arguments(config, folder)
    about = key("train", config.model, config.selection, config.online, _reference(config),
                *map(key, config.corpus), config.packing, fitting.settings(args))  # fmt: skip
    return fitting.fit(folder, about, config.model, corpus, args, config.selection, online, say)


def _tunes(config: Config) -> bool:
    """Tell whether the run makes its own reference model."""
    return config.needs_reference and not config.reference


def _reference_folder(config: Config) -> Path:
    return Path(config.output) / "reference"


def _losses_folder(config: Config) -> Path:
    return Path(config.output) / "losses"


def _run_folder(config: Config) -> Path:
    return Path(config.output) / "runs" / config.run


def _reference(config: Config) -> str:
    """Return the name or folder of the reference model, "" where none is needed."""
    if not config.needs_reference:
        return ""
    return config.reference or str(_reference_folder(config))


def _tokenizer(name: str) -> Any:
    """Return the tokenizer of a model, without the model."""
    from transformers import AutoTokenizer

    source = locate(name)
    return AutoTokenizer.from_pretrained(
        source.location, revision=source.revision or None, local_files_only=source.offline
    )


def _blocks(config: Config, name: str, sources: Sequence[Source], tokenizer: Any) -> "Dataset":
    """Return the packed texts of data sets."""
    folder = Path(config.output) / "blocks" / name
    return corpora.blocks(folder, sources, tokenizer, config.block_length, config.packing)


def _silent(line: str) -> None:
    """Say nothing: what processes but the first do with progress."""
