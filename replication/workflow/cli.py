"""The command line, `python -m replication`. Heavy libraries are imported by the commands that need them."""

import functools
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from replication import settings
from replication.settings import InputError
from replication.workflow import discovery, lifeline, parameters

app = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None
)
testbed = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(testbed, name="testbed", help="Train and check the small models.")
say = functools.partial(print, flush=True)

Results = Annotated[str, typer.Option("--results", help="Root of the results tree.")]
Sweep = Annotated[
    list[str] | None,
    typer.Option("--sweep", metavar="NAME=VALUE,VALUE", help="A run for each value; several make a grid."),
]
Folder = Annotated[str, typer.Option("--notebooks", hidden=True, help="Folder of the notebooks.")]


@app.callback()
def root() -> None:
    """Re-runs of published experiments on token-level methods for language models."""


@app.command()
def reproduce(
    profile: Annotated[str, typer.Option(help="smoke, cpu, gpu or paper.")] = "cpu",
    model: Annotated[str, typer.Option(help="Testbed model, folder or hub id.")] = "testbed",
    task: Annotated[str, typer.Option(help="Task; the profile's when not given.")] = "",
    data_dir: Annotated[str, typer.Option(help="Folder with the task's files.")] = "",
    papers: Annotated[str, typer.Option(help="Keys of papers, parted by spaces; all when not given.")] = "",
    seed: Annotated[int, typer.Option(help="Base of every random stream.")] = 0,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "auto",
    jobs: Annotated[int, typer.Option(help="Notebooks side by side.")] = 2,
    seeds: Annotated[int, typer.Option(help="Runs under as many seeds, pooled.")] = 1,
    sweep: Sweep = None,
    results: Results = "",
    notebooks: Folder = "",
    shards: Annotated[int, typer.Option(help="Workers that share the model runs of each notebook.")] = 1,
    executor_profile: Annotated[
        str, typer.Option(help="Folder of a Snakemake profile: env/cluster/slurm; its `jobs` counts.")
    ] = "",
) -> None:
    """Run the notebooks of all papers in order and judge every claim."""
    from replication.workflow.checks import Request
    from replication.workflow.reproduce import reproduce as run_all
    from replication.workflow.seeds import reproduce_seeds
    from replication.workflow.sweep import parse
    from replication.workflow.sweep import sweep as run_sweep

    lifeline.follow(lifeline.FOLLOW)
    chosen = tuple(papers.replace(",", " ").split())
    where = {"results_dir": results, "notebooks_dir": notebooks, "executor_profile": executor_profile}
    request = Request(
        profile, model, task, data_dir, chosen, seed, device, jobs=jobs, shards=shards, **where
    )
    if sweep and seeds != 1:
        raise InputError("Choose --seeds or --sweep: --sweep seed=0,1,2 runs seeds side by side.")
    if sweep:
        raise typer.Exit(run_sweep(request, parse(sweep), say))
    raise typer.Exit(run_all(request, say) if seeds == 1 else reproduce_seeds(request, seeds, say))


