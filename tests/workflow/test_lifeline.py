import os
import subprocess
import sys
import time

from replication.workflow import lifeline

FOLLOWER = """
import time
from replication.workflow import lifeline
lifeline.follow("LEAD")
print(1, flush=True)
time.sleep(60)
"""


def test_a_follower_ends_with_its_leader():
    leader = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    environment = os.environ | {"LEAD": str(leader.pid)}
    with subprocess.Popen(
        [sys.executable, "-c", FOLLOWER], env=environment, stdout=subprocess.PIPE
    ) as follower:
        assert follower.stdout.readline() == b"1\n"
        time.sleep(2 * lifeline.POLL_SECONDS)
        assert follower.poll() is None
        leader.kill()
        leader.wait()
        assert follower.wait(timeout=10) == 1


def test_no_leader_is_no_reason_to_end(monkeypatch):
    for text in ("", "x", "999999999"):
        monkeypatch.setenv("LEAD", text)
        lifeline.follow("LEAD")
    time.sleep(2 * lifeline.POLL_SECONDS)
    assert lifeline._started(os.getpid()) != ""
