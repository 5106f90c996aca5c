"""Time and memory as the number of questions grows: `python -m benchmarks.growth --questions 100000`.

Word problems go through the engine one chunk after the other, are graded, and leave their records on disk
(`replication.lm.streams`). At some marks a row says what a question has taken since the mark before and how
much memory the process holds. Both should stay what they are: time that is linear in the questions, memory
that does not depend on them. Needs Linux.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from replication.files import write_atomic
from replication.lm import engine
from replication.lm.loading import LanguageModel, load
from replication.lm.streams import stream
from replication.settings import results_root
from replication.tasks.base import Question, Task, load_task

if TYPE_CHECKING:
    import pandas as pd

MODEL, TASK, CHUNK, BLOCK = "testbed-small", "stories", 500, 500
MARKS = (500, 1_000, 3_000, 10_000, 30_000, 50_000, 100_000)
STATUS = Path("/proc/self/status")


@dataclass(frozen=True)
class State:
    """What a number of questions has taken.

    Attributes:
        questions: so far.
        milliseconds: processor time of a question since the mark before.
        resident: resident memory now, in MiB.
        peak: largest resident memory so far, in MiB.
        records: size of the records on disk, in MiB.
        right: share of right answers so far.
    """

    questions: int
    milliseconds: float
    resident: float
    peak: float
    records: float
    right: float


def run(
    folder: Path, number: int, marks: Sequence[int] = MARKS, *, model: str = MODEL, length: int = 8
) -> Iterator[State]:
    """Ask `number` questions; give the state at every mark, and at the end.

    Args:
        folder: where the records go.
        number: number of questions.
        marks: numbers of questions, multiples of `CHUNK`.
        model: name or folder of the model.
        length: largest number of new tokens.
    """
    lm, task = load(model, "cpu"), load_task(TASK)
    key = {"model": lm.fingerprint, "task": task.name, "length": length}
    done = right = last = 0
    began = time.process_time()
    asked = questions(task, number)
    for found in stream(folder, "growth", key, asked, partial(answers, lm, task, length), chunk=CHUNK):
        done, right = done + len(found), right + int(found["right"].sum())
        if done in marks or done == number:
            milliseconds = 1e3 * (time.process_time() - began) / (done - last)
            yield _state(folder, done, milliseconds, right)
            began, last = time.process_time(), done


def questions(task: Task, number: int) -> Iterator[Question]:
    """Give questions of a generated world, drawn a block at a time, each block with a seed of its own.

    Of the training split, which has nine of ten questions that are drawn; the test split has one of twenty.
    """
    for start in range(0, number, BLOCK):
        block = task.questions("train", min(BLOCK, number - start), seed=start // BLOCK)
        for place, question in enumerate(block, start):
            yield replace(question, id=f"{task.name}-{place}")


def answers(lm: LanguageModel, task: Task, length: int, asked: Sequence[Question]) -> "pd.DataFrame":
    """Return the greedy path of each question with its answer's verdict."""
    prompts = [lm.prompt(task.prompt(question), "") for question in asked]
    ids = [question.id for question in asked]
    table = engine.generate(lm, prompts, ids=ids, max_new_tokens=length, stop=task.stop)
    pairs = zip(map(task.extract, table["text"]), asked, strict=True)
    table["right"] = [task.grade(found and found.value, question.answer) for found, question in pairs]
    return table


def table(states: Sequence[State]) -> str:
    """Return the states as a Markdown table."""
    names = [field.name for field in fields(State)]
    lines = [f"| {' | '.join(names)} |", f"|{' ---: |' * len(names)}"]
    return "\n".join(lines + [f"| {' | '.join(map(str, asdict(state).values()))} |" for state in states])


def _state(folder: Path, done: int, milliseconds: float, right: int) -> State:
    """Return the state now."""
    size = sum(file.stat().st_size for file in folder.rglob("*.parquet"))
    memory = (round(_memory(field), 1) for field in ("VmRSS", "VmHWM"))
    return State(done, round(milliseconds, 3), *memory, round(size / 2**20, 2), round(right / done, 4))


def _memory(field: str) -> float:
    """Return VmRSS, the resident size now, or VmHWM, the largest so far, in MiB."""
    line = next(line for line in STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def main(arguments: Sequence[str] | None = None) -> None:
    """Run, print each state and keep them in `<results>/bench/growth.json`."""
    parser = argparse.ArgumentParser(description="Measure time and memory as the number of questions grows.")
    parser.add_argument("--questions", type=int, default=MARKS[-1], help=f"number of questions ({MARKS[-1]})")
    parser.add_argument("--model", default=MODEL, help=f"model name or folder ({MODEL})")
    parser.add_argument("--length", type=int, default=8, help="largest number of new tokens (8)")
    options = parser.parse_args(arguments)
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or "1"))
    states: list[State] = []
    with tempfile.TemporaryDirectory() as folder:
        for state in run(Path(folder), options.questions, model=options.model, length=options.length):
            states.append(state)
            print(asdict(state), flush=True)
    content = {**vars(options), "states": [asdict(state) for state in states]}
    write_atomic(results_root() / "bench" / "growth.json", json.dumps(content, indent=1) + "\n")
    print(f"\n{table(states)}")


if __name__ == "__main__":
    sys.exit(main())