@app.command()
def plan(
    profile: Annotated[str, typer.Option(help="smoke, cpu, gpu or paper.")] = "cpu",
    model: Annotated[str, typer.Option(help="Testbed model, folder or hub id.")] = "testbed",
    task: Annotated[str, typer.Option(help="Task; the profile's when not given.")] = "",
    data_dir: Annotated[str, typer.Option(help="Folder with the task's files, to count questions.")] = "",
    papers: Annotated[str, typer.Option(help="Keys of papers, parted by spaces; all when not given.")] = "",
    gpu: Annotated[str, typer.Option(help="cpu, a100, h100, h200, l40s or rtx4090.")] = "cpu",
    jobs: Annotated[int, typer.Option(help="Notebooks side by side on a CPU.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    store: Annotated[str, typer.Option(help="Name of a finished run to plan from.")] = "",
    results: Results = "",
    notebooks: Folder = "",
) -> None:
    """Say what a run will cost before it is started: tokens, operations, memory, hours."""
    from replication.workflow import cost, ledger, machines
    from replication.workflow.checks import Request

    if store:
        found = discovery.notebooks(notebooks or None)
        for label in ledger.store_run(found, settings.results_root(results) / store):
            say(label)
        return
    machine = machines.this_cpu() if gpu == machines.CPU else machines.machine(gpu)
    chosen = tuple(papers.replace(",", " ").split())
    request = Request(profile, model, task, data_dir, chosen, jobs=jobs, notebooks_dir=notebooks)
    rows = cost.plan(request, machine)
    say(cost.as_json(rows, machine) if as_json else cost.render(rows, machine, request))


@app.command()
def run(
    notebook: Annotated[Path, typer.Argument(help="The notebook.")],
    parameter: Annotated[
        list[str] | None, typer.Option("--parameter", "-p", metavar="NAME VALUE", help="May be repeated.")
    ] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The executed notebook.")] = None,
    sweep: Sweep = None,
) -> None:
    """Run one notebook; by default its result goes where `reproduce` puts it."""
    from replication.testbed import models
    from replication.workflow import checks
    from replication.workflow.execute import execute

    given = parameters.absolute(parameters.from_text(notebook, _pairs(parameter or [])), models.names())
    values = parameters.defaults(notebook) | given
    if sweep:
        raise typer.Exit(_sweep(notebook, values, given, sweep, output))
    place, tasks = _checked(notebook, values)
    target = output or place
    if target is None:
        raise InputError(f"{notebook} lies in no folder NN_paper: say where its result goes with -o FILE.")
    offline = checks.offline(values, tasks)
    seconds = execute(notebook.absolute(), target.absolute(), given, offline)
    say(f"{target} ({seconds:.0f} s)")


def _sweep(
    notebook: Path, values: dict[str, Any], given: dict[str, Any], texts: list[str], output: Path | None
) -> int:
    """Sweep over parameters of one notebook of a paper; return the exit code."""
    from replication.workflow.checks import Request
    from replication.workflow.sweep import parse, sweep

    found = discovery.of_path(notebook)
    if found is None or output is not None:
        raise InputError(
            "A sweep takes a notebook of a paper (notebooks/NN_paper/NN_topic.ipynb) and no -o: each point "
            "is a run of its own in the results folder."
        )
    lifeline.follow(lifeline.FOLLOW)
    request = Request(
        **{name: values[name] for name in parameters.COMMON},
        papers=(found.paper,),
        topics=(found.topic,),
        jobs=1,
        notebooks_dir=str(found.path.parents[1]),
        extra={name: value for name, value in given.items() if name not in parameters.COMMON},
    )
    return sweep(request, parse(texts), say)


def _pairs(texts: list[str]) -> dict[str, str]:
    """Return "name=value" texts as a dictionary."""
    if wrong := [text for text in texts if "=" not in text]:
        raise InputError(f"Cannot read the parameter {wrong[0]!r}: write -p NAME VALUE.")
    return dict(text.split("=", 1) for text in texts)


def join_pairs(arguments: list[str]) -> list[str]:
    """Return a command line with each `-p NAME VALUE` (papermill's form) as `-p NAME=VALUE`."""
    joined: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        joined.append(argument)
        if argument in ("-p", "--parameter"):
            name = next(rest, "")
            value = None if "=" in name else next(rest, None)
            joined.append(name if value is None else f"{name}={value}")
    return joined


def _checked(notebook: Path, values: dict[str, Any]) -> tuple[Path | None, list[str]]:
    """Return where the result of a paper's notebook goes and its tasks, after the checks of `reproduce`.

    Of a notebook that belongs to no paper nothing is known: no place, and the task that it is given.
    """
    from replication.workflow import checks

    found = discovery.of_path(notebook)
    if found is None or not set(parameters.COMMON) <= set(values):
        return None, [str(values.get("task", ""))]
    request = checks.Request(**{name: values[name] for name in parameters.COMMON})
    run_dir = checks.start(found.paper, request).run_dir
    checks.check_model(request.model)
    checks.check_task(request, [found])
    return run_dir / found.output, checks.tasks_of(request, [found])


@app.command(name="list")
def list_all(
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    name: Annotated[str, typer.Option("--run", help="Name of a run, such as cpu-testbed.")] = "cpu-testbed",
    results: Results = "",
    notebooks: Folder = "",
) -> None:
    """Show papers, notebooks, claims, tables and figures, with where each stands."""
    from replication.workflow.status import render, status

    content = status(settings.results_root(results) / name, discovery.notebooks(notebooks or None))
    say(json.dumps(content, indent=2, ensure_ascii=False) if as_json else render(content))


@app.command()
def scoreboard(folder: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a run.")]) -> None:
    """Judge a run again from its files, write its scoreboard and show it."""
    from replication.workflow import site

    if not folder.is_dir():
        raise InputError(f"The run {folder} does not exist: give a folder such as results/cpu-testbed.")
    say(site.render(site.write(folder.absolute(), [])))


@app.command()
def compare(
    runs: Annotated[list[str] | None, typer.Argument(metavar="RUN...", help="Names or folders.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    notebook: Annotated[bool, typer.Option(help="Execute the notebook of comparisons, too.")] = False,
    results: Results = "",
) -> None:
    """Lay runs side by side: claims, counts, tables, figures, and what changed."""
    from replication.workflow.comparing import compare as lay

    lay(runs or [], settings.results_root(results), notebook, as_json, say)


@app.command()
def report(
    name: Annotated[str, typer.Option("--run", help="Name of a run; by default what follows names it.")] = "",
    profile: Annotated[str, typer.Option(help="Profile of the run.")] = "cpu",
    model: Annotated[str, typer.Option(help="Model of the run.")] = "testbed",
    task: Annotated[str, typer.Option(help="Task of the run, when it was given one.")] = "",
    seed: Annotated[int, typer.Option(help="Seed of the run.")] = 0,
    results: Results = "",
) -> None:
    """Build the full site of a run from what it has stored; no notebook is run."""
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


@app.command()
def refresh(
    name: Annotated[str, typer.Option("--run", help="Name of a run.")] = "cpu-testbed",
    results: Results = "",
    notebooks: Folder = "",
) -> None:
    """Store the outputs of a run in the committed notebooks."""
    from replication.workflow.refresh import refresh as store

    found = discovery.notebooks(notebooks or None)
    for label in store(found, settings.results_root(results) / name):
        say(label)


@testbed.command()
def train(
    size: Annotated[str, typer.Option(help="Name of the model, such as testbed-small.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; that of the shipped model by default.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps; the recipe's by default.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the weights.")] = 0,
    cot_fraction: Annotated[float | None, typer.Option(help="Share of step-by-step answers.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")] = "cpu",
) -> None:
    """Train a testbed model by its recipe."""
    from replication.testbed import grown

    grown.recipe(size)
    device = settings.resolve_device(device)
    from replication.testbed.training import train as run_training

    say(
        run_training(
            size, out=out, steps=steps, seed=seed, cot_fraction=cot_fraction, say=say, device=device
        )
    )


@testbed.command()
def verify() -> None:
    """Compare the shipped models with the checksums in their cards."""
    from replication.testbed import models

    problems = models.verify()
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        raise typer.Exit(1)
    say(f"{len(models.names())} models are as their cards say.")


def main() -> None:
    """Run the command line; what the caller can mend is one sentence on stderr and exit code 2."""
    from replication.workflow.execute import NotebookError

    try:
        app(join_pairs(sys.argv[1:]), prog_name="python -m replication")
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except NotebookError as error:
        kept = f" Kept: {error.kept}" if error.kept else ""
        print(f"{error}{kept}", file=sys.stderr)
        sys.exit(error.exit_code)
    except KeyboardInterrupt:
        print("Stopped; the same command continues where this one was.", file=sys.stderr)
        sys.exit(130)
    except BrokenPipeError:
        # The reader (`| head`) has gone; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.exit(1)
