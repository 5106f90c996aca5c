"""The larger ladder: models too large to ship, trained once by the run that needs them.

A run on an accelerator asks for "testbed", "testbed-large" and so on as every other run does, and gets a
larger model of the same corpus in its place. They lie in a folder of the run, shared by all its notebooks. A
training that was killed goes on where it was. The recipes are those of the shipped ladder, with rates that
fall with the width as they do there; none was tuned at these sizes.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path

from replication.testbed import models
from replication.testbed.models import CARD, LADDER, RECIPES, Recipe

BASE = Recipe(576, 8, 9, steps=6000, rate=2e-3, rows=64, mix=LADDER)
LARGER: dict[str, Recipe] = {
    "testbed-10m": Recipe(384, 6, 6, steps=5000, rate=3e-3, rows=64, mix=LADDER),
    "testbed-30m": BASE,
    "testbed-100m": Recipe(896, 10, 14, steps=8000, rate=1.3e-3, rows=64, mix=LADDER),
    "testbed-30m-tuned": replace(
        BASE, steps=200, rate=7e-4, rows=16, init="testbed-30m", data_seed=1, mix=RECIPES["testbed-tuned"].mix
    ),
    "testbed-30m-wide": replace(BASE, steps=3000, vocabulary=8192),
}
STAND_INS = {
    "testbed-small": "testbed-10m",
    "testbed": "testbed-30m",
    "testbed-large": "testbed-100m",
    "testbed-tuned": "testbed-30m-tuned",
    "testbed-wide": "testbed-30m-wide",
}

_home: Path | None = None
_device = "cpu"


def use(home: Path | None, device: str = "cpu") -> None:
    """Choose the ladder of this process: the larger one, kept in `home`, or the shipped one for None.

    Args:
        home: folder of the run that holds the larger models.
        device: torch device on which missing ones are trained.
    """
    global _home, _device
    _home, _device = home, device


def in_force(name: str) -> str:
    """Return the name of the model that a testbed model's name stands for in this process."""
    return STAND_INS.get(name, name) if _home is not None else name


def names() -> tuple[str, ...]:
    """Return the names of the larger models where they are used, () otherwise."""
    return tuple(LARGER) if _home is not None else ()


def recipe(name: str) -> Recipe:
    """Return the recipe of a testbed model, shipped or larger.

    Raises:
        InputError: no such model.
    """
    return LARGER[name] if name in LARGER else models.recipe(name)


def folder(name: str) -> Path:
    """Return the folder of the model that a name stands for; a larger one is trained when it is missing.

    Raises:
        InputError: no such model, or a shipped checkpoint is missing.
    """
    name = in_force(name)
    if name not in LARGER or _home is None:
        return models.folder(name)
    place = _home / name
    if not finished(place, LARGER[name]):
        from filelock import FileLock

        _home.mkdir(parents=True, exist_ok=True)
        with FileLock(_home / f".{name}.lock"):  # of several notebooks that ask, one trains
            if not finished(place, LARGER[name]):
                from replication.testbed import training

                training.train(name, place, recipe=LARGER[name], device=_device)
    return place


def card(name: str) -> dict:
    """Return the card of the model that a name stands for."""
    return json.loads((folder(name) / CARD).read_text())


def finished(place: Path, wanted: Recipe) -> bool:
    """Tell whether a folder holds a whole training by a recipe; the card is what is written last."""
    try:
        known = json.loads((place / CARD).read_text())["recipe"]
    except (OSError, ValueError, KeyError):
        return False
    return known == json.loads(json.dumps(asdict(wanted)))
