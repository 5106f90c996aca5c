"""Qwen2: no BOS, and more ids in the model than in the tokenizer."""

import pytest
import tiny_models


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "tiny-qwen2"
    return tiny_models.save(folder, "qwen2", tiny_models.make_tokenizer(bos=False, pad=True), padding=60)


def test_every_claim_is_judged(judge, notebook, model, claims):
    assert list(judge(notebook, model)) == claims
