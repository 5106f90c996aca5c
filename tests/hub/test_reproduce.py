"""A whole run on a model and a data set of the hub: first from the mirror, then from the cache alone."""

import json
import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]
NOTEBOOK = "01_cot_decoding/01_paths_and_confidence"


def shortened(folder: Path) -> Path:
    """A folder with one of the project's notebooks, its default sizes small: `reproduce` takes no sizes."""
    content = json.loads((ROOT / "notebooks" / f"{NOTEBOOK}.ipynb").read_text())
    (cell,) = [one for one in content["cells"] if "parameters" in one["metadata"].get("tags", ())]
    cell["source"] = (
        "".join(cell["source"]).replace("n_questions = 0", "n_questions = 4").replace("k = 0", "k = 4")
    )
    assert "k = 4" in cell["source"]
    path = folder / f"{NOTEBOOK}.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(content))
    return folder


def content(folder: Path, pattern: str) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob(pattern))}


@pytest.fixture(scope="module")
def story(mirror, shipped, data_sets, environment, tmp_path_factory):
    """Three runs in order: with the hub; warm, without it; and anew from the cache."""
    commit = shipped("org/name").names["main"]
    folder = tmp_path_factory.mktemp("story")
    results = folder / "results"
    command = [sys.executable, "-m", "replication", "reproduce", "--profile", "smoke", "--model", "org/name",
               "--task", "gsm8k", "--notebooks", shortened(folder / "notebooks"), "--results", results,
               "--jobs", "1"]  # fmt: skip
    run_dir = results / "smoke-name-gsm8k"
    kept = SimpleNamespace(run_dir=run_dir, commit=commit, log=mirror.log, calls=[], tables=[], records=[])

    def call(offline: bool) -> None:
        done = subprocess.run(
            list(map(str, command)), capture_output=True, text=True, env=environment(offline), check=False
        )
        kept.calls.append(done)
        kept.tables.append(content(run_dir, "tables/*.csv"))
        kept.records.append(
            {path.name: path.stat().st_mtime_ns for path in run_dir.rglob("records/*.parquet")}
        )

    call(offline=False)
    mirror.stop()
    call(offline=True)
    shutil.rmtree(results)
    call(offline=True)
    return kept


def test_the_first_run_takes_model_and_data_from_the_hub(story):
    first = story.calls[0]
    assert first.returncode == 0, first.stdout + first.stderr
    assert f"[1/1] {NOTEBOOK}" in first.stdout
    asked = {path for method, path, status in story.log if (method, status) == ("GET", 200)}
    assert f"/org/name/resolve/{story.commit}/config.json" in asked
    assert any(path.endswith("main/test-00000-of-00001.parquet") for path in asked)
    assert "cot_decoding/tables/table_1.csv" in story.tables[0]
    assert story.records[0]


def test_a_warm_run_without_the_hub_runs_nothing(story):
    warm = story.calls[1]
    assert warm.returncode == 0, warm.stdout + warm.stderr
    assert "1 of 1 up to date" in warm.stdout
    assert (story.tables[1], story.records[1]) == (story.tables[0], story.records[0])


def test_the_cache_alone_gives_the_same_tables(story):
    anew = story.calls[2]
    assert anew.returncode == 0, anew.stdout + anew.stderr
    assert story.tables[2] == story.tables[0]
    assert story.records[2].keys() == story.records[0].keys()
    assert story.records[2] != story.records[0]


def test_make_passes_its_variables_on(tmp_path):
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    given = {"PROFILE": "smoke", "MODEL": "org/name@v1", "TASK": "gsm8k", "DATA": "some folder",
             "PAPERS": "cot_decoding min_p", "JOBS": "1", "SEED": "3", "RESULTS": str(tmp_path)}  # fmt: skip
    command = [
        "make",
        "-n",
        "-C",
        str(ROOT),
        "reproduce",
        *(f"{name}={value}" for name, value in given.items()),
    ]
    # Nothing of a make that runs these tests: it hands its own variables down.
    bare = {"PATH": os.environ["PATH"]}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=bare)
    (line,) = [line for line in done.stdout.splitlines() if "-m replication reproduce" in line]
    expected = ["--profile", "smoke", "--model", "org/name@v1", "--task", "gsm8k",
                "--data-dir", "some folder", "--papers", "cot_decoding min_p", "--seed", "3",
                "--results", str(tmp_path), "--jobs", "1"]  # fmt: skip
    assert shlex.split(line)[-len(expected) :] == expected
