"""One notebook, as Snakemake's rules call it: `python -m replication.workflow.job PLAN LABEL [SHARD]`.

Runs the notebook, makes its page and reports what becomes of it (`events`). Does nothing else than
`python -m replication run`, so a notebook that fails here fails there.

With a number of a shard it is one of several workers that fill the records of the notebook together
(`replication.lm.shards`), before the notebook runs and finds them. Its own copy of the notebook is not kept,
and where it fails the rest is left to the notebook, which says why.
"""

import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from replication import files
from replication.evaluation.claims import ClaimsFile
from replication.lm import meter, shards
from replication.settings import InputError
from replication.workflow import events, kernels, lifeline, plan, seals
from replication.workflow.execute import OUT_OF_MEMORY, NotebookError, execute, failed_path


def main(plan_file: str, label: str, shard: str = "") -> int:
    """Run the notebook of that label, or one of its workers; return the exit code."""
    work = Path(plan_file).parent
    lifeline.follow(lifeline.LEADER, work / plan.PULSE)
    content = plan.read(plan_file)
    job = plan.job_of(content, label)
    # Other notebooks of the paper may be filling the same records, so all take part in sharing them out.
    if content["shards"] > 1:
        os.environ[shards.VARIABLE] = str(content["shards"])
    given = (job["parameters"], content["offline"], content["variant"])
    try:
        return _worker(work, job, given, int(shard)) if shard else _notebook(work, job, given)
    except OSError as error:
        if not files.out_of_space(error):
            raise
        print(f"{label} stopped. {files.full(work.parent)}")
        return 2


def _notebook(work: Path, job: Mapping[str, Any], given: Sequence[Any]) -> int:
    """Run the notebook (`given` goes to `execute`) and make its page; return the exit code."""
    label, rule = job["label"], job["rule"]
    before = events.last(work / plan.EVENTS, rule)
    # A job that was killed is worth another try; a notebook that failed by itself would fail again.
    if before.get("state") == "failed" and before["code"] != OUT_OF_MEMORY:
        print(f"{label} {before['message']}")
        return before["code"]
    events.report(work / plan.EVENTS, rule, label, "started")
    with seals.noting(work.parent, rule):
        return _run(work, job, given)


def _run(work: Path, job: Mapping[str, Any], given: Sequence[Any]) -> int:
    """Run the notebook and report what became of it."""
    label, rule = job["label"], job["rule"]
    output, page = work.parent / job["output"], work.parent / job["page"]
    costs = output.parents[1] / "costs" / f"{output.stem}.json"
    os.environ[meter.VARIABLE] = str(costs)
    started, used = time.monotonic(), processor_seconds()
    try:
        seconds = execute(Path(job["source"]), output, *given)
        if not costs.is_file():
            without_model(costs, processor_seconds() - used)
        make_page(output, page)
    except (InputError, NotebookError) as error:
        seconds, code = round(time.monotonic() - started, 1), getattr(error, "exit_code", 2)
        message = str(error).removeprefix(f"{label} ")
        kept = str(getattr(error, "kept", None) or "")
        print(f"{label} {message}")
        # Of an earlier try, when the notebook was another one: no longer what this run has found.
        ClaimsFile(output.parents[1] / "claims.json").drop(output.stem)
        events.report(
            work / plan.EVENTS, rule, label, "failed", seconds=seconds, message=message, kept=kept, code=code
        )
        return code
    event = events.report(work / plan.EVENTS, rule, label, "done", seconds=round(seconds, 1))
    seals.end(work.parent, rule, (output, page), event)
    return 0


def _worker(work: Path, job: Mapping[str, Any], given: Sequence[Any], number: int) -> int:
    """Run the notebook for its records alone, and leave the marker that Snakemake waits for."""
    label, shard = job["label"], job["shards"][number - 1]
    marker = work.parent / shard["marker"]
    copy = marker.with_suffix(".ipynb")
    events.report(work / plan.EVENTS, shard["rule"], label, "started", shard=number)
    started, told = time.monotonic(), "done"
    try:
        execute(Path(job["source"]), copy, *given)
    except (InputError, NotebookError) as error:
        told = f"the rest is left to the notebook: {error}"
    for path in (copy, failed_path(copy)):
        path.unlink(missing_ok=True)
    seconds = round(time.monotonic() - started, 1)
    print(f"{label}, shard {number}, {seconds} s: {told}")
    events.report(work / plan.EVENTS, shard["rule"], label, "done", shard=number, seconds=seconds)
    marker.touch()
    return 0


def processor_seconds() -> float:
    """Return the processor time of the children that have ended, the notebook's kernel among them."""
    times = os.times()
    return times.children_user + times.children_system + kernels.processor_seconds()


def without_model(costs: Path, seconds: float) -> None:
    """Write the count of a notebook whose process has taken none, since it used no model."""
    from replication.files import write_atomic

    costs.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(costs, json.dumps({"stages": {"": {"seconds": round(seconds, 3), "work": {}}}}) + "\n")


def make_page(notebook: Path, page: Path) -> None:
    """Write the notebook as HTML beside it."""
    from replication.reporting import html

    html.export(
        notebook, page, title=f"{notebook.parents[1].name}: {notebook.stem}", home="../../site/index.html"
    )


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
