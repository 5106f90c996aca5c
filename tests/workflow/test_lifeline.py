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


def test_a_follower_that_starts_too_late_ends_at_once():
    """A run that is killed while a job of it is starting leaves no job behind."""
    with subprocess.Popen([sys.executable, "-c", "pass"]) as leader:
        leader.wait()
    gone = f"{leader.pid}@{lifeline.socket.gethostname()}"
    command = [sys.executable, "-c", FOLLOWER]
    with subprocess.Popen(command, env=os.environ | {"LEAD": gone}, stdout=subprocess.PIPE) as follower:
        assert follower.wait(timeout=60) == 1
        assert follower.stdout.read() == b""


def test_no_leader_is_no_reason_to_end(monkeypatch):
    for text in ("", "x", "999999999"):
        monkeypatch.setenv("LEAD", text)
        lifeline.follow("LEAD")
    time.sleep(2 * lifeline.POLL_SECONDS)
    assert lifeline._started(os.getpid()) != ""


ELSEWHERE = """
import pathlib, sys, time
from replication.workflow import lifeline
lifeline.PATIENCE_SECONDS = 1.0
lifeline.follow("LEAD", pathlib.Path(sys.argv[1]))
print(1, flush=True)
time.sleep(60)
"""


def test_on_another_machine_a_follower_ends_when_the_pulse_stops(tmp_path):
    pulse = tmp_path / "alive"
    pulse.touch()
    # The number is that of a process here, which another machine must not take for its leader.
    environment = os.environ | {"LEAD": f"{os.getpid()}@another-machine"}
    command = [sys.executable, "-c", ELSEWHERE, str(pulse)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as follower:
        assert follower.stdout.readline() == b"1\n"
        for step in range(1, 11):
            time.sleep(0.2)
            os.utime(pulse, (step, step))
        assert follower.poll() is None
        assert follower.wait(timeout=20) == 1


def test_a_pulse_beats(tmp_path, monkeypatch):
    monkeypatch.setattr(lifeline, "BEAT_SECONDS", 0.05)
    lifeline.beat(tmp_path / "alive")
    (tmp_path / "alive").unlink()
    end = time.monotonic() + 20
    while not (tmp_path / "alive").exists():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_process_is_named_with_its_machine(monkeypatch):
    assert lifeline.name() == f"{os.getpid()}@{lifeline.socket.gethostname()}"
