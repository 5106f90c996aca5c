"""Commands that read what is there: `list`, `scoreboard`, `compare`, `report`, `refresh` and `doctor`."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any

import typer

from replication import settings
from replication.settings import InputError
from replication.workflow import discovery
from replication.workflow.cli_options import (
    Folder,
    Json,
    Model,
    Profile,
    Results,
    RunName,
    Seed,
    Task,
    say,
)


def list_all(
    as_json: Json = False,
    name: RunName = "cpu-testbed",
    results: Results = "",
    notebooks: Folder = "",
) -> None:
    """Show papers, notebooks, claims, tables and figures, with where each stands."""
    from replication.workflow import status

    content = status.status(settings.results_root(results) / name, discovery.notebooks(notebooks or None))
    if as_json:
        say(json.dumps(content, indent=2, ensure_ascii=False))
    elif sys.stdout.isatty():
        _show(status.tables(content))
    else:
        say(status.render(content))


def scoreboard(folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]) -> None:
    """Judge a run again from its files, write its scoreboard and show it."""
    from replication.workflow import site

    if not folder.is_dir():
        raise InputError(f"The run {folder} does not exist: give a folder such as results/cpu-testbed.")
    say(site.render(site.write(folder.absolute(), [])))


def compare(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN...", help="Names or folders.")] = None,
    as_json: Json = False,
    notebook: Annotated[bool, typer.Option(help="Execute the notebook of comparisons, too.")] = False,
    results: Results = "",
) -> None:
    """Lay runs side by side: claims, counts, tables, figures, and what changed."""
    from replication.workflow.comparing import compare as lay

    lay(runs or [], settings.results_root(results), notebook, as_json, say)


def report(
    name: RunName = "",
    profile: Profile = "cpu",
    model: Model = "testbed",
    task: Task = "",
    seed: Seed = 0,
    results: Results = "",
) -> None:
    """Build the full site of a run from what it has stored; no notebook is run.

    The run is named, or found by what it was asked for.
    """
    from replication.reporting.site.build import build

    root = settings.results_root(results)
    name = name or settings.run_name(profile, model, task, seed)
    if not (root / name).is_dir():
        known = ", ".join(sorted(path.parent.name for path in root.glob("*/manifest.json"))) or "none"
        raise InputError(f"No run {name!r} lies in {root}; there: {known}. Run `make reproduce` first.")
    try:
        site = build(root / name)
    except RuntimeError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error
    for line in site.warnings:
        print(line, file=sys.stderr)
    say(f"Site: {site.index}{'' if site.fresh else ' (nothing had changed)'}")


def refresh(
    name: RunName = "cpu-testbed",
    results: Results = "",
    notebooks: Folder = "",
) -> None:
    """Store the outputs of a run in the committed notebooks, tools included that were run into its folder."""
    from replication.workflow.refresh import refresh as store

    folder = notebooks or None
    found = [*discovery.notebooks(folder), *discovery.about_runs(folder)]
    for label in store(found, settings.results_root(results) / name):
        say(label)


def doctor(as_json: Json = False, results: Results = "") -> None:
    """Check the machine and say what each profile can do on it; ends with 1 where not even `smoke` runs."""
    from replication.workflow import doctor as examination

    content = examination.examine(results)
    if as_json:
        say(json.dumps(content, indent=2, ensure_ascii=False))
    else:
        _show(examination.tables(content))
    raise typer.Exit(0 if content["usable"] else 1)


def _show(tables: Iterable[Any]) -> None:
    """Print tables of rich, as wide as the terminal, and wide enough to be searched where there is none."""
    from rich.console import Console

    console = Console(width=None if sys.stdout.isatty() else 160)
    for table in tables:
        console.print(table)
