"""A process that has imported what notebooks import, and forks a kernel at once for whoever asks.

`python -m replication.workflow.preloading FD OWNER`

Importing PyTorch, transformers, matplotlib and the studies takes most of the time of a notebook whose models
have run before. Here it happens once for all notebooks of a run. The process computes nothing and has one
thread, so a fork of it is as good as a process of its own; it is used on Linux without a GPU only, since a
CUDA context does not survive a fork. `kernels` asks it.

It listens at the socket with that file descriptor, made by the process OWNER, and ends with that process. A
request comes with the descriptors of standard output and error; the answer is {"pid": ...} and, when the
kernel ends, {"code": ..., "seconds": of processor time}, or {"refused": why} when a kernel forked here would
not be what a process of its own is. A kernel whose client is gone is killed.
"""

import gc
import importlib
import json
import os
import pkgutil
import random
import selectors
import signal
import socket
import struct
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

LIBRARIES = (
    "ipykernel.kernelapp",
    "matplotlib.pyplot",
    "transformers.cache_utils",
    "transformers.models.llama.modeling_llama",
    "transformers.trainer",
    "trl.trainer.dpo_trainer",
)
STUDIES = "replication.studies"
VARY = ("REPLICATION_", "JPY_", "PYTEST_", "SNAKEMAKE_")
"""Beginnings of names of environment variables that say nothing to what has been imported."""
VARY_TOO = {"PWD", "OLDPWD", "SHLVL", "_", "LINES", "COLUMNS"}
INLINE = "module://matplotlib_inline.backend_inline"
MESSAGE_BYTES = 1 << 20
RESTARTED = {"jemalloc_bg_thd"}
"""Threads that their library starts again in a fork: the allocator's of pyarrow."""


def main(descriptor: str, owner: str) -> None:
    """Import, then serve; in a kernel that has been forked, be that kernel."""
    pidfd = os.pidfd_open(int(owner))
    listener = socket.socket(fileno=int(descriptor))
    if sys.path[0] == os.getcwd() or not sys.path[0]:
        del sys.path[0]  # as a kernel does; IPython puts it back
    ours = state(os.environ)
    added = preload()
    if names := threads():
        sys.exit(f"Libraries have started threads when they were imported ({names}): kernels are not forked.")
    gc.freeze()  # a collection in a kernel would copy the pages of everything
    request = Server(listener, pidfd, ours, added).serve()
    if request is not None:
        become_kernel(request, added)


def preload() -> dict[str, str]:
    """Import the libraries and every study, whichever there are; return the variables that they have set."""
    before = dict(os.environ)
    studies = importlib.import_module(STUDIES)
    names = [f"{STUDIES}.{module.name}" for module in pkgutil.iter_modules(studies.__path__)]
    for name in (*LIBRARIES, *sorted(names)):
        importlib.import_module(name)
    # Keys of records are made from these sources: parsed here, they need not be parsed by every kernel.
    importlib.import_module("replication.lm.sources").source_hash(*names)
    return {name: value for name, value in os.environ.items() if before.get(name) != value}


def threads() -> list[str]:
    """Return the names of this process's threads beside the main one and those that survive a fork."""
    tasks = Path("/proc/self/task")
    names = [(task / "comm").read_text().strip() for task in tasks.iterdir() if task.name != str(os.getpid())]
    return [name for name in names if name not in RESTARTED]


def state(environment: Mapping[str, str]) -> dict[str, Any]:
    """Return what a kernel takes over from the process that starts it, and a fork takes from here instead.

    Args:
        environment: the environment variables that the kernel is to have.
    """
    import resource

    limits = {name: resource.getrlimit(getattr(resource, name)) for name in dir(resource) if "RLIMIT" in name}
    kept = {k: v for k, v in environment.items() if not k.startswith(VARY) and k not in VARY_TOO}
    return {
        "executable": sys.executable,
        "variables": kept,
        "limits": {name: list(limit) for name, limit in limits.items()},
        "niceness": os.getpriority(os.PRIO_PROCESS, 0),
        "processors": sorted(os.sched_getaffinity(0)),
    }


def different(theirs: Mapping[str, Any], ours: Mapping[str, Any], added: Mapping[str, str]) -> str:
    """Return the first part of a `state` that differs, "" when none does.

    A client that has imported the same libraries has what they have set, `added`, in its variables; a kernel
    forked here has it as well.
    """
    theirs, ours = ({**one, "variables": {**added, **one.get("variables", {})}} for one in (theirs, ours))
    return next((name for name in ours if theirs.get(name) != ours[name]), "")


