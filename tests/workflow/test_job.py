"""What a job of the workflow gives its notebook, besides parameters."""

import json
import os

from replication.lm import meter
from replication.workflow import job


def test_notebook_is_told_where_to_keep_its_counts(monkeypatch, tmp_path):
    run_dir = tmp_path / "smoke-testbed"
    (run_dir / ".workflow").mkdir(parents=True)
    one = {"label": "01_toy/01_x", "rule": "nb_01_toy_01_x", "source": "01_x.ipynb",
           "output": "toy/notebooks/01_x.ipynb",
           "page": "toy/notebooks/01_x.html", "parameters": {}}  # fmt: skip
    plan = run_dir / ".workflow" / "plan.json"
    plan.write_text(json.dumps({"jobs": [one], "offline": True, "variant": "", "shards": 1}))
    seen = []
    monkeypatch.setenv(meter.VARIABLE, "")
    monkeypatch.setattr(job.lifeline, "follow", lambda *given: None)
    monkeypatch.setattr(job, "execute", lambda *given: seen.append(os.environ[meter.VARIABLE]) or 1.0)
    monkeypatch.setattr(job, "make_page", lambda *given: None)
    assert job.main(str(plan), "01_toy/01_x") == 0
    costs = run_dir / "toy" / "costs" / "01_x.json"
    assert seen == [str(costs)]
    assert json.loads(costs.read_text())["stages"][""]["work"] == {}  # nothing was counted: no model
    costs.write_text("{}")
    job.main(str(plan), "01_toy/01_x")
    assert costs.read_text() == "{}"  # the notebook's own count stays
