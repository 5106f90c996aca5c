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
from toy_run import SOAK, TIMES, content, family, finished, words

pytestmark = pytest.mark.slow
# Moments of each victim: (run, kernel, worker), in rows of kills on one folder.
ROWS = 4 if SOAK else 1
IN_A_ROW = 3 if SOAK else 2
SEED = random.SystemRandom().randrange(2**32) if TIMES > 1 else 20
VICTIMS = ("run", "kernel", "worker")


def victim(process, kind):
    """Return a process of the kind that is alive, None when there is none at the moment."""
    if kind == "run":
        return psutil.Process(process.pid)
    marks = {"kernel": "ipykernel_launcher", "worker": "replication.workflow.job"}
    found = [one for one in family(process) if marks[kind] in words(one)]
    # A worker has the number of its shard behind the label; shells that start one do not count.
    if kind == "worker":
        found = [
            one for one in found if words(one).split()[-1].isdecimal() and "-c" not in words(one).split()
        ]
    return found[0] if found else None


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


@pytest.mark.parametrize("row", range(ROWS))
@pytest.mark.parametrize("kind", VICTIMS)
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
