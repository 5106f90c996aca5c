import json

import pytest
import torch

from replication.lm import loading
from replication.lm.loading import load
from replication.settings import InputError


@pytest.fixture
def saved(tmp_path, save_lm):
    return save_lm(tmp_path / "model", "llama")


def test_ready_for_use(saved, capfd):
    lm = load(str(saved))
    assert not lm.model.training
    assert not any(p.requires_grad for p in lm.model.parameters())
    assert {p.dtype for p in lm.model.parameters()} == {torch.float32}
    assert lm.tokenizer.padding_side == "left"
    assert lm.device.type == "cpu"
    assert "Loading weights" not in capfd.readouterr().err


def test_half_precision_checkpoints_become_float32_on_cpu(saved):
    load(str(saved), dtype="bfloat16").model.save_pretrained(saved)
    assert next(load(str(saved)).model.parameters()).dtype == torch.float32
    assert next(load(str(saved), dtype="bfloat16").model.parameters()).dtype == torch.bfloat16


def test_missing_pad_token_leaves_the_vocabulary(saved):
    lm = load(str(saved))
    assert lm.tokenizer.pad_token_id is None
    assert lm.pad_id == 2
    assert lm.vocabulary == lm.vocab_size == 263
    assert lm.width == 320


def test_end_ids_come_from_the_generation_settings(saved):
    assert load(str(saved)).eos_ids == {2}
    (saved / "generation_config.json").write_text(json.dumps({"eos_token_id": [2, 7]}))
    assert load(str(saved)).eos_ids == {2, 7}


def test_text_to_ids_and_back(saved):
    lm = load(str(saved))
    text = "Q: a  b ,\n né 日本 ?"
    assert lm.encode(text)[0] == 1
    assert lm.decode([*lm.encode(text), 2]) == text


def test_chat_template_only_when_asked_and_without_second_bos(saved):
    lm = load(str(saved))
    with pytest.raises(InputError, match="no chat template"):
        lm.encode("hi", chat=True)
    lm.tokenizer.chat_template = (
        "{{ bos_token }}{% for m in messages %}[{{ m.role }}] {{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %} [reply]{% endif %}"
    )
    assert lm.encode("hi") == [1, *lm.tokenizer.encode("hi", add_special_tokens=False)]
    chat = lm.encode("hi", chat=True)
    assert chat.count(1) == 1
    assert lm.decode(chat) == "[user] hi [reply]"


def test_position_tables_are_known(make_lm):
    assert make_lm("gpt2").context == 256
    assert make_lm("phi").context is None


def test_fingerprint_follows_weights_configuration_and_tokenizer(saved, save_lm, tmp_path):
    one = load(str(saved)).fingerprint
    assert len(one) == 16
    assert load(str(save_lm(tmp_path / "again", "llama"))).fingerprint == one
    assert load(str(save_lm(tmp_path / "other", "llama", rms_norm_eps=1e-4))).fingerprint != one
    tokenizer = json.loads((saved / "tokenizer.json").read_text())
    tokenizer["post_processor"] = None
    (saved / "tokenizer.json").write_text(json.dumps(tokenizer))
    two = load(str(saved)).fingerprint
    assert two != one
    weights = saved / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
    assert load(str(saved)).fingerprint not in (one, two)


def test_large_files_are_sampled(tmp_path, monkeypatch):
    monkeypatch.setattr(loading, "WHOLE_FILE", 1000)
    monkeypatch.setattr(loading, "SAMPLE", 50)
    path = tmp_path / "big"
    content = bytearray((100).to_bytes(8, "little") + bytes(5000))
    path.write_bytes(content)
    one = loading._file_digest(path)
    for place in (60, len(content) - 1):
        changed = content.copy()
        changed[place] = 1
        path.write_bytes(changed)
        assert loading._file_digest(path) != one
    path.write_bytes(bytes(content) + b"\0")
    assert loading._file_digest(path) != one


def test_hub_fingerprint_is_the_commit(monkeypatch):
    import huggingface_hub

    source = loading.Source("org/name", "main", offline=True, folder=False)
    found = []
    for commit in ("a" * 40, "b" * 40, "a" * 40):
        place = f"hub/models--org--name/snapshots/{commit}/config.json"
        monkeypatch.setattr(huggingface_hub, "try_to_load_from_cache", lambda *a, place=place, **k: place)
        found.append(loading._fingerprint(source))
    assert found[0] == found[2] != found[1]


def test_what_cannot_be_loaded(saved):
    with pytest.raises(InputError, match="Unknown dtype"):
        load(str(saved), dtype="int8")
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(config | {"model_type": "no-such-kind"}))
    with pytest.raises(InputError, match="cannot be loaded"):
        load(str(saved))
    (saved / "config.json").write_text(json.dumps(config))
    (saved / "model.safetensors").write_bytes(b"broken")
    with pytest.raises(InputError, match="cannot be loaded"):
        load(str(saved))


def test_weights_that_do_not_fit_the_configuration(saved):
    config = json.loads((saved / "config.json").read_text())
    (saved / "config.json").write_text(json.dumps(config | {"num_hidden_layers": 3}))
    with pytest.raises(InputError, match=r"lack .*layers\.2"):
        load(str(saved))
    (saved / "config.json").write_text(json.dumps(config | {"intermediate_size": 128}))
    with pytest.raises(InputError, match="cannot be loaded"):
        load(str(saved))
