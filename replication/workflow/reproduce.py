"""`make reproduce`: check, run every notebook through Snakemake, judge, report."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from replication import files
from replication.settings import InputError
from replication.workflow import (
    checks,
    discovery,
    engine,
    execute,
    kernels,
    lifeline,
    manifest,
    plan,
    seals,
    site,
)
from replication.workflow.checks import Request
from replication.workflow.discovery import Notebook
from replication.workflow.events import Reader
from replication.workflow.progress import Progress, duration, expected_seconds, planned

POLL_SECONDS = 0.2
# A run that was killed a moment ago may still be ending.
LOCK_SECONDS = 2.0
STOP_SECONDS = 10.0
# The process that forks kernels imports more than a notebook does, and is not there at once.
PRELOADED_FROM = 3

Say = Callable[[str], None]


def reproduce(request: Request, say: Say = print) -> int:
    """Run what was asked for and end with the scoreboard.

    Args:
        request: what to run; checked before anything starts.
        say: receives every line.

    Returns:
        0 when every notebook ran to its end, 1 otherwise.

    Raises:
        InputError: something about the request is wrong, its folder is in use, or the disk is full.
    """
    codes = [_run(run_dir, notebooks, request, say) for run_dir, notebooks in checks.resolve(request).items()]
    return max(codes)


def _run(run_dir: Path, notebooks: list[Notebook], request: Request, say: Say) -> int:
    """Run the notebooks of one run folder under its lock."""
    from filelock import FileLock, Timeout

    work = run_dir / plan.FOLDER
    work.mkdir(parents=True, exist_ok=True)
    lock = FileLock(work / "lock")
    try:
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise InputError(
            f"Another `reproduce` is running in {run_dir}: wait for its end or choose another RESULTS folder."
        ) from error
    with lock:
        given = checks.values(request)
        offline = checks.offline(given, checks.tasks_of(request, notebooks))
        files.check_space(work)
        known = discovery.notebooks(request.notebooks_dir or None)
        for sentence in [*manifest.problem(run_dir), *seals.mend(run_dir, known)]:
            say(sentence)
        before = manifest.read(run_dir).get("notebooks", {})
        expected = expected_seconds([notebook.label for notebook in notebooks], request.profile, before)
        jobs = request.side_by_side
        seconds = expected if jobs > 1 else {}
        more = {"variant": request.variant, "shards": request.shards, "expected": expected}
        chosen = plan.Plan(run_dir, tuple(notebooks), given, offline, seconds, **more)
        checks.check_dates([*(one.path for one in notebooks), *chosen.inputs()])
        chosen.write()
        started = time.monotonic()
        shared = f" in {request.shards} shards" if request.shards > 1 else ""
        say(f"{len(notebooks)} notebooks{shared}, {jobs} at a time; results in {run_dir}")
        ran, code = _drive(chosen, expected, request, say)
        # Also those that had finished when an earlier run was killed, which is written down nowhere else.
        finished = seals.finished(run_dir, known)
        if ran or set(finished) - set(before):
            manifest.write(run_dir, {"papers": list(request.papers), **given}, jobs, finished | ran)
        _report(chosen, ran, time.monotonic() - started, say)
    return 0 if code == 0 else 1


def _drive(
    chosen: plan.Plan, expected: Mapping[str, float], request: Request, say: Say
) -> tuple[dict[str, dict[str, Any]], int]:
    """Run Snakemake and say how far it is; return the last event of each notebook and the exit code."""
    progress = Progress(expected, request.side_by_side, say)
    with chosen.log.open("w", encoding="utf-8") as log, kernels.preloader() as preloader:
        process = _start(chosen, request, log, preloader.address)
        known = False
        try:
            for event in _events(chosen.events, process):
                if not known and (known := _narrow(progress, chosen, say)):
                    _preload(preloader, len(progress.expected), chosen.offline)
                if event:
                    progress.event(event)
                progress.beat()
            if not known:  # the engine ended between two looks
                _narrow(progress, chosen, say)
        finally:
            _stop(process)
    if process.returncode:
        files.check_space(chosen.folder)
    if process.returncode and not progress.finished:
        say(f"Snakemake stopped with code {process.returncode}; its last lines:")
        say("\n".join(chosen.log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:]))
    return progress.finished, process.returncode


def _preload(preloader: kernels.Preloader, notebooks: int, offline: bool) -> None:
    """Let kernels be forked when so many notebooks are to run that importing once for all of them is less."""
    if notebooks < PRELOADED_FROM:
        preloader.close()
        return
    with execute.kernel_environment(offline):
        preloader.start(os.environ | engine.job_variables())


def _start(chosen: plan.Plan, request: Request, log: Any, kernels_address: str) -> subprocess.Popen:
    """Start the engine; it and its jobs end when this process does."""
    command = [sys.executable, "-m", "replication.workflow.engine", str(chosen.file), str(request.jobs)]
    if request.executor_profile:
        command.append(str(Path(request.executor_profile).expanduser().absolute()))
    environment = os.environ | {lifeline.LEADER: lifeline.name(), kernels.VARIABLE: kernels_address}
    return subprocess.Popen(
        command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, env=environment
    )


def _stop(process: subprocess.Popen) -> None:
    """End the engine when it has not ended by itself (an interrupt): its jobs follow this process."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _events(folder: Path, process: subprocess.Popen) -> Iterator[dict[str, Any] | None]:
    """Yield the events as they are written, and None now and then, until the engine has ended."""
    reader = Reader(folder)
    while True:
        ended = process.poll() is not None
        yield from reader.new()
        if ended:
            return
        yield None
        time.sleep(POLL_SECONDS)


def _narrow(progress: Progress, chosen: plan.Plan, say: Say) -> bool:
    """Keep only the notebooks that Snakemake will run, once it has said so; return whether it has."""
    rules = planned(chosen.log.read_text(encoding="utf-8", errors="replace"))
    if rules is None:
        return False
    total = len(progress.expected)
    progress.expected = {k: v for k, v in progress.expected.items() if plan.rule_name(k) in rules}
    if done := total - len(progress.expected):
        say(f"{done} of {total} up to date")
    if progress.expected:
        say(f"{len(progress.expected)} to run, about {duration(progress.remaining())}")
    return True


def _report(chosen: plan.Plan, ran: Mapping[str, Mapping[str, Any]], seconds: float, say: Say) -> None:
    """Judge, write scoreboard and site, and say what came out and what is missing."""
    rows = site.write(chosen.run_dir, [notebook.paper for notebook in chosen.notebooks])
    say("")
    say(site.render(rows))
    missing = [one for one in chosen.notebooks if not (chosen.run_dir / one.output).exists()]
    for notebook in missing:
        say(f"MISSING {notebook.label}: it {ran.get(notebook.label, {}).get('message', 'has not run')}")
    say(f"{duration(seconds)} in all. Site: {chosen.run_dir / 'site' / 'index.html'}")
