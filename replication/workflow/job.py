"""One notebook, as Snakemake's rules call it: `python -m replication.workflow.job PLAN LABEL`.

Runs the notebook, makes its page and reports by lines in the events file. Does nothing else than
`python -m replication run`, so a notebook that fails here fails there.
"""

import json
import os
import sys
import time
from pathlib import Path
from typing import Any

from replication.lm import meter
from replication.settings import InputError
from replication.workflow import lifeline, plan
from replication.workflow.execute import NotebookError, execute


def main(plan_file: str, label: str) -> int:
    """Run the notebook of that label; return the exit code."""
    lifeline.follow(lifeline.LEADER)
    content = plan.read(plan_file)
    job = plan.job_of(content, label)
    events = Path(plan_file).with_name(plan.EVENTS)
    run_dir = events.parents[1]
    output = run_dir / job["output"]
    costs = output.parents[1] / "costs" / f"{output.stem}.json"
    os.environ[meter.VARIABLE] = str(costs)
    report(events, label, "started")
    started, used = time.monotonic(), processor_seconds()
    try:
        given = (job["parameters"], content["offline"], content["variant"])
        seconds = execute(Path(job["source"]), output, *given)
        if not costs.is_file():
            without_model(costs, processor_seconds() - used)
        make_page(output, run_dir / job["page"])
    except (InputError, NotebookError) as error:
        seconds = time.monotonic() - started
        message = str(error).removeprefix(f"{label} ")
        kept = str(getattr(error, "kept", None) or "")
        report(events, label, "failed", seconds=round(seconds, 1), message=message, kept=kept)
        return getattr(error, "exit_code", 2)
    report(events, label, "done", seconds=round(seconds, 1))
    return 0


def processor_seconds() -> float:
    """Return the processor time of the children that have ended, the notebook's kernel among them."""
    times = os.times()
    return times.children_user + times.children_system


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


def report(events: Path, label: str, state: str, **details: Any) -> None:
    """Append one event; a line is written at once, so lines of parallel jobs do not mix."""
    line = json.dumps({"notebook": label, "state": state, "time": round(time.time(), 1), **details})
    handle = os.open(events, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(handle, f"{line}\n".encode())
    finally:
        os.close(handle)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
