"""What one call of the workflow will do: written before it starts, read by Snakemake and its jobs."""

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from replication.settings import split_model
from replication.workflow import resources
from replication.workflow.discovery import Notebook, contents, sources

FOLDER = ".workflow"
PLAN = "plan.json"
EVENTS = "events"
PULSE = "alive"
LOG = "snakemake.log"
LOGS = "logs"
SHARDS = "shards"


@dataclass(frozen=True)
class Plan:
    """The notebooks of one run folder.

    Attributes:
        run_dir: folder of the run.
        notebooks: what to run, in order.
        parameters: given to every notebook.
        offline: whether kernels are kept from the network.
        seconds: label -> expected seconds of a notebook. Several at a time begin with the longest, so that
            none is left alone at the end; without them the order is that of reading.
        variant: last part of the run's name, which its notebooks have to know.
        shards: workers that fill the records of each notebook before it runs; 1 leaves it to the notebook.
        expected: label -> about how many seconds a notebook takes, for what a scheduler is asked for.
    """

    run_dir: Path
    notebooks: tuple[Notebook, ...]
    parameters: Mapping[str, Any]
    offline: bool
    seconds: Mapping[str, float] = field(default_factory=dict)
    variant: str = ""
    shards: int = 1
    expected: Mapping[str, float] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """Where the workflow keeps its own files."""
        return self.run_dir / FOLDER

    @property
    def file(self) -> Path:
        """The plan as JSON."""
        return self.folder / PLAN

    @property
    def events(self) -> Path:
        """Folder of what the jobs report, see `events`."""
        return self.folder / EVENTS

    @property
    def log(self) -> Path:
        """Output of Snakemake, and of the jobs that failed; that of all jobs lies in `logs/`."""
        return self.folder / LOG

    def write(self) -> Path:
        """Write the plan in the form of a Snakemake configuration, with no events yet; return its path."""
        from replication.files import write_atomic

        self.folder.mkdir(parents=True, exist_ok=True)
        content = {
            "plan": str(self.file),
            "sources": [str(path) for path in self.inputs()],
            "offline": self.offline,
            "variant": self.variant,
            "shards": self.shards,
            "jobs": [self._job(*each) for each in enumerate(self.notebooks)],
        }
        shutil.rmtree(self.events, ignore_errors=True)
        self.events.mkdir()
        return write_atomic(self.file, json.dumps(content, indent=1))

    def inputs(self) -> list[Path]:
        """Return everything whose change makes the notebooks run again, beside themselves."""
        model = split_model(self.parameters.get("model", ""))[0]
        given = (model, str(self.parameters.get("data_dir", "")))
        return [*sources(), *(file for place in given for file in contents(place))]

    def _job(self, position: int, notebook: Notebook) -> dict[str, Any]:
        """Return one job; paths of results are relative to the run, so that the tree can be moved."""
        output, rule = Path(notebook.output), rule_name(notebook.label)
        numbers = range(1, self.shards + 1) if self.shards > 1 else ()
        return {
            "label": notebook.label,
            "rule": rule,
            "source": str(notebook.path),
            "output": str(output),
            "page": str(output.with_suffix(".html")),
            "parameters": dict(self.parameters),
            "priority": round(self.seconds.get(notebook.label, len(self.notebooks) - position)),
            "log": f"{FOLDER}/{LOGS}/{notebook.label}.log",
            "resources": resources.needed(
                str(self.parameters.get("profile", "cpu")),
                str(self.parameters.get("device", "auto")),
                self.expected.get(notebook.label, 0.0),
            ),
            "shards": [_shard(rule, notebook.label, number) for number in numbers],
        }


def _shard(rule: str, label: str, number: int) -> dict[str, Any]:
    """Return one worker of a notebook."""
    name = f"{rule}_shard_{number}"
    return {
        "rule": name,
        "marker": f"{FOLDER}/{SHARDS}/{name}.done",
        "log": f"{FOLDER}/{LOGS}/{label}.shard-{number}.log",
    }


def rule_name(label: str) -> str:
    """Return the name of a notebook's rule, an identifier."""
    return "nb_" + re.sub(r"\W", "_", label)


def read(path: Path | str) -> dict[str, Any]:
    """Return a plan that was written."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def job_of(plan: Mapping[str, Any], label: str) -> dict[str, Any]:
    """Return the job of a notebook."""
    return next(job for job in plan["jobs"] if job["label"] == label)
