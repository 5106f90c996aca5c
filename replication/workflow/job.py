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
    report(events, label, "started")
    started = time.monotonic()
    try:
        given = (job["parameters"], content["offline"], content["variant"])
        seconds = execute(Path(job["source"]), run_dir / job["output"], *given)
        make_page(run_dir / job["output"], run_dir / job["page"])
    except (InputError, NotebookError) as error:
        seconds = time.monotonic() - started
        message = str(error).removeprefix(f"{label} ")
        kept = str(getattr(error, "kept", None) or "")
        report(events, label, "failed", seconds=round(seconds, 1), message=message, kept=kept)
        return getattr(error, "exit_code", 2)
    report(events, label, "done", seconds=round(seconds, 1))
    return 0


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
