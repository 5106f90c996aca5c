"""What critical tokens and cDPO cost at the published scale, and the commands that run them."""

import shlex
from pathlib import Path

import pandas as pd

from replication.alignment import config, costs
from replication.settings import ROOT

FOLDER = Path("env") / "cdpo"
METHODS = ("sft", "dpo", "rpo", "tdpo2", "cdpo")
TOKENS_A_SECOND = 10_000  # assumed: sampling by a fast engine, 8 billion parameters, one 80 GB GPU
# Extra tokens a response for 64 rollouts a position, as printed in version 3.
ROLLOUTS = {"GSM8K": 581_425, "MATH": 7_613_942}
RESPONSES = 100


def training_costs() -> pd.DataFrame:
    """Return hours and memory of one preference training by method and size."""
    rows = []
    for method in METHODS:
        given = config.read(ROOT / FOLDER / "llama3_8b_lora.yaml", [f"method={method}"])
        for size in costs.SIZES:
            found = costs.costs(given, size)
            rows.append((size.name, method, f"{found.tokens:,.0f}", found.steps, f"{found.hours:.1f}",
                         size.devices, f"{found.memory / costs.GIB:.0f}"))  # fmt: skip
    columns = ["model", "method", "tokens read", "steps", "device hours", "devices", "GiB a device"]
    return pd.DataFrame(rows, columns=columns)


def assumed() -> str:
    """Return the speed that hours are computed with."""
    given = config.read(ROOT / FOLDER / "llama3_8b_lora.yaml", [])
    return (
        f"{given.peak / 1e12:,.0f} × 10¹² operations a second, {100 * given.utilisation:.0f} % of them used"
    )


def rollout_costs() -> pd.DataFrame:
    """Return tokens and hours of the rollouts of `RESPONSES` responses."""
    rows = [
        (name, f"{each:,}", f"{each * RESPONSES:,}", f"{each * RESPONSES / TOKENS_A_SECOND / 3600:.1f}")
        for name, each in ROLLOUTS.items()
    ]
    return pd.DataFrame(rows, columns=["data", "tokens a response", "tokens", "hours"])


def commands() -> list[str]:
    """Return the commands of the published setting."""
    book = "notebooks/08_cdpo/{}.ipynb"
    settings = ["-p", "profile", "paper", "-p", "model", "meta-llama/Meta-Llama-3-8B", "-p", "task", "gsm8k"]
    runs = [
        ["python", "-m", "replication", "run", book.format(name), *settings]
        for name in ("01_critical_tokens", "02_contrastive_estimation", "03_preferences")
    ]
    file = str(FOLDER / "llama3_8b_lora.yaml")
    launch = ["replication.alignment.launch", "--config", file]
    runs += [
        ["python", "-m", *launch, "--plan"],
        ["python", "-m", *launch],
        ["accelerate", "launch", "--config_file", str(FOLDER / "fsdp.yaml"), "-m", *launch, "--set",
         "model=meta-llama/Meta-Llama-3-70B", "micro_batch=1"],
    ]  # fmt: skip
    return [shlex.join(run) for run in runs]
