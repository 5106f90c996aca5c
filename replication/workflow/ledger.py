"""What a run has cost, by notebook and stage: collected from the run, kept in `costs.json` for plans.

The counts are those that each notebook's process took of its models (`replication.lm.meter`); how many
questions and paths stand behind them is read from the records of the same stage. A stage that two notebooks
share counts for the one that computed it.
"""

import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from replication.settings import InputError
from replication.workflow.discovery import Notebook

COSTS = Path(__file__).with_name("costs.json")
STEM = re.compile(r"(?P<name>.+)-[0-9a-f]{12}")
KINDS = ("generated", "read", "trained", "calls")


@dataclass
class Entry:
    """Work of the stages of one name in a notebook that are alike: model, task, questions and paths.

    Attributes:
        stage: their name up to the first "-", such as "branches" or "dpo"; "" is what belongs to no stage.
        model: mark of the model's shape, "" for no model.
        task: task of their questions, "" for none.
        questions: questions of each, 0 where it has none.
        paths: paths of each question.
        runs: number of stages.
        generated: tokens generated one at a time, ended rows that are fed along included.
        read: tokens of longer passes without gradients.
        trained: tokens of passes with gradients.
        calls: forward passes.
        seconds: of processor time.
    """

    stage: str
    model: str = ""
    task: str = ""
    questions: int = 0
    paths: int = 0
    runs: int = 0
    generated: int = 0
    read: int = 0
    trained: int = 0
    calls: int = 0
    seconds: float = 0.0


Ledger = dict[str, list[Entry]]
"""Label of a notebook -> its entries."""


def collect(notebooks: Iterable[Notebook], run_dir: Path) -> Ledger:
    """Return the entries of the notebooks whose counts lie in a run; others are left out.

    Raises:
        InputError: a file of counts that is damaged.
    """
    found: Ledger = {}
    for one in notebooks:
        file = (run_dir / one.output).parents[1] / "costs" / f"{one.topic}.json"
        if file.is_file():
            try:
                stages = json.loads(file.read_text(encoding="utf-8"))["stages"]
                found[one.label] = entries(stages, run_dir)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                raise InputError(
                    f"{file} is damaged: delete {run_dir / one.output} and run the notebook again, "
                    "which counts what it computes."
                ) from error
    return found


def entries(stages: Mapping[str, Mapping[str, Any]], run_dir: Path) -> list[Entry]:
    """Return the entries of one notebook's stages, like ones added up."""
    found: dict[tuple, Entry] = {}
    for stem, about in sorted(stages.items()):
        match = STEM.fullmatch(stem)
        stage = match["name"].partition("-")[0] if match else stem
        asked = _asked(stem, run_dir) if match else ("", 0, 0)
        work = about["work"] or {"": [0] * len(KINDS)}
        calls = sum(counts[-1] for counts in work.values())
        for model, counts in work.items():
            entry = found.setdefault((stage, model, *asked), Entry(stage, model, *asked))
            share = counts[-1] / calls if calls else 1.0
            entry.runs += 1
            entry.seconds = round(entry.seconds + share * about["seconds"], 3)
            for kind, count in zip(KINDS, counts, strict=True):
                setattr(entry, kind, getattr(entry, kind) + count)
    return list(found.values())


def _asked(stem: str, run_dir: Path) -> tuple[str, int, int]:
    """Return task, questions and paths a question of a stage's records; "", 0, 0 for other tables."""
    import pyarrow.parquet as pq

    path = next(run_dir.glob(f"*/records/{stem}.parquet"), None)
    if path is None:
        return "", 0, 0
    schema = pq.read_schema(path)
    if not {"question", "tokens"} <= set(schema.names):
        return "", 0, 0
    table = pq.read_table(path, columns=["question"], partitioning=None)
    key = json.loads(schema.metadata[b"replication"]).get("key", {})
    questions = len(table["question"].unique())
    return str(key.get("task", "")), questions, round(len(table) / max(1, questions))


def store_run(notebooks: Iterable[Notebook], run_dir: Path, path: Path | None = None) -> list[str]:
    """Keep the counts of a run's finished notebooks as those of its profile; return their labels.

    Only a run of the testbed's own models, tasks and sizes is kept: others are carried over from it.
    """
    from replication.workflow import manifest

    content = manifest.read(run_dir)
    given = content.get("parameters", {})
    plain = given.get("model") == "testbed" and not given.get("task") and not given.get("data_dir")
    done = {label for label, entry in content.get("notebooks", {}).items() if entry["status"] == "done"}
    found = collect([one for one in notebooks if one.label in done], run_dir) if plain else {}
    if found:
        store(found, given["profile"], path)
    return sorted(found)


def store(ledger: Ledger, profile: str, path: Path | None = None) -> None:
    """Keep the entries as those of a profile; notebooks that are not among them keep what is known."""
    from replication.files import write_atomic

    path = path or COSTS
    content = _content(path)
    known, times = content["profiles"], content["speeds"] | {profile: round(speed(), 4)}
    fresh = {label: [_short(entry) for entry in own] for label, own in ledger.items()}
    known[profile] = dict(sorted((known.get(profile, {}) | fresh).items()))
    lines = [f"  {json.dumps(name)}: {{\n{_notebooks(own)}\n  }}" for name, own in sorted(known.items())]
    head, body = json.dumps(times, sort_keys=True), ",\n".join(lines)
    write_atomic(path, f'{{\n "speeds": {head},\n "profiles": {{\n{body}\n }}\n}}\n')


def speed(rounds: int = 3) -> float:
    """Return the processor seconds of a fixed piece of work on this machine, the least of several.

    Half of it is arithmetic on small matrices, half the interpreter, as in the notebooks' runs.
    """
    import numpy as np

    matrix, times = np.full((192, 192), 0.01, dtype=np.float32), []
    for _ in range(rounds):
        begin = time.process_time()
        for _ in range(300):
            matrix @ matrix
        sum(number % 7 for number in range(1_000_000))
        times.append(time.process_time() - begin)
    return min(times)


def speeds(path: Path | None = None) -> dict[str, float]:
    """Return the seconds of `speed` on the machine that each profile was measured on, at that time."""
    return _content(path or COSTS)["speeds"]


def load(path: Path | None = None) -> dict[str, Ledger]:
    """Return what is kept: profile -> label -> entries."""
    return {
        profile: {label: [Entry(**entry) for entry in own] for label, own in notebooks.items()}
        for profile, notebooks in _content(path or COSTS)["profiles"].items()
    }


def _content(path: Path) -> dict[str, Any]:
    """Return what a file of costs holds, nothing where there is none."""
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"speeds": {}, "profiles": {}}


def _short(entry: Entry) -> dict[str, Any]:
    """Return what differs from the defaults."""
    plain = asdict(Entry(""))
    return {key: value for key, value in asdict(entry).items() if key == "stage" or value != plain[key]}


def _notebooks(own: Mapping[str, list[dict[str, Any]]]) -> str:
    """Return the notebooks of a profile as JSON, an entry a line."""
    blocks = []
    for label, rows in own.items():
        lines = ",\n".join(f"    {json.dumps(row, ensure_ascii=False)}" for row in rows)
        blocks.append(f"   {json.dumps(label)}: [\n{lines}\n   ]")
    return ",\n".join(blocks)
