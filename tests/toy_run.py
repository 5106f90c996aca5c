"""A small project that is run for real: the engine, a training, tables and a claim, in seconds."""

import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import nbformat
import psutil
import pytest

TIMES = int(os.environ.get("REPLICATION_FUZZ", "1"))
SOAK = TIMES > 1
PAPER, MODEL = "cot_decoding", "testbed-small"
RUN = f"smoke-{MODEL}"
PARAMETERS = """
profile = "cpu"
model = "testbed"
task = ""
data_dir = ""
seed = 0
device = "auto"
results_dir = ""
"""
START = f"""
from replication import settings
from replication.lm.records import Store
from replication.reporting import tables
run = settings.start(
    {PAPER!r}, profile=profile, model=model, task=task, seed=seed, device="cpu", results_dir=results_dir
)
store = Store(run.records_dir)
"""
# Records of the engine, in chunks; a table and a claim made from them.
PATHS = """
from replication import papers
from replication.evaluation.claims import ClaimsFile, Estimate, result
from replication.lm import engine
from replication.lm.loading import load
from replication.tasks import load_task
lm, coins = load(run.model), load_task("coins")

def paths(questions):
    prompts = [lm.prompt(coins.prompt(question)) for question in questions]
    names = [question.id for question in questions]
    return engine.generate(lm, prompts, ids=names, branches=2, first="top-k", max_new_tokens=24)

found = store.stage("paths", {"model": lm.fingerprint}, coins.questions("test", 24, 0), paths, chunk=3)
tables.save(found[["question", "branch", "text"]], run.tables_dir, "table_1", "Paths")
share = float((found["text"].str.len() > 20).mean())
judged = [result(run.paper, papers.load(run.paper).claim("C1"), Estimate(share, share, share, len(found)))]
ClaimsFile(run.paper_dir / "claims.json").replace("01_paths_and_confidence", judged, ["C1"])
"""
# A training that leaves weights and a log; records of the trained model; a table of both.
TRAINING = """
import pandas as pd
import torch
from replication.lm.loading import load
from replication.lm.scoring import score
from replication.lm.trainings import OnceTrained
once, base = OnceTrained(run), load(run.model)
texts = [base.encode(f"A coin shows heads. {name} flips it.") for name in ("Ann", "Bob", "Cleo", "Dan")]

def train(folder):
    lm = load(run.model)
    model = lm.model.requires_grad_(True).train()
    stepper, rows = torch.optim.AdamW(model.parameters(), lr=1e-3), []
    for step in range(24):
        ids = torch.tensor([texts[step % len(texts)]])
        loss = model(input_ids=ids, labels=ids).loss
        loss.backward()
        stepper.step()
        stepper.zero_grad()
        rows.append({"step": step, "loss": float(loss)})
    model.save_pretrained(folder)
    lm.tokenizer.save_pretrained(folder)
    return {"log": pd.DataFrame(rows)}

folder, made = once.once("sft", {"base": base.fingerprint, "steps": 24}, ("log",), train)
tuned = load(str(folder))

def scores():
    return pd.DataFrame({"logprob": [float(one.logprob.sum()) for one in score(tuned, texts)]})

table = store.frame("scores", {"model": tuned.fingerprint}, scores, modules=("replication.lm.scoring",))
tables.save(pd.concat([made["log"], table], axis=1), run.tables_dir, "table_2", "Log and scores")
"""
# One kernel for both: most of a short run's time goes into the import of libraries.
TOPIC = "01_paths_and_confidence"


def write_notebook(path: Path, *sources: str) -> Path:
    """Write a notebook of a cell of parameters and one cell per source."""
    v4 = nbformat.v4
    first = v4.new_code_cell(PARAMETERS.strip(), metadata={"tags": ["parameters"]})
    cells = [v4.new_markdown_cell("# Toy"), first, *(v4.new_code_cell(source.strip()) for source in sources)]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    path.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(v4.new_notebook(cells=cells, metadata={"kernelspec": kernel}), path)
    return path


class Project:
    """The notebooks, and runs of them."""

    def __init__(self, folder: Path) -> None:
        self.notebooks = folder / "notebooks"
        write_notebook(self.notebooks / f"01_{PAPER}" / f"{TOPIC}.ipynb", START, PATHS, TRAINING)

    def at(self, notebooks: Path) -> "Project":
        """Return a project of other notebooks."""
        other = object.__new__(Project)
        other.notebooks = notebooks
        return other

    def command(self, results: Path, *more: str) -> list[str]:
        """Return the command line of a run."""
        asked = ("--notebooks", self.notebooks, "--results", results, "--model", MODEL, "--profile", "smoke")
        return [str(part) for part in (sys.executable, "-m", "replication", "reproduce", *asked, *more)]

    def start(self, results: Path, *more: str, **options) -> subprocess.Popen:
        """Start a run."""
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(self.command(results, *more), **pipes | options)

    def run(self, results: Path, *more: str, code: int | None = 0, **options) -> SimpleNamespace:
        """Run to the end, and check the exit code where one is given."""
        began = time.monotonic()
        with self.start(results, *more, **options) as process:
            out, err = process.communicate()
        log = results / RUN / ".workflow" / "snakemake.log"
        tail = log.read_text(errors="replace")[-3000:] if log.is_file() else ""
        assert code is None or process.returncode == code, out + err + tail
        assert "Traceback" not in out + err, out + err
        seconds = time.monotonic() - began
        return SimpleNamespace(
            out=out, err=err, code=process.returncode, seconds=seconds, run_dir=results / RUN
        )


def content(run_dir: Path) -> dict[str, str]:
    """Return the checksum of everything that a run has found: tables, claims, records and weights."""
    paper = run_dir / PAPER
    kinds = ("tables/*", "records/*.parquet", "models/*/*", "claims.json")
    found = [path for kind in kinds for path in paper.glob(kind) if not path.name.startswith(".")]
    found.append(run_dir / "scoreboard.json")
    return {str(path.relative_to(run_dir)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def finished(run_dir: Path) -> dict[str, int]:
    """Return the inode of each record and training that is there: computed again, it has another one."""
    paper = run_dir / PAPER
    found = [
        *paper.glob("records/*.parquet"),
        *paper.glob("records/*.parts/*.parquet"),
        *paper.glob("models/*"),
    ]
    return {
        str(path.relative_to(run_dir)): path.stat().st_ino for path in found if not path.name.startswith(".")
    }


def family(process: subprocess.Popen) -> list[psutil.Process]:
    """Return the processes that a run has started and theirs."""
    try:
        return psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def words(process: psutil.Process) -> str:
    """Return the command line of a process, "" when it has gone."""
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A small file system of its own in a new folder; the test is skipped where nothing may be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a file system ({options}) cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
