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
def test_the_engine_suite_in_small(run):
    content = run("engine", "--rounds", "1", "--questions", "3", "--model", "testbed-small")
    assert content["checks"] == {"paths": 30, "share of paths with the same tokens": 1.0}
    assert [one["peer"] for one in content["results"] if one["ratio"]] == [
        "transformers, tokens only",
        "transformers, tokens and gaps",
    ]


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
