"""Snakemake, ended with the process that started it.

`python -m replication.workflow.engine PLAN JOBS [PROFILE]`

The lock of the run folder is ours (`reproduce`), since Snakemake's outlives a killed run; what a killed run
left half done is run again. Later notebooks run although an earlier one failed. A profile names an executor
plugin and what goes with it, the number of jobs included; without one the jobs run here.
"""

import sys
from pathlib import Path

from replication.workflow import lifeline, plan

SNAKEFILE = Path(__file__).with_name("Snakefile")


def arguments(plan_file: str, jobs: str, profile: str = "") -> list[str]:
    """Return the command line for Snakemake."""
    run_dir = Path(plan_file).parents[1]
    where = ("--profile", profile) if profile else ("--cores", jobs, "--latency-wait", "2")
    return [
        *("--snakefile", str(SNAKEFILE), "--configfile", plan_file, "--directory", str(run_dir)),
        *where,
        *("--scheduler", "greedy", "--keep-going", "--rerun-incomplete", "--nolock", "--nocolor"),
        "--show-failed-logs",
    ]


def main(plan_file: str, jobs: str, profile: str = "") -> None:
    """Run the plan; leaves by SystemExit with Snakemake's exit code."""
    lifeline.follow(lifeline.LEADER)
    lifeline.beat(Path(plan_file).with_name(plan.PULSE))
    from snakemake.cli import main as snakemake

    snakemake(arguments(plan_file, jobs, profile))


if __name__ == "__main__":
    main(*sys.argv[1:])
