"""Snakemake, ended with the process that started it.

`python -m replication.workflow.engine PLAN JOBS [PROFILE]`

The lock of the run folder is ours (`reproduce`), since Snakemake's outlives a killed run; what a killed run
left half done is run again. Later notebooks run although an earlier one failed. A profile names an executor
plugin and what goes with it, the number of jobs included; without one the jobs run here.

Snakemake limits how many jobs it starts a second. For that it looks anew at the inputs of all jobs when each
second is over, and once more a second for every job that has ended (9.27): a quarter of a core in a run of 27
notebooks. Here no limit is needed, so the second is an hour; and the process does not wait for what is left
of the hour when all is done.
"""

import logging
import os
import sys
import tempfile
from pathlib import Path

from replication.workflow import lifeline, plan

PACE = "1000000/1h"
SNAKEFILE = Path(__file__).with_name("Snakefile")


def arguments(plan_file: str, jobs: str, profile: str = "") -> list[str]:
    """Return the command line for Snakemake."""
    run_dir = Path(plan_file).parents[1]
    here = ("--cores", jobs, "--latency-wait", "2", "--max-jobs-per-timespan", PACE)
    where = ("--profile", profile) if profile else here
    return [
        *("--snakefile", str(SNAKEFILE), "--configfile", plan_file, "--directory", str(run_dir)),
        *where,
        *("--scheduler", "greedy", "--keep-going", "--rerun-incomplete", "--nolock", "--nocolor"),
        "--show-failed-logs",
    ]


def job_variables() -> dict[str, str]:
    """Return the environment variables that Snakemake sets for a job of one thread that runs here."""
    threads = ("OMP", "GOTO", "OPENBLAS", "MKL", "NUMEXPR")
    places = ("TMPDIR", "TMP", "TEMPDIR", "TEMP")
    return (
        {f"{library}_NUM_THREADS": "1" for library in threads}
        | {"VECLIB_MAXIMUM_THREADS": "1"}
        | dict.fromkeys(places, tempfile.gettempdir())
    )


def main(plan_file: str, jobs: str, profile: str = "") -> None:
    """Run the plan; the process ends with Snakemake's exit code."""
    lifeline.follow(lifeline.LEADER)
    lifeline.beat(Path(plan_file).with_name(plan.PULSE))
    from snakemake.cli import main as snakemake

    code = 1
    try:
        snakemake(arguments(plan_file, jobs, profile))
    except SystemExit as end:
        code = end.code
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
