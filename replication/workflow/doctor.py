"""What this machine is, what is wrong with it, and what each profile can do on it.

Nothing is changed and nothing is downloaded: one question to the hub, with a time limit, tells whether there
is a network. What profiles require is in `NEEDS`; the expected time is that of the stored runs, on whatever
machine they were measured.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from replication.settings import PROFILES, ROOT, InputError, check_writable, results_root
from replication.workflow.progress import ESTIMATES, duration

GIB = 2**30
LOCK = ROOT / "env" / "requirements-cpu.lock"
PYTHONS = ((3, 11), (3, 12))
OK, NOTE, WRONG = "ok", "note", "wrong"
SIGNS = {OK: "✔", NOTE: "!", WRONG: "✘"}


@dataclass(frozen=True)
class Needs:
    """What a profile asks of a machine.

    Attributes:
        memory: GiB of main memory for each notebook that runs side by side.
        disk: GiB for results, and downloaded weights where the profile takes a hub model.
        gpu: GiB of GPU memory, 0 where none is needed.
        hub: whether model and questions usually come from the hub.
    """

    memory: float
    disk: float
    gpu: float = 0
    hub: bool = False


# Allowances, not measurements: a notebook of smoke took 0.8 GiB; gpu and paper have never been run.
NEEDS = {
    "smoke": Needs(memory=2, disk=1),
    "cpu": Needs(memory=3, disk=2),
    "gpu": Needs(memory=16, disk=20, gpu=16),
    # A model of 7 billion parameters in bfloat16, 14 GiB, with its cache; downloaded once.
    "paper": Needs(memory=32, disk=60, gpu=24, hub=True),
}


@dataclass(frozen=True)
class Finding:
    """One thing looked at: its name, "ok", "note" or "wrong", what was found, and what to do about it."""

    name: str
    state: str
    found: str
    remedy: str = ""


@dataclass(frozen=True)
class Machine:
    """Sizes of this machine, memories in GiB; `hub`: whether the hub answers, None if it was not asked."""

    cores: int
    memory: float
    available: float
    disk: float
    gpu: str
    gpu_memory: float
    hub: bool | None


def examine(results_dir: str = "", ask_hub: Callable[[], bool | None] | None = None) -> dict[str, Any]:
    """Return what was found.

    Args:
        results_dir: root of the results, whose disk counts; "" takes the usual one.
        ask_hub: tells whether the hub answers, None when it must not be asked; for tests.

    Returns:
        `findings`: list of `Finding` as dictionaries; `profiles`: profile -> `able` ("yes", "slow" or "no"),
        `why`, `seconds` (expected for two notebooks at a time, None where no run was measured); `usable`:
        whether the smallest profile runs here.
    """
    results = results_root(results_dir)
    machine = measure(results, ask_hub or hub_answers)
    findings = [_python(), *_packages(), _cores(machine), _memory(machine), _disk(machine, results)]
    findings += [_gpu(machine), _network(machine), _models(), _writable(results)]
    profiles = {name: able(name, machine) | {"seconds": _seconds(name)} for name in PROFILES}
    usable = profiles["smoke"]["able"] == "yes" and all(one.state != WRONG for one in findings)
    return {"findings": [asdict(one) for one in findings], "profiles": profiles, "usable": usable}


def measure(results: Path, ask_hub: Callable[[], bool | None]) -> Machine:
    """Return the sizes of this machine; the disk is the one that holds `results`."""
    import psutil
    import torch

    there = next(folder for folder in (results, *results.parents) if folder.exists())
    memory = psutil.virtual_memory()
    gpu = torch.cuda.get_device_properties(0) if torch.cuda.is_available() else None
    return Machine(
        cores=len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1,
        memory=memory.total / GIB,
        available=memory.available / GIB,
        disk=shutil.disk_usage(there).free / GIB,
        gpu=gpu.name if gpu else "",
        gpu_memory=gpu.total_memory / GIB if gpu else 0.0,
        hub=ask_hub(),
    )


def hub_answers() -> bool | None:
    """Tell whether the hub answers within some seconds; None when HF_HUB_OFFLINE forbids to ask."""
    from huggingface_hub import constants, get_session

    if constants.HF_HUB_OFFLINE:
        return None
    try:
        get_session().get(constants.ENDPOINT, timeout=4.0)
    except Exception:  # the transport library differs between versions of the hub's client
        return False
    return True


def able(profile: str, machine: Machine) -> dict[str, str]:
    """Return whether a profile runs here ("yes", "slow" or "no") and why.

    Args:
        profile: one of `PROFILES`.
        machine: sizes.
    """
    needs = NEEDS[profile]
    lacks = []
    if machine.available < needs.memory:
        lacks.append(f"needs {needs.memory:g} GiB of free memory, {machine.available:.1f} are there")
    if machine.disk < needs.disk:
        lacks.append(f"needs {needs.disk:g} GiB on the disk, {machine.disk:.1f} are free")
    if needs.gpu and machine.gpu and machine.gpu_memory < needs.gpu:
        lacks.append(f"needs {needs.gpu:g} GiB of GPU memory, {machine.gpu_memory:.0f} are there")
    if lacks:
        return {"able": "no", "why": "; ".join(lacks)}
    if needs.gpu and not machine.gpu:
        return {"able": "slow", "why": "without a GPU it runs on the processor, for days"}
    if needs.hub and not machine.hub:
        return {"able": "yes", "why": "without the hub from folders (MODEL=, DATA=) or the cache only"}
    jobs = max(1, min(machine.cores, int(machine.available / needs.memory)))
    return {"able": "yes", "why": f"{jobs} notebook{'s' * (jobs > 1)} at a time (JOBS={jobs})"}


def _seconds(profile: str) -> float | None:
    """Return the stored seconds of a whole run with two notebooks at a time."""
    shipped = json.loads(ESTIMATES.read_text(encoding="utf-8")).get(profile, {})
    return round(max(sum(shipped.values()) / 2, *shipped.values())) if len(shipped) > 1 else None


def _python() -> Finding:
    found = f"{sys.version_info[0]}.{sys.version_info[1]}.{sys.version_info[2]}"
    if sys.version_info[:2] in PYTHONS:
        return Finding("Python", OK, found)
    return Finding("Python", WRONG, found, "Install Python 3.11 or 3.12 and run `make setup PYTHON=<path>`.")


def _packages() -> list[Finding]:
    """Compare what is installed with the lock, which an installed wheel does not have."""
    if not LOCK.is_file():
        return []
    from packaging.requirements import Requirement

    pins = [Requirement(line) for line in LOCK.read_text(encoding="utf-8").splitlines() if line.strip()]
    pins = [pin for pin in pins if pin.marker is None or pin.marker.evaluate()]
    other = [pin.name for pin in pins if _installed(pin.name) != str(pin.specifier).removeprefix("==")]
    if not other:
        return [Finding("packages", OK, f"{len(pins)} as in env/{LOCK.name}")]
    named = ", ".join(other[:5]) + (" and others" if len(other) > 5 else "")
    text = f"{len(other)} of {len(pins)} differ from env/{LOCK.name}: {named}"
    return [
        Finding(
            "packages", NOTE, text, "Numbers may move in their last digits: `make setup` gives the lock's."
        )
    ]


def _installed(name: str) -> str:
    """Return the version of an installed package without its local part, "" when it is missing."""
    try:
        return re.sub(r"\+.*", "", version(name))
    except PackageNotFoundError:
        return ""


def _cores(machine: Machine) -> Finding:
    threads = os.environ.get("OMP_NUM_THREADS", "")
    text = f"{machine.cores}, {threads or 'unlimited'} thread{'s' * (threads != '1')} a process"
    if threads and not threads.isdigit():
        return Finding("cores", NOTE, text, "OMP_NUM_THREADS needs to be a number; the workflow sets 1.")
    return Finding("cores", OK, text)


def _memory(machine: Machine) -> Finding:
    text = f"{machine.memory:.1f} GiB, {machine.available:.1f} free"
    if machine.available < NEEDS["smoke"].memory:
        return Finding("memory", WRONG, text, "Close other programs, or take a machine with more.")
    return Finding("memory", OK, text)


def _disk(machine: Machine, results: Path) -> Finding:
    text = f"{machine.disk:.1f} GiB free for the results"
    if machine.disk < NEEDS["smoke"].disk:
        return Finding("disk", WRONG, text, "Make room, or choose another disk with RESULTS=<folder>.")
    return Finding("disk", OK, text)


def _gpu(machine: Machine) -> Finding:
    if machine.gpu:
        return Finding("GPU", OK, f"{machine.gpu}, {machine.gpu_memory:.0f} GiB")
    return Finding("GPU", NOTE, "none that PyTorch can use", "The profiles smoke and cpu need none.")


def _network(machine: Machine) -> Finding:
    if machine.hub is None:
        return Finding("network", NOTE, "not asked, since HF_HUB_OFFLINE is set", "Unset it for hub models.")
    if machine.hub:
        return Finding("network", OK, "the hub answers")
    return Finding(
        "network", NOTE, "the hub does not answer", "Testbed, folders and cached models need none."
    )


def _models() -> Finding:
    from replication.testbed import models

    if problems := models.verify():
        return Finding("testbed models", WRONG, problems[0], "Check out the checkpoints again.")
    return Finding("testbed models", OK, f"{len(models.names())}, as their cards say")


def _writable(results: Path) -> Finding:
    try:
        check_writable(results)
    except InputError as error:
        return Finding("results", WRONG, str(error), "Choose another folder with RESULTS=<folder>.")
    return Finding("results", OK, "the folder can be written")


def tables(content: Mapping[str, Any]) -> list[Any]:
    """Return what was found as two tables for a terminal (`rich.table.Table`)."""
    from rich.table import Table

    found = Table("", "what", "found", "what to do", title="This machine", title_justify="left")
    for one in content["findings"]:
        found.add_row(SIGNS[one["state"]], one["name"], one["found"], one["remedy"])
    able = Table("profile", "runs here", "", "expected", title="Profiles", title_justify="left")
    for name, one in content["profiles"].items():
        expected = f"about {duration(one['seconds'])}" if one["seconds"] else "not measured"
        able.add_row(name, one["able"], one["why"], expected)
    return [found, able]
