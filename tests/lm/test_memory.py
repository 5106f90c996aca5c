import json

import pytest

from replication.lm import memory
from replication.lm.loading import load
from replication.lm.locating import Source
from replication.lm.specification import Specification
from replication.settings import InputError


@pytest.fixture
def saved(tmp_path, save_lm):
    return save_lm(tmp_path / "model", "llama")


def test_counts_are_those_of_the_model(saved):
    lm = load(str(saved))
    assert memory.parameters(Source(str(saved))) == {"F32": lm.model.num_parameters()}


def test_an_index_counts_every_file(saved):
    whole = (saved / "model.safetensors").read_bytes()
    once = memory.parameters(Source(str(saved)))
    for name in ("a.safetensors", "b.safetensors"):
        (saved / name).write_bytes(whole)
    names = {"x": "a.safetensors", "y": "b.safetensors"}
    (saved / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}))
    assert memory.parameters(Source(str(saved))) == {kind: 2 * n for kind, n in once.items()}


def test_a_damaged_header_is_left_to_the_library(saved):
    (saved / "model.safetensors").write_bytes(b"\xff" * 20)
    assert memory.parameters(Source(str(saved))) == {}
    with pytest.raises(InputError, match="cannot be loaded"):
        load(str(saved))


@pytest.mark.parametrize(
    ("dtype", "bits", "wanted"),
    [("float32", 0, 4024), ("float16", 0, 2024), ("float64", 0, 8024), ("float16", 4, 524)],
)
def test_floats_take_the_dtype_and_others_stay(dtype, bits, wanted):
    assert memory.weight_bytes({"BF16": 400, "F32": 600, "I64": 3}, dtype, bits) == wanted


def test_too_large_names_both_numbers_and_what_helps(saved, monkeypatch):
    monkeypatch.setattr(memory, "free_bytes", lambda device, device_map="": 20_000)
    with pytest.raises(InputError, match=r"GB are needed .* in float32, and 2e-05 GB .* on cpu: .*bfloat"):
        load(str(saved))
    with pytest.raises(InputError, match=r"load_in_4bit=true.*device_map=auto.*a smaller model"):
        load(f"{saved}?dtype=float16")
    with pytest.raises(InputError, match=r"free on the devices of its device map: use [^:]*a smaller model"):
        load(f"{saved}?device_map=auto")


def test_what_fits_and_what_is_not_known_pass(saved, monkeypatch):
    asked = Specification(str(saved))
    memory.check(Source(str(saved)), asked, "float32", "cpu")
    monkeypatch.setattr(memory, "free_bytes", lambda device, device_map="": 0)
    memory.check(Source("org/name", offline=True, folder=False), asked, "float32", "cpu")
    with pytest.raises(InputError):  # the one whose size is known does not pass now
        memory.check(Source(str(saved)), asked, "float32", "cpu")


def test_training_needs_four_numbers_a_weight(saved, monkeypatch):
    needed = memory.weight_bytes(memory.parameters(Source(str(saved))), "float32")
    monkeypatch.setattr(memory, "free_bytes", lambda device, device_map="": 4 * needed - 1)
    memory.check(Source(str(saved)), Specification("m"), "float32", "cpu")
    with pytest.raises(InputError, match=r"to train .*: use a smaller model"):
        memory.check_trainable(str(saved), "cpu")
    monkeypatch.setattr(memory, "free_bytes", lambda device, device_map="": 4 * needed)
    memory.check_trainable(str(saved), "cpu")


def test_quantised_weights_are_not_trained(saved, monkeypatch):
    monkeypatch.setattr(memory, "specify", lambda model: Specification(model, load_in_4bit=True))
    with pytest.raises(InputError, match="quantised, and this notebook trains it: leave out load_in_4bit"):
        memory.check_trainable(str(saved), "cpu")


def test_the_hub_says_how_large_a_model_is(monkeypatch):
    import huggingface_hub

    class Answer:
        safetensors = type("Info", (), {"parameters": {"BF16": 7 * 10**12}})

    def model_info(self, name, **options):
        if name == "org/down":
            raise ConnectionError("down")
        return Answer

    monkeypatch.setattr(huggingface_hub.HfApi, "model_info", model_info)
    huge = Source("org/huge", offline=False, folder=False)
    assert memory.parameters(huge) == {"BF16": 7 * 10**12}
    with pytest.raises(InputError, match=r"About 1.4e\+04 GB are needed for the weights of org/huge"):
        memory.check(huge, Specification("org/huge"), "bfloat16", "cpu")
    assert memory.parameters(Source("org/down", offline=False, folder=False)) is None


def test_a_limit_of_the_container_counts(tmp_path, monkeypatch):
    (tmp_path / "max").write_text("5000\n")
    (tmp_path / "current").write_text("2000\n")
    assert memory.free_bytes("cpu") > 10**6
    monkeypatch.setattr(memory, "LIMITS", ((tmp_path / "max", tmp_path / "current"),))
    assert memory.free_bytes("cpu") == 3000
    (tmp_path / "max").write_text("max\n")
    assert memory.free_bytes("cpu") > 10**6
