"""What is asked of the benchmarks and what was reached: a table of what their runs have kept."""

import json
from pathlib import Path
from typing import Any

from replication.settings import InputError

MEMORY = ": peak memory in MiB"


def table(folder: Path) -> str:
    """Return the machine of each suite's run and a Markdown table of every case that is asked something.

    Args:
        folder: where `<suite>.json` files lie.

    Raises:
        InputError: there are none.
    """
    files = sorted(Path(folder).glob("*.json"))
    if not files:
        raise InputError(f"{folder} keeps no measurements: run `make bench`, and copy results/bench there.")
    runs = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    head = [
        "| work | times faster, median (rounds) | by processor time | asked for | reached |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    rows = [_row(one) for run in runs for one in run["results"] if one["target"] is not None]
    memory = [
        f"- {name.removesuffix(MEMORY)}: {value:,.0f} MiB of memory at the peak"
        for run in runs
        for name, value in run["checks"].items()
        if name.endswith(MEMORY)
    ]
    return "\n".join([*map(_machine, runs), "", *head, *rows, "", *memory]).rstrip()


def _machine(run: dict[str, Any]) -> str:
    """Return a line on where and how a suite was measured."""
    about, packages = run["hardware"], run["versions"]
    named = ", ".join(
        f"{name} {packages[name]}" for name in ("torch", "transformers", "trl") if name in packages
    )
    size = f", {run['questions']} questions" if "questions" in run else ""
    return (
        f"- {run['suite']}: {about['processor']}, {about['cores']} cores, {about['threads']} thread(s), load "
        f"{about['load before']:.1f} before; {run['rounds']} alternating rounds{size}; {named}"
    )


def _row(one: dict[str, Any]) -> str:
    """Return the table's line of a result."""
    busy = one.get("processor_ratio")
    cells = (
        f"{one['name']} (against {one['peer']})",
        f"{one['ratio']:.2f} ({one['lowest']:.2f} to {one['highest']:.2f})",
        "" if busy is None else f"{busy:.2f}",
        f"{one['target']:g}",
        "yes" if one["ratio"] >= one["target"] else "no",
    )
    return f"| {' | '.join(cells)} |"
