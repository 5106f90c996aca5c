"""What many executions of a notebook leave behind: `python -m benchmarks.executions --times 1000`.

One process executes a notebook of one line again and again, the way the workflow executes every notebook,
with folders of its own for temporary files and for the kernels' connection files. A table says at some marks
what there is beside the process itself: open descriptors, child processes, threads, files, and its resident
memory. A leak shows as a column that grows with the number of executions. Needs Linux.
"""

import argparse
import gc
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import psutil

from replication.files import write_atomic
from replication.settings import results_root
from replication.workflow import execute

# The first executions load code and fill caches; growth is counted from the first mark on.
MARKS = (10, 100, 300, 1000)


@dataclass(frozen=True)
class State:
    """What there is after a number of executions.

    Attributes:
        done: executions so far.
        seconds: mean seconds of an execution since the mark before.
        resident: resident memory of this process, in MiB.
        descriptors: open files, sockets and pipes of this process.
        threads: threads of this process.
        children: child processes, those of children included.
        temporary: files and folders in the folder for temporary files.
        connections: files in the folder where kernels keep how to reach them.
        outputs: files beside the executed notebook.
    """

    done: int
    seconds: float
    resident: float
    descriptors: int
    threads: int
    children: int
    temporary: int
    connections: int
    outputs: int


def run(folder: Path, times: int, marks: Sequence[int] = MARKS) -> Iterator[State]:
    """Execute a notebook of one line `times` times; give the state before the first and at every mark.

    Args:
        folder: an empty folder for everything that is written.
        times: number of executions.
        marks: numbers of executions at which the state is taken; after the last one it is taken anyway.
    """
    source, output = _notebook(folder / "01_load" / "01_line.ipynb"), folder / "out" / "01_line.ipynb"
    with _folders(folder):
        yield _state(folder, 0, 0.0)
        started, last = time.monotonic(), 0
        for done in range(1, times + 1):
            execute.execute(source, output, {"number": done})
            if done in marks or done == times:
                yield _state(folder, done, (time.monotonic() - started) / (done - last))
                started, last = time.monotonic(), done


def grown(states: Sequence[State]) -> dict[str, int]:
    """Return by how much each count is larger at the end than at the first mark; only those that are."""
    first, last = asdict(states[1]), asdict(states[-1])
    counts = [field.name for field in fields(State) if field.type is int and field.name != "done"]
    return {name: last[name] - first[name] for name in counts if last[name] > first[name]}


def table(states: Sequence[State]) -> str:
    """Return the states as a Markdown table."""
    names = [field.name for field in fields(State)]
    lines = [f"| {' | '.join(names)} |", f"|{' ---: |' * len(names)}"]
    return "\n".join(lines + [f"| {' | '.join(map(str, asdict(state).values()))} |" for state in states])


def _notebook(path: Path) -> Path:
    """Write the notebook: a cell of parameters and a line that prints one of them."""
    import nbformat
    from nbformat.v4 import new_code_cell, new_notebook

    cells = [new_code_cell("number = 0", metadata={"tags": ["parameters"]}), new_code_cell("print(number)")]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(new_notebook(cells=cells, metadata=kernel), path)
    return path


@contextmanager
def _folders(folder: Path) -> Iterator[None]:
    """Let temporary files and the connection files of kernels go to folders of their own."""
    places = {"TMPDIR": folder / "temporary", "JUPYTER_RUNTIME_DIR": folder / "connections"}
    for place in places.values():
        place.mkdir(parents=True)
    before = {name: os.environ.get(name) for name in places}
    os.environ.update({name: str(place) for name, place in places.items()})
    tempfile.tempdir = None  # asks the environment again
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name)
            if value is not None:
                os.environ[name] = value
        tempfile.tempdir = None


def _state(folder: Path, done: int, seconds: float) -> State:
    """Return the state now."""
    gc.collect()
    process = psutil.Process()
    return State(
        done=done,
        seconds=round(seconds, 2),
        resident=round(process.memory_info().rss / 2**20, 1),
        descriptors=process.num_fds(),
        threads=process.num_threads(),
        children=len(process.children(recursive=True)),
        temporary=_files(folder / "temporary"),
        connections=_files(folder / "connections"),
        outputs=_files(folder / "out"),
    )


def _files(folder: Path) -> int:
    """Return the number of files and folders below a folder."""
    return sum(1 for _ in folder.rglob("*"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print each state and keep them in `<results>/bench/executions.json`; 1 where a count grew."""
    parser = argparse.ArgumentParser(description="Execute a notebook many times and count what is left.")
    parser.add_argument("--times", type=int, default=MARKS[-1], help=f"executions ({MARKS[-1]})")
    options = parser.parse_args(arguments)
    states: list[State] = []
    with tempfile.TemporaryDirectory() as folder:
        for state in run(Path(folder), options.times):
            states.append(state)
            print(asdict(state), flush=True)
    content = {"states": [asdict(state) for state in states], "grown": grown(states)}
    write_atomic(results_root() / "bench" / "executions.json", json.dumps(content, indent=1) + "\n")
    print(f"\n{table(states)}\n\nCounts that grew after the first mark: {grown(states) or 'none'}")
    return 1 if grown(states) else 0


if __name__ == "__main__":
    sys.exit(main())
