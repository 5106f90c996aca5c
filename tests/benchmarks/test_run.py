import importlib
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Function that measures and returns what is kept of a suite."""
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("REPLICATION_RESULTS", str(tmp_path))
    monkeypatch.setattr(importlib.import_module("benchmarks.harness"), "SHORTEST", 0.0)
    module = importlib.import_module("benchmarks.run")

    def call(suite, *arguments):
        module.main([suite, "--threads", "1", *arguments])
        return json.loads((tmp_path / "bench" / f"{suite}.json").read_text(encoding="utf-8"))

    return call


@pytest.mark.slow
def test_the_sampler_suite_in_small(run, capsys):
    content = run("samplers", "--rounds", "2", "--rows", "8", "--width", "20000")
    assert set(content["checks"].values()) == {1.0}  # ours draw what pick takes from the peers' masks
    results = {one["name"]: one for one in content["results"]}
    step = results["step: top-p 0.9, T = 1, ours"]
    assert step["lowest"] <= step["ratio"] <= step["highest"]
    assert f"| {step['name']} | {step['milliseconds']:.2f} |" in capsys.readouterr().out
    if sys.platform == "linux":
        logits = 8 * 20000 * 4 / 2**20
        assert step["peak_mib"] < results["step: top-p 0.9, T = 1, peer and multinomial"]["peak_mib"]
        assert results["mask: top-p 0.9, peer"]["peak_mib"] > logits


@pytest.mark.slow
def test_the_engine_suite_in_small(run, monkeypatch):
    suite = importlib.import_module("benchmarks.engine")
    monkeypatch.setattr(suite, "ONE_TARGETS", {"tiny": 1.0})
    monkeypatch.setattr(suite, "WIDE_STEPS", 3)
    monkeypatch.setattr(suite, "optillm", lambda: None)
    content = run(
        "engine", "--rounds", "1", "--questions", "3", "--model", "testbed-small", "--wide-rows", "2"
    )
    assert content["checks"]["paths"] == 30
    assert content["checks"]["share of paths with the same tokens"] == 1.0
    assert content["optillm"] == "not installed: no row"
    assert [one["peer"] for one in content["results"] if one["ratio"]] == [
        "CoT-decoding, transformers, tokens only",
        "CoT-decoding, transformers, tokens and gaps",
        "20 samples, transformers",
        "one path, tiny, transformers",
    ]
    if sys.platform == "linux":
        ours, theirs = (
            content["checks"][f"128,256 ids, {side}: peak memory in MiB"]
            for side in ("engine", "transformers, output_logits stacked")
        )
        assert 0 < ours < theirs


def test_optillm_is_found_without_its_server(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT))
    suite = importlib.import_module("benchmarks.engine")
    (tmp_path / "optillm").mkdir()
    (tmp_path / "optillm" / "__init__.py").write_text("raise RuntimeError('the server')\n")
    (tmp_path / "optillm" / "cot_decoding.py").write_text("def cot_decode():\n    return 'decoded'\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert suite.optillm()() == "decoded"


def test_the_table_is_made_of_what_is_kept(run, tmp_path, capsys, monkeypatch):
    module = importlib.import_module("benchmarks.run")
    content = {
        "suite": "engine",
        "questions": 5,
        "rounds": 3,
        "hardware": {"processor": "Chip", "cores": 2, "threads": 1, "load before": 0.25},
        "versions": {"torch": "1.2"},
        "checks": {"engine: peak memory in MiB": 1234.4, "paths": 3},
        "results": [
            {"name": "peer", "peer": "", "target": None},
            {"name": "ours", "peer": "peer", "target": 4.0, "ratio": 3.5, "lowest": 3.0, "highest": 9.0},
        ],
    }
    (tmp_path / "engine.json").write_text(json.dumps(content))
    module.main(["--table", str(tmp_path)])
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == (
        "- engine: Chip, 2 cores, 1 thread(s), load 0.2 before; 3 alternating rounds, 5 questions; torch 1.2"
    )
    assert "| ours (against peer) | 3.50 (3.00 to 9.00) |  | 4 | no |" in shown
    assert shown[-1] == "- engine: 1,234 MiB of memory at the peak"
    (tmp_path / "engine.json").unlink()
    with pytest.raises(Exception, match="keeps no measurements"):
        module.main(["--table", str(tmp_path)])


@pytest.mark.slow
def test_the_pretraining_suite_in_small(run, monkeypatch):
    monkeypatch.setattr(importlib.import_module("benchmarks.pretraining"), "WIDE", 4000)
    content = run("pretraining", "--rounds", "1", "--batch", "4")
    checks = content["checks"]
    assert checks["loss, ours less transformers"] == pytest.approx(0, abs=1e-5)
    assert checks["loss, online less stored"] == pytest.approx(0, abs=1e-5)
    assert [one["target"] for one in content["results"]] == [None, None, 0.97, 0.77, None]
    if sys.platform == "linux":
        peer, *ours = (one["peak_mib"] for one in content["results"][:4])
        assert max(ours) < peer + 4 * 128 * 2048 * 4 / 2**20  # no further copy of the logits


@pytest.mark.slow
def test_the_search_for_critical_tokens_in_small(run, monkeypatch):
    suite = importlib.import_module("benchmarks.critical_tokens")
    monkeypatch.setattr(suite, "COMPARED", 1)
    monkeypatch.setattr(suite, "QUESTIONS", 40)
    content = run("critical_tokens", "--rounds", "1", "--trajectories", "1")
    checks = content["checks"]
    assert checks["share of critical tokens as by generate with the same draws"] == 1.0
    assert checks["naive by generated tokens, shared tails"] > checks["naive by generated tokens"] > 0
    assert [one["target"] for one in content["results"]] == [None, None, 8.0]


@pytest.mark.slow
def test_the_scoring_suite_in_small(run, monkeypatch):
    suite = importlib.import_module("benchmarks.scoring")
    monkeypatch.setattr(suite, "WIDTH", 60_000)
    monkeypatch.setattr(suite, "TOKENS", 64)
    content = run("scoring", "--rounds", "1")
    checks = content["checks"]
    assert max(gap for name, gap in checks.items() if "difference" in name) < 1e-4
    assert [one["target"] for one in content["results"]] == [None, 1.0]
    if sys.platform == "linux":
        assert checks["peer's peak of twice the rows by that of once"] > 1.5
        peer, ours = (one["peak_mib"] for one in content["results"])
        assert ours < peer


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("speed",), "choose one of samplers, engine, pretraining, critical_tokens"),
        (("samplers", "--rounds", "0"), "needs 1 or more"),
        (("samplers", "--width", "50"), "needs 100 or more"),
    ],
)
def test_bad_arguments(run, arguments, says, capsys, tmp_path):
    with pytest.raises(SystemExit) as error:
        run(*arguments)
    assert error.value.code == 2
    assert says in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_the_overhead_suite_tells_the_share_of_the_default_run(run, monkeypatch, tmp_path):
    overhead, harness = (importlib.import_module(f"benchmarks.{name}") for name in ("overhead", "harness"))
    asked = []
    monkeypatch.setattr(overhead, "shares", lambda folder: asked.append(folder) or {"overhead": 0.1})
    monkeypatch.setattr(
        overhead, "cases", lambda *given: [harness.Case("peer", int), harness.Case("ours", int, "peer")]
    )
    monkeypatch.setattr(importlib.import_module("replication.workflow.kernels"), "supported", lambda: False)
    content = run("overhead", "--rounds", "2")
    assert asked == [tmp_path / "cpu-testbed"]
    assert content["checks"] == {"overhead": 0.1}
    assert [one["peer"] for one in content["results"]] == ["", "peer"]
