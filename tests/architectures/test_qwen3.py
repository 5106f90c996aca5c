"""Qwen3: no BOS, heads wider than the model's width says."""

import pytest
import tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-qwen3"
    return tiny_models.save(folder, "qwen3", tiny_models.make_tokenizer(bos=False, pad=True))


def test_every_claim_is_judged(judge, notebook, model, claims):
    assert list(judge(notebook, model)) == claims
