"""The benchmark at real shapes, tried with a tiny one on the CPU."""

import importlib
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def gpu(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(ROOT))
    monkeypatch.setenv("REPLICATION_RESULTS", str(tmp_path))
    monkeypatch.setattr(importlib.import_module("benchmarks.harness"), "SHORTEST", 0.0)
    module = importlib.import_module("benchmarks.gpu")
    monkeypatch.setattr(module, "COPIED", {"cpu": 2**16})
    return module


def test_tiny_shape_is_measured_whole(gpu, capsys, tmp_path):
    options = ["--shape", "tiny", "--device", "cpu", "--rows", "3", "--new-tokens", "5", "--rounds", "1"]
    gpu.main(options)
    content = json.loads((tmp_path / "bench" / "gpu.json").read_text(encoding="utf-8"))
    assert content["share of paths with the same tokens"] == 1.0  # with both caches' peer, token for token
    assert [one["peer"] for one in content["results"] if one["peer"]] == [
        "transformers, dynamic cache", "transformers, static cache",
    ]  # fmt: skip
    assert content["seconds at that bandwidth"] * content["copy bandwidth, bytes a second"] == pytest.approx(
        content["bytes to read"]
    )
    assert 0 < content["engine, share of the limit of memory"] < 1
    assert "| engine, by static cache |" in capsys.readouterr().out


def test_static_and_dynamic_cache_have_the_same_tokens(gpu):
    work = gpu.Work(gpu.build("tiny", "cpu"), gpu.questions(3, 512), 5)
    paths = gpu.by_engine(work)
    assert gpu.by_transformers(work, "static") == gpu.by_transformers(work, "dynamic") == paths
    assert [len(one) for one in paths] == [5, 5, 5]


def test_bytes_by_hand(gpu):
    work = gpu.Work(gpu.build("tiny", "cpu"), [[1, 2, 3], [4, 5]], 3)
    model = work.lm.model
    weights = 4 * (model.num_parameters() - 512 * 64)
    position = 4 * 2 * 2 * 2 * 16  # float32, keys and values, layers, heads, their width
    # Two steps behind the prompts: they read 4 + 5 positions of the first row, 3 + 4 of the second.
    assert gpu.moved(work) == 2 * weights + position * (4 + 5 + 3 + 4)


@pytest.mark.parametrize(("shape", "billions"), [("llama3_8b", 8.03), ("mistral_7b", 7.24)])
def test_real_shapes_have_their_parameters(gpu, monkeypatch, shape, billions):
    monkeypatch.setitem(gpu.DTYPES, "meta", gpu.DTYPES["cuda"])
    assert gpu.build(shape, "meta").model.num_parameters() / 1e9 == pytest.approx(billions, abs=0.01)


def test_prompts_are_as_long_as_questions(gpu):
    lengths = [len(one) for one in gpu.questions(2000, 1000)]
    assert lengths == sorted(lengths)
    assert 24 <= lengths[0] <= lengths[-1] <= 220
    assert sum(lengths) / len(lengths) == pytest.approx(70, abs=4)
