from pathlib import Path

import pytest

from replication.pretraining.config import Config, Source, build, key, read
from replication.pretraining.plan import GIB, hours, plan
from replication.pretraining.selection import Selection
from replication.settings import InputError

PUBLISHED = sorted((Path(__file__).parents[2] / "env" / "rho1").glob("*.yaml"))
SMALL = {"model": "testbed", "output": "out", "corpus": [{"path": "a.jsonl"}], "reference": "testbed"}


def test_yaml_and_toml_say_the_same(tmp_path):
    (tmp_path / "a.yaml").write_text(
        "model: m\noutput: o\nreference: r\nratio: 0.5\ncorpus:\n  - path: p\n    tokens: 5\n"
    )
    (tmp_path / "a.toml").write_text(
        'model = "m"\noutput = "o"\nreference = "r"\nratio = 0.5\n[[corpus]]\npath = "p"\ntokens = 5\n'
    )
    found = read(tmp_path / "a.yaml")
    assert found == read(tmp_path / "a.toml")
    assert found.corpus == (Source("p", tokens=5),)
    assert found.selection == Selection(0.5)
    changed = read(tmp_path / "a.yaml", ["score=random", "seed=3", "ratio=1"])
    assert changed.selection == Selection(1, score="random", seed=3)
    assert changed.run == "random-1-batch-3"


def test_what_needs_a_reference():
    assert Config(**SMALL | {"corpus": (Source("a"),)}).needs_reference
    for score in ("random", "loss", "all"):
        assert not build(SMALL | {"reference": "", "score": score, "ratio": 1.0}).needs_reference
    with pytest.raises(InputError, match="needs a reference model or clean_data"):
        build(SMALL | {"reference": ""})


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"ratoi": 0.5}, "Unknown key.* ratoi in the configuration: it has model, output"),
        ({"corpus": [{"path": "a", "field": "b"}]}, "Unknown key.* field in the corpus"),
        ({"learning_rate": "1e-4"}, "write 1.0e-4"),
        ({"epochs": 1.5}, "epochs .*kind int, got 1.5"),
        ({"online": 1}, "online .*kind bool, got 1"),
        ({"ratio": True}, "ratio .*kind float, got True"),
        ({"ratio": 1.2}, r"ratio in \(0, 1\]"),
        ({"score": "excess", "scope": "rank"}, "Unknown scope"),
        ({"packing": "bfd"}, "Unknown packing 'bfd': choose concatenated, documents"),
        ({"device": "tpu"}, "Unknown device"),
        ({"micro_batch": 0}, "micro_batch needs 1 or more, got 0"),
        ({"learning_rate": 0}, "learning_rate needs a number > 0"),
        ({"warmup": 1.0}, "warmup and beta2"),
        ({"batch_tokens": 100}, "batch_tokens needs at least one block of 2048"),
        ({"corpus": []}, "names no corpus"),
        ({"corpus": "a.jsonl"}, "corpus needs a list of sources"),
        ({"corpus": ["a.jsonl"]}, "needs keys and values, got 'a.jsonl'"),
    ],
)
def test_configurations_that_are_refused(changes, says):
    with pytest.raises(InputError, match=says):
        build(SMALL | changes)


def test_files_that_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("model: [\n")
    with pytest.raises(InputError, match="cannot be read"):
        read(tmp_path / "bad.yaml")
    (tmp_path / "short.yaml").write_text("model: m\n")
    with pytest.raises(InputError, match="lacks output, corpus"):
        read(tmp_path / "short.yaml")
    with pytest.raises(InputError, match="key=value"):
        read(tmp_path / "short.yaml", ["ratio"])


def test_keys_tell_values_apart():
    assert key(Source("a"), 1) == key(Source("a"), 1)
    assert len({key(Source("a")), key(Source("a", tokens=1)), key(Source("a"), 1)}) == 3


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_published_configurations(path):
    config = read(path)
    seven = "mistral" in path.stem
    assert (config.ratio, config.score, config.scope) == (0.7 if seven else 0.6, "excess", "batch")
    assert config.learning_rate == (2e-5 if seven else 8e-5)
    assert (config.reference_epochs, config.reference_learning_rate) == (3, 1e-5 if seven else 5e-5)
    assert (config.block_length, config.batch_tokens) == (4096 if seven else 2048, 2**20)
    for line in path.read_text().splitlines():  # every setting says where it comes from
        if line[:1].isalpha() and not line.startswith(("output", "corpus", "save_tokens", "logging", "seed")):
            assert "#" in line or "parameters" in line or "vocabulary" in line


def test_the_published_costs():
    small, large = (
        read(path.with_name(f"level2_{name}.yaml"))
        for path in PUBLISHED[:1]
        for name in ("tinyllama", "mistral")
    )
    found = plan(small, devices=32)
    assert (found.train_tokens, found.kept_tokens) == (15 * 10**9, 9 * 10**9)
    assert found.train_flops == pytest.approx(6 * 1.1e9 * 15e9)
    assert found.score_flops == pytest.approx(found.train_flops / 3)
    assert found.reference_flops == pytest.approx(6 * 1.1e9 * 3 * 0.5e9)
    # Training alone: 112 and 576 hours of one H100, as the paper's hours on 32 of them.
    alone = {"clean_data": (), "score": "all", "ratio": 1.0}
    for config, wanted in ((small, 112.6), (large, 578.7)):
        training = plan(Config(**vars(config) | alone), devices=32)
        assert training.hours == pytest.approx(wanted, abs=0.1)
        assert hours(config, 2 * config.tokens_per_second, 32) == pytest.approx(plan(config, 32).hours / 2)
    assert plan(large, 32).kept_tokens == 10.5e9
    assert 7.24e9 * 16 / GIB < plan(large).memory / GIB < 130
    # On one device micro-batches are accumulated, so ranking a whole step takes a pass of its own.
    assert plan(small, 1).train_flops == pytest.approx(found.train_flops * 4 / 3)
    online = Config(**vars(small) | {"online": True})
    assert plan(online, 32).score_flops == 0
    assert plan(online, 32).train_flops == pytest.approx(found.train_flops * 4 / 3)
    assert "device hours" in str(found)