class Server:
    """Answers requests until its owner is gone.

    Args:
        listener: socket at which clients ask.
        owner: pidfd of the process whose end ends this one.
        ours: the `state` in which a kernel has to ask to be forked.
        added: environment variables that libraries have set when they were imported.
    """

    def __init__(
        self, listener: socket.socket, owner: int, ours: Mapping[str, Any], added: Mapping[str, str]
    ) -> None:
        self.listener, self.owner, self.ours, self.added = listener, owner, ours, added
        self.selector = selectors.DefaultSelector()
        self.selector.register(listener, selectors.EVENT_READ)
        self.selector.register(owner, selectors.EVENT_READ)
        self.clients: dict[int, socket.socket] = {}  # pidfd of a kernel -> who asked for it
        self.pids: dict[int, int] = {}  # pidfd -> pid

    def serve(self) -> dict[str, Any] | None:
        """Serve; return the request in a kernel that has been forked, None here when the owner has gone."""
        while True:
            for key, _ in self.selector.select():
                if key.fileobj == self.owner:
                    self._kill_all()
                    return None
                if key.fileobj is self.listener:
                    if (request := self._accept()) is not None:
                        return request
                elif isinstance(key.fileobj, int):
                    self._ended(key.fileobj)
                elif self.clients.get(key.data) is key.fileobj:  # its kernel has not ended a moment ago
                    self._gone(key.data)

    def _accept(self) -> dict[str, Any] | None:
        """Take one request; return it in the kernel."""
        client, _ = self.listener.accept()
        client.settimeout(10)
        try:
            request, descriptors = receive(client)
        except (OSError, ValueError):
            client.close()
            return None
        if part := different(request["state"], self.ours, self.added):
            _answer(client, {"refused": part})
            _close(client, descriptors)
            return None
        pid = os.fork()
        if not pid:
            self._leave(client)
            return request | {"descriptors": descriptors}
        pidfd = os.pidfd_open(pid)
        self.clients[pidfd], self.pids[pidfd] = client, pid
        self.selector.register(pidfd, selectors.EVENT_READ)
        self.selector.register(client, selectors.EVENT_READ, pidfd)
        _answer(client, {"pid": pid})
        _close(None, descriptors)
        return None

    def _leave(self, client: socket.socket) -> None:
        """Close, in a kernel, all that belongs to the server."""
        self.selector.close()
        for pidfd, other in self.clients.items():
            os.close(pidfd)
            other.close()
        os.close(self.owner)
        self.listener.close()
        client.close()

    def _ended(self, pidfd: int) -> None:
        """Tell the client how its kernel has ended."""
        _, status, usage = os.wait4(self.pids[pidfd], 0)
        client = self._forget(pidfd)
        code = os.waitstatus_to_exitcode(status)
        _answer(client, {"code": code, "seconds": usage.ru_utime + usage.ru_stime})
        client.close()

    def _gone(self, pidfd: int) -> None:
        """Kill a kernel, and what it has started, whose client is gone; its end comes as that of others."""
        self.selector.unregister(self.clients[pidfd])
        _kill(self.pids[pidfd])

    def _forget(self, pidfd: int) -> socket.socket:
        client = self.clients.pop(pidfd)
        self.selector.unregister(pidfd)
        with suppress(KeyError):  # it has been when the client had gone
            self.selector.unregister(client)
        os.close(pidfd)
        del self.pids[pidfd]
        return client

    def _kill_all(self) -> None:
        for pid in self.pids.values():
            _kill(pid)


def receive(client: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Return a request and the two descriptors that come with it.

    Raises:
        ValueError: it comes from another user, or is none.
        OSError: the client has gone or sends nothing.
    """
    size = struct.calcsize("3i")
    credentials = client.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size)
    if struct.unpack("3i", credentials)[1] != os.getuid():
        raise ValueError("a request of another user")
    data, descriptors, _, _ = socket.recv_fds(client, MESSAGE_BYTES, 2)
    try:
        while data and not data.endswith(b"\n"):
            more = client.recv(MESSAGE_BYTES)
            if not more:
                raise ValueError("a request without an end")
            data += more
        return json.loads(data), list(descriptors)
    except (OSError, ValueError):
        _close(None, list(descriptors))
        raise


def _answer(client: socket.socket, content: Mapping[str, Any]) -> None:
    """Send a line; a client that has gone misses it."""
    try:
        client.sendall(json.dumps(content).encode() + b"\n")
    except OSError:
        return


def _close(client: socket.socket | None, descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
    if client is not None:
        client.close()


def _kill(pid: int) -> None:
    """Kill a kernel with its group, which it leads as soon as it has begun."""
    for kill in (os.killpg, os.kill):
        try:
            kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def become_kernel(request: Mapping[str, Any], added: Mapping[str, str]) -> None:
    """Be, in a process just forked, what `python -m ipykernel_launcher <arguments>` is.

    Args:
        request: what the client has asked for, with the descriptors of its outputs.
        added: environment variables that libraries have set when they were imported.
    """
    os.setsid()
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), 0)
    for target, descriptor in enumerate(request["descriptors"], start=1):
        os.dup2(descriptor, target)
        os.close(descriptor)
    os.environ.clear()
    os.environ.update(added | request["variables"], JPY_PARENT_PID=str(os.getppid()))
    os.chdir(request["folder"])
    _draw_anew()
    import matplotlib

    # Read from the environment when matplotlib is imported, where the kernel would have put it by then.
    matplotlib.rcParams["backend"] = os.environ.get("MPLBACKEND", INLINE)
    sys.argv = ["ipykernel_launcher", *request["arguments"]]
    from ipykernel import kernelapp

    kernelapp.launch_new_instance()


def _draw_anew() -> None:
    """Give the generators of the process seeds of their own, as a new process has."""
    import numpy as np

    random.seed()
    np.random.seed()  # noqa: NPY002  (libraries may draw from it)


if __name__ == "__main__":
    main(*sys.argv[1:])
