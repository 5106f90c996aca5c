"""Kernels forked from one process that has imported everything (`preloading`), where there is one.

Jupyter's clients, papermill and nbval among them, start kernels through a provisioner. `Preloaded` asks the
process whose socket the environment names, and starts a process as always when there is none, when it refuses
(other environment variables or limits than it was started with), or when the kernel is to be another one.
"""

import functools
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replication.workflow import preloading

VARIABLE = "REPLICATION_KERNELS"
NAME = "preloaded"
GPU_DRIVER = Path("/dev/nvidiactl")
ANSWER_SECONDS = 120.0
"""How long a client waits for its kernel: until everything has been imported, on a busy machine."""
_seconds = 0.0


def supported() -> bool:
    """Tell whether kernels can be forked here: Linux, and no GPU whose context would not survive it."""
    return sys.platform == "linux" and hasattr(os, "pidfd_open") and not GPU_DRIVER.exists()


def processor_seconds() -> float:
    """Return the processor time of the forked kernels of this process that have ended."""
    return _seconds


class Preloader:
    """The process that forks, and the socket at which it is asked.

    Kernels may be asked for as soon as `address` is in their environment; they wait for `start`, or go their
    own way after `close`. Where the environment names such a process already, that one is used. Without
    support, address is "" and nothing happens.
    """

    def __init__(self) -> None:
        self.address, self._listener, self._process = os.environ.get(VARIABLE, ""), None, None
        if not self.address and supported():
            self.address = f"replication-{secrets.token_hex(8)}"
            self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            self._listener.bind(f"\0{self.address}")
            self._listener.listen(64)

    def start(self, environment: Mapping[str, str]) -> None:
        """Start the process with these environment variables; it ends with this one, or at `close`."""
        if self._listener is None or self._process is not None:
            return
        descriptor = self._listener.fileno()
        self._process = subprocess.Popen(
            [sys.executable, "-m", preloading.__name__, str(descriptor), str(os.getpid())],
            pass_fds=[descriptor],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._listener.close()  # so that whoever asks notices when that process has gone
        self._listener = None

    def close(self) -> None:
        """End the process; its kernels end with it."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@contextmanager
def preloader() -> Iterator[Preloader]:
    """Give a `Preloader` that is closed at the end."""
    one = Preloader()
    try:
        yield one
    finally:
        one.close()


class Forked:
    """A forked kernel, with as much of `subprocess.Popen` as Jupyter's provisioner uses.

    Args:
        connection: socket at which its end is told.
        pid: its process id.
    """

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.pid, self.returncode = pid, None
        self._connection, self._data = connection, b""

    def poll(self) -> int | None:
        """Return the exit code, None while it runs."""
        return self._look(0.0)

    def wait(self, timeout: float | None = None) -> int:
        """Return the exit code when it has ended; `subprocess.TimeoutExpired` when it has not in time."""
        if (code := self._look(timeout)) is None:
            raise subprocess.TimeoutExpired(preloading.__name__, timeout)
        return code

    def send_signal(self, number: int) -> None:
        """Send a signal, nothing when it has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it."""
        self.send_signal(signal.SIGKILL)

    def _look(self, timeout: float | None) -> int | None:
        """Read what the other process says about its end, for that long."""
        global _seconds
        if self.returncode is not None:
            return self.returncode
        line = _line(self._connection, timeout)
        if line is None:
            return None
        # A process that forks no more has been killed, and its kernels with it.
        told = json.loads(line or b'{"code": -9, "seconds": 0.0}')
        self.returncode = told["code"]
        _seconds += told["seconds"]
        self._connection.close()
        return self.returncode


def _line(connection: socket.socket, timeout: float | None) -> bytes | None:
    """Return a line of a socket, b"" when it has been closed, None when there is none in time."""
    connection.settimeout(timeout)
    try:
        data = connection.recv(preloading.MESSAGE_BYTES, socket.MSG_PEEK)
        if data and b"\n" not in data:
            return None
        return connection.recv(data.index(b"\n") + 1) if data else b""
    except (BlockingIOError, TimeoutError):
        return None
    except OSError:
        return b""


def fork(command: Sequence[str], kwargs: Mapping[str, Any]) -> Forked | None:
    """Return a forked kernel, None when it has to be started as always.

    Args:
        command: the command line of the kernel.
        kwargs: what Jupyter's provisioner would give to `jupyter_client.launcher.launch_kernel`.
    """
    address = os.environ.get(VARIABLE, "")
    arguments = _arguments(command)
    if not address or arguments is None or kwargs.get("independent") or set(kwargs) - KNOWN:
        return None
    variables = dict(os.environ if kwargs.get("env") is None else kwargs["env"])
    request = {
        "state": preloading.state(variables),
        "variables": variables,
        "folder": str(Path(kwargs.get("cwd") or ".").absolute()),
        "arguments": arguments,
    }
    outputs = [_descriptor(kwargs.get("stdout"), 1), _descriptor(kwargs.get("stderr"), 2)]
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(f"\0{address}")
        socket.send_fds(connection, [json.dumps(request).encode() + b"\n"], outputs)
        answer = json.loads(_line(connection, ANSWER_SECONDS) or b"{}")
    except OSError:
        answer = {}
    if "pid" not in answer:
        connection.close()
        return None
    return Forked(connection, answer["pid"])


KNOWN = {"env", "cwd", "stdin", "stdout", "stderr", "independent", "kernel_id", "extra_arguments"}
"""Arguments of a start that a fork can honour."""


def _arguments(command: Sequence[str]) -> list[str] | None:
    """Return the arguments of an IPython kernel of this Python, None when the command is another one."""
    words = [word for word in command if word != "-Xfrozen_modules=off"]
    if words[:3] != [sys.executable, "-m", "ipykernel_launcher"]:
        return None
    return words[3:]


def _descriptor(stream: Any, default: int) -> int:
    """Return the file descriptor of a stream, that of this process when none is given."""
    return default if stream is None else stream if isinstance(stream, int) else stream.fileno()


def register() -> None:
    """Let Jupyter's clients in this process ask for forked kernels, when the environment names a socket."""
    if not os.environ.get(VARIABLE):
        return
    from importlib.metadata import EntryPoint

    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    factory = KernelProvisionerFactory.instance()
    factory.provisioners[NAME] = EntryPoint(NAME, f"{__name__}:provisioner", factory.GROUP_NAME)
    factory.default_provisioner_name = NAME


def provisioner(**kwargs: Any) -> Any:
    """Return a provisioner of Jupyter's that tries `fork` first."""
    return _provisioner_class()(**kwargs)


@functools.cache
def _provisioner_class() -> type:
    from jupyter_client.provisioning import LocalProvisioner

    class Preloaded(LocalProvisioner):
        async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
            process = fork(cmd, self._scrub_kwargs(kwargs))
            if process is None:
                return await super().launch_kernel(cmd, **kwargs)
            self.process, self.pid, self.pgid = process, process.pid, process.pid
            self.cwd = kwargs.get("cwd", Path.cwd())
            return self.connection_info

    return Preloaded
