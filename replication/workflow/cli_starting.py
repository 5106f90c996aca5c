"""Commands that start work: `reproduce`, `plan` and `run`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from replication import settings
from replication.settings import InputError
from replication.workflow import discovery, lifeline, parameters
from replication.workflow.cli_options import (
    Data,
    Device,
    Folder,
    Jobs,
    Json,
    Model,
    Papers,
    Profile,
    Results,
    Seed,
    Sweep,
    Task,
    say,
)


def reproduce(
    profile: Profile = "cpu",
    model: Model = "testbed",
    task: Task = "",
    data_dir: Data = "",
    papers: Papers = "",
    seed: Seed = 0,
    device: Device = "auto",
    jobs: Jobs = 2,
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
    request = Request(profile, model, task, data_dir, chosen, seed, device, jobs=jobs, shards=shards, **where)
    if sweep and seeds != 1:
        raise InputError("Choose --seeds or --sweep: --sweep seed=0,1,2 runs seeds side by side.")
    if sweep:
        raise typer.Exit(run_sweep(request, parse(sweep), say))
    raise typer.Exit(run_all(request, say) if seeds == 1 else reproduce_seeds(request, seeds, say))


def plan(
    profile: Profile = "cpu",
    model: Model = "testbed",
    task: Task = "",
    data_dir: Data = "",
    papers: Papers = "",
    gpu: Annotated[str, typer.Option(help="cpu, a100, h100, h200, l40s or rtx4090.")] = "cpu",
    jobs: Jobs = 2,
    as_json: Json = False,
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
