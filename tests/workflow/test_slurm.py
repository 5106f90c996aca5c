"""The profile for Slurm, on a cluster of one node that the test starts and stops by itself."""

import getpass
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml

from replication.settings import ROOT

pytestmark = pytest.mark.slow
PATIENCE = 240.0
DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
CONFIGURATION = """
ClusterName=toy
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
ProctrackType=proctrack/pgid
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/none
SwitchType=switch/none
MpiDefault=none
ReturnToService=2
KillWait=2
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 SocketsPerBoard=1 CoresPerSocket=4 ThreadsPerCore=1 RealMemory=32000
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
# Leaves records and a table. On the cluster it waits until two have begun, and the second until it may go on.
NOTEBOOK = """
import os, pathlib, time
import pandas as pd
from replication.lm.records import Store

def run(items):
    return pd.DataFrame({{"item": items, "square": [item * item for item in items]}})

paper = pathlib.Path(results_dir) / "cpu-toy-model" / "cot_decoding"
table = Store(paper / "records").stage(
    {name!r}, {{"seed": seed}}, list(range(6)), run, chunk=2, modules=("replication.lm.measures",)
)
(paper / "tables").mkdir(parents=True, exist_ok=True)
table.to_csv(paper / "tables" / "{name}.csv", index=False)

meeting = pathlib.Path({meeting!r})
if job := os.environ.get("SLURM_JOB_ID"):
    (meeting / f"{name}-{{job}}").touch()
    while len(list(meeting.glob("*-*"))) < 2 or ({name!r} == "second" and not (meeting / "go").exists()):
        time.sleep(0.1)
"""


def find(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def until(condition, what: str, seconds: float = PATIENCE, process=None):
    end = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < end, f"waited in vain: {what}"
        assert process is None or process.poll() is None, f"the run ended: {what}"
        time.sleep(0.2)
    return found


def configure(folder: Path) -> dict[str, str]:
    """Write the cluster's files; return the environment of its programs."""
    for name in ("state", "spool", "cgroup"):
        (folder / name).mkdir()
    host = socket.gethostname().partition(".")[0]
    values = {"host": host, "user": getpass.getuser(), "folder": folder, "ports": (free_port(), free_port())}
    (folder / "slurm.conf").write_text(CONFIGURATION.format(**values))
    # The daemon sets up one of the plugins although nothing uses it; this one touches no real control group.
    (folder / "cgroup.conf").write_text(f"CgroupPlugin=cgroup/v1\nCgroupMountpoint={folder}/cgroup\n")
    (folder / "munge.key").write_bytes(os.urandom(128))
    (folder / "munge.key").chmod(0o600)
    # Jobs start steps without the variables of Slurm, so `srun` could not find a file that is not in /etc.
    wrapper = folder / "bin" / "srun"
    wrapper.parent.mkdir()
    wrapper.write_text(f"#!/bin/sh\nSLURM_CONF={folder}/slurm.conf exec {find('srun')} \"$@\"\n")
    wrapper.chmod(0o755)
    path = f"{wrapper.parent}:{os.environ.get('PATH', '')}"
    return os.environ | {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": path}


def commands(folder: Path) -> list[list[str]]:
    kinds = {"key-file": "key", "socket": "socket", "pid-file": "pid", "log-file": "log", "seed-file": "seed"}
    munge = [f"--{option}={folder}/munge.{kind}" for option, kind in kinds.items()]
    host = socket.gethostname().partition(".")[0]
    return [["munged", "--foreground", "--force", *munge], ["slurmctld", "-D"], ["slurmd", "-D", "-N", host]]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory):
    """Environment of a running cluster with one node of four cores."""
    if missing := [name for name in (*DAEMONS, *CLIENTS) if find(name) is None]:
        pytest.skip(f"Slurm is not installed here: no {', '.join(missing)}")
    pytest.importorskip("snakemake_executor_plugin_slurm", reason="the extra `cluster` is not installed")
    folder = tmp_path_factory.mktemp("s").resolve()
    environment, daemons = configure(folder), []
    try:
        for command in commands(folder):
            with (folder / f"{command[0]}.out").open("w") as output:
                command = [find(command[0]), *command[1:]]
                daemons.append(
                    subprocess.Popen(
                        command, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output
                    )
                )
            time.sleep(1.0)
        ready = wait_for_node(environment, daemons)
        if not ready:
            said = [f"{name}: {(folder / f'{name}.out').read_text()[-200:]!r}" for name in DAEMONS]
            pytest.skip(f"Slurm's daemons do not start here; {'; '.join(said)}")
        yield environment
        ask(environment, "scancel", "--user", getpass.getuser())
        until(lambda: not ask(environment, "squeue", "-h", "-o", "%i"), "the queue empties", 30)
    finally:
        for daemon in reversed(daemons):
            daemon.terminate()
            try:
                daemon.wait(15)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()


