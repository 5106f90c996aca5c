"""SIGKILL of a run, of a kernel and of a worker, at moments drawn over the length of a whole run.

Several kills in a row strike the same folder; then the run is let through. Nothing that had been finished at
any kill is computed again, and all that the run finds is what an undisturbed one finds, byte for byte.
"""

import os
import random
import signal
import time

import psutil
import pytest
from toy_run import SOAK, content, family, finished, words

from replication.workflow import kernels

pytestmark = pytest.mark.slow
# Kills in a row on one folder, at most, and rows of each victim: about 30 in a soak, 6 otherwise. A kernel is
# there for a part of a run only: most rows of it are through before they come to the end.
IN_A_ROW = 6 if SOAK else 2
ROWS = {"run": 2, "kernel": 5, "worker": 1} if SOAK else {"run": 1, "kernel": 1, "worker": 1}
SEED = random.SystemRandom().randrange(2**32) if SOAK else 20


@pytest.fixture(autouse=True)
def kernels_of_their_own(monkeypatch):
    """Let every kernel be a process that the run has started, so that it can be found."""
    monkeypatch.delenv(kernels.VARIABLE, raising=False)


def victim(process, kind):
    """Return a process of the kind that is alive, None when there is none at the moment."""
    if kind == "run":
        return psutil.Process(process.pid)
    for one in family(process):
        said = words(one)
        # A worker has the number of its shard behind the label; the shell that starts it has "-c" as well.
        worker = "replication.workflow.job" in said and said[-1] in "12" and " -c " not in said
        if (kind == "kernel" and "ipykernel_launcher" in said) or (kind == "worker" and worker):
            return one
    return None


def strike(process, kind, delay):
    """Kill at the moment, or as soon after it as there is a victim; return whether one was killed."""
    time.sleep(delay)
    while process.poll() is None:
        try:
            if (one := victim(process, kind)) is not None:
                one.send_signal(signal.SIGKILL)
                return True
        except psutil.NoSuchProcess:
            continue
        time.sleep(0.05)
    return False


@pytest.mark.parametrize(("kind", "row"), [(kind, row) for kind, rows in ROWS.items() for row in range(rows)])
def test_a_killed_run_goes_on_and_finds_the_same(project, undisturbed, tmp_path, injected, kind, row):
    draw = random.Random(f"{SEED} {kind} {row}")
    shards = ("--shards", "2") if kind == "worker" else ()
    run_dir, known, killed = tmp_path / undisturbed.run_dir.name, {}, 0
    while killed < IN_A_ROW:
        delay = draw.uniform(0.05, 0.95) * undisturbed.seconds
        with project.start(tmp_path, *shards) as process:
            struck = strike(process, kind, delay)
            try:
                out, err = process.communicate(timeout=600)
            finally:
                process.kill()
        killed += struck
        assert "Traceback" not in out + err, out + err
        # What is there is what was there before, and maybe more.
        now = finished(run_dir)
        assert now.items() >= {k: v for k, v in known.items() if ".parts" not in k}.items()
        known = now
        if not struck:  # the run was through: what is left is to be killed while it looks at finished work
            assert process.returncode == 0
            break
    done = project.run(tmp_path, *shards)
    last = finished(run_dir)
    lost = [name for name, inode in known.items() if ".parts" not in name and last.get(name) != inode]
    injected(f"SIGKILL of a {kind}", killed, len(lost))
    assert not lost, (lost, SEED, done.out)
    assert content(run_dir) == undisturbed.content, SEED
    assert not list(run_dir.rglob("*.parts")), os.listdir(run_dir)
