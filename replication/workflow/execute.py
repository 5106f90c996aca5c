"""One notebook, run once: by hand (`python -m replication run`) and by the workflow alike.

papermill does the work. Around it: parameters are refused when it would only warn, the result is checked for
completeness, since a notebook that ends by SystemExit or a kill counts as a success there, and the partial
notebook is kept beside the place of the result.
"""

import functools
import os
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from replication import files
from replication.settings import VARIANT_VARIABLE, InputError
from replication.workflow import kernels, parameters, redaction

KERNEL = "python3"
START_ATTEMPTS = 2
OUT_OF_MEMORY = 138
# A killed run's job ends within a second; whoever holds the lock for longer is at work.
LOCK_SECONDS = 5.0
EXPORTS = {
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
    "TQDM_DISABLE": "1",
    "JUPYTER_PREFER_ENV_PATH": "1",
}
OFFLINE = "HF_HUB_OFFLINE"
# A fixed backend makes figures vanish from executed notebooks without a word.
REMOVED = ("MPLBACKEND",)
# Builds a grammar of international addresses for jsonschema, which can do without: most of what papermill
# takes to import.
SPARED = "rfc3987_syntax"


class NotebookError(RuntimeError):
    """A notebook that did not run to its end.

    Attributes:
        exit_code: 2 for something the caller can mend, 138 for a kernel that died, 1 for the rest.
        kept: the partial notebook, None when there is none.
    """

    def __init__(self, message: str, exit_code: int = 1, kept: Path | None = None) -> None:
        super().__init__(message)
        self.exit_code = exit_code
        self.kept = kept


def execute(
    source: Path, output: Path, given: Mapping[str, Any], offline: bool = False, variant: str = ""
) -> float:
    """Run a notebook and write it to `output` when it ran to its end.

    Args:
        source: the notebook.
        output: where the executed notebook goes. A partial one is kept as `<stem>.failed.ipynb` beside it.
        given: parameters, checked by name and type; those equal to the default are not injected.
        offline: keep the hub's client from the network, which costs half a minute where there is none.
        variant: last part of the name of the run that the notebook belongs to, see `settings.start`.

    Returns:
        Seconds that it took.

    Raises:
        InputError: unknown or ill-typed parameters, before anything runs; another process is running it.
        NotebookError: the notebook failed.
    """
    values = parameters.changed(source, given)
    failed = failed_path(output)
    partial = output.with_name(f".{output.stem}.partial.ipynb")
    output.parent.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with _alone(output), kernel_environment(offline, variant):
        if problem := _attempt(source, partial, values):
            kept = failed if _readable(partial) else None
            if kept:
                os.replace(partial, failed)
            partial.unlink(missing_ok=True)
            raise NotebookError(f"{source.parent.name}/{source.stem} {problem[0]}", problem[1], kept)
        os.replace(partial, output)
        failed.unlink(missing_ok=True)
    return time.monotonic() - started


@contextmanager
def _alone(output: Path) -> Iterator[None]:
    """Hold the place of a result among processes; `InputError` when another one is at it."""
    from filelock import FileLock, Timeout

    lock = FileLock(output.with_name(f".{output.stem}.lock"))
    try:
        lock.acquire(timeout=LOCK_SECONDS)
    except Timeout as error:
        raise InputError(
            f"Another process is running {output.stem} into {output.parent}: wait for its end, or choose "
            "another place for the result."
        ) from error
    try:
        yield
    finally:
        Path(lock.lock_file).unlink(missing_ok=True)  # whoever waits for it looks whether it is still there
        lock.release()


def _readable(partial: Path) -> bool:
    """Tell whether a partial notebook is there and whole; a full disk cuts it off."""
    try:
        return bool(parameters.read(partial))
    except InputError:
        return False


def failed_path(output: Path) -> Path:
    """Return where the partial notebook of a failed run is kept."""
    return output.with_name(f"{output.stem}.failed.ipynb")


@contextmanager
def kernel_environment(offline: bool, variant: str = "") -> Iterator[None]:
    """Set what a kernel has to find in its environment when it starts, and restore it afterwards.

    Values that the caller has set stay, the one for the number of threads among them; not that of the
    variant.
    """
    wanted = EXPORTS | ({OFFLINE: "1"} if offline else {})
    before = {name: os.environ.get(name) for name in (*wanted, VARIANT_VARIABLE, *REMOVED)}
    os.environ[VARIANT_VARIABLE] = variant
    for name, value in wanted.items():
        os.environ.setdefault(name, value)
    for name in REMOVED:
        os.environ.pop(name, None)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


