"""The command line, `python -m replication`. Heavy libraries are imported by the commands that need them."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from replication import files, settings
from replication.settings import InputError
from replication.workflow import cli_reading, cli_starting
from replication.workflow.cli_options import Device, say

SCRIPT = "replication"

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
testbed = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(testbed, name="testbed", help="Train and check the small models.")


@app.callback()
def root() -> None:
    """Re-runs of published experiments on token-level methods for language models."""


for command in (cli_starting.reproduce, cli_starting.plan, cli_starting.run):
    app.command()(command)
app.command(name="list")(cli_reading.list_all)
for command in (
    cli_reading.scoreboard,
    cli_reading.compare,
    cli_reading.report,
    cli_reading.refresh,
    cli_reading.doctor,
):
    app.command()(command)


@testbed.command()
def train(
    size: Annotated[str, typer.Option(help="Name of the model, such as testbed-small.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder to write; that of the shipped model by default.")
    ] = None,
    steps: Annotated[int | None, typer.Option(help="Optimiser steps; the recipe's by default.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the weights.")] = 0,
    cot_fraction: Annotated[float | None, typer.Option(help="Share of step-by-step answers.")] = None,
    device: Device = "cpu",
) -> None:
    """Train a testbed model by its recipe."""
    from replication.testbed import grown

    grown.recipe(size)
    device = settings.resolve_device(device)
    from replication.testbed.training import train as run_training

    say(
        run_training(size, out=out, steps=steps, seed=seed, cot_fraction=cot_fraction, say=say, device=device)
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


def main() -> None:
    """Run the command line; what the caller can mend is one sentence on stderr and exit code 2."""
    from replication.workflow.execute import NotebookError

    try:
        # A shell completes the script's name, by which it calls it.
        script = Path(sys.argv[0]).name == SCRIPT
        app(join_pairs(sys.argv[1:]), prog_name=SCRIPT if script else "python -m replication")
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
    except OSError as error:
        if not files.out_of_space(error):
            raise
        place = Path(error.filename).parent if error.filename else settings.results_root()
        print(files.full(place), file=sys.stderr)
        sys.exit(2)
