"""Snakemake, ended with the process that started it: `python -m replication.workflow.engine PLAN JOBS`.

The lock of the run folder is ours (`reproduce`), since Snakemake's outlives a killed run; what a killed run
left half done is run again. Later notebooks run although an earlier one failed.
"""

import sys
from pathlib import Path

from replication.workflow import lifeline

SNAKEFILE = Path(__file__).with_name("Snakefile")


def arguments(plan_file: str, jobs: str) -> list[str]:
    """Return the command line for Snakemake."""
    run_dir = Path(plan_file).parents[1]
    return [
        *("--snakefile", str(SNAKEFILE), "--configfile", plan_file, "--directory", str(run_dir)),
        *("--cores", jobs, "--scheduler", "greedy", "--latency-wait", "2"),
        *("--keep-going", "--rerun-incomplete", "--nolock", "--nocolor"),
    ]


def main(plan_file: str, jobs: str) -> None:
    """Run the plan; leaves by SystemExit with Snakemake's exit code."""
    lifeline.follow(lifeline.LEADER)
    from snakemake.cli import main as snakemake

    snakemake(arguments(plan_file, jobs))


if __name__ == "__main__":
    main(*sys.argv[1:])
