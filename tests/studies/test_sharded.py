"""Real records shared out to four workers: tables, records and weights are, byte for byte, those of one."""

import json
import multiprocessing
import os
from pathlib import Path

import pytest

from replication.lm import shards
from replication.settings import ROOT

pytestmark = pytest.mark.slow
WORKERS = 4
# Workers are copies of one process that has imported what they need.
START = multiprocessing.get_context("forkserver")
START.set_forkserver_preload(
    ["replication.studies.cot_decoding", "replication.studies.dpo_rpo", "replication.alignment.running",
     "replication.reporting.sampler_plots", "replication.reporting.report"]
)  # fmt: skip
NOTEBOOK = ROOT / "notebooks" / "01_cot_decoding" / "02_decoders.ipynb"
UNTIL = '"table_2"'


def decoders(results: Path) -> None:
    """Run a notebook of CoT-decoding up to its first table, with six questions in chunks of two."""
    from replication.decoding import experiment

    experiment.CHUNK = 2
    names = {"profile": "smoke", "n_questions": 6, "k": 3, "device": "cpu", "results_dir": str(results)}
    cells = [cell for cell in json.loads(NOTEBOOK.read_text())["cells"] if cell["cell_type"] == "code"]
    last = next(number for number, cell in enumerate(cells) if UNTIL in "".join(cell["source"]))
    space = {}
    for cell in cells[: last + 1]:
        exec("".join(cell["source"]), space)
        space |= names if "parameters" in cell["metadata"].get("tags", ()) else {}


def trainings(results: Path) -> None:
    """Run trainings of two seeds, those of the second kind from the models of the first."""
    import pandas as pd

    from replication import settings
    from replication.studies.dpo_rpo import Study

    study = Study(settings.start("dpo_rpo", profile="smoke", seeds=2, device="cpu", results_dir=str(results)))
    makers = {"sft": study.sft, "dpo": lambda seed: study.dpo(seed, str(study.sft(seed).folder))}
    found = shards.grid(lambda name, seed: makers[name](seed), makers, study.seeds)
    logs = [own[seed].log.assign(name=name, seed=seed) for name, own in found.items() for seed in study.seeds]
    folder = study.settings.tables_dir
    folder.mkdir(parents=True, exist_ok=True)
    pd.concat(logs).to_csv(folder / f"log-{os.getpid()}.csv")


def work(job, results: Path, errors) -> None:
    os.environ |= {shards.VARIABLE: str(WORKERS), "MPLBACKEND": "agg"}
    shards.POLL_SECONDS = 0.1
    with (results.parent / f"said-{os.getpid()}").open("w") as said:
        os.dup2(said.fileno(), 1)
        try:
            job(results)
        except BaseException as error:
            errors.put(repr(error))
            raise


def files(results: Path, *patterns: str) -> dict[str, bytes]:
    found = [path for pattern in patterns for path in results.rglob(pattern) if path.is_file()]
    return {str(path.relative_to(results)): path.read_bytes() for path in found}


def shared(job, results: Path) -> None:
    results.mkdir()
    errors = START.Queue()
    workers = [START.Process(target=work, args=(job, results, errors)) for _ in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(300)
    assert [worker.exitcode for worker in workers] == [0] * WORKERS, errors.get(timeout=1)


@pytest.fixture(autouse=True)
def _alone(monkeypatch):
    monkeypatch.delenv(shards.VARIABLE, raising=False)


def test_a_notebook_of_decoders(tmp_path, monkeypatch, capsys):
    from replication.decoding import experiment

    monkeypatch.setattr(experiment, "CHUNK", 2)
    decoders(tmp_path / "one")
    shared(decoders, tmp_path / "four")
    one, four = (files(tmp_path / name, "tables/*", "records/*.parquet") for name in ("one", "four"))
    assert sum(name.endswith("table_2.csv") for name in one) == 1
    assert sum(name.endswith(".parquet") for name in one) >= 4
    assert one == four


def test_trainings_that_build_on_trainings(tmp_path):
    trainings(tmp_path / "one")
    shared(trainings, tmp_path / "four")
    patterns = ("records/*.parquet", "models/*/model.safetensors")
    one, four = (files(tmp_path / name, *patterns) for name in ("one", "four"))
    assert sum(name.endswith("model.safetensors") for name in one) == 5  # the base and four trainings
    assert one == four
    tables = [set(files(tmp_path / name, "tables/*").values()) for name in ("one", "four")]
    assert len(tables[0]) == 1
    assert tables[0] == tables[1]
