"""Peak memory of cases beyond what was there before: `python -m benchmarks.memory SUITE THREADS SIZES ...`.

Runs in a process of its own, in which freed memory goes back to the system at once (`ENVIRONMENT`). Each case
runs once before, which loads code and makes what stays, such as an optimiser's moments. Then the system's
record of the largest resident size is reset; after the call the difference to the size before is what it
needed at its peak, its result included. Needs Linux.
"""

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
# glibc: blocks from 64 KiB on are mapped one by one, and given back when freed.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
TRAININGS = ("pretraining", "alignment")
Peaks = dict[str, float]  # MiB by the name of the case


def together(asked: Mapping[str, Sequence[Mapping[str, int | str]]], threads: int) -> dict[str, list[Peaks]]:
    """Return `peaks` of each suite, as many suites at once as there are processors.

    Args:
        asked: suite -> sizes.
        threads: threads of PyTorch.
    """
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        running = {suite: pool.submit(peaks, suite, threads, sizes) for suite, sizes in asked.items()}
        return {suite: job.result() for suite, job in running.items()}


def peaks(suite: str, threads: int, sizes: Sequence[Mapping[str, int | str]]) -> list[Peaks]:
    """Return the peaks of each of several sizes; empty where the system does not tell.

    Args:
        suite: module of this package with a function `cases`.
        threads: threads of PyTorch.
        sizes: what `cases` takes.
    """
    if not os.access(CLEAR, os.W_OK):
        return [{} for _ in sizes]
    command = [sys.executable, "-m", "benchmarks.memory", suite, str(threads), *map(json.dumps, sizes)]
    environment, root = os.environ | ENVIRONMENT, Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def _resident(field: str) -> float:
    """Return VmRSS, the resident size now, or VmHWM, the largest since the reset, in MiB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def main() -> None:
    """Print the peaks as JSON."""
    import torch

    suite, threads, *sizes = sys.argv[1:]
    torch.set_num_threads(int(threads))
    module = importlib.import_module(f"benchmarks.{suite}")
    with torch.inference_mode(suite not in TRAININGS):
        print(json.dumps([_measured(module, json.loads(one)) for one in sizes]))


def _measured(module: ModuleType, sizes: dict[str, Any]) -> Peaks:
    """Return the peak of each case of a suite."""
    found: Peaks = {}
    for case in module.cases(**sizes):
        if case.times_of:
            found[case.name] = found[case.times_of]
            continue
        case.run()
        CLEAR.write_text("5")
        before = _resident("VmRSS")
        result = case.run()
        found[case.name] = round(max(_resident("VmHWM") - before, 0.0), 2)
        del result
    return found


if __name__ == "__main__":
    main()
