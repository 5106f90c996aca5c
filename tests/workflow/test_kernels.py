"""Kernels forked from a process that has imported everything: like others, or not forked."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import psutil
import pytest

from replication.workflow import execute, kernels, preloading

pytestmark = pytest.mark.skipif(not kernels.supported(), reason="forked on Linux without a GPU only")
LAUNCHER = "ipykernel_launcher"
TOLD = "import os, sys; print(os.getppid(), os.path.basename(sys.argv[0]), 'torch' in sys.modules)"


@pytest.fixture(scope="module")
def server():
    """The process that forks, with the environment of a run without the network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(kernels.VARIABLE, raising=False)
        with kernels.preloader() as preloader, execute.kernel_environment(True):
            patch.setenv(kernels.VARIABLE, preloader.address)
            preloader.start(os.environ)
            yield preloader


@pytest.fixture
def asked(server, monkeypatch):
    """The environment names the server."""
    monkeypatch.setenv(kernels.VARIABLE, server.address)


def run(toy, folder, *cells):
    """Run a notebook; return what each cell said, in one piece or several, and its pictures."""
    source = toy(folder / "01_p" / "01_one.ipynb", *cells)
    execute.execute(source, folder / "out" / "01_one.ipynb", {}, offline=True)
    found = nbformat.read(folder / "out" / "01_one.ipynb", 4).cells
    outputs = [out for cell in found for out in cell.get("outputs", ())]
    streams = [[o["text"] for o in cell.get("outputs", ()) if o["output_type"] == "stream"] for cell in found]
    text = ["".join(pieces) for pieces in streams if pieces]
    return text, [out["data"] for out in outputs if "image/png" in out.get("data", {})]


def test_a_forked_kernel_is_like_another(server, asked, toy, tmp_path, monkeypatch):
    monkeypatch.setenv("REPLICATION_SAID", "here")
    more = (
        "print(os.environ['REPLICATION_SAID'], os.path.basename(os.getcwd()), os.environ['HF_HUB_OFFLINE'])",
        "import matplotlib.pyplot as plt; plt.plot([1, 2]); print(plt.rcParams['backend'])",
        "print(os.read(0, 1), os.getsid(0) == os.getpid(), __name__, sys.path[0] != '')",
    )
    before = kernels.processor_seconds()
    text, pictures = run(toy, tmp_path, TOLD, *more)
    parent, launcher, imported = text[0].split()
    assert (int(parent), launcher, imported) == (server._process.pid, LAUNCHER, "True")
    assert text[1:] == [
        "here 01_p 1\n",
        "module://matplotlib_inline.backend_inline\n",
        "b'' True __main__ True\n",
    ]
    assert len(pictures) == 1
    assert 0 < kernels.processor_seconds() - before < 30
    monkeypatch.delenv(kernels.VARIABLE)
    ordinary, pictures = run(toy, tmp_path, TOLD, *more)
    assert ordinary[0].split() == [str(os.getpid()), f"{LAUNCHER}.py", "False"]
    assert (ordinary[1:], len(pictures)) == (text[1:], 1)


def test_every_study_is_there(asked, toy, tmp_path):
    (said,), _ = run(toy, tmp_path, "import sys; print(*(one for one in sys.modules if '.studies.' in one))")
    studies = Path(preloading.__file__).parents[1] / "studies"
    assert set(said.split()) >= {f"replication.studies.{path.stem}" for path in studies.glob("[a-z]*.py")}


def test_draws_of_two_kernels_differ(asked, toy, tmp_path):
    cell = "import random, numpy as np; print(random.random(), np.random.rand())"
    first, second = (run(toy, tmp_path, cell)[0][0].split() for _ in range(2))
    assert all(one != other for one, other in zip(first, second, strict=True))


@pytest.mark.parametrize("part", ["variables", "limits", "niceness"])
def test_where_a_fork_would_be_another_the_kernel_is_as_always(asked, toy, tmp_path, monkeypatch, part):
    import resource

    if part == "variables":
        monkeypatch.setenv("OMP_NUM_THREADS", "2")
    elif part == "niceness":
        before = preloading.state
        monkeypatch.setattr(preloading, "state", lambda variables: before(variables) | {"niceness": 7})
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if part == "limits":
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft - 1, hard))
    try:
        text, _ = run(toy, tmp_path, TOLD)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert text[0].split()[:2] == [str(os.getpid()), f"{LAUNCHER}.py"]