@contextmanager
def spared_import() -> Iterator[None]:
    """Keep `SPARED` from being imported inside, where it has not been before; it can be afterwards."""
    blocked = sys.modules.setdefault(SPARED, None) is None  # so Python marks what must not be imported
    try:
        yield
    finally:
        if blocked:
            del sys.modules[SPARED]


def is_complete(notebook: Mapping[str, Any]) -> bool:
    """Tell whether papermill ran every code cell to its end; False after SystemExit(0) or a kill."""
    cells = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    statuses = [cell["metadata"].get("papermill", {}).get("status") for cell in cells]
    ended = notebook["metadata"].get("papermill", {}).get("end_time")
    return bool(ended) and all(status == "completed" for status in statuses)


def _attempt(source: Path, partial: Path, values: Mapping[str, Any]) -> tuple[str, int] | None:
    """Run the notebook; return (what went wrong, exit code), None when nothing did.

    A kernel that does not start (busy machine, port taken in between) is tried once more; nothing else is.
    """
    with spared_import():
        from papermill.exceptions import PapermillExecutionError

    for attempt in range(1, START_ATTEMPTS + 1):
        partial.unlink(missing_ok=True)
        try:
            _papermill(source, partial, values)
        except PapermillExecutionError as error:
            return _cell_error(error)
        except RuntimeError as error:
            if type(error).__name__ == "DeadKernelError":
                return (
                    "lost its kernel, most likely for want of memory: choose a smaller profile or sizes.",
                    OUT_OF_MEMORY,
                )
            if attempt == START_ATTEMPTS:
                return f"could not start its kernel: {_first_line(error)}", 1
        except OSError as error:
            if not files.out_of_space(error):
                raise
            return f"stopped. {files.full(partial.parent)}", 2
        else:
            break
    if not is_complete(parameters.read(partial)):
        return "stopped before its end: a cell raised SystemExit.", 1
    return None


def _papermill(source: Path, partial: Path, values: Mapping[str, Any]) -> None:
    """Run papermill without its bar and its messages."""
    with warnings.catch_warnings():
        # papermill 2.7 still asks for the time without a zone, which Python 3.12 deprecates.
        warnings.simplefilter("ignore")
        import papermill

        _hide_secrets()
        kernels.register()
        papermill.execute_notebook(
            _unformatted(source),
            _unformatted(partial),
            parameters=dict(values),
            kernel_name=KERNEL,
            progress_bar=False,
            cwd=str(source.parent),
            # Nothing of the kernel itself: it warns of a connection without encryption, and it reports as an
            # error the interrupt with which the client begins to shut down. Errors of cells go another way.
            extra_arguments=["--log-level=50"],
        )


@functools.cache
def _hide_secrets() -> None:
    """Let papermill take the secrets out of a notebook each time it saves one, so that a kill leaves none."""
    from papermill.iorw import LocalHandler, papermill_io

    class Hiding(LocalHandler):
        def write(self, buf: str, path: str) -> None:
            super().write(redaction.hidden(buf), path)

    papermill_io.register("", Hiding())  # every path begins like this; the last one registered comes first


def _unformatted(path: Path) -> str:
    """Return a path whose braces papermill leaves alone; it fills them from the parameters."""
    return str(path).replace("{", "{{").replace("}", "}}")


def _cell_error(error: Any) -> tuple[str, int]:
    """Return one sentence and an exit code for an exception in a cell; an `InputError` keeps its own."""
    text = _first_line(error.evalue)
    if files.out_of_space(error) or text.startswith(files.FULL):
        return f"stopped. {text if text.startswith(files.FULL) else files.full('the results')}", 2
    if error.ename == InputError.__name__:
        return f"was refused: {text}", 2
    return f"failed in cell [{error.exec_count}] with {error.ename}: {text}", 1


def _first_line(text: object) -> str:
    """Return the first line of a message, at most 300 characters."""
    return redaction.hidden((str(text).strip().splitlines() or ["no message"])[0])[:300]
