"""What a run was asked for, checked before any model runs: names, folders, files, the device."""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replication import settings
from replication.settings import InputError
from replication.workflow import executors, parameters
from replication.workflow.discovery import Notebook, select

# Clocks of file servers are off by less; a notebook takes longer.
SKEW_SECONDS = 5.0


@dataclass(frozen=True)
class Request:
    """What the command line asked for; empty texts leave the choice to the profile.

    `extra` holds parameters beside the common ones: only notebooks that have all of them run, in a run of its
    own whose name ends with `variant`. `topics` narrows the papers' notebooks to some file stems.
    """

    profile: str = "cpu"
    model: str = "testbed"
    task: str = ""
    data_dir: str = ""
    papers: tuple[str, ...] = ()
    seed: int = 0
    device: str = "auto"
    results_dir: str = ""
    jobs: int = 2
    notebooks_dir: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)
    variant: str = ""
    topics: tuple[str, ...] = ()
    shards: int = 1
    executor_profile: str = ""

    @property
    def side_by_side(self) -> int:
        """How many jobs run at a time: the executor profile's number where there is one."""
        if not self.executor_profile:
            return self.jobs
        return executors.side_by_side(executors.read(self.executor_profile), self.executor_profile)


def resolve(request: Request) -> dict[Path, list[Notebook]]:
    """Return the notebooks to run by the folder of their run, everything about them checked.

    There is one folder, unless the task asked for is the usual one of some papers and not of others.

    Raises:
        InputError: the first thing that is wrong.
    """
    if request.jobs < 1:
        raise InputError(f"The number of jobs needs to be at least 1, got {request.jobs}.")
    if request.shards < 1:
        raise InputError(f"The number of shards needs to be at least 1, got {request.shards}.")
    if request.executor_profile:
        executors.read(request.executor_profile)
    notebooks = chosen(request)
    runs: dict[Path, list[Notebook]] = {}
    for paper, run_dir in run_dirs(request, notebooks).items():
        runs.setdefault(run_dir, []).extend(one for one in notebooks if one.paper == paper)
    check_model(request.model)
    check_task(request, notebooks)
    for run_dir in runs:
        settings.check_writable(run_dir)
    given = values(request)
    for notebook in notebooks:
        parameters.check(notebook.path, given)
        check_path(str(notebook.path))
    for place in (given["model"], given["data_dir"]):
        check_path(place)
    return runs


def chosen(request: Request) -> list[Notebook]:
    """Return the notebooks asked for, in order.

    Raises:
        InputError: an unknown paper, no notebook, or none that has the further parameters.
    """
    found = select(request.papers, request.notebooks_dir or None)
    found = [one for one in found if not request.topics or one.topic in request.topics]
    return parameters.having(found, request.extra)


def run_dirs(request: Request, notebooks: Sequence[Notebook]) -> dict[str, Path]:
    """Return the folder of the run that each paper's notebooks belong to."""
    return {paper: start(paper, request).run_dir for paper in dict.fromkeys(one.paper for one in notebooks)}


def check_path(path: str) -> None:
    """Raise `InputError` for a brace in the path of an input, which Snakemake takes for a wildcard."""
    if {"{", "}"} & set(path):
        raise InputError(f"The path {path} holds a brace, which the workflow cannot read: rename or move it.")


def check_dates(paths: Iterable[Path]) -> None:
    """Raise `InputError` for an input dated in the future, after which no result would count as made."""
    latest = time.time() + SKEW_SECONDS
    for path in paths:
        if path.exists() and path.stat().st_mtime > latest:
            raise InputError(
                f"{path} is dated in the future: set the clock of this machine, or give it today's date "
                "(touch)."
            )


def start(paper: str, request: Request) -> settings.Settings:
    """Return the paper's run; "auto" is left to the notebooks, so that PyTorch need not be imported here."""
    from replication import papers

    known = papers.load(paper).profiles.get(request.profile, {})
    return settings.start(
        paper,
        profile=request.profile,
        model=request.model,
        task=request.task,
        data_dir=request.data_dir,
        seed=request.seed,
        device="cpu" if request.device == "auto" else request.device,
        results_dir=request.results_dir,
        variant=request.variant,
        **{name: value for name, value in request.extra.items() if name in known},
    )


def values(request: Request) -> dict[str, Any]:
    """Return the parameters that every notebook is given, folders absolute."""
    from replication.testbed import models

    given = {name: getattr(request, name) for name in parameters.COMMON} | dict(request.extra)
    return parameters.absolute(given, models.names())


def check_model(model: str) -> None:
    """Raise `InputError` unless the model can be found, and is whole where it comes with the package."""
    from replication.lm.loading import check
    from replication.testbed import models

    check(model)
    name = settings.split_model(model)[0]
    if name in models.names() and (problems := models.problems(name)):
        raise InputError(problems[0])


def check_task(request: Request, notebooks: Sequence[Notebook]) -> None:
    """Raise `InputError` unless the task exists and its test questions can be read.

    Of a task that nobody asked for, the profile's own, files are read only where a folder was given.
    """
    from replication.tasks import load_task

    if request.task:
        load_task(request.task, request.data_dir)
        return
    for task in set(tasks_of(request, notebooks)):
        if generated(task):
            load_task(task)
        elif task:
            load_task(task, request.data_dir)


def generated(task: str) -> bool:
    """Tell whether a task comes out of the testbed and needs neither files nor network."""
    from replication.testbed.worlds import WORLDS

    return task.partition(":")[0] in WORLDS


def offline(given: Mapping[str, Any], tasks: Sequence[str]) -> bool:
    """Tell whether a run needs no network: model and tasks come from the testbed or from folders."""
    from replication.testbed import models

    model = settings.split_model(str(given.get("model", "") or "testbed"))[0]
    local = model in models.names() or Path(model).expanduser().is_dir()
    return local and (bool(given.get("data_dir")) or all(map(generated, filter(None, tasks))))


def tasks_of(request: Request, notebooks: Sequence[Notebook]) -> list[str]:
    """Return the tasks that the notebooks will use unless they choose others themselves."""
    return [start(notebook.paper, request).task for notebook in notebooks]