def test_a_client_that_has_imported_the_same_libraries_gets_a_fork(server, asked, toy, tmp_path, monkeypatch):
    show = "import json, os; print(json.dumps(dict(os.environ)))"
    (said,), _ = run(toy, tmp_path, show)
    set_there = {k: v for k, v in json.loads(said).items() if k.startswith("TORCHINDUCTOR")}
    assert set_there  # by an import, as in a worker of the tests
    for name, value in set_there.items():
        monkeypatch.setenv(name, value)
        (text,), _ = run(toy, tmp_path, TOLD)
        assert int(text.split()[0]) == server._process.pid
        monkeypatch.setenv(name, f"{value}/elsewhere")
        (text,), _ = run(toy, tmp_path, TOLD)
        assert int(text.split()[0]) == os.getpid()


def test_what_libraries_set_is_no_difference_unless_it_is_another_value():
    ours, added = {"variables": {"A": "1"}, "niceness": 0}, {"LIB": "x"}
    for theirs in ({"A": "1"}, {"A": "1", "LIB": "x"}):
        assert not preloading.different({"variables": theirs, "niceness": 0}, ours, added)
    for theirs in ({"A": "1", "LIB": "y"}, {"LIB": "x"}, {"A": "1", "B": "2"}):
        assert preloading.different({"variables": theirs, "niceness": 0}, ours, added) == "variables"
    assert preloading.different({"niceness": 0}, ours, added) == "variables"
    assert preloading.different({"variables": {"A": "1"}, "niceness": 5}, ours, added) == "niceness"


def test_a_killed_kernel_is_told_as_always(asked, toy, tmp_path):
    with pytest.raises(execute.NotebookError, match="lost its kernel") as caught:
        run(toy, tmp_path, "import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert caught.value.exit_code == execute.OUT_OF_MEMORY


def test_a_kernel_ends_with_its_client(server, asked, toy, tmp_path):
    note = tmp_path / "pid"
    source = toy(
        tmp_path / "01_cot_decoding" / "01_one.ipynb",
        f"import os, time; open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)",
    )
    command = [sys.executable, "-m", "replication", "run", str(source), "-o", str(tmp_path / "out.ipynb")]
    with execute.kernel_environment(True):
        client = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    wait(lambda: note.is_file() and note.read_text())
    kernel = psutil.Process(int(note.read_text()))
    assert kernel.ppid() == server._process.pid
    client.kill()
    client.wait()
    wait(lambda: not kernel.is_running())
    assert server._process.poll() is None


def test_all_end_with_their_owner(toy, tmp_path):
    script = (
        "import os, sys, time; from replication.workflow import kernels, execute\n"
        "os.environ.pop(kernels.VARIABLE, None)\n"
        "one = kernels.Preloader(); one.start(os.environ); os.environ[kernels.VARIABLE] = one.address\n"
        "kernel = kernels.fork([sys.executable, '-m', 'ipykernel_launcher', '-f', sys.argv[1]], {})\n"
        "print(one._process.pid, kernel.pid, flush=True); time.sleep(600)"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "connection.json")]
    owner = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with owner:
        server, kernel = (psutil.Process(int(word)) for word in owner.stdout.readline().split())
        assert kernel.ppid() == server.pid
        owner.kill()
    wait(lambda: not server.is_running() or server.status() == psutil.STATUS_ZOMBIE)
    wait(lambda: not kernel.is_running() or kernel.status() == psutil.STATUS_ZOMBIE)


def test_a_run_of_three_notebooks_forks_their_kernels_from_one_process(toy, tmp_path, monkeypatch):
    monkeypatch.delenv(kernels.VARIABLE, raising=False)
    for number in (1, 2, 3):
        toy(tmp_path / "notebooks" / "01_cot_decoding" / f"0{number}_x.ipynb", TOLD)
    places = ("--notebooks", tmp_path / "notebooks", "--results", tmp_path / "results")
    command = [sys.executable, "-m", "replication", "reproduce", *places, "--jobs", "2"]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    executed = sorted(tmp_path.glob("results/*/cot_decoding/notebooks/*.ipynb"))
    cells = [cell for path in executed for cell in nbformat.read(path, 4).cells if cell.get("outputs")]
    told = [cell.outputs[0]["text"].split() for cell in cells]
    assert [words[1:] for words in told] == [[LAUNCHER, "True"]] * 3
    assert len({words[0] for words in told}) == 1
    wait(lambda: not psutil.pid_exists(int(told[0][0])))


