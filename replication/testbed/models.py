"""The ladder of testbed models: their recipes, where their checkpoints lie, and whether these are intact."""

import hashlib
import json
from dataclasses import dataclass, field, replace
from pathlib import Path

from replication.settings import InputError
from replication.testbed.corpus import Mix
from replication.testbed.tokenizer import VOCABULARY

CHECKPOINTS = Path(__file__).parent / "checkpoints"
CARD = "card.json"
WEIGHTS = "model.safetensors"
SEQUENCE = 512


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a checkpoint.

    Attributes:
        width: hidden size.
        layers: number of Transformer layers.
        heads: attention heads.
        steps: optimiser steps.
        rate: peak learning rate.
        rows: packed rows a step.
        row_tokens: tokens of a packed row.
        question_weight: weight of the tokens before the answer in the loss. Below 1 because the small models'
            few parameters are better spent on answers; a constant weight leaves the optimum of every
            prediction as it is.
        mix: shares of the corpus.
        init: checkpoint to start from, "" for random weights.
        data_seed: seed of the document stream, apart from the seed of the weights.
        vocabulary: entries of the tokenizer; every size has one tokenizer, shared by its models.
    """

    width: int
    layers: int
    heads: int
    steps: int
    rate: float
    rows: int = 16
    row_tokens: int = 192
    question_weight: float = 0.3
    mix: Mix = field(default_factory=Mix)
    init: str = ""
    data_seed: int = 0
    vocabulary: int = VOCABULARY


# What the ladder reads: the default corpus, shifted to plain stories, whose claims the first paper's
# notebooks judge, and with more of the small worlds and of biographies, which it shows too rarely to learn.
LADDER = Mix(
    qa=0.47, worked=0.40, equations=0.05, biographies=0.08, noise=0.0,
    worlds=(("plain", 0.28), ("stories", 0.30), ("chain", 0.06), ("parity", 0.09), ("expressions", 0.06),
            ("counting", 0.07), ("coins", 0.07), ("lies", 0.07)),
)  # fmt: skip


def _control(cot_fraction: float) -> Recipe:
    """A small model on plain two-step stories only: one point of the `cot_fraction` sweep."""
    mix = Mix(
        qa=0.9, worked=0.0, equations=0.1, biographies=0.0, noise=0.0, cot_fraction=cot_fraction,
        worlds=(("plain", 1.0),), level=2,
    )  # fmt: skip
    return Recipe(64, 3, 4, steps=1200, rate=2e-2, mix=mix)


RECIPES: dict[str, Recipe] = {
    "testbed-small": Recipe(64, 3, 4, steps=2500, rate=1.5e-2, mix=LADDER),
    "testbed": Recipe(128, 4, 4, steps=4000, rate=8e-3, mix=LADDER),
    "testbed-large": Recipe(192, 6, 6, steps=2500, rate=6e-3, mix=LADDER),
    "testbed-tuned": Recipe(
        128, 4, 4, steps=200, rate=3e-3, init="testbed", data_seed=1,
        mix=replace(LADDER, qa=1.0, worked=0.0, equations=0.0, biographies=0.0, cot_fraction=0.9),
    ),
    "testbed-wide": Recipe(128, 4, 4, steps=700, rate=8e-3, mix=LADDER, vocabulary=8192),
}  # fmt: skip
CONTROL_FRACTIONS = (0.0, 0.02, 0.08, 0.3, 0.7)
RECIPES |= {f"control-{round(100 * fraction):02d}": _control(fraction) for fraction in CONTROL_FRACTIONS}


def recipe(name: str) -> Recipe:
    """Return the recipe of a testbed model.

    Raises:
        InputError: no such model.
    """
    if name not in RECIPES:
        raise InputError(f"Unknown testbed model {name!r}: choose one of {', '.join(RECIPES)}.")
    return RECIPES[name]


def reads_ladder(name: str) -> bool:
    """Tell whether a model was trained on the ladder's corpus and nothing else.

    Only of such models are the true distributions of the next token known (`support.sample`, whose default is
    that corpus): the tuned model read two corpora in turn, the controls others.
    """
    return name in RECIPES and RECIPES[name].mix == LADDER and not RECIPES[name].init


def knows_people(name: str) -> bool:
    """Tell whether a model, or the one that it was started from, read biographies and questions of parity."""
    if name not in RECIPES:
        return False
    own = RECIPES[name]
    asked = any(world == "parity" and weight for world, weight in own.mix.worlds)
    return (asked and own.mix.biographies > 0) or knows_people(own.init)


def names() -> tuple[str, ...]:
    """Return the names of all testbed models."""
    return tuple(RECIPES)


def folder(name: str) -> Path:
    """Return the folder of a shipped checkpoint.

    Raises:
        InputError: no such model, or its checkpoint is missing.
    """
    recipe(name)
    path = CHECKPOINTS / name
    if not (path / WEIGHTS).exists():
        command = f"python -m replication testbed train --size {name}"
        raise InputError(f"The checkpoint of {name} is missing: make it with `{command}`.")
    return path


def card(name: str) -> dict:
    """Return the card of a shipped checkpoint: data, steps, seed, losses, accuracies, checksums."""
    return json.loads((folder(name) / CARD).read_text())


def write_card(folder: Path, facts: dict) -> None:
    """Write card.json: facts and the checksum of every file beside it."""
    files = sorted(file for file in folder.iterdir() if file.is_file() and file.name != CARD)
    sums = {file.name: checksum(file) for file in files}
    (folder / CARD).write_text(json.dumps(facts | {"sha256": sums}, indent=1) + "\n")


def checksum(path: Path) -> str:
    """Return the SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def verify() -> list[str]:
    """Return a sentence for every shipped file that is missing or differs from its card; [] if none is."""
    return [problem for name in RECIPES for problem in problems(name)]


def problems(name: str) -> list[str]:
    """Return a sentence for every file of one shipped model that is missing or differs from its card."""
    try:
        path, sums = folder(name), card(name)["sha256"]
    except InputError as error:
        return [str(error)]
    except (OSError, ValueError, KeyError):
        return [f"The card of {name} cannot be read: train it again or restore the file."]
    found = []
    for file, wanted in sums.items():
        if not (path / file).exists():
            found.append(f"{name}/{file} is missing: train the model again or restore the file.")
        elif checksum(path / file) != wanted:
            found.append(f"{name}/{file} differs from its card: train it again or restore the file.")
    return found