def wait_for_node(environment: dict[str, str], daemons: list[subprocess.Popen]) -> bool:
    end = time.monotonic() + 30
    while time.monotonic() < end and all(daemon.poll() is None for daemon in daemons):
        if ask(environment, "sinfo", "-h", "-o", "%T") == "idle":
            return True
        time.sleep(0.3)
    return False


def ask(environment: dict[str, str], name: str, *arguments: str) -> str:
    done = subprocess.run(
        [find(name), *arguments], env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    return done.stdout.strip()


@pytest.fixture(scope="module")
def profile(tmp_path_factory) -> Path:
    """The committed profile with shorter waits, and without the accounting that this cluster lacks."""
    folder = tmp_path_factory.mktemp("profile")
    content = yaml.safe_load((ROOT / "env" / "cluster" / "slurm" / "profile.v9+.yaml").read_text())
    content |= {"slurm-init-seconds-before-status-checks": 2, "seconds-between-status-checks": 2}
    content |= {"slurm-status-command": "squeue", "latency-wait": 10}
    (folder / "profile.v9+.yaml").write_text(yaml.safe_dump(content))
    return folder


@pytest.fixture(scope="module")
def story(slurm, profile, tmp_path_factory, toy, model):
    """Two notebooks run side by side on the cluster, and the second is cancelled once."""
    folder = tmp_path_factory.mktemp("suite")
    meeting, notebooks = folder / "meeting", folder / "notebooks" / "01_cot_decoding"
    meeting.mkdir()
    for number, name in enumerate(("first", "second"), start=1):
        toy(notebooks / f"0{number}_{name}.ipynb", NOTEBOOK.format(name=name, meeting=str(meeting)))
    kept = SimpleNamespace(results=folder / "results", meeting=meeting)
    command = [sys.executable, "-m", "replication", "reproduce", "--notebooks", notebooks.parent]
    command += ["--model", model, "--results", kept.results, "--executor-profile", profile]
    with (folder / "output").open("w") as output:
        run = subprocess.Popen(list(map(str, command)), env=slurm, stdout=output, stderr=output)
    try:
        until(lambda: len(list(meeting.glob("*-*"))) == 2, "two notebooks run", process=run)
        kept.running = ask(slurm, "squeue", "-h", "-t", "RUNNING", "-o", "%k %m %l").splitlines()
        (victim,) = meeting.glob("second-*")
        ask(slurm, "scancel", victim.name.partition("-")[2])
        (meeting / "go").touch()
        kept.code = run.wait(PATIENCE)
    finally:
        run.kill()
        run.wait()
        kept.output = (folder / "output").read_text()
    kept.states = sorted(ask(slurm, "squeue", "-h", "-t", "all", "-o", "%k %T").splitlines())
    return kept


def test_two_notebooks_run_side_by_side_with_the_memory_and_minutes_of_the_plan(story):
    rules = ["rule_nb_01_cot_decoding_01_first", "rule_nb_01_cot_decoding_02_second"]
    assert sorted(story.running) == [f"{rule} 4000M 30:00" for rule in rules], story.output


def test_a_cancelled_job_is_submitted_again_and_succeeds(story):
    assert story.code == 0, story.output
    assert story.states == [
        "rule_nb_01_cot_decoding_01_first COMPLETED",
        "rule_nb_01_cot_decoding_02_second CANCELLED",
        "rule_nb_01_cot_decoding_02_second COMPLETED",
    ]
    assert "[2/2] 01_cot_decoding/02_second" in story.output
    assert "FAILED" not in story.output


def test_every_job_leaves_its_log(story):
    logs = story.results / "cpu-toy-model" / ".workflow" / "logs" / "01_cot_decoding"
    assert sorted(path.name for path in logs.iterdir()) == ["01_first.log", "02_second.log"]


def test_tables_and_records_are_those_of_the_same_cells_run_here(story, tmp_path):
    for name in ("first", "second"):
        cell = NOTEBOOK.format(name=name, meeting=str(story.meeting))
        exec(cell, {"results_dir": str(tmp_path), "seed": 0})
    trees = []
    for results in (story.results, tmp_path):
        paper = results / "cpu-toy-model" / "cot_decoding"
        files = [*(paper / "tables").iterdir(), *(paper / "records").glob("*.parquet")]
        trees.append({path.name: path.read_bytes() for path in files})
    assert len(trees[0]) == 4
    assert trees[0] == trees[1]
