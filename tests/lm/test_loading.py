import json

import pytest
import tiny_models
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


def test_missing_pad_token_leaves_the_vocabulary(tmp_path, save_lm):
    lm = load(str(save_lm(tmp_path / "padded", "llama", vocab_size=320)))
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


def test_options_of_loading_in_the_name(saved):
    plain, half = load(str(saved)), load(f"{saved}?dtype=bfloat16")
    assert next(half.model.parameters()).dtype == torch.bfloat16
    assert half.name == plain.name == str(saved)
    assert plain.fingerprint == load(f"{saved}?dtype=auto").fingerprint != half.fingerprint
    assert next(load(f"{saved}?dtype=bfloat16", dtype="float32").model.parameters()).dtype == torch.float32
    with pytest.raises(InputError, match="Unknown option"):
        load(f"{saved}?precision=high")


def test_a_device_map_leaves_the_placing_to_the_library(saved):
    lm = load(f"{saved}?device_map=auto")
    plain = load(str(saved))
    assert lm.fingerprint == plain.fingerprint
    ids = torch.tensor([plain.encode("Q: 1+1?")]).to(lm.device)
    assert torch.allclose(lm.model(ids).logits.cpu(), plain.model(ids.cpu()).logits, atol=1e-5)


def test_prompts_go_through_the_template_where_chat_is_asked_for(saved):
    with pytest.raises(InputError, match="no chat template"):
        load(f"{saved}?chat=true")
    plain = load(str(saved))
    plain.tokenizer.chat_template = tiny_models.TEMPLATE
    plain.tokenizer.save_pretrained(saved)
    lm = load(f"{saved}?chat=true")
    ids = lm.prompt("hi")
    assert ids == lm.encode("hi", chat=True)
    assert lm.decode(ids) == "[user] hi [reply]"
    assert ids.count(1) == 1
    assert ids[0] == 1
    assert lm.decode(lm.prompt("hi", " So")) == "[user] hi [reply] So"
    assert lm.encode("hi") == plain.encode("hi")
    assert plain.prompt("hi", " So") == plain.encode("hi So")


def test_a_prompt_never_ends_in_the_end_of_text(saved):
    from tokenizers import processors

    plain = load(str(saved))
    ids = plain.encode("on and on")
    plain.tokenizer.backend_tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)]
    )
    plain.tokenizer.save_pretrained(saved)
    lm = load(str(saved))
    assert list(lm.tokenizer("on and on")["input_ids"]) == [*ids, 2]
    assert lm.encode("on and on") == ids
    assert lm.encode("") == [1]


def test_a_tokenizer_with_more_ids_than_the_model_is_refused(tmp_path, save_lm):
    folder = save_lm(tmp_path / "narrow", "llama", vocab_size=200)
    with pytest.raises(InputError, match=r"tokenizer of .* has 263 ids, its model takes 200: .* resize"):
        load(str(folder))


def test_a_pad_token_beyond_the_model_changes_nothing(tmp_path, save_lm):
    folder = save_lm(tmp_path / "padded", "llama")
    plain = load(str(folder))
    plain.tokenizer.add_special_tokens({"pad_token": "[PAD]"})
    plain.tokenizer.save_pretrained(folder)
    lm = load(str(folder))
    assert lm.vocabulary == 264
    assert lm.width == lm.choices == 263
    assert lm.pad_id == 2
    assert lm.encode("Q: 1+1?") == plain.encode("Q: 1+1?")
