"""Peak memory of cases beyond what was there before: `python -m benchmarks.memory SUITE THREADS SIZES`.

Runs in a process of its own, in which freed memory goes back to the system at once (`ENVIRONMENT`). Each case
runs once, which loads code and makes what stays, such as an optimiser's moments. Before the second call the
system's record of the largest resident size is reset; afterwards the difference to the size before the call
is what it needed at its peak, its result included. Needs Linux.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

CLEAR, STATUS = Path("/proc/self/clear_refs"), Path("/proc/self/status")
# glibc: blocks from 64 KiB on are mapped one by one, and given back when freed.
ENVIRONMENT = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}


def peaks(suite: str, threads: int, **sizes: int | str) -> dict[str, float]:
    """Return MiB by the name of the case; empty where the system does not tell.

    Args:
        suite: module of this package with a function `cases`.
        threads: threads of PyTorch.
        **sizes: what `cases` takes.
    """
    if not os.access(CLEAR, os.W_OK):
        return {}
    command = [sys.executable, "-m", "benchmarks.memory", suite, str(threads), json.dumps(sizes)]
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

    suite, threads, sizes = sys.argv[1:]
    torch.set_num_threads(int(threads))
    found = {}
    with torch.inference_mode(suite not in ("pretraining", "alignment")):
        for case in importlib.import_module(f"benchmarks.{suite}").cases(**json.loads(sizes)):
            case.run()
            CLEAR.write_text("5")
            before = _resident("VmRSS")
            result = case.run()
            found[case.name] = round(max(_resident("VmHWM") - before, 0.0), 2)
            del result
    print(json.dumps(found))


if __name__ == "__main__":
    main()
