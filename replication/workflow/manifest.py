"""`manifest.json`: what ran, with which parameters, versions and hardware, and how long it took."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from replication.settings import ROOT

NAME = "manifest.json"
PATIENCE = 10


def read(run_dir: Path) -> dict[str, Any]:
    """Return the manifest of a run; {} when there is none that can be read."""
    try:
        content = json.loads((run_dir / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    whole = isinstance(content, dict) and isinstance(content.get("notebooks", {}), dict)
    return content if whole else {}


def problem(run_dir: Path) -> list[str]:
    """Return what to say of a manifest that is there and cannot be read, nothing where all is well."""
    if read(run_dir) or not (run_dir / NAME).exists():
        return []
    return [f"{NAME} is damaged: it is written anew from what the notebooks left."]


def write(
    run_dir: Path, parameters: Mapping[str, Any], jobs: int, ran: Mapping[str, Mapping[str, Any]]
) -> Path:
    """Write the manifest of a run, atomically; return its path.

    Entries of notebooks that did not run now are kept from the manifest before. Environment variables, host
    and user names are left out on purpose: they may hold secrets and say nothing about a number.

    Args:
        run_dir: folder of the run.
        parameters: what every notebook was given.
        jobs: notebooks side by side.
        ran: label -> last event of each notebook that ran.
    """
    from replication.files import write_atomic
    from replication.reporting.environment import hardware, versions

    before = read(run_dir).get("notebooks", {})
    content = {
        "package": {"name": "replication", "version": versions()["replication"], **commit()},
        "parameters": {name: value for name, value in parameters.items() if name != "results_dir"},
        "seed": parameters.get("seed", 0),
        "versions": versions(),
        "hardware": hardware() | gpu(),
        "jobs": jobs,
        "finished": _now(),
        "notebooks": dict(sorted((before | {label: entry(event) for label, event in ran.items()}).items())),
    }
    return write_atomic(run_dir / NAME, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def entry(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the manifest says about a notebook that ran."""
    kept = {"status": event["state"], "seconds": event["seconds"], "finished": _now(event["time"])}
    return kept | ({"message": event["message"]} if event.get("message") else {})


def commit() -> dict[str, Any]:
    """Return the commit of the checkout and whether files differ from it; {} outside a git checkout."""
    if not (ROOT / ".git").exists():
        return {}
    head = _output("git", "-C", str(ROOT), "rev-parse", "HEAD")
    if not head:
        return {}
    return {"commit": head, "modified": bool(_output("git", "-C", str(ROOT), "status", "--porcelain"))}


def gpu() -> dict[str, Any]:
    """Return the names of NVIDIA GPUs as the driver's tool gives them, without importing PyTorch."""
    names = _output("nvidia-smi", "--query-gpu=name", "--format=csv,noheader").splitlines()
    return {"gpu": [name.strip() for name in names]} if names else {}


def _output(*command: str) -> str:
    """Return what a command prints, "" when it fails or is not there."""
    if shutil.which(command[0]) is None:
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def _now(seconds: float | None = None) -> str:
    """Return a time, now by default, in UTC to the second."""
    moment = datetime.now(UTC) if seconds is None else datetime.fromtimestamp(seconds, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
