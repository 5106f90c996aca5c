"""What a notebook asks of the machine that a scheduler sends it to: memory, time, a GPU."""

import math
from typing import Any

# Of the host, for one notebook and its kernel: on the testbed 0.8 GB were measured at smoke sizes. The larger
# two are estimates: a model of 7 billion parameters is read in bfloat16 (15 GB) before it goes to the GPU.
MEMORY_MB = {"smoke": 4_000, "cpu": 4_000, "gpu": 24_000, "paper": 64_000}
# The least that is asked for, since a scheduler ends what takes longer; else what is expected times `FACTOR`.
LEAST_MINUTES = {"smoke": 15, "cpu": 30, "gpu": 4 * 60, "paper": 24 * 60}
FACTOR = 4
ON_GPU = ("gpu", "paper")


def needed(profile: str, device: str, seconds: float) -> dict[str, Any]:
    """Return the resources of a notebook's job, in Snakemake's own units and names.

    Args:
        profile: of the run.
        device: as given; "auto" takes a GPU for the profiles that are made for one.
        seconds: expected on a machine like the one that was measured.

    Returns:
        mem_mb; runtime, in minutes; gpu, where one is wanted (some executors take a 0 for a wish).
    """
    minutes = max(LEAST_MINUTES[profile], math.ceil(FACTOR * seconds / 60))
    found = {"mem_mb": MEMORY_MB[profile], "runtime": minutes}
    gpu = device == "cuda" or (device == "auto" and profile in ON_GPU)
    return found | ({"gpu": 1} if gpu else {})