def wait(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def test_a_kernel_whose_server_is_gone_is_as_always(toy, tmp_path, monkeypatch):
    monkeypatch.delenv(kernels.VARIABLE, raising=False)
    with kernels.preloader() as preloader:
        monkeypatch.setenv(kernels.VARIABLE, preloader.address)
    assert run(toy, tmp_path, TOLD)[0][0].split()[0] == str(os.getpid())


def test_another_command_is_not_forked(asked):
    of_this = [sys.executable, "-m", "another_kernel"]
    for command in (["ir", "kernel"], of_this, ["/usr/bin/python3", "-m", LAUNCHER]):
        assert kernels.fork(command, {}) is None
    assert kernels.fork([sys.executable, "-m", LAUNCHER], {"independent": True}) is None
    assert kernels.fork([sys.executable, "-m", LAUNCHER], {"preexec_fn": print}) is None


@pytest.fixture
def pair():
    """Two ends of a connection."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_the_end_of_a_kernel_is_known_like_that_of_a_process(pair):
    ours, theirs = pair
    child = subprocess.Popen(["sleep", "60"])
    forked = kernels.Forked(ours, child.pid)
    assert forked.poll() is None
    with pytest.raises(subprocess.TimeoutExpired):
        forked.wait(0.01)
    forked.terminate()
    assert child.wait() == -signal.SIGTERM
    theirs.sendall(json.dumps({"code": -15, "seconds": 2.5}).encode() + b"\n")
    before = kernels.processor_seconds()
    assert (forked.wait(1), forked.poll()) == (-15, -15)
    assert kernels.processor_seconds() == before + 2.5
    forked.kill()  # nothing any more


def test_a_server_that_has_gone_has_killed_its_kernels(pair):
    ours, theirs = pair
    theirs.close()
    assert kernels.Forked(ours, 2**22).wait(1) == -signal.SIGKILL


def test_a_client_that_goes_as_its_kernel_ends_harms_nobody(pair, monkeypatch):
    """Both are told at once: the kernel has been forgotten when the client's going is looked at."""
    killed, owner = [], os.pidfd_open(os.getpid())
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("")  # a name of the system's choice
        listener.listen()
        server = preloading.Server(listener, owner, {}, {})
        monkeypatch.setattr(preloading, "_kill", killed.append)
        child = subprocess.Popen(["true"])
        pidfd = os.pidfd_open(child.pid)
        server.clients[pidfd], server.pids[pidfd] = pair[0], child.pid
        server.selector.register(pidfd, preloading.selectors.EVENT_READ)
        server.selector.register(pair[0], preloading.selectors.EVENT_READ, pidfd)
        pair[1].close()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        looks = [sorted(server.selector.select(), key=lambda found: found[0].fileobj is pair[0])]
        looks.append([(server.selector.get_key(owner), 1)])
        monkeypatch.setattr(server.selector, "select", lambda: looks.pop(0))
        assert server.serve() is None
        child.returncode = 0
        server.selector.close()
    os.close(owner)
    assert (looks, killed, server.clients) == ([], [], {})


def test_requests_without_an_end_are_none_and_leave_nothing_open():
    before = os.listdir("/proc/self/fd")
    for words in (b"{", b"no JSON\n"):
        one, other = socket.socketpair()
        with one, other:
            socket.send_fds(one, [words], [0, 1])
            one.shutdown(socket.SHUT_WR)
            with pytest.raises(ValueError, match=r"without an end|Expecting value"):
                preloading.receive(other)
    assert os.listdir("/proc/self/fd") == before


def test_requests_of_other_users_are_none(pair, monkeypatch):
    ours, theirs = pair
    ours.sendall(b"{}\n")
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(ValueError, match="another user"):
        preloading.receive(theirs)


@pytest.mark.parametrize("where", ["a GPU", "another system"])
def test_without_support_nothing_is_started(monkeypatch, where, tmp_path):
    monkeypatch.delenv(kernels.VARIABLE, raising=False)
    if where == "a GPU":
        (tmp_path / "nvidiactl").touch()
        monkeypatch.setattr(kernels, "GPU_DRIVER", tmp_path / "nvidiactl")
    else:
        monkeypatch.setattr(sys, "platform", "darwin")
    with kernels.preloader() as preloader:
        preloader.start(os.environ)
        assert (preloader.address, preloader._process) == ("", None)


def test_one_that_is_there_is_used(monkeypatch):
    monkeypatch.setenv(kernels.VARIABLE, "of-another")
    with kernels.preloader() as preloader:
        preloader.start(os.environ)
        assert (preloader.address, preloader._process) == ("of-another", None)


def test_threads_that_do_not_survive_a_fork_are_seen():
    script = (
        "import threading, time; from replication.workflow import preloading\n"
        "print(preloading.threads()); threading.Thread(target=time.sleep, args=(5,), daemon=True).start()\n"
        "print(len(preloading.threads()))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[]", "1"]
