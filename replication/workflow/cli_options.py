"""What the commands share: their options, with what a shell may complete, and how they speak."""

import functools
from typing import Annotated

import typer

from replication import settings
from replication.workflow import discovery

say = functools.partial(print, flush=True)


def _models() -> list[str]:
    from replication.testbed import models

    return list(models.names())


def _papers(incomplete: str) -> list[str]:
    """Return keys of papers behind those that are typed already; they are parted by spaces."""
    before, _, last = incomplete.rpartition(" ")
    keys = dict.fromkeys(notebook.paper for notebook in discovery.notebooks())
    return [f"{before} {key}".strip() for key in keys if key.startswith(last)]


def _runs() -> list[str]:
    return sorted(path.parent.name for path in settings.results_root().glob("*/manifest.json"))


Profile = Annotated[
    str, typer.Option(help=f"{', '.join(settings.PROFILES)}.", autocompletion=lambda: list(settings.PROFILES))
]
Model = Annotated[str, typer.Option(help="Testbed model, folder or hub id.", autocompletion=_models)]
Task = Annotated[str, typer.Option(help="Task; the profile's when not given.")]
Data = Annotated[str, typer.Option(help="Folder with the task's files.")]
Papers = Annotated[
    str,
    typer.Option(help="Keys of papers, parted by spaces; all when not given.", autocompletion=_papers),
]
Seed = Annotated[int, typer.Option(help="Base of every random stream.")]
Device = Annotated[
    str, typer.Option(help=f"{', '.join(settings.DEVICES)}.", autocompletion=lambda: list(settings.DEVICES))
]
Jobs = Annotated[int, typer.Option(help="Notebooks side by side.")]
Results = Annotated[str, typer.Option("--results", help="Root of the results tree.")]
Folder = Annotated[str, typer.Option("--notebooks", hidden=True, help="Folder of the notebooks.")]
Json = Annotated[bool, typer.Option("--json", help="For programs.")]
RunName = Annotated[
    str, typer.Option("--run", help="Name of a run, such as cpu-testbed.", autocompletion=_runs)
]
Sweep = Annotated[
    list[str] | None,
    typer.Option("--sweep", metavar="NAME=VALUE,VALUE", help="A run for each value; several make a grid."),
]
